"""The two regulators: every measured answer to the unit, small cases by hand, and what holds whatever prices and debts are."""

from __future__ import annotations

import copy
from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import cases_of

from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert
from amo_opt.contracts.regulator import VERSIONS, Listed, Price, Prices, from_state, replay

cases = partial(cases_of, "regulator_a")
quick = settings(max_examples=100, deadline=None, derandomize=True)
both = pytest.mark.parametrize("version", VERSIONS)


@pytest.mark.parametrize("kind", ["stub", "real", "admin"])
def test_every_measured_answer_is_met_to_the_unit(kind):
    """Both versions' allowances, reverts with their reasons; of real pools also trades, prices and the aggregator's price; the setters."""
    met = 0
    for case in cases():
        if case["kind"] == kind:
            for theirs, mine in replay(case):
                assert mine == theirs, case["id"]
                met += 1
    assert met == {"stub": 616, "real": 223, "admin": 25}[kind]


def test_the_answers_reach_every_end():
    """Zero, a limit and a revert of each version where it has one."""
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases():
        if case["kind"] == "stub":
            for step in case["steps"]:
                for version, answers in step["results"].items():
                    for answer in answers:
                        provide = answer["provide_allowed"]
                        seen[version, "revert" if provide is None else "zero" if provide == "0" else "limit"] += 1
                        seen[version, "withdraw" if int(answer["withdraw_allowed"]) else "no withdrawal"] += 1
    assert set(seen) == {(v, end) for v in VERSIONS for end in ("zero", "limit", "withdraw", "no withdrawal")} | {("v1", "revert")}
    assert min(seen.values()) > 100


def some(n: int = 2, *, version: str = "v1", is_inverse: bool = False, debt: int = 0, price: int = WAD) -> Any:
    """A regulator of n keepers, each given a million, at even prices."""
    aggregator = Price(price)
    keepers = [Listed(Prices(), is_inverse, debt, 10**24 - debt) for _ in range(n)]
    return VERSIONS[version](aggregator, peg_keepers=keepers), keepers, aggregator


@both
def test_the_limit_by_hand(version):
    """Others without debt: alpha**2 = a quarter. Another fully drawn: (1/2 + 1/4)**2 = 9/16, but for the unit in the ratio."""
    regulator, keepers, _ = some(version=version)
    assert regulator.provide_allowed(keepers[0]) == 25 * 10**22
    keepers[0].debt = 10**23
    keepers[0].stablecoin_balance = 9 * 10**23
    assert regulator.provide_allowed(keepers[0]) == 15 * 10**22
    keepers[1].debt = 10**24
    keepers[1].stablecoin_balance = 0
    assert 0 <= 5625 * 10**20 - 10**23 - regulator.provide_allowed(keepers[0]) < 10**10
    regulator.set_debt_parameters(WAD, WAD)
    assert regulator.provide_allowed(keepers[0]) > 3 * 10**24


