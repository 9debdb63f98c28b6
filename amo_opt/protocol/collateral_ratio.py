"""The collateral-ratio controller and the two collateral ratios.

`cr_contract` = (idle + lent + floor 3CRV + CR × own stablecoin) ÷ total supply, the pool moved to a price of CR: what the chain books.
`cr_external` = (idle + lent + the AMO's 3CRV at the study's floor, each at its market price) ÷ (total − own stablecoin at the floor): the safety figure.
`cr_par` = the same at par: what who looks at the books sees, while exit value tells him the coin's price.
In both the pool is moved along its invariant to the floor (pool-math rule 5), the sale capped at the stablecoin that exists outside the
protocol's other venues. At the floor a range around 1 is all own stablecoin; what borrowers of stablecoin owe is no collateral, though the
chain counts the whole deposit at CR. In `cr_contract` collateral counts at par, as the chain counts it.
"""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE, W_SCALED_FOR_ANN, W_SCALED_FOR_CR, on_active
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.primary_market import LOWEST_PRICE, redeemed_ratio
from amo_opt.stableswap.invariant import get_y, scaled_x_at_price
from amo_opt.stableswap.jit import Vector, scalar, stage


@stage
def cr_controller(s: Vector, p: Vector, c: Vector) -> None:
    """At most once per cooldown: oracle > 1 + band lowers CR by a step, oracle < 1 − band raises it (strict, within [floor, 1], or up to the ratio of the state where that is above 1)."""
    band = p[at.P_CR_BAND]
    step = p[at.P_CR_STEP]
    refresh = p[at.P_CR_REFRESH_HOURS]
    floor = c[at.C_CR_FLOOR]
    most = c[at.C_CR_MOST]
    for i in range(LANES):
        oracle = s[at.S_ORACLE + i]
        cr = s[at.S_COLLATERAL_RATIO + i]
        waited = s[at.S_HOURS_SINCE_REFRESH + i] + 1.0
        due = waited >= refresh
        lower = cr - step
        lower = lower if lower > floor else floor
        lower = lower if lower < cr else cr
        higher = cr + step
        higher = higher if higher < most else most
        moved = lower if oracle > 1.0 + band else cr
        moved = higher if oracle < 1.0 - band else moved
        moved = moved if due else cr
        s[at.S_COLLATERAL_RATIO + i] = moved
        s[at.S_HOURS_SINCE_REFRESH + i] = 0.0 if moved != cr else waited


@scalar
def pool_at_floor(x: float, y: float, d: float, ann: float, scaled_floor: float, exists: float) -> tuple[float, float]:
    """Balances after the stablecoin was sold down to the floor; ``scaled_floor`` is x / D there, ``exists`` caps what the pool can hold."""
    floor_x = scaled_floor * d
    floor_x = floor_x if floor_x < exists else exists
    moves = floor_x > x
    end_x = floor_x if moves else x
    end_y = get_y(end_x, d, ann)
    return end_x, end_y if moves else y


@scalar
def scaled_at_cr(cr: float, ann: float) -> tuple[float, float]:
    """x / D of the pool at a price of CR (at least 0.01, at most 1), and the solver's residual."""
    price = redeemed_ratio(cr)
    return scaled_x_at_price(price if price > LOWEST_PRICE else LOWEST_PRICE, ann)


@stage
def scale_of(s: Vector, _m: Vector, _p: Vector, _c: Vector, lanes: int) -> None:
    """x / D at a price of CR in the first ``lanes`` lanes."""
    for i in range(lanes):
        scaled_cr, missed = scaled_at_cr(s[at.S_COLLATERAL_RATIO + i], s[at.S_ANN + i])
        s[at.S_SCALED_CR + i] = scaled_cr
        fault = s[at.S_FAULT + i]
        s[at.S_FAULT + i] = fault if ((missed <= 0.0) | (fault > 0.0)) else 2.0


scale_active = on_active(
    scale_of,
    writes=(at.S_SCALED_CR, at.S_FAULT),
    reads=(at.S_COLLATERAL_RATIO, at.S_ANN),
)


