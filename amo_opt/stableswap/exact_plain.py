"""Plain pools: coins that each count at one, scaled by their decimals."""

from __future__ import annotations

from collections.abc import Sequence

from amo_opt.stableswap.exact_input import PoolInputError
from amo_opt.stableswap.exact_pool import Pool


class PlainPool(Pool):
    """A pool of coins at par: generations base, three_pool, factory_plain and ng.

    ``decimals`` of n coins (0..18); ``amplification_raw`` is A_precise (A x 100), or A for three_pool; fees of 1e10.

    Example:
        >>> pool = PlainPool(generation="base", decimals=(18, 6), balances=(10**24, 10**12), amplification_raw=20_000,
        ...                  fee_raw=4_000_000, admin_fee_raw=5_000_000_000, total_supply=2 * 10**24)
        >>> pool.get_dy(0, 1, 10**21)
        999595026

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
        if self.rules.meta:
            raise PoolInputError(f"{self.generation} is a metapool; use MetaPool with its base_pool")
