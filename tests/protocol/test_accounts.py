"""The books: the opening of an hour, and net asset value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amo_opt.config.study import Study
from amo_opt.protocol.accounts import amplification_at, open_hour


def test_the_ramp_is_a_straight_line_that_ends() -> None:
    """A moves linearly from start to target over the ramp's hours, and stays there."""
    assert [amplification_at(hour, 1500.0, 300.0, 168.0) for hour in (0, 42, 84, 168, 1000)] == pytest.approx([1500, 1200, 900, 300, 300])


def test_nav_is_assets_less_external_supply(frax: Study, lanes: Callable[..., Any]) -> None:
    """At prices of 1: idle + lent + own base LP − (total supply − own stablecoin); own stablecoin is no asset."""
    state = frax.state
    own_x = 0.8 * state.pool.stablecoin.value
    assert lanes().nav() == pytest.approx(state.collateral_usd - (state.stablecoin.supply.value - own_x), rel=1e-12)


def test_new_prices_are_booked_as_mark_to_market(lanes: Callable[..., Any]) -> None:
    """USDC to 0.97 and base LP to 0.98: NAV moves by 3% of what is held and 2% of the AMO's side, all of it on the mark-to-market line."""
    block = lanes()
    before, held = block.nav(), block["idle"] + block["lent"]
    own_y = block["pool_y"] * block["lp_amo"] / block["lp_supply"]
    block.market(collateral_price=0.97, base_value=0.98)
    open_hour(block.s, block.m, block.p, block.c, 0)
    assert block["income_mark_to_market"] == pytest.approx(-0.03 * held - 0.02 * own_y, rel=1e-12)
    assert block.nav() - before == pytest.approx(block.booked(), rel=1e-9)


def test_the_share_tokens_slow_mean_follows_in_three_days(lanes: Callable[..., Any]) -> None:
    """A fall by half is forgotten by 1 − 1/e after 72 hours."""
    block = lanes()
    start = block["share_price"]
    block.market(share_return=0.5)
    open_hour(block.s, block.m, block.p, block.c, 0)
    block.market(share_return=1.0)
    for hour in range(1, 72):
        open_hour(block.s, block.m, block.p, block.c, hour)
    assert block["share_price"] == pytest.approx(0.5 * start)
    assert (start - block["share_slow"]) / (0.5 * start) == pytest.approx(1 - 2.718281828**-1, rel=1e-6)
