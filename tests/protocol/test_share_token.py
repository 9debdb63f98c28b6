"""The share token's own operations: recollateralising, buying back, FXS1559."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import LINES, STATE, STATE_INDEX
from amo_opt.protocol.lanes import COMMON_LINES, LANES
from amo_opt.protocol.share_token import MOST_BACK, MOST_SPENT
from amo_opt.simulation.program import HOUR

BONUS = 0.0075
PRICE = 20.0
SHARES = 50e6
DEPTH = 60e6
Effect = Callable[..., tuple[np.ndarray, np.ndarray]]
ADDED = [row.name for row in HOUR if row.name.startswith("add_income_")]
"""The rows that add up what AMOs earned."""


@pytest.fixture
def issuer(lanes: Callable[..., Any]) -> Callable[..., Any]:
    """A block of 1bn supply and 100m idle at a target ratio of 0.9; 50m share tokens at 20 dollars whose market halves at 60m. ``gap`` =
    `cr_contract` less the target; ``constants`` set the figures of the operations, all of them 0 where not named."""

    def build(gap: float | np.ndarray, **constants: float) -> Any:
        block = lanes()
        switched_off = {
            "recollateralise_tokens": 0.0,
            "recollateralise_bonus": BONUS,
            "buyback_usd": 0.0,
            "fxs1559_share": 0.0,
            "start_shares": SHARES,
        }
        block.constant(**{**switched_off, "share_depth_ratio": DEPTH / (PRICE * SHARES), **constants})
        block["supply"], block["idle"], block["collateral_ratio"] = 1e9, 1e8, 0.9
        block["share_price"], block["share_supply"] = PRICE, SHARES
        block["cr_contract"] = 0.9 + gap
        return block

    return build


def operate(block: Any) -> None:
    """The hour's income added up, as every hour anew, and the operations."""
    block["amo_income"] = 0.0
    block.run(*ADDED, "share_operations")


def changed(block: Any, act: Callable[[], object]) -> set[str]:
    """The state variables that an act changes in any lane."""
    before = block.s.copy().reshape(len(STATE), LANES)
    act()
    return {name for name, row in STATE_INDEX.items() if not np.array_equal(block.lanes(name), before[row])}


def test_where_there_are_no_share_tokens_there_is_still_a_price(issuer: Callable[..., Any]) -> None:
    """Nothing over nothing is no dilution: the price stays until the first token is issued, and that one is worth nothing."""
    block = issuer(0.0)
    block["share_supply"] = 0.0
    operate(block)
    assert (block["share_price"], block["share_supply"]) == (PRICE, 0.0)
    block = issuer(-0.01, recollateralise_tokens=1000.0)
    block["share_supply"] = 0.0
    operate(block)
    assert 0.0 < block["share_supply"] < 1000.0
    assert block["share_price"] == pytest.approx(0.0, abs=1e-200)


# -- recollateralising -------------------------------------------------------------------------------------------------------------------


def test_at_most_so_many_tokens_are_issued_an_hour(issuer: Callable[..., Any]) -> None:
    """1% of 1bn is missing: 1,000 tokens, worth 20,000, are issued for 20,000 ÷ 1.0075 of collateral; the bonus is a cost."""
    block = issuer(-0.01, recollateralise_tokens=1000.0)
    operate(block)
    assert block["share_supply"] - SHARES == pytest.approx(1000.0, rel=1e-9)
    assert block["capital_recollateralised"] == pytest.approx(20_000.0, rel=1e-12)
    assert block["idle"] - 1e8 == pytest.approx(20_000.0 / (1 + BONUS), rel=1e-6)
    assert block["income_primary_fees"] == pytest.approx(-20_000.0 * BONUS / (1 + BONUS), rel=1e-9)


def test_no_more_comes_in_than_is_missing(issuer: Callable[..., Any]) -> None:
    """A gap of 0 to 20 millionths of 1bn against a throttle of 19,851 dollars: the collateral that comes is the gap, then the throttle."""
    gap = np.linspace(0.0, 40e-6, LANES)
    block = issuer(-gap, recollateralise_tokens=1000.0)
    operate(block)
    assert block.lanes("idle") - 1e8 == pytest.approx(np.minimum(gap * 1e9, 20_000.0 / (1 + BONUS)), rel=1e-6, abs=1e-6)


