"""Does the verdict hang on what is assumed? In what share of joint draws it holds, what explains where it fails, and both ends of what explains most.

The ends are a picture that decides nothing: the effect of one is how far it moves the difference between the two sets, on yield or on peg
risk, whichever is more, in the study's tolerances. Figures that move the verdict come first, then the largest effect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Bullets, Code, Heading, InText, Line, Long, Named, Picture, See, Table, Text, Told, n, num, told
from amo_opt.report.ruling import condition_words, turn_words
from amo_opt.report.wording import (
    AXIS_SCALES,
    PEG_SCALE,
    YIELD_SCALE,
    Chip,
    End,
    Ends,
    Scale,
    interval_words,
    paths_counted,
    plain_number,
    sized_count,
    span,
)
from amo_opt.search.rule import by_metric
from amo_opt.stress.settings import SETTINGS
from amo_opt.wording import NOT_KNOWN, clean, count

if TYPE_CHECKING:
    from amo_opt.report.account import Account
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import AssumptionDoubt, Band, Bound, Sensitivity

PERCENT = Scale(100.0, 0, "%")
FIRST = 3
"""Assumptions named in a sentence."""
CONDITIONS = 6
"""Conditions told of those that hold in the fewest draws."""
SHOWN = 10
"""Figures of the tornado, and of the table where fewer move the verdict."""
_NONE = "Nothing that is assumed was drawn in this run, so how far the verdict hangs on it is not known"
_ENDS = "Differences of the shown set to the current one at that value; a position takes the minter's books along. Effect: the larger shift of the two, over either end, in tolerances of the study. Every end is in results.json."


def blocks(of: Account) -> list[Block]:
    """The joint draws, and behind the sections what explains them with the ends of ranges."""
    return [
        Heading("Does the verdict hang on what is assumed?"),
        *_draws(of),
        InText(Text("What explains it, and the ends of ranges one at a time: ", See("sensitivity"), ".")),
        Long("sensitivity", "Assumed figures moved to the ends of their ranges", *_drivers(of), *_ends(of)),
    ]


# -- joint draws ---------------------------------------------------------------------------------------------------------------------


def _draws(of: Account) -> list[Block]:
    doubt = of.result.doubt
    if doubt is None:
        return [Text(f"{_NONE}.")]
    told_of = f"{doubt_words(doubt)} (seed {of.study.search.seed}; {sized_count(doubt.paths, doubt.twins, 'holdout path')} of all scenarios together, the same in every draw)."
    heads = (
        "Shown set less current",
        num("By the chance of paths (95%)"),
        num("Over the draws (95%)"),
        num("Median"),
        n("n draws"),
        num("Foretold by the fit"),
    )
    base = _base(of)
    bands = [
        _band("Yield, pp a year", doubt, doubt.yield_band, base.get("yield"), YIELD_SCALE),
        _band("Peg risk, bp", doubt, doubt.peg_band, base.get("peg_cvar95_bps"), PEG_SCALE),
    ]
    conditions = "; ".join(
        f"{condition_words(condition, of.unit)} {PERCENT.text(kept)}"
        for condition, kept in sorted(doubt.conditions, key=lambda each: each[1])[:CONDITIONS]
        if kept < 1.0
    )
    asked = f"What the rule asks of the shown set, and the share of draws in which it does it: {conditions}."
    return [
        Text(told_of),
        Text(f"{_region(doubt)} {_first(doubt)}"),
        Table(heads, bands, label="Differences under doubt"),
        Text(asked if conditions else ""),
    ]


def _base(of: Account) -> dict[str, Estimate]:
    """The difference between the two sets at the assumed values."""
    return {name: each.difference for name, each in by_metric(of.subject.paired).items()}


def _band(title: str, doubt: AssumptionDoubt, band: Band, base: Estimate | None, scale: Scale) -> tuple[Line, ...]:
    fine = scale.fine((band.high - band.low) / 2.0)
    return (
        title,
        NOT_KNOWN if base is None else told(base, scale.told(base), signed=True),
        fine.between(band.low, band.high, signed=True),
        fine.number(band.median, signed=True),
        f"{doubt.share.n - doubt.failed:,}",
        PERCENT.text(band.foretold),
    )


def doubt_words(doubt: AssumptionDoubt | None) -> str:
    """In what share of joint draws the verdict holds, what was demanded, and what is missing; without a full stop."""
    if doubt is None:
        return _NONE
    what = "passes the rule" if doubt.recommended else "does not pass the rule, as here"
    lost = (
        f"; {count(doubt.failed, 'draw')} could not be simulated and {'counts' if doubt.failed == 1 else 'count'} against it"
        if doubt.failed
        else ""
    )
    return (
        f"The verdict holds in {share_words(doubt.share)} of {count(doubt.share.n, 'joint draw')} of everything that is assumed "
        f"({count(doubt.assumptions, 'figure')} of state and scenarios, each within its range): there the set {what}{lost}. "
        f"The study demands that {PERCENT.text(doubt.demanded)} be shown{_missing(doubt)}"
    )


def share_words(share: Estimate) -> str:
    """``83% (95% interval 71 to 91)``."""
    return f"{PERCENT.text(share.value)} (95% interval {PERCENT.interval(share) if math.isfinite(share.low) else NOT_KNOWN})"


def _missing(doubt: AssumptionDoubt) -> str:
    if doubt.robust:
        return ": it is"
    if doubt.more_draws is None:
        return ": it is not, and no number of draws would show it on these paths if the share is what was found"
    return f": it is not; if the share is what was found, {count(doubt.more_draws, 'more draw')} would show it"


def _region(doubt: AssumptionDoubt) -> str:
    region = doubt.region
    if region is None:
        return "No region of one or two assumptions tells where it fails better than chance."
    return (
        f"It fails most where {' and '.join(_bound(each) for each in region.bounds)} ({count(region.draws, 'draw')}): on draws that had no part in "
        f"finding this, {PERCENT.text(region.purity)} of those inside fail, and {PERCENT.text(region.covered)} of all failures lie inside."
    )


def _bound(bound: Bound) -> str:
    return f"{clean(bound.name)} {'above' if bound.side == 'above' else 'at most'} {plain_number(float(f'{bound.threshold:.3g}'))}"


def _first(doubt: AssumptionDoubt) -> str:
    """The assumptions that explain most, in a sentence."""
    above = [each for each in doubt.drivers[:FIRST] if each.index.value > doubt.by_chance]
    if not above:
        return "No single assumption explains more of where it fails than chance would."
    names = ", ".join(
        f"{clean(each.name)} {PERCENT.text(each.index.value)} ({PERCENT.interval(each.index)}; less towards its {each.side} end)"
        for each in above
    )
    return f"Of {'where it fails' if doubt.explains == 'failures' else 'how near it comes to failing'} explain by themselves: {names}."


def _drivers(of: Account) -> list[Block]:
    """The share of the variance that each assumption explains by itself, and where the verdict holds less."""
    doubt = of.result.doubt
    if doubt is None or not doubt.drivers:
        return []
    what = "of whether it fails" if doubt.explains == "failures" else "of how near it comes to failing (too few draws fail)"
    explained = (
        f"Share of the variance {what} that each assumption explains by itself (first-order Sobol' index); the best of as many without "
        f"any effect has {PERCENT.text(doubt.by_chance)} in one case of 20."
    )
    heads = ("Assumption", num("Range"), num("Explains, % (95%)"), n("n draws"), "Holds less towards its")
    rows = [
        (
            _named(each.name, of),
            f"{plain_number(each.low)} to {plain_number(each.high)} (here {plain_number(each.value)})",
            told(each.index, PERCENT),
            f"{each.index.n:,}",
            f"{each.side} end",
        )
        for each in doubt.drivers
    ]
    return [Text(explained), Table(heads, rows, label="What explains where the verdict fails")]


def _named(name: str, of: Account) -> Named:
    titles = {row.key: row.doc for row in of.state}
    return Named(titles.get(name) or assumption_title(name), (clean(name),))


def assumption_title(name: str) -> str:
    """What a setting or a weight of a scenario is; of anything else its name."""
    place, _, setting = name.partition(": ")
    return f"weight of {place}" if setting == "weight" else SETTINGS[setting].doc if setting in SETTINGS else clean(name)


# -- one at a time -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assumption:
    """One assumed figure at the ends of its range that could be run: its effect in tolerances, and whether it moves the verdict."""

    name: str
    ends: tuple[Sensitivity, ...]
    effect: float
    moves: bool


def moved_of(of: Account) -> list[Assumption]:
    """Every assumed figure that was moved, those that move the verdict first."""
    ends: dict[str, tuple[Sensitivity, ...]] = {}
    for each in sorted(_ran(of), key=lambda end: end.end == "high"):
        ends[each.figure] = (*ends.get(each.figure, ()), each)
    found = [
        Assumption(name, both, max(_effect(each, of) for each in both), moves=not all(each.holds for each in both))
        for name, both in ends.items()
    ]
    return sorted(found, key=lambda each: (not each.moves, -each.effect, each.name))


def _ran(of: Account) -> list[Sensitivity]:
    """The ends that could be run: the others have no paths."""
    return [each for each in of.result.sensitivity if each.n]


def _effect(found: Sensitivity, of: Account) -> float:
    """Shift of the difference between the sets, in tolerances; infinite where the sets could not be compared."""
    certification, base = of.study.certification, _base(of)
    shifts = []
    for (name, moved), tolerance in zip(
        _differences(found).items(), (certification.tolerance_yield, certification.tolerance_peg_bps), strict=True
    ):
        if moved is None:
            return math.inf
        shift = abs(moved.value - base[name].value) if name in base else 0.0
        shifts.append(shift / tolerance if tolerance > 0.0 else math.inf if shift > 0.0 else 0.0)
    return max(shifts)


def _differences(found: Sensitivity) -> dict[str, Estimate | None]:
    return {"yield": found.yield_difference, "peg_cvar95_bps": found.peg_difference}


def _ends(of: Account) -> list[Block]:
    """A row an end, the first with the figure's title; then what is left out and what could not be run."""
    moved = moved_of(of)
    kept = max(SHOWN, sum(each.moves for each in moved))
    heads = (
        "Assumed figure",
        num("At"),
        num("Yield, pp a year (95%)"),
        num("Peg risk, bp (95%)"),
        n(),
        "Verdict",
        num("Effect, tolerances"),
    )
    rows = [_row(each, end, of) for each in moved[:kept] for end in each.ends]
    rest = [part for each in moved[kept:] for part in (", ", Code(each.name))][1:]
    lost = [
        (
            Code(each.figure),
            f" at {plain_number(each.value)}: {'no reason recorded' if each.objection is None else clean(each.objection.detail)}",
        )
        for each in of.result.sensitivity
        if not each.n
    ]
    return [
        Text(ends_finding(of)),
        Picture("tornado"),
        Table(heads, rows, label="Sensitivity to assumed figures"),
        Text(_ENDS if rows else "", kind="small"),
        *([Text("With a smaller effect, the verdict holding: ", *rest, ".")] if rest else []),
        Text("Ends that could not be run:" if lost else ""),
        Bullets(lost),
    ]


