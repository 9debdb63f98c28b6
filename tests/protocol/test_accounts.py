"""The books: the opening of an hour, losses of venues, liquidation value, and net asset value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.layout import LINES, STATE, STATE_INDEX
from amo_opt.config.study import Study
from amo_opt.protocol.accounts import amplification_at
from amo_opt.protocol.lanes import LANES

BASE_FEE, HAIRCUT = 0.0002, 0.01


def test_the_ramp_is_a_straight_line_that_ends() -> None:
    """A moves linearly from start to target over the ramp's hours, and stays there."""
    assert [amplification_at(hour, 1500.0, 300.0, 168.0) for hour in (0, 42, 84, 168, 1000)] == pytest.approx([1500, 1200, 900, 300, 300])


# -- net asset value ---------------------------------------------------------------------------------------------------------------------


def test_nav_is_assets_less_external_supply(frax: Study, lanes: Callable[..., Any], worth: Callable[[Any], np.ndarray]) -> None:
    """At prices of 1: idle + lent + own base LP − (total supply − own stablecoin) − what turning the base LP into collateral costs."""
    state = frax.state
    own_x, own_y = 0.8 * state.pool.stablecoin.value, 0.8 * state.base_value
    block = lanes()
    assert worth(block) == pytest.approx(state.collateral_usd - (state.stablecoin.supply.value - own_x) - BASE_FEE * own_y, rel=1e-12)


def test_every_position_counts_once(invested_everywhere: Callable[..., Any], worth: Callable[[Any], np.ndarray]) -> None:
    """Collateral of idle, Aave, Investor and range at its price, base LP at its value, borrowers' debt at par; external supply is what is
    neither the AMO's part of the pool, nor the range's, nor Fraxlend's to withdraw."""
    block = invested_everywhere()
    block["collateral_price"], block["base_value"] = 0.97, 0.98
    block["aave.free"] = 0.15e9
    own = block["lp_amo"] / block["lp_supply"]
    coins = block["idle"] + block["aave.lent"] + block["investor.lent"] + block["uniswap.y"]
    base = own * block["pool_y"] * 0.98
    external = block["supply"] - own * block["pool_x"] - block["uniswap.x"] - 0.02e9
    stuck = 0.97 * (block["aave.lent"] - 0.15e9) + 0.04e9
    assert worth(block) == pytest.approx(0.97 * coins + base + 0.04e9 - external - BASE_FEE * base - HAIRCUT * stuck, rel=1e-12)


BURNS: dict[str, Callable[[Any], None]] = {}


def burn(function: Callable[[Any], None]) -> Callable[[Any], None]:
    BURNS[function.__name__] = function
    return function


@burn
def of_uniswaps_range(block: Any) -> None:
    for name in ("uniswap.x", "supply"):
        block[name] = block[name] - 7e6


@burn
def of_fraxlend(block: Any) -> None:
    for name in ("fraxlend.free", "fraxlend.lent", "supply"):
        block[name] = block[name] - 7e6


@burn
def of_a_pool_of_its_own(block: Any) -> None:
    for name in ("pool_x", "supply"):
        block[name] = block[name] - 7e6


@burn
def with_its_part_of_the_pool(block: Any) -> None:
    """Half of the AMO's LP tokens redeemed: its stablecoin burned, its base LP kept as collateral."""
    own, part = block["lp_amo"] / block["lp_supply"], 0.5 * block["lp_amo"] / block["lp_supply"]
    x, y = block["pool_x"], block["pool_y"]
    block["supply"] = block["supply"] - part * x
    block["idle"] = block["idle"] + part * y * block["base_value"] / block["collateral_price"]
    block["pool_x"], block["pool_y"], block["d"] = (1 - part) * x, (1 - part) * y, (1 - part) * block["d"]
    block["lp_supply"], block["lp_amo"] = (1 - part) * block["lp_supply"], (own - part) * block["lp_supply"]


@pytest.mark.parametrize("way", BURNS)
def test_burning_own_stablecoin_changes_nothing(
    invested_everywhere: Callable[..., Any], worth: Callable[[Any], np.ndarray], way: str
) -> None:
    """Own stablecoin is never an asset: withdrawn from any venue and burned, NAV is what it was, to rounding (base LP sold at no fee)."""
    block = invested_everywhere(amos__curve__lp_share=1.0 if way == "of_a_pool_of_its_own" else 0.8)
    block.constant(base_fee=0.0)
    before, supply = worth(block), block["supply"]
    BURNS[way](block)
    assert block["supply"] < supply - 1e6
    assert np.all(np.abs(worth(block) - before) < 1e-5)


