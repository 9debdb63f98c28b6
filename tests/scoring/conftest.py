"""A stand-in for outcomes: synthetic paths with every column that scoring reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pytest

from amo_opt.config.load import load_parameters
from amo_opt.config.study import Certification, Constraints, Search, Simulation, Study
from amo_opt.simulation.outcome import LINE_COLUMNS
from amo_opt.stress.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amo_opt.protocol.parameters import ParameterSet

COLLATERAL = 1e9


@dataclass(frozen=True)
class SyntheticOutcome:
    """What scoring reads of an outcome."""

    parameters: ParameterSet
    paths: pd.DataFrame
    weights: dict[str, float]
    steps: int = 1776

    def with_columns(self, **columns: Any) -> SyntheticOutcome:
        """The same outcome with some columns replaced."""
        return replace(self, paths=self.paths.assign(**columns))

    def with_twins(self, drawn: int, *, seed: int = 3) -> SyntheticOutcome:
        """The same rows, of which the first ``drawn`` of each scenario are drawn and the others twins, weighed by the mixture of both."""
        of = self.paths.groupby("scenario", sort=False)["path"]
        place, total = of.cumcount().to_numpy(), of.transform("size").to_numpy()
        ratio = np.exp(np.random.default_rng(seed).normal(-0.5, 1.0, len(self.paths)))
        return self.with_columns(component=(place >= drawn).astype(int), weight=1.0 / (drawn + (total - drawn) * ratio))


@cache
def _shipped() -> ParameterSet:
    return load_parameters(Path(__file__).parents[2] / "studies" / "parameters" / "frax-current.toml")


def _parameters(**values: float) -> ParameterSet:
    return _shipped().replace(name="synthetic", **{"curve_collateral_cap": 0.5, "aave_cap": 0.2, "idle_buffer": 0.1, **values})


EVERYTHING = SimpleNamespace(has=lambda _: True, unit="USD")
"""All that scoring asks of a state: that the protocol has every mechanism."""


@pytest.fixture
def parameters() -> Callable[..., ParameterSet]:
    """Builds a parameter set: ``parameters(aave_cap=0.3)``."""
    return _parameters


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Builds a study over scenarios given as name -> weight, ``constraints`` by keyword; of its state scoring asks what the protocol has."""

    def build(
        weights: Mapping[str, float], *, breach_limits: Mapping[str, float] | None = None, bootstrap: int = 200, **constraints: float
    ) -> Study:
        scenarios = tuple(
            Scenario(
                name=name,
                title=name,
                summary="",
                weight=weight,
                weight_reason="",
                sources=(),
                max_breach_probability=(breach_limits or {}).get(name),
            )
            for name, weight in weights.items()
        )
        return Study(
            name="synthetic",
            date=date(2022, 5, 11),
            notes="",
            state=cast("Any", EVERYTHING),
            current=_parameters(),
            simulation=Simulation(),
            search=Search(space={}, seed=7),
            constraints=Constraints(external_cr_floor=0.8725, **constraints),
            certification=Certification(bootstrap=bootstrap),
            scenarios=scenarios,
            hash="0" * 64,
        )

    return build


@pytest.fixture
def make_outcome() -> Callable[..., SyntheticOutcome]:
    """Builds an outcome with ``paths`` rows a scenario, every figure drawn from one seed."""

    def build(weights: Mapping[str, float], *, paths: int = 50, seed: int = 1, parameters: ParameterSet | None = None) -> SyntheticOutcome:
        rng = np.random.default_rng(seed)
        rows = paths * len(weights)
        loss = rng.exponential(30.0, rows)
        frame = pd.DataFrame(
            {
                "scenario": np.repeat(list(weights), paths),
                "path": np.tile(np.arange(paths), len(weights)),
                "nav_start_usd": 1e8,
                "nav_end_usd": 1e8 + rng.normal(0.0, 1e6, rows),
                "income_lending_usd": rng.normal(1e6, 1e5, rows),
                "income_investor_usd": rng.normal(3e5, 1e5, rows),
                "income_fraxlend_usd": rng.normal(1e5, 1e5, rows),
                "income_swap_fees_usd": rng.normal(5e5, 1e5, rows),
                "income_uniswap_fees_usd": rng.normal(5e4, 1e4, rows),
                "income_rewards_usd": rng.normal(3e6, 1e5, rows),
                "income_primary_fees_usd": rng.normal(2e5, 1e5, rows),
                "income_market_operations_usd": -rng.exponential(3e5, rows),
                "income_venue_losses_usd": -rng.exponential(1e5, rows),
                "income_liquidation_usd": -rng.exponential(1e6, rows),
                "income_mark_to_market_usd": rng.normal(0.0, 1e7, rows),
                "income_debt_discount_usd": rng.exponential(1e6, rows),
                "transition_cost_usd": rng.exponential(1e5, rows),
                "min_price": 1.0 - loss / 1e4,
                "min_oracle": 1.0 - 0.8 * loss / 1e4,
                "deepest_shortfall_bps": 1.5 * loss,
                "peg_loss_bps": loss,
                "peg_loss_collateral_bps": loss,
                "peg_loss_dollar_bps": loss + 5.0,
                "end_shortfall_bps": rng.exponential(2.0, rows),
                "hours_below_099": rng.integers(0, 50, rows),
                "hours_below_min_cr": rng.integers(0, 20, rows),
                "hours_to_recover": rng.integers(0, 1440, rows),
                "recovered": rng.random(rows) > 0.05,
                "min_cr_external": 0.8 + rng.normal(0.0, 0.02, rows),
                "min_cr_contract": 0.86 + rng.normal(0.0, 0.01, rows),
                "end_cr": 0.8725,
                "unserved_usd_hours": rng.exponential(1e7, rows),
                "unserved_peak_usd": rng.exponential(1e6, rows),
                "supply_start": 2.6e9,
                "supply_end": 2.6e9 * rng.uniform(0.6, 1.0, rows),
                "external_supply_start": 1.4e9,
                "external_supply_end": 1.4e9 * rng.uniform(0.6, 1.0, rows),
                "share_supply_start": 1e8,
                "share_supply_end": 1e8 * rng.uniform(1.0, 1.1, rows),
                "collateral_start_usd": COLLATERAL,
                "hours_over_caps": 0,
                "hours_unwinding": rng.integers(0, 50, rows),
                "floor_supply_band_usd": rng.uniform(1e8, 2e8, rows),
                "floor_supply_005_usd": rng.uniform(2e8, 3e8, rows),
                "floor_supply_01_usd": rng.uniform(3e8, 4e8, rows),
                "floor_ratio": rng.uniform(1.0, 3.0, rows),
                "floor_ratio_end": rng.uniform(0.5, 3.0, rows),
                "decentralisation_ratio": rng.uniform(0.1, 0.3, rows),
                "reward_tokens_locked": rng.exponential(1e6, rows),
                "vote_share": rng.uniform(0.0, 0.1, rows),
            }
        )
        further = [column for column in LINE_COLUMNS if column.startswith("income_") and column not in frame]
        frame = frame.assign(**{column: rng.normal(1e5, 1e5, rows) for column in further})
        total = sum(weights.values())
        return SyntheticOutcome(
            parameters=_parameters() if parameters is None else parameters,
            paths=frame,
            weights={name: w / total for name, w in weights.items()},
        )

    return build
