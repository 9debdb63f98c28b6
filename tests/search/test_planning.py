"""How many paths certification draws: held to closed forms and to a search through every allocation."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from amo_opt.config.study import Certification
from amo_opt.scoring.types import LEAST_PATHS, Estimate
from amo_opt.search.aim import LEAST_DRAWN, Aim
from amo_opt.search.planning import (
    NEAR,
    ONE_SIDED_NORMAL,
    TWO_SIDED_NORMAL,
    Plan,
    most_selected,
    plan_holdout,
    plan_level,
    scaled,
    search_designs,
    selection_designs,
    together,
    variances,
)
from amo_opt.stress.tilts import Design, Tilt

PUSH = ((Tilt("share", -0.1),),)
TWO = (*PUSH, (Tilt("flow", -0.1),))
SIX = (*TWO, *((Tilt(noise, part * -0.1),) for part in (0.75, 0.5) for noise in ("share", "flow")))


def capped_at(most_paths):
    """A study that allows so many paths a scenario."""
    return SimpleNamespace(certification=Certification(most_paths=most_paths))


def planned(parts, designs, half_width, *, most_paths=10_000):
    """The plan of a difference that lies two such half-widths from its tolerance, once it is taken off what the distance may be too long by."""
    error = ONE_SIDED_NORMAL * math.sqrt(sum(parts.values()))
    distance = max(2.0 * half_width + error, 2.0 * error) if 2.0 * half_width > error else 4.0 * half_width
    return plan_holdout(designs, parts, capped_at(most_paths), difference=seen(distance, parts), tolerance=0.0)


def seen(value, parts, *, times=1.0):
    """A difference with an interval so many times a normal one's."""
    half = times * TWO_SIDED_NORMAL * math.sqrt(sum(parts.values()))
    return Estimate(value=value, low=value - half, high=value + half, n=900)


def expected_of(parts, designs, plan):
    """The half-width that the planned paths leave, straight from Σ v / f."""
    left = sum(part * designs[name].paths / plan.designs[name].paths for name, part in parts.items())
    return TWO_SIDED_NORMAL * math.sqrt(left)


def brief(values, strata, weights):
    """A brief of a mean: its influences are w (x − mean)."""
    return SimpleNamespace(influences={"mean": values * weights}, strata=strata)


def test_variances_of_scenarios_and_components_add_up():
    """Σ over components of n s², s the deviation of the weighted differences within one; scenarios apart; together the variance of the whole."""
    rng = np.random.default_rng(1)
    strata = (("calm", 40), ("calm~t1", 25), ("run", 30))
    one, other = rng.normal(size=(2, 95))
    weights = np.repeat([0.01, 0.002, 0.02], [40, 25, 30])
    found = variances(brief(one, strata, weights), brief(other, strata, weights), "mean")
    terms = (one - other) * weights
    assert found["calm"] == pytest.approx(40 * np.var(terms[:40], ddof=1) + 25 * np.var(terms[40:65], ddof=1))
    assert found["run"] == pytest.approx(30 * np.var(terms[65:], ddof=1))
    assert list(found) == ["calm", "run"]


def test_one_scenario_gets_the_paths_of_the_square_law():
    """n = n0 · v / (h / 1.96)²: four times the paths halve the half-width."""
    designs = {"calm": Design(100)}
    part = (2.0 / TWO_SIDED_NORMAL) ** 2  # a half-width of 2 on 100 paths
    for half, n in ((1.0, 400), (0.5, 1600), (0.25, 6400)):
        plan = planned({"calm": part}, designs, half)
        assert plan.designs == {"calm": Design(n)}
        assert plan.wanted == pytest.approx(half)
        assert not plan.capped
        assert plan.expected == pytest.approx(half)


def test_no_fewer_than_the_selection_paths():
    """A difference that is told already keeps the designs as they are, and is told to be better than asked for."""
    designs = {"calm": Design(100, PUSH, (50,))}
    plan = planned({"calm": 1.0}, designs, 10.0 * TWO_SIDED_NORMAL)
    assert plan.designs == designs
    assert plan.expected == pytest.approx(TWO_SIDED_NORMAL)
    assert not plan.capped


