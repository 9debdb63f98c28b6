"""Which mechanisms of a protocol a scenario reaches: by the settings in which it differs from calm, and by its series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_of
from amo_opt.stress.catalogue import CALM, load_scenario
from amo_opt.stress.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.stress.scenario import Scenario

SERIES_OF = {"share_token": "share_token", "opposite": "pools"} | {
    each.name: f"amos.{each.name}" for each in MECHANISMS if each.price is not None
}
"""Series that reach one mechanism alone, by the table of a state that it is; the others reach every protocol."""
SHAPES = ("onset_", "size", "speed")
"""Settings that say when and how hard, and reach nothing by themselves."""
_LENDERS = tuple(f"amos.{each.name}" for each in MECHANISMS if each.market is not None and each.market.freezes)
_OF = {name: (f"amos.{each.name}",) for each in MECHANISMS for name in settings_of(each)}


def tables_of(setting: str) -> tuple[str, ...]:
    """The tables of a state through which a setting reaches a protocol, any of them; none of them where it reaches every one."""
    if setting in _OF:
        return _OF[setting]
    named = mechanism_of(setting.partition("_")[0])
    if named is not None:
        return (named.table,)
    if setting.startswith("freeze_"):
        return _LENDERS
    if setting.startswith("gate_"):
        return ("redeem", "mint")
    if setting.startswith("reward_"):
        return ("rewards",)
    return ("share_token",) if setting.startswith("share_") else ()


def table_of_series(name: str) -> str:
    """The table that a series reaches alone, by dotted name; empty where it reaches every protocol."""
    named = mechanism_of(name)
    return SERIES_OF.get(name, "") if named is None else named.table


def reached(setting: str, has: Callable[[str], bool]) -> bool:
    """Whether a setting reaches anything that a protocol has."""
    tables = tables_of(setting)
    return not tables or any(has(table) for table in tables)


def reaches(scenario: Scenario, has: Callable[[str], bool]) -> bool:
    """Whether a scenario differs from calm in anything that a protocol has, which ``has`` a table of its state or not."""
    calm = load_scenario(CALM).settings
    changed = [key for key, value in scenario.settings.items() if calm.get(key) != value and not key.startswith(SHAPES)]
    tables = (table_of_series(name) for name in scenario.waypoints)
    wanted = [*(tables_of(key) for key in changed), *((table,) if table else () for table in tables)]
    return scenario.name == CALM or any(not tables or any(has(table) for table in tables) for tables in wanted)
