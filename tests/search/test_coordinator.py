"""Batches from the storage: the same trials however often the search is interrupted, and none lost or run twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from amo_opt.errors import SimulationError, StorageError
from amo_opt.search import coordinator
from amo_opt.search.coordinator import REFERENCE_PEG_BPS, convergence, feasible_points, search
from amo_opt.search.front import hypervolume
from amo_opt.search.study_store import StudyStore
from amo_opt.search.trials import thaw

MEMORY = "sqlite://"


def run(study, toy, *, trials=40, address=MEMORY, watch=lambda event: None):
    return search(study, store=StudyStore(study, address), trials=trials, evaluate=toy, watch=watch)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_same_seed_same_trials_another_seed_others(make_study, make_toy, sampler):
    """The search is a function of the study: its seed decides every proposal."""
    first, second = (run(make_study(sampler=sampler), make_toy()) for _ in range(2))
    assert first == second
    assert first != run(make_study(sampler=sampler, seed=2), make_toy())


def test_order_of_trials(make_study, make_toy):
    """The current set first, then seeds, then the sampler; numbers count up from 0."""
    trials = run(make_study(), make_toy())
    origins = [trial.origin for trial in trials]
    assert origins[0] == "current"
    assert origins == sorted(origins, key=["current", "seed", "sampler"].index)
    assert [trial.number for trial in trials] == list(range(40))
    assert trials[0].parameters == make_study().current


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
@pytest.mark.parametrize("stop", [0, 1, 3])
def test_interrupted_and_called_again(make_study, make_toy, tmp_path, sampler, stop):
    """Ctrl-C in any batch loses no finished trial, and the same call ends with the trials of an undisturbed search."""
    study, address = make_study(sampler=sampler), f"sqlite:///{tmp_path / 'record.db'}"
    with pytest.raises(KeyboardInterrupt):
        run(study, make_toy(dies_at=stop), address=address)
    again = make_toy()
    assert run(study, again, address=address) == run(study, make_toy())
    assert len(again.asked) == 40 - 8 * stop


# NSGA-II's first generation is drawn blind and ends at trial 50: its tear must come later to prove anything.
@pytest.mark.parametrize(("sampler", "trials", "written"), [("tpe", 40, 1), ("tpe", 40, 9), ("tpe", 40, 37), ("nsga2", 112, 107)])
def test_a_torn_batch_finds_its_finished_trials(make_study, make_toy, tmp_path, sampler, trials, written, monkeypatch):
    """Killed between two trials of one batch: only those missing are evaluated again, and the outcome is the undisturbed one."""
    study, address = make_study(sampler=sampler), f"sqlite:///{tmp_path / 'record.db'}"
    added = StudyStore.add
    count = iter(range(trials))

    def torn(self, trial):
        if next(count) == written:
            raise KeyboardInterrupt
        added(self, trial)

    with monkeypatch.context() as patched:
        patched.setattr(StudyStore, "add", torn)
        with pytest.raises(KeyboardInterrupt):
            run(study, make_toy(), trials=trials, address=address)
    assert len(StudyStore(study, address).frozen()) == written
    again = make_toy()
    assert run(study, again, trials=trials, address=address) == run(study, make_toy(), trials=trials)
    assert len(again.asked) == trials - written


def test_more_trials_extend_the_same_search(make_study, make_toy, tmp_path):
    """13 trials, then 40: the same as 40 at once; 13 asked again is the first 13, nothing evaluated."""
    study, address = make_study(), f"sqlite:///{tmp_path / 'record.db'}"
    short = run(study, make_toy(), trials=13, address=address)
    assert len(short) == 13
    whole = run(study, make_toy(), address=address)
    assert whole == run(study, make_toy())
    idle = make_toy()
    assert run(study, idle, trials=13, address=address) == whole[:13] == short
    assert idle.asked == []


def test_failures_are_kept_and_count(make_study, make_toy):
    """A set whose simulation fails is a trial with its reason and uses budget; the search goes on around it."""
    trials = run(make_study(), make_toy(failing=lambda each: each.aave_cap > 0.3))
    failed = [trial for trial in trials if trial.score is None]
    assert len(trials) == 40
    assert failed
    assert all(trial.failure == f"{trial.parameters.name}: path 3, step 7" for trial in failed)
    assert all((trial.score is None) == (trial.parameters.aave_cap > 0.3) for trial in trials)


def test_everything_failing_still_ends(make_study, make_toy):
    """No score but the set in force's: the budget is used, no sampled set is feasible."""
    trials = run(make_study(), make_toy(failing=lambda each: each.name != "in-force"))
    assert len(trials) == 40
    assert set(feasible_points(trials)[0]) <= {0}


