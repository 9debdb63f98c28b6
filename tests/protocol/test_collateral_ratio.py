"""The controller, and the two collateral ratios."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amo_opt.protocol.collateral_ratio import contract_ratio, cr_controller, external_ratio, pool_at_floor, scaled_at_cr
from amo_opt.stableswap.invariant import get_y, refresh_D, scaled_x_at_price

BAND, STEP = 0.005, 0.0025


def moved(block: Any, oracle: float, cr: float = 0.8725) -> float:
    block["oracle"], block["collateral_ratio"] = oracle, cr
    cr_controller(block.s, block.p, block.c)
    return block["collateral_ratio"] - cr


def test_the_band_is_strict(lanes: Callable[..., Any]) -> None:
    """At exactly 1 ± band nothing moves; a hair outside, one step down above and one step up below."""
    block = lanes()
    assert moved(block, 1.0 + BAND) == 0.0
    assert moved(block, 1.0 - BAND) == 0.0
    assert moved(block, 1.0 + BAND + 1e-12) == pytest.approx(-STEP)
    assert moved(block, 1.0 - BAND - 1e-12) == pytest.approx(STEP)


def test_at_most_one_step_a_cooldown(lanes: Callable[..., Any]) -> None:
    """With a cooldown of 5 hours the ratio moves every fifth hour of a standing deviation."""
    block = lanes()
    block.parameter(cr_refresh_hours=5)
    block["oracle"] = 0.98
    path = []
    for _ in range(15):
        cr_controller(block.s, block.p, block.c)
        path.append(block["collateral_ratio"])
    assert path == pytest.approx([0.8725] * 4 + [0.875] * 5 + [0.8775] * 5 + [0.88])


def test_the_ratio_stays_between_its_floor_and_one(lanes: Callable[..., Any]) -> None:
    """Up to exactly 1 and down to exactly the floor, never past them; a ratio already under the floor is not lifted."""
    block = lanes()
    assert moved(block, 0.9, cr=0.999) == pytest.approx(0.001)
    assert moved(block, 0.9, cr=1.0) == 0.0
    assert moved(block, 1.1, cr=0.001) == pytest.approx(-0.001)
    assert moved(block, 1.1, cr=0.0) == 0.0
    block.constant(cr_floor=0.8)
    assert moved(block, 1.1, cr=0.801) == pytest.approx(-0.001)
    assert moved(block, 1.1, cr=0.7) == 0.0


def pool(x: float, y: float, ann: float) -> float:
    return refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))


def test_the_floor_sells_to_the_price_and_no_more_than_there_is() -> None:
    """At a floor of 0.8725: the May 2022 pool would need 1.055bn, so only the 1.014bn outside go in; a smaller pool reaches its floor."""
    x, y, supply, ann = 1586.44, 1109.66, 2600.09, 3000.0
    scaled, _ = scaled_x_at_price(0.8725, ann)
    d = pool(x, y, ann)
    end_x, end_y = pool_at_floor(x, y, d, ann, scaled, supply)
    assert end_x == supply
    assert end_y == pytest.approx(get_y(supply, d, ann))
    end_x, _ = pool_at_floor(x / 2, y / 2, d / 2, ann, scaled, supply)
    assert end_x == pytest.approx(scaled * d / 2)


def test_a_pool_under_its_floor_is_taken_as_it_is() -> None:
    """A pool that already trades below the floor is not bought back up."""
    x, y, ann = 1000.0, 1.0, 20.0
    d = pool(x, y, ann)
    scaled, _ = scaled_x_at_price(0.9, ann)
    assert pool_at_floor(x, y, d, ann, scaled, 2000.0) == (x, y)


def both(x: float, y: float, own: float, supply: float, free: float, cr: float, ann: float) -> tuple[float, float]:
    d = pool(x, y, ann)
    scaled, _ = scaled_at_cr(cr, ann)
    contract = contract_ratio(x, y, d, ann, own, supply, free, cr, scaled)
    return contract, external_ratio(x, y, d, ann, own, supply, free, scaled)


def test_without_a_pool_position_both_ratios_are_collateral_over_supply() -> None:
    """own = 0: (idle + lent) ÷ supply."""
    assert both(1.0, 1.0, 0.0, 10.0, 8.0, 0.8725, 100.0) == pytest.approx((0.8, 0.8))


@pytest.mark.parametrize("free", [0.95, 0.2])
def test_minting_pulls_the_contracts_ratio_to_cr(free: float) -> None:
    """Each self-minted unit adds CR above and 1 below: `cr_contract` → CR from either side whatever collateral there is, so by itself it
    cannot protect; `cr_external` still tells 0.95 of free collateral from 0.2."""
    cr, ann = 0.8725, 1000.0
    ratios = [both(0.3 + minted, 0.3, 1.0, 1.3 + minted, free, cr, ann) for minted in (3.0, 10.0, 100.0)]
    distance = [abs(contract - cr) for contract, _ in ratios]
    assert distance == sorted(distance, reverse=True)
    assert distance[-1] < 0.01
    assert ratios[-1][1] == pytest.approx(free + 0.3)


def test_collateral_in_the_pool_counts_for_less_at_a_higher_amplification() -> None:
    """High A costs: at the floor the pool has paid out more of its base LP, so `cr_external` falls with A."""
    external = [both(1586.0, 1133.0, 0.8, 2600.0, 340.0, 0.8725, 2 * a)[1] for a in (10.0, 50.0, 200.0, 1500.0)]
    assert external == sorted(external, reverse=True)
    assert external[0] - external[-1] > 0.02