def test_claims_do_not_count(invested_everywhere: Callable[..., Any], worth: Callable[[Any], np.ndarray]) -> None:
    """Collateral reserved for claims left `idle` when it was redeemed: a memo beside the books."""
    block = invested_everywhere()
    before = worth(block)
    block["claims"] = 1e8
    assert np.array_equal(worth(block), before)


# -- the opening of an hour --------------------------------------------------------------------------------------------------------------


def test_new_prices_are_booked_as_mark_to_market(
    invested_everywhere: Callable[..., Any], effect: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> None:
    """USDC to 0.97 and base LP to 0.98: NAV moves by 3% of what is held and 2% of the AMO's side, all of it on the mark-to-market line;
    the cost of selling that falls with the prices is liquidation's."""
    block = invested_everywhere()
    held = block["idle"] + block["aave.lent"] + block["investor.lent"] + block["uniswap.y"]
    own_y = block["pool_y"] * block["lp_amo"] / block["lp_supply"]
    block.market(collateral_price=0.97, base_value=0.98)
    moved, booked = effect(block, lambda: block.run("open_hour"))
    assert block["income_mark_to_market"] == pytest.approx(-0.03 * held - 0.02 * own_y, rel=1e-12)
    assert block["income_liquidation"] == pytest.approx(BASE_FEE * 0.02 * own_y, rel=1e-9)
    assert moved == pytest.approx(booked, abs=1e-5)


def test_unchanged_prices_book_nothing(invested_everywhere: Callable[..., Any]) -> None:
    """An hour at the same prices: every line stays 0, and so do share price and its pressure."""
    block = invested_everywhere()
    price = block["share_price"]
    block.run("open_hour")
    block.settle()
    assert [block[line] for line in LINES] == [0.0] * len(LINES)
    assert (block["share_price"], block["share_impact"]) == (price, 1.0)


def test_the_share_tokens_slow_mean_follows_in_three_days(lanes: Callable[..., Any]) -> None:
    """A fall by half is forgotten by 1 − 1/e after 72 hours."""
    block = lanes()
    start = block["share_price"]
    block.market(share_return=0.5)
    block.run("open_hour")
    block.market(share_return=1.0)
    for hour in range(1, 72):
        block.run("open_hour", hour=hour)
    assert block["share_price"] == pytest.approx(0.5 * start)
    assert (start - block["share_slow"]) / (0.5 * start) == pytest.approx(1 - 2.718281828**-1, rel=1e-6)


@pytest.mark.parametrize("hours_to_recover", [48.0, 6.0])
def test_the_pressure_of_sales_passes(
    frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any], hours_to_recover: float
) -> None:
    """Pressed to 0.6 of its price, the share token has made up 1 − 1/e of the fall after its recovery hours, and all of it in the end."""
    block = lanes(refigured(frax, {"markets.share_recovery_hours": hours_to_recover}))
    price = block["share_price"]
    block["share_impact"], block["share_price"] = 0.6, 0.6 * price
    for hour in range(int(hours_to_recover)):
        block.run("open_hour", hour=hour)
    assert block["share_price"] == pytest.approx(price * (1 - 0.4 * np.exp(-1)), rel=1e-9)
    for hour in range(int(20 * hours_to_recover)):
        block.run("open_hour", hour=hour)
    assert block["share_price"] == pytest.approx(price, rel=1e-8)


# -- losses of venues --------------------------------------------------------------------------------------------------------------------

LOSSES: dict[str, tuple[str, ...]] = {
    "aave.loss": ("aave.lent",),
    "investor.loss": ("investor.lent",),
    "fraxlend.loss": ("fraxlend.lent", "fraxlend.drawn"),
    "curve.loss": ("lp_amo", "own"),
}
"""What each loss may touch."""


def what_is_there(block: Any, loss: str) -> float:
    """Dollars that the venue holds of the protocol's, prices included."""
    own = block["lp_amo"] / block["lp_supply"]
    return {
        "aave.loss": block["aave.lent"] * block["collateral_price"],
        "investor.loss": block["investor.lent"] * block["collateral_price"],
        "fraxlend.loss": block["fraxlend.lent"],
        "curve.loss": own * (block["pool_x"] + block["pool_y"] * block["base_value"]),
    }[loss]


