"""The recommendation rule, applied; `report.sections.choice` says it in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amo_opt.config.study import Certification
from amo_opt.scoring.intervals import holm
from amo_opt.scoring.types import PairedDifference, Score
from amo_opt.search.front import Point, worth
from amo_opt.search.ruling import Objection, Stream

LEVEL = 0.05
"""Level of the tests, after Holm's correction over candidates and metrics."""
YIELD = "yield"
PEG = "peg_cvar95_bps"
DOLLAR = "peg_cvar95_dollar_bps"
COVER = "min_cr_external_tail95"
AXES = (YIELD, PEG)
COMPARED = (*AXES, DOLLAR, COVER)
"""The metrics whose paired differences the rule reads."""


def tolerances(certification: Certification) -> Point:
    """The tolerances of yield and of peg risk: the units in which both axes are measured together."""
    return certification.tolerance_yield, certification.tolerance_peg_bps


def by_metric(paired: Sequence[PairedDifference]) -> dict[str, PairedDifference]:
    """Paired differences over all scenarios, by metric name."""
    return {difference.metric: difference for difference in paired if difference.scenario is None}


def eligible(
    scores: Mapping[str, Score], paired: Mapping[str, Sequence[PairedDifference]], certification: Certification, *, stream: Stream
) -> dict[str, Objection | None]:
    """For every candidate id why it may not be recommended after what it did on these paths, or None where it may."""
    ids = list(scores)
    differences = {name: by_metric(paired[name]) for name in ids}
    adjusted = iter(holm([differences[name][axis].p_better for name in ids for axis in AXES]))
    better = {name: {axis: next(adjusted) <= LEVEL and _gain(differences[name][axis]) > 0.0 for axis in AXES} for name in ids}
    return {name: _objection(scores[name], differences[name], better[name], certification, stream) for name in ids}


def within_at_values(paired: Sequence[PairedDifference], certification: Certification) -> bool:
    """Whether the set is no worse by more than any tolerance at point values, and gains enough in all: of one that the tolerances' intervals refused on selection
    paths, that holdout paths planned for it may settle it.
    """
    found = by_metric(paired)
    allowed = {YIELD: certification.tolerance_yield, COVER: certification.tolerance_cr}
    losses = {name: -found[name].difference.value for name in (YIELD, COVER) if name in found}
    losses |= {name: found[name].difference.value for name in (PEG, DOLLAR)}
    kept = all(loss < allowed.get(name, certification.tolerance_peg_bps) for name, loss in losses.items())
    return kept and _gain_in_tolerances(found, certification) >= 0.0


def _gain(difference: PairedDifference) -> float:
    return difference.difference.value if difference.metric == YIELD else -difference.difference.value


def _objection(  # noqa: PLR0911 - one return for each condition of the rule
    score: Score, differences: Mapping[str, PairedDifference], better: Mapping[str, bool], certification: Certification, stream: Stream
) -> Objection | None:
    undecided = [constraint for constraint in score.constraints if not constraint.decidable]
    if undecided:
        return Objection(kind="undecided", stream=stream, limit=undecided[0])
    broken = [constraint for constraint in score.constraints if constraint.violation_high > 0.0]
    if broken:
        return Objection(kind="limit", stream=stream, limit=max(broken, key=lambda constraint: constraint.violation_high))
    if not any(better.values()):
        return Objection(kind="no gain", stream=stream)
    held = {
        YIELD: differences[YIELD].difference.low > -certification.tolerance_yield,
        PEG: differences[PEG].difference.high < certification.tolerance_peg_bps,
    }
    if not (better[YIELD] and held[PEG]) and not (better[PEG] and held[YIELD]):
        axis, tolerance = (PEG, certification.tolerance_peg_bps) if better[YIELD] else (YIELD, certification.tolerance_yield)
        return _beyond(differences[axis], tolerance, stream)
    if differences[DOLLAR].difference.high > certification.tolerance_peg_bps:
        return _beyond(differences[DOLLAR], certification.tolerance_peg_bps, stream)
    if COVER in differences and differences[COVER].difference.low < -certification.tolerance_cr:
        return _beyond(differences[COVER], certification.tolerance_cr, stream)
    if _gain_in_tolerances(differences, certification) < 0.0:
        return Objection(kind="small gain", stream=stream, bound=certification.least_gain)
    return None


def _beyond(difference: PairedDifference, tolerance: float, stream: Stream) -> Objection:
    """That a loss of more than the tolerance is not ruled out."""
    return Objection(kind="tolerance", stream=stream, metric=difference.metric, interval=difference.difference, bound=tolerance)


def _gain_in_tolerances(differences: Mapping[str, PairedDifference], certification: Certification) -> float:
    """What the set gains in all beyond the least gain, yield and peg risk in tolerances (multiplied out, so that a tolerance may be 0)."""
    units = tolerances(certification)
    gained = worth((differences[YIELD].difference.value, differences[PEG].difference.value), units)
    return gained - certification.least_gain * units[0] * units[1]
