"""PegKeepers: every measured call to the unit, small cases by hand, and what holds whatever is called."""

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
from amo_opt.contracts.oracle_pool import OraclePool
from amo_opt.contracts.peg_keeper import Allowances, PegKeeperV2, PegKeeperV2Of900, from_state, replay

cases = partial(cases_of, "peg_keeper_a")
quick = settings(max_examples=100, deadline=None, derandomize=True)


def how(op: Any) -> str:
    """What came of an update."""
    if "revert" in op:
        return op["revert"] or "no reason"
    return op["side"] or "nothing"


@pytest.mark.parametrize("family", ["pk-stub", "pk-edge", "pk-real"])
def test_every_measured_call_is_met_to_the_unit(family):
    """Results, reverts with their reasons, and the entire state after: pools with their averages, keepers, regulator, aggregator."""
    met = 0
    for case in cases():
        if case["id"].startswith(family):
            for op, mine in replay(case):
                assert mine == op, case["id"]
                met += 1
    assert met == {"pk-stub": 2110, "pk-edge": 204, "pk-real": 1373}[family]


def test_the_calls_reach_every_end():
    """Both kinds of pool, every way in which an update ends, and each setting."""
    ops = [op for case in cases() for op in case["ops"]]
    assert len(ops) == 3687
    assert Counter(how(op) for op in ops if op["op"] == "update") == {
        "provide": 514,
        "withdraw": 248,
        "nothing": 293,
        "peg unprofitable": 360,
        "Regulator ban": 310,
        "no reason": 239,
    }
    assert {pool["pool"] for case in cases() for pool in case["pools"]} == {"old", "ng"}
    assert {case["keeper_contract"] for case in cases()} == {"PegKeeperV2", "PegKeeperV2_900"}


def test_an_op_that_no_case_has_is_refused():
    """A misspelt op would else be a call that does nothing."""
    for case in (cases()[0], next(case for case in cases() if case["regulator"] != "stub")):
        with pytest.raises(ValueError, match="'fly' is unknown"):
            list(replay({**case, "ops": [{"op": "fly", "keeper": 0}]}))


def a_keeper(balances: tuple[int, int] = (10**24, 10**24), *, build: Any = PegKeeperV2, kind: str = "old", **changes: Any) -> PegKeeperV2:
    """A keeper with a million crvUSD, coin 1 of a pool at A = 100 without fee; the caller gets a fifth."""
    values = {"kind": kind, "decimals": (18, 18), "amplification_raw": 10_000, "fee_raw": 0, "timestamp": 10**6}
    pool = OraclePool(balances=(10**24, 10**24), total_supply=2 * 10**24, **values)
    pool = OraclePool(balances=balances, total_supply=pool._D(list(balances), 10_000), **values)
    return build(pool, Allowances(), **{"pegged_index": 1, "caller_share": 20_000, "stablecoin_balance": 10**24, **changes})


def figures(keeper: PegKeeperV2) -> Any:
    pool = keeper.pool
    held = keeper.debt, keeper.stablecoin_balance, keeper.last_change, keeper.caller_share
    return (*held, pool.balances, pool.admin_balances, pool.total_supply, pool.averages, pool.balance_of)


def test_a_fifth_of_the_difference_is_moved():
    """Short of crvUSD by 100,000: 20,000 are provided, and the debt is as much."""
    keeper = a_keeper((10**24, 9 * 10**23))
    reward = keeper.update("someone")
    assert (keeper.debt, keeper.stablecoin_balance) == (2 * 10**22, 98 * 10**22)
    assert keeper.pool.balances == [10**24, 92 * 10**22]
    assert keeper.last_change == 10**6
    assert keeper.pool.balance_of["someone"] == reward
    profit = keeper.lp + reward - keeper.debt * WAD // keeper.pool.get_virtual_price()
    assert reward == profit // 5
    assert keeper.calc_profit() == profit - reward


def test_too_much_is_taken_back():
    """After the other side has shrunk, a fifth of the surplus, no more than the debt."""
    keeper = a_keeper((10**24, 9 * 10**23))
    keeper.update()
    keeper.pool.timestamp += 12
    keeper.pool.exchange(1, 0, 10**23)
    surplus = keeper.pool.balances[1] - keeper.pool.balances[0]
    assert surplus // 5 > keeper.debt
    keeper.update()
    assert (keeper.debt, keeper.stablecoin_balance) == (0, 10**24)


def test_coins_of_six_decimals_and_crvusd_first():
    """The paired coin is counted in 1e18, on whichever side."""
    pool = OraclePool(
        kind="old", decimals=(18, 6), balances=(9 * 10**23, 10**12), amplification_raw=10_000, fee_raw=0, total_supply=19 * 10**23
    )
    keeper = PegKeeperV2(pool, Allowances(), pegged_index=0, caller_share=0, stablecoin_balance=10**24)
    pool.timestamp = 12
    assert keeper.is_inverse
    assert keeper.update() == 0
    assert keeper.debt == 2 * 10**22
    assert keeper.calc_profit() > 0


