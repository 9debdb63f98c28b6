"""How a block begins: what follows from the snapshot, and the window's clean sheet."""

from __future__ import annotations

from amo_opt.amos.curve import outside_yield
from amo_opt.protocol import lanes as at
from amo_opt.protocol.collateral_ratio import collateral_ratios, scaled_at_cr
from amo_opt.protocol.holders import DUST_USD
from amo_opt.protocol.lanes import COMMON_LINES, HOURLY, LANES, TOTALS
from amo_opt.stableswap.depth_10bp import captured, curve_depth
from amo_opt.stableswap.invariant import marginal_price, refresh_D
from amo_opt.stableswap.jit import Vector, stage

_LINE_COUNT = len(COMMON_LINES)
_ADDED_UP_COUNT = len(TOTALS) + len(HOURLY)


@stage
def open_window(s: Vector) -> None:
    """Clears lines and path statistics, so that only the window is scored; the AMOs' own lines are cleared beside it."""
    for k in range(_LINE_COUNT):
        for i in range(LANES):
            s[at.S_INCOME_SWAP_FEES + k * LANES + i] = 0.0
    for i in range(LANES):
        s[at.S_INCOME_SEEN + i] = 0.0
        s[at.S_MIN_PRICE + i] = s[at.S_PRICE + i]
        s[at.S_MIN_ORACLE + i] = s[at.S_ORACLE + i]
        s[at.S_DEEPEST_COLLATERAL + i] = 0.0
        s[at.S_DEEPEST_DOLLAR + i] = 0.0
        s[at.S_EWM_COLLATERAL + i] = 0.0
        s[at.S_EWM_DOLLAR + i] = 0.0
        s[at.S_LOSS_COLLATERAL + i] = 0.0
        s[at.S_LOSS_DOLLAR + i] = 0.0
        s[at.S_SHORTFALL + i] = 0.0
        s[at.S_HOURS_BELOW_099 + i] = 0.0
        s[at.S_HOURS_BELOW_MIN_CR + i] = 0.0
        s[at.S_MIN_CR_EXTERNAL + i] = s[at.S_CR_EXTERNAL + i]
        s[at.S_MIN_CR_CONTRACT + i] = s[at.S_CR_CONTRACT + i]
        s[at.S_UNSERVED_HOURS + i] = 0.0
        s[at.S_UNSERVED_PEAK + i] = 0.0
        s[at.S_FIRST_BAD_HOUR + i] = -1.0
        s[at.S_LAST_BAD_HOUR + i] = -1.0
        s[at.S_HOURS_OVER_CAPS + i] = 0.0
        s[at.S_HOURS_UNWINDING + i] = 0.0


@stage
def begin(s: Vector, _m: Vector, _c: Vector) -> None:
    """What follows from the snapshot at the first hour's prices: D, LP in units of D, price, oracle; what AMOs add up, to which each adds its own."""
    for k in range(_ADDED_UP_COUNT):
        for i in range(LANES):
            s[at.S_AT_WORK + k * LANES + i] = 0.0
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        ann = s[at.S_ANN + i]
        own = s[at.S_LP_AMO + i]
        d = refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))
        spot = marginal_price(x, y, d, ann)
        price = spot * s[at.S_BASE_VALUE + i]
        scaled_cr, _ = scaled_at_cr(s[at.S_COLLATERAL_RATIO + i], ann)
        s[at.S_SCALED_CR + i] = scaled_cr
        s[at.S_D + i] = d
        s[at.S_LP_SUPPLY + i] = d
        lp_amo = own * d
        s[at.S_LP_AMO + i] = lp_amo
        s[at.S_OWN + i] = lp_amo / d
        # the share as the state file holds it, for `begin_books`: times D and over D again it may have lost a bit
        s[at.S_OUTSIDE_YIELD_START + i] = own
        s[at.S_POOL_PRICE + i] = spot
        s[at.S_POOL_LAST + i] = spot
        s[at.S_POOL_TILT + i] = (y - x) / d
        s[at.S_PRICE + i] = price
        s[at.S_ORACLE + i] = price
        s[at.S_BACKING_VALUE + i] = 1.0


@stage
def begin_books(s: Vector, m: Vector, c: Vector) -> None:
    """Once every AMO stands where it begins: what outside providers earn, both collateral ratios."""
    dust = DUST_USD * c[at.C_SIZE]
    for i in range(LANES):
        d = s[at.S_D + i]
        own = s[at.S_OUTSIDE_YIELD_START + i]
        won = captured(curve_depth(d, s[at.S_ANN + i]), c[at.C_VOLUME_DEPTH_USD] + s[at.S_DEPTH_ELSEWHERE + i])
        fees = (1.0 - c[at.C_ADMIN_FEE]) * c[at.C_FEE] * m[at.M_SWAP_VOLUME + i] * won
        boosted = c[at.C_REWARD_BOOST] * own
        others = c[at.C_REWARD_OUTSIDE_BOOST] * (1.0 - own)
        staked = boosted + others
        share = boosted / (staked if staked > 1e-9 else 1e-9)
        earns = outside_yield(d, own, fees, m[at.M_REWARD_TOKENS + i] * (1.0 - share) * m[at.M_REWARD_PRICE + i], dust)
        s[at.S_OUTSIDE_YIELD + i] = earns
        s[at.S_OUTSIDE_YIELD_START + i] = earns
    collateral_ratios(s, c)
    for i in range(LANES):
        s[at.S_CR_EXTERNAL_START + i] = s[at.S_CR_EXTERNAL + i]
        s[at.S_CR_PAR_START + i] = s[at.S_CR_PAR + i]
