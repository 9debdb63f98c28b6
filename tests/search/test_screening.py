"""A clearly infeasible set stops on few paths; whoever passes is scored as ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt import load_study
from amo_opt.search.optimise import evaluate
from amo_opt.search.result import Trial
from amo_opt.search.screening import hopeless
from amo_opt.search.trials import freeze, thaw
from amo_opt.simulation.mixed import draw_mixed, simulate_mixed

STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"


@pytest.fixture(scope="module")
def study():
    return load_study(STUDY, overrides={"simulation.paths": 3, "simulation.transition_hours": 24, "simulation.window_hours": 240})


def screening(study, **search):
    return replace(study, search=replace(study.search, screen_paths=2, **search))


def test_only_the_hopeless_stop_early(study):
    """More than all collateral is refused on few paths, with every constraint; the current set's score is the full one; a GP screens nothing."""
    greedy = study.current.replace(name="greedy", curve_collateral_cap=0.9, aave_cap=0.6)
    plain = evaluate([greedy, study.current], study, workers=1)
    early = evaluate([greedy, study.current], screening(study), workers=2)
    assert early[0].screened
    assert not early[0].feasible
    assert early[0].constraints.keys() == plain[0].constraints.keys()
    assert early[1] == plain[1]
    assert evaluate([greedy], screening(study, sampler="gp"), workers=1) == plain[:1]


def test_a_limit_within_the_interval_is_no_reason(study):
    """Two paths of two under water do not prove a chance above a half; above a hundredth they do."""
    few = simulate_mixed(study.current, study, draw_mixed(study, paths=2, stream="search"))

    def limits(**changes):
        return replace(study, constraints=replace(study.constraints, min_external_cr=9.0, **changes))

    assert hopeless(few, limits(max_breach_probability=0.01))
    assert not hopeless(few, limits(max_breach_probability=0.5))


def test_the_mark_is_kept(study):
    """The storage gives it back, and an unmarked trial has none."""
    greedy = study.current.replace(name="greedy", curve_collateral_cap=0.9, aave_cap=0.6)
    for score in evaluate([greedy, study.current], screening(study), workers=1):
        trial = Trial(number=0, origin="sampler", parameters=greedy, score=score)
        frozen = freeze(trial, params={}, distributions={}, system_attrs={})
        assert thaw(frozen) == trial
        assert frozen.user_attrs.get("screened", False) == score.screened
