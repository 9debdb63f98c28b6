# pragma version ^0.4.1
# A double of a pool of Curve's metapool factory: the getters, who may ramp and when. It swaps nothing, and refuses without a reason, as the pool does.
# ABI and rules: curvefi/curve-factory contracts/MetaImplementationUSD.vy @d6f0ef7.

interface Factory:
    def admin() -> address: view

event RampA:
    old_A: uint256
    new_A: uint256
    initial_time: uint256
    future_time: uint256

event StopRampA:
    A: uint256
    t: uint256

MIN_RAMP_TIME: constant(uint256) = 86400
MAX_A: constant(uint256) = 10**6
MAX_A_CHANGE: constant(uint256) = 10
A_PRECISION: constant(uint256) = 100

name: public(constant(String[64])) = "Curve.fi Factory USD Metapool: Frax"
symbol: public(constant(String[16])) = "FRAX3CRV-f"
decimals: public(constant(uint256)) = 18
admin_fee: public(constant(uint256)) = 5 * 10**9

factory: address
coins: public(address[2])
balances: public(uint256[2])
fee: public(uint256)
initial_A: public(uint256)
future_A: public(uint256)
initial_A_time: public(uint256)
future_A_time: public(uint256)
balanceOf: public(HashMap[address, uint256])
totalSupply: public(uint256)
virtual_price: uint256


@view
@external
def admin() -> address:
    return staticcall Factory(self.factory).admin()


@view
@external
def get_virtual_price() -> uint256:
    return self.virtual_price


@view
@external
def get_balances() -> uint256[2]:
    return self.balances


@view
@internal
def _A() -> uint256:
    end: uint256 = self.future_A_time
    to: uint256 = self.future_A
    if block.timestamp >= end:
        return to
    begin: uint256 = self.initial_A_time
    of: uint256 = self.initial_A
    if to > of:
        return of + (to - of) * (block.timestamp - begin) // (end - begin)
    return of - (of - to) * (block.timestamp - begin) // (end - begin)


@view
@external
def A() -> uint256:
    return self._A() // A_PRECISION


@view
@external
def A_precise() -> uint256:
    return self._A()


@external
def ramp_A(_future_A: uint256, _future_time: uint256):
    assert msg.sender == staticcall Factory(self.factory).admin()
    assert block.timestamp >= self.initial_A_time + MIN_RAMP_TIME
    assert _future_time >= block.timestamp + MIN_RAMP_TIME
    assert 0 < _future_A and _future_A < MAX_A
    now: uint256 = self._A()
    then: uint256 = _future_A * A_PRECISION
    assert then * MAX_A_CHANGE >= now and then <= now * MAX_A_CHANGE
    self.initial_A = now
    self.future_A = then
    self.initial_A_time = block.timestamp
    self.future_A_time = _future_time
    log RampA(old_A=now, new_A=then, initial_time=block.timestamp, future_time=_future_time)


@external
def stop_ramp_A():
    assert msg.sender == staticcall Factory(self.factory).admin()
    now: uint256 = self._A()
    self.initial_A = now
    self.future_A = now
    self.initial_A_time = block.timestamp
    self.future_A_time = block.timestamp
    log StopRampA(A=now, t=block.timestamp)
