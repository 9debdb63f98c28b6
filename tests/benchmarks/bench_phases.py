# ruff: noqa: T201 - a benchmark prints
"""CPU seconds of ``amo-opt run`` by phase: ``python tests/benchmarks/bench_phases.py [STUDY.toml] [--trials N] [--paths N]``.

Every phase is a function of the package, clocked by the thread's own CPU time while it runs, less what phases it calls take; threads that wait count
nothing. One worker, record and report in a temporary folder, kernel already compiled.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

STUDY = Path(__file__).resolve().parents[2] / "studies" / "frax-2022.toml"
PHASES: dict[str, tuple[str, ...]] = {
    "drawing paths": (
        "amo_opt.simulation.engine:_drawn",
        "amo_opt.simulation.mixed:draw_rows",
        "amo_opt.simulation.mixed:packed",
        "amo_opt.search.change_cost:draw_packed",
        "amo_opt.search.reverse_stress:draw_rows",
        "amo_opt.search.reverse_stress:packed",
    ),
    "the doubt": ("amo_opt.search.certification:doubt_of", "amo_opt.search.preference:robust_shares"),
    "the kernel": ("amo_opt.simulation.engine:run_block",),
    "columns and checks": ("amo_opt.simulation.engine:_evaluate", "amo_opt.simulation.engine:_outcomes"),
    "rest of the pilot": ("amo_opt.search.optimise:aimed",),
    "scores of trials": ("amo_opt.search.optimise:point_score",),
    "proposing": ("amo_opt.search.coordinator:memory_study", "amo_opt.search.coordinator:_asked"),
    "recording": ("amo_opt.search.study_store:StudyStore.add", "amo_opt.search.optimise:StudyStore"),
    "rest of the search": ("amo_opt.search.optimise:search",),
    "intervals and differences": (
        *(f"amo_opt.search.certification:{name}" for name in ("score", "judged", "differences")),
        *(f"amo_opt.search.{room}:{name}" for room, name in (("plateau", "held"), ("holdout", "judged"))),
        *(f"amo_opt.search.{room}:differences" for room in ("plateau", "holdout")),
        *(f"amo_opt.search.sensitivity:{name}" for name in ("read", "differences")),
    ),
    "rest of certification": ("amo_opt.search.optimise:certify",),
    "report": ("amo_opt.report:write_report",),
}


class Clock:
    """Exclusive CPU seconds by phase, a stack for each thread."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._local = threading.local()
        self._lock = threading.Lock()

    def clocked(self, phase: str, function: Any) -> Any:
        """The function, its time counted."""

        def run(*arguments: Any, **named: Any) -> Any:
            stack = self._local.__dict__.setdefault("stack", [])
            stack.append(0.0)
            start = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                spent = time.thread_time() - start
                inner = stack.pop()
                if stack:
                    stack[-1] += spent
                with self._lock:
                    self.seconds[phase] += spent - inner

        return run


def by_phase(study_file: Path, *, trials: int | None = None, paths: int | None = None) -> dict[str, float]:
    """CPU seconds of every phase of one run, and of all of it."""
    import amo_opt
    from amo_opt.config.load import load_study

    study = amo_opt.load_study(study_file)
    amo_opt.simulate(study.current, study, paths=1)  # compiles or reads the kernel
    clock = Clock()
    for phase, places in PHASES.items():
        for place in places:
            module, _, name = place.partition(":")
            room: Any = importlib.import_module(module)
            *outer, name = name.split(".")
            for each in outer:
                room = getattr(room, each)
            setattr(room, name, clock.clocked(phase, getattr(room, name)))
    import amo_opt.report
    import amo_opt.search.optimise

    given = {"search.trials": trials, "simulation.paths": paths}
    study = load_study(study_file, overrides={key: value for key, value in given.items() if value is not None})
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        result = amo_opt.search.optimise.optimise(study, workers=1, storage=f"sqlite:///{folder}/record.db")
        amo_opt.report.write_report(result, Path(folder) / "report")
        clock.seconds["all of it"] = time.process_time() - start
    return dict(clock.seconds)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path, nargs="?", default=STUDY)
    parser.add_argument("--trials", type=int, default=None)
    parser.add_argument("--paths", type=int, default=None)
    arguments = parser.parse_args()
    found = by_phase(arguments.study, trials=arguments.trials, paths=arguments.paths)
    for phase in (*PHASES, "all of it"):
        print(f"{phase:28s} {found.get(phase, 0.0):8.2f} s CPU {found.get(phase, 0.0) / found['all of it']:7.1%}")


if __name__ == "__main__":
    main()
