"""What a path leaves behind, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.protocol.lanes import LANES, LINES, STATE, STATE_INDEX
from amo_opt.simulation.engine import simulate
from amo_opt.simulation.outcome import LINE_COLUMNS, Outcome, block_columns, join

if TYPE_CHECKING:
    from amo_opt.config.study import Study

COLUMNS = [
    "scenario",
    "path",
    "nav_start_usd",
    "nav_end_usd",
    "income_lending_usd",
    "income_swap_fees_usd",
    "income_rewards_usd",
    "income_primary_fees_usd",
    "income_market_operations_usd",
    "income_mark_to_market_usd",
    "income_debt_discount_usd",
    "capital_shares_issued_usd",
    "capital_shares_burned_usd",
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
]


@pytest.fixture(scope="module")
def outcome(frax: Study) -> Outcome:
    return simulate(frax.current, frax, paths=8)


def test_the_table_has_its_columns_and_no_missing_value(outcome: Outcome) -> None:
    """One row a path, the documented columns in their order, no NaN, `recovered` a truth value, `path` a whole number."""
    frame = outcome.paths
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 40
    assert not frame.isna().to_numpy().any()
    assert frame["recovered"].dtype == bool
    assert np.issubdtype(frame["path"].dtype, np.integer)


def test_every_accounting_line_has_its_column() -> None:
    """The line columns are the lines, with their unit."""
    assert tuple(f"{line}_usd" for line in LINES) == LINE_COLUMNS
    assert set(LINE_COLUMNS) <= set(COLUMNS)


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


def state_with(**values: float) -> np.ndarray:
    state = np.zeros(len(STATE) * LANES)
    state[STATE_INDEX["lp_supply"] * LANES :][:LANES] = 1.0
    for name, value in values.items():
        state[STATE_INDEX[name] * LANES :][:LANES] = value
    return state


@pytest.mark.parametrize(
    ("first", "last", "hours", "recovered"),
    [(-1, -1, 0.0, 1.0), (400, 400, 1.0, 1.0), (400, 500, 101.0, 1.0), (400, 1775, 1440.0, 0.0)],
    ids=["never off", "one hour", "a hundred and one", "still off at the end"],
)
def test_hours_to_recover(first: float, last: float, hours: float, recovered: float) -> None:
    """From the first hour off the peg to the last; the whole window where the last hour is still off it."""
    columns = block_columns(
        state_with(first_bad_hour=first, last_bad_hour=last),
        state_with(),
        np.zeros((3, LANES)),
        lanes=2,
        window_hours=1440,
        transition_hours=336,
        start_collateral=1.0,
        dollar_reference=False,
    )
    assert columns["hours_to_recover"].tolist() == [hours, hours]
    assert columns["recovered"].tolist() == [recovered, recovered]


def test_the_studys_reference_chooses_the_loss() -> None:
    """`peg_loss_bps` is the collateral's or the dollar's by the study; both stand beside it; costs of the transition are positive."""
    state = state_with(loss_collateral=0.001, loss_dollar=0.01, deepest_collateral=0.002, deepest_dollar=0.02)
    opening = state_with(income_market_operations=-5.0, income_rewards=7.0, capital_shares_issued=3.0)
    for dollar, expected in ((False, (10.0, 20.0)), (True, (100.0, 200.0))):
        columns = block_columns(
            state,
            opening,
            np.zeros((3, LANES)),
            lanes=1,
            window_hours=10,
            transition_hours=0,
            start_collateral=1.0,
            dollar_reference=dollar,
        )
        assert (columns["peg_loss_bps"][0], columns["deepest_shortfall_bps"][0]) == pytest.approx(expected)
        assert columns["peg_loss_collateral_bps"][0] == pytest.approx(10.0)
        assert columns["transition_cost_usd"][0] == 5.0
        assert columns["transition_income_usd"][0] == 2.0
        assert columns["transition_capital_usd"][0] == 3.0


def test_blocks_are_joined_in_order() -> None:
    """Columns of one block follow those of the other."""
    assert join([{"a": np.array([1.0])}, {"a": np.array([2.0, 3.0])}])["a"].tolist() == [1.0, 2.0, 3.0]
