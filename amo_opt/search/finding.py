"""What a parameter does, in words by rule: one sentence from the shapes of both objectives and the movements of every term."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amo_opt.config.wording import MISSING, significant
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.types import LEAST_PATHS
from amo_opt.search.movement import MATERIAL, Shift, Track, Word, classify
from amo_opt.search.rule import AXES, COVER, DOLLAR, PEG, YIELD

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
_UNITS = {"per year": (100.0, "% a year"), "bps": (1.0, " bps")}


def called(parameter: str) -> str:
    """What a parameter is called in a sentence: its name, A by its letter."""
    return "A" if parameter == "amplification" else parameter


def title(term: str) -> str:
    """What a term is called."""
    return NAMES.get(term) or term.replace("_", " ")


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
    size = abs(fine * factor)
    decimals = min(max(1 - math.floor(math.log10(size)), 0), 8) if 0.0 < size < math.inf else 1
    shown = [round(value * factor, decimals) + 0.0 for value in values]
    return [f"{value:.{decimals}f}" if math.isfinite(value) else MISSING for value in shown]


def measured(value: float, metric: str) -> str:
    """One figure of an objective in two digits, with its unit."""
    factor, unit = _UNITS[MEASURES[metric].metric.unit]
    return f"{numbers([value], factor, fine=value)[0]}{unit}"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What an objective does over a range, as a word (`movement.classify`) and in words, and the value where it is ``best``."""

    word: Word
    best: float
    text: str


def shape(track: Track, *, current: float, label: str) -> Shape:
    """The shape of a track; ``label`` is what the parameter is called in the text."""
    word, best = classify(track, current=current)
    return Shape(word=word, best=track.values[best], text=_told(track, word, best, track.worst(), label))


def _told(track: Track, word: Word, best: int, worst: int, label: str) -> str:
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


def finding(values: Sequence[float], shapes: Mapping[str, Shape], shifts: Mapping[str, Sequence[Shift]], n: int) -> tuple[bool | None, str]:
    """Whether the parameter is flat, and one sentence on what it does. ``shifts`` holds the differences to the current set, by term.

    None where the paths are too few to tell any term from chance, or some of them and none of the others moves.
    """
    every = [shift for row in shifts.values() for shift in row]
    over, least = f"from {plain(values[0])} to {plain(values[-1])} it", f"{100 * MATERIAL:g}%"
    if len(values) == 1:
        return True, "FLAT: it has no other value within its range."
    still = not any(shift.moves for shift in every)
    unknown = [title(name) for name, row in shifts.items() if not all(shift.known for shift in row)]
    if still and unknown:
        some = f"whether {over} moves {', '.join(unknown)}, and nothing else moves"
        every_one = f"what it does {over.removesuffix(' it')}; at least {LEAST_PATHS} of each scenario are needed"
        return None, f"NOT KNOWN: n = {n} paths are too few to tell {every_one if len(unknown) == len(shifts) else some}."
    if still and all(found.word == "FLAT" for found in shapes.values()):
        if all(shift.unchanged for shift in every):
            return True, f"FLAT: {over} acts through nothing in these scenarios: every figure stays the same."
        if all(shift.ruled_out for shift in every):
            return True, f"FLAT: {over} acts through nothing that matters in these scenarios: no term moves by {least} of its tolerance."
        return True, (
            f"FLAT: {over} acts through nothing that is seen in these scenarios: no term moves by more than chance or {least} of its tolerance; "
            f"n = {n} paths leave open up to {_open(shifts, YIELD)} of yield and {_open(shifts, PEG)} of peg risk."
        )
    also = [title(name) for name, row in shifts.items() if name not in AXES and any(shift.moves for shift in row)]
    told = "; ".join(shapes[name].text for name in (PEG, YIELD))
    return False, f"{told}{'; it also moves ' if also else ''}{', '.join(also)}."


def _open(shifts: Mapping[str, Sequence[Shift]], name: str) -> str:
    """The furthest end of a term's intervals."""
    return measured(max(shift.furthest for shift in shifts[name]), name)
