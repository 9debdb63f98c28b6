"""The verdict of a comparison: the one object that text, JSON, JUnit, annotations and the exit status are written from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from amo_opt.tiles import Tile, tiles_html
from amo_opt.wording import count, figure, interval, named, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from amo_opt.comparison.figures import Figures
    from amo_opt.comparison.gates import Gate
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

Status = Literal["pass", "warn", "fail", "not gated"]

LONGEST_FILE = 60
"""Characters of a file's path that tell two sets of one name apart in a title."""
TAIL_LEAST = 40.0
"""Least effective count (Kish) of a tail for which its interval is taken at its word, where paths count alike."""

PASSED, FAILED = 0, 1
"""Exit statuses: no regression; a gate fails."""


@dataclass(frozen=True, kw_only=True)
class MetricVerdict:
    """One metric: what both sets do, candidate minus baseline with its 95% interval, and the word for it.

    ``low`` and ``high`` are the whole line where the paths are too few to know the interval (``interval`` is then None). ``tail_points`` is
    Kish's effective count in a tail figure, ``one_path`` what the path that holds most of the difference's variance holds of it, where the verdict hangs on that path
    (None elsewhere), ``more_paths`` how many more paths per scenario would about settle an inconclusive one (None =
    settled, or no number would), ``same`` whether the two agree: on every single path, or, of too few paths, as they are one set.
    """

    name: str
    title: str
    unit: str
    better: int
    baseline: float
    candidate: float
    difference: float
    low: float
    high: float
    n: int
    tail_points: float | None
    one_path: float | None
    thin_tail: bool
    tolerance: float
    verdict: str
    p_inferior: float
    same: bool
    more_paths: int | None

    def __repr__(self) -> str:
        return f"MetricVerdict({self.name!r}, {significant(self.difference, 4)}, 95%: {interval(self.interval, lambda end: significant(end, 4))}: {self.verdict})"

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of the difference's interval, or None where the paths are too few to know them."""
        return (self.low, self.high) if math.isfinite(self.low) and math.isfinite(self.high) else None