@pytest.mark.parametrize("parts", [(1.0, 1.0, 1.0), (9.0, 1.0, 0.04), (1.0, 0.0, 4.0), (0.01, 5.0, 0.01)])
def test_the_allocation_is_the_cheapest_of_all(parts):
    """No allocation on a fine grid between the floor and the cap reaches the half-width with fewer paths (Neyman's rule, where the floor and the cap bind too)."""
    designs = {"a": Design(40), "b": Design(80), "c": Design(20, PUSH, (20,))}
    by_name = dict(zip(designs, parts, strict=True))
    half = TWO_SIDED_NORMAL * math.sqrt(sum(parts) / 5.0)
    plan = planned(by_name, designs, half, most_paths=481)
    assert not plan.capped
    assert expected_of(by_name, designs, plan) <= half * (1.0 + 1e-9)
    grid = np.exp(np.linspace(0.0, 1.0, 121))  # factors from 1 to the cap
    floors = [designs[name].paths for name in designs]
    axes = [floor * grid ** math.log(max(480.0 / floor, 1.0)) for floor in floors]
    sizes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    left = sum(part * floor / sizes[..., k] for k, (part, floor) in enumerate(zip(parts, floors, strict=True)))
    cheapest = float(sizes.sum(axis=-1)[left <= sum(parts) / 5.0].min())
    assert sum(each.paths for each in plan.designs.values()) <= cheapest + 4  # each count is rounded up


def test_a_scenario_where_the_sets_do_not_differ_gets_no_more():
    """Its part of the variance is 0, so further paths of it tell nothing."""
    plan = planned({"a": 1.0, "b": 0.0}, {"a": Design(100), "b": Design(100)}, 0.5)
    assert plan.designs["b"] == Design(100)
    assert plan.designs["a"].paths > 1000


def test_the_cap_binds_and_says_so():
    """No scenario goes beyond it, twins and rounding included; the half-width to expect is that of the capped paths, wider than wanted."""
    designs = {"a": Design(97, TWO, (31, 7)), "b": Design(97)}
    parts = {"a": 4.0, "b": 1e-6}
    plan = planned(parts, designs, 1e-3, most_paths=1000)
    assert plan.capped
    assert 980 <= plan.designs["a"].paths <= 1000
    assert plan.designs["b"].paths <= 1000
    assert plan.expected == pytest.approx(expected_of(parts, designs, plan), rel=5e-3)
    assert plan.expected > plan.wanted


def test_at_the_cap_paths_go_where_they_matter():
    """A target out of reach: the scenario that holds nearly all of the variance goes to the cap, one with a thousandth of it keeps what it has."""
    plan = planned({"a": 1.0, "b": 1e-3}, {"a": Design(100), "b": Design(100)}, 1e-3, most_paths=1000)
    assert plan.capped
    assert plan.designs["a"].paths > 980
    assert plan.designs["b"].paths < 120


def test_a_cap_below_the_selection_paths_leaves_those():
    """The holdout is never smaller than what chose; where that is not enough the cap binds."""
    plan = planned({"a": 1.0}, {"a": Design(100)}, 0.01, most_paths=60)
    assert plan.designs == {"a": Design(100)}
    assert plan.capped


def test_a_difference_at_the_tolerance_asks_for_all_there_is():
    """No number of paths tells it from the tolerance: the limit of ever smaller distances, which is the cap but for a hundredth of the half-width."""
    plan = planned({"a": 1.0, "b": 0.0}, {"a": Design(100), "b": Design(100)}, 0.0, most_paths=700)
    assert plan.designs == {"a": Design(687), "b": Design(100)}
    assert (plan.wanted, plan.capped) == (0.0, True)


def test_where_nothing_varies_there_is_nothing_to_plan():
    """Sets alike on every path, or none to compare with: the holdout is as large as the selection."""
    for parts in ({}, {"a": 0.0}):
        plan = planned(parts, {"a": Design(100)}, 1.0)
        assert (plan.designs, plan.wanted, plan.expected, plan.capped) == ({"a": Design(100)}, None, None, False)


def test_twins_grow_with_the_drawn_paths():
    """Every component by the same factor, rounded up, so that weights stay those of the aim; beside drawn paths that tell of their spread never too few to do so."""
    assert scaled(Design(100, TWO, (60, 40)), 2.511) == Design(252, TWO, (151, 101))
    assert scaled(Design(100, TWO, (60, 0)), 0.001) == Design(1, TWO, (1, 0))
    assert scaled(Design(640, TWO, (640, 70)), 0.2) == Design(128, TWO, (128, LEAST_PATHS))
    assert scaled(Design(640, TWO, (640, 70)), 0.04) == Design(26, TWO, (26, 3))
    for drawn, paths in itertools.product((7, 49, 640, 1279), (1, 3, 5, 7)):
        assert scaled(Design(drawn), paths / drawn).drawn == paths


