import itertools
import math
import os
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, chi2
from scipy.stats import t as student

from amo_opt.errors import InputError
from amo_opt.stress.calibration import fit_spells
from amo_opt.stress.calibration.spells import SHARED, Steps, fit_steps, invariant, log_likelihood, misfits, steps_of
from amo_opt.stress.table import read_table
from tests.stress.simulated_spells import CALM_SCALES, TRUE, simulated, true_values, written

HISTORY = os.environ.get("AMO_OPT_HISTORY_DIR")
recorded = pytest.mark.skipif(HISTORY is None, reason="AMO_OPT_HISTORY_DIR names no folder of histories")


# -- steps from balances ---------------------------------------------------------------------------------------------------------------


def table_of(tmp_path, columns: str, rows) -> object:
    file = tmp_path / "pool.csv"
    file.write_text("\n".join([columns, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return read_table(file)


def test_steps_are_what_was_done_to_the_pool(tmp_path) -> None:
    """Liquidity that comes in proportion, a sale at par, and fees in the virtual price: each is found as what it was."""
    rng = np.random.default_rng(4)
    flows, changes = 0.01 * rng.standard_normal(40), 0.02 * rng.standard_normal(40)
    x, y, price = 5.2e8, 4.8e8, 1.01
    rows = [("2022-01-01", x, y, price)]
    for day, (flow, change) in enumerate(zip(flows, changes, strict=True), start=2):
        x, y = x * math.exp(change), y * math.exp(change)
        total = x + y
        x, y = x - flow * total, y + flow * total
        price, x, y = price * 1.0001, x * 1.0001, y * 1.0001
        rows.append((f"2022-{1 + (day - 1) // 31:02d}-{1 + (day - 1) % 31:02d}", x, y, price))
    rows = [row for row in rows if row[0] <= "2022-02-09"]
    found, gone = steps_of(table_of(tmp_path, "timestamp,pool_stable,pool_base,virtual_price", rows))
    n = len(rows) - 1
    assert (gone, found.used.all()) == ((), True)
    np.testing.assert_allclose(found.change, changes[:n], atol=1e-12)
    np.testing.assert_allclose(found.flow, flows[:n], atol=2e-4 * 0.6)  # a day's fee is in x, a ten-thousandth of its half


@pytest.mark.parametrize("amplification", [1.0, 50.0, 1500.0])
def test_d_is_curves(amplification: float) -> None:
    """It solves the invariant; at a swap it stays, which what both sides add up to does not."""
    x, y = np.array([9e8, 5e8, 2e7]), np.array([1e8, 5e8, 9e8])
    d = invariant(x, y, amplification)
    ann = 2 * amplification
    np.testing.assert_allclose(ann * (x + y) + d, ann * d + d**3 / (4 * x * y), rtol=1e-13)
    assert d[1] == pytest.approx(1e9)


def test_a_from_the_file_stands_before_the_option(tmp_path) -> None:
    """A column of A, as for a pool whose A was ramped."""
    rng = np.random.default_rng(5)
    rows = [
        (f"2022-01-{day:02d}" if day < 32 else f"2022-02-{day - 31:02d}", 5e8 * (1 + 0.2 * rng.random()), 5e8, 100) for day in range(1, 41)
    ]
    with_a = table_of(tmp_path, "timestamp,pool_stable,pool_base,amplification", rows)
    assert np.array_equal(steps_of(with_a)[0].change, steps_of(with_a, amplification=5.0)[0].change)
    without = table_of(tmp_path, "timestamp,pool_stable,pool_base", [row[:3] for row in rows])
    assert np.array_equal(steps_of(with_a)[0].change, steps_of(without, amplification=100.0)[0].change)
    assert not np.array_equal(steps_of(with_a)[0].change, steps_of(without)[0].change)


def test_too_few_steps_and_a_pool_that_stands_still_are_refused(tmp_path) -> None:
    """In words, with what is allowed."""
    rows = [(f"2022-01-{day:02d}", 5e8 + day, 5e8) for day in range(1, 20)]
    with pytest.raises(InputError, match="too few steps to fit"):
        steps_of(table_of(tmp_path, "timestamp,pool_stable,pool_base", rows))
    rows = [(f"2022-{month:02d}-{day:02d}", 5e8, 5e8) for month in (1, 2) for day in range(1, 29)]
    with pytest.raises(InputError, match="the pool never moves"):
        steps_of(table_of(tmp_path, "timestamp,pool_stable,pool_base", rows))


# -- the likelihood ----------------------------------------------------------------------------------------------------------------------


def test_likelihood_is_the_sum_over_all_states() -> None:
    """Of ten steps of different lengths, one of them not used, against every sequence of states one by one."""
    (pool,) = simulated(3, days=10, scales=CALM_SCALES[:1])
    days = np.array([1.0, 0.9, 1.1, 2.5, 0.9, 5.0, 1.0, 0.9, 0.9, 1.0])
    pool = Steps(pool.name, days, days <= 3.0, pool.flow, pool.change, pool.tilt, pool.total, pool.share, pool.depth)
    begin, end, (flow_scale, lp_scale) = TRUE["begin"], TRUE["end"], CALM_SCALES[0]
    matrix = np.array([[1 - begin, begin], [end, 1 - end]])
    values, vectors = np.linalg.eig(matrix)
    after = [(vectors @ np.diag(values**h) @ np.linalg.inv(vectors)).real for h in days]
    share = np.array([end, begin]) / (begin + end)
    total = 0.0
    for states in itertools.product((0, 1), repeat=10):
        chance = 1.0
        before = share
        for i, state in enumerate(states):
            chance *= (before @ after[i])[state] if i == 0 else after[i][states[i - 1], state]
            if days[i] <= 3.0:
                root = math.sqrt(days[i])
                scale = root * flow_scale * (TRUE["flow_times"] if state else 1.0)
                chance *= student.pdf((pool.flow[i] - TRUE["reversion"] * days[i] * pool.tilt[i]) / scale, TRUE["flow_freedom"]) / scale
                scale = root * lp_scale * (TRUE["lp_times"] if state else 1.0)
                along = TRUE["lp_per_sale"] * pool.flow[i] if state else 0.0
                chance *= student.pdf((pool.change[i] - along) / scale, TRUE["lp_freedom"]) / scale
        total += chance
    assert log_likelihood([pool], true_values(CALM_SCALES[:1])) == pytest.approx(math.log(total), rel=1e-12)


def test_chances_that_leave_nothing_of_a_day_are_none() -> None:
    """Begin and end of 1 together: today would tell nothing, or the opposite, of tomorrow."""
    pools = simulated(3, days=40, scales=CALM_SCALES[:1])
    assert log_likelihood(pools, true_values(CALM_SCALES[:1], begin=0.7, end=0.4)) < -1e14


# -- the fit -------------------------------------------------------------------------------------------------------------------------------


def test_known_figures_are_found_again() -> None:
    """Four pools of 500 days: what was drawn with is no less likely than chance allows, each figure is near it, and what is predicted is what is seen."""
    pools = simulated(1, days=500)
    shared, scales, top, gain, distances = fit_steps(pools, intervals=False)
    truth = true_values()
    assert 0.0 <= 2.0 * (top - log_likelihood(pools, truth)) < chi2.ppf(0.999, truth.size)
    assert gain > 100.0
    for name, within in zip(SHARED, (0.5, 0.5, 0.25, 0.25, 0.3, 0.3, 0.6, 0.4), strict=True):
        assert shared[name].value == pytest.approx(TRUE[name], rel=within), name
    for found, own in zip(scales, CALM_SCALES, strict=True):
        assert [each.value for each in found] == pytest.approx(own, rel=0.3)
    assert max(distances) < 0.03
    assert max(misfits(pools, true_values(flow_freedom=1e6, lp_freedom=1e6))) > 0.05


SMALL = ((0.0012, 0.0015), (0.0016, 0.0012))


def test_one_state_says_that_spells_are_not_identified(tmp_path) -> None:
    """A pool without spells: the tails are found, and of begin, end and how many times larger nothing is pasted."""
    (file,) = written(tmp_path, simulated(2, days=200, scales=SMALL[:1], begin=0.0, flow_freedom=4.0, lp_freedom=4.0))
    found = fit_spells([read_table(file)])
    figures = {each.name: each for each in found.figures}
    for name in ("begin", "end", "flow_times", "lp_times", "lp_per_sale"):
        assert figures[f"spell_{name}"].not_identified.startswith("one state fits as well")
    pasted = tomllib.loads(found.toml())["scenario"][0]["set"]
    assert {"spell_flow_scale", "spell_lp_scale"} <= set(pasted)
    assert not {"spell_begin", "spell_end"} & set(pasted)


@recorded
def test_histories_give_about_the_design_of_calm() -> None:
    """FRAX to May 2022 and stETH: spells are far likelier than one state, tails have hardly a variance, and flows are predicted to within two hundredths."""
    tables = [read_table(Path(HISTORY) / name) for name in ("frax3crv_pool_daily.csv", "steth_eth_pool_daily.csv")]
    pools = [steps_of(table, amplification=a)[0] for table, a in zip(tables, (1500.0, 50.0), strict=True)]
    shared, _, _, gain, (of_flow, _) = fit_steps(pools, intervals=False)
    assert gain > 100.0
    assert 0.05 < shared["begin"].value < 0.3
    assert 0.08 < shared["end"].value < 0.4
    assert 2.5 < shared["flow_times"].value < 5.5
    assert 3.5 < shared["lp_times"].value < 12.0
    assert 1.4 < shared["flow_freedom"].value < 3.0
    assert 1.2 < shared["lp_freedom"].value < 2.4
    assert of_flow < 0.03


@pytest.mark.campaign
def test_intervals_hold_the_truth(capsys) -> None:
    """40 replications of two pools of 400 days: a 95% interval that holds the truth on 95% of them falls below the least asked for with a chance of at most 0.0005."""
    count, held = 40, dict.fromkeys(SHARED, 0)
    least = int(binom.ppf(0.0005, count, 0.95))
    began = time.monotonic()
    for seed in range(100, 100 + count):
        shared, *_ = fit_steps(simulated(seed, days=400, scales=CALM_SCALES[:2]))
        for name, each in shared.items():
            held[name] += each.low <= TRUE[name] <= each.high
        with capsys.disabled():
            sys.stdout.write(f"{seed - 99} of {count}, {time.monotonic() - began:.0f} s: {held}\n")
    assert min(held.values()) >= least
