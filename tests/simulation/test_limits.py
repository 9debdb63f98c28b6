"""Limiting cases of the whole model: what must come out where a mechanism has nothing to act on, or is switched off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt.amos.layout import MARKET_INDEX
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import draw, simulate, trace
from amo_opt.stress.catalogue import load_scenario

if TYPE_CHECKING:
    from amo_opt.config.study import Study

PATHS = 16
SCENARIOS = ("calm", "svb-2023", "ust-contagion-2022", "lending-freeze-svb", "death-spiral", "venue-loss")
Columns = Mapping[str, np.ndarray]

NO_POSITIONS = {
    "amos.curve.lp_share": 0.0,
    "amos.curve.minted": 0.0,
    "amos.curve.borrowed": 0.0,
    "amos.aave.lent": 0.0,
    "amos.aave.borrowed": 0.0,
}
NO_CAPS = dict.fromkeys(("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "curve_mint_cap", "fraxlend_cap"), 0.0)
NO_SHARE_OPERATIONS = {
    "share_token.recollateralise_tokens_hour": 0.0,
    "share_token.buyback_usd_hour": 0.0,
    "share_token.fxs1559_share": 0.0,
}
AMO_LINES = ("lending", "investor", "fraxlend", "swap_fees", "uniswap_fees", "rewards", "market_operations", "venue_losses", "liquidation")


@pytest.fixture(scope="module")
def short(frax: Study, hastened: Callable[..., Study]) -> Study:
    """Two days of transition and ten of window, the stress beginning on the second or third; every kind of scenario."""
    return hastened(replace(frax, scenarios=tuple(load_scenario(name, weight=1.0) for name in SCENARIOS)), 48, 240)


@pytest.fixture(scope="module")
def idle_only(short: Study, refigured: Callable[..., Study]) -> Study:
    """An issuer without AMOs: no positions, no caps, all its collateral idle, no operations of the share token."""
    collateral = 0.8725 * short.state.stablecoin.supply.value
    study = refigured(short, {**NO_POSITIONS, **NO_SHARE_OPERATIONS, "collateral.idle": collateral})
    return replace(study, current=study.current.replace(**NO_CAPS))


def rows(study: Study, scenario: str, **values: float) -> Columns:
    return simulate(study.current.replace(**values), study, paths=PATHS, scenarios=[scenario]).columns


# -- nothing but idle collateral ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_amos_there_is_no_income_of_theirs(idle_only: Study, states: Callable[..., Any], scenario: str) -> None:
    """Every AMO line is exactly 0, no book of the minter moves, nothing is over a cap, and supply moves by what the doors issue alone."""
    columns = rows(idle_only, scenario)
    for line in AMO_LINES:
        assert np.all(columns[f"income_{line}_usd"] == 0.0), line
    assert np.all(columns["hours_over_caps"] == 0.0)
    run = states(idle_only, idle_only.current, scenario)
    for book in (
        "curve.minted",
        "fraxlend.minted",
        "uniswap.minted",
        "curve.borrowed",
        "aave.borrowed",
        "investor.borrowed",
        "uniswap.borrowed",
    ):
        assert np.all(run.change(book) == 0.0), book
    assert np.allclose(columns["supply_end"] - columns["supply_start"], columns["net_issued_tokens"], rtol=0, atol=1e-3)


def test_without_amos_both_ratios_are_idle_collateral_over_supply(idle_only: Study) -> None:
    """No position, no floor, a coin at a dollar: `cr_external` = `cr_contract` = idle ÷ supply at the end of every hour of a run."""
    at_par = replace(
        idle_only, scenarios=tuple(replace(each, settings={**each.settings, "coin_noise_sd": 0.0}) for each in idle_only.scenarios)
    )
    series = trace(at_par.current, at_par, scenario="death-spiral", paths=PATHS, columns=("cr_external", "cr_contract", "idle", "supply"))
    assert np.allclose(series["cr_external"], series["idle"] / series["supply"], rtol=1e-12)
    assert np.array_equal(series["cr_external"], series["cr_contract"])
    assert series["supply"].min() < 0.8 * series["supply"][0].min()


# -- idle collateral without end ---------------------------------------------------------------------------------------------------------

OPEN_DOOR = {
    "markets.oracle_lag_hours": 0.0,
    "markets.hour_limit": 1.0,
    "controller.collateral_ratio": 1.0,
    "redeem.delay_hours": 0.0,
}


@pytest.mark.parametrize("scenario", ["ust-contagion-2022", "death-spiral"])
def test_an_issuer_that_can_pay_leaves_nobody_unserved_and_holds_the_price(
    idle_only: Study, refigured: Callable[..., Study], scenario: str
) -> None:
    """Idle collateral as large as the supply, CR 1, redeeming open below 0.999: nobody waits an hour, and the price ends every hour at
    (1 − redemption fee) × (1 − pool fee) of the coin's or above. With none idle the same runs break the price and leave people unserved."""
    supply = idle_only.state.stablecoin.supply.value
    columns = ("price", "unserved", "queue", "supply", "idle")
    values = {"redeem_price_threshold": 0.999, "cr_step": 0.0}
    rich = refigured(idle_only, {**OPEN_DOOR, "collateral.idle": supply})
    series = trace(rich.current.replace(**values), rich, scenario=scenario, paths=PATHS, columns=columns)
    chosen = next(one for one in rich.scenarios if one.name == scenario)
    at = MARKET_INDEX["collateral_price"] * LANES
    coin = draw(chosen, rich, first=0, lanes=PATHS, stream="search")[:, at : at + PATHS]
    assert np.all(series["unserved"] == 0.0)
    assert np.all(series["queue"] == 0.0)
    assert np.all(series["price"] >= np.minimum(0.999, coin * 0.998 * 0.9996) * (1 - 1e-5))
    assert series["supply"].min() < 0.85 * supply
    poor = refigured(idle_only, {**OPEN_DOOR, "collateral.idle": 1.0})
    without = trace(poor.current.replace(**values), poor, scenario=scenario, paths=PATHS, columns=columns)
    assert np.all(without["price"].min(axis=0) < series["price"].min(axis=0))
    assert without["unserved"].max() > 1e6


