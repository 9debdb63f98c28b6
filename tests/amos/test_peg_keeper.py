"""The PegKeeper: its hour against the contract called again and again, its profit by algebra, its ceiling, and that it is nothing where nobody speaks of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos.peg_keeper import SHARE_OF_IMBALANCE, alone, imbalance_of, left_after, moved_of, profit_of
from amo_opt.config.load import load_study
from amo_opt.config.overrides import with_figure
from amo_opt.config.study import Study
from amo_opt.contracts.integers import Revert
from amo_opt.contracts.oracle_pool import OraclePool
from amo_opt.contracts.peg_keeper_v2 import Allowances, PegKeeperV2
from amo_opt.protocol.state import Figure
from amo_opt.simulation.engine import simulate, trace

STUDIES = Path(__file__).parents[2] / "studies"
WAD = 10**18
SIZE = 20_000_000


def contract(x: float, *, a: int, fee: float, debt: float = 0.0, held: float = 0.0, share: float = 0.2) -> PegKeeperV2:
    """A keeper of a pool with so much stablecoin and as much of the other coin as makes 20m, at first of its providers but for a part that the keeper ``held``."""
    balances = [round(x * WAD), round((SIZE - x) * WAD)]
    pool = OraclePool(
        kind="old",
        decimals=(18, 18),
        balances=balances,
        amplification_raw=100 * a,
        fee_raw=round(fee * 1e10),
        total_supply=WAD,
        timestamp=10**6,
    )
    d = pool._D(pool._xp(pool.balances, pool._rates()), pool.amplification_raw)
    lp = round(held * d)
    pool = OraclePool(
        kind="old",
        decimals=(18, 18),
        balances=balances,
        amplification_raw=100 * a,
        fee_raw=round(fee * 1e10),
        total_supply=d,
        timestamp=10**6,
        balance_of={"keeper": lp},
    )
    keeper = PegKeeperV2(pool, Allowances(), pegged_index=0, caller_share=round(share * 1e5), stablecoin_balance=10**27)
    keeper.debt = round(debt * WAD)
    return keeper


def called(keeper: PegKeeperV2, times: int) -> float:
    """Stablecoin that so many calls move, one each action delay, until one reverts."""
    before = keeper.debt
    for _ in range(times):
        keeper.pool.timestamp += keeper.action_delay
        try:
            keeper.update("caller")
        except Revert:
            break
    return (keeper.debt - before) / WAD


def as_lanes(block: Any, keeper: PegKeeperV2, *, calls: int) -> Any:
    """The same pool and keeper in a block's lanes, without gas, at par."""
    pool = keeper.pool
    d = pool._D(pool._xp(pool.balances, pool._rates()), pool.amplification_raw) / WAD
    block["pool_x"], block["pool_y"] = (balance / WAD for balance in pool.balances)
    block["d"], block["ann"], block["lp_supply"] = d, 2.0 * pool.amplification_raw / 100, 1.0
    block["lp_amo"] = block["own"] = keeper.lp / pool.total_supply
    block["peg_keeper.debt"], block["peg_keeper.lp"] = keeper.debt / WAD, keeper.lp / pool.total_supply
    block["base_value"] = block["collateral_price"] = 1.0
    block.parameter(peg_keeper_ceiling=1.0, peg_keeper_caller_share=keeper.caller_share / 1e5)
    own = {"fee": pool.fee_raw / 1e10, "admin_fee": 0.5, "admin_to_protocol": 0.0, "calls": float(calls), "gas_part": 0.0}
    block.constant(**{f"peg_keeper.{name}": value for name, value in own.items()})
    block.market(gas_usd=0.0)
    return block


HOURS = [
    (x, a, fee, calls)
    for x in (2e6, 6e6, 8e6, 9.5e6, 9.9e6, 10.1e6, 11e6, 14e6, 18e6)
    for a, fee in ((100, 0.0004), (500, 0.0001), (1500, 0.0001), (1000, 0.0004))
    for calls in (1, 4, 12, 300)
]


def test_its_hour_is_that_of_the_contract_called_again_and_again(lanes: Callable[..., Any]) -> None:
    """Of 144 hours (imbalances from 1% to 90%, A 100 to 1,500, one call an hour to 300) the contract is not called in those that this one is not, what is moved is the same
    within 0.5% in all but four, in these by the last call, and together within half a percent.
    """
    apart, moved, missed, far = 0.0, 0.0, 0, 0
    for x, a, fee, calls in HOURS:
        keeper = contract(x, a=a, fee=fee, debt=5e6, held=0.26)
        block = as_lanes(lanes(), keeper, calls=calls)
        theirs = called(keeper, calls)
        before = block["peg_keeper.debt"]
        block.run("peg_keeper_operate")
        mine = block["peg_keeper.debt"] - before
        missed += (mine == 0.0) != (theirs == 0.0)
        far += abs(mine - theirs) > 0.005 * abs(theirs)
        apart += abs(mine - theirs)
        moved += abs(theirs)
        if mine == pytest.approx(theirs, rel=1e-9):
            assert block["pool_x"] == pytest.approx(keeper.pool.balances[0] / WAD, rel=1e-4)
            assert block["pool_y"] == pytest.approx(keeper.pool.balances[1] / WAD, rel=1e-4)
    assert moved > 1e8
    assert missed == 0
    assert far <= 4
    assert apart <= 0.005 * moved


