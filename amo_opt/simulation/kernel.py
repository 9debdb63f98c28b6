"""The step: the list of stages in the order of the model, over one block of lanes.

`run_block` advances a block through the transition and the scored window. The order of an hour: new prices and A; losses of venues; interest,
fees and rewards; outside providers; holders; trades at the pool and the issuer's doors; arbitrage between the venues; oracle and CR; the share
token's operations; triggers; the AMOs' operations; both collateral ratios; records. An AMO that the parameter set does not use and the snapshot does not
hold is left out of the loop: its stages would change nothing.
"""

from __future__ import annotations

import math
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import types

from amo_opt.amos import aave, collateral_investor, curve, fraxlend, uniswap_v3
from amo_opt.amos.lending import resting_rate, unborrowed
from amo_opt.amos.triggers import triggers
from amo_opt.protocol.accounts import net_asset_value, open_hour, settle, venue_losses
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.collateral_ratio import collateral_ratios, cr_controller, mark_scales, scale_marked, scaled_at_cr
from amo_opt.protocol.holders import DUST_USD, demand, lp_flight
from amo_opt.protocol.lanes import (
    C_ADMIN_FEE,
    C_ELASTICITY,
    C_EXTERNAL_FLOOR,
    C_FEE,
    C_FRAXLEND_KINK,
    C_FRAXLEND_SLOPE_1,
    C_FRAXLEND_SLOPE_2,
    C_INVESTOR_KINK,
    C_INVESTOR_SLOPE_1,
    C_INVESTOR_SLOPE_2,
    C_KINK,
    C_REWARD_BOOST,
    C_REWARD_OUTSIDE_BOOST,
    C_SIZE,
    C_SLOPE_1,
    C_SLOPE_2,
    C_UNISWAP_HIGH,
    C_UNISWAP_LOW,
    C_UNISWAP_OUTSIDE,
    C_VOLUME_DEPTH,
    LANES,
    LINES,
    M_FRAXLEND_DEMAND,
    M_FRAXLEND_DEPOSITS,
    M_INVESTOR_DEMAND,
    M_INVESTOR_DEPOSITS,
    M_LENDING_DEMAND,
    M_LENDING_DEPOSITS,
    M_LENDING_FREE_CAP,
    M_REWARD_PRICE,
    M_REWARD_TOKENS,
    M_SWAP_VOLUME,
    P_FRAXLEND_CAP,
    P_INVESTOR_CAP,
    P_UNISWAP_CAP,
    S_ANN,
    S_BASE_VALUE,
    S_COLLATERAL_PRICE,
    S_COLLATERAL_RATIO,
    S_CR_CONTRACT,
    S_CR_EXTERNAL,
    S_CR_EXTERNAL_START,
    S_D,
    S_DEEPEST_COLLATERAL,
    S_DEEPEST_DOLLAR,
    S_EWM_COLLATERAL,
    S_EWM_DOLLAR,
    S_FIRST_BAD_HOUR,
    S_FRAXLEND_DRAWN,
    S_FRAXLEND_FREE,
    S_FRAXLEND_LENT,
    S_FRAXLEND_RATE,
    S_FRAXLEND_RATE_WITHOUT,
    S_HOURS_BELOW_099,
    S_HOURS_BELOW_MIN_CR,
    S_HOURS_OVER_CAPS,
    S_HOURS_UNWINDING,
    S_INCOME_LENDING,
    S_INCOME_SEEN,
    S_INVESTED,
    S_INVESTOR_FREE,
    S_INVESTOR_RATE,
    S_LAST_BAD_HOUR,
    S_LENDING_FREE,
    S_LENDING_RATE,
    S_LENT,
    S_LOSS_COLLATERAL,
    S_LOSS_DOLLAR,
    S_LP_AMO,
    S_LP_SUPPLY,
    S_MIN_CR_CONTRACT,
    S_MIN_CR_EXTERNAL,
    S_MIN_ORACLE,
    S_MIN_PRICE,
    S_ORACLE,
    S_OUTSIDE_YIELD,
    S_OUTSIDE_YIELD_START,
    S_OWN,
    S_POOL_X,
    S_POOL_Y,
    S_PRICE,
    S_SCALED_CR,
    S_SHORTFALL,
    S_UNISWAP_LIQUIDITY,
    S_UNISWAP_ROOT,
    S_UNISWAP_X,
    S_UNISWAP_Y,
    S_UNSERVED_HOURS,
    S_UNSERVED_PEAK,
    S_WORTH,
)
from amo_opt.protocol.marked import FULL_STAGE, LINES_TYPE, SCRATCH, count_marked, run_marked
from amo_opt.protocol.oracle import observe
from amo_opt.protocol.primary_market import trade_marked, trade_quietly
from amo_opt.protocol.share_token import share_operations
from amo_opt.simulation.compiled import Stages, addresses
from amo_opt.simulation.record import record
from amo_opt.stableswap.depth_10bp import captured, curve_depth, quoting_depth
from amo_opt.stableswap.invariant import marginal_price, refresh_D, scaled_x_at_price
from amo_opt.stableswap.jit import VECTOR, Vector, call_at, stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_outside_yield, _loans = curve.outside_yield, fraxlend.loans
_LINE_COUNT = len(LINES)


