"""The AMO minter: signed books of what each AMO was given less what it returned, and the two global caps on their sums.

On chain ``collat_borrow_cap`` and ``frax_mint_cap`` are absolute sums over all AMOs, set by a vote; here they are what the parameter set's shares come
to at the snapshot. A book turns negative when an AMO has returned more than it was given (``AMOMinter.frax_mint_balances``,
``collat_borrowed_balances``), which leaves the others more room, as on chain.
"""

from __future__ import annotations

from amo_opt.stableswap.jit import scalar


@scalar
def mint_room(cap: float, curve: float, fraxlend: float, uniswap: float) -> float:
    """Stablecoin the minter may still mint for AMOs, tokens; 0 where the sum is over its cap."""
    room = cap - (curve + fraxlend + uniswap)
    return room if room > 0.0 else 0.0


@scalar
def borrow_room(cap: float, curve: float, aave: float, investor: float, uniswap: float) -> float:
    """Collateral the minter may still give to AMOs, tokens; 0 where the sum is over its cap."""
    room = cap - (curve + aave + investor + uniswap)
    return room if room > 0.0 else 0.0
