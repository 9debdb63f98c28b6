"""Assumptions moved one at a time: which, what they are drawn from, what counts as turned, and what a state that is no balance sheet says."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest

from amo_opt.config.balance import balance_fault
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import figures_by_name
from amo_opt.scoring.types import Estimate, PairedDifference, PointScore
from amo_opt.search import sensitivity as room
from amo_opt.search.certifier import Certifier
from amo_opt.search.progress import silent
from amo_opt.search.rule import COVER, DOLLAR, PEG, YIELD
from amo_opt.search.ruling import Condition
from amo_opt.search.sensitivity import conditions, improved_axis, moves, sensitivities
from amo_opt.simulation.engine import simulate
from amo_opt.stress.draws import DRAWN_FROM, LENDERS, draw_block


@pytest.fixture(scope="module")
def tiny(frax):
    """Few hours, stresses that begin in them, few resamples."""
    soon = {"onset_day_low": 1.0, "onset_day_high": 2.0}
    scenarios = tuple(
        replace(each, settings={**each.settings, **(soon if "onset_day_low" in each.settings else {})}) for each in frax.scenarios
    )
    simulation = replace(frax.simulation, transition_hours=12, window_hours=96)
    return replace(frax, scenarios=scenarios, simulation=simulation, certification=replace(frax.certification, bootstrap=50))


def test_a_named_assumption_goes_to_both_ends(frax):
    """In the order of the names, it alone moved, an end that is the assumed value itself left out."""
    names = ("markets.hazard_price", "amos.fraxlend.lent", "calm: share_daily_vol", "svb-2023: weight")
    found = list(moves(frax, names))
    assert [(each.figure, each.end) for each in found] == [
        ("markets.hazard_price", "low"),
        ("markets.hazard_price", "high"),
        ("amos.fraxlend.lent", "high"),
        ("calm: share_daily_vol", "low"),
        ("svb-2023: weight", "low"),
        ("svb-2023: weight", "high"),
    ]
    for each in found[:2]:
        state = each.study.state
        changed = [name for name in figures_by_name() if attrgetter(name)(state).value != attrgetter(name)(frax.state).value]
        assert changed == [each.figure]
        assert attrgetter(each.figure)(state).value == each.value
    assert {each.settings["share_daily_vol"] for each in found[3].study.scenarios} == {0.055}
    assert {each.name: each.weight for each in found[5].study.scenarios}["svb-2023"] == 0.037


def test_a_position_takes_its_books_along(frax):
    """The pool's share moved by itself would leave the minter's books where they were: stablecoin and collateral would be gone, or there from nowhere."""
    state = frax.state
    (low, _), (_, lent) = ([each.study.state for each in moves(frax, [name])] for name in ("amos.curve.lp_share", "amos.aave.lent"))
    less = low.amos.curve.lp_share.value - state.amos.curve.lp_share.value
    assert less == pytest.approx(-0.15)
    assert low.amos.curve.minted.value == pytest.approx(state.amos.curve.minted.value + less * state.pool.stablecoin.value, rel=1e-12)
    assert low.amos.curve.borrowed.value == pytest.approx(state.amos.curve.borrowed.value + less * state.base_value, rel=1e-12)
    assert lent.amos.aave.borrowed.value - state.amos.aave.borrowed.value == lent.amos.aave.lent.value - state.amos.aave.lent.value > 0.0


def test_what_a_market_is_drawn_from(frax):
    """A figure changes the draws exactly where `DRAWN_FROM` names it; else the usual paths could not be used again."""
    calm = next(each for each in frax.scenarios if each.name == "calm")
    full = {f"{market}_utilisation": 0.95 for market in LENDERS}  # beyond every kink, so that both slopes count
    scenario = replace(calm, settings={**calm.settings, **full})

    def drawn(state):
        return draw_block(scenario, seed=1, stream="holdout", first_path=0, paths=1, state=state, transition_hours=1, window_hours=30)

    def moved(state, name):
        figure = attrgetter(name)(state)
        return with_figure(state, name, replace(figure, value=0.9 * figure.value + 0.01))

    usual, others = drawn(frax.state), frax.state
    for name in DRAWN_FROM:
        assert not np.array_equal(drawn(moved(frax.state, name)), usual), name
    for name in set(figures_by_name()) - DRAWN_FROM:
        others = moved(others, name)
    assert np.array_equal(drawn(others), usual)


def test_a_move_is_what_the_moved_study_gives(tiny):
    """Differences at an end are those of a study whose state holds that figure, drawn anew, whether or not draws depend on it."""
    kink = replace(tiny.state.markets.lending_kink, source=None, assumed="a test's", low=0.80, high=0.95)
    study = replace(tiny, state=with_figure(tiny.state, "markets.lending_kink", kink))
    names = ("pool.base_fee", "markets.lending_kink", "calm: gas_gwei")
    shown = study.current.replace(name="shown", aave_cap=0.4, curve_collateral_cap=0.5)
    found = sensitivities(Certifier(study, 1, silent), shown, names)
    assert [(each.figure, each.end) for each in found] == [(name, end) for name in names for end in ("low", "high")]
    for each in found:
        elsewhere = next(move.study for move in moves(study, names) if (move.figure, move.end) == (each.figure, each.end))
        runs = [simulate(one, elsewhere, paths=12, stream="holdout") for one in (shown, study.current)]
        paired = room.differences(*(room.read(run, elsewhere, room.COMPARED) for run in runs))
        assert each.yield_difference == paired[YIELD].difference
        assert each.peg_difference == paired[PEG].difference
        assert each.n == 60
    assert len({each.yield_difference for each in found}) == 6


def test_workers_change_nothing(tiny):
    names = ("pool.base_fee", "amos.aave.lent", "markets.hazard_price")
    shown = tiny.current.replace(name="shown", aave_cap=0.4, curve_collateral_cap=0.5)
    assert sensitivities(Certifier(tiny, 1, silent), shown, names) == sensitivities(Certifier(tiny, 2, silent), shown, names)


def test_a_state_that_is_no_balance_sheet_is_not_run(tiny):
    """More staked than there is: said, without figures, and counted neither for nor against."""
    study = tiny
    (found,) = sensitivities(Certifier(study, 1, silent), study.current.replace(name="shown", aave_cap=0.4), ["amos.curve.in_gauge"])
    assert (found.figure, found.end, found.n, found.holds) == ("amos.curve.in_gauge", "high", 0, True)
    assert found.yield_difference is None
    assert found.objection.kind == "not run"
    assert found.objection.detail.startswith("more LP tokens staked than there are (1.2 in all")
    assert balance_fault(study.state) == ""


def paired_of(gain, peg, dollar=0.0, cover=0.0):
    def one(metric, value):
        between = Estimate(value=value, low=value, high=value, n=60)
        return PairedDifference(
            metric=metric, current=0.0, candidate=value, difference=between, tolerance=0.0, verdict="", p_better=1.0, p_inferior=1.0
        )

    return {YIELD: one(YIELD, gain), PEG: one(PEG, peg), DOLLAR: one(DOLLAR, dollar), COVER: one(COVER, cover)}


@pytest.mark.parametrize(
    ("paired", "breach", "turned"),
    [
        (paired_of(0.02, 0.5), -1.0, []),
        (paired_of(0.01, -1.0), -1.0, []),
        (paired_of(0.02, 2.5), -1.0, [Condition(kind="tolerance", metric=PEG)]),
        (paired_of(0.02, 0.5, dollar=3.0), -1.0, [Condition(kind="tolerance", metric=DOLLAR)]),
        (paired_of(0.02, 0.5, cover=-0.02), -1.0, [Condition(kind="tolerance", metric=COVER)]),
        (paired_of(0.02, 0.5), 0.1, [Condition(kind="limit", limit="breach_probability:calm")]),
        (paired_of(0.0003, 0.1), -1.0, [Condition(kind="gain", bound=0.5)]),
        (paired_of(-0.001, -3.0), -1.0, [Condition(kind="better", metric=YIELD)]),
    ],
)
def test_each_condition_turns_by_itself(frax, paired, breach, turned):
    """Against a base that gains two points of yield for half a basis point of peg risk, well inside the worked study's tolerances."""
    axis = improved_axis(paired_of(0.02, 0.5), frax)
    assert axis == YIELD

    def judged(differences, violation):
        point = PointScore(yield_annual=0.0, peg_risk_bps=0.0, constraints={"breach_probability:calm": violation})
        return conditions(differences, point, frax, axis=axis)

    base, found = judged(paired_of(0.02, 0.5), -1.0), judged(paired, breach)
    assert [each for each in base if found[each] != base[each]] == turned


def test_the_axis_that_gains_more_tolerances(frax):
    """A hundredth of a point of yield against a basis point: tolerances of a tenth and of two say which is more."""
    assert improved_axis(paired_of(0.0001, -1.0), frax) == PEG
    assert improved_axis(paired_of(0.01, -1.0), frax) == YIELD
