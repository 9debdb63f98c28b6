"""How many paths go in lockstep."""

from __future__ import annotations

from amo_opt.protocol.market import LANES


def test_lanes_fill_vector_registers() -> None:
    """LANES is a multiple of 8, the doubles of the widest register."""
    assert LANES % 8 == 0