def test_selection_paths_are_drawn_in_full_with_twins_beside_them():
    """Twice the twins of the aim's shares beside the drawn paths; where no driver was found as the scenario is."""
    study = SimpleNamespace(scenarios=[SimpleNamespace(name="calm"), SimpleNamespace(name="run")])
    aims = {"calm": Aim("calm", (), (1.0,), 1.0, None), "run": Aim("run", TWO, (0.5, 0.4, 0.1), 0.1, 1e-3)}
    assert selection_designs(aims, study, 640) == {"calm": Design(640), "run": Design(640, SIX, (614, 153, 256, 64, 154, 39))}
    assert selection_designs(aims, study, 64)["run"] == Design(64, SIX, (61, *[LEAST_PATHS] * 5))
    assert selection_designs(aims, study, 20)["run"] == Design(20, SIX, (19, 4, 8, 2, 5, 2))


def test_a_level_is_planned_within_a_tenth_of_itself():
    """0.09 of the value, by the square law; where nothing varies nothing is planned; of the plans together only a difference's cap is told."""
    designs = {"calm": Design(100)}
    part = {"calm": (2.0 / TWO_SIDED_NORMAL) ** 2}
    plan = plan_level(designs, part, capped_at(10_000), figure=seen(0.5 / NEAR, part))  # a half-width of 2 on 100 paths, 0.5 wanted
    assert plan.designs == {"calm": Design(1600)}
    assert plan_level(designs, {"calm": 0.0}, capped_at(10_000), figure=seen(1.0, {})) == Plan(designs, None, None, capped=False)
    capped = plan_level(designs, {"calm": 1.0}, capped_at(300), figure=seen(1.0, {"calm": 1.0}))
    assert (capped.designs, capped.capped) == ({"calm": Design(295)}, True)
    difference = Plan({"calm": Design(200)}, 0.5, 0.4, capped=False)
    assert together([difference], [capped]) == Plan({"calm": Design(295)}, 0.5, 0.4, capped=False)


def test_search_paths_are_as_many_as_asked_for(frax):
    """Twins take the place of drawn paths, some of them pushed less; a scenario keeps a drawn path whatever is asked for."""
    aims = {each.name: Aim(each.name, (), (1.0,), 1.0, None) for each in frax.scenarios}
    aims["calm"] = Aim("calm", TWO, (0.5, 0.4, 0.1), 0.1, None)
    for paths, drawn, twins in ((64, 32, (15, 3, 7, 2, 4, 1)), (8, 4, (1, 0, 1, 1, 1, 0)), (2, 1, (0, 0, 1, 0, 0, 0)), (1, 1, (0,) * 6)):
        found = search_designs(aims, replace(frax, simulation=replace(frax.simulation, paths=paths)))
        assert found["calm"] == Design(drawn, SIX, twins)
        assert {each.paths for each in found.values()} == {paths}
        assert found["svb-2023"] == Design(paths)


def test_the_most_there_may_be_holds_for_whatever_is_drawn(make_study):
    """Selection paths with as many twins as an aim allows, and a plan at the cap, both stay within what is announced."""
    study = make_study()
    shares = (LEAST_DRAWN, *[(1.0 - LEAST_DRAWN) / 2] * 2)
    for paths, most_paths in itertools.product((4, 333), (10, 100_000)):
        small = replace(
            study, simulation=replace(study.simulation, paths=paths), certification=replace(study.certification, most_paths=most_paths)
        )
        designs = selection_designs({"calm": Aim("calm", TWO, shares, 0.1, None)}, small, 2 * paths)
        plan = plan_holdout(designs, {"calm": 1.0}, small, difference=seen(0.0, {"calm": 1.0}), tolerance=0.0)
        assert designs["calm"].paths <= most_selected(small)
        assert designs["calm"].paths <= plan.designs["calm"].paths <= max(most_selected(small), most_paths)


def test_the_larger_of_two_plans_holds_scenario_by_scenario():
    """Peg risk against one reference may need paths in one scenario, against the other in another: each gets the larger, and what is told is the larger plan's."""
    push = ((Tilt("share", -0.1),),)
    small, large, larger = Design(640, push, (640,)), Design(1000, push, (1000,)), Design(2000, push, (2000,))
    one = Plan({"calm": large, "svb-2023": small}, 0.5, 0.4, capped=False)
    other = Plan({"calm": small, "svb-2023": larger}, 0.3, 0.35, capped=True)
    for plans in ([one, other], [other, one]):
        assert together(plans) == Plan({"calm": large, "svb-2023": larger}, 0.3, 0.35, capped=True)
    assert together([one]) == one


