"""Every parameter of governance: the issuer's and those that the AMOs define in their files, in the order of a parameter file and of the kernel's vector."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.protocol.parameters import ISSUER_PARAMETERS, ParameterSet, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.protocol.parameters import Parameter
    from amo_opt.protocol.state import ProtocolState


def parameters_of(mechanisms: Iterable[Mechanism]) -> dict[str, Parameter]:
    """The issuer's parameters and those of these AMOs by name, in the order of their ranks."""
    everything = [*ISSUER_PARAMETERS.values()]
    for mechanism in mechanisms:
        everything += [replace(each, of=f"amos.{mechanism.name}") for each in mechanism.parameters.values()]
    return {each.name: each for each in sorted(everything, key=lambda each: each.rank)}


PARAMETERS: dict[str, Parameter] = parameters_of(MECHANISMS)
"""Every parameter by name."""


def governed(state: ProtocolState) -> dict[str, Parameter]:
    """The parameters of the mechanisms that a protocol has, by name."""
    return {name: each for name, each in PARAMETERS.items() if state.has(each.of)}


SHARES_OF_COLLATERAL: tuple[str, ...] = tuple(each.name for each in PARAMETERS.values() if each.share_of == "collateral")
"""What collateral is promised to: the AMOs that hold it, and redemptions. All of it is 1."""

BORROWED: tuple[str, ...] = tuple(each.name for each in PARAMETERS.values() if each.borrows)
"""The caps that the minter's sum of collateral adds up."""

MINTED: tuple[str, ...] = tuple(each.name for each in sorted(PARAMETERS.values(), key=lambda each: each.share_of != "supply") if each.mints)
"""The caps that the minter's sum of stablecoin adds up, those that are shares of supply first."""


def parameter_set(name: str, values: Mapping[str, int | float]) -> ParameterSet:
    """A `ParameterSet` from a mapping, each value in the kind of its parameter; what may be left out takes its default. Ranges are the file reader's business.

    Raises ``TypeError`` for names that are no parameters and for parameters without a value.
    """
    refuse_unknown(values, PARAMETERS)
    written = {each.name: values.get(each.name, each.default) for each in PARAMETERS.values()}
    held = tuple((key, PARAMETERS[key].typed(value)) for key, value in written.items() if value is not None)
    if len(held) < len(PARAMETERS):
        raise TypeError(f"parameters without a value: {', '.join(key for key, value in written.items() if value is None)}")
    return ParameterSet(name, held)
