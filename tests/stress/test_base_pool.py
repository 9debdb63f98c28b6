import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from amo_opt.stress.base_pool import base_value

A = 2000.0
prices = st.floats(min_value=0.05, max_value=1.5)


def value(*coins: float, amplification: float = A) -> float:
    return float(base_value(np.array(coins).reshape(3, 1, 1), amplification)[0, 0])


def third_balance(first: float, second: float, ann: float) -> float:
    """The balance that puts (first, second, ·) on the invariant at D = 1: ``ann (s + z) + 1 = ann + 1 / (27 x y z)``, a quadratic."""
    b = ann * (first + second) + 1.0 - ann
    c = 1.0 / (27.0 * first * second)
    root = np.sqrt(b * b + 4.0 * ann * c)
    return float((root - b) / (2.0 * ann)) if b < 0 else float(2.0 * c / (b + root))


def naive_value(p: tuple[float, float, float], amplification: float) -> float:
    """The slow twin: nested search over two log balances, the third from the invariant."""
    ann = 3.0 * amplification

    def cost(first: float, second: float) -> float:
        return p[0] * first + p[1] * second + p[2] * third_balance(first, second, ann)

    def inner(log_first: float) -> float:
        first = np.exp(log_first)
        return float(
            minimize_scalar(lambda log: cost(first, np.exp(log)), bounds=(-14.0, 1.0), method="bounded", options={"xatol": 1e-11}).fun
        )

    return float(minimize_scalar(inner, bounds=(-14.0, 1.0), method="bounded", options={"xatol": 1e-11}).fun)


def test_coins_at_one_are_worth_one() -> None:
    """A balanced pool's LP token is worth its virtual price, at any A."""
    for amplification in (1.0, 50.0, A, 1e5):
        assert value(1.0, 1.0, 1.0, amplification=amplification) == pytest.approx(1.0, abs=1e-12)


def test_usdt_of_may_2022() -> None:
    """USDT at 0.9515 is a base pool of 90% USDT and worth 0.959: balances in those proportions have that marginal price, and p·x / D of
    theirs is V at their price."""
    assert value(1.0, 1.0, 0.9515) == pytest.approx(0.959, abs=5e-4)
    ann, usdt, rest = 3.0 * A, 0.90, 0.05
    d = 1.0
    for _ in range(100):  # the contract's get_D
        d_p = d**4 / (27.0 * usdt * rest * rest)
        d = (ann + 3.0 * d_p) * d / ((ann - 1.0) * d + 4.0 * d_p)
    k = d**4 / (27.0 * usdt * rest * rest)
    price = (ann + k / usdt) / (ann + k / rest)
    assert price == pytest.approx(0.9515, abs=2e-3)
    assert value(1.0, 1.0, price) == pytest.approx((2.0 * rest + price * usdt) / d, abs=1e-12)


@pytest.mark.parametrize("p", [(1.0, 1.0, 0.9515), (1.0, 0.97, 1.0), (1.0004, 0.9997, 1.0001), (1.0, 0.9, 0.7), (1.0, 1.0, 0.3)])
def test_agrees_with_a_direct_minimisation(p: tuple[float, float, float]) -> None:
    """The one-unknown solution is the minimum of p·x over the invariant."""
    assert value(*p) == pytest.approx(naive_value(p, A), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(prices, prices, prices, st.sampled_from([5.0, 100.0, A]))
def test_lies_between_its_bounds(first: float, second: float, third: float, amplification: float) -> None:
    """V is at least the cheapest coin times the least total balance and at most the balanced pool's value; order does not matter;
    V is homogeneous in prices."""
    result = value(first, second, third, amplification=amplification)
    assert result <= (first + second + third) / 3.0 + 1e-12
    assert result >= min(first, second, third) * (1.0 - 1e-12)
    assert value(third, first, second, amplification=amplification) == pytest.approx(result, rel=1e-11)
    assert value(2 * first, 2 * second, 2 * third, amplification=amplification) == pytest.approx(2 * result, rel=1e-11)


def test_start_from_the_hour_before_changes_nothing() -> None:
    """A path's value at an hour is that of its prices alone, whatever came before."""
    rng = np.random.default_rng(7)
    path = 1.0 - np.abs(0.1 * rng.standard_normal((3, 1, 200)))
    along = base_value(path, A)[0]
    alone = [value(*path[:, 0, t]) for t in range(200)]
    np.testing.assert_allclose(along, alone, rtol=0, atol=1e-12)


def test_wrong_prices_are_not_a_number() -> None:
    """A price that is not positive gives NaN there, and the hours after it are sound."""
    path = np.ones((3, 1, 3))
    path[2, 0, 1] = 0.0
    result = base_value(path, A)[0]
    assert np.isnan(result[1])
    assert result[2] == pytest.approx(1.0, abs=1e-12)


def test_two_coins_are_refused() -> None:
    """A two-coin array is refused with the shape to give."""
    with pytest.raises(ValueError, match="shape"):
        base_value(np.ones((2, 1, 1)), A)


@pytest.mark.parametrize(
    ("p", "amplification"),
    [((0.07798961, 0.95096706, 0.99920132), 1.0), ((2.02580268, 0.02536244, 0.02359312), 2.0), ((8.36859302, 0.02230348, 0.01944817), 5.0)],
)
def test_low_a_and_prices_far_apart(p: tuple[float, float, float], amplification: float) -> None:
    """Newton goes in circles from some starts there, an hour before or equal prices': a number all the same, the slow twin's."""
    before = np.array([0.10681956, 0.95216795, 0.99920072])
    along = base_value(np.stack([before, np.array(p)], axis=1).reshape(3, 1, 2), amplification)[0]
    assert np.isfinite(along).all()
    assert along[1] == pytest.approx(naive_value(p, amplification), rel=1e-9)
    assert value(*p, amplification=amplification) == pytest.approx(along[1], rel=1e-9)
