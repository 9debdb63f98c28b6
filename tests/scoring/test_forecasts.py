"""Forecasts of recorded pools and how they are judged; replays told their flows; replays of a part of a file."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt import load_study
from amo_opt.config.evidence import Episode, Evidence, Recorded
from amo_opt.errors import AmoOptError, InputError
from amo_opt.scoring import forecasts
from amo_opt.scoring.forecasts import (
    Scored,
    Told,
    given_of,
    judged,
    left_out,
    pools_of,
    replay_between,
    rolling,
    rows_of,
    stretches,
    told,
)
from amo_opt.scoring.replayed import fit_of
from amo_opt.scoring.rules import crps_of_paths
from amo_opt.simulation.backtest import STARTS, Given, Known, backtest
from amo_opt.stableswap.depth import Pool
from amo_opt.stress.history import History, folded
from amo_opt.stress.table import read_table
from tests.stress.simulated_spells import simulated

STUDIES = Path(__file__).parents[2] / "studies"
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
A = 200.0


@pytest.fixture(scope="module")
def study():
    return load_study(STUDIES / "pool.toml")


def table_of(folder: Path, hours, x, y, *, name: str = "made", further: dict[str, list] | None = None):
    """A file of balances at some hours."""
    further = further or {}
    lines = [",".join(["timestamp", "pool_stable", "pool_base", *further])]
    for row, hour in enumerate(hours):
        time = (BEGIN + timedelta(hours=float(hour))).isoformat()
        lines.append(",".join([time, repr(float(x[row])), repr(float(y[row])), *(str(column[row]) for column in further.values())]))
    file = folder / f"{name}.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def pool_of(file: Path):
    recorded = Recorded(name=file.stem, file=file.name, source="made", table=read_table(file), amplification=A)
    return pools_of(Evidence(name="made", notes="", histories=(recorded,), episodes=()))[0]


# -- figures of some rows ----------------------------------------------------------------------------------------------------------------


def row(
    origin: int, *, pit: float, crps: float = 1.0, still: float = 2.0, full: float = 4.0, calm: float = 5.0, of: str = "pool"
) -> Scored:
    return Scored(of, origin, "share", 1.0, 0.5, pit, crps, still, full, calm)


def test_judged_by_hand() -> None:
    """Six rows of three origins: shares inside, ratios of sums (no mean of ratios), tenths."""
    rows = [
        row(0, pit=0.02), row(0, pit=0.5, crps=3.0, still=1.0), row(7, pit=0.96, crps=0.5), row(7, pit=0.35), row(14, pit=0.76, crps=2.0), row(14, pit=0.94),
    ]  # fmt: skip
    found = judged("some", rows)
    assert (found.name, found.rows, found.origins) == ("some", 6, 3)
    assert (found.inside_90.value, found.inside_50.value) == (pytest.approx(4 / 6), pytest.approx(2 / 6))
    assert found.over_still.value == pytest.approx((1 + 3 + 0.5 + 1 + 2 + 1) / (2 + 1 + 2 + 2 + 2 + 2))
    assert (found.over_full.value, found.over_calm.value) == (pytest.approx(8.5 / 24), pytest.approx(8.5 / 30))
    assert found.tenths == pytest.approx([1 / 6, 0, 0, 1 / 6, 0, 1 / 6, 0, 1 / 6, 0, 2 / 6])
    for share in (found.inside_90, found.inside_50, found.over_still, found.over_full, found.over_calm):
        assert share.low <= share.value <= share.high


def test_depths_have_no_walk_and_rows_alike_no_width() -> None:
    """A rival that is no number is none; where every origin says the same the interval is a point."""
    found = judged("depth", [row(origin, pit=0.5, full=math.nan, calm=math.nan) for origin in range(30)])
    assert (found.over_full, found.over_calm) == (None, None)
    assert found.over_still == (0.5, 0.5, 0.5)


def test_a_rival_that_is_never_wrong_gives_no_number_below_infinity() -> None:
    """Nothing changed at all: the ratio has no end, and no interval is NaN."""
    found = judged("still", [row(origin, pit=0.5, still=0.0) for origin in range(12)])
    assert found.over_still == (math.inf, math.inf, math.inf)
    some = judged("some", [row(origin, pit=0.5, still=float(origin == 3)) for origin in range(12)])
    assert not any(map(math.isnan, some.over_still))
    assert judged("both", [row(origin, pit=0.5, still=0.0, crps=0.0) for origin in range(12)]).over_still == (1.0, 1.0, 1.0)
    assert some.over_still.value == 12.0


def test_rows_of_one_origin_move_together() -> None:
    """Half the origins all inside and half all outside: the interval is of origins, far wider than that of as many independent rows."""
    rng = np.random.default_rng(1)
    inside = rng.random(60) < 0.5
    rows = [row(origin, pit=0.5 if inside[origin] else 0.999) for origin in range(60) for _ in range(20)]
    found = judged("some", rows).inside_90
    assert found.high - found.low > 4.0 * 2.0 * 1.96 * math.sqrt(0.25 / 1200) / 2.0
    assert found.low < 0.5 < found.high + 0.1


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20), st.floats(0.0, 1.0))
def test_pit_is_the_share_below_and_half_of_those_at_it(paths: list[float], real: float) -> None:
    """The naive count; it is turned round with its values."""
    count = sum(1.0 if one < real else 0.5 if one == real else 0.0 for one in paths) / len(paths)
    assert forecasts._pit(np.array(paths), real) == pytest.approx(count)
    assert forecasts._pit(-np.array(paths), -real) == pytest.approx(1.0 - count)


def test_scores_of_rows_are_of_their_hours(study, tmp_path) -> None:
    """Share as the hour opens, depth by the market of the hour before, walks by the moves up to the start alone; a row within the first half hour is of the start."""
    hours = np.array([0.0, 24.0, 48.0, 48.3, 70.2, 96.0])
    x = np.array([5.0e6, 5.1e6, 5.3e6, 5.3e6, 6.0e6, 4.9e6])
    pool = forecasts._as_pool(read_table(table_of(tmp_path, hours, x, 10e6 - x)), A)
    series = {name: np.linspace(0.0, 1.0, 80 * 4).reshape(80, 4) for name in ("pool_share", "price_in_base")}

    class Run:
        pass

    run = Run()
    run.series = series
    found = list(forecasts.scored(run, pool, [3, 4], first=2, of="made"))
    assert [(each.what, each.of, each.origin) for each in found] == [("share", "made", 2), ("depth", "made", 2)] * 2
    moves = np.array([0.01, 0.02])
    for at, hour in ((0, 0), (2, 22)):
        share, depth = found[at], found[at + 1]
        assert share.real == pytest.approx((0.53, 0.60)[at // 2])
        assert share.crps == crps_of_paths(series["pool_share"][hour], share.real)
        assert share.still == pytest.approx(abs(share.real - 0.53))
        priced = np.maximum(0.0, 1.0 - series["price_in_base"][max(hour - 1, 0)])
        assert depth.crps == crps_of_paths(priced, depth.real)
        assert math.isnan(depth.walk_full)
    ahead = 22.2 / 24
    assert found[2].days == pytest.approx(ahead)
    assert found[2].walk_full == pytest.approx(forecasts.crps_of_normal(0.53, float(np.std(moves)) * math.sqrt(ahead), 0.60))
    assert found[2].walk_calm == pytest.approx(forecasts.crps_of_normal(0.53, 1.4826 * 0.015 * math.sqrt(ahead), 0.60))


def test_a_depth_is_how_far_the_pool_s_own_price_is_below(tmp_path) -> None:
    """By the balances of a row; nothing above; without an A none is invented."""
    x = np.linspace(6e6, 7e6, 40)
    x[0], x[1] = 3e6, 7e6
    file = table_of(tmp_path, 24.0 * np.arange(40), x, 10e6 - x)
    pool = pool_of(file)
    assert pool.depth(0) == 0.0
    assert pool.depth(1) == pytest.approx(1.0 - Pool(stablecoin=7e6, base=3e6, amplification=A, fee=0.0).price)
    with pytest.raises(AmoOptError, match="made: amplification: missing"):
        replace(pool, recorded=replace(pool.recorded, amplification=None)).depth(1)


# -- flows given ---------------------------------------------------------------------------------------------------------------------------


def history(hours: int, x: float, y: float) -> History:
    def one(value: float):
        return folded(np.array([0, hours - 1]), np.array([value, value]))

    return History(name="made", start=BEGIN, hours=hours, drivers={}, real={"pool_stable": one(x), "pool_base": one(y)}, state={})


@pytest.mark.parametrize("sold", [-3000.0, 3000.0])
def test_a_constant_flow_moves_the_pool_by_so_many_tokens(study, sold: float) -> None:
    """Forty hours of selling or buying: so many stablecoins more or less in the pool; then nothing moves."""
    run = backtest(study, history=history(60, 5e6, 5e6), paths=1, given=Given(flow=np.full(40, -sold), lp=np.zeros(40)))
    x = run.series["pool_stable"][:, 0]
    # of what is bought the providers' half of the fee of 4 bp stays
    assert np.diff(x)[:40] == pytest.approx(sold if sold > 0 else sold * (1.0 - 0.5 * 0.0004), rel=1e-9)
    assert x[41:] == pytest.approx(x[40], abs=1e-6)
    assert run.series["supply"][:, 0] == pytest.approx(run.series["supply"][0, 0])
    assert run.drawn_behaviour == "no"


def test_liquidity_that_is_given_comes_in_proportion(study) -> None:
    """Both sides grow by e to the sum of what is given, the share stays."""
    change = np.linspace(-0.01, 0.02, 30)
    run = backtest(study, history=history(40, 6e6, 4e6), paths=1, given=Given(flow=np.zeros(30), lp=change))
    for name, start in (("pool_stable", 6e6), ("pool_base", 4e6)):
        np.testing.assert_allclose(run.series[name][1:31, 0], start * np.exp(np.cumsum(change)), rtol=1e-9)
    np.testing.assert_allclose(run.series["pool_share"][:, 0], 0.6, rtol=1e-9)


def test_paths_told_their_flows_are_all_alike(study) -> None:
    """No draw of behaviour, of the start, or of anything else moves a pool whose flows are given."""
    run = backtest(study, history=history(30, 5e6, 5e6), paths=70, given=Given(flow=np.full(12, 1e4), lp=np.full(12, 1e-3)), workers=2)
    for values in (run.series["pool_stable"], run.series["pool_base"]):
        assert np.ptp(values, axis=1).max() == 0.0


def naive(hours, flows, changes, *, x: float, y: float):
    """A pool of two coins hour by hour: providers in proportion, then a sale at the curve's own price, found by bisection on its invariant; no fee."""
    found = [(x, y)]
    ann = 2.0 * A

    def invariant(x, y):
        low, high = 0.0, 2.0 * (x + y)
        for _ in range(200):
            d = 0.5 * (low + high)
            low, high = (d, high) if ann * (x + y) + d > ann * d + d**3 / (4.0 * x * y) else (low, d)
        return d

    for hour in range(hours):
        x, y = x * math.exp(changes[hour]), y * math.exp(changes[hour])
        d, x = invariant(x, y), x - flows[hour]
        low, high = 0.0, 4.0 * d
        for _ in range(200):
            y = 0.5 * (low + high)
            low, high = (low, y) if ann * (x + y) + d > ann * d + d**3 / (4.0 * x * y) else (y, high)
        found.append((x, y))
    return np.array(found)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """Forty days of a naive pool, written about every 21.7 hours."""
    rng = np.random.default_rng(11)
    hours = 24 * 40
    flows = np.repeat(rng.standard_t(3, hours // 24) * 3e3, 24)
    changes = np.repeat(rng.standard_t(3, hours // 24) * 3e-4, 24)
    balances = naive(hours, flows, changes, x=5.4e6, y=4.6e6)
    rows = np.floor(np.arange(0.0, hours, 21.7)).astype(int)
    return table_of(tmp_path_factory.mktemp("naive"), rows, balances[rows, 0], balances[rows, 1], name="naive"), rows, balances


def test_a_pool_is_reproduced_by_its_flows_and_changes(study, synthetic) -> None:
    """Sales and changes of liquidity taken from its balances, put into the replay: its share at every row to 0.1 point, its liquidity to half a per cent."""
    file, rows, balances = synthetic
    plain = replace(study, state=study.state)
    run = replay_between(with_a(plain), file, condition="flow,lp", paths=1)
    share = balances[:, 0] / balances.sum(axis=1)
    assert np.ptp(share[rows]) > 0.05
    np.testing.assert_allclose(run.series["pool_share"][rows[1:], 0], share[rows[1:]], atol=1e-3)
    total = run.series["pool_stable"][:, 0] + run.series["pool_base"][:, 0]
    np.testing.assert_allclose(total[rows[1:]], balances.sum(axis=1)[rows[1:]], rtol=5e-3)


def with_a(study):
    from amo_opt.config.overrides import with_figure
    from amo_opt.protocol.state import Figure

    state = with_figure(study.state, "pool.amplification", Figure(value=A, source="made"))
    return replace(study, state=state, current=study.current.replace(amplification=round(A)))


def test_flow_alone_keeps_liquidity_but_for_what_goes_with_sales(study, synthetic) -> None:
    """Without coupling the pool's liquidity stays where it started, whatever was recorded of it; with it, it changes with busy sales by `lp_per_sale` at most."""
    file, rows, balances = synthetic
    pool = pool_of(file)
    last = len(rows) - 1
    spells = study.spells
    lone = replace(spells, values={**spells.values, "lp_per_sale": 0.0})
    without = given_of(pool, first=0, last=last, spells=lone, lp=False)
    coupled = given_of(pool, first=0, last=last, spells=spells, lp=False)
    both = given_of(pool, first=0, last=last, spells=None, lp=True)
    assert np.all(without.lp == 0.0)
    sold = np.array([coupled.lp[rows[i] : rows[i + 1]].sum() for i in range(last)])
    flow = pool.steps.flow
    assert np.all(np.abs(sold) <= spells.values["lp_per_sale"] * np.abs(flow) + 1e-15)
    assert np.all(sold * flow >= 0.0)
    assert both.lp.sum() == pytest.approx(pool.steps.change.sum())
    run = replay_between(replace(with_a(study), spells=lone), file, condition="flow", paths=1)
    from amo_opt.stress.calibration.spells import invariant

    x, y = run.series["pool_stable"][:, 0], run.series["pool_base"][:, 0]
    np.testing.assert_allclose(invariant(x, y, A), invariant(x[:1], y[:1], A)[0], rtol=1e-3)
    assert np.ptp(balances.sum(axis=1)) > 1e5


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 40.0), min_size=2, max_size=12), st.integers(0, 10**6))
def test_nothing_that_was_recorded_is_lost_between_hours(gaps: list[float], seed: int) -> None:
    """However rows lie in their hours: all changes of liquidity are given, each by the hour that its row is compared at."""
    rng = np.random.default_rng(seed)
    hours = np.cumsum([0.37, *gaps])
    x = 5e6 * np.exp(np.cumsum(rng.normal(0, 0.02, hours.size)))
    y = 5e6 * np.exp(np.cumsum(rng.normal(0, 0.02, hours.size)))
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        file = table_of(Path(folder), hours, x, y)
        pool = forecasts._as_pool(read_table(file), A)
    for first in (0, 1):
        last = hours.size - 1
        given_all = given_of(pool, first=first, last=last, spells=None, lp=True)
        at = forecasts._hours_from(pool, first)
        assert given_all.flow.size == at[last]
        if at[last] == 0:
            continue
        assert given_all.lp.sum() == pytest.approx(pool.steps.change[first:].sum(), abs=1e-12)
        for row in range(first + 1, last):
            if at[row] < at[row + 1] and at[row] > at[row - 1]:
                assert given_all.lp[: at[row]].sum() == pytest.approx(pool.steps.change[first:row].sum(), abs=1e-12)


def test_a_stretch_is_within_what_is_asked() -> None:
    """Of the depth a share, of the pool's share so many."""
    each = Told("made", "2022-01-01", 14.0, depth=0.010, depth_model=0.0104, share=0.8, share_model=0.809)
    assert each.within(0.05, 0.01)
    assert not each.within(0.03, 0.01)
    assert not each.within(0.05, 0.005)


def test_stretches_follow_one_another_and_have_no_gap(tmp_path) -> None:
    """Fortnights to the row that is the first at or after; one with a gap of more than three days is left out, and the next begins after it."""
    hours = np.concatenate([24.0 * np.arange(0, 30), 24.0 * np.arange(36, 70)])
    x = 5e6 + 1e4 * np.arange(hours.size)
    found = list(stretches(pool_of(table_of(tmp_path, hours, x, x[::-1])), days=14.0))
    assert found[:2] == [(0, 14), (14, 28)]
    assert all(np.diff(hours[first : last + 1]).max() <= 72.0 for first, last in found)
    assert [(hours[first] / 24, hours[last] / 24) for first, last in found[2:]] == [(42.0, 56.0)]


def test_a_told_stretch_is_the_record(study, synthetic) -> None:
    """Its last share to 0.1 point, its deepest price to two per cent."""
    pool = pool_of(synthetic[0])
    found = told(study, pool, study.spells, first=3, last=30, of="made", lp=True)
    assert (found.of, found.start) == ("made", (BEGIN + timedelta(hours=float(synthetic[1][3]))).date().isoformat())
    assert found.share_model == pytest.approx(found.share, abs=1e-3)
    assert found.depth > 1e-5
    assert found.depth_model == pytest.approx(found.depth, rel=0.02)


# -- a part of a file ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    """A pool of 150 days with spells, a row a day."""
    (steps,) = simulated(8, days=150, scales=((0.004, 0.005),))
    x, y = [5e6], [5e6]
    for flow, change in zip(steps.flow, steps.change, strict=True):
        total = (x[-1] + y[-1]) * math.exp(change)
        x.append(x[-1] * math.exp(change) - flow * total)
        y.append(total - x[-1])
    return tmp_path_factory.mktemp("moving"), 24.0 * np.arange(151), np.array(x), np.array(y)


def day(number: int) -> str:
    return (BEGIN + timedelta(days=number)).isoformat()


def test_rows_before_a_replay_tell_its_scales(study, moving, monkeypatch) -> None:
    """The pool's own, as fitted to those rows alone: what comes later in the file, and how long it is, changes nothing; of few rows none are told."""
    folder, hours, x, y = moving
    seen = []
    monkeypatch.setattr(forecasts, "backtest", lambda *_, known, given, **__: seen.append((known, given)))
    whole = table_of(folder, hours, x, y, name="whole")
    replay_between(study, whole, since=day(100), until=day(120))
    cut = table_of(folder, hours[:121], x[:121], np.where(np.arange(121) > 100, 2.0, 1.0) * y[:121], name="cut")
    replay_between(study, cut, since=day(100))
    replay_between(study, whole, since=day(20))
    replay_between(study, whole)
    replay_between(study, whole, since=day(100), condition="flow,lp")
    (known, none), (again, _), *rest, (untold, given_all) = seen
    assert isinstance(known, Known)
    assert again == known
    assert none is None
    assert [each for each, _ in rest] == [None, None]
    assert untold is None
    assert given_all.flow.size == 50 * 24
    assert 0.5 < known.scales[0] / 0.004 < 2.0
    assert 0.5 < known.scales[1] / 0.005 < 2.0
    assert 0.0 < known.busy < 1.0


def test_a_pool_that_moves_less_has_a_narrower_band(study, moving) -> None:
    """Known scales a quarter as large: bands about a quarter as wide."""
    folder, hours, x, y = moving
    run = {}
    for name, by in (("as-is", 1.0), ("quiet", 0.25)):
        share = x / (x + y)
        total = (x + y) ** by * 1e7 ** (1 - by)
        moved = 0.5 + by * (share - 0.5)
        file = table_of(folder, hours, moved * total, (1 - moved) * total, name=name)
        run[name] = replay_between(study, file, since=day(120), until=day(127), paths=128)
        assert run[name].drawn_behaviour == "known"
    width = {name: np.ptp(np.percentile(each.series["pool_share"][-1], [25, 75])) for name, each in run.items()}
    assert 0.12 < width["quiet"] / width["as-is"] < 0.5


def test_a_column_of_a_is_the_pools(study, moving) -> None:
    """It replaces the study's, in the state and in the set; one that changes within the replay is refused with its line, before it is not."""
    folder, hours, x, y = moving
    column = [300 if number < 90 else 400 for number in range(151)]
    file = table_of(folder, hours, x, y, name="ramped", further={"amplification": column})
    run = replay_between(study, file, since=day(100), until=day(103), paths=2)
    assert run.study.state.pool.amplification.value == 400.0
    assert run.parameters.amplification == 400
    with pytest.raises(AmoOptError, match=r"amplification: found 300 and, from line 92, 400; allowed: one A within a replay"):
        replay_between(study, file, since=day(80), until=day(103))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"since": "soon"}, "--from: found 'soon'"),
        ({"until": "20220110"}, "--to: found '20220110'"),
        ({"since": "1999-01-01"}, "--from: found '1999-01-01'"),
        ({"since": day(400)}, "found 0 rows"),
        ({"until": "2020-01-01"}, "found 0 rows"),
        ({"since": day(20), "until": day(10)}, "found 0 rows"),
        ({"since": day(20), "until": day(20)}, "found 1 rows"),
        ({"since": day(150)}, "found 1 rows"),
    ],
)  # fmt: skip
def test_times_that_leave_too_few_rows_are_said(study, moving, named: dict[str, str], said: str) -> None:
    """With what the file has."""
    folder, hours, x, y = moving
    file = table_of(folder, hours, x, y, name="times")
    with pytest.raises(AmoOptError) as caught:
        replay_between(study, file, **named)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_flows_need_balances_where_they_begin(study, tmp_path) -> None:
    """Without the columns, with an empty first row, with no other row: said, with line."""
    file = tmp_path / "bare.csv"
    rows = ["2022-01-01,5e6,5e6,1", "2022-01-02,5.1e6,4.9e6,1", "2022-01-03,5.2e6,4.8e6,1"]
    file.write_text("timestamp,price\n2022-01-01,1\n2022-01-02,1\n")
    with pytest.raises(InputError, match="pool_stable: column missing"):
        replay_between(study, file, condition="flow")
    head = "timestamp,pool_stable,pool_base,price"
    for changed, said in (
        (["2022-01-01,,5e6,1", *rows[1:]], "2 rows with them, the first in line 3"),
        ([rows[0], "2022-01-02,,,1", "2022-01-03,,,1"], "1 rows with them"),
        (["2022-01-01,,,1", "2022-01-02,,,1"], "0 rows with them"),
    ):
        file.write_text("\n".join([head, *changed]) + "\n")
        with pytest.raises(InputError) as caught:
            replay_between(study, file, condition="flow,lp", paths=1)
        assert said in str(caught.value)
    file.write_text("\n".join([head, *rows]) + "\n")
    # three rows are enough where nothing is to be fitted
    run = replay_between(study, file, condition="flow,lp", paths=1)
    assert run.series["pool_share"][48, 0] == pytest.approx(0.52, abs=2e-3)
    with pytest.raises(InputError, match="too few steps to fit"):
        replay_between(replace(study, spells=None), file, condition="flow", paths=1)


