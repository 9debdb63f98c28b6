# pragma version ^0.4.1
# A double of PIDController: step, bands, cooldown and their setters. It moves nothing.
# ABI, callers and words: FraxFinance/frax-solidity src/hardhat/contracts/Oracle/PIDController.sol @68bc6302.

owner: public(address)
timelock_address: public(address)
frax_step: public(uint256)
FRAX_top_band: public(uint256)
FRAX_bottom_band: public(uint256)
GR_top_band: public(uint256)
GR_bottom_band: public(uint256)
internal_cooldown: public(uint256)
is_active: public(bool)


@view
@internal
def _governed():
    assert msg.sender == self.owner or msg.sender == self.timelock_address, "Not owner or timelock"


@external
def setPriceBands(_top_band: uint256, _bottom_band: uint256):
    self._governed()
    self.FRAX_top_band = _top_band
    self.FRAX_bottom_band = _bottom_band


@external
def setFraxStep(_new_step: uint256):
    self._governed()
    self.frax_step = _new_step


@external
def setInternalCooldown(_internal_cooldown: uint256):
    self._governed()
    self.internal_cooldown = _internal_cooldown
