"""The step: the list of stages in the order of the model, over one block of lanes.

`run_block` advances a block through the transition and the scored window. The order of an hour: new prices and A; losses of venues; interest,
fees and rewards; outside providers; holders; trades at the pool and the issuer's doors; arbitrage between the venues; oracle and CR; the share
token's operations; triggers; the AMOs' operations; both collateral ratios; records. An AMO that the parameter set does not use and the snapshot does not
hold is left out of the loop: its stages would change nothing.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from amo_opt.amos import aave, collateral_investor, curve, fraxlend, uniswap_v3
from amo_opt.amos.lending import resting_rate, unborrowed
from amo_opt.amos.triggers import triggers
from amo_opt.protocol.accounts import net_asset_value, open_hour, settle, venue_losses
from amo_opt.protocol.collateral_ratio import collateral_ratios, cr_controller, mark_scales, scale_marked, scaled_at_cr
from amo_opt.protocol.holders import demand, lp_flight
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
    S_FRAXLEND_BORROWED,
    S_FRAXLEND_FREE,
    S_FRAXLEND_LENT,
    S_FRAXLEND_RATE,
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
from amo_opt.protocol.marked import SCRATCH
from amo_opt.protocol.oracle import observe
from amo_opt.protocol.primary_market import trade_marked, trade_quietly
from amo_opt.protocol.share_token import share_operations
from amo_opt.simulation.record import record
from amo_opt.stableswap.depth_10bp import captured, curve_depth, quoting_depth
from amo_opt.stableswap.invariant import marginal_price, refresh_D, scaled_x_at_price
from amo_opt.stableswap.jit import Vector, stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_aave_market_operations = aave.market_operations
_aave_operate = aave.operate
_investor_market_operations = collateral_investor.market_operations
_investor_operate = collateral_investor.operate
_fraxlend_market_operations = fraxlend.market_operations
_fraxlend_mark_operations = fraxlend.mark_operations
_fraxlend_operate_marked = fraxlend.operate_marked
_curve_market_operations = curve.market_operations
_curve_mark_operations = curve.mark_operations
_curve_operate_marked = curve.operate_marked
_uniswap_market_operations = uniswap_v3.market_operations
_uniswap_mark_arbitrage = uniswap_v3.mark_arbitrage
_uniswap_arbitrage_marked = uniswap_v3.arbitrage_marked
_uniswap_mark_operations = uniswap_v3.mark_operations
_uniswap_operate_marked = uniswap_v3.operate_marked
_outside_yield = curve.outside_yield
_LINE_COUNT = len(LINES)


@stage
def step(s: Vector, m: Vector, p: Vector, c: Vector, w: Vector, hour: int, used: tuple[bool, bool, bool]) -> None:
    """One hour of every lane: ``s`` the state, ``m`` the hour's market row, ``p`` the parameters, ``c`` the constants.

    ``used`` = whether the Collateral Investor, Fraxlend and Uniswap v3 can hold anything.
    """
    investor, lends, uniswap = used
    open_hour(s, m, p, c, hour)
    venue_losses(s, m)
    _aave_market_operations(s, m, c)
    if investor:
        _investor_market_operations(s, m, c)
    _fraxlend_market_operations(s, m, c)
    _curve_market_operations(s, m, c)
    if uniswap:
        _uniswap_market_operations(s, m, c)
    lp_flight(s, m, c)
    demand(s, m, c)
    trade_quietly(s, m, p, c, w)
    trade_marked(s, m, p, c, w)
    if uniswap:
        _uniswap_mark_arbitrage(s, c, w)
        _uniswap_arbitrage_marked(s, m, p, c, w)
    observe(s, c)
    cr_controller(s, p, c)
    share_operations(s, c)
    triggers(s, p)
    mark_scales(s, w)
    scale_marked(s, m, p, c, w)
    _curve_mark_operations(s, p, c, w)
    _curve_operate_marked(s, m, p, c, w)
    if uniswap:
        _uniswap_mark_operations(s, p, c, w)
        _uniswap_operate_marked(s, m, p, c, w)
    if lends:
        _fraxlend_mark_operations(s, p, c, w)
        _fraxlend_operate_marked(s, m, p, c, w)
    _aave_operate(s, m, p, c)
    if investor:
        _investor_operate(s, m, p, c)
    scaled_floor, _ = scaled_x_at_price(c[C_EXTERNAL_FLOOR], s[S_ANN])
    collateral_ratios(s, c, scaled_floor)
    record(s, p, c, hour)


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
        s[S_LP_AMO + i] = own * d
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
        deposits = m[M_FRAXLEND_DEPOSITS + i] + lent
        demanded = m[M_FRAXLEND_DEMAND + i]
        rate = resting_rate(deposits, demanded, elasticity, c[C_FRAXLEND_KINK], c[C_FRAXLEND_SLOPE_1], c[C_FRAXLEND_SLOPE_2])
        free = unborrowed(deposits, demanded, rate, elasticity)
        s[S_FRAXLEND_RATE + i] = rate
        s[S_FRAXLEND_FREE + i] = free if free < lent else lent
        s[S_FRAXLEND_BORROWED + i] = deposits - free

        elsewhere = quoting_depth(liquidity + c[C_UNISWAP_OUTSIDE], root, low, high)
        won = captured(curve_depth(d, ann), c[C_VOLUME_DEPTH] + elsewhere)
        fees = (1.0 - c[C_ADMIN_FEE]) * c[C_FEE] * m[M_SWAP_VOLUME + i] * won
        boosted = c[C_REWARD_BOOST] * own
        others = c[C_REWARD_OUTSIDE_BOOST] * (1.0 - own)
        staked = boosted + others
        share = boosted / (staked if staked > 1e-9 else 1e-9)
        earns = _outside_yield(d, own, fees, m[M_REWARD_TOKENS + i] * (1.0 - share) * m[M_REWARD_PRICE + i])
        s[S_OUTSIDE_YIELD + i] = earns
        s[S_OUTSIDE_YIELD_START + i] = earns
    scaled_floor, _ = scaled_x_at_price(c[C_EXTERNAL_FLOOR], s[S_ANN])
    collateral_ratios(s, c, scaled_floor)
    for i in range(LANES):
        s[S_CR_EXTERNAL_START + i] = s[S_CR_EXTERNAL + i]
    settle(s, c)
    open_window(s)


def _source_digest() -> int:
    """A digest of every file a stage may stand in: part of the compiled kernel's cache key, so that no edit meets a stale kernel."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    own = [root / "simulation" / name for name in ("kernel.py", "record.py")]
    for file in [*(file for room in ("stableswap", "protocol", "amos") for file in sorted((root / room).glob("*.py"))), *own]:
        digest.update(file.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")


def _compile() -> Any:
    version = _source_digest()

    @njit(nogil=True, error_model="numpy", fastmath=False, cache=True)
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
    ) -> int:
        """Advances ``s`` through ``market`` (steps, inputs × LANES). Fills ``navs`` (3, LANES): at the state, when the window opens, at its
        end; ``opening`` = the state when the window opens, before its records are cleared; ``trace`` (steps, columns × LANES), or (0, 0).
        """
        begin(s, market[0], c)
        net_asset_value(s, c, navs[0])
        scratch = np.zeros(SCRATCH)
        traced = trace.shape[0] > 0
        investor = p[P_INVESTOR_CAP] > 0.0 or s[S_INVESTED] > 0.0
        lends = p[P_FRAXLEND_CAP] > 0.0 or s[S_FRAXLEND_LENT] > 0.0
        uniswap = p[P_UNISWAP_CAP] > 0.0 or s[S_UNISWAP_LIQUIDITY] > 0.0
        for hour in range(market.shape[0]):
            if hour == transition:
                settle(s, c)
                net_asset_value(s, c, navs[1])
                opening[:] = s
                open_window(s)
            step(s, market[hour], p, c, scratch, hour, (investor, lends, uniswap))
            if hour == market.shape[0] - 1:
                settle(s, c)
            if traced:
                for k in range(trace_columns.size):
                    offset = trace_columns[k]
                    for i in range(LANES):
                        trace[hour, k * LANES + i] = s[offset + i]
        net_asset_value(s, c, navs[2])
        return version

    return run_block


run_block = _compile()
