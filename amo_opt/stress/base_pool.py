"""What a base-pool LP token is worth at given prices of its three coins: V(p) = min p·x over the stableswap invariant.

Arbitrageurs leave the pool where its balances are worth least, so V is the value of one LP token counted at its virtual price
(D = 1), fees aside. With n = 3, Ann = 3 A and k = 1 / (27 x1 x2 x3) the invariant is ``Ann (x1+x2+x3) + 1 = Ann + k`` (Egorov,
StableSwap, 2019), and the minimum has p_i = λ (Ann + k / x_i). With m = λ Ann this reads x_i = c / (p_i − m); the definition of k
gives c⁴ = m Π(p_i − m) / (27 Ann), the invariant gives c B = 1 − 1/Ann with B = Σ 1/(p_i − m) − 1/m. One unknown is left,
δ = min p − m:

    G(δ) = m Π(p_i − m) B⁴ = 27 Ann (1 − 1/Ann)⁴

G falls on all of (0, min p) where B > 0, so the root is one: d ln G / dδ = B + 4 B'/B, B' = −Σ 1/(p_i − m)² − 1/m² and
Σ 1/(p_i − m)² ≥ B²/3, hence d ln G / dδ ≤ −B/3. Newton runs on ln δ against ln G.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from amo_opt.protocol import elementary
from amo_opt.protocol.elementary import exp, log
from amo_opt.stableswap.kept import kept, kept_with

COINS = 3
_TOLERANCE = 1e-6
"""Last Newton step of ln δ; convergence is quadratic, so what is left is its square."""
_MAX_STEPS = 80
_MAX_HALVINGS = 64
_MAX_MOVE = 3.0
"""Largest step of ln δ: keeps a far start from leaving the range of exp."""
_ABREAST = 8
"""Paths solved side by side."""


Prices = NDArray[np.float64]
"""float64 of shape (paths, steps), dollars."""


Group = NDArray[np.float64]
"""float64 of shape (5, _ABREAST), a path a column: the lowest price, what each price is above it, and δ."""
Flags = NDArray[np.bool_]


@kept
def _begin(ann: float, prices: tuple[Prices, Prices, Prices], path: int, t: int, group: Group, k: int) -> None:
    p1, p2, p3 = prices[0][path, t], prices[1][path, t], prices[2][path, t]
    low = min(p1, p2, p3)
    group[0, k], group[1, k], group[2, k], group[3, k] = low, p1 - low, p2 - low, p3 - low
    # the hour before is the best start (and of the same path, so a path does not depend on its block); else equal prices' root
    if not 0.0 < group[4, k] < low:
        group[4, k] = 3.0 * low / (ann + 3.0)


@kept
def _aim(target: float, group: Group, held: Prices, slope: Prices, inside: Flags) -> None:
    """G(δ) over its target, d ln G / d ln δ, and whether there is one, of every path of the group: vectors divide."""
    low, d1, d2, d3, delta = group[0], group[1], group[2], group[3], group[4]
    for k in range(_ABREAST):
        m = low[k] - delta[k]
        q1, q2, q3 = d1[k] + delta[k], d2[k] + delta[k], d3[k] + delta[k]
        r1, r2, r3, r = 1.0 / q1, 1.0 / q2, 1.0 / q3, 1.0 / m
        b = r1 + r2 + r3 - r
        slope[k] = delta[k] * (b - 4.0 * (r1 * r1 + r2 * r2 + r3 * r3 + r * r) / b)
        held[k] = m * q1 * q2 * q3 * (b * b) * (b * b) / target
        inside[k] = (m > 0.0) & (b > 0.0)


@kept_with(elementary)
def _moved(group: Group, k: int, held: float, slope: float, inside: bool) -> bool:  # noqa: FBT001 - compiled, so by place
    """Moves one path's δ by Newton's step, or halves it where that has no value; whether it is there."""
    if not inside:
        group[4, k] *= 0.5
        return False
    move = -log(held) / slope
    move = min(max(move, -_MAX_MOVE), _MAX_MOVE)
    group[4, k] *= exp(move)
    return abs(move) < _TOLERANCE


@kept
def _value(ann: float, prices: tuple[Prices, Prices, Prices], path: int, t: int, group: Group, k: int) -> float:
    low, delta = group[0, k], group[4, k]
    r1, r2, r3 = 1.0 / (group[1, k] + delta), 1.0 / (group[2, k] + delta), 1.0 / (group[3, k] + delta)
    p1, p2, p3 = prices[0][path, t], prices[1][path, t], prices[2][path, t]
    value: float = (1.0 - 1.0 / ann) * (p1 * r1 + p2 * r2 + p3 * r3) / (r1 + r2 + r3 - 1.0 / (low - delta))
    return value


@kept_with(elementary)
def _halved(target: float, group: Group, k: int) -> None:
    """δ of one path where Newton's steps went round in circles (a low A, prices far apart): G falls, so its logarithm is halved until nothing is left of it."""
    low = group[0, k]
    least, most = log(low) - 70.0, log(low)
    for _ in range(_MAX_HALVINGS):
        middle = 0.5 * (least + most)
        delta = exp(middle)
        m = low - delta
        q1, q2, q3 = group[1, k] + delta, group[2, k] + delta, group[3, k] + delta
        b = 1.0 / q1 + 1.0 / q2 + 1.0 / q3 - 1.0 / m if m > 0.0 else 0.0
        if b > 0.0 and m * q1 * q2 * q3 * (b * b) * (b * b) > target:
            least = middle
        else:
            most = middle
    group[4, k] = exp(least)


