"""Profiles on made-up outcomes: each parameter acts by a formula, so every difference is known."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import amo_opt
from amo_opt.config.study import Range
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.scoring.metrics import MEASURES
from amo_opt.search import profile as room

ROOT = Path(__file__).parents[2]
WEIGHTS = {"calm": 3.0, "stress": 1.0}
PEG, DOLLAR, YIELD = "peg_cvar95_bps", "peg_cvar95_dollar_bps", "yield"
YEAR_PER_USD = 8760 / 1440 / 1e9
"""Yearly yield of a dollar earned in the window, over the collateral."""
SPACE = {
    "amplification": Range(low=150, high=5000, log=True),
    "aave_cap": Range(low=0.0, high=0.6),
    "idle_buffer": Range(low=0.0, high=0.3),
    "pool_share_high": Range(low=0.52, high=0.75),
    "unwind_rate": Range(low=0.01, high=0.5, log=True),
}


def _fixtures_of(folder):
    """The conftest of another folder, so that made-up outcomes keep the columns that scoring reads."""
    spec = importlib.util.spec_from_file_location(f"fixtures_of_{folder}", ROOT / "tests" / folder / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_scoring = _fixtures_of("scoring")
make_outcome = _scoring.make_outcome
make_study = _scoring.make_study
parameters = _scoring.parameters


class World:
    """What a set does to the same paths: A shifts peg losses, lending earns, the pool's high share adds noise, a buffer and the unwind rate do nothing."""

    def __init__(self, base):
        self.base = base
        self.asked = []
        self.streams = set()
        self.designs = []
        self.fails = lambda parameters: False
        # From the worst path of a scenario to its best in turn deeper and shallower: the tail's mean hardly moves, its resamples do.
        rank = base.paths.groupby("scenario")["peg_loss_bps"].rank(ascending=False)
        self.noise = np.where(rank % 2 == 0, 1.0, -1.0)

    def outcome(self, parameters):
        paths = self.base.paths
        peg = paths["peg_loss_bps"] + 15000.0 / parameters.amplification + 10.0 * abs(parameters.pool_share_high - 0.57) * self.noise
        moved = self.base.with_columns(
            peg_loss_bps=peg,
            peg_loss_dollar_bps=paths["peg_loss_dollar_bps"] + 15000.0 / parameters.amplification,
            income_lending_usd=paths["income_lending_usd"] + 1e8 * parameters.aave_cap * (0.5 - parameters.aave_cap),
        )
        return replace(moved, parameters=parameters)

    def __call__(self, sets, study, *, paths, designs, stream, workers, progress):
        self.asked += sets
        self.streams.add((stream, paths))
        self.designs.append(designs)
        for done in range(1, 4):
            progress(done, 3)
        return [SimulationError(f"{each.name}: path 3, step 7") if self.fails(each) else self.outcome(each) for each in sets]


@pytest.fixture
def world(make_outcome, monkeypatch):
    made = World(make_outcome(WEIGHTS, paths=120))
    monkeypatch.setattr(room, "simulate_many", made)
    monkeypatch.setattr(room, "aimed_designs", lambda parameters, study, paths, *, sets, workers: ({"calm": (parameters.name, paths)}, {}))
    return made


@pytest.fixture
def study(make_study):
    plain = make_study(WEIGHTS)
    return replace(plain, search=replace(plain.search, space=SPACE))


def by_name(found):
    return {each.parameter: each for each in found.profiles}


def test_the_current_set_s_pilot_says_how_paths_are_drawn(world, study):
    """Every set runs on the paths as drawn and the twins that a pilot of the set in force found, so many of each scenario as were asked for."""
    found = room.profile(study, ["amplification"], paths=120)
    assert world.designs == [{"calm": (study.current.name, 120)}]
    assert (found.n, found.twins) == (240, 0)


def test_a_shift_of_every_loss_is_the_shift_of_their_cvar(world, study):
    """Peg risk moves by 15000 / A less that at the current 1500, on every resample, so without any width; yield not at all."""
    found = by_name(room.profile(study, ["amplification"]))["amplification"]
    assert [point.value for point in found.points] == [150, 270, 480, 870, 1500, 1600, 2800, 5000]
    for point in found.points:
        apart = point.shifts[PEG].difference.difference
        expected = 15000.0 / point.value - 10.0
        assert [apart.value, apart.low, apart.high] == pytest.approx([expected] * 3, abs=1e-9)
        assert point.shifts[PEG].moves == (point.value != 1500)
        assert point.shifts[YIELD].unchanged
    assert {metric: shape.word for metric, shape in found.shapes.items()} == {YIELD: "FLAT", PEG: "MONOTONE"}
    assert found.shapes[PEG].best == 5000
    assert (found.finding.kind, found.finding.low, found.finding.high) == ("moves", 150, 5000)
    assert found.finding.besides == (DOLLAR,)


