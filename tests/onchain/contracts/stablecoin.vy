# pragma version ^0.4.1
# A double of FRAXStablecoin: getters, and the setters with who may call them. Nothing is minted or burned.
# ABI, callers and words: FraxFinance/frax-solidity src/hardhat/contracts/Frax/Frax.sol @05b337c6.

interface Pool:
    def collatDollarBalance() -> uint256: view

event PriceBandSet:
    price_band: uint256

event FraxStepSet:
    new_step: uint256

event RefreshCooldownSet:
    new_cooldown: uint256

event PriceTargetSet:
    new_price_target: uint256

event RedemptionFeeSet:
    red_fee: uint256

event MintingFeeSet:
    min_fee: uint256

event ControllerSet:
    controller_address: address

event TimelockSet:
    timelock_address: address

name: public(constant(String[16])) = "Frax"
symbol: public(constant(String[16])) = "FRAX"
decimals: public(constant(uint8)) = 18

owner: public(address)
timelock_address: public(address)
controller_address: public(address)
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
global_collateral_ratio: public(uint256)
redemption_fee: public(uint256)
minting_fee: public(uint256)
frax_step: public(uint256)
refresh_cooldown: public(uint256)
price_target: public(uint256)
price_band: public(uint256)
last_call_time: public(uint256)
collateral_ratio_paused: public(bool)
frax_pools_array: public(DynArray[address, 4])
frax_price: public(uint256)
fxs_price: public(uint256)


@view
@external
def globalCollateralValue() -> uint256:
    total: uint256 = 0
    for pool: address in self.frax_pools_array:
        if pool != empty(address):
            total += staticcall Pool(pool).collatDollarBalance()
    return total


@view
@internal
def _governed():
    assert msg.sender in [self.owner, self.timelock_address, self.controller_address], "Not the owner, controller, or the governance timelock"


@external
def setPriceBand(_price_band: uint256):
    self._governed()
    self.price_band = _price_band
    log PriceBandSet(price_band=_price_band)


@external
def setFraxStep(_new_step: uint256):
    self._governed()
    self.frax_step = _new_step
    log FraxStepSet(new_step=_new_step)


@external
def setRefreshCooldown(_new_cooldown: uint256):
    self._governed()
    self.refresh_cooldown = _new_cooldown
    log RefreshCooldownSet(new_cooldown=_new_cooldown)


@external
def setPriceTarget(_new_price_target: uint256):
    self._governed()
    self.price_target = _new_price_target
    log PriceTargetSet(new_price_target=_new_price_target)


@external
def setRedemptionFee(red_fee: uint256):
    self._governed()
    self.redemption_fee = red_fee
    log RedemptionFeeSet(red_fee=red_fee)


@external
def setMintingFee(min_fee: uint256):
    self._governed()
    self.minting_fee = min_fee
    log MintingFeeSet(min_fee=min_fee)


@external
def setController(_controller_address: address):
    self._governed()
    assert _controller_address != empty(address), "Zero address detected"
    self.controller_address = _controller_address
    log ControllerSet(controller_address=_controller_address)


@external
def setTimelock(new_timelock: address):
    self._governed()
    assert new_timelock != empty(address), "Zero address detected"
    self.timelock_address = new_timelock
    log TimelockSet(timelock_address=new_timelock)
