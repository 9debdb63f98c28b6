"""What a simulation takes is told before it starts, and what it then takes is that, roughly."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt import load_study
from amo_opt.errors import AmoOptError
from amo_opt.scoring.score import score
from amo_opt.search.aim import LEAST_DRAWN
from amo_opt.search.certifier import UNREAD
from amo_opt.search.optimise import evaluate, size_of_run
from amo_opt.simulation import engine
from amo_opt.simulation import size as room
from amo_opt.simulation.backtest import backtest
from amo_opt.simulation.engine import simulate, simulate_many, trace
from amo_opt.simulation.size import (
    COLUMNS,
    MOST_SECONDS,
    SCORED_BYTES,
    SCORED_ROW_BYTES,
    available_bytes,
    block_bytes,
    check_size,
    size_of,
    told_seconds,
)

STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"
GB = 10**9


def sized(paths, hours):
    return load_study(STUDY, overrides={"simulation.paths": paths, "simulation.transition_hours": 24, "simulation.window_hours": hours})


@pytest.fixture
def free(monkeypatch):
    """Sets the memory there is."""

    def give(size):
        monkeypatch.setattr(room, "free_bytes", lambda: size)

    return give


def peak(action):
    """Bytes at the height of an action, above what there was."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


FACTOR = 1.5
"""Between the estimate and what is measured, either way."""


@pytest.mark.parametrize(("paths", "hours", "sets"), [(64, 4000, 1), (1_280, 24, 1), (640, 24, 4)])
def test_the_estimate_is_what_is_measured(paths, hours, sets):
    """Long paths, where the block counts; many paths, where the rows do; several sets at once. Within a factor of 1.5 (scores apart)."""
    study = sized(paths, hours)
    given = {"scenarios": ["calm"], "stream": "selection"}
    # compiled and imported before it is measured, and normals kept (`kept_normals.LIMIT` at most, which what a score takes leaves room for)
    simulate(study.current, study, **given)
    told = size_of(study, paths=paths, sets=sets, scenarios=1).bytes - SCORED_BYTES - SCORED_ROW_BYTES * paths
    found = peak(lambda: simulate_many([study.current] * sets, study, **given))
    assert told / FACTOR < found < told * FACTOR


def test_series_are_estimated_too():
    """Three series of 256 paths over 1,000 hours."""
    study = sized(256, 976)
    columns = ("price", "supply", "collateral_ratio")
    told = size_of(study, paths=256, scenarios=1, series=3).bytes - SCORED_BYTES
    found = peak(lambda: trace(study.current, study, scenario="calm", stream="selection", columns=columns))
    assert told / FACTOR < found < told * FACTOR


def test_a_score_takes_no_more_than_is_told():
    """5 scenarios of 640 paths: the constant share is the larger by far."""
    study = sized(640, 24)
    outcome = simulate(study.current, study, stream="selection")
    score(simulate(study.current, study, paths=64, stream="selection"), replace(study, simulation=replace(study.simulation, paths=64)))
    assert peak(lambda: score(outcome, study)) < SCORED_BYTES + SCORED_ROW_BYTES * 5 * 640


def test_the_columns_are_counted():
    study = sized(1, 24)
    assert len(simulate(study.current, study, scenarios=["calm"]).columns) == COLUMNS


def test_what_does_not_fit_is_refused_with_what_would(free):
    """The estimate, the memory there is, and a number of paths that passes, while a tenth more does not."""
    study = sized(1_000_000, 1440)
    free(2 * GB)
    with pytest.raises(AmoOptError) as caught:
        simulate(study.current, study, workers=2)
    told = str(caught.value)
    takes = size_of(study, paths=1_000_000, threads=2).bytes / GB
    assert 3.5 < takes < 4.5
    assert told.startswith(f"1,000,000 paths per scenario of 1,464 hours, 2 workers: takes about {takes:.1f} ")
    assert "GB of memory, 2.0 GB are free; " in told
    fits = int(told.split("; ")[1].split(" paths would fit", maxsplit=1)[0].replace(",", ""))
    check_size(study, size_of(study, paths=fits, threads=2), threads=2)
    with pytest.raises(AmoOptError, match="paths would fit"):
        check_size(study, size_of(study, paths=int(1.1 * fits), threads=2), threads=2)


def test_paths_too_long_for_any_number_of_them_are_told(free):
    """One block alone is over the memory: fewer paths would not help."""
    study = sized(64, 87_600)
    free(GB)
    with pytest.raises(AmoOptError, match=r"fewer workers or fewer hours would \(--paths, --workers\)"):
        simulate(study.current, study)
    with pytest.raises(AmoOptError, match="fewer workers or fewer hours would"):
        trace(study.current, study, scenario="calm")


def test_work_without_an_end_is_refused(free):
    """A million paths of ten years, a hundred sets: the days it would take, the bound, and a number of paths that ends by then."""
    study = sized(1_000_000, 87_600)
    free(None)
    with pytest.raises(
        AmoOptError, match=r"takes about [\d,]+ days; more than 30 days is not begun: [\d,]+ paths would end by then \(--paths\)"
    ):
        simulate_many([study.current] * 100, study)
    assert size_of(study, paths=10_000, sets=100).seconds < MOST_SECONDS


def test_a_replay_that_does_not_fit_is_refused(free):
    """Every hour of every path is kept for the bands of a replay: ten million paths are not begun."""
    free(2 * GB)
    with pytest.raises(
        AmoOptError, match=r"10,000,000 paths per scenario of 99 hours, 2 workers: takes about [\d.]+ GB of memory.* paths would fit"
    ):
        backtest(sized(1, 24), episode="svb-2023", paths=10_000_000, workers=2)


