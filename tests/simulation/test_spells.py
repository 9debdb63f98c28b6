"""Calm and busy spells through the kernel: as its twin says, with books that balance, of no size, in one pool and in several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.config.study import Study
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import draw, simulate, trace_given
from amo_opt.stress import load_scenario
from tests.simulation.test_books import Tally, check_block, hold
from tests.simulation.test_kernel import agree, brought_forward
from tests.simulation.test_scale import grown, hourly, other_bits

WILD = {
    "spell_begin": 0.3, "spell_end": 0.3, "spell_flow_scale": 0.01, "spell_flow_times": 4.0, "spell_flow_freedom": 2.1, "spell_reversion": 0.1,
    "spell_lp_scale": 0.02, "spell_lp_times": 6.0, "spell_lp_freedom": 1.9, "spell_lp_per_sale": 2.0,
}  # fmt: skip
"""Several times what histories show, so that all of it happens within days."""
SCENARIOS = ("calm", "lp-flight", "death-spiral")


def with_spells(study: Study, *, window: int = 240) -> Study:
    scenarios = tuple(brought_forward(load_scenario(name, weight=1.0, settings=WILD)) for name in SCENARIOS)
    return replace(study, scenarios=scenarios, simulation=replace(study.simulation, transition_hours=48, window_hours=window))


def test_the_kernel_is_its_twin_under_spells(frax: Study) -> None:
    """Some paths of calm, of providers in flight and of a run, every state variable of every hour."""
    study = with_spells(frax)
    for path, name in enumerate(SCENARIOS * 2):
        agree(study, study.current, name, path)


def test_the_books_hold_under_spells(frax: Study) -> None:
    """NAV and tokens to 1e-9 on 64 paths of each scenario."""
    study = with_spells(frax)
    tally = Tally()
    for scenario in study.scenarios:
        check_block(study, study.current, draw(scenario, study, first=0, lanes=LANES, stream="search"), tally)
    hold(tally)


def test_several_pools_under_spells() -> None:
    """Keepers, borrowers and four pools: the engine finds every path's books balanced, and liquidity of a further pool comes and goes by the spells."""
    study = with_spells(load_study(Path(__file__).parents[2] / "studies" / "crvusd-2024.toml"))
    simulate(study.current, study, paths=LANES)
    moved = []
    for settings in (WILD, {**WILD, "spell_lp_scale": 0.0, "spell_lp_per_sale": 0.0}):
        calm = load_scenario("calm", weight=1.0, settings=settings)
        market = draw(calm, study, first=0, lanes=LANES, stream="search")
        seen = trace_given(study.current, study, market, scenario=calm, first=0, lanes=LANES, variables=("usdt-pool.d",))["usdt-pool.d"]
        moved.append(float(np.median(np.abs(np.diff(np.log(seen[::24]), axis=0)))))
    assert moved[0] > 2.0 * moved[1]


@pytest.mark.parametrize("times", [4096.0, 1.0 / 4096.0])
def test_no_bit_hangs_on_size_under_spells(frax: Study, refigured: Callable[..., Any], times: float) -> None:
    """All state, hour by hour, in 64 lanes."""
    study = with_spells(frax, window=96)
    other = grown(study, times, refigured)
    for ours, theirs in zip(study.scenarios, other.scenarios, strict=True):
        assert other_bits(hourly(study, study.current, ours), hourly(other, other.current, theirs), times) == []
