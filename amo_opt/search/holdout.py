"""Holdout paths: the sets with a role, the current one and the half step run once on paths nothing was chosen on; every published figure is theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.paired import Brief, differences
from amo_opt.scoring.parts import RiskPart, risk_parts
from amo_opt.scoring.score import judged
from amo_opt.scoring.types import PairedDifference, Score
from amo_opt.search.certifier import Certifier
from amo_opt.search.evidence import PriceFans, WorstRows, worst_rows
from amo_opt.search.front import worth
from amo_opt.search.plateau import half_way
from amo_opt.search.result import Candidate, Role
from amo_opt.search.rule import eligible, tolerances
from amo_opt.search.ruling import Binding, Objection, Paths, Ruling, binding_of, nearest
from amo_opt.simulation.outcome import Outcome

CURRENT = "current"
"""The id of the set in force."""


@dataclass(frozen=True)
class _OnHoldout:
    """What is kept of a set on holdout paths: all that is published of it, but none of its paths beyond the worst."""

    score: Score
    briefs: tuple[Brief, ...]
    worst: WorstRows
    paired: tuple[PairedDifference, ...] = ()
    parts: tuple[RiskPart, ...] = ()

    def against(self, current: _OnHoldout) -> _OnHoldout:
        """With its paired differences to the current set."""
        pairs = zip(self.briefs, current.briefs, strict=True)
        paired = tuple(each for one, other in pairs for each in differences(one, other).values())
        return replace(self, briefs=(), paired=paired)


@dataclass(frozen=True)
class Selection:
    """What selection paths chose: roles of the chosen sets and objections to every set but the current one, by id, and the ruling so far; and in what share of
    draws the rule would have those that were asked.
    """

    roles: dict[str, Role]
    objections: dict[str, Objection | None]
    ruling: Ruling
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether a set passed the rule there."""
        return bool(self.roles) and self.ruling.passed


@dataclass(frozen=True)
class Holdout:
    """What holdout paths gave. ``rival`` is the set shown beside the current one: chosen on selection paths, else what came closest; None where it failed.
    ``parts`` = where the peg risk of these two comes from, by id.
    """

    candidates: list[Candidate]
    ruling: Ruling
    worst: dict[str, WorstRows]
    parts: dict[str, tuple[RiskPart, ...]]
    rival: Candidate | None
    half_step: Candidate | None
    fans: PriceFans


def _run_on_holdout(
    certifier: Certifier, sets: Sequence[ParameterSet], fans: PriceFans, *, edges: Mapping[str, float | None], told: Collection[int]
) -> list[_OnHoldout | SimulationError]:
    """Every set on holdout paths, the others compared with the first, which is the current one; the parts of risk of those at the places ``told``.

    Raises where the first fails.
    """
    home: list[_OnHoldout] = []

    def seen(placed: tuple[int, Outcome | SimulationError]) -> _OnHoldout | SimulationError:
        place, outcome = placed
        if isinstance(outcome, SimulationError):
            return outcome
        found = judged(outcome, certifier.study, within=True)
        parts = risk_parts(outcome, certifier.study, edges) if place in told else ()
        return _OnHoldout(found.score, (found.brief, *found.within), worst_rows(outcome), parts=parts)

    def compared(first: int, outcomes: list[Outcome | SimulationError]) -> list[_OnHoldout | SimulationError]:
        found = certifier.map(seen, list(enumerate(outcomes, first)))
        if first == 0:
            if isinstance(found[0], SimulationError):
                raise found[0]
            home.append(found[0])
        return [
            each if isinstance(each, SimulationError) or (first == 0 and place == 0) else each.against(home[0])
            for place, each in enumerate(found)
        ]

    return certifier.in_groups(sets, compared, stream="holdout", phase="holdout", watched=fans.watched, seen=fans.put)