def test_a_run_is_estimated_by_its_certification(free):
    """Certification has more paths than the search; what would fit is told in the paths a person asks for."""
    study = sized(1_000_000, 1440)
    run, once = size_of_run(study, trials=100, threads=2), size_of(study, paths=1_000_000, threads=2)
    assert run.paths == 1_000_000
    assert run.bytes > 2.0 * once.bytes
    assert run.seconds > 100 * 1_000_000 / 64 * 5 * 1464 * room.STEP_SECONDS / 2
    free(run.bytes + 1)
    check_size(study, replace(run, seconds=0.0), threads=2)
    free(run.bytes - 1)
    with pytest.raises(AmoOptError, match="paths would fit"):
        check_size(study, run, threads=2)


def test_a_run_is_estimated_at_its_largest(free):
    """Selection paths with as many twins as a pilot may ask for; a holdout at its cap, where that is more: then the cap is what would have to be lower."""
    study = sized(64, 1440)
    selection = math.ceil(640 / LEAST_DRAWN)
    by_cap = {
        cap: size_of_run(replace(study, certification=replace(study.certification, most_paths=cap)), trials=1, threads=2)
        for cap in (1, selection, 10_240, 1_000_000)
    }
    assert by_cap[1] == by_cap[selection]
    assert (by_cap[1].paths, by_cap[1].option) == (64, "--paths")
    assert by_cap[1].bytes > size_of(study, paths=selection, threads=2, columns=COLUMNS - len(UNREAD)).bytes
    assert (by_cap[10_240].paths, by_cap[10_240].option) == (10_240, "[certification] most_paths")
    assert GB > by_cap[10_240].bytes > by_cap[1].bytes
    assert by_cap[1_000_000].seconds > by_cap[10_240].seconds > by_cap[1].seconds
    free(by_cap[1_000_000].bytes - 1)
    with pytest.raises(
        AmoOptError, match=r"1,000,000 paths per scenario of .* paths would fit \(\[certification\] most_paths, --workers\)"
    ):
        check_size(study, by_cap[1_000_000], threads=2)


def test_paths_of_the_search_that_do_not_fit_are_drawn_again(free):
    """Kept where there is room, block by block where there is not: the same bytes, and nothing stays."""
    study = sized(100, 120)
    sets = [study.current, study.current.replace(name="other", aave_cap=0.3)]
    engine._kept.clear()
    kept = simulate_many(sets, study, workers=2)
    markets = [
        engine.draw_packed(each, study, first=first, lanes=lanes, stream="search")
        for each in study.scenarios
        for first, lanes in ((0, 64), (64, 36))
    ]
    assert engine._kept.nbytes == sum(each.nbytes for each in markets) <= 5 * 2 * block_bytes(study)
    engine._kept.clear()
    free(GB)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "KEPT_SHARE", 1e-3)
        drawn = simulate_many(sets, study, workers=2)
    assert engine._kept.nbytes == 0
    for one, other in zip(kept, drawn, strict=True):
        assert all(one.columns[name].tobytes() == other.columns[name].tobytes() for name in one.columns)


def test_a_batch_whose_outcomes_do_not_fit_is_scored_in_groups(monkeypatch):
    """One set at a time: the same scores."""
    study = sized(64, 120)
    sets = [study.current.replace(name=f"set-{i}", aave_cap=0.1 * i) for i in range(3)]
    whole = evaluate(sets, study, workers=1)
    monkeypatch.setattr("amo_opt.search.certifier.HELD_BYTES", 1)
    assert evaluate(sets, study, workers=1) == whole


def place(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MACHINE = {"proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n", "proc/self/statm": "1000 500 0 0 0 0 0\n"}
V2 = {
    "proc/self/cgroup": "0::/user/run\n",
    "sys/fs/cgroup/user/run/memory.max": "max\n",
    "sys/fs/cgroup/user/run/memory.current": "100\n",
    "sys/fs/cgroup/user/memory.max": "3000000000\n",
    "sys/fs/cgroup/user/memory.current": "2000000000\n",
    "sys/fs/cgroup/user/memory.stat": "anon 5\ninactive_file 500000000\n",
}
V1 = {
    "proc/self/cgroup": "5:cpu:/x\n4:memory:/run\n",
    "sys/fs/cgroup/memory/run/memory.limit_in_bytes": "2000000000\n",
    "sys/fs/cgroup/memory/run/memory.usage_in_bytes": "1500000000\n",
    "sys/fs/cgroup/memory/run/memory.stat": "cache 7\ntotal_inactive_file 100\n",
}


@pytest.mark.parametrize(
    ("files", "limit", "expected"),
    [
        (MACHINE, None, 6_144_000_000),
        (MACHINE | V2, None, 1_500_000_000),
        (MACHINE | V1, None, 500_000_100),
        (MACHINE | V2, 1_000_000_000, None),
        (MACHINE, 4096, 0),
    ],
)
def test_the_memory_there_is(tmp_path, monkeypatch, files, limit, expected):
    """The least of the machine's, of every control group above the process (files' pages count as free), and of ``ulimit -v``."""
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY if limit is None else limit, 0))
    found = available_bytes(place(tmp_path, files))
    assert found == (limit - 1000 * resource.getpagesize() if expected is None else expected)


def test_this_machine_says_how_much_there_is():
    assert available_bytes() > 0


@pytest.mark.parametrize(("seconds", "told"), [(1800, "30 min"), (10_000, "3 h"), (30 * 86400, "30 days")])
def test_times_for_people(seconds, told):
    assert told_seconds(seconds) == told
