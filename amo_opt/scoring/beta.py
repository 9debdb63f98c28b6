"""The incomplete beta function and its inverse, the same bits on every processor: binomial ends and p-values, and Student's t.

Continued fraction by Lentz's method (Thompson and Barnett, J. Computational Physics 64, 1986); the power before it about its peak, so that counts of hundreds
of thousands lose no digits to each other.
"""

from __future__ import annotations

import math

from amo_opt.protocol import elementary
from amo_opt.protocol.elementary import exp, log, stirling_rest
from amo_opt.stableswap.kept import kept_with

_TINY = 1e-300
_CLOSE = 1e-16
_STEPS = 200
MOST_FREEDOM = 1e8
"""Student's t is the normal then to seven digits of any chance that is asked for."""
_LEAST_LOG = -690.0
"""What a proportion's logarithm is at least."""


@kept_with(elementary)
def _power(a: float, b: float, x: float, rest_of_x: float) -> float:
    """x^a (1 − x)^b / B(a, b), 1 − x being given: the difference holds fewer digits."""
    whole = a + b
    rest = stirling_rest(whole) - stirling_rest(a) - stirling_rest(b)
    return math.sqrt(a * b / (2.0 * math.pi * whole)) * exp(rest + a * log(x * whole / a) + b * log(rest_of_x * whole / b))


@kept_with(elementary)
def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    found = d
    for m in range(1, 100_000):
        for part in range(2):
            step = (
                m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
                if part == 0
                else -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
            )
            d = 1.0 + step * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + step / c
            c = c if abs(c) > _TINY else _TINY
            found *= c * d
        if abs(c * d - 1.0) < _CLOSE:
            break
    return found


@kept_with(elementary)
def _tail(a: float, b: float, x: float, rest: float) -> tuple[float, float]:
    """The share below ``x``, of which ``rest`` is what is missing to 1, and the power there."""
    power = _power(a, b, x, rest)
    if x < (a + 1.0) / (a + b + 2.0):
        return power * _fraction(a, b, x) / a, power
    return 1.0 - power * _fraction(b, a, rest) / b, power


@kept_with(elementary)
def _quantile(a: float, b: float, share: float) -> float:
    """Newton's method on the logarithm of x, halved where it leaves what is known to hold the root."""
    low, high = _LEAST_LOG, 0.0
    at = log(a / (a + b))
    for _ in range(_STEPS):
        x = exp(at)
        below, power = _tail(a, b, x, 1.0 - x)
        if below < share:
            low = at
        else:
            high = at
        slope = power / (1.0 - x)
        there = at - (below - share) / slope if slope > 0.0 else low
        there = there if low < there < high else 0.5 * (low + high)
        if abs(there - at) <= _CLOSE * abs(at):
            break
        at = there
    return exp(at)


def betainc(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for positive ``a`` and ``b``: the share of a Beta(a, b) below ``x``, to ten digits up to counts of 1e5. NaN for
    NaN.
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    return _within(_tail(float(a), float(b), float(x), 1.0 - float(x))[0])


def betaincinv(a: float, b: float, share: float) -> float:
    """The x below which a Beta(a, b) has that share, 0 < ``share`` < 1."""
    if share > 0.5:  # the smaller tail holds more digits
        return 1.0 - _quantile(float(b), float(a), 1.0 - float(share))
    return _quantile(float(a), float(b), float(share))


def stdtr(freedom: float, t: float) -> float:
    """The chance that Student's t of ``freedom`` degrees is at most ``t``; of more than `MOST_FREEDOM`, infinitely many too, that of so many."""
    freedom = min(float(freedom), MOST_FREEDOM)
    if t == 0.0:
        return 0.5
    whole = freedom + t * t
    beyond = 0.5 * _within(_tail(0.5 * freedom, 0.5, freedom / whole, t * t / whole)[0])
    return beyond if t < 0.0 else 1.0 - beyond


def _within(share: float) -> float:
    return share if math.isnan(share) else min(1.0, max(0.0, share))
