# ruff: noqa: INP001  (no package)
"""Writes the table of the certification campaign into docs/statistics.md, between its markers, from what the campaign left in a folder:
``python docs/certification_coverage.py FOLDER``, after ``AMO_OPT_CAMPAIGN_DIR=FOLDER pytest -m campaign``.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("statistics.md")
WORLDS = ("share", "coin")
VERDICTS = (
    "tolerance: recommended",
    "tolerance: passes on holdout paths",
    "null: recommended",
    "null: passes on holdout paths",
    "clear: recommended",
)
EVENTS = ("breach_probability", "unrecovered_probability")
Cells = dict[str, list[float]]


def kind(name: str) -> str:
    """What a cell is of: a level, a limit's bound or a difference; over all scenarios or in one; of an event or another figure."""
    _, what, metric, place = name.split(": ")
    shown = {"difference": "difference", "current": "level", "rival": "level"}.get(what, "bound of a limit")
    where = "all scenarios" if place == "all" else "one scenario"
    return f"{shown}, {'event' if metric in EVENTS else 'yield' if metric == 'yield' else 'tail'}, {where}"


def summary(cells: Cells) -> dict[str, str]:
    """By kind: cells, coverage over all of them, and of the worst and the best that may not hold the truth more often than 95%."""
    by_kind: dict[str, list[list[float]]] = {}
    for name, row in cells.items():
        if len(row) > len(("count", "events")) and row[0] > 0:
            by_kind.setdefault(kind(name), []).append(row)
    found = {}
    for shown, rows in by_kind.items():
        exact = [row[1] / row[0] for row in rows if 2 * row[5] <= row[0]] or [row[1] / row[0] for row in rows]
        pooled = sum(row[1] for row in rows) / sum(row[0] for row in rows)
        least = min(row[1] / row[0] for row in rows)
        found[shown] = f"{100 * pooled:.1f} ({100 * least:.1f} to {100 * max(exact):.1f}; {len(rows)})"
    return found


def table(folder: Path) -> str:
    """Kinds of intervals by world, then verdicts."""
    files = {name: folder / f"certification-{name}.json" for name in WORLDS}
    cells: dict[str, Cells] = {name: json.loads(file.read_text())["cells"] for name, file in files.items()}
    date = max(dt.datetime.fromtimestamp(file.stat().st_mtime, tz=dt.UTC) for file in files.values()).date()
    counts = ", ".join(f"{name} {cells[name]['null: recommended'][0]:,.0f}" for name in WORLDS)
    found = {name: summary(cells[name]) for name in WORLDS}
    kinds = sorted({each for summaries in found.values() for each in summaries})
    lines = [[each, *(found[name].get(each, "–") for name in WORLDS)] for each in kinds]
    lines += [[each, *(f"{cells[name][each][1]:,.0f} of {cells[name][each][0]:,.0f}" for name in WORLDS)] for each in VERDICTS]
    heads = ["", *WORLDS]
    written = ["| " + " | ".join(line) + " |" for line in (heads, ["---", *("--:" for _ in WORLDS)], *lines)]
    return "\n".join([f"{date.isoformat()}; replications: {counts}.", "", *written])


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- campaign -->\n")
    _, mark, after = rest.partition("\n<!-- /campaign -->")
    PAGE.write_text(f"{before}<!-- campaign -->\n{table(Path(sys.argv[1]))}{mark}{after}", encoding="utf-8")