def test_selling_eats_the_bonus(issuer: Callable[..., Any]) -> None:
    """No throttle and 10% missing: tokens are issued until selling them all fetches no more than the collateral brought for them:
    depth ÷ (depth + issued) × (1 + bonus) = 1, within the bonus's own square."""
    block = issuer(-0.1, recollateralise_tokens=1e12)
    operate(block)
    issued, came = block["capital_recollateralised"], block["idle"] - 1e8
    assert issued == pytest.approx(BONUS * DEPTH, rel=1.01 * BONUS)
    assert issued * DEPTH / (DEPTH + issued) == pytest.approx(came, rel=1.01 * BONUS**2)


def test_new_tokens_dilute_for_good_and_press_for_a_while(issuer: Callable[..., Any]) -> None:
    """The price falls by depth ÷ (depth + issued) and by the number of tokens; the pressure passes, the dilution stays."""
    block = issuer(-0.1, recollateralise_tokens=1e12, recollateralise_bonus=0.2)
    operate(block)
    issued = block["capital_recollateralised"]
    pressed, diluted = DEPTH / (DEPTH + issued), SHARES / block["share_supply"]
    assert block["share_price"] == pytest.approx(PRICE * pressed * diluted, rel=1e-6)
    assert block["share_impact"] == pytest.approx(pressed, rel=1e-6)
    assert pressed < 0.85
    for hour in range(24 * 60):
        block.run("open_hour", hour=hour)
    assert block["share_price"] == pytest.approx(PRICE * diluted, rel=1e-6)


@pytest.mark.parametrize(
    ("gap", "constants"),
    [
        (-0.1, {"recollateralise_tokens": 0.0}),
        (-0.1, {"recollateralise_tokens": 1000.0, "recollateralise_bonus": 0.0}),
        (0.0, {"recollateralise_tokens": 1000.0, "buyback_usd": 1000.0, "fxs1559_share": 1.0}),
        (0.1, {"recollateralise_tokens": 1000.0}),
        (0.1, {"buyback_usd": 0.0, "fxs1559_share": 0.0}),
        (-0.1, {"buyback_usd": 1000.0, "fxs1559_share": 1.0}),
    ],
    ids=["no throttle", "no bonus", "on target", "above target", "no buyback", "below target"],
)
def test_every_operation_has_its_switch_and_its_side(issuer: Callable[..., Any], gap: float, constants: dict[str, float]) -> None:
    """At a throttle or bonus of 0, on target, or on the other operation's side of it: nothing but what was looked at changes."""
    block = issuer(gap, **constants)
    block["income_lending"] = 5000.0
    assert changed(block, lambda: operate(block)) == {"amo_income", "income_seen", "earned"}


def test_collateral_off_its_par_is_counted_as_the_contract_counts_it(issuer: Callable[..., Any]) -> None:
    """USDC at 0.9: valued at par, each coin brought counts as a dollar and costs 0.9, booked with the primary market's fees; valued by the
    oracle, more coins come for the same tokens."""
    for at_par, coins, cost in ((1.0, 1.0, -(1 + BONUS) + 0.9), (0.0, 1 / 0.9, -BONUS)):
        block = issuer(-0.01, recollateralise_tokens=1000.0, par_valuation=at_par)
        block["collateral_price"] = 0.9
        operate(block)
        brought = 20_000.0 / (1 + BONUS)
        assert block["capital_recollateralised"] == pytest.approx(20_000.0, rel=1e-12)
        assert block["idle"] - 1e8 == pytest.approx(brought * coins, rel=1e-6)
        assert block["income_primary_fees"] == pytest.approx(brought * cost, rel=1e-9)


# -- buying back -------------------------------------------------------------------------------------------------------------------------


def test_at_most_so_many_dollars_are_bought_back_an_hour(issuer: Callable[..., Any]) -> None:
    """1% above target: 1,000 dollars of collateral for 50 tokens, which are burned. Their number lifts the price for good; as their
    holders bring them to the contract, no market is pressed."""
    block = issuer(0.01, buyback_usd=1000.0)
    operate(block)
    assert block["idle"] - 1e8 == pytest.approx(-1000.0, rel=1e-6)
    assert block["capital_buybacks"] == pytest.approx(-1000.0, rel=1e-12)
    assert SHARES - block["share_supply"] == pytest.approx(50.0, rel=1e-6)
    assert (block["income_primary_fees"], block["share_impact"]) == (0.0, 1.0)
    assert block["share_price"] == pytest.approx(PRICE * SHARES / (SHARES - 50.0), rel=1e-12)


def test_no_more_is_bought_back_than_there_is_above_target(issuer: Callable[..., Any]) -> None:
    """An excess of 0 to 2,000 dollars against a throttle of 1,000."""
    excess = np.linspace(0.0, 2000.0, LANES)
    block = issuer(excess / 1e9, buyback_usd=1000.0)
    operate(block)
    assert 1e8 - block.lanes("idle") == pytest.approx(np.minimum(excess, 1000.0), abs=1e-3)


