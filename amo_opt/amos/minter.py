"""The AMO minter: signed books of what each AMO was given less what it returned, and the two global caps on their sums.

On chain ``collat_borrow_cap`` and ``frax_mint_cap`` are absolute sums over all AMOs, set by a vote; here they are what the parameter set's shares come
to at the snapshot. A book turns negative when an AMO has returned more than it was given (``AMOMinter.frax_mint_balances``,
``collat_borrowed_balances``), which leaves the others more room, as on chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.protocol import lanes as at
from amo_opt.protocol.reads import Read, ReadFigure, decimals_of, tells
from amo_opt.stableswap.jit import Vector, scalar

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState


@scalar
def mint_cap(p: Vector, c: Vector) -> float:
    """Most stablecoin all AMOs together may have been given, tokens; an AMO that pairs stablecoin with its collateral mints about as much as that."""
    cap: float = c[at.C_START_SUPPLY] * p[at.P_MINT_SHARE] + c[at.C_START_COLLATERAL] * p[at.P_MINT_SHARE_OF_COLLATERAL]
    return cap


@scalar
def borrow_cap(p: Vector, c: Vector) -> float:
    """Most collateral all AMOs together may have been given, tokens."""
    cap: float = c[at.C_START_COLLATERAL] * p[at.P_BORROW_SHARE]
    return cap


@scalar
def mint_room(cap: float, minted: float) -> float:
    """Stablecoin the minter may still mint for AMOs, tokens; 0 where the sum is over its cap."""
    room = cap - minted
    return room if room > 0.0 else 0.0


@scalar
def borrow_room(cap: float, borrowed: float) -> float:
    """Collateral the minter may still give to AMOs, tokens; 0 where the sum is over its cap."""
    room = cap - borrowed
    return room if room > 0.0 else 0.0


def books(state: ProtocolState, name: str) -> tuple[ReadFigure, ...]:
    """What the minter's books say of the AMO at ``[contracts.NAME_amo]``: ``minted`` and ``borrowed``, those of them that its section has.

    Signed integers by the AMO's address (FraxFinance/frax-solidity src/hardhat/contracts/Frax/FraxAMOMinter.sol @9885524f).
    """
    section = getattr(state.amos, name)
    account = (f"{name}_amo",)
    minted = Read(
        contract="amo_minter",
        signature="frax_mint_balances(address)",
        arguments=account,
        outputs=("int256",),
        decimals=18,
        meaning="stablecoin minted to the AMO less burned",
    )
    borrowed = Read(
        contract="amo_minter",
        signature="collat_borrowed_balances(address)",
        arguments=account,
        outputs=("int256",),
        decimals=state.collateral_decimals,
        counted_by=decimals_of("collateral"),
        meaning="collateral lent to the AMO less returned",
    )
    found = {"minted": minted, "borrowed": borrowed}
    return tuple(tells(f"amos.{name}.{book}", read) for book, read in found.items() if hasattr(section, book))
