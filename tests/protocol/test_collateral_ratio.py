"""The controller, and the two collateral ratios."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import CONSTANT_INDEX
from amo_opt.protocol.collateral_ratio import (
    at_floor,
    contract_ratio,
    external_ratio,
    pool_at_floor,
    scaled_at_cr,
)
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.invariant import get_y, refresh_D, scaled_x_at_price

BAND, STEP = 0.005, 0.0025


def moved(block: Any, oracle: float, cr: float = 0.8725) -> float:
    block["oracle"], block["collateral_ratio"] = oracle, cr
    block.run("cr_controller")
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
        block.run("cr_controller")
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


def both(
    x: float, y: float, own: float, supply: float, free: float, cr: float, ann: float, *, range_x: float = 0.0, debt: float = 0.0
) -> tuple[float, float]:
    """Both ratios at a floor of the collateral ratio; ``debt`` = what borrowers owe Fraxlend, nothing of the deposit being free."""
    d = pool(x, y, ann)
    scaled, _ = scaled_at_cr(cr, ann)
    contract = contract_ratio(x, y, d, ann, own, supply, free, cr, scaled, range_x + debt, range_x)
    return contract, external_ratio(x, y, d, ann, own, supply, free, scaled, range_x, 1.0)


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


@pytest.mark.parametrize(
    ("base", "minted", "contract", "external"), [(0.4, 3.0, 0.864, 0.824), (0.8, 10.0, 0.868, 0.764)], ids=["3 minted", "10 minted"]
)
def test_the_contracts_ratio_reads_high_where_little_is_there(base: float, minted: float, contract: float, external: float) -> None:
    """The design's figures: 1bn held outside, 0.8725bn of collateral behind it at A 1500. With 0.4bn of it in the pool and 3bn minted the
    chain reads 0.864; with 0.8bn in the pool and 10bn minted it reads 0.868, while 0.764 of a dollar is there for each one outside."""
    read, there = both(minted * 1e9, base * 1e9, 1.0, (1.0 + minted) * 1e9, (0.8725 - base) * 1e9, 0.8725, 3000.0)
    assert read == pytest.approx(contract, abs=5e-4)
    assert there == pytest.approx(external, abs=1e-3)


def test_collateral_in_the_pool_counts_for_less_at_a_higher_amplification() -> None:
    """High A costs: at the floor the pool has paid out more of its base LP, so `cr_external` falls with A."""
    external = [both(1586.0, 1133.0, 0.8, 2600.0, 340.0, 0.8725, 2 * a)[1] for a in (10.0, 50.0, 200.0, 1500.0)]
    assert external == sorted(external, reverse=True)
    assert external[0] - external[-1] > 0.02


def test_what_borrowers_owe_counts_on_chain_and_nowhere_else() -> None:
    """Fraxlend's deposit is collateral at CR by `cr_contract`, nothing by `cr_external`: 100m more owed moves the one by CR × 100m ÷
    supply, the other not at all."""
    bare = both(1e9, 0.7e9, 0.8, 2e9, 0.5e9, 0.85, 200.0)
    owed = both(1e9, 0.7e9, 0.8, 2e9, 0.5e9, 0.85, 200.0, debt=1e8)
    assert owed[0] - bare[0] == pytest.approx(0.85 * 1e8 / 2e9, rel=1e-9)
    assert owed[1] == bare[1]


# -- both ratios with a position in every venue, against the definition worked out slowly ------------------------------------------------


def slow_d(x: float, y: float, ann: float) -> float:
    """D by halving: where ``ann (x + y) + D = ann D + D**3 / (4 x y)``."""
    low, high = 0.0, x + y
    for _ in range(100):
        middle = 0.5 * (low + high)
        above = ann * middle + middle**3 / (4 * x * y) > ann * (x + y) + middle
        low, high = (low, middle) if above else (middle, high)
    return 0.5 * (low + high)


def slow_y(x: float, d: float, ann: float) -> float:
    """The other balance by halving, from the same equation."""
    low, high = 0.0, 10 * d
    for _ in range(100):
        middle = 0.5 * (low + high)
        above = ann * (x + middle) + d > ann * d + d**3 / (4 * x * middle)
        low, high = (low, middle) if above else (middle, high)
    return 0.5 * (low + high)


def slow_price(x: float, y: float, d: float, ann: float) -> float:
    k = d**3 / (4 * x * y)
    return (ann + k / x) / (ann + k / y)


def slow_floor(x: float, y: float, ann: float, floor: float, most: float) -> tuple[float, float]:
    """The pool after stablecoin was sold into it until its price is the floor, or until there is no more to sell (``most`` in the pool)."""
    d = slow_d(x, y, ann)
    if slow_price(x, y, d, ann) <= floor:
        return x, y
    low, high = x, most
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if slow_price(middle, slow_y(middle, d, ann), d, ann) < floor else (middle, high)
    end = 0.5 * (low + high)
    return end, slow_y(end, d, ann)


@pytest.mark.parametrize(("share", "cr", "ann"), [(0.5, 0.8725, 20.0), (0.55, 0.9, 400.0), (0.58, 0.8725, 3000.0)])
def test_both_ratios_with_a_position_in_every_venue(invested_everywhere: Callable[..., Any], share: float, cr: float, ann: float) -> None:
    """The stage against the definition worked out by halving. On chain: idle + lent + invested + floor base + CR × (floor stablecoin + range,
    all of it stablecoin + Fraxlend's deposit) ÷ supply. Outside: idle + lent + invested + floor base ÷ (supply − own stablecoin at the
    floor, the range's and Fraxlend's free part among it). The collateral in Uniswap's range counts in neither."""
    block = invested_everywhere()
    block["ann"], block["collateral_ratio"] = ann, cr
    block.pool(2.4e9 * share, 2.4e9 * (1 - share))
    x, y = block["pool_x"], block["pool_y"]
    own, supply = block["lp_amo"] / block["lp_supply"], block["supply"]
    low, high = np.sqrt(0.995), np.sqrt(1.005)
    range_x = block["uniswap.liquidity"] * (1 / low - 1 / high)
    elsewhere = range_x + block["fraxlend.free"]
    free = block["idle"] + block["aave.lent"] + block["investor.lent"]
    floor = 0.8
    block["scaled_cr"] = scaled_at_cr(cr, ann)[0]
    block.constant(external_floor=floor)
    block.run("collateral_ratios")

    at_cr = slow_floor(x, y, ann, cr, supply - elsewhere)
    contract = (free + own * at_cr[1] + cr * (own * at_cr[0] + range_x + block["fraxlend.lent"])) / supply
    assert block["cr_contract"] == pytest.approx(contract, rel=1e-6)
    at_floor = slow_floor(x, y, ann, floor, supply - elsewhere)
    external = (free + own * at_floor[1]) / (supply - own * at_floor[0] - elsewhere)
    assert block["cr_external"] == pytest.approx(external, rel=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    share=st.floats(0.3, 0.9),
    own=st.floats(0.0, 1.0),
    minted=st.floats(1e6, 5e8),
    cr=st.floats(0.0, 1.0),
    a=st.floats(10.0, 5000.0),
)
def test_minting_never_adds_external_collateral(
    lanes: Callable[..., Any], share: float, own: float, minted: float, cr: float, a: float
) -> None:
    """Stablecoin minted into Fraxlend or into the range raises no `cr_external`: it is own stablecoin over own stablecoin."""
    block = lanes()
    block["ann"], block["collateral_ratio"] = 2 * a, cr
    block.pool(2.4e9 * share, 2.4e9 * (1 - share))
    block["lp_amo"] = own * block["lp_supply"]
    block["fraxlend.lent"] = block["fraxlend.free"] = np.where(np.arange(LANES) == 1, minted, 0.0)
    block["supply"] = 4e9 + block.lanes("fraxlend.free")
    block["scaled_cr"] = scaled_at_cr(cr, 2 * a)[0]
    block.run("collateral_ratios")
    external, contract = block.lanes("cr_external"), block.lanes("cr_contract")
    assert external[1] == pytest.approx(external[0], rel=1e-9)
    # on chain every minted unit is worth CR, which draws the ratio towards CR
    assert contract[1] * (4e9 + minted) == pytest.approx(contract[0] * 4e9 + cr * minted, rel=1e-9)


