"""The Fraxlend AMO: interest, borrowers, and a deposit that is partly debt and partly own stablecoin."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import LINES
from amo_opt.amos.lending import borrow_rate, unborrowed
from amo_opt.config.study import Study
from amo_opt.protocol.market import LANES

sys.path.insert(0, str(Path(__file__).parent))  # `resting` beside these tests: the tests themselves are no package

from resting import resting_rate

CURVE = (0.8, 0.04, 1.0)


def market(block: Any, lent: float | np.ndarray, *, deposits: float = 100e6, wanted: float = 320e6, elasticity: float = 0.0) -> None:
    """An hour of a market with others' deposits and demand for loans; the AMO's deposit beside them."""
    block["fraxlend.lent"] = lent
    block.market(**{"fraxlend.deposits": deposits, "fraxlend.demand": wanted})
    block.constant(**{"fraxlend.elasticity": elasticity})
    block["borrower_flow"] = 0.0  # added up within an hour
    block.run("fraxlend_market_operations")


# -- interest ----------------------------------------------------------------------------------------------------------------------------


def test_an_hours_interest(lanes: Callable[..., Any]) -> None:
    """100m of others, 300m of the AMO, 320m borrowed: at the kink, 4% × 0.8 × 90% a year on 300m, whatever of it could be withdrawn before; all of the
    interest is owed, and of the loans all but the 100m that others could have made are the AMO's doing."""
    block = lanes()
    block["fraxlend.free"] = 100e6
    market(block, 300e6)
    earned = 300e6 * 0.04 * 0.8 * 0.9 / 8760
    assert block["income_fraxlend"] == pytest.approx(earned, rel=1e-12)
    assert block.booked() == block["income_fraxlend"]
    assert block["fraxlend.lent"] == pytest.approx(300e6 + earned, rel=1e-15)
    assert block["fraxlend.free"] == pytest.approx(80e6)
    assert block["fraxlend.drawn"] == pytest.approx(220e6)


def test_a_doubled_deposit_earns_less_than_double(lanes: Callable[..., Any]) -> None:
    """More stablecoin to borrow, the same borrowers: a lower rate and less of it used."""
    earned = {}
    for times in (1.0, 2.0):
        block = lanes()
        market(block, times * np.geomspace(1e4, 1e9, LANES), wanted=90e6)
        earned[times] = block.lanes("income_fraxlend").copy()
    assert np.all(earned[2.0] < 2.0 * earned[1.0])
    assert np.all(earned[2.0][:10] > 1.5 * earned[1.0][:10])


@pytest.mark.parametrize("zero", ["demand", "slopes", "lent", "kept"])
def test_no_interest_without_borrowers_rates_or_a_deposit(lanes: Callable[..., Any], zero: str) -> None:
    """Each figure at 0 (or the venue keeping all of it) switches the income off."""
    block = lanes()
    if zero == "slopes":
        block.constant(**{"fraxlend.slope_1": 0.0, "fraxlend.slope_2": 0.0})
    if zero == "kept":
        block.constant(**{"fraxlend.reserve_factor": 1.0})
    lent = 0.0 if zero == "lent" else 300e6
    market(block, lent, wanted=0.0 if zero == "demand" else 320e6)
    assert block["fraxlend.lent"] == lent
    assert block.booked() == 0.0


def test_the_rate_moves_with_the_markets_use(lanes: Callable[..., Any]) -> None:
    """At rest the mean rate stands; from another one it moves a 168th of the way towards the hour's."""
    rest = resting_rate(400e6, 400e6, 2.0, *CURVE)
    for start in (rest, 0.5):
        block = lanes()
        block["fraxlend.rate"] = start
        market(block, 300e6, wanted=400e6, elasticity=2.0)
        hours = borrow_rate(1.0 - unborrowed(400e6, 400e6, start, 2.0) / 400e6, *CURVE)
        assert block["fraxlend.rate"] == pytest.approx(start + (1 - np.exp(-1 / 168)) * (hours - start))
        assert (block["fraxlend.rate"] == pytest.approx(start, rel=1e-9)) == (start == rest)


