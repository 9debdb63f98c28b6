"""Depth within 10 bp of the price, in dollars: what two-way volume chooses a venue by."""

from __future__ import annotations

from amo_opt.stableswap.jit import scalar


@scalar
def curve_depth(d: float, ann: float) -> float:
    """Depth of a balanced two-coin stableswap pool: ``D/2 · z/(1 + z)`` with ``z = 0.001 (Ann + 2) / 4``; it rises with A and saturates.

    First order in the price; over A 10..5000 it is from 12% under the exact depth at balance (at A 630) to 4% over it (at 5000): tests/stableswap/test_depth_10bp.py.
    """
    z = 0.00025 * (ann + 2.0)
    return d * (0.5 * z / (1.0 + z))


@scalar
def range_depth(liquidity: float) -> float:
    """Depth of a concentrated range around a price of 1: ``dx = L d(1/sqrt P)``, 10 bp of price being 5 bp of its root."""
    return 0.0005 * liquidity


@scalar
def quoting_depth(liquidity: float, root: float, low: float, high: float) -> float:
    """`range_depth` while the root of the price is inside the range, 0 where it was left."""
    return range_depth(liquidity) if ((root > low) & (root < high)) else 0.0


@scalar
def captured(depth: float, others: float) -> float:
    """Share of the volume a venue wins: its depth over all depth."""
    return depth / (depth + others)
