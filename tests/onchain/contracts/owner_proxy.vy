# pragma version ^0.4.1
# A double of the factory's owner proxy. ABI, callers and words: curvefi/curve-factory contracts/OwnerProxy.vy @04fe57ca.

interface Pool:
    def ramp_A(_future_A: uint256, _future_time: uint256): nonpayable
    def stop_ramp_A(): nonpayable

ownership_admin: public(address)
parameter_admin: public(address)
emergency_admin: public(address)


@external
def ramp_A(_pool: address, _future_A: uint256, _future_time: uint256):
    assert msg.sender == self.parameter_admin, "Access denied"
    extcall Pool(_pool).ramp_A(_future_A, _future_time)


@external
def stop_ramp_A(_pool: address):
    assert msg.sender == self.parameter_admin or msg.sender == self.emergency_admin, "Access denied"
    extcall Pool(_pool).stop_ramp_A()
