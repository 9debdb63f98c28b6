"""A node's answers kept, and given again without the node. A recording holds what was asked and answered, and no address of a node.

JSON, packed by gzip or not: ``provenance``, ``chain_id``, ``block`` (number, hash, timestamp) and ``calls`` (``to``, ``data``, ``result`` or the revert's
``error``). More blocks stand in ``blocks``, each with what it was asked for by, and an entry of another block than the first names its ``block`` by hash;
``code``, ``storage``, ``balance`` and ``requests`` hold what other methods answered; ``sha256`` is of the rest, where it stands.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from amo_opt.errors import LONGEST, AmoOptError
from amo_opt.files import read_file
from amo_opt.onchain.rpc import Answer, Block, Node
from amo_opt.onchain.wire import data, quantity
from amo_opt.one_line import one_line
from amo_opt.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

LARGEST: Final = 256 * 2**20
"""Bytes of a recording, before and after it is unpacked."""
_KINDS: Final = {"calls": ("to", "data"), "code": ("address",), "storage": ("address", "slot"), "balance": ("address",)}


class NotRecordedError(AmoOptError):
    """A recording was asked what it does not hold."""


class Recorder:
    """A node whose answers are kept; `text` is the recording."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._chain: int | None = None
        self._blocks: dict[Block, list[int | str]] = {}
        self._found: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {kind: {} for kind in (*_KINDS, "requests")}

    def chain_id(self) -> int:
        """As `Node` says."""
        self._chain = self._node.chain_id()
        return self._chain

    def block(self, which: int | str = "latest") -> Block:
        """As `Node` says."""
        found = self._node.block(which)
        asked = self._blocks.setdefault(found, [])
        if which not in asked:
            asked.append(which)
        return found

    def calls(self, block: Block, asked: Sequence[tuple[str, bytes]]) -> list[Answer]:
        """As `Node` says."""
        found = self._node.calls(block, asked)
        for (to, sent), answer in zip(asked, found, strict=True):
            got = {"error": answer.error} if answer.data is None else {"result": _hex(answer.data)}
            self._keep("calls", block, (to, _hex(sent)), got)
        return found

    def code(self, block: Block, address: str) -> bytes:
        """As `Node` says."""
        found = self._node.code(block, address)
        self._keep("code", block, (address,), {"result": _hex(found)})
        return found

    def storage(self, block: Block, address: str, slot: int) -> bytes:
        """As `Node` says."""
        found = self._node.storage(block, address, slot)
        self._keep("storage", block, (address, hex(slot)), {"result": _hex(found)})
        return found

    def balance(self, block: Block, address: str) -> int:
        """As `Node` says."""
        found = self._node.balance(block, address)
        self._keep("balance", block, (address,), {"result": hex(found)})
        return found

    def request(self, method: str, params: list[Any]) -> Any:
        """As `Node` says."""
        found = self._node.request(method, params)
        self._found["requests"][method, json.dumps(params, sort_keys=True)] = {"method": method, "params": params, "result": found}
        return found

    def text(self, provenance: str = "") -> str:
        """The recording as JSON; ``provenance`` says what the node was, in words that hold no address of it. The chain's number is asked for where
        nobody did.
        """
        chain = self.chain_id() if self._chain is None else self._chain
        first, *more = self._blocks or [None]
        said: dict[str, Any] = {
            "provenance": f"Answers of a node, kept by amo-opt {__version__}. {provenance}".strip(),
            "chain_id": hex(chain),
        }
        if first is not None:
            said["block"] = _block_said(first, self._blocks[first])
        if more:
            said["blocks"] = [_block_said(each, self._blocks[each]) for each in more if each is not None]
        for kind, entries in self._found.items():
            listed = [
                {name: value for name, value in entry.items() if first is None or (name, value) != ("block", first.hash)}
                for entry in entries.values()
            ]
            if listed or kind == "calls":
                said[kind] = listed
        return json.dumps({**said, "sha256": _digest(said)}, indent=1) + "\n"

    def _keep(self, kind: str, block: Block, asked: tuple[str, ...], found: dict[str, Any]) -> None:
        self._blocks.setdefault(block, [])
        key = (block.hash, *map(str.lower, asked))
        self._found[kind][key] = {**dict(zip(_KINDS[kind], asked, strict=True)), **found, "block": block.hash}


