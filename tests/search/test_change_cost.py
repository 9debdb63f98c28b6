"""The transition's cost by its parts: what a closed pool leaves, what tokens held are worth, and paths of the transition alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amo_opt.search.certifier import Certifier
from amo_opt.search.change_cost import change_costs
from amo_opt.search.progress import silent
from amo_opt.search.result import Candidate
from amo_opt.simulation.engine import trace


@pytest.fixture(scope="module")
def study(frax):
    simulation = replace(frax.simulation, paths=7, transition_hours=72, window_hours=240)
    return replace(frax, simulation=simulation, certification=replace(frax.certification, bootstrap=200))


def sets(study, *parameters):
    return [
        Candidate(id=each.name, role="candidate", parameters=each, search=None, selection_score=None)
        for each in (study.current, *parameters)
    ]


def test_figures_are_those_of_the_full_paths(study):
    """Prices of the transition are the first hours of holdout paths, whatever window follows."""
    moved = study.current.replace(name="moved", aave_cap=0.5, curve_collateral_cap=0.4, amplification=600)
    found = change_costs(Certifier(study, 1, silent), sets(study, moved))
    assert [(each.candidate, each.hours) for each in found] == [(study.current.name, 72), ("moved", 72)]
    for each, parameters in zip(found, (study.current, moved), strict=True):
        series = trace(parameters, study, scenario="calm", paths=64, stream="holdout", columns=("price", "reference"))
        price, reference = series["price"][:72], series["reference"][:72]
        assert each.figures["min_price"].value == pytest.approx(price.min(axis=0).mean(), rel=1e-12)
        shortfall = np.maximum(reference - price, 0.0).max(axis=0)
        assert each.figures["peg_shortfall_bps"].value == pytest.approx(1e4 * shortfall.mean(), rel=1e-9, abs=1e-9)
        for figure in each.figures.values():
            assert figure.low <= figure.value <= figure.high
            assert figure.n == 64


def test_moving_positions_costs_and_standing_still_costs_less(study):
    """A larger move pays more fees and gas; the lowest price of a tenth of the A is lower."""
    far = study.current.replace(name="far", aave_cap=0.6, curve_collateral_cap=0.2)
    flat = study.current.replace(name="flat", amplification=150)
    current, moved, bent = change_costs(Certifier(study, 1, silent), sets(study, far, flat))
    assert moved.figures["operations_cost"].low > current.figures["operations_cost"].high
    assert bent.figures["min_price"].value < current.figures["min_price"].value, "on the same paths"


def test_no_transition_has_no_cost(study):
    """Nothing to tell, rather than figures of no hours."""
    at_once = replace(study, simulation=replace(study.simulation, transition_hours=0))
    assert change_costs(Certifier(at_once, 1, silent), sets(at_once)) == ()