# -- start, venue, oracle ----------------------------------------------------------------------------------------------------------------------


def test_what_has_a_source_is_no_draw(frax) -> None:
    """Balances of the first row are those of every path; supply that no row holds differs from path to path where it is assumed."""
    assert frax.spells is not None
    real = {"pool_stable": folded(np.array([0, 9]), np.array([8e8, 8e8])), "pool_base": folded(np.array([0, 9]), np.array([7e8, 7e8]))}
    run = backtest(frax, history=History(name="made", start=BEGIN, hours=10, drivers={}, real=real, state={}), paths=2 * STARTS)
    assert run.drawn_behaviour == "yes"
    assert np.all(run.series["pool_stable"][0] == 8e8)
    np.testing.assert_allclose(run.series["pool_base"][0], 7e8, rtol=1e-12)
    assert np.ptp(run.series["pool_stable"][-1]) > 0.0
    supply = run.series["supply"][0]
    # the paths have the joint draws in turn
    assert np.array_equal(supply[:STARTS], supply[STARTS:])
    sourced = {"supply": folded(np.array([0, 9]), np.array([2.6e9, 2.6e9])), **real}
    known = backtest(frax, history=History(name="made", start=BEGIN, hours=10, drivers={}, real=sourced, state={}), paths=4)
    assert np.all(known.series["supply"][0] == 2.6e9)