def run_holdout(
    certifier: Certifier, on_selection: Sequence[Candidate], selection: Selection, *, edges: Mapping[str, float | None]
) -> Holdout:
    """Current set, chosen set and alternatives on holdout paths, and the half step to the chosen one; it must pass the rule there too.

    Where none was chosen the set that came closest runs on holdout paths in their place, so that every published figure comes from there.
    ``edges``: the loss at which a scenario's events begin.
    """
    roles = selection.roles
    taken = set(roles) or {closest(certifier.study, on_selection)}
    kept = [candidate for candidate in on_selection if candidate.id == CURRENT or candidate.id in taken]
    target = next((candidate for candidate in kept if roles.get(candidate.id) == "recommended"), kept[-1])
    half = half_way(certifier.study.current, target.parameters)
    sets = [candidate.parameters for candidate in kept]
    fans = PriceFans(certifier, {k: each.id for k, each in enumerate(kept) if each.id == CURRENT or roles.get(each.id) == "recommended"})
    told = {k for k, candidate in enumerate(kept) if candidate.id in (CURRENT, target.id)}
    runs = _run_on_holdout(certifier, sets if half is None else [*sets, half], fans, edges=edges, told=told)
    found: dict[str, _OnHoldout] = {}
    refusals: dict[str, Objection] = {}
    for candidate, run in zip(kept, runs[: len(kept)], strict=True):
        if isinstance(run, SimulationError):
            refusals[candidate.id] = Objection(kind="failed", stream="holdout", detail=str(run))
        else:
            found[candidate.id] = run
    scores = {name: each.score for name, each in found.items()}
    paired = {name: each.paired for name, each in found.items() if name != CURRENT}
    chosen = next((name for name, role in roles.items() if role == "recommended"), None)
    if chosen in scores:
        refusal = eligible({chosen: scores[chosen]}, {chosen: paired[chosen]}, certifier.study.certification, stream="holdout")[chosen]
        if refusal is not None:
            refusals[chosen] = refusal
    result = []
    for candidate in on_selection:
        objection = refusals.get(candidate.id) or selection.objections.get(candidate.id)
        role = roles.get(candidate.id, "candidate") if objection is None else "candidate"
        result.append(
            replace(
                candidate,
                role=candidate.role if candidate.id == CURRENT else role,
                holdout_score=scores.get(candidate.id),
                holdout_paired=paired.get(candidate.id, ()),
                objection=objection,
                robust_share=selection.shares.get(candidate.id),
            )
        )
    halfway = None if half is None or isinstance(runs[-1], SimulationError) else _half_step(half, runs[-1])
    rival = next((each for each in result if each.id == target.id and each.holdout_score is not None and each.id != CURRENT), None)
    return Holdout(
        candidates=result,
        ruling=_ruling(selection.ruling, result, refusals),
        worst={name: each.worst for name, each in found.items()},
        parts={name: each.parts for name, each in found.items() if each.parts},
        rival=rival,
        half_step=halfway,
        fans=fans,
    )


def _ruling(on_selection: Ruling, candidates: Sequence[Candidate], refusals: Mapping[str, Objection]) -> Ruling:
    """The ruling after holdout paths: they may refuse what selection paths chose, and of the set that stays in force their nearest limit is told."""
    if on_selection.outcome == "recommended" and on_selection.set in refusals:
        return refuse(on_selection, refusals[on_selection.set], candidates[0])
    if on_selection.outcome == "recommended":
        chosen = next(each for each in candidates if each.id == on_selection.set)
        return replace(on_selection, paths=_paths(chosen, on_selection), binding=_on_holdout(chosen))
    return replace(on_selection, binding=_on_holdout(candidates[0])) if on_selection.outcome == "no change" else on_selection


def refuse(ruling: Ruling, objection: Objection, current: Candidate) -> Ruling:
    """The ruling once the set that selection paths chose is refused: no change, decided on holdout paths."""
    return replace(ruling, outcome="no change", paths=_paths(current, ruling), objection=objection, binding=_on_holdout(current))


def _paths(candidate: Candidate, before: Ruling) -> Paths:
    """The holdout paths of a set that ran on them."""
    score = candidate.holdout_score
    return replace(before.paths, stream="holdout") if score is None else Paths.of("holdout", score)


def _on_holdout(candidate: Candidate) -> Binding | None:
    """The set's nearest limit on holdout paths."""
    score = candidate.holdout_score
    return None if score is None else binding_of(candidate.id, "holdout", nearest(score))


def _half_step(parameters: ParameterSet, found: _OnHoldout) -> Candidate:
    """The half step with its figures from holdout paths, which stand in the place of the selection paths' too: nothing was chosen by it."""
    return Candidate(
        id=parameters.name,
        role="candidate",
        parameters=parameters,
        search=None,
        selection_score=found.score,
        holdout_score=found.score,
        holdout_paired=found.paired,
    )


def closest(study: Study, on_selection: Sequence[Candidate]) -> str:
    """The id of the set that gains most on selection paths of those that keep the limits (of all, where none does), A left as it is if possible;
    the current set's where there is no other.
    """
    rivals = [candidate for candidate in on_selection if candidate.id != CURRENT]
    if not rivals:
        return CURRENT
    units = tolerances(study.certification)

    def order(candidate: Candidate) -> tuple[bool, bool, float]:
        stays = candidate.parameters.amplification == study.current.amplification
        return candidate.selection_score.feasible, stays, worth(candidate.point, units)

    return max(rivals, key=order).id