def _row(moved: Assumption, end: Sensitivity, of: Account) -> tuple[Line, ...]:
    turn = turn_words(end.objection, of.unit)
    verdict = Chip("HOLDS" if end.holds else "MOVES")
    return (
        _named(moved.name, of) if end is moved.ends[0] else Code(moved.name),
        plain_number(end.value),
        *(_told(difference, AXIS_SCALES[name]) for name, difference in _differences(end).items()),
        f"{end.n:,}",
        (verdict, f": {turn}") if turn else verdict,
        Scale(1.0, 2, "tolerances").number(moved.effect),
    )


def _told(difference: Estimate | None, scale: Scale) -> Told:
    return told(difference, scale if difference is None else scale.told(difference), signed=True)


def ends_finding(of: Account) -> str:
    """At how many ends the verdict holds."""
    found = moved_of(of)
    if not found:
        return "No assumed figure was moved in this run, so how far the verdict hangs on them is not known."
    moved = sum(each.moves for each in found)
    n, lost = min(each.n for each in _ran(of)), sum(not each.n for each in of.result.sensitivity)
    ends = "both ends" if not lost else "every end that was run"
    why = f" {count(lost, 'end')} could not be run, for the reasons given." if lost else ""
    tail = f"(n = {count(n, 'holdout path')} for each end, seed {of.study.search.seed}; those that explain most, one at a time, all else held; a picture that decides nothing).{why}"
    if not moved:
        return f"The verdict holds at {ends} of the range of {'the one assumption' if len(found) == 1 else f'all {len(found)} assumptions'} moved {tail}"
    return (
        f"{count(moved, 'assumption')} of the {len(found)} moved {'changes' if moved == 1 else 'change'} the verdict at an end of "
        f"{'its' if moved == 1 else 'their'} range; for {len(found) - moved} it holds at {ends} {tail}"
    )


