"""What holds for every pool: nothing appears or vanishes, no trade enriches the trader, a revert changes nothing, bad input is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amo_opt.errors import AmoOptError
from amo_opt.stableswap.exact import GENERATIONS, MetaPool, PlainPool, PoolInputError, Revert

quick = settings(max_examples=200, deadline=None, derandomize=True)
PLAIN = [rules for rules in GENERATIONS if not rules.meta]
META = [rules for rules in GENERATIONS if rules.meta]


def plain(generation: str = "base", **changes: Any) -> PlainPool:
    """A pool of a million of each of two coins (three in three_pool) at A = 200, 4 bps."""
    n = 3 if generation == "three_pool" else 2
    values = {
        "generation": generation,
        "decimals": (18, 6, 6)[:n],
        "balances": (10**24, 10**12, 10**12)[:n],
        "amplification_raw": 200 if generation == "three_pool" else 20_000,
        "fee_raw": 4_000_000,
        "admin_fee_raw": 5 * 10**9,
        "total_supply": n * 10**24,
    }
    return PlainPool(**{**values, **changes})


def meta(generation: str = "meta_factory_v1", **changes: Any) -> MetaPool:
    """A million of a coin against a million of a three_pool's LP at A = 200, 4 bps."""
    values = {
        "generation": generation,
        "base_pool": plain("three_pool"),
        "decimals": (18, 18),
        "balances": (10**24, 10**24),
        "amplification_raw": 20_000,
        "fee_raw": 4_000_000,
        "admin_fee_raw": 5 * 10**9,
        "total_supply": 2 * 10**24,
    }
    return MetaPool(**{**values, **changes})


@st.composite
def plain_pools(draw: st.DrawFn) -> PlainPool:
    """Any plain generation, 2 to 4 coins of any decimals, up to 1000 : 1, its supply worth about a dollar."""
    rules = draw(st.sampled_from(PLAIN))
    n = draw(st.integers(rules.coins[0], min(rules.coins[1], 4)))
    decimals = [draw(st.sampled_from([6, 8, 18])) for _ in range(n)]
    scale = draw(st.integers(10, 10**9))
    dollars = [scale * draw(st.integers(1, 1_000)) for _ in range(n)]
    balances = [whole * 10**d + draw(st.integers(0, 10**d - 1)) for whole, d in zip(dollars, decimals, strict=True)]
    return PlainPool(
        generation=rules.name,
        decimals=decimals,
        balances=balances,
        amplification_raw=draw(st.integers(rules.a_unit, 20_000 * rules.a_unit)),
        fee_raw=draw(st.sampled_from([0, 1_000_000, 4_000_000, 40_000_000])),
        admin_fee_raw=draw(st.sampled_from([0, 5 * 10**9, 10**10])),
        total_supply=sum(dollars) * 10**18 * 99 // 100,
        admin_balances=[draw(st.integers(0, 10**6)) for _ in range(n)],
        offpeg_fee_multiplier_raw=draw(st.sampled_from([0, 2 * 10**10, 5 * 10**10])) if rules.name == "ng" else 0,
    )


@st.composite
def meta_pools(draw: st.DrawFn) -> MetaPool:
    """Any metapool generation on a three_pool, both of any size and mix."""
    rules = draw(st.sampled_from(META))
    base = draw(plain_pools().filter(lambda pool: pool.generation == "three_pool"))
    decimals = draw(st.sampled_from([6, 18]))
    dollars = [draw(st.integers(10**3, 10**9)), draw(st.integers(10**3, 10**9))]
    assume(max(dollars) <= 1_000 * min(dollars))
    return MetaPool(
        generation=rules.name,
        base_pool=base,
        decimals=(decimals, 18),
        balances=(dollars[0] * 10**decimals, dollars[1] * 10**18),
        amplification_raw=draw(st.integers(100, 2_000_000)),
        fee_raw=draw(st.sampled_from([0, 4_000_000, 40_000_000])),
        admin_fee_raw=5 * 10**9,
        total_supply=sum(dollars) * 10**18,
        offpeg_fee_multiplier_raw=draw(st.sampled_from([0, 2 * 10**10])) if rules.name == "ng_meta" else 0,
    )


pools = st.one_of(plain_pools(), meta_pools())
permille = st.integers(1, 1_000)


def two_coins(draw: Any, n: int) -> tuple[int, int]:
    i, j = draw(st.permutations(range(n)))[:2]
    return i, j


def settled(call: Callable[[], Any]) -> Any:
    """The call's answer; examples that the chain would refuse are set aside."""
    try:
        return call()
    except Revert:
        assume(False)


