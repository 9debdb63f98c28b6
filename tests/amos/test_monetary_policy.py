"""The monetary policy: closed forms, the contract in integers, and the hour's stage against both."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.borrowers import filled_rate
from amo_opt.amos.monetary_policy import MAX_RATE_YEAR, SECONDS_A_YEAR, keepers_part, policy_rate
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.cautions import cautions_of
from amo_opt.config.load import load_study
from amo_opt.config.study import Study
from amo_opt.contracts.monetary_policy import MAX_RATE, AggMonetaryPolicy2, AggMonetaryPolicy3c, AggMonetaryPolicy4
from amo_opt.contracts.policy_parts import ControllerFactory, StubKeeper, StubOracle
from amo_opt.onchain.calls import calls_between
from amo_opt.onchain.raw_integers import raw_integer
from amo_opt.onchain.signatures import POLICY, setter_of
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.state import Contract
from amo_opt.simulation.engine import trace

STUDY = Path(__file__).parent / "data" / "crvusd" / "study.toml"
WAD = 10**18


@pytest.fixture(scope="module")
def crvusd() -> Study:
    """Pool, keeper, borrowers and policy of an issuer without doors or collateral."""
    return load_study(STUDY)


def rate_at(price: float, fraction: float, *, rate0: float = 0.08, sigma: float = 0.02, target: float = 0.1, extra: float = 0.0) -> float:
    return policy_rate(price, fraction, rate0, 1.0 / sigma, 1.0 / target, extra)


# -- closed forms ------------------------------------------------------------------------------------------------------------------------


def test_the_rate_where_it_is_known_by_algebra() -> None:
    """rate0 at par without keepers, a part e of it where their debt is the target, or the price a sigma high; twice it a sigma ln 2 below par, half of it a target ln 2 of debt."""
    assert rate_at(1.0, 0.0) == 0.08
    assert rate_at(1.0, 0.1) == pytest.approx(0.08 / math.e, rel=1e-15)
    assert rate_at(1.02, 0.0) == pytest.approx(0.08 / math.e, rel=1e-13)
    assert rate_at(1.0 - 0.02 * math.log(2.0), 0.0) == pytest.approx(0.16, rel=1e-13)
    assert rate_at(1.0, 0.1 * math.log(2.0)) == pytest.approx(0.04, rel=1e-15)
    assert rate_at(0.98, 0.1) == pytest.approx(0.08, rel=1e-13)
    assert rate_at(1.0, 0.1, extra=0.03) == pytest.approx(0.08 / math.e + 0.03, rel=1e-15)


def test_its_bounds() -> None:
    """At most a thousand times rate0, whatever the exponential; nothing where the price is far above; no rate0 leaves the constant."""
    assert rate_at(1.0 - 0.02 * math.log(1000.0) * 1.01, 0.0) == 80.0
    assert rate_at(0.01, 0.0, sigma=1e-4) == 80.0
    assert rate_at(2.0, 0.0, sigma=1e-4) == 0.0
    assert rate_at(0.9, 0.3, rate0=0.0, extra=0.02) == 0.02


def test_a_market_that_fills_up_pays_more() -> None:
    """An empty one the policy's rate, one at nine tenths of its ceiling 1.9 times it, a full one the most there is."""
    assert filled_rate(0.08, 0.0, 1e-8) == 0.08
    assert filled_rate(0.08, 0.9e8, 1e-8) == pytest.approx(1.9 * 0.08, rel=1e-12)
    assert filled_rate(0.08, 1e8, 1e-8) == MAX_RATE_YEAR == filled_rate(0.08, 2e8, 1e-8)
    assert pytest.approx(math.log(4.0), rel=1e-6) == MAX_RATE_YEAR


def test_keepers_part_of_the_debt() -> None:
    """Their debt over the borrowers', none where nobody owes."""
    assert keepers_part(5.0, 100.0) == 0.05
    assert (keepers_part(5.0, 0.0), keepers_part(0.0, 0.0)) == (0.0, 0.0)


