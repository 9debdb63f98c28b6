"""Where everything lies: the common lines, then each AMO's own, in the state, the market row, the parameters and the constants.

An AMO's own lines are named ``name.line`` (``aave.lent``), its accounting lines as results call them (``income_lending``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.inputs import MARKET_INDEX, MARKET_INPUTS
from amo_opt.protocol.lanes import COMMON, COMMON_LINES, CONSTANTS, LANES
from amo_opt.protocol.lanes import PARAMETERS as COMMON_PARAMETERS
from amo_opt.protocol.market import COMMON_INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amo_opt.amos.mechanism import Mechanism

__all__ = [
    "CONSTANT_INDEX",
    "LINES",
    "MARKET_INDEX",
    "MARKET_INPUTS",
    "PARAMETER_INDEX",
    "PLACES",
    "STATE",
    "STATE_INDEX",
    "Places",
    "places_of",
]


class Places(NamedTuple):
    """Where an AMO's own numbers begin: offsets into the state, the market row, the parameters and the constants; all 0 for what is no AMO's."""

    state: int = 0
    market: int = 0
    parameters: int = 0
    constants: int = 0


def places_of(mechanisms: Iterable[Mechanism]) -> dict[str, Places]:
    """The places of these AMOs, one behind the other."""
    state, market, parameters, constants = len(COMMON), len(COMMON_INPUTS), len(COMMON_PARAMETERS), len(CONSTANTS)
    found = {}
    for each in mechanisms:
        own = each.stages.own
        found[each.name] = Places(state * LANES, market * LANES, parameters, constants)
        state, market = state + len(own.state), market + len(own.market)
        parameters, constants = parameters + len(own.parameters), constants + len(own.constants)
    return found


def _state_of(mechanism: Mechanism) -> tuple[str, ...]:
    lines = mechanism.stages.own.state
    return tuple(f"income_{mechanism.income[line].name}" if line in mechanism.income else f"{mechanism.name}.{line}" for line in lines)


def _index(names: Sequence[str]) -> dict[str, int]:
    return {name: index for index, name in enumerate(names)}


PLACES: dict[str, Places] = places_of(MECHANISMS)
"""By the AMO's name."""
STATE: tuple[str, ...] = (*COMMON, *(line for each in MECHANISMS for line in _state_of(each)))
STATE_INDEX: dict[str, int] = _index(STATE)
PARAMETER_INDEX: dict[str, int] = _index(
    [*COMMON_PARAMETERS, *(f"{each.name}.{name}" for each in MECHANISMS for name in each.stages.own.parameters)]
)
CONSTANT_INDEX: dict[str, int] = _index([*CONSTANTS, *(f"{each.name}.{name}" for each in MECHANISMS for name in each.stages.own.constants)])

_RANKS = COMMON_LINES | {f"income_{line.name}": line.rank for each in MECHANISMS for line in each.income.values()}
LINES: tuple[str, ...] = tuple(sorted(_RANKS, key=lambda name: _RANKS[name]))
"""The accounting lines in the order in which they are added up: every one is computed where its flow happens."""