def test_the_order_of_the_checks():
    """Too early is no error, even under a ban; a ban comes before the pool; an even pool is on the withdrawing side."""
    keeper = a_keeper()
    keeper.regulator = Allowances(UINT256_MAX, 0)
    keeper.last_change = 10**6 - 11
    assert keeper.update() == 0
    keeper.last_change = 10**6 - 12
    with pytest.raises(Revert, match="Regulator ban"):
        keeper.update()
    keeper.regulator = Allowances()
    with pytest.raises(Revert, match="peg unprofitable"):
        keeper.update()


@pytest.mark.parametrize("balances", [(10**24, 9 * 10**23), (9 * 10**23, 10**24)])
def test_nothing_to_move_reverts_in_the_pool(balances):
    """Without crvUSD or without debt the pool is handed zero and gives no reason."""
    keeper = a_keeper(balances, stablecoin_balance=0)
    with pytest.raises(Revert) as revert:
        keeper.update()
    assert revert.value.reason == ""
    assert keeper.estimate_caller_profit() == 0


def test_the_regulator_bounds_the_move_and_its_revert_is_the_keepers():
    """The least of a fifth, the allowance and the stock."""
    keeper = a_keeper((10**24, 9 * 10**23))
    keeper.regulator = Allowances(provide=7)
    before = figures(keeper)
    with pytest.raises(Revert):
        keeper.update()
    assert figures(keeper) == before
    keeper.regulator = Allowances(provide=7 * 10**18)
    keeper.update()
    assert keeper.debt == 7 * 10**18

    class Broken(Allowances):
        def provide_allowed(self, _keeper: object) -> int:
            raise Revert("broken")

    keeper.pool.timestamp += 12
    keeper.set_new_regulator(Broken())
    for call in (keeper.update, keeper.estimate_caller_profit):
        with pytest.raises(Revert, match="broken"):
            call()


def test_a_fee_on_a_small_imbalance_makes_the_move_unprofitable():
    """The pool pays less than par, and everything is as it was."""
    keeper = a_keeper((10**24, 999 * 10**21))
    keeper.pool.fee_raw = 4 * 10**6
    before = figures(keeper)
    with pytest.raises(Revert, match="peg unprofitable"):
        keeper.update()
    assert figures(keeper) == before
    assert keeper.estimate_caller_profit() == 0


def test_settings():
    """A share is at most all; only the later keeper has a delay to set; nobody has undrawn()."""
    keeper = a_keeper()
    keeper.set_new_caller_share(100_000)
    with pytest.raises(Revert):
        keeper.set_new_caller_share(100_001)
    with pytest.raises(Revert):
        a_keeper(caller_share=100_001)
    keeper.set_new_action_delay(900)
    assert keeper.action_delay == 900
    early = a_keeper(build=PegKeeperV2Of900)
    with pytest.raises(Revert):
        early.set_new_action_delay(12)
    early.last_change = 10**6 - 899
    assert early.update() == 0
    with pytest.raises(Revert):
        keeper.undrawn()


def test_profit_goes_to_the_regulators_receiver():
    """All of it, and it is gone then."""
    keeper = a_keeper((10**24, 9 * 10**23))
    keeper.update()
    profit = keeper.calc_profit()
    assert keeper.withdraw_profit() == profit > 0
    assert keeper.pool.balance_of["fee_receiver"] == profit
    assert keeper.calc_profit() == keeper.withdraw_profit() == 0


@quick
@given(
    kind=st.sampled_from(["old", "ng"]),
    fee=st.sampled_from([0, 10**6, 4 * 10**6]),
    share=st.integers(0, 100_000),
    moves=st.lists(st.tuples(st.booleans(), st.integers(0, 4 * 10**23), st.integers(0, 30), st.integers(0, 10**24)), max_size=6),
)
def test_whatever_happens_crvusd_adds_up_and_a_reverting_call_changes_nothing(kind, fee, share, moves):
    """Debt and stock add up to what was given; a success raises the profit, and the estimate is no more than what is paid."""
    keeper = a_keeper(kind=kind, caller_share=share)
    keeper.pool.fee_raw = fee
    for first, dx, dt, allowed in moves:
        keeper.pool.exchange(*((0, 1) if first else (1, 0)), dx + 1)
        keeper.pool.timestamp += dt
        keeper.regulator = Allowances(allowed, allowed)
        before, profit = copy.deepcopy(figures(keeper)), keeper.calc_profit()
        try:
            estimate = keeper.estimate_caller_profit()
            reward = keeper.update()
        except Revert:
            assert figures(keeper) == before
        else:
            assert keeper.debt >= 0
            assert keeper.debt + keeper.stablecoin_balance == 10**24
            assert estimate <= reward
            assert keeper.calc_profit() >= profit
            if keeper.debt == before[0]:
                assert figures(keeper) == before
                assert reward == 0


def test_a_copy_is_another_keeper():
    """replay undoes a probe by working on a copy: nothing of it is shared."""
    keepers = from_state(cases()[0])
    other = copy.deepcopy(keepers)
    other.pools[0].exchange(0, 1, 10**9)
    other.keepers[0].debt = 5
    assert keepers.state() == from_state(cases()[0]).state()
