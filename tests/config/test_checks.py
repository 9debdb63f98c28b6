"""What holds between keys, on files that are otherwise broken."""

from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.checks import (
    Placed,
    balance_problems,
    number_at,
    pair_problems,
    scenario_problems,
    space_problems,
    state_problems,
    written_parameters,
)
from amo_opt.config.overrides import override_problems, written_overrides
from amo_opt.config.toml_file import Document


def document(data):
    return Document("a.toml", Path("a.toml"), data, {})


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"a": 1},
        {"pool": 3, "search": [], "scenario": {}},
        {"scenario": [1, {}, {"name": 3}], "search": {"space": []}},
        {"state": 1},
        {"state": {"set": 1}},
    ],
)
def test_checks_pass_over_what_the_form_refused(junk):
    """A check never fails on a file of the wrong form, nor repeats the form's message."""
    assert list(state_problems(document(junk))) == []
    assert list(space_problems(document(junk), {})) == []
    assert list(scenario_problems(document(junk))) == []
    assert list(override_problems(document(junk))) == []
    assert written_overrides(document(junk)) == {}


@pytest.mark.parametrize(
    ("value", "number"), [(1, 1.0), (0.5, 0.5), (True, None), ("1", None), (float("nan"), None), (10**400, None), (None, None)]
)
def test_number_at_takes_finite_numbers_only(value, number):
    """Booleans, text, NaN and integers beyond any float are not numbers."""
    assert number_at(document({"a": value}), ("a",)) == number


def test_pairs_must_rise():
    """Equal thresholds leave no room between them and are refused like reversed ones."""

    def pair(low, high):
        here = document({"schema": 1})
        return {"pool_share_low": Placed(low, here, ("pool_share_low",)), "pool_share_high": Placed(high, here, ("pool_share_high",))}

    assert list(pair_problems(pair(0.5, 0.51))) == []
    assert [problem.where for problem in pair_problems(pair(0.5, 0.5))] == ["pool_share_low"]
    assert len(list(pair_problems(pair(0.6, 0.5)))) == 1


def test_space_of_one_of_a_pair_is_checked_against_the_current_set():
    """With only one of a pair searched, the other stays at the current value, which must leave room."""
    here = document({"search": {"space": {"pool_share_low": {"low": 0.55, "high": 0.6}}}})
    current = {"pool_share_high": Placed(0.5, here, ("pool_share_high",))}
    (problem,) = space_problems(here, current)
    assert (problem.where, problem.message) == (
        "search.space.pool_share_low",
        "no value of pool_share_low lies below one of pool_share_high",
    )
    assert list(space_problems(here, {"pool_share_high": Placed(0.57, here, ("pool_share_high",))})) == []


def test_an_empty_space_is_refused():
    """A search with nothing to search is a mistake."""
    assert [problem.message for problem in space_problems(document({"search": {"space": {}}}), {})] == ["nothing to search"]


POSITIONS = ["collateral.idle", "amos.aave.lent", "amos.curve.lp_share", "amos.investor.lent", "amos.uniswap.liquidity"]


def balance(**values):
    """Problems of a state that holds these figures (``pool__stablecoin``); any other is left out, as if its form were wrong."""
    here = document({"schema": 1})
    names = {name.replace("__", "."): value for name, value in values.items()}
    return list(balance_problems({name: Placed(value, here, tuple(name.split("."))) for name, value in names.items()}))


@pytest.mark.parametrize("held", [None, *POSITIONS])
def test_a_protocol_without_collateral_is_refused(held):
    """Yields are per unit of collateral, so a state must have some, wherever it is."""
    values = {name.replace(".", "__"): 1.0 if name == held else 0.0 for name in POSITIONS}
    assert [problem.where for problem in balance(**values)] == ([] if held else ["collateral.idle"])


