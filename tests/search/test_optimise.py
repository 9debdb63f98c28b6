"""From a study to a result, on the real kernel and small."""

from __future__ import annotations

from pathlib import Path

import pytest

from amo_opt import load_study
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.search import optimise as room
from amo_opt.search.certifier import Certifier
from amo_opt.search.optimise import evaluate, optimise
from amo_opt.search.progress import silent

STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"
SMALL = {
    "simulation.paths": 2,
    "simulation.window_hours": 600,
    "certification.bootstrap": 20,
    "certification.candidates": 3,
    "certification.multiple": 2,
    "certification.draws": 16,
}


@pytest.fixture(scope="module")
def study(held):
    return held(load_study(STUDY, overrides=SMALL), "pool.base_fee", "amos.aave.lent")


@pytest.fixture(scope="module")
def undisturbed(study):
    return optimise(study, trials=11)


def test_workers_and_interruptions_change_nothing(study, undisturbed, tmp_path):
    """Stopped in mid-batch and gone on with another number of threads, from a file: the same result, to the last bit."""
    address = f"sqlite:///{tmp_path / 'record.db'}"
    assert len(optimise(study, trials=5, workers=2, storage=address).trials) == 5
    assert optimise(study, trials=11, workers=2, storage=address) == undisturbed


def test_the_result_holds_what_was_asked(study, undisturbed):
    """Every trial, the current set certified on selection and holdout paths, the profile, and sizes; no recommendation from so few paths."""
    assert [trial.number for trial in undisturbed.trials] == list(range(11))
    assert undisturbed.candidates[0].parameters == study.current
    assert undisturbed.candidates[0].holdout_score is not None
    designs = undisturbed.selection_designs
    assert {design.drawn for design in designs.values()} == {4}
    assert (undisturbed.paths_search, undisturbed.paths_certification) == (
        2 * len(designs),
        sum(design.paths for design in designs.values()),
    )
    assert undisturbed.candidates[0].selection_score.yield_annual.n == undisturbed.paths_certification
    assert undisturbed.candidates[0].holdout_score.yield_annual.n == sum(design.paths for design in undisturbed.plan.designs.values())
    assert (undisturbed.verdict, undisturbed.recommended) == ("undecidable", None)
    assert {fan.scenario for fan in undisturbed.fans} == {scenario.name for scenario in study.scenarios}


def test_the_result_holds_what_a_proposal_needs(undisturbed):
    """Neighbours of the set that came closest, its half step, joint draws, the assumptions that explain most at their ends, both sets' transition and run, each with its n."""
    closest = next(each for each in undisturbed.candidates if each.holdout_score is not None and each.id != "current")
    assert undisturbed.neighbours
    assert {each.n for each in undisturbed.neighbours} == {2}
    doubt = undisturbed.doubt
    assert (doubt.share.n, doubt.failed, doubt.recommended) == (16, 0, False)
    assert list(dict.fromkeys(each.figure for each in undisturbed.sensitivity)) == [each.name for each in doubt.drivers[:8]]
    few = Certifier(undisturbed.study, 1, silent, {"holdout": undisturbed.plan.designs}).few("holdout", LANES)
    assert {each.n for each in undisturbed.sensitivity} == {sum(design.paths for design in few.values())}
    assert [each.candidate for each in undisturbed.change_costs] == ["current", closest.id]
    assert [each.candidate for each in undisturbed.run_capacities] == ["current", closest.id]
    assert all(each.value.low <= each.value.value <= each.value.high for each in undisturbed.run_capacities)
    assert undisturbed.importances == {}, "eleven trials tell nothing"


def test_a_failure_stands_in_its_set_s_place(study, monkeypatch):
    """A path that fails and a figure that is not finite are both that set's failure, not the batch's."""

    def simulate_many(sets, study, *, designs, stream, workers):
        return [SimulationError("no root"), "broken", "sound"]

    def point_score(outcome, study):
        if outcome == "broken":
            raise SimulationError("yield is not finite")
        return "score"

    monkeypatch.setattr(room, "simulate_many", simulate_many)
    monkeypatch.setattr(room, "point_score", point_score)
    found = evaluate([study.current] * 3, study, workers=1)
    assert [str(each) for each in found] == ["no root", "yield is not finite", "score"]


@pytest.mark.parametrize("workers", [1, 3])
def test_sets_that_come_one_by_one_get_the_same_scores(study, workers):
    """However they fall into groups: scores are a set's own, in the order of the sets."""
    sets = [study.current.replace(name=f"A-{value}", amplification=value) for value in (50, 100, 200, 400)]
    assert evaluate(iter(sets), study, workers=workers) == evaluate(sets, study, workers=1)


@pytest.mark.parametrize("trials", [0, -3])
def test_a_search_needs_a_trial(study, trials):
    """Trial 0 is the current set: without it there is nothing to compare with."""
    with pytest.raises(AmoOptError, match=f"trials = {trials}; at least 1"):
        optimise(study, trials=trials)