def test_without_a_fit_nothing_of_a_replay_is_drawn_but_calm(frax) -> None:
    """No fit and no venue: the start is one, the venue's noise is zero, and a set of settings of the study's own is no fit's draw."""
    plain = replace(frax, spells=None, venue=None)
    run = backtest(plain, episode="svb-2023", paths=3)
    assert (run.drawn_behaviour, np.abs(run.venue).max(), run.venue.shape) == ("no", 0.0, run.series["price"].shape)
    assert np.ptp(run.series["supply"][0]) == 0.0
    own = replace(frax.calm, settings={**frax.calm.settings, "spell_end": 0.9})
    moved = replace(frax, scenarios=tuple(own if each.name == "calm" else each for each in frax.scenarios))
    assert backtest(moved, episode="svb-2023", paths=3).drawn_behaviour == "no"


def test_venue_noise_is_that_of_its_figures(frax) -> None:
    """Of 400 paths: its deviation and what is left of it after its hours; the model's own prices are as without."""
    from amo_opt.config.study import Venue

    noisy = replace(frax, spells=None, venue=Venue(price_sd=0.002, price_hours=6.0))
    run = backtest(noisy, episode="svb-2023", paths=400)
    assert run.venue.std() == pytest.approx(0.002, rel=0.03)
    assert np.mean(run.venue[6:] * run.venue[:-6]) / 0.002**2 == pytest.approx(math.exp(-1.0), abs=0.05)
    plain = backtest(replace(noisy, venue=None), episode="svb-2023", paths=400)
    for name, values in run.series.items():
        assert np.array_equal(values, plain.series[name]), name
    widths = [
        np.mean(np.array(fit.high) - np.array(fit.low))
        for each in (run, plain)
        for fit in fit_of(each).columns
        if fit.name in ("price", "oracle")
    ]
    assert widths[0] > widths[1] + 3.0 * 0.002