# -- the contract in integers ------------------------------------------------------------------------------------------------------------


def second(rate: float) -> int:
    """A yearly rate as the contract has it."""
    return round(rate / SECONDS_A_YEAR * WAD)


def contract(kind: Any, *, rate0: int, sigma: int, target: int, **more: Any) -> Any:
    """A policy over one market and one keeper."""
    return kind(
        price_oracle=StubOracle(),
        controller_factory=ControllerFactory([0], [0]),
        peg_keepers=[StubKeeper()],
        rate=rate0,
        sigma=sigma,
        target_debt_fraction=target,
        timestamp=10**9,
        **more,
    )


def meets(policy: Any, price: float, debt: float, keepers: float, ceiling: float) -> None:
    """Price, debts and ceiling, to the last unit that a float has."""
    policy.PRICE_ORACLE.value = int(price * WAD)
    policy.CONTROLLER_FACTORY.debts[0] = int(debt) * WAD
    policy.CONTROLLER_FACTORY.ceilings[0] = int(ceiling) * WAD
    policy.peg_keepers[0].value = int(keepers) * WAD


def near(mine: float, theirs: int, filled: float = 1.0) -> bool:
    """Within two units a second, times what a ceiling in use raises the rate by, and 1e-11 of the rate."""
    return abs(mine / SECONDS_A_YEAR * WAD - theirs) <= 2.0 * filled + 1e-11 * theirs


@pytest.mark.parametrize("kind", [AggMonetaryPolicy2, AggMonetaryPolicy3c])
def test_it_is_the_contracts_rate(kind: Any) -> None:
    """5,000 draws of price, debts, ceiling and settings: within 2 units a second (times what the ceiling in use raises a rate by, as the contract rounds down before it) and
    1e-11 of the rate; the bounds are met.
    """
    rng = np.random.default_rng(7)
    capped = nothing = 0
    for _ in range(5000):
        rate0, sigma = int(rng.integers(0, MAX_RATE)), int(10 ** rng.uniform(14, 18))
        target, extra = int(10 ** rng.uniform(14, 18)), int(rng.integers(0, 10**9)) if kind is AggMonetaryPolicy3c else 0
        more = {"extra_const": extra} if kind is AggMonetaryPolicy3c else {}
        policy = contract(kind, rate0=rate0, sigma=sigma, target=target, **more)
        price = 1.0 + rng.normal() * 10 ** rng.uniform(-4, -1)
        debt = 10 ** rng.uniform(3, 10)
        keepers = debt * rng.choice([0.0, 10 ** rng.uniform(-4, 0)])
        ceiling = debt * 10 ** rng.uniform(-0.1, 1)
        meets(policy, price, debt, keepers, ceiling)
        theirs = policy.rate_write(0)
        fraction = keepers_part(float(int(keepers)), float(int(debt)))
        year = SECONDS_A_YEAR / WAD
        base = policy_rate(price, fraction, rate0 * year, WAD / sigma, WAD / target, extra * year)
        mine = filled_rate(base, float(int(debt)), 1.0 / int(ceiling))
        assert near(mine, theirs, filled_rate(1e-9, float(int(debt)), 1.0 / int(ceiling)) / 1e-9), (
            mine / year,
            theirs,
            price,
            fraction,
            sigma,
            target,
        )
        capped, nothing = capped + (theirs == MAX_RATE), nothing + (base - extra * year < year)
    assert capped > 100
    assert nothing > 100


def block_of(lanes: Callable[..., Any], study: Study, **constants: float) -> Any:
    block = lanes(study)
    block.constant(**{f"monetary_policy.{name}": value for name, value in constants.items()})
    return block


