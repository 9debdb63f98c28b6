"""crvUSD's pools as a PegKeeper meets them: the exact pool with its price averages, its clock and the holders of its LP.

Two kinds: ``old``, the two-coin pool of curvefi/curve-stablecoin @ db6fcac9: contracts/Stableswap.vy (v6.0.1; admin fee 50 %), and ``ng``,
curvefi/stableswap-ng @ 2abe778f: contracts/main/CurveStableSwapNG.vy with two coins at par. Swaps and liquidity are `PlainPool`'s; here
is what those contracts do beside them. Units: coins in base units, LP and prices in 1e18, seconds. Amplification stands still.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from amo_opt.contracts.exponential import exp, wad_exp
from amo_opt.contracts.integers import WAD, Revert, divided, reverts_alike, uint256, viewed
from amo_opt.stableswap.exact_plain import PlainPool

ADMIN_FEE = 5 * 10**9
"""Half of the fees, of 1e10."""
MA_EXP_TIME = 866
"""Seconds of the price average, 600 / ln 2."""
D_MA_TIME = 62_324
"""Seconds of the average of D (ng), 12 hours / ln 2."""
HIGHEST_PRICE = 2 * WAD
"""What a last price counts at most in its average."""
USERS = "users"
"""Holder of the LP that nobody in particular holds."""


@dataclass(frozen=True, kw_only=True)
class Averages:
    """What a pool stores for its oracles: last price and average (1e18), last D and its average (1e18, ng alone), and when each was updated."""

    last_price: int = WAD
    ema_price: int = WAD
    ma_last_time: int = 0
    D_last: int = 0
    D_ema: int = 0
    D_ma_last_time: int = 0


class OraclePool(PlainPool):
    """A pool of crvUSD and one other coin, ``kind`` old or ng, at ``timestamp``; move that to let time pass.

    ``balance_of`` is the LP by holder and adds up to ``total_supply``; what the arguments leave over is the `USERS`'. Every call reverts as
    the contract does, with `Revert`, and leaves the pool as it was.

    Example:
        >>> pool = OraclePool(kind="old", decimals=(6, 18), balances=(10**12, 10**24), amplification_raw=50_000, fee_raw=1_000_000,
        ...                   total_supply=2 * 10**24)
        >>> pool.exchange(0, 1, 10**11), pool.last_price(), pool.price_oracle()
        (99969845239750539037553, 1000407314174703636, 1000000000000000000)
        >>> pool.timestamp += 600
        >>> pool.price_oracle()
        1000203594649979710

    """

    def __init__(
        self,
        *,
        kind: str,
        decimals: Sequence[int],
        balances: Sequence[int],
        amplification_raw: int,
        fee_raw: int,
        total_supply: int,
        admin_balances: Sequence[int] | None = None,
        offpeg_fee_multiplier_raw: int = 0,
        timestamp: int = 0,
        averages: Averages | None = None,
        balance_of: Mapping[str, int] | None = None,
    ) -> None:
        if kind not in {"old", "ng"}:
            raise ValueError(f"kind is {kind!r}; choose old or ng")
        super().__init__(
            generation="factory_plain" if kind == "old" else "ng",
            decimals=decimals,
            balances=balances,
            amplification_raw=amplification_raw,
            fee_raw=fee_raw,
            admin_fee_raw=ADMIN_FEE,
            total_supply=total_supply,
            admin_balances=admin_balances,
            offpeg_fee_multiplier_raw=offpeg_fee_multiplier_raw,
        )
        if self.n != 2:
            raise ValueError(f"{self.n} coins; a keeper's pool has two")
        if kind == "old":
            self.rules = replace(self.rules, name="crvusd", contract="Stableswap", quotes_liquidity_fees=True)
            self.generation = self.rules.name
        self.kind = kind
        self.is_ng = kind == "ng"
        self.timestamp = timestamp
        if averages is None:
            d = self._D(self._xp(self.balances, self._rates()), self.amplification_raw)
            averages = Averages(ma_last_time=timestamp, D_last=d, D_ema=d, D_ma_last_time=timestamp)
        self.averages = averages
        held = dict(balance_of or {})
        self.balance_of = {**held, USERS: uint256(self.total_supply - sum(held.values()) + held.get(USERS, 0))}

    # -- prices ---------------------------------------------------------------------------------------------------------------

    def get_p(self) -> int:
        """Price of coin 1 in coin 0 at the margin, without fee, 1e18."""
        with reverts_alike():
            xp = self._xp(self.balances, self._rates())
            return self._price(xp, self._D(xp, self.amplification_raw))

    def price_oracle(self) -> int:
        """The average price now, 1e18."""
        kept = self.averages
        return self._average(min(kept.last_price, HIGHEST_PRICE), kept.ema_price, kept.ma_last_time, MA_EXP_TIME)

    def last_price(self) -> int:
        """The price after the last change of the balances, 1e18; ng stores no more than 2."""
        return self.averages.last_price

    def ema_price(self) -> int:
        """The average price when it was last stored, 1e18."""
        return self.averages.ema_price

    def ma_last_time(self) -> int:
        """When that was."""
        return self.averages.ma_last_time

    def D_oracle(self) -> int:
        """The average D now, 1e18; reverts in an old pool, which has none."""
        if not self.is_ng:
            raise Revert(because="an old pool keeps no average of D")
        kept = self.averages
        return self._average(kept.D_last, kept.D_ema, kept.D_ma_last_time, D_MA_TIME)

    def totalSupply(self) -> int:
        """LP, 1e18: ``total_supply`` as the aggregators ask for it."""
        return self.total_supply

    # -- quotes, in the contracts' reverts ------------------------------------------------------------------------------------

    def get_virtual_price(self) -> int:
        """D a LP token, 1e18."""
        with reverts_alike():
            return super().get_virtual_price()

    def calc_token_amount(self, amounts: Sequence[int], is_deposit: bool) -> int:  # noqa: FBT001
        """LP for a deposit or withdrawal of these amounts, fees included; D itself in an empty pool."""
        with reverts_alike():
            if self.total_supply == 0 and is_deposit:
                new = [uint256(old + more) for old, more in zip(self.balances, amounts, strict=True)]
                return self._D(self._xp(new, self._rates()), self.amplification_raw)
            return super().calc_token_amount(amounts, is_deposit)

    # -- changes of state -----------------------------------------------------------------------------------------------------

    def exchange(self, i: int, j: int, dx: int) -> int:
        """Swaps dx of coin i for coin j and returns what was paid."""
        with reverts_alike():
            return super().exchange(i, j, dx)

    def add_liquidity(self, amounts: Sequence[int], receiver: str = USERS) -> int:
        """Deposits for ``receiver`` and returns the LP minted."""
        with self._transaction(), reverts_alike():
            first = self.total_supply == 0
            minted = super().add_liquidity(amounts)
            if first and self.is_ng:
                since = max(self.averages.D_ma_last_time, self.timestamp)
                self.averages = replace(self.averages, D_last=_packed(minted), D_ema=minted, D_ma_last_time=since)
            self._move_lp(receiver, minted)
            return minted

    def remove_liquidity_imbalance(self, amounts: Sequence[int], holder: str = USERS) -> int:
        """Withdraws exactly these amounts against LP of ``holder`` and returns the LP burned."""
        with self._transaction(), reverts_alike():
            burned = super().remove_liquidity_imbalance(amounts)
            self._move_lp(holder, -burned)
            return burned

    def remove_liquidity_one_coin(self, lp: int, i: int, holder: str = USERS) -> int:
        """Burns LP of ``holder`` for coin i alone and returns what was paid."""
        with self._transaction(), reverts_alike():
            paid = super().remove_liquidity_one_coin(lp, i)
            self._move_lp(holder, -lp)
            return paid

    def remove_liquidity(self, lp: int, holder: str = USERS) -> list[int]:
        """Burns LP of ``holder`` for its share of both coins and returns the amounts; ng lowers D in its average and pays out admin fees."""
        with self._transaction(), reverts_alike():
            supply = self.total_supply
            paid = super().remove_liquidity(lp)
            self._move_lp(holder, -lp)
            if self.is_ng:
                kept = self.averages
                less = uint256(kept.D_last - divided(kept.D_last * lp, supply))
                since = max(kept.D_ma_last_time, self.timestamp)
                self.averages = replace(kept, D_last=less, D_ema=_packed(self.D_oracle()), D_ma_last_time=since)
            return paid

    def transfer(self, sender: str, receiver: str, value: int) -> None:
        """Moves LP between holders; reverts beyond what the sender has."""
        with self._transaction():
            self._move_lp(sender, -value)
            self._move_lp(receiver, value)

    # -- arithmetic -----------------------------------------------------------------------------------------------------------

    def _move_lp(self, holder: str, change: int) -> None:
        self.balance_of = {**self.balance_of, holder: uint256(self.balance_of.get(holder, 0) + change)}

    def _price(self, xp: Sequence[int], d: int) -> int:
        """Ratio of the invariant's slopes in the two coins."""
        weighted = uint256(self.amplification_raw * self.n * xp[0]) // self.rules.a_unit
        slope = d // self.n**self.n
        for x in xp:
            slope = divided(slope * d, x)
        return divided(WAD * uint256(weighted + divided(slope * xp[0], xp[1])), uint256(weighted + slope))

    def _average(self, last: int, ema: int, since: int, seconds: int) -> int:
        """The stored average, moved towards the last value by the time since it was stored."""
        if since >= self.timestamp:
            return ema
        alpha = (wad_exp if self.is_ng else exp)(-((self.timestamp - since) * WAD // seconds))
        return uint256(last * uint256(WAD - alpha) + ema * alpha) // WAD

    def _update_oracle(self, xp: Sequence[int], d: int) -> None:
        kept = self.averages
        price = self._price(xp, d)
        if self.is_ng:
            since = max(kept.D_ma_last_time, self.timestamp)
            averages = replace(kept, D_last=_packed(d), D_ema=_packed(self.D_oracle()), D_ma_last_time=since)
            averages = replace(averages, ma_last_time=max(kept.ma_last_time, self.timestamp))
        else:
            averages = kept
        if price:
            last = _packed(min(price, HIGHEST_PRICE) if self.is_ng else price)
            since = max(kept.ma_last_time, self.timestamp)
            averages = replace(averages, last_price=last, ema_price=_packed(self.price_oracle()), ma_last_time=since)
        self.averages = averages

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        before = self.averages, self.balance_of
        try:
            with super()._transaction():
                yield
        except BaseException:
            self.averages, self.balance_of = before
            raise


def _packed(value: int) -> int:
    """The value, if it fits the half word that it is stored in."""
    if not 0 <= value < 2**128:
        raise Revert(because="integer beyond 128 bits")
    return value


def from_state(
    case: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    *,
    timestamp: int | None = None,
    balance_of: Mapping[str, int] | None = None,
) -> OraclePool:
    """The pool of an entry of a case's ``pools`` at one of its states (tests/vectors/README.md).

    ``case`` has ``pool``, ``decimals``, ``pegged_index``, in an ng pool ``offpeg_fee_multiplier``; ``state`` the figures. A state tells an
    ng pool's average of D, not the D stored last: unless it gives ``last_D``, that is taken to be D of the balances, as it is after the
    first deposit, and stored with the average now.
    """
    state = case["state"] if state is None else state
    now = int(state["ma_last_time"] if timestamp is None else timestamp)
    decimals = [int(case["decimals"])] * 2
    decimals[int(case["pegged_index"])] = 18
    pool = OraclePool(
        kind=case["pool"],
        decimals=decimals,
        balances=[int(balance) for balance in state["balances"]],
        amplification_raw=int(state["A_precise"]),
        fee_raw=int(state["fee"]),
        total_supply=int(state["total_supply"]),
        admin_balances=[int(balance) for balance in state.get("admin_balances", (0, 0))],
        offpeg_fee_multiplier_raw=int(case.get("offpeg_fee_multiplier") or 0),
        timestamp=now,
        balance_of=balance_of,
    )
    pool.averages = replace(
        pool.averages,
        last_price=int(state["last_price"]),
        ema_price=int(state["ema_price"]),
        ma_last_time=int(state["ma_last_time"]),
        D_last=int(state.get("last_D", pool.averages.D_last)),
        D_ema=int(state.get("D_oracle") or pool.averages.D_ema),
    )
    return pool


def state_of(pool: OraclePool) -> dict[str, Any]:
    """The pool's figures in the vectors' schema."""
    return {
        "balances": [str(balance) for balance in pool.balances],
        "admin_balances": [str(balance) for balance in pool.admin_balances],
        "total_supply": str(pool.total_supply),
        "A_precise": str(pool.amplification_raw),
        "fee": str(pool.fee_raw),
        "virtual_price": viewed(pool.get_virtual_price),
        "get_p": viewed(pool.get_p),
        "price_oracle": viewed(pool.price_oracle),
        "last_price": str(pool.last_price()),
        "ema_price": str(pool.ema_price()),
        "ma_last_time": pool.ma_last_time(),
        **({"D_oracle": viewed(pool.D_oracle)} if pool.is_ng else {}),
    }