class Replay:
    """A recording as a node. Raises `AmoOptError` for a file that is none or was changed, `NotRecordedError` for what it was not asked then."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self._name = one_line(str(path), most=LONGEST)
        said = self._read(path)
        self.provenance = str(said.get("provenance", ""))
        self._found: dict[tuple[Any, ...], Any] = {}
        try:
            self._chain = quantity(said["chain_id"], "chain_id")
            headers = [*([said["block"]] if "block" in said else []), *said.get("blocks", [])]
            self._blocks = [
                (
                    Block(
                        quantity(each["number"], "number"),
                        _hex(data(each["hash"], "hash", length=32)),
                        quantity(each["timestamp"], "timestamp"),
                    ),
                    each,
                )
                for each in headers
            ]
            for kind, names in _KINDS.items():
                for entry in said.get(kind, []):
                    at = entry["block"].lower() if "block" in entry else self._blocks[0][0].hash
                    self._found[(kind, at, *(entry[name].lower() for name in names))] = _READ[kind](entry)
            for entry in said.get("requests", []):
                self._found["requests", entry["method"], json.dumps(entry["params"], sort_keys=True)] = entry["result"]
        except AmoOptError as error:
            raise AmoOptError(f"{self._name}: is no recording: {error}") from None
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise AmoOptError(f"{self._name}: is no recording: {type(error).__name__} at {one_line(str(error), most=80)}") from error

    def chain_id(self) -> int:
        """As `Node` says."""
        return self._chain

    def block(self, which: int | str = "latest") -> Block:
        """As `Node` says; of a recording of one block every tag is that block."""
        for block, header in self._blocks:
            tags = which in header.get("asked", []) or (len(self._blocks) == 1 and isinstance(which, str) and not which.startswith("0x"))
            if tags or which == block.number or (isinstance(which, str) and which.lower() == block.hash):
                return block
        raise self._missing(f"block {one_line(str(which), most=80)}")

    def calls(self, block: Block, asked: Sequence[tuple[str, bytes]]) -> list[Answer]:
        """As `Node` says."""
        return [self._of("calls", block, to, _hex(sent)) for to, sent in asked]

    def code(self, block: Block, address: str) -> bytes:
        """As `Node` says."""
        found: bytes = self._of("code", block, address)
        return found

    def storage(self, block: Block, address: str, slot: int) -> bytes:
        """As `Node` says."""
        found: bytes = self._of("storage", block, address, hex(slot))
        return found

    def balance(self, block: Block, address: str) -> int:
        """As `Node` says."""
        found: int = self._of("balance", block, address)
        return found

    def request(self, method: str, params: list[Any]) -> Any:
        """As `Node` says."""
        key = ("requests", method, json.dumps(params, sort_keys=True))
        if key not in self._found:
            raise self._missing(f"{method} with these arguments")
        return self._found[key]

    def _of(self, kind: str, block: Block, *asked: str) -> Any:
        key = (kind, block.hash.lower(), *map(str.lower, asked))
        if key not in self._found:
            raise self._missing(f"{kind.removesuffix('s')} {' '.join(one_line(each, most=80) for each in asked)} at block {block.number}")
        return self._found[key]

    def _missing(self, what: str) -> NotRecordedError:
        return NotRecordedError(f"{self._name}: the recording does not hold {what}; record again with a node")

    def _read(self, path: str | PathLike[str]) -> dict[str, Any]:
        try:
            raw = read_file(path, most=LARGEST)
            said = json.loads(_unpacked(raw).decode("utf-8"))
        except OSError as error:
            raise AmoOptError(f"{self._name}: {error.strerror or error}") from error
        except (ValueError, RecursionError, zlib.error) as error:
            raise AmoOptError(f"{self._name}: is no recording, or a damaged one: {one_line(str(error), most=100)}") from error
        if not isinstance(said, dict):
            raise AmoOptError(f"{self._name}: is no recording: no object of JSON")
        digest = said.pop("sha256", None)
        if digest is not None and digest != _digest(said):
            raise AmoOptError(f"{self._name}: the recording was changed after it was made: its sha256 is another's")
        return said


def _answer(entry: dict[str, Any]) -> Answer:
    if "error" in entry:
        return Answer(None, one_line(str(entry["error"]), most=200))
    return Answer(data(entry["result"], "a call"), None)


_READ: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "calls": _answer,
    "code": lambda entry: data(entry["result"], "code"),
    "storage": lambda entry: data(entry["result"], "storage", length=32),
    "balance": lambda entry: quantity(entry["result"], "balance"),
}


def _unpacked(raw: bytes) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    reader = zlib.decompressobj(31)
    found = reader.decompress(raw, LARGEST + 1)
    if not reader.eof:
        raise ValueError("cut short, or too large once unpacked")
    return found


def _hex(found: bytes) -> str:
    return "0x" + found.hex()


def _block_said(block: Block, asked: list[int | str]) -> dict[str, Any]:
    said = {"number": hex(block.number), "hash": block.hash, "timestamp": hex(block.timestamp)}
    tags = [each for each in asked if isinstance(each, str) and not each.startswith("0x")]
    return {**said, "asked": tags} if tags else said


def _digest(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode("utf-8")).hexdigest()
