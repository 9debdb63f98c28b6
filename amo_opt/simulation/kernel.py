"""The step: the list of stages in the order of the model, over one block of lanes.

`run_block` advances a block through the transition and the scored window. The order of an hour: new prices and A; interest, fees and rewards;
outside providers; holders; trades at the pool and the issuer's doors; oracle and CR; triggers; the AMOs' operations; records.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba import njit

from amo_opt.amos import aave, curve
from amo_opt.amos.triggers import triggers
from amo_opt.protocol.accounts import net_asset_value, open_hour
from amo_opt.protocol.collateral_ratio import contract_ratio, cr_controller, external_ratio, scaled_at_cr
from amo_opt.protocol.holders import demand, lp_flight
from amo_opt.protocol.lanes import (
    C_EXTERNAL_FLOOR,
    LANES,
    LINES,
    S_ANN,
    S_BASE_VALUE,
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
    S_HOURS_BELOW_099,
    S_HOURS_BELOW_MIN_CR,
    S_HOURS_OVER_CAPS,
    S_HOURS_UNWINDING,
    S_IDLE,
    S_INCOME_LENDING,
    S_LAST_BAD_HOUR,
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
    S_POOL_X,
    S_POOL_Y,
    S_PRICE,
    S_SHORTFALL,
    S_SUPPLY,
    S_UNSERVED_HOURS,
    S_UNSERVED_PEAK,
)
from amo_opt.protocol.primary_market import trade
from amo_opt.simulation.record import record
from amo_opt.stableswap.invariant import marginal_price, refresh_D, scaled_x_at_price
from amo_opt.stableswap.jit import Vector, stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_aave_market_operations = aave.market_operations
_aave_operate = aave.operate
_curve_market_operations = curve.market_operations
_curve_operate = curve.operate
_LINE_COUNT = len(LINES)


@stage
def step(s: Vector, m: Vector, p: Vector, c: Vector, hour: int) -> None:
    """One hour of every lane: ``s`` the state, ``m`` the hour's market row, ``p`` the parameters, ``c`` the constants."""
    open_hour(s, m, p, c, hour)
    _aave_market_operations(s, m, c)
    _curve_market_operations(s, m, c)
    lp_flight(s, m, c)
    demand(s, m, c)
    trade(s, m, p, c)
    cr_controller(s, p, c)
    triggers(s, p)
    scaled_floor, _ = scaled_x_at_price(c[C_EXTERNAL_FLOOR], s[S_ANN])
    _curve_operate(s, m, p, c, scaled_floor)
    _aave_operate(s, m, p, c)
    record(s, p, c, hour)


@stage
def open_window(s: Vector) -> None:
    """Clears lines and records, so that only the window is scored."""
    for k in range(_LINE_COUNT):
        for i in range(LANES):
            s[S_INCOME_LENDING + k * LANES + i] = 0.0
    for i in range(LANES):
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
def begin(s: Vector, c: Vector) -> None:
    """What follows from the snapshot: D, LP in units of D, price, oracle, both collateral ratios."""
    scaled_floor, _ = scaled_x_at_price(c[C_EXTERNAL_FLOOR], s[S_ANN])
    for i in range(LANES):
        x = s[S_POOL_X + i]
        y = s[S_POOL_Y + i]
        ann = s[S_ANN + i]
        own = s[S_LP_AMO + i]
        supply = s[S_SUPPLY + i]
        free = s[S_IDLE + i] + s[S_LENT + i]
        d = refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))
        price = marginal_price(x, y, d, ann) * s[S_BASE_VALUE + i]
        cr = s[S_COLLATERAL_RATIO + i]
        scaled_cr, _ = scaled_at_cr(cr, ann)
        contract = contract_ratio(x, y, d, ann, own, supply, free, cr, scaled_cr)
        external = external_ratio(x, y, d, ann, own, supply, free, scaled_floor)
        s[S_D + i] = d
        s[S_LP_SUPPLY + i] = d
        s[S_LP_AMO + i] = own * d
        s[S_PRICE + i] = price
        s[S_ORACLE + i] = price
        s[S_CR_CONTRACT + i] = contract
        s[S_CR_EXTERNAL + i] = external
        s[S_CR_EXTERNAL_START + i] = external
    open_window(s)


def _source_digest() -> int:
    """A digest of every source file of the package: part of the compiled kernel's cache key, so that no edit meets a stale kernel."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for room in ("stableswap", "protocol", "amos", "simulation"):
        for file in sorted((root / room).glob("*.py")):
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
        begin(s, c)
        net_asset_value(s, navs[0])
        traced = trace.shape[0] > 0
        for hour in range(market.shape[0]):
            if hour == transition:
                net_asset_value(s, navs[1])
                opening[:] = s
                open_window(s)
            step(s, market[hour], p, c, hour)
            if traced:
                for k in range(trace_columns.size):
                    offset = trace_columns[k]
                    for i in range(LANES):
                        trace[hour, k * LANES + i] = s[offset + i]
        net_asset_value(s, navs[2])
        return version

    return run_block


run_block = _compile()