def test_what_the_caller_gets_is_what_the_contract_pays(lanes: Callable[..., Any]) -> None:
    """One call: the keeper's LP after it, reward taken out, within a thousandth of the profit."""
    for x in (4e6, 8e6, 15e6):
        keeper = contract(x, a=200, fee=0.0002, debt=3e6, held=0.16)
        block = as_lanes(lanes(), keeper, calls=1)
        called(keeper, 1)
        block.run("peg_keeper_operate")
        assert block["own"] == pytest.approx(keeper.lp / keeper.pool.total_supply, rel=1e-6)


def test_its_books_balance(lanes: Callable[..., Any]) -> None:
    """What the call brings and what its caller takes is the change of NAV; supply and the minter's sum grow by what it provides."""
    for x in (4e6, 9e6, 15e6):
        block = as_lanes(lanes(), contract(x, a=200, fee=0.0002, debt=3e6, held=0.16, share=0.3), calls=12)
        block.constant(base_fee=0.0)  # what selling the position would cost is settled later
        block.settle()
        before, supply, booked, debt = block.nav(), block["supply"], block.booked(), block["peg_keeper.debt"]
        block.run("peg_keeper_operate")
        given = block["peg_keeper.debt"] - debt
        assert given * (1e7 - x) > 0.0
        assert block["supply"] - supply == pytest.approx(given, rel=1e-6)
        assert block.nav() - before == pytest.approx(block.booked() - booked, abs=1e-3)


ALONE = alone(1e7, 1e7)
"""What a keeper is told that knows its own pool only."""
quick = settings(max_examples=200, deadline=None, derandomize=True)


@quick
@given(
    u=st.floats(0.001, 0.9), a=st.floats(10, 3000), fee=st.floats(0.0, 0.001), debt=st.floats(0.0, 0.5), side=st.sampled_from([1.0, -1.0])
)
def test_the_number_of_calls_is_that_of_calls_made_one_by_one(u: float, a: float, fee: float, debt: float, side: float) -> None:
    """Halving finds the last call that pays, as counting does."""
    d, e, left, made = 1e7, 1e7 * u, 1.0, 0
    while (
        made < 63
        and profit_of(e * left, d + side * e * (1 - left), 2 * a, fee, 0.5, debt * d + side * e * (1 - left), side, SHARE_OF_IMBALANCE)
        > 0.0
    ):
        left *= 0.8
        made += 1
    assert left_after(e, d, 2 * a, fee, 0.5, debt * d, side, 0.0, 300.0, 1e300, ALONE)[:2] == pytest.approx((left, made), rel=1e-9)
    fewer, *_ = left_after(e, d, 2 * a, fee, 0.5, debt * d, side, 0.0, 5.0, 1e300, ALONE)
    assert fewer == pytest.approx(max(left, 0.8**5), rel=1e-9)
    bounded, calls, *_ = left_after(e, d, 2 * a, fee, 0.5, debt * d, side, 0.0, 300.0, 0.5 * e, ALONE)
    assert bounded == pytest.approx(max(left, 0.8**3), rel=1e-9)  # the fourth would bring it to 59% of e
    assert calls == min(made, 3)


@pytest.mark.parametrize("fee", [0.0, 1e-4, 4e-4])
@pytest.mark.parametrize("share", [0.1, 0.37, 0.6, 0.9])
def test_the_profit_is_the_contract_s(share: float, fee: float) -> None:
    """Of a whole call and of one that is bounded, at A of 100 to 1,500: what the contract pays a caller who gets all of it, within a thousandth (below A 500 within three); where nine tenths stand on one side
    within 10 / A or a hundredth.
    """
    for a in (100, 500, 1500):
        near = max(10.0 / a, 0.01) if share in {0.1, 0.9} else (1e-3 if a >= 500 else 3e-3)
        for room in (1e27, 1e5):
            keeper = contract(share * SIZE, a=a, fee=fee, debt=2e6, held=0.101, share=1.0)
            keeper.regulator = Allowances(round(room * WAD), round(room * WAD))
            pool = keeper.pool
            x, y = (balance / WAD for balance in pool.balances)
            d = pool._D(pool._xp(pool.balances, pool._rates()), pool.amplification_raw) / WAD
            side = 1.0 if y > x else -1.0
            part = min(SHARE_OF_IMBALANCE, (room if side > 0 else min(room, 2e6)) / imbalance_of(x, y))
            mine = profit_of(imbalance_of(x, y), d, 2.0 * a, fee, 0.5, 2e6, side, part)
            try:
                theirs = keeper.update("caller") / WAD * pool.get_virtual_price() / WAD
            except Revert:
                assert mine <= 1e-3
            else:
                assert mine == pytest.approx(theirs, rel=near, abs=1e-3)


