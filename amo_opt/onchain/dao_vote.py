"""A vote of Curve's DAO: the list of actions as it is posted, and the script that the vote executes; both written and read.

Forms of curvefi/curve-dao-contracts `scripts/voting/new_vote.py` @373e5ff1 and `decode_vote.py` @d48e4bdb: actions are a Python list ``ACTIONS`` of tuples (target, function, *arguments), sent by the agent of ``TARGET``; an Aragon script is
0x00000001 and, call after call, 20 bytes of whom the voting contract calls, 4 of length and the calldata: the agent, and its ``execute(address,uint256,bytes)`` of the action.
A list of actions is read as literals and never run.
"""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import function
from amo_opt.onchain.signatures import function_named
from amo_opt.onchain.transaction import called, sent
from amo_opt.onchain.written import address, plain_of, value_of
from amo_opt.protocol.addresses import checksummed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.onchain.transaction import Transaction

AGENTS = {
    "CURVE_DAO_OWNERSHIP": "0x40907540d8a6C65c637785e8f8B742ae6b0b9968",
    "CURVE_DAO_PARAM": "0x4EEb3bA4f221cA16ed4A0cC7254E2E32DF948c5f",
    "CURVE_DAO_PARAMS": "0x4EEb3bA4f221cA16ed4A0cC7254E2E32DF948c5f",
    "EMERGENCY_DAO": "0x00669DF67E4827FCc0E48A1838a8d5AB79281909",
}
"""What a list of actions may name as its ``TARGET``: the agents of Curve's votes on Ethereum (`new_vote.py`)."""
SCRIPT = bytes.fromhex("00000001")
"""What an Aragon script of calls begins with."""
EXECUTE = function("execute(address,uint256,bytes)", names=["_target", "_ethValue", "_data"])
_NAMES = ("ACTIONS", "actions")


def actions(transactions: Sequence[Transaction]) -> str:
    """The list as it is posted, with ``TARGET`` where all are sent by one of the known agents. Raises `AmoOptError` for what it cannot say: ether, and a call that is not known."""
    senders = {each.sender for each in transactions}
    target = next((name for name, agent in AGENTS.items() if senders == {agent}), None)
    lines = [] if target is None else [f"TARGET = {target}"]
    return "\n".join([*lines, "ACTIONS = [", *(f"    {_entry(each)}," for each in transactions), "]", ""])


def read_actions(text: str) -> tuple[Transaction, ...]:
    """The calls of such a list. Raises `AmoOptError` for what is none, holds anything but literals, or names a function whose types are not known."""
    try:
        body = ast.parse(text.strip()).body
        listed = _listed(body)
        entries = None if listed is None else ast.literal_eval(listed)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise AmoOptError(
            "no list of actions: it must hold literals alone (addresses and names in quotes, whole numbers written out), such as "
            'ACTIONS = [("0x…", "ramp_A", "0x…", 200, 1700000000)]'
        ) from error
    if not isinstance(entries, list | tuple) or not entries:
        raise AmoOptError('no list of actions: nothing is called ACTIONS; allowed: ACTIONS = [("0x…", "function", argument, …), …]')
    agent = AGENTS.get(_target(body))
    return tuple(_action(each, agent, f"ACTIONS[{place}]") for place, each in enumerate(entries))


def evmscript(transactions: Sequence[Transaction], agent: str) -> str:
    """The script, 0x and hexadecimal digits: ``agent`` executes each call with its ether."""
    parts = [SCRIPT]
    for each in transactions:
        data = EXECUTE.encode([each.to.lower(), each.value, each.data])
        parts += [bytes.fromhex(agent[2:]), len(data).to_bytes(4, "big"), data]
    return "0x" + b"".join(parts).hex()


def read_evmscript(script: bytes) -> tuple[Transaction, ...]:
    """The calls of a script; one that no agent executes has no sender: the voting contract itself makes it. Raises `AmoOptError` for one that is cut or is none."""
    if script[:4] != SCRIPT:
        raise AmoOptError(f"no script of a vote: it begins with 0x{script[:4].hex()}, one of calls with 0x{SCRIPT.hex()}")
    place = 4
    found: list[Transaction] = []
    while place < len(script):
        head = script[place : place + 24]
        length = int.from_bytes(head[20:], "big")
        data = script[place + 24 : place + 24 + length]
        if len(head) < 24 or len(data) < length:
            raise AmoOptError(f"call {len(found) + 1} of the script is cut: it ends after {len(script) - place} of {24 + length} bytes")
        to = checksummed("0x" + head[:20].hex())
        if data[:4] == EXECUTE.selector:
            target, value, inner = EXECUTE.decode_inputs(data)
            found.append(sent(target, inner, value=value, sender=to))
        else:
            found.append(sent(to, data))
        place += 24 + length
    if not found:
        raise AmoOptError("a script of a vote without a call: there is nothing to execute")
    return tuple(found)


def _entry(transaction: Transaction) -> str:
    called_by = transaction.function
    if called_by is None or transaction.value:
        what = "sends ether" if transaction.value else "is of a function that is not known"
        raise AmoOptError(f"a call to {transaction.to} {what}, which a list of actions cannot say; give the script of the vote")
    try:
        short = function_named(called_by.name, len(called_by.inputs), place="").signature == called_by.signature
    except AmoOptError:  # a name that does not tell its types: the signature stands in its place
        short = False
    plain = [plain_of(kind, each) for kind, each in zip(called_by.inputs, transaction.arguments, strict=True)]
    name = called_by.name if short else called_by.signature
    return f"({', '.join(_literal(each) for each in (transaction.to, name, *plain))})"


def _literal(plain: Any) -> str:
    """A value as Python and its readers write it, text in double quotes."""
    if isinstance(plain, list):
        return f"[{', '.join(_literal(each) for each in plain)}]"
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, str) else repr(plain)


def _listed(body: list[ast.stmt]) -> ast.expr | None:
    """What is called ACTIONS; a list that stands alone counts as that."""
    for each in body:
        if isinstance(each, ast.Assign) and set(_NAMES) & set(_names(each)):
            return each.value
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None


def _target(body: list[ast.stmt]) -> str:
    """The name that TARGET is given; empty where it is given none."""
    named = (each for each in body if isinstance(each, ast.Assign) and isinstance(each.value, ast.Name))
    return next((each.value.id for each in named if "TARGET" in _names(each)), "")  # type: ignore[attr-defined]


def _names(assigned: ast.Assign) -> list[str]:
    return [each.id for each in assigned.targets if isinstance(each, ast.Name)]


def _action(entry: Any, agent: str | None, place: str) -> Transaction:
    if not isinstance(entry, tuple | list) or len(entry) < 2 or not isinstance(entry[1], str):
        raise AmoOptError(f'{place}: no action; found {entry!r:.60}; allowed: ("0x…", "function", argument, …)')
    to, name, *written = entry
    found = function_named(name, len(written), place=place)
    if len(found.inputs) != len(written):
        raise AmoOptError(f"{place}: {found.signature:.80} takes {len(found.inputs)} arguments; found {len(written)}")
    values = [
        value_of(kind, each, place=f"{place}.{found.name}[{spot}]")
        for spot, (kind, each) in enumerate(zip(found.inputs, written, strict=True))
    ]
    return called(address(to, place=place), found, values, sender=agent)
