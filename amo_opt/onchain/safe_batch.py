"""Transactions -> the file Safe's Transaction Builder 1.18 imports, with its checksum; and back.

The checksum is Keccak-256 of the builder's own serialisation (safe-global/safe-react-apps, apps/tx-builder/src/lib/checksum.ts at
81f2251a): an object is ``{`` + the array of its sorted keys + each value followed by a comma + ``}``, a list its elements joined by
commas, everything else JSON as JavaScript writes it. ``meta.checksum`` is left out and ``meta.name`` counts as null. Keccak and the ABI
come with the extra `amo-opt[onchain]`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import function, types_of
from amo_opt.onchain.transaction import called, sent
from amo_opt.onchain.written import address, calldata, integer, text_of, value_of
from amo_opt.protocol.addresses import checksummed, has_keccak, keccak

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.onchain.abi import Function
    from amo_opt.onchain.transaction import Transaction

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


def document(
    transactions: Iterable[Transaction], *, chain_id: int, created_at: int, name: str, description: str, safe: str | None
) -> dict[str, Any]:
    """The batch with its checksum. Every number is text and ``data`` null where the function is known, so that signers see the call decoded; ``created_at`` in ms."""
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
        "transactions": [_written(each) for each in transactions],
    }
    batch["meta"]["checksum"] = checksum(batch)
    return batch


@dataclass(frozen=True)
class SafeBatch:
    """A batch that was read. ``intact`` says whether its checksum is its content's, None where it carries none; ``safe`` is the one it was made in, where it says."""

    chain_id: int
    safe: str | None
    transactions: tuple[Transaction, ...]
    intact: bool | None
    name: str = ""
    description: str = ""


def read(document: object) -> SafeBatch:
    """A Transaction Builder file, out of JSON. Raises `AmoOptError` for what is none, and for a call whose ``data`` is another than the one it shows decoded."""
    if not isinstance(document, dict) or not isinstance(document.get("transactions"), list):
        raise AmoOptError(
            "not a Safe batch: it must be an object that holds a list 'transactions'; export the file from the Transaction Builder"
        )
    found = document.get("meta")
    meta = found if isinstance(found, dict) else {}
    carried, made_in = meta.get("checksum"), meta.get("createdFromSafeAddress")
    safe = address(made_in, place="meta.createdFromSafeAddress") if made_in else None
    chain_id = integer(document.get("chainId"), place="chainId")
    if chain_id < 1:
        raise AmoOptError(f"chainId: no chain; found {chain_id}; allowed: a whole number from 1")
    if not document["transactions"]:
        raise AmoOptError("a Safe batch without a transaction: there is nothing to execute")
    return SafeBatch(
        chain_id=chain_id,
        safe=safe,
        transactions=tuple(_read(each, safe, f"transactions[{place}]") for place, each in enumerate(document["transactions"])),
        intact=None if not carried else carried == checksum(document),
        name=str(meta.get("name") or ""),
        description=str(meta.get("description") or ""),
    )


def transactions(document: object) -> tuple[Transaction, ...]:
    """The calls of a Transaction Builder file; `read` says what else it holds."""
    return read(document).transactions


def file_text(batch: dict[str, Any]) -> str:
    """The file: two spaces of indentation, text outside ASCII as it is, one newline at the end."""
    return json.dumps(batch, indent=2, ensure_ascii=False) + "\n"


def _written(transaction: Transaction) -> dict[str, Any]:
    function = transaction.function
    entry: dict[str, Any] = {"to": transaction.to, "value": str(transaction.value), "data": "0x" + transaction.data.hex()}
    if function is None:
        return {**entry, "contractMethod": None, "contractInputsValues": None}
    names = function.names or tuple(f"_{place}" for place in range(len(function.inputs)))
    kinds = dict(zip(names, function.inputs, strict=True))
    return {
        **entry,
        "data": None,
        "contractMethod": {
            "inputs": [_input(name, kind) for name, kind in kinds.items()],
            "name": function.name,
            "payable": transaction.value > 0,
        },
        "contractInputsValues": {name: text_of(kinds[name], each) for name, each in zip(names, transaction.arguments, strict=True)},
    }


def _input(name: str, kind: str) -> dict[str, Any]:
    """An input as the builder declares it; a tuple by its components, whose names are their places."""
    inside, closed, suffix = kind.rpartition(")")
    if not closed:
        return {"internalType": kind, "name": name, "type": kind}
    components = [_input(f"_{place}", each) for place, each in enumerate(types_of(inside[1:]))]
    return {"internalType": f"tuple{suffix}", "name": name, "type": f"tuple{suffix}", "components": components}


def _kind(declared: object, place: str, level: int = 0) -> str:
    kind = declared.get("type") if isinstance(declared, dict) else None
    if not isinstance(declared, dict) or not isinstance(kind, str):
        raise AmoOptError(f"{place}: no input; found {declared!r:.60}; allowed: an object with name and type")
    if not kind.startswith("tuple"):
        return kind
    parts = declared.get("components")
    if not isinstance(parts, list) or not parts or level > DEEPEST:
        raise AmoOptError(f"{place}: a tuple without components")
    return f"({','.join(_kind(each, place, level + 1) for each in parts)}){kind.removeprefix('tuple')}"


def _read(entry: object, safe: str | None, place: str) -> Transaction:
    if not isinstance(entry, dict):
        raise AmoOptError(f"{place}: no transaction; found {entry!r:.60}; allowed: an object")
    to = address(entry.get("to"), place=f"{place}.to")
    value = integer(entry.get("value") or 0, place=f"{place}.value")
    if not 0 <= value < 2**256:
        raise AmoOptError(f"{place}.value: out of range; found {value}; allowed: 0 to 2^256 - 1 wei")
    raw = None if entry.get("data") in (None, "") else calldata(entry["data"], place=f"{place}.data")
    method = entry.get("contractMethod")
    if method is None:
        return sent(to, raw or b"", value=value, sender=safe)
    made = _decoded(method, entry.get("contractInputsValues"), place)
    transaction = called(to, made[0], made[1], value=value, sender=safe)
    if raw is not None and raw != transaction.data:
        raise AmoOptError(f"{place}: its data is another call than {made[0].name}, which it shows to signers")
    return transaction


def _decoded(method: object, values: object, place: str) -> tuple[Function, list[Any]]:
    inputs, name = (method.get("inputs"), method.get("name")) if isinstance(method, dict) else (None, None)
    if not isinstance(inputs, list) or not isinstance(name, str) or not name.isidentifier():
        raise AmoOptError(f"{place}.contractMethod: no function; found {method!r:.60}; allowed: an object with name and inputs")
    kinds = [_kind(each, f"{place}.contractMethod.inputs") for each in inputs]
    names = [str(each.get("name", "")) for each in inputs]
    held = values if isinstance(values, dict) else {}
    missing = next((each for each in names if each not in held), None)
    if missing is not None or len(set(names)) < len(names):
        raise AmoOptError(
            f"{place}.contractInputsValues: no value of its own for {missing or names!s:.60}; every input needs one by its name"
        )
    read = [value_of(kind, held[each], place=f"{place}.{name}.{each}") for kind, each in zip(kinds, names, strict=True)]
    return function(f"{name}({','.join(kinds)})", names=names), read


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
