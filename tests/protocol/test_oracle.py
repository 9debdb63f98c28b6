"""The oracle: a lagged, depth-weighted mean of the venues' prices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.layout import STATE, STATE_INDEX
from amo_opt.config.study import Study
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.invariant import get_y, marginal_price, scaled_x_at_price

LOW, HIGH = math.sqrt(0.995), math.sqrt(1.005)
OUTSIDE = 10e6 / (1 - LOW)
"""Liquidity of the others' ranges: 10m of collateral at a price of 1."""


def at_price(block: Any, value: float) -> None:
    x = scaled_x_at_price(value / block["base_value"], block["ann"])[0] * block["d"]
    block["pool_x"], block["pool_y"] = x, get_y(x, block["d"], block["ann"])


def spot(block: Any) -> float:
    return marginal_price(*(block[name] for name in ("pool_x", "pool_y", "d", "ann"))) * block["base_value"]


@pytest.fixture
def venues(frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any]) -> Callable[..., Any]:
    """A pool at 0.98 and a range of ``liquidity`` (collateral at a price of 1) whose price is 1 ± 0.1%; ``lag`` hours."""

    def build(liquidity: float = 50e6, lag: float = 0.0, price: float = 0.98) -> Any:
        block = lanes(refigured(frax, {"markets.oracle_lag_hours": lag, "amos.uniswap.liquidity": liquidity}))
        at_price(block, price)
        block["uniswap.root"] = math.sqrt(0.999)
        block["oracle"] = 1.0
        return block

    return build


def observe(block: Any) -> None:
    """The pool's price, what the range quotes, and the oracle's step: an hour's, which begins with nothing quoted."""
    block["quoted_depth"] = block["quoted_gap"] = 0.0
    block.run("observe", "uniswap_observe", "move_oracle")


def curve_depth(block: Any) -> float:
    """Stablecoin that moves a balanced pool of this D and A by 10 bp, to first order in the price and saturating in A."""
    z = 0.001 * (block["ann"] + 2) / 4
    return 0.5 * block["d"] * z / (1 + z)


def test_venues_weigh_by_their_depth(venues: Callable[..., Any]) -> None:
    """Without lag the oracle is the mean of Curve's and Uniswap's prices by depth within 10 bp, others' ranges included; the price is
    Curve's. A deeper range weighs more."""
    for liquidity in (50e6, 500e6):
        block = venues(liquidity)
        observe(block)
        depths = np.array([curve_depth(block), 0.0005 * (block["uniswap.liquidity"] + OUTSIDE)])
        mean = float(np.average([0.98, 0.999], weights=depths))
        assert block["oracle"] == pytest.approx(mean, rel=1e-9)
        assert block["price"] == pytest.approx(0.98, rel=1e-9)
        assert block["uniswap.root"] == math.sqrt(0.999)


def test_prices_are_dollars(venues: Callable[..., Any]) -> None:
    """The range trades against collateral, the pool against base LP: each counts at what that is worth."""
    block = venues(500e6)
    block["collateral_price"], block["base_value"] = 0.9, 0.95
    at_price(block, 0.93)
    observe(block)
    depths = [curve_depth(block), 0.0005 * (block["uniswap.liquidity"] + OUTSIDE)]
    assert block["oracle"] == pytest.approx(float(np.average([0.93, 0.999 * 0.9], weights=depths)), rel=1e-9)


@pytest.mark.parametrize("root", [LOW, HIGH])
def test_a_range_that_was_left_has_no_price(venues: Callable[..., Any], root: float) -> None:
    """At either end the range is all one coin and quotes nothing: the oracle is Curve's price alone."""
    block = venues(500e6)
    block["uniswap.root"] = root
    observe(block)
    assert block["oracle"] == pytest.approx(0.98, rel=1e-12)


def test_without_a_position_there_is_one_venue(venues: Callable[..., Any]) -> None:
    """No liquidity of the AMO's: the oracle is Curve's price, and the range's price follows it within its ends, as others trade it."""
    for price, root in ((0.98, LOW), (0.999, math.sqrt(0.999)), (1.02, HIGH)):
        block = venues(0.0, price=price)
        observe(block)
        assert block["oracle"] == pytest.approx(price, rel=1e-9)
        assert block["uniswap.root"] == pytest.approx(root, rel=1e-9)


@pytest.mark.parametrize("lag", [1.0, 6.0, 24.0])
def test_the_lag_closes_the_gap_slowly(venues: Callable[..., Any], lag: float) -> None:
    """After h hours at one price e^(−h / lag) of the gap is left; without a lag none."""
    block = venues(0.0, lag=lag)
    for hour in range(1, 13):
        observe(block)
        assert block["oracle"] == pytest.approx(0.98 + 0.02 * math.exp(-hour / lag), rel=1e-9)


def test_a_failed_pool_is_all_the_oracle_sees(venues: Callable[..., Any]) -> None:
    """A pool of dust quotes nothing: its price is what trading left, the other door's, and a range beside it hides nothing. Where no door paid it is what holders keep the coin for, a haircut below what
    backs it: 0 for a coin without cover alone."""
    for traded, backing, told in ((0.9, 1.0, 0.9), (0.0, 1.0, 0.95), (0.0, 0.2, 0.19), (0.0, 0.0, 0.0)):
        block = venues(500e6)
        block.pool(4e3, 4e3)
        block["price"] = traded
        block["backing_value"] = backing
        block.constant(seller_haircut=0.05)
        observe(block)
        assert (block["price"], block["oracle"]) == pytest.approx((told, told), abs=1e-12)


def test_nothing_but_prices_changes(venues: Callable[..., Any]) -> None:
    """Observing is no trade: of the state only price, oracle, an empty range's price and what the range quotes may change."""
    block = venues(0.0)
    before = block.s.copy().reshape(len(STATE), LANES)
    observe(block)
    touched = {name for name, row in STATE_INDEX.items() if not np.array_equal(block.lanes(name), before[row])}
    assert touched <= {"price", "oracle", "uniswap.root", "quoted_depth", "quoted_gap"}
    assert spot(block) == pytest.approx(block["price"], rel=1e-15)
