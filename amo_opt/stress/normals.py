"""Philox and standard normals of our own: the same bits on every processor and with every NumPy.

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
_PAST_SIGN, _TO_UNIT, _TAIL_SIGN = np.uint64(9), np.uint64(11), np.uint64(0x100)
_TWO_53: Final = 1.0 / 9007199254740992.0
_SPARE: Final = 64
"""Bits beyond one a normal and an eighth: hardly ever too few, and where they are more are made."""


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
def _philox(key: Bits, raw: Bits) -> None:
    """What NumPy's ``Philox(key=key).random_raw(raw.size)`` gives, for a multiple of four."""
    for block in range(raw.size // 4):
        a, b, c, d = np.uint64(block + 1), np.uint64(0), np.uint64(0), np.uint64(0)
        first, second = key[0], key[1]
        for _ in range(_ROUNDS):
            above, beside = high_of(_FIRST, a), high_of(_SECOND, c)
            low, lower = _FIRST * a, _SECOND * c
            a, b, c, d = beside ^ b ^ first, lower, above ^ d ^ second, low
            first, second = first + _GOLDEN, second + _ROOT
        raw[4 * block], raw[4 * block + 1], raw[4 * block + 2], raw[4 * block + 3] = a, b, c, d


@kept_with(elementary)
def _tail(raw: Bits, at: int) -> tuple[float, int]:
    """How far beyond the tail's edge (Marsaglia), and where the next bits are: past the end where there are too few."""
    while at + 1 < raw.size:
        beyond = -log1p(-((raw[at] >> _TO_UNIT) * _TWO_53)) / _R
        steep = -log1p(-((raw[at + 1] >> _TO_UNIT) * _TWO_53))
        at += 2
        if steep + steep > beyond * beyond:
            return beyond, at
    return 0.0, raw.size + 1


@kept_with(elementary)
def _ziggurat(raw: Bits, out: Floats, scale: Floats, height: Floats, inside: Bits) -> int:
    """Normals from raw bits until one of them is used up: how many of ``out`` are filled."""
    at = 0
    for i in range(out.size):
        while True:
            if at >= raw.size:
                return i
            bits = raw[at]
            at += 1
            layer = int(bits & _LAYER_BITS)
            part = (bits >> _PAST_SIGN) & _PART
            x = part * scale[layer]
            found = -x if bits & _SIGN else x
            if part < inside[layer]:
                break
            if layer == 0:
                beyond, at = _tail(raw, at)
                found = -(_R + beyond) if part & _TAIL_SIGN else _R + beyond
                break
            if at >= raw.size:
                return i
            unit = (raw[at] >> _TO_UNIT) * _TWO_53
            at += 1
            if (height[layer - 1] - height[layer]) * unit + height[layer] < exp(-0.5 * x * x):
                break
        if at > raw.size:
            return i
        out[i] = found
    return out.size


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


def fill_normals(key: Bits, out: Floats) -> None:
    """Standard normals of one stream into ``out``, contiguous float64: the first of them whatever their number. ``key``: two uint64."""
    spare = out.size // 8 + _SPARE
    while True:
        raw = np.empty(4 * (-(-(out.size + spare) // 4)), dtype=np.uint64)
        _philox(key, raw)
        if _ziggurat(raw, out, *_tables()) == out.size:
            return
        spare *= 4


def normals_of(generator: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """As many standard normals from a generator's raw bits, which it spends."""
    out = np.empty(shape)
    raw, flat = np.empty(0, dtype=np.uint64), out.reshape(-1)
    while _ziggurat(raw, flat, *_tables()) < flat.size:
        raw = np.concatenate([raw, generator.bit_generator.random_raw(flat.size // 8 + _SPARE if raw.size else flat.size + _SPARE)])
    return out
