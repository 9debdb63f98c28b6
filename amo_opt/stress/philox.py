"""Philox4x64-10 and NumPy's ziggurat, compiled over many keys at once: NumPy's own numbers, to the bit, in a fifth of its time.

``Generator(Philox(key=key)).standard_normal(n)`` is what `normals` gives for a key, `tests/stress/test_philox.py` compares them. NumPy works
out four words at a time, each number through two calls; here a thousand words are worked out in one loop whose rounds overlap.

Philox: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011. Ziggurat: Marsaglia and Tsang, J. Statistical Software 5, 2000, with
NumPy's 256 strips and 52 bits (numpy/random/src/distributions/ziggurat_constants.h: ``ki_double``, ``wi_double`` and ``fi_double`` are the columns
of ziggurat.csv, floats in hexadecimal).
"""

from __future__ import annotations

import csv
import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]
    _Tables = tuple[Words, NDArray[np.float64], NDArray[np.float64]]

_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_ROUNDS = 10
_BATCH = 1024
"""Words worked out at a time: 8 KB, in the first-level cache beside the row they fill."""
_R, _INVERSE_R = 3.6541528853610087963519472518, 0.27366123732975827203338247596
"""Where the tail begins, and its inverse."""
_UNIT = 1.0 / 9007199254740992.0
_STRIP, _SIGN, _MANTISSA, _LARGEST = np.uint64(255), np.uint64(8), np.uint64(9), np.uint64(0xFFFFFFFFFFFFF)
"""Where a word holds strip, sign and mantissa."""


def _wide_product_typed(_context: Any, _a: Any, _b: Any) -> Any:
    """(high, low) words of the 128-bit product of two words: one instruction, which Numba's integers have no name for."""
    result: Any = types.UniTuple(types.uint64, 2)  # type: ignore[no-untyped-call]

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, word = ir.IntType(128), ir.IntType(64)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), word)
        return context.make_tuple(builder, signature.return_type, [high, builder.trunc(product, word)])

    return result(types.uint64, types.uint64), codegen


_wide_product: Any = intrinsic(_wide_product_typed)


@njit(cache=True, nogil=True, error_model="numpy")
def _words(key_0: np.uint64, key_1: np.uint64, first: int, out: Words) -> None:
    """The stream's words from counter ``first`` on; NumPy's first counter is 1."""
    for block in range(out.size // 4):
        c0, c1, c2, c3 = np.uint64(first + block), np.uint64(0), np.uint64(0), np.uint64(0)
        k0, k1 = key_0, key_1
        for _ in range(_ROUNDS):
            high_0, low_0 = _wide_product(_M0, c0)
            high_1, low_1 = _wide_product(_M1, c2)
            c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
            k0 += _W0
            k1 += _W1
        out[4 * block], out[4 * block + 1], out[4 * block + 2], out[4 * block + 3] = c0, c1, c2, c3


@njit(cache=True, nogil=True, error_model="numpy")
def _uniform(word: np.uint64) -> float:
    return (word >> np.uint64(11)) * _UNIT


@njit(cache=True, nogil=True, error_model="numpy")
def _parts(word: np.uint64, widths: NDArray[np.float64]) -> tuple[float, np.uint64, np.uint64]:
    """The number a word stands for inside its strip's rectangle, its mantissa and the strip."""
    strip = word & _STRIP
    bits = (word >> _MANTISSA) & _LARGEST
    x = np.float64(np.int64(bits)) * widths[strip]
    return (-x if (word >> _SIGN) & np.uint64(1) else x), bits, strip


@njit(cache=True, nogil=True, error_model="numpy")
def _inside(
    words: Words, at: int, limits: Words, widths: NDArray[np.float64], out: NDArray[np.float64], step: int
) -> tuple[int, int, bool]:
    """Numbers until one lies outside its rectangle, about one in a hundred: where words and numbers are then, and whether one did."""
    while step < out.size and at < words.size:
        x, bits, strip = _parts(words[at], widths)
        at += 1
        if bits >= limits[strip]:
            return at, step, True
        out[step] = x
        step += 1
    return at, step, False


@njit(cache=True, nogil=True, error_model="numpy")
def _tail(first: float, second: float) -> float:
    """The number of the tail that two uniforms stand for; NaN where they stand for none."""
    beyond, height = -_INVERSE_R * math.log1p(-first), -math.log1p(-second)
    return _R + beyond if height + height > beyond * beyond else math.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _row(key_0: np.uint64, key_1: np.uint64, tables: _Tables, words: Words, out: NDArray[np.float64]) -> None:
    limits, widths, heights = tables
    at, counter, step, first = words.size, 1, 0, -1.0
    outside, held = False, np.uint64(0)
    while step < out.size:
        if at == words.size:
            _words(key_0, key_1, counter, words)
            counter += words.size // 4
            at = 0
        if not outside:
            at, step, outside = _inside(words, at, limits, widths, out, step)
            held = words[at - 1]
            continue
        x, bits, strip = _parts(held, widths)
        uniform = _uniform(words[at])
        at += 1
        if strip == 0 and first < 0.0:  # the tail takes two
            first = uniform
            continue
        if strip == 0:
            x, first = _tail(first, uniform), -1.0
            if math.isnan(x):
                continue
            x = -x if (bits >> np.uint64(8)) & np.uint64(1) else x
        outside = False
        if strip == 0 or (heights[strip - 1] - heights[strip]) * uniform + heights[strip] < math.exp(-0.5 * x * x):
            out[step] = x
            step += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _normals(keys: Words, tables: _Tables, out: NDArray[np.float64]) -> None:
    words = np.empty(_BATCH, dtype=np.uint64)
    for path in range(len(out)):
        _row(keys[path, 0], keys[path, 1], tables, words, out[path])


@njit(cache=True, nogil=True, error_model="numpy")
def _uniforms(keys: Words, out: NDArray[np.float64]) -> None:
    words = np.empty(4, dtype=np.uint64)
    for path in range(out.size):
        _words(keys[path, 0], keys[path, 1], 1, words)
        out[path] = _uniform(words[0])


@cache
def _tables() -> _Tables:
    text = resources.files("amo_opt.stress").joinpath("ziggurat.csv").read_text(encoding="ascii")
    rows = list(csv.DictReader(text.splitlines()))
    limits = np.array([int(row["k"]) for row in rows], dtype=np.uint64)
    widths, heights = (np.array([float.fromhex(row[name]) for row in rows]) for name in ("w", "f"))
    return limits, widths, heights


def normals(keys: Words, *, steps: int) -> NDArray[np.float64]:
    """The first standard normals of each key's stream: float64 of shape (keys, steps); ``keys`` are uint64 of shape (keys, 2)."""
    out = np.empty((len(keys), steps))
    _normals(keys, _tables(), out)
    return out


def uniforms(keys: Words) -> NDArray[np.float64]:
    """The first number in [0, 1) of each key's stream: float64 of shape (keys,)."""
    out = np.empty(len(keys))
    _uniforms(keys, out)
    return out
