# pragma version ^0.4.1
# A price feed with Chainlink's getters: one round.

decimals: public(uint8)
round: uint80
answer: int256
started: uint256
updated: uint256


@view
@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    return self.round, self.answer, self.started, self.updated, self.round
