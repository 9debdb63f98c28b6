"""When AMOs stop deploying, when they unwind, and how long a team takes to sign.

Unwinding is latched: it starts when the oracle falls below `unwind_price` of the exit asset or `cr_external` has fallen by
`unwind_cr_margin` from its start, and ends only at `reentry_price` with the ratio restored. Nothing is deployed meanwhile; withdrawals
begin once the trigger has stood for the study's response delay.
"""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.holders import exit_value_of
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.jit import Vector, stage

SMALLEST_OPERATION = 2.5e-3
"""Gap to a target, as a share of all collateral (or of the pool's stablecoin), below which no operation is worth its gas and signatures."""
CAP_TOLERANCE = 0.01
"""How far the market may carry a position over its cap, as a share of all collateral or of supply, before it is returned and counted:
a team that answered every trade would pay fees on each."""
SMALLEST_USD = 1e3
"""Dollars, at a size of 1 (`ProtocolState.size`), below which unwinding stops: a remainder that no team signs for."""


MOST_COVER = 2.0
"""Cover at the start beyond which a fall is no sign: where next to nobody is owed anything, a coin's noise moves the ratio by thousands."""


@stage
def triggers(s: Vector, p: Vector) -> None:
    """Latches `unwinding` and counts the hours since its trigger and since the pool's share rose above `pool_share_high`."""
    unwind_price = p[at.P_UNWIND_PRICE]
    margin = p[at.P_UNWIND_CR_MARGIN]
    reentry = p[at.P_REENTRY_PRICE]
    share_high = p[at.P_POOL_SHARE_HIGH]
    for i in range(LANES):
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        exit_value = exit_value_of(collateral_price, base_value)
        relative = s[at.S_ORACLE + i] / exit_value
        cover = s[at.S_CR_EXTERNAL + i]
        started = s[at.S_CR_EXTERNAL_START + i]
        started = started if started < MOST_COVER else MOST_COVER
        short = cover < started - margin
        before = s[at.S_UNWINDING + i]
        ends = 0.0 if relative >= reentry else before
        latched = 1.0 if ((relative < unwind_price) | short) else ends
        hours = s[at.S_UNWINDING_HOURS + i] + 1.0
        s[at.S_UNWINDING + i] = latched
        s[at.S_UNWINDING_HOURS + i] = hours if latched > 0.5 else 0.0
        x = s[at.S_POOL_X + i]
        above = x > share_high * (x + s[at.S_POOL_Y + i])
        high_hours = s[at.S_HIGH_HOURS + i] + 1.0
        s[at.S_HIGH_HOURS + i] = high_hours if above else 0.0
