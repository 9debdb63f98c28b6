"""What FraxPoolV3 stores, what it shows of it, and what governance may set; the calls of its users are in frax_pool_v3.

Units and source as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from amo_opt.contracts.frax_cr import FRAXStablecoin
from amo_opt.contracts.frax_world import (
    PANIC_INDEX,
    PANIC_OVERFLOW,
    PRICE_PRECISION,
    SAFE_MATH_08,
    ChainlinkFeed,
    Contract,
    ERC20Mock,
    FRAXShares,
    external,
    require,
)
from amo_opt.contracts.integers import WAD, Revert, uint256

V = TypeVar("V")
add, sub, mul, div = SAFE_MATH_08.add, SAFE_MATH_08.sub, SAFE_MATH_08.mul, SAFE_MATH_08.div


def item(values: Sequence[V], index: int) -> V:
    """An array's element; reverts outside it."""
    if not 0 <= index < len(values):
        raise Revert(PANIC_INDEX)
    return values[index]


class Minted(NamedTuple):
    """What a mint gives (FRAX, 1e18) and takes (collateral in its unit, FXS in 1e18)."""

    total_frax_mint: int
    collat_needed: int
    fxs_needed: int


class Redeemed(NamedTuple):
    """What a redemption sets apart: collateral in its unit, FXS in 1e18."""

    collat_out: int
    fxs_out: int


class Collected(NamedTuple):
    """What a collection sends: FXS in 1e18, collateral in its unit."""

    fxs_amount: int
    collateral_amount: int


class ReportedValue(Contract):
    """A pool on FRAX's list of which only the value (1e18) is known."""

    value = 0

    def collatDollarBalance(self) -> int:
        """As set."""
        return self.value


