"""The monetary policies: every measured rate to the unit, small cases by hand, and what holds whatever price and debts are."""

from __future__ import annotations

import copy
from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import cases_of

from amo_opt.contracts import monetary_policy, policy_parts
from amo_opt.contracts.aggregate_price import AggregateStablePrice3, Source
from amo_opt.contracts.exponential import exp, wad_exp
from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert, divided
from amo_opt.contracts.monetary_policy import (
    MAX_RATE,
    TOTAL,
    AggMonetaryPolicy2,
    AggMonetaryPolicy3,
    AggMonetaryPolicy3c,
    AggMonetaryPolicy4,
    ControllerFactory,
    StubKeeper,
    StubOracle,
    from_state,
    replay,
)
from amo_opt.contracts.policy_parts import DEBT_CANDLE_TIME, EMA, DebtCandle

cases = partial(cases_of, "monetary_policy_a")
OPS = {
    "rate_write": 218,
    "wait": 193,
    "set": 185,
    "start": 28,
    "set_debt_ratio_ema_time": 12,
    "set_target_debt_fraction": 8,
    "set_extra_const": 7,
    "set_rate": 7,
    "set_sigma": 7,
}
E = 10**24
"""A million."""
RATE = 10**9
NOON = 20_000 * DEBT_CANDLE_TIME
VERSIONS = [AggMonetaryPolicy2, AggMonetaryPolicy3, AggMonetaryPolicy3c, AggMonetaryPolicy4]
quick = settings(max_examples=150, deadline=None, derandomize=True)
every = pytest.mark.parametrize("version", VERSIONS)


def differences(case: dict[str, Any]) -> list[tuple[str, str]]:
    return [(op["op"], key) for op, mine in replay(case) for key, value in mine.items() if op[key] != value]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_every_value_of_every_op(case: dict[str, Any]) -> None:
    """Rates of every market, candles, what rate_write returned and queued, which setters refused."""
    assert differences(case) == []


def test_the_vectors_are_all_there() -> None:
    """The counts that the page states."""
    assert Counter(op["op"] for case in cases() for op in case["ops"]) == OPS


def keeps_quiet(ema: EMA, ema_time: int, now: int) -> None:
    if ema_time == 0:
        raise Revert
    ema.ema_time = ema_time


