"""A study's identity: one hash over everything that changes a result, and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.schema import figures_by_name, figures_in, left_out, off_value, table_of
from amo_opt.config.study import Certification, Simulation
from amo_opt.stress.catalogue import unnamed
from amo_opt.stress.settings import SETTINGS, is_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.config.study import Study
    from amo_opt.protocol.state import ProtocolState

MODEL_VERSION = 7
"""Raised whenever the same study gives other numbers: a changed stage, draw or score. Stored results of older versions then do not mix."""

_LATER = ("draws", "robust_share", "peg_sides")
"""Settings of [certification] and [simulation] that came later: at what they are when left out a study is what it was before there were any."""

_NAMES = {
    "controller.collateral_ratio": "stablecoin.collateral_ratio",
    "redeem.fee": "stablecoin.redemption_fee",
    "redeem.delay_hours": "stablecoin.redemption_delay_hours",
    "mint.fee": "stablecoin.minting_fee",
    "mint.ceiling": "stablecoin.mint_ceiling",
}
"""What a figure is called in the hash, where that is another word: as files of schema 1 called it."""
_ALWAYS = frozenset({"pool.protocol_admin_share", "pool.base_decentralised", "collateral.decentralised"})
"""Figures that every file of schema 1 held, and that count at what they are when left out too."""

_KEYS = {"tolerance_yield": "margin_yield", "tolerance_peg_bps": "margin_peg_bps", "tolerance_cr": "margin_cr"}
"""What a setting is called in the hash, where that is another word: a study is the same study whatever its settings are called."""


def study_hash(study: Study) -> str:
    """SHA-256 (64 hexadecimal digits) of the study's canonical form; ``study.hash`` itself is not looked at."""
    text = json.dumps(canonical(study), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def canonical(study: Study) -> dict[str, Any]:
    """What the hash is taken over, as plain values.

    In: figures' values as the study sets them (a figure set to what its file holds changes nothing, nor does one that is what it is where a file leaves it out), the current set's values, everything in [simulation], [search] but trials and stall, [constraints], [certification],
    each scenario's weight, settings, waypoints and limit, in the study's order (sums run in it), and `MODEL_VERSION`. Left out: settings of an AMO that
    neither the study nor the catalogue names, and parameters at what they are where a file leaves them out, so that a package that knows another AMO gives no study
    another hash; names of study, state and set, dates, notes, sources, assumed ranges, contracts, [report] (dates and ages of the proposal) and file paths.
    """
    search = asdict(study.search)
    calm = unnamed()
    certification = _said(study.certification, Certification())
    del search["trials"], search["stall"]  # how far the search goes, not where
    return {
        "model": MODEL_VERSION,
        "state": state_values(study.state),
        "current": {name: value for name, value in study.current.values().items() if value != PARAMETERS[name].default},
        "simulation": _said(study.simulation, Simulation()),
        "search": search,
        "constraints": asdict(study.constraints),
        "certification": {_KEYS.get(name, name): value for name, value in certification.items()},
        "scenarios": [
            {
                "name": scenario.name,
                "weight": scenario.weight,
                "settings": {name: value for name, value in scenario.settings.items() if _calm(name, calm) != value},
                "waypoints": _points(scenario.waypoints),
                "max_breach_probability": scenario.max_breach_probability,
            }
            for scenario in study.scenarios
        ],
        **({} if study.spells is None else {"spells": study.spells.digest}),
    }


def _said(settings: Certification | Simulation, usual: Certification | Simulation) -> dict[str, Any]:
    """The settings of a table, but for those that came later and are at what they are where left out."""
    return {name: value for name, value in asdict(settings).items() if name not in _LATER or value != getattr(usual, name)}


def _calm(name: str, calm: Mapping[str, float]) -> float | None:
    return SETTINGS[name].calm if is_named(name) else calm.get(name)


def state_values(state: ProtocolState) -> dict[str, float]:
    """Every figure's value by its dotted key (``pool.fee``), in the order of the state's definition, but for those that are as if left out."""
    values = {name: float(attrgetter(name)(state).value) for name in figures_in(state)}
    there = {name: value for name, value in values.items() if name in _ALWAYS or not _is_off(state, name, value)}
    return {_NAMES.get(name, name): value for name, value in there.items()}


def _is_off(state: ProtocolState, name: str, value: float) -> bool:
    """Whether a figure is as if the file left it out, or the table of its mechanism."""
    if figures_by_name()[name].default is not MISSING or not table_of(name):
        return value == left_out(name)
    return not state.has(table_of(name)) and value == off_value(name)


def _points(waypoints: Mapping[str, tuple[tuple[float, float], ...]]) -> dict[str, list[list[float]]]:
    return {name: [[float(hour), float(value)] for hour, value in points] for name, points in waypoints.items()}
