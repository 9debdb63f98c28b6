"""The oracle: a lagged, depth-weighted mean of the venues' dollar prices. CR, the primary market and the AMOs' triggers see nothing else."""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.holders import DUST_USD
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.depth_10bp import curve_depth
from amo_opt.stableswap.invariant import marginal_price
from amo_opt.stableswap.jit import Vector, stage


@stage
def observe(s: Vector, c: Vector) -> None:
    """The spot price of the pool. A failed pool keeps the price that trading gave it (the other door's, or 0: nothing is paid this hour)."""
    dust = DUST_USD * c[at.C_SIZE]
    ann = s[at.S_ANN]  # the same in every lane
    for i in range(LANES):
        d = s[at.S_D + i]
        traded = s[at.S_PRICE + i]
        spot = marginal_price(s[at.S_POOL_X + i], s[at.S_POOL_Y + i], d, ann) * s[at.S_BASE_VALUE + i]
        s[at.S_PRICE + i] = spot if d > dust else traded


@stage
def move_oracle(s: Vector, c: Vector) -> None:
    """The oracle a step nearer to the mean of the venues' prices, weighted by depth: the pool's, and those that AMOs observed (`HOURLY`); a failed pool is all it sees.

    Where the pool has failed and no door pays another dollar this hour the price is the reservation price of those who wait (`primary_market`), as nobody sells below it.
    """
    weight = c[at.C_ORACLE_WEIGHT]
    keep = 1.0 - c[at.C_SELLER_HAIRCUT]
    dust = DUST_USD * c[at.C_SIZE]
    least = 1e-9 * c[at.C_SIZE]
    ann = s[at.S_ANN]  # the same in every lane
    for i in range(LANES):
        oracle = s[at.S_ORACLE + i]
        left = s[at.S_PRICE + i]
        kept = s[at.S_BACKING_VALUE + i] * keep
        spot = kept if ((s[at.S_D + i] <= dust) & (left <= 0.0)) else left
        curve = curve_depth(s[at.S_D + i], ann) + least
        mean = spot + s[at.S_QUOTED_GAP + i] / (curve + s[at.S_QUOTED_DEPTH + i])
        s[at.S_PRICE + i] = spot
        s[at.S_ORACLE + i] = oracle + weight * (mean - oracle)
