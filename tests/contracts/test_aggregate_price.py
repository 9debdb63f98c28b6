"""The price aggregators: every measured value to the unit, small cases by hand, and what holds whatever the sources say."""

from __future__ import annotations

import copy
from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import cases_of

from amo_opt.contracts import aggregate_price
from amo_opt.contracts.aggregate_price import (
    MIN_LIQUIDITY,
    AggregateStablePrice,
    AggregateStablePrice3,
    AggregateStablePrice4,
    Source,
    from_state,
    replay,
)
from amo_opt.contracts.exponential import OVERFLOW_POWER, exp, wad_exp
from amo_opt.contracts.integers import WAD, Revert

cases = partial(cases_of, "aggregate_price_a")
OPS = {
    "wait": 182,
    "price_w": 119,
    "set": 92,
    "exchange": 67,
    "set_share_cap": 39,
    "start": 24,
    "add_price_pairs": 18,
    "remove_price_pair": 17,
    "add_liquidity": 11,
}
E = 10**24
"""A million."""
NAMES = ("AggregateStablePrice3", "AggregateStablePrice4")
VERSIONS = [AggregateStablePrice3, AggregateStablePrice4]
quick = settings(max_examples=150, deadline=None, derandomize=True)
both = pytest.mark.parametrize("version", VERSIONS)


def differences(case: dict[str, Any]) -> list[tuple[str, str]]:
    return [(op["op"], key) for op, mine in replay(case) for key, value in mine.items() if op[key] != value]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_every_value_of_every_op(case: dict[str, Any]) -> None:
    """Prices, values, stored values, caps, and what price_w and set_share_cap gave."""
    assert differences(case) == []


def test_the_vectors_are_all_there() -> None:
    """The counts that the page states."""
    assert Counter(op["op"] for case in cases() for op in case["ops"]) == OPS


