"""Facts of a protocol's markets that its state may say in place of the scenarios' settings: volume, what others lend out, the gauge's budget, gas, the coins behind a base LP.

Scenarios multiply such a fact: what it is in one is the fact times what the entry has over calm's. A state that says none is drawn by the settings alone, and a setting of the
study's own goes before either.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.stress.catalogue import CALM, load_scenario
from amo_opt.stress.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from amo_opt.protocol.state import ProtocolState
    from amo_opt.stress.scenario import Scenario

FACTS: dict[str, str] = {
    "swap_volume_day": "pool.volume_day",
    "base_coins": "pool.base_coins",
    "reward_tokens_week": "rewards.tokens_week",
    "reward_token_price": "rewards.token_price",
    "gas_gwei": "markets.gas_gwei",
    "eth_usd": "markets.eth_usd",
} | {
    f"{each.market.prefix}_{what}": f"markets.{each.market.prefix}_{what}"
    for each in MECHANISMS
    if each.market is not None
    for what in ("deposits", "utilisation")
}
"""Settings by name, and the figure of a state that says what they are, by dotted name."""
_LEVELS = frozenset({"base_coins", *(name for name in FACTS if name.endswith("_utilisation"))})
"""Those that are no amounts: what a state says holds in every scenario."""


def stated(state: ProtocolState) -> dict[str, float]:
    """The settings that a state says itself, at what they are in calm."""
    found = {setting: attrgetter(figure)(state) for setting, figure in FACTS.items()}
    return {setting: figure.value for setting, figure in found.items() if figure.is_given}


def factors(name: str, settings: Iterable[str]) -> dict[str, float]:
    """What an entry of the catalogue multiplies these facts by."""
    own, calm = load_scenario(name).settings, load_scenario(CALM).settings
    return {each: 1.0 if each in _LEVELS or calm[each] == 0.0 else own[each] / calm[each] for each in settings}


def with_facts(scenario: Scenario, state: ProtocolState, *, given: Collection[str]) -> Scenario:
    """The scenario of a study in which it follows the state's facts, but for the settings that the study has ``given`` it itself; their ranges are then the figures' own."""
    told = factors(scenario.name, (name for name in stated(state) if name not in given))
    if not told:
        return scenario
    ranges = {name: span for name, span in scenario.ranges.items() if name not in told}
    return following(replace(scenario, facts=MappingProxyType(told), ranges=MappingProxyType(ranges)), state)


def following(scenario: Scenario, state: ProtocolState) -> Scenario:
    """The scenario with the state's facts as they are now."""
    if not scenario.facts:
        return scenario
    now = stated(state)
    held = {name: min(max(now[name] * times, SETTINGS[name].low), SETTINGS[name].high) for name, times in scenario.facts.items()}
    return replace(scenario, settings={**scenario.settings, **held})


__all__ = ["FACTS", "factors", "following", "stated", "with_facts"]
