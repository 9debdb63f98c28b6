# pragma version ^0.4.1
# A double of FraxPoolV3 with one collateral: thresholds, fees, ceiling, prices and their setters. Nothing is minted or redeemed.
# ABI, callers and words: FraxFinance/frax-solidity src/hardhat/contracts/Frax/Pools/FraxPoolV3.sol @dc512da6.

interface Token:
    def balanceOf(_of: address) -> uint256: view

interface Feed:
    def latestRoundData() -> (uint80, int256, uint256, uint256, uint80): view
    def decimals() -> uint8: view

struct CollateralInformation:
    index: uint256
    symbol: String[16]
    col_addr: address
    is_enabled: bool
    missing_decs: uint256
    price: uint256
    pool_ceiling: uint256
    mint_paused: bool
    redeem_paused: bool
    recollat_paused: bool
    buyback_paused: bool
    borrowing_paused: bool
    minting_fee: uint256
    redemption_fee: uint256
    buyback_fee: uint256
    recollat_fee: uint256

event PriceThresholdsSet:
    new_bonus_rate: uint256
    new_redemption_delay: uint256

event FeesSet:
    col_idx: uint256
    new_mint_fee: uint256
    new_redeem_fee: uint256
    new_buyback_fee: uint256
    new_recollat_fee: uint256

event PoolCeilingSet:
    col_idx: uint256
    new_ceiling: uint256

event PoolParametersSet:
    new_bonus_rate: uint256
    new_redemption_delay: uint256

event BbkRctPerHourSet:
    bbkMaxColE18OutPerHour: uint256
    rctMaxFxsOutPerHour: uint256

owner: public(address)
timelock_address: public(address)
custodian_address: public(address)
priceFeedFRAXUSD: public(address)
priceFeedFXSUSD: public(address)
amo_minter_addresses: public(HashMap[address, bool])
collateral_addresses: public(address[1])
missing_decimals: public(uint256[1])
pool_ceilings: public(uint256[1])
collateral_prices: public(uint256[1])
collateralAddrToIdx: public(HashMap[address, uint256])
enabled_collaterals: public(HashMap[address, bool])
unclaimedPoolCollateral: public(uint256[1])
redemption_delay: public(uint256)
redeem_price_threshold: public(uint256)
mint_price_threshold: public(uint256)
bbkMaxColE18OutPerHour: public(uint256)
rctMaxFxsOutPerHour: public(uint256)
bonus_rate: public(uint256)
minting_fee: uint256
redemption_fee: uint256
buyback_fee: uint256
recollat_fee: uint256


@view
@external
def collateral_information(collat_address: address) -> CollateralInformation:
    assert self.enabled_collaterals[collat_address], "Invalid collateral"
    return CollateralInformation(
        index=0,
        symbol="USDC",
        col_addr=collat_address,
        is_enabled=True,
        missing_decs=self.missing_decimals[0],
        price=self.collateral_prices[0],
        pool_ceiling=self.pool_ceilings[0],
        mint_paused=False,
        redeem_paused=False,
        recollat_paused=False,
        buyback_paused=False,
        borrowing_paused=False,
        minting_fee=self.minting_fee,
        redemption_fee=self.redemption_fee,
        buyback_fee=self.buyback_fee,
        recollat_fee=self.recollat_fee,
    )


@view
@external
def allCollaterals() -> DynArray[address, 1]:
    return [self.collateral_addresses[0]]


@view
@internal
def _price(feed: address) -> uint256:
    round: uint80 = 0
    price: int256 = 0
    started: uint256 = 0
    updated: uint256 = 0
    answered: uint80 = 0
    round, price, started, updated, answered = staticcall Feed(feed).latestRoundData()
    assert price >= 0 and updated != 0 and answered >= round, "Invalid chainlink price"
    return convert(price, uint256) * 10**6 // 10**convert(staticcall Feed(feed).decimals(), uint256)


@view
@external
def getFRAXPrice() -> uint256:
    return self._price(self.priceFeedFRAXUSD)


@view
@external
def getFXSPrice() -> uint256:
    return self._price(self.priceFeedFXSUSD)


@view
@internal
def _free() -> uint256:
    return staticcall Token(self.collateral_addresses[0]).balanceOf(self) - self.unclaimedPoolCollateral[0]


@view
@external
def freeCollatBalance(col_idx: uint256) -> uint256:
    assert col_idx == 0
    return self._free()


@view
@external
def collatDollarBalance() -> uint256:
    return self._free() * 10**self.missing_decimals[0] * self.collateral_prices[0] // 10**6


@view
@internal
def _governed():
    assert msg.sender == self.timelock_address or msg.sender == self.owner, "Not owner or timelock"


@external
def setPriceThresholds(new_mint_price_threshold: uint256, new_redeem_price_threshold: uint256):
    self._governed()
    self.mint_price_threshold = new_mint_price_threshold
    self.redeem_price_threshold = new_redeem_price_threshold
    log PriceThresholdsSet(new_bonus_rate=new_mint_price_threshold, new_redemption_delay=new_redeem_price_threshold)


@external
def setFees(col_idx: uint256, new_mint_fee: uint256, new_redeem_fee: uint256, new_buyback_fee: uint256, new_recollat_fee: uint256):
    self._governed()
    assert col_idx == 0
    self.minting_fee = new_mint_fee
    self.redemption_fee = new_redeem_fee
    self.buyback_fee = new_buyback_fee
    self.recollat_fee = new_recollat_fee
    log FeesSet(
        col_idx=col_idx,
        new_mint_fee=new_mint_fee,
        new_redeem_fee=new_redeem_fee,
        new_buyback_fee=new_buyback_fee,
        new_recollat_fee=new_recollat_fee,
    )


@external
def setPoolCeiling(col_idx: uint256, new_ceiling: uint256):
    self._governed()
    self.pool_ceilings[col_idx] = new_ceiling
    log PoolCeilingSet(col_idx=col_idx, new_ceiling=new_ceiling)


@external
def setPoolParameters(new_bonus_rate: uint256, new_redemption_delay: uint256):
    self._governed()
    self.bonus_rate = new_bonus_rate
    self.redemption_delay = new_redemption_delay
    log PoolParametersSet(new_bonus_rate=new_bonus_rate, new_redemption_delay=new_redemption_delay)


@external
def setBbkRctPerHour(_bbkMaxColE18OutPerHour: uint256, _rctMaxFxsOutPerHour: uint256):
    self._governed()
    self.bbkMaxColE18OutPerHour = _bbkMaxColE18OutPerHour
    self.rctMaxFxsOutPerHour = _rctMaxFxsOutPerHour
    log BbkRctPerHourSet(bbkMaxColE18OutPerHour=_bbkMaxColE18OutPerHour, rctMaxFxsOutPerHour=_rctMaxFxsOutPerHour)