def test_a_target_above_one_is_kept_and_redeems_at_par(frax: Any, refigured: Callable[..., Any], lanes: Callable[..., Any]) -> None:
    """103.7%: the doors, what a stablecoin is worth and what the chain counts are those of a target of 1; only what is above or below the target is told by it."""
    ends = {}
    for target in (1.0, 1.037):
        block = lanes(refigured(frax, {"controller.collateral_ratio": target, "collateral.idle": 1.2e9}))
        block.parameter(redeem_price_threshold=1.0)
        block["oracle"], block["sell_demand"], block["backing_value"] = 0.99, 5e8, 1.0
        block.run("demand", "trade", "collateral_ratios")
        ends[target] = {
            name: block[name] for name in ("idle", "supply", "price", "backing_value", "share_supply", "cr_contract", "cr_external")
        }
    assert ends[1.0] == ends[1.037]
    assert ends[1.0]["backing_value"] <= 1.0
    block = lanes(refigured(frax, {"controller.collateral_ratio": 1.037}))
    assert moved(block, 0.9, cr=1.036) == pytest.approx(0.001)
    assert moved(block, 0.9, cr=1.037) == 0.0
    assert moved(block, 1.1, cr=1.037) == pytest.approx(-STEP)


def test_buybacks_begin_above_the_target(frax: Any, refigured: Callable[..., Any], lanes: Callable[..., Any]) -> None:
    """At a cover of 1.02 a target of 1 buys share tokens back, one of 1.037 does not."""
    for target, buys in ((1.0, True), (1.037, False)):
        block = lanes(
            refigured(
                frax,
                {
                    "controller.collateral_ratio": target,
                    "share_token.buyback_usd_hour": 1e5,
                    "share_token.recollateralise_tokens_hour": 0.0,
                },
            )
        )
        block["cr_contract"] = 1.02
        before = block["share_supply"]
        block.run("share_operations")
        assert (block["share_supply"] < before) is buys


def test_cover_is_the_market_s_and_par_stands_beside_it(lanes: Callable[..., Any]) -> None:
    """USDC at 0.88, the base pool at 0.95: what is free and lent counts at 0.88, the other side of the pool at 0.95; at par nothing moved, and what the chain books either."""
    block = lanes()
    block.run("collateral_ratios")
    par, contract = block["cr_par"], block["cr_contract"]
    assert block["cr_external"] == par
    coins = block["idle"] + block["recoverable"]
    block["collateral_price"], block["base_value"] = 0.88, 0.95
    block.run("collateral_ratios")
    assert block["cr_par"] == par
    assert block["cr_contract"] == contract
    scaled, _ = scaled_x_at_price(block.c[CONSTANT_INDEX["external_floor"]], block["ann"])
    side, external = at_floor(
        *(block[name] for name in ("pool_x", "pool_y", "d", "ann", "own", "supply")), scaled, block["own_at_floor"], 1.0
    )
    assert par == pytest.approx((coins + side) / external, rel=1e-12)
    assert block["cr_external"] == pytest.approx((0.88 * coins + 0.95 * side) / external, rel=1e-12)
