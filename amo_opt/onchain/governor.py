"""A proposal to a governor of OpenZeppelin's kind: ``propose(address[],uint256[],bytes[],string)`` as calldata, written and read.

Signature of OpenZeppelin/openzeppelin-contracts `contracts/governance/Governor.sol` @656962d8; what is proposed is executed by the governor, or by its timelock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import function
from amo_opt.onchain.transaction import sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.onchain.transaction import Transaction

PROPOSE = function("propose(address[],uint256[],bytes[],string)", ["uint256"], ["targets", "values", "calldatas", "description"])


def propose(transactions: Sequence[Transaction], description: str) -> str:
    """The calldata of the proposal, 0x and hexadecimal digits."""
    targets, values, data = zip(*((each.to.lower(), each.value, each.data) for each in transactions), strict=True)
    return "0x" + PROPOSE.encode([targets, values, data, description]).hex()


def read_propose(data: bytes) -> tuple[tuple[Transaction, ...], str]:
    """The calls of such calldata, and its description. Raises `AmoOptError` for other calldata, and for lists of different lengths."""
    targets, values, payloads, description = PROPOSE.decode_inputs(data)
    if not len(targets) == len(values) == len(payloads) or not targets:
        raise AmoOptError(
            f"a proposal of {len(targets)} targets, {len(values)} values and {len(payloads)} calldatas: as many of each, at least one"
        )
    calls = (sent(to, payload, value=value) for to, value, payload in zip(targets, values, payloads, strict=True))
    return tuple(calls), description
