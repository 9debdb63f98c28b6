"""Hours and states no history holds: every number finite and the books whole, or a failure that names scenario, path and step.

A million path-steps as a campaign (`pytest -m campaign`), a short version in the default suite.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.amos.layout import MARKET_INDEX
from amo_opt.amos.parameters import PARAMETERS, parameter_set
from amo_opt.errors import SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.parameters import ORDERED_PAIRS, ParameterSet
from amo_opt.simulation.engine import draw, trace_given
from amo_opt.stress.catalogue import load_scenario, scenario_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study

HOURS, OPENING = 96, 12
CAMPAIGN, QUICK = 1_000_000, 60_000
"""Path-steps; a draw is `LANES` paths of `HOURS` hours."""
EXTREMES: dict[str, tuple[float, ...]] = {
    "collateral_price": (0.1, 0.01, 1.0, 2.0),
    "base_value": (0.1, 0.01, 1.0, 2.0),
    "share_return": (1e-9, 0.05, 20.0),
    "aave.deposits": (1.0, 1e12),
    "aave.demand": (0.0, 1e12),
    "aave.free_cap": (0.0, 1e15),
    "investor.deposits": (1.0, 1e12),
    "investor.demand": (0.0, 1e12),
    "investor.free_cap": (0.0, 1e15),
    "fraxlend.deposits": (1.0, 1e12),
    "fraxlend.demand": (0.0, 1e12),
    "reward_tokens": (0.0, 1e9),
    "reward_price": (1e-9, 1e6),
    "swap_volume": (0.0, 1e12),
    "flow": (-0.9, 0.9),
    "news_exit": (0.0, 0.999),
    "lp_exit": (0.0, 0.999),
    "gas_usd": (0.0, 1e7),
    "gate": (0.0, 1.0),
    "aave.loss": (0.0, 1.0),
    "investor.loss": (0.0, 1.0),
    "fraxlend.loss": (0.0, 1.0),
    "curve.loss": (0.0, 0.999),
}
"""What an hour may bring: a jump in one step, and back."""
EVERY = 0.3
"""Chance that an input jumps on a path."""
LOUD = re.compile(r"scenario [a-z0-9-]+, path \d+, (step \d+|transition|window)")


def edge_set(rng: np.random.Generator, number: int) -> ParameterSet:
    """Every parameter at an end of what a file may hold, or anywhere between."""
    values: dict[str, float] = {}
    for name, parameter in PARAMETERS.items():
        u = float(rng.choice([0.0, 1.0, rng.random()]))
        values[name] = (
            parameter.low * (parameter.high / parameter.low) ** u if parameter.log else parameter.low + u * (parameter.high - parameter.low)
        )
    for low, high in ORDERED_PAIRS:
        values[high] = min(max(values[high], values[low] + 1e-6), PARAMETERS[high].high)
        values[low] = min(values[low], values[high] - 1e-6)
    return parameter_set(f"edge-{number}", values)


def edge_state(rng: np.random.Generator, study: Study, refigured: Callable[..., Study]) -> Study:
    """A balance sheet at its edges: a side of the pool all but empty, nothing idle, everything lent, a share token worth next to nothing."""
    supply = study.state.stablecoin.supply.value
    pool = supply * float(rng.choice([1e-6, 0.3, 0.9]))
    share = float(rng.choice([0.0, 0.5, 1.0]))
    figures = {
        "controller.collateral_ratio": rng.choice([0.0, 0.8725, 1.0]),
        "redeem.delay_hours": rng.choice([0.0, 24.0]),
        "share_token.price": rng.choice([1e-6, 17.9, 1e4]),
        "share_token.depth_usd": rng.choice([1e3, 6e7]),
        "pool.amplification": rng.choice([1, 1500, 999_999]),
        "pool.stablecoin": pool,
        "pool.base_lp": pool * rng.choice([1e-4, 0.01, 1.0, 100.0]),
        "collateral.idle": supply * rng.choice([0.0, 0.5]) + 1.0,
        "amos.curve.lp_share": share,
        "amos.curve.minted": share * pool,
        "amos.curve.borrowed": share * pool,
        "amos.aave.lent": supply * rng.choice([0.0, 0.5]),
        "amos.investor.lent": supply * rng.choice([0.0, 0.1]),
        "markets.oracle_lag_hours": rng.choice([0.0, 24.0]),
        "markets.lp_flight_rate": rng.choice([0.0, 1.0]),
        "markets.hazard_limit": rng.choice([0.3, 1.0]),
    }
    return refigured(study, {name: float(value) for name, value in figures.items()})


def edge_market(rng: np.random.Generator, market: np.ndarray) -> np.ndarray:
    """A drawn market in which every input jumps, lane by lane, for some hours or for good."""
    changed = market.copy().reshape(HOURS, -1, LANES)
    for name, choices in EXTREMES.items():
        hit = rng.random(LANES) < EVERY
        first, length = rng.integers(0, HOURS, LANES), rng.choice([1, 5, HOURS], LANES)
        value = rng.choice(choices, LANES)
        for lane in np.flatnonzero(hit):
            changed[first[lane] : first[lane] + length[lane], MARKET_INDEX[name], lane] = value[lane]
    return np.ascontiguousarray(changed.reshape(HOURS, -1))


def run(frax: Study, refigured: Callable[..., Study], number: int) -> str:
    """Draw ``number``, run: what was wrong with how it failed, "" where it did not, "failed" where it failed loudly."""
    rng = np.random.default_rng([1, number])
    name = scenario_names()[int(rng.integers(len(scenario_names())))]
    scenario = load_scenario(name, weight=1.0)
    short = replace(
        frax, scenarios=(scenario,), simulation=replace(frax.simulation, transition_hours=OPENING, window_hours=HOURS - OPENING)
    )
    market = edge_market(rng, draw(scenario, short, first=0, lanes=LANES, stream="search"))
    study = edge_state(rng, short, refigured)
    variables = ("price", "supply", "idle", "cr_external", "share_price")
    try:
        series = trace_given(edge_set(rng, number), study, market, scenario=scenario, first=0, lanes=LANES, variables=variables)
    except SimulationError as error:
        return "failed" if LOUD.search(str(error)) else str(error)
    return next((f"{number}: {name} is not finite" for name, values in series.items() if not np.isfinite(values).all()), "")


def test_no_hour_bends_a_result(frax: Study, refigured: Callable[..., Study]) -> None:
    """The first draws: most end whole, the others loudly."""
    told = [run(frax, refigured, number) for number in range(QUICK // (LANES * HOURS))]
    assert not [text for text in told if text not in {"", "failed"}], told
    assert told.count("") > len(told) // 2, told


@pytest.mark.campaign
def test_campaign_of_extremes(frax: Study, refigured: Callable[..., Study]) -> None:
    """A million path-steps and more."""
    kept = os.environ.get("AMO_OPT_CAMPAIGN_DIR")
    file = Path(kept) / "extremes.json" if kept else None
    state = json.loads(file.read_text()) if file is not None and file.exists() else {"draws": 0, "failed": 0, "wrong": []}
    while state["draws"] * LANES * HOURS < CAMPAIGN:
        text = run(frax, refigured, state["draws"])
        state["draws"] += 1
        state["failed"] += text == "failed"
        state["wrong"] += [text] if text not in {"", "failed"} else []
        if file is not None:
            file.write_text(json.dumps(state))
    print(f"\n{state['draws'] * LANES * HOURS:,} path-steps in {state['draws']} draws, {state['failed']} ended loudly")  # noqa: T201
    assert not state["wrong"], state["wrong"]
