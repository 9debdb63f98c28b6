# ruff: noqa: T201 - a benchmark prints
"""Every figure of docs/performance.md: ``python tests/benchmarks/bench.py [--smoke] [--phases]``.

The pool step against C, NumPy and curvesim; the step of the model by stage and against that C, in turns of one run; growth with paths, steps, scenarios and
threads; cold start and compilation. ``--phases`` adds the whole default study (minutes). ``--smoke`` only checks that everything runs. Times are CPU time, the
least of the repeats; on a shared machine read the ratios.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bench_phases
import bench_pool
import bench_step
import numpy as np
from numba import njit

import amo_opt
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.invariant import get_y, polish_D, refresh_D, scaled_x_at_price
from amo_opt.stableswap.jit import stage

HERE = Path(__file__).parent
A, FEE, ADMIN = 200.0, 0.0004, 0.5
CALLS = 2_000
TILES = 100
TARGET = 25.0
"""Most pool steps in C that a step of the whole model may take."""


# -- the pool step: one swap with its fee, then D -------------------------------------------------------------------------------------


def plain(x: float, y: float, d: float, dx: float) -> tuple[float, float, float]:
    """The pool after a sale of ``dx`` (bought where negative): balances and D, in the interpreter."""
    ann = 2.0 * A
    x += dx
    y_end = get_y.py_func(x, d, ann)
    y = y_end + (1.0 - ADMIN) * FEE * max(y - y_end, 0.0)
    xy4 = 4.0 * x * y
    linear, constant = xy4 * (ann - 1.0), xy4 * ann * (x + y)
    for _ in range(3):
        square = d * d
        value = (square + linear) * d - constant
        slope = 3.0 * square + linear
        d -= value * slope / (slope * slope - 3.0 * value * d)
    return x, y, d


@stage
def over_lanes(s: Any, sold: Any) -> None:
    """The pool step in every lane of a flat state (x, y, D): the swap, then D in a loop of its own, as the kernel's stages do it."""
    ann = 2.0 * A
    for i in range(LANES):
        x_end = s[i] + sold[i]
        y = s[LANES + i]
        y_end = get_y(x_end, s[2 * LANES + i], ann)
        out = y - y_end
        s[i] = x_end
        s[LANES + i] = y_end + (1.0 - ADMIN) * FEE * (max(0.0, out))
    for i in range(LANES):
        s[2 * LANES + i] = refresh_D(s[i], s[LANES + i], ann, s[2 * LANES + i])


@njit(error_model="numpy")
def lanes_again(s: Any, there: Any, back: Any, calls: int) -> None:
    """Swaps back and forth over lanes."""
    for k in range(calls):
        over_lanes(s, back if k % 2 else there)


@njit(error_model="numpy")
def one_by_one(s: Any, there: Any, back: Any, calls: int) -> None:
    """The same paths, each to its end before the next: every step waits for the one before."""
    ann = 2.0 * A
    for i in range(LANES):
        x, y, d = s[i], s[LANES + i], s[2 * LANES + i]
        for k in range(calls):
            x += back[i] if k % 2 else there[i]
            y_end = get_y(x, d, ann)
            out = y - y_end
            y = y_end + (1.0 - ADMIN) * FEE * (max(0.0, out))
            d = refresh_D(x, y, ann, d)
        s[i], s[LANES + i], s[2 * LANES + i] = x, y, d


def numpy_again(s: Any, there: Any, back: Any, calls: int) -> None:
    """The same in NumPy, an array operation across `TILES` times as many paths at a time."""
    ann = 2.0 * A
    x, y, d = (np.tile(s[k * LANES : (k + 1) * LANES], TILES) for k in range(3))
    there, back = np.tile(there, TILES), np.tile(back, TILES)
    for k in range(calls):
        x = x + (back if k % 2 else there)
        scale = ann * x
        b = scale * (x - d) + x * d
        cube = d * d * d
        root = np.sqrt(b * b + cube * scale)
        y_end = np.where(b > 0.0, 0.5 * cube / (root + b), (root - b) / (2.0 * scale))
        y = y_end + (1.0 - ADMIN) * FEE * np.maximum(y - y_end, 0.0)
        xy4 = 4.0 * x * y
        linear, constant = xy4 * (ann - 1.0), xy4 * ann * (x + y)
        for _ in range(3):
            square = d * d
            value = (square + linear) * d - constant
            slope = 3.0 * square + linear
            d = d - value * slope / (slope * slope - 3.0 * value * d)