def test_the_mean_rate_comes_to_rest_without_swinging(lanes: Callable[..., Any]) -> None:
    """Elasticity 10, default memory, demand from a third to thrice the deposits, from no rate and from the highest: no lane passes its rest."""
    wanted = np.linspace(0.3, 3.0, LANES)
    rest = np.array([resting_rate(100e6, 100e6 * each, 10.0, *CURVE) for each in wanted])
    for start in (0.0, 1.04):
        block = lanes()
        block["fraxlend.rate"] = start
        for _ in range(2000):
            market(block, 0.0, wanted=100e6 * wanted, elasticity=10.0)
            side = (block.lanes("fraxlend.rate") - rest) * (1.0 if start else -1.0)
            assert side.min() > -1e-12
        assert np.abs(side).max() < 1e-4


# -- the deposit -------------------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.0, 1e9), st.floats(1e3, 1e9), st.floats(0.0, 3e9), st.floats(0.0, 1.0), st.floats(0.0, 10.0))
def test_the_deposit_is_debt_and_what_can_be_withdrawn(
    lanes: Callable[..., Any], lent: float, deposits: float, wanted: float, rate: float, elasticity: float
) -> None:
    """Debt + free = lent, neither under 0; all of the AMO's can go where others' deposits are enough for the borrowers, none where all is used;
    a deposit is an asset or own stablecoin, so NAV does not care which: it moves by the interest."""
    block = lanes()
    block.constant(illiquid_haircut=0.0)
    block["fraxlend.rate"], block["fraxlend.lent"] = rate, lent
    block["fraxlend.free"] = 0.5 * lent
    nav = block.nav()
    market(block, lent, deposits=deposits, wanted=wanted, elasticity=elasticity)
    now, free = block["fraxlend.lent"], block["fraxlend.free"]
    taken = min(wanted / (1.0 + elasticity * rate), deposits + lent)
    assert 0.0 <= free <= now
    assert now - free == pytest.approx(max(0.0, taken - deposits + block["income_fraxlend"]), rel=1e-9, abs=1e-5)
    assert block.nav() - nav == pytest.approx(block["income_fraxlend"], abs=1e-5)


def test_a_loss_hits_the_whole_deposit(lanes: Callable[..., Any]) -> None:
    """A quarter of the deposit is lost: of what borrowers owe it is never repaid, of what could be withdrawn it is taken and waits to be sold; NAV falls by both, `cr_external` too. With no
    loss nothing moves. As Fuse was drained on 30 April 2022: what lay there was taken, whoever had lent it."""
    for loss, wanted in ((0.25, 320e6), (0.25, 0.0), (0.0, 320e6)):
        block = lanes()
        block.constant(illiquid_haircut=0.0)
        market(block, 300e6, wanted=wanted)
        block["own_at_floor"] = block["own_outside"] = block["fraxlend.free"]
        block.run("collateral_ratios")
        lent, free, queue, cover = block["fraxlend.lent"], block["fraxlend.free"], block["queue"], block["cr_external"]
        nav, booked, external = block.nav(), block.booked(), block["supply"] - block["own_outside"]
        block.market(**{"fraxlend.loss": loss})
        block.lose()
        block.run("collateral_ratios")
        assert block["fraxlend.free"] == pytest.approx((1.0 - loss) * free)
        assert block["fraxlend.lent"] == pytest.approx((1.0 - loss) * lent)
        assert block["queue"] - queue == pytest.approx(loss * free)
        assert block["supply"] - block["own_outside"] - external == pytest.approx(loss * free)
        assert block["income_venue_losses"] == pytest.approx(-loss * lent)
        assert block["income_fraxlend_bad_debt"] == 0.0
        assert block.nav() - nav == pytest.approx(block.booked() - booked, abs=1e-5)
        assert (block["cr_external"] < cover) == (loss * free > 0.0)


def fall(block: Any, returns: list[float]) -> list[float]:
    """Hours of the share token's returns; the bad debt of each."""
    found = []
    for each in returns:
        before = block["income_fraxlend_bad_debt"]
        block.market(share_return=each)
        block.lose()
        found.append(before - block["income_fraxlend_bad_debt"])
    return found