def test_at_a_ratio_of_one_redeeming_issues_no_share_tokens(idle_only: Study, refigured: Callable[..., Study]) -> None:
    """CR 1 and no controller: a run is paid in collateral alone, the share token's supply does not move by one; at 0.8725 it does."""
    whole = refigured(idle_only, {"controller.collateral_ratio": 1.0, "collateral.idle": idle_only.state.stablecoin.supply.value})
    part = refigured(idle_only, {"controller.collateral_ratio": 0.8725})
    full, short_of_it = (rows(study, "death-spiral", cr_step=0.0) for study in (whole, part))
    for columns in (full, short_of_it):
        assert np.all(columns["net_issued_tokens"] < -1e8)
    assert np.all(full["capital_shares_issued_usd"] == 0.0)
    assert np.array_equal(full["share_supply_end"], full["share_supply_start"])
    assert np.all(short_of_it["capital_shares_issued_usd"] > 1e6)
    assert np.all(short_of_it["share_supply_end"] > short_of_it["share_supply_start"])


# -- no outside providers ----------------------------------------------------------------------------------------------------------------


def same(one: Columns, other: Columns) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("scenario", ["ust-contagion-2022", "death-spiral"])
def test_without_outside_providers_nothing_depends_on_them(short: Study, refigured: Callable[..., Study], scenario: str) -> None:
    """All LP tokens the AMO's own: how fast others would flee, come back or follow yields changes no column by a bit. With a fifth of the
    pool others' it does."""
    behaviours: tuple[dict[str, float], ...] = (
        {"markets.lp_flight_rate": 0.0, "markets.lp_return_rate": 0.0, "markets.lp_yield_response": 0.0},
        {"markets.lp_flight_rate": 5.0, "markets.lp_return_rate": 0.01, "markets.lp_yield_response": 3.0, "markets.lp_flight_share": 0.5},
    )
    for share, alike in ((1.0, True), (0.8, False)):
        calm, wild = (rows(refigured(short, {"amos.curve.lp_share": share, **figures}), scenario) for figures in behaviours)
        assert same(calm, wild) is alike


