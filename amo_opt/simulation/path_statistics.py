"""What a path leaves behind: running extremes, hours and sums; and the checks that make a fault loud."""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.holders import DUST_USD, exit_value_of
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.invariant import D_BOUND, marginal_price, residual_D
from amo_opt.stableswap.jit import Vector, stage

BACK_WITHIN = 0.005
"""Shortfall against the reference below which the peg counts as back."""
ROUNDING = 1e-15
"""Share of the supply of the start that may be missing of what is outside: the last digits of a supply that since was given back. What is left of it may be less than these."""


@stage
def path_statistics(s: Vector, p: Vector, c: Vector, hour: int) -> None:
    """The hour's figures into the running statistics; faults keep the first step they happened in."""
    weight = c[at.C_PEG_WEIGHT]
    dollar_reference = c[at.C_DOLLAR_REFERENCE] > 0.5
    above_counts = c[at.C_ABOVE_COUNTS] > 0.5
    dust = DUST_USD * c[at.C_SIZE]
    min_cr = p[at.P_MIN_CR]
    last_digits = ROUNDING * c[at.C_START_SUPPLY]
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        price = s[at.S_PRICE + i]
        oracle = s[at.S_ORACLE + i]
        after = marginal_price(x, y, d, ann) * base_value
        price = after if d > dust else price
        s[at.S_PRICE + i] = price
        reference = exit_value_of(collateral_price, base_value)
        off_reference = reference - price if price < reference else (price - reference if above_counts else 0.0)
        off_dollar = 1.0 - price if price < 1.0 else (price - 1.0 if above_counts else 0.0)
        ewm_collateral = s[at.S_EWM_COLLATERAL + i]
        ewm_collateral += weight * (off_reference - ewm_collateral)
        ewm_dollar = s[at.S_EWM_DOLLAR + i]
        ewm_dollar += weight * (off_dollar - ewm_dollar)
        s[at.S_EWM_COLLATERAL + i] = ewm_collateral
        s[at.S_EWM_DOLLAR + i] = ewm_dollar
        loss_collateral = s[at.S_LOSS_COLLATERAL + i]
        loss_dollar = s[at.S_LOSS_DOLLAR + i]
        s[at.S_LOSS_COLLATERAL + i] = ewm_collateral if ewm_collateral > loss_collateral else loss_collateral
        s[at.S_LOSS_DOLLAR + i] = ewm_dollar if ewm_dollar > loss_dollar else loss_dollar
        deepest_collateral = s[at.S_DEEPEST_COLLATERAL + i]
        deepest_dollar = s[at.S_DEEPEST_DOLLAR + i]
        s[at.S_DEEPEST_COLLATERAL + i] = off_reference if off_reference > deepest_collateral else deepest_collateral
        s[at.S_DEEPEST_DOLLAR + i] = off_dollar if off_dollar > deepest_dollar else deepest_dollar
        shortfall = off_dollar if dollar_reference else off_reference
        s[at.S_SHORTFALL + i] = shortfall
        bad = shortfall > BACK_WITHIN
        first = s[at.S_FIRST_BAD_HOUR + i]
        last = s[at.S_LAST_BAD_HOUR + i]
        s[at.S_FIRST_BAD_HOUR + i] = hour if (bad & (first < 0.0)) else first
        s[at.S_LAST_BAD_HOUR + i] = hour if bad else last
        lowest = s[at.S_MIN_PRICE + i]
        s[at.S_MIN_PRICE + i] = price if price < lowest else lowest
        lowest_oracle = s[at.S_MIN_ORACLE + i]
        s[at.S_MIN_ORACLE + i] = oracle if oracle < lowest_oracle else lowest_oracle
        s[at.S_HOURS_BELOW_099 + i] += 1.0 if price < 0.99 else 0.0
        cr_contract = s[at.S_CR_CONTRACT + i]
        cr_external = s[at.S_CR_EXTERNAL + i]
        s[at.S_HOURS_BELOW_MIN_CR + i] += 1.0 if cr_contract < min_cr else 0.0
        lowest_contract = s[at.S_MIN_CR_CONTRACT + i]
        lowest_external = s[at.S_MIN_CR_EXTERNAL + i]
        s[at.S_MIN_CR_CONTRACT + i] = cr_contract if cr_contract < lowest_contract else lowest_contract
        s[at.S_MIN_CR_EXTERNAL + i] = cr_external if cr_external < lowest_external else lowest_external
        unserved = s[at.S_UNSERVED + i]
        peak = s[at.S_UNSERVED_PEAK + i]
        s[at.S_UNSERVED_HOURS + i] += unserved
        s[at.S_UNSERVED_PEAK + i] = unserved if unserved > peak else peak
        idle = s[at.S_IDLE + i]
        supply = s[at.S_SUPPLY + i]
        lp_amo = s[at.S_LP_AMO + i]
        over = s[at.S_OVER_CAPS + i] > 0.5
        s[at.S_HOURS_OVER_CAPS + i] += 1.0 if over else 0.0
        s[at.S_HOURS_UNWINDING + i] += s[at.S_UNWINDING + i]

        outside = supply - (x + s[at.S_OWN_OUTSIDE + i]) - s[at.S_POOLED_OUTSIDE + i]
        sound = (x > 0.0) & (y > 0.0) & (idle >= 0.0) & (lp_amo >= 0.0) & (s[at.S_UNSOUND + i] < 0.5) & (s[at.S_CLAIMS + i] >= 0.0)
        sound = sound & (outside >= -1e-9 * supply - last_digits) & (s[at.S_QUEUE + i] >= 0.0) & (s[at.S_BUY_QUEUE + i] >= 0.0)
        # the chain's ratio is moved on by every AMO that acts, and may end a rounding below nothing
        sound = sound & (price >= 0.0) & (oracle >= 0.0) & (cr_external >= 0.0) & (cr_contract >= -1e-12)
        converged = residual_D(x, y, ann, d) <= D_BOUND
        fault = s[at.S_FAULT + i]
        fault = fault if (converged | (fault > 0.0)) else 1.0
        fault = fault if (sound | (fault > 0.0)) else 3.0
        step = s[at.S_FAULT_STEP + i]
        s[at.S_FAULT_STEP + i] = hour if ((fault > 0.0) & (step < 0.0)) else step
        s[at.S_FAULT + i] = fault