def test_the_stage_is_the_rule_in_every_lane(lanes: Callable[..., Any], crvusd: Study) -> None:
    """Price and debts of each lane its own: the next hour's rate is the rule's there, and its change is what the common line moved by."""
    rng = np.random.default_rng(3)
    block = block_of(lanes, crvusd)
    block["oracle"] = rng.uniform(0.95, 1.03, LANES)
    block["keeper_debt"], block["owed"] = rng.uniform(0.0, 3e7, LANES), rng.uniform(5e7, 2e8, LANES)
    block["owed"] = np.where(np.arange(LANES) == 5, 0.0, block.lanes("owed"))
    others = block.lanes("borrow_rate") - block.lanes("monetary_policy.rate")
    assert np.all(others == 0.0)
    block.run("monetary_policy_operate")
    for lane in range(LANES):
        owed = block.lanes("owed")[lane]
        fraction = block.lanes("keeper_debt")[lane] / owed if owed else 0.0
        want = 0.08618 * math.exp((1.0 - block.lanes("oracle")[lane]) / 0.02 - fraction / 0.1)
        assert block.lanes("monetary_policy.rate")[lane] == pytest.approx(want, rel=1e-13)
        assert block.lanes("borrow_rate")[lane] == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize("seconds", [1200.0, 36_000.0, 604_800.0])
def test_its_average_is_version_4s_written_once_an_hour(lanes: Callable[..., Any], crvusd: Study, seconds: float) -> None:
    """300 hours of moving price and debts: the average and the rate of AggMonetaryPolicy4 to 1e-12 and two units a second; it takes a new ratio in one write later."""
    rng = np.random.default_rng(11)
    policy = contract(
        AggMonetaryPolicy4,
        rate0=second(0.08618),
        sigma=2 * WAD // 100,
        target=WAD // 10,
        extra_const=0,
        debt_ratio_ema_time=int(seconds),
    )
    block = block_of(lanes, crvusd, lags=1.0, weight=-math.expm1(-3600.0 / seconds))
    block["monetary_policy.ema"] = block["monetary_policy.queued"] = 0.1  # as the contract begins: at its target
    debt, keepers = 1e8, 5e6
    for _ in range(300):
        price = 1.0 + 0.01 * rng.normal()
        keepers = max(0.0, keepers + 2e6 * rng.normal())
        policy.timestamp += 3600
        meets(policy, price, debt, keepers, 1e30)
        theirs = policy.rate_write(0)
        block["oracle"], block["owed"], block["keeper_debt"] = price, debt, float(int(keepers))
        block.run("monetary_policy_operate")
        assert block["monetary_policy.ema"] == pytest.approx(policy.ema.prev_value / WAD, rel=1e-10, abs=1e-12)
        assert near(block["monetary_policy.rate"], theirs)


def test_it_begins_at_the_snapshots_price_and_debts(lanes: Callable[..., Any], crvusd: Study) -> None:
    """Keepers' 5.19m over borrowers' 104.99m, at the pool's price; the average is at rest there."""
    block = lanes(crvusd)
    fraction = 5_190_452 / 104_987_211
    assert block["monetary_policy.ema"] == block["monetary_policy.queued"] == pytest.approx(fraction, rel=1e-12)
    assert block["borrow_rate"] == pytest.approx(0.08618 * math.exp((1.0 - block["oracle"]) / 0.02 - fraction / 0.1), rel=1e-12)


# -- off, and what governance calls ------------------------------------------------------------------------------------------------------


def test_it_is_nothing_where_nobody_speaks_of_it(frax: Study, lanes: Callable[..., Any]) -> None:
    """The worked state has no such table: no rate, no parameter asked for."""
    assert not frax.state.has("amos.monetary_policy")
    assert lanes(frax)["borrow_rate"] == 0.0
    assert frax.current.values()["policy_rate0"] == 0.0