def test_an_oracle_is_compared_with_the_oracle(frax) -> None:
    """A recorded oracle that is the model's own is no misfit, the same figures as a price are; each against its own."""
    plain = replace(frax, spells=None, venue=None)
    base = backtest(plain, episode="ust-contagion-2022", paths=1)
    hours = np.array([3, 40, 90])
    assert np.abs(base.series["price"] - base.series["oracle"])[hours].max() > 1e-4
    for name, other in (("oracle", "price"), ("price", "oracle")):
        history = replace(base.history, episode=None, real={name: folded(hours, base.series[name][hours, 0])})
        (column,) = fit_of(replace(base, history=history)).columns
        assert (column.name, column.rmse) == (name, 0.0)
        history = replace(base.history, episode=None, real={name: folded(hours, base.series[other][hours, 0])})
        (column,) = fit_of(replace(base, history=history)).columns
        assert column.rmse > 1e-5


# -- what cannot be predicted ------------------------------------------------------------------------------------------------------------------


def test_one_history_predicts_nothing(study, synthetic) -> None:
    """Each is predicted by the others; of none or one, a sentence."""
    pool = pool_of(synthetic[0])
    for pools in ([], [pool]):
        with pytest.raises(AmoOptError, match="at least 2"):
            rolling(study, pools, paths=32)


