"""docs/alarms.md says what the code says, and its scores are what its calls give."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import get_args

import pytest

from amo_opt.report.monitor import FILE, Monitor, MonitorTrigger, Reading, Response
from amo_opt.report.sections.monitoring import ACTIONS
from amo_opt.report.stories.alarms import PUBLISHED, RECORDED, RECORDED_OF
from amo_opt.scoring.alarms import LEVEL, QUIET_HOURS, WITHIN_HOURS, Share
from amo_opt.stress.hourly import HOLD_HOURS

DOCS = Path(__file__).resolve().parents[1] / "docs"
HISTORY = os.environ.get("AMO_OPT_HISTORY_DIR")


@pytest.fixture(scope="module")
def script():
    specification = importlib.util.spec_from_file_location("alarm_table", DOCS / "alarm_table.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page():
    return (DOCS / "alarms.md").read_text(encoding="utf-8")


def test_every_key_of_the_file_is_in_the_page(page):
    """And every action."""
    for model in (Monitor, MonitorTrigger, Reading, Response):
        for name in model.model_fields:
            assert f"`{name.rstrip('_')}" in page, name
    assert set(ACTIONS) == set(get_args(Response.model_fields["kind"].annotation))
    assert all(f"`{kind}`" in page for kind in ACTIONS)


def test_the_rules_have_the_command_s_own_figures(page, call_help):
    """What stands where nothing is asked for."""
    assert f"below {LEVEL} (`--level`)" in page
    assert f"`--within` hours ({WITHIN_HOURS}," in page
    assert f"`--quiet` hours ({QUIET_HOURS})" in page
    assert f"`--hold` hours ({HOLD_HOURS})" in page
    for option, default in (("--within", WITHIN_HOURS), ("--quiet", QUIET_HOURS), ("--hold", HOLD_HOURS)):
        assert call_help[option] == default


@pytest.fixture
def call_help():
    from amo_opt.cli.alarms import command

    return {each.opts[0]: each.default for each in command.params}


def test_published_scores_are_the_code_s(page):
    """In the order of the table."""
    rows = re.findall(r"^\|[^|]*\| (\.\d{3}) \| (\.\d{3}) \| (\.\d{3}) \|", page, re.MULTILINE)
    assert [tuple(map(float, row)) for row in rows] == [(each.precision, each.recall, each.f1) for each in PUBLISHED]
    assert all(each.f1 == pytest.approx(2 * each.precision * each.recall / (each.precision + each.recall), abs=2e-3) for each in PUBLISHED)


def test_what_a_report_tells_of_its_triggers_is_the_page_s(page):
    """True alarms and depegs warned of, FRAX's price of record out of sample, within 12 hours; every trigger that was scored there."""
    table = page.partition("<!-- scores: frax-after -->")[2].partition("<!-- end: frax-after -->")[0]
    found, series = {}, {"pool-price": "price", "shortfall": "shortfall_bps", "unwind-price": "price_over_exit"}
    for row in table.splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) > 6 and cells[1] == "12":
            name, value = re.fullmatch(r"([\w-]+), (?:above|below) ([\d.]+)", cells[0]).groups()
            early, true = (Share(*map(int, re.match(r"(\d+) of (\d+),", cells[place]).groups())) for place in (4, 6))
            found[series[name], float(value), 1] = (true, early)
            assert (cells[2], cells[3]) == ("692", "3")
    assert found == RECORDED
    assert "692 days with 3 depegs below 0.99" in RECORDED_OF


def test_every_call_has_its_place(script, page):
    """Once, with the call above its table."""
    for name, arguments in script.CALLS.items():
        assert page.count(f"<!-- scores: {name} -->") == page.count(f"<!-- end: {name} -->") == 1
        assert f"    amo-opt alarms {' '.join(arguments)} --report" in page


@pytest.mark.skipif(HISTORY is None, reason="AMO_OPT_HISTORY_DIR names no folder of histories")
def test_the_scores_are_what_the_calls_give(script, page):
    """`AMO_OPT_HISTORY_DIR=… python docs/alarm_table.py` writes them from the committed report."""
    if not (script.REPORT / FILE).is_file():
        pytest.skip(f"the committed report holds no {FILE}: it was written by an earlier version")
    assert script.written(page, Path(HISTORY)) == page
