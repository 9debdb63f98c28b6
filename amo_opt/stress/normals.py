"""Philox, uniforms and standard normals of our own: the same bits on every processor and with every NumPy.

NumPy's normals are the same numbers to 1e-14, but not the same bits everywhere: its ziggurat asks the system's ``log1p`` and ``exp`` in the tail, its tables
hold some 14 digits, and NumPy promises of no distribution that the next version draws it so (NEP 19). Raw bits it does promise; those of Philox are made here
too, as a path's are wanted by the block.

Philox4x64-10: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011. Ziggurat of 256 layers: Marsaglia and Tsang, Journal of Statistical Software 5,
2000, with the bits of a draw used as NumPy uses them.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from amo_opt.protocol import elementary
from amo_opt.protocol.elementary import exp, log1p
from amo_opt.stableswap.kept import kept, kept_with

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bits = NDArray[np.uint64]
    Floats = NDArray[np.float64]

_LAYERS: Final = 256
_EDGE: Final = "3.6541528853610087963519472518"
"""Where the tail begins with so many layers, all of one area."""
_R: Final = float(_EDGE)
_WHOLE: Final = 4503599627370496.0
"""2^52: a draw is 52 bits, a sign and a layer."""
_FIRST: Final = np.uint64(0xD2E7470EE14C6C93)
_SECOND: Final = np.uint64(0xCA5A826395121157)
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_ROOT: Final = np.uint64(0xBB67AE8584CAA73B)
_ROUNDS: Final = 10
_LAYER_BITS, _SIGN, _PART = np.uint64(0xFF), np.uint64(0x100), np.uint64(0x000FFFFFFFFFFFFF)
_PAST_SIGN, _TO_UNIT, _TAIL_SIGN = np.uint64(9), np.uint64(11), np.uint64(0x20000)
_TWO_53: Final = 1.0 / 9007199254740992.0
_ANEW, _INSIDE, _BESIDE, _BEYOND, _FALLS = range(5)
"""What a raw number is for: a point, which then counts or asks for more."""
_AT_ONCE: Final = 64
"""Raw numbers that are made at a time."""


def _high_of(_context: Any, _a: Any, _b: Any) -> Any:
    def generate(_: Any, builder: Any, _signature: Any, values: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(value, wide) for value in values))
        return builder.trunc(builder.lshr(product, wide(64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


def _plain_high_of(a: int, b: int) -> Any:
    return np.uint64(int(a) * int(b) >> 64)


high_of: Any = _plain_high_of if config.DISABLE_JIT else intrinsic(_high_of)  # type: ignore[attr-defined]
"""The upper 64 bits of a product of two numbers of 64."""


@kept
def _philox(first_key: np.uint64, second_key: np.uint64, begin: np.uint64, raw: Bits) -> None:
    """What NumPy's ``Philox(key=key)`` gives from its block ``begin`` on, for a multiple of eight."""
    for pair in range(raw.size // 8):  # two blocks side by side: a round waits for the one before
        a, b, c, d = begin + np.uint64(2 * pair + 1), np.uint64(0), np.uint64(0), np.uint64(0)
        e, f, g, h = begin + np.uint64(2 * pair + 2), np.uint64(0), np.uint64(0), np.uint64(0)
        first, second = first_key, second_key
        for _ in range(_ROUNDS):
            above, beside, over, next_to = high_of(_FIRST, a), high_of(_SECOND, c), high_of(_FIRST, e), high_of(_SECOND, g)
            a, b, c, d = beside ^ b ^ first, _SECOND * c, above ^ d ^ second, _FIRST * a
            e, f, g, h = next_to ^ f ^ first, _SECOND * g, over ^ h ^ second, _FIRST * e
            first, second = first + _GOLDEN, second + _ROOT
        at = 8 * pair
        raw[at], raw[at + 1], raw[at + 2], raw[at + 3] = a, b, c, d
        raw[at + 4], raw[at + 5], raw[at + 6], raw[at + 7] = e, f, g, h


@kept_with(elementary)
def _outside(phase: int, x: float, unit: float, high: float, low: float) -> tuple[int, float]:
    """What one number more makes of a point outside its layer: the next phase, `_INSIDE` where it counts, and the point.

    Beside a layer it counts where it lies under the curve. In the tail (Marsaglia) one number says how far beyond the edge, the next with the chance that the curve
    falls from there whether it counts.
    """
    if phase == _BESIDE:
        return _INSIDE if (high - low) * unit + low < exp(-0.5 * x * x) else _ANEW, x
    if phase == _BEYOND:
        return _FALLS, -log1p(-unit) / _R
    steep = -log1p(-unit)
    return (_INSIDE, _R + x) if steep + steep > x * x else (_BEYOND, 0.0)


@kept_with(elementary)
def _ziggurat(keys: Bits, out: Floats, scale: Floats, height: Floats, inside: Bits) -> None:
    raw = np.empty(_AT_ONCE, dtype=np.uint64)
    for row in range(out.shape[0]):
        begin, at, i = np.uint64(0), _AT_ONCE, 0
        phase, layer, negative, x = _ANEW, np.int64(0), False, 0.0
        while i < out.shape[1]:
            if at == _AT_ONCE:
                _philox(keys[row, 0], keys[row, 1], begin, raw)
                begin += np.uint64(_AT_ONCE // 4)
                at = 0
            bits = raw[at]
            at += 1
            if phase == _ANEW:
                layer = np.int64(bits & _LAYER_BITS)
                part = (bits >> _PAST_SIGN) & _PART
                x = part * scale[layer]
                negative = (bits & (_SIGN if layer > 0 or part < inside[0] else _TAIL_SIGN)) != 0
                phase = _INSIDE if part < inside[layer] else _BESIDE if layer > 0 else _BEYOND
            else:
                phase, x = _outside(phase, x, (bits >> _TO_UNIT) * _TWO_53, height[layer - 1], height[layer])
            if phase == _INSIDE:
                out[row, i] = -x if negative else x
                i += 1
                phase = _ANEW


@cache
def _tables() -> tuple[Floats, Floats, Bits]:
    """Of each layer: what a whole number is multiplied by, the density at its edge, and the numbers below which a point lies under the curve."""
    with localcontext(Context(prec=40)):

        def density(x: Decimal) -> Decimal:
            return (-(x * x) / 2).exp()

        edge = Decimal(_EDGE)
        fraction = Decimal(0)
        for n in range(200, 0, -1):
            fraction = n / (edge + fraction)  # of the tail's area (Laplace)
        area = edge * density(edge) + density(edge) / (edge + fraction)
        edges = [area / density(edge), *([Decimal(0)] * (_LAYERS - 2)), edge]
        for layer in range(_LAYERS - 2, 0, -1):
            beyond = edges[layer + 1]
            edges[layer] = (-2 * (area / beyond + density(beyond)).ln()).sqrt()
        whole = Decimal(_WHOLE)
        shares = [edge / edges[0], Decimal(0), *(edges[layer - 1] / edges[layer] for layer in range(2, _LAYERS))]
        return (
            np.array([float(each / whole) for each in edges]),
            np.array([1.0, *(float(density(each)) for each in edges[1:])]),
            np.array([int(each * whole) for each in shares], dtype=np.uint64),
        )


@kept
def _first(keys: Bits, out: Floats) -> None:
    raw = np.empty(8, dtype=np.uint64)
    for row in range(out.size):
        _philox(keys[row, 0], keys[row, 1], np.uint64(0), raw)
        out[row] = (raw[0] >> _TO_UNIT) * _TWO_53


def first_uniforms(keys: Bits) -> Floats:
    """The first number in [0, 1) of each stream, as NumPy's ``Generator(Philox(key=key)).random()`` has it; ``keys`` as in `fill_normals`."""
    out = np.empty(len(keys))
    _first(keys, out)
    return out


def fill_normals(keys: Bits, out: Floats) -> None:
    """Standard normals into the rows of ``out``, (streams, n), C-contiguous float64: the first n of each stream, whose key are the two uint64 of its row of ``keys``."""
    _ziggurat(keys, out, *_tables())
