"""Values as files and votes write them (text, JSON, Python's literals) to what the ABI takes, by type, and back to text."""

from __future__ import annotations

import json
import re
from typing import Any

from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import types_of
from amo_opt.protocol.addresses import checksummed, has_wrong_checksum

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}", re.ASCII)
_INTEGER = re.compile("-?[0-9]{1,100}|0x[0-9a-fA-F]{1,64}", re.ASCII)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
DEEPEST = 30
"""Levels of lists and tuples in an argument."""


def address(written: object, *, place: str) -> str:
    """The address with the capitals of EIP-55. Raises `AmoOptError` that names ``place`` for what is none or carries a wrong checksum."""
    if not isinstance(written, str) or not _ADDRESS.fullmatch(written):
        raise AmoOptError(f"{place}: no address; found {_shown(written)}; allowed: 0x and 40 hexadecimal digits")
    if has_wrong_checksum(written):
        raise AmoOptError(f"{place}: wrong checksum (EIP-55); found {written}; allowed: {checksummed(written)} if every digit is right")
    return checksummed(written)


def calldata(written: object, *, place: str) -> bytes:
    """Bytes from 0x and hexadecimal digits. Raises `AmoOptError` that names ``place``."""
    if isinstance(written, str) and re.fullmatch("0x([0-9a-fA-F]{2})*", written, re.ASCII):
        return bytes.fromhex(written[2:])
    raise AmoOptError(f"{place}: no bytes; found {_shown(written)}; allowed: 0x and an even number of hexadecimal digits")


def integer(written: object, *, place: str) -> int:
    """A whole number, or one as text (decimal, or hexadecimal behind 0x): a number beyond 2^53 is written as text. Raises `AmoOptError` that names ``place``."""
    if isinstance(written, int) and not isinstance(written, bool):
        return written
    if isinstance(written, str) and _INTEGER.fullmatch(written.strip()):
        return int(written, 16 if written.strip().startswith("0x") else 10)
    raise AmoOptError(f"{place}: no whole number; found {_shown(written)}")


def value_of(kind: str, written: object, *, place: str, level: int = 0) -> Any:
    """What the ABI takes for a value of type ``kind``. Raises `AmoOptError` that names ``place`` for what is not of that type.

    >>> value_of("uint256[]", '["1", 2]', place="caps")
    [1, 2]
    """
    if level > DEEPEST:
        raise AmoOptError(f"{place}: lists in lists, more than {DEEPEST} levels deep")
    if kind.endswith(("]", ")")):
        return _many(kind, written, place=place, level=level)
    if kind == "address":
        return address(written, place=place).lower()
    if kind == "bool":
        found = written if isinstance(written, bool) else _TRUTHS.get(written.strip().lower()) if isinstance(written, str) else None
        if found is None:
            raise AmoOptError(f"{place}: no truth value; found {_shown(written)}; allowed: true, false")
        return found
    if kind == "string":
        if not isinstance(written, str):
            raise AmoOptError(f"{place}: no text; found {_shown(written)}")
        return written
    if kind.startswith("bytes"):
        return calldata(written, place=place)
    return integer(written, place=place)


def plain_of(kind: str, value: Any) -> Any:
    """The value in lists, text, truth values and whole numbers: addresses and bytes as 0x and digits; `value_of` reads it back."""
    if kind.endswith("]"):
        return [plain_of(kind[: kind.rindex("[")], each) for each in value]
    if kind.endswith(")"):
        return [plain_of(one, each) for one, each in zip(types_of(kind[1:-1]), value, strict=True)]
    if kind == "address":
        return checksummed(value)
    return "0x" + value.hex() if kind.startswith("bytes") else value


def text_of(kind: str, value: Any) -> str:
    """The value as Safe's builder holds it: text, lists as JSON with their numbers as text, for JavaScript's end at 2^53."""
    plain = plain_of(kind, value)
    if isinstance(plain, list):
        return json.dumps(_quoted(plain), ensure_ascii=False)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def _quoted(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_quoted(each) for each in plain]
    return str(plain) if isinstance(plain, int) and not isinstance(plain, bool) else plain


def _many(kind: str, written: object, *, place: str, level: int) -> list[Any]:
    if isinstance(written, str):
        try:
            written = json.loads(written)
        except (ValueError, RecursionError) as error:
            raise AmoOptError(f"{place}: no list in JSON; found {_shown(written)}; allowed: such as [1, 2]") from error
    if not isinstance(written, list | tuple):
        raise AmoOptError(f"{place}: no list; found {_shown(written)}; allowed: values of the type {kind}")
    if kind.endswith("]"):
        inner, most = kind[: kind.rindex("[")], kind[kind.rindex("[") + 1 : -1]
        kinds = [inner] * len(written)
        wanted = int(most) if most else len(written)
    else:
        kinds = types_of(kind[1:-1])
        wanted = len(kinds)
    if len(written) != wanted:
        raise AmoOptError(f"{place}: {len(written)} values where the type {kind} has {wanted}")
    return [
        value_of(one, each, place=f"{place}[{spot}]", level=level + 1) for spot, (one, each) in enumerate(zip(kinds, written, strict=True))
    ]


def _shown(written: object) -> str:
    return f"{written!r:.60}"
