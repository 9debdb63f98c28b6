"""A function of a contract: name, typed arguments, selector; values to bytes and back, and what a type does not hold is refused.

The ABI (eth-abi) and Keccak (eth-hash) come with the extra `amo-opt[onchain]` and are imported when used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.protocol.addresses import INSTALL, keccak

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNATURE = re.compile(r"^([A-Za-z_]\w*)\((.*)\)$", re.ASCII)


@dataclass(frozen=True)
class Function:
    """A function by its name, the types of its ``inputs`` (Solidity's canonical names: uint256, address, bool, bytes, address[]) and of what it ``outputs``;
    ``names`` are the contract's names of its inputs where they are known.
    """

    name: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """``ramp_A(uint256,uint256)``, what the selector is the hash of."""
        return f"{self.name}({','.join(self.inputs)})"

    @property
    def selector(self) -> bytes:
        """The first four bytes of the signature's Keccak-256."""
        return keccak(self.signature.encode("ascii"))[:4]

    def encode(self, values: Sequence[Any]) -> bytes:
        """The calldata: selector and arguments. Raises `AmoOptError` for a value that its type does not hold."""
        return self.selector + encoded(self.inputs, values, place=self.name)

    def decode_inputs(self, data: bytes) -> tuple[Any, ...]:
        """The arguments in ``data``, which begins with the selector. Raises `AmoOptError` where it is another call's or has a wrong length."""
        if data[:4] != self.selector:
            raise AmoOptError(
                f"{self.signature}: the calldata is another function's; found 0x{data[:4].hex()}, wanted 0x{self.selector.hex()}"
            )
        values = decoded(self.inputs, data[4:], place=self.name)
        if encoded(self.inputs, values, place=self.name) != data[4:]:
            raise AmoOptError(f"{self.signature}: the calldata holds more or other bytes than its arguments")
        return values

    def decode_outputs(self, data: bytes) -> tuple[Any, ...]:
        """What a call returned. Raises `AmoOptError` for an answer that is too short or is none of that type."""
        return decoded(self.outputs, data, place=self.name)


def function(signature: str, outputs: Sequence[str] = (), names: Sequence[str] = ()) -> Function:
    """A function from ``balances(uint256)`` and the types of what it returns.

    >>> function("balances(uint256)", ["uint256"]).inputs
    ('uint256',)
    """
    found = _SIGNATURE.match(signature.replace(" ", ""))
    if found is None:
        raise AmoOptError(f"not a function's signature; found {signature!r:.60}; allowed: a name and types such as balances(uint256)")
    return Function(found[1], tuple(types_of(found[2])), tuple(outputs), tuple(names))


def encoded(types: Sequence[str], values: Sequence[Any], *, place: str) -> bytes:
    """Values by the ABI. Raises `AmoOptError` that names ``place`` for what a type does not hold: an integer out of its range wraps round on chain."""
    abi = _abi()
    try:
        return bytes(abi.encode(list(types), list(values)))
    except Exception as error:
        raise AmoOptError(f"{place}: {', '.join(map(str, values))!s:.200} is not of the types ({', '.join(types)})") from error


def decoded(types: Sequence[str], data: bytes, *, place: str) -> tuple[Any, ...]:
    """Values out of bytes by the ABI, strictly. Raises `AmoOptError` that names ``place``."""
    abi = _abi()
    try:
        return tuple(abi.decode(list(types), bytes(data)))
    except Exception as error:
        raise AmoOptError(f"{place}: {len(data)} bytes are not ({', '.join(types)})") from error


def _abi() -> Any:
    try:
        from eth_abi import abi
    except ImportError as error:
        raise AmoOptError(f"the ABI needs the extra: {INSTALL}") from error
    return abi


def types_of(types: str) -> list[str]:
    """The types in a list of them, by the commas outside brackets, for tuples hold commas.

    >>> types_of("address,(uint256,bool)[]")
    ['address', '(uint256,bool)[]']
    """
    parts, depth, begin = [], 0, 0
    for place, each in enumerate(types):
        depth += (each == "(") - (each == ")")
        if each == "," and depth == 0:
            parts.append(types[begin:place])
            begin = place + 1
    return [*parts, types[begin:]] if types else []