def ends_of(of: Account) -> Ends | None:
    """The tornado of the first figures; None where none was moved."""
    shown = moved_of(of)[:SHOWN]
    if not shown:
        return None
    base, subject = _base(of), of.subject
    rows = {each.name: tuple(_mark(end) for end in each.ends) for each in shown}
    earned, peg = (None if (found := base.get(name)) is None else span(found, scale) for name, scale in AXIS_SCALES.items())
    n, moved = min(end.n for each in shown for end in each.ends), any(each.moves for each in shown)
    intervals = interval_words(span for ends in rows.values() for end in ends for span in end.spans)
    order = "that move the verdict, or else have the largest effect" if moved else "with the largest effect"
    line = (
        ""
        if subject.other is None
        else f"; the line is the difference at the assumed values on all {paths_counted(subject.score(subject.other).yield_annual, f'{subject.stream} path')}"
    )
    return Ends(
        rows,
        f"{shown[0].name} comes first. {subject.short_label} less current at the low (◀) and the high end (▶) of the {count(len(shown), 'figure')} {order}"
        f"{'; orange and hollow: the verdict moves there' if moved else ''}{line} (marks: {intervals}, the first n = {count(n, 'holdout path')}, "
        f"seed {of.study.search.seed}).",
        bases=(earned, peg),
    )


def _mark(found: Sensitivity) -> End:
    spans = tuple(None if each is None else span(each, AXIS_SCALES[name]) for name, each in _differences(found).items())
    return End(found.end, spans, held=found.holds)
