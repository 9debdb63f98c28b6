"""Drawn paths and twins, fanned out: the same bytes whoever runs them, weights within their scenario, and every row its own replay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation import engine
from amo_opt.simulation.engine import replay, simulate, simulate_many, trace
from amo_opt.simulation.executor import Watched
from amo_opt.simulation.spans import spans_of
from amo_opt.stress.tilts import Design, Tilt
from tests.quiet import without_spells

SHARE, PAIR = (Tilt("share", -0.08, -0.3),), (Tilt("flow", -0.1), Tilt("gas", 0.2))
CALM = Design(drawn=LANES + 3, components=(SHARE, (Tilt("reward", 0.1),), PAIR), twins=(LANES + 1, 0, 5))
STRESS = Design(drawn=6, components=((Tilt("size", 2.0),),), twins=(4,))
DESIGNS = {"calm": CALM, "ust-contagion-2022": STRESS}
NAMES = ["calm", "svb-2023", "ust-contagion-2022"]
ROWS = CALM.paths + 7 + STRESS.paths


@pytest.fixture(scope="module")
def study(frax, hastened):
    return hastened(without_spells(frax), 24, 96)


def run(study, workers=1, stream="search", **options):
    sets = [study.current, study.current.replace(name="other", aave_cap=0.1)]
    return simulate_many(sets, study, paths=7, scenarios=NAMES, designs=DESIGNS, stream=stream, workers=workers, **options)


@pytest.fixture(scope="module")
def outcomes(study):
    return run(study)


def same(one, other) -> bool:
    arrays = [(one.columns[name], other.columns[name]) for name in one.columns]
    arrays += [
        (getattr(one, name), getattr(other, name)) for name in ("scenario_of", "component_of", "path_of", "path_weight", "log_ratios")
    ]
    return all(left.tobytes() == right.tobytes() for left, right in arrays)


def test_rows_are_ordered_by_scenario_component_and_path(outcomes):
    """Each component's paths are numbered from 0; the frame tells component and weight."""
    outcome = outcomes[0]
    assert len(outcome.path_of) == ROWS
    expected = [
        (scenario, component, path)
        for scenario, counts in enumerate((CALM.counts, (7,), STRESS.counts))
        for component, count in enumerate(counts)
        for path in range(count)
    ]
    assert list(zip(outcome.scenario_of.tolist(), outcome.component_of.tolist(), outcome.path_of.tolist(), strict=True)) == expected
    frame = outcome.paths
    assert list(frame.columns[:4]) == ["scenario", "path", "component", "weight"]
    assert np.array_equal(frame["weight"], outcome.path_weight)
    assert np.array_equal(frame["component"], outcome.component_of)


def test_weights_stay_within_a_scenario(outcomes):
    """At most 1/n_0; all 1 where nothing is tilted; the same whatever set ran."""
    outcome = outcomes[0]
    calm, svb, stress = (outcome.path_weight[outcome.scenario_of == k] for k in range(3))
    assert (svb == 1.0).all()
    for weights, design in ((calm, CALM), (stress, STRESS)):
        assert 0.0 < weights.min() < weights.max() <= 1.0 / design.drawn
    assert np.array_equal(calm, CALM.weights(outcome.log_ratios[outcome.scenario_of == 0]))
    assert same(outcome, replace(outcomes[1], columns=outcome.columns))
    assert not np.array_equal(outcome.columns["peg_loss_bps"], outcomes[1].columns["peg_loss_bps"])


def test_blocks_are_full_but_for_a_scenario_s_last(study):
    """A design costs the blocks of as many paths drawn as the scenario is; every path stands in one block, in order."""
    spans = spans_of(study, 7, NAMES, DESIGNS)
    assert [(span.scenario.name, span.lanes) for span in spans] == [
        *[("calm", n) for n in (LANES, LANES, CALM.paths - 2 * LANES)],
        ("svb-2023", 7),
        ("ust-contagion-2022", 10),
    ]
    assert [each for span in spans[:3] for each in span.stretches] == [
        (0, 0, LANES),
        (0, LANES, 3),
        (1, 0, LANES - 3),
        (1, LANES - 3, 4),
        (3, 0, 5),
    ]
    assert np.concatenate([span.places for span in spans[:3]]).tolist() == [[k, i] for k, n in enumerate(CALM.counts) for i in range(n)]


def test_a_plain_design_is_the_plain_outcome(study):
    """No components: the bytes of a run without designs."""
    plain = simulate(study.current, study, paths=9, scenarios=NAMES)
    assert same(plain, simulate(study.current, study, paths=5, scenarios=NAMES, designs={name: Design(drawn=9) for name in NAMES}))
    assert (plain.path_weight == 1.0).all()
    assert not plain.component_of.any()
    assert plain.log_ratios.shape == (27, 0)


