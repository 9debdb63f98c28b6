"""The search on the worked study: `python tests/benchmarks/bench_search.py [--trials N] [--paths N] [--seeds N] [--screen N]`.

Hypervolume of the feasible front by seed and its spread (largest less smallest, over the mean), the CPU time that proposing and recording take
a trial, and the evaluation's wall time on one thread over that on two (alternating, median of five). Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from amo_opt import load_study
from amo_opt.search.coordinator import convergence, search
from amo_opt.search.optimise import evaluate
from amo_opt.search.record import Record

STUDY = Path(__file__).resolve().parents[2] / "studies" / "frax-2022.toml"


def searched(seed: int, *, trials: int, paths: int, screen: int) -> tuple[float, float, float]:
    """Hypervolume at the end, CPU seconds of the evaluations and CPU seconds of everything."""
    study = load_study(STUDY, overrides={"search.seed": seed, "simulation.paths": paths, "search.screen_paths": screen})
    spent = 0.0

    def timed(sets):
        nonlocal spent
        sets = list(sets)  # proposed here, not in the time of the evaluation
        began = time.process_time()
        scores = evaluate(sets, study, workers=1)
        spent += time.process_time() - began
        return scores

    with tempfile.TemporaryDirectory() as folder:
        record = Record(study, f"sqlite:///{folder}/record.db")
        began = time.process_time()
        done = search(study, record=record, trials=trials, evaluate=timed)
        whole = time.process_time() - began
    return convergence(done, study.search.batch)[-1], spent, whole


def threads(paths: int) -> float:
    """Wall time of a batch's evaluation on one thread over that on two."""
    study = load_study(STUDY, overrides={"simulation.paths": paths})
    sets = [study.current] * study.search.batch
    evaluate(sets, study, workers=2)
    ratios = []
    for _ in range(5):
        walls = []
        for workers in (1, 2):
            began = time.perf_counter()
            evaluate(sets, study, workers=workers)
            walls.append(time.perf_counter() - began)
        ratios.append(walls[0] / walls[1])
    return statistics.median(ratios)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("trials", 200), ("paths", 64), ("seeds", 3), ("screen", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    areas = []
    print("| seed | hypervolume | evaluation, CPU s | proposing and recording, CPU ms a trial |\n|--:|--:|--:|--:|")  # noqa: T201
    for seed in range(1, given.seeds + 1):
        area, spent, whole = searched(seed, trials=given.trials, paths=given.paths, screen=given.screen)
        areas.append(area)
        print(f"| {seed} | {area:.3f} | {spent:.1f} | {1e3 * (whole - spent) / given.trials:.1f} |", flush=True)  # noqa: T201
    print(f"\nspread {(max(areas) - min(areas)) / statistics.mean(areas):.2%} of the mean; two threads {threads(given.paths):.2f} × one")  # noqa: T201


if __name__ == "__main__":
    main()
