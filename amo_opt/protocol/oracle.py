"""The oracle: a lagged, depth-weighted mean of the venues' dollar prices. CR, the primary market and the AMOs' triggers see nothing else."""

from __future__ import annotations

import math

from amo_opt.protocol import lanes as at
from amo_opt.protocol.holders import DUST_USD
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.depth_10bp import curve_depth, quoting_depth
from amo_opt.stableswap.invariant import marginal_price
from amo_opt.stableswap.jit import Vector, stage


@stage
def observe(s: Vector, c: Vector) -> None:
    """The hour's price at the Curve pool, and the oracle a step nearer to the venues' mean, Curve's alone where Uniswap's range is left.

    Where the AMO has no liquidity in the range, its price is Curve's: others' arbitrage keeps it there. A failed pool keeps the price that trading gave it (the other door's, or 0) and is all the oracle sees.
    """
    weight = c[at.C_ORACLE_WEIGHT]
    low = c[at.C_UNISWAP_LOW]
    high = c[at.C_UNISWAP_HIGH]
    range_outside = c[at.C_UNISWAP_OUTSIDE]
    size = c[at.C_SIZE]
    dust = DUST_USD * size
    least = 1e-9 * size
    ann = s[at.S_ANN]  # the same in every lane
    for i in range(LANES):
        d = s[at.S_D + i]
        root = s[at.S_UNISWAP_ROOT + i]
        oracle = s[at.S_ORACLE + i]
        traded = s[at.S_PRICE + i]
        alive = d > dust
        spot = marginal_price(s[at.S_POOL_X + i], s[at.S_POOL_Y + i], d, ann) * s[at.S_BASE_VALUE + i]
        spot = spot if alive else traded
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        liquidity = s[at.S_UNISWAP_LIQUIDITY + i]
        held = liquidity > size
        follows = math.sqrt(spot / collateral_price)
        follows = follows if follows > low else low
        follows = follows if follows < high else high
        s[at.S_UNISWAP_ROOT + i] = root if held else follows
        there = root * root * collateral_price
        depth = quoting_depth(liquidity + range_outside, root, low, high)
        depth = depth if (held & alive) else 0.0
        curve = curve_depth(d, ann) + least
        mean = spot + (there - spot) * depth / (curve + depth)
        s[at.S_PRICE + i] = spot
        s[at.S_ORACLE + i] = oracle + weight * (mean - oracle)
