"""The verdict under joint doubt: what a draw gives, when the rule would have a set, and that workers change nothing."""

from __future__ import annotations

import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest

from amo_opt.config.assumptions import assumptions, joint_draws
from amo_opt.protocol.lanes import LANES
from amo_opt.scoring.constraints import rules_of
from amo_opt.scoring.paired import differences, read
from amo_opt.scoring.score import judged, point_score
from amo_opt.search import doubt as room
from amo_opt.search.certifier import Certifier
from amo_opt.search.doubt import doubt_of, margins_of, passes
from amo_opt.search.progress import silent
from amo_opt.search.result import Candidate
from amo_opt.search.reverse_stress import run_capacities
from amo_opt.search.rule import COMPARED, PEG, YIELD
from amo_opt.search.sensitivity import conditions
from amo_opt.simulation.engine import simulate
from amo_opt.simulation.executor import Threads
from amo_opt.simulation.mixed import draw_mixed, redrawn
from amo_opt.simulation.remote import deserialise, serialise
from amo_opt.stress.tilts import Design, Tilt


@pytest.fixture(scope="module")
def study(frax):
    """Few hours, stresses that begin in them, few draws and resamples."""
    soon = {"onset_day_low": 1.0, "onset_day_high": 2.0}
    scenarios = tuple(
        replace(each, settings={**each.settings, **(soon if "onset_day_low" in each.settings else {})}) for each in frax.scenarios[:2]
    )
    return replace(
        frax,
        scenarios=scenarios,
        simulation=replace(frax.simulation, transition_hours=12, window_hours=72, paths=4),
        certification=replace(frax.certification, bootstrap=60, draws=16),
    )


@pytest.fixture(scope="module")
def rival(study):
    shown = study.current.replace(name="shown", aave_cap=0.25, curve_collateral_cap=0.65)
    one, other = (judged(simulate(each, study, paths=40, stream="holdout"), study) for each in (shown, study.current))
    return Candidate(
        id="shown",
        role="candidate",
        parameters=shown,
        search=None,
        selection_score=one.score,
        holdout_score=one.score,
        holdout_paired=tuple(differences(one.brief, other.brief).values()),
    )


def limits_of(study):
    return [
        room._Limit(rule, each.name, rule.limit(study.constraints, each))
        for each in study.scenarios
        for rule in rules_of(study.constraints)
    ]


def test_a_draw_s_figures_are_those_of_the_drawn_study(study, rival):
    """Differences and limits as scoring has them on the paths of the study drawn, every one of them drawn anew; the rule's point conditions agree."""
    limits = limits_of(study)
    draw = next(joint_draws(study, assumptions(study), count=4))
    (found,) = room._figures(draw.study, [rival.parameters], redrawn(draw_mixed(study, paths=5, stream="holdout"), draw.study), limits)
    one, other = (simulate(each, draw.study, paths=5, stream="holdout") for each in (rival.parameters, study.current))
    paired = differences(read(one, draw.study, COMPARED), read(other, draw.study, COMPARED))
    assert found.values[: len(COMPARED)] == pytest.approx([paired[name].difference.value for name in COMPARED], abs=1e-12)
    score = point_score(one, draw.study)
    margins = margins_of(found.values, draw.study, limits)
    for axis, place in ((YIELD, 0), (PEG, 1)):
        kept = conditions(paired, score, draw.study, axis=axis)
        wanted = [kept[each] for each in room._conditions(study, limits) if each in kept]
        have = [
            bool(margin > 0.0 if number < 2 else margin >= 0.0)
            for number, (each, margin) in enumerate(zip(room._conditions(study, limits), margins, strict=True))
            if each in kept
        ]
        assert have == wanted
        assert kept[room._conditions(study, limits)[place]] == (margins[place] > 0.0)
    assert found.resamples.shape == (60, len(found.values))


@pytest.mark.parametrize("better", list(itertools.product((-1.0, 1.0), repeat=4)))
def test_either_axis_will_do(better):
    """Better on one and within the tolerance on the other; and then every other condition."""
    margins = np.array([*better, 1.0, 1.0, 1.0, 1.0])
    gains, holds = (better[0] > 0, better[1] > 0), (better[2] > 0, better[3] > 0)
    assert bool(passes(margins)) == ((gains[0] and holds[1]) or (gains[1] and holds[0]))
    for place in range(4, 8):
        assert not passes(np.where(np.arange(8) == place, -1.0, np.abs(margins)))


