"""The step: the list of stages in the order of the model, over one block of lanes.

`run_block` advances a block through the transition and the scored window. The order of an hour: new prices and A; losses of venues; interest,
fees and rewards; outside providers; holders; trades at the pool and the issuer's doors; arbitrage between the venues; oracle and CR; the share
token's operations; triggers; the AMOs' operations; both collateral ratios; path statistics. An AMO that the parameter set does not use and the snapshot does not
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
from amo_opt.protocol import lanes as at
from amo_opt.protocol.accounts import count_positions, net_asset_value, open_hour, settle, venue_losses
from amo_opt.protocol.active_lanes import FULL_STAGE, LINES_TYPE, SCRATCH, count_active, run_active
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.collateral_ratio import collateral_ratios, cr_controller, flag_scales, scale_active, scaled_at_cr
from amo_opt.protocol.holders import DUST_USD, demand, lp_flight
from amo_opt.protocol.lanes import LANES, LINES
from amo_opt.protocol.oracle import observe
from amo_opt.protocol.primary_market import trade_active, trade_fast
from amo_opt.protocol.share_token import share_operations
from amo_opt.simulation.compiled import Stages, addresses
from amo_opt.simulation.path_statistics import path_statistics
from amo_opt.stableswap.depth_10bp import captured, curve_depth, quoting_depth
from amo_opt.stableswap.invariant import marginal_price, refresh_D, scaled_x_at_price
from amo_opt.stableswap.jit import VECTOR, Vector, call_at, stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_outside_yield, _loans = curve.outside_yield, fraxlend.loans
_LINE_COUNT = len(LINES)


@stage
def open_window(s: Vector) -> None:
    """Clears lines and path statistics, so that only the window is scored."""
    for k in range(_LINE_COUNT):
        for i in range(LANES):
            s[at.S_INCOME_LENDING + k * LANES + i] = 0.0
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
def begin(s: Vector, m: Vector, c: Vector) -> None:
    """What follows from the snapshot and the first hour's market: D, LP in units of D, price, oracle, both collateral ratios, where lending markets rest,
    Uniswap's balances, what outside providers earn.
    """
    low = c[at.C_UNISWAP_LOW]
    high = c[at.C_UNISWAP_HIGH]
    elasticity = c[at.C_LENDING_ELASTICITY]
    dust = DUST_USD * c[at.C_SIZE]
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        ann = s[at.S_ANN + i]
        own = s[at.S_LP_AMO + i]
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        d = refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))
        spot = marginal_price(x, y, d, ann)
        price = spot * base_value
        scaled_cr, _ = scaled_at_cr(s[at.S_COLLATERAL_RATIO + i], ann)
        s[at.S_SCALED_CR + i] = scaled_cr
        s[at.S_D + i] = d
        s[at.S_LP_SUPPLY + i] = d
        lp_amo = own * d
        s[at.S_LP_AMO + i] = lp_amo
        s[at.S_OWN + i] = lp_amo / d
        s[at.S_PRICE + i] = price
        s[at.S_ORACLE + i] = price
        s[at.S_BACKING_VALUE + i] = 1.0

        root = math.sqrt(price / collateral_price)
        root = root if root > low else low
        root = root if root < high else high
        liquidity = s[at.S_UNISWAP_LIQUIDITY + i]
        s[at.S_UNISWAP_ROOT + i] = root
        s[at.S_UNISWAP_X + i] = liquidity * (1.0 / root - 1.0 / high)
        s[at.S_UNISWAP_Y + i] = liquidity * (root - low)

        deposits = m[at.M_LENDING_DEPOSITS + i] + s[at.S_LENT + i]
        demanded = m[at.M_LENDING_DEMAND + i]
        rate = resting_rate(deposits, demanded, elasticity, c[at.C_LENDING_KINK], c[at.C_LENDING_SLOPE_1], c[at.C_LENDING_SLOPE_2])
        free = unborrowed(deposits, demanded, rate, elasticity)
        most = m[at.M_LENDING_FREE_CAP + i]
        s[at.S_LENDING_RATE + i] = rate
        s[at.S_LENDING_FREE + i] = free if free < most else most
        deposits = m[at.M_INVESTOR_DEPOSITS + i] + s[at.S_INVESTED + i]
        demanded = m[at.M_INVESTOR_DEMAND + i]
        rate = resting_rate(deposits, demanded, elasticity, c[at.C_INVESTOR_KINK], c[at.C_INVESTOR_SLOPE_1], c[at.C_INVESTOR_SLOPE_2])
        s[at.S_INVESTOR_RATE + i] = rate
        s[at.S_INVESTOR_FREE + i] = unborrowed(deposits, demanded, rate, elasticity)
        lent = s[at.S_FRAXLEND_LENT + i]
        others = m[at.M_FRAXLEND_DEPOSITS + i]
        deposits = others + lent
        demanded = m[at.M_FRAXLEND_DEMAND + i]
        without = resting_rate(others, demanded, elasticity, c[at.C_FRAXLEND_KINK], c[at.C_FRAXLEND_SLOPE_1], c[at.C_FRAXLEND_SLOPE_2])
        rate = resting_rate(deposits, demanded, elasticity, c[at.C_FRAXLEND_KINK], c[at.C_FRAXLEND_SLOPE_1], c[at.C_FRAXLEND_SLOPE_2])
        borrowed, borrowed_without = _loans(lent, others, demanded, rate, without, elasticity)
        free = deposits - borrowed
        s[at.S_FRAXLEND_RATE + i] = rate
        s[at.S_FRAXLEND_FREE + i] = free if free < lent else lent
        s[at.S_FRAXLEND_RATE_WITHOUT + i] = without
        s[at.S_FRAXLEND_DRAWN + i] = borrowed - borrowed_without

        elsewhere = quoting_depth(liquidity + c[at.C_UNISWAP_OUTSIDE], root, low, high)
        won = captured(curve_depth(d, ann), c[at.C_VOLUME_DEPTH_USD] + elsewhere)
        fees = (1.0 - c[at.C_ADMIN_FEE]) * c[at.C_FEE] * m[at.M_SWAP_VOLUME + i] * won
        boosted = c[at.C_REWARD_BOOST] * own
        others = c[at.C_REWARD_OUTSIDE_BOOST] * (1.0 - own)
        staked = boosted + others
        share = boosted / (staked if staked > 1e-9 else 1e-9)
        earns = _outside_yield(d, own, fees, m[at.M_REWARD_TOKENS + i] * (1.0 - share) * m[at.M_REWARD_PRICE + i], dust)
        s[at.S_OUTSIDE_YIELD + i] = earns
        s[at.S_OUTSIDE_YIELD_START + i] = earns
    count_positions(s, c)
    scaled_floor, _ = scaled_x_at_price(c[at.C_EXTERNAL_FLOOR], s[at.S_ANN])
    collateral_ratios(s, c, scaled_floor)
    for i in range(LANES):
        s[at.S_CR_EXTERNAL_START + i] = s[at.S_CR_EXTERNAL + i]
    settle(s, c)
    open_window(s)


_V, _NUMBER = VECTOR, types.int64
STAGES: Stages = {
    # whoever compiles comes from either end: the longest stand there, the short ones in the middle, where they meet
    "trade": (trade_active.full, FULL_STAGE),
    "uniswap_arbitrage": (uniswap_v3.arbitrage_active.full, FULL_STAGE),
    "begin": (begin, (_V, _V, _V)),
    "path_statistics": (path_statistics, (_V, _V, _V, _NUMBER)),
    "trade_fast": (trade_fast, (_V, _V, _V, _V, _V)),
    "share_operations": (share_operations, (_V, _V)),
    "open_hour": (open_hour, (_V, _V, _V, _V, _NUMBER)),
    "venue_losses": (venue_losses, (_V, _V)),
    "aave_market_operations": (aave.market_operations, (_V, _V, _V)),
    "investor_market_operations": (collateral_investor.market_operations, (_V, _V, _V)),
    "fraxlend_market_operations": (fraxlend.market_operations, (_V, _V, _V)),
    "curve_market_operations": (curve.market_operations, (_V, _V, _V)),
    "uniswap_market_operations": (uniswap_v3.market_operations, (_V, _V, _V)),
    "uniswap_flag_arbitrage": (uniswap_v3.flag_arbitrage, (_V, _V, _V)),
    "observe": (observe, (_V, _V)),
    "cr_controller": (cr_controller, (_V, _V, _V)),
    "triggers": (triggers, (_V, _V)),
    "flag_scales": (flag_scales, (_V, _V)),
    "run_active": (run_active, (_NUMBER, LINES_TYPE, _V, _V, _V, _V, _V)),
    "scale": (scale_active.full, FULL_STAGE),
    "open_window": (open_window, (_V,)),
    "settle": (settle, (_V, _V)),
    "net_asset_value": (net_asset_value, (_V, _V, _V)),
    "curve_flag_operations": (curve.flag_operations, (_V, _V, _V, _V)),
    "uniswap_flag_operations": (uniswap_v3.flag_operations, (_V, _V, _V, _V)),
    "fraxlend_flag_operations": (fraxlend.flag_operations, (_V, _V, _V, _V)),
    "lp_flight": (lp_flight, (_V, _V, _V)),
    "demand": (demand, (_V, _V, _V)),
    "collateral_ratios": (collateral_ratios, (_V, _V, types.float64)),
    "investor_operate": (collateral_investor.operate, (_V, _V, _V, _V)),
    "aave_operate": (aave.operate, (_V, _V, _V, _V)),
    "fraxlend_operate": (fraxlend.operate_active.full, FULL_STAGE),
    "uniswap_operate": (uniswap_v3.operate_active.full, FULL_STAGE),
    "curve_operate": (curve.operate_active.full, FULL_STAGE),
}
"""Every stage with the types it is compiled for; its name is what `advance` calls it by."""
Places = NamedTuple("Places", [(name, int) for name in STAGES])  # type: ignore[misc]
"""Where every stage begins."""
_TRADE, _UNISWAP_ARBITRAGE, _SCALE = trade_active.lines, uniswap_v3.arbitrage_active.lines, scale_active.lines
_FRAXLEND_OPERATE, _UNISWAP_OPERATE, _CURVE_OPERATE = (
    fraxlend.operate_active.lines,
    uniswap_v3.operate_active.lines,
    curve.operate_active.lines,
)


@stage
def advance(  # noqa: C901, PLR0912 - the list of stages, two switches and a trace
    places: Any,
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
    call_at(places.begin, s, market[0], c)
    call_at(places.net_asset_value, s, c, navs[0])
    traced = trace.shape[0] > 0
    investor = p[at.P_INVESTOR_CAP] > 0.0 or s[at.S_INVESTED] > 0.0
    lends = p[at.P_FRAXLEND_CAP] > 0.0 or s[at.S_FRAXLEND_LENT] > 0.0
    uniswap = p[at.P_UNISWAP_CAP] > 0.0 or s[at.S_UNISWAP_LIQUIDITY] > 0.0
    for hour in range(market.shape[0]):
        if hour == transition:
            call_at(places.settle, s, c)
            call_at(places.net_asset_value, s, c, navs[1])
            for k in range(s.size):
                opening[k] = s[k]
            call_at(places.open_window, s)
        m = market[hour]
        call_at(places.open_hour, s, m, p, c, hour)
        call_at(places.venue_losses, s, m)
        call_at(places.aave_market_operations, s, m, c)
        if investor:
            call_at(places.investor_market_operations, s, m, c)
        if lends:
            call_at(places.fraxlend_market_operations, s, m, c)
        call_at(places.curve_market_operations, s, m, c)
        if uniswap:
            call_at(places.uniswap_market_operations, s, m, c)
        call_at(places.lp_flight, s, m, c)
        call_at(places.demand, s, m, c)
        call_at(places.trade_fast, s, m, p, c, w)
        if count_active(w) > 0:
            call_at(places.run_active, places.trade, _TRADE, s, m, p, c, w)
        if uniswap:
            call_at(places.uniswap_flag_arbitrage, s, c, w)
            if count_active(w) > 0:
                call_at(places.run_active, places.uniswap_arbitrage, _UNISWAP_ARBITRAGE, s, m, p, c, w)
        call_at(places.observe, s, c)
        call_at(places.cr_controller, s, p, c)
        call_at(places.share_operations, s, c)
        call_at(places.triggers, s, p)
        call_at(places.flag_scales, s, w)
        if count_active(w) > 0:
            call_at(places.run_active, places.scale, _SCALE, s, m, p, c, w)
        call_at(places.curve_flag_operations, s, p, c, w)
        if count_active(w) > 0:
            call_at(places.run_active, places.curve_operate, _CURVE_OPERATE, s, m, p, c, w)
        if uniswap:
            call_at(places.uniswap_flag_operations, s, p, c, w)
            if count_active(w) > 0:
                call_at(places.run_active, places.uniswap_operate, _UNISWAP_OPERATE, s, m, p, c, w)
        if lends:
            call_at(places.fraxlend_flag_operations, s, p, c, w)
            if count_active(w) > 0:
                call_at(places.run_active, places.fraxlend_operate, _FRAXLEND_OPERATE, s, m, p, c, w)
        call_at(places.aave_operate, s, m, p, c)
        if investor:
            call_at(places.investor_operate, s, m, p, c)
        scaled_floor, _ = scaled_x_at_price(c[at.C_EXTERNAL_FLOOR], s[at.S_ANN])
        call_at(places.collateral_ratios, s, c, scaled_floor)
        call_at(places.path_statistics, s, p, c, hour)
        if hour == market.shape[0] - 1:
            call_at(places.settle, s, c)
        if traced:
            for k in range(trace_columns.size):
                offset = trace_columns[k]
                for i in range(LANES):
                    trace[hour, k * LANES + i] = s[offset + i]
    call_at(places.net_asset_value, s, c, navs[2])


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
    end; ``opening`` = the state when the window opens, before its statistics are cleared; ``trace`` (steps, columns × LANES), or (0, 0).
    """
    with _compiling:  # threads that come meanwhile wait for it
        places = _places()
    market = market.view()
    market.flags.writeable = False  # one compiled kernel, whether the caller may write there or not
    scratch = aligned(SCRATCH)
    scratch[:] = 0.0
    advance(places, s, market, p, c, transition, navs, opening, trace_columns, trace, scratch)
