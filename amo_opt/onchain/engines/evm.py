"""A machine here (pyrevm, the extra `amo-opt[evm]`) that forks the node at the block: it asks the node for what the calls touch, and tells storage too.

pyrevm has a client of its own, which knows no deadline: the node is probed by ours before, and what pyrevm says of it is never repeated, for it holds the
address. A fork leaves block number 0 and time 1: both are set. A caller with code is refused: its code is taken off. Taking a state back is by checkpoint.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from amo_opt.errors import AmoOptError
from amo_opt.onchain.engines.engine import GAS, NOBODY, MissingEngineError, Outcome, Ran
from amo_opt.onchain.rpc import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amo_opt.onchain.engines.engine import Moment, Slot
    from amo_opt.onchain.rpc import Block, Node
    from amo_opt.onchain.transaction import Transaction

INSTALL: Final = "pip install 'amo-opt[evm]'"
_REVERTED = re.compile(r"^Revert \{ gas_used: (\d+), output: 0x([0-9a-f]*) \}$")
_HALTED = re.compile(r"^Halt \{ reason: (\w+)(?:\((\w+)\))?, gas_used: (\d+) \}$")
_TOUCHED = re.compile(r"StorageChange \{ address: (0x[0-9a-f]{40}), key: (\d+), ")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def installed() -> bool:
    """Whether the extra is there."""
    return find_spec("pyrevm") is not None


class Evm:
    """`Engine` by a fork. ``url`` is what pyrevm asks; it is in no message. Raises `MissingEngineError` without the extra, `AmoOptError` where the node
    does not answer.
    """

    def __init__(self, node: Node, url: str, block: Block, *, chain_id: int) -> None:
        if not installed():
            raise MissingEngineError(f"pyrevm is not installed: {INSTALL}")
        self.name = f"pyrevm {version('pyrevm')}"
        self._block = block
        at = block.hash
        try:  # the fork itself asks for nothing before the first read, and then without a deadline
            node.request("eth_getBalance", [NOBODY, {"blockHash": at}])
        except NodeError:
            at = hex(block.number)
            node.request("eth_getBalance", [NOBODY, at])
        self._fork = (chain_id, url, at)

    def run(self, moments: Sequence[Moment], *, as_accounts: frozenset[str]) -> Outcome:
        """As `Engine` says."""
        from pyrevm import AccountInfo, BlockEnv

        machine = _machine(*self._fork)
        with _silent():
            for account in as_accounts:
                held = machine.basic(account).balance
                machine.insert_account_info(account, AccountInfo())
                machine.set_balance(account, held)
        ran: list[tuple[Ran, ...]] = []
        before: dict[Slot, int] = {}
        now: dict[Slot, int] = {}
        after: list[dict[Slot, int]] = []
        for place, moment in enumerate(moments):
            machine.set_block_env(BlockEnv(number=self._block.number + 1 + place, timestamp=moment.at))
            ran.append(tuple(_executed(machine, each, before, now) for each in moment.messages))
            after.append(dict(now))
        return Outcome(tuple(ran), (before, *({**before, **each} for each in after)) if _tells_storage() else None)


def _executed(machine: Any, message: Transaction, before: dict[Slot, int], now: dict[Slot, int]) -> Ran:
    """A message as a transaction of its own: what it changed is carried over, and what it made warm is cold for the next, as it is on chain. A slot that a
    message before has changed stays warm, so that to change it again, as a revert does, costs less here than it will.

    ``before`` and ``now`` are what the slots that were touched held at first and hold now.
    """
    with _silent():
        begin = machine.snapshot()
        ran = _called(machine, message)
        if not ran.ok or message.sender is None:
            machine.revert(begin)
            return ran
        # pyrevm tells which slots were touched in its journal alone, as text
        slots = sorted({(each[1], int(each[2])) for each in _TOUCHED.finditer(machine.journal_str)})
        values, accounts = {slot: int(machine.storage(*slot)) for slot in slots}, machine.journal_state
        machine.revert(begin)
        looking = machine.snapshot()  # what is looked at is warm too, until that is taken back
        was = {slot: int(machine.storage(*slot)) for slot in slots}
        held = {account: machine.basic(account) for account in accounts}
        machine.revert(looking)
        for slot, value in values.items():
            before.setdefault(slot, was[slot])
            now[slot] = value
            if value != was[slot]:
                machine.insert_account_storage(*slot, value)
        for account, info in accounts.items():
            one = held[account]
            if (one.balance, one.nonce, one.code_hash) != (info.balance, info.nonce, info.code_hash):
                machine.insert_account_info(account, info)
        return ran


def _called(machine: Any, message: Transaction) -> Ran:
    try:
        returned = machine.message_call(message.sender or NOBODY, message.to, calldata=message.data, value=message.value, gas=GAS)
    except RuntimeError as error:
        if reverted := _REVERTED.match(str(error)):
            return Ran(ok=False, data=bytes.fromhex(reverted[2]), gas=int(reverted[1]))
        if halted := _HALTED.match(str(error)):
            return Ran(ok=False, data=b"", gas=int(halted[3]), halt=_WORDS.sub(" ", halted[1]).lower())
        raise
    return Ran(ok=True, data=bytes(returned), gas=int(machine.result.gas_used))


@cache
def _tells_storage() -> bool:
    """Whether this pyrevm writes its journal as it is read here: by a contract that writes 2 to its slot 1."""
    from pyrevm import EVM, AccountInfo

    writer = "0x" + "11" * 20
    machine = EVM()
    machine.insert_account_info(writer, AccountInfo(code=bytes.fromhex("600260015500")))
    machine.message_call(NOBODY, writer)
    return (writer, "1") in _TOUCHED.findall(machine.journal_str)


def _machine(chain_id: int, url: str, at: str) -> Any:
    from pyrevm import EVM, CfgEnv, Env

    with _silent():
        return EVM(env=Env(cfg=CfgEnv(chain_id=chain_id)), fork_url=url, fork_block=at)


@contextmanager
def _silent() -> Iterator[None]:
    """What pyrevm raises is not repeated: it holds the node's address. A panic of Rust's is no `Exception`."""
    try:
        yield
    except AmoOptError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        if kind := re.match(r"Transaction\((\w+)", str(error)):
            raise AmoOptError(f"pyrevm does not begin such a transaction: {_WORDS.sub(' ', kind[1]).lower()}") from None
        raise AmoOptError("the node stopped answering pyrevm, or answered what it does not understand; try --engine simulate") from None
