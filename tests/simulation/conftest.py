"""Makes the twin beside these tests importable (the tests themselves are no package); sets and scenarios that use every AMO; whole states."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1]))  # `without` stands there


def _hastened(study: Study, transition: int, window: int) -> Study:
    """The study on few hours, its stresses beginning within the window's first three days."""
    scenarios = tuple(
        replace(
            one, settings={**one.settings, "onset_day_low": 1.0, "onset_day_high": 3.0} if "onset_day_low" in one.settings else one.settings
        )
        for one in study.scenarios
    )
    return replace(study, scenarios=scenarios, simulation=replace(study.simulation, transition_hours=transition, window_hours=window))


@pytest.fixture(scope="session")
def hastened() -> Callable[[Study, int, int], Study]:
    return _hastened


@pytest.fixture(scope="session")
def busy(frax: Study, refigured: Callable[..., Study]) -> Study:
    """The worked study with something in every venue, venue losses beside its stresses, cheap minting, all of the share token's operations."""
    from amo_opt.stress.catalogue import load_scenario

    study = refigured(
        frax,
        {
            "amos.investor.lent": 0.05e9,
            "amos.investor.borrowed": 0.05e9,
            "amos.uniswap.liquidity": 0.03e9,
            "amos.uniswap.minted": 0.03e9,
            "amos.uniswap.borrowed": 0.03e9,
            "amos.fraxlend.lent": 0.03e9,
            "amos.fraxlend.minted": 0.03e9,
            "redeem.delay_hours": 24.0,
            "mint.fee": 0.0,
            "share_token.fxs1559_share": 0.5,
            "pool.protocol_admin_share": 0.5,
        },
    )
    loss = load_scenario("venue-loss", weight=0.005)
    study = replace(study, scenarios=(*(one for one in study.scenarios if one.name != "venue-loss"), loss))
    return replace(study, simulation=replace(study.simulation, crv_locked_share=0.3))


WIDE: dict[str, tuple[float, float]] = {
    "amplification": (150.0, 5000.0),
    "cr_band": (0.001, 0.01),
    "cr_step": (0.0005, 0.01),
    "curve_collateral_cap": (0.2, 0.9),
    "aave_cap": (0.0, 0.6),
    "investor_cap": (0.0, 0.3),
    "uniswap_cap": (0.0, 0.2),
    "curve_mint_cap": (0.2, 0.7),
    "fraxlend_cap": (0.0, 0.1),
    "idle_buffer": (0.0, 0.3),
    "pool_share_low": (0.40, 0.54),
    "rebalance_rate": (0.005, 0.2),
    "unwind_price": (0.95, 0.998),
    "unwind_cr_margin": (0.01, 0.2),
    "unwind_rate": (0.01, 0.5),
    "mint_price_threshold": (1.0, 1.002),
}
"""Where `wide_sets` draws from, whatever a study searches; rates and A on a log scale."""


@pytest.fixture(scope="session")
def wide_sets() -> Callable[[Study, int, int], list[ParameterSet]]:
    """Sets drawn independently over a box in which every AMO is used, the ordered pairs in order."""

    def build(study: Study, count: int, seed: int) -> list[ParameterSet]:
        rng = np.random.default_rng([seed, 1])
        sets = []
        for number in range(count):
            values: dict[str, float] = {}
            for name, (low, high) in WIDE.items():
                u = float(rng.random())
                log = name == "amplification" or name.endswith("_rate")
                values[name] = low * (high / low) ** u if log else low + u * (high - low)
            values["pool_share_high"] = values["pool_share_low"] + rng.uniform(0.01, 0.2)
            values["reentry_price"] = values["unwind_price"] + rng.uniform(0.001, 0.01)
            sets.append(study.current.replace(name=f"wide-{number}", **values))
        return sets

    return build


@dataclass(frozen=True)
class States:
    """Whole states of one block: at the snapshot, when the window opened, at its end; and the NAVs at the three, shape (3, LANES)."""

    start: np.ndarray
    opening: np.ndarray
    end: np.ndarray
    navs: np.ndarray

    @staticmethod
    def lanes(state: np.ndarray, name: str) -> np.ndarray:
        from amo_opt.amos.layout import STATE_INDEX
        from amo_opt.protocol.lanes import LANES

        return state[STATE_INDEX[name] * LANES :][:LANES]

    def change(self, name: str) -> np.ndarray:
        """From snapshot to end, shape (LANES,)."""
        return self.lanes(self.end, name) - self.lanes(self.start, name)


@pytest.fixture(scope="session")
def states() -> Callable[..., States]:
    """Runs a set on one block of a scenario and returns its states."""

    def run(study: Study, parameters: ParameterSet, scenario: str) -> States:
        from amo_opt.protocol.lanes import LANES
        from amo_opt.simulation.engine import draw
        from amo_opt.simulation.kernel import run_block
        from amo_opt.simulation.pack import constants, parameter_vector, start_state

        chosen = next(one for one in study.scenarios if one.name == scenario)
        market = draw(chosen, study, first=0, lanes=LANES, stream="search")
        state = start_state(study, market[0])
        start, opening, navs = state.copy(), np.zeros_like(state), np.zeros((3, LANES))
        nothing = np.zeros(0, dtype=np.int64)
        hours = study.simulation.transition_hours
        run_block(state, market, parameter_vector(parameters), constants(study), hours, navs, opening, nothing, np.zeros((0, 0)))
        return States(start, opening, state, navs)

    return run
