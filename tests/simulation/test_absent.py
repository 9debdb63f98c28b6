"""A mechanism that is not there: whatever is left out the rest runs, and what is gone is to the last bit what is there and off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from without import OPTIONAL_TABLES, STUDIES, is_gone, write_off, write_without

from amo_opt.amos.layout import LINES, STATE_INDEX
from amo_opt.config.assumptions import assumptions
from amo_opt.config.load import load_study, validate_file
from amo_opt.protocol.lanes import LANES
from amo_opt.scoring.score import point_score
from amo_opt.simulation.engine import draw, simulate
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from amo_opt.config.study import Study
    from amo_opt.simulation.outcome import Outcome

SHORT = {"simulation.paths": 8, "simulation.transition_hours": 24, "simulation.window_hours": 192}


def loaded(path: Path) -> Study:
    """The study on few paths and hours, its stresses from the window's first days on."""
    study = load_study(path, overrides=SHORT)
    early = {"onset_day_low": 1.0, "onset_day_high": 2.0}
    scenarios = tuple(
        replace(each, settings={**each.settings, **early}) if "onset_day_low" in each.settings else each for each in study.scenarios
    )
    return replace(study, scenarios=scenarios)


def run(study: Study) -> Outcome:
    return simulate(study.current, study)


def books_are_right(outcome: Outcome) -> None:
    """Every figure is finite, and income and capital are what the net value moved by."""
    frame = outcome.paths
    assert np.isfinite(frame.select_dtypes("number").to_numpy()).all()
    moved = frame["nav_end_usd"] - frame["nav_start_usd"]
    booked = sum(frame[f"{line}_usd"] for line in LINES)
    assert np.allclose(booked, moved, rtol=1e-9, atol=1e-9 * frame["supply_start"].abs().max())


def whole(study: Study, scenario: str) -> np.ndarray:
    """The whole state of one block at the end, by variable and lane."""
    chosen = next(each for each in study.scenarios if each.name == scenario)
    market = draw(chosen, study, first=0, lanes=LANES, stream="search")
    state = start_state(study, market[0])
    nothing = np.zeros(0, dtype=np.int64)
    given_to = (parameter_vector(study.current), constants(study), study.simulation.transition_hours, np.zeros((3, LANES)))
    run_block(state, market, *given_to, np.zeros_like(state), nothing, np.zeros((0, 0)))
    return state.reshape(-1, LANES)


def test_the_smallest_example_runs() -> None:
    """Finite books and a score, in each of its scenarios; nothing of what it lacks has moved anything."""
    study = loaded(STUDIES / "minimal.toml")
    outcome = run(study)
    books_are_right(outcome)
    assert np.isfinite(point_score(outcome, study).yield_annual)
    frame = outcome.paths
    still = ("income_rewards", "capital_shares_issued", "capital_shares_burned", "capital_buybacks", "capital_recollateralised")
    for line in still:
        assert (frame[f"{line}_usd"] == 0.0).all(), line
    for scenario in study.scenarios:
        end = whole(study, scenario.name)
        assert (end[STATE_INDEX["collateral_ratio"]] == 1.0).all()
        for name in ("share_supply", "lp_amo", "curve.minted", "investor.lent", "fraxlend.lent", "uniswap.liquidity"):
            assert (end[STATE_INDEX[name]] == 0.0).all(), name


@settings(max_examples=8, deadline=None)
@given(st.sets(st.sampled_from(OPTIONAL_TABLES), min_size=1))
def test_what_is_left_runs(tmp_path_factory: pytest.TempPathFactory, tables: set[str]) -> None:
    """Any tables left out of the worked study, whose files then pass: no fault, the books are right, the score is finite."""
    path = write_without(tmp_path_factory.mktemp("study"), tables)
    assert validate_file(path) == []
    study = loaded(path)
    outcome = run(study)
    books_are_right(outcome)
    assert np.isfinite(point_score(outcome, study).yield_annual)
    frame = outcome.paths
    for line in LINES:
        amo = next((name for name in tables if name.startswith("amos.") and name.partition(".")[2] in line), "")
        if amo or ("rewards" in tables and "reward" in line) or ("share_token" in tables and "share" in line):
            assert (frame[f"{line}_usd"] == 0.0).all(), (line, tables)


EVERY = tuple(name for name in OPTIONAL_TABLES if "." not in name or name.startswith("amos."))
ALIKE: list[tuple[str, ...]] = [*((name,) for name in EVERY), EVERY]
"""Each mechanism by itself, and all of them."""