def test_a_failing_set_in_force_ends_the_search_at_once(make_study, make_toy):
    """Nothing could be compared with it: the first batch tells, and calling again tells without another trial."""
    asked = []
    toy = make_toy(failing=lambda each: each.name == "in-force")

    def evaluate(sets):
        asked.extend(sets)
        return toy(asked)

    with pytest.raises(SimulationError, match="the set in force cannot be simulated"):
        run(make_study(), evaluate)
    assert len(asked) == 8


def test_the_sampler_beats_the_seeds(make_study, make_toy):
    """On the toy objective the search's front covers clearly more than the seeds' does."""
    trials = run(make_study(), make_toy(), trials=80)
    covered = [hypervolume(feasible_points(some)[1], (0.0, 60.0)) for some in (trials[:8], trials)]
    assert covered[1] > 1.05 * covered[0]


def test_events_count_trials_and_name_the_best(make_study, make_toy):
    """One event at the start and one a batch; the last names the best of all feasible trials."""
    events = []
    trials = run(make_study(), make_toy(), watch=events.append)
    assert [event.done for event in events] == [0, 8, 16, 24, 32, 40]
    assert {event.total for event in events} == {40}
    _, points = feasible_points(trials)
    assert (events[-1].best_yield, events[-1].best_peg_bps) == (max(a for a, _ in points), min(b for _, b in points))
    assert events[-1].hypervolume == convergence(trials, 8)[-1] == hypervolume(points, (0.0, REFERENCE_PEG_BPS))


def test_convergence_never_falls(make_study, make_toy):
    """The dominated area after each batch, the torn last one included, only grows."""
    found = convergence(run(make_study(), make_toy(), trials=37), 8)
    assert len(found) == 5
    assert list(found) == sorted(found)


CHILD = """
    import sys
    sys.path.insert(0, sys.argv[2])
    import time
    from conftest import Toy, build_study
    from amo_opt.search.coordinator import search
    from amo_opt.search.study_store import StudyStore
    study = build_study()
    print("ready", flush=True)
    store = StudyStore(study, sys.argv[1])
    search(study, store=store, trials=40, evaluate=Toy(), watch=lambda event: print(event.done, flush=True))
    print("done", flush=True)
"""


@pytest.mark.campaign
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0])
def test_killed_at_any_moment(make_study, make_toy, tmp_path, delay):
    """kill -9 after any delay, the making of the storage included: the same call goes on and ends with the undisturbed trials."""
    address = f"sqlite:///{tmp_path / 'record.db'}"
    command = [sys.executable, "-c", textwrap.dedent(CHILD), address, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        try:
            child.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
    assert run(make_study(), make_toy(), address=address) == run(make_study(), make_toy())


def test_two_runs_on_one_record_are_told(make_study, make_toy, tmp_path):
    """A second run that writes meanwhile ends the first with a message; the storage stays sound, and the next run ends with the undisturbed trials."""
    study, address = make_study(), f"sqlite:///{tmp_path / 'record.db'}"
    mine, other = make_toy(), make_toy()

    def beside(sets):
        run(study, other, trials=16, address=address)
        return mine(sets)

    with pytest.raises(StorageError, match="another run is writing to it"):
        run(study, beside, address=address)
    assert run(study, make_toy(), address=address) == run(study, make_toy())


def test_a_batch_is_written_while_the_next_is_evaluated(make_study, make_toy, tmp_path, monkeypatch):
    """The first batch's write waits for the second one's evaluation to begin, and is done when the search ends."""
    begun = threading.Event()
    added = StudyStore.add
    toy = make_toy()

    def evaluate(sets):
        if toy.calls == 1:
            begun.set()
        return toy(sets)

    def late(self, trial):
        assert begun.wait(timeout=60.0)
        added(self, trial)

    study, address = make_study(), f"sqlite:///{tmp_path / 'record.db'}"
    monkeypatch.setattr(StudyStore, "add", late)
    trials = run(study, evaluate, trials=16, address=address)
    assert [thaw(found) for found in StudyStore(study, address).frozen()] == trials


def test_a_set_is_evaluated_while_the_next_is_proposed(make_study, make_toy, monkeypatch):
    """Whoever takes the first set of a batch has it before the second is asked for."""
    asked, seen, toy = [], [], make_toy()
    ask = coordinator._asked
    monkeypatch.setattr(coordinator, "_asked", lambda *given: asked.append(given) or ask(*given))

    def evaluate(sets):
        for each in sets:
            seen.append((each.name, len(asked)))
            yield from toy([each])

    trials = run(make_study(), lambda sets: list(evaluate(sets)), trials=24)
    assert seen[-8:] == [(f"trial-{number}", len(asked) - 23 + number) for number in range(16, 24)]
    assert trials == run(make_study(), make_toy(), trials=24)
