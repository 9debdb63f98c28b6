"""Made-up profiles: shifts and tracks whose differences are known, for the tests of their shapes and of the words for them."""

from __future__ import annotations

from itertools import combinations

from amo_opt.scoring.types import Estimate, PairedDifference
from amo_opt.search.movement import Shift, Track

PEG, YIELD = "peg_cvar95_bps", "yield"
A = (150.0, 500.0, 1500.0, 5000.0)


def shift_of(value, half=0.0, *, metric=PEG, limit=0.02, level=10.0, verdict="INCONCLUSIVE"):
    """A shift of ``value`` with ``half`` on either side, from a current figure of ``level``."""
    difference = PairedDifference(
        metric=metric,
        current=level,
        candidate=level + value,
        difference=Estimate(value=value, low=value - half, high=value + half, n=320),
        tolerance=2.0,
        verdict=verdict,
        p_better=0.5,
        p_inferior=0.5,
    )
    return Shift(difference=difference, bound=limit)


def track_of(figures, *, values=A, better=-1, half=0.0, limit=0.02, log=True, metric=PEG):
    """A track whose pairs differ by exactly what their figures do, ``half`` on either side of it."""
    pairs = combinations(range(len(figures)), 2)
    shifts = {(i, j): shift_of(figures[j] - figures[i], half, limit=limit, metric=metric, level=figures[i]) for i, j in pairs}
    return Track(metric=metric, better=better, values=values, figures=tuple(figures), shifts=shifts, log=log)