@pytest.mark.parametrize(
    ("fraxlend", "uniswap", "where"),
    [
        (0.0, 0.0, None),
        (20.0, 9.9, None),
        (21.0, 9.9, "amos.fraxlend.lent"),
        (9.0, 15.9, "amos.uniswap.liquidity"),
        (0.0, 19.9, None),
        (0.0, 20.1, "amos.uniswap.liquidity"),
    ],
)
def test_what_is_outside_the_pool_covers_the_other_amos_and_leaves_holders_some(fraxlend, uniswap, where):
    """100 in all and 60 in the pool leave 40 for Fraxlend, Uniswap and holders; the larger of the two AMOs is named.

    Where the price is below it Uniswap's range holds stablecoin alone, about twice what it holds at 1.
    """
    found = balance(
        stablecoin__supply=100.0,
        pool__stablecoin=60.0,
        amos__fraxlend__lent=fraxlend,
        amos__uniswap__liquidity=uniswap,
        amos__uniswap__half_width=0.001,
    )
    assert [problem.where for problem in found] == ([where] if where else [])


def test_what_is_lent_circulates_and_is_not_in_the_pool():
    """60 in the pool and 45 lent of 100 would be 5 that are in the pool and with borrowers; that, and not that the AMOs hold all, is said."""
    (found,) = balance(stablecoin__supply=100.0, pool__stablecoin=60.0, amos__fraxlend__lent=45.0)
    assert found.message == "pool, AMOs and Fraxlend's loans are the whole supply"
    assert found.found == "60 + loans of 45 of stablecoin.supply = 100"
    assert "what Fraxlend lent circulates with its borrowers, outside pool and range, until they repay it" in found.allowed


def test_a_range_that_holds_the_rest_of_the_supply_is_told_by_itself():
    """60 in the pool and up to 40.8 in a range of a half to either side are all there is, whatever is lent."""
    values = {"stablecoin__supply": 100.0, "pool__stablecoin": 60.0, "amos__uniswap__liquidity": 20.0, "amos__fraxlend__lent": 1.0}
    (found,) = balance(**values, amos__uniswap__half_width=0.5)
    assert (found.message, found.found) == ("pool and AMOs hold the whole supply", "60 + 40.8147 of stablecoin.supply = 100")


def test_a_pool_of_the_whole_supply_is_told_once():
    """Where the pool alone holds everything, the AMOs beside it are no second problem."""
    found = balance(stablecoin__supply=100.0, pool__stablecoin=100.0, amos__fraxlend__lent=1.0, amos__uniswap__liquidity=1.0)
    assert [(problem.where, problem.message) for problem in found] == [("pool.stablecoin", "the pool holds the whole supply")]


@pytest.mark.parametrize(
    ("shares", "where"),
    [
        ((0.0, 0.0, 0.0, 0.0), None),
        ((0.1, 0.2, 0.3, 0.4), None),
        ((0.7, 0.1, 0.1, 0.1), None),
        ((0.25, 0.25, 0.25, 0.25 + 0.9e-9), None),
        ((0.0, 0.9, 0.1, 1e-6), "amos.curve.in_convex"),
        ((0.6, 0.0, 0.0, 0.7), "amos.curve.in_yearn"),
    ],
)
def test_lp_tokens_are_staked_once(shares, where):
    """Shares of the venues add up to at most 1, a rounding error aside; the largest is named."""
    names = ("in_gauge", "in_convex", "in_stakedao", "in_yearn")
    found = balance(**{f"amos__curve__{name}": share for name, share in zip(names, shares, strict=True)})
    assert [problem.where for problem in found] == ([where] if where else [])


def test_a_parameter_left_out_of_a_whole_set_counts_with_its_default(monkeypatch):
    """In the file of a set it stands at the key it would have; in the overrides of a study nothing is added to what is written."""
    monkeypatch.setitem(PARAMETERS, "aave_cap", replace(PARAMETERS["aave_cap"], default=0.125))
    found = written_parameters(document({"cr_band": 0.005}))
    assert {name: (placed.value, placed.key) for name, placed in found.items()} == {
        "cr_band": (0.005, ("cr_band",)),
        "aave_cap": (0.125, ("aave_cap",)),
    }
    assert list(written_parameters(document({"current": {"cr_band": 0.005}}), ("current",))) == ["cr_band"]
    assert "aave_cap" not in written_parameters(document({"aave_cap": "much"}))
