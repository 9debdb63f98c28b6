"""Parameters as Optuna's variables and back."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from amo_opt.config.study import Range
from amo_opt.protocol.parameters import ORDERED_PAIRS
from amo_opt.search.space import SMALLEST_GAP, build_space


def draw(space, rng):
    values = {}
    for name, distribution in space.distributions.items():
        low, high = distribution.low, distribution.high
        values[name] = int(rng.integers(low, high + 1)) if isinstance(distribution, IntDistribution) else float(rng.uniform(low, high))
    return values


def corners(space):
    low = {name: distribution.low for name, distribution in space.distributions.items()}
    high = {name: distribution.high for name, distribution in space.distributions.items()}
    mixed = {name: (low if name.endswith("_gap") else high)[name] for name in low}
    return [low, high, mixed]


def test_variables_follow_the_parameters_and_gaps_stand_for_high_ends(make_study):
    """Every searched name is one variable; where both ends of a pair are searched the high one is a gap of at least `SMALLEST_GAP`."""
    space = build_space(make_study())
    assert list(space.distributions) == [
        "amplification", "curve_collateral_cap", "aave_cap", "idle_buffer", "pool_share_low", "pool_share_gap", "unwind_price", "reentry_gap",
    ]  # fmt: skip
    assert space.distributions["amplification"] == IntDistribution(150, 5000, log=True)
    assert space.distributions["aave_cap"] == FloatDistribution(0.0, 0.6)
    assert space.distributions["pool_share_gap"] == FloatDistribution(SMALLEST_GAP, 0.75 - 0.40)
    assert space.distributions["reentry_gap"].low >= SMALLEST_GAP


def test_every_proposal_lies_in_its_ranges_with_pairs_in_order(make_study):
    """Whatever Optuna proposes, corners included, each value keeps its own range and each pair its order."""
    study = make_study()
    space = build_space(study)
    rng = np.random.default_rng(3)
    for values in [*corners(space), *(draw(space, rng) for _ in range(2000))]:
        found = space.parameters(values, name="drawn").values()
        for name, limits in study.search.space.items():
            assert limits.low <= found[name] <= limits.high, (name, found[name])
        for low, high in ORDERED_PAIRS:
            assert found[low] < found[high], (low, found[low], found[high])


def test_what_is_not_searched_stays_at_the_current_set(make_study):
    """A study over one name changes that name only."""
    study = make_study(space={"aave_cap": Range(low=0.0, high=0.6)})
    space = build_space(study)
    found = space.parameters({"aave_cap": 0.4}, name="one").values()
    assert {name for name, value in found.items() if value != study.current.values()[name]} == {"aave_cap"}


@pytest.mark.parametrize(
    ("name", "limits"), [("pool_share_low", Range(low=0.40, high=0.70)), ("pool_share_high", Range(low=0.30, high=0.75))]
)
def test_one_end_of_a_pair_alone_stays_on_its_side_of_the_other(make_study, name, limits):
    """With one end searched, its range stops short of the other end's fixed value."""
    space = build_space(make_study(space={name: limits}))
    for value in np.linspace(space.distributions[name].low, space.distributions[name].high, 50):
        found = space.parameters({name: float(value)}, name="one")
        assert found.pool_share_low < found.pool_share_high


def test_values_give_a_proposal_back(make_study):
    """A proposed set, written as Optuna's values and read again, is the same set."""
    space = build_space(make_study())
    rng = np.random.default_rng(4)
    for _ in range(500):
        proposed = space.parameters(draw(space, rng), name="drawn")
        again = space.parameters(space.values(proposed), name="drawn")
        assert again.values() == pytest.approx(proposed.values(), abs=1e-9)


def test_values_of_a_set_outside_move_to_the_nearest_edge(make_study):
    """A current set beyond the space is recorded at the space's edge, as Optuna refuses anything else."""
    space = build_space(make_study(aave_cap=0.95, amplification=90))
    values = space.values(space.base)
    assert (values["aave_cap"], values["amplification"]) == (0.6, 150)
    assert all(distribution._contains(values[name]) for name, distribution in space.distributions.items())


@pytest.mark.parametrize(
    "ranges",
    [
        {"pool_share_low": Range(low=0.4, high=0.75), "pool_share_high": Range(low=0.41, high=0.7)},
        {"pool_share_low": Range(low=0.565, high=0.9)},
        {"pool_share_high": Range(low=0.5, high=0.505)},
        {"unwind_price": Range(low=0.99, high=0.999)},
        {"unwind_price": Range(low=0.95, high=1.0), "reentry_price": Range(low=0.9, high=0.9505)},
    ],
)
def test_ranges_that_overlap_or_hardly_leave_room(make_study, ranges):
    """Whatever ranges a study may hold, proposals keep them and the order of pairs; a narrow one is no error."""
    space = build_space(make_study(space=ranges))
    rng = np.random.default_rng(8)
    for values in [*corners(space), *(draw(space, rng) for _ in range(500))]:
        found = space.parameters(values, name="drawn").values()
        assert all(limits.low <= found[name] <= limits.high for name, limits in ranges.items())
        assert all(found[low] < found[high] for low, high in ORDERED_PAIRS)