def pledged(block: Any, *, share: float = 1.0, hours: float, covered: float = 0.75 * 1.1) -> None:
    """300m lent of which 220m are owed, against the share token as far as ``share`` says."""
    block.constant(illiquid_haircut=0.0)
    block.constant(**{"fraxlend.pledged": share, "fraxlend.closing_weight": -np.expm1(-1.0 / hours), "fraxlend.covered": covered})
    market(block, 300e6)


def test_loans_closed_late_leave_bad_debt(lanes: Callable[..., Any]) -> None:
    """A fall of 40% in an hour, liquidations an hour late: they are due at the slow price, 1 - 0.4 (1 - 1/e) = 0.747, so that 25.3% of the loans are closed. Their collateral, 1/0.75 of the debt
    there, fetches 0.6 / 0.747 of that, and 1.1 of the debt is due: 2.7% of what is closed is never paid, 1.5m. NAV falls by it; no claim is paid off, so the coin they took is still outside."""
    block = lanes()
    pledged(block, hours=1.0)
    owed, nav, booked, outside = block["fraxlend.lent"] - block["fraxlend.free"], block.nav(), block.booked(), block["own_outside"]
    due = 1.0 - 0.4 * -np.expm1(-1.0)
    expected = owed * (1.0 - due) * (1.0 - 0.6 / due / (0.75 * 1.1))
    (bad,) = fall(block, [0.6])
    assert bad == pytest.approx(expected)
    assert 1e6 < bad < 2e6
    assert block["fraxlend.lent"] - block["fraxlend.free"] == pytest.approx(owed - bad)
    assert block["own_outside"] == outside
    assert block["income_venue_losses"] == 0.0
    assert block.nav() - nav == pytest.approx(block.booked() - booked, abs=1e-5)


def test_what_is_closed_in_time_is_paid(lanes: Callable[..., Any]) -> None:
    """Half of the price lost over four days, FXS in May 2022: each hour's loans are closed in time, and none is left unpaid. In two hours it is another matter, and the later the worse."""
    slow, fast = [0.5 ** (1 / 96)] * 96, [0.5**0.5] * 2
    for hours, returns, sign in ((1.0, slow, 0), (6.0, slow, 0), (1.0, fast, 1), (6.0, fast, 1)):
        block = lanes()
        pledged(block, hours=hours)
        assert np.sign(sum(fall(block, returns))) == sign
    late = []
    for hours in (0.5, 1.0, 3.0):
        block = lanes()
        pledged(block, hours=hours)
        late.append(sum(fall(block, [0.5, *[1.0] * 48])))
    assert late == sorted(late)


def test_no_loan_is_closed_twice(lanes: Callable[..., Any]) -> None:
    """A price that comes back and falls again to where it was closes no more; further down it does."""
    block = lanes()
    pledged(block, hours=1.0)
    first, *rest = fall(block, [0.5, 2.0, *[1.0] * 30, 0.55])
    assert first > 0.0
    assert sum(rest[:-1]) == 0.0
    assert rest[-1] == 0.0
    assert fall(block, [0.5])[0] > 0.0


def test_no_more_goes_bad_than_was_against_the_share_token(lanes: Callable[..., Any]) -> None:
    """Three tenths of the loans against a token that loses nine tenths an hour until nothing is left: nearly all of them go bad, and no other."""
    block = lanes()
    pledged(block, share=0.3, hours=1.0)
    owed = block["fraxlend.lent"] - block["fraxlend.free"]
    bad = sum(fall(block, [0.1] * 40))
    assert 0.2 * owed < bad < 0.3 * owed
    assert fall(block, [0.0, 1e-300, 1.0]) == pytest.approx([0.0, 0.0, 0.0], abs=1.0)


