"""The parts of peg risk add up to it, in every resample too; and none is told from too few paths."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from amo_opt.scoring.influence import influence
from amo_opt.scoring.intervals import resample_counts
from amo_opt.scoring.losses import cvar_resampled, worst_first
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.parts import METRIC, _influences, risk_parts
from amo_opt.scoring.replicates import masses
from amo_opt.scoring.sample import sample
from amo_opt.scoring.score import score
from amo_opt.scoring.sums import tail_parts

EDGE, PUSH = 1000.0, 4.0
RARE = float(ndtr(-PUSH))
"""Chance that a standard normal driver is below -4: one in 32,000."""


@pytest.fixture
def weighted(make_outcome):
    """Builds an outcome of rows (scenario, component, path weight, loss), every other figure drawn."""

    def build(weights, rows):
        made = make_outcome({"x": 1.0}, paths=len(rows))
        names, components, own, losses = zip(*rows, strict=True)
        frame = made.paths.assign(scenario=pd.Series(names, dtype="str"), component=components, weight=own, peg_loss_bps=losses)
        return type(made)(parameters=made.parameters, paths=frame, weights=weights)

    return build


@pytest.fixture
def driven(weighted):
    """Builds 400 drawn paths of calm and 400 twins with the driver at -4, and 400 drawn ones of a crisis: a path loses 1 to 3, or beyond the driver's -4 5,000."""

    def build(seed=3, n=400):
        rng = np.random.default_rng(seed)
        driver = np.concatenate([rng.normal(size=n), rng.normal(-PUSH, size=n)])
        ratio = np.exp(-PUSH * driver - 0.5 * PUSH**2)
        calm = zip(
            ["calm"] * 2 * n,
            [0] * n + [1] * n,
            1.0 / (n + n * ratio),
            np.where(driver < -PUSH, 5000.0, rng.uniform(1, 3, 2 * n)),
            strict=True,
        )
        crisis = zip(["crisis"] * n, [0] * n, [1.0] * n, rng.uniform(2, 8, n), strict=True)
        return weighted({"calm": 0.9, "crisis": 0.1}, [*calm, *crisis])

    return build


def test_a_tail_by_hand(make_study, weighted):
    """The worst 5% are calm's twin (0.9% of all weight, loses 100) and 4.1 of the 5% that lose 50: 18 bp of 59 and 41 bp of 59, and everyday paths add nothing."""
    weights = {"calm": 0.9, "crisis": 0.1}
    rows = [("calm", 0, 50.0, 1.0), ("calm", 0, 49.0, 2.0), ("calm", 1, 1.0, 100.0), ("crisis", 0, 1.0, 10.0), ("crisis", 0, 1.0, 50.0)]
    outcome, study = weighted(weights, rows), make_study(weights, bootstrap=20)
    parts = risk_parts(outcome, study, {"calm": 20.0, "crisis": None})
    assert [(each.scenario, each.kind) for each in parts] == [("calm", "everyday"), ("calm", "events"), ("crisis", "all")]
    assert [each.contribution.value for each in parts] == pytest.approx([0.0, 18.0, 41.0], rel=1e-12)
    assert [each.share.value for each in parts] == pytest.approx([0.0, 18 / 59, 41 / 59], rel=1e-12)
    assert [(each.contribution.drawn, each.contribution.twins) for each in parts] == [(0, 0), (0, 1), (1, 0)]
    assert parts[1].chance.value == pytest.approx(0.01, rel=1e-12)
    assert [each.chance is None for each in parts] == [True, False, True]
    assert not any(each.known for each in parts)


@pytest.mark.parametrize("edges", [{}, {"calm": EDGE}, {"calm": EDGE, "crisis": 5.0}])
def test_the_parts_are_the_whole(make_study, driven, edges):
    """They sum to the published peg risk and their shares to 1, whatever is split: to rounding."""
    outcome, study = driven(), make_study({"calm": 0.9, "crisis": 0.1})
    parts = risk_parts(outcome, study, edges)
    assert len(parts) == 2 + len(edges)
    assert math.fsum(each.contribution.value for each in parts) == pytest.approx(score(outcome, study).peg_risk_bps.value, rel=1e-12)
    assert math.fsum(each.share.value for each in parts) == pytest.approx(1.0, rel=1e-12)


