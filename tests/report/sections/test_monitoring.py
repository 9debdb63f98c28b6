"""Triggers come from certified figures, by the written rule."""

from __future__ import annotations

from dataclasses import replace

from read import rows, tables, text

from amo_opt.report.account import Account
from amo_opt.report.sections.monitoring import ACTIONS, blocks, finding, monitoring_of
from amo_opt.report.sets import subject_of
from amo_opt.scoring.types import Estimate


def _triggers(result):
    return {(row.what, row.act): row for row in monitoring_of(result, subject_of(result)).triggers}


def test_each_value_is_a_certified_end_a_limit_or_a_quantile(result):
    """Price: the proposed set's lowest 1% quantile in calm. Collateral: the interval's lower end, then the limit. Queue: the upper end."""
    shown = next(each for each in result.candidates if each.role == "recommended")
    fan = next(each for each in result.fans if each.candidate == shown.id and each.scenario == "calm")
    found = _triggers(result)
    assert found["Pool price in dollars", "hold"].trigger == f"below {min(fan.quantiles['1']):.4f} USD"
    ratio = "External collateral ratio at the price floor"
    tail = shown.holdout_score.metrics["min_cr_external_tail95"]
    assert found[ratio, "hold"].trigger == f"below {tail.low:.4f}"
    assert found[ratio, "revert"].trigger == "below 0.75"
    queue = shown.holdout_score.metrics["unserved_cvar90_usd_hours"]
    waiting = next(row for (what, _), row in found.items() if what.startswith("Demand to leave"))
    assert waiting.trigger == f"above {queue.high / 1e6:,.2f} m USD·h"
    share = found["Share of the stablecoin in the pool", "hold"]
    assert share.trigger == f"above {shown.parameters.pool_share_high:g} for 56 hours"


def test_every_trigger_stands_in_the_table_with_one_action(result):
    """What, from which value on, where that comes from, then what; the heading counts them."""
    facts = Account(result)
    (table,) = (each for each in tables(blocks(facts)) if each.label == "Triggers")
    assert [row["Trigger"] for row in rows(table)] == [each.trigger for each in facts.monitoring.triggers]
    assert {row["Then"] for row in rows(table)} <= {each.replace("_", "\\_") for each in ACTIONS.values()}
    assert finding(facts).startswith(f"{len(rows(table))} triggers to watch")


def test_a_trigger_that_was_scored_tells_what_is_on_record(make_result, frax):
    """Of FRAX, and with the very value that was scored; nobody else's alarms and no other value have a record, and then there is no column."""
    result = make_result(state=frax.state)
    scored = result.recommended.replace(unwind_price=0.985)
    candidates = tuple(replace(each, parameters=scored) if each.role == "recommended" else each for each in result.candidates)
    result = replace(result, recommended=scored, candidates=candidates)

    def told(result):
        (table,) = (each for each in tables(blocks(Account(result))) if each.label == "Triggers")
        return [row.get("On record") for row in rows(table)]

    assert sorted(set(told(result))) == [
        "alarms true: 1 of 1, 1.00 (0.03 to 1.00); depegs warned of by 1 h or more: 0 of 3, 0.00 (0.00 to 0.71)",
        "–",
    ]
    assert "Chainlink from June 2022 on, 692 days with 3 depegs" in text(blocks(Account(result)))
    elsewhere = replace(result.study.state, protocol="Acme")
    assert set(told(make_result(state=frax.state))) == {None}
    assert set(told(replace(result, study=replace(result.study, state=elsewhere)))) == {None}


def test_an_early_warning_below_the_limit_is_not_one(result):
    """Where the certified tail reaches under the limit, the limit alone is the trigger."""
    limits = replace(result.study.constraints, min_external_cr=0.9)
    strict = replace(result, study=replace(result.study, constraints=limits))
    found = [row for row in monitoring_of(strict, subject_of(strict)).triggers if row.what.startswith("External")]
    assert [(row.trigger, row.act) for row in found] == [("below 0.9", "revert")]


def test_without_a_fan_there_is_no_price_trigger(result):
    """No figure is made up for it."""
    assert not any(row.what.startswith("Pool price") for row in monitoring_of(replace(result, fans=()), subject_of(result)).triggers)


def test_a_certified_zero_is_no_trigger(result):
    """Above 0 something fires every day: the study's limit stands in, and the row says why."""
    shown = next(each for each in result.candidates if each.role == "recommended")
    nothing = Estimate(value=0.0, low=0.0, high=0.0, n=3200)
    score = replace(shown.holdout_score, metrics={**shown.holdout_score.metrics, "unserved_cvar90_usd_hours": nothing})
    candidates = tuple(replace(each, holdout_score=score) if each is shown else each for each in result.candidates)
    found = _triggers(replace(result, candidates=candidates)).values()
    row = next(row for row in found if row.what.startswith("Demand to leave"))
    assert row.trigger == "above 1.00 bn USD·h"
    assert "certified as 0, n = 3,200" in row.basis
    assert not any("above 0 " in row.trigger for row in found)