def test_a_higher_rate_leaves_less_debt_and_a_dearer_coin(crvusd: Study) -> None:
    """The same calm paths at rate0 of 4% and of 30%: borrowers owe less on every path, what they bought back makes the coin dear, PegKeepers mint it in their place, and
    their debt takes back most of the rate.
    """
    columns = ("borrowers_debt", "peg_keeper_debt", "price", "borrowers_rate")
    low, high = (
        trace(crvusd.current.replace(policy_rate0=rate), crvusd, scenario="calm", paths=8, columns=columns) for rate in (0.04, 0.3)
    )
    assert (high["borrowers_debt"].mean(axis=0) < low["borrowers_debt"].mean(axis=0)).all()
    assert (high["peg_keeper_debt"].mean(axis=0) > low["peg_keeper_debt"].mean(axis=0)).all()
    assert high["price"].mean() > low["price"].mean()
    first, last = (high["borrowers_rate"][hour].mean() / low["borrowers_rate"][hour].mean() for hour in (0, -1))
    assert first == pytest.approx(7.5, rel=0.05)
    assert 1.0 < last < 4.0


def test_a_policy_without_a_rate_is_told(tmp_path: Path) -> None:
    """A set that leaves rate0 out runs at none: `validate` says so."""
    for file in STUDY.parent.iterdir():
        text = file.read_text(encoding="utf-8").replace("policy_rate0 = 0.08618\n", "")
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    assert [each.message for each in cautions_of(tmp_path / "study.toml")] == ["a monetary policy without a rate"]
    assert cautions_of(STUDY) == []


def with_contract(study: Study) -> Study:
    at = Contract(address="0x" + "12" * 20, source="a test's")
    return replace(study, state=replace(study.state, contracts={"monetary_policy": at}))


def test_a_change_is_called_in_the_contracts_units(crvusd: Study) -> None:
    """rate0 a second in 1e18, sigma as a signed integer, the target in 1e18; nothing where the state names no contract."""
    after = crvusd.current.replace(policy_rate0=0.11, policy_sigma=0.015, policy_target_debt_fraction=0.2)
    assert calls_between(crvusd.current, after, crvusd.state, ramp=None) == ()
    calls = calls_between(crvusd.current, after, with_contract(crvusd).state, ramp=None)
    assert [(call.function.signature, call.values) for call in calls] == [
        ("set_rate(uint256)", (round(0.11 * WAD / SECONDS_A_YEAR),)),
        ("set_sigma(int256)", (15 * WAD // 1000,)),
        ("set_target_debt_fraction(uint256)", (WAD // 5,)),
    ]
    assert calls[0].values == (3_488_077_118,)  # what the contract held where its documents say 11%
    assert {(call.to, call.caller) for call in calls} == {("0x" + "12" * 20, "curve_ownership_agent")}


def test_the_snapshots_rate0_is_the_contracts_integer() -> None:
    """2,732,676,751 a second of 30 January 2024 is 8.618% a year, to that figure's digits."""
    assert pytest.approx(0.08618, abs=5e-6) == 2_732_676_751 * SECONDS_A_YEAR / WAD
    assert raw_integer(PARAMETERS["policy_rate0"], 2_732_676_751 * SECONDS_A_YEAR / WAD) == 2_732_676_751


@pytest.mark.parametrize("name", POLICY)
def test_the_contract_takes_what_a_parameter_may_be(crvusd: Study, name: str) -> None:
    """Both ends of each range, as integers, pass the setter of the contract in integers."""
    policy = contract(AggMonetaryPolicy4, rate0=0, sigma=WAD, target=WAD, extra_const=0, debt_ratio_ema_time=3600)
    parameter, setter = PARAMETERS[name], setter_of(name, with_contract(crvusd).state)
    assert setter is not None
    assert (setter.name, setter.contract) == (parameter.setter, parameter.contract)
    for end in (parameter.low, parameter.high):
        raw = raw_integer(parameter, end)
        assert raw is not None
        getattr(policy, setter.name)(raw)