@stage
def open_window(s: Vector) -> None:
    """Clears lines and records, so that only the window is scored."""
    for k in range(_LINE_COUNT):
        for i in range(LANES):
            s[S_INCOME_LENDING + k * LANES + i] = 0.0
    for i in range(LANES):
        s[S_INCOME_SEEN + i] = 0.0
        s[S_MIN_PRICE + i] = s[S_PRICE + i]
        s[S_MIN_ORACLE + i] = s[S_ORACLE + i]
        s[S_DEEPEST_COLLATERAL + i] = 0.0
        s[S_DEEPEST_DOLLAR + i] = 0.0
        s[S_EWM_COLLATERAL + i] = 0.0
        s[S_EWM_DOLLAR + i] = 0.0
        s[S_LOSS_COLLATERAL + i] = 0.0
        s[S_LOSS_DOLLAR + i] = 0.0
        s[S_SHORTFALL + i] = 0.0
        s[S_HOURS_BELOW_099 + i] = 0.0
        s[S_HOURS_BELOW_MIN_CR + i] = 0.0
        s[S_MIN_CR_EXTERNAL + i] = s[S_CR_EXTERNAL + i]
        s[S_MIN_CR_CONTRACT + i] = s[S_CR_CONTRACT + i]
        s[S_UNSERVED_HOURS + i] = 0.0
        s[S_UNSERVED_PEAK + i] = 0.0
        s[S_FIRST_BAD_HOUR + i] = -1.0
        s[S_LAST_BAD_HOUR + i] = -1.0
        s[S_HOURS_OVER_CAPS + i] = 0.0
        s[S_HOURS_UNWINDING + i] = 0.0


