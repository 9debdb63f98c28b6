"""What a study assumes, and joint draws of it: inside the ranges, books and weights kept together, a balance sheet every time."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest

from amo_opt.amos.sections import POSITIONS
from amo_opt.config.assumptions import Assumption, assumptions, drawn, joint_draws, moved
from amo_opt.config.balance import balance_fault
from amo_opt.config.schema import figures_by_name
from amo_opt.simulation.mixed import draw_mixed, redrawn


@pytest.fixture(scope="module")
def draws(frax):
    return list(joint_draws(frax, assumptions(frax), count=64))


def test_everything_assumed_is_in_doubt(frax):
    """Each figure with a range, but for the books of a position that is in doubt itself; each range of the scenarios once."""
    found = assumptions(frax)
    figures = {each.name for each in found if each.kind == "figure"}
    wanted = {
        name for name in figures_by_name() if (figure := attrgetter(name)(frax.state)).assumed is not None and figure.low < figure.high
    }
    books = {book for position, books in POSITIONS.items() if position in wanted for book in books}
    assert figures == wanted - books
    assert "amos.curve.minted" in books
    others = {each.name for each in found if each.kind != "figure"}
    assert {"calm: share_daily_vol", "collateral-impairment: size", "svb-2023: weight"} <= others
    assert len([each for each in found if each.name.endswith("share_daily_vol")]) == 1
    assert "calm: weight" not in others


def test_the_assumed_value_is_the_median():
    """Half of the draws below it and half above, evenly to either end; at an end, half of them are the value itself."""
    one = Assumption(name="x", kind="figure", value=48.0, low=6.0, high=336.0)
    assert [one.at(u) for u in (0.0, 0.25, 0.5, 0.75)] == [6.0, 27.0, 48.0, 192.0]
    assert [one.position(v) for v in (6.0, 27.0, 48.0, 192.0, 336.0)] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    edge = Assumption(name="x", kind="figure", value=0.0, low=0.0, high=8.0)
    assert [edge.at(u) for u in (0.0, 0.3, 0.5, 0.75)] == [0.0, 0.0, 0.0, 4.0]
    assert edge.position(0.0) == 0.0


def test_draws_are_the_seed_s_and_inside_the_ranges(frax, draws):
    """The same every time, others under another seed; no value leaves its range."""
    doubted = assumptions(frax)
    again = list(joint_draws(frax, doubted, count=64))
    assert [each.values for each in again] == [each.values for each in draws]
    other = replace(frax, search=replace(frax.search, seed=frax.search.seed + 1))
    assert next(joint_draws(other, doubted, count=64)).values != draws[0].values
    values = np.array([each.values for each in draws])
    assert np.all(values >= np.array([each.low for each in doubted]))
    assert np.all(values <= np.array([each.high for each in doubted]))


def test_draws_fill_each_range_evenly(frax, draws):
    """32 of 64 on either side of the assumed value, whatever the figure: what Sobol' points are for."""
    doubted = assumptions(frax)
    place = next(k for k, each in enumerate(doubted) if each.name == "markets.hazard_price")
    assert sum(each.values[place] < doubted[place].value for each in draws) == 32


def test_every_draw_is_a_balance_sheet(frax, draws):
    """Some of the points are none: those are drawn back, and only figures that a balance sheet is made of give way."""
    doubted = assumptions(frax)
    for draw in draws:
        assert balance_fault(draw.study.state) == ""
        for each, value in zip(doubted, draw.values, strict=True):
            if each.kind == "figure":
                assert attrgetter(each.name)(draw.study.state).value == value
    full = [each.high for each in doubted]
    crowded = drawn(frax, doubted, full)
    given_way = [each.name for each, value, wanted in zip(doubted, crowded.values, full, strict=True) if value != wanted]
    assert given_way
    assert all(name.startswith("amos.curve.in_") for name in given_way)


def test_books_move_with_their_position(frax, draws):
    """What an AMO holds more of, the minter's books have it owe."""
    for draw in draws[:8]:
        state, before = draw.study.state, frax.state
        more = state.amos.aave.lent.value - before.amos.aave.lent.value
        assert state.amos.aave.borrowed.value - before.amos.aave.borrowed.value == pytest.approx(more)


def test_calm_has_the_weight_that_the_others_leave(frax, draws):
    total = sum(each.weight for each in frax.scenarios)
    for draw in draws:
        assert sum(each.weight for each in draw.study.scenarios) == pytest.approx(total)
        assert min(each.weight for each in draw.study.scenarios) >= 0.0
    assert len({draw.study.scenarios[0].weight for draw in draws}) > 32


def test_entries_that_share_a_setting_share_its_draw(frax, draws):
    """The share token is one, whatever happens around it."""
    for draw in draws[:8]:
        assert len({each.settings["share_daily_vol"] for each in draw.study.scenarios}) == 1


def test_a_market_redrawn_is_the_market_of_the_drawn_study(frax, draws):
    """Only what a setting acts on is drawn anew, and that is all it takes: each setting with a range, and a whole draw."""
    small = replace(frax, simulation=replace(frax.simulation, transition_hours=6, window_hours=90 * 24 // 30))
    soon = tuple(
        replace(
            each, settings={**each.settings, **({"onset_day_low": 0.2, "onset_day_high": 0.5} if "onset_day_low" in each.settings else {})}
        )
        for each in small.scenarios
    )
    small = replace(small, scenarios=soon)
    usual = draw_mixed(small, paths=3, stream="holdout")
    doubted = assumptions(small)
    whole = next(joint_draws(small, doubted, count=2))
    for study in (whole.study, *(moved(small, each, each.low) for each in doubted if each.kind == "setting")):
        found, wanted = redrawn(usual, study), draw_mixed(study, paths=3, stream="holdout")
        for (_, one), (_, other) in zip(found.blocks, wanted.blocks, strict=True):
            assert np.array_equal(one.first, other.first)
            assert np.array_equal(one.hours, other.hours)
