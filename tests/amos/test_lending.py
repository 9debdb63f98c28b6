"""What the lending AMOs share: rates, borrowers and interest, on Aave and on the Collateral Investor's market alike."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos.lending import borrow_rate, unborrowed
from amo_opt.config.study import Study
from amo_opt.protocol.market import LANES
from amo_opt.simulation.pack import constants

sys.path.insert(0, str(Path(__file__).parent))  # `resting` beside these tests: the tests themselves are no package

from resting import resting_rate

CURVE = (0.9, 0.04, 0.60)


@dataclass(frozen=True)
class Market:
    """One lending AMO by the names of its numbers."""

    name: str
    income: str

    @property
    def lent(self) -> str:
        return f"{self.name}.lent"

    @property
    def free(self) -> str:
        return f"{self.name}.free"

    @property
    def rate(self) -> str:
        return f"{self.name}.rate"

    def terms(self, block: Any, *, deposits: float | np.ndarray, demand: float | np.ndarray, elasticity: float = 0.0) -> None:
        """Outside deposits and demand for loans, a kink of 4% at 0.9, 60% more beyond, a tenth of the interest the venue's."""
        block.market(**{f"{self.name}.deposits": deposits, f"{self.name}.demand": demand})
        kink, slope_1, slope_2 = CURVE
        curve = {"slope_1": slope_1, "slope_2": slope_2, "kink": kink, "reserve_factor": 0.1}
        block.constant(lending_elasticity=elasticity, **{f"{self.name}.{each}": value for each, value in curve.items()})

    def hour(self, block: Any) -> None:
        block.run(f"{self.name}_market_operations")


MARKETS = {
    "aave": Market("aave", "income_lending"),
    "collateral_investor": Market("investor", "income_investor"),
}


@pytest.fixture(params=MARKETS)
def market(request: pytest.FixtureRequest) -> Market:
    return MARKETS[request.param]


# -- rates and borrowers -----------------------------------------------------------------------------------------------------------------


def test_the_rate_has_a_kink() -> None:
    """0 at no use, 4% at 0.9, 64% at full use, and straight between."""
    assert [borrow_rate(u, *CURVE) for u in (0.0, 0.45, 0.9, 0.95, 1.0)] == pytest.approx([0.0, 0.02, 0.04, 0.34, 0.64])


def test_borrowers_take_what_they_want_at_the_mean_rate_and_at_most_all_there_is() -> None:
    """Demand of 90 at an elasticity of 2: 75 at a rate of 10%, all 90 where the rate does not matter, never more than the deposits."""
    assert unborrowed(100.0, 90.0, 0.1, 2.0) == pytest.approx(25.0)
    assert unborrowed(100.0, 90.0, 0.1, 0.0) == pytest.approx(10.0)
    assert unborrowed(100.0, 300.0, 0.1, 2.0) == 0.0


@settings(deadline=None)
@given(
    st.floats(1e3, 1e12),
    st.floats(0.0, 5.0),
    st.floats(0.0, 100.0),
    st.floats(0.1, 0.99),
    st.floats(0.0, 1.0),
    st.floats(0.0, 10.0),
)
def test_a_market_rests_at_the_rate_of_its_own_utilisation(
    deposits: float, wanted: float, elasticity: float, kink: float, slope_1: float, slope_2: float
) -> None:
    """`resting_rate` is a fixed point over the whole range of every figure: borrowers at that rate make that rate."""
    rate = resting_rate(deposits, wanted * deposits, elasticity, kink, slope_1, slope_2)
    utilisation = 1.0 - unborrowed(deposits, wanted * deposits, rate, elasticity) / deposits
    assert borrow_rate(utilisation, kink, slope_1, slope_2) == pytest.approx(rate, abs=1e-10)


def test_where_a_market_rests_by_algebra() -> None:
    """Nobody borrows: 0. Demand of 0.9 × 1.08 at an elasticity of 2: the kink and its 4%. More than all at any rate: the highest rate."""
    assert resting_rate(1e9, 0.0, 2.0, *CURVE) == pytest.approx(0.0, abs=1e-15)
    assert resting_rate(1e9, 0.9e9 * 1.08, 2.0, *CURVE) == pytest.approx(0.04, rel=1e-12)
    assert resting_rate(1e9, 5e9, 2.0, *CURVE) == pytest.approx(0.64, rel=1e-12)


def crossings(block: Any, market: Market, start: float) -> tuple[np.ndarray, np.ndarray]:
    """How often each lane's mean rate changes sides of where its market rests within 2,000 hours, and how far off it ends."""
    wanted = np.linspace(0.3, 3.0, LANES)
    market.terms(block, deposits=1e9, demand=1e9 * wanted, elasticity=10.0)
    block[market.lent] = 0.0
    rest = np.array([resting_rate(1e9, 1e9 * each, 10.0, *CURVE) for each in wanted])
    block[market.rate] = start
    off = []
    for _ in range(2000):
        market.hour(block)
        off.append(block.lanes(market.rate) - rest)
    path = np.where(np.abs(off) < 1e-12, 0.0, off)
    return np.sum(path[1:] * path[:-1] < 0.0, axis=0), np.abs(path[-1])


