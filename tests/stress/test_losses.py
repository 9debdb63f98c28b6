from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import MARKET_INDEX, MARKET_INPUTS
from amo_opt.protocol.market import LANES
from amo_opt.protocol.state import ProtocolState
from amo_opt.stress import load_scenario
from amo_opt.stress.draws import draw_block
from amo_opt.stress.losses import NEVER, _waits, draw_losses
from amo_opt.stress.scenario import Scenario
from amo_opt.stress.settings import VENUES
from amo_opt.stress.streams import Streams

TRANSITION, WINDOW, YEAR = 336, 1440, 8760
INPUTS = {"aave": "aave.loss", "investor": "investor.loss", "fraxlend": "fraxlend.loss", "curve": "curve.loss"}
MANY = range(20_000)


def scenario(name: str = "calm", **own: float) -> Scenario:
    return load_scenario(name, settings=own)


def steps(drawn: Scenario, paths: range = MANY, onset: np.ndarray | None = None) -> Mapping[str, np.ndarray]:
    onset = np.full(len(paths), TRANSITION + 100) if onset is None else onset
    return draw_losses(drawn.settings, Streams(1, "search", drawn.name), paths=paths, onset=onset, transition_hours=TRANSITION)


def block(state: ProtocolState, drawn: Scenario, *, first: int = 0) -> dict[str, np.ndarray]:
    market = draw_block(
        drawn, seed=1, stream="search", first_path=first, paths=LANES, state=state, transition_hours=TRANSITION, window_hours=WINDOW
    )
    return {key: market[:, index * LANES : (index + 1) * LANES] for key, index in MARKET_INDEX.items()}


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("probability", [0.01, 0.5, 0.9])
def test_a_loss_is_as_frequent_as_its_probability(venue: str, probability: float) -> None:
    """The share of paths on which a venue loses within a year is its yearly probability, within half a year 1 − √(1 − p), and within the
    first hour next to nothing: a constant rate from the start of the scored window, four standard errors either way."""
    drawn = steps(scenario(**{f"{venue}_loss_yearly": probability}))
    assert set(drawn) == {venue}
    waited = drawn[venue] - TRANSITION
    for hours in (YEAR, YEAR // 2, 1440, 1):
        expected = -np.expm1(np.log1p(-probability) * hours / YEAR)
        error = 4.0 * np.sqrt(expected * (1.0 - expected) / len(MANY))
        assert (waited < hours).mean() == pytest.approx(expected, abs=error)


@given(st.floats(0.0, 1.0, exclude_min=True), st.lists(st.floats(0.0, 1.0, exclude_max=True), min_size=1))
@settings(deadline=None)
def test_no_loss_before_the_window(probability: float, uniforms: list[float]) -> None:
    """Whatever the probability and the draw, the wait is a number of hours from 0 on, far from where integers end; it is no longer at a
    higher probability, and none at a probability of 1."""
    u = np.array(uniforms)
    waits = _waits(probability, u)
    assert (waits >= 0).all()
    assert (waits <= NEVER).all()
    assert (_waits(min(1.0, 2.0 * probability), u) <= waits).all()
    assert not _waits(1.0, u).any()


def test_venues_lose_by_themselves() -> None:
    """Each venue has its own stream: a second one switched on leaves the first one's hours, and the two do not go together."""
    alone = steps(scenario(aave_loss_yearly=0.5))
    both = steps(scenario(aave_loss_yearly=0.5, curve_loss_yearly=0.5))
    np.testing.assert_array_equal(alone["aave"], both["aave"])
    within = [both[venue] - TRANSITION < YEAR for venue in ("aave", "curve")]
    assert abs(np.corrcoef(within)[0, 1]) < 4.0 / np.sqrt(len(MANY))


def test_a_certain_loss_hits_one_venue_at_onset() -> None:
    """On each path exactly one venue loses, at the path's onset, as often as its probability's share of their sum."""
    onset = TRANSITION + np.arange(len(MANY)) % 400
    venue_loss = scenario("venue-loss")
    drawn = np.array(list(steps(venue_loss, onset=onset).values()))
    hit = drawn < NEVER
    assert (hit.sum(axis=0) == 1).all()
    np.testing.assert_array_equal(drawn.min(axis=0), onset)
    yearly = np.array([venue_loss.settings[f"{venue}_loss_yearly"] for venue in steps(venue_loss, range(1))])
    shares = yearly / yearly.sum()
    np.testing.assert_array_less(np.abs(hit.mean(axis=1) - shares), 4.0 * np.sqrt(shares * (1.0 - shares) / len(MANY)))


def test_a_venue_without_probability_is_never_hit() -> None:
    """A certain loss falls on those that can lose alone, the first and the last venue among those that cannot."""
    drawn = steps(scenario("venue-loss", aave_loss_yearly=0.0, coin_loss_yearly=0.0))
    assert set(drawn) == {"investor", "fraxlend", "curve"}
    only = steps(scenario("venue-loss", **{f"{venue}_loss_yearly": 0.0 for venue in VENUES if venue != "curve"}))
    assert set(only) == {"curve"}
    assert (only["curve"] == TRANSITION + 100).all()


def test_calm_loses_nothing(state: ProtocolState) -> None:
    """No entry but venue-loss draws a loss."""
    market = block(state, scenario())
    assert not any(market[name].any() for name in INPUTS.values())


@pytest.mark.parametrize("venue", INPUTS)
def test_a_loss_is_one_hour_of_its_severity(state: ProtocolState, venue: str) -> None:
    """At a probability of 1 the venue loses its severity in the window's first hour and nothing later; `size` does not scale it; every
    other input stays bit for bit."""
    plain = block(state, scenario("svb-2023", size=2.0))
    market = block(state, scenario("svb-2023", size=2.0, **{f"{venue}_loss_yearly": 1.0, f"{venue}_loss_severity": 0.4}))
    hours, lanes = np.nonzero(market[INPUTS[venue]])
    assert (hours == TRANSITION).all()
    assert sorted(lanes) == list(range(LANES))
    assert (market[INPUTS[venue]][TRANSITION] == 0.4).all()
    for key in set(MARKET_INPUTS) - {INPUTS[venue]}:
        np.testing.assert_array_equal(market[key], plain[key])


@pytest.mark.parametrize("entry", ["calm", "svb-2023"])
def test_a_coin_s_loss_is_for_good(state: ProtocolState, entry: str) -> None:
    """The collateral coin's price is multiplied by what is left from the hour of the loss to the end, stress or none; the base pool of three
    coins fills with it and is worth little more, that of USDC alone is worth the same."""
    plain = block(state, scenario(entry))
    market = block(state, scenario(entry, coin_loss_yearly=0.999, coin_loss_severity=0.05))
    left = market["collateral_price"] / plain["collateral_price"]
    since = steps(scenario(entry, coin_loss_yearly=0.999), range(LANES))["coin"]
    struck = np.arange(TRANSITION + WINDOW)[:, None] >= since
    np.testing.assert_allclose(left, np.where(struck, 0.95, 1.0), rtol=1e-13)
    assert 10 < struck[-1].sum() < LANES
    base = market["base_value"] / plain["base_value"]
    assert (base[struck] < 0.97).all()
    assert (base[struck] >= 0.95 - 1e-12).all()
    assert (base[~struck] == 1.0).all()
    for key in set(MARKET_INPUTS) - {"collateral_price", "base_value"}:
        np.testing.assert_array_equal(market[key], plain[key])


def test_venue_loss_is_calm_but_for_its_one_loss(state: ProtocolState) -> None:
    """Each path of the entry holds one loss, in a column of its own or in USDC's price, between days 3 and 20, with the entry's severity; up
    to that hour, and in all else, it is what the same streams draw without losses."""
    entry = scenario("venue-loss")
    settings = entry.settings
    market = block(state, entry)
    none = {"losses_certain": 0.0} | {f"{venue}_loss_yearly": 0.0 for venue in VENUES}
    calm = block(state, replace(entry, settings={**settings, **none}))
    struck = np.zeros(LANES, dtype=int)
    for venue, name in INPUTS.items():
        assert set(np.unique(market[name])) == {0.0, settings[f"{venue}_loss_severity"]}
        struck += np.count_nonzero(market[name], axis=0)
        assert not market[name][: TRANSITION + 72].any()
        assert not market[name][TRANSITION + 20 * 24 :].any()
    coin = market["collateral_price"][-1] < 0.96
    assert (struck + coin == 1).all()
    assert coin.any()
    np.testing.assert_array_equal(market["collateral_price"][:, ~coin], calm["collateral_price"][:, ~coin])
    np.testing.assert_array_equal(market["base_value"][: TRANSITION + 72], calm["base_value"][: TRANSITION + 72])
    for key in set(MARKET_INPUTS) - {"collateral_price", "base_value", *INPUTS.values()}:
        np.testing.assert_array_equal(market[key], calm[key])


def test_an_onset_past_the_end_loses_nothing(state: ProtocolState) -> None:
    """A certain loss whose hour lies beyond the window leaves the path calm."""
    market = block(state, scenario("venue-loss", onset_day_low=100.0, onset_day_high=120.0))
    assert not any(market[name].any() for name in INPUTS.values())
    assert market["collateral_price"].min() > 0.99


def test_an_amo_that_no_entry_names_shifts_no_loss(state: ProtocolState, request: pytest.FixtureRequest) -> None:
    """Its chance is 0, so certain losses fall where they fell; with a chance it takes its share of them, and by itself it has a stream of its own."""
    onset = TRANSITION + np.arange(len(MANY)) % 400
    before = steps(scenario("venue-loss"), onset=onset)
    by_year = steps(scenario(aave_loss_yearly=0.5))
    request.getfixturevalue("vault")
    after = steps(scenario("venue-loss"), onset=onset)
    assert list(after) == list(before)
    for venue, hours in before.items():
        np.testing.assert_array_equal(after[venue], hours)
    hit = steps(scenario("venue-loss", vault_loss_yearly=0.0325), onset=onset)
    assert list(hit) == [*(venue for venue in before if venue != "coin"), "vault", "coin"]
    assert (hit["vault"] < NEVER).mean() == pytest.approx(0.5, abs=4.0 * np.sqrt(0.25 / len(MANY)))
    both = steps(scenario(aave_loss_yearly=0.5, vault_loss_yearly=0.5))
    np.testing.assert_array_equal(both["aave"], by_year["aave"])
