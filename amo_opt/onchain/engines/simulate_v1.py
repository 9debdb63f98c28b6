"""The node's own `eth_simulateV1`: nothing is executed here, the node runs all messages on the state of the block and keeps none of it.

The method's form is that of ethereum/execution-apis (`src/eth/execute.yaml`, `src/schemas/execute.yaml`): ``blockStateCalls`` with overrides of a block's
number and time and of accounts; an answer is a block a moment, in ``calls`` the status, gas, returned data and error of each message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.onchain.engines.engine import GAS, NOBODY, MissingEngineError, Outcome, Ran
from amo_opt.onchain.rpc import NodeError
from amo_opt.onchain.wire import data, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.onchain.engines.engine import Moment
    from amo_opt.onchain.rpc import Block, Node

METHOD = "eth_simulateV1"
_REVERTED = re.compile(r"revert|^execution failed$", re.IGNORECASE)
"""What geth and its like say of a revert, and what anvil says of one."""
_HALTED = re.compile(r"^(?:vm execution error|evm error):? *", re.IGNORECASE)
_UNKNOWN = re.compile(r"method.*(not|n't)|unsupported|not (found|supported|available|implemented)|unknown method", re.IGNORECASE)


@dataclass(frozen=True)
class SimulateV1:
    """`Engine` by the node; storage is not told by this method."""

    node: Node
    block: Block
    name: str = METHOD

    def run(self, moments: Sequence[Moment], *, as_accounts: frozenset[str]) -> Outcome:
        """As `Engine` says."""
        blocks = []
        for place, moment in enumerate(moments):
            calls = [
                {"from": each.sender or NOBODY, "to": each.to, "data": "0x" + each.data.hex(), "value": hex(each.value), "gas": hex(GAS)}
                for each in moment.messages
            ]
            # numbers follow one another, for between two that do not the node makes all blocks that are missing
            overrides = {"number": hex(self.block.number + 1 + place), "time": hex(moment.at), "gasLimit": hex(GAS * (len(calls) + 1))}
            asked: dict[str, Any] = {"blockOverrides": overrides, "calls": calls}
            if place == 0 and as_accounts:
                asked["stateOverrides"] = {each: {"code": "0x"} for each in sorted(as_accounts)}
            blocks.append(asked)
        try:
            answer = self.node.request(METHOD, [{"blockStateCalls": blocks, "validation": False}, hex(self.block.number)])
        except NodeError as error:
            if error.code in {-32601, -32600} or _UNKNOWN.search(str(error)):
                raise MissingEngineError(f"the node has no {METHOD}") from None
            raise
        if not isinstance(answer, list) or len(answer) != len(moments):
            raise AmoOptError(f"the node's answer to {METHOD} is not a block for each of {len(moments)} moments")
        return Outcome(tuple(_ran(each, len(moment.messages)) for each, moment in zip(answer, moments, strict=True)), None)


def _ran(block: Any, wanted: int) -> tuple[Ran, ...]:
    calls = block.get("calls") if isinstance(block, dict) else None
    if not isinstance(calls, list) or len(calls) != wanted or not all(isinstance(each, dict) for each in calls):
        raise AmoOptError(f"the node's answer to {METHOD} does not hold the {wanted} calls that were asked")
    return tuple(_one(each) for each in calls)


def _one(call: dict[str, Any]) -> Ran:
    gas, ok = (quantity(call.get(name), f"{METHOD} ({name})") for name in ("gasUsed", "status"))
    error = call.get("error")
    error = error if isinstance(error, dict) else {}
    returned = error.get("data") or call.get("returnData") or "0x"
    found, said = data(returned, f"{METHOD} (returnData)"), str(error.get("message", ""))
    halt = "" if ok or _REVERTED.search(said) else _HALTED.sub("", said) or "it ended without saying why"
    return Ran(bool(ok), found, gas, halt)
