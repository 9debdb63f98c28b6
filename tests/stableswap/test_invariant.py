"""The float pool against algebra, a sixty-digit twin and the contract's own integers."""

from __future__ import annotations

import gzip
import json
import math
from decimal import Context, Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amo_opt.stableswap.invariant import (
    D_BOUND,
    PRICE_BOUND,
    get_y,
    marginal_price,
    polish_D,
    refresh_D,
    residual_D,
    scaled_x_at_price,
    settled_D,
)

SIXTY = Context(prec=60)
"""Where exact values are reckoned: the process's own context is not ours to change (Vyper's compiler guards it)."""

amplifications = st.floats(0.0, math.log(20_000.0)).map(math.exp)
balances = st.floats(math.log(1e3), math.log(1e11)).map(math.exp)
prices = st.floats(math.log(0.1), math.log(10.0)).map(math.exp)
quick = settings(max_examples=150, deadline=None, derandomize=True)


def exact_D(x: float, y: float, ann: float) -> Decimal:
    """D by the contract's iteration, to sixty digits."""
    with localcontext(SIXTY):
        a, b, n = Decimal(x), Decimal(y), Decimal(ann)
        d = a + b
        while True:
            cube = d**3 / (4 * a * b)
            moved = (n * (a + b) + 2 * cube) * d / ((n - 1) * d + 3 * cube)
            if abs(moved - d) <= moved * Decimal(10) ** -50:
                return moved
            d = moved


def exact_y(x: Decimal, d: Decimal, ann: float) -> Decimal:
    """The other balance by the quadratic formula, to sixty digits."""
    with localcontext(SIXTY):
        n = Decimal(ann)
        b, c = x + d / n - d, d**3 / (4 * x * n)
        return ((b * b + 4 * c).sqrt() - b) / 2


def full_D(x: float, y: float, ann: float) -> float:
    return refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))


@quick
@given(x=balances, tilt=st.floats(math.log(0.1), math.log(10)), a=amplifications)
def test_D_from_the_sum_of_balances_is_exact_to_rounding(x: float, tilt: float, a: float) -> None:
    """Three Halley steps from x + y give D to 1e-15 while neither side is more than ten times the other."""
    y = x * math.exp(tilt)
    assert abs(Decimal(refresh_D(x, y, 2 * a, x + y)) / exact_D(x, y, 2 * a) - 1) < Decimal("2e-15")


def test_a_start_too_far_off_is_left_for_a_fresh_one() -> None:
    """A deposit of a hundred times the pool: three steps from its D miss the bound by far, and the balances themselves find the root."""
    x, y, ann = 3_726_760.0, 79_192_170_000.0, 3000.0
    missed = refresh_D(x, y, ann, 796_009_600.0)
    assert residual_D(x, y, ann, missed) > 1e3 * D_BOUND
    assert abs(Decimal(settled_D(x, y, ann, missed)) / exact_D(x, y, ann) - 1) < Decimal("1e-13")


@quick
@given(x=balances, tilt=st.floats(math.log(1e-4), math.log(1e4)), a=amplifications)
def test_a_root_that_was_found_is_kept_to_the_bit(x: float, tilt: float, a: float) -> None:
    """What few steps found is not touched where it is the root, so that nothing moves where nothing was wrong."""
    y = x * math.exp(tilt)
    found = refresh_D(x, y, 2 * a, refresh_D(x, y, 2 * a, x + y))
    assert settled_D(x, y, 2 * a, found * (1.0 + 1e-13)) == found * (1.0 + 1e-13)


@quick
@given(x=balances, tilt=st.floats(math.log(1e-4), math.log(1e4)), a=amplifications)
def test_D_from_two_refreshes_is_exact_at_any_imbalance(x: float, tilt: float, a: float) -> None:
    """Two refreshes, as the snapshot opens, give D to 1e-13 up to an imbalance of 10,000."""
    y = x * math.exp(tilt)
    assert abs(Decimal(full_D(x, y, 2 * a)) / exact_D(x, y, 2 * a) - 1) < Decimal("1e-13")


@quick
@given(x=balances, tilt=st.floats(math.log(0.01), math.log(100)), a=amplifications, move=st.floats(-1e-4, 1e-4))
def test_polish_needs_no_more_than_two_steps_after_a_fee(x: float, tilt: float, a: float, move: float) -> None:
    """A start off by 1e-4 leaves less than 1e-14 after two steps."""
    y = x * math.exp(tilt)
    exact = exact_D(x, y, 2 * a)
    assert abs(Decimal(polish_D(x, y, 2 * a, float(exact) * (1 + move))) / exact - 1) < Decimal("1e-14")


@quick
@given(x=balances, tilt=st.floats(math.log(0.01), math.log(100)), a=amplifications, off=st.floats(-1e-4, 1e-4))
def test_the_residual_is_the_relative_error_of_D(x: float, tilt: float, a: float, off: float) -> None:
    """At D the residual is rounding, far under the bound; off by a share ε it reads |ε| within 1%, so a wrong D cannot pass."""
    y = x * math.exp(tilt)
    d = full_D(x, y, 2 * a)
    assert residual_D(x, y, 2 * a, d) < 1e-5 * D_BOUND
    assert residual_D(x, y, 2 * a, d * (1 + off)) == pytest.approx(abs(off), rel=0.01, abs=1e-14)


