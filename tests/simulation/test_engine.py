"""Fanning paths out: the books balance, lanes do not meet, faults are loud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import LINES, MARKET_INDEX, STATE_INDEX, Layout
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.market import LANES
from amo_opt.simulation import engine
from amo_opt.simulation.columns import series_of, variables_of
from amo_opt.simulation.engine import DERIVED_COLUMNS, IDENTITY_BOUND, TRACE_COLUMNS, replay, simulate, simulate_many, trace
from amo_opt.simulation.executor import Watched
from amo_opt.simulation.outcome import LINE_COLUMNS, Outcome
from amo_opt.simulation.spans import spans_of
from amo_opt.stress.catalogue import load_scenario

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet


def gaps(outcome: Outcome, without: str | None = None) -> np.ndarray:
    """How far the window's lines miss ΔNAV, in units of max(|NAV|, 1% of supply at the state)."""
    columns = outcome.columns
    booked = sum(columns[line] for line in LINE_COLUMNS if line != without)
    moved = columns["nav_end_usd"] - columns["nav_start_usd"]
    return np.abs(booked - moved) / np.maximum(np.abs(columns["nav_start_usd"]), 0.01 * 2_600_092_892)


def transition_gaps(outcome: Outcome) -> np.ndarray:
    columns = outcome.columns
    booked = columns["transition_income_usd"] + columns["transition_capital_usd"]
    moved = columns["nav_start_usd"] - columns["transition_nav_start_usd"]
    return np.abs(booked - moved) / np.maximum(np.abs(columns["nav_start_usd"]), 0.01 * 2_600_092_892)


def short(study: Study) -> Study:
    """A week of transition and 24 days of window: every onset (days 3 to 20) and its first days."""
    return replace(study, simulation=replace(study.simulation, transition_hours=168, window_hours=576))


@pytest.fixture(scope="module")
def many(busy: Study, hastened: Callable[..., Study], wide_sets: Callable[..., list[ParameterSet]]) -> list[Outcome]:
    """120 random sets that use every AMO, four paths of every scenario each; stresses and losses begin within three days."""
    outcomes = simulate_many(wide_sets(busy, 120, 2022), hastened(busy, 72, 240), paths=4, workers=2)
    failed = [outcome for outcome in outcomes if isinstance(outcome, SimulationError)]
    assert failed == []
    return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]


@pytest.fixture(scope="module")
def run_down(busy: Study, hastened: Callable[..., Study], wide_sets: Callable[..., list[ParameterSet]]) -> list[Outcome]:
    """Sets that use every AMO in a run that takes the share token down, in which loans against it go bad."""
    struck = replace(busy, scenarios=(replace(load_scenario("death-spiral"), weight=1.0),))
    outcomes = simulate_many(wide_sets(busy, 24, 2022), hastened(struck, 72, 240), paths=8, workers=2)
    return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]


@pytest.fixture(scope="module")
def current(frax: Study) -> Outcome:
    """The current set on the study's own hours."""
    return simulate(frax.current, frax, paths=16, workers=2)


# -- the books ---------------------------------------------------------------------------------------------------------------------------


def test_the_lines_add_up_to_the_change_of_nav(current: Outcome) -> None:
    """Current set, every path: Σ income + Σ capital = ΔNAV to 1e-9 of max(|NAV|, 1% of supply), in the window and in the transition."""
    assert gaps(current).max() <= IDENTITY_BOUND
    assert transition_gaps(current).max() <= IDENTITY_BOUND


def test_the_lines_add_up_for_random_sets(many: list[Outcome]) -> None:
    """The same for 120 sets drawn over a wide box, with positions, losses and minting everywhere."""
    assert len(many) == 120
    assert max(gaps(outcome).max() for outcome in many) <= IDENTITY_BOUND
    assert max(transition_gaps(outcome).max() for outcome in many) <= IDENTITY_BOUND


@pytest.mark.parametrize("line", LINE_COLUMNS)
def test_every_line_is_needed(many: list[Outcome], run_down: list[Outcome], lines_left_out: frozenset[str], line: str) -> None:
    """No line is decoration: where it is not zero, leaving it out breaks the identity, by what it holds; and each is somewhere not zero,
    unless it is of an AMO that is not there: then nowhere."""
    broken = 0
    for outcome in (*many, *run_down):
        held = np.abs(outcome.columns[line]) / np.maximum(np.abs(outcome.columns["nav_start_usd"]), 0.01 * 2_600_092_892)
        telling = held > 10 * IDENTITY_BOUND
        assert np.all(gaps(outcome, without=line)[telling] > IDENTITY_BOUND)
        broken += int(telling.sum())
    assert broken == 0 if line.removesuffix("_usd") in lines_left_out else broken >= 20


