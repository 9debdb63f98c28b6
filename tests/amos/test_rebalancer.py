"""The rebalancer: each operation against the contract's checks in integers, what the strategist really did in 2024, its books, and that it is nothing where nobody speaks of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos.cap_use import caps_below_use
from amo_opt.amos.rebalancer import minted_beside
from amo_opt.config.load import load_study
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import given_figures
from amo_opt.config.study import Study
from amo_opt.protocol.state import Figure
from amo_opt.simulation.engine import simulate, trace
from amo_opt.stableswap.exact import PlainPool, Revert

STUDIES = Path(__file__).parents[2] / "studies"
WAD = 10**18
COIN, STABLECOIN = 0, 1


@dataclass
class Contract:
    """The strategy's operations with its checks, one after the other, on a pool in integers; the vault is ``rest`` of collateral elsewhere and the ``supply``."""

    pool: PlainPool
    lp: int
    supply: int
    rest: int
    max_slippage: int = 10**16

    def gap(self) -> int:
        return self.pool.balances[COIN] - self.pool.balances[STABLECOIN]

    def solvent(self) -> None:
        value = self.rest + self.lp * self.pool.get_virtual_price() // WAD
        if value * WAD // self.supply < 998 * 10**15:
            raise Revert("insolvent")

    def improved(self, before: int) -> None:
        after = self.gap()
        if not (
            (before == 0 and after == 0) or (before < 0 and after <= 0 and before < after) or (before > 0 and after >= 0 and after < before)
        ):
            raise Revert("not evener, or past even")

    def _worth(self, amount: int) -> int:
        return amount * (WAD - self.max_slippage) // WAD

    def _add(self, collateral: int, stablecoin: int) -> None:
        least = self._worth((collateral + stablecoin) * WAD // self.pool.get_virtual_price())
        self.supply += stablecoin
        got = self.pool.add_liquidity([collateral, stablecoin])
        if got < least:
            raise Revert("slippage")
        self.lp += got

    def deposit(self, collateral: int) -> None:
        wanted = max(0, self.pool.balances[COIN] + collateral - self.pool.balances[STABLECOIN])
        self.rest -= collateral
        self._add(collateral, min(max(wanted, collateral), 2 * collateral))
        self.solvent()

    def withdraw(self, collateral: int) -> None:
        lp = (collateral + 1) * (10**36 * self.pool.total_supply // self.pool.balances[COIN]) // 10**36
        if lp > self.lp:
            raise Revert("too few LP tokens")
        paid = self.pool.remove_liquidity(lp)
        self.lp -= lp
        self.supply -= paid[STABLECOIN]
        self.rest += collateral
        self.solvent()

    def mint_and_add(self, stablecoin: int) -> None:
        before = self.gap()
        self._add(0, stablecoin)
        self.solvent()
        self.improved(before)

    def remove(self, lp: int, coin: int) -> int:
        """``removeAndBurnOTokens`` or ``removeOnlyAssets``, by the coin."""
        before = self.gap()
        if lp > self.lp:
            raise Revert("too few LP tokens")
        least = self._worth(lp * self.pool.get_virtual_price() // WAD)
        got = self.pool.remove_liquidity_one_coin(lp, coin)
        if got < least:
            raise Revert("slippage")
        self.lp -= lp
        if coin == STABLECOIN:
            self.supply -= got
        else:
            self.rest += got
        self.solvent()
        self.improved(before)
        return got

    def lp_for(self, amount: int, coin: int) -> int:
        """LP tokens that pay so much of a coin, as a strategist finds them off chain: by halving."""
        low, high = 0, self.pool.total_supply - 1
        while high - low > 1:
            middle = (low + high) // 2
            try:
                short = self.pool.calc_withdraw_one_coin(middle, coin) < amount
            except Revert:
                short = False
            low, high = (middle, high) if short else (low, middle)
        return high


def contract(
    x: float, y: float, *, a: int = 400, fee: float = 0.0004, own: float = 0.9, rest: float = 2e7, backed: float = 1.0
) -> Contract:
    """A pool with so much stablecoin and collateral, of which it owns ``own``, and a vault worth ``backed`` times the supply."""
    first = PlainPool(
        generation="factory_plain",
        decimals=(18, 18),
        balances=(round(y * WAD), round(x * WAD)),
        amplification_raw=100 * a,
        fee_raw=round(fee * 1e10),
        admin_fee_raw=5 * 10**9,
        total_supply=WAD,
    )
    d = first._D(first._xp(first.balances, first._rates()), first.amplification_raw)
    first.total_supply = d
    lp = round(own * d)
    return Contract(first, lp, round((rest * WAD + lp) / backed), round(rest * WAD))


def as_lanes(block: Any, twin: Contract, **parameters: float) -> Any:
    """The same pool and vault in a block's lanes, idle all of what is not in the pool; no gas, no delay, at par."""
    pool = twin.pool
    block["pool_y"], block["pool_x"] = (balance / WAD for balance in pool.balances)
    block["d"] = pool._D(pool._xp(pool.balances, pool._rates()), pool.amplification_raw) / WAD
    block["ann"], block["lp_supply"] = 2.0 * pool.amplification_raw / 100, pool.total_supply / WAD
    block["lp_amo"] = block["rebalancer.lp"] = twin.lp / WAD
    for name in ("aave.lent", "uniswap.y", "uniswap.x", "uniswap.liquidity", "fraxlend.lent", "fraxlend.free", "queue"):
        block[name] = 0.0
    block["idle"], block["supply"] = twin.rest / WAD, twin.supply / WAD
    block["base_value"] = block["collateral_price"] = block["cr_contract"] = 1.0
    block["unwinding"] = block["unwinding_hours"] = 0.0
    block.parameter(
        **{
            "rebalancer_share": 1.0,
            "rebalancer_trigger": 1.0,
            "rebalancer_reach": 1.0,
            "rebalancer_max_slippage": twin.max_slippage / WAD,
            "idle_buffer": 1.0,
            "min_cr": 0.0,
            **parameters,
        }
    )
    block.constant(fee=pool.fee_raw / 1e10, admin_fee=0.5, protocol_admin_share=0.0, base_fee=0.0, size=1.0, response_delay=0.0)
    block.constant(**{"deploy_rate": 1.0, "rebalancer.door": 1.0, "rebalancer.there": 1.0})
    block.market(gas_usd=0.0)
    return block


def agree(block: Any, twin: Contract, *, moved: float, rel: float) -> None:
    """Balances, LP tokens, supply and collateral are the contract's within so much of what was moved."""
    theirs = {
        "pool_y": twin.pool.balances[COIN],
        "pool_x": twin.pool.balances[STABLECOIN],
        "rebalancer.lp": twin.lp,
        "lp_supply": twin.pool.total_supply,
        "supply": twin.supply,
        "idle": twin.rest,
    }
    for name, value in theirs.items():
        assert block[name] == pytest.approx(value / WAD, abs=rel * moved + 1e-6), name


POOLS = [(x, a, fee) for x in (2e6, 5e6, 8e6, 9.5e6, 10.5e6, 12e6, 15e6, 18e6) for a in (50, 400, 1500) for fee in (0.0, 0.0004, 0.004)]


@pytest.mark.parametrize("reach", [0.2, 0.7, 1.0])
def test_from_one_side_it_does_what_the_contract_allows(lanes: Callable[..., Any], reach: float) -> None:
    """Of 72 pools (stablecoin share 0.1 to 0.9, A 50 to 1,500, fees of 0 to 40 bp): minted and added to a pool with too much collateral, exactly the contract's; removed and burned from one
    with too much stablecoin, the same amount for the same LP tokens within a tenth of the fee.
    """
    for x, a, fee in POOLS:
        twin = contract(x, 2e7 - x, a=a, fee=fee)
        block = as_lanes(lanes(), twin, rebalancer_trigger=0.01, rebalancer_reach=reach, idle_buffer=0.0)
        supply = block["supply"]
        block.run("rebalancer_operate")
        moved = block["supply"] - supply
        assert moved * (1e7 - x) > 0.0
        amount = round(abs(moved) * WAD)
        if moved > 0.0:
            twin.mint_and_add(amount)
            agree(block, twin, moved=abs(moved), rel=1e-9)
        else:
            got = twin.remove(twin.lp_for(amount, STABLECOIN), STABLECOIN)
            assert got == pytest.approx(amount, rel=1e-9)
            agree(block, twin, moved=abs(moved), rel=max(0.2 * fee, 1e-9))


def test_it_takes_collateral_home_where_it_has_too_much_there(lanes: Callable[..., Any]) -> None:
    """A pool with too much collateral, and more of it than the share: only collateral is removed, no stablecoin minted, and the contract would have allowed it."""
    for a, fee in ((50, 0.0004), (400, 0.0004), (1500, 0.0)):
        twin = contract(7e6, 13e6, a=a, fee=fee)
        block = as_lanes(lanes(), twin, rebalancer_trigger=0.05, rebalancer_reach=0.5, rebalancer_share=0.2, idle_buffer=0.0)
        block.constant(deploy_rate=0.0)  # nothing goes home in proportion
        supply, idle = block["supply"], block["idle"]
        block.run("rebalancer_operate")
        assert block["supply"] == supply
        home = block["idle"] - idle
        assert home == pytest.approx(3e6, rel=1e-9)
        twin.remove(twin.lp_for(round(home * WAD), COIN), COIN)
        agree(block, twin, moved=home, rel=max(0.2 * fee, 1e-9))


def test_a_deposit_mints_between_one_and_two_beside(lanes: Callable[..., Any]) -> None:
    """The contract's deposit to the last coin: one minted a unit into a pool with too much stablecoin, two into one with far too much collateral, what evens it between."""
    seen = set()
    for x in (7e6, 9.6e6, 10e6, 13e6):
        twin = contract(x, 2e7 - x)
        worth = twin.lp * twin.pool.get_virtual_price() / WAD**2
        share = (0.5 * worth + 1e6) / (0.9 * (2e7 - x) + 2e7)
        block = as_lanes(lanes(), twin, rebalancer_share=share, idle_buffer=0.0)
        minted, idle = block["supply"], block["idle"]
        block.run("rebalancer_operate")
        brought = idle - block["idle"]
        minted = block["supply"] - minted
        assert brought == pytest.approx(1e6, rel=1e-6)
        twin.deposit(round(brought * WAD))
        agree(block, twin, moved=brought, rel=1e-9)
        seen.add(round(minted / brought, 3))
    assert seen == {2.0, 1.8, 1.0}


def test_a_withdrawal_is_in_proportion_and_burns_its_stablecoin(lanes: Callable[..., Any]) -> None:
    """For a buffer that lacks a million, and for those who wait at the door."""
    for buffer, queue in ((True, 0.0), (False, 1e6)):
        twin = contract(11e6, 9e6, rest=1e7)
        total = 0.9 * 9e6 + 1e7
        block = as_lanes(lanes(), twin, idle_buffer=(1.1e7 / total if buffer else 1e7 / total))
        block["queue"] = queue
        block.run("rebalancer_operate")
        out = block["idle"] - 1e7
        assert out == pytest.approx(1e6, rel=1e-6)
        twin.withdraw(round(out * WAD))
        agree(block, twin, moved=out, rel=1e-9)


@pytest.mark.parametrize(
    ("x", "told", "slippage"), [(10e6, {"backed": 0.9975}, 10**16), (9.7e6, {"fee": 0.004}, 0)], ids=["insolvent", "slippage"]
)
def test_what_the_contract_refuses_is_not_done(lanes: Callable[..., Any], x: float, told: dict[str, float], slippage: int) -> None:
    """A deposit into the pool of a vault worth less than 0.998 of its supply, and one that pays a fee where none may be lost: the books stay as they are to the last bit, and the
    contract reverts.
    """
    twin = contract(x, 2e7 - x, **told)
    twin.max_slippage = slippage
    block = as_lanes(lanes(), twin, rebalancer_share=0.36, idle_buffer=0.0)
    before = block.s.copy()
    block.run("rebalancer_operate")
    assert np.array_equal(block.s, before)
    with pytest.raises(Revert):
        twin.deposit(10**6 * WAD)
    block.parameter(rebalancer_max_slippage=0.01)
    block["supply"] = 0.99 * block["supply"]
    block.run("rebalancer_operate")
    assert not np.array_equal(block.s, before)


def test_insolvent_it_can_still_be_unwound(lanes: Callable[..., Any]) -> None:
    """`withdrawAll` has no check of solvency; nothing else goes."""
    twin = contract(12e6, 8e6, backed=0.9)
    block = as_lanes(lanes(), twin, rebalancer_trigger=0.01, idle_buffer=0.0, unwind_rate=0.1)
    idle = block["idle"]
    block.run("rebalancer_operate")
    assert block["idle"] == idle
    block["unwinding"], block["unwinding_hours"] = 1.0, 100.0
    block.parameter(rebalancer_trigger=1.0)
    block.run("rebalancer_operate")
    assert block["idle"] - idle == pytest.approx(0.1 * 0.9 * 8e6, rel=1e-6)


# -- what was done in 2024 -------------------------------------------------------------------------------------------------------------------

MAY = "6 May 2024 (OriginProtocol/origin-dollar pull 2048)"
OCTOBER = "16 October 2024 (OriginProtocol/origin-dollar pull 2277)"


def test_the_strategists_burn_of_may_2024(lanes: Callable[..., Any]) -> None:
    """10,035.495405 LP tokens burned out of 6,106.489542 ETH and 16,166.543530 OETH: the run log prints 10,056.010 OETH and a pool left with 6,109.982. The one-sided removal here
    comes to the same LP tokens within a hundredth of a per mille, and the contract in integers to the OETH within as much.
    """
    twin = contract(16166.543530, 6106.489542, own=0.96, rest=2e4)
    price = 1.0014453292586187
    twin.pool.total_supply = round(twin.pool.total_supply / price)
    twin.lp = round(0.96 * twin.pool.total_supply)
    got = replace(twin).remove(round(10035.495405 * WAD), STABLECOIN) / WAD
    assert got == pytest.approx(10056.010039, rel=1e-6), MAY
    assert twin.pool.balances[STABLECOIN] / WAD == pytest.approx(6109.981852, abs=0.01), MAY
    twin = contract(16166.543530, 6106.489542, own=0.96, rest=2e4)
    twin.pool.total_supply = round(twin.pool.total_supply / price)
    twin.lp = round(0.96 * twin.pool.total_supply)
    reach = 10056.010039 / (16166.543530 - 6106.489542)
    block = as_lanes(lanes(), twin, rebalancer_trigger=0.1, rebalancer_reach=reach, idle_buffer=0.0)
    block.constant(size=1e-6)
    assert reach > 0.99, "he took all but 0.4 of a thousandth of it away; here an operation takes 0.99 at most"
    block.run("rebalancer_operate")
    burned = twin.supply / WAD - block["supply"]
    assert burned == pytest.approx(0.99 * (16166.543530 - 6106.489542), rel=1e-9)
    lp = twin.lp / WAD - block["rebalancer.lp"]
    assert lp / burned == pytest.approx(10035.495405 / 10056.010039, rel=1e-5), MAY


def test_the_strategists_day_in_october_2024(lanes: Callable[..., Any]) -> None:
    """1,097.890479 LP tokens burned for OETH, then 310 ETH withdrawn in proportion: the run log prints 3,730.173424 ETH and 3,811.999314 OETH after it. Integers come within 0.1 OETH,
    and the quotes for 10 OETH before and after, 9.989335 and 9.995393, are theirs at A 400 and 4 bp to the last digit printed.
    """
    twin = contract(5228.795258, 4040.173424, own=0.95, rest=2e4)
    assert twin.pool.get_dy(STABLECOIN, COIN, 10 * WAD) / WAD == pytest.approx(9.989335, abs=5e-7), OCTOBER
    twin.pool.total_supply = round(twin.pool.total_supply / 1.001921431201396942)
    twin.lp = round(0.95 * twin.pool.total_supply)
    twin.remove(round(1097.890479 * WAD), STABLECOIN)
    twin.withdraw(310 * WAD)
    assert twin.pool.balances[COIN] / WAD == pytest.approx(3730.173424, abs=1e-6), OCTOBER
    assert twin.pool.balances[STABLECOIN] / WAD == pytest.approx(3811.999314, abs=0.1), OCTOBER
    assert twin.pool.get_dy(STABLECOIN, COIN, 10 * WAD) / WAD == pytest.approx(9.995393, abs=1e-6), OCTOBER


# -- properties --------------------------------------------------------------------------------------------------------------------------------

quick = settings(max_examples=150, deadline=None, derandomize=True)


@quick
@given(x=st.floats(0.0, 1e9), y=st.floats(0.0, 1e9), brought=st.floats(0.0, 1e9))
def test_minted_beside_is_the_contracts(x: float, y: float, brought: float) -> None:
    """What evens the pool, between once and twice the collateral."""
    assert minted_beside(x, y, brought) == min(max(y + brought - x, brought), 2.0 * brought)


def drawn(block: Any, seed: int) -> Any:
    """Lanes with pools, vaults and wishes of all kinds, backed by between 0.95 and 1.05."""
    rng = np.random.default_rng(seed)
    n = block.lanes("pool_x").size
    share, size, own = rng.uniform(0.03, 0.97, n), np.exp(rng.uniform(np.log(1e7), np.log(1e9), n)), rng.uniform(0.0, 0.999, n)
    block = as_lanes(block, contract(1e7, 1e7), rebalancer_trigger=float(rng.uniform(0, 0.5)), rebalancer_reach=float(rng.uniform(0, 1)))
    block.pool(share * size, (1.0 - share) * size)
    lp = own * block.lanes("lp_supply")
    block["lp_amo"] = block["rebalancer.lp"] = lp
    idle = size * np.exp(rng.uniform(-3, 1, n))
    block["idle"] = idle
    block["queue"] = np.where(rng.random(n) < 0.3, 0.1 * size * rng.random(n), 0.0)
    block["supply"] = (idle + lp) / rng.choice([1.0, 0.9985, 0.997, 0.95, 1.05], n) + 1e3
    block["unwinding"] = (rng.random(n) < 0.2).astype(float)
    block["unwinding_hours"] = 50.0
    block.parameter(rebalancer_share=float(rng.uniform(0, 1)), idle_buffer=float(rng.uniform(0, 0.6)), unwind_rate=0.2)
    block.constant(
        fee=float(rng.choice([0.0, 0.0004, 0.01])), deploy_rate=float(rng.choice([0.01, 0.3])), base_fee=float(rng.choice([0.0, 0.001]))
    )
    block.market(gas_usd=float(rng.choice([0.0, 50.0])))
    return block


def test_the_imbalance_never_turns_and_no_operation_makes_the_vault_insolvent(lanes: Callable[..., Any]) -> None:
    """Sixty blocks: from one side the imbalance shrinks and keeps its sign; whoever acted is worth 0.998 of the supply afterwards, or was unwinding alone; and LP tokens are never below 0."""
    acted = 0
    for seed in range(60):
        block = drawn(lanes(), seed)
        x, y, lp, idle = (block.lanes(name).copy() for name in ("pool_x", "pool_y", "rebalancer.lp", "idle"))
        block.run("rebalancer_operate")
        x_2, y_2, lp_2 = (block.lanes(name) for name in ("pool_x", "pool_y", "rebalancer.lp"))
        moved = lp_2 != lp
        acted += int(moved.sum())
        brought = lp_2 > lp  # mints and adds, or a deposit, which may even the pool to within its fees
        size = np.where(brought & (block.lanes("idle") < idle), 0.01, 1e-12) * (x + y)
        assert ((y - x) * (y_2 - x_2) >= -size * np.abs(y - x))[moved].all()
        assert (np.abs(y_2 - x_2) <= np.abs(y - x) + size)[moved].all()
        worth = block.lanes("idle") + lp_2 / block.lanes("lp_supply") * block.lanes("d")
        sound = worth >= 0.998 * block.lanes("supply") * (1.0 - 1e-9)
        assert (sound | (block.lanes("unwinding") > 0.5))[moved].all()
        assert (lp_2 >= 0.0).all()
    assert acted > 600


def test_its_books_balance(lanes: Callable[..., Any]) -> None:
    """What an hour books is what it changed of NAV, to 1e-9 of it; what it minted less burned is the change of supply."""
    for seed in range(60):
        block = drawn(lanes(), 100 + seed)
        block.constant(base_fee=0.0)  # what selling the position would cost is settled later
        block.settle()
        before, supply, booked, minted = block.nav(), block["supply"], block.booked(), block["rebalancer.minted"]
        block.run("rebalancer_operate")
        scale = max(abs(before), 0.01 * supply)
        assert block.nav() - before == pytest.approx(block.booked() - booked, abs=1e-9 * scale + 1e-9 * supply)
        assert block["rebalancer.minted"] - minted == pytest.approx(block["supply"] - supply, abs=1e-9 * supply)


def test_he_waits_for_the_delay_and_looks_anew_after_each_operation(lanes: Callable[..., Any]) -> None:
    """With a delay of 3 hours a tilted pool is evened in the fourth hour after it was seen, and again no sooner than 3 hours later."""
    block = as_lanes(lanes(), contract(14e6, 6e6), rebalancer_trigger=0.05, rebalancer_reach=0.3, idle_buffer=0.0)
    block.constant(response_delay=3.0, deploy_rate=0.0)
    acted = []
    for hour in range(9):
        block.run("rebalancer_market_operations")
        before = block["supply"]
        block.run("rebalancer_operate")
        if block["supply"] != before:
            acted.append(hour)
    assert acted == [2, 5, 8]


# -- in a study ------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tended() -> Study:
    """The smallest study, its AMO a rebalancer that owns a quarter of the pool."""
    study = load_study(STUDIES / "minimal.toml")
    state = replace(study.state, absent=(study.state.absent - {"amos.rebalancer"}) | {"amos.aave"})
    for name, value in {"minted": 3e6, "lp_share": 0.25}.items():
        state = with_figure(state, f"amos.rebalancer.{name}", Figure(value=value, assumed="a test's", low=value, high=value))
    current = study.current.replace(aave_cap=0.0, rebalancer_share=0.2, rebalancer_trigger=0.1, rebalancer_reach=0.8)
    return replace(study, state=state, current=current)


def test_it_keeps_the_books_on_every_path(tended: Study) -> None:
    """The engine refuses a path whose lines miss ΔNAV; a run makes it act, and without a share it gives back all but what is too little to sign for."""
    traced = trace(tended.current, tended, scenario="fast-run", paths=8, columns=("rebalancer_lp", "rebalancer_minted"))
    assert np.ptp(traced["rebalancer_lp"]) > 0.0
    assert np.ptp(traced["rebalancer_minted"]) > 0.0
    gone = trace(tended.current.replace(rebalancer_share=0.0), tended, scenario="calm", paths=8, columns=("rebalancer_lp",))[
        "rebalancer_lp"
    ]
    assert (gone[-1] < 0.15 * gone[0]).all()


def test_without_a_share_and_a_position_it_is_not_there(tended: Study) -> None:
    """Bit for bit the study that does not have one, whatever its other parameters."""
    empty = tended.state
    for name in ("minted", "lp_share"):
        empty = with_figure(empty, f"amos.rebalancer.{name}", Figure(value=0.0, assumed="a test's", low=0.0, high=0.0))
    without = replace(tended, state=replace(empty, absent=empty.absent | {"amos.rebalancer"}))
    off = tended.current.replace(rebalancer_share=0.0, rebalancer_trigger=0.01, rebalancer_reach=0.5)
    plain = off.replace(rebalancer_trigger=1.0, rebalancer_reach=1.0)
    one, other = simulate(off, replace(tended, state=empty), paths=8).columns, simulate(plain, without, paths=8).columns
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_it_is_nothing_where_nobody_speaks_of_it(frax: Study) -> None:
    """The worked state has no such table: nothing held, no share, no parameter asked for."""
    assert not frax.state.has("amos.rebalancer")
    values = frax.current.values()
    assert (values["rebalancer_share"], values["rebalancer_trigger"]) == (0.0, 1.0)
    assert not frax.state.amos.rebalancer.lp_share.is_given


def test_the_worked_study_runs_and_says_what_it_is() -> None:
    """Under half of its figures are sourced, so that it calls itself illustrative; what is in force is within its shares, and every path keeps its books."""
    study = load_study(STUDIES / "oeth-2024.toml")
    told = given_figures(study.state)
    assert 0 < sum(each.source is not None for each in told.values()) < 0.5 * len(told)
    assert study.notes.startswith("Illustrative.")
    assert not caps_below_use(study.current, study.state)
    simulate(study.current, study, paths=2)