@quick
@given(x=balances, tilt=st.floats(math.log(0.01), math.log(100)), a=amplifications)
def test_y_is_the_exact_root_of_its_D(x: float, tilt: float, a: float) -> None:
    """`get_y` is the sixty-digit quadratic's root, and gives back the balance that D was made of."""
    y, ann = x * math.exp(tilt), 2 * a
    d = full_D(x, y, ann)
    exact = exact_y(Decimal(x), Decimal(d), ann)
    # rounding of b = x + d/ann - d is all the error there is
    assert abs(Decimal(get_y(x, d, ann)) - exact) < Decimal("4e-16") * max(Decimal(x + d), exact)
    assert get_y(x, d, ann) == pytest.approx(y, rel=1e-12 * max(1.0, x / y))


@quick
@given(x=balances, tilt=st.floats(math.log(0.02), math.log(50)), a=amplifications)
def test_the_marginal_price_is_minus_the_slope_of_y(x: float, tilt: float, a: float) -> None:
    """`marginal_price` = −dy/dx along the invariant, by a central difference of the sixty-digit curve."""
    y, ann = x * math.exp(tilt), 2 * a
    d = exact_D(x, y, ann)
    step = Decimal(x) * Decimal(10) ** -15
    slope = (exact_y(Decimal(x) - step, d, ann) - exact_y(Decimal(x) + step, d, ann)) / (2 * step)
    assert marginal_price(x, y, float(d), ann) == pytest.approx(float(slope), rel=1e-12)


@quick
@given(x=balances, a=amplifications)
def test_a_balanced_pool_trades_at_one(x: float, a: float) -> None:
    """x = y: D is their sum and the price is 1."""
    d = full_D(x, x, 2 * a)
    assert d == pytest.approx(2 * x, rel=1e-15)
    assert marginal_price(x, x, d, 2 * a) == pytest.approx(1.0, rel=1e-14)


@quick
@given(x=balances, tilt=st.floats(math.log(0.05), math.log(20)), a=amplifications)
def test_the_two_coins_are_alike(x: float, tilt: float, a: float) -> None:
    """Swapping the coins inverts the price."""
    y, ann = x * math.exp(tilt), 2 * a
    d = full_D(x, y, ann)
    assert marginal_price(x, y, d, ann) * marginal_price(y, x, d, ann) == pytest.approx(1.0, rel=1e-13)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(price=prices, a=amplifications)
def test_balances_at_a_price_are_the_inverse_of_the_price(price: float, a: float) -> None:
    """Over A 1..20,000 and p 0.1..10: the pool `scaled_x_at_price` names has that marginal price to 1e-12, but for 2e-8 / A at balance."""
    ann = 2 * a
    x, missed = scaled_x_at_price(price, ann)
    assert missed <= 0.0
    near_balance = min(2e-8 / a, 1e-15 / max(abs(1 - price), 1e-16))
    assert abs(marginal_price(x, get_y(x, 1.0, ann), 1.0, ann) - price) < 1e-12 * price + near_balance


@quick
@given(x=balances, tilt=st.floats(math.log(0.05), math.log(20)), a=amplifications)
def test_the_price_of_a_pool_leads_back_to_its_balance(x: float, tilt: float, a: float) -> None:
    """price → balance → price: x itself returns, as exactly as a price determines it."""
    y, ann = x * math.exp(tilt), 2 * a
    d = full_D(x, y, ann)
    price = marginal_price(x, y, d, ann)
    assume(0.1 < price < 10)
    scaled, _ = scaled_x_at_price(price, ann)
    # near balance a price says little about x (dx/dp grows with A), and the inversion keeps half the digits
    assert scaled * d == pytest.approx(x, rel=1e-13 * (10 + ann) + 4e-8)


def test_price_inversion_is_far_inside_its_bound_over_the_whole_domain() -> None:
    """A 1..10^6, prices 1e-6..1e6: the last step is at most 1.3e-5 of q, where the bound is 1e-3 and convergence is cubic. A coin opposite of 8 puts a cent at 0.00125."""
    largest = 0.0
    for a in np.geomspace(1.0, 1e6, 50):
        for price in np.geomspace(1e-6, 1e6, 301):
            x, missed = scaled_x_at_price(float(price), 2.0 * float(a))
            q = 1.0 / (4.0 * x * get_y(x, 1.0, 2.0 * float(a)))
            largest = max(largest, missed / q + PRICE_BOUND)
    assert largest < 1.3e-5


@pytest.mark.parametrize(("within", "off"), [(200.0, 1e-11), (1e4, 1e-10), (1e6, 1e-9)])
def test_balances_at_prices_that_are_none_have_them_all_the_same(within: float, off: float) -> None:
    """A 1..10^6, far from balance: the pool has the price that was asked for, less exactly as less is left of a side."""
    for a in np.geomspace(1.0, 1e6, 25):
        for far in np.geomspace(5.0, within, 60):
            for price in (float(far), 1.0 / float(far)):
                x, missed = scaled_x_at_price(price, 2.0 * float(a))
                assert missed <= 0.0
                assert marginal_price(x, get_y(x, 1.0, 2.0 * float(a)), 1.0, 2.0 * float(a)) == pytest.approx(price, rel=off)


