"""Any payload: what it is written in is told from its text, and its calls are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from amo_opt.errors import AmoOptError
from amo_opt.files import read_file
from amo_opt.onchain import safe_batch
from amo_opt.onchain.dao_vote import SCRIPT, read_actions, read_evmscript
from amo_opt.onchain.governor import PROPOSE, read_propose
from amo_opt.onchain.transaction import sent
from amo_opt.onchain.written import address, calldata, integer
from amo_opt.protocol.addresses import is_nobodys

if TYPE_CHECKING:
    from amo_opt.onchain.transaction import Transaction

Form = Literal["Safe batch", "list of actions", "script of a vote", "proposal to a governor", "list of calls"]
MOST = 4 * 2**20
"""Bytes of a payload that is read."""


@dataclass(frozen=True)
class Payload:
    """Calls in the order in which they are made. ``chain_id`` is None where the form does not say; ``notes`` are what a reader must know of it, one sentence each.

    ``intact`` is whether a Safe batch's checksum is its content's; None where there is none.
    """

    form: Form
    chain_id: int | None
    transactions: tuple[Transaction, ...]
    notes: tuple[str, ...] = ()
    intact: bool | None = None


def read_payload(source: str | Path) -> Payload:
    """The payload in a file, or in a text of any of the forms. Raises `AmoOptError`, in one sentence, for what is none of them or is damaged."""
    text = _text(source)
    if text.startswith("0x"):
        return _of_bytes(calldata("".join(text.split()), place="the payload"))
    document = _json(text)
    if isinstance(document, dict):
        return _of_safe(document)
    if isinstance(document, list) and document and all(isinstance(each, dict) for each in document):
        return _told("list of calls", None, tuple(_call(each, f"calls[{place}]") for place, each in enumerate(document)))
    calls = read_actions(text)
    return _told("list of actions", 1 if calls[0].sender else None, calls)  # a known agent is one of Ethereum's


def _text(source: str | Path) -> str:
    if isinstance(source, str) and (source.lstrip().startswith("0x") or any(each in source for each in "[{\n")):
        return source.strip()
    try:
        return read_file(source, most=MOST).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise AmoOptError(f"{source}: no text in UTF-8, so no payload") from error
    except (OSError, ValueError) as error:
        raise AmoOptError(f"{source}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _json(text: str) -> Any:
    """The document, or None for what is no JSON: a list of actions is none."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise AmoOptError("a payload nested too deep to be one") from error
    except ValueError as error:
        if text.startswith("{"):
            raise AmoOptError(f"no payload: JSON that cannot be read ({error!s:.80})") from error
        return None


def _of_bytes(data: bytes) -> Payload:
    if data[:4] == SCRIPT:
        return _told("script of a vote", None, read_evmscript(data))
    if data[:4] == PROPOSE.selector:
        return _told("proposal to a governor", None, read_propose(data)[0])
    raise AmoOptError(
        f"bytes that are no payload: they begin with 0x{data[:4].hex()}; allowed: a script of a vote (0x{SCRIPT.hex()}) or {PROPOSE.signature} (0x{PROPOSE.selector.hex()})"
    )


def _of_safe(document: dict[str, Any]) -> Payload:
    batch = safe_batch.read(document)
    notes = {
        True: (),
        False: ("Its checksum is not its content's: it was changed after it was made.",),
        None: ("It carries no checksum.",),
    }[batch.intact]
    return _told("Safe batch", batch.chain_id, batch.transactions, notes, intact=batch.intact)


def _call(entry: dict[str, Any], place: str) -> Transaction:
    unknown = next((key for key in entry if key not in ("to", "value", "data", "sender", "from")), None)
    if unknown is not None:
        raise AmoOptError(f"{place}: no call; found {unknown!r:.60}; allowed: to, value, data")
    sender = entry.get("from", entry.get("sender"))
    value = integer(entry.get("value") or 0, place=f"{place}.value")
    if not 0 <= value < 2**256:
        raise AmoOptError(f"{place}.value: out of range; found {value}; allowed: 0 to 2^256 - 1 wei")
    return sent(
        address(entry.get("to"), place=f"{place}.to"),
        calldata(entry.get("data") or "0x", place=f"{place}.data"),
        value=value,
        sender=None if sender is None else address(sender, place=f"{place}.from"),
    )


def _told(
    form: Form, chain_id: int | None, transactions: tuple[Transaction, ...], notes: tuple[str, ...] = (), *, intact: bool | None = None
) -> Payload:
    nobodys = [str(place) for place, each in enumerate(transactions, 1) if is_nobodys(each.to)]
    if nobodys:
        notes = (*notes, f"Nobody is behind the address of call {', '.join(nobodys)}.")
    direct = [str(place) for place, each in enumerate(transactions, 1) if each.sender is None]
    if form == "script of a vote" and direct:
        notes = (*notes, f"Call {', '.join(direct)} is made by the voting contract itself, not by its agent.")
    return Payload(form, chain_id, transactions, notes, intact)
