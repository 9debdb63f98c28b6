"""Blocks of a market that are used again and again: drawn on first use, then shared read-only by every trial and worker."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from amo_opt.simulation.market_block import MarketBlock

Key = tuple[str, str, tuple[tuple[int, int, int], ...]]
"""Stream, scenario, and the block's stretches."""


class Markets:
    """One study's blocks at a time. A block is used again only where everything it was drawn from is equal.

    Past ``limit`` bytes (None = no limit) those not used for longest are dropped.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self._lock = Lock()
        self._drawing: dict[Key, Lock] = {}
        self._blocks: OrderedDict[Key, tuple[tuple[object, ...], MarketBlock]] = OrderedDict()

    def get(self, key: Key, origin: tuple[object, ...], draw: Callable[[], MarketBlock]) -> MarketBlock:
        """The block of that key, drawn unless one of that ``origin`` is kept."""
        with self._lock:
            drawing = self._drawing.setdefault(key, Lock())
        with drawing:  # whoever else needs the block waits for it rather than drawing it too
            with self._lock:
                found = self._blocks.get(key)
                if found is not None and found[0] == origin:
                    self._blocks.move_to_end(key)
                    return found[1]
            market = draw()
            with self._lock:
                self._blocks[key] = (origin, market)
                self._blocks.move_to_end(key)
                self._drop()
        return market

    @property
    def nbytes(self) -> int:
        """Memory of what is kept."""
        with self._lock:
            return sum(kept.nbytes for _, kept in self._blocks.values())

    def clear(self) -> None:
        """Forgets every block."""
        with self._lock:
            self._blocks.clear()

    def _drop(self) -> None:
        while self.limit is not None and len(self._blocks) > 1 and sum(kept.nbytes for _, kept in self._blocks.values()) > self.limit:
            self._blocks.popitem(last=False)