def test_drawn_paths_are_those_of_a_plain_run(study, outcomes):
    """Component 0 has a plain run's columns to the last bit."""
    plain = simulate(study.current, study, paths=CALM.drawn, scenarios=["calm"])
    for name, values in plain.columns.items():
        assert values.tobytes() == outcomes[0].columns[name][: CALM.drawn].tobytes()


@pytest.mark.parametrize("stream", ["search", "holdout"])
def test_workers_and_blocks_change_nothing(study, outcomes, stream):
    """One thread or three, kept or passing; a twin of the second block is the same with fewer drawn paths before it."""
    one, three = (run(study, workers=workers, stream=stream) for workers in (1, 3))
    assert all(same(left, right) for left, right in zip(one, three, strict=True))
    assert same(one[0], outcomes[0]) == (stream == "search")
    few = simulate(
        study.current, study, scenarios=["calm"], designs={"calm": replace(CALM, drawn=2, twins=(LANES + 1, 0, 1))}, stream=stream
    )
    for name, values in few.columns.items():
        assert values[2 : 2 + LANES + 1].tobytes() == one[0].columns[name][CALM.drawn : CALM.drawn + LANES + 1].tobytes()


@pytest.mark.parametrize(
    ("scenario", "component", "path"), [("calm", 0, LANES + 2), ("calm", 1, LANES), ("calm", 3, 4), ("ust-contagion-2022", 1, 3)]
)
def test_a_replayed_twin_is_its_row(study, outcomes, scenario, component, path):
    """Columns, weight and ratios; and its series end where the row says."""
    outcome, design = outcomes[0], DESIGNS[scenario]
    place = NAMES.index(scenario), component, path
    row = int(np.flatnonzero((outcome.scenario_of == place[0]) & (outcome.component_of == component) & (outcome.path_of == path))[0])
    alone = replay(study.current, study, scenario=scenario, path=path, design=design, component=component)
    assert all(values[0] == outcome.columns[name][row] for name, values in alone.columns.items())
    assert alone.path_weight[0] == outcome.path_weight[row]
    assert np.array_equal(alone.log_ratios[0], outcome.log_ratios[row, : len(design.components)])
    series = trace(study.current, study, scenario=scenario, paths=1, first_path=path, design=design, component=component)
    assert series["price"][24:].min() == outcome.columns["min_price"][row]


def test_one_component_s_twin_needs_no_other(study):
    """A twin hangs on its own component and number: the others may be left empty."""
    given = {"scenario": "calm", "path": 4, "component": 3}
    one, other = (replay(study.current, study, design=design, **given) for design in (CALM, Design(1, ((), (), PAIR), (0, 0, 1))))
    assert one.columns == other.columns


def test_only_drawn_paths_are_watched(study):
    """Prices that are kept for quantiles come from paths that weigh the same."""
    seen = []
    run(study, watched=Watched((0,), LANES, (0, 5)), seen=lambda *place: seen.append((place[1], place[2], place[3].shape)))
    assert sorted(seen) == [("calm", 0, (2, LANES)), ("svb-2023", 0, (2, 7)), ("ust-contagion-2022", 0, (2, 6))]


def test_a_fault_names_the_twin(study, refigured, monkeypatch):
    """A path at fault is named as it replays."""
    span = spans_of(study, 1, ["calm"], DESIGNS)[2]
    assert (span.path(0), span.path(3), span.path(4)) == ("61~t1", f"{LANES}~t1", "0~t3")
    monkeypatch.setattr(engine, "IDENTITY_BOUND", -1.0)
    with pytest.raises(SimulationError, match="scenario calm, path 4~t3, transition: the books miss NAV"):
        replay(study.current, study, scenario="calm", path=4, design=CALM, component=3)


def test_a_set_that_fails_leaves_the_others_their_weights(study, outcomes, monkeypatch):
    """Ratios come with any set that ran."""
    real = engine._check

    def check(parameters, *rest):
        if parameters.name != "other":
            raise SimulationError("no")
        real(parameters, *rest)

    monkeypatch.setattr(engine, "_check", check)
    failed, fine = run(study, stream="search")
    assert isinstance(failed, SimulationError)
    assert same(fine, outcomes[1])


@pytest.mark.parametrize(
    ("designs", "told"),
    [
        ({"clam": STRESS}, "unknown scenario 'clam'; the study has calm, "),
        ({"calm": STRESS}, "tilt: scenario calm draws no noise 'size'; it draws "),
    ],
)
def test_designs_that_cannot_be_drawn_are_refused(study, designs, told):
    with pytest.raises(AmoOptError) as error:
        simulate(study.current, study, paths=1, designs=designs)
    assert told in str(error.value)


def test_a_component_that_is_not_there(study):
    with pytest.raises(AmoOptError, match="component 4 of calm; its design has 3"):
        replay(study.current, study, scenario="calm", path=0, design=CALM, component=4)