def test_income_on_every_path_is_yield_and_its_line(world, study):
    """Lending earns 1e8 c (0.5 - c) more: a parabola with its top at 0.25, in the yield and in its line alike, and nowhere else."""
    found = by_name(room.profile(study, ["aave_cap"], points=7))["aave_cap"]
    for point in found.points:
        expected = 1e8 * (point.value * (0.5 - point.value) - 0.2 * 0.3) * YEAR_PER_USD
        for term in (YIELD, "lending"):
            apart = point.shifts[term].difference.difference
            assert [apart.value, apart.low, apart.high] == pytest.approx([expected] * 3, abs=1e-12)
        assert all(shift.unchanged for term, shift in point.shifts.items() if term not in {YIELD, "lending"})
    assert found.shapes[YIELD].word == "INTERIOR OPTIMUM"
    assert found.shapes[YIELD].best in {0.2, 0.3}
    assert found.shapes[PEG].word == "FLAT"
    assert "lending" in found.finding.besides


def test_what_acts_on_nothing_is_flat(world, study):
    """A buffer and an unwind rate that change no path: told plainly, over the range they were given."""
    found = by_name(room.profile(study))
    for name, ends in (("idle_buffer", (0.0, 0.3)), ("unwind_rate", (0.01, 0.5))):
        assert found[name].flat
        assert (found[name].finding.kind, found[name].finding.low, found[name].finding.high) == ("unchanged", *ends)
    assert not found["amplification"].flat


def test_noise_is_within_chance_and_tells_what_it_leaves_open(world, study):
    """Paths that differ by noise alone: no movement larger than chance, and an interval that says how far one could be."""
    found = by_name(room.profile(study, ["pool_share_high"]))["pool_share_high"]
    widths = [point.shifts[PEG].furthest for point in found.points]
    assert max(widths) > found.points[0].shifts[PEG].bound
    assert found.flat
    assert found.finding.kind == "within chance"
    assert found.finding.furthest == {PEG: max(widths), YIELD: max(point.shifts[YIELD].furthest for point in found.points)}


def test_terms_of_the_yield_add_up_in_figures_and_in_differences(world, study):
    """The yield is its lines' sum at every value, and so is its difference to the current set's."""
    found = room.profile(study, ["aave_cap", "amplification"])
    lines = [term for term in found.terms if term not in MEASURES]
    assert found.terms[0] == YIELD
    assert found.terms[1 : 1 + len(lines)] == tuple(lines)
    for point in (point for each in found.profiles for point in each.points):
        assert sum(point.figure(term).value for term in lines) == pytest.approx(point.figure(YIELD).value, abs=1e-12)
        parts = sum(point.shifts[term].difference.difference.value for term in lines)
        assert parts == pytest.approx(point.shifts[YIELD].difference.difference.value, abs=1e-12)


def test_every_figure_has_an_interval_and_n_and_the_current_set_differs_from_itself_by_nothing(world, study):
    """Value within low and high, all of the paths behind it; differences of exactly 0 at the current value."""
    found = room.profile(study)
    assert found.n == 240
    for each in found.profiles:
        for point in each.points:
            for term in found.terms:
                figure, shift = point.figure(term), point.shifts[term]
                assert figure.low <= figure.value <= figure.high
                assert (figure.n, shift.difference.difference.n) == (240, 240)
                assert shift.bound == found.bounds[term]
                if point.value == each.current:
                    assert (shift.difference.difference.low, shift.difference.difference.high) == (0.0, 0.0)
        assert [point.value for point in each.points].count(each.current) == 1


def test_all_sets_run_once_on_the_same_paths(world, study):
    """The current set is shared by all profiles; one stream, as many paths as the study's or as asked for."""
    room.profile(study, points=5)
    keys = [tuple(each.values().values()) for each in world.asked]
    assert len(set(keys)) == len(keys)
    assert world.asked[0] == study.current
    room.profile(study, ["aave_cap"], paths=9, stream="search")
    assert world.streams == {("selection", study.simulation.paths), ("search", 9)}


def test_a_profile_does_not_depend_on_the_others_or_on_workers(world, study):
    """Alone or with others, on one thread or three."""
    together = by_name(room.profile(study, workers=3))
    for name, profile in together.items():
        assert by_name(room.profile(study, [name], workers=1)) == {name: profile}
    assert list(together) == list(SPACE)