def test_without_idle_collateral_nothing_is_bought_back(issuer: Callable[..., Any]) -> None:
    """Idle collateral short of the hour's buyback: none of it happens, and idle never turns negative."""
    block = issuer(0.01, buyback_usd=1000.0)
    block["idle"] = idle = np.linspace(0.0, 2000.0, LANES)
    operate(block)
    assert idle - block.lanes("idle") == pytest.approx(np.where(idle > 1000.0, 1000.0, 0.0), abs=1e-9)
    assert np.all(block.lanes("idle") >= 0.0)


def test_holders_bring_little_of_what_they_hold(issuer: Callable[..., Any]) -> None:
    """A throttle without end, 10% above target: 1% of the share token's market value is brought in an hour."""
    block = issuer(0.1, buyback_usd=1e12)
    operate(block)
    assert block["capital_buybacks"] == pytest.approx(-MOST_BACK * PRICE * SHARES, rel=1e-12)


def test_the_last_tokens_are_not_sold(issuer: Callable[..., Any]) -> None:
    """Bought for sixty days without an end, S falls as S' = −0.01 S² / S₀ does: to S₀ / (1 + 14.4), not to nothing, at a market value that stays."""
    block = issuer(0.1, buyback_usd=1e12)
    block["idle"] = 1e15
    for _ in range(1440):
        block["cr_contract"] = 1.0
        operate(block)
    assert block["share_supply"] == pytest.approx(SHARES / 15.4, rel=0.01)
    assert block["share_price"] * block["share_supply"] == pytest.approx(PRICE * SHARES, rel=0.01)


def test_nobody_brings_share_tokens_for_collateral_below_par(issuer: Callable[..., Any]) -> None:
    """The contract pays a dollar's token with a coin: at 0.99 nobody takes it, at 0.9995 they do, and the half a per mille is a gain."""
    for price, back in ((0.99, 0.0), (0.9995, 1000.0)):
        block = issuer(0.01, buyback_usd=1000.0)
        block["collateral_price"] = price
        operate(block)
        assert block["capital_buybacks"] == pytest.approx(-back)
        assert block["income_primary_fees"] == pytest.approx(back * (1 - price), abs=1e-9)


# -- FXS1559 -----------------------------------------------------------------------------------------------------------------------------

EARNED = {
    "income_lending": 1000.0,
    "income_investor": 2000.0,
    "income_fraxlend": 3000.0,
    "income_swap_fees": 4000.0,
    "income_uniswap_fees": 5000.0,
    "income_rewards": 6000.0,
}
OTHERS = sorted({line for line in COMMON_LINES if line.startswith("income_")} - set(EARNED))
"""Lines that no AMO has to itself, and to which none adds what it earns."""


def earn(block: Any, scale: float = 1.0) -> float:
    for line, amount in EARNED.items():
        block[line] = block[line] + scale * amount
    return scale * sum(EARNED.values())


@pytest.mark.parametrize("share", [1.0, 0.25, 0.0])
def test_a_share_of_the_hours_income_buys_share_tokens(issuer: Callable[..., Any], share: float) -> None:
    """What all AMOs earned this hour, times the share, buys tokens in the market and burns them; at a share of 0 nothing. What was
    earned before is not spent again."""
    block = issuer(0.01, fxs1559_share=share)
    earned = earn(block)
    operate(block)
    assert earned == 21_000.0
    assert block["capital_buybacks"] == pytest.approx(-share * earned, rel=1e-12)
    assert 1e8 - block["idle"] == pytest.approx(share * earned, rel=1e-6)
    assert SHARES - block["share_supply"] == pytest.approx(share * earned / PRICE, rel=1e-5)
    assert block["share_impact"] == pytest.approx((DEPTH + share * earned) / DEPTH, rel=1e-9)
    spent = block["capital_buybacks"]
    operate(block)
    assert block["capital_buybacks"] == spent
    more = earn(block, 0.1)
    operate(block)
    assert spent - block["capital_buybacks"] == pytest.approx(share * more, rel=1e-9)


@pytest.mark.parametrize("line", OTHERS)
def test_only_what_amos_earn_is_income(issuer: Callable[..., Any], line: str) -> None:
    """Fees of the primary market, marks to market, discounts on own debt and the like are no income to spend."""
    block = issuer(0.01, fxs1559_share=1.0)
    block[line] = 1e6
    operate(block)
    assert block["capital_buybacks"] == 0.0


