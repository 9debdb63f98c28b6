"""The state and the methods every generation of pool shares: one arithmetic, with the differences read from the generation's rules.

A generation without a fee multiplier is the NG arithmetic with the multiplier at 0, so fees need no second copy. A method that
changes state computes first and runs inside `_transaction`, which puts the pool back when it reverts. Units as on chain: coins
in their own base units, LP in 1e18, fees of 1e10, rates such that ``balance * rate // 1e18`` is in 1e18.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from amo_opt.stableswap.exact_input import PoolInputError, Revert, coin, uint, uints
from amo_opt.stableswap.exact_math import FEE_DENOMINATOR, PRECISION, checked, divided, dynamic_fee, get_D, get_y, get_y_D
from amo_opt.stableswap.exact_rules import Generation, generation_of

MAX_A = 10**6
"""A itself stays below."""
MAX_FEE = 5 * 10**9
MAX_ADMIN_FEE = 10**10


@dataclass(frozen=True)
class LiquidityEvent:
    """What the contract logs at a change of liquidity: fees a coin (its base units), the invariant (1e18), and the LP minted or burned."""

    fees: tuple[int, ...]
    invariant: int
    lp: int


@dataclass(frozen=True)
class _Trade:
    """A swap worked out: ``dy`` and ``admin`` in coin j's base units, ``gross`` in 1e18 before the fee, ``fee_rate`` of 1e10, xp after, D."""

    dy: int
    admin: int
    gross: int
    fee_rate: int
    xp: list[int]
    d: int