def both(folder: Path, tables: Collection[str], *, idle: bool = False) -> tuple[Study, Study]:
    """The study without these tables, and with them there and off. Three things no file says by a table's own figures: that nobody runs from the
    share token's fall, which is behaviour; that the pool's gauge pays nobody, which is a scenario's; and that redeeming opens at no price at all.
    """
    gone = loaded(write_without(folder / "gone", tables))
    off = loaded(write_off(folder / "off", tables, idle=idle))
    if is_gone("share_token", tables):
        fearless = replace(off.state.markets, hazard_share=replace(off.state.markets.hazard_share, value=0.0))
        off = replace(off, state=replace(off.state, markets=fearless))
    if is_gone("rewards", tables):
        unpaid = tuple(replace(each, settings={**each.settings, "reward_tokens_week": 0.0}) for each in off.scenarios)
        off = replace(off, scenarios=unpaid)
    if is_gone("redeem", tables):
        off = replace(off, current=off.current.replace(redeem_price_threshold=0.0))
    return gone, off


@pytest.mark.parametrize("tables", ALIKE, ids=lambda tables: "+".join(tables) if len(tables) == 1 else "everything")
@pytest.mark.parametrize("idle", [False, True], ids=["off", "others go on"])
def test_absent_is_off_to_the_last_bit(tmp_path: Path, tables: tuple[str, ...], idle: bool) -> None:
    """Every column of every path. A market that the protocol is not in may do what it likes."""
    if idle and not any(name.startswith("amos.") or name == "rewards" for name in tables):
        pytest.skip("no figure of [markets] is asked for with it")
    gone, off = (run(study) for study in both(tmp_path, tables, idle=idle))
    for name, values in gone.columns.items():
        assert np.array_equal(values, off.columns[name]), name


@pytest.mark.parametrize("tables", ALIKE, ids=lambda tables: "+".join(tables) if len(tables) == 1 else "everything")
def test_absent_is_not_as_it_was(tmp_path: Path, frax: Study, tables: tuple[str, ...]) -> None:
    """The worked study without a mechanism it uses is another one: leaving it out does something. Two AMOs held nothing that day, and nobody
    pays more than a dollar in these scenarios.
    """
    unused = {"amos.investor", "amos.fraxlend", "mint"}
    before = run(loaded(frax.path))
    after = run(loaded(write_without(tmp_path, tables)))
    same = all(np.array_equal(values, after.columns[name]) for name, values in before.columns.items())
    assert same is (set(tables) <= unused)


@pytest.mark.parametrize("times", [1.5, 4.0])
def test_cover_above_one_runs(tmp_path: Path, refigured: Callable[..., Study], times: float) -> None:
    """Without a controller the collateral may be worth more than the supply: the ratio stays 1, the external one begins above it, books are right."""
    path = write_without(tmp_path, ["controller", "share_token"])
    study = loaded(path)
    rich = refigured(study, {"collateral.idle": times * study.state.stablecoin.supply.value})
    assert rich.state.collateral_usd > rich.state.stablecoin.supply.value
    outcome = run(rich)
    books_are_right(outcome)
    assert np.isfinite(point_score(outcome, rich).yield_annual)
    assert (outcome.paths["min_cr_external"] > 1.0).all()
    for scenario in rich.scenarios:
        assert (whole(rich, scenario.name)[STATE_INDEX["collateral_ratio"]] == 1.0).all()


def test_no_door_moves_no_supply(tmp_path: Path) -> None:
    """Neither minted nor redeemed, no AMO, no share token to be sold for collateral: supply and collateral stay as they are."""
    amos = [name for name in OPTIONAL_TABLES if name.startswith("amos.")]
    study = loaded(write_without(tmp_path, ["redeem", "mint", "share_token", *amos]))
    for scenario in study.scenarios:
        end = whole(study, scenario.name)
        assert (end[STATE_INDEX["supply"]] == study.state.stablecoin.supply.value).all()
        assert (end[STATE_INDEX["idle"]] == study.state.collateral.idle.value).all()
        assert (end[STATE_INDEX["claims"]] == 0.0).all()


def test_nothing_is_doubted_of_what_is_not_there() -> None:
    """No draw and no end of a range is spent on a figure or a setting that reaches the protocol through nothing it has."""
    moved = {each.name for each in assumptions(load_study(STUDIES / "minimal.toml"))}
    of_share_token = {"markets.hazard_share", "markets.share_recovery_hours", "calm: share_daily_vol"}
    of_other_lenders = {"calm: investor_utilisation", "calm: fraxlend_deposits"}
    assert not moved & (of_share_token | of_other_lenders)
    assert {"markets.hazard_price", "markets.lending_slope_1", "amos.aave.lent", "redeem.fee"} <= moved
