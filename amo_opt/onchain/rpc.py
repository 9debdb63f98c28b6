"""A node over JSON-RPC: what it answers at one block, or one sentence why not.

Only the standard library; no address, user, password or key of a node ever stands in a message, a log or a recording (`amo_opt.onchain.connection`).
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from amo_opt.errors import AmoOptError
from amo_opt.onchain.connection import VARIABLE, BusyError, Connection, RefusedError
from amo_opt.onchain.wire import HEX, data, parsed, quantity, revert_reason
from amo_opt.one_line import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH: Final = 100
"""Questions that are asked at once until the node refuses so many."""
ZERO: Final = "0x" + "0" * 40

_BUSY_STATUS = frozenset({408, 425, 429, 502, 503, 504})
_NO_NODE = {401: "it wants a key", 403: "it wants another key", 404: "no node is at that address"}
_REVERTED = 3
_BUSY_CODES = frozenset({429, -32005})
_BUSY = re.compile(r"rate.?limit|too many requests|compute units|response too large|try again", re.IGNORECASE)
_UNKNOWN = re.compile(r"header (for hash )?not found|unknown block|block (was )?not found|could not find block", re.IGNORECASE)
_PRUNED = re.compile(
    r"missing trie|prun|histor\w+ (state|data|rpc)|(state|data)\b.* (not|un)\s?available|no state|proof window|archive", re.IGNORECASE
)
_REORGANISED = re.compile(r"canonical", re.IGNORECASE)
_REVERT = re.compile(r"^.*\brevert(ed)?\b( with reason string)?:?\s*|^vm execution error\.?$", re.IGNORECASE)
_FAILED_CALL = re.compile(
    r"revert|invalid (opcode|jump)|bad (instruction|jump)|vm execution|out of gas|stack (und|ov)erflow", re.IGNORECASE
)


class NodeError(AmoOptError):
    """The node answered with an error; ``code`` is JSON-RPC's (-32601: it does not know the method), ``data`` what came with it."""

    def __init__(self, said: str, code: int | None, data: Any = None) -> None:
        super().__init__(said)
        self.code, self.data = code, data


@dataclass(frozen=True)
class Block:
    """A block by ``number`` and ``hash`` ("0x…"); ``timestamp`` is its Unix second."""

    number: int
    hash: str
    timestamp: int


@dataclass(frozen=True)
class Answer:
    """What a call returned, or in ``error`` why the contract refused it ("" = it gave no reason)."""

    data: bytes | None
    error: str | None


class Node(Protocol):
    """What reads a chain: a node, one whose answers are kept, or a recording. Everything raises `AmoOptError` with one sentence."""

    def chain_id(self) -> int:
        """The chain's number (EIP-155)."""

    def block(self, which: int | str = "latest") -> Block:
        """A block by number, hash or tag."""

    def calls(self, block: Block, asked: Sequence[tuple[str, bytes]]) -> list[Answer]:
        """What the contract at each address answers to each calldata, all in the state after ``block``."""

    def code(self, block: Block, address: str) -> bytes:
        """The code at an address; none for an account without."""

    def storage(self, block: Block, address: str, slot: int) -> bytes:
        """The 32 bytes of a slot."""

    def balance(self, block: Block, address: str) -> int:
        """Wei."""

    def request(self, method: str, params: list[Any]) -> Any:
        """The result of any method, as JSON has it. Raises `NodeError` where the node answers with an error."""


def expect_chain(node: Node, wanted: int) -> None:
    """Raises `AmoOptError` where the node is another chain's."""
    found = node.chain_id()
    if found != wanted:
        raise AmoOptError(
            f"the node is of chain {found}, and the addresses are of chain {wanted} ([contracts] chain_id); name a node of that chain"
        )


def node_of(url: str | None) -> Rpc:
    """The node that an option names, else the one that AMO_OPT_RPC does. Raises `AmoOptError` where neither does."""
    found = url or os.environ.get(VARIABLE)
    if not found:
        raise AmoOptError(f"no node is named: give its address by --rpc or in the environment variable {VARIABLE}")
    return Rpc(found)


