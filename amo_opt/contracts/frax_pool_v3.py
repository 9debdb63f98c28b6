"""FraxPoolV3, FRAX's primary market: minting, redeeming in two steps, buyback, recollateralisation, and the AMO minter's borrowing.

FRAX, FXS and dollar values in 1e18, collateral in the token's own unit, prices, fees and ratios in 1e6. FRAX counts as one dollar at
both doors, collateral at ``collateral_prices`` (set by governance; recollateralisation takes it at one dollar), FXS at its feed.

Source: FraxFinance/frax-solidity @ 30532c8: src/hardhat/contracts/Frax/Pools/FraxPoolV3.sol (solc 0.8.11), which the vectors were measured
on. The text was read in a stored copy whose commit is not named; the vectors tell no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from amo_opt.contracts.frax_cr import FRAXStablecoin, Pool
from amo_opt.contracts.frax_pool_storage import Collected, FraxPoolStorage, Minted, Redeemed, ReportedValue, add, div, item, mul, sub
from amo_opt.contracts.frax_world import (
    PANIC_OVERFLOW,
    PRICE_PRECISION,
    Chain,
    ERC20Mock,
    FRAXShares,
    State,
    World,
    elements,
    external,
    readable,
    replay_in,
    require,
    safe_transfer,
    safe_transfer_from,
)
from amo_opt.contracts.integers import uint256


class FraxPoolV3(FraxPoolStorage):
    """The pool, with the calls of its users; state, views and governance's calls are its base's."""

    def _collateralEnabled(self, col_idx: int) -> None:
        require(item(self.enabled_collaterals, col_idx), "Collateral disabled")

    @external
    def mintFrax(
        self,
        col_idx: int,
        frax_amt: int,
        frax_out_min: int,
        max_collat_in: int,
        max_fxs_in: int,
        one_to_one_override: bool,  # noqa: FBT001  # the contract's argument
        *,
        sender: str,
    ) -> Minted:
        """Makes FRAX of ``frax_amt`` dollars' worth of collateral and FXS, split by the ratio before the fee, which is taken from the FRAX.

        The override takes collateral alone. A leg that is not needed is not priced.
        """
        self._collateralEnabled(col_idx)
        require(not self.mintPaused[col_idx], "Minting is paused")
        require(self.getFRAXPrice() >= self.mint_price_threshold, "Frax price too low")
        ratio = self.FRAX.global_collateral_ratio
        collat_needed = fxs_needed = 0
        if one_to_one_override or ratio >= PRICE_PRECISION:
            collat_needed = self.getFRAXInCollateral(col_idx, frax_amt)
        elif ratio == 0:
            fxs_needed = div(mul(frax_amt, PRICE_PRECISION), self.getFXSPrice())
        else:
            frax_for_collat = mul(frax_amt, ratio) // PRICE_PRECISION
            collat_needed = self.getFRAXInCollateral(col_idx, frax_for_collat)
            fxs_needed = div(mul(frax_amt - frax_for_collat, PRICE_PRECISION), self.getFXSPrice())
        total_frax_mint = _less_fee(frax_amt, self.minting_fee[col_idx])
        require(total_frax_mint >= frax_out_min, "FRAX slippage")
        require(collat_needed <= max_collat_in, "Collat slippage")
        require(fxs_needed <= max_fxs_in, "FXS slippage")
        self._check_ceiling(col_idx, collat_needed)
        self.FXS.pool_burn_from(sender, fxs_needed, sender=self.address)
        safe_transfer_from(self.tokens[col_idx], sender, self.address, collat_needed)
        self.FRAX.pool_mint(sender, total_frax_mint, sender=self.address)
        return Minted(total_frax_mint, collat_needed, fxs_needed)

    @external
    def redeemFrax(self, col_idx: int, frax_amount: int, fxs_out_min: int, col_out_min: int, *, sender: str) -> Redeemed:
        """Burns FRAX (1e18) and sets apart what is left after the fee in collateral and FXS by the ratio, to be collected later."""
        self._collateralEnabled(col_idx)
        require(not self.redeemPaused[col_idx], "Redeeming is paused")
        require(self.getFRAXPrice() <= self.redeem_price_threshold, "Frax price too high")
        ratio = self.FRAX.global_collateral_ratio
        after_fee = _less_fee(frax_amount, self.redemption_fee[col_idx])
        collat_out = fxs_out = 0
        if ratio >= PRICE_PRECISION:
            collat_out = self.getFRAXInCollateral(col_idx, after_fee)
        elif ratio == 0:
            fxs_out = div(mul(after_fee, PRICE_PRECISION), self.getFXSPrice())
        else:
            collat_out = mul(self.getFRAXInCollateral(col_idx, after_fee), ratio) // PRICE_PRECISION
            fxs_out = div(mul(after_fee, PRICE_PRECISION - ratio), self.getFXSPrice())
        require(collat_out <= self.freeCollatBalance(col_idx), "Insufficient pool collateral")
        require(collat_out >= col_out_min, "Collateral slippage")
        require(fxs_out >= fxs_out_min, "FXS slippage")
        owed = self.redeemCollateralBalances
        owed[sender, col_idx] = add(owed.get((sender, col_idx), 0), collat_out)
        self.unclaimedPoolCollateral[col_idx] = add(self.unclaimedPoolCollateral[col_idx], collat_out)
        self.redeemFXSBalances[sender] = add(self.redeemFXSBalances.get(sender, 0), fxs_out)
        self.unclaimedPoolFXS = add(self.unclaimedPoolFXS, fxs_out)
        self.lastRedeemed[sender] = self.chain.number
        self.FRAX.pool_burn_from(sender, frax_amount, sender=self.address)
        self.FXS.pool_mint(self.address, fxs_out, sender=self.address)
        return Redeemed(collat_out, fxs_out)

    @external
    def collectRedemption(self, col_idx: int, *, sender: str) -> Collected:
        """Sends what is set apart for the caller: all FXS, and one collateral, once the delay since the last redemption is over."""
        require(not item(self.redeemPaused, col_idx), "Redeeming is paused")
        require(add(self.lastRedeemed.get(sender, 0), self.redemption_delay) <= self.chain.number, "Too soon")
        fxs_amount = self.redeemFXSBalances.get(sender, 0)
        collateral_amount = self.redeemCollateralBalances.get((sender, col_idx), 0)
        if fxs_amount:
            self.redeemFXSBalances[sender] = 0
            self.unclaimedPoolFXS = sub(self.unclaimedPoolFXS, fxs_amount)
        if collateral_amount:
            self.redeemCollateralBalances[sender, col_idx] = 0
            self.unclaimedPoolCollateral[col_idx] = sub(self.unclaimedPoolCollateral[col_idx], collateral_amount)
        if fxs_amount:
            safe_transfer(self.FXS, sender, fxs_amount, sender=self.address)
        if collateral_amount:
            safe_transfer(self.tokens[col_idx], sender, collateral_amount, sender=self.address)
        return Collected(fxs_amount, collateral_amount)

    @external
    def buyBackFxs(self, col_idx: int, fxs_amount: int, col_out_min: int, *, sender: str) -> int:
        """Burns FXS (1e18) for collateral above the target ratio and returns that, after the fee.

        The limit is checked in dollars, while the hour's sum grows by tokens (1e18, before the fee). Balances set apart are not spared.
        """
        self._collateralEnabled(col_idx)
        require(not self.buyBackPaused[col_idx], "Buyback is paused")
        price = self.getFXSPrice()
        available = self.buybackAvailableCollat()
        require(available > 0, "Insuf Collat Avail For BBK")
        dollars = mul(fxs_amount, price) // PRICE_PRECISION
        require(dollars <= available, "Insuf Collat Avail For BBK")
        tokens_e18 = div(mul(dollars, PRICE_PRECISION), self.collateral_prices[col_idx])
        col_out = _less_fee(tokens_e18 // 10 ** self.missing_decimals[col_idx], self.buyback_fee[col_idx])
        require(col_out >= col_out_min, "Collateral slippage")
        self.FXS.pool_burn_from(sender, fxs_amount, sender=self.address)
        safe_transfer(self.tokens[col_idx], sender, col_out, sender=self.address)
        hour = self.curEpochHr()
        self.bbkHourlyCum[hour] = uint256(self.bbkHourlyCum.get(hour, 0) + tokens_e18, PANIC_OVERFLOW)
        return col_out

    @external
    def recollateralize(self, col_idx: int, collateral_amount: int, fxs_out_min: int, *, sender: str) -> int:
        """Takes collateral at one dollar where it is missing and returns the FXS made for it, with the bonus and less the fee."""
        self._collateralEnabled(col_idx)
        require(not self.recollateralizePaused[col_idx], "Recollat is paused")
        dollars = uint256(collateral_amount * 10 ** self.missing_decimals[col_idx], PANIC_OVERFLOW)
        price = self.getFXSPrice()
        available = self.recollatAvailableFxs()
        factor = sub(add(PRICE_PRECISION, self.bonus_rate), self.recollat_fee[col_idx])
        fxs_out = div(mul(dollars, factor), price)
        require(fxs_out <= available, "Insuf FXS Avail For RCT")
        require(fxs_out >= fxs_out_min, "FXS slippage")
        self._check_ceiling(col_idx, collateral_amount)
        safe_transfer_from(self.tokens[col_idx], sender, self.address, collateral_amount)
        self.FXS.pool_mint(sender, fxs_out, sender=self.address)
        hour = self.curEpochHr()
        self.rctHourlyCum[hour] = uint256(self.rctHourlyCum.get(hour, 0) + fxs_out, PANIC_OVERFLOW)
        return fxs_out

    @external
    def amoMinterBorrow(self, collateral_amount: int, *, col_idx: int, sender: str) -> None:
        """Sends a minter collateral of the index it names (``col_idx``, which the contract asks it for), set apart or not."""
        require(self.amo_minter_addresses.get(sender, False), "Not an AMO Minter")
        require(not item(self.borrowingPaused, col_idx), "Borrowing is paused")
        self._collateralEnabled(col_idx)
        safe_transfer(self.tokens[col_idx], sender, collateral_amount, sender=self.address)

    def _check_ceiling(self, col_idx: int, amount: int) -> None:
        require(add(self.freeCollatBalance(col_idx), amount) <= self.pool_ceilings[col_idx], "Pool ceiling")


def _less_fee(amount: int, fee: int) -> int:
    """What a fee of 1e6 leaves, floored; reverts above 1e6."""
    return mul(amount, sub(PRICE_PRECISION, fee)) // PRICE_PRECISION


POOL_FIELDS = {
    "mint_price_threshold": "mint_price_threshold",
    "redeem_price_threshold": "redeem_price_threshold",
    "redemption_delay": "redemption_delay",
    "bonus_rate": "bonus_rate",
    "bbk_max_per_hour": "bbkMaxColE18OutPerHour",
    "rct_max_per_hour": "rctMaxFxsOutPerHour",
    "unclaimed_fxs": "unclaimedPoolFXS",
}
POOL_VIEWS = {
    "frax_price": "getFRAXPrice",
    "fxs_price": "getFXSPrice",
    "collat_dollar_balance": "collatDollarBalance",
    "buyback_available": "buybackAvailableCollat",
    "recollat_theoretical": "recollatTheoColAvailableE18",
    "recollat_available_fxs": "recollatAvailableFxs",
}
COLLATERAL_FIELDS = {"price": "collateral_prices", "ceiling": "pool_ceilings", "unclaimed": "unclaimedPoolCollateral"}
ENABLED_FIELDS = {
    "mint_paused": "mintPaused",
    "redeem_paused": "redeemPaused",
    "recollat_paused": "recollateralizePaused",
    "buyback_paused": "buyBackPaused",
    "borrowing_paused": "borrowingPaused",
    "minting_fee": "minting_fee",
    "redemption_fee": "redemption_fee",
    "buyback_fee": "buyback_fee",
    "recollat_fee": "recollat_fee",
}
"""Figures that a disabled collateral does not show. A case that begins with one disabled has those of its construction."""
INITIAL_FEES = (2_000, 2_000, 0, 0)
"""What the pools of the vectors were constructed with."""
OUTPUTS = {
    "mintFrax": Minted._fields,
    "redeemFrax": Redeemed._fields,
    "collectRedemption": Collected._fields,
    "buyBackFxs": ("col_out",),
    "recollateralize": ("fxs_out",),
    "getFRAXInCollateral": ("collat",),
}


class FraxPoolWorld(World):
    """The pool among FRAX, FXS, collateral tokens, price feeds and the value that the minter reports."""

    OUTPUTS: ClassVar[Mapping[str, tuple[str, ...]]] = OUTPUTS

    def __init__(self, case: Mapping[str, Any]) -> None:
        before = case["before"]
        super().__init__(Chain(number=before["block"]["number"], timestamp=before["block"]["timestamp"]))
        self.kinds = [part["address_kind"] for part in before["collateral"]]
        self.tokens = [
            ERC20Mock(self.chain, part["address_kind"], missing_decimals=part["missing_decimals"]) for part in before["collateral"]
        ]
        self.FRAX = FRAXStablecoin(self.chain)
        self.FXS = FRAXShares(self.chain, self.FRAX.is_pool)
        self.pool = FraxPoolV3(self.FRAX, self.FXS, self.tokens, initial_fees=INITIAL_FEES)
        self.feeds = {"frax_usd": self.pool.priceFeedFRAXUSD, "fxs_usd": self.pool.priceFeedFXSUSD}
        self.start(case)

    def start(self, case: Mapping[str, Any]) -> None:
        """Sets the state a case begins with, and of the rest what follows from it."""
        before = case["before"]
        self.reported = ReportedValue(self.chain, "minter")
        self.load(before)
        hour = before["pool"]["epoch_hour"]
        self.pool.bbkHourlyCum = {hour: int(before["pool"]["bbk_hour_cum"])}
        self.pool.rctHourlyCum = {hour: int(before["pool"]["rct_hour_cum"])}
        self.leave_rest_to_owner()
        self.list_pools(before["frax"]["global_collateral_value"], [self.pool, self.reported])

    def leave_rest_to_owner(self) -> None:
        """The owner holds what the state gives to nobody."""
        for token in (self.FRAX, self.FXS):
            token.hold("owner", max(token.totalSupply - sum(token.balanceOf.values()), 0))

    def list_pools(self, value: str | State, pools: Sequence[Pool]) -> None:
        """Puts on FRAX's list all of these contracts, or, where their values do not sum to the state's, those alone that do."""
        for listed in (pools, pools[:1], pools[1:], []):
            self.FRAX.frax_pools = {pool.address: True for pool in listed}
            self.FRAX.frax_pools_array = [*listed]
            if readable(self.FRAX.globalCollateralValue) == value:
                return

    def method(self, function: str) -> Callable[..., Any]:
        """The pool's."""
        return getattr(self.pool, function)  # type: ignore[no-any-return]

    def load(self, changes: Mapping[str, Any]) -> None:
        """Clock, feeds, and what the pool, FRAX and the tokens store."""
        self.load_shared(changes)
        for name, feed in self.feeds.items():
            for key, value in changes.get("feeds", {}).get(name, {}).items():
                setattr(feed, key, int(value))
        pool = changes.get("pool", {})
        for name, attribute in POOL_FIELDS.items():
            if name in pool:
                setattr(self.pool, attribute, int(pool[name]))
        if "fxs_balance" in pool:
            self.FXS.hold("pool", int(pool["fxs_balance"]))
        if "collat_dollar_balance" in changes.get("minter", {}):
            self.reported.value = int(changes["minter"]["collat_dollar_balance"])
        user = changes.get("user", {})
        self.load_holder("user", user)
        if "redeem_fxs" in user:
            self.pool.redeemFXSBalances["user"] = int(user["redeem_fxs"])
        for k, owed in elements(user.get("redeem_collateral", {})):
            self.pool.redeemCollateralBalances["user", k] = int(owed)
        if "last_redeemed" in user:
            self.pool.lastRedeemed["user"] = user["last_redeemed"]

    def load_shared(self, changes: Mapping[str, Any]) -> None:
        """The sections ``block``, ``frax``, ``fxs`` and ``collateral``."""
        vars(self.chain).update(changes.get("block", {}))
        frax = changes.get("frax", {})
        if "total_supply" in frax:
            self.FRAX.totalSupply = int(frax["total_supply"])
        if "global_collateral_ratio" in frax:
            self.FRAX.global_collateral_ratio = int(frax["global_collateral_ratio"])
        if "total_supply" in changes.get("fxs", {}):
            self.FXS.totalSupply = int(changes["fxs"]["total_supply"])
        for k, part in elements(changes.get("collateral", {})):
            if "balance" in part:
                self.tokens[k].balanceOf["pool"] = int(part["balance"])
            for name, attribute in {"enabled": "enabled_collaterals", **COLLATERAL_FIELDS, **ENABLED_FIELDS}.items():
                if (value := part.get(name)) is not None:
                    getattr(self.pool, attribute)[k] = value if isinstance(value, bool) else int(value)

    def load_holder(self, account: str, part: Mapping[str, Any]) -> None:
        """An account's tokens."""
        if "frax" in part:
            self.FRAX.hold(account, int(part["frax"]))
        if "fxs" in part:
            self.FXS.hold(account, int(part["fxs"]))
        for k, balance in elements(part.get("collateral", {})):
            self.tokens[k].balanceOf[account] = int(balance)

    def state(self) -> State:
        """As the vectors give it."""
        pool, hour = self.pool, self.pool.curEpochHr()
        fields = {name: str(getattr(pool, attribute)) for name, attribute in POOL_FIELDS.items()}
        return {
            **self.shared_state(),
            "feeds": {name: {**vars(feed), "answer": str(feed.answer)} for name, feed in self.feeds.items()},
            "pool": {
                **fields,
                "redemption_delay": pool.redemption_delay,
                **{name: readable(getattr(pool, view)) for name, view in POOL_VIEWS.items()},
                "epoch_hour": hour,
                "bbk_hour_cum": str(pool.bbkHourlyCum.get(hour, 0)),
                "rct_hour_cum": str(pool.rctHourlyCum.get(hour, 0)),
                "fxs_balance": str(self.FXS.balanceOf.get("pool", 0)),
            },
            "minter": {"collat_dollar_balance": str(self.reported.value)},
            "user": {
                **self.holder_state("user"),
                "redeem_fxs": str(pool.redeemFXSBalances.get("user", 0)),
                "redeem_collateral": [str(pool.redeemCollateralBalances.get(("user", k), 0)) for k in range(len(self.tokens))],
                "last_redeemed": pool.lastRedeemed.get("user", 0),
            },
        }

    def shared_state(self) -> State:
        """The sections ``block``, ``frax``, ``fxs`` and ``collateral``."""
        return {
            "block": {"number": self.chain.number, "timestamp": self.chain.timestamp},
            "frax": {
                "total_supply": str(self.FRAX.totalSupply),
                "global_collateral_ratio": str(self.FRAX.global_collateral_ratio),
                "global_collateral_value": readable(self.FRAX.globalCollateralValue),
            },
            "fxs": {"total_supply": str(self.FXS.totalSupply)},
            "collateral": [self.collateral_state(k) for k in range(len(self.tokens))],
        }

    def collateral_state(self, k: int) -> State:
        """One collateral."""
        pool, enabled = self.pool, self.pool.enabled_collaterals[k]
        shown = {**COLLATERAL_FIELDS, **(ENABLED_FIELDS if enabled else {})}
        values = {name: getattr(pool, attribute)[k] for name, attribute in shown.items()}
        return {
            "address_kind": self.kinds[k],
            "enabled": enabled,
            "missing_decimals": pool.missing_decimals[k],
            "balance": str(self.tokens[k].balanceOf.get("pool", 0)),
            "free": readable(lambda: pool.freeCollatBalance(k)),
            **{name: value if isinstance(value, bool) else str(value) for name, value in values.items()},
        }

    def holder_state(self, account: str) -> State:
        """An account's tokens."""
        return {
            "frax": str(self.FRAX.balanceOf.get(account, 0)),
            "fxs": str(self.FXS.balanceOf.get(account, 0)),
            "collateral": [str(token.balanceOf.get(account, 0)) for token in self.tokens],
        }


def from_state(case: Mapping[str, Any]) -> FraxPoolWorld:
    """The contracts of a case of ``frax_pool_v3``, at its state ``before``."""
    return FraxPoolWorld(case)


def replay(case: Mapping[str, Any]) -> Iterator[tuple[State, State]]:
    """Runs the calls of a case of ``frax_pool_v3``: what was measured and what comes out here, as `frax_world.replay_in` tells."""
    return replay_in(from_state(case), case)