@pytest.mark.parametrize("times", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("difference", [0.0, 0.5, 1.0, 1.5, 3.0])
def test_the_distance_counts_less_its_error(frax, difference, times):
    """Tolerance 2, standard error 1/2 on selection paths: half of (distance - 1.645/2), at least a quarter of the distance, is the half-width asked for; what is
    expected of the plan is that or, at the cap, said to be more; and where the interval towards the tolerance was twice a normal one's, four times the paths are asked for.
    """
    half = 0.5 * max(abs(difference - 2.0) - ONE_SIDED_NORMAL * 0.5, 0.5 * abs(difference - 2.0))
    push = ((Tilt("share", -0.1),),)
    designs = {"calm": Design(640, push, (640,)), "ust-contagion-2022": Design(640, push, (640,))}
    parts = {"calm": 0.2, "ust-contagion-2022": 0.05}
    wide, narrow = (
        plan_holdout(designs, parts, frax, difference=seen(difference, parts, times=each), tolerance=2.0) for each in (times, 1.0)
    )
    assert wide.wanted == narrow.wanted == pytest.approx(half)
    assert wide.capped == (wide.expected > half * (1 + 1e-6))
    assert all(wide.designs[name].paths >= narrow.designs[name].paths >= designs[name].paths for name in designs)
    assert math.isfinite(wide.expected)
    left = sum(part * designs[name].paths / wide.designs[name].paths for name, part in parts.items())
    assert wide.expected == pytest.approx(max(1.0, times) * TWO_SIDED_NORMAL * math.sqrt(left), rel=2e-3)


def test_an_interval_that_is_not_known_plans_as_a_normal_one(frax):
    """Only the side towards the tolerance counts, and none where it has no end."""
    push = ((Tilt("share", -0.1),),)
    designs, parts = {"calm": Design(640, push, (640,))}, {"calm": 0.25}
    known = seen(1.0, parts)
    plans = [
        plan_holdout(designs, parts, frax, difference=each, tolerance=2.0)
        for each in (known, replace(known, low=-9.0), replace(known, low=-math.inf, high=math.inf))
    ]
    assert plans[0] == plans[1] == plans[2]


def test_some_of_the_twins_are_pushed_less(frax):
    """Beside 640 drawn paths: a quarter of a walk's twins is pushed three quarters as far and ends three quarters as deep, 15% half; of a uniform's as much; never fewer
    than 30 of any; plain stays plain. A scenario that decides tail risk gets twice the aim's twins, one that does not half, pushed as the deciding one's where it has the
    noises for it.
    """
    aims = {each.name: Aim(each.name, (), (1.0,), 1.0, None) for each in frax.scenarios}
    aims["calm"] = Aim("calm", ((Tilt("share", -0.08, -2.4),),), (0.5, 0.5), 0.1, 1e-4, part=0.9)
    aims["svb-2023"] = Aim("svb-2023", ((Tilt("coin-loss", -6.0), Tilt("flow", -0.1, -2.0)),), (0.95, 0.05), 0.4, 1e-3, part=1e-4)
    found = selection_designs(aims, frax, 640)
    less = ((Tilt("share", 0.75 * -0.08, 0.75 * -2.4),), (Tilt("share", -0.04, -1.2),))
    assert found["calm"] == Design(640, ((Tilt("share", -0.08, -2.4),), *less), (768, 320, 192))
    assert found["svb-2023"] == Design(640, found["calm"].components, (192, 80, 48))
    assert found["ust-contagion-2022"] == Design(640)
    aims["calm"] = replace(aims["calm"], part=1e-4)
    found = selection_designs(aims, frax, 640)
    assert found["calm"].twins == (192, 80, 48)
    milder = ((Tilt("coin-loss", -4.5), Tilt("flow", 0.75 * -0.1, -2.0)), (Tilt("coin-loss", -3.0), Tilt("flow", -0.05, -2.0)))
    assert found["svb-2023"] == Design(640, (*aims["svb-2023"].components, *milder), (30, 30, 30))
    aims["calm"] = replace(aims["calm"], components=((Tilt("share", -0.08, -2.4), Tilt("reserve-price", 1.0)),), part=0.9)
    assert selection_designs(aims, frax, 640)["svb-2023"] == found["svb-2023"]