@dataclass(frozen=True)
class _Failure:
    """A question that the node answered with an error."""

    code: int | None
    said: str
    data: Any = None

    @property
    def returned(self) -> bytes | None:
        """What a reverting contract gave back, in the forms that nodes tell it."""
        sent = self.data.get("data", self.data.get("result")) if isinstance(self.data, dict) else self.data
        found = HEX.fullmatch(sent.removeprefix("Reverted ")) if isinstance(sent, str) else None
        return None if found is None else bytes.fromhex(found[1])

    @property
    def is_revert(self) -> bool:
        """Whether the contract failed and not the node."""
        return self.code == _REVERTED or self.returned is not None or bool(_FAILED_CALL.search(self.said))

    @property
    def is_busy(self) -> bool:
        """Whether it may pass."""
        return not self.is_revert and (self.code in _BUSY_CODES or bool(_BUSY.search(self.said)))


class Rpc:
    """A node behind an http(s) address.

    ``deadline`` is how many seconds a question may take with all its repeats, ``tries`` how often it is asked before the node is given up; a try may take
    an equal part of the deadline. State is asked for by the block's hash (EIP-1898); of a node that does not take one by number, and then the number's
    hash is compared after every batch.
    """

    def __init__(
        self,
        url: str,
        *,
        deadline: float = 120.0,
        tries: int = 4,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = Connection(url)
        self._deadline, self._tries, self._sleep, self._clock = deadline, tries, sleep, clock
        self._most, self._next, self._by_hash, self._probed = BATCH, 0, True, ""

    def chain_id(self) -> int:
        """As `Node` says."""
        return quantity(self.request("eth_chainId", []), "eth_chainId")

    def block(self, which: int | str = "latest") -> Block:
        """As `Node` says; a tag of a node that is still syncing is refused, for its latest block is not the chain's."""
        by_hash = isinstance(which, str) and which.startswith("0x")
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        if isinstance(which, int) and which < 0:
            raise AmoOptError(f"a block's number is 0 or more; found {which}")
        asked: list[tuple[str, list[Any]]] = [(method, [hex(which) if isinstance(which, int) else which, False])]
        header, *syncing = self._ask([*asked, ("eth_syncing", [])] if isinstance(which, str) and not by_hash else asked)
        for each in syncing:
            if isinstance(each, dict):
                at, of = (quantity(each.get(name), "eth_syncing") for name in ("currentBlock", "highestBlock"))
                raise AmoOptError(
                    f"the node is still syncing, at block {at} of {of}: its {which} block is not the chain's; name a block or wait"
                )
        unknown = isinstance(header, _Failure) and _UNKNOWN.search(header.said)
        if unknown or _told(method, header) is None:
            raise AmoOptError(f"the node has no block {one_line(str(which), most=80)}: it is not mined yet, or the node is not there yet")
        if not isinstance(header, dict):
            raise AmoOptError(f"the node's answer to {method} is not a block's header")
        block = Block(
            quantity(header.get("number"), f"{method} (number)"),
            "0x" + data(header.get("hash"), f"{method} (hash)", length=32).hex(),
            quantity(header.get("timestamp"), f"{method} (timestamp)"),
        )
        if str(which).lower() != (block.hash if by_hash else str(block.number) if isinstance(which, int) else str(which).lower()):
            raise AmoOptError(f"the node was asked for block {which} and answered with block {block.number}")
        return block

    def calls(self, block: Block, asked: Sequence[tuple[str, bytes]]) -> list[Answer]:
        """As `Node` says."""
        found = self._state(block, [("eth_call", [{"to": to, "data": "0x" + sent.hex()}]) for to, sent in asked])
        return [_reverted(each) if isinstance(each, _Failure) else Answer(data(each, "eth_call"), None) for each in found]

    def code(self, block: Block, address: str) -> bytes:
        """As `Node` says."""
        return data(self._one(block, "eth_getCode", [address]), "eth_getCode")

    def storage(self, block: Block, address: str, slot: int) -> bytes:
        """As `Node` says."""
        return data(self._one(block, "eth_getStorageAt", [address, hex(slot)]), "eth_getStorageAt", length=32)

    def balance(self, block: Block, address: str) -> int:
        """As `Node` says."""
        return quantity(self._one(block, "eth_getBalance", [address]), "eth_getBalance")

    def request(self, method: str, params: list[Any]) -> Any:
        """As `Node` says."""
        (found,) = self._ask([(method, params)])
        return _told(method, found)

    def _one(self, block: Block, method: str, params: list[Any]) -> Any:
        (found,) = self._state(block, [(method, params)])
        return _told(method, found)

    def _state(self, block: Block, questions: list[tuple[str, list[Any]]]) -> list[Any]:
        """Answers in the state after ``block``; the first question of a block shows whether the node still has that state, which its header may outlive."""
        until = self._clock() + self._deadline
        probe = [] if self._probed == block.hash else [("eth_getBalance", [ZERO])]
        lagged = 0
        while True:
            by_hash = self._by_hash
            at: Any = {"blockHash": block.hash, "requireCanonical": True} if by_hash else hex(block.number)
            asked = [(method, [*params, at]) for method, params in [*probe, *questions]]
            found = self._ask([*asked, *([] if by_hash else [("eth_getBlockByNumber", [at, False])])], until)
            if not by_hash:
                header = _told("eth_getBlockByNumber", found.pop())
                if not isinstance(header, dict) or str(header.get("hash")).lower() != block.hash.lower():
                    self._reorganised(block)
            if self._lags(block, found):  # one of several nodes behind an address may be a block behind
                lagged += 1
                if lagged >= self._tries:
                    raise AmoOptError(f"the node does not know block {block.number} ({block.hash}), which it gave before")
                self._wait(lagged, 0.0, until, f"the node does not know block {block.number}")
            elif by_hash and probe and isinstance(found[0], _Failure):
                self._by_hash = False
            else:
                if probe:
                    quantity(_told("eth_getBalance", found.pop(0)), "eth_getBalance")
                self._probed = block.hash
                return found

    def _lags(self, block: Block, found: list[Any]) -> bool:
        """Whether the node does not know the block. Raises `AmoOptError` where it was replaced or its state is gone."""
        said = [each.said for each in found if isinstance(each, _Failure) and not each.is_revert]
        if any(map(_REORGANISED.search, said)):
            self._reorganised(block)
        if any(map(_PRUNED.search, said)):
            raise AmoOptError(f"the node no longer has the state at block {block.number}; name an archive node or a later block")
        return any(map(_UNKNOWN.search, said))

    @staticmethod
    def _reorganised(block: Block) -> NoReturn:
        raise AmoOptError(f"block {block.number} ({block.hash}) is no longer the chain's: it was replaced while it was read; read again")

    def _ask(self, questions: list[tuple[str, list[Any]]], until: float | None = None) -> list[Any]:
        """Results or `_Failure`s in the order of the questions, in batches as large as the node takes, by the clock's ``until``."""
        until = self._clock() + self._deadline if until is None else until
        found: dict[int, Any] = {}
        waiting, failed = list(range(len(questions))), 0
        while waiting:
            part = waiting[: self._most]
            try:
                answers = self._once([questions[each] for each in part], until)
            except RefusedError as refused:
                if len(part) == 1:
                    raise AmoOptError(str(refused)) from None
                self._most = len(part) // 2
                continue
            except BusyError as busy:
                failed += 1
                if failed >= self._tries:
                    raise AmoOptError(f"{busy}; {failed} {'tries' if failed > 1 else 'try'}") from None
                self._wait(failed, busy.after, until, str(busy))
                continue
            again = [each for each, answer in zip(part, answers, strict=True) if isinstance(answer, _Failure) and answer.is_busy]
            found.update(zip(part, answers, strict=True))
            waiting = again + waiting[len(part) :]
            if len(again) < len(part):
                failed = 0
            if again:
                failed += 1
                if failed >= self._tries:
                    return [found[each] if each in found else found[again[0]] for each in range(len(questions))]
                self._wait(failed, 0.0, until, found[again[0]].said)
        return [found[each] for each in range(len(questions))]

    def _wait(self, failed: int, after: float, until: float, said: str) -> None:
        """A pause that doubles, or as long as the node asks for; none that ends beyond the deadline."""
        pause = max(after, 0.5 * 2 ** (failed - 1))
        if self._clock() + pause >= until:
            raise AmoOptError(f"{said}; to try again in {pause:.0f} s would be past the deadline of {self._deadline:g} s")
        self._sleep(pause)

    def _once(self, questions: list[tuple[str, list[Any]]], until: float) -> list[Any]:
        """One request: a question by itself, several as a batch; an answer to each by its number."""
        first, self._next = self._next, self._next + len(questions)
        sent = [
            {"jsonrpc": "2.0", "id": first + each, "method": method, "params": params} for each, (method, params) in enumerate(questions)
        ]
        left = min(until - self._clock(), self._deadline / self._tries)
        if left <= 0:
            raise AmoOptError(f"the node did not answer within {self._deadline:g} s")
        reply = self._connection.post(json.dumps(sent if len(sent) > 1 else sent[0]).encode("ascii"), left)
        answer, status = parsed(reply.body, reply.status), reply.status
        if status in _BUSY_STATUS or (status >= 500 and not _has_error(answer)):
            raise BusyError(f"the node is too busy or out of order (HTTP status {status})", reply.after)
        if 300 <= status < 400:
            raise AmoOptError(f"the node's address redirects (HTTP status {status}), which is not followed; name the address it leads to")
        if status in _NO_NODE:
            raise AmoOptError(f"the node refused (HTTP status {status}): {_NO_NODE[status]}")
        if status != 200 and not _has_error(answer):
            raise RefusedError(f"the node refused the question (HTTP status {status})")
        cut = isinstance(answer, list) and len(answer) < len(sent) and all(map(_has_error, answer))
        if len(sent) > 1 and (isinstance(answer, dict) or status != 200 or cut):
            raise RefusedError("the node does not take several questions at once")
        return self._matched(answer if len(sent) > 1 else [answer], first, len(sent))

    def _matched(self, answers: Any, first: int, count: int) -> list[Any]:
        if not isinstance(answers, list):
            raise AmoOptError("the node's answer to several questions is no list")
        found: dict[int, Any] = {}
        for each in answers:
            if not isinstance(each, dict) or each.get("jsonrpc") != "2.0":
                raise AmoOptError("the node's answer is no object of JSON-RPC 2.0")
            number, error = each.get("id"), each.get("error")
            if error is not None and number is None and count == 1:
                number = first  # an error may come before the number was read
            if type(number) is not int or not first <= number < first + count:
                raise AmoOptError("the node answered a question that was not asked: the answer's id is none of ours")
            if number in found:
                raise AmoOptError("the node answered one question twice")
            if error is None and "result" not in each:
                raise AmoOptError("the node's answer holds neither a result nor an error")
            found[number] = each["result"] if error is None else self._failure(error)
        if len(found) < count:
            raise AmoOptError(f"the node left {count - len(found)} of {count} questions without an answer")
        return [found[first + each] for each in range(count)]

    def _failure(self, error: Any) -> _Failure:
        if not isinstance(error, dict):
            return _Failure(None, one_line(self._connection.scrubbed(str(error)), most=200))
        code, said = error.get("code"), error.get("message")
        return _Failure(
            code if type(code) is int else None,
            one_line(self._connection.scrubbed(said), most=200) if isinstance(said, str) else "",
            error.get("data"),
        )


def _has_error(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("error") is not None


def _told(method: str, found: Any) -> Any:
    """What was found. Raises `NodeError` where that is an error."""
    if not isinstance(found, _Failure):
        return found
    code = "" if found.code is None else f" {found.code}"
    raise NodeError(f"the node answered {method} with error{code}: {found.said or 'no message'}", found.code, found.data)


def _reverted(failure: _Failure) -> Answer:
    """The contract's reason; where the node failed and not the contract, `NodeError`."""
    if not failure.is_revert:
        _told("eth_call", failure)
    if failure.returned:
        return Answer(None, revert_reason(failure.returned))
    return Answer(None, _REVERT.sub("", failure.said).strip("' "))
