"""exp, log, expm1 and log1p of our own: within a unit in the last place of the truth or two, the same in plain Python, and vector code.

The truth is mpmath's, to 100 bits, taken as a sum of two floats; the campaign works through 10,000,000 points of each function and goes on where
AMO_OPT_CAMPAIGN_DIR keeps its count.
"""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.protocol import elementary
from amo_opt.protocol.elementary import LEAST_EXPONENT, MOST_EXPONENT, exp, exp_of, expm1_of, log, log1p_of, log_of
from amo_opt.stableswap.jit import VECTOR, Vector, stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

QUICK, CHUNK, CHUNKS = 20_000, 100_000, 100
LANES = 64


ROWS = {"exp": exp_of, "log": log_of, "expm1": expm1_of, "log1p": log1p_of}
UNITS = {"exp": 1.0, "log": 1.0, "expm1": 3.0, "log1p": 3.0}
"""Least number of units in the last place that no point is off by."""


@stage
def exp_lanes(s: Vector) -> None:
    for i in range(LANES):
        s[LANES + i] = exp(s[i])


@stage
def log_lanes(s: Vector) -> None:
    for i in range(LANES):
        s[LANES + i] = log(s[i])


def misses(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the truth in units of the last place of the truth."""
    from mpmath import libmp

    precise = libmp.mpf_exp if name.startswith("exp") else libmp.mpf_log
    high, low = np.empty_like(x), np.empty_like(x)
    for i, value in enumerate(x.tolist()):
        given = libmp.from_float(value)
        true = precise(libmp.mpf_add(given, libmp.fone) if name == "log1p" else given, 200, libmp.round_nearest)
        true = libmp.mpf_sub(true, libmp.fone, 200, libmp.round_nearest) if name == "expm1" else true
        high[i] = libmp.to_float(true)
        rest = libmp.mpf_sub(true, libmp.from_float(high[i]), 100, libmp.round_nearest)
        # in units of the last place at once: what is left of 1e-308 would be no float64
        low[i] = libmp.to_float(libmp.mpf_shift(rest, 1 - math.frexp(math.ulp(high[i]))[1]))
    return np.abs((ROWS[name](x) - high) / np.spacing(np.abs(high)) - low)


def points(name: str, seed: int, count: int) -> NDArray[np.float64]:
    """A third each over the whole range, near 0 (near 1 for the logarithm), and beside the places where the reduced argument changes its k."""
    rng = np.random.default_rng([seed, name == "exp"])
    third, rest = count // 3, count - 2 * (count // 3)
    if name in {"expm1", "log1p"}:
        small = rng.choice([-1.0, 1.0], third) * 10.0 ** rng.uniform(-20.0, 0.0, third)
        wide = rng.uniform(-700.0, 700.0, rest) if name == "expm1" else np.exp2(rng.uniform(0.0, 1000.0, rest))
        found = np.concatenate([small, rng.uniform(-1.0, 1.0, third), wide])
        return found[found != 0.0]
    k = rng.integers(-1000, 1000, rest) + 0.5
    beside = 1.0 + rng.normal(0.0, 1e-6, rest)
    if name == "exp":
        edges = np.clip(k * math.log(2.0) * beside, LEAST_EXPONENT, MOST_EXPONENT - 1e-6)
        return np.concatenate([rng.uniform(LEAST_EXPONENT, MOST_EXPONENT, third), rng.normal(0.0, 1.0, third), edges])
    # a logarithm of exactly 0 has no last place
    near = 1.0 + np.abs(rng.normal(0.0, 0.3, third)).clip(1e-16) * rng.choice([-1.0, 1.0], third).clip(-0.9)
    near = near[(near > 0.0) & (near != 1.0)]
    return np.concatenate([np.exp2(rng.uniform(-1074.0, 1023.99, third)), near, np.exp2(k) * beside])


@pytest.mark.parametrize("name", ROWS)
def test_a_unit_in_the_last_place(name: str) -> None:
    """Every point lies within one unit of the truth's last place, or three."""
    assert misses(name, points(name, 1, QUICK)).max() < UNITS[name]


def test_numbers_and_arrays_of_any_shape() -> None:
    """A number gives a number, an array an array of its shape, whatever its order in memory; none of them changes what it was given."""
    x = np.asfortranarray(np.random.default_rng(5).uniform(0.1, 2.0, (3, 4)))
    held = x.copy()
    for function, like in ((exp_of, np.exp), (log_of, np.log), (expm1_of, np.expm1), (log1p_of, np.log1p)):
        np.testing.assert_allclose(function(x), like(x), rtol=1e-15, atol=1e-16)
        np.testing.assert_allclose(function(x[:, ::2]), like(x[:, ::2]), rtol=1e-15, atol=1e-16)
        assert function(np.zeros((2, 0))).shape == (2, 0)
        np.testing.assert_array_equal(function([0.5, 1.5]), function(np.array([0.5, 1.5])))
        assert type(function(1)) is type(function(np.float64(1.0))) is type(function(np.array(1.0))) is float
        assert function(x)[1, 2] == function(float(x[1, 2]))
    np.testing.assert_array_equal(x, held)


@pytest.mark.parametrize(
    ("function", "x", "result"),
    [
        (expm1_of, 0.0, 0.0),
        (expm1_of, -800.0, -1.0),
        (expm1_of, 800.0, math.inf),
        (expm1_of, -math.inf, -1.0),
        (expm1_of, math.inf, math.inf),
        (expm1_of, math.nan, math.nan),
        (expm1_of, 1e-300, 1e-300),
        (log1p_of, 0.0, 0.0),
        (log1p_of, -1.0, -math.inf),
        (log1p_of, -1.5, math.nan),
        (log1p_of, math.inf, math.inf),
        (log1p_of, math.nan, math.nan),
        (log1p_of, -1e-300, -1e-300),
    ],
)
def test_ends_of_expm1_and_log1p(function: Callable[[float], float], x: float, result: float) -> None:
    """Exact at 0 and where the result is one, infinite and NaN where they are."""
    assert np.array_equal(function(x), result, equal_nan=True)
    assert math.copysign(1.0, function(-0.0)) == -1.0


@pytest.mark.campaign
@pytest.mark.parametrize("name", ROWS)
def test_a_unit_in_the_last_place_at_ten_million_points(name: str, tmp_path: Path) -> None:
    """The same at 10,000,000 points, counted in the campaign's folder."""
    file = Path(os.environ.get("AMO_OPT_CAMPAIGN_DIR", tmp_path)) / f"elementary-{name}.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"chunks": 0, "points": 0, "worst": 0.0}
    for chunk in range(kept["chunks"], CHUNKS):
        found = misses(name, points(name, 1000 + chunk, CHUNK))
        kept = {"chunks": chunk + 1, "points": kept["points"] + found.size, "worst": float(np.maximum(kept["worst"], found.max()))}
        file.write_text(json.dumps(kept), encoding="utf-8")
    print(f"\n{name}: {kept['points']:,} points, worst {kept['worst']:.4f} units in the last place")  # noqa: T201
    assert kept["points"] > 9_900_000
    assert kept["worst"] < UNITS[name]


@pytest.mark.parametrize(
    ("x", "result"),
    [
        (0.0, 1.0),
        (-0.0, 1.0),
        (math.inf, math.inf),
        (-math.inf, 0.0),
        (MOST_EXPONENT, 1.7976931348622732e308),
        (np.nextafter(MOST_EXPONENT, 800.0), math.inf),
        (np.nextafter(LEAST_EXPONENT, -800.0), 0.0),
        (math.nan, math.nan),
    ],
)
def test_ends_of_exp(x: float, result: float) -> None:
    """Exact at 0, infinite and 0 beyond the ends, NaN for NaN."""
    assert np.array_equal(exp(float(x)), result, equal_nan=True)


@pytest.mark.parametrize(
    ("x", "result"),
    [
        (1.0, 0.0),
        (0.0, -math.inf),
        (-0.0, -math.inf),
        (math.inf, math.inf),
        (-1.0, math.nan),
        (-math.inf, math.nan),
        (math.nan, math.nan),
        (5e-324, -744.4400719213812),
        (2.0, math.log(2.0)),
    ],
)
def test_ends_of_log(x: float, result: float) -> None:
    """Exact at 1, −infinity at 0, right for the least number there is, NaN where there is no logarithm."""
    assert np.array_equal(log(x), result, equal_nan=True)


def test_the_same_bits_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own additions and multiplications give the compiled functions' bits: nothing was contracted or reordered."""
    compiled = [(function, points(name, 2, 3_000), of) for name, of, function in (("exp", exp_of, exp), ("log", log_of, log))]
    ours = [of(x).tolist() for _, x, of in compiled]  # before the compiler would meet what is put in its place below
    monkeypatch.setattr(elementary, "bits_of", elementary._plain_bits_of)
    monkeypatch.setattr(elementary, "float_of", elementary._plain_float_of)
    for (function, x, _), bits in zip(compiled, ours, strict=True):
        assert [function.py_func(value) for value in x.tolist()] == bits


def test_exp_never_falls() -> None:
    """Neighbouring floats keep their order, also across the places where the reduced argument changes its k."""
    for k in (-900.5, -0.5, 0.5, 1.5, 700.5):
        x = k * math.log(2.0)
        near = x + np.arange(-2_000, 2_001) * np.spacing(abs(x))
        assert (np.diff(exp_of(near)) >= 0.0).all()


@pytest.mark.parametrize("function", [exp_lanes, log_lanes], ids=["exp", "log"])
def test_a_lane_loop_is_vector_code_without_contraction(function: Callable[[Vector], None]) -> None:
    """No division of a single lane, no call of a library, no fused multiplication and addition."""
    function.compile((VECTOR,))
    (code,) = function.inspect_asm().values()
    assert not re.findall(r"\bv?divsd\b", code)
    assert not re.findall(r"\bvf(n?)m(add|sub)", code)
    assert not re.findall(r"call\w*\s+.*\b(exp|log)\b", code)