@pytest.fixture(scope="module")
def balanced(busy: Study, hastened: Callable[..., Study], states: Callable[..., Any]) -> tuple[Study, Any]:
    """One block whose books balance, and its study."""
    study = hastened(busy, 24, 48)
    return study, states(study, study.current, "ust-contagion-2022")


@pytest.mark.parametrize("phase", ["transition", "window"])
@pytest.mark.parametrize("line", LINES)
def test_a_dollar_on_any_line_breaks_the_books(balanced: tuple[Study, Any], line: str, phase: str) -> None:
    """The engine accepts the books as they are, and refuses them with a dollar more on one line of one path, naming path and phase."""
    study, run = balanced
    span = spans_of(study, LANES, ["ust-contagion-2022"])[0]
    engine._check(study.current, study, span, run.end, run.navs, run.opening)
    end, opening = run.end.copy(), run.opening.copy()
    run.lanes(opening if phase == "transition" else end, line)[5] += 1.0
    with pytest.raises(SimulationError, match=rf"scenario ust-contagion-2022, path 5, {phase}: the books miss NAV by .*frax-current"):
        engine._check(study.current, study, span, end, run.navs, opening)


def test_a_dollar_of_nav_breaks_the_books(balanced: tuple[Study, Any]) -> None:
    """So does a dollar that NAV has and no line: money that came from nowhere."""
    study, run = balanced
    span = spans_of(study, LANES, ["ust-contagion-2022"])[0]
    for when, phase in ((0, "transition"), (2, "window")):
        navs = run.navs.copy()
        navs[when, 7] += 1.0
        with pytest.raises(SimulationError, match=f"path 7, {phase}: the books miss NAV"):
            engine._check(study.current, study, span, run.end, navs, run.opening)


def test_every_stablecoin_was_minted_by_somebody(
    busy: Study, hastened: Callable[..., Study], wide_sets: Callable[..., list[ParameterSet]], states: Callable[..., Any]
) -> None:
    """Tokens are conserved: supply = the snapshot's + changes of the three minted books + what doors and fees issued less burned, to 1e-9
    on every path, in every scenario, for random sets; each of the four moves somewhere."""
    study = hastened(busy, 72, 240)
    books = ("curve.minted", "fraxlend.minted", "uniswap.minted", "net_issued")
    largest = dict.fromkeys(books, 0.0)
    for number, parameters in enumerate(wide_sets(busy, 18, 5)):
        scenario = study.scenarios[number % len(study.scenarios)].name
        run = states(study, parameters, scenario)
        changes = {name: run.change(name) for name in books}
        assert np.all(np.abs(run.change("supply") - sum(changes.values())) <= 1e-9 * run.lanes(run.start, "supply")), (number, scenario)
        largest = {name: max(largest[name], float(np.abs(changes[name]).max())) for name in books}
    assert min(largest.values()) > 1e5


