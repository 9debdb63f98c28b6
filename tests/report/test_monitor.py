"""monitor.json: the triggers of section 12, whole, in one form both ways."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.protocol.state import Contract
from amo_opt.report import write_report
from amo_opt.report.account import Account
from amo_opt.report.monitor import COMPUTED, FILE, Monitor, monitor_json, policy_of, read_monitor, triggers_of
from amo_opt.report.sections.monitoring import policy_triggers
from amo_opt.stress.hourly import SERIES


def _written(result):
    return monitor_json(Account(result))


def _number(text):
    """The number that a trigger's text shows, in plain units."""
    shown = re.search(r"(?:below|above) ([\d.,]+)(?: (bn|m|k)\b)?", text)
    return float(shown[1].replace(",", "")) * {"bn": 1e9, "m": 1e6, "k": 1e3, None: 1.0}[shown[2]]


@pytest.mark.parametrize("verdict", ["recommended", "no change", "infeasible"])
def test_the_file_says_what_the_section_says(make_result, verdict):
    """Row by row: what, at which shown number, for how long, then what, and where the number comes from; whose figures they are."""
    result = make_result(verdict)
    facts = Account(result)
    monitor = Monitor.model_validate_json(monitor_json(facts))
    assert len(monitor.triggers) == len(facts.monitoring.triggers) >= 5
    for entry, row in zip(monitor.triggers, facts.monitoring.triggers, strict=True):
        assert (entry.what, entry.source, entry.action.text) == (row.what, row.basis, row.action)
        assert row.trigger.startswith(entry.comparison)
        assert entry.threshold == pytest.approx(_number(row.trigger), rel=1e-12)
        assert row.trigger.endswith(f" for {entry.hours} hours") == (entry.hours > 1)
    assert len({each.name for each in monitor.triggers}) == len(monitor.triggers)
    assert (monitor.set == "proposed") == (verdict == "recommended") == facts.monitoring.watched.startswith("the proposed")
    assert ("revert" in {each.action.kind for each in monitor.triggers}) == (verdict == "recommended")
    assert (monitor.study.hash, monitor.study.results, monitor.values) == (result.study.hash, facts.results_hash, facts.monitoring.values)


def test_it_is_written_through_its_form_to_the_byte(result, tmp_path):
    """Read and written again it is the same; the report holds it, and its hash is that of the results.json beside it."""
    import hashlib

    text = _written(result)
    assert text == _written(result)
    again = Monitor.model_validate_json(text).model_dump(mode="json", by_alias=True)
    assert json.dumps(again, sort_keys=True, indent=1) + "\n" == text
    folder = write_report(result, tmp_path / "report")
    found = read_monitor(folder)
    assert found == read_monitor(folder / FILE)
    assert found.study.results == hashlib.sha256((folder / "results.json").read_bytes()).hexdigest()
    assert found.triggers == Monitor.model_validate_json(text).triggers
    for name in ("proposal.md", "report.html"):
        assert FILE in (folder / name).read_text(encoding="utf-8")


def test_calls_are_those_of_contracts_that_the_state_names(result):
    """The pool's own functions, and Frax's stablecoin's for Frax alone; without an address there is none."""
    state = result.study.state
    pool = Contract(address="0x" + "12" * 20)

    def calls(**changes):
        changed = replace(result, study=replace(result.study, state=replace(state, **changes)))
        return {
            each.name: [(call.contract, call.function) for call in each.reads.calls]
            for each in Monitor.model_validate_json(_written(changed)).triggers
        }

    own = calls(contracts={"metapool": pool, "stablecoin": pool}, protocol="Frax")
    assert own["pool-share"] == [("metapool", "balances(uint256)"), ("metapool", "coins(uint256)")]
    assert own["unwind-price"] == [("stablecoin", "frax_price()")]
    others = calls(contracts={"metapool": pool, "stablecoin": pool}, protocol="Another")
    assert others["pool-share"] == own["pool-share"]
    assert others["unwind-price"] == others["cover-limit"] == []
    assert not any(calls(contracts={}, protocol="Frax").values())


def test_every_series_is_explained(result):
    """Whatever a trigger reads, the file says how it is come by."""
    assert SERIES.keys() <= COMPUTED.keys()
    assert {each.series for each in Account(result).monitoring.triggers} <= COMPUTED.keys()


def test_what_is_fired_is_what_is_written(result):
    """The alarms' triggers have the file's numbers; those of the policy are among the report's."""
    monitor = Monitor.model_validate_json(_written(result))
    fired = {each.name: each for each in triggers_of(monitor)}
    for entry in monitor.triggers:
        found = fired[entry.name]
        assert (found.threshold, found.hours, found.below) == (entry.threshold, entry.hours, entry.comparison == "below")
    shown = next(each for each in result.candidates if each.role == "recommended")
    for each in policy_of(result.study, shown.parameters):
        assert fired[each.name] == each


def test_nothing_is_unwound_at_the_least_price(result):
    """A policy without unwinding, and a protocol without the AMO, have no such trigger."""
    values = result.study.current
    assert [each.name for each in policy_triggers(result.study, values)] == ["unwind-price", "pool-share"]
    assert [each.name for each in policy_triggers(result.study, values.replace(unwind_price=0.5))] == ["pool-share"]
    without = replace(result.study, state=replace(result.study.state, absent=result.study.state.absent | {"amos.curve"}))
    assert [each.name for each in policy_triggers(without, values)] == ["unwind-price"]


def test_hostile_names_stay_text(make_result):
    """A name with control characters and braces is a string of the document."""
    text = _written(make_result(name='x"}\u202e\n<script>'))
    assert "\\u202e" not in text
    assert text.isascii()
    assert Monitor.model_validate_json(text).study.name == 'x"}\n<script>'


def test_a_file_that_is_none_is_refused(tmp_path):
    """With the place of what is wrong."""
    (tmp_path / FILE).write_text('{"schema": 1}', encoding="utf-8")
    with pytest.raises(AmoOptError, match=r"study: field required; allowed: a monitor\.json of schema 1"):
        read_monitor(tmp_path)