@quick
@given(share=st.floats(0.02, 0.98), a=st.floats(10, 3000), held=st.floats(0.0, 2e7), debt=st.floats(0.0, 1e7), ceiling=st.floats(0.0, 1e7))
def test_it_evens_the_pool_and_never_turns_it(share: float, a: float, held: float, debt: float, ceiling: float) -> None:
    """What it moves makes the smaller side no larger than the other, is within its ceiling and its debt, and nothing where the pool is even."""
    x, y = 2e7 * share, 2e7 * (1.0 - share)
    d = 2e7
    moved = moved_of(x, y, d, 2 * a, held, debt, ceiling, 0.0, 0.5, 0.0, 300.0, 1e4, ALONE, 1e300, 1.0)
    assert abs(moved) <= imbalance_of(x, y)
    assert moved * (y - x) >= 0.0
    assert moved <= max(0.0, ceiling - debt) + 1e-9
    assert -moved <= min(debt, held) + 1e-9
    assert moved_of(1e7, 1e7, d, 2 * a, held, debt, ceiling, 0.0, 0.5, 0.0, 300.0, 1e4, ALONE, 1e300, 1.0) == 0.0


def test_gas_and_a_caller_who_gets_nothing_stop_it(lanes: Callable[..., Any]) -> None:
    """Nobody calls for less than his gas: with a small share no call pays, with a larger one it does; at a share of 0 nobody ever calls where gas costs."""
    told = {}
    for share, gas in ((0.2, 50.0), (0.2, 1e7), (0.0, 50.0)):
        keeper = contract(6e6, a=300, fee=0.0001)
        block = as_lanes(lanes(), keeper, calls=12)
        block.parameter(peg_keeper_ceiling=1.0, peg_keeper_caller_share=share)
        block.constant(**{"peg_keeper.calls": 12.0, "peg_keeper.gas_part": 1.0})
        block.market(gas_usd=gas)
        block.run("peg_keeper_operate")
        told[share, gas] = block["peg_keeper.debt"]
    assert told[0.2, 50.0] > 1e6
    assert (told[0.2, 1e7], told[0.0, 50.0]) == (0.0, 0.0)


@pytest.fixture
def kept() -> Study:
    """The smallest study, its AMO a keeper of the pool with a debt and LP tokens to match it."""
    study = load_study(STUDIES / "minimal.toml")
    state = replace(study.state, absent=(study.state.absent - {"amos.peg_keeper"}) | {"amos.aave"})
    for name, value in {"minted": 1e6, "lp_share": 0.0417, "action_delay_seconds": 12.0, "gas_part": 0.001}.items():
        state = with_figure(state, f"amos.peg_keeper.{name}", Figure(value=value, assumed="a test's", low=value, high=value))
    state = with_figure(state, "pool.fee", Figure(value=0.0, assumed="a test's: at 4 bp hardly a call pays", low=0.0, high=0.0))
    return replace(study, state=state, current=study.current.replace(aave_cap=0.0, peg_keeper_ceiling=0.2))


def test_it_keeps_the_books_on_every_path_and_nobody_else_moves_its_tokens(kept: Study) -> None:
    """The engine refuses a path whose lines miss ΔNAV; its debt stays within its ceiling, and where it may not act its LP tokens are the snapshot's to the last."""
    traced = trace(kept.current, kept, scenario="fast-run", paths=8, columns=("peg_keeper_debt", "supply"))
    assert np.ptp(traced["peg_keeper_debt"]) > 0.0
    assert (traced["peg_keeper_debt"] <= 0.2 * traced["supply"] * (1.0 + 1e-9)).all()
    still = kept.current.replace(peg_keeper_ceiling=0.0, peg_keeper_caller_share=0.0)
    rested = trace(still, kept, scenario="fast-run", paths=8, columns=("peg_keeper_debt",))
    assert np.ptp(rested["peg_keeper_debt"]) == 0.0, "a caller without a share never pays the gas"


def test_a_ceiling_of_0_without_debt_is_no_keeper(kept: Study) -> None:
    """Bit for bit the study that does not have one, whatever its caller's share."""
    empty = kept.state
    for name in ("minted", "lp_share"):
        empty = with_figure(empty, f"amos.peg_keeper.{name}", Figure(value=0.0, assumed="a test's", low=0.0, high=0.0))
    without = replace(kept, state=replace(empty, absent=empty.absent | {"amos.peg_keeper"}))
    held = replace(kept, state=empty)
    off = kept.current.replace(peg_keeper_ceiling=0.0, peg_keeper_caller_share=0.7)
    one, other = simulate(off, held, paths=8).columns, simulate(off.replace(peg_keeper_caller_share=0.2), without, paths=8).columns
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_it_is_nothing_where_nobody_speaks_of_it(frax: Study) -> None:
    """The worked state has no such table: nothing held, no room, no parameter asked for."""
    assert not frax.state.has("amos.peg_keeper")
    assert frax.current.values()["peg_keeper_ceiling"] == 0.0
    assert not frax.state.amos.peg_keeper.minted.is_given
