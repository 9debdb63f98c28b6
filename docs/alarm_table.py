# ruff: noqa: INP001
"""Writes the scores of docs/alarms.md between their markers: ``AMO_OPT_HISTORY_DIR=FOLDER python docs/alarm_table.py`` (the same bytes each time).

Each table is one call of `amo-opt alarms` on histories that are not shipped (their sources stand in the page), with the triggers of the
committed report of frax-2022; another report's folder, or monitor.json, may be named as the argument.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from amo_opt.cli.alarms import command
from amo_opt.report.stories.alarms import lead_text, lot_text

DOCS = Path(__file__).parent
PAGE = DOCS / "alarms.md"
REPORT = DOCS.parent / "reports" / "frax-2022"
WITHIN = (12, 168)
"""Hours: as the published scores have it, and a week."""
USDC = ("--exit", "chainlink_arbitrum_usdc_rounds.csv")
FRAX = ("--history", "chainlink_arbitrum_frax_rounds.csv", "--pool", "frax3crv_pool_daily.csv", *USDC)
MIM = ("--history", "nomics_30min_mim_usdc_2021_12.csv", "--history", "nomics_30min_mim_usdc_2022_01.csv")
CALLS: dict[str, tuple[str, ...]] = {
    "frax-before": (*FRAX, "--until", "2022-06-01"),
    "frax-after": ("--history", "chainlink_arbitrum_frax_rounds.csv", *USDC, "--since", "2022-06-01"),
    "frax-pool": ("--history", "frax3crv_pool_daily.csv", "--amplification", "1500"),
    "frax-trades": ("--history", "nomics_30min_frax_usdc.csv", "--pool", "frax3crv_pool_daily.csv", *USDC),
    "frax-daily": ("--history", "coingecko_daily_frax.csv", *USDC),
    "usdc": ("--history", "chainlink_arbitrum_usdc_rounds.csv"),
    "ust": ("--history", "ust_usdt_binance_hourly_close_2022_05.csv"),
    "mim": (*MIM, "--pool", "mim3crv_pool_daily_to_2022_03.csv"),
    "usdt": ("--history", "cmc_daily_usdt_2022.csv"),
    "steth": ("--history", "steth_eth_pool_daily.csv", "--amplification", "50"),
}
"""Every history of the folder that has a price or balances, once by itself; files stand for those of the folder."""
HEADS = (
    "trigger",
    "within, h",
    "days",
    "depegs",
    "warned by 1 h or more",
    "leads, h",
    "precision",
    "by lot",
    "recall",
    "F1",
    "false alarms a year",
)


def called(arguments: tuple[str, ...], within: int, folder: Path, report: Path) -> dict[str, Any]:
    """What the command prints as JSON."""
    files = [str(folder / each) if each.endswith(".csv") else each for each in arguments]
    done = CliRunner().invoke(command, [*files, "--report", str(report), "--within", str(within), "--json"], catch_exceptions=False)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _share(found: dict[str, Any]) -> str:
    return f"{found['hits']} of {found['n']}, {_ends(found)}" if found["n"] else "–"


def _ends(found: dict[str, Any], form: str = "{:.2f}") -> str:
    if found["value"] is None:
        return "–"
    ends = "not known" if found["interval"] is None else " to ".join(form.format(each) for each in found["interval"])
    return f"{form.format(found['value'])} ({ends})"


def _rows(told: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for each in told["triggers"]:
        leads = sorted(lead for record in each["records"] for lead in record["lead_hours"])
        under_way = sum(record["under_way"] for record in each["records"])
        depegs = f"{each['recall']['n']}" + (f" and {under_way} under way" if under_way else "")
        scores = ("nothing to score", *("–" for _ in range(5)))
        if each["scored"]:
            scores = (
                _share(each["warned_an_hour_before"]),
                lead_text(leads),
                _share(each["precision"]),
                lot_text(each["precision_by_lot"]),
                _share(each["recall"]),
                _ends(each["f1"]),
            )
        held = f" for {each['hours']} h" if each["hours"] > 1 else ""
        name = f"{each['name']}, {each['comparison']} {each['threshold']:g}{held}"
        rate = _ends(each["false_alarms_a_year"], "{:.1f}")
        rows.append((name, f"{told['within_hours']}", f"{each['hours_watched'] // 24:,}", depegs, *scores, rate))
    return rows


def table(name: str, folder: Path, report: Path) -> str:
    """The call, and a row a trigger and horizon."""
    rows = [row for within in WITHIN for row in _rows(called(CALLS[name], within, folder, report))]
    rows.sort(key=lambda row: row[0])  # stable: both horizons of a trigger together, the shorter first
    call = f"    amo-opt alarms {' '.join(CALLS[name])} --report reports/frax-2022 --within {WITHIN[0]}"
    rule = ("---", *("--:" for _ in HEADS[1:]))
    return "\n".join([call, "", *(f"| {' | '.join(line)} |" for line in (HEADS, rule, *rows))])


def written(text: str, folder: Path, report: Path = REPORT) -> str:
    """The page with its scores as they now are."""
    for name in CALLS:
        begin, end = f"<!-- scores: {name} -->\n", f"<!-- end: {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table(name, folder, report)}\n\n{end}{rest.split(end)[1]}"
    return text


if __name__ == "__main__":
    histories = Path(os.environ["AMO_OPT_HISTORY_DIR"])
    monitored = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), histories, monitored), encoding="utf-8")