def test_without_outside_providers_every_reward_and_fee_is_its_own(short: Study, refigured: Callable[..., Study]) -> None:
    """Reward tokens earned = the gauge's whole budget × what the venues leave of it; swap fees at a pool without administrator are twice
    those of one whose administrator takes half."""
    alone = refigured(short, {"amos.curve.lp_share": 1.0})
    # it moves nothing, so that the pool keeps its liquidity and with it the votes
    columns = rows(
        alone, "calm", curve_collateral_cap=1.0, pool_share_low=0.01, pool_share_high=0.99, unwind_cr_margin=1.0, unwind_price=0.5
    )
    chosen = next(one for one in alone.scenarios if one.name == "calm")
    at = MARKET_INDEX["reward_tokens"] * LANES
    market = draw(chosen, alone, first=0, lanes=PATHS, stream="search")
    budget = market[alone.simulation.transition_hours :, at : at + PATHS].sum(axis=0)
    venues = {"convex": 0.90, "stakedao": 0.08, "yearn": 0.02}
    boosts = {name: share * getattr(alone.state.rewards, name).boost.value for name, share in venues.items()}
    kept = {
        name: boost * (1 - getattr(alone.state.rewards, name).fee.value) * (1 + getattr(alone.state.rewards, name).bonus.value)
        for name, boost in boosts.items()
    }
    assert columns["reward_tokens_earned"] == pytest.approx(budget * sum(kept.values()) / sum(boosts.values()), rel=1e-9)
    # in the first hour, before the paths part: all that the fee leaves in the pool is the AMO's, half of it or, without administrator, all
    fees = {}
    for share in (0.5, 0.0):
        study = refigured(alone, {"pool.admin_fee": share})
        fees[share] = trace(study.current, study, scenario="calm", paths=PATHS, columns=("income_swap_fees",))["income_swap_fees"][0]
    assert fees[0.0] == pytest.approx(2.0 * fees[0.5], rel=1e-6)
    assert fees[0.5].min() > 100.0


def test_a_market_without_noise_stands_still(idle_only: Study) -> None:
    """No deviation anywhere, no flow, no AMOs: in ten days price, supply, idle collateral and share price stay what they were, and the fees
    of others' swaps are all that grows the pool."""
    calm = load_scenario("calm", weight=1.0)
    still = {name: 0.0 for name in calm.settings if name.endswith(("_sd", "_vol"))}
    study = replace(idle_only, scenarios=(replace(calm, settings={**calm.settings, **still}),))
    series = trace(study.current, study, scenario="calm", paths=2, columns=("price", "oracle", "supply", "idle", "share_price", "queue"))
    for name in ("supply", "idle", "share_price"):
        assert np.all(series[name] == series[name][0]), name
    assert np.all(series["queue"] == 0.0)
    assert np.abs(series["price"] - series["price"][0]).max() < 1e-6


# -- switches ----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Switch:
    """What is switched (figures of the state, settings of the scenario or of the simulation), on which run, and the figure that must move.

    ``up``: the column is larger with the switch than without; `None`: it is then 0. Three quarters of the paths that move do so that way.
    """

    column: str
    up: bool | None
    scenario: str = "calm"
    figures: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    simulation: Mapping[str, int] = field(default_factory=dict)
    run: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


# a pool whose price slips at once, behind a thin buffer
SLIPPING: dict[str, float] = {"pool.amplification": 20.0, "collateral.idle": 2e7}
TILTED = {"pool_share_low": 0.70, "pool_share_high": 0.75}
WATCHFUL = {"unwind_price": 0.9995, "reentry_price": 1.0}
ABOVE_TARGET = {"collateral.idle": 0.2e9}