def test_episodes_that_leave_nothing_are_told(study, moving, tmp_path) -> None:
    """From a history's first row, or over almost all of it: not predicted, and said."""
    folder, hours, x, y = moving
    pool = pool_of(table_of(folder, hours, x, y, name="episodes"))
    first = Episode(name="from the start", history="episodes", start=BEGIN, end=BEGIN + timedelta(days=30))
    nearly = Episode(name="nearly all", history="episodes", start=BEGIN + timedelta(days=10), end=BEGIN + timedelta(days=149))
    said: list[str] = []
    found = left_out(
        study, [pool], Evidence(name="made", notes="", histories=(pool.recorded,), episodes=(first, nearly)), paths=32, told=said.append
    )
    assert found == []
    assert [each.split(":")[0] for each in said] == ["from the start", "nearly all"]
    assert all("not predicted" in each for each in said)
    assert rows_of(pool, first) == (0, 30)


def test_a_history_that_is_too_sparse_before_is_not_predicted_from(study, moving) -> None:
    """Sixty days with a row a week tell no scales: forecasts begin where thirty steps do, and none fails."""
    folder, hours, x, y = moving
    sparse = np.concatenate([np.arange(0, 70, 7), np.arange(70, 110)])
    pools = [
        pool_of(table_of(folder, hours[rows], x[rows], y[rows], name=name)) for name, rows in (("full", np.arange(120)), ("sparse", sparse))
    ]
    found = rolling(study, pools, paths=32)
    assert min(each.origin for each in found if each.of == "sparse") == int(np.searchsorted(sparse, 102))
    assert min(each.origin for each in found if each.of == "full") == 60
    assert all(0.0 <= each.pit <= 1.0 and each.crps >= 0.0 for each in found)
    assert {each.what for each in found} == {"share", "depth"}