def start() -> tuple[Any, Any, Any]:
    """64 pools of 190m and 140m, and sales of 0.1m to 1m that go back and forth."""
    s = np.empty(3 * LANES)
    s[:LANES], s[LANES : 2 * LANES] = 190e6, 140e6
    s[2 * LANES :] = refresh_D(190e6, 140e6, 2.0 * A, refresh_D(190e6, 140e6, 2.0 * A, 330e6))
    there = np.linspace(0.1e6, 1e6, LANES)
    return s, there, -there


def compiled_c(folder: Path) -> tuple[Any, Any, Any] | str:
    """The C reference's functions (over lanes in one loop, one path at a time, over lanes in two loops), or why there are none."""
    compiler = shutil.which("gcc")
    if compiler is None:
        return "no gcc here"
    library = folder / "pool_step.so"
    flags = ["-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC"]
    done = subprocess.run([compiler, *flags, "-o", library, HERE / "pool_step.c", "-lm"], capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["gcc failed without a word"])[-1]
    loaded = ctypes.CDLL(str(library))
    pointer = ctypes.POINTER(ctypes.c_double)
    for function in (loaded.over_lanes, loaded.one_by_one, loaded.in_two_loops):
        function.argtypes = [pointer, pointer, pointer, ctypes.c_int]
        function.restype = None

    def called(function: Any) -> Any:
        return lambda s, there, back, calls: function(*(each.ctypes.data_as(pointer) for each in (s, there, back)), calls)

    return called(loaded.over_lanes), called(loaded.one_by_one), called(loaded.in_two_loops)


def nanoseconds(run: Callable[..., object], calls: int) -> float:
    """CPU nanoseconds of one path's step in one timing."""
    s, there, back = start()
    before = time.process_time()
    run(s, there, back, calls)
    return (time.process_time() - before) / (calls * LANES) * 1e9