COUNTED = {
    "aave.loss": {"at_work", "recoverable", "cover_coins"},
    "investor.loss": {"at_work", "recoverable", "cover_coins"},
    # what is taken unlent is outside afterwards, and waits to be sold
    "fraxlend.loss": {"own_counted", "debt", "stuck_debt", "fraxlend.free", "own_outside", "own_at_floor", "queue"},
}
"""The sums over the AMOs that a loss lowers."""


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_hits_what_is_there_and_is_booked_exactly(
    invested_everywhere: Callable[..., Any], effect: Callable[..., tuple[np.ndarray, np.ndarray]], loss: str
) -> None:
    """A share of 0 to 1 of one venue: its balance falls by just that, no other balance moves, and the line holds −share × what was there."""
    block = invested_everywhere()
    block["collateral_price"], block["base_value"] = 0.97, 0.98
    block.settle()
    share, there = np.linspace(0.0, 1.0, LANES), what_is_there(block, loss)
    before = block.s.reshape(len(STATE), LANES).copy()
    block.market(**{loss: share})
    moved, booked = effect(block, block.lose)
    assert there > 3e7
    assert block.lanes("income_venue_losses") == pytest.approx(-share * there, rel=1e-12)
    assert moved == pytest.approx(booked, abs=1e-5)
    after = block.s.reshape(len(STATE), LANES)
    touched = {STATE[k] for k in range(len(STATE)) if not np.array_equal(after[k], before[k])}
    assert touched - {"income_venue_losses", "income_liquidation", "liquidation_cost"} == set(LOSSES[loss]) | COUNTED.get(loss, set())
    name = LOSSES[loss][0]
    lost = before[STATE_INDEX[name]] - block.lanes(name)
    assert lost == pytest.approx(share * before[STATE_INDEX[name]], abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_venue_that_holds_nothing_loses_nothing(lanes: Callable[..., Any], loss: str) -> None:
    """No position, or a loss of 0: nothing changes at all."""
    block = lanes()
    for name in ("aave.lent", "investor.lent", "fraxlend.lent", "fraxlend.free", "lp_amo"):
        block[name] = 0.0
    before = block.s.copy()
    block.market(**{loss: 0.5})
    block.lose()
    assert np.array_equal(block.s, before)


# -- liquidation value -------------------------------------------------------------------------------------------------------------------


def test_what_selling_would_cost(invested_everywhere: Callable[..., Any]) -> None:
    """Base LP at its fee, and what cannot be withdrawn at the haircut: of 250m on Aave 70m are stuck, of the Investor's 100m 20m, of
    Fraxlend's 60m the 40m that are borrowed. Booked where it arises, given back where it passes; standing still it books nothing."""
    block = invested_everywhere()
    block["collateral_price"] = 0.99
    block.settle()
    block["income_liquidation"] = 0.0
    block["aave.free"], block["investor.free"] = block["aave.lent"] - 70e6, block["investor.lent"] - 20e6
    block.settle()
    assert block["income_liquidation"] == pytest.approx(-HAIRCUT * 0.99 * 90e6, rel=1e-9)
    own_y = block["pool_y"] * block["lp_amo"] / block["lp_supply"]
    assert block["liquidation_cost"] == pytest.approx(BASE_FEE * own_y + HAIRCUT * (0.99 * 90e6 + 40e6), rel=1e-12)
    booked = block["income_liquidation"]
    block.settle()
    assert block["income_liquidation"] == booked
    block["aave.free"] = block["investor.free"] = 1e15
    block.settle()
    assert block["income_liquidation"] == pytest.approx(0.0, abs=1e-6)


def test_at_no_fee_and_no_haircut_selling_costs_nothing(invested_everywhere: Callable[..., Any]) -> None:
    """Both figures 0: whatever is stuck, nothing is booked."""
    block = invested_everywhere(pool__base_fee=0.0, markets__illiquid_haircut=0.0)
    block["aave.free"] = block["investor.free"] = 0.0
    block.settle()
    assert (block["liquidation_cost"], block["income_liquidation"]) == (0.0, 0.0)


def test_nav_is_at_liquidation_value_before_it_is_settled(
    invested_everywhere: Callable[..., Any], worth: Callable[[Any], np.ndarray]
) -> None:
    """NAV knows a frozen market at once; the line catches up with it at the next settling, so that both agree again."""
    block = invested_everywhere()
    before = worth(block)
    block["aave.free"] = 0.0
    assert worth(block) - before == pytest.approx(-HAIRCUT * block["aave.lent"], rel=1e-6)
    block.settle()
    assert block["income_liquidation"] == pytest.approx(-HAIRCUT * block["aave.lent"], rel=1e-9)
