"""An AMO as the hour sees it: which stages it has, and in which place of the hour each stands.

`simulation.program` builds the hour from these and names no AMO; the list is in `amos.catalogue`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amo_opt.protocol.active_lanes import OnActive

Stage = Any
"""A compiled stage; the names of its arguments say what it is given (``s`` state, ``m`` market row, ``p`` parameters, ``c`` constants, ``w`` scratch)."""


@dataclass(frozen=True, kw_only=True)
class Flagged:
    """What few lanes do in an hour: the stage that flags them, and the full one on those flagged."""

    flag: Stage
    full: OnActive


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """One AMO. ``begin`` follows from the snapshot and adds what the AMO holds to the totals, ``venue_loss`` is what its venue loses of that,
    ``market_operations`` what an hour brings it, ``arbitrage`` comes after the trades, ``operate``
    is what its team does; AMOs operate in the order of ``turn``.

    ``cap`` is the parameter that gives it room and ``held`` the line of what it holds: without either its stages are left out. None for an AMO
    that is always there.
    """

    name: str
    begin: Stage
    venue_loss: Stage | None = None
    market_operations: Stage
    operate: Stage | Flagged
    turn: int
    arbitrage: Flagged | None = None
    cap: int | None = None
    held: int | None = None
