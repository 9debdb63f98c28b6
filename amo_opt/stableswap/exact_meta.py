"""Metapools: one coin against the LP token of a base pool, which counts at the base pool's virtual price.

Coins of the pool are 0 (its own) and 1 (the base LP); `*_underlying` count 0 (its own) and 1.. (the base pool's coins).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from amo_opt.stableswap.exact_input import PoolInputError, Revert, coin, uint
from amo_opt.stableswap.exact_math import FEE_DENOMINATOR, PRECISION, checked, divided, get_D, get_y
from amo_opt.stableswap.exact_plain import PlainPool
from amo_opt.stableswap.exact_pool import Pool
from amo_opt.stableswap.exact_rules import generation_of


class MetaPool(Pool):
    """A coin against a base pool's LP: generations meta_factory_v1 (FRAX3CRV's), meta_template, meta_factory_v2 and ng_meta.

    ``decimals`` are the own coin's and the LP token's (18). ``base_pool`` is held, not copied: underlying swaps change it, and its own
    trades move this pool's price. ``base_virtual_price`` (1e18), ``base_cache_updated`` and ``timestamp`` (seconds) are for
    meta_template, which counts the LP at a stored price until it is over 600 s old: None stores the base pool's present price, as the
    constructor on chain does. Set ``timestamp`` to let time pass.
    """

    def __init__(
        self,
        *,
        generation: str,
        base_pool: PlainPool,
        decimals: Sequence[int],
        balances: Sequence[int],
        amplification_raw: int,
        fee_raw: int,
        admin_fee_raw: int,
        total_supply: int,
        admin_balances: Sequence[int] | None = None,
        offpeg_fee_multiplier_raw: int = 0,
        base_virtual_price: int | None = None,
        base_cache_updated: int | None = None,
        timestamp: int = 0,
    ) -> None:
        super().__init__(
            generation=generation,
            decimals=decimals,
            balances=balances,
            amplification_raw=amplification_raw,
            fee_raw=fee_raw,
            admin_fee_raw=admin_fee_raw,
            total_supply=total_supply,
            admin_balances=admin_balances,
            offpeg_fee_multiplier_raw=offpeg_fee_multiplier_raw,
        )
        if not self.rules.meta:
            raise PoolInputError(f"{self.generation} is a plain pool; use PlainPool")
        if self.decimals[1] != 18:
            raise PoolInputError(f"decimals[1] is {self.decimals[1]}; the base pool's LP token has 18")
        if not isinstance(base_pool, PlainPool):
            raise PoolInputError(f"base_pool is {base_pool!r}; give the PlainPool whose LP is coin 1")
        self.base_pool = base_pool
        self.timestamp = uint("timestamp", timestamp)
        if self.rules.cache_seconds is None:
            if base_virtual_price is not None or base_cache_updated is not None:
                raise PoolInputError(f"base_virtual_price is stored by meta_template alone; leave it out for {self.generation}")
        elif base_virtual_price is None:
            base_virtual_price, base_cache_updated = base_pool.get_virtual_price(), self.timestamp
        self.base_virtual_price = uint("base_virtual_price", base_virtual_price or 0)
        self.base_cache_updated = uint("base_cache_updated", base_cache_updated or 0)

    def get_dy_underlying(self, i: int, j: int, dx: int) -> int:
        """The contract's quote of `exchange_underlying`.

        Exact out of the own coin and, at ng_meta, nearly always into it; elsewhere a deposit into the base pool is quoted at half its fee
        on the whole amount, up to 2e-4 off what is paid. Base to base is the base pool's own quote.
        """
        i, j, dx = self._underlying("i", i), self._underlying("j", j), uint("dx", dx)
        if i and j:
            return self.base_pool.get_dy(i - 1, j - 1, dx)
        rates, a = self._rates(), self._quoted_amplification(self.rules)
        if i == 0:
            lp = self._trade(0, min(j, 1), checked(dx * rates[0]) // PRECISION, rates, amplification_raw=a).dy
            return self.base_pool.calc_withdraw_one_coin(lp, j - 1)
        return self._trade(1, 0, self._quoted_deposit(i - 1, dx, rates[1]), rates, amplification_raw=a).dy

    def exchange_underlying(self, i: int, j: int, dx: int) -> int:
        """Swaps dx of underlying coin i for underlying coin j through the base pool and returns what was paid.

        Base LP counts at the virtual price from before the base pool's deposit. Base to base is the base pool's own exchange.
        """
        with self._transaction():
            i, j, dx = self._underlying("i", i), self._underlying("j", j), uint("dx", dx)
            rates, base = self._refreshed_rates(), self.base_pool
            if i and j:
                return base.exchange(i - 1, j - 1, dx)
            if i == j:
                raise Revert("coin 0 swapped for itself")
            if i == 0:
                return base.remove_liquidity_one_coin(self._exchange(0, 1, dx, rates), j - 1)
            return self._exchange(1, 0, base.add_liquidity([dx if k == i - 1 else 0 for k in range(base.n)]), rates)

    def _underlying(self, name: str, value: int) -> int:
        return coin(name, value, self.base_pool.n + 1)

    def _quoted_deposit(self, k: int, dx: int, price: int) -> int:
        """Dollars (1e18) of base LP that a quote counts for dx of base coin k.

        ng_meta works the base pool's fees out; the others take half the base pool's fee off the whole. That ng_meta floors the base pool's D
        as it does its own is inferred: measured quotes equal what a three_pool then mints in 164 of 165 cases and differ by a unit in one.
        """
        base = self.base_pool
        amounts = [dx if at == k else 0 for at in range(base.n)]
        if self.rules.quotes_liquidity_fees:
            return checked(base._quoted_lp(amounts, True, self.rules) * price) // PRECISION  # noqa: SLF001
        worth = checked(base.calc_token_amount(amounts, is_deposit=True) * price) // PRECISION
        return worth - checked(worth * base.fee_raw) // (2 * FEE_DENOMINATOR)

    def _rates(self) -> list[int]:
        age_limit = self.rules.cache_seconds
        stored = age_limit is not None and self.timestamp <= self.base_cache_updated + age_limit
        return [10 ** (36 - self.decimals[0]), self.base_virtual_price if stored else self.base_pool.get_virtual_price()]

    def _refreshed_rates(self) -> list[int]:
        rates, age_limit = self._rates(), self.rules.cache_seconds
        if age_limit is not None and self.timestamp > self.base_cache_updated + age_limit:
            self.base_virtual_price, self.base_cache_updated = rates[1], self.timestamp
        return rates

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Puts this pool, its stored base price and its base pool back if the call fails."""
        before = self.base_virtual_price, self.base_cache_updated
        with self.base_pool._transaction(), super()._transaction():  # noqa: SLF001
            try:
                yield
            except BaseException:
                self.base_virtual_price, self.base_cache_updated = before
                raise


def get_dy(i: int, j: int, dx: int, *, balances: tuple[int, int], amplification_raw: int, fee_raw: int, virtual_price: int) -> int:
    """What meta_factory_v1 quotes of coin j for dx of coin i (both 18 decimals) at balances given with the call; raises Revert.

    The contract's ``get_dy(i, j, dx, _balances)``; ``virtual_price`` is the base pool's, 1e18.
    """
    rules = generation_of("meta_factory_v1")
    rates = (PRECISION, virtual_price)
    xp = [checked(balance * rate) // PRECISION for balance, rate in zip(balances, rates, strict=True)]
    x = checked(xp[i] + checked(dx * rates[i]) // PRECISION)
    d = get_D(xp, amplification_raw, rules)
    dy = checked(xp[j] - get_y(i, j, x, xp, d=d, amplification_raw=amplification_raw, generation=rules) - 1)
    return divided((dy - checked(fee_raw * dy) // FEE_DENOMINATOR) * PRECISION, rates[j])
