"""The share token's own operations: recollateralising, buying back, and FXS1559.

Below the target ratio anyone may bring collateral for new share tokens with a bonus, above it anyone may bring share tokens for
collateral; both are throttled by the hour, and bought is only what is offered, which shrinks with the supply that is left (FraxPoolV3 ``recollateralize``, ``buyBackFxs``, ``comboCalcBbkRct``). FXS1559 spends a share of the AMOs' income of the hour on buying
and burning share tokens, as far as there is value above the target ratio. Share tokens issued and burned are capital at market, never income; what a bonus or
a collateral coin off its par gives away is booked with the primary market's fees. New tokens dilute the price for good; the pressure of selling them passes.
"""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.jit import Vector, stage

NO_SHARES = 1e-300
"""Added to a supply of share tokens before and after it is diluted: it changes no supply there is, and where there is none, and none is
issued, the price stays."""
MOST_BACK = 0.01
"""Most of the share token's market value that holders bring to the buyback in an hour; they sell to the contract, not to the market."""
MOST_SPENT = 0.05
"""Most that FXS1559 spends an hour, as a share of what the share token's market takes for half its price."""
LEAST_LEG = 0.999
"""Share tokens are brought for collateral only where its coin is worth about a dollar: the contract pays it at par."""


@stage
def add_income(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Adds an accounting line to the AMOs' income; ``a`` is that line."""
    for i in range(LANES):
        s[at.S_AMO_INCOME + i] += a[i]


@stage
def share_operations(s: Vector, c: Vector) -> None:
    """Recollateralises or buys back, by the gap between `cr_contract` of the hour before and the target ratio."""
    tokens_an_hour = c[at.C_RECOLLATERALISE_TOKENS]
    bonus = c[at.C_RECOLLATERALISE_BONUS]
    buyback = c[at.C_BUYBACK_USD]
    fxs1559 = c[at.C_FXS1559_SHARE]
    at_par = c[at.C_PAR_VALUATION] > 0.5
    depth_ratio = c[at.C_SHARE_DEPTH_RATIO]
    size = c[at.C_SIZE]
    inverse_bonus = 1.0 / (1.0 + bonus)
    start_shares = c[at.C_START_SHARES]
    inverse_start = 1.0 / (start_shares if start_shares > 0.0 else NO_SHARES)  # of what began at nothing all is offered
    for i in range(LANES):
        idle = s[at.S_IDLE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        share_price = s[at.S_SHARE_PRICE + i]
        share_supply = s[at.S_SHARE_SUPPLY + i]
        leg_value = collateral_price if at_par else 1.0
        inverse_collateral = 1.0 / collateral_price
        inverse_leg = inverse_collateral if at_par else 1.0
        inverse_share = 1.0 / (share_price if share_price > 1e-9 else 1e-9)
        depth = depth_ratio * share_price * share_supply + size
        excess = (s[at.S_CR_CONTRACT + i] - s[at.S_COLLATERAL_RATIO + i]) * s[at.S_SUPPLY + i]

        # recollateralise: collateral worth `brought` by the contract's count, until the bonus is eaten by selling the share tokens
        edge = (1.0 + bonus) * inverse_leg - 1.0
        edge = edge if edge > 0.0 else 0.0
        throttle = tokens_an_hour * share_price * inverse_bonus
        brought = -excess if excess < 0.0 else 0.0
        brought = brought if brought < throttle else throttle
        most_brought = edge * depth * inverse_bonus
        brought = brought if brought < most_brought else most_brought
        issued = brought * (1.0 + bonus)
        came = brought * leg_value

        # buy back, then FXS1559 with what is left above the target
        above = excess if excess > 0.0 else 0.0
        back = above if above < buyback else buyback
        back = back if leg_value > LEAST_LEG else 0.0
        back = back if back * leg_value < idle * collateral_price else 0.0
        # who is left after others sold holds on to his: what is offered shrinks with what there is, so that the last token is never bought
        offered = share_supply * inverse_start
        offered = offered if offered < 1.0 else 1.0
        worth = offered * share_price * share_supply
        most_back = MOST_BACK * worth
        back = back if back < most_back else most_back
        income = s[at.S_AMO_INCOME + i]
        earned = income - s[at.S_INCOME_SEEN + i]
        spent = fxs1559 * (earned if earned > 0.0 else 0.0)
        left = above - back
        spent = spent if spent < left else left
        cash = idle * collateral_price - back * leg_value
        spent = spent if spent < cash else cash
        most_spent = MOST_SPENT * offered * depth
        spent = spent if spent < most_spent else most_spent
        half = 0.5 * worth
        spent = spent if spent < half else half
        burned = back + spent

        s[at.S_INCOME_SEEN + i] = income
        s[at.S_EARNED + i] = earned
        left_idle = idle + (came - back * leg_value - spent) * inverse_collateral
        s[at.S_IDLE + i] = left_idle if left_idle > 0.0 else 0.0
        s[at.S_CAPITAL_RECOLLATERALISED + i] += issued
        s[at.S_CAPITAL_BUYBACKS + i] -= burned
        s[at.S_INCOME_PRIMARY_FEES + i] += (came - issued) + (back - back * leg_value)
        shares_after = share_supply + (issued - burned) * inverse_share
        pressed = (depth + spent) / (depth + issued)
        s[at.S_SHARE_SUPPLY + i] = shares_after
        s[at.S_SHARE_IMPACT + i] *= pressed
        s[at.S_SHARE_PRICE + i] = share_price * pressed * (share_supply + NO_SHARES) / (shares_after + NO_SHARES)
