"""How noises can be tilted, and what a design's paths weigh."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.errors import AmoOptError
from amo_opt.stress import draws, load_scenario, scenario_names
from amo_opt.stress.catalogue import SETTINGS
from amo_opt.stress.draws import BORROWERS, noises_of
from amo_opt.stress.settings import VENUES
from amo_opt.stress.tilts import NOISES, Design, Tilt, named_path, path_name

EVERY_LOSS = {f"{venue}_loss_yearly": 0.5 for venue in VENUES}
EVERY_DEMAND = {f"{name}_demand_sd": 0.1 for name in BORROWERS}


def test_every_noise_that_a_scenario_draws_has_a_kind_and_every_kind_is_drawn(state, of_two_pools) -> None:
    """The table holds what the catalogue's scenarios ask for, with every loss, all borrowers' demand and every asset's price switched on, and nothing that none of them draws; an asset
    that is not there has no noise. A further pool has two of its own.
    """
    asked = set()
    moving = {f"{each.name}_price_sd": 0.01 for each in MECHANISMS if each.price is not None}
    without = noises_of(
        load_scenario("calm", settings=moving), replace(state, absent=frozenset(f"amos.{each.name}" for each in MECHANISMS))
    )
    assert not any(name.endswith("-price") for name in without)
    assert "opposite" not in without
    state = replace(of_two_pools, absent=frozenset())
    for name in scenario_names():
        scenario = load_scenario(name)
        asked |= set(noises_of(scenario, state))
        everything = EVERY_LOSS | EVERY_DEMAND | moving | {"losses_certain": 0.0}
        asked |= set(noises_of(load_scenario(name, settings=everything), state))
    assert asked == {*NOISES, "coin-other", "volume-other"}


def test_a_noise_without_a_kind_cannot_be_drawn(state, monkeypatch) -> None:
    """A stream that the table does not know is refused where twins are drawn, rather than left out of their ratios."""
    # a table of its own: the other tests' pilots ask for pushes in the order of the real one
    monkeypatch.setattr(draws, "NOISES", {name: noise for name, noise in NOISES.items() if name != "share"})
    with pytest.raises(KeyError, match="share"):
        noises_of(load_scenario("calm"), state)


def test_every_scale_is_a_setting() -> None:
    """What scales a noise is a setting of the catalogue: a daily volatility, or a deviation and a time constant."""
    for noise in NOISES.values():
        names = {"uniform": (), "walk": (noise.setting,)}.get(noise.kind, (f"{noise.setting}_sd", f"{noise.setting}_hours"))
        assert all(name in SETTINGS for name in names)


@pytest.mark.parametrize(
    ("noise", "amount", "level", "told"),
    [
        ("shares", -0.08, None, "no noise is called 'shares'; did you mean 'share'"),
        ("zzz", 1.0, None, "no noise is called 'zzz'; known: usdc, "),
        ("share", 0.0, None, "amount 0.0; allowed: -5 to 5, not 0"),
        ("share", float("nan"), None, "amount nan"),
        ("share", -0.08, 2.6, "give it the same sign"),
        ("share", -0.08, float("inf"), "level inf"),
        ("size", 2.0, 1.0, "has no level to reach"),
        ("size", 31.0, None, "amount 31.0; allowed: -30 to 30"),
    ],
)
def test_what_is_no_tilt_is_refused(noise, amount, level, told) -> None:
    with pytest.raises(AmoOptError) as error:
        Tilt(noise, amount, level)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("drawn", "components", "twins", "told"),
    [
        (0, (), (), "at least 1"),
        (1, ((Tilt("share", -1.0),),), (), "one number of at least 0 for each"),
        (1, ((Tilt("share", -1.0),),), (-1,), "one number of at least 0 for each"),
        (1, ((Tilt("share", -1.0), Tilt("share", 1.0)),), (1,), "each noise once"),
        (1, ((),), (1,), "the drawn paths again"),
    ],
)
def test_what_is_no_design_is_refused(drawn, components, twins, told) -> None:
    with pytest.raises(AmoOptError, match=told):
        Design(drawn=drawn, components=components, twins=twins)


def test_balance_weights() -> None:
    """1 / (n_0 + Σ n_k q_k/p), never above 1/n_0; a component without twins adds nothing; a ratio past all numbers leaves a positive weight."""
    design = Design(drawn=4, components=((Tilt("share", -1.0),), (Tilt("flow", 1.0),), (Tilt("gas", 1.0),)), twins=(2, 3, 0))
    ratios = np.log([[1.0, 1.0, 9.0], [1e-9, 2.0, 9.0], [5.0, 1e-9, 9.0]])
    assert design.weights(ratios) == pytest.approx([1 / 9, 1 / (4 + 2e-9 + 6), 1 / (4 + 10 + 3e-9)], rel=1e-12)
    assert 0.0 < design.weights(np.full((1, 3), 1e9))[0] <= 0.25
    assert design.weights(np.full((1, 3), -np.inf))[0] == 0.25
    assert (design.counts, design.paths) == ((4, 2, 3, 0), 9)
    assert (Design(drawn=7).weights(np.zeros((7, 0))) == 1.0).all()


def test_designs_travel() -> None:
    """A design is data: equal, hashable, and the same after a pickle."""
    design = Design(drawn=4, components=((Tilt("share", -0.08, -2.6),),), twins=(2,))
    there = pickle.loads(pickle.dumps(design))  # noqa: S301 - our own bytes
    assert there == design
    assert hash(there) == hash(design)


def test_paths_are_named_and_found_by_their_names() -> None:
    assert [named_path(path_name(*key)) for key in ((17, 0), (17, 3), (0, 12))] == [(17, 0), (17, 3), (0, 12)]
    for name in ("17~t0", "17~", "~t3", "-1", "17~3", "17~t3 ", "1.5", "٣", ""):
        with pytest.raises(ValueError, match="such as 17~t3"):
            named_path(name)


def test_a_tilt_is_written_as_it_is_read() -> None:
    """To the last bit, with and without a level."""
    assert [str(Tilt("share", -0.1 - 0.2, -2.6)), str(Tilt("size", 2.0))] == ["share:-0.30000000000000004:-2.6", "size:2.0"]
