"""Whether the tail is settled: what holdout paths leave open about peg risk, and about its difference from the current set's.

The rule. Open is what no interval can tell of, because it rests on the interval itself: the plan asked for more paths than the cap allows, and the difference is not
told from the tolerance on those; selection and holdout paths, which share nothing, see differences further apart than the root of the sum of the squares of their
half-widths; or one path holds over a fifth of a variance, so that the interval hangs on whether that path was drawn, and so does what is concluded from it: of a difference,
where one such path more or less would carry the interval over the tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from amo_opt.scoring.influence import MOST_SHARE
from amo_opt.scoring.types import Estimate
from amo_opt.search.planning import TWO_SIDED_NORMAL
from amo_opt.search.rule import PEG, by_metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amo_opt.search.planning import Plan
    from amo_opt.search.result import Candidate

Kind = Literal["not known", "at the cap", "apart", "one path"]

MOST_NEEDED = 10_000_000
"""Most paths of a scenario that a study may ask for."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One thing that is open. ``set``: whose peg risk, or whose ``difference`` to the current set's, which on holdout paths is ``found``.

    ``seen``, on selection paths, with ``apart``; the ``tolerance``, and the ``cap`` and about how many paths of a scenario would tell (``needed``; None where
    none would, as far as is seen), with ``at the cap``.
    """

    kind: Kind
    set: str
    difference: bool
    found: Estimate
    seen: Estimate | None = None
    tolerance: float | None = None
    cap: int | None = None
    needed: int | None = None


@dataclass(frozen=True)
class Tails:
    """Everything that is open, in the order of the rule; nothing = the tail is settled. Where an interval is not known that alone is told."""

    doubts: tuple[Doubt, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing is open."""
        return not self.doubts


def tails_of(current: Candidate, rival: Candidate | None, plan: Plan | None, *, cap: int) -> Tails:
    """What is open of the current set and of the ``rival`` that was run on the holdout beside it; ``cap`` = the study's `most_paths`."""
    doubts: list[Doubt] = []
    if rival is not None:
        doubts += _of_difference(rival, plan, cap)
    for each in (current, rival):
        if each is not None and each.holdout_score is not None:
            doubts += _of_figure(each.id, each.holdout_score.peg_risk_bps, difference=False)
    unknown = [each for each in doubts if each.kind == "not known"]
    return Tails(tuple(unknown[:1] or doubts))


def _of_difference(rival: Candidate, plan: Plan | None, cap: int) -> Iterator[Doubt]:
    on_selection, on_holdout = (by_metric(each).get(PEG) for each in (rival.selection_paired, rival.holdout_paired))
    if on_holdout is None or on_selection is None:
        return
    seen, found, tolerance = on_selection.difference, on_holdout.difference, on_holdout.tolerance
    if seen.interval is None or found.interval is None:
        yield Doubt(kind="not known", set=rival.id, difference=True, found=found, seen=seen)
        return
    if plan is not None and plan.capped and found.low < tolerance < found.high:
        needed = _needed(found, tolerance, cap)
        yield Doubt(kind="at the cap", set=rival.id, difference=True, found=found, tolerance=tolerance, cap=cap, needed=needed)
    if apart(seen, found):
        yield Doubt(kind="apart", set=rival.id, difference=True, found=found, seen=seen)
    if within_a_path(found, edges_of(found, tolerance)):
        yield from _of_figure(rival.id, found, difference=True)


def _of_figure(name: str, found: Estimate, *, difference: bool) -> Iterator[Doubt]:
    if found.interval is None:
        yield Doubt(kind="not known", set=name, difference=difference, found=found)
    elif found.largest_share is not None and found.largest_share > MOST_SHARE:
        yield Doubt(kind="one path", set=name, difference=difference, found=found)


def edges_of(found: Estimate, tolerance: float) -> tuple[float, ...]:
    """What is told of a difference: its side of the tolerance, and of 0 where its interval says so."""
    return (tolerance,) if found.low <= 0.0 <= found.high else (0.0, tolerance)


def within_a_path(found: Estimate, edges: Sequence[float]) -> bool:
    """Whether the path that holds most of the variance, drawn once more or once less, could carry an end of the interval over one of the edges: what it adds is the root of its
    share of the variance.
    """
    adds = math.sqrt(found.largest_share or 0.0) * 0.5 * (found.high - found.low) / TWO_SIDED_NORMAL
    return any(found.low - adds < edge < found.high + adds for edge in edges)


def apart(one: Estimate, other: Estimate) -> bool:
    """Whether two estimates of the same figure, from paths of their own, are further apart than their intervals allow together."""
    return abs(one.value - other.value) > 0.5 * math.hypot(one.high - one.low, other.high - other.low)


def _needed(found: Estimate, tolerance: float, cap: int) -> int | None:
    """Paths whose half-width is half of the distance to the tolerance, as a plan would ask for, by the square law from the ``cap`` on; to two digits."""
    distance = abs(found.value - tolerance)
    times = ((found.high - found.low) / distance) ** 2 if distance > 0.0 else math.inf
    if cap * times > MOST_NEEDED:
        return None
    unit = 10 ** max(0, len(str(int(cap * times))) - 2)
    return int(math.ceil(cap * times / unit) * unit)