@pytest.mark.parametrize("start", [0.0, 0.64])
def test_the_mean_rate_comes_to_rest_without_swinging(lanes: Callable[..., Any], market: Market, start: float) -> None:
    """The steepest response a study allows as plausible (10), the default memory, demand from a third to thrice the deposits: from no rate and
    from the highest, every market ends where it rests, above the kink too, and never passes it."""
    swings, off = crossings(lanes(), market, start)
    assert not swings.any()
    assert off.max() < 1e-4


def test_without_memory_the_rate_would_swing(lanes: Callable[..., Any], market: Market) -> None:
    """The same markets, borrowers answering to the last hour's rate alone: those above the kink jump back and forth and never come to rest."""
    block = lanes()
    block.constant(lending_weight=1.0)
    swings, off = crossings(block, market, 0.0)
    assert swings.max() > 1000
    assert off.max() > 0.1


def test_memory_is_the_studys_figure(frax: Study, refigured: Callable[..., Study]) -> None:
    """168 hours move the mean by 1 − exp(−1/168) of the gap an hour; one hour by nearly two thirds."""
    from amo_opt.protocol import lanes as at

    assert constants(frax)[at.C_LENDING_WEIGHT] == pytest.approx(1 - np.exp(-1 / 168))
    assert constants(refigured(frax, {"markets.lending_memory_hours": 1.0}))[at.C_LENDING_WEIGHT] == pytest.approx(1 - np.exp(-1))


# -- interest ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [1.0, 0.9])
def test_an_hours_interest(lanes: Callable[..., Any], market: Market, price: float) -> None:
    """1bn outside, 250m lent, 800m borrowed: utilisation 0.64 earns 4% × 0.64/0.9 × 0.64 × 90% a year, in tokens in the position and at the
    coin's price on its line; the mean rate moves a step towards the hour's."""
    block = lanes()
    block["collateral_price"] = price
    block[market.lent] = 250e6
    block[market.rate] = 0.1
    market.terms(block, deposits=1e9, demand=0.8e9)
    market.hour(block)
    rate = 0.04 * 0.64 / 0.9
    earned = 250e6 * rate * 0.64 * 0.9 / 8760
    assert block[market.lent] == pytest.approx(250e6 + earned, rel=1e-14)
    assert block[market.income] == pytest.approx(earned * price, rel=1e-12)
    assert block.booked() == block[market.income]
    assert block[market.free] == pytest.approx(450e6)
    assert block[market.rate] == pytest.approx(0.1 + (1 - np.exp(-1 / 168)) * (rate - 0.1))


def test_a_doubled_deposit_earns_less_than_double(lanes: Callable[..., Any], market: Market) -> None:
    """Income grows with the deposit, and twice the deposit earns less than twice: the AMO lowers its own rate."""
    earned = {}
    for times in (1.0, 2.0):
        block = lanes()
        block[market.lent] = times * np.geomspace(1e6, 1e9, LANES)
        market.terms(block, deposits=1e9, demand=0.8e9)
        market.hour(block)
        earned[times] = block.lanes(market.income).copy()
    assert np.all(earned[2.0] < 2.0 * earned[1.0])
    assert np.all(earned[2.0][:20] > 1.9 * earned[1.0][:20])


@pytest.mark.parametrize("zero", ["demand", "slopes", "lent", "kept"])
def test_no_interest_without_borrowers_rates_or_a_deposit(lanes: Callable[..., Any], market: Market, zero: str) -> None:
    """Each figure at 0 (or the venue keeping all of it) switches the income off, and nothing else moves."""
    block = lanes()
    block[market.lent] = 0.0 if zero == "lent" else 250e6
    market.terms(block, deposits=1e9, demand=0.0 if zero == "demand" else 0.8e9)
    if zero == "slopes":
        block.constant(**{f"{market.name}.slope_1": 0.0, f"{market.name}.slope_2": 0.0})
    if zero == "kept":
        block.constant(**{f"{market.name}.reserve_factor": 1.0})
    before = block[market.lent]
    market.hour(block)
    assert block[market.lent] == before
    assert block.booked() == 0.0


def test_borrowers_turn_away_from_a_high_rate(lanes: Callable[..., Any], market: Market) -> None:
    """An elasticity of 2 at a mean rate of 10%: demand falls by a sixth."""
    block = lanes()
    block[market.lent], block[market.rate] = 0.0, 0.1
    market.terms(block, deposits=1e9, demand=0.84e9, elasticity=2.0)
    market.hour(block)
    assert block[market.free] == pytest.approx(0.3e9)


def test_what_is_borrowed_cannot_be_withdrawn(lanes: Callable[..., Any], market: Market) -> None:
    """Every deposit borrowed: unwinding at full rate gets nothing out, costs no gas, and leaves the book as it was."""
    block = lanes()
    block[market.lent] = 250e6
    market.terms(block, deposits=1e9, demand=5e9)
    market.hour(block)
    block["unwinding"], block["unwinding_hours"] = 1.0, 100.0
    block.parameter(unwind_rate=1.0)
    block.market(gas_usd=500.0)
    before = block.s.copy()
    block.run(f"{market.name}_operate")
    assert np.array_equal(block.s, before)