class FraxPoolStorage(Contract):
    """A pool of several collaterals as constructed, but all of them enabled: no pause, thresholds 1.01 and 0.99, 1000 an hour.

    ``initial_fees``, 1e6, are those of minting, redeeming, buyback and recollateralisation for every collateral.
    """

    def __init__(
        self,
        frax: FRAXStablecoin,
        fxs: FRAXShares,
        tokens: Sequence[ERC20Mock],
        *,
        initial_fees: tuple[int, int, int, int] = (0, 0, 0, 0),
        price_feed_frax_usd: ChainlinkFeed | None = None,
        price_feed_fxs_usd: ChainlinkFeed | None = None,
    ) -> None:
        super().__init__(frax.chain, "pool")
        n = len(tokens)
        self.FRAX = frax
        self.FXS = fxs
        self.tokens = list(tokens)
        self.custodian_address = "custodian"
        self.amo_minter_addresses: dict[str, bool] = {}
        self.priceFeedFRAXUSD = price_feed_frax_usd or ChainlinkFeed()
        self.priceFeedFXSUSD = price_feed_fxs_usd or ChainlinkFeed()
        self.enabled_collaterals = [True] * n
        self.missing_decimals = [token.missing_decimals for token in tokens]
        self.pool_ceilings = [0] * n
        self.collateral_prices = [PRICE_PRECISION] * n
        self.redeemFXSBalances: dict[str, int] = {}
        self.redeemCollateralBalances: dict[tuple[str, int], int] = {}
        self.unclaimedPoolCollateral = [0] * n
        self.unclaimedPoolFXS = 0
        self.lastRedeemed: dict[str, int] = {}
        self.redemption_delay = 2
        self.redeem_price_threshold = 990_000
        self.mint_price_threshold = 1_010_000
        self.bbkHourlyCum: dict[int, int] = {}
        self.bbkMaxColE18OutPerHour = 1_000 * WAD
        self.rctHourlyCum: dict[int, int] = {}
        self.rctMaxFxsOutPerHour = 1_000 * WAD
        self.minting_fee = [initial_fees[0]] * n
        self.redemption_fee = [initial_fees[1]] * n
        self.buyback_fee = [initial_fees[2]] * n
        self.recollat_fee = [initial_fees[3]] * n
        self.bonus_rate = 0
        self.mintPaused = [False] * n
        self.redeemPaused = [False] * n
        self.buyBackPaused = [False] * n
        self.recollateralizePaused = [False] * n
        self.borrowingPaused = [False] * n

    # -- views ----------------------------------------------------------------------------------------------------------------

    def getFRAXPrice(self) -> int:
        """Chainlink's dollars for a FRAX, 1e6, floored."""
        return self.priceFeedFRAXUSD.price()

    def getFXSPrice(self) -> int:
        """Chainlink's dollars for an FXS, 1e6, floored."""
        return self.priceFeedFXSUSD.price()

    def curEpochHr(self) -> int:
        """The hour of the clock, which the limits on buyback and recollateralisation count by."""
        return self.chain.timestamp // 3_600

    def getFRAXInCollateral(self, col_idx: int, frax_amount: int) -> int:
        """Collateral for so much FRAX at one dollar, in the token's unit, floored twice."""
        scaled = mul(frax_amount, PRICE_PRECISION) // 10 ** item(self.missing_decimals, col_idx)
        return div(scaled, self.collateral_prices[col_idx])

    def freeCollatBalance(self, col_idx: int) -> int:
        """The balance less what is set apart for redeemers; reverts where buyback or an AMO has eaten into that."""
        return sub(item(self.tokens, col_idx).balanceOf.get(self.address, 0), self.unclaimedPoolCollateral[col_idx])

    def collatDollarBalance(self) -> int:
        """Value of the free balances, disabled collaterals too, 1e18."""
        total = 0
        for k, missing in enumerate(self.missing_decimals):
            worth = mul(mul(self.freeCollatBalance(k), 10**missing), self.collateral_prices[k]) // PRICE_PRECISION
            total = uint256(total + worth, PANIC_OVERFLOW)
        return total

    def buybackAvailableCollat(self) -> int:
        """Dollars of collateral above the target ratio, at most what the hour has left, 1e18."""
        ratio = min(self.FRAX.global_collateral_ratio, PRICE_PRECISION)
        value = self.FRAX.globalCollateralValue()
        required = mul(self.FRAX.totalSupply, ratio) // PRICE_PRECISION
        if value <= required:
            return 0
        return _left_of_hour(self.bbkHourlyCum.get(self.curEpochHr(), 0), self.bbkMaxColE18OutPerHour, value - required)

    def recollatTheoColAvailableE18(self) -> int:
        """Dollars missing to the target ratio, 1e18, where the ratio in force is cut to 1e-6 of supply first."""
        supply = self.FRAX.totalSupply
        effective = div(mul(self.FRAX.globalCollateralValue(), PRICE_PRECISION), supply)
        desired_e24, effective_e24 = mul(self.FRAX.global_collateral_ratio, supply), mul(effective, supply)
        return max(desired_e24 - effective_e24, 0) // PRICE_PRECISION

    def recollatAvailableFxs(self) -> int:
        """FXS worth what is missing, without the bonus, at most what the hour has left, 1e18."""
        price = self.getFXSPrice()
        theoretical = div(mul(self.recollatTheoColAvailableE18(), PRICE_PRECISION), price)
        return _left_of_hour(self.rctHourlyCum.get(self.curEpochHr(), 0), self.rctMaxFxsOutPerHour, theoretical)

    # -- governance -----------------------------------------------------------------------------------------------------------

    @external
    def toggleMRBR(self, col_idx: int, tog_idx: int, *, sender: str) -> None:
        """Turns a pause over: 0 minting, 1 redeeming, 2 buyback, 3 recollateralisation, 4 borrowing; others do nothing."""
        allowed = sender in {self.timelock_address, self.owner, self.custodian_address}
        require(allowed, "Not owner, tlck, or custd")
        pauses = [self.mintPaused, self.redeemPaused, self.buyBackPaused, self.recollateralizePaused, self.borrowingPaused]
        if tog_idx < len(pauses):
            pauses[tog_idx][col_idx] = not item(pauses[tog_idx], col_idx)

    @external
    def toggleCollateral(self, col_idx: int, *, sender: str) -> None:
        """Turns a collateral on or off: mint, redeem, buyback, recollateralisation and borrowing, not collecting."""
        self.onlyByOwnGov(sender)
        self.enabled_collaterals[col_idx] = not item(self.enabled_collaterals, col_idx)

    @external
    def addAMOMinter(self, amo_minter_addr: str, *, sender: str) -> None:
        """Lets a minter borrow."""
        self.onlyByOwnGov(sender)
        self.amo_minter_addresses[amo_minter_addr] = True

    @external
    def removeAMOMinter(self, amo_minter_addr: str, *, sender: str) -> None:
        """Lets a minter borrow no more."""
        self.onlyByOwnGov(sender)
        self.amo_minter_addresses[amo_minter_addr] = False

    @external
    def setCollateralPrice(self, col_idx: int, new_price: int, *, sender: str) -> None:
        """Sets what a collateral counts at, 1e6; no range is checked, here and below."""
        self.onlyByOwnGov(sender)
        self._set(self.collateral_prices, col_idx, new_price)

    @external
    def setPoolCeiling(self, col_idx: int, new_ceiling: int, *, sender: str) -> None:
        """Sets the most that minting and recollateralisation may fill a collateral to, in its own unit."""
        self.onlyByOwnGov(sender)
        self._set(self.pool_ceilings, col_idx, new_ceiling)

    @external
    def setFees(
        self, col_idx: int, new_mint_fee: int, new_redeem_fee: int, new_buyback_fee: int, new_recollat_fee: int, *, sender: str
    ) -> None:
        """Sets a collateral's fees, 1e6."""
        self.onlyByOwnGov(sender)
        self._set(self.minting_fee, col_idx, new_mint_fee)
        self._set(self.redemption_fee, col_idx, new_redeem_fee)
        self._set(self.buyback_fee, col_idx, new_buyback_fee)
        self._set(self.recollat_fee, col_idx, new_recollat_fee)

    @external
    def setPoolParameters(self, new_bonus_rate: int, new_redemption_delay: int, *, sender: str) -> None:
        """Sets the bonus of recollateralisation, 1e6, and the blocks between redeeming and collecting."""
        self.onlyByOwnGov(sender)
        self.bonus_rate, self.redemption_delay = new_bonus_rate, new_redemption_delay

    @external
    def setPriceThresholds(self, new_mint_price_threshold: int, new_redeem_price_threshold: int, *, sender: str) -> None:
        """Sets the prices from which minting and up to which redeeming is open, 1e6."""
        self.onlyByOwnGov(sender)
        self.mint_price_threshold, self.redeem_price_threshold = new_mint_price_threshold, new_redeem_price_threshold

    @external
    def setBbkRctPerHour(self, bbk_max: int, rct_max: int, *, sender: str) -> None:
        """Sets the limits an hour of buyback (collateral, 1e18) and recollateralisation (FXS)."""
        self.onlyByOwnGov(sender)
        self.bbkMaxColE18OutPerHour, self.rctMaxFxsOutPerHour = bbk_max, rct_max

    @external
    def setCustodian(self, new_custodian: str, *, sender: str) -> None:
        """Names who else may pause."""
        self.onlyByOwnGov(sender)
        self.custodian_address = new_custodian

    @external
    def setTimelock(self, new_timelock: str, *, sender: str) -> None:
        """Names the timelock."""
        self.onlyByOwnGov(sender)
        self.timelock_address = new_timelock

    @staticmethod
    def _set(values: list[int], index: int, value: int) -> None:
        item(values, index)
        values[index] = value


def _left_of_hour(current: int, limit: int, theoretical: int) -> int:
    return 0 if current >= limit else min(limit - current, theoretical)