@pytest.mark.parametrize("off", ["share", "no debt", "covered"])
def test_no_bad_debt(lanes: Callable[..., Any], off: str) -> None:
    """No loan against the share token, a deposit nobody took, or loans of next to nothing beside their collateral: no bad debt, and nothing else moves."""
    block = lanes()
    pledged(block, share=0.0 if off == "share" else 1.0, hours=3.0, covered=1e-9 if off == "covered" else 0.825)
    if off == "no debt":
        market(block, 300e6, wanted=0.0)
    lent, free, booked = block["fraxlend.lent"], block["fraxlend.free"], block.booked()
    assert sum(fall(block, [0.4, 0.4, 0.4])) == 0.0
    assert (block["fraxlend.lent"], block["fraxlend.free"], block.booked()) == (lent, free, booked)


def test_the_chain_counts_the_deposit_and_safety_does_not(lanes: Callable[..., Any]) -> None:
    """100m minted into the market, all lent out: `cr_contract` gains CR × 100m over the larger supply, `cr_external` has the same collateral
    against 100m more outside; all of it withdrawable: the latter does not see it."""
    block = lanes()
    supply, cr, before, external = block["supply"], block["collateral_ratio"], block["cr_contract"], block["cr_external"]
    block["fraxlend.lent"] = block["fraxlend.free"] = 100e6
    block["supply"] = supply + 100e6
    block.run("collateral_ratios")
    assert block["cr_contract"] == pytest.approx((before * supply + cr * 100e6) / (supply + 100e6), rel=1e-12)
    assert block["cr_external"] == pytest.approx(external, rel=1e-12)
    block["fraxlend.free"] = 0.0
    block.run("collateral_ratios")
    assert block["cr_external"] < external - 0.02


# -- borrowers ---------------------------------------------------------------------------------------------------------------------------


def test_borrowers_sell_what_they_take_and_buy_what_they_repay(lanes: Callable[..., Any]) -> None:
    """Demand for loans up by 10m: 10m for sale this hour. Down by 20m: 20m wanted. Unchanged: nothing."""
    block = lanes()
    block.constant(value_buyers=0.0)
    market(block, 300e6, wanted=300e6)
    flows, sold, bought = [], [], []
    for wanted in (300e6, 310e6, 290e6, 290e6):
        market(block, 300e6, wanted=wanted)
        block["queue"] = block["buy_queue"] = 0.0
        block.run("demand")
        flows.append(block["borrower_flow"])
        sold.append(block["sell_demand"])
        bought.append(block["buy_demand"])
    assert flows == pytest.approx([0.0, 10e6, -20e6, 0.0], abs=1e-3)
    assert sold == pytest.approx([0.0, 10e6, 0.0, 0.0], abs=1e-3)
    assert bought == pytest.approx([0.0, 0.0, 20e6, 0.0], abs=1e-3)


def test_what_others_could_have_lent_is_no_flow_of_the_amos(lanes: Callable[..., Any]) -> None:
    """Others' deposits and demand move as they will: without a deposit of the AMO's nothing is sold or bought, to the last bit, at any elasticity; with one,
    only what is borrowed because of it: nothing where others' 100m are enough, all beyond them where they are not."""
    for elasticity in (0.0, 2.0):
        block = lanes()
        for deposits, wanted in ((30e6, 21e6), (45e6, 80e6), (5e6, 80e6), (45e6, 0.0)):
            market(block, 0.0, deposits=deposits, wanted=wanted, elasticity=elasticity)
            assert np.all(block.lanes("borrower_flow") == 0.0)
            assert np.all(block.lanes("fraxlend.drawn") == 0.0)
    block = lanes()
    drawn = []
    for wanted in (50e6, 90e6, 130e6, 110e6):
        market(block, 50e6, wanted=wanted)
        drawn.append(block["borrower_flow"])
    assert drawn == pytest.approx([0.0, 0.0, 30e6, -20e6], abs=1e-3)


