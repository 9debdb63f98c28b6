"""An asset beside the collateral coin: what counts as cover and pays nobody until it has come back, after a delay (treasury bills at a custodian, validators, a staked coin).

Its price is that of what it is counted in, the unit of account or the collateral coin, times a series of its own. All of it that ``counts`` is cover in both collateral ratios,
at that series; NAV holds the whole at market. Only what has arrived in the idle collateral pays redeemers or is deployed.

Decollateralise: idle collateral above `idle_buffer` goes into it, up to its cap. Market operations: its yield, booked hour by hour; its price; what leaves its queue. Recollateralise: what
the buffer lacks is asked for at once, less what is on its way; what is over the cap, and while unwinding `unwind_rate` of it an hour. Worst case: the market price of what counts.

The queue out is a chain of four equal waits whose mean is the delay (in discrete hours too: a part r = 4 / (4 + delay) moves on an hour, so that an amount waits 4 · (1 − r) / r). Against a queue that pays to
the hour what is asked arrives on average at the same time, with a standard deviation of half of the delay (one wait alone: all of it), so that a single amount is off its hour by 0.39 of the delay on
average (0.74). Where an even run drains the buffer, idle collateral is ahead by up to 23% of what is on its way when the first delay ends (39%), and right within an hour's run later. Nothing goes in
or out while its custodian is shut.

One that pays at once (``at_once``) stands among the idle collateral while holders trade: redeemers are paid the collateral coin first, then such assets in the order of the state, each at its market price. What they
leave of it goes back. Nothing of it is deployed or asked for to fill the buffer, and the mint's ceiling does not count it.

Any number of them under names of their own (``[[asset]]``) are the same stages at other offsets: `asset` makes one. What is spare above the buffer is offered to them in the order of the state, and what the buffer lacks
is asked for in that order, less what is on its way from any of them whose custodian is open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.mechanism import AssetPrice, Expectation, Income, Loss, Mechanism, Stages, UnderCap
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, scalar, stage

if TYPE_CHECKING:
    from collections.abc import Mapping

HOURS_A_YEAR = 8760.0
WAITS = 4.0
"""Equal waits of the queue out."""
SAID = 0.5
"""What a figure that says yes or no lies above where it says yes."""
COIN_NEAR_PAR = 0.99
"""Price of the collateral coin below which none is turned into an asset that does not follow it: it would make the coin's discount good."""

mine = Own(
    "asset",
    state=("held", "locked", "wait_1", "wait_2", "wait_3", "wait_4", "value", "counted", "beside", "income"),
    market=("price", "open", "loss"),
    parameters=("cap",),
    constants=("follows", "counts", "reach", "moves_on", "yield_hour", "par_out", "now"),
)
"""What is an asset's own. Tokens of it held, of which some can never be had, and on their way out; its value and what of it counts as they stand in the totals, in tokens of collateral; and what
of it stands among the idle collateral while holders trade, likewise."""


@scalar
def counted_in(collateral_price: float, follows: float) -> float:
    """Price of what it is counted in: the collateral coin's where it follows that in full, 1 where it follows it not at all."""
    return 1.0 + follows * (collateral_price - 1.0)


@scalar
def waiting(wait_1: float, wait_2: float, wait_3: float, wait_4: float) -> float:
    """Tokens on their way out."""
    return (wait_1 + wait_2) + (wait_3 + wait_4)


@scalar
def moved_total(total: float, by: float) -> float:
    """A total after what one asset has in it moved; where nothing is left of it, rounding may have left less."""
    after = total + by
    return after if after > 0.0 else 0.0


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """What is held at the first hour's prices, nothing on its way."""
    follows = k[mine.C_FOLLOWS]
    counts = k[mine.C_COUNTS]
    locked = 1.0 - k[mine.C_REACH]
    for i in range(LANES):
        held = a[mine.S_HELD + i]
        cp = s[at.S_COLLATERAL_PRICE + i]
        series = n[mine.M_PRICE + i]
        value = held * series * counted_in(cp, follows) / cp
        counted = counts * held * series
        a[mine.S_LOCKED + i] = locked * held
        a[mine.S_VALUE + i] = value
        a[mine.S_COUNTED + i] = counted
        s[at.S_AT_WORK + i] += value
        s[at.S_RECOVERABLE + i] += counted
        s[at.S_COVER_COINS + i] += follows * counted