def test_one_part_has_the_whole_s_interval(make_study, driven):
    """A scenario by itself, not split, is the peg risk: the same resamples, influences and ends."""
    made = driven()
    outcome = type(made)(parameters=made.parameters, paths=made.paths[made.paths["scenario"] == "calm"], weights={"calm": 1.0})
    study = make_study({"calm": 1.0})
    (part,) = risk_parts(outcome, study, {})
    whole = score(outcome, study).peg_risk_bps
    assert (part.contribution.low, part.contribution.high) == pytest.approx((whole.low, whole.high), rel=1e-12)
    assert part.share.interval == (1.0, 1.0)


def test_resamples_and_influences_add_up_too(make_study, driven):
    """Part by part they sum to the CVaR's own, resample by resample and path by path."""
    paths = sample(driven(), make_study({"calm": 0.9, "crisis": 0.1}))
    losses = MEASURES[METRIC].values(paths)
    part_of = np.where(losses >= EDGE, 2, np.arange(losses.size) % 2)
    order = worst_first(losses)
    alike = np.concatenate([np.full(block.n, block.weight / block.n) for block in paths.blocks])
    (counts,) = resample_counts(paths.strata, seed=7, resamples=200)
    counts = masses(paths, counts)
    parts = tail_parts(losses, alike, counts, order, part_of=part_of, parts=3, share=0.05 * alike.sum())
    assert parts.sum(axis=0) == pytest.approx(cvar_resampled(losses, alike, counts, level=0.95), rel=1e-11)
    boundary = int(order[np.searchsorted(np.cumsum(paths.weights[order]), 0.05)])
    influences = _influences(losses, paths, np.stack([part_of == k for k in range(3)]), boundary=boundary, level=0.95)
    expected = influence(MEASURES[METRIC], losses, paths)
    assert influences.sum(axis=0) == pytest.approx(expected, abs=1e-12 * np.abs(expected).max())


def test_events_have_their_chance_and_their_part(make_study, driven):
    """A chance of 3.2e-5 that 400 drawn paths hardly ever see, and 0.9 · 3.2e-5 · 5,000 / 0.05 = 2.85 bp of peg risk: in the intervals of 85% of 60 samples or more
    (95% is promised, and 85% is three of its standard errors away), which on average reach
    a quarter of it either way.
    """
    study, truth = make_study({"calm": 0.9, "crisis": 0.1}), 0.9 * RARE * 5000.0 / 0.05
    held, width = 0, 0.0
    for seed in range(60):
        events = risk_parts(driven(seed), study, {"calm": EDGE})[1]
        assert events.contribution.drawn <= 1
        width += (events.contribution.high - events.contribution.low) / 2 / 60
        held += events.contribution.low <= truth <= events.contribution.high and events.chance.low <= RARE <= events.chance.high
    assert held >= 51
    assert width < 0.25 * truth
    assert (events.chance.n, events.chance.drawn) == (800, 400)


def test_thin_parts_are_withheld(make_study, weighted):
    """29 twins are too few; and so are events of fewer than 5 paths, and a part without any, whatever the scenario has."""
    study = make_study({"calm": 1.0})
    rows = [("calm", 0, 1.0, 1.0 + 0.001 * k) for k in range(400)]
    for twins, deep, known in ((29, 29, False), (30, 30, True), (30, 4, False), (30, 0, False)):
        outcome = weighted({"calm": 1.0}, rows + [("calm", 1, 0.01, 5000.0 if k < deep else 1.5) for k in range(twins)])
        events = risk_parts(outcome, study, {"calm": EDGE})[1]
        assert events.known is known
        assert (events.share.interval is not None) is known
        assert (events.chance.interval is not None) is (twins >= 30)


def test_nothing_lost_is_shared_by_nobody(make_study, weighted):
    """Where no path loses anything every part is 0 of 0."""
    outcome = weighted({"calm": 1.0}, [("calm", 0, 1.0, 0.0)] * 100)
    parts = risk_parts(outcome, make_study({"calm": 1.0}), {"calm": EDGE})
    assert [(each.contribution.value, each.share.value) for each in parts] == [(0.0, 0.0)] * 2