def test_a_deposit_that_lowers_the_rate_brings_borrowers(lanes: Callable[..., Any]) -> None:
    """Into a market of 100m with 90m borrowed come 50m: nobody borrows more in that hour, but as the mean rate falls more is borrowed and sold, until
    the market rests where it would with 150m."""
    block = lanes()
    rests = [resting_rate(deposits, 110e6, 2.0, *CURVE) for deposits in (100e6, 150e6)]
    block["fraxlend.rate"] = block["fraxlend.rate_without"] = rests[0]
    sold = 0.0
    for hour in range(2000):
        market(block, 0.0 if hour == 0 else 50e6, wanted=110e6, elasticity=2.0)
        sold += block["borrower_flow"]
        assert hour > 1 or abs(sold) < 1e-3
    assert sold == pytest.approx(110e6 / (1.0 + 2.0 * rests[1]) - 110e6 / (1.0 + 2.0 * rests[0]), rel=1e-3)
    assert sold > 1e6


def test_the_first_hour_sells_nothing(lanes: Callable[..., Any]) -> None:
    """The snapshot's loans were sold before it."""
    block = lanes()
    block.run("fraxlend_market_operations")
    assert block["borrower_flow"] == 0.0
    assert block["fraxlend.drawn"] == 0.0


def test_new_deposits_bring_no_loans_where_borrowers_had_enough(lanes: Callable[..., Any]) -> None:
    """Minted into a market that was not used up, nothing reaches anybody; into one that was, borrowers take and sell it."""
    for wanted, taken in ((50e6, 0.0), (500e6, 10e6)):
        block = lanes()
        market(block, 0.0, wanted=wanted)
        market(block, 10e6, wanted=wanted)
        assert block["borrower_flow"] == pytest.approx(taken, abs=1e-3)


def test_nobody_repays_with_stablecoin_that_does_not_exist(lanes: Callable[..., Any]) -> None:
    """All loans repaid: the whole deposit can be withdrawn, but where only 5m stand outside the protocol's venues, 5m more than before."""
    for outside, free in ((1e9, 300e6), (5e6, 85e6)):
        block = lanes()
        market(block, 300e6)
        assert block["fraxlend.free"] == pytest.approx(80e6)
        block["supply"] = block["pool_x"] + block["fraxlend.free"] + outside
        market(block, 300e6, wanted=0.0)
        assert block["fraxlend.free"] == pytest.approx(free, rel=1e-9)


# -- leaving -----------------------------------------------------------------------------------------------------------------------------


def test_a_market_used_up_lets_nothing_out(lanes: Callable[..., Any]) -> None:
    """Utilisation 1: unwinding at full rate withdraws nothing, burns nothing and pays no gas; what becomes free goes the hour it does."""
    block = lanes()
    market(block, 300e6, wanted=5e9)
    assert block["fraxlend.free"] == 0.0
    block["unwinding"], block["unwinding_hours"] = 1.0, 100.0
    block.parameter(unwind_rate=1.0, fraxlend_cap=0.5)
    block.market(gas_usd=500.0)
    before = block.s.copy()
    block.run_everywhere("fraxlend_operate")
    assert np.array_equal(block.s, before)
    supply = block["supply"]
    market(block, block["fraxlend.lent"], wanted=390e6)
    free = block["fraxlend.free"]
    assert free == pytest.approx(10e6, rel=1e-2)
    block.run_everywhere("fraxlend_operate")
    assert supply - block["supply"] == pytest.approx(free, rel=1e-12)
    assert block["fraxlend.free"] == 0.0
    assert block["income_market_operations"] == -500.0


def test_its_first_mint_is_no_income(lanes: Callable[..., Any], frax: Study) -> None:
    """Minted into an empty market: supply, deposit, what is free and the book grow alike; NAV pays the gas and nothing else."""
    block = lanes()
    block.parameter(fraxlend_cap=0.05)
    block["curve.minted"] = 0.0
    block.market(gas_usd=500.0)
    nav, supply = block.nav(), block["supply"]
    block.run_everywhere("fraxlend_operate")
    minted = 0.01 * frax.state.collateral_usd
    assert block["supply"] - supply == pytest.approx(minted, rel=1e-9)
    for name in ("fraxlend.lent", "fraxlend.free", "fraxlend.minted"):
        assert block[name] == pytest.approx(minted, rel=1e-9)
    assert block.nav() - nav == pytest.approx(-500.0, abs=1e-5)
    assert sum(abs(block[line]) for line in LINES) == 500.0
