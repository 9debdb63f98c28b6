"""What a parameter does, in words: one sentence from the shapes of both objectives and the movements of every term, and where A is best."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.types import LEAST_PATHS
from amo_opt.search.movement import MATERIAL
from amo_opt.search.rule import COVER, DOLLAR, PEG, YIELD
from amo_opt.wording import MISSING, decimals_of, in_account, interval, significant, sized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.search.finding import Shape
    from amo_opt.search.movement import Track
    from amo_opt.search.profile import ParameterProfile
    from amo_opt.search.result import Optimum

NEARLY_ALL = 0.9
"""Share of a whole way from which one step of it is told as the place where it happens."""

NAMES = {
    YIELD: "yield",
    PEG: "peg risk",
    DOLLAR: "peg risk against the dollar",
    "shortfall_cvar90_bps": "deepest shortfall",
    COVER: "worst external CR",
    "breach_probability": "breaches of the external CR",
    "unserved_usd_hours": "unserved redemptions",
    "unserved_cvar90_usd_hours": "unserved redemptions (worst tenth)",
    "dilution": "dilution",
}
"""What the terms are called; the lines of the yield have their own names."""
_UNITS = {"per year": (100.0, "% a year"), "bps": (1.0, " bp")}


def called(parameter: str) -> str:
    """What a parameter is called in a sentence: its name, A by its letter."""
    return "A" if parameter == "amplification" else parameter


def title(term: str, account: str) -> str:
    """What a term is called, in the unit of ``account``."""
    return in_account(NAMES.get(term) or term.replace("_", " "), account)


def plain(value: float) -> str:
    """A parameter's value.

    >>> plain(1500.0), plain(0.0025), plain(123456.0)
    ('1500', '0.0025', '123456')
    """
    return significant(value, 4).replace(",", "")


def numbers(values: Sequence[float], factor: float, *, fine: float) -> list[str]:
    """The values times a factor, alike, with as many decimals as show ``fine`` in two digits; a dash where there is none.

    >>> numbers([0.032, 0.0326], 100.0, fine=0.0006), numbers([1041.2, 2.0], 1.0, fine=39.0)
    (['3.200', '3.260'], ['1041', '2'])
    """
    found = decimals_of(fine * factor)
    decimals = 1 if found is None else min(max(found, 0), 8)
    shown = [round(value * factor, decimals) + 0.0 for value in values]
    return [f"{value:.{decimals}f}" if math.isfinite(value) else MISSING for value in shown]


def measured(value: float, metric: str) -> str:
    """One figure of an objective in two digits, with its unit."""
    factor, unit = _UNITS[MEASURES[metric].metric.unit]
    return f"{numbers([value], factor, fine=value)[0]}{unit}"


def shape_words(shape: Shape, label: str) -> str:
    """What an objective does over a range; ``label`` is what the parameter is called."""
    track, word, best, worst = shape.track, shape.word, shape.place, shape.track.worst()
    if word == "NOT KNOWN":
        return f"what it does to {NAMES[track.metric]} is not known"
    if word == "FLAT":
        return _flat(track, best, worst)
    name, last = NAMES[track.metric], len(track.values) - 1
    factor, unit = _UNITS[MEASURES[track.metric].metric.unit]
    apart = abs(track.figures[best] - track.figures[worst])
    first_at, last_at, best_at = (plain(track.values[place]) for place in (0, last, best))
    shown = (track.figures[0], track.figures[last], track.figures[best])
    # Enough decimals for the smallest figure named, but not a hundred times finer than the way between best and worst.
    fine = max(0.01 * apart, min([apart / 3.0, *(abs(each) for each in shown if each)]))
    at_first, at_last, at_best = numbers(shown, factor, fine=fine)
    small = ", within the study's tolerance" if apart < track.shifts[0, last].bound / MATERIAL else ""
    if word == "MONOTONE":
        whole = track.shifts[0, last].difference.difference
        ends = sorted((abs(whole.low), abs(whole.high)))
        low, high = numbers(ends, factor, fine=(ends[1] - ends[0]) or ends[1])
        return (
            f"{name} {'rises' if whole.value > 0.0 else 'falls'} from {at_first} to {at_last}{unit} (by {low} to {high}, 95% interval{small}) "
            f"as {label} rises from {first_at} to {last_at}{_cliff(track)} (MONOTONE)"
        )
    most = "highest" if track.better > 0 else "lowest"
    where = f"{name} is {most} at {label} = {best_at}: {at_best}{unit}"
    if best in {0, last}:
        other = f"{at_last} at {last_at}" if best == 0 else f"{at_first} at {first_at}"
        return f"{where}, an edge of the range, against {other}, with a step back on the way{small} (EDGE)"
    against = f"against {at_first} at {first_at} and {at_last} at {last_at}{small}"
    return f"{where}, {against} (INTERIOR OPTIMUM)" if word == "INTERIOR OPTIMUM" else f"{where}, not clear of both edges, {against} (EDGE)"


def _cliff(track: Track) -> str:
    """Where nearly all of a monotone way is one step, which."""
    steps = [after - before for before, after in itertools.pairwise(track.figures)]
    steepest = max(range(len(steps)), key=lambda place: abs(steps[place]))
    if len(steps) < 3 or abs(steps[steepest]) < NEARLY_ALL * abs(track.figures[-1] - track.figures[0]):
        return ""
    return f", nearly all of it from {plain(track.values[steepest])} to {plain(track.values[steepest + 1])}"


def _flat(track: Track, best: int, worst: int) -> str:
    name = NAMES[track.metric]
    shift = track.shifts.get((min(best, worst), max(best, worst)))
    if shift is None or shift.unchanged:
        return f"{name} the same throughout"
    if not shift.beyond_chance:
        return f"{name} flat within chance"
    return f"{name} flat: its best and its worst are less than {measured(shift.bound, track.metric)} apart"


def finding_words(profile: ParameterProfile, account: str) -> str:  # noqa: PLR0911 - one return for each kind
    """What a parameter does, in a sentence."""
    found = profile.finding
    over, least = f"from {plain(found.low)} to {plain(found.high)}", f"{100 * MATERIAL:g}%"
    if found.kind == "not simulated":
        return "no value but the current one could be simulated."
    if found.kind == "one value":
        return "FLAT: it has no other value within its range."
    if found.kind == "not known":
        some = f"whether {over} it moves {', '.join(title(each, account) for each in found.unknown)}, and nothing else moves"
        every_one = f"what it does {over}; at least {LEAST_PATHS} of each scenario are needed"
        return f"NOT KNOWN: n = {found.n} paths are too few to tell {every_one if found.nothing_known else some}."
    if found.kind == "unchanged":
        return f"FLAT: {over} it acts through nothing in these scenarios: every figure stays the same."
    if found.kind == "ruled out":
        return f"FLAT: {over} it acts through nothing that matters in these scenarios: no term moves by {least} of its tolerance."
    if found.furthest is not None:
        reach = {name: measured(furthest, name) for name, furthest in found.furthest.items()}
        return (
            f"FLAT: {over} it acts through nothing that is seen in these scenarios: no term moves by more than chance or {least} of its tolerance; "
            f"n = {found.n} paths leave open up to {reach[YIELD]} of yield and {reach[PEG]} of peg risk."
        )
    told = "; ".join(shape_words(profile.shapes[name], called(profile.parameter)) for name in (PEG, YIELD))
    return f"{told}{'; it also moves ' if found.besides else ''}{', '.join(title(each, account) for each in found.besides)}."


HIDDEN_BY_A = (
    "What a high A hides is not identified: whether providers leave a pool for its share while its price still stands is neither shown nor refuted by the daily records of four pools "
    "(the log of liquidity falls by 0.0068 a day per unit of share above 0.65; 95% interval −0.0078 to 0.023)."
)
"""What the profile over A, and every set that moves it, has to be read with."""


def optimum_words(optimum: Optimum) -> str:
    """Whether A is identified, and where peg risk is lowest, without a full stop."""
    peg = optimum.peg
    ends = interval(peg.interval, lambda end: significant(end, 3))
    told = (
        f"peg risk is lowest at A = {optimum.best:g} ({significant(peg.value, 3)} bp, 95% interval {ends}, n = {sized(peg.n, peg.twins)})"
    )
    over = f"{optimum.low:g} to {optimum.high:g}"
    beside = "not clear of both ends of the range" if optimum.inside else "at the edge of the range"
    if not optimum.searched:
        return f"A is not searched: {told}, {'inside the range' if optimum.identified else beside} {over} that was looked at"
    if optimum.identified:
        return f"A identified: {told}, inside the searched range {over}"
    return f"A not identified: {told}, {beside} {over}; no change of A is recommended"
