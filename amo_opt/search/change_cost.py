"""What a change itself costs: the transition from the state of the day, before any window is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from amo_opt.config.study import Study
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.intervals import percentile_bounds, resample_counts
from amo_opt.scoring.types import Estimate
from amo_opt.search.certifier import Certifier
from amo_opt.search.progress import ProgressEvent
from amo_opt.search.result import Candidate, ChangeCost
from amo_opt.simulation.engine import draw_packed, trace_given
from amo_opt.simulation.market_block import MarketBlock
from amo_opt.stress.scenario import Scenario

CALM = "calm"
STREAM = "holdout"
MOST_PATHS = 64
"""Paths it is told on: one block; calm's transitions are alike."""
Array = NDArray[np.float64]
_TRACED = ("pool_x", "pool_y", "lp_supply", "lp_amo", "price", "base_value", "collateral_price", "shortfall", "income_market_operations")


def change_costs(certifier: Certifier, sets: Sequence[Candidate]) -> tuple[ChangeCost, ...]:
    """What each set does over the hours of the transition alone, on the first holdout paths of calm (of the study's first scenario where it has
    no calm: the transition is calm in every one).

    ``lp_value_change``: the LP tokens that the protocol holds after the first hour, at the transition's end less then. A token is worth its
    share of the pool's coins at the hour's prices, the stablecoin at the pool's own: what others' trading and the ramp of A leave of it.
    Tokens bought or redeemed on the way are no change of value. ``operations_cost``: what moving the positions cost in fees and gas.
    ``min_price`` and ``peg_shortfall_bps``: each path's lowest price and largest shortfall. All are means over paths with 95% intervals;
    nothing where the study has no transition.
    """
    study = certifier.study
    hours = study.simulation.transition_hours
    if hours < 1:
        return ()
    paths = min(certifier.paths, MOST_PATHS, LANES)
    scenario = next((each for each in study.scenarios if each.name == CALM), study.scenarios[0])
    # a path's first hours do not depend on how long it is
    short = replace(study, simulation=replace(study.simulation, window_hours=1))
    market = draw_packed(scenario, short, first=0, lanes=paths, stream=STREAM)
    total = len(sets)
    found = []
    for candidate in sets:
        figures = _figures(candidate.parameters, short, market, scenario, paths, hours=hours)
        found.append(ChangeCost(candidate=candidate.id, hours=hours, figures={name: _mean(each, study) for name, each in figures.items()}))
        certifier.watch(ProgressEvent(phase="change-costs", done=len(found), total=total))
    return tuple(found)


def _figures(
    parameters: ParameterSet, study: Study, market: MarketBlock, scenario: Scenario, paths: int, *, hours: int
) -> dict[str, Array]:
    """Each figure of each path, shape (paths,)."""
    traced = trace_given(parameters, study, market, scenario=scenario, first=0, lanes=paths, variables=_TRACED)
    series = {name: values[:hours] for name, values in traced.items()}
    token = (series["pool_x"] * series["price"] + series["pool_y"] * series["base_value"]) / series["lp_supply"]
    return {
        "lp_value_change": series["lp_amo"][0] * (token[-1] - token[0]),
        "operations_cost": -series["income_market_operations"][-1],
        "min_price": series["price"].min(axis=0),
        "peg_shortfall_bps": 1e4 * series["shortfall"].max(axis=0),
    }


def _mean(values: Array, study: Study) -> Estimate:
    """The mean over paths with its 95% bootstrap interval, where the paths are enough for one."""
    mean = float(values.mean())
    counts = resample_counts([(CALM, values.size)], seed=study.search.seed, resamples=study.certification.bootstrap)
    # einsum, not @: BLAS may split the sum by the number of cores, and the same inputs must give the same bytes
    resampled = np.concatenate([np.einsum("n,nr->r", values, drawn) for drawn in counts]) / values.size
    low, high = percentile_bounds(resampled)
    return Estimate.of(mean, (float(low), float(high)), n=values.size, fewest=values.size)
