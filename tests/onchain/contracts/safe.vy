# pragma version ^0.4.1
# An account with code, as a Safe is one: owners and threshold; and what an Aragon agent or a timelock does, execute a call where its owner says so.

threshold: uint256
owners: DynArray[address, 8]
nonce: public(uint256)


@view
@external
def getThreshold() -> uint256:
    return self.threshold


@view
@external
def getOwners() -> DynArray[address, 8]:
    return self.owners


@payable
@external
def execute(_target: address, _ethValue: uint256, _data: Bytes[4096]):
    assert msg.sender in self.owners, "APP_AUTH_FAILED"
    raw_call(_target, _data, value=_ethValue)
