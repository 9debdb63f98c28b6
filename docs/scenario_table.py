# ruff: noqa: INP001
"""Writes the tables of docs/scenarios.md, between their markers: ``python docs/scenario_table.py`` (the same bytes each time)."""

from __future__ import annotations

from pathlib import Path

from amo_opt.stress.catalogue import load_scenario, scenario_names
from amo_opt.stress.series import SERIES
from amo_opt.stress.settings import SETTINGS

PAGE = Path(__file__).with_name("scenarios.md")
KINDS = {
    "price": "linear between points; its distance from 1 scales with size",
    "level": "linear in logs; only the ratio to the first point counts, and its log scales with size",
    "multiple": "linear in logs; keeps its size",
    "share_a_day": "holds until the next point, the last one ends it; compounds, and its hazard scales with size",
    "demand_a_day": "holds until the next point, the last one ends it; adds up, and scales with size",
}


def catalogue() -> str:
    """A row an entry: weight, what happens, which series it holds, and why it weighs what it does."""
    rows = ["| entry | weight | what happens | series | why this weight |", "|---|---|---|---|---|"]
    for name in scenario_names():
        entry = load_scenario(name)
        series = ", ".join(entry.waypoints) or "–"
        rows.append(f"| `{name}` | {entry.weight:g} | {entry.summary} | {series} | {entry.weight_reason} |")
    return "\n".join(rows)


def shapes() -> str:
    """A row a series: what it is, how its points are joined, what they may be."""
    rows = ["| series | what it is | between points | allowed |", "|---|---|---|---|"]
    rows += [f"| `{name}` | {each.doc} | {KINDS[each.kind]} | {each.low:g} to {each.high:g} {each.unit} |" for name, each in SERIES.items()]
    return "\n".join(rows)


def settings() -> str:
    """A row a setting of when and how hard: the others are calm's, and listed by `amo-opt scenarios --json`."""
    calm = load_scenario("calm").settings
    rows = ["| setting | what it is | allowed |", "|---|---|---|"]
    for name, each in SETTINGS.items():
        if name not in calm:
            span = " or ".join(f"{choice:g}" for choice in each.only) or f"{each.low:g} to {each.high:g}"
            rows.append(f"| `{name}` | {each.doc} | {span} {each.unit} |")
    return "\n".join(rows)


def written(text: str) -> str:
    """The page with its tables as they now are."""
    for name, table in (("catalogue", catalogue()), ("shapes", shapes()), ("settings", settings())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table}\n\n{end}{rest.split(end)[1]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
