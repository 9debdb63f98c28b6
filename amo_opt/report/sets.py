"""Which sets the report is about: the current one, the one set against it, and the paths their figures come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.errors import AmoOptError

if TYPE_CHECKING:
    from amo_opt.scoring.types import PairedDifference, Score
    from amo_opt.search.result import Candidate, Result

ALTERNATIVES = ("balanced", "cautious", "yield-seeking")
"""Roles in the order in which they stand in for a recommendation that was not made."""


@dataclass(frozen=True)
class Subject:
    """``other`` is the recommended set; where there is none, the best alternative; ``None`` where only the current set was certified.

    ``stream`` is ``holdout`` (untouched paths) where both sets were run there, else ``selection``; ``account`` the unit of account that figures are shown in.
    """

    current: Candidate
    other: Candidate | None
    recommended: bool
    stream: str
    account: str

    @property
    def label(self) -> str:
        """What the other set is called in headings: ``Proposed`` only if it is recommended."""
        if self.other is None:
            return MISSING_OTHER
        return "Proposed" if self.recommended else f"Alternative {self.other.id} (not recommended)"

    @property
    def short_label(self) -> str:
        """The same where room is short."""
        return "Proposed" if self.recommended or self.other is None else f"Alternative {self.other.id}"

    def score(self, candidate: Candidate) -> Score:
        """The candidate's certified score on the subject's paths."""
        on_holdout = candidate.holdout_score
        return on_holdout if self.stream == "holdout" and on_holdout is not None else candidate.selection_score

    @property
    def paired(self) -> tuple[PairedDifference, ...]:
        """Other minus current, metric by metric, over all scenarios and within each where that was computed."""
        if self.other is None:
            return ()
        return self.other.holdout_paired if self.stream == "holdout" else self.other.selection_paired


MISSING_OTHER = "no other set"


def subject_of(result: Result) -> Subject:
    """Picks the sets. Raises `AmoOptError` where the current set is not among the candidates or a recommended one is missing."""
    current = next((each for each in result.candidates if each.role == "current"), None)
    if current is None:
        raise AmoOptError("the result holds no certified current set; certification always runs it: run the study again")
    other = _other(result)
    on_holdout = current.holdout_score is not None and (other is None or other.holdout_score is not None)
    return Subject(
        current=current,
        other=other,
        recommended=result.verdict == "recommended",
        stream="holdout" if on_holdout else "selection",
        account=result.study.state.unit,
    )


def _other(result: Result) -> Candidate | None:
    if result.verdict == "recommended":
        found = next((each for each in result.candidates if each.role == "recommended"), None)
        if found is None or result.recommended is None:
            raise AmoOptError("the verdict is 'recommended' but no candidate has that role: run the study again")
        return found
    refused = next((each for each in result.candidates if each.role == "candidate" and each.holdout_score is not None), None)
    if refused is not None:  # chosen on selection paths and refused after, or the one that came closest
        return refused
    for role in ALTERNATIVES:
        for each in result.candidates:
            if each.role == role:
                return each
    others = [each for each in result.candidates if each.role != "current"]
    return min(others, key=_remoteness, default=None)


def _remoteness(candidate: Candidate) -> float:
    """How far a set that did not reach holdout paths is from being an alternative: by its worst violation."""
    return max((each.violation_high for each in candidate.selection_score.constraints), default=0.0)


def role_title(candidate: Candidate) -> str:
    """A candidate's name in tables and figures: ``Current``, ``Proposed (trial-17)``, ``Cautious (trial-3)``, ``trial-9``."""
    titles = {"current": "Current", "recommended": f"Proposed ({candidate.id})", "candidate": candidate.id}
    return titles.get(candidate.role, f"{candidate.role.capitalize()} ({candidate.id})")