@stage
def begin(s: Vector, m: Vector, c: Vector) -> None:
    """What follows from the snapshot and the first hour's market: D, LP in units of D, price, oracle, both collateral ratios, where lending markets rest,
    Uniswap's balances, what outside providers earn.
    """
    low = c[C_UNISWAP_LOW]
    high = c[C_UNISWAP_HIGH]
    elasticity = c[C_ELASTICITY]
    dust = DUST_USD * c[C_SIZE]
    for i in range(LANES):
        x = s[S_POOL_X + i]
        y = s[S_POOL_Y + i]
        ann = s[S_ANN + i]
        own = s[S_LP_AMO + i]
        base_value = s[S_BASE_VALUE + i]
        collateral_price = s[S_COLLATERAL_PRICE + i]
        d = refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))
        spot = marginal_price(x, y, d, ann)
        price = spot * base_value
        scaled_cr, _ = scaled_at_cr(s[S_COLLATERAL_RATIO + i], ann)
        s[S_SCALED_CR + i] = scaled_cr
        s[S_D + i] = d
        s[S_LP_SUPPLY + i] = d
        lp_amo = own * d
        s[S_LP_AMO + i] = lp_amo
        s[S_OWN + i] = lp_amo / d
        s[S_PRICE + i] = price
        s[S_ORACLE + i] = price
        s[S_WORTH + i] = 1.0

        root = math.sqrt(price / collateral_price)
        root = root if root > low else low
        root = root if root < high else high
        liquidity = s[S_UNISWAP_LIQUIDITY + i]
        s[S_UNISWAP_ROOT + i] = root
        s[S_UNISWAP_X + i] = liquidity * (1.0 / root - 1.0 / high)
        s[S_UNISWAP_Y + i] = liquidity * (root - low)

        deposits = m[M_LENDING_DEPOSITS + i] + s[S_LENT + i]
        demanded = m[M_LENDING_DEMAND + i]
        rate = resting_rate(deposits, demanded, elasticity, c[C_KINK], c[C_SLOPE_1], c[C_SLOPE_2])
        free = unborrowed(deposits, demanded, rate, elasticity)
        most = m[M_LENDING_FREE_CAP + i]
        s[S_LENDING_RATE + i] = rate
        s[S_LENDING_FREE + i] = free if free < most else most
        deposits = m[M_INVESTOR_DEPOSITS + i] + s[S_INVESTED + i]
        demanded = m[M_INVESTOR_DEMAND + i]
        rate = resting_rate(deposits, demanded, elasticity, c[C_INVESTOR_KINK], c[C_INVESTOR_SLOPE_1], c[C_INVESTOR_SLOPE_2])
        s[S_INVESTOR_RATE + i] = rate
        s[S_INVESTOR_FREE + i] = unborrowed(deposits, demanded, rate, elasticity)
        lent = s[S_FRAXLEND_LENT + i]
        others = m[M_FRAXLEND_DEPOSITS + i]
        deposits = others + lent
        demanded = m[M_FRAXLEND_DEMAND + i]
        without = resting_rate(others, demanded, elasticity, c[C_FRAXLEND_KINK], c[C_FRAXLEND_SLOPE_1], c[C_FRAXLEND_SLOPE_2])
        rate = resting_rate(deposits, demanded, elasticity, c[C_FRAXLEND_KINK], c[C_FRAXLEND_SLOPE_1], c[C_FRAXLEND_SLOPE_2])
        borrowed, borrowed_without = _loans(lent, others, demanded, rate, without, elasticity)
        free = deposits - borrowed
        s[S_FRAXLEND_RATE + i] = rate
        s[S_FRAXLEND_FREE + i] = free if free < lent else lent
        s[S_FRAXLEND_RATE_WITHOUT + i] = without
        s[S_FRAXLEND_DRAWN + i] = borrowed - borrowed_without

        elsewhere = quoting_depth(liquidity + c[C_UNISWAP_OUTSIDE], root, low, high)
        won = captured(curve_depth(d, ann), c[C_VOLUME_DEPTH] + elsewhere)
        fees = (1.0 - c[C_ADMIN_FEE]) * c[C_FEE] * m[M_SWAP_VOLUME + i] * won
        boosted = c[C_REWARD_BOOST] * own
        others = c[C_REWARD_OUTSIDE_BOOST] * (1.0 - own)
        staked = boosted + others
        share = boosted / (staked if staked > 1e-9 else 1e-9)
        earns = _outside_yield(d, own, fees, m[M_REWARD_TOKENS + i] * (1.0 - share) * m[M_REWARD_PRICE + i], dust)
        s[S_OUTSIDE_YIELD + i] = earns
        s[S_OUTSIDE_YIELD_START + i] = earns
    scaled_floor, _ = scaled_x_at_price(c[C_EXTERNAL_FLOOR], s[S_ANN])
    collateral_ratios(s, c, scaled_floor)
    for i in range(LANES):
        s[S_CR_EXTERNAL_START + i] = s[S_CR_EXTERNAL + i]
    settle(s, c)
    open_window(s)


