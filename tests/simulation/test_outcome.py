"""What a path leaves behind, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt.amos.layout import LINES, STATE, STATE_INDEX
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import simulate
from amo_opt.simulation.outcome import LINE_COLUMNS, Outcome, block_columns, join

if TYPE_CHECKING:
    from amo_opt.config.study import Study

COLUMNS = [
    "scenario",
    "path",
    "component",
    "weight",
    "nav_start_usd",
    "nav_end_usd",
    "income_lending_usd",
    "income_investor_usd",
    "income_fraxlend_usd",
    "income_swap_fees_usd",
    "income_uniswap_fees_usd",
    "income_rewards_usd",
    "income_fraxlend_bad_debt_usd",
    "income_primary_fees_usd",
    "income_market_operations_usd",
    "income_venue_losses_usd",
    "income_liquidation_usd",
    "income_mark_to_market_usd",
    "income_debt_discount_usd",
    "capital_shares_issued_usd",
    "capital_shares_burned_usd",
    "capital_recollateralised_usd",
    "capital_buybacks_usd",
    "transition_nav_start_usd",
    "transition_income_usd",
    "transition_capital_usd",
    "transition_cost_usd",
    "min_price",
    "min_oracle",
    "deepest_shortfall_bps",
    "peg_loss_bps",
    "peg_loss_collateral_bps",
    "peg_loss_dollar_bps",
    "end_shortfall_bps",
    "hours_below_099",
    "hours_below_min_cr",
    "hours_to_recover",
    "recovered",
    "min_cr_external",
    "min_cr_contract",
    "end_cr",
    "unserved_usd_hours",
    "unserved_peak_usd",
    "supply_start",
    "supply_end",
    "external_supply_start",
    "external_supply_end",
    "share_supply_start",
    "share_supply_end",
    "share_price_end",
    "collateral_start_usd",
    "hours_over_caps",
    "hours_unwinding",
    "claims_end_usd",
    "buy_queue_end_usd",
    "net_issued_tokens",
    "floor_supply_band_usd",
    "floor_supply_005_usd",
    "floor_supply_01_usd",
    "floor_ratio",
    "floor_ratio_end",
    "decentralisation_ratio",
    "reward_tokens_earned",
    "reward_tokens_locked",
    "vote_share",
]


@pytest.fixture(scope="module")
def outcome(frax: Study) -> Outcome:
    return simulate(frax.current, frax, paths=8)


def test_the_table_has_its_columns_and_no_missing_value(outcome: Outcome, lines_left_out: frozenset[str]) -> None:
    """One row a path, the documented columns in their order, no NaN, `recovered` a truth value, `path` a whole number; the income of an AMO
    that is not there is 0."""
    frame = outcome.paths
    others = [column for column in LINE_COLUMNS if column.removesuffix("_usd") in lines_left_out]
    assert [column for column in frame.columns if column not in others] == COLUMNS
    assert not frame[others].to_numpy().any()
    assert len(frame) == 8 * len(outcome.scenarios)
    assert not frame.isna().to_numpy().any()
    assert frame["recovered"].dtype == bool
    assert np.issubdtype(frame["path"].dtype, np.integer)


def test_every_accounting_line_has_its_column(outcome: Outcome) -> None:
    """The line columns are the lines, with their unit, one beside the other in their order."""
    assert tuple(f"{line}_usd" for line in LINES) == LINE_COLUMNS
    assert tuple(column for column in outcome.paths.columns if column.startswith(("income_", "capital_"))) == LINE_COLUMNS


def test_figures_stand_in_their_relations(outcome: Outcome) -> None:
    """Shares of one scenario against another and bounds: losses ≤ deepest shortfall, dollar losses ≥ collateral ones, hours ≤ window."""
    frame = outcome.paths
    assert (frame["peg_loss_bps"] <= frame["deepest_shortfall_bps"] + 1e-9).all()
    assert (frame["peg_loss_dollar_bps"] >= frame["peg_loss_collateral_bps"] - 1e-9).all()
    assert (frame["end_shortfall_bps"] <= frame["deepest_shortfall_bps"] + 1e-9).all()
    assert (frame["unserved_peak_usd"] <= frame["unserved_usd_hours"] + 1e-6).all()
    for name in ("hours_below_099", "hours_below_min_cr", "hours_to_recover", "hours_over_caps", "hours_unwinding"):
        assert frame[name].between(0, 1440).all()
    assert np.allclose(frame["collateral_start_usd"], 1.24638e9, rtol=1e-5)
    assert (frame["floor_supply_005_usd"] < frame["floor_supply_01_usd"]).all()
    assert frame["decentralisation_ratio"].between(0, 1).all()
    for name in ("floor_ratio", "floor_ratio_end"):
        assert frame[name].between(0, 1000).all()
    for name in ("claims_end_usd", "buy_queue_end_usd", "reward_tokens_earned", "reward_tokens_locked", "vote_share"):
        assert (frame[name] >= 0).all()


def state_with(**values: float) -> np.ndarray:
    state = np.zeros(len(STATE) * LANES)
    started = {"lp_supply": 1.0, "ann": 100.0, "d": 2.0, "pool_x": 1.0, "pool_y": 1.0, "collateral_price": 1.0, "base_value": 1.0}
    for name, value in {**started, **values}.items():
        state[STATE_INDEX[name] * LANES :][:LANES] = value
    return state


def columns_of(frax: Study, state: np.ndarray, opening: np.ndarray, *, lanes: int = 1, **simulation: Any) -> dict[str, np.ndarray]:
    study = replace(frax, simulation=replace(frax.simulation, **simulation))
    return block_columns(state, opening, np.zeros((3, LANES)), lanes=lanes, study=study, parameters=study.current)


@pytest.mark.parametrize(
    ("first", "last", "hours", "recovered"),
    [(-1, -1, 0.0, 1.0), (400, 400, 1.0, 1.0), (400, 500, 101.0, 1.0), (400, 1775, 1440.0, 0.0)],
    ids=["never off", "one hour", "a hundred and one", "still off at the end"],
)
def test_hours_to_recover(frax: Study, first: float, last: float, hours: float, recovered: float) -> None:
    """From the first hour off the peg to the last; the whole window where the last hour is still off it."""
    columns = columns_of(frax, state_with(first_bad_hour=first, last_bad_hour=last), state_with(), lanes=2)
    assert columns["hours_to_recover"].tolist() == [hours, hours]
    assert columns["recovered"].tolist() == [recovered, recovered]


def test_the_studys_reference_chooses_the_loss(frax: Study) -> None:
    """`peg_loss_bps` is the collateral's or the dollar's by the study; both stand beside it; costs of the transition are positive."""
    state = state_with(loss_collateral=0.001, loss_dollar=0.01, deepest_collateral=0.002, deepest_dollar=0.02)
    opening = state_with(income_market_operations=-5.0, income_rewards=7.0, capital_shares_issued=3.0, capital_buybacks=-1.0)
    for reference, expected in (("collateral", (10.0, 20.0)), ("dollar", (100.0, 200.0))):
        columns = columns_of(frax, state, opening, peg_reference=reference)
        assert (columns["peg_loss_bps"][0], columns["deepest_shortfall_bps"][0]) == pytest.approx(expected)
        assert columns["peg_loss_collateral_bps"][0] == pytest.approx(10.0)
        assert columns["transition_cost_usd"][0] == 5.0
        assert columns["transition_income_usd"][0] == 2.0
        assert columns["transition_capital_usd"][0] == 2.0


def test_what_is_counted_between_opening_and_end(frax: Study) -> None:
    """Reward tokens and tokens issued are the window's, claims dollars at the coin's price; external supply leaves out every venue's own
    stablecoin."""
    opening = state_with(reward_tokens_earned=100.0, reward_tokens_locked=40.0, net_issued=-3.0, supply=900.0, own_outside=20.0, lp_amo=0.5)
    state = state_with(
        reward_tokens_earned=160.0,
        reward_tokens_locked=55.0,
        net_issued=4.0,
        claims=10.0,
        collateral_price=0.9,
        buy_queue=6.0,
        supply=1000.0,
        pool_x=400.0,
        lp_amo=0.25,
        own_outside=80.0,
    )
    columns = {name: float(values[0]) for name, values in columns_of(frax, state, opening).items()}
    assert (columns["reward_tokens_earned"], columns["reward_tokens_locked"], columns["net_issued_tokens"]) == (60.0, 15.0, 7.0)
    assert columns["claims_end_usd"] == pytest.approx(9.0)
    assert columns["buy_queue_end_usd"] == 6.0
    assert columns["external_supply_end"] == pytest.approx(1000.0 - 100.0 - 30.0 - 50.0)
    assert columns["external_supply_start"] == pytest.approx(900.0 - 0.5 - 20.0)


def test_locked_reward_tokens_are_votes(frax: Study, refigured: Callable[..., Study]) -> None:
    """Share of all votes = (held at the snapshot + locked since, transition included) ÷ (all votes + locked since); nothing held and
    nothing locked is no vote."""
    study = refigured(frax, {"rewards.locked": 30e6, "rewards.votes": 470e6})
    assert columns_of(study, state_with(reward_tokens_locked=30e6), state_with(reward_tokens_locked=10e6))["vote_share"][
        0
    ] == pytest.approx(60 / 500)
    assert columns_of(frax, state_with(), state_with())["vote_share"][0] == 0.0


def test_what_is_locked_is_not_sold(frax: Study, hastened: Callable[..., Study]) -> None:
    """Locking share q of the rewards: q of what was earned is locked, the earnings in tokens are the same, and what is sold brings less;
    at q = 0 nothing is locked and the votes are the snapshot's, at q = 1 rewards are no income."""
    short = hastened(frax, 24, 96)
    rows = {}
    for locked in (0.0, 0.25, 1.0):
        study = replace(short, simulation=replace(short.simulation, crv_locked_share=locked))
        rows[locked] = simulate(frax.current, study, paths=4, scenarios=["calm"]).columns
        assert rows[locked]["reward_tokens_locked"] == pytest.approx(locked * rows[locked]["reward_tokens_earned"], rel=1e-12)
    assert np.all(rows[0.0]["vote_share"] == 0.0)
    assert np.all(rows[0.25]["vote_share"] > 0.0)
    sold = [rows[locked]["income_rewards_usd"] for locked in (0.0, 0.25, 1.0)]
    # sold with price impact: three quarters of the tokens bring more than three quarters of the dollars
    assert np.all(sold[1] > 0.74 * sold[0])
    assert np.all(sold[1] < sold[0])
    assert np.all(sold[2] == 0.0)


def test_blocks_are_joined_in_order() -> None:
    """Columns of one block follow those of the other."""
    assert join([{"a": np.array([1.0])}, {"a": np.array([2.0, 3.0])}])["a"].tolist() == [1.0, 2.0, 3.0]


def test_paths_are_drawn_and_count_alike_unless_said(outcome: Outcome) -> None:
    """A plain outcome holds component 0 and weight 1 on every row; twins keep theirs, in the frame too."""
    assert (outcome.component_of == 0).all()
    assert (outcome.path_weight == 1.0).all()
    assert outcome.component_of.shape == outcome.path_weight.shape == outcome.path_of.shape
    rows = outcome.path_of.size
    twins = replace(outcome, component_of=np.arange(rows), path_weight=0.5 + np.arange(rows))
    assert twins.paths["component"].tolist() == list(range(rows))
    assert twins.paths["weight"].tolist() == [0.5 + row for row in range(rows)]