BROKEN = {
    "exponential 3": lambda m: m.setattr(aggregate_price, "exp", wad_exp),
    "exponential 4": lambda m: m.setattr(aggregate_price, "wad_exp", exp),
    "virtual price 3": lambda m: m.setattr(AggregateStablePrice3, "_value", AggregateStablePrice4._value),
    "virtual price 4": lambda m: m.setattr(AggregateStablePrice4, "_value", AggregateStablePrice3._value),
    "least liquidity": lambda m: m.setattr(aggregate_price, "MIN_LIQUIDITY", MIN_LIQUIDITY + 1),
    "averaging time": lambda m: m.setattr(aggregate_price, "TVL_MA_TIME", 49_999),
    "least cap": lambda m: m.setattr(aggregate_price, "MIN_SHARE", WAD // 100 - 1),
    "no cap": lambda m: m.setattr(AggregateStablePrice4, "capped_weights", lambda self, values: list(values)),
    "default cap": lambda m: m.setattr(AggregateStablePrice4, "default_cap", staticmethod(lambda n: WAD if n <= 1 else 70 * WAD // 100)),
    "inverse": lambda m: m.setattr(aggregate_price.PricePair, "price", lambda self: self.pool.price_oracle()),
    "penalty": lambda m: m.setattr(AggregateStablePrice, "_penalties", lambda self, prices, mean: [WAD for _ in prices]),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_the_vectors_catch_a_broken_rule(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule matters to some measured value."""
    BROKEN[rule](monkeypatch)
    assert any(differences(case) for case in cases())


def two(version: type[AggregateStablePrice], low: int, high: int, **changes: Any) -> AggregateStablePrice:
    """Two NG sources of a million each, sigma 0.1 %."""
    contract = version(sigma=10**15, timestamp=1_000, **changes)
    for price in (low, high):
        contract.add_price_pair(Source(price=price, D=E, total_supply=E), is_ng=True)
    return contract


@both
def test_equal_sources_at_equal_distance_give_the_middle(version: type[AggregateStablePrice]) -> None:
    """Both are penalised alike."""
    assert two(version, WAD - 10**15, WAD + 10**15).price() == WAD


@both
def test_a_source_far_off_counts_for_little(version: type[AggregateStablePrice]) -> None:
    """Three million agree, a million is 1 % off: its distance is 7.5 sigmas of the mean, theirs 2.5, exp(-50) is nothing."""
    contract = two(version, WAD, WAD + 10**16)
    for _ in range(2):
        contract.add_price_pair(Source(price=WAD, D=E), is_ng=True)
    assert contract.price() == WAD


@both
def test_no_source_large_enough_is_a_price_of_one(version: type[AggregateStablePrice]) -> None:
    """A wei below 100,000 is nothing, 100,000 counts."""
    contract = version(sigma=10**15)
    source = Source(price=2 * WAD, D=MIN_LIQUIDITY - 1)
    contract.add_price_pair(source, is_ng=True)
    assert contract.price() == WAD
    source.D = MIN_LIQUIDITY
    assert contract.price() == 2 * WAD


@both
def test_inverse_prices_are_turned_over(version: type[AggregateStablePrice]) -> None:
    """And a price of nothing reverts there."""
    contract = version(sigma=10**15)
    source = Source(price=2 * WAD, D=E)
    contract.add_price_pair(source, is_inverse=True, is_ng=True)
    assert contract.price() == WAD // 2
    source.price = 0
    with pytest.raises(Revert):
        contract.price()


@pytest.mark.parametrize(("version", "value"), [(AggregateStablePrice3, E // 2), (AggregateStablePrice4, 2 * E)])
def test_values_of_old_pools_begin_at_the_supply_and_go_to_what_they_count_as(version: type[AggregateStablePrice], value: int) -> None:
    """At a virtual price of 2 version 3 halves the supply, version 4 doubles it; after 42 times 50,000 s nothing of the beginning is left."""
    contract = version(sigma=10**15)
    contract.add_price_pair(Source(total_supply=E, virtual_price=2 * WAD))
    assert contract.ema_tvl() == [E]
    contract.timestamp = 42 * 50_000
    assert contract.ema_tvl() == [value]
    assert contract.last_tvl[0] == E


@both
def test_a_block_has_one_written_price(version: type[AggregateStablePrice]) -> None:
    """The deployment's is 1; then the first call's, whatever the sources say after it."""
    contract = two(version, 2 * WAD, 2 * WAD)
    assert contract.price_w() == WAD
    contract.timestamp += 12
    assert contract.price_w() == 2 * WAD
    contract.price_pairs[0].pool.price = contract.price_pairs[1].pool.price = 3 * WAD  # type: ignore[attr-defined]
    assert (contract.price_w(), contract.price()) == (2 * WAD, 3 * WAD)


@both
def test_the_last_pair_fills_the_freed_slot(version: type[AggregateStablePrice]) -> None:
    """With its value; the last slot keeps its own, unused."""
    contract = version(sigma=10**15)
    pools = [Source(total_supply=k * E) for k in (1, 2, 3)]
    for pool in pools:
        contract.add_price_pair(pool)
    contract.remove_price_pair(0)
    assert [pair.pool for pair in contract.price_pairs] == [pools[2], pools[1]]
    assert contract.last_tvl[:3] == [3 * E, 2 * E, 3 * E]


def test_reasons_of_reverts() -> None:
    """Texts where version 4 has them."""
    with pytest.raises(Revert) as caught:
        two(AggregateStablePrice4, WAD, WAD).remove_price_pair(2)
    assert caught.value.reason == "bad pair index"
    with pytest.raises(Revert) as caught:
        two(AggregateStablePrice3, WAD, WAD).remove_price_pair(2)
    assert caught.value.reason == ""
    for cap, reason in ((WAD // 100 - 1, "share cap too low"), (WAD + 1, "share cap too high")):
        with pytest.raises(Revert) as caught:
            two(AggregateStablePrice4, WAD, WAD, custom_share_cap=cap)
        assert caught.value.reason == reason
    for sigma in (10**9 - 1, WAD + 1):
        with pytest.raises(Revert, match="bad sigma value"):
            AggregateStablePrice4(sigma=sigma)


@both
def test_slots_run_out(version: type[AggregateStablePrice]) -> None:
    """After twenty; and none can be freed of none."""
    contract = version(sigma=10**15)
    with pytest.raises(Revert):
        contract.remove_price_pair(0)
    for _ in range(20):
        contract.add_price_pair(Source())
    with pytest.raises(Revert):
        contract.add_price_pair(Source())


def test_shares_are_capped_one_after_another() -> None:
    """8 : 1 : 1 at 45 %: the large one is cut to 0.45, the others share 0.55; 1 : 1 : 1 at 30 % leaves a tenth with nobody."""
    weights = AggregateStablePrice4(sigma=10**15).capped_weights
    assert weights([8 * E, E, E]) == [45 * WAD // 100, 275 * WAD // 1000, 275 * WAD // 1000]
    assert weights([E, E]) == [WAD // 2, WAD // 2]
    assert weights([E]) == [WAD]
    assert weights([]) == []
    assert AggregateStablePrice4(sigma=10**15, custom_share_cap=3 * WAD // 10).capped_weights([E, E, E]) == [3 * WAD // 10] * 3


def test_exponentials_at_their_ends() -> None:
    """Nothing below, a revert or the given answer above, 1 at 0, and the two of them apart from half of ln 2 down."""
    assert exp(0) == wad_exp(0) == WAD
    assert exp(WAD) == wad_exp(WAD) == 2718281828459045235
    assert (exp(-WAD), wad_exp(-WAD)) == (367879441170299424, 367879441171442321)
    assert exp(-41446531673892821376) == 0 < exp(-41446531673892821375)
    assert wad_exp(-41446531673892822313) == 0 < wad_exp(-41446531673892822312)
    assert exp(OVERFLOW_POWER, at_overflow=7) == 7
    assert 0 < exp(OVERFLOW_POWER - 1) < 2**255
    for function, reason in ((exp, "exp overflow"), (wad_exp, "math: wad_exp overflow")):
        with pytest.raises(Revert) as caught:
            function(OVERFLOW_POWER)
        assert caught.value.reason == reason


@quick
@given(power=st.integers(-41 * WAD, 100 * WAD))
def test_exponentials_agree_to_ten_digits(power: int) -> None:
    """Up to the last unit of small results."""
    assert abs(exp(power) - wad_exp(power)) <= 1 + wad_exp(power) // 10**10


@st.composite
def sources(draw: st.DrawFn) -> list[tuple[Source, bool, bool]]:
    money = st.one_of(st.integers(0, 10**7), st.integers(0, 10**10)).map(lambda whole: whole * WAD)
    price = st.one_of(st.integers(99 * 10**16, 101 * 10**16), st.integers(1, 10**20))
    drawn = draw(st.lists(st.tuples(price, money, st.integers(WAD, 2 * WAD), st.booleans(), st.booleans()), min_size=1, max_size=6))
    return [(Source(p, supply, virtual, supply), inverse, ng) for p, supply, virtual, inverse, ng in drawn]


@quick
@given(drawn=sources(), dt=st.integers(0, 10**6))
def test_the_price_lies_among_the_prices(drawn: list[tuple[Source, bool, bool]], dt: int) -> None:
    """Of the sources that count, in both versions; shares stay within their cap and their sum within 1."""
    for version in VERSIONS:
        contract = version(sigma=10**15)
        for source, inverse, ng in drawn:
            contract.add_price_pair(source, is_inverse=inverse, is_ng=ng)
        contract.timestamp = dt
        large = [pair.price() for pair, tvl in zip(contract.price_pairs, contract.ema_tvl(), strict=True) if tvl >= MIN_LIQUIDITY] or [WAD]
        assert min(large) <= contract.price() <= max(large)
        if isinstance(contract, AggregateStablePrice4):
            active = [tvl for tvl in contract.ema_tvl() if tvl >= MIN_LIQUIDITY]
            weights = contract.capped_weights(active)
            assert all(weight <= contract.share_cap() for weight in weights)
            assert sum(weights) <= WAD


@quick
@given(drawn=sources(), broken=st.integers(0, 5))
def test_a_call_that_reverts_changes_nothing(drawn: list[tuple[Source, bool, bool]], broken: int) -> None:
    """Not the stored values either, which precede the price."""
    for version in VERSIONS:
        contract = version(sigma=10**15)
        for source, _, _ in drawn:
            contract.add_price_pair(source, is_inverse=True)
        drawn[broken % len(drawn)][0].price = 0
        contract.timestamp = 12
        before = copy.deepcopy(vars(contract))
        try:
            contract.price_w()
        except Revert:
            after = vars(contract)
            assert all(after[key] == before[key] for key in before)


def test_a_view_that_reverts_is_shown_as_none() -> None:
    """As in the vectors, and a written price as the revert's reason."""
    pool = {"price_oracle": "0", "total_supply": str(E), "virtual_price": str(WAD), "D_oracle": str(E)}
    fresh = {"last_price": str(WAD), "last_timestamp": 0, "last_tvl": [str(E)] + ["0"] * 4, "custom_share_cap": "0"}
    start = {"op": "start", "t": 0, "pools": [pool], "pairs": [0], "aggregators": dict.fromkeys(NAMES, fresh)}
    sources = [{"ng": False, "is_inverse": True}]
    ops = [start, {"op": "price_w", "t": 12, "pools": [pool]}, {"op": "wait", "t": 12, "pools": [{**pool, "virtual_price": "0"}]}]
    _, written, waited = [mine for _, mine in replay({"sigma": "1000000000000000", "sources": sources, "ops": ops})]
    assert written["price_w"] == {name: {"revert": ""} for name in NAMES}
    assert {written["aggregators"][name]["price"] for name in NAMES} == {None}
    assert {name: waited["aggregators"][name]["ema_tvl"] is None for name in NAMES} == dict(zip(NAMES, (True, False), strict=True))


def test_a_case_begins_at_its_start() -> None:
    """Pairs, stored values and time."""
    case = cases()[0]
    start = case["ops"][0]
    aggregators = from_state(case)
    assert aggregators.pairs() == start["pairs"]
    assert aggregators.state() == start["aggregators"]
