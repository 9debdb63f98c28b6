"""Peak memory of a certification of many paths: python tests/benchmarks/bench_memory.py [PATHS PER SCENARIO] [pair|all]

``pair`` = the set in force and one other on fresh paths, scored and compared over all scenarios and within each, as the holdout paths' step does;
``all`` = everything after a search of two trials. The window is short and resamples are few: neither changes what is held at once.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from amo_opt.config.load import load_study
from amo_opt.scoring.score import score
from amo_opt.search.certification import aimed, certify
from amo_opt.search.certifier import Certifier
from amo_opt.search.coordinator import convergence, search
from amo_opt.search.holdout import Selection, run_holdout
from amo_opt.search.optimise import evaluate
from amo_opt.search.progress import silent
from amo_opt.search.result import Candidate
from amo_opt.search.ruling import Paths, Ruling
from amo_opt.search.study_store import StudyStore

STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"
HOURS = {"simulation.transition_hours": 1, "simulation.window_hours": 4, "certification.bootstrap": 10}


def peak() -> float:
    """Most memory this process held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(paths: int, what: str) -> None:
    """Prints the peak before and after."""
    study = load_study(STUDY, overrides={**HOURS, "simulation.paths": max(1, paths // 10), "certification.multiple": 10})
    small = load_study(STUDY, overrides={**HOURS, "simulation.paths": 1, "certification.multiple": 1})
    other = study.current.replace(name="other", aave_cap=0.1)
    certifier = Certifier(small, 1, lambda event: None)
    found = score(certifier.simulate([study.current], stream="holdout", phase="holdout")[0], small)  # everything is loaded and compiled
    print(f"before: {peak():.0f} MB")  # noqa: T201 - a benchmark reports
    began = time.monotonic()
    if what == "pair":
        certifier = Certifier(study, 1, lambda event: None)
        current = Candidate(id="current", role="current", parameters=study.current, search=None, selection_score=found)
        entry = replace(current, id="other", role="candidate", parameters=other)
        ruling = Ruling(outcome="recommended", paths=Paths(stream="selection", n=paths, each=paths), sets=2, kept=1, set="other")
        run_holdout(certifier, [current, entry], Selection({"other": "recommended"}, {"other": None}, ruling), edges={})
    else:
        few = StudyStore(study, "sqlite://")
        trials = search(study, store=few, trials=8, evaluate=lambda sets: evaluate(sets, small, workers=1))
        certify(study, trials, aims=aimed(study, 1, silent), workers=1, watch=silent, sampler="tpe", hypervolume=convergence(trials, 8))
    print(f"after: {peak():.0f} MB, {time.monotonic() - began:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000, sys.argv[2] if len(sys.argv) > 2 else "pair")