def _value_along(ann: float, prices: tuple[Prices, Prices, Prices], out: Prices) -> None:
    target = 27.0 * ann * (1.0 - 1.0 / ann) ** 4
    paths, steps = out.shape
    group, held, slope = np.ones((5, _ABREAST)), np.ones(_ABREAST), np.ones(_ABREAST)
    inside, found = np.zeros(_ABREAST, dtype=np.bool_), np.zeros(_ABREAST, dtype=np.bool_)
    for first in range(0, paths, _ABREAST):
        count = min(_ABREAST, paths - first)
        group[4] = 0.0
        for t in range(steps):
            found[:] = False
            for k in range(count):
                _begin(ann, prices, first + k, t, group, k)
            for _ in range(_MAX_STEPS):
                _aim(target, group, held, slope, inside)  # those that are there are worked out too, and left alone
                for k in range(count):
                    if not found[k] and _moved(group, k, held[k], slope[k], inside[k]):
                        found[k] = True
                if np.all(found[:count]):
                    break
            for k in range(count):
                if not found[k] and group[0, k] > 0.0:
                    _halved(target, group, k)
                    found[k] = True
                out[first + k, t] = _value(ann, prices, first + k, t, group, k) if found[k] else math.nan


_value_along_compiled = kept_with(elementary)(_value_along)


def base_value(prices: NDArray[np.float64], amplification: float) -> NDArray[np.float64]:
    """Value of one LP token at virtual price along paths, dollars: float64 of shape (paths, steps).

    ``prices`` is float64 of shape (3, paths, steps), dollars, positive; ``amplification`` the contract's A (3pool: 2000). Exact to
    about 1e-12; a point that does not converge (a price that is not positive, or NaN) is NaN.

    >>> one, usdt = np.ones((1, 1)), np.full((1, 1), 0.9515)
    >>> round(float(base_value(np.stack([one, one, usdt]), 2000.0)[0, 0]), 3)
    0.959
    """
    coins, paths, steps = prices.shape
    if coins != COINS:
        raise ValueError(f"prices of {coins} coins; the base pool has {COINS}: give an array of shape (3, paths, steps)")
    out = np.empty((paths, steps), dtype=np.float64)
    _value_along_compiled(COINS * float(amplification), (prices[0], prices[1], prices[2]), out)
    return out