_V, _NUMBER = VECTOR, types.int64
STAGES: Stages = {
    # whoever compiles comes from either end: the longest stand there, the short ones in the middle, where they meet
    "trade": (trade_marked.full, FULL_STAGE),
    "uniswap_arbitrage": (uniswap_v3.arbitrage_marked.full, FULL_STAGE),
    "begin": (begin, (_V, _V, _V)),
    "record": (record, (_V, _V, _V, _NUMBER)),
    "trade_quietly": (trade_quietly, (_V, _V, _V, _V, _V)),
    "share_operations": (share_operations, (_V, _V)),
    "open_hour": (open_hour, (_V, _V, _V, _V, _NUMBER)),
    "venue_losses": (venue_losses, (_V, _V)),
    "aave_market_operations": (aave.market_operations, (_V, _V, _V)),
    "investor_market_operations": (collateral_investor.market_operations, (_V, _V, _V)),
    "fraxlend_market_operations": (fraxlend.market_operations, (_V, _V, _V)),
    "curve_market_operations": (curve.market_operations, (_V, _V, _V)),
    "uniswap_market_operations": (uniswap_v3.market_operations, (_V, _V, _V)),
    "uniswap_mark_arbitrage": (uniswap_v3.mark_arbitrage, (_V, _V, _V)),
    "observe": (observe, (_V, _V)),
    "cr_controller": (cr_controller, (_V, _V, _V)),
    "triggers": (triggers, (_V, _V)),
    "mark_scales": (mark_scales, (_V, _V)),
    "run_marked": (run_marked, (_NUMBER, LINES_TYPE, _V, _V, _V, _V, _V)),
    "scale": (scale_marked.full, FULL_STAGE),
    "open_window": (open_window, (_V,)),
    "settle": (settle, (_V, _V)),
    "net_asset_value": (net_asset_value, (_V, _V, _V)),
    "curve_mark_operations": (curve.mark_operations, (_V, _V, _V, _V)),
    "uniswap_mark_operations": (uniswap_v3.mark_operations, (_V, _V, _V, _V)),
    "fraxlend_mark_operations": (fraxlend.mark_operations, (_V, _V, _V, _V)),
    "lp_flight": (lp_flight, (_V, _V, _V)),
    "demand": (demand, (_V, _V, _V)),
    "collateral_ratios": (collateral_ratios, (_V, _V, types.float64)),
    "investor_operate": (collateral_investor.operate, (_V, _V, _V, _V)),
    "aave_operate": (aave.operate, (_V, _V, _V, _V)),
    "fraxlend_operate": (fraxlend.operate_marked.full, FULL_STAGE),
    "uniswap_operate": (uniswap_v3.operate_marked.full, FULL_STAGE),
    "curve_operate": (curve.operate_marked.full, FULL_STAGE),
}
"""Every stage with the types it is compiled for; its name is what `advance` calls it by."""
Places = NamedTuple("Places", [(name, int) for name in STAGES])  # type: ignore[misc]
"""Where every stage begins."""
_TRADE, _UNISWAP_ARBITRAGE, _SCALE = trade_marked.lines, uniswap_v3.arbitrage_marked.lines, scale_marked.lines
_FRAXLEND_OPERATE, _UNISWAP_OPERATE, _CURVE_OPERATE = (
    fraxlend.operate_marked.lines,
    uniswap_v3.operate_marked.lines,
    curve.operate_marked.lines,
)


