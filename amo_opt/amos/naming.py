"""What pools and parameters are called in a sentence about a protocol: its own pool, not the one that a title was written for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState

_PLAIN = (
    ("base-pool LP tokens in the metapool", "coins opposite in the {}"),
    ("virtual price of the base pool's LP token", "what one coin opposite is counted as"),
    ("cost of turning collateral into base-pool LP or back", "cost of turning collateral into the coin opposite or back"),
    ("share of the base pool that counts", "share of the coins opposite that counts"),
    ("the metapool", "the {}"),
)
"""What is said of a metapool, and of a plain pool in its place."""


def pool_name(state: ProtocolState) -> str:
    """What the first pool is called in a sentence: ``metapool`` where LP tokens of a base pool stand opposite, ``USDC pool`` where the state names it."""
    if state.pool_name:
        return f"{state.pool_name.upper()} pool"
    return "pool" if is_plain(state) else "metapool"


def is_plain(state: ProtocolState) -> bool:
    """Whether a coin itself stands opposite in the first pool: LP tokens of a base pool have earned fees, and count for more than 1."""
    return state.pool.base_virtual_price.value == 1.0


def of_pool(text: str, state: ProtocolState) -> str:
    """A declared title of the first pool as a state's own pool has it."""
    if pool_name(state) == "metapool":
        return text
    for metapool, plain in _PLAIN if is_plain(state) else (("the metapool", "the {}"),):
        text = text.replace(metapool, plain.format(pool_name(state)))
    return text


def title_of(name: str, state: ProtocolState) -> str:
    """A parameter's title."""
    found: str = PARAMETERS[name].title
    return of_pool(found, state)
