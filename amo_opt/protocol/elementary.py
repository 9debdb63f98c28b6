"""Functions of our own, exp, log, expm1, log1p and what is made of them: the same bits on every processor, and vector code inside a lane loop.

A library's functions differ in their last bits by version and by the instructions a processor has, and no compiler turns a call of them into vector code.
These are straight lines of IEEE additions, multiplications and divisions, which round the same everywhere, and of integer work on the bits.

Formulas: FreeBSD's ``e_exp.c`` and ``e_log.c`` (Sun Microsystems 1993, after Remez), with their coefficients; where they branch, these select, and
``exp`` is 0 where its result would be subnormal. Errors stay below one unit in the last place (tests/protocol/test_elementary.py).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, Protocol, overload

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from amo_opt.stableswap.jit import scalar
from amo_opt.stableswap.kept import kept

Floats = NDArray[np.float64]


class Function(Protocol):
    """Of a number a number, of an array an array of its shape."""

    @overload
    def __call__(self, x: float) -> float: ...

    @overload
    def __call__(self, x: Floats) -> Floats: ...

    def __call__(self, x: Floats | float) -> Any:
        """What the function is there."""


LEAST_EXPONENT: Final = -708.0
"""Below it ``exp`` is 0: the result would lose digits, and a kernel has no use for numbers of 1e-308."""
MOST_EXPONENT: Final = 709.782712893384
"""Above it the result exceeds the largest float64."""
_INVERSE_LN2: Final = 1.44269504088896338700
_LN2_HIGH: Final = 6.93147180369123816490e-01
"""The leading 33 bits of ln 2: whole multiples of it up to 2^20 are exact."""
_LN2_LOW: Final = 1.90821492927058770002e-10
_E1: Final = 1.66666666666666019037e-01
_E2: Final = -2.77777777770155933842e-03
_E3: Final = 6.61375632143793436117e-05
_E4: Final = -1.65339022054652515390e-06
_E5: Final = 4.13813679705723846039e-08
_L1: Final = 6.666666666666735130e-01
_L2: Final = 3.999999999940941908e-01
_L3: Final = 2.857142874366239149e-01
_L4: Final = 2.222219843214978396e-01
_L5: Final = 1.818357216161805012e-01
_L6: Final = 1.531383769920937332e-01
_L7: Final = 1.479819860511658591e-01
_WHOLE: Final = 6755399441055744.0
"""1.5 · 2^52: added to a small number and taken away again it rounds to a whole one, whose low bits are those of the sum."""
_TWO_52: Final = 4503599627370496.0
_TWO_52_BITS: Final = 0x4330000000000000
_ONE_BITS: Final = 0x3FF0000000000000
_ROOT_HALF_BITS: Final = 0x3FE6A09E667F3BCD
_EXPONENT_BITS: Final = 52
_BIAS: Final = 1023
_LEAST_NORMAL: Final = 2.2250738585072014e-308
_TWO_54: Final = 18014398509481984.0
_INFINITE: Final = float("inf")
_NOT_A_NUMBER: Final = float("nan")


def _bits_of(_context: Any, _x: Any) -> Any:
    def generate(_: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], ir.IntType(64))

    return types.int64(types.float64), generate


def _float_of(_context: Any, _bits: Any) -> Any:
    def generate(_: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], ir.DoubleType())

    return types.float64(types.int64), generate


def _plain_bits_of(x: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", x))[0])


def _plain_float_of(bits: int) -> float:
    wrapped = (bits + 2**63) % 2**64 - 2**63
    return float(struct.unpack("<d", struct.pack("<q", wrapped))[0])


bits_of: Any = _plain_bits_of if config.DISABLE_JIT else intrinsic(_bits_of)  # type: ignore[attr-defined]
"""The 64 bits of a float64 as a signed integer."""
float_of: Any = _plain_float_of if config.DISABLE_JIT else intrinsic(_float_of)  # type: ignore[attr-defined]
"""The float64 of these 64 bits."""


@scalar
def exp(x: float) -> float:
    """e to the power of ``x`` to one unit in the last place; 0 below `LEAST_EXPONENT`, infinite above `MOST_EXPONENT`, NaN for NaN.

    x = k ln 2 + r, abs(r) ≤ ln 2 / 2; e^r = 1 + r + r c / (2 − c), c = r − r² (E1 + … + E5 r⁸); times 2^k by its exponent's bits.
    """
    held = x if x < MOST_EXPONENT else MOST_EXPONENT
    held = held if held > LEAST_EXPONENT else LEAST_EXPONENT
    shifted = held * _INVERSE_LN2 + _WHOLE
    k = shifted - _WHOLE
    high = held - k * _LN2_HIGH
    low = k * _LN2_LOW
    r = high - low
    t = r * r
    c = r - t * (_E1 + t * (_E2 + t * (_E3 + t * (_E4 + t * _E5))))
    part = 1.0 - ((low - (r * c) / (2.0 - c)) - high)
    # 2^(k - 1): its exponent's field is k - 1 + 1023; what else the sum's bits hold is shifted out
    power = float_of((bits_of(shifted) << _EXPONENT_BITS) + ((_BIAS - 1) << _EXPONENT_BITS))
    result = (part + part) * power
    result = 0.0 if x < LEAST_EXPONENT else result
    result = _INFINITE if x > MOST_EXPONENT else result
    return result if x == x else x  # noqa: PLR0124 - NaN alone differs from itself


@scalar
def log(x: float) -> float:
    """Natural logarithm of ``x`` to one unit in the last place; −infinity at 0, NaN below and for NaN.

    x = 2^k (1 + f) with 1 + f between √½ and √2; s = f / (2 + f), R = s² (L1 + … + L7 s¹²); log = k ln 2 + f − f²/2 + s (f²/2 + R).
    """
    tiny = x < _LEAST_NORMAL
    held = x * _TWO_54 if tiny else x
    bits = bits_of(held)
    exponent = (bits - _ROOT_HALF_BITS + (_BIAS << _EXPONENT_BITS)) >> _EXPONENT_BITS  # k + 1022, never negative for what has a logarithm
    k = float_of(_TWO_52_BITS | exponent) - (_TWO_52 + _BIAS)
    f = float_of(bits - ((exponent - _BIAS) << _EXPONENT_BITS)) - 1.0
    k = k - 54.0 if tiny else k
    half = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = z * (_L1 + w * (_L3 + w * (_L5 + w * _L7)))
    even = w * (_L2 + w * (_L4 + w * _L6))
    result = k * _LN2_HIGH - ((half - (s * (half + (odd + even)) + k * _LN2_LOW)) - f)
    result = -_INFINITE if x == 0.0 else result
    result = x if x == _INFINITE else result
    return result if x >= 0.0 else _NOT_A_NUMBER


@scalar
def expm1(x: float) -> float:
    """exp(x) − 1 to three units in the last place: u − 1 is exact where it matters, and what u = exp(x) was rounded by is in log(u) again (Kahan)."""
    u = exp(x)
    less = u - 1.0
    mended = less * (x / log(u))
    result = x if less == 0.0 else mended
    result = less if less == -1.0 or u == _INFINITE else result
    return result if x == x else x  # noqa: PLR0124 - NaN alone differs from itself


@scalar
def log1p(x: float) -> float:
    """log(1 + x) to three units in the last place, by the same turn: log(u) x / (u − 1) with u = 1 + x."""
    u = 1.0 + x
    more = u - 1.0
    mended = log(u) * (x / more)
    result = x if more == 0.0 else mended
    return u if u == _INFINITE else result


@scalar
def stirling_rest(a: float) -> float:
    """What log Gamma(a) is beyond (a − 1/2) log a − a + log(2 pi) / 2, for ``a`` above 0: Stirling's series from 12 on, below by Gamma(a + 1) = a Gamma(a)."""
    shifted, factor = a, 1.0
    while shifted < 12.0:
        factor *= shifted
        shifted += 1.0
    z = 1.0 / (shifted * shifted)
    rest = (
        1.0 / 12.0 - z * (1.0 / 360.0 - z * (1.0 / 1260.0 - z * (1.0 / 1680.0 - z * (1.0 / 1188.0 - z * (691.0 / 360360.0)))))
    ) / shifted
    if shifted == a:
        return rest
    return rest + (shifted - 0.5) * log(shifted) - (a - 0.5) * log(a) - (shifted - a) - log(factor)


@kept
def _exp_rows(x: Floats, out: Floats) -> None:
    for i in range(x.size):
        out[i] = exp(x[i])


@kept
def _log_rows(x: Floats, out: Floats) -> None:
    for i in range(x.size):
        out[i] = log(x[i])


@kept
def _expm1_rows(x: Floats, out: Floats) -> None:
    for i in range(x.size):
        out[i] = expm1(x[i])


@kept
def _log1p_rows(x: Floats, out: Floats) -> None:
    for i in range(x.size):
        out[i] = log1p(x[i])


def _of(rows: Callable[[Floats, Floats], None]) -> Function:
    """The function of a number, or of every number of an array."""

    def found(x: Floats | float) -> Any:
        given = np.ascontiguousarray(x, dtype=np.float64)
        out = np.empty(given.size)
        rows(given.reshape(-1), out)
        return out.reshape(given.shape) if np.ndim(x) else float(out[0])

    return found


exp_of: Final[Function] = _of(_exp_rows)
log_of: Final[Function] = _of(_log_rows)
expm1_of: Final[Function] = _of(_expm1_rows)
log1p_of: Final[Function] = _of(_log1p_rows)