def test_a_debt_above_the_limit():
    """v1 reverts, v1.1.0 allows nothing."""
    regulator, keepers, _ = some(debt=3 * 10**23)
    regulator.set_debt_parameters(WAD // 2, 0)
    with pytest.raises(Revert):
        regulator.provide_allowed(keepers[0])
    regulator, keepers, _ = some(version="v1.1.0", debt=3 * 10**23)
    regulator.set_debt_parameters(WAD // 2, 0)
    assert regulator.provide_allowed(keepers[0]) == 0


@both
def test_the_aggregator_decides_the_side(version):
    """At exactly 1 both, below only withdrawing, above only providing."""
    regulator, keepers, aggregator = some(version=version)
    for price, provide, withdraw in ((WAD, True, True), (WAD - 1, False, True), (WAD + 1, True, False)):
        aggregator.value = price
        assert (regulator.provide_allowed(keepers[0]) > 0, regulator.withdraw_allowed(keepers[0]) > 0) == (provide, withdraw)


@both
@pytest.mark.parametrize(
    ("off", "provide", "withdraw"), [(-5, False, True), (-4, True, True), (4, True, True), (5, True, False), (6, False, False)]
)
def test_the_range_of_the_spot_price_is_half_open(version, off, provide, withdraw):
    """(average - deviation, average + deviation] for providing, the other end for v1's withdrawing; v1.1.0 withdraws at any."""
    regulator, keepers, _ = some(version=version)
    regulator.set_price_deviation(5)
    keepers[0].pool.spot = WAD + off
    assert (regulator.provide_allowed(keepers[0]) > 0) == provide
    assert (regulator.withdraw_allowed(keepers[0]) > 0) == (withdraw or version == "v1.1.0")


@both
@pytest.mark.parametrize("is_inverse", [False, True])
def test_the_pool_where_crvusd_is_dearest_is_not_provided_to(version, is_inverse):
    """Its paired coin is the cheapest. By more than the threshold: at it, providing is still allowed."""
    regulator, keepers, _ = some(3, version=version, is_inverse=is_inverse)
    regulator.set_worst_price_threshold(10**15)
    dear = WAD + 10**15
    for price, allowed in ((dear, True), (dear + 10, False)):
        shown = -(-(10**36) // price) if is_inverse else price
        keepers[0].pool = Prices(shown, shown)
        assert (regulator.provide_allowed(keepers[0]) > 0) == allowed
        assert regulator.provide_allowed(keepers[1]) > 0
    keepers[2].pool = keepers[0].pool
    assert regulator.provide_allowed(keepers[0]) > 0


@both
def test_an_average_below_the_threshold_bans(version):
    """The difference wraps around."""
    regulator, keepers, _ = some(version=version)
    keepers[0].pool = Prices(3 * 10**14 - 1, 3 * 10**14 - 1)
    assert regulator.provide_allowed(keepers[0]) == 0
    keepers[0].pool = Prices(3 * 10**14, 3 * 10**14)
    assert regulator.provide_allowed(keepers[0]) > 0


def test_a_keeper_alone():
    """Nothing to compare with: a ban in v1, alpha**2 in v1.1.0."""
    regulator, keepers, _ = some(1)
    assert regulator.provide_allowed(keepers[0]) == 0
    regulator, keepers, _ = some(1, version="v1.1.0")
    assert regulator.provide_allowed(keepers[0]) == 25 * 10**22


@both
def test_a_stranger_is_allowed_nothing(version):
    """Nor one that was taken off the list."""
    regulator, keepers, _ = some(3, version=version)
    regulator.remove_peg_keepers([keepers[0]])
    assert regulator.peg_keepers == (keepers[2], keepers[1])
    assert regulator.provide_allowed(keepers[0]) == regulator.withdraw_allowed(keepers[0]) == 0
    with pytest.raises(Revert):
        regulator.remove_peg_keepers([keepers[0]])


@both
def test_the_list_holds_eight_and_none_twice(version):
    """What would be the ninth reverts with all that came with it."""
    regulator, keepers, _ = some(7, version=version)
    more = [Listed(Prices(), False) for _ in range(2)]
    for refused in (more, [keepers[0]]):
        with pytest.raises(Revert):
            regulator.add_peg_keepers(refused)
        assert len(regulator.peg_keepers) == 7
    regulator.add_peg_keepers(more[:1])
    assert len(regulator.peg_keepers) == 8


def test_a_coins_oracle_is_of_the_later_version():
    """Below its least price providing stops; it goes with the keeper, and None takes it away."""
    regulator, keepers, _ = some(version="v1.1.0")
    oracle = Price(WAD)
    with pytest.raises(Revert):
        regulator.set_coin_oracle(keepers[0], oracle, WAD + 1)
    with pytest.raises(Revert):
        regulator.set_coin_oracle(Listed(Prices(), False), oracle, WAD)
    regulator.set_coin_oracle(keepers[0], oracle, WAD)
    assert regulator.provide_allowed(keepers[0]) > 0
    oracle.value -= 1
    assert regulator.provide_allowed(keepers[0]) == 0 < regulator.provide_allowed(keepers[1])
    assert regulator.withdraw_allowed(keepers[0]) == UINT256_MAX
    regulator.remove_peg_keepers([keepers[0]])
    regulator.add_peg_keepers([keepers[0]])
    assert regulator.provide_allowed(keepers[0]) > 0
    regulator.set_coin_oracle(keepers[0], oracle, WAD)
    regulator.set_coin_oracle(keepers[0], None, 0)
    assert regulator.provide_allowed(keepers[0]) > 0


@both
def test_only_the_admin_sets(version):
    """The emergency admin pauses alone; in v1.1.0 it cannot lift a pause."""
    regulator, keepers, aggregator = some(version=version)
    for call in (
        lambda sender: regulator.set_price_deviation(0, sender=sender),
        lambda sender: regulator.set_worst_price_threshold(0, sender=sender),
        lambda sender: regulator.set_debt_parameters(0, 0, sender=sender),
        lambda sender: regulator.set_aggregator(aggregator, sender=sender),
        lambda sender: regulator.set_fee_receiver("someone", sender=sender),
        lambda sender: regulator.set_emergency_admin("someone", sender=sender),
        lambda sender: regulator.add_peg_keepers([], sender=sender),
        lambda sender: regulator.remove_peg_keepers([], sender=sender),
        lambda sender: regulator.set_admin("emergency_admin", sender=sender),
    ):
        with pytest.raises(Revert):
            call("emergency_admin")
    regulator.set_killed(1, sender="emergency_admin")
    assert regulator.provide_allowed(keepers[0]) == 0 < regulator.withdraw_allowed(keepers[0])
    if version == "v1":
        regulator.set_killed(0, sender="emergency_admin")
    else:
        with pytest.raises(Revert):
            regulator.set_killed(2, sender="emergency_admin")
    for sender, value in (("other", 3), ("admin", 4)):
        with pytest.raises(Revert):
            regulator.set_killed(value, sender=sender)
    regulator.set_aggregator(aggregator)
    regulator.set_fee_receiver("someone")
    regulator.set_emergency_admin("someone")
    regulator.set_admin("someone")
    regulator.set_killed(3, sender="someone")
    assert regulator.withdraw_allowed(keepers[0]) == 0


prices = st.integers(WAD - 10**15, WAD + 10**15)


@quick
@given(
    keepers=st.lists(st.tuples(prices, prices, st.booleans(), st.integers(0, 10**24), st.integers(0, 10**24)), min_size=2, max_size=8),
    price=prices,
    killed=st.integers(0, 3),
)
def test_the_versions_agree_but_where_they_are_said_to_differ(keepers, price, killed):
    """Two keepers or more: providing is alike but for v1's revert, v1's withdrawing is also v1.1.0's; asking changes nothing."""
    known = [Listed(Prices(average, spot), inverse, debt, undrawn) for average, spot, inverse, debt, undrawn in keepers]
    first, later = (build(Price(price), peg_keepers=known) for build in VERSIONS.values())
    before = copy.deepcopy(vars(first) | {"peg_keepers": None, "aggregator": None})
    for regulator in (first, later):
        regulator.set_killed(killed)
    before["is_killed"] = killed
    for keeper in known:
        allowed = later.provide_allowed(keeper)
        assert allowed >= 0
        try:
            assert first.provide_allowed(keeper) == allowed
        except Revert:
            assert allowed == 0
        assert first.withdraw_allowed(keeper) in {0, later.withdraw_allowed(keeper)}
    assert vars(first) | {"peg_keepers": None, "aggregator": None} == before


def test_multipliers_that_cases_leave_out_are_found_by_their_swaps():
    """Told or found is the same; swaps that no multiplier explains are refused."""
    case = next(case for case in cases() if case["id"] == "reg-real-19")
    found = [pool.offpeg_fee_multiplier_raw for pool in from_state(case).pools]
    assert found == [10**11, 10**11, 5 * 10**10]
    told = {**case, "keepers": [{**entry, "offpeg_fee_multiplier": str(m)} for entry, m in zip(case["keepers"], found, strict=True)]}
    assert [pool.offpeg_fee_multiplier_raw for pool in from_state(told).pools] == found
    wrong = copy.deepcopy(case)
    next(op for op in wrong["ops"] if op["op"] == "exchange")["dy"] = "1"
    with pytest.raises(ValueError, match="no multiplier explains"):
        from_state(wrong)