def test_a_lower_price_is_a_larger_share_of_stablecoin() -> None:
    """x / D falls strictly with the price, through the kink of the start value at 1."""
    for a in (1.0, 50.0, 1500.0, 20_000.0):
        x = [scaled_x_at_price(float(price), 2 * a)[0] for price in np.geomspace(0.1, 10.0, 301)]
        assert np.all(np.diff(x) < 0)


def test_depth_within_a_cent() -> None:
    """A balanced pool of 330m supports 38.17m within 1 cent at A 50 and 135.43m at A 1500 (marginal price, no fee)."""
    for a, depth in ((50.0, 38.17), (1500.0, 135.43)):
        x, _ = scaled_x_at_price(0.99, 2 * a)
        assert 330.0 * (x - 0.5) == pytest.approx(depth, abs=0.005)


def test_what_a_gap_leaves_of_a_pool() -> None:
    """An A 10,000 pool of 200m whose stablecoin gaps to 0.1 is worth 20.4m."""
    x, _ = scaled_x_at_price(0.1, 20_000.0)
    assert 200.0 * (0.1 * x + get_y(x, 1.0, 20_000.0)) == pytest.approx(20.4, abs=0.05)


def test_the_floor_of_may_2022_could_not_be_reached() -> None:
    """On 11 May 2022 1.055bn had to be sold to bring the pool to 0.8725, and 1.014bn existed outside it: the sale is capped there."""
    x, y, ann = 1586.44483983, 1109.65772520, 3000.0
    scaled, _ = scaled_x_at_price(0.8725, ann)
    assert scaled * full_D(x, y, ann) - x == pytest.approx(1055, abs=1)
    assert 2600.092892 - x == pytest.approx(1014, abs=1)


# -- the contract's integers ---------------------------------------------------------------------------------------------------------

VECTORS = Path(__file__).parents[1] / "vectors" / "meta_factory_v1.json.gz"
E18, E10 = 10**18, 10**10


def cases() -> list[dict]:
    with gzip.open(VECTORS) as file:
        return json.load(file)["cases"]


def scaled_balances(raw: list[str], virtual_price: str) -> tuple[float, float]:
    """The pool's balances with the base LP counted at virtual price, as the contract counts them."""
    return int(raw[0]) / E18, int(raw[1]) * int(virtual_price) // E18 / E18


def test_D_is_the_contracts() -> None:
    """D is what a first deposit mints, and LP supply × virtual price ever after: the float D agrees to 1e-12 at every A and imbalance.

    The base pool's virtual price at the first deposit is not recorded: 1 while it was fresh, else between 1 and the state's.
    """
    checked = fresh = 0
    for case in cases():
        state, first = case["state"], case["initial_deposit"]
        x, y = scaled_balances(state["balances"], case["base_virtual_price"])
        d = full_D(x, y, 2.0 * int(state["A"]))
        if state["virtual_price"] is not None and int(state["total_supply"]) > E18:
            assert d == pytest.approx(int(state["virtual_price"]) * int(state["total_supply"]) / E18**2, rel=1e-12), case["id"]
            checked += 1
        minted = int(first["minted_D"]) / E18
        low, high = (full_D(*scaled_balances(first["amounts"], p), 2.0 * int(state["A"])) for p in (str(E18), case["base_virtual_price"]))
        assert low * (1 - 1e-12) <= minted <= high * (1 + 1e-12), case["id"]
        fresh += low == pytest.approx(minted, rel=1e-12)
    assert checked >= 50
    assert fresh >= 30


def test_swaps_pay_what_the_contract_pays() -> None:
    """dy of `get_y` less the fee is the contract's to 1e-10 of the pool, both ways; what stays in the pool agrees likewise."""
    checked = 0
    for case in cases():
        state, price = case["state"], int(case["base_virtual_price"]) / E18
        ann, fee, admin = 2.0 * int(state["A"]), int(state["fee"]) / E10, int(case["admin_fee"]) / E10
        x, y = scaled_balances(state["balances"], case["base_virtual_price"])
        d = full_D(x, y, ann)
        for op in case["ops"]:
            if op["op"] != "exchange":
                continue
            sold, rates = int(op["dx"]) / E18, (1.0, price)
            before = (x, y)
            into, out = op["i"], op["j"]
            reached = before[into] + sold * rates[into]
            gross = before[out] - get_y(reached, d, ann)
            assert gross * (1 - fee) / rates[out] == pytest.approx(int(op["dy"]) / E18, abs=1e-10 * d), case["id"]
            after = scaled_balances(op["balances"], case["base_virtual_price"])
            assert before[out] - gross * (1 - fee + fee * admin) == pytest.approx(after[out], abs=1e-10 * d), case["id"]
            checked += 1
    assert checked >= 100