ReasonKind = Literal[
    "few paths",
    "same",
    "thin tail",
    "one path",
    "better",
    "equivalent",
    "no worse",
    "worse",
    "not together",
    "open",
    "thin figure",
    "kept",
    "broken",
    "may break",
    "set kept",
    "set broken",
]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a gate has its status; `comparison.wording` says it in words.

    ``paths`` per scenario with ``few paths``; ``tail_points`` with ``thin tail``, ``share`` of the variance with ``one path``; ``more_paths`` there and with ``open`` (None: no number
    would settle it); ``p``, Holm's, with ``not together`` (no worse by itself, but not with the other safety gates); ``value`` and ``limit``
    where the figure itself is limited, with the ``bound`` that decides, the 95% interval's end, unless it is read off the set.
    """

    kind: ReasonKind
    paths: int = 0
    tail_points: float = 0.0
    share: float = 0.0
    more_paths: int | None = None
    p: float = 0.0
    value: float = 0.0
    bound: float = 0.0
    limit: float = 0.0


@dataclass(frozen=True, kw_only=True)
class GateVerdict:
    """One gate: ``verdict`` is the metric's word after Holm's adjustment, ``reason`` explains ``status``.

    ``found`` is the candidate's own figure and ``confidence_bound`` its interval's end, where the gate has a maximum. ``p_adjusted`` is None
    where nothing was tested.
    """

    gate: Gate
    title: str
    unit: str
    tolerance: float | None
    verdict: str
    status: Status
    reason: Reason
    p_adjusted: float | None = None
    found: float | None = None
    confidence_bound: float | None = None

    def __repr__(self) -> str:
        return f"GateVerdict({self.gate.metric!r}, {self.verdict}: {self.status})"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Candidate against baseline on the same paths: what changed, every metric, every gate, and the answer.

    ``paths`` are drawn of each scenario; the baseline's `Figures` tell the twins beside them. ``files`` are where the two sets were read, baseline first; they tell apart two sets of one name.
    """

    study: Study
    baseline: Figures
    candidate: Figures
    paths: int
    resamples: int
    metrics: tuple[MetricVerdict, ...]
    gates: tuple[GateVerdict, ...]
    advice: bool = False
    files: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return f"Comparison({' → '.join(map(named, self.names))}: {self.verdict}, {self._counted()}, {self._size()})"

    def _repr_html_(self) -> str:
        tiles = []
        for name, title in (("yield", "Yield"), ("peg_cvar95_bps", "Peg risk")):
            found = self.metric(name)
            apart, ends = figure(found.difference, found.interval, found.unit, signed=True)
            tiles.append(Tile(title, apart, f"95%: {ends}; {found.verdict.lower()}"))
        lost = [f"{each.gate.metric} {each.status}s" for each in (*self.failed, *self.warned)]
        tiles.append(Tile("Gates", self._counted(), ", ".join(lost)))
        return tiles_html(f"{' → '.join(map(named, self.names))}: {self.verdict}", self._size(), tiles)

    def _counted(self) -> str:
        return f"{sum(each.status == 'pass' for each in self.gates)} of {count(len(self.gates), 'gate')} passed"

    def _size(self) -> str:
        return f"{count(self.paths, 'path')} drawn of each scenario"

    @property
    def frame(self) -> pd.DataFrame:
        """One row a metric: both figures, candidate minus baseline with its 95% interval (NaN: not known), tolerance, verdict, paths."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "metric": each.name,
                    "baseline": each.baseline,
                    "candidate": each.candidate,
                    "difference": each.difference,
                    "low": math.nan if each.interval is None else each.low,
                    "high": math.nan if each.interval is None else each.high,
                    "tolerance": each.tolerance,
                    "verdict": each.verdict,
                    "n": each.n,
                }
                for each in self.metrics
            ]
        )

    @property
    def names(self) -> tuple[str, str]:
        """What baseline and candidate are called: their names, and where these are the same the file of each, or its part in this."""
        before, after = self.baseline.parameters.name, self.candidate.parameters.name
        if before != after:
            return before, after
        apart = _apart(self.files)
        return f"{before} ({apart[0]})", f"{after} ({apart[1]})"

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """The answer: fail where any gate fails."""
        return "fail" if self.failed else "pass"

    @property
    def exit_status(self) -> int:
        """0 where the candidate passes, 1 where it fails; always 0 where only advice was asked for."""
        return FAILED if self.failed and not self.advice else PASSED

    @property
    def failed(self) -> tuple[GateVerdict, ...]:
        """The gates that fail."""
        return tuple(gate for gate in self.gates if gate.status == "fail")

    @property
    def warned(self) -> tuple[GateVerdict, ...]:
        """The gates that warn."""
        return tuple(gate for gate in self.gates if gate.status == "warn")

    @property
    def changes(self) -> tuple[tuple[str, float, float], ...]:
        """The parameters that differ: name, baseline's value, candidate's."""
        return changes(self.baseline.parameters, self.candidate.parameters)

    def metric(self, name: str) -> MetricVerdict:
        """The verdict on one metric, by name."""
        return next(each for each in self.metrics if each.name == name)


def _apart(files: tuple[str, str] | None) -> tuple[str, str]:
    """The files' last parts, whole where those are the same too; the parts that the two play where no file tells them apart."""
    if files is None or files[0] == files[1]:
        return "baseline", "candidate"
    last = PurePath(files[0]).name, PurePath(files[1]).name
    told = files if last[0] == last[1] else last
    # a title is cut to a readable length, and two paths cut short would read the same
    return told if max(map(len, told)) <= LONGEST_FILE else ("baseline", "candidate")


def worst_of(comparisons: Sequence[Comparison]) -> Comparison:
    """The comparison whose answer counts for all of them: one that fails where any does."""
    return next((each for each in comparisons if each.failed), comparisons[0])


def labels_of(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """What tells the candidates apart: their names where these differ, else the files' names, else the whole paths."""
    names = tuple(each.candidate.parameters.name for each in comparisons)
    paths = tuple(each.files[1] if each.files else each.candidate.parameters.name for each in comparisons)
    for told in (names, tuple(PurePath(each).name for each in paths)):
        if len(set(told)) == len(comparisons):
            return told
    return paths


def changes(baseline: ParameterSet, candidate: ParameterSet) -> tuple[tuple[str, float, float], ...]:
    """The parameters whose values differ, in the order of a parameter file."""
    after = candidate.values()
    return tuple((name, value, after[name]) for name, value in baseline.values().items() if value != after[name])
