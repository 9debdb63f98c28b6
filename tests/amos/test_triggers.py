"""When AMOs stop deploying, when they unwind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from amo_opt.protocol.market import LANES


def hours(block: Any, **path: list[float]) -> list[float]:
    """`unwinding` after each hour of the given oracles or ratios."""
    latched = []
    for values in zip(*path.values(), strict=True):
        for name, value in zip(path, values, strict=True):
            block[name] = value
        block.run("triggers")
        latched.append(block["unwinding"])
    return latched


def test_unwinding_is_latched_until_re_entry(lanes: Callable[..., Any]) -> None:
    """Starts below `unwind_price` (0.985), stands between it and `reentry_price` (0.995), ends at re-entry, does not start in between."""
    oracle = [0.99, 0.9851, 0.985, 0.9849, 0.99, 0.9949, 0.995, 0.99]
    assert hours(lanes(), oracle=oracle) == [0, 0, 0, 1, 1, 1, 0, 0]


def test_the_trigger_is_relative_to_what_the_collateral_is_worth(lanes: Callable[..., Any]) -> None:
    """USDC at 0.9 and an oracle of 0.9: no unwinding; USDC at par and an oracle of 0.9: unwinding."""
    for collateral, unwinding in ((0.9, 0.0), (1.0, 1.0), (1.2, 1.0)):
        block = lanes()
        block["collateral_price"] = collateral
        assert hours(block, oracle=[0.9]) == [unwinding]


def test_a_fallen_external_ratio_unwinds_and_holds(lanes: Callable[..., Any]) -> None:
    """At the peg, a ratio more than the margin under its start unwinds, and re-entry waits until it is back."""
    block = lanes()
    start = block["cr_external_start"]
    ratios = [start - 0.049, start - 0.051, start - 0.06, start - 0.0501, start - 0.049]
    assert hours(block, oracle=[1.0] * 5, cr_external=ratios) == [0, 1, 1, 1, 0]


def test_cover_of_many_times_falls_without_a_sign(lanes: Callable[..., Any]) -> None:
    """Where a thousand times over stands behind what is outside, half of it gone unwinds nothing; under twice less the margin it does."""
    block = lanes()
    block["cr_external_start"] = 1000.0
    assert hours(block, oracle=[1.0] * 3, cr_external=[500.0, 1.951, 1.949]) == [0, 0, 1]


def test_hours_are_counted_from_the_trigger(lanes: Callable[..., Any]) -> None:
    """The count is 1 in the hour of the trigger, grows while it stands, and starts again after re-entry."""
    block = lanes()
    counted = []
    for oracle in (0.98, 0.98, 0.98, 1.0, 0.98):
        block["oracle"] = oracle
        block.run("triggers")
        counted.append(block["unwinding_hours"])
    assert counted == [1, 2, 3, 0, 1]


def test_the_high_share_is_strict(lanes: Callable[..., Any]) -> None:
    """Hours count while the stablecoin's share is above `pool_share_high`, not at it."""
    block = lanes()
    block.parameter(pool_share_high=0.75)
    block["pool_x"] = np.where(np.arange(LANES) % 2, 3e9 + 1e3, 3e9)
    block["pool_y"] = 1e9
    block.run("triggers")
    block.run("triggers")
    assert block.lanes("high_hours")[:2] == pytest.approx([0.0, 2.0])