@stage
def advance(  # noqa: C901, PLR0912 - the list of stages, two switches and a trace
    at: Any,
    s: Vector,
    market: Vector,
    p: Vector,
    c: Vector,
    transition: int,
    navs: Vector,
    opening: Vector,
    trace_columns: NDArray[np.int64],
    trace: Vector,
    w: Vector,
) -> None:
    """`run_block` with the stages' places and a scratch block: ``s`` the state, ``m`` the hour's market row, ``p`` the parameters, ``c`` the constants."""
    call_at(at.begin, s, market[0], c)
    call_at(at.net_asset_value, s, c, navs[0])
    traced = trace.shape[0] > 0
    investor = p[P_INVESTOR_CAP] > 0.0 or s[S_INVESTED] > 0.0
    lends = p[P_FRAXLEND_CAP] > 0.0 or s[S_FRAXLEND_LENT] > 0.0
    uniswap = p[P_UNISWAP_CAP] > 0.0 or s[S_UNISWAP_LIQUIDITY] > 0.0
    for hour in range(market.shape[0]):
        if hour == transition:
            call_at(at.settle, s, c)
            call_at(at.net_asset_value, s, c, navs[1])
            for k in range(s.size):
                opening[k] = s[k]
            call_at(at.open_window, s)
        m = market[hour]
        call_at(at.open_hour, s, m, p, c, hour)
        call_at(at.venue_losses, s, m)
        call_at(at.aave_market_operations, s, m, c)
        if investor:
            call_at(at.investor_market_operations, s, m, c)
        if lends:
            call_at(at.fraxlend_market_operations, s, m, c)
        call_at(at.curve_market_operations, s, m, c)
        if uniswap:
            call_at(at.uniswap_market_operations, s, m, c)
        call_at(at.lp_flight, s, m, c)
        call_at(at.demand, s, m, c)
        call_at(at.trade_quietly, s, m, p, c, w)
        if count_marked(w) > 0:
            call_at(at.run_marked, at.trade, _TRADE, s, m, p, c, w)
        if uniswap:
            call_at(at.uniswap_mark_arbitrage, s, c, w)
            if count_marked(w) > 0:
                call_at(at.run_marked, at.uniswap_arbitrage, _UNISWAP_ARBITRAGE, s, m, p, c, w)
        call_at(at.observe, s, c)
        call_at(at.cr_controller, s, p, c)
        call_at(at.share_operations, s, c)
        call_at(at.triggers, s, p)
        call_at(at.mark_scales, s, w)
        if count_marked(w) > 0:
            call_at(at.run_marked, at.scale, _SCALE, s, m, p, c, w)
        call_at(at.curve_mark_operations, s, p, c, w)
        if count_marked(w) > 0:
            call_at(at.run_marked, at.curve_operate, _CURVE_OPERATE, s, m, p, c, w)
        if uniswap:
            call_at(at.uniswap_mark_operations, s, p, c, w)
            if count_marked(w) > 0:
                call_at(at.run_marked, at.uniswap_operate, _UNISWAP_OPERATE, s, m, p, c, w)
        if lends:
            call_at(at.fraxlend_mark_operations, s, p, c, w)
            if count_marked(w) > 0:
                call_at(at.run_marked, at.fraxlend_operate, _FRAXLEND_OPERATE, s, m, p, c, w)
        call_at(at.aave_operate, s, m, p, c)
        if investor:
            call_at(at.investor_operate, s, m, p, c)
        scaled_floor, _ = scaled_x_at_price(c[C_EXTERNAL_FLOOR], s[S_ANN])
        call_at(at.collateral_ratios, s, c, scaled_floor)
        call_at(at.record, s, p, c, hour)
        if hour == market.shape[0] - 1:
            call_at(at.settle, s, c)
        if traced:
            for k in range(trace_columns.size):
                offset = trace_columns[k]
                for i in range(LANES):
                    trace[hour, k * LANES + i] = s[offset + i]
    call_at(at.net_asset_value, s, c, navs[2])


_ROWS, _MARKET = types.Array(types.float64, 2, "C"), types.Array(types.float64, 2, "C", readonly=True)
ADVANCE = (
    types.NamedUniTuple(types.int64, len(STAGES), Places),  # type: ignore[no-untyped-call]
    *(_V, _MARKET, _V, _V, _NUMBER, _ROWS, _V, types.Array(types.int64, 1, "C"), _ROWS, _V),
)
_compiling = Lock()


@lru_cache(maxsize=1)
def _places() -> Any:
    """Where every stage begins, and `advance` compiled: once a process."""
    *places, _ = addresses({**STAGES, "advance": (advance, ADVANCE)})
    return Places(*places)


def run_block(
    s: Vector,
    market: Vector,
    p: Vector,
    c: Vector,
    transition: int,
    navs: Vector,
    opening: Vector,
    trace_columns: NDArray[np.int64],
    trace: Vector,
) -> None:
    """Advances ``s`` through ``market`` (steps, inputs × LANES). Fills ``navs`` (3, LANES): at the state, when the window opens, at its
    end; ``opening`` = the state when the window opens, before its records are cleared; ``trace`` (steps, columns × LANES), or (0, 0).
    """
    with _compiling:  # threads that come meanwhile wait for it
        at = _places()
    market = market.view()
    market.flags.writeable = False  # one compiled kernel, whether the caller may write there or not
    scratch = aligned(SCRATCH)
    scratch[:] = 0.0
    advance(at, s, market, p, c, transition, navs, opening, trace_columns, trace, scratch)
