"""Taking idle changes back: what earns stays, what does nothing goes, what feasibility needs stays."""

from __future__ import annotations

from amo_opt.errors import SimulationError
from amo_opt.scoring.types import PointScore
from amo_opt.search.prune import prune


def test_only_changes_that_earn_are_left(make_study):
    """A set that lends more (yield), moves its band (nothing) and its pool share (peg): the band alone is taken back."""
    study = make_study()

    def evaluate(sets):
        return [
            PointScore(yield_annual=0.05 * each.aave_cap, peg_risk_bps=100.0 * abs(each.pool_share_high - 0.6), constraints={"x": -1.0})
            for each in sets
        ]

    changed = study.current.replace(aave_cap=study.current.aave_cap + 0.1, cr_band=0.009, pool_share_high=0.6)
    [(name, left, score)] = prune([("trial-3", changed, evaluate([changed])[0])], study.current, study.certification, evaluate)
    assert name == left.name == "trial-3-pruned"
    assert left.values() == {**changed.values(), "cr_band": study.current.cr_band}
    assert score == evaluate([left])[0]


def test_a_change_that_feasibility_needs_stays(make_study):
    """Taking a change back must not break a constraint nor fail; a set with nothing to take back keeps its id."""
    study = make_study()
    own = study.current.idle_buffer

    def evaluate(sets):
        return [
            SimulationError("cannot")
            if each.cr_band == study.current.cr_band
            else PointScore(yield_annual=0.01, peg_risk_bps=1.0, constraints={"buffer": 0.01 if each.idle_buffer == own else -0.1})
            for each in sets
        ]

    needed = study.current.replace(idle_buffer=own + 0.1, cr_band=0.009)
    [(name, left, _)] = prune([("trial-4", needed, evaluate([needed])[0])], study.current, study.certification, evaluate)
    assert (name, left.values()) == ("trial-4", needed.values())
