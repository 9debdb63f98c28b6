"""Calls -> the file Safe's Transaction Builder 1.18 imports, with its checksum; and each call's calldata.

The checksum is Keccak-256 of the builder's own serialisation (safe-global/safe-react-apps, apps/tx-builder/src/lib/checksum.ts at
81f2251a): an object is ``{`` + the array of its sorted keys + each value followed by a comma + ``}``, a list its elements joined by
commas, everything else JSON as JavaScript writes it. ``meta.checksum`` is left out and ``meta.name`` counts as null. Keccak and the ABI
come with the extra `amo-opt[onchain]`.
"""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.protocol.addresses import INSTALL, checksummed, has_keccak, keccak

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.onchain.calls import Call
    from amo_opt.onchain.signatures import Setter

BUILDER = "1.18.3"
DEEPEST = 100
"""Levels of objects and lists in a batch that is read; the builder's own has four."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def available() -> bool:
    """Whether the extra is installed; without it the report lists calls but writes no batch."""
    return has_keccak() and find_spec("eth_abi") is not None


def checksum(batch: dict[str, Any]) -> str:
    """The checksum the builder compares on import, as 0x and 64 hexadecimal digits; ``batch`` may or may not carry one.

    Raises `AmoOptError` for what is no batch: a file of others may hold anything.
    """
    found = batch.get("meta") if isinstance(batch, dict) else None
    if not isinstance(found, dict):
        raise AmoOptError("not a Safe batch: it must be an object that holds another, 'meta'; export the file from the Transaction Builder")
    meta = {key: value for key, value in found.items() if key != "checksum"} | {"name": None}
    return "0x" + keccak(serialised({**batch, "meta": meta}).encode("utf-8")).hex()


def serialised(value: object, *, level: int = 0) -> str:
    """A value in the builder's own form; ``level`` counts what it lies in. Raises `AmoOptError` for what JSON does not hold.

    >>> serialised({"b": [1, None], "a": {"name": "é"}})
    '{["a","b"]{["name"]"é",},[1,null],}'
    """
    if level > DEEPEST:
        raise AmoOptError(f"a batch is nested more than {DEEPEST} levels deep; export the file from the Transaction Builder")
    match value:
        case dict():
            strange = next((key for key in value if not isinstance(key, str)), None)
            if strange is not None:
                raise AmoOptError(f"a key of a batch is text; found {type(strange).__name__}")
            keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
            inner = "".join(f"{serialised(value[key], level=level + 1)}," for key in keys)
            return f"{{[{','.join(_scalar(key) for key in keys)}]{inner}}}"
        case list() | tuple():
            return f"[{','.join(serialised(each, level=level + 1) for each in value)}]"
        case _:
            return _scalar(value)


def selector(setter: Setter) -> str:
    """The first four bytes of the signature's hash, 0x and 8 hexadecimal digits."""
    return "0x" + keccak(setter.signature.encode("ascii"))[:4].hex()


def calldata(call: Call) -> str:
    """The bytes the contract receives: selector and arguments, 0x and hexadecimal digits."""
    try:
        from eth_abi.abi import encode
    except ImportError as error:
        raise AmoOptError(f"calldata needs the extra: {INSTALL}") from error
    return selector(call.setter) + encode([call.setter.of] * len(call.values), list(call.values)).hex()


def document(calls: Iterable[Call], *, chain_id: int, created_at: int, name: str, description: str, safe: str | None) -> dict[str, Any]:
    """The batch with its checksum. Every number is text and ``data`` null, so that signers see the call decoded; ``created_at`` in ms."""
    batch: dict[str, Any] = {
        "version": "1.0",
        "chainId": str(chain_id),
        "createdAt": created_at,
        "meta": {
            "name": name,
            "description": description,
            "txBuilderVersion": BUILDER,
            "createdFromSafeAddress": "" if safe is None else checksummed(safe),
            "createdFromOwnerAddress": "",
        },
        "transactions": [_transaction(call) for call in calls],
    }
    batch["meta"]["checksum"] = checksum(batch)
    return batch


def file_text(batch: dict[str, Any]) -> str:
    """The file: two spaces of indentation, text outside ASCII as it is, one newline at the end."""
    return json.dumps(batch, indent=2, ensure_ascii=False) + "\n"


def _transaction(call: Call) -> dict[str, Any]:
    if call.to is None:
        raise AmoOptError(f"{call.setter.place} has no address: the state's [contracts.{call.setter.contract}] is missing")
    return {
        "to": checksummed(call.to),
        "value": "0",
        "data": None,
        "contractMethod": {
            "inputs": [{"internalType": call.setter.of, "name": name, "type": call.setter.of} for name in call.setter.arguments],
            "name": call.setter.function,
            "payable": False,
        },
        "contractInputsValues": {name: str(value) for name, value in zip(call.setter.arguments, call.values, strict=True)},
    }


def _scalar(value: object) -> str:
    """A string, number, truth value or null as ``JSON.stringify`` writes it."""
    match value:
        case None | bool():
            return json.dumps(value)
        case str():
            # JavaScript escapes lone halves of surrogate pairs and leaves everything else outside ASCII as it is
            return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(value, ensure_ascii=False))
        case int() | float():
            try:
                return _number(float(value))
            except OverflowError as error:
                raise AmoOptError("a number of a batch is beyond a double, which is all the builder counts with") from error
    raise AmoOptError(f"a batch holds no {type(value).__name__}")


def _number(value: float) -> str:
    """A double as JavaScript writes it: the shortest digits that read back, an exponent from 1e21 and below 1e-6; null if not finite."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  (NaN alone differs from itself)
        return "null"
    if value == 0.0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(power or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"