SWITCHES: dict[str, Switch] = {
    # without traders of value the price is left to itself, and fewer hold on
    "value_buyers": Switch(
        "external_supply_end", False, "ust-contagion-2022", {"markets.value_buyers": 0.0}, values={"amplification": 150}
    ),
    # a collapsed share token leaves one worth less than its price: without sellers of value the run is a smaller one
    "value_sellers": Switch("external_supply_end", True, "death-spiral", {"markets.value_sellers": 0.0}),
    # without a part of the hazard fewer leave
    "hazard_news": Switch("external_supply_end", True, "calm", {"markets.hazard_news": 0.0}, run=SLIPPING, values={"amplification": 20}),
    "hazard_price": Switch("external_supply_end", True, "calm", {"markets.hazard_price": 0.0}, run=SLIPPING, values={"amplification": 20}),
    "hazard_collateral": Switch(
        "external_supply_end", True, "calm", {"markets.hazard_collateral": 0.0}, run=SLIPPING, values={"amplification": 20}
    ),
    "hazard_share": Switch("external_supply_end", True, "ust-contagion-2022", {"markets.hazard_share": 0.0}),
    # with flight the pool loses its base LP, and the AMO its cover
    "lp_flight_rate": Switch("min_cr_external", False, "ust-contagion-2022", {"markets.lp_flight_rate": 0.2}, values=TILTED),
    # the AMO leaves the pool, so that a dollar there earns more: others take its place, unless they do not move or do not look at yields
    "lp_return_rate": Switch("floor_ratio_end", False, "calm", {"markets.lp_return_rate": 0.0}, values={"curve_collateral_cap": 0.3}),
    "lp_yield_response": Switch("floor_ratio_end", False, "calm", {"markets.lp_yield_response": 0.0}, values={"curve_collateral_cap": 0.3}),
    # a larger deposit lowers the rate; borrowers who do not answer to it leave more of it unused
    "lending_elasticity": Switch(
        "income_lending_usd", False, "calm", {"markets.lending_elasticity": 0.0}, values={"aave_cap": 0.6, "curve_collateral_cap": 0.3}
    ),
    "recollateralise": Switch("capital_recollateralised_usd", None, "svb-2023", {"share_token.recollateralise_tokens_hour": 0.0}),
    "buyback": Switch("capital_buybacks_usd", None, "calm", {"share_token.buyback_usd_hour": 0.0}, run=ABOVE_TARGET),
    # share tokens bought are capital paid out: the line falls where income buys them, and is none without
    "fxs1559_share on": Switch("capital_buybacks_usd", False, "calm", {"share_token.fxs1559_share": 1.0}, run=ABOVE_TARGET),
    "fxs1559_share off": Switch(
        "capital_buybacks_usd",
        None,
        "calm",
        {"share_token.fxs1559_share": 0.0},
        run={**ABOVE_TARGET, "share_token.fxs1559_share": 1.0, "share_token.buyback_usd_hour": 0.0},
    ),
    "reward_tokens": Switch("income_rewards_usd", None, "calm", settings={"reward_tokens_week": 0.0}),
    "swap_volume": Switch("income_swap_fees_usd", False, "calm", settings={"swap_volume_day": 0.0}),
    # a team that signs at once has withdrawn sooner, one that takes three days has earned interest for longer
    "response_delay at once": Switch("income_lending_usd", False, "death-spiral", simulation={"response_delay_hours": 0}, values=WATCHFUL),
    "response_delay three days": Switch(
        "income_lending_usd", True, "death-spiral", simulation={"response_delay_hours": 72}, values=WATCHFUL
    ),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_moves_its_figure(short: Study, refigured: Callable[..., Study], name: str) -> None:
    """A figure at 0, or a delay at its ends, changes what it is there for in the stated direction on the same paths."""
    switch = SWITCHES[name]
    study = refigured(short, switch.run)
    before = rows(study, switch.scenario, **switch.values)[switch.column]
    switched = refigured(study, switch.figures)
    switched = replace(
        switched,
        scenarios=tuple(replace(one, settings={**one.settings, **switch.settings}) for one in switched.scenarios),
        simulation=replace(switched.simulation, **switch.simulation),
    )
    after = rows(switched, switch.scenario, **switch.values)[switch.column]
    if switch.up is None:
        assert np.all(after == 0.0)
        assert np.abs(before).min() > 1e3
        return
    moved = (after - before) * (1.0 if switch.up else -1.0)
    changed = moved != 0.0
    assert changed.sum() >= PATHS / 2
    assert (moved[changed] > 0.0).mean() >= 0.75
    assert moved.mean() > 0.0