def in_turns(runs: dict[str, tuple[Callable[[], float], int]]) -> dict[str, float]:
    """The least of each, all of them timed in turns so that the machine's moods fall on all alike."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(max(times for _, times in runs.values())):
        for name, (run, times) in runs.items():
            if turn < times:
                found[name].append(run())
    return {name: min(each) for name, each in found.items()}


def pool_step(repeat: int, calls: int, reference: Any) -> dict[str, float]:
    """Nanoseconds of a pool step, by who does it."""
    s, there, back = start()
    lanes_again(s, there, back, 2)
    one_by_one(s, there, back, 2)

    def python() -> float:
        before = time.process_time()
        x, y, d = 190e6, 140e6, float(start()[0][2 * LANES])
        for k in range(calls):
            x, y, d = plain(x, y, d, 1e6 if k % 2 else -1e6)
        return (time.process_time() - before) / calls * 1e9

    runs: dict[str, tuple[Callable[[], float], int]] = {
        "amo-opt, over lanes": (lambda: nanoseconds(lanes_again, 10 * calls), repeat),
        "Numba, one path at a time": (lambda: nanoseconds(one_by_one, calls), repeat),
        "NumPy across 6,400 paths": (lambda: nanoseconds(numpy_again, max(2, calls // 20)) / TILES, repeat),
        "plain Python": (python, repeat),
    }
    if not isinstance(reference, str):
        runs["C, over lanes, in the same two loops"] = (lambda: nanoseconds(reference[2], 10 * calls), repeat)
        runs["C, over lanes, in one loop"] = (lambda: nanoseconds(reference[0], 10 * calls), repeat)
        runs["C, one path at a time"] = (lambda: nanoseconds(reference[1], calls), repeat)
    return in_turns(runs)


# -- arbitrage to a price ---------------------------------------------------------------------------------------------------------------


@stage
def to_price(s: Any, prices: Any) -> None:
    """Every pool traded to a price, fee and D included."""
    ann = 2.0 * A
    for i in range(LANES):
        d = s[2 * LANES + i]
        scaled, _ = scaled_x_at_price(prices[i], ann)
        x_end = scaled * d
        y_end = get_y(x_end, d, ann)
        out = s[LANES + i] - y_end
        y_end = y_end + (1.0 - ADMIN) * FEE * (max(0.0, out))
        s[i] = x_end
        s[LANES + i] = y_end
        s[2 * LANES + i] = polish_D(x_end, y_end, ann, d)


@njit(error_model="numpy")
def prices_again(s: Any, there: Any, back: Any, calls: int) -> None:
    """From one price to another and back."""
    for k in range(calls):
        to_price(s, back if k % 2 else there)


def arbitrage(repeat: int, calls: int) -> tuple[float, float | str]:
    """Nanoseconds of an arbitrage to a price: ours over lanes, and curvesim's search for it, or why there is none."""
    s, _, _ = start()
    low, high = np.linspace(0.97, 0.98, LANES), np.linspace(0.99, 0.999, LANES)
    prices_again(s, low, high, 2)
    times = []
    for _ in range(repeat):
        before = time.process_time()
        prices_again(s, low, high, calls)
        times.append((time.process_time() - before) / (calls * LANES) * 1e9)
    folder = Path(tempfile.gettempdir()) / f"amo-opt-curvesim-{bench_pool.VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    if not (folder / "installed").exists():
        return min(times), f"no environment with curvesim {bench_pool.VERSION}; tests/benchmarks/bench_pool.py makes one"
    called = subprocess.run([folder / "bin" / "python", bench_pool.__file__, "--child"], capture_output=True, text=True, check=False)
    if called.returncode:
        return min(times), (called.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    theirs, _ = json.loads(called.stdout.strip().splitlines()[-1])
    return min(times), theirs["balances at a price, from Python"] * 1e9


# -- the whole step, growth, start -------------------------------------------------------------------------------------------------------


def cpu(run: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    before = time.process_time()
    run()
    return time.process_time() - before


def second_simulate(study: Any, repeat: int, reference: Any, calls: int) -> dict[str, float]:
    """Nanoseconds of a path-step of a second `simulate` on the same paths (kernel and columns), beside C over lanes, in turns."""
    steps = (study.simulation.transition_hours + study.simulation.window_hours) * len(study.scenarios) * study.simulation.paths
    sets = {"the current set": study.current, "every AMO at work": study.current.replace(**bench_step.ALL_AMOS)}
    runs: dict[str, tuple[Callable[[], float], int]] = {}
    for name, chosen in sets.items():
        amo_opt.simulate(chosen, study)
        runs[name] = (lambda chosen=chosen: cpu(lambda: amo_opt.simulate(chosen, study)) / steps * 1e9, repeat)  # type: ignore[misc]
    if not isinstance(reference, str):
        runs["C, over lanes"] = (lambda: nanoseconds(reference[0], 10 * calls), repeat)
    return in_turns(runs)


def growth(study: Any, repeat: int, *, smoke: bool) -> list[tuple[str, float, float, float]]:
    """What, how many times the path-steps, CPU seconds, wall seconds; each a second `simulate`, its paths drawn before."""

    def sized(paths: int, window: int, scenarios: int) -> Any:
        simulation = replace(study.simulation, paths=paths, window_hours=window)
        return replace(study, simulation=simulation, scenarios=study.scenarios[:scenarios])

    few, many = (64, 64) if smoke else (64, 640)
    short, long = (24, 48) if smoke else (264, 3_000 + 2_664)
    cases = [
        ("64 paths, 600 hours, 1 scenario", sized(few, short, 1), 1.0, 1),
        ("paths x 10", sized(many, short, 1), many / few, 1),
        ("steps x 10", sized(few, long, 1), (long + 336) / (short + 336), 1),
        ("scenarios x 4", sized(few, short, 4), 4.0, 1),
        ("paths x 10, two threads", sized(many, short, 1), many / few, 2),
    ]
    found = []
    for name, chosen, times, workers in cases:
        amo_opt.simulate(study.current, chosen)
        spent, waited = [], []
        for _ in range(repeat):
            before = time.perf_counter()
            spent.append(cpu(lambda chosen=chosen, workers=workers: amo_opt.simulate(study.current, chosen, workers=workers)))  # type: ignore[misc]
            waited.append(time.perf_counter() - before)
        found.append((name, times, min(spent), min(waited)))
    return found


def cold_start() -> float:
    """Wall seconds of ``amo-opt --help``, the least of five."""
    times = []
    for _ in range(5):
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", "from amo_opt.cli.main import main; main()", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - before)
    return min(times)


def compilation(folder: Path) -> tuple[float, float]:
    """CPU seconds until a first block has run in a new process: nothing compiled yet, then from the cache."""
    script = "import time; import amo_opt; s = amo_opt.load_study(r'%s'); a = time.process_time(); amo_opt.simulate(s.current, s, paths=1); print(time.process_time() - a)"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    first, again = (
        float(
            subprocess.run(
                [sys.executable, "-c", script % bench_step.STUDY], env=environment, capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(2)
    )
    return first, again


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="the least of everything: only whether it runs")
    parser.add_argument("--phases", action="store_true", help="the whole default study by phase as well")
    parser.add_argument("--repeat", type=int, default=7, help="turns of every timing (default: 7)")
    arguments = parser.parse_args()
    smoke = arguments.smoke
    repeat, calls = (1, 20) if smoke else (arguments.repeat, CALLS)
    study = amo_opt.load_study(bench_step.STUDY)
    study = replace(
        study, simulation=replace(study.simulation, paths=LANES, **({"transition_hours": 24, "window_hours": 24} if smoke else {}))
    )
    with tempfile.TemporaryDirectory() as name:
        reference = compiled_c(Path(name))
        print("pool step: a swap with its fee, then D")
        found = pool_step(repeat, calls, reference)
        ours = found["amo-opt, over lanes"]
        for who, ns in found.items():
            print(f"  {who:38s} {ns:12.2f} ns {ns / ours:10.2f} x ours")
        if isinstance(reference, str):
            print(f"  C could not be measured: {reference}")
        mine, theirs = arbitrage(repeat, calls) if not smoke else (arbitrage(1, 2)[0], "not in a smoke run")
        print(f"arbitrage to a price\n  {'amo-opt, over lanes':34s} {mine:12.2f} ns")
        print(
            f"  curvesim {bench_pool.VERSION}: "
            + (f"{theirs:.0f} ns, {theirs / mine:,.0f} x ours" if isinstance(theirs, float) else theirs)
        )
        print("a path-step of the model: a second simulate, CPU time over paths x steps")
        found = second_simulate(study, repeat, reference, calls)
        yardstick = found.pop("C, over lanes", None)
        for who, ns in found.items():
            beside = f"{ns / yardstick:8.1f} x C over lanes ({yardstick:.2f} ns); target {TARGET:.0f}" if yardstick else ""
            print(f"  {who:34s} {ns:12.2f} ns {beside}")
        if not smoke:
            print("by stage, each by itself from the state after 600 hours, every AMO at work")
            stages = bench_step.by_stage(study, repeat)
            for who, ns in stages.items():
                print(f"  {who:34s} {ns:12.2f} ns")
            print(f"  {'sum':34s} {sum(stages.values()) - stages['one D refresh (yardstick)']:12.2f} ns")
        print("growth: a second simulate of the current set")
        base = 0.0
        for who, times, spent, waited in growth(study, 1 if smoke else 3, smoke=smoke):
            base = base or spent
            print(f"  {who:34s} {spent:8.3f} s CPU {waited:8.3f} s wall; {times:5.1f} x the steps, {spent / base:5.1f} x the CPU time")
        print(f"largest memory so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        print(f"amo-opt --help: {cold_start():.2f} s wall")
        if not smoke:
            first, again = compilation(Path(name))
            print(f"first block in a new process: {first:.1f} s CPU with the kernel to compile, {again:.1f} s from the cache")
        if arguments.phases or smoke:
            phases = bench_phases.by_phase(bench_step.STUDY, **({"trials": 2, "paths": 2} if smoke else {}))
            print("amo-opt run, one worker, by phase")
            for phase, seconds in sorted(phases.items(), key=lambda item: item[1]):
                print(f"  {phase:34s} {seconds:12.2f} s CPU {seconds / phases['all of it']:7.1%}")


if __name__ == "__main__":
    main()
