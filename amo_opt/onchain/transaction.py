"""One transaction of a proposal, whatever it was written in: a Safe batch, a vote's list of actions, an evmscript, a governor's proposal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.onchain.signatures import function_of
from amo_opt.protocol.addresses import checksummed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.onchain.abi import Function


@dataclass(frozen=True)
class Transaction:
    """``data`` to ``to`` (EIP-55), sent by ``sender`` (None: whoever executes the payload). ``function`` and its ``arguments`` are None and empty where the
    calldata could not be read.
    """

    to: str
    data: bytes
    value: int = 0
    function: Function | None = None
    arguments: tuple[Any, ...] = ()
    sender: str | None = None

    @property
    def text(self) -> str:
        """``0xcf37…E241.setFraxMintCap(_frax_mint_cap = 1)``, or the selector of what is not known."""
        if self.function is None:
            return f"{self.to} 0x{self.data[:4].hex()} ({len(self.data)} bytes)"
        names = self.function.names or self.function.inputs
        pairs = ", ".join(f"{name} = {value}" for name, value in zip(names, self.arguments, strict=True))
        return f"{self.to}.{self.function.name}({pairs})"


def called(to: str, function: Function, values: Sequence[Any], *, value: int = 0, sender: str | None = None) -> Transaction:
    """The call of ``function`` with ``values``. Raises `AmoOptError` for a value that its type does not hold."""
    data = function.encode(values)
    return Transaction(checksummed(to), data, value, function, function.decode_inputs(data), sender and checksummed(sender))


def sent(to: str, data: bytes, *, value: int = 0, sender: str | None = None) -> Transaction:
    """The call with that calldata, read where it is a known function's."""
    function = function_of(data[:4])
    try:
        arguments = () if function is None else function.decode_inputs(data)
    except AmoOptError:  # a known selector before other bytes: what it says is not known
        function, arguments = None, ()
    return Transaction(checksummed(to), data, value, function, arguments, sender and checksummed(sender))
