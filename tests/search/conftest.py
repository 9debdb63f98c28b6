"""A small study and objectives known by algebra, so that the search is tested without the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from amo_opt.config.load import load_parameters
from amo_opt.config.study import Certification, Constraints, Range, Search, Simulation, Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.types import PointScore
from amo_opt.stress.scenario import Scenario

CURRENT = load_parameters(Path(__file__).parents[2] / "studies" / "parameters" / "frax-current.toml").replace(
    name="in-force", curve_collateral_cap=0.5, aave_cap=0.2, curve_mint_cap=0.5, idle_buffer=0.1, unwind_price=0.98
)
SPACE = {
    "amplification": Range(low=150, high=5000, log=True),
    "curve_collateral_cap": Range(low=0.2, high=0.9),
    "aave_cap": Range(low=0.0, high=0.6),
    "idle_buffer": Range(low=0.0, high=0.3),
    "pool_share_low": Range(low=0.40, high=0.54),
    "pool_share_high": Range(low=0.52, high=0.75),
    "unwind_price": Range(low=0.95, high=0.998),
    "reentry_price": Range(low=0.96, high=1.003),
}


def _has_all(_: str) -> bool:
    """One function, so that two studies alike are equal."""
    return True


def build_study(
    *, space: dict[str, Range] | None = None, seed: int = 1, sampler: str = "auto", digest: str = "0" * 64, **current: float
) -> Study:
    """A study over one scenario; ``current`` overrides values of the set in force."""
    scenario = Scenario(name="calm", title="calm", summary="", weight=1.0, weight_reason="", sources=(), max_breach_probability=None)
    return Study(
        name="synthetic",
        date=date(2022, 5, 11),
        notes="",
        state=cast("Any", SimpleNamespace(has=_has_all, unit="USD")),
        current=CURRENT.replace(**current),
        simulation=Simulation(paths=4, transition_hours=2, window_hours=12),
        search=Search(space=SPACE if space is None else space, seed=seed, trials=40, batch=8, sampler=cast("Any", sampler)),
        constraints=Constraints(external_cr_floor=0.8725),
        certification=Certification(multiple=2, candidates=4, bootstrap=50),
        scenarios=(scenario,),
        hash=digest,
    )


def toy_score(parameters: ParameterSet) -> PointScore:
    """Lending earns and costs peg, a buffer holds it; more than all collateral is refused."""
    used = parameters.curve_collateral_cap + parameters.aave_cap + parameters.idle_buffer
    return PointScore(
        yield_annual=0.02 + 0.05 * parameters.aave_cap,
        peg_risk_bps=20.0 + 100.0 * (parameters.aave_cap - parameters.idle_buffer) ** 2 + 1000.0 * (parameters.pool_share_high - 0.6) ** 2,
        constraints={"caps_plus_buffer": used - 1.0, "breach_probability:calm": parameters.aave_cap - 0.55},
    )


class Toy:
    """An evaluator that counts what it was asked for; sets in ``failing`` fail, and call number ``dies_at`` is interrupted."""

    def __init__(self, *, failing: Callable[[ParameterSet], bool] = lambda parameters: False, dies_at: int | None = None) -> None:
        self.asked: list[ParameterSet] = []
        self.calls = 0
        self._failing = failing
        self._dies_at = dies_at

    def __call__(self, sets: Iterable[ParameterSet]) -> list[PointScore | SimulationError]:
        if self.calls == self._dies_at:
            raise KeyboardInterrupt
        self.calls += 1
        sets = list(sets)
        self.asked += sets
        return [SimulationError(f"{each.name}: path 3, step 7") if self._failing(each) else toy_score(each) for each in sets]


@pytest.fixture(scope="session")
def make_study() -> Callable[..., Study]:
    """Builds a study: ``make_study(seed=2, aave_cap=0.3)``."""
    return build_study


@pytest.fixture(scope="session")
def make_toy() -> type[Toy]:
    """Builds an evaluator: ``make_toy(dies_at=2)``."""
    return Toy


@pytest.fixture
def score_of() -> Callable[[ParameterSet], PointScore]:
    """The toy objective itself."""
    return toy_score
