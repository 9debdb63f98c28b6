"""Twins: their noises follow the tilted distribution, and the likelihood ratio takes the tilt back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr

from amo_opt.amos.layout import MARKET_INPUTS
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.stress import load_scenario
from amo_opt.stress.draws import _check, draw_inputs, noises_of
from amo_opt.stress.noise import stationary
from amo_opt.stress.settings import VENUES
from amo_opt.stress.streams import Streams
from amo_opt.stress.tilts import NOISES, Design, Tilt
from amo_opt.stress.twins import TwinStreams

STEPS, OPENING = 60, 12
SHARE = (Tilt("share", -0.3, -0.1),)
PAIR = (Tilt("share", -0.2), Tilt("size", 2.0))
COMPONENTS = (SHARE, PAIR, (Tilt("flow", 0.4, 1.5),), (Tilt("onset", -1.5),), (Tilt("reward", 0.3, 0.05), Tilt("gas", -0.3)))
SCENARIO = "ust-contagion-2022"


def twin_streams(components, component, scenario=None, opening=OPENING) -> TwinStreams:
    return TwinStreams(1, "search", scenario or load_scenario(SCENARIO), components=components, component=component, opening=opening)


def all_noises(streams: TwinStreams, paths: range) -> dict[str, np.ndarray]:
    return {name: draw_noise(streams, paths, name) for name in NOISES}


def draw_noise(streams: TwinStreams, paths: range, name: str) -> np.ndarray:
    return streams.uniforms(paths, name) if NOISES[name].kind == "uniform" else streams.normals(paths, name, steps=STEPS)


def drawn(state, component, *, components=COMPONENTS, first=0, paths=8, name=SCENARIO):
    """The inputs of some twins by name, and their log ratios."""
    streams = twin_streams(components, component, load_scenario(name), opening=24)
    rows = draw_inputs(
        load_scenario(name),
        seed=1,
        stream="search",
        paths=range(first, first + paths),
        state=state,
        transition_hours=24,
        window_hours=60,
        streams=streams,
    )
    return {key: np.broadcast_to(values, (paths, 84)) for key, values in rows.items()}, streams.log_ratios(paths)


def one_of(noise: str) -> list[Tilt]:
    """Both directions, with and without a level, as the noise's kind allows."""
    if NOISES[noise].kind == "uniform":
        return [Tilt(noise, 1.2), Tilt(noise, -1.2)]
    level = 0.03 if NOISES[noise].kind == "walk" else 1.0
    return [Tilt(noise, 0.12), Tilt(noise, -0.12), Tilt(noise, 0.12, level), Tilt(noise, -0.12, -level)]


@pytest.mark.parametrize("noise", ["share", "flow", "usdc", "onset", "coin-loss"])
def test_ratios_average_to_one_under_the_scenario(noise: str) -> None:
    """E_p[q/p] = 1 on 4,000 drawn paths, within four of its own standard errors, for every kind, direction and stopping rule."""
    paths = range(4000)
    tilts = one_of(noise)
    streams = twin_streams(tuple((tilt,) for tilt in tilts), 0)
    draw_noise(streams, paths, noise)
    for ratio in np.exp(streams.log_ratios(4000)).T:
        assert ratio.std() > 0.1
        assert abs(ratio.mean() - 1.0) < 4.0 * ratio.std() / math.sqrt(4000)


@pytest.mark.parametrize("noise", ["share", "volume", "flow", "size"])
def test_inverse_ratios_average_to_one_under_the_tilt(noise: str) -> None:
    """E_q[p/q] = 1 on 4,000 twins: what is drawn follows the density that the ratio states."""
    paths = range(4000)
    tilts = one_of(noise)
    for k, _ in enumerate(tilts):
        streams = twin_streams(tuple((tilt,) for tilt in tilts), k + 1)
        draw_noise(streams, paths, noise)
        inverse = np.exp(-streams.log_ratios(4000)[:, k])
        assert abs(inverse.mean() - 1.0) < 4.0 * inverse.std() / math.sqrt(4000)