BROKEN = {
    "exponential 4": lambda m: (m.setattr(monetary_policy, "wad_exp", exp), m.setattr(policy_parts, "wad_exp", exp)),
    "most of the exponential": lambda m: m.setattr(monetary_policy, "MAX_EXP", 999 * WAD),
    "most of the rate": lambda m: m.setattr(monetary_policy, "MAX_RATE", MAX_RATE - 1),
    "remainder": lambda m: m.setattr(monetary_policy, "TARGET_REMAINDER", WAD // 9),
    "half-days": lambda m: m.setattr(policy_parts, "DEBT_CANDLE_TIME", 86_400),
    "stale candle": lambda m: m.setattr(DebtCandle, "read", lambda candle, now: candle.candle1),
    "candle of nothing": lambda m: m.setattr(DebtCandle, "written", lambda candle, value, now: DebtCandle(value, value, now)),
    "debts of now in rate": lambda m: m.setattr(AggMonetaryPolicy3, "_debts", AggMonetaryPolicy3._kept_debts),
    "candles in rate": lambda m: m.setattr(AggMonetaryPolicy3, "_debts", AggMonetaryPolicy2._debts),
    "unknown controllers 2": lambda m: m.setattr(AggMonetaryPolicy2, "get_total_debt", AggMonetaryPolicy4.get_total_debt),
    "unknown controllers 4": lambda m: m.setattr(AggMonetaryPolicy4, "get_total_debt", AggMonetaryPolicy2.get_total_debt),
    "no ceiling 4": lambda m: m.setattr(AggMonetaryPolicy4, "_filled", AggMonetaryPolicy2._filled),
    "no ceiling 2": lambda m: m.setattr(AggMonetaryPolicy2, "_filled", AggMonetaryPolicy4._filled),
    "no debt, keepers": lambda m: m.setattr(AggMonetaryPolicy2, "_keepers_debt", lambda policy: 0),
    "no debt 4": lambda m: m.setattr(
        AggMonetaryPolicy4,
        "_ratio",
        lambda policy, total: divided(policy._keepers_debt() * WAD, total) if total else policy.target_debt_fraction,
    ),
    "constant": lambda m: m.setattr(AggMonetaryPolicy3c, "_base_rate", AggMonetaryPolicy3._base_rate),
    "new time from the last write on": lambda m: m.setattr(EMA, "set_ema_time", keeps_quiet),
    "beginning of the average": lambda m: m.setattr(EMA, "read", lambda ema, now: ema.queued_value),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_the_vectors_catch_a_broken_rule(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule matters to some measured value."""
    BROKEN[rule](monkeypatch)
    assert any(differences(case) for case in cases())


def made(version: type[AggMonetaryPolicy2], **changes: Any) -> AggMonetaryPolicy2:
    """Sigma 2 %, target 10 %, two markets of a million with a ceiling of two, known; no keepers' debt, price 1."""
    values: dict[str, Any] = {
        "price_oracle": StubOracle(),
        "controller_factory": ControllerFactory([E, E], [2 * E, 2 * E]),
        "peg_keepers": [StubKeeper(), StubKeeper()],
        "rate": RATE,
        "sigma": 2 * 10**16,
        "target_debt_fraction": WAD // 10,
        "timestamp": NOON,
    }
    if issubclass(version, AggMonetaryPolicy3c):
        values["extra_const"] = 0
    if issubclass(version, AggMonetaryPolicy4):
        values["debt_ratio_ema_time"] = 3_600
    contract = version(**{**values, **changes})
    contract.rate_write(0)
    return contract


@every
def test_at_the_peg_half_full_the_rate_is_a_tenth_above_its_base(version: type[AggMonetaryPolicy2]) -> None:
    """0.9 + 0.1 / (1 - 0.5) = 1.1; version 4 begins its average at the target, e**-1."""
    expected = RATE * 11 // 10
    if version is AggMonetaryPolicy4:
        expected = RATE * wad_exp(-WAD) // WAD * 11 // 10
    assert made(version).rate(0) == expected


@pytest.mark.parametrize("version", VERSIONS[:3])
def test_a_sigma_below_the_peg_and_a_target_of_keepers_debt_cancel(version: type[AggMonetaryPolicy2]) -> None:
    """Each moves the power by one, to the two sides."""
    oracle, keepers = StubOracle(98 * 10**16), [StubKeeper(E // 5)]
    contract = made(version, price_oracle=oracle, peg_keepers=keepers)
    assert contract.rate(0) == RATE * 11 // 10
    keepers[0].value = 0
    assert contract.rate(0) == RATE * exp(WAD) // WAD * 11 // 10


@every
def test_a_full_market_pays_the_most_there_is(version: type[AggMonetaryPolicy2]) -> None:
    """At its ceiling times 1000.9, and beyond it no more than that."""
    factory = ControllerFactory([E, E], [E, E // 2])
    contract = made(version, controller_factory=factory, rate=10**6)
    base = 10**6 * (wad_exp(-WAD) if version is AggMonetaryPolicy4 else WAD) // WAD
    assert contract.rate(0) == contract.rate(1) == base * 10009 // 10
    contract.set_rate(MAX_RATE)
    assert contract.rate(0) == MAX_RATE


@every
def test_a_market_without_a_ceiling(version: type[AggMonetaryPolicy2]) -> None:
    """Pays the base rate, above MAX_RATE too, in versions 2, 3 and 3c; in version 4 what a full one pays."""
    contract = made(version, controller_factory=ControllerFactory([E], [0]), rate=MAX_RATE, price_oracle=StubOracle(9 * WAD // 10))
    if version is AggMonetaryPolicy4:
        assert contract.rate(0) == MAX_RATE
    else:
        assert contract.rate(0) == MAX_RATE * exp(5 * WAD) // WAD > MAX_RATE


@every
def test_debt_of_keepers_without_debt_of_markets(version: type[AggMonetaryPolicy2]) -> None:
    """No rate in versions 2, 3 and 3c, whose extra_const goes too; version 4 stays at its average."""
    extra = {"extra_const": RATE} if issubclass(version, AggMonetaryPolicy3c) else {}
    contract = made(version, controller_factory=ControllerFactory([0], [E]), peg_keepers=[StubKeeper(E)], **extra)
    expected = RATE * wad_exp(-WAD) // WAD + RATE if version is AggMonetaryPolicy4 else 0
    assert contract.rate(0) == expected


@pytest.mark.parametrize("version", VERSIONS[:3])
def test_controllers_are_known_from_the_first_write_on(version: type[AggMonetaryPolicy2]) -> None:
    """A new market's debt counts for nothing in ``rate`` before it."""
    factory = ControllerFactory([E], [2 * E])
    contract = made(version, controller_factory=factory)
    factory.debts.append(7 * E)
    factory.ceilings.append(8 * E)
    assert contract.get_total_debt(1) == (E, 0)
    contract.rate_write(0)
    assert contract.get_total_debt(1) == (8 * E, 7 * E)
    assert contract.get_total_debt(2) == (8 * E, 0)
    assert factory.debt_ceiling(2) == factory.debt_ceiling(-1) == 0


def test_a_candle_forgets_after_two_half_days() -> None:
    """The least of both half-days, then of the later one, then nothing; none is begun by a debt of 0."""
    assert DebtCandle().written(0, NOON) == DebtCandle()
    first = DebtCandle().written(5, NOON + 1)
    assert first == DebtCandle(5, 5, NOON + 1)
    second = first.written(3, NOON + 2).written(9, NOON + DEBT_CANDLE_TIME)
    assert second == DebtCandle(3, 9, NOON + DEBT_CANDLE_TIME)
    ends = NOON + 2 * DEBT_CANDLE_TIME
    assert [second.read(t) for t in (ends - 1, ends, ends + DEBT_CANDLE_TIME - 1, ends + DEBT_CANDLE_TIME)] == [3, 9, 9, 0]
    assert DebtCandle(0, 9, NOON).read(NOON + 1) == 9
    assert second.written(4, ends + DEBT_CANDLE_TIME) == DebtCandle(4, 4, ends + DEBT_CANDLE_TIME)


def test_a_market_just_filled_pays_as_before_for_up_to_a_day() -> None:
    """Version 2 asks for more at once, version 3 from the next half-day's end on."""
    factory = ControllerFactory([E], [2 * E])
    before, after = RATE * 11 // 10, RATE * 19 // 10
    for version in (AggMonetaryPolicy2, AggMonetaryPolicy3):
        factory.debts[0] = E
        contract = made(version, controller_factory=factory)
        factory.debts[0] = 18 * E // 10
        seen = []
        for t in (NOON + 1, NOON + DEBT_CANDLE_TIME, NOON + 2 * DEBT_CANDLE_TIME):
            contract.timestamp = t
            seen.append(contract.rate_write(0))
        assert seen == ([after] * 3 if version is AggMonetaryPolicy2 else [before, before, after])


def test_an_average_takes_a_value_in_from_the_next_update_on() -> None:
    """Queued at 0, it is all there after 42 times the averaging time; another time begins where the average stands."""
    ema = EMA(100, 0, 0, 0)
    assert ema.update(WAD, 4_200) == 0
    assert ema.read(4_200) == 0
    assert ema.read(8_400) == WAD
    ema.set_ema_time(10**9, 4_300)
    assert (ema.prev_value, ema.queued_value) == (WAD - wad_exp(-WAD), WAD)
    with pytest.raises(Revert):
        ema.set_ema_time(0, 4_300)
    assert ema.ema_time == 10**9


@every
def test_what_the_setters_refuse(version: type[AggMonetaryPolicy2]) -> None:
    """Without a reason, and with nothing changed."""
    contract = made(version)
    before = {key: value for key, value in vars(contract).items() if isinstance(value, int)}
    limits = {"set_rate": (-1, MAX_RATE + 1), "set_sigma": (10**14 - 1, WAD + 1), "set_target_debt_fraction": (0, WAD + 1)}
    if isinstance(contract, AggMonetaryPolicy3c):
        limits["set_extra_const"] = (-1, MAX_RATE + 1)
    if isinstance(contract, AggMonetaryPolicy4):
        limits["set_debt_ratio_ema_time"] = (0,)
        with pytest.raises(Revert):
            made(version, debt_ratio_ema_time=0)
    for setter, values in limits.items():
        for value in values:
            with pytest.raises(Revert) as caught:
                getattr(contract, setter)(value)
            assert caught.value.reason == ""
    assert {key: value for key, value in vars(contract).items() if isinstance(value, int)} == before


def test_a_target_of_nothing_can_be_deployed_in_the_older_versions() -> None:
    """It reverts at the first debt of a keeper; versions 3c and 4 refuse it."""
    keeper = StubKeeper()
    for version in VERSIONS[:2]:
        keeper.value = 0
        contract = made(version, target_debt_fraction=0, peg_keepers=[keeper])
        keeper.value = 1
        with pytest.raises(Revert):
            contract.rate(0)
    for version in VERSIONS[2:]:
        with pytest.raises(Revert):
            made(version, target_debt_fraction=0)


@every
def test_a_write_that_reverts_changes_nothing(version: type[AggMonetaryPolicy2]) -> None:
    """Neither what is known nor candles nor the average; the debts here leave uint256."""
    factory, keeper = ControllerFactory([E], [E]), StubKeeper(E)
    contract = made(version, controller_factory=factory, peg_keepers=[keeper])
    factory.debts.append(1)
    factory.ceilings.append(1)
    keeper.value = UINT256_MAX
    contract.timestamp += DEBT_CANDLE_TIME
    before = copy.deepcopy(vars(contract))
    with pytest.raises(Revert):
        contract.rate_write(0)
    after = vars(contract)
    assert {key: after[key] for key in ("n_controllers", "min_debt_candles", "ema") if key in after} == {
        key: before[key] for key in ("n_controllers", "min_debt_candles", "ema") if key in before
    }
    factory.debts[:] = [UINT256_MAX, 1]
    with pytest.raises(Revert):
        contract.rate_write(0)
    assert contract.n_controllers == 1


def test_a_revert_is_shown_as_in_the_vectors() -> None:
    """A view as None, a write as the revert's reason."""
    case = copy.deepcopy(cases()[0])
    op = {**case["ops"][0], "op": "rate_write", "index": 0, "controller_debts": [str(UINT256_MAX)] * 5}
    case["ops"] = [case["ops"][0], op]
    _, mine = list(replay(case))[1]
    assert mine["rate_write"] == {name: {"revert": ""} for name in op["policies"]}
    assert mine["policies"]["AggMonetaryPolicy4"]["rate"] == [None] * 5


def test_a_case_begins_at_its_start() -> None:
    """Parameters, time, and nothing written."""
    for case in cases():
        policies = from_state(case)
        assert policies.state() == case["ops"][0]["policies"]
        assert policies.contracts["AggMonetaryPolicy4"].timestamp == int(case["parameters"]["deployed_at"])


@every
def test_the_aggregator_is_a_price_oracle(version: type[AggMonetaryPolicy2]) -> None:
    """A write has it store its price; a view does not."""
    aggregator = AggregateStablePrice3(sigma=10**15, timestamp=NOON - 12)
    aggregator.add_price_pair(Source(price=98 * 10**16, D=E), is_ng=True)
    aggregator.timestamp = NOON
    contract = made(version, price_oracle=aggregator)
    assert aggregator.last_price == 98 * 10**16
    aggregator.price_pairs[0].pool.price = WAD  # type: ignore[attr-defined]
    aggregator.timestamp += 12
    assert contract.rate(0) < made(version, price_oracle=StubOracle(98 * 10**16)).rate(0)
    assert aggregator.last_price == 98 * 10**16


money = st.one_of(st.just(0), st.integers(1, 10**9).map(lambda whole: whole * WAD), st.integers(0, 10**30))
steps = st.lists(
    st.tuples(st.integers(0, 100_000), st.integers(9 * WAD // 10, 11 * WAD // 10), money, money, money, st.integers(0, 2)),
    min_size=1,
    max_size=6,
)


@quick
@given(steps=steps, ceiling=money)
def test_rates_stay_in_bounds_and_writes_keep_the_least_debt(steps: list[tuple[int, int, int, int, int, int]], ceiling: int) -> None:
    """A market with a ceiling pays at most MAX_RATE; right after a write no candle is above the debt; a view changes nothing."""
    for version in VERSIONS:
        oracle, factory, keeper = StubOracle(), ControllerFactory([0, 0], [ceiling, E]), StubKeeper()
        contract = made(version, price_oracle=oracle, controller_factory=factory, peg_keepers=[keeper])
        for dt, oracle.value, first, second, keeper.value, market in steps:
            factory.debts[:] = [first, second]
            contract.timestamp += dt
            before = snapshot(contract)
            rate = contract.rate(market)
            assert snapshot(contract) == before
            assert rate >= 0
            assert contract.rate_write(market) >= 0
            if factory.debt_ceiling(market) or version is AggMonetaryPolicy4:
                assert rate <= MAX_RATE
            if isinstance(contract, AggMonetaryPolicy3):
                assert contract.read_candle(TOTAL) <= first + second
                assert contract.read_candle(market) <= contract.get_total_debt(market)[1]


def snapshot(contract: AggMonetaryPolicy2) -> Any:
    candles = dict(contract.min_debt_candles) if isinstance(contract, AggMonetaryPolicy3) else {}
    ema = copy.copy(contract.ema) if isinstance(contract, AggMonetaryPolicy4) else None
    return contract.n_controllers, {key: candle for key, candle in candles.items() if candle != DebtCandle()}, ema


@quick
@given(
    price=st.integers(9 * WAD // 10, 11 * WAD // 10),
    rise=st.integers(0, WAD // 10),
    debt=st.integers(1, 2 * 10**6),
    keepers=st.integers(0, 10**6),
)
def test_a_higher_price_and_more_debt_of_keepers_lower_the_rate(price: int, rise: int, debt: int, keepers: int) -> None:
    """Or leave it; a fuller market pays no less."""
    for version in VERSIONS:
        oracle, factory, keeper = StubOracle(price), ControllerFactory([debt * WAD, E], [2 * E, 2 * E]), StubKeeper()
        contract = made(version, price_oracle=oracle, controller_factory=factory, peg_keepers=[keeper])
        rate = contract.rate(0)
        oracle.value = price + rise
        assert contract.rate(0) <= rate
        oracle.value, keeper.value = price, keepers * WAD
        assert contract.rate(0) <= rate
        keeper.value, factory.debts[0] = 0, debt * WAD + E
        assert contract.rate(0) >= rate
