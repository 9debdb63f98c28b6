"""The heat map: scenario by configuration, how far every shown set is from the current one as a number in each cell, hatched where it is not told apart."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from amo_opt.report.figures.style import GREY, blank, styled, to_svg
from amo_opt.report.sections.evidence import contrast_of
from amo_opt.report.sets import role_title
from amo_opt.report.wording import lower_first, metric_of, paths_of, scale_for
from amo_opt.wording import MISSING, clean, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from amo_opt.report.sections.evidence import Contrast
    from amo_opt.report.sets import Subject
    from amo_opt.report.wording import Scale
    from amo_opt.search.result import Candidate, Result

FILLS = {"BETTER": "#cfe6f5", "WORSE": "#fbdcc8", "INCONCLUSIVE": "#ffffff"}
NEUTRAL = "#eceff1"
LONGEST = 24
"""Letters of a scenario's title; the table below has the whole."""
WIDEST = 34
"""Letters of a line of a panel's title."""
COLUMN, ROW = 0.82, 0.3
"""Inches of a cell."""
HEAT_METRICS = ("yield", "peg_cvar95_bps", "min_cr_external_tail95")


@dataclass(frozen=True)
class HeatPanel:
    """One metric: ``cells[row][column]`` for scenario and set, None where the set did not meet the scenario."""

    title: str
    scale: Scale
    cells: tuple[tuple[Contrast | None, ...], ...]


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
    panels = tuple(_contrasts(metric, sets, subject, [each.name for each in scenarios]) for metric in HEAT_METRICS if sets)
    kept = tuple(panel for panel in panels if any(cell is not None for row in panel.cells for cell in row))
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


def _contrasts(metric: str, sets: tuple[Candidate, ...], subject: Subject, scenarios: Sequence[str]) -> HeatPanel:
    figures = [scores[metric].value for scores in subject.score(subject.current).by_scenario.values() if metric in scores]
    shown = metric_of(metric, subject.account)
    cells = tuple(tuple(contrast_of(subject, each, metric, scenario) for each in sets) for scenario in scenarios)
    return HeatPanel(shown.title, scale_for(shown.unit, figures), cells)


def _key(words: set[str]) -> str:
    """What the fills that are drawn mean: ``; blue better, hatched not told apart``."""
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
        first = [row[0].verdict.word for row in panel.cells if row and row[0] is not None]
        words.append(f"{lower_first(panel.title)} better in {first.count('BETTER')} and worse in {first.count('WORSE')}")
    cells = [cell for panel in panels for row in panel.cells for cell in row if cell is not None]
    total = count(len(result.study.scenarios), "scenario")
    return (
        f"{subject.short_label} against current in {total}: {'; '.join(words)}. Differences to the current set{_key({each.verdict.word for each in cells})} "
        f"(95% confidence, n = {paths_of(cells[0].difference)} {subject.stream} paths for each scenario, seed {result.study.search.seed})."
    )


def draw_heat(heat: Heat) -> tuple[str, ...]:
    """A panel for each metric: scenarios down, configurations across."""
    return tuple(_drawn(panel, heat, f"heat{number}") for number, panel in enumerate(heat.panels))


def _drawn(panel: HeatPanel, heat: Heat, prefix: str) -> str:
    with styled():
        figure = blank(1.5 + COLUMN * max(len(heat.columns), 3), 0.95 + ROW * len(heat.scenarios))
        axes = figure.add_subplot()
        _panel(axes, panel, heat)
        axes.set_yticks(range(len(heat.scenarios)), [_short(title) for title in heat.scenarios])
        return to_svg(figure, prefix)


def _panel(axes: Axes, panel: HeatPanel, heat: Heat) -> None:
    unit = f" ({panel.scale.difference_unit})" if panel.scale.difference_unit else ""
    axes.set_title("\n".join(wrap(f"{panel.title}{unit}", WIDEST)), fontsize=8.5, x=-0.2)
    for row, cells in enumerate(panel.cells):
        for column, cell in enumerate(cells):
            _cell(axes, cell, panel.scale, row, column)
    axes.set_xlim(-0.5, len(heat.columns) - 0.5)
    axes.set_ylim(len(heat.scenarios) - 0.5, -0.5)
    axes.set_xticks(range(len(heat.columns)), [title.replace(" ", "\n", 1) for title in heat.columns])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cell(axes: Axes, cell: Contrast | None, scale: Scale, row: int, column: int) -> None:
    """A number with its verdict's shape on the verdict's colour: never told by colour alone."""
    word = "" if cell is None else cell.verdict.word
    hatch = "////" if word == "INCONCLUSIVE" else None
    axes.add_patch(
        Rectangle(
            (column - 0.48, row - 0.46),
            0.96,
            0.92,
            facecolor=FILLS.get(word, NEUTRAL),
            edgecolor=GREY if hatch else "none",
            hatch=hatch,
            linewidth=0.0,
        )
    )
    text = MISSING if cell is None else f"{scale.number(cell.difference.value, signed=True)} {cell.verdict.shape}"
    box = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none"} if hatch else None
    axes.text(column, row, text, ha="center", va="center", fontsize=8.0, bbox=box, parse_math=False)


def _short(title: str) -> str:
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1].rstrip()}…"