def figures(pool: PlainPool | MetaPool) -> Any:
    own = pool.balances, pool.admin_balances, pool.total_supply, pool.last_event
    if isinstance(pool, PlainPool):
        return own
    return own, figures(pool.base_pool), pool.base_virtual_price, pool.base_cache_updated


def held(pool: PlainPool | MetaPool) -> list[int]:
    return [mine + admin for mine, admin in zip(pool.balances, pool.admin_balances, strict=True)]


@quick
@given(pool=pools, part=permille, data=st.data())
def test_a_quote_is_what_the_swap_pays(pool: PlainPool | MetaPool, part: int, data: st.DataObject) -> None:
    """get_dy equals exchange to the unit at a whole A; in three_pool, which quotes the fee in coin units, it may be a unit high and is never low."""
    pool.amplification_raw -= pool.amplification_raw % pool.rules.a_unit
    i, j = two_coins(data.draw, pool.n)
    dx = max(pool.balances[i] * part // 1_000, 1)
    quote, paid = settled(lambda: pool.get_dy(i, j, dx)), settled(lambda: pool.exchange(i, j, dx))
    assert 0 <= quote - paid <= (1 if pool.generation == "three_pool" else 0)


def test_a_quote_during_a_ramp_sees_whole_A_in_ng_alone() -> None:
    """NG quotes at A = 200 what it executes at 200.99; the older pools quote what they execute."""
    ng, base = plain("ng", amplification_raw=20_099), plain("base", amplification_raw=20_099)
    dx = 5 * 10**23
    assert ng.get_dy(0, 1, dx) == plain("ng").get_dy(0, 1, dx) < ng.exchange(0, 1, dx)
    assert base.get_dy(0, 1, dx) == base.exchange(0, 1, dx)


@quick
@given(pool=pools, parts=st.lists(permille, min_size=1, max_size=4), data=st.data())
def test_swaps_never_lower_the_virtual_price(pool: PlainPool | MetaPool, parts: list[int], data: st.DataObject) -> None:
    """D and with it the virtual price do not fall, whatever is traded, not even by rounding."""
    price = settled(pool.get_virtual_price)
    for part in parts:
        i, j = two_coins(data.draw, pool.n)
        settled(lambda: pool.exchange(i, j, max(pool.balances[i] * part // 1_000, 1)))  # noqa: B023
        after = settled(pool.get_virtual_price)
        assert after >= price
        price = after


@quick
@given(pool=pools, part=permille, data=st.data())
def test_there_and_back_never_profits(pool: PlainPool | MetaPool, part: int, data: st.DataObject) -> None:
    """Swapping what one got gives at most what one gave; without a fee, at most the roundings of D more, a billionth of a thousandth of it."""
    i, j = two_coins(data.draw, pool.n)
    dx = max(pool.balances[i] * part // 1_000, 1)
    dy = settled(lambda: pool.exchange(i, j, dx))
    roundings = 0 if pool.fee_raw else dx // 10**12
    assert settled(lambda: pool.exchange(j, i, dy)) <= dx + roundings


@quick
@given(pool=pools, parts=st.lists(permille, min_size=4, max_size=4))
def test_a_deposit_costs_more_lp_to_take_out_again_than_it_minted(pool: PlainPool | MetaPool, parts: list[int]) -> None:
    """remove_liquidity_imbalance of what add_liquidity took burns more than was minted."""
    amounts = [balance * part // 1_000 for balance, part in zip(pool.balances, parts, strict=False)]
    minted = settled(lambda: pool.add_liquidity(amounts))
    assert settled(lambda: pool.remove_liquidity_imbalance(amounts)) > minted


@quick
@given(pool=pools, part=st.integers(1, 900), data=st.data())
def test_one_coin_pays_what_was_quoted_and_less_than_its_side(pool: PlainPool | MetaPool, part: int, data: st.DataObject) -> None:
    """calc_withdraw_one_coin equals remove_liquidity_one_coin, and the fee's remainder stays with the pool (D's own rounding aside, and a unit of the coin that is left scarce, which is worth as many of D
    as the others are larger)."""
    i, lp = data.draw(st.integers(0, pool.n - 1)), pool.total_supply * part // 1_000
    before, price = held(pool), settled(pool.get_virtual_price)
    quote = settled(lambda: pool.calc_withdraw_one_coin(lp, i))
    assert settled(lambda: pool.remove_liquidity_one_coin(lp, i)) == quote < before[i]
    assert held(pool) == [amount - quote if k == i else amount for k, amount in enumerate(before)]
    left = pool._xp(pool.balances, pool._rates())
    scarce = max(left) // min(left)
    assert settled(pool.get_virtual_price) >= price - 2 - scarce


@quick
@given(pool=pools, part=permille, data=st.data())
def test_every_unit_is_accounted_for(pool: PlainPool | MetaPool, part: int, data: st.DataObject) -> None:
    """What went in and out is the whole change of holders' and admin's balances together."""
    i, j = two_coins(data.draw, pool.n)
    dx = max(pool.balances[i] * part // 1_000, 1)
    before = held(pool)
    dy = settled(lambda: pool.exchange(i, j, dx))
    assert held(pool) == [amount + dx * (k == i) - dy * (k == j) for k, amount in enumerate(before)]
    before, amounts = held(pool), [balance * part // 2_000 for balance in pool.balances[:-1]] + [0]
    settled(lambda: pool.add_liquidity(amounts))
    assert held(pool) == [amount + more for amount, more in zip(before, amounts, strict=True)]
    before, supply, lp = held(pool), pool.total_supply, pool.total_supply * part // 1_001
    admin = list(pool.admin_balances)
    paid = pool.remove_liquidity(lp)
    sent = admin if pool.rules.pays_admin_on_removal else [0] * pool.n
    assert held(pool) == [amount - out - fee for amount, out, fee in zip(before, paid, sent, strict=True)]
    assert pool.total_supply == supply - lp


CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("exchange", (0, 1, 2**255)),
    ("exchange", (0, 0, 10**18)),
    ("exchange", (0, 7, 10**18)),
    ("exchange", (-1, 0, 10**18)),
    ("add_liquidity", ((0, 0),)),
    ("add_liquidity", ((2**255, 1),)),
    ("remove_liquidity_imbalance", ((0, 0),)),
    ("remove_liquidity_imbalance", ((10**24 + 1, 0),)),
    ("remove_liquidity_imbalance", ((10**24, 10**11),)),
    ("remove_liquidity_one_coin", (3 * 10**24, 0)),
    ("remove_liquidity_one_coin", (10**18, 2)),
    ("remove_liquidity", (2 * 10**24 + 1,)),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS)
@pytest.mark.parametrize(
    "make", [lambda: plain("base"), lambda: plain("factory_plain"), lambda: plain("ng"), meta, lambda: meta("ng_meta")]
)
def test_what_the_chain_refuses_reverts_and_leaves_no_trace(make: Callable[[], Any], name: str, arguments: tuple[Any, ...]) -> None:
    """Overflow, a coin for itself, a coin that is not there, nothing deposited, more out than in the pool or of LP than exists."""
    pool = make()
    before = copy.deepcopy(figures(pool))
    with pytest.raises(Revert):
        getattr(pool, name)(*arguments)
    assert figures(pool) == before


@quick
@given(pool=pools, data=st.data())
def test_a_random_call_that_reverts_leaves_the_pool_as_it_was(pool: PlainPool | MetaPool, data: st.DataObject) -> None:
    """Sizes from nothing to beyond the pool, indices from -1 to one too many: a Revert or an answer, and after a Revert no trace."""
    size = st.one_of(st.integers(0, 3), st.integers(0, 10**28), st.integers(2**200, 2**256 - 1))
    index = st.integers(-1, 4)
    amounts = st.lists(size, min_size=pool.n, max_size=pool.n)
    before = copy.deepcopy(figures(pool))
    calls: dict[str, tuple[Any, ...]] = {
        "exchange": (index, index, size),
        "add_liquidity": (amounts,),
        "remove_liquidity_imbalance": (amounts,),
        "remove_liquidity_one_coin": (size, index),
        "remove_liquidity": (size,),
        **({"exchange_underlying": (index, index, size)} if isinstance(pool, MetaPool) else {}),
    }
    name = data.draw(st.sampled_from(sorted(calls)))
    try:
        getattr(pool, name)(*(data.draw(argument) for argument in calls[name]))
    except Revert:
        assert figures(pool) == before
    else:
        assert min(pool.balances + pool.admin_balances) >= 0


@pytest.mark.parametrize("make", [lambda: plain("ng"), lambda: meta("ng_meta")])
def test_ng_refuses_to_do_nothing(make: Callable[[], Any]) -> None:
    """A swap of 0 and a burn of 0 revert."""
    for name, arguments in [("exchange", (0, 1, 0)), ("remove_liquidity", (0,)), ("remove_liquidity_one_coin", (0, 0))]:
        with pytest.raises(Revert):
            getattr(make(), name)(*arguments)


@pytest.mark.parametrize("generation", [rules.name for rules in GENERATIONS])
def test_an_empty_pool_reverts_until_its_first_deposit(generation: str) -> None:
    """Prices and quotes of nothing revert; the first deposit wants every coin and mints its D."""
    rules = next(rules for rules in GENERATIONS if rules.name == generation)
    n = 3 if generation == "three_pool" else 2
    pool = (meta if rules.meta else plain)(generation, balances=(0,) * n, total_supply=0)
    whole = [10 ** (d + 6) for d in pool.decimals]
    for call in (
        pool.get_virtual_price,
        lambda: pool.get_dy(0, 1, 10**18),
        lambda: pool.exchange(0, 1, 10**18),
        lambda: pool.calc_token_amount(whole, True),
        lambda: pool.calc_withdraw_one_coin(1, 0),
        lambda: pool.remove_liquidity(1),
        lambda: pool.remove_liquidity_imbalance([1] * n),
        lambda: pool.add_liquidity([0, *whole[1:]]),
    ):
        with pytest.raises(Revert):
            call()
    assert pool.add_liquidity(whole) == pool.total_supply
    assert pool.balances == whole
    assert abs(pool.total_supply - n * 10**24) <= 2


@pytest.mark.parametrize("bad", [-1, 1.0, "1", None, True, 2**256])
def test_an_amount_that_no_call_could_carry_is_a_value_error(bad: Any) -> None:
    """Negative, fractional, text, nothing, a truth value, wider than uint256: refused by name before the pool is touched."""
    pool = meta()
    before = copy.deepcopy(figures(pool))
    for call in (
        lambda: pool.get_dy(0, 1, bad),
        lambda: pool.exchange(0, 1, bad),
        lambda: pool.add_liquidity([bad, 1]),
        lambda: pool.calc_token_amount([1, bad], True),
        lambda: pool.remove_liquidity_imbalance([bad, 1]),
        lambda: pool.remove_liquidity_one_coin(bad, 0),
        lambda: pool.remove_liquidity(bad),
        lambda: pool.exchange_underlying(0, 1, bad),
        lambda: pool.get_dy_underlying(0, 1, bad),
    ):
        with pytest.raises(ValueError, match=r"dx|amounts\[[01]\]|lp") as refused:
            call()
        assert isinstance(refused.value, AmoOptError)
    assert figures(pool) == before


@pytest.mark.parametrize("amounts", [[1], [1, 2, 3], 5, "12"])
def test_amounts_are_one_a_coin(amounts: Any) -> None:
    """Another count, or no sequence, is a ValueError."""
    with pytest.raises(PoolInputError, match="amounts"):
        plain().add_liquidity(amounts)


@pytest.mark.parametrize("bad", [0.0, "0", None, False])
def test_a_coin_is_named_by_an_integer(bad: Any) -> None:
    """Anything else is a ValueError."""
    with pytest.raises(PoolInputError, match="index"):
        plain().get_dy(bad, 1, 1)


@pytest.mark.parametrize(
    "bad",
    [
        {"generation": "v3"},
        {"generation": None},
        {"generation": "meta_template"},
        {"amplification_raw": 0},
        {"amplification_raw": 99},
        {"amplification_raw": 10**8},
        {"amplification_raw": 20_000.0},
        {"fee_raw": 5 * 10**9 + 1},
        {"fee_raw": -1},
        {"admin_fee_raw": 10**10 + 1},
        {"decimals": (18,)},
        {"decimals": (18, 19)},
        {"decimals": (18, 6, 6)},
        {"balances": (1, -1)},
        {"balances": (1,)},
        {"total_supply": 1.5},
        {"admin_balances": (0,)},
        {"offpeg_fee_multiplier_raw": 2 * 10**10},
    ],
)
def test_a_pool_that_no_contract_would_hold_is_refused(bad: dict[str, Any]) -> None:
    """Unknown generation, A outside 1..10**6, fees above their limits, coins that do not match, a multiplier where there is none."""
    with pytest.raises(ValueError, match=r"\w"):
        plain(**bad)


@pytest.mark.parametrize("bad", [{"generation": "base"}, {"decimals": (18, 6)}, {"base_pool": None}, {"base_virtual_price": 10**18}])
def test_a_metapool_that_no_contract_would_hold_is_refused(bad: dict[str, Any]) -> None:
    """A plain generation, an LP token without 18 decimals, no base pool, a stored price where none is stored."""
    with pytest.raises(PoolInputError):
        meta(**bad)


def test_a_state_read_earlier_stays_as_it_was_read() -> None:
    """Balances are replaced, not changed in place."""
    pool = plain()
    before = pool.balances
    pool.exchange(0, 1, 10**18)
    assert before == [10**24, 10**12] != pool.balances