def test_what_the_base_is_off_by_is_taken_out_of_every_draw():
    """Draws that go along with the base wholly get all of it, those that do not none; an unknown holdout figure changes nothing."""
    random = np.random.default_rng(1)
    chance = random.standard_normal((500, 1))
    base = room._Figures(np.array([2.0, 2.0, 2.0]), 2.0 + np.hstack([chance] * 3))
    other = random.standard_normal((500, 1))
    along = [room._Figures(np.array([5.0, 5.0, 5.0]), 5.0 + np.hstack([chance, other, chance])) for _ in range(3)]
    found = room._set_right(along, base, (np.array([1.5, 1.5, 1.5]), np.array([0.0, 0.0, np.inf])))
    assert found.values[0] == pytest.approx([4.5, 5.0, 5.0], abs=0.06)
    assert found.resamples[:, :, 0].std() < 1e-9
    assert np.array_equal(found.resamples[0, :, 2], along[0].resamples[:, 2])


def test_the_doubt_is_the_same_with_any_number_of_workers(study, rival):
    """And holds what is published: a share with its draws, both bands in order, at most so many drivers in falling order."""
    found = doubt_of(Certifier(study, 1, silent), rival, recommended=True)
    assert found == doubt_of(Certifier(study, 2, silent), rival, recommended=True)
    assert (found.share.n, found.failed, found.assumptions) == (16, 0, len(assumptions(study)))
    assert (found.paths, found.twins) == (80, 0)  # all there are
    assert 0.0 <= found.share.value <= 1.0
    assert found.robust == (found.share.low >= 0.8)
    for band in (found.yield_band, found.peg_band):
        assert band.low <= band.median <= band.high
        assert 0.0 <= band.foretold <= 1.0
    indices = [each.index.value for each in found.drivers]
    assert indices == sorted(indices, reverse=True)
    assert len(indices) == room.DRIVERS
    assert all(each.index.low <= each.index.value <= each.index.high for each in found.drivers)


def test_draws_run_on_twins(study, rival):
    """Few of the holdout's paths, drawn and tilted, the same for any number of workers; all of them together fill the blocks."""
    designs = {each.name: Design(100, ((Tilt("share", -0.5, -0.2),),), (60,)) for each in study.scenarios}
    one, two = (doubt_of(Certifier(study, workers, silent, {"holdout": designs}), rival, recommended=True) for workers in (1, 2))
    assert one == two
    assert (one.paths, one.twins) == (room.BLOCKS * LANES, 2 * 24)


def test_what_passes_in_few_draws_is_refused_in_the_others(study, rival):
    """The share of a verdict and of its contrary add up to 1."""
    one, other = (doubt_of(Certifier(study, 2, silent), rival, recommended=each) for each in (True, False))
    assert one.share.value + other.share.value == pytest.approx(1.0)


def test_no_draws_no_doubt(study, rival):
    """Where the study asks for none."""
    off = replace(study, certification=replace(study.certification, draws=0))
    assert doubt_of(Certifier(off, 1, silent), rival, recommended=True) is None


class Travelling(Threads):
    """Hands everything over as a cluster does, in bytes, and gives results back last job first."""

    def run(self, work, jobs, study, sets):
        there, given = deserialise(serialise(study)), deserialise(serialise(tuple(sets)))
        yield from reversed([(place, work(pickle.loads(pickle.dumps(job)), there, given)) for place, job in enumerate(jobs)])  # noqa: S301 - its own bytes


def test_draws_and_runs_travel(study, rival):
    """What a cluster's workers make of a joint draw and of a run, from keys alone, is what threads make of it."""
    told = []
    far = Certifier(study, Travelling(), told.append)
    assert doubt_of(far, rival, recommended=True) == doubt_of(Certifier(study, 1, silent), rival, recommended=True)
    assert [(each.phase, each.done, each.total) for each in told] == [("doubt", done, 16) for done in range(1, 17)]
    sets = [study.current, rival.parameters]
    assert run_capacities(sets, study, paths=80, rounds=3, workers=Travelling()) == run_capacities(sets, study, paths=80, rounds=3)
