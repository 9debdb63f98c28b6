"""Which lines stand in which panel, in which unit, under which name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amo_opt.amos.layout import LINES
from amo_opt.report.figures.story import FILLS
from amo_opt.report.stories.story_panels import HOLDERS, LINE_TITLES, panels_of

TRANSITION, WINDOW = 48, 480


@pytest.fixture
def panels(short, flat):
    """The panels by name, of made-up series."""

    def build(parameters=None, **changes):
        return {panel.name: panel for panel in panels_of(flat(**changes), short, parameters or short.current)}

    return build


def named(lines):
    return {line.label.rsplit(" ", 1)[0]: line for line in lines}


def test_every_accounting_line_is_shown_once_and_has_a_name(panels):
    """Income of the yield in one panel with its sum, revaluation and capital in the other: adding a line to the books adds it here."""
    growing = {line: (place + 1) * 1e4 * np.arange(1, WINDOW + 1) for place, line in enumerate(LINES)}
    shown = panels(**growing)
    income, beside = named(shown["income"].lines), named(shown["apart"].lines)
    assert set(LINE_TITLES) == set(LINES)
    assert {*income, *beside} == {"sum", *LINE_TITLES.values()}
    assert len(income) + len(beside) == len(LINES) + 1
    assert np.allclose(income["sum"].values, sum(line.values for name, line in income.items() if name != "sum"))
    assert {name for name, line in beside.items() if line.role == "capital"} == {
        LINE_TITLES[line] for line in LINES if line.startswith("capital_")
    }
    assert not any(line.role == "capital" for line in income.values())


def test_amounts_are_in_the_unit_their_title_says(panels):
    """2.5 million of rewards read 2.50 under m, 25 thousand 25.0 under k."""
    large = panels(income_rewards=np.linspace(0.0, 2.5e6, WINDOW))["income"]
    assert large.title == "Income in the yield, running sums (m USD)"
    assert [line.label for line in large.lines] == ["sum 2.50", "rewards 2.50"]
    small = panels(income_rewards=np.linspace(0.0, 25e3, WINDOW))["income"]
    assert (small.title, small.lines[1].label) == ("Income in the yield, running sums (k USD)", "rewards 25.0")


def test_what_the_transition_earned_sets_no_scale(short, flat):
    """Its books are closed when the window opens."""
    series = flat(income_rewards=np.linspace(0.0, 2e3, WINDOW))
    series["income_rewards"][:TRANSITION] = 9e9
    income = {panel.name: panel for panel in panels_of(series, short, short.current)}["income"]
    assert income.scored_only
    assert "(k USD)" in income.title


def test_the_piles_add_up(panels):
    """Layers from the ground up, venues that hold nothing left out, their sum as a line."""
    shown = panels(invested=50e6, own_stablecoin=0.0, supply=1.5e9)
    collateral = shown["collateral"]
    assert list(named(collateral.layers)) == ["idle", "Curve", "Aave", "Collateral Investor"]
    assert collateral.lines[0].label == "total 1,050"
    for panel in (collateral, shown["supply"]):
        assert np.allclose(sum(layer.values for layer in panel.layers), panel.lines[0].values)
    assert list(named(shown["supply"].layers)) == ["external"]


def test_limits_are_the_study_s_and_the_set_s(short, panels):
    """Of both collateral ratios, of the pool's share, and the prices at which something happens."""
    parameters = short.current.replace(min_cr=0.77, pool_share_low=0.45, pool_share_high=0.6, unwind_price=0.97, cr_band=0.004)
    shown = panels(parameters, reference=0.5)
    limits = {level.of: float(level.values) for level in shown["ratios"].levels}
    assert limits == {"first": short.constraints.min_external_cr, "second": 0.77}
    assert sorted(float(level.values) for level in shown["share"].levels) == pytest.approx([45.0, 60.0])
    prices = {level.label: level.values for level in shown["price"].levels}
    assert float(prices["CR rises below 0.996"]) == pytest.approx(0.996)
    assert float(prices["CR falls above 1.004"]) == pytest.approx(1.004)
    assert prices["AMOs unwind 0.97 × ref."][-1] == pytest.approx(0.485)
    assert not any(level.framed for level in shown["price"].levels)
    assert all(level.framed for name in ("ratios", "share") for level in shown[name].levels)


def test_uniswap_s_price_is_shown_where_it_holds_anything(panels):
    """A pool nobody is in has a price that means nothing."""
    assert "Uniswap v3" not in named(panels()["price"].lines)
    assert "Uniswap v3" in named(panels(uniswap_stablecoin=5e6)["price"].lines)


def test_a_panel_in_which_nothing_happened_says_so(panels):
    """No empty axes without a word."""
    waiting = panels()["waiting"]
    assert (waiting.lines, waiting.silence, waiting.title) == ((), "nobody waited", "Waiting (tokens)")
    assert list(named(panels(claims=3e6)["waiting"].lines)) == ["redeemed, not collected"]


def test_more_amos_than_looks_are_drawn_as_the_rest(short, flat, monkeypatch):
    """A sixth layer has a fill of its own role, and every layer's role can be drawn."""
    known = tuple(each for each in HOLDERS if each.name in {"curve", "aave", "investor", "uniswap"})
    more = (*known, replace(known[-1], title="Vault AMO"))
    monkeypatch.setattr("amo_opt.report.stories.story_panels.HOLDERS", more)
    series = flat(lent=1e8, invested=1e8, uniswap_collateral=1e8)
    layers = {panel.name: panel for panel in panels_of(series, short, short.current)}["collateral"].layers
    assert [(name, layer.role) for name, layer in named(layers).items()] == [
        ("idle", "second"),
        ("Curve", "first"),
        ("Aave", "third"),
        ("Collateral Investor", "fourth"),
        ("Uniswap v3", "fifth"),
        ("Vault", "rest"),
    ]
    assert {layer.role for layer in layers} <= set(FILLS)


def test_a_price_beside_the_pool_s_is_drawn_where_something_is_held_at_it(panels):
    """Of either coin; without, nobody looks at it."""
    quiet, held = panels(), panels(uniswap_stablecoin=5e6, uniswap_price=0.97)
    assert "Uniswap v3" not in named(quiet["price"].lines)
    assert held["price"].lines[-1].label == "Uniswap v3 0.9700"
