"""Mechanisms of which a protocol may have several, each under a name that its state chooses: further pools (``[pools.NAME]``), AMOs of a kind (``[amos.NAME-KIND]``) and assets (``[amos.NAME-asset]``).

What belongs to one of them follows from its name alone: `usdt-pool.amplification` is the amplification of the pool ``usdt``, `usdt-keeper.ceiling` that of the PegKeeper that works it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Protocol

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.hold import hold
from amo_opt.amos.peg_keeper import keeper
from amo_opt.amos.pools import pool
from amo_opt.amos.reserve import named_asset

if TYPE_CHECKING:
    from amo_opt.amos.mechanism import Mechanism


class Kind(Protocol):
    """Makes the mechanism of that ``label``: a pool's, which may be the ``first``, or one of its own."""

    def __call__(self, label: str, *, first: bool = False) -> Mechanism: ...  # noqa: D102


ASSET = "asset"
"""What the name of an asset's mechanism ends with."""
KINDS: Mapping[str, Kind] = {"keeper": keeper, "hold": hold, ASSET: named_asset}
"""AMOs of a kind by the word that their names end with; each is made of the name before it."""
ON_POOLS = ("keeper", "hold")
"""Those of them whose name is that of the pool that they work."""
POOL = "pool"
"""What the name of a further pool's mechanism ends with."""
LABEL = re.compile("[a-z][a-z0-9]{0,23}")
"""What a pool may be called: it stands in the names of parameters."""


def label_of(name: str) -> tuple[str, str]:
    """Label and kind of an AMO's table, ``usdt-keeper``; two empty words where it is of no kind."""
    label, _, word = name.rpartition("-")
    return (label, word) if word in KINDS and LABEL.fullmatch(label) else ("", "")


@cache
def is_taken(label: str) -> bool:
    """Whether a series that is called after a pool of that name would have another's: ``peg_keeper_debt`` is the debt of the keeper without a name."""
    known = {series for each in MECHANISMS for series in (*each.series.values(), *each.derived)}
    named = (pool(label), *(make(label) for make in KINDS.values()))
    return any(series in known for each in named for series in each.series.values())


@cache
def mechanism_at(table: str, first: str = "") -> Mechanism:
    """The mechanism of a table, by dotted name; ``first`` is what the first pool is called. Raises ``KeyError`` where none can have it."""
    room, _, name = table.partition(".")
    if room == "pools" and LABEL.fullmatch(name):
        return pool(name)
    label, word = label_of(name) if room == "amos" else ("", "")
    if not word:
        raise KeyError(table)
    return KINDS[word](label, first=label == first)


def mechanism_of(name: str) -> Mechanism | None:
    """The mechanism of a parameter or a line by the name before its dot, ``usdt-keeper``; None where none can have it."""
    label, _, word = name.rpartition("-")
    try:
        return mechanism_at(f"pools.{label}" if word == POOL else f"amos.{name}")
    except KeyError:
        return None
