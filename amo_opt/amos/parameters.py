"""Every parameter of governance: the issuer's and those that the AMOs define in their files, in the order of a parameter file and of the kernel's vector."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_of
from amo_opt.amos.layout import mechanisms_of
from amo_opt.protocol.parameters import ISSUER_PARAMETERS, Parameter, ParameterSet, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.protocol.state import ProtocolState


def _own(mechanism: Mechanism) -> list[Parameter]:
    return [replace(each, of=mechanism.table) for each in mechanism.parameters.values()]


class Definitions(dict[str, Parameter]):
    """Parameters by name; one of a mechanism whose name a state chooses (``usdt-keeper.ceiling``) is known by its name, and not gone through."""

    def __missing__(self, name: str) -> Parameter:
        found = _named(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _named(name) is not None)

    def get(self, name: str, default: Any = None) -> Any:
        """The definition of that name; the default where there is none."""
        return self[name] if name in self else default


@cache
def _named(name: str) -> Parameter | None:
    of, _, short = name.rpartition(".")
    mechanism = mechanism_of(of) if of and short else None
    return None if mechanism is None else next((each for each in _own(mechanism) if each.name == name), None)


def parameters_of(mechanisms: Iterable[Mechanism]) -> Definitions:
    """The issuer's parameters and those of these AMOs by name, in the order of their ranks."""
    everything = [*ISSUER_PARAMETERS.values()]
    for mechanism in mechanisms:
        everything += _own(mechanism)
    return Definitions({each.name: each for each in sorted(everything, key=lambda each: each.rank)})


PARAMETERS: Definitions = parameters_of(MECHANISMS)
"""Every parameter by name."""


def is_named(name: str) -> bool:
    """Whether a parameter belongs to a mechanism whose name a state chose."""
    return not dict.__contains__(PARAMETERS, name) and name in PARAMETERS


def parameters_in(state: ProtocolState) -> Definitions:
    """Every parameter that a set of the protocol holds: `PARAMETERS`, and those of mechanisms whose names its state chose, in the order of their ranks."""
    return parameters_of(mechanisms_of(state)) if state.instances else PARAMETERS


def governed(state: ProtocolState) -> dict[str, Parameter]:
    """The parameters of the mechanisms that a protocol has, by name."""
    return {name: each for name, each in parameters_in(state).items() if state.has(each.of)}


SHARES_OF_COLLATERAL: tuple[str, ...] = tuple(each.name for each in PARAMETERS.values() if each.share_of == "collateral")
"""What collateral is promised to: the AMOs that hold it, and redemptions. All of it is 1."""


def shares_of_collateral(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these parameters that collateral is promised by, of mechanisms whose names a state chose too."""
    return tuple(name for name in names if name in PARAMETERS and PARAMETERS[name].share_of == "collateral")


BORROWED: tuple[str, ...] = tuple(each.name for each in PARAMETERS.values() if each.borrows)
"""The caps that the minter's sum of collateral adds up."""

MINTED: tuple[str, ...] = tuple(each.name for each in sorted(PARAMETERS.values(), key=lambda each: each.share_of != "supply") if each.mints)
"""The caps that the minter's sum of stablecoin adds up, those that are shares of supply first."""


def parameter_set(name: str, values: Mapping[str, int | float]) -> ParameterSet:
    """A `ParameterSet` from a mapping, each value in the kind of its parameter; what may be left out takes its default. Ranges are the file reader's business.

    Raises ``TypeError`` for names that are no parameters and for parameters without a value.
    """
    refuse_unknown(values, PARAMETERS)
    known = [*PARAMETERS.values(), *(PARAMETERS[name] for name in values if is_named(name))]
    written = {each.name: values.get(each.name, each.default) for each in sorted(known, key=lambda each: each.rank)}
    held = tuple((key, PARAMETERS[key].typed(value)) for key, value in written.items() if value is not None)
    if len(held) < len(written):
        raise TypeError(f"parameters without a value: {', '.join(key for key, value in written.items() if value is None)}")
    return ParameterSet(name, held)