def test_income_of_an_hour_below_target_is_not_spent_later(issuer: Callable[..., Any]) -> None:
    """Below target nothing is spent; back above it the hours before do not count."""
    block = issuer(-0.01, fxs1559_share=1.0)
    earn(block)
    operate(block)
    assert block["capital_buybacks"] == 0.0
    block["cr_contract"] = 0.91
    operate(block)
    assert block["capital_buybacks"] == 0.0


def test_a_loss_buys_nothing(issuer: Callable[..., Any]) -> None:
    """Where the lines fell in the hour nothing is spent."""
    block = issuer(0.01, fxs1559_share=1.0)
    block["income_rewards"] = -5000.0
    operate(block)
    assert block["capital_buybacks"] == 0.0


def test_no_more_is_spent_than_there_is(issuer: Callable[..., Any]) -> None:
    """Bounded by what is above target after the buyback, by idle collateral, and by a twentieth of what halves the market."""
    block = issuer(15_000.0 / 1e9, fxs1559_share=1.0, buyback_usd=1000.0)
    earn(block)
    operate(block)
    assert block["capital_buybacks"] == pytest.approx(-15_000.0, rel=1e-6)
    block = issuer(0.01, fxs1559_share=1.0)
    block["idle"] = 7000.0
    earn(block)
    operate(block)
    assert block["capital_buybacks"] == pytest.approx(-7000.0)
    assert block["idle"] == pytest.approx(0.0, abs=1e-9)
    block = issuer(0.1, fxs1559_share=1.0)
    earn(block, 1000.0)
    operate(block)
    assert block["capital_buybacks"] == pytest.approx(-MOST_SPENT * DEPTH, rel=1e-6)


def test_a_share_token_worth_next_to_nothing_is_not_bought_out(issuer: Callable[..., Any]) -> None:
    """Income beyond its whole market value: half of that is spent at most, so that tokens are left, and a price that is a number."""
    for share_price in (0.0, 1e-12, 1e-6):
        block = issuer(0.1, fxs1559_share=1.0)
        block["share_price"] = share_price
        earn(block, 1000.0)
        operate(block)
        assert block["share_supply"] >= 0.49 * SHARES
        assert 0.0 <= block["share_price"] < 1e-3


def test_the_windows_opening_is_no_loss(issuer: Callable[..., Any]) -> None:
    """The lines are cleared when the window opens, and with them what was looked at: the first hour's income is spent, not set off
    against the transition's."""
    block = issuer(0.01, fxs1559_share=1.0)
    earn(block, 100.0)
    operate(block)
    block.run("open_window")
    for line in LINES:
        block[line] = 0.0
    earned = earn(block)
    operate(block)
    assert block["capital_buybacks"] == pytest.approx(-earned, rel=1e-9)


# -- the books ---------------------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tokens=st.sampled_from([0.0, 1000.0, 1e12]),
    bonus=st.floats(0.0, 0.5),
    buyback=st.sampled_from([0.0, 1000.0, 1e12]),
    share=st.floats(0.0, 1.0),
    par=st.sampled_from([0.0, 1.0]),
    share_price=st.sampled_from([0.0, 0.01, 20.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_operation_is_booked(
    issuer: Callable[..., Any],
    effect: Effect,
    *,
    tokens: float,
    bonus: float,
    buyback: float,
    share: float,
    par: float,
    share_price: float,
    seed: int,
) -> None:
    """At any gap, price, idle collateral and income: ΔNAV = Σ lines, the stablecoin's supply and claims stand, and no balance turns negative."""
    rng = np.random.default_rng(seed)
    block = issuer(
        rng.uniform(-0.3, 0.1, LANES),
        recollateralise_tokens=tokens,
        recollateralise_bonus=bonus,
        buyback_usd=buyback,
        fxs1559_share=share,
        par_valuation=par,
    )
    block["share_price"] = share_price
    block["idle"] = 10 ** rng.uniform(0.0, 9.0, LANES)
    block["collateral_price"] = rng.uniform(0.8, 1.05, LANES)
    block["income_rewards"] = block["income_seen"] = 1e6
    block["income_rewards"] = 1e6 + rng.uniform(-1e5, 1e6, LANES)
    touched: set[str] = set()
    moved, booked = effect(block, lambda: touched.update(changed(block, lambda: operate(block))))
    assert np.all(np.abs(moved - booked) < 1e-4)
    assert touched <= {
        "idle", "share_supply", "share_price", "share_impact", "income_seen", "amo_income", "earned",
        "income_primary_fees", "capital_recollateralised", "capital_buybacks",
    }  # fmt: skip
    for name in ("idle", "share_supply", "share_price", "share_impact"):
        assert np.all(block.lanes(name) >= 0.0), name
    assert np.all(np.isfinite(block.s))