def test_a_value_that_cannot_be_simulated_is_told(world, study):
    """Value and reason beside the points that ran; a parameter with none but the current one is not called flat."""
    world.fails = lambda parameters: parameters.aave_cap > 0.45
    found = by_name(room.profile(study, ["aave_cap"], points=3))["aave_cap"]
    assert [point.value for point in found.points] == [0.0, 0.2, 0.3]
    assert found.failed == ((0.6, "aave_cap-0.6: path 3, step 7"),)
    world.fails = lambda parameters: parameters.unwind_rate != study.current.unwind_rate
    alone = by_name(room.profile(study, ["unwind_rate"], points=3))["unwind_rate"]
    assert (alone.flat, alone.finding.kind) == (False, "not simulated")


def test_the_current_set_failing_is_an_error(world, study):
    """Without it nothing can be compared."""
    world.fails = lambda parameters: parameters == study.current
    with pytest.raises(SimulationError, match="path 3, step 7"):
        room.profile(study)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["amplificaton"], "found 'amplificaton'.*did you mean 'amplification'"),
        ("min_cr", "found 'min_cr', which the study does not search.*searched: amplification, aave_cap"),
        ([], "none named"),
    ],
)
def test_names_without_a_range_are_refused_before_anything_runs(world, study, names, message):
    """What was found, what is searched, the nearest known name."""
    with pytest.raises(AmoOptError, match=message):
        room.profile(study, names)
    assert not world.asked


def test_a_study_that_searches_nothing_still_has_a(world, study):
    """No range is no profile, but A has one ramp's."""
    bare = replace(study, search=replace(study.search, space={}))
    with pytest.raises(AmoOptError, match="searches nothing"):
        room.profile(bare)
    assert list(by_name(room.profile(bare, ["amplification", "amplification"]))) == ["amplification"]


def test_progress_counts_up_to_its_total(world, study):
    """Blocks, then sets: one phase, never backwards, ending at its total."""
    events = []
    room.profile(study, ["aave_cap"], points=3, progress=events.append)
    assert {event.phase for event in events} == {"profile"}
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert {event.total for event in events} == {3 + 4}
    assert events[-1].done == events[-1].total


def test_the_frame_has_a_row_for_every_value_and_term(world, study):
    """Long form: what it says is what the points say."""
    found = room.profile(study, ["aave_cap", "idle_buffer"], points=3)
    frame = found.frame
    assert len(frame) == len(found.terms) * sum(len(each.points) for each in found.profiles)
    assert not frame.isna().any().any()
    assert not frame[frame["parameter"] == "idle_buffer"]["moves"].any()
    moved = frame[(frame["parameter"] == "aave_cap") & frame["moves"]]
    assert set(moved["term"]) == {YIELD, "lending"}


def test_a_small_real_run():
    """The worked study, few paths and short: every searched parameter has a profile, and its current set's figures are those of a simulation."""
    small = {
        "simulation.paths": 3,
        "simulation.transition_hours": 48,
        "simulation.window_hours": 120,
        "certification.bootstrap": 50,
    }
    study = amo_opt.load_study(ROOT / "studies" / "frax-2022.toml", overrides=small)
    found = amo_opt.profile(study, points=2, workers=2)
    assert [each.parameter for each in found.profiles] == list(study.search.space)
    outcome = amo_opt.simulate(study.current, study, stream="selection")
    for each in found.profiles:
        point = next(point for point in each.points if point.value == each.current)
        assert point.score == outcome.score
        assert (each.finding.low, each.finding.high) == (each.points[0].value, each.points[-1].value)
        assert not each.failed
    acted = {each.parameter for each in found.profiles if not each.flat}
    assert {"amplification", "curve_collateral_cap"} <= acted


def test_too_few_paths_have_no_shape(world, study, make_outcome):
    """29 paths of each scenario: what acts and what does nothing are alike not known, whatever the figures say; no interval stands in the frame."""
    world.base = make_outcome(WEIGHTS, paths=29)
    world.noise = np.ones(58)
    found = room.profile(study, ["amplification", "idle_buffer"])
    for name, profile in by_name(found).items():
        assert profile.flat is None
        assert {each.word for each in profile.shapes.values()} == {"NOT KNOWN"}
        ends = {"amplification": (150, 5000), "idle_buffer": (0.0, 0.3)}[name]
        assert (profile.finding.kind, profile.finding.low, profile.finding.high, profile.finding.n) == ("not known", *ends, 58)
        assert profile.finding.nothing_known
    assert found.frame[["low", "high", "difference_low", "difference_high"]].isna().all().all()
    assert not found.frame["moves"].any()