class Pool:
    """A pool's state and the contract's methods on it; use `PlainPool` or `MetaPool`.

    ``balances`` exclude the admin's. Every method takes and returns Python integers, raises `Revert` where the contract reverts
    (state unchanged) and `PoolInputError`, a ValueError, for arguments that no call could carry.
    """

    def __init__(
        self,
        *,
        generation: str,
        decimals: Sequence[int],
        balances: Sequence[int],
        amplification_raw: int,
        fee_raw: int,
        admin_fee_raw: int,
        total_supply: int,
        admin_balances: Sequence[int] | None = None,
        offpeg_fee_multiplier_raw: int = 0,
    ) -> None:
        rules = generation_of(generation)
        n = len(decimals)
        if not rules.coins[0] <= n <= rules.coins[1]:
            raise PoolInputError(f"{rules.name} with {n} coins; it holds {rules.coins[0]} to {rules.coins[1]}")
        self.rules = rules
        self.generation = rules.name
        self.n = n
        self.decimals = tuple(uint("decimals", value, limit=18) for value in decimals)
        self.balances = uints("balances", balances, n)
        self.admin_balances = uints("admin_balances", [0] * n if admin_balances is None else admin_balances, n)
        self.amplification_raw = uint("amplification_raw", amplification_raw, limit=MAX_A * rules.a_unit - 1)
        if self.amplification_raw < rules.a_unit:
            raise PoolInputError(f"amplification_raw is {amplification_raw}, below an A of 1 ({rules.a_unit} for {rules.name})")
        self.fee_raw = uint("fee_raw", fee_raw, limit=MAX_FEE)
        self.admin_fee_raw = uint("admin_fee_raw", admin_fee_raw, limit=MAX_ADMIN_FEE)
        self.offpeg_fee_multiplier_raw = uint("offpeg_fee_multiplier_raw", offpeg_fee_multiplier_raw)
        if self.offpeg_fee_multiplier_raw and not rules.quotes_liquidity_fees:
            raise PoolInputError(
                f"offpeg_fee_multiplier_raw is {offpeg_fee_multiplier_raw}; {rules.name} has no dynamic fee, leave it at 0"
            )
        self.total_supply = uint("total_supply", total_supply)
        self.last_event: LiquidityEvent | None = None
        """The event of the last change of liquidity that did not revert."""

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(generation={self.generation!r}, balances={self.balances}, amplification_raw={self.amplification_raw}, "
            f"fee_raw={self.fee_raw}, total_supply={self.total_supply})"
        )

    # -- quotes ---------------------------------------------------------------------------------------------------------------

    def get_virtual_price(self) -> int:
        """D a LP token, 1e18."""
        d = self._D(self._xp(self.balances, self._rates()), self.amplification_raw)
        return divided(d * PRECISION, self.total_supply)

    def get_dy(self, i: int, j: int, dx: int) -> int:
        """What exchange would pay of coin j for dx of coin i: the same to the unit, except for three_pool (up to 1 more)."""
        rates, i, j, dx = self._rates(), coin("i", i, self.n), coin("j", j, self.n), uint("dx", dx)
        trade = self._trade(i, j, _worth(dx, rates[i]), rates, amplification_raw=self._quoted_amplification(self.rules))
        if self.rules.quotes_fee_in_coin_units:
            dy = checked(trade.gross * PRECISION) // rates[j]
            return dy - checked(trade.fee_rate * dy) // FEE_DENOMINATOR
        return trade.dy

    def calc_token_amount(self, amounts: Sequence[int], is_deposit: bool) -> int:  # noqa: FBT001
        """LP for a deposit or withdrawal of these amounts; without the fees, except for ng and ng_meta, which include them."""
        return self._quoted_lp(uints("amounts", amounts, self.n), is_deposit, self.rules)

    def calc_withdraw_one_coin(self, lp: int, i: int) -> int:
        """What remove_liquidity_one_coin would pay, fees included."""
        return self._one_coin(uint("lp", lp), coin("i", i, self.n), self._rates())[0]

    # -- changes of state -----------------------------------------------------------------------------------------------------

    def exchange(self, i: int, j: int, dx: int) -> int:
        """Swaps dx of coin i for coin j and returns what was paid."""
        with self._transaction():
            i, j, dx = coin("i", i, self.n), coin("j", j, self.n), uint("dx", dx)
            return self._exchange(i, j, dx, self._refreshed_rates())

    def add_liquidity(self, amounts: Sequence[int]) -> int:
        """Deposits and returns the LP minted: D itself, without a fee, at the first deposit."""
        with self._transaction():
            rates, changes = self._refreshed_rates(), uints("amounts", amounts, self.n)
            d0 = self._D(self._xp(self.balances, rates), self.amplification_raw) if self.total_supply else 0
            if not self.total_supply and 0 in changes:
                raise Revert("the first deposit needs every coin")
            new = [checked(old + change) for old, change in zip(self.balances, changes, strict=True)]
            d1 = self._D(self._xp(new, rates), self.amplification_raw)
            if d1 <= d0:
                raise Revert("the deposit does not raise D")
            if not self.total_supply:
                self.balances, self.total_supply = new, d1
                self.last_event = LiquidityEvent((0,) * self.n, d1, d1)
                return d1
            fees, d2 = self._take_imbalance_fees(new, d0, d1, rates)
            minted = divided(self.total_supply * checked(d2 - d0), d0)
            self.total_supply = checked(self.total_supply + minted)
            self.last_event = LiquidityEvent(tuple(fees), d2 if self.rules.reports_invariant_after_fees else d1, minted)
            return minted

    def remove_liquidity_imbalance(self, amounts: Sequence[int]) -> int:
        """Withdraws exactly these amounts and returns the LP burned, rounded against the holder."""
        with self._transaction():
            rates, changes = self._refreshed_rates(), uints("amounts", amounts, self.n)
            d0 = self._D(self._xp(self.balances, rates), self.amplification_raw)
            new = [checked(old - change) for old, change in zip(self.balances, changes, strict=True)]
            d1 = self._D(self._xp(new, rates), self.amplification_raw)
            fees, d2 = self._take_imbalance_fees(new, d0, d1, rates)
            burned = divided(checked(d0 - d2) * self.total_supply, d0) + 1
            if burned == 1:
                raise Revert("the withdrawal burns nothing")
            self.total_supply = checked(self.total_supply - burned)
            self.last_event = LiquidityEvent(tuple(fees), d2 if self.rules.reports_invariant_after_fees else d1, burned)
            return burned

    def remove_liquidity_one_coin(self, lp: int, i: int) -> int:
        """Burns LP for coin i alone and returns what was paid."""
        with self._transaction():
            lp, i = uint("lp", lp), coin("i", i, self.n)
            if lp == 0 and self.rules.refuses_zero:
                raise Revert("burns nothing")
            dy, fee, xp, d1 = self._one_coin(lp, i, self._refreshed_rates())
            admin = checked(fee * self.admin_fee_raw) // FEE_DENOMINATOR
            self._pay(i, dy, admin)
            self.total_supply = checked(self.total_supply - lp)
            self._update_oracle(xp, d1)
            return dy

    def remove_liquidity(self, lp: int) -> list[int]:
        """Burns LP for its share of every coin, without fee and without D, and returns the amounts."""
        with self._transaction():
            lp = uint("lp", lp)
            if lp == 0 and self.rules.refuses_zero:
                raise Revert("burns nothing")
            paid = [divided(balance * lp, self.total_supply) for balance in self.balances]
            self.balances = _less(self.balances, paid)
            self.total_supply = checked(self.total_supply - lp)
            if self.rules.pays_admin_on_removal:
                self.admin_balances = [0] * self.n
            return paid

    # -- arithmetic -----------------------------------------------------------------------------------------------------------

    def _rates(self) -> list[int]:
        """What a view call counts each coin at."""
        return [10 ** (36 - decimals) for decimals in self.decimals]

    def _refreshed_rates(self) -> list[int]:
        """What a state-changing call counts each coin at, stored where the contract stores it."""
        return self._rates()

    def _quoted_amplification(self, rules: Generation) -> int:
        """A as quotes by these rules see it, in their unit."""
        return (
            self.amplification_raw // self.rules.a_unit * rules.a_unit if rules.quotes_truncated_amplification else self.amplification_raw
        )

    def _quoted_lp(self, changes: Sequence[int], is_deposit: bool, rules: Generation) -> int:  # noqa: FBT001
        """LP for a deposit or withdrawal as a contract of these rules works it out: an ng_meta quotes its base pool's deposits itself."""
        rates, amplification_raw = self._rates(), self._quoted_amplification(rules)
        new = [checked(old + change if is_deposit else old - change) for old, change in zip(self.balances, changes, strict=True)]
        d0 = get_D(self._xp(self.balances, rates), amplification_raw, rules)
        d1 = get_D(self._xp(new, rates), amplification_raw, rules)
        if rules.quotes_liquidity_fees:
            fees = self._imbalance_fees(new, d0, d1, rates)
            d1 = get_D(self._xp(_less(new, fees), rates), amplification_raw, rules)
        return divided(checked(d1 - d0 if is_deposit else d0 - d1) * self.total_supply, d0)

    def _xp(self, balances: Sequence[int], rates: Sequence[int]) -> list[int]:
        return [_worth(balance, rate) for balance, rate in zip(balances, rates, strict=True)]

    def _D(self, xp: Sequence[int], amplification_raw: int) -> int:
        return get_D(xp, amplification_raw, self.rules)

    def _trade(self, i: int, j: int, worth: int, rates: Sequence[int], *, amplification_raw: int) -> _Trade:
        """A swap of so much of coin i, in 1e18."""
        xp = self._xp(self.balances, rates)
        x = checked(xp[i] + worth)
        d = self._D(xp, amplification_raw)
        y = get_y(i, j, x, xp, d=d, amplification_raw=amplification_raw, generation=self.rules)
        gross = checked(xp[j] - y - 1)
        fee_rate = dynamic_fee((xp[i] + x) // 2, (xp[j] + y) // 2, self.fee_raw, self.offpeg_fee_multiplier_raw)
        fee = checked(gross * fee_rate) // FEE_DENOMINATOR
        dy = divided((gross - fee) * PRECISION, rates[j])
        admin = checked(fee * self.admin_fee_raw // FEE_DENOMINATOR * PRECISION) // rates[j]
        xp[i], xp[j] = x, y
        return _Trade(dy, admin, gross, fee_rate, xp, d)

    def _exchange(self, i: int, j: int, dx: int, rates: Sequence[int]) -> int:
        if dx == 0 and self.rules.refuses_zero:
            raise Revert("swaps nothing")
        trade = self._trade(i, j, _worth(dx, rates[i]), rates, amplification_raw=self.amplification_raw)
        self._pay(j, trade.dy, trade.admin)
        self.balances = _replaced(self.balances, i, checked(self.balances[i] + dx))
        self._update_oracle(trade.xp, trade.d)
        return trade.dy

    def _pay(self, k: int, amount: int, admin: int) -> None:
        self.balances = _replaced(self.balances, k, checked(self.balances[k] - amount - admin))
        self.admin_balances = _replaced(self.admin_balances, k, self.admin_balances[k] + admin)

    def _imbalance_fees(self, new: Sequence[int], d0: int, d1: int, rates: Sequence[int]) -> list[int]:
        """Fee a coin for moving the balances out of proportion: ``f n / (4 (n - 1))`` of its distance from the same mix at d1."""
        n, even = self.n, (d0 + d1) // self.n
        base_fee = self.fee_raw * n // (4 * (n - 1))
        fees = []
        for old, balance, rate in zip(self.balances, new, rates, strict=True):
            distance = abs(divided(d1 * old, d0) - balance)
            fees.append(
                checked(dynamic_fee(_worth(old + balance, rate), even, base_fee, self.offpeg_fee_multiplier_raw) * distance)
                // FEE_DENOMINATOR
            )
        return fees

    def _take_imbalance_fees(self, new: Sequence[int], d0: int, d1: int, rates: Sequence[int]) -> tuple[list[int], int]:
        """Moves to the new balances; the admin's part of each fee leaves them. Returns the fees and D without the whole fees."""
        fees = self._imbalance_fees(new, d0, d1, rates)
        admin = [checked(fee * self.admin_fee_raw) // FEE_DENOMINATOR for fee in fees]
        xp = self._xp(_less(new, fees), rates)
        d2 = self._D(xp, self.amplification_raw)
        self.balances = _less(new, admin)
        self.admin_balances = [held + more for held, more in zip(self.admin_balances, admin, strict=True)]
        self._update_oracle(xp, d2)
        return fees, d2

    def _one_coin(self, lp: int, i: int, rates: Sequence[int]) -> tuple[int, int, list[int], int]:
        """What LP pays in coin i, the fee in it (both the coin's base units, the fee with the unit lost to rounding), xp after, and its D."""
        n, a, m = self.n, self.amplification_raw, self.offpeg_fee_multiplier_raw
        xp = self._xp(self.balances, rates)
        d0 = self._D(xp, a)
        d1 = checked(d0 - divided(lp * d0, self.total_supply))
        y = get_y_D(i, xp, d=d1, amplification_raw=a, generation=self.rules)
        base_fee, even = self.fee_raw * n // (4 * (n - 1)), (d0 + d1) // (2 * n)
        reduced = []
        for k, x in enumerate(xp):
            share = divided(x * d1, d0)
            moved = checked(share - y if k == i else x - share)
            fee_rate = dynamic_fee((x + y) // 2 if k == i else x, even, base_fee, m)
            reduced.append(checked(x - checked(fee_rate * moved) // FEE_DENOMINATOR))
        dy = checked(reduced[i] - get_y_D(i, reduced, d=d1, amplification_raw=a, generation=self.rules) - 1)
        dy = divided(dy * PRECISION, rates[i])
        without_fee = divided(checked(xp[i] - y) * PRECISION, rates[i])
        xp[i] = y
        return dy, checked(without_fee - dy), xp, d1

    def _update_oracle(self, xp: Sequence[int], d: int) -> None:  # noqa: ARG002  # for pools that keep the prices
        """The price oracle divides by every balance; of its upkeep only that can stop a call, such as one that takes the last of a coin."""
        if self.rules.updates_oracle and 0 in xp:
            raise Revert("division by zero: the price oracle meets an empty side")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Puts the state back if the call fails; lists are replaced, never changed in place, so the old ones are kept by reference."""
        before = self.balances, self.admin_balances, self.total_supply, self.last_event
        try:
            yield
        except BaseException:
            self.balances, self.admin_balances, self.total_supply, self.last_event = before
            raise


def _worth(amount: int, rate: int) -> int:
    """A coin's base units in 1e18."""
    return checked(amount * rate) // PRECISION


def _less(balances: Sequence[int], taken: Sequence[int]) -> list[int]:
    return [checked(balance - less) for balance, less in zip(balances, taken, strict=True)]


def _replaced(values: Sequence[int], k: int, value: int) -> list[int]:
    return [value if at == k else kept for at, kept in enumerate(values)]
