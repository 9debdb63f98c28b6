"""Any constrained problem of two objectives through the search that studies use; three of the literature's, and small ones for each promise."""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from amo_opt.errors import StorageError
from amo_opt.search.coordinator import explore
from amo_opt.search.problem import FunctionProblem, Plain, feasible_points
from amo_opt.search.progress import OtherSampler, Stalled
from amo_opt.search.stall import stalled_after
from amo_opt.search.study_store import StudyStore

spec = importlib.util.spec_from_file_location("problems", Path(__file__).with_name("problems.py"))
assert spec is not None
problems = sys.modules["problems"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(problems)
CASES = {case.name: case for case in problems.CASES}


def run(problem, trials, address="sqlite://", told=lambda frozen, remark: None):
    store = StudyStore(problem, address, directions=problem.directions, metrics=None)
    return explore(problem, store=store, trials=trials, told=told)


def told_of(trials):
    return [(trial.params, trial.values, trial.user_attrs) for trial in trials]


def mixed(x):
    """A real, a whole and a yes-or-no variable; a set on the wrong side of a line is refused, one corner is no number."""
    gain = x["size"] + 0.1 * x["count"] + (0.5 if x["on"] else 0.0)
    return (gain, float("nan") if x["count"] == 9 else x["size"] ** 2 + x["count"]), {"line": gain - 2.0}


def mixed_problem(**settings):
    variables = {"size": FloatDistribution(0.0, 3.0), "count": IntDistribution(0, 9), "on": CategoricalDistribution((False, True))}
    return FunctionProblem(
        name="mixed",
        distributions=variables,
        function=mixed,
        reference=(0.0, 20.0),
        directions=("maximize", "minimize"),
        search=Plain(**settings),
        first=({"size": 1.0, "count": 2, "on": True}, {"size": 0.5, "count": 9, "on": False}),
    )


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_mixed_variables_stopped_and_gone_on(tmp_path, sampler):
    """Real, whole and yes-or-no: starts first, types kept, a figure that is no number fails its trial by name, and 5 then 20 are 20 at once."""
    problem, address = mixed_problem(sampler=sampler), f"sqlite:///{tmp_path / 'mixed.db'}"
    run(problem, 5, address)
    trials = run(problem, 20, address)
    assert told_of(trials) == told_of(run(problem, 20))
    assert [trial.user_attrs["number"] for trial in trials] == list(range(20))
    assert trials[0].params == problem.first[0]
    assert {type(trial.params[name]) for trial in trials for name in ("on",)} == {bool}
    assert all(isinstance(trial.params["count"], int) for trial in trials)
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    assert [trial.user_attrs["failure"] for trial in failed] == ["objective 2 is nan"] * len(failed)
    assert trials[1] in failed
    assert all(trial.params["count"] == 9 for trial in failed)


def test_another_version_of_the_function_is_refused(tmp_path):
    """A function has no hash; whoever changes it says so, and the storage is then another's."""
    address = f"sqlite:///{tmp_path / 'mixed.db'}"
    run(mixed_problem(), 1, address)
    changed = FunctionProblem(**{**vars(mixed_problem()), "version": "2"})
    with pytest.raises(StorageError, match="--storage"):
        run(changed, 8, address)


def test_an_extended_search_keeps_its_sampler(tmp_path):
    """``auto`` is decided by the first budget and noted in the storage: a later, larger one goes on with it and says so once."""
    address = f"sqlite:///{tmp_path / 'mixed.db'}"
    remarks = []
    problem = mixed_problem(batch=500)
    run(problem, 2, address)
    store = StudyStore(problem, address, directions=problem.directions, metrics=None)
    assert store.sampler("nsga2") == "tpe"

    class HeardError(Exception):
        pass

    def told(frozen, remark):
        remarks.append(remark)
        raise HeardError

    with pytest.raises(HeardError):
        run(problem, 1000, address, told)
    assert remarks == [OtherSampler(kept="tpe", wanted="nsga2", trials=1000)]
    with pytest.raises(HeardError):
        run(problem, 1000, f"sqlite:///{tmp_path / 'fresh.db'}", told)
    assert remarks[1:] == [None]
    assert StudyStore(problem, f"sqlite:///{tmp_path / 'fresh.db'}", directions=problem.directions, metrics=None).sampler("tpe") == "nsga2"


def test_a_stall_ends_the_search_where_it_is_wherever_it_is_called_again(tmp_path):
    """A front that cannot grow: the search ends after the batches asked for, whatever the storage holds beyond."""

    def flat(x):
        return (0.0, 0.0), {"any": -1.0}

    def problem(stall):
        search = Plain(batch=2, stall=stall)
        return FunctionProblem(
            name="flat", distributions={"x": FloatDistribution(0.0, 1.0)}, function=flat, reference=(1.0, 1.0), search=search
        )

    address, remarks = f"sqlite:///{tmp_path / 'flat.db'}", []
    assert len(run(problem(3), 12, address, lambda frozen, remark: remarks.append(remark))) == 8
    assert remarks[-1] == Stalled(batches=3)
    assert len(run(problem(0), 12, address)) == 12
    assert len(run(problem(3), 12, address)) == 8
    assert stalled_after([0.0] * 9, 3) is None


@pytest.mark.parametrize("name", CASES)
def test_problems_are_pymoo_s(name):
    """Objectives, constraints and bounds agree with pymoo's on random points, where pymoo is installed."""
    import numpy as np

    theirs = pytest.importorskip("pymoo.problems", reason="pymoo is not installed").get_problem(name, **CASES[name].arguments)
    variables = CASES[name].variables
    assert [(each.low, each.high) for each in variables.values()] == list(zip(theirs.xl, theirs.xu, strict=True))
    points = np.random.default_rng(1).uniform(theirs.xl, theirs.xu, (50, theirs.n_var))
    found = theirs.evaluate(points, return_as_dictionary=True)
    for point, values, limits in zip(points, found["F"], found["G"].reshape(50, -1), strict=True):
        ours, constraints = CASES[name].function(dict(zip(variables, map(float, point), strict=True)))
        assert ours == pytest.approx(values, rel=1e-12)
        assert list(constraints.values()) == pytest.approx(limits, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_true_front_spans_ideal_and_nadir(name):
    """The points by which hypervolumes are scaled are the front's own ends."""
    front = problems.true_front(name)
    for axis in (0, 1):
        values = [point[axis] for point in front]
        span = CASES[name].nadir[axis] - CASES[name].ideal[axis]
        assert min(values) == pytest.approx(CASES[name].ideal[axis], abs=1e-3 * span)
        assert max(values) == pytest.approx(CASES[name].nadir[axis], abs=1e-3 * span)


def test_a_short_search_finds_most_of_a_beam():
    """48 trials of the welded beam, one seed: over half of the true front's hypervolume, and more than the blind first 16."""
    case = CASES["welded_beam"]
    trials = run(case.problem(1), 48)
    assert feasible_points(trials, ("minimize", "minimize"))
    assert case.share(trials) > max(0.5, case.share(trials[:16]))


@pytest.mark.campaign
@pytest.mark.parametrize("name", CASES)
def test_hypervolume_at_200_trials(name, tmp_path):
    """The mean over five seeds reaches the target; records in AMO_OPT_CAMPAIGN_DIR are gone on with."""
    case = CASES[name]
    folder = Path(os.environ.get("AMO_OPT_CAMPAIGN_DIR", tmp_path))
    shares = [case.share(run(case.problem(seed), 200, f"sqlite:///{folder / f'{name}-{seed}.db'}")) for seed in range(1, 6)]
    print(f"{name}: mean {statistics.mean(shares):.3f} of {case.target}, seeds {', '.join(f'{share:.3f}' for share in shares)}")  # noqa: T201 - a campaign reports
    assert statistics.mean(shares) >= case.target
