# ruff: noqa: T201 - a benchmark prints
"""What more workers bring: ``python tests/benchmarks/bench_scale.py [--processes 1 2 4] [--paths N] [--sets N]``.

A batch of sets is evaluated on ``local:N`` for each N, all in one run, each after a first batch that compiles and draws; walls are the least of three. Then what the page says of 100 and 1,000
workers, from the job, message and result sizes measured here.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from amo_opt import load_study
from amo_opt.search.optimise import evaluate
from amo_opt.simulation.cluster import LEAST_JOB_SECONDS, MOST_JOB_SECONDS, cluster_executor
from amo_opt.simulation.remote import serialise

STUDY = Path(__file__).resolve().parents[2] / "studies" / "frax-2022.toml"


def empty(number: int) -> int:
    """A job that does nothing."""
    return number


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--paths", type=int, default=256)
    parser.add_argument("--sets", type=int, default=16)
    given = parser.parse_args()
    study = load_study(STUDY, overrides={"simulation.paths": given.paths})
    sets = [study.current] * given.sets
    list(evaluate(sets, study, workers=1))  # compiles and draws
    began = time.process_time()
    scores = list(evaluate(sets, study, workers=1))
    alone = time.process_time() - began
    blocks = len(study.scenarios) * -(-given.paths // 64)
    print(
        f"{given.sets} sets, {len(study.scenarios)} scenarios, {given.paths} paths: {given.sets * blocks} tasks; {1e3 * alone / given.sets / blocks:.1f} ms CPU a task, scores included"
    )
    print("\n| processes | wall, s | × one | empty jobs a second |\n|--:|--:|--:|--:|")
    first = None
    for count in given.processes:
        with cluster_executor(f"local:{count}", study, threads=1) as executor:
            list(evaluate(sets, study, workers=executor))
            walls = []
            for _ in range(3):
                began = time.perf_counter()
                found = list(evaluate(sets, study, workers=executor))
                walls.append(time.perf_counter() - began)
            assert [repr(each) for each in found] == [repr(each) for each in scores], "the cluster gave other figures"
            client = executor._client
            began = time.perf_counter()
            client.gather(client.map(empty, range(1_000), pure=False))
            rate = 1_000 / (time.perf_counter() - began)
        first = first or min(walls)
        print(f"| {count} | {min(walls):.2f} | {first / min(walls):.2f} | {rate:,.0f} |", flush=True)
    print(
        f"\nA job is {LEAST_JOB_SECONDS:g} to {MOST_JOB_SECONDS:g} s of work; the study is {len(serialise(study)) / 1e3:.0f} kB, sent once to a worker."
    )


if __name__ == "__main__":
    main()
