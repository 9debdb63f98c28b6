"""Scenario by configuration: how far every shown set is from the current one, in each scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.sections.evidence import told_apart
from amo_opt.report.sets import role_title
from amo_opt.report.wording import Chip, better_of, lower_first, metric_of, paths_of, scale_for
from amo_opt.wording import MISSING, clean, count

if TYPE_CHECKING:
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Candidate, Result

HEAT_METRICS = ("yield", "peg_cvar95_bps", "min_cr_external_tail95")


@dataclass(frozen=True)
class HeatCell:
    """A difference as text, its interval and n, and its verdict; ``verdict`` is None where the scenario was not run for the set."""

    difference: str
    interval: str
    n: str
    verdict: Chip | None


@dataclass(frozen=True)
class HeatPanel:
    """One metric: ``cells[row][column]`` for scenario and set."""

    title: str
    unit: str
    cells: tuple[tuple[HeatCell, ...], ...]


@dataclass(frozen=True)
class Heat:
    """The heat map; no ``panels`` where nothing stands against the current set."""

    scenarios: tuple[str, ...]
    columns: tuple[str, ...]
    panels: tuple[HeatPanel, ...]
    caption: str


def heat_of(result: Result, subject: Subject) -> Heat:
    """Every set with a role and the half step, less current, by scenario; on holdout paths where the shown set has them."""
    sets = _sets(result, subject)
    scenarios = result.study.scenarios
    names = tuple(each.name for each in scenarios)
    panels = tuple(_panel(metric, sets, subject, names) for metric in HEAT_METRICS if sets)
    kept = tuple(panel for panel in panels if any(cell.verdict is not None for row in panel.cells for cell in row))
    return Heat(
        scenarios=tuple(clean(each.title) for each in scenarios),
        columns=tuple(_column(each, subject) for each in sets),
        panels=kept,
        caption=_caption(kept, result, subject),
    )


def _sets(result: Result, subject: Subject) -> tuple[Candidate, ...]:
    shown = [each for each in result.candidates if each.role not in ("current", "candidate") or each is subject.other]
    shown.sort(key=lambda each: (each is not subject.other, each.id))
    if result.half_step is not None:
        shown.append(result.half_step)
    if subject.stream == "selection":  # the half step has no figures there
        return tuple(each for each in shown if each is not result.half_step)
    return tuple(each for each in shown if each.holdout_score is not None)


def _column(candidate: Candidate, subject: Subject) -> str:
    if candidate is subject.other:
        return subject.short_label
    return "Half step" if candidate.role == "candidate" else role_title(candidate).split(" (")[0]


def _panel(metric: str, sets: tuple[Candidate, ...], subject: Subject, scenarios: tuple[str, ...]) -> HeatPanel:
    now = subject.score(subject.current).by_scenario
    figures = [scores[metric].value for scores in now.values() if metric in scores]
    scale = scale_for(metric_of(metric, subject.account).unit, figures)
    rows = []
    for scenario in scenarios:
        cells = []
        for candidate in sets:
            score = subject.score(candidate)
            paired = candidate.holdout_paired if score is candidate.holdout_score else candidate.selection_paired
            found = next((each for each in paired if each.metric == metric and each.scenario == scenario), None)
            before, after = now.get(scenario, {}).get(metric), score.by_scenario.get(scenario, {}).get(metric)
            if found is not None:
                difference = found.difference
                cells.append(
                    HeatCell(
                        scale.number(difference.value, signed=True),
                        scale.interval(difference, signed=True),
                        paths_of(difference),
                        Chip(found.verdict),
                    )
                )
            elif before is not None and after is not None:
                verdict = Chip(told_apart(better_of(metric), before, after))
                text = scale.number(after.value - before.value, signed=True)
                low, high = after.low - before.high, after.high - before.low
                interval = scale.between(low, high, signed=True)
                cells.append(HeatCell(text, interval, paths_of(after), verdict))
            else:
                cells.append(HeatCell(MISSING, MISSING, MISSING, None))
        rows.append(tuple(cells))
    return HeatPanel(metric_of(metric, subject.account).title, scale.difference_unit, tuple(rows))


def _key(panels: tuple[HeatPanel, ...]) -> str:
    """What the fills that are drawn mean: ``; blue better, hatched not told apart``."""
    words = {cell.verdict.word for panel in panels for row in panel.cells for cell in row if cell.verdict is not None}
    keys = {"BETTER": "blue better", "WORSE": "orange worse", "INCONCLUSIVE": "hatched not told apart"}
    told = [text for word, text in keys.items() if word in words]
    if words - set(keys):
        told.append("grey within the tolerance or equal")
    return f"; {', '.join(told)}"


def _caption(panels: tuple[HeatPanel, ...], result: Result, subject: Subject) -> str:
    """Where the shown set loses, in a sentence."""
    if not panels:
        return ""
    words = []
    for panel in panels:
        first = [row[0].verdict.word for row in panel.cells if row and row[0].verdict is not None]
        words.append(f"{lower_first(panel.title)} better in {first.count('BETTER')} and worse in {first.count('WORSE')}")
    n = next(cell.n for panel in panels for row in panel.cells for cell in row if cell.verdict is not None)
    total = count(len(result.study.scenarios), "scenario")
    return (
        f"{subject.short_label} against current in {total}: {'; '.join(words)}. Differences to the current set{_key(panels)} "
        f"(95% confidence, n = {n} {subject.stream} paths for each scenario, seed {result.study.search.seed})."
    )
