"""Why a call failed, in words: reasons, Panic's codes, custom errors by their selector."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import function
from amo_opt.onchain.wire import revert_reason

if TYPE_CHECKING:
    from amo_opt.onchain.abi import Function
    from amo_opt.onchain.engines.engine import Ran

PANICS: Final = {
    0x00: "the compiler's own", 0x01: "a failed assert", 0x11: "an integer beyond its type", 0x12: "a division by zero", 0x21: "no such enum value",
    0x22: "a wrongly encoded storage array", 0x31: "pop of an empty array", 0x32: "an index beyond an array", 0x41: "too much memory", 0x51: "a call of no function",
}  # fmt: skip
"""Solidity's panic codes."""
CUSTOM: Final = (
    "OwnableUnauthorizedAccount(address)", "OwnableInvalidOwner(address)", "AccessControlUnauthorizedAccount(address,bytes32)", "AccessManagedUnauthorized(address)",
    "EnforcedPause()", "ExpectedPause()", "ReentrancyGuardReentrantCall()", "SafeCastOverflowedUintDowncast(uint8,uint256)", "SafeCastOverflowedUintToInt(uint256)",
    "ERC20InsufficientBalance(address,uint256,uint256)", "ERC20InsufficientAllowance(address,uint256,uint256)", "Unauthorized()", "NotOwner()", "OnlyTimelock()", "OnlyOwner()",
)  # fmt: skip
"""Custom errors of libraries that governed contracts are built on (OpenZeppelin contracts 5) and common ones of access."""


def reason_of(ran: Ran) -> str:
    """Why a message failed, "" where it gave no reason and where it succeeded."""
    if ran.ok or ran.halt:
        return ran.halt
    selector, rest = ran.data[:4], ran.data[4:]
    if selector.hex() == "4e487b71" and len(rest) == 32:
        code = int.from_bytes(rest, "big")
        return f"{revert_reason(ran.data)}, {PANICS[code]}" if code in PANICS else revert_reason(ran.data)
    error = _errors().get(selector)
    if error is None:
        return revert_reason(ran.data)
    try:
        values = error.decode_inputs(ran.data)
    except AmoOptError:  # the selector of one error and what is behind it of another
        return revert_reason(ran.data)
    return f"{error.name}({', '.join('0x' + each.hex() if isinstance(each, bytes) else str(each) for each in values)})"


@cache
def _errors() -> dict[bytes, Function]:
    return {each.selector: each for each in map(function, CUSTOM)}
