"""What an engine is given and gives back: messages at moments, one after the other on the state of one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from amo_opt.errors import AmoOptError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amo_opt.onchain.transaction import Transaction

NOBODY = "0x" + "0" * 40
"""Who reads: the sender of a message that names none."""


class MissingEngineError(AmoOptError):
    """The engine is not there: not installed here, or not a method of the node."""


@dataclass(frozen=True)
class Moment:
    """Messages of one block at the Unix second ``at``, in order; getters are messages too, whose senders are nobody."""

    at: int
    messages: tuple[Transaction, ...]


@dataclass(frozen=True)
class Ran:
    """One message executed: ``data`` is what it returned or reverted with, ``gas`` what it used, ``halt`` why it ended where it did neither (out of gas)."""

    ok: bool
    data: bytes
    gas: int
    halt: str = ""


GAS = 2**24
"""What a message may use: the most that one transaction may (EIP-7825)."""

Slot = tuple[str, int]
"""A contract and one of its storage slots."""


@dataclass(frozen=True)
class Outcome:
    """``ran`` by moment and message. ``storage`` holds every slot that was touched: before all of it, then after each moment; ``None`` where the engine
    cannot tell.
    """

    ran: tuple[tuple[Ran, ...], ...]
    storage: tuple[Mapping[Slot, int], ...] | None


class Engine(Protocol):
    """Executes without sending. Every run begins from the state of the block that the engine was made for; what a message does stays for the next."""

    @property
    def name(self) -> str:
        """What a record calls it."""

    def run(self, moments: Sequence[Moment], *, as_accounts: frozenset[str]) -> Outcome:
        """All messages, those after a failure too. ``as_accounts`` are senders that hold code (a Safe): it is taken off, for a machine lets no contract
        begin a transaction. Raises `AmoOptError` where the node stops answering, `MissingEngineError` where there is no such engine.
        """