def test_a_probability_in_closed_form() -> None:
    """P(the mean of 48 normals < −0.6) = Φ(−0.6·√48) = 1.6e-5, from 500 drawn and 500 drifted paths: within 4 standard errors that are under an eighth of it.
    Drawn paths alone would see such an hour in one sample of a hundred.
    """
    design = Design(drawn=500, components=((Tilt("volume", -0.6),),), twins=(500,))
    value, ratios = [], []
    for component in (0, 1):
        streams = twin_streams(design.components, component)
        z = streams.normals(range(500), "volume", steps=STEPS)
        value.append(z[:, OPENING:].mean(axis=1) < -0.6)
        ratios.append(streams.log_ratios(500))
    weights = design.weights(np.concatenate(ratios))
    terms = np.concatenate(value) * weights * 1000
    truth = float(ndtr(-0.6 * math.sqrt(STEPS - OPENING)))
    error = terms.std() / math.sqrt(1000)
    assert error < truth / 8
    assert abs(terms.mean() - truth) < 4.0 * error
    assert weights.max() <= 1 / 500


def test_the_balance_estimate_is_the_mean() -> None:
    """E_p[x] of a drawn uniform (½, ⅓ for its square) and of a walk's exp (1), from a mixture of three components: Σ w x, within 4 standard errors."""
    design = Design(drawn=1500, components=((Tilt("size", 1.0), Tilt("share", -0.1, -0.05)), (Tilt("size", -1.0),)), twins=(1000, 500))
    found, ratios = [], []
    scenario = load_scenario(SCENARIO)
    sd = scenario.settings["share_daily_vol"] / math.sqrt(24.0)
    for component, count in enumerate(design.counts):
        streams = twin_streams(design.components, component)
        u = streams.uniforms(range(count), "size")
        z = streams.normals(range(count), "share", steps=STEPS)
        found.append(np.stack([np.ones(count), u, u**2, np.exp((sd * z - sd * sd / 2).sum(axis=1))]))
        ratios.append(streams.log_ratios(count))
    terms = np.concatenate(found, axis=1) * design.weights(np.concatenate(ratios)) * design.paths
    errors = terms.std(axis=1) / math.sqrt(design.paths)
    assert (np.abs(terms.mean(axis=1) - [1.0, 0.5, 1 / 3, 1.0]) < 4.0 * errors).all()


def test_a_twin_shares_all_else_with_its_path() -> None:
    """Only the tilted noises move; they come from `<noise>-tilt-<component>`."""
    paths = range(3)
    plain = all_noises(twin_streams(COMPONENTS, 0), paths)
    for k, component in enumerate(COMPONENTS, start=1):
        twin = all_noises(twin_streams(COMPONENTS, k), paths)
        tilted = {tilt.noise for tilt in component}
        for name in NOISES:
            assert np.array_equal(plain[name], twin[name]) == (name not in tilted)
    assert np.array_equal(
        all_noises(twin_streams(((Tilt("gas", 0.1),),), 1), paths)["gas"][:, :OPENING],
        Streams(1, "search", SCENARIO).normals(paths, "gas-tilt-1", steps=STEPS)[:, :OPENING],
    )


def test_a_walk_is_pushed_until_its_level_and_no_longer() -> None:
    """Hour by hour, in a loop: −μ is added up to the hour whose log price is at the level, from the first hour on; a slow twin gives the log ratio too."""
    scenario = load_scenario(SCENARIO)
    sd = scenario.settings["share_daily_vol"] / math.sqrt(24.0)
    raw = Streams(1, "search", SCENARIO).normals(range(30), "share-tilt-1", steps=STEPS)
    streams = twin_streams((SHARE,), 1)
    z = streams.normals(range(30), "share", steps=STEPS)
    stopped = 0
    for row, ratio in enumerate(streams.log_ratios(30)[:, 0]):
        level, log, on = 0.0, 0.0, True
        for hour in range(STEPS):
            assert z[row, hour] == raw[row, hour] + (-0.3 if on else 0.0)
            if on:
                log += -0.3 * z[row, hour] - 0.045
            level += sd * z[row, hour] - sd * sd / 2
            on = on and level > -0.1
        stopped += not on
        assert ratio == pytest.approx(log, abs=1e-11)
    assert 5 < stopped < 30


