"""The kernel's exogenous inputs."""

from __future__ import annotations

from amo_opt.protocol.market import LANES, MARKET_INDEX, MARKET_INPUTS


def test_inputs_are_numbered_in_their_order() -> None:
    """The index is the order of the definition, and every input states its unit."""
    assert list(MARKET_INDEX) == list(MARKET_INPUTS)
    assert list(MARKET_INDEX.values()) == list(range(len(MARKET_INPUTS)))
    assert all(";" in text or text.startswith(("share", "1 =")) for text in MARKET_INPUTS.values())


def test_lanes_fill_vector_registers() -> None:
    """LANES is a multiple of 8, the doubles of the widest register."""
    assert LANES % 8 == 0
