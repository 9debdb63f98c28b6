"""Hold: LP tokens of a pool that the treasury owns and leaves where they are. It does nothing; its part of the pool is the protocol's, as that of an AMO which works it."""

from __future__ import annotations

from dataclasses import dataclass

from amo_opt.amos.mechanism import Mechanism, Stages
from amo_opt.protocol.lanes import Own
from amo_opt.protocol.state import Figure, OfPool, figure

mine = Own("hold")
"""Nothing: what it owns is in the pool's own lines (`ProtocolState.own_of_pool`, `own_of_further`)."""


@dataclass(frozen=True, kw_only=True)
class Hold(OfPool):
    """``[amos.NAME-hold]`` of the pool NAME, which it is ``on``."""

    lp_share: Figure = figure(0.0, 1.0, "", "share of the pool's LP tokens that the treasury owns and leaves there")


def hold(label: str, *, first: bool = False) -> Mechanism:
    """What the treasury holds of the pool of that name, ``first`` where that is the first pool."""
    return Mechanism(
        name=f"{label}-hold",
        title=f"{label.upper()} hold",
        stages=Stages(own=mine),
        earns=6,
        turn=6,
        section=Hold,
        section_rank=3,
        pool="" if first else f"{label}-pool",
    )
