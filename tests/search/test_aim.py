"""The pilot finds what drives rare events, by what it does to the figures and by nothing it knows of a protocol; and says so where nothing does."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amo_opt.config.load import load_study
from amo_opt.errors import SimulationError
from amo_opt.search import aim as room
from amo_opt.search.aim import LEAST_DRAWN, WORTH, Aim, _end, _influences, _joined, _Seen, _shares, aim
from amo_opt.simulation.engine import simulate
from amo_opt.stress.tilts import Tilt

FLEEING = Path(__file__).parents[1] / "config" / "data" / "schema-2" / "frax-2022.toml"


def only(study, *names, hours=None, **settings):
    """Some scenarios of the study with settings of their own, on shorter paths where ``hours`` says so."""
    chosen = tuple(replace(each, settings={**each.settings, **settings}) for each in study.scenarios if each.name in names)
    simulation = study.simulation if hours is None else replace(study.simulation, transition_hours=hours[0], window_hours=hours[1])
    return replace(study, scenarios=chosen, simulation=simulation)


@pytest.fixture(scope="module")
def lossy(frax):
    """A calm in which the share token hardly moves and the collateral coin fails in one path of 730."""
    return only(frax, "calm", hours=(24, 240), share_daily_vol=0.02, coin_loss_yearly=0.05, coin_loss_severity=0.3)


def test_the_share_token_is_found_where_it_decides():
    """Of FRAX whose providers flee, in calm and under contagion a falling share token alone decides the peg: one component each, half of the paths, drifted by 0.06 to 0.1 an hour until it
    stands at 5 to 27% of its start; the events it reaches have a chance of 4e-5 and 1.4e-3, to a factor of four; and the variance left is under a tenth.
    """
    # providers who flee by the pool's share are what a falling token needs to decide it: FRAX's as they were taken to be before they were fitted
    study = load_study(FLEEING)
    found = aim([study.current], only(study, "calm", "ust-contagion-2022"))
    for name, chance in (("calm", 3.8e-5), ("ust-contagion-2022", 1.4e-3)):
        each = found[name]
        assert each.drivers == ("share",)
        ((tilt,),) = each.components
        assert -0.1 < tilt.amount < -0.06
        assert -3.0 < tilt.level < -1.3
        assert LEAST_DRAWN - 1e-9 <= each.shares[0] < 0.6
        assert chance / 4 < each.chance < 4 * chance
        assert each.left < 0.1


def test_another_driver_is_found_as_well(lossy):
    """Against the dollar the coin's loss decides: the uniform it waits by is drawn towards its lower end, and its chance is 1 − 0.95^(10/365) = 0.14%. The mean's
    variance with 400 such paths is under a twentieth of what that many paths as drawn have, by the closed form of a rare loss.
    """
    found = aim([lossy.current], lossy, column="peg_loss_dollar_bps")["calm"]
    assert found.drivers == ("coin-loss",)
    ((tilt,),) = found.components
    assert tilt.amount < 0.0
    chance = 1.0 - 0.95 ** (10 / 365)
    assert chance / 3 < found.chance < 3 * chance
    outcome = simulate(lossy.current, lossy, designs={"calm": found.design(400)}, stream="holdout")
    weights = outcome.path_weight / outcome.path_weight.sum()
    lost = (outcome.columns["peg_loss_dollar_bps"] > 100.0).astype(float)
    share = weights @ lost
    error = math.sqrt(np.square(weights) @ np.square(lost - share))
    assert abs(share - chance) < 4.0 * error
    assert error**2 < chance / 400 / 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_driver_of_one_figure_is_found_beside_an_everyday_one(lossy, seed):
    """The limit on collateral is broken on a good part of the paths whatever the coin does, and the coin's loss alone decides the peg: half of the
    paths would double the variance of the one, a twentieth take nearly all from the other, and a twentieth at least it gets.
    """
    limits = replace(lossy.constraints, min_external_cr=0.8435)
    study = replace(lossy, constraints=limits, search=replace(lossy.search, seed=seed))
    breach = simulate(study.current, study, paths=64, stream="pilot").columns["min_cr_external"] < 0.8435
    assert 0.1 < breach.mean() < 0.9
    found = aim([study.current], study, column="peg_loss_dollar_bps")["calm"]
    assert found.drivers == ("coin-loss",)
    assert 0.05 - 1e-9 <= found.shares[1] < 0.3


def test_no_driver_is_a_value(lossy):
    """Against the collateral the same losses move nothing where neither a limit nor unwinding asks for cover: the scenario stays as it is, and all paths are drawn ones."""
    blind = replace(lossy, constraints=replace(lossy.constraints, min_external_cr=0.0), current=lossy.current.replace(unwind_cr_margin=1.0))
    found = aim([blind.current], blind)["calm"]
    assert found == Aim("calm", (), (1.0,), 1.0, None)
    assert found.drivers == ()
    design = found.design(100)
    assert (design.plain, design.drawn) == (True, 100)


def test_the_same_whatever_the_workers(lossy):
    """One thread or two; another seed is another pilot."""
    one, two = (aim([lossy.current], lossy, column="peg_loss_dollar_bps", workers=workers) for workers in (1, 2))
    assert one == two
    other = replace(lossy, search=replace(lossy.search, seed=lossy.search.seed + 1))
    assert aim([lossy.current], other, column="peg_loss_dollar_bps") != one


def test_a_difference_is_a_figure_too(lossy):
    """A second set that does what the first does adds differences that are 0 on every path: they count for nothing."""
    twice = aim([lossy.current, lossy.current.replace(name="again")], lossy, column="peg_loss_dollar_bps")
    once = aim([lossy.current], lossy, column="peg_loss_dollar_bps")
    assert twice["calm"].components == once["calm"].components
    assert twice["calm"].shares == pytest.approx(once["calm"].shares, rel=1e-6)


def test_a_set_that_fails_is_no_aim(lossy, monkeypatch):
    monkeypatch.setattr(room, "simulate_many", lambda *_, **__: [SimulationError("path 3~t1")])
    with pytest.raises(SimulationError, match="3~t1"):
        aim([lossy.current], lossy)


def test_shares_are_the_least_of_the_simplex():
    """Against a grid of two components on made-up paths: nothing on it leaves less, and drawn paths keep their floor."""
    rng = np.random.default_rng(5)
    z = rng.standard_normal((400, 2))
    ratios = np.exp(2.0 * z - 2.0)
    weights = np.full(400, 1 / 400)
    influences = _influences(np.stack([z[:, 0] > 2.0, z.sum(axis=1) > 2.5]).astype(float), weights)
    seen = _Seen(weights, np.log(ratios), influences, np.zeros(400, dtype=np.int64))
    shares = _shares(seen, ratios)
    grid = [np.array([1.0 - a - b, a, b]) for a in np.arange(0, 0.541, 0.02) for b in np.arange(0, 0.541 - a, 0.02)]
    assert seen.left(shares, ratios) <= min(seen.left(each, ratios) for each in grid) + 1e-6
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] >= LEAST_DRAWN - 1e-12


def test_a_component_that_gains_nothing_gets_nothing():
    """Ratios that go with no influence: the scenario stays as it is."""
    rng = np.random.default_rng(6)
    weights = np.full(300, 1 / 300)
    ratios = np.exp(1.5 * rng.standard_normal((300, 1)) - 1.125)
    seen = _Seen(weights, np.log(ratios), _influences(rng.standard_normal((1, 300)), weights), np.zeros(300, dtype=np.int64))
    kept, shares, left = _joined(seen, ratios)
    assert left > WORTH or not kept
    assert shares[0] >= LEAST_DRAWN - 1e-12


def test_a_figure_that_never_moves_is_left_out():
    """A breach that no pilot path has divides by nothing; a figure that moves has variance 1."""
    weights = np.array([0.5, 0.3, 0.2])
    found = _influences(np.array([[0.0, 0.0, 0.0], [7.0, 7.0, 7.0], [1.0, 2.0, 4.0]]), weights)
    assert found.shape == (1, 3)
    assert weights @ np.square(found[0]) == pytest.approx(1.0)
    assert weights @ found[0] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("divergence", [0.1, 1.0, 5.0, 10.0])
def test_equally_improbable(divergence):
    """A uniform pushed as far as a normal: a − 1 + e^−a is the divergence asked for."""
    amount = _end(divergence)
    assert amount - 1.0 + math.exp(-amount) == pytest.approx(divergence, rel=1e-9)


def test_a_design_has_its_paths():
    """Shares are rounded towards drawn paths, of which there is one at least."""
    found = Aim("calm", ((Tilt("share", -1.0),), (Tilt("flow", 1.0),)), (0.46, 0.44, 0.1), 0.1, 1e-3)
    assert found.design(100).counts == (46, 44, 10)
    assert found.design(1).counts == (1, 0, 0)
    assert found.drivers == ("share", "flow")