@stage
def flag_scales(s: Vector, w: Vector) -> None:
    """Flags the lanes whose CR or A moved since x / D at a price of CR was last worked out."""
    for i in range(LANES):
        cr = s[at.S_COLLATERAL_RATIO + i]
        ann = s[at.S_ANN + i]
        w[W_ACTIVE + i] = 1.0 if ((w[W_SCALED_FOR_CR + i] != cr) | (w[W_SCALED_FOR_ANN + i] != ann)) else 0.0
        w[W_SCALED_FOR_CR + i] = cr
        w[W_SCALED_FOR_ANN + i] = ann


@scalar
def contract_ratio(
    x: float,
    y: float,
    d: float,
    ann: float,
    own: float,
    supply: float,
    free: float,
    cr: float,
    scaled_cr: float,
    counted: float,
    elsewhere: float,
) -> float:
    """`cr_contract`; ``free`` = idle collateral and what is recoverable at the floor, ``scaled_cr`` = x / D at a price of CR (`scaled_at_cr`), ``counted`` and
    ``elsewhere`` = own stablecoin outside the pool at the floor, as the chain counts it and as it is held.
    """
    floor_x, floor_y = pool_at_floor(x, y, d, ann, scaled_cr, supply - elsewhere)
    return (free + own * floor_y + redeemed_ratio(cr) * (own * floor_x + counted)) / supply


@scalar
def at_floor(
    x: float, y: float, d: float, ann: float, own: float, supply: float, scaled_floor: float, elsewhere: float, size: float
) -> tuple[float, float]:
    """The protocol's part of the pool's other side at the study's floor, at par, and the supply that is not its own there."""
    floor_x, floor_y = pool_at_floor(x, y, d, ann, scaled_floor, supply - elsewhere)
    external = supply - own * floor_x - elsewhere
    return own * floor_y, external if external > size else size


@scalar
def external_ratio(
    x: float,
    y: float,
    d: float,
    ann: float,
    own: float,
    supply: float,
    free: float,
    scaled_floor: float,
    elsewhere: float,
    size: float,
) -> float:
    """Cover at the study's floor of what is worth ``free``, and the pool's other side at par; ``scaled_floor`` = x / D there, the same for every lane of an hour; ``elsewhere`` = own stablecoin
    outside the pool at the floor; ``size`` = `ProtocolState.size`.
    """
    side, external = at_floor(x, y, d, ann, own, supply, scaled_floor, elsewhere, size)
    return (free + side) / external


@stage
def collateral_ratios(s: Vector, c: Vector) -> None:
    """Both ratios as the hour leaves them."""
    scaled_floor, _ = scaled_x_at_price(c[at.C_EXTERNAL_FLOOR], s[at.S_ANN])  # A is the same in every lane
    size = c[at.C_SIZE]
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        own = s[at.S_OWN + i]
        supply = s[at.S_SUPPLY + i]
        free = s[at.S_IDLE + i] + s[at.S_RECOVERABLE + i]
        free = free if free > 0.0 else 0.0  # where nothing is left of a total of several, rounding may have left less
        cr = s[at.S_COLLATERAL_RATIO + i]
        elsewhere = s[at.S_OWN_AT_FLOOR + i]
        scaled_cr = s[at.S_SCALED_CR + i]
        s[at.S_CR_CONTRACT + i] = contract_ratio(x, y, d, ann, own, supply, free, cr, scaled_cr, s[at.S_OWN_COUNTED + i], elsewhere)
        side, external = at_floor(x, y, d, ann, own, supply, scaled_floor, elsewhere, size)
        coins = s[at.S_IDLE + i] + s[at.S_COVER_COINS + i]
        at_market = free + coins * (s[at.S_COLLATERAL_PRICE + i] - 1.0) + s[at.S_POOLED_GAP + i] + side * s[at.S_BASE_VALUE + i]
        s[at.S_CR_PAR + i] = (free + side) / external
        s[at.S_CR_EXTERNAL + i] = (at_market if at_market > 0.0 else 0.0) / external