def test_a_stationary_noise_is_pushed_in_the_window_until_its_own_level() -> None:
    """Nothing moves before the window opens; then up to the hour at which the noise is 1.0 of its deviations away; the flow's too, which starts at 0."""
    for noise in ("gas", "flow"):
        scenario = load_scenario(SCENARIO)
        hours = scenario.settings[f"{NOISES[noise].setting}_hours"]
        raw = Streams(1, "search", SCENARIO).normals(range(30), f"{noise}-tilt-1", steps=STEPS)
        z = twin_streams(((Tilt(noise, 0.5, 0.8),),), 1).normals(range(30), noise, steps=STEPS)
        level = stationary(z.copy(), hours, sd=1.0)
        if noise == "flow":  # it starts at nothing instead of a stationary draw
            phi = math.exp(-1.0 / hours)
            level -= (1.0 - math.sqrt(1.0 - phi * phi)) * z[:, :1] * phi ** np.arange(STEPS)
        for row in range(30):
            reached = np.flatnonzero(level[row, OPENING:] >= 0.8)
            end = OPENING + reached[0] + 1 if reached.size else STEPS
            pushed = z[row] != raw[row]
            assert np.array_equal(np.flatnonzero(pushed), np.arange(OPENING, end))


def test_the_ends_of_a_uniform_stay_in_its_range() -> None:
    """The steepest tilts still give numbers in [0, 1), near the end they name, and finite ratios."""
    for amount, near in ((30.0, 1.0), (-30.0, 0.0), (6.0, 1.0), (-6.0, 0.0)):
        streams = twin_streams(((Tilt("size", amount),),), 1)
        u = streams.uniforms(range(2000), "size")
        assert ((u >= 0.0) & (u < 1.0)).all()
        assert np.abs(u - near).mean() < 0.01
        assert np.isfinite(streams.log_ratios(2000)).all()


@pytest.mark.parametrize("component", range(len(COMPONENTS) + 1))
def test_a_twin_is_the_same_in_any_block(state, component: int) -> None:
    """Market and ratios of path 5's twin have the same bytes among eight, alone, and at another place of its block."""
    market, ratios = drawn(state, component)
    for first, paths, lane in ((5, 1, 0), (3, 4, 2)):
        other, other_ratios = drawn(state, component, first=first, paths=paths)
        assert all(market[name][5].tobytes() == other[name][lane].tobytes() for name in MARKET_INPUTS)
        assert ratios[5].tobytes() == other_ratios[lane].tobytes()


def test_a_twin_hangs_on_its_own_component_alone(state) -> None:
    """Other components of the design change neither its market nor its ratio: component 3 alone is still component 3."""
    market, ratios = drawn(state, 3)
    alone, ratio = drawn(state, 3, components=((), (), COMPONENTS[2]))
    assert all(market[name].tobytes() == alone[name].tobytes() for name in MARKET_INPUTS)
    assert ratios[:, 2].tobytes() == ratio[:, 2].tobytes()


def test_component_0_is_the_path_as_it_is(state) -> None:
    """Drawn paths of a design have the bytes of plain ones; twins differ in the tilted inputs only."""
    plain = draw_inputs(load_scenario(SCENARIO), seed=1, stream="search", paths=range(8), state=state, transition_hours=24, window_hours=60)
    for component, moved in ((0, set()), (1, {"share_return"}), (3, {"flow"})):
        rows, _ = drawn(state, component)
        assert {name for name in MARKET_INPUTS if not np.array_equal(rows[name], np.broadcast_to(plain[name], (8, 84)))} == moved


def test_a_tilt_of_what_is_not_drawn_is_refused(state) -> None:
    """Calm has no onset; the message says what it draws."""
    with pytest.raises(AmoOptError, match="scenario calm draws no noise 'onset'; it draws dai, flow") as error:
        drawn(state, 1, components=((Tilt("onset", 1.0),),), name="calm")
    assert "share" in str(error.value)


def test_a_fault_names_the_twin() -> None:
    """A market that cannot be: scenario, twin and what was drawn."""
    with pytest.raises(SimulationError, match=r"scenario calm, path 3~t2, step 0: gate drawn as 2\.0"):
        _check(load_scenario("calm"), {"gate": np.array([[1.0], [2.0]])}, first_path=2, component=2)


def test_noises_of_a_scenario(state) -> None:
    """Calm draws nothing once a path; a certain loss draws its venue; a stress its onset, size and speed."""
    assert not any(NOISES[name].kind == "uniform" for name in noises_of(load_scenario("calm"), state))
    assert {"onset", "size", "speed", "exit"} <= set(noises_of(load_scenario(SCENARIO), state))
    settings = {f"{venue}_loss_yearly": 0.1 for venue in VENUES} | {"losses_certain": 1.0}
    assert "loss-venue" in noises_of(load_scenario("calm", settings=settings), state)
