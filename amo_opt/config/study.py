"""A study: a state, a current parameter set, a search space, scenarios, constraints, a budget and a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from amo_opt.protocol.parameters import ParameterSet
from amo_opt.protocol.state import ProtocolState
from amo_opt.stress.catalogue import CALM, load_scenario
from amo_opt.stress.fitted_spells import FittedSpells
from amo_opt.stress.scenario import Scenario
from amo_opt.wording import count, named

LEAST_DRAWS = 16
"""Fewest joint draws of what is assumed that a response is fitted to."""


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """``[simulation]``: hours are whole; ``paths`` is per scenario; ``crv_locked_share`` is the share of the reward tokens earned that is
    locked for votes instead of sold. ``peg_sides``: whether peg risk, shortfall and recovery count a price above the reference as one below it.
    """

    paths: int = 64
    transition_hours: int = 336
    window_hours: int = 1440
    peg_reference: Literal["collateral", "dollar"] = "collateral"
    peg_sides: Literal["below", "both"] = "below"
    collateral_valuation: Literal["par", "oracle"] = "par"
    response_delay_hours: int = 6
    cr_floor: float = 0.0
    crv_locked_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Range:
    """One searched parameter: its interval, and whether it is searched on a log scale."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, kw_only=True)
class Search:
    """``[search]``; ``space`` holds parameter names in the order of `PARAMETERS`; the others stay at the current set's value.
    ``screen_paths``: paths per scenario on which a clearly infeasible set is stopped early; ``stall``: batches without growth of the front
    after which the search ends. 0 = off.
    """

    space: dict[str, Range]
    seed: int = 1
    trials: int = 200
    batch: int = 8
    sampler: Literal["auto", "tpe", "nsga2", "gp"] = "auto"
    screen_paths: int = 0
    stall: int = 0


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """``[constraints]``: limits that a set must keep, per scenario. ``external_cr_floor`` is the price floor φ of `cr_external`
    (``None`` in the file = the state's collateral ratio; resolved here), ``max_unserved_usd_hours`` left out in the file is its default times
    the state's size. ``min_floor_supply`` = least mean of `floor_ratio`; None = no limit.
    """

    external_cr_floor: float
    min_external_cr: float = 0.75
    max_breach_probability: float = 0.02
    max_unserved_usd_hours: float = 1e9
    max_shortfall_bps: float = 1000.0
    max_unrecovered_probability: float = 0.10
    min_floor_supply: float | None = None


@dataclass(frozen=True, kw_only=True)
class Certification:
    """``[certification]``: fresh selection and holdout paths hold ``multiple`` × simulation.paths each; ``candidates`` = most sets taken there.
    ``tolerance_yield`` (per year), ``tolerance_peg_bps`` and ``tolerance_cr`` are the non-inferiority tolerances of yield, both peg risks and the worst
    external collateral ratio; ``least_gain`` is what a change must bring in all to be worth a vote, in tolerances; ``bootstrap`` the resamples of
    an interval. A scenario's holdout is planned from what selection paths saw, and holds at most ``most_paths``, twins included. ``draws`` are joint draws of everything that is assumed (0 = none), ``robust_share`` the share of them in which the verdict must
    be shown to hold.
    """

    multiple: int = 10
    candidates: int = 12
    tolerance_yield: float = 0.001
    tolerance_peg_bps: float = 2.0
    tolerance_cr: float = 0.01
    least_gain: float = 0.5
    bootstrap: int = 1000
    most_paths: int = 10_240
    draws: int = 64
    robust_share: float = 0.8


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """``[report]``: what the proposal's dates are counted from the study's date with, in days; changes no result, so no identity.

    A sourced figure older than ``max_state_age_days`` gives no Safe batch. Execution is possible from ``execution_delay_days`` (vote and
    timelock) on and planned within ``execution_window_days`` after; what was not executed by ``expiry_days`` is void; the revert batch can
    be used for ``rollback_days`` after the planned execution.
    """

    max_state_age_days: int = 30
    execution_delay_days: float = 3.0
    execution_window_days: float = 2.0
    expiry_days: float = 14.0
    rollback_days: float = 14.0


@dataclass(frozen=True, kw_only=True)
class Venue:
    """What a recorded price differs from the model's by: standard deviation and time constant in hours. It is of replays alone, and changes no other result."""

    price_sd: float
    price_hours: float


@dataclass(frozen=True, kw_only=True)
class Study:
    """A resolved study: every file read, every default filled in, the figures of ``[state] set`` in place of the state file's.

    ``hash`` is the SHA-256 of everything that changes a result (not trials, workers, out, storage, notes): the study's identity in
    storage and in reports. ``path`` is the file it came from; ``state_set`` are the figures that ``[state] set`` names;
    ``quick`` whether it was cut to the least budget that can decide (`amo_opt.search.quick`), of which nothing is published;
    ``scenario_settings`` what ``[scenario_defaults]`` sets, what follows from the state's unit of account, and the fit of ``spells`` that the behaviour file names.
    """

    name: str
    date: date
    notes: str
    state: ProtocolState
    current: ParameterSet
    simulation: Simulation
    search: Search
    constraints: Constraints
    certification: Certification
    scenarios: tuple[Scenario, ...]
    hash: str
    path: Path | None = None
    report: ReportSettings = ReportSettings()
    state_set: tuple[str, ...] = ()
    scenario_settings: Mapping[str, float] = field(default_factory=dict)
    spells: FittedSpells | None = None
    venue: Venue | None = None
    quick: bool = False

    def __repr__(self) -> str:
        parts = count(len(self.scenarios), "scenario"), f"{count(len(self.search.space), 'parameter')} searched", f"hash {self.hash[:12]}"
        return f"Study({named(self.name)!r}, {self.date}, {', '.join(parts)})"

    @property
    def calm(self) -> Scenario:
        """Calm as the study has it: its own scenario, else the catalogue's under ``[scenario_defaults]``, so that no market but the study's stands behind it."""
        own = next((each for each in self.scenarios if each.name == CALM), None)
        return load_scenario(CALM, settings=self.scenario_settings, whose=self.state.is_of) if own is None else own
