"""A planted study: a set that truly earns more at the same risk is recommended and robust, and a figure that is read from the chain raises the share."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import pytest

from amo_opt.config.assumptions import assumptions
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import figures_by_name
from amo_opt.report.sections.decision import blockers_of
from amo_opt.scoring.score import point_score
from amo_opt.search import certification
from amo_opt.search.certification import certify
from amo_opt.search.progress import silent
from amo_opt.search.result import Trial
from amo_opt.simulation.engine import simulate

RATE, OTHER = "markets.lending_slope_1", "markets.lending_slope_2"


@pytest.fixture(scope="module")
def study(frax):
    """Four days of two scenarios, in which the set in force lends nothing: only the lending rate and one more figure are assumed."""
    state = frax.state
    for name, low, high in ((RATE, 0.03, 0.06), (OTHER, 0.4, 1.0)):  # as if nobody had read the curve
        state = with_figure(state, name, replace(attrgetter(name)(state), source=None, assumed="a test's", low=low, high=high))
    for name in figures_by_name():
        figure = attrgetter(name)(state)
        if figure.assumed is not None and name not in (RATE, OTHER):
            state = with_figure(state, name, replace(figure, low=None, high=None))
    still = {"spell_flow_scale": 0.0, "spell_lp_scale": 0.0}  # a fit is in doubt too
    return replace(
        frax,
        state=state,
        spells=None,
        current=frax.current.replace(name="idle", aave_cap=0.0),
        scenarios=tuple(replace(each, ranges={}, settings={**each.settings, **still}) for each in frax.scenarios[:2]),
        simulation=replace(frax.simulation, transition_hours=24, window_hours=96, paths=16),
        constraints=replace(frax.constraints, max_breach_probability=0.2, max_unrecovered_probability=0.2),
        certification=replace(frax.certification, bootstrap=100, draws=32, most_paths=160),
    )


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch):
    """What has no part in the verdict is not asked."""
    for name in ("told_run_capacities", "change_costs", "episode_fits"):
        monkeypatch.setattr(certification, name, lambda *arguments, **options: ())


def certified(study, frax):
    """The certification of the set that lends a fifth of the collateral at the state's own rate."""
    sets = [study.current, frax.current.replace(name="lends")]
    trials = [
        Trial(number=k, origin="sampler" if k else "current", parameters=each, score=point_score(simulate(each, study), study))
        for k, each in enumerate(sets)
    ]
    return certify(study, trials, aims=certification.aimed(study, 1, silent), workers=1, watch=silent, sampler="tpe", hypervolume=())


def test_a_robust_recommendation_is_reached(study, frax):
    """At any rate from 3 to 6% lending earns more than a vote is worth: recommended, in every draw, and nothing of the assumptions stands in the way."""
    result = certified(study, frax)
    assert [each.name for each in assumptions(study)] == [RATE, OTHER]
    assert (result.verdict, result.recommended.aave_cap) == ("recommended", frax.current.aave_cap)
    assert result.doubt.robust
    assert (result.doubt.share.value, result.doubt.more_draws) == (1.0, 0)
    assert "ASSUMPTION-SENSITIVE" not in {each.chip.word for each in blockers_of(result)}


def test_a_figure_read_from_the_chain_raises_the_share(study, frax):
    """Where the rate may be next to nothing, half of the gain that a vote shall bring is not there in a quarter of the draws; once it is read, it is in all."""
    rule = replace(study.certification, least_gain=1.8)
    rate = attrgetter(RATE)(study.state)
    unread = replace(study, certification=rule, state=with_figure(study.state, RATE, replace(rate, low=0.001)))
    read = replace(
        study,
        certification=rule,
        state=with_figure(study.state, RATE, replace(rate, assumed=None, low=None, high=None, source="the market")),
    )
    one, other = (certified(each, frax) for each in (unread, read))
    assert (one.verdict, other.verdict) == ("recommended", "recommended")
    assert 0.65 < one.doubt.share.value < 0.85
    assert not one.doubt.robust
    assert one.doubt.drivers[0].name == RATE
    assert "ASSUMPTION-SENSITIVE" in {each.chip.word for each in blockers_of(one)}
    assert other.doubt.share.value == 1.0
    assert other.doubt.robust
