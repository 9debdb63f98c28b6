"""The search on the worked study: `python tests/benchmarks/bench_search.py [--trials N] [--paths N] [--seeds N] [--screen N] [--same-paths] [--literature] [--quality]`.

Hypervolume of the feasible front by seed and its spread (largest less smallest, over the mean), the CPU time that proposing and recording take
a trial, and the evaluation's wall time on one thread over that on two (alternating, median of five). Run it on an idle machine. A seed draws paths and proposals; with `--same-paths` all seeds propose for the paths
of the study's own seed. With `--literature` only what a trial of the literature's problems costs. With `--quality` what each sampler finds in as many evaluations: of the literature's problems (C2-DTLZ2 in
twelve variables) the share of the true front's hypervolume, of the worked study the hypervolume on the paths of its own seed; `gp` only where its extra is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from amo_opt import load_study
from amo_opt.search.coordinator import convergence, explore, search
from amo_opt.search.optimise import evaluate
from amo_opt.search.study_store import StudyStore

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "studies" / "frax-2022.toml"
PROBLEMS = ROOT / "tests" / "search" / "problems.py"


def searched(seed: int, *, trials: int, paths: int, screen: int, same_paths: bool, sampler: str = "auto") -> tuple[float, float, float]:
    """Hypervolume at the end, CPU seconds of the evaluations and CPU seconds of everything."""
    overrides = {"simulation.paths": paths, "search.screen_paths": screen, "search.sampler": sampler}
    study = load_study(STUDY, overrides={**overrides, "search.seed": seed})
    scored_on = load_study(STUDY, overrides=overrides) if same_paths else study
    spent = 0.0

    def timed(sets):
        nonlocal spent
        sets = list(sets)  # proposed here, not in the time of the evaluation
        began = time.process_time()
        scores = evaluate(sets, scored_on, workers=1)
        spent += time.process_time() - began
        return scores

    with tempfile.TemporaryDirectory() as folder:
        store = StudyStore(study, f"sqlite:///{folder}/record.db")
        began = time.process_time()
        done = search(study, store=store, trials=trials, evaluate=timed)
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


class Clocked(StudyStore):
    """A record that counts the CPU seconds of its writing."""

    spent = 0.0

    def add(self, trial):
        """Adds a trial."""
        began = time.thread_time()
        super().add(trial)
        self.spent += time.thread_time() - began


def problems():
    """The literature's problems, as the tests have them."""
    spec = importlib.util.spec_from_file_location("problems", PROBLEMS)
    room = sys.modules["problems"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(room)
    return room


def quality(trials: int, paths: int, seeds: int) -> None:
    """What each sampler finds in as many evaluations: the mean over seeds, and each of them."""
    room = problems()
    cases = [
        replace(case, variables=room.reals(*[(0.0, 1.0)] * 12), arguments={"n_var": 12}) if case.name == "c2dtlz2" else case
        for case in room.CASES
    ]
    samplers = ["tpe", "nsga2", *(["gp"] if importlib.util.find_spec("torch") else [])]
    print(f"{trials} trials, seeds 1 to {seeds}\n\n| problem | {' | '.join(samplers)} |\n|---|{'--:|' * len(samplers)}")  # noqa: T201

    def told(found: list[float]) -> str:
        return f"{statistics.mean(found):.3f} ({', '.join(f'{each:.3f}' for each in found)})"

    for case in cases:
        row = []
        for sampler in samplers:
            shares = []
            for seed in range(1, seeds + 1):
                problem = case.problem(seed, sampler=sampler)
                with tempfile.TemporaryDirectory() as folder:
                    store = StudyStore(problem, f"sqlite:///{folder}/record.db", directions=problem.directions, metrics=None)
                    shares.append(case.share(explore(problem, store=store, trials=trials, told=lambda *_: None)))
            row.append(told(shares))
        print(f"| {case.name}, {len(case.variables)} variables | {' | '.join(row)} |", flush=True)  # noqa: T201
    row = []
    for sampler in samplers:
        found = [searched(seed, trials=trials, paths=paths, screen=0, same_paths=True, sampler=sampler)[0] for seed in range(1, seeds + 1)]
        row.append(f"{told(found)}, spread {(max(found) - min(found)) / statistics.mean(found):.1%}")
    print(f"| frax-2022, {len(load_study(STUDY).search.space)} variables | {' | '.join(row)} |", flush=True)  # noqa: T201


def literature(trials: int) -> None:
    """CPU milliseconds a trial of the literature's problems, whose evaluation costs next to nothing."""
    room = problems()
    print("| problem | sampler | together | recording |\n|---|---|--:|--:|")  # noqa: T201
    for case in room.CASES:
        for sampler in ("tpe", "nsga2"):
            problem = case.problem(1, sampler=sampler)
            with tempfile.TemporaryDirectory() as folder:
                store = Clocked(problem, f"sqlite:///{folder}/record.db", metrics=None)
                began = time.process_time()
                explore(problem, store=store, trials=trials, told=lambda *_: None)
                whole = time.process_time() - began
            print(f"| {case.name} | {sampler} | {1e3 * whole / trials:.1f} | {1e3 * store.spent / trials:.1f} |", flush=True)  # noqa: T201


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("trials", 200), ("paths", 64), ("seeds", 3), ("screen", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("literature", "same-paths", "quality"):
        parser.add_argument(f"--{name}", action="store_true")
    given = parser.parse_args()
    if given.literature:
        literature(given.trials)
        return
    if given.quality:
        quality(given.trials, given.paths, given.seeds)
        return
    areas = []
    print("| seed | hypervolume | evaluation, CPU s | proposing and recording, CPU ms a trial |\n|--:|--:|--:|--:|")  # noqa: T201
    for seed in range(1, given.seeds + 1):
        area, spent, whole = searched(seed, trials=given.trials, paths=given.paths, screen=given.screen, same_paths=given.same_paths)
        areas.append(area)
        print(f"| {seed} | {area:.3f} | {spent:.1f} | {1e3 * (whole - spent) / given.trials:.1f} |", flush=True)  # noqa: T201
    print(f"\nspread {(max(areas) - min(areas)) / statistics.mean(areas):.2%} of the mean; two threads {threads(given.paths):.2f} × one")  # noqa: T201


if __name__ == "__main__":
    main()
