"""A over time: every measured step of every ramp, and every attempt the contract took or refused."""

from __future__ import annotations

import copy
import gzip
import itertools
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.stableswap.exact import AmplificationRamp, PoolInputError, Revert, generation_of, pool_from_state
from amo_opt.stableswap.ramp import MAX_A, ramp_targets

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
DAY = 86_400
T0 = 1_700_000_000


def vectors() -> dict[str, Any]:
    with gzip.open(VECTORS / "curve_ramp.json.gz") as file:
        return json.load(file)


def assert_shows(ramp: AmplificationRamp, record: dict[str, Any], t: int, where: str) -> None:
    assert str(ramp.A(t)) == record["A"], where
    for name in ("initial_A", "future_A", "initial_A_time", "future_A_time"):
        assert str(getattr(ramp, name)) == record[name], (where, name)
    if "A_precise" in record:
        assert str(ramp.A_precise(t)) == record["A_precise"], where


def attempt(ramp: AmplificationRamp, step: dict[str, Any]) -> bool:
    caller = step.get("caller", "admin")
    try:
        if step["action"] == "ramp_A":
            ramp.ramp_A(int(step["future_A"]), step["future_time"], t=step["timestamp"], caller=caller)
        else:
            ramp.stop_ramp_A(t=step["timestamp"], caller=caller)
    except Revert:
        return False
    return True


def test_every_sample_of_every_ramp_is_the_contract_s() -> None:
    """A, A_precise, the stored values, the virtual price and a quote, in step with 60 ramps; NG quotes see A without its fraction."""
    count = 0
    for case in vectors()["scenarios"]:
        pool, swap = pool_from_state(case), case["probe_swap"]
        ramp = AmplificationRamp(generation=case["contract"], initial_A=pool.amplification_raw)
        for number, step in enumerate(case["steps"]):
            where, t = f"{case['id']}[{number}]", step["timestamp"]
            count += 1
            if step["action"] != "sample":
                assert_shows(ramp, step["before"], t, where)
                assert attempt(ramp, step) == step.get("ok", True), where
                if "after" in step:
                    assert_shows(ramp, step["after"], t, where)
                continue
            assert_shows(ramp, step, t, where)
            pool.amplification_raw = ramp.amplification_raw(t)
            assert str(pool.get_virtual_price()) == step["virtual_price"], where
            assert str(pool.get_dy(swap["i"], swap["j"], int(swap["dx"]))) == step["dy"], where
    assert count == 1100


def test_every_attempt_at_the_limits_is_taken_or_refused_as_measured() -> None:
    """Ten times inclusive from the A of that moment, a day since the last, a day long, 0 < A < 10**6, the owner alone."""
    count = 0
    for case in vectors()["limits"]:
        ramp = AmplificationRamp(generation=case["contract"], initial_A=int(case["A0"]) * generation_of(case["contract"]).a_unit)
        for number, step in enumerate(case["calls"]):
            where, tried = f"{case['id']}[{number}]", copy.copy(ramp)
            count += 1
            if "before" in step:
                assert_shows(ramp, step["before"], step["timestamp"], where)
            assert attempt(tried, step) == step["ok"], where
            if "after" in step:
                assert_shows(tried, step["after"], step["timestamp"], where)
            elif not step["ok"]:
                assert vars(tried) == vars(ramp), f"{where}: a refusal left a trace"
            if step.get("kept"):
                ramp = tried
    assert count == 1824


@settings(max_examples=100, deadline=None, derandomize=True)
@given(start=st.integers(1, 999_999), factor=st.floats(0.1, 10.0), span=st.integers(DAY, 400 * DAY), at=st.lists(st.integers(0, 401 * DAY)))
def test_a_ramp_runs_one_way_between_its_ends(start: int, factor: float, span: int, at: list[int]) -> None:
    """Monotone in time, never outside the two ends, exact at both."""
    ramp = AmplificationRamp(generation="base", initial_A=start * 100)
    target = min(max(int(start * factor), -(-start // 10), 1), 999_999)
    ramp.ramp_A(target, T0 + span, t=T0)
    values = [ramp.A_precise(T0 + t) for t in [0, *sorted(at), 401 * DAY]]
    assert values == sorted(values, reverse=target < start)
    assert (values[0], values[-1]) == (start * 100, target * 100)


def test_three_pool_has_no_precise_a() -> None:
    """Its contract lacks the method; its A is already what the pool computes with."""
    ramp = AmplificationRamp(generation="three_pool", initial_A=2000)
    assert ramp.A(T0) == ramp.amplification_raw(T0) == 2000
    with pytest.raises(Revert, match="A_precise"):
        ramp.A_precise(T0)


def test_time_before_a_ramp_s_start_reverts() -> None:
    """On chain the difference of times leaves uint256."""
    ramp = AmplificationRamp(generation="base", initial_A=10_000)
    ramp.ramp_A(200, T0 + DAY, t=T0)
    with pytest.raises(Revert):
        ramp.A(T0 - 1)


@pytest.mark.parametrize("bad", [{"initial_A": 99}, {"initial_A": 10**8}, {"initial_A": 1e4}, {"initial_A": -1}, {"generation": "v9"}])
def test_a_ramp_no_contract_holds_is_refused(bad: dict[str, Any]) -> None:
    """A below 1, at a million, not an integer; a generation that does not exist."""
    with pytest.raises(PoolInputError):
        AmplificationRamp(**{"generation": "base", "initial_A": 10_000, **bad})


@pytest.mark.parametrize("future", [-1, 1.5, "200", True])
def test_an_argument_that_is_no_uint_never_reaches_the_contract(future: object) -> None:
    """A ValueError that names it."""
    with pytest.raises(ValueError, match="future_A"):
        AmplificationRamp(generation="base", initial_A=10_000).ramp_A(future, T0 + DAY, t=T0)  # type: ignore[arg-type]


@given(st.integers(1, MAX_A - 1), st.integers(1, MAX_A - 1))
def test_a_schedule_of_ramps_arrives_in_the_fewest_the_contract_takes(current, target):
    """Each at most ten times the one before, up or down, the last at the target; one fewer could not reach it."""
    path = (current, *ramp_targets(current, target))
    assert path[-1] == target
    assert all(0 < b < MAX_A and b <= 10 * a and a <= 10 * b for a, b in itertools.pairwise(path))
    ratio = Fraction(max(current, target), min(current, target))
    assert ratio > 10 ** (len(path) - 2) or current == target
