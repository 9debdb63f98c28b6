"""What a state's figures must satisfy together, on files that are otherwise broken."""

from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt.config import balance as checked
from amo_opt.config.balance import balance_problems
from amo_opt.config.checks import Placed
from amo_opt.config.toml_file import Document

POSITIONS = ["collateral.idle", "amos.aave.lent", "amos.curve.lp_share", "amos.investor.lent", "amos.uniswap.liquidity"]


def balance(**values):
    """Problems of a state that holds these figures (``pool__stablecoin``); any other is left out, as if its form were wrong."""
    here = Document("a.toml", Path("a.toml"), {"schema": 1}, {})
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
    values = {"stablecoin__supply": 100.0, "pool__stablecoin": 60.0, "amos__fraxlend__lent": 45.0}
    (found,) = balance(**values, amos__uniswap__liquidity=0.0)
    assert found.message == "pool, AMOs and Fraxlend's loans are the whole supply"
    assert found.found == "60 + loans of 45 of stablecoin.supply = 100"
    assert "what Fraxlend lent circulates with its borrowers, outside pool and range, until they repay it" in found.allowed
    (alone,) = balance(**values)
    assert "outside pool, until they repay it" in alone.allowed, "a range that the protocol does not have is not spoken of"


def test_a_range_that_holds_the_rest_of_the_supply_is_told_by_itself():
    """60 in the pool and up to 40.8 in a range of a half to either side are all there is, whatever is lent."""
    values = {"stablecoin__supply": 100.0, "pool__stablecoin": 60.0, "amos__uniswap__liquidity": 20.0, "amos__fraxlend__lent": 1.0}
    (found,) = balance(**values, amos__uniswap__half_width=0.5)
    assert (found.message, found.found) == ("pool and AMOs hold the whole supply", "60 + 40.8147 of stablecoin.supply = 100")


def test_several_ranges_and_lenders_are_told_together(monkeypatch):
    """What another AMO of either kind holds or has lent is in the sums, and each is named."""
    by_name = {each.name: each for each in checked.WITH_SECTION}
    for of, name, owner, form in (("uniswap", "maverick", "Maverick", "bins"), ("fraxlend", "silo", "Silo", "")):
        stablecoin = replace(by_name[of].stablecoin, owner=owner, form=form)
        by_name[name] = replace(by_name[of], name=name, stablecoin=stablecoin)
    monkeypatch.setattr(checked, "WITH_SECTION", tuple(by_name.values()))
    values = {f"amos__{amo}__{figure}": 0.0 for amo in ("uniswap", "maverick") for figure in ("fee", "outside", "minted", "borrowed")}
    values |= {f"amos__{amo}__half_width": 0.001 for amo in ("uniswap", "maverick")} | {"amos__silo__minted": 0.0}
    values |= {"stablecoin__supply": 100.0, "pool__stablecoin": 60.0}
    (ranges,) = balance(**values, amos__uniswap__liquidity=9.0, amos__maverick__liquidity=12.0, amos__silo__lent=0.0)
    assert (ranges.where, ranges.found) == ("amos.maverick.liquidity", "60 + 41.9895 of stablecoin.supply = 100")
    assert "what Uniswap's range holds where the price is below it, 17.9955 + what Maverick's bins holds" in ranges.allowed
    lent = {"amos__fraxlend__lent": 21.0, "amos__silo__lent": 20.0}
    (loans,) = balance(**values, **lent, amos__uniswap__liquidity=0.0, amos__maverick__liquidity=0.0)
    assert (loans.where, loans.message) == ("amos.fraxlend.lent", "pool, AMOs and Fraxlend's and Silo's loans are the whole supply")
    assert loans.allowed.startswith("pool, Uniswap's range, Maverick's bins, amos.fraxlend.lent and amos.silo.lent below stablecoin.supply")
    assert "what Fraxlend and Silo lent circulates with their borrowers, outside pool, range and bins" in loans.allowed


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