@stage
def venue_loss(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """What its custodian loses of it this hour, what is on its way included."""
    follows = k[mine.C_FOLLOWS]
    for i in range(LANES):
        loss = n[mine.M_LOSS + i]
        kept = 1.0 - loss
        value = a[mine.S_VALUE + i]
        counted = a[mine.S_COUNTED + i]
        lost = value * loss
        lost_cover = counted * loss
        a[mine.S_HELD + i] *= kept
        a[mine.S_LOCKED + i] *= kept
        a[mine.S_WAIT_1 + i] *= kept
        a[mine.S_WAIT_2 + i] *= kept
        a[mine.S_WAIT_3 + i] *= kept
        a[mine.S_WAIT_4 + i] *= kept
        a[mine.S_VALUE + i] = value - lost
        a[mine.S_COUNTED + i] = counted - lost_cover
        s[at.S_AT_WORK + i] = moved_total(s[at.S_AT_WORK + i], -lost)
        s[at.S_RECOVERABLE + i] = moved_total(s[at.S_RECOVERABLE + i], -lost_cover)
        s[at.S_COVER_COINS + i] = moved_total(s[at.S_COVER_COINS + i], -follows * lost_cover)
        s[at.S_INCOME_VENUE_LOSSES + i] -= lost * s[at.S_COLLATERAL_PRICE + i]


@stage
def market_operations(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """The hour's yield on what is held, its new price, and what comes out of the queue into the idle collateral: at its market price, or nearer to par where the queue pays that."""
    follows = k[mine.C_FOLLOWS]
    counts = k[mine.C_COUNTS]
    moves_on = k[mine.C_MOVES_ON]
    yield_hour = k[mine.C_YIELD_HOUR]
    par_out = k[mine.C_PAR_OUT]
    for i in range(LANES):
        held = a[mine.S_HELD + i]
        cp = s[at.S_COLLATERAL_PRICE + i]
        base = counted_in(cp, follows)
        series = n[mine.M_PRICE + i]
        price = base * series
        inverse_cp = 1.0 / cp
        wait_1 = a[mine.S_WAIT_1 + i]
        wait_2 = a[mine.S_WAIT_2 + i]
        wait_3 = a[mine.S_WAIT_3 + i]
        wait_4 = a[mine.S_WAIT_4 + i]
        before = held + waiting(wait_1, wait_2, wait_3, wait_4)
        part = moves_on * n[mine.M_OPEN + i]
        moved = part * wait_1
        wait_1 -= moved
        wait_2 += moved
        moved = part * wait_2
        wait_2 -= moved
        wait_3 += moved
        moved = part * wait_3
        wait_3 -= moved
        wait_4 += moved
        out = part * wait_4
        wait_4 -= out
        interest = held * yield_hour
        held += interest
        paid = out * base * (series + par_out * (1.0 - series))
        queued = waiting(wait_1, wait_2, wait_3, wait_4)
        tokens = held + queued
        value = tokens * price * inverse_cp
        counted = counts * tokens * series
        a[mine.S_HELD + i] = held
        a[mine.S_WAIT_1 + i] = wait_1
        a[mine.S_WAIT_2 + i] = wait_2
        a[mine.S_WAIT_3 + i] = wait_3
        a[mine.S_WAIT_4 + i] = wait_4
        # the totals' tokens of collateral were marked with the coin's price when the hour opened
        s[at.S_INCOME_MARK_TO_MARKET + i] += (before * price - a[mine.S_VALUE + i] * cp) + (paid - out * price)
        a[mine.S_INCOME + i] += interest * price
        s[at.S_COMING + i] += n[mine.M_OPEN + i] * (queued * (price * inverse_cp))
        s[at.S_IDLE + i] += paid * inverse_cp
        s[at.S_AT_WORK + i] = moved_total(s[at.S_AT_WORK + i], value - a[mine.S_VALUE + i])
        s[at.S_RECOVERABLE + i] = moved_total(s[at.S_RECOVERABLE + i], counted - a[mine.S_COUNTED + i])
        s[at.S_COVER_COINS + i] = moved_total(s[at.S_COVER_COINS + i], follows * (counted - a[mine.S_COUNTED + i]))
        a[mine.S_VALUE + i] = value
        a[mine.S_COUNTED + i] = counted


@scalar
def brought(base: float, series: float, par_out: float) -> float:
    """What one of it fetches: its market price, or nearer to par."""
    return base * (series + par_out * (1.0 - series))


@stage
def lend(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """Before holders trade: what can be had of it at once stands among the idle collateral."""
    follows = k[mine.C_FOLLOWS]
    par_out = k[mine.C_PAR_OUT]
    for i in range(LANES):
        cp = s[at.S_COLLATERAL_PRICE + i]
        free = a[mine.S_HELD + i] - a[mine.S_LOCKED + i]
        free = free if free > 0.0 else 0.0
        fetches = brought(counted_in(cp, follows), n[mine.M_PRICE + i], par_out)
        beside = n[mine.M_OPEN + i] * free * fetches / cp
        a[mine.S_BESIDE + i] = beside
        s[at.S_BESIDE + i] += beside
        s[at.S_IDLE + i] += beside


@stage
def take_back(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """After they traded: what redeemers took of it was sold, the rest is what it was."""
    follows = k[mine.C_FOLLOWS]
    counts = k[mine.C_COUNTS]
    par_out = k[mine.C_PAR_OUT]
    for i in range(LANES):
        cp = s[at.S_COLLATERAL_PRICE + i]
        base = counted_in(cp, follows)
        series = n[mine.M_PRICE + i]
        beside = a[mine.S_BESIDE + i]
        idle = s[at.S_IDLE + i]
        back = beside if beside < idle else idle
        paid = (beside - back) * cp
        held = a[mine.S_HELD + i]
        sold = paid / brought(base, series, par_out)
        sold = sold if sold < held else held
        worth = sold * (base * series)
        cover = counts * sold * series
        a[mine.S_HELD + i] = held - sold
        a[mine.S_VALUE + i] -= worth / cp
        a[mine.S_COUNTED + i] -= cover
        a[mine.S_BESIDE + i] = 0.0
        s[at.S_BESIDE + i] -= beside
        s[at.S_IDLE + i] = idle - back
        s[at.S_AT_WORK + i] = moved_total(s[at.S_AT_WORK + i], -worth / cp)
        s[at.S_RECOVERABLE + i] = moved_total(s[at.S_RECOVERABLE + i], -cover)
        s[at.S_COVER_COINS + i] = moved_total(s[at.S_COVER_COINS + i], -follows * cover)
        s[at.S_INCOME_MARK_TO_MARKET + i] += paid - worth


@stage
def operate(s: Vector, m: Vector, p: Vector, c: Vector, a: Vector, n: Vector, q: Vector, k: Vector) -> None:
    """Turns what is spare above the buffer into it, never under `min_cr`, or asks for what the buffer lacks; one operation an hour, gas paid from idle collateral."""
    deploy_rate = c[at.C_DEPLOY_RATE]
    delay = c[at.C_RESPONSE_DELAY]
    follows = k[mine.C_FOLLOWS]
    counts = k[mine.C_COUNTS]
    reachable = k[mine.C_REACH] > 0.0
    waits = k[mine.C_NOW] < SAID  # what pays redeemers itself need not fill the buffer
    cap = q[mine.P_CAP]
    buffer = p[at.P_IDLE_BUFFER]
    unwind_rate = p[at.P_UNWIND_RATE]
    min_cr = p[at.P_MIN_CR]
    least = SMALLEST_USD * c[at.C_SIZE]
    for i in range(LANES):
        idle = s[at.S_IDLE + i]
        held = a[mine.S_HELD + i]
        value = a[mine.S_VALUE + i]
        cp = s[at.S_COLLATERAL_PRICE + i]
        base = counted_in(cp, follows)
        series = n[mine.M_PRICE + i]
        price = base * series
        inverse_cp = 1.0 / cp
        each = price * inverse_cp  # tokens of collateral that one of it is worth
        inverse_each = 1.0 / each
        gas = m[at.M_GAS_USD + i] * inverse_cp
        own_usd = s[at.S_OWN + i] * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        total = idle + s[at.S_AT_WORK + i] + own_usd * inverse_cp
        unwinding = s[at.S_UNWINDING + i] > 0.5
        acting = unwinding & (s[at.S_UNWINDING_HOURS + i] > delay)
        smallest = SMALLEST_OPERATION * total
        pace = deploy_rate * total
        shut = (n[mine.M_OPEN + i] < 0.5) | (cp < COIN_NEAR_PAR * base)
        coming = waiting(a[mine.S_WAIT_1 + i], a[mine.S_WAIT_2 + i], a[mine.S_WAIT_3 + i], a[mine.S_WAIT_4 + i]) * each

        # decollateralise
        spare = idle - buffer * total
        gap = cap * total - value
        gap = gap if gap < spare else spare
        bought = gap if gap < pace else pace
        supply = s[at.S_SUPPLY + i]
        ratio = s[at.S_CR_CONTRACT + i]
        after = ratio + ((counts * series * inverse_each - 1.0) * bought - gas) / supply
        refused = unwinding | shut | (not reachable) | (after < min_cr)
        bought = bought if ((gap > smallest) & (gap > least) & (not refused)) else 0.0

        # recollateralise
        free = (held - a[mine.S_LOCKED + i]) * each
        over = value - coming - cap * total
        over = over if over > CAP_TOLERANCE * total else 0.0
        opened = n[mine.M_OPEN + i]
        refill = buffer * total - idle - (s[at.S_COMING + i] + (1.0 - opened) * coming)
        refill = refill if ((refill > smallest) & waits) else 0.0
        asked = over if over > refill else refill
        unwound = unwind_rate * free if acting else 0.0
        unwound = unwound if unwound > least else 0.0
        asked = asked if asked > unwound else unwound
        asked = asked if asked < free else free
        asked = asked if asked > least else 0.0

        gas = gas if gas < idle - bought else idle - bought
        gas = gas if (bought + asked) > 0.0 else 0.0
        leaves = asked * inverse_each
        leaves = leaves if leaves < held else held
        comes = bought * inverse_each
        cover = counts * comes * series
        s[at.S_IDLE + i] = idle - bought - gas
        s[at.S_CR_CONTRACT + i] = ratio + (cover - bought - gas) / supply
        a[mine.S_HELD + i] = held + comes - leaves
        a[mine.S_WAIT_1 + i] += leaves
        s[at.S_COMING + i] += opened * asked
        a[mine.S_VALUE + i] = value + bought
        a[mine.S_COUNTED + i] += cover
        s[at.S_AT_WORK + i] += bought
        s[at.S_RECOVERABLE + i] += cover
        s[at.S_COVER_COINS + i] += follows * cover
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= gas * cp


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Whether what is held and not on its way is over its cap, and can be at all."""
    cap = q[mine.P_CAP] + CAP_TOLERANCE
    for i in range(LANES):
        held = a[mine.S_HELD + i]
        queued = waiting(a[mine.S_WAIT_1 + i], a[mine.S_WAIT_2 + i], a[mine.S_WAIT_3 + i], a[mine.S_WAIT_4 + i])
        tokens = held + queued
        cp = s[at.S_COLLATERAL_PRICE + i]
        stays = a[mine.S_VALUE + i] * (held / (tokens if tokens > 0.0 else 1.0)) * cp
        total = (s[at.S_IDLE + i] + s[at.S_AT_WORK + i]) * cp + s[at.S_OWN + i] * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        s[at.S_OVER_CAPS + i] += 1.0 if stays > cap * total else 0.0
        s[at.S_UNSOUND + i] += 0.0 if ((held >= 0.0) & (queued >= 0.0)) else 1.0


STAGES = Stages(
    own=mine,
    begin=begin,
    venue_loss=venue_loss,
    market_operations=market_operations,
    lend=lend,
    take_back=take_back,
    now=mine.C_NOW,
    operate=operate,
    watch=watch,
    cap=mine.P_CAP,
    held=mine.S_HELD,
)
"""What an issuer does with an asset beside the collateral coin: the next one is the same at other offsets."""


@dataclass(frozen=True, kw_only=True)
class Asset(AmoSection):
    """``[amos.NAME]`` of an asset beside the collateral coin."""

    amount: Figure = figure(0.0, 1e13, "tokens", "what is held of it, in units of what it is counted in")
    delay_hours: Figure = figure(0.0, 8760.0, "h", "mean wait between asking for it and having it as idle collateral")
    annual_yield: Figure = figure(-0.5, 1.0, "", "what it yields a year")
    counts: Figure = figure(0.0, 1.0, "", "share of it that counts as cover", default=1.0)
    follows_collateral: Figure = figure(0.0, 1.0, "", "1 = it is counted in the collateral coin, 0 = in the unit of account", default=0.0)
    reachable: Figure = figure(0.0, 1.0, "", "share of it that can be had at all", default=1.0)
    par_out: Figure = figure(0.0, 1.0, "", "what its queue pays: 1 = par, 0 = its market price", default=0.0)
    at_once: Figure = figure(
        0.0, 1.0, "", "1 = it pays redeemers within the hour, beside the collateral coin, 0 = once it has come home", default=0.0
    )

    def collateral(self, _state: ProtocolState) -> float:
        """What is held, at par."""
        return self.amount.value


@dataclass(frozen=True, kw_only=True)
class NamedAsset(Asset):
    """``[amos.NAME-asset]``, an ``[[asset]]`` of that name: it may be had within the hour or never, and yield nothing."""

    delay_hours: Figure = figure(0.0, 8760.0, "h", "mean wait between asking for it and having it as idle collateral", default=0.0)
    annual_yield: Figure = figure(-0.5, 1.0, "", "what it yields a year", default=0.0)


def paid_at_once(state: ProtocolState) -> float:
    """What assets that pay redeemers at once can pay at par, beside the collateral coin."""
    assets = (each for each in state.amos.each() if isinstance(each, Asset) and each.at_once.value > SAID)
    return math.fsum(each.reachable.value * each.amount.value for each in assets)


def asset_constants(section: Asset) -> Mapping[str, float]:
    """The constants of an asset."""
    return {
        "follows": section.follows_collateral.value,
        "counts": section.counts.value,
        "reach": section.reachable.value,
        "moves_on": WAITS / (WAITS + section.delay_hours.value),
        "yield_hour": section.annual_yield.value / HOURS_A_YEAR,
        "par_out": section.par_out.value,
        "now": 1.0 if section.at_once.value > SAID else 0.0,
    }


INPUTS = {
    "price": "ratio; price of the asset over that of what it is counted in",
    "open": "1 = its custodian takes and pays out, 0 = shut",
    "loss": "share of the asset that is lost this hour",
}
"""What every asset has of its market, hour by hour."""

EXPECTATIONS = (
    Expectation(parameter="cap", metric="yield", sign=+1, reason="it yields what idle collateral does not"),
    Expectation(parameter="cap", metric="unserved_usd_hours", sign=+1, reason="it pays redeemers only after its delay"),
)


def asset(name: str, *, title: str, what: str, rank: int, income_rank: int, turn: int, section: type[Asset] = Asset) -> Mechanism:
    """An asset beside the collateral coin: ``what`` it is in a sentence, the ranks of its cap and of its accounting line, its turn. Of one whose name a state chose the cap is asked for."""
    line = name.replace("-", "_")
    named = line != name

    def table(state: ProtocolState) -> Asset:
        found: Asset = getattr(state.amos, name)
        return found

    return Mechanism(
        name=name,
        title=title,
        stages=STAGES,
        earns=turn,
        turn=turn,
        section=section,
        section_rank=turn,
        start=lambda state: {"held": table(state).amount.value},
        constants=lambda state: asset_constants(table(state)),
        inputs=INPUTS,
        price=AssetPrice(what=what),
        loss=Loss(share_of=f"of {what}", event=f"a loss of {what}"),
        parameters={
            "cap": Parameter(
                f"{name}.cap" if named else f"{name}_cap",
                f"Most of {what}, share of all collateral",
                "real",
                0.0,
                1.0,
                "",
                0.01,
                rank=rank,
                share_of="collateral",
                default=None if named else 0.0,
            )
        },
        out={"cap": UnderCap(used=lambda state: table(state).amount.value, use="held")},
        income={"income": Income(name=line, label=f"yield of {what}", rank=income_rank)},
        series={"value": f"{line}_held"},
        collateral_series=f"{line}_held",
        held_collateral="amount",
        expectations=EXPECTATIONS,
    )


def named_asset(label: str, *, first: bool = False) -> Mechanism:  # noqa: ARG001 - it works no pool
    """The asset that a state calls so."""
    return asset(f"{label}-asset", title=f"{label} asset", what=label, rank=134, income_rank=65, turn=7, section=NamedAsset)


MECHANISM = asset("reserve", title="Reserve asset", what="the reserve asset", rank=134, income_rank=65, turn=7)
