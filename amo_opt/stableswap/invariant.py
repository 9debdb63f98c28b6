"""The two-coin stableswap invariant in float64, closed form where there is one.

Notation inside equations: balances x (stablecoin) and y (base-pool LP counted at virtual price), the contract's amplification A,
``ann = 2 A``, invariant D, with ``ann (x + y) + D = ann D + D**3 / (4 x y)`` (Egorov, StableSwap, 2019; Curve's ``get_D``).
Functions take and return scalars; they are inlined into the kernel's lane loops, so none of them branches. Balances are positive.
"""

from __future__ import annotations

import math

from amo_opt.stableswap.jit import scalar

D_BOUND = 1e-9
"""Largest next step of D, as a share of it, at which D counts as converged."""
PRICE_BOUND = 1e-3
"""Largest last step of a price inversion, as a share of q; convergence is cubic, so what is left is its cube."""
FAR_OFF = 0.99
"""``|1 - price| / (1 + price)`` from which on a price inversion starts without its solution near balance: prices below 1/199 and above 199. At an A of a few
that solution stops growing there, while the root goes on."""


@scalar
def _halley_d(d: float, linear: float, constant: float) -> float:
    """One Halley step on ``d**3 + linear d - constant``, the invariant times 4 x y."""
    square = d * d
    value = (square + linear) * d - constant
    slope = 3.0 * square + linear
    return d - value * slope / (slope * slope - 3.0 * value * d)


@scalar
def refresh_D(x: float, y: float, ann: float, start: float) -> float:
    """D of the balances, by three Halley steps (cubic) on the invariant from ``start``, the D before the change or x + y.

    The contract iterates Newton's method to a unit; a Halley step costs one division too, and division is what a lane waits for.
    """
    xy4 = 4.0 * x * y
    linear = xy4 * (ann - 1.0)
    constant = xy4 * ann * (x + y)
    d = _halley_d(start, linear, constant)
    d = _halley_d(d, linear, constant)
    return _halley_d(d, linear, constant)


@scalar
def polish_D(x: float, y: float, ann: float, near: float) -> float:
    """D of balances that moved by fees, or of an A that moved by an hour of its ramp, by two Halley steps: a start off by 1e-2 leaves less than rounding."""
    xy4 = 4.0 * x * y
    linear = xy4 * (ann - 1.0)
    constant = xy4 * ann * (x + y)
    return _halley_d(_halley_d(near, linear, constant), linear, constant)


@scalar
def residual_D(x: float, y: float, ann: float, d: float) -> float:
    """How far D is from the root: the next Newton step as a share of D (0 at the root)."""
    xy4 = 4.0 * x * y
    cube = d * d * d
    value = cube + xy4 * ((ann - 1.0) * d - ann * (x + y))
    slope = 3.0 * cube + xy4 * (ann - 1.0) * d
    return abs(value / slope)


@scalar
def settled_D(x: float, y: float, ann: float, found: float) -> float:
    """The D that few steps found, or D afresh where they started too far off: a deposit of a hundred times the pool is out of their reach."""
    afresh = refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))
    return found if residual_D(x, y, ann, found) <= D_BOUND else afresh


@scalar
def settled_D_of_one(x: float, y: float, ann: float, found: float) -> float:
    """`settled_D` for a loop over few lanes: D afresh only where it is asked for."""
    if residual_D(x, y, ann, found) <= D_BOUND:
        return found
    return refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))


@scalar
def get_y(x: float, d: float, ann: float) -> float:
    """The other balance from one balance and D: the positive root of ``y**2 + b y = c``, in the form without cancellation.

    Everything is multiplied by ``ann x``, which leaves one division.
    """
    scale = ann * x
    b = scale * (x - d) + x * d
    cube = d * d * d
    root = math.sqrt(b * b + cube * scale)
    positive = b > 0.0
    numerator = 0.5 * cube if positive else root - b
    denominator = root + b if positive else 2.0 * scale
    return numerator / denominator


@scalar
def marginal_price(x: float, y: float, d: float, ann: float) -> float:
    """Price of one x in y before the fee: ``(ann + k/x) / (ann + k/y)`` with ``k = D**3 / (4 x y)``, in one division."""
    cube = d * d * d
    xy4 = 4.0 * ann * x * y
    return (y * (xy4 * x + cube)) / (x * (xy4 * y + cube))


@scalar
def _halley_q(q: float, ann: float, inverse_ann: float, delta2: float) -> float:
    q2 = q * q
    q3 = q2 * q
    s = 1.0 + (q - 1.0) * inverse_ann
    g = s * q2 + 0.5 * ann
    h = inverse_ann * q3 - ann
    value = s * s * q2 * q2 - q3 - delta2 * g * g
    slope = 2.0 * s * inverse_ann * q2 * q3 + q3 - 2.0 * delta2 * g * h
    bend = 2.0 * inverse_ann * inverse_ann * q3 * q3 - 2.0 * q3 - 2.0 * delta2 * (h * h + 3.0 * ann * g)
    moved = q - 2.0 * q * value * slope / (2.0 * slope * slope - value * bend)
    return moved if moved > 1.0 else 1.0


@scalar
def scaled_x_at_price(price: float, ann: float) -> tuple[float, float]:
    """x / D of the pool whose marginal price is ``price`` > 0, and what the solver misses its bound by (<= 0: converged).

    Exact inverse of `marginal_price` at any D (pool-math rule 4): with ``q = D**2 / (4 x y)`` and ``s = 1 + (q - 1)/ann`` the price condition is
    ``s**2 - 1/q = delta**2 (s + ann/(2 q**2))**2``. It and its derivatives are multiplied by powers of q, which leaves one division a
    step. Three Halley steps start from an asymptotic solution: the smaller of that near balance and that of an A which carries the trade (q far below
    ann); beyond `FAR_OFF` the smaller of the latter and that of a constant product (q far above ann), whose cube root ``(2 ann far**2)**(1/3)`` is
    told by two roots, to a factor of 1.6. Over A 1..10**6 and prices 1e-6..1e6 the last step is at most 1.3e-5 of q (tests/stableswap/test_invariant.py). Where a pool
    is balanced to the last digits, w is the root of a rounding error: x / D is good to 2e-8 and the price to 2e-8 / A there; at prices to 200 it is good
    to rounding, and at 1e6 to 1e-9, as little of x is left.
    """
    inverse_ann = 1.0 / ann
    lower = price if price < 1.0 else 1.0
    distance = abs(1.0 - price)
    shared = 1.0 / ((1.0 + price) * 2.0 * lower)
    delta = distance * 2.0 * lower * shared
    z = delta * (1.0 + 0.5 * ann)
    near = 1.0 + z * z
    far = math.sqrt(0.5 * ann * distance * (1.0 + price) * shared)
    product = math.sqrt(far * math.sqrt(far * 2.0 * ann))
    other = product if delta > FAR_OFF else near
    start = other if other < far else far
    start = start if start > 1.0 else 1.0
    delta2 = delta * delta
    q = _halley_q(start, ann, inverse_ann, delta2)
    before = _halley_q(q, ann, inverse_ann, delta2)
    q = _halley_q(before, ann, inverse_ann, delta2)
    s = 1.0 + (q - 1.0) * inverse_ann
    under = s * s - 1.0 / q
    w = math.sqrt(under if under > 0.0 else 0.0)
    return 0.5 * (s + w if price < 1.0 else s - w), abs(q - before) - PRICE_BOUND * q
