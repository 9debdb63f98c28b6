"""Where everything lies: the common lines, then each AMO's own, in the state, the market row, the parameters and the constants.

An AMO's own lines are named ``name.line`` (``aave.lent``), its accounting lines as results call them (``income_lending``). `BASE` is the layout of what stands
in the catalogue; that of a protocol with further pools, or AMOs of names of its own, has theirs behind it (`layout_of`), so that nothing of `BASE` moves.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_at
from amo_opt.protocol.lanes import COMMON, COMMON_LINES, CONSTANTS, LANES
from amo_opt.protocol.lanes import PARAMETERS as COMMON_PARAMETERS
from amo_opt.protocol.market import COMMON_INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.protocol.state import ProtocolState

__all__ = [
    "BASE",
    "CONSTANT_INDEX",
    "LINES",
    "MARKET_INDEX",
    "MARKET_INPUTS",
    "PARAMETER_INDEX",
    "PLACES",
    "STATE",
    "STATE_INDEX",
    "Layout",
    "Places",
    "layout_of",
    "mechanisms_of",
    "places_of",
]

NO_POOL = -1


class Places(NamedTuple):
    """Where an AMO's own numbers begin: offsets into the state, the market row, the parameters and the constants; all 0 for what is no AMO's. ``pool`` is where the state of the
    pool begins that it works, `NO_POOL` where its stages are not told.
    """

    state: int = 0
    market: int = 0
    parameters: int = 0
    constants: int = 0
    pool: int = NO_POOL


def places_of(mechanisms: Iterable[Mechanism]) -> dict[str, Places]:
    """The places of these AMOs, one behind the other."""
    state, market, parameters, constants = len(COMMON), len(COMMON_INPUTS), len(COMMON_PARAMETERS), len(CONSTANTS)
    found: dict[str, Places] = {}
    for each in mechanisms:
        own = each.stages.own
        pool = found[each.pool].state if each.pool else 0  # the first pool's lines are the first of the state
        found[each.name] = Places(state * LANES, market * LANES, parameters, constants, pool)
        state, market = state + len(own.state), market + len(own.market)
        parameters, constants = parameters + len(own.parameters), constants + len(own.constants)
    return found


def _state_of(mechanism: Mechanism) -> tuple[str, ...]:
    lines = mechanism.stages.own.state
    return tuple(f"income_{mechanism.income[line].name}" if line in mechanism.income else f"{mechanism.name}.{line}" for line in lines)


def _index(names: Sequence[str]) -> dict[str, int]:
    return {name: index for index, name in enumerate(names)}


class Layout:
    """The names of a protocol's numbers and where they lie; ``places`` by the AMO's name, ``lines`` the accounting lines in the order in which they are added up."""

    def __init__(self, mechanisms: tuple[Mechanism, ...], first: str = "") -> None:
        self.mechanisms, self.first = mechanisms, first
        self.places = places_of(mechanisms)
        self.inputs: dict[str, str] = COMMON_INPUTS | {
            f"{each.name}.{name}": meaning for each in mechanisms for name, meaning in each.inputs.items()
        }
        self.input_index = _index(tuple(self.inputs))
        self.state: tuple[str, ...] = (*COMMON, *(line for each in mechanisms for line in _state_of(each)))
        self.state_index = _index(self.state)
        self.parameter_index = _index(
            [*COMMON_PARAMETERS, *(f"{each.name}.{name}" for each in mechanisms for name in each.stages.own.parameters)]
        )
        self.constant_index = _index([*CONSTANTS, *(f"{each.name}.{name}" for each in mechanisms for name in each.stages.own.constants)])
        ranks = COMMON_LINES | {f"income_{line.name}": line.rank for each in mechanisms for line in each.income.values()}
        self.lines: tuple[str, ...] = tuple(sorted(ranks, key=lambda name: ranks[name]))

    @property
    def keepers(self) -> list[Places]:
        """Where the own numbers of PegKeepers of pools with names begin: side by side, as `amos.peg_keeper.work` counts on."""
        named = [each for each in self.mechanisms if each.name.endswith("-keeper")]
        found = [self.places[each.name] for each in named]
        for k, each in enumerate(found):
            own = named[0].stages.own
            apart = (len(own.state) * LANES, len(own.parameters), len(own.constants))
            there = (each.state - found[0].state, each.parameters - found[0].parameters, each.constants - found[0].constants)
            if there != tuple(k * by for by in apart):
                raise AssertionError(f"{named[k].name} does not stand beside {named[0].name}")
        return found

    def __reduce__(self) -> tuple[object, ...]:
        """By the tables of its own: mechanisms hold what no process can hand to another."""
        return _layout, (tuple(each.table for each in self.mechanisms[len(MECHANISMS) :]), self.first)


@cache
def _layout(tables: tuple[str, ...], first: str) -> Layout:
    return Layout((*MECHANISMS, *(mechanism_at(table, first) for table in tables)), first) if tables else BASE


def layout_of(state: ProtocolState) -> Layout:
    """The layout of a protocol."""
    return _layout(state.instances, state.pool_name)


def mechanisms_of(state: ProtocolState) -> tuple[Mechanism, ...]:
    """Every mechanism of the catalogue, and those of names that the state chose, whether the protocol has them or not."""
    return layout_of(state).mechanisms


BASE = Layout(MECHANISMS)
PLACES: dict[str, Places] = BASE.places
"""By the AMO's name."""
STATE: tuple[str, ...] = BASE.state
STATE_INDEX: dict[str, int] = BASE.state_index
PARAMETER_INDEX: dict[str, int] = BASE.parameter_index
CONSTANT_INDEX: dict[str, int] = BASE.constant_index
MARKET_INPUTS: dict[str, str] = BASE.inputs
MARKET_INDEX: dict[str, int] = BASE.input_index
LINES: tuple[str, ...] = BASE.lines
"""The accounting lines in the order in which they are added up: every one is computed where its flow happens."""
