"""The books hold everywhere: NAV, tokens, balances, caps, over random (parameter set, positions, scenario, seed) draws of the whole box.

A campaign of 20,000 draws (`pytest -m campaign`), and a short one of the same in the default suite. The campaign keeps what is done in the
folder named by AMO_OPT_CAMPAIGN_DIR, where that is set, and goes on from there.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.amos.layout import LINES, STATE, STATE_INDEX
from amo_opt.amos.parameters import PARAMETERS, parameter_set
from amo_opt.protocol.lanes import FAULTS, LANES
from amo_opt.protocol.parameters import ORDERED_PAIRS, ParameterSet
from amo_opt.simulation.engine import IDENTITY_BOUND, draw
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.stress.catalogue import load_scenario, scenario_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study

CAMPAIGN, QUICK = 20_000, 200
HIGHEST_A = 20_000
SEEDS = 25
"""Seeds a scenario is drawn with; sets are many more."""
FLOWS_BOOKED = ("supply", "curve.minted", "fraxlend.minted", "uniswap.minted", "net_issued")


def random_set(rng: np.random.Generator, number: int) -> ParameterSet:
    """A set drawn over what a parameter file may hold, A over 1..20,000."""
    values: dict[str, float] = {}
    for name, parameter in PARAMETERS.items():
        low, high = parameter.low, HIGHEST_A if name == "amplification" else parameter.high
        u = rng.random()
        values[name] = low * (high / low) ** u if parameter.log else low + u * (high - low)
    for low_name, high_name in ORDERED_PAIRS:
        values[high_name] = min(max(values[high_name], values[low_name] + 1e-3), PARAMETERS[high_name].high)
    return parameter_set(f"box-{number}", values)


def random_positions(rng: np.random.Generator, frax: Study, refigured: Callable[..., Study]) -> Study:
    """The study with another balance sheet: where the collateral is, how the pool stands, what is minted where, how the doors work."""
    supply = frax.state.stablecoin.supply.value
    pool = supply * rng.uniform(0.1, 0.7)
    share = rng.choice([0.0, 0.3, 0.8, 1.0])
    uniswap, fraxlend = supply * rng.choice([0.0, 0.05]), supply * rng.choice([0.0, 0.05])
    figures = {
        "controller.collateral_ratio": rng.choice([0.0, 0.3, 0.8725, 1.0]),
        "redeem.delay_hours": rng.choice([0.0, 24.0]),
        "mint.ceiling": rng.choice([0.0, 1e9, 1e12]),
        "share_token.fxs1559_share": rng.choice([0.0, 1.0]),
        "share_token.buyback_usd_hour": rng.choice([0.0, 1e6]),
        "share_token.recollateralise_tokens_hour": rng.choice([0.0, 1e6]),
        "pool.stablecoin": pool,
        "pool.base_lp": pool * rng.uniform(0.2, 3.0),
        "pool.protocol_admin_share": rng.choice([0.0, 1.0]),
        "collateral.idle": supply * rng.uniform(0.0, 0.3) + 1.0,
        "amos.curve.lp_share": share,
        "amos.curve.minted": share * pool,
        "amos.curve.borrowed": share * pool,
        "amos.aave.lent": supply * rng.choice([0.0, 0.1]),
        "amos.investor.lent": supply * rng.choice([0.0, 0.1]),
        "amos.uniswap.liquidity": uniswap,
        "amos.uniswap.half_width": rng.choice([0.001, 0.005, 0.05]),
        "amos.uniswap.minted": uniswap,
        "amos.fraxlend.lent": fraxlend,
        "amos.fraxlend.minted": fraxlend,
        "markets.oracle_lag_hours": rng.choice([0.0, 1.0, 24.0]),
    }
    study = refigured(frax, {name: float(value) for name, value in figures.items()})
    locked = replace(study.simulation, crv_locked_share=float(rng.choice([0.0, 0.5, 1.0])))
    return replace(study, simulation=locked)


@dataclass
class Tally:
    """What the draws found: the worst of each gap, and how often the market carried a position over its cap."""

    draws: int = 0
    paths: int = 0
    nav_gap: float = 0.0
    token_gap: float = 0.0
    over_caps_hours: float = 0.0
    hours: float = 0.0
    faults: list[str] = field(default_factory=list)


def check_block(study: Study, parameters: ParameterSet, market: np.ndarray, tally: Tally) -> None:
    """One set on one block of 64 paths; every gap into the tally, every fault by name."""
    state = start_state(study, market[0])
    began = {name: state[STATE_INDEX[name] * LANES :][:LANES].copy() for name in FLOWS_BOOKED}
    opening, navs = np.zeros_like(state), np.zeros((3, LANES))
    hours = study.simulation.transition_hours
    nothing = np.zeros(0, dtype=np.int64)
    run_block(state, market, parameter_vector(parameters), constants(study), hours, navs, opening, nothing, np.zeros((0, 0)))
    rows = state.reshape(len(STATE), LANES)
    of = {name: rows[index] for name, index in STATE_INDEX.items()}
    tally.draws += 1
    tally.paths += LANES
    if not np.isfinite(rows).all():
        tally.faults.append(f"{parameters.name}: {STATE[int(np.argwhere(~np.isfinite(rows))[0][0])]} is not finite")
        return
    for code in np.unique(of["fault"][of["fault"] > 0.0]):
        tally.faults.append(f"{parameters.name}: {FAULTS[int(code)]}")
    supply = study.state.stablecoin.supply.value
    scale = np.maximum(np.abs(navs[1]), 0.01 * supply)
    for source, before, after in ((opening.reshape(len(STATE), LANES), navs[0], navs[1]), (rows, navs[1], navs[2])):
        booked = np.sum([source[STATE_INDEX[line]] for line in LINES], axis=0)
        tally.nav_gap = max(tally.nav_gap, float((np.abs(booked - (after - before)) / scale).max()))
    change = {name: of[name] - began[name] for name in FLOWS_BOOKED}
    issued = change["curve.minted"] + change["fraxlend.minted"] + change["uniswap.minted"] + change["net_issued"]
    tally.token_gap = max(tally.token_gap, float((np.abs(change["supply"] - issued) / supply).max()))
    tally.over_caps_hours += float(of["hours_over_caps"].sum())
    tally.hours += LANES * study.simulation.window_hours


def run_draws(frax: Study, refigured: Callable[..., Study], *, first: int, last: int, tally: Tally) -> None:
    """Draws number ``first`` to ``last - 1``; each depends on its number alone."""
    names = scenario_names()
    markets: dict[tuple[str, int], np.ndarray] = {}
    for number in range(first, last):
        rng = np.random.default_rng([20_220_511, number])
        name, seed = names[int(rng.integers(len(names)))], int(rng.integers(SEEDS))
        study = random_positions(rng, frax, refigured)
        # the market is drawn from the worked state: what it needs of a state, the lending deposits, is the same for all draws of a key
        if (name, seed) not in markets:
            seeded = replace(frax, search=replace(frax.search, seed=seed))
            markets[name, seed] = draw(load_scenario(name, weight=1.0), seeded, first=0, lanes=LANES, stream="search")
        check_block(study, random_set(rng, number), markets[name, seed], tally)


def hold(tally: Tally) -> None:
    assert not tally.faults, tally.faults[:5]
    assert tally.nav_gap <= IDENTITY_BOUND, tally
    assert tally.token_gap <= 1e-9, tally
    assert tally.paths == LANES * tally.draws


def test_the_books_hold_over_the_box(frax: Study, refigured: Callable[..., Study]) -> None:
    """NAV and token identities to 1e-9, no fault, every number finite: the short version, on shortened hours."""
    short = replace(frax, simulation=replace(frax.simulation, transition_hours=48, window_hours=240))
    scenario_hours = replace(short, search=replace(short.search, seed=1))
    tally = Tally()
    run_draws(scenario_hours, refigured, first=0, last=QUICK, tally=tally)
    hold(tally)
    assert tally.draws == QUICK


@pytest.mark.campaign
def test_campaign_of_the_books(frax: Study, refigured: Callable[..., Study]) -> None:
    """The same over 20,000 draws of 64 paths and whole windows."""
    kept = os.environ.get("AMO_OPT_CAMPAIGN_DIR")
    file = Path(kept) / "books.json" if kept else None
    tally = Tally(**json.loads(file.read_text())) if file is not None and file.exists() else Tally()
    while tally.draws < CAMPAIGN:
        run_draws(frax, refigured, first=tally.draws, last=min(tally.draws + 500, CAMPAIGN), tally=tally)
        hold(tally)
        if file is not None:
            file.write_text(json.dumps(tally.__dict__))
    share = tally.over_caps_hours / tally.hours
    print(  # noqa: T201 - a campaign reports
        f"\n{tally.draws:,} draws, {tally.paths:,} paths: NAV gap {tally.nav_gap:.2g}, token gap {tally.token_gap:.2g}, "
        f"{share:.2%} of hours over a cap where the market moved it"
    )
    assert math.isfinite(share)
