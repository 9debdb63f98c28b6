"""JSON-RPC's own words: its JSON, numbers and bytes, and what a contract gives back when it reverts."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from amo_opt.errors import AmoOptError
from amo_opt.onchain.connection import BusyError
from amo_opt.one_line import one_line

HEX: Final = re.compile(r"0x((?:[0-9a-f]{2})*)", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"0x[0-9a-f]{1,64}", re.IGNORECASE | re.ASCII)


def quantity(value: Any, place: str) -> int:
    """A number as JSON-RPC writes it ("0x1b4"). Raises `AmoOptError` that names ``place``."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise AmoOptError(f"the node's answer to {place} is no number: {_shown(value)}; wanted 0x and digits")
    return int(value, 16)


def data(value: Any, place: str, *, length: int | None = None) -> bytes:
    """Bytes as JSON-RPC writes them ("0x0a1b"). Raises `AmoOptError` that names ``place`` for other text, or another ``length``."""
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise AmoOptError(f"the node's answer to {place} is no bytes: {_shown(value)}; wanted 0x and pairs of digits")
    found = bytes.fromhex(value[2:])
    if length is not None and len(found) != length:
        raise AmoOptError(f"the node's answer to {place} has {len(found)} bytes; wanted {length}")
    return found


def revert_reason(returned: bytes) -> str:
    """What a contract said when it reverted: the text of Error(string), Panic with its code, another error by its selector, "" for nothing.

    >>> revert_reason(bytes.fromhex("4e487b71" + f"{17:064x}")), revert_reason(b"")
    ('Panic(0x11)', '')
    """
    selector, rest = returned[:4].hex(), returned[4:]
    if selector == "08c379a0" and len(rest) >= 64:
        begin = int.from_bytes(rest[:32], "big") + 32
        size = int.from_bytes(rest[begin - 32 : begin], "big")
        return one_line(rest[begin : begin + size].decode("utf-8", "replace"), most=200)
    if selector == "4e487b71" and len(rest) == 32:
        return f"Panic(0x{int.from_bytes(rest, 'big'):02x})"
    return f"error 0x{selector}" if returned else ""


def parsed(body: bytes, status: int) -> Any:
    """The body's JSON; of a refusal what is no JSON is none."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        if status != 200:
            return None
        if not body.strip():
            raise BusyError("the node's answer is empty") from None
        if body.lstrip()[:1] == b"<":
            raise AmoOptError("the node's address answers with a web page and not with JSON: no node is there") from None
        kinds = {UnicodeDecodeError: "no UTF-8", RecursionError: "nested too deeply"}
        what = kinds.get(type(error), "no JSON, or cut short")
        raise AmoOptError(f"the node's answer is {what}") from None


def _shown(value: Any) -> str:
    """Hexadecimal text as it stands, else the kind alone: what a node says in its own words may hold its key."""
    if isinstance(value, str) and value.startswith("0x"):
        return one_line(value, most=60)
    return {"str": "text", "NoneType": "null"}.get(type(value).__name__, type(value).__name__)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