def test_the_engine_itself_refuses_books_that_do_not_balance(frax: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line left out of the sum is a SimulationError that names scenario, path and phase."""
    short = Layout(MECHANISMS)
    short.lines = tuple(line for line in LINES if line != "income_rewards")
    monkeypatch.setattr(engine, "layout_of", lambda _state: short)
    with pytest.raises(SimulationError, match=r"scenario calm, path 0, transition: the books miss NAV"):
        simulate(frax.current, frax, paths=2, scenarios=["calm"])


def test_no_balance_is_negative_and_supply_covers_what_is_held(
    busy: Study, hastened: Callable[..., Study], wide_sets: Callable[..., list[ParameterSet]]
) -> None:
    """Every hour of every scenario, current and random sets: no balance below 0, external supply ≥ 0, share of the pool in (0, 1), own and
    external stablecoin are all of it, what Fraxlend could withdraw is part of what it lent."""
    columns = ("idle", "lent", "invested", "fraxlend_lent", "claims", "queue", "supply", "external_supply", "own_stablecoin")
    columns += ("uniswap_collateral", "uniswap_stablecoin", "curve_collateral", "reward_tokens_locked")
    columns += ("pool_share", "price", "oracle", "uniswap_price", "unserved", "share_price", "cr_external", "cr_contract")
    study = hastened(busy, 72, 240)
    for parameters in (busy.current, *wide_sets(busy, 3, 7)):
        for scenario in study.scenarios:
            series = trace(parameters, study, scenario=scenario.name, paths=8, columns=columns)
            for name in columns:
                assert series[name].min() >= 0.0, name
            assert series["pool_share"].max() < 1.0
            assert np.all(series["queue"] <= series["supply"])
            assert np.allclose(series["own_stablecoin"] + series["external_supply"], series["supply"], rtol=1e-14)
            assert np.all(series["uniswap_stablecoin"] <= series["own_stablecoin"] * (1 + 1e-12))


# -- the same path is the same path ------------------------------------------------------------------------------------------------------


def same(one: Outcome, other: Outcome) -> bool:
    return all(np.array_equal(one.columns[name], other.columns[name]) for name in one.columns)


def test_the_same_seed_gives_the_same_bytes(frax: Study, current: Outcome) -> None:
    """Again, and with the market drawn anew, every column is equal to the last bit; another seed or stream is not."""
    assert same(simulate(frax.current, frax, paths=16), current)
    engine._kept.clear()
    assert same(simulate(frax.current, frax, paths=16), current)
    other = replace(frax, search=replace(frax.search, seed=frax.search.seed + 1))
    assert not same(simulate(frax.current, other, paths=16), current)
    assert not same(simulate(frax.current, frax, paths=16, stream="selection"), current)


def test_results_do_not_depend_on_workers_or_on_what_else_runs(
    busy: Study, hastened: Callable[..., Study], wide_sets: Callable[..., list[ParameterSet]]
) -> None:
    """One worker or three, alone or among others, kept market or passing: the same columns."""
    study, sets = hastened(busy, 72, 240), wide_sets(busy, 3, 5)
    for stream in ("search", "holdout"):
        together = simulate_many(sets, study, paths=LANES + 6, stream=stream, workers=3)
        for parameters, outcome in zip(sets, together, strict=True):
            assert isinstance(outcome, Outcome)
            assert same(simulate(parameters, study, paths=LANES + 6, stream=stream, workers=1), outcome)


def test_a_path_alone_is_the_row_it_was_among_many(busy: Study, hastened: Callable[..., Study]) -> None:
    """A path in the second of two blocks is its own replay, to the last bit, wherever the blocks fall; so is a shorter run's row."""
    study, path = hastened(busy, 72, 240), LANES + 6
    for scenario in ("ust-contagion-2022", "venue-loss"):
        many = simulate(busy.current, study, paths=2 * LANES, scenarios=[scenario]).columns
        alone = replay(busy.current, study, scenario=scenario, path=path).columns
        few = simulate(busy.current, study, paths=path + 1, scenarios=[scenario]).columns
        for name, column in many.items():
            assert column[path] == alone[name][0] == few[name][path], name


def test_lanes_never_meet(frax: Study) -> None:
    """One lane's market torn apart (USDC at 0.5) changes that lane and no other."""
    study = short(frax)
    span = spans_of(study, LANES, ["calm"])[0]
    market = engine.draw(span.scenario, study, first=0, lanes=LANES, stream="search").copy()
    vector = engine.constants(study)
    before = engine.run_one(study.current, study, span, market, vector)
    for name in ("collateral_price", "base_value"):
        market[300:, MARKET_INDEX[name] * LANES + 17] *= 0.5
    after = engine.run_one(study.current, study, span, market, vector)
    changed = np.zeros(LANES, dtype=bool)
    for name in before:
        changed |= before[name] != after[name]
    assert np.flatnonzero(changed).tolist() == [17]


# -- shape and faults --------------------------------------------------------------------------------------------------------------------


def test_rows_are_scenarios_in_order_and_paths_in_order(frax: Study, current: Outcome) -> None:
    """One row a path; the study's order of scenarios; steps count the transition; weights are the study's, normalised."""
    assert list(current.paths["scenario"].unique()) == [scenario.name for scenario in frax.scenarios]
    assert current.paths["path"].tolist() == list(range(16)) * len(frax.scenarios)
    assert current.steps == 336 + 1440
    assert sum(current.weights.values()) == pytest.approx(1.0)
    assert current.weights["calm"] == pytest.approx(0.95)


def test_chosen_scenarios_only(frax: Study) -> None:
    """`scenarios` keeps the study's order and scales the weights; an unknown name or no path is refused with what is known."""
    outcome = simulate(frax.current, short(frax), paths=2, scenarios=["svb-2023", "calm"])
    assert outcome.scenarios == ("calm", "svb-2023")
    assert outcome.weights == pytest.approx({"calm": 0.95 / 0.97, "svb-2023": 0.02 / 0.97})
    with pytest.raises(AmoOptError, match=r"unknown scenario 'svb'; the study has calm, svb-2023"):
        simulate(frax.current, frax, scenarios=["svb"])
    with pytest.raises(AmoOptError, match="paths = 0"):
        simulate(frax.current, frax, paths=0)


def test_progress_counts_every_block_of_every_set(frax: Study, wide_sets: Callable[..., list[ParameterSet]]) -> None:
    """Two sets, every scenario, one path more than a block: a step of progress for each block of each set, in order."""
    seen: list[tuple[int, int]] = []
    simulate_many(wide_sets(frax, 2, 1), short(frax), paths=LANES + 1, workers=2, progress=lambda done, total: seen.append((done, total)))
    steps = 2 * 2 * len(frax.scenarios)
    assert seen == [(done, steps) for done in range(1, steps + 1)]


def test_a_fault_names_scenario_path_and_step(frax: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A market that is not a number at step 40 of path 3: the set fails with exactly that place, in `simulate` and in `simulate_many`."""
    clean = engine.draw_rows

    def torn(*args: object, **kwargs: object) -> dict[str, np.ndarray]:
        rows = clean(*args, **kwargs)
        rows["collateral_price"][3:4, 40] = np.nan  # where there is such a path
        return rows

    monkeypatch.setattr(engine, "draw_rows", torn)
    with pytest.raises(SimulationError, match=r"scenario svb-2023, path 3, step 40: .*frax-current"):
        simulate(frax.current, short(frax), paths=8, scenarios=["svb-2023"], stream="selection")
    failed, fine = simulate_many([frax.current] * 2, short(frax), paths=2, scenarios=["svb-2023"], stream="selection")
    assert isinstance(failed, Outcome)
    assert isinstance(fine, Outcome)


def test_a_set_that_fails_leaves_the_others(frax: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SimulationError stands in the failed set's place; the other set's outcome is what it is alone."""
    real = engine.run_block

    def faulty(state: np.ndarray, market: np.ndarray, p: np.ndarray, *rest: object) -> int:
        version = real(state, market, p, *rest)
        if p[0] == 777.0:
            state[STATE_INDEX["fault"] * LANES + 1] = 2.0
            state[STATE_INDEX["fault_step"] * LANES + 1] = 99.0
        return version

    monkeypatch.setattr(engine, "run_block", faulty)
    bad = frax.current.replace(name="bad", amplification=777)
    failed, fine = simulate_many([bad, frax.current], short(frax), paths=4, scenarios=["calm"])
    assert isinstance(failed, SimulationError)
    assert str(failed) == "scenario calm, path 1, step 99: the price inversion did not converge (parameter set bad)"
    assert isinstance(fine, Outcome)
    assert same(fine, simulate(frax.current, short(frax), paths=4, scenarios=["calm"]))


def test_a_variable_that_is_not_finite_is_named(frax: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share price beyond all bounds is no result: the message names variable, scenario and path."""
    real = engine.run_block

    def wild(state: np.ndarray, *rest: object) -> int:
        version = real(state, *rest)
        state[STATE_INDEX["share_price"] * LANES + 2] = np.inf
        return version

    monkeypatch.setattr(engine, "run_block", wild)
    with pytest.raises(SimulationError, match=r"scenario calm, path 2, by the last step: share_price is not finite"):
        simulate(frax.current, short(frax), paths=4, scenarios=["calm"])


# -- series ------------------------------------------------------------------------------------------------------------------------------


def test_series_end_where_the_rows_do(frax: Study) -> None:
    """The last hour of a trace is the row's end; the lowest price of the window is the row's `min_price`."""
    study = short(frax)
    rows = simulate(frax.current, study, paths=6, scenarios=["svb-2023"]).columns
    series = trace(
        frax.current, study, scenario="svb-2023", paths=6, columns=("price", "oracle", "supply", "collateral_ratio", "external_supply")
    )
    assert series["price"].shape == (168 + 576, 6)
    # the window opens at the last price before it
    assert np.array_equal(series["price"][167:].min(axis=0), rows["min_price"])
    assert np.array_equal(series["supply"][-1], rows["supply_end"])
    assert np.array_equal(series["collateral_ratio"][-1], rows["end_cr"])
    assert np.allclose(series["external_supply"][-1], rows["external_supply_end"], rtol=1e-14)


def test_lines_are_running_sums_that_the_window_clears(busy: Study, hastened: Callable[..., Study]) -> None:
    """A line's series ends at the row's column; in the window's first hour it holds that hour alone, in the hour before the whole transition."""
    study = hastened(busy, 72, 240)
    rows = simulate(busy.current, study, paths=4, scenarios=["ust-contagion-2022"]).columns
    series = trace(busy.current, study, scenario="ust-contagion-2022", paths=4, columns=LINES)
    # what selling would cost is settled when the window opens and when it ends, not every hour
    for line in set(LINES) - {"income_liquidation"}:
        assert np.array_equal(series[line][-1], rows[f"{line}_usd"]), line
    for line in ("income_lending", "income_rewards", "income_investor", "income_fraxlend"):
        hourly = np.diff(series[line][:72], axis=0)
        assert np.all(hourly >= 0.0), line
        assert np.all(series[line][72] < 10 * hourly.max(axis=0)), line
        assert np.all(series[line][71] > 20 * series[line][72]), line


def test_derived_series_are_what_they_say() -> None:
    """By algebra: own stablecoin is the AMO's part of the pool, the range's and what Fraxlend has free; the rest of the supply is external;
    the range's price is its root squared, in dollars; the reference is the least of a dollar, coin and base LP."""
    raw = {name: np.array([[value]]) for name, value in {
        "pool_x": 600.0, "pool_y": 400.0, "lp_amo": 30.0, "lp_supply": 40.0, "own_outside": 18.0, "supply": 1000.0,
        "collateral_price": 0.9, "base_value": 0.8, "ann": 3000.0, "uniswap.root": 0.5, "sell_demand": 90.0, "queue": 20.0,
    }.items()}  # fmt: skip
    expected = {
        "pool_share": 0.6,
        "curve_collateral": 0.75 * 400.0,
        "own_stablecoin": 0.75 * 600.0 + 11.0 + 7.0,
        "external_supply": 1000.0 - 468.0,
        "paid_out": 70.0,
        "reference": 0.8,
        "amplification": 1500.0,
        "uniswap_price": 0.25 * 0.9,
    }
    assert set(expected) == set(DERIVED_COLUMNS)
    for name, value in expected.items():
        needed = {variable: raw[variable] for variable in variables_of([name])}
        assert series_of(name, needed)[0, 0] == pytest.approx(value, rel=1e-15), name


def test_a_trace_starts_at_any_path(frax: Study) -> None:
    """Paths 5 and 6 of a trace from 0 are those of a trace from 5."""
    study = short(frax)
    whole = trace(frax.current, study, scenario="calm", paths=7)["price"]
    assert np.array_equal(trace(frax.current, study, scenario="calm", paths=2, first_path=5)["price"], whole[:, 5:])


def test_every_series_can_be_had(frax: Study) -> None:
    """All columns at once; an unknown one is refused with the known ones."""
    names = (*TRACE_COLUMNS, *DERIVED_COLUMNS)
    series = trace(frax.current, short(frax), scenario="calm", paths=1, columns=names)
    assert set(series) == set(names)
    assert all(np.all(np.isfinite(values)) for values in series.values())
    assert series["amplification"][0, 0] == frax.current.amplification
    with pytest.raises(AmoOptError, match="unknown series 'prise'"):
        trace(frax.current, frax, scenario="calm", columns=("prise",))


# -- effects that the model's terms must have ---------------------------------------------------------------------------------------------


def test_a_higher_amplification_buys_depth_and_costs_cover(frax: Study) -> None:
    """A 150 against 5000 under svb-2023: the higher A falls less short of the reference, and leaves less external cover at its worst."""
    low, high = (simulate(frax.current.replace(amplification=a), frax, paths=16, scenarios=["svb-2023"]).columns for a in (150, 5000))
    assert high["peg_loss_bps"].mean() < low["peg_loss_bps"].mean()
    assert high["min_cr_external"].mean() < low["min_cr_external"].mean()
    assert high["income_swap_fees_usd"].mean() > low["income_swap_fees_usd"].mean()


def test_watched_prices_are_the_traced_ones(frax: Study) -> None:
    """What is kept beside an outcome is `trace`'s price at those steps, of the watched sets and paths alone; the outcomes stay the same."""
    other = frax.current.replace(name="other", aave_cap=0.1)
    steps, found = (0, 5, 6, 400), {}
    watched = Watched(sets=(1,), paths=LANES, steps=steps)
    seen = simulate_many(
        [frax.current, other],
        frax,
        paths=LANES + 3,
        scenarios=["calm"],
        stream="holdout",
        workers=2,
        watched=watched,
        seen=lambda place, scenario, first, prices: found.update({(place, scenario, first): prices}),
    )
    assert set(found) == {(1, "calm", 0)}
    series = trace(other, frax, scenario="calm", paths=LANES, stream="holdout")["price"]
    assert np.array_equal(found[1, "calm", 0], series[list(steps)])
    unseen = simulate_many([frax.current, other], frax, paths=LANES + 3, scenarios=["calm"], stream="holdout")
    for one, same in zip(seen, unseen, strict=True):
        assert all(np.array_equal(values, same.columns[name]) for name, values in one.columns.items())
