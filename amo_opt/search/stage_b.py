"""Paths B: the sets with a role, the current one and the half step run once on paths nothing was chosen on; every published figure is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.paired import Brief, differences
from amo_opt.scoring.score import judged
from amo_opt.scoring.types import PairedDifference, Score
from amo_opt.search.desk import Desk
from amo_opt.search.evidence import PriceFans, WorstRows, worst_rows
from amo_opt.search.front import worth
from amo_opt.search.plateau import half_way
from amo_opt.search.result import Candidate, Verdict
from amo_opt.search.rule import eligible, margins
from amo_opt.simulation.outcome import Outcome

CURRENT = "current"
"""The id of the set in force."""


@dataclass(frozen=True)
class _OnB:
    """What is kept of a set on paths B: all that is published of it, but none of its paths beyond the worst."""

    score: Score
    briefs: tuple[Brief, ...]
    worst: WorstRows
    paired: tuple[PairedDifference, ...] = ()

    def against(self, current: _OnB) -> _OnB:
        """With its paired differences to the current set."""
        pairs = zip(self.briefs, current.briefs, strict=True)
        paired = tuple(each for one, other in pairs for each in differences(one, other).values())
        return replace(self, briefs=(), paired=paired)


@dataclass(frozen=True)
class StageB:
    """What paths B gave. ``rival`` is the set shown beside the current one: chosen on A, else what came closest; None where it failed."""

    candidates: list[Candidate]
    verdict: Verdict
    explanation: str
    worst: dict[str, WorstRows]
    rival: Candidate | None
    half_step: Candidate | None
    fans: PriceFans


def _run_on_b(desk: Desk, sets: Sequence[ParameterSet], fans: PriceFans) -> list[_OnB | SimulationError]:
    """Every set on paths B, the others compared with the first, which is the current one. Raises where that fails."""
    home: list[_OnB] = []

    def seen(outcome: Outcome | SimulationError) -> _OnB | SimulationError:
        if isinstance(outcome, SimulationError):
            return outcome
        found = judged(outcome, desk.study, within=True)
        return _OnB(found.score, (found.brief, *found.within), worst_rows(outcome))

    def compared(first: int, outcomes: list[Outcome | SimulationError]) -> list[_OnB | SimulationError]:
        found = desk.map(seen, outcomes)
        if first == 0:
            if isinstance(found[0], SimulationError):
                raise found[0]
            home.append(found[0])
        return [
            each if isinstance(each, SimulationError) or (first == 0 and place == 0) else each.against(home[0])
            for place, each in enumerate(found)
        ]

    return desk.in_groups(sets, compared, stream="certify-b", phase="certify-b", watched=fans.watched, seen=fans.put)


def run_stage_b(desk: Desk, stage_a: Sequence[Candidate], roles: dict[str, str], verdict: Verdict, explanation: str) -> StageB:
    """Current set, chosen set and alternatives on paths B, and the half step to the chosen one; it must pass the rule there too.

    Where none was chosen the set that came closest runs on B in their place, so that every published figure comes from there.
    """
    named = {name: text.removeprefix("role:") for name, text in roles.items() if text.startswith("role:")}
    taken = set(named) or {_closest(desk.study, stage_a)}
    kept = [candidate for candidate in stage_a if candidate.id == CURRENT or candidate.id in taken]
    target = next((candidate for candidate in kept if named.get(candidate.id) == "recommended"), kept[-1])
    half = half_way(desk.study.current, target.parameters)
    sets = [candidate.parameters for candidate in kept]
    fans = PriceFans(desk, {k: each.id for k, each in enumerate(kept) if each.id == CURRENT or named.get(each.id) == "recommended"})
    runs = _run_on_b(desk, sets if half is None else [*sets, half], fans)
    found: dict[str, _OnB] = {}
    failed: dict[str, str] = {}
    for candidate, run in zip(kept, runs[: len(kept)], strict=True):
        if isinstance(run, SimulationError):
            failed[candidate.id] = f"failed on a path: {run}"
        else:
            found[candidate.id] = run
    scores = {name: each.score for name, each in found.items()}
    paired = {name: each.paired for name, each in found.items() if name != CURRENT}
    chosen = next((name for name, role in named.items() if role == "recommended"), None)
    refusal = ""
    if chosen is not None:
        refusal = failed.get(chosen, "")
        if not refusal:
            refusal = eligible({chosen: scores[chosen]}, {chosen: paired[chosen]}, desk.study.certification)[chosen]
        if refusal:
            verdict, explanation = "no change", f"{chosen} passed on paths A but not on untouched paths B: it {_phrase(refusal)}."
        else:
            explanation = f"{chosen} passed the rule on paths A and again on paths B."
    result = []
    for candidate in stage_a:
        role = named.get(candidate.id)
        objection = refusal if candidate.id == chosen else failed.get(candidate.id, "")
        reason = _reason(candidate, roles, role, objection)
        shown = "candidate" if role is None or objection else role
        result.append(
            replace(
                candidate,
                role=candidate.role if candidate.id == CURRENT else shown,  # type: ignore[arg-type]
                certified_b=scores.get(candidate.id),
                paired_b=paired.get(candidate.id, ()),
                reason=candidate.reason if candidate.id == CURRENT else reason,
            )
        )
    halfway = None if half is None or isinstance(runs[-1], SimulationError) else _half_step(half, runs[-1])
    rival = next((each for each in result if each.id == target.id and each.certified_b is not None and each.id != CURRENT), None)
    return StageB(result, verdict, explanation, {name: each.worst for name, each in found.items()}, rival, halfway, fans)


def _half_step(parameters: ParameterSet, found: _OnB) -> Candidate:
    """The half step with its figures from B, which stand in the place of A's too: nothing was chosen by it."""
    return Candidate(
        id=parameters.name,
        role="candidate",
        parameters=parameters,
        search=None,
        certified_a=found.score,
        certified_b=found.score,
        paired_b=found.paired,
        reason="every parameter half the way",
    )


def _closest(study: Study, stage_a: Sequence[Candidate]) -> str:
    """The id of the set that gains most on paths A of those that keep the limits (of all, where none does), A left as it is if possible;
    the current set's where there is no other.
    """
    rivals = [candidate for candidate in stage_a if candidate.id != CURRENT]
    if not rivals:
        return CURRENT
    units = margins(study.certification)

    def order(candidate: Candidate) -> tuple[bool, bool, float]:
        found = candidate.certified_a
        gain = worth((found.yield_annual.value, found.peg_risk_bps.value), units)
        return found.feasible, candidate.parameters.amplification == study.current.amplification, gain

    return max(rivals, key=order).id


def _phrase(refusal: str) -> str:
    return (
        refusal
        if refusal.startswith(("breaks", "may be", "failed"))
        else f"is {refusal}"
        if refusal.startswith("not proven")
        else f"has {refusal}"
    )


def _reason(candidate: Candidate, roles: dict[str, str], role: str | None, refusal: str) -> str:
    if refusal:
        return f"passed on paths A, not on paths B: {refusal}"
    told = {
        "recommended": "the knee of the eligible front: the most gain, both axes measured in margins",
        "cautious": "the lowest peg risk of the eligible sets",
        "yield-seeking": "the highest yield of the eligible sets",
    }
    if role is not None:
        return told[role]
    return roles.get(candidate.id) or "eligible, but not the knee, the lowest peg risk or the highest yield"