def test_what_accrues_in_a_pool_is_told_too(study, tmp_path) -> None:
    """A coin that accrues and fees raise balances and virtual price: no provider brought them, so they are not fitted; a replay that is told flow and liquidity has them all the same."""
    days = 40
    rng = np.random.default_rng(5)
    sold, grown = 2e4 * rng.standard_normal(days), 0.01 * rng.standard_normal(days)
    x, y, virtual, rows = 5.1e6, 4.9e6, 1.0, []
    for day_number in range(days + 1):
        rows.append((x, y, virtual))
        if day_number < days:
            x, y = x * math.exp(grown[day_number]) + sold[day_number], y * math.exp(grown[day_number]) - sold[day_number]
            x, virtual = x * 1.001, virtual * (1.0 + 0.001 * x / (x + y))
    x, y, virtual = np.array(rows).T
    file = table_of(tmp_path, 24.0 * np.arange(days + 1), x, y, name="accruing", further={"virtual_price": virtual.tolist()})
    pool = pool_of(file)
    np.testing.assert_allclose(pool.steps.change, grown, atol=1e-4)
    assert pool.grown.change.sum() == pytest.approx(pool.steps.change.sum() + math.log(virtual[-1]), abs=1e-9)
    found = told(study, pool, study.spells, first=0, last=days, of="made", lp=True)
    assert found.share_model == pytest.approx(found.share, abs=2e-4)
    assert found.depth_model == pytest.approx(found.depth, rel=0.02)
