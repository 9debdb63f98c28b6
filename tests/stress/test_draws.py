import csv
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from amo_opt.errors import SimulationError
from amo_opt.protocol.market import LANES, MARKET_INDEX, MARKET_INPUTS
from amo_opt.protocol.state import ProtocolState
from amo_opt.stress import load_scenario, scenario_names
from amo_opt.stress.draws import NO_LIMIT, draw_block

TRANSITION, WINDOW = 336, 1440
EXACT = {"size_spread": 0.0, "speed_spread": 0.0, "coin_noise_sd": 0.0, "onset_day_low": 3.0, "onset_day_high": 3.0}
ONSET = TRANSITION + 72


def draw(
    state: ProtocolState,
    name: str,
    *,
    paths: int = 4,
    first: int = 0,
    window: int = WINDOW,
    stream: str = "search",
    seed: int = 1,
    **settings: float,
) -> dict[str, np.ndarray]:
    scenario = load_scenario(name, settings=settings)
    market = draw_block(
        scenario, seed=seed, stream=stream, first_path=first, paths=paths, state=state, transition_hours=TRANSITION, window_hours=window
    )
    return {key: market[:, index * LANES : (index + 1) * LANES] for key, index in MARKET_INDEX.items()}


@pytest.mark.parametrize("name", scenario_names())
def test_a_path_is_the_same_in_any_block(state: ProtocolState, name: str) -> None:
    """Path 5 has the same bytes alone, among eight, or at another place; a second call gives the same bytes; a shorter window its start."""
    among, alone, shifted = (draw(state, name, paths=n, first=first) for n, first in ((8, 0), (1, 5), (4, 3)))
    shorter = draw(state, name, paths=8, window=600)
    again = draw(state, name, paths=8)
    for key in MARKET_INPUTS:
        np.testing.assert_array_equal(among[key][:, 5], alone[key][:, 0])
        np.testing.assert_array_equal(among[key][:, 5], shifted[key][:, 2])
        np.testing.assert_array_equal(among[key], again[key])
        np.testing.assert_array_equal(among[key][: TRANSITION + 600], shorter[key])


def test_layout(state: ProtocolState) -> None:
    """The block is contiguous, read-only, as wide as its lanes, and further lanes repeat the last path."""
    scenario = load_scenario("calm")
    market = draw_block(scenario, seed=1, stream="search", first_path=0, paths=3, state=state, transition_hours=10, window_hours=20)
    assert market.shape == (30, len(MARKET_INPUTS) * LANES)
    assert market.flags.c_contiguous
    assert not market.flags.writeable
    lanes = market.reshape(30, len(MARKET_INPUTS), LANES)
    assert (lanes[:, :, 3:] == lanes[:, :, 2:3]).all()
    assert not (lanes[:, :, 1] == lanes[:, :, 2]).all()


def test_streams_seeds_and_scenarios_differ(state: ProtocolState) -> None:
    """Certification sees other paths than the search, as do another seed and another scenario."""
    base = draw(state, "calm")["flow"]
    others = [
        draw(state, "calm", stream="certify-a"),
        draw(state, "calm", stream="certify-b"),
        draw(state, "calm", seed=2),
        draw(state, "svb-2023"),
    ]
    for other in others:
        assert abs(np.corrcoef(base[:, 0], other["flow"][:, 0])[0, 1]) < 0.1


def test_settings_shift_no_draw(state: ProtocolState) -> None:
    """A larger depeg leaves every other input as it was: draws are keyed, not consumed in turn."""
    one, other = draw(state, "svb-2023"), draw(state, "svb-2023", size=0.5)
    for key in ("lending_deposits", "reward_usd", "swap_volume", "flow", "gas_usd", "gate"):
        np.testing.assert_array_equal(one[key], other[key])


@pytest.mark.parametrize("name", scenario_names())
def test_transition_is_calm(state: ProtocolState, name: str) -> None:
    """No stress begins before day 3 of the scored window."""
    market = draw(state, name, paths=16)
    before = slice(0, ONSET)
    assert np.abs(market["collateral_price"][before] - 1.0).max() < 0.004
    assert not market["news_exit"][before].any()
    assert not market["lp_exit"][before].any()
    assert (market["gate"][before] == 1.0).all()
    assert (market["lending_free_cap"][before] == NO_LIMIT).all()


def test_calm_statistics(state: ProtocolState) -> None:
    """Calm matches its calibration: coin noise of a few basis points, a share token of 8% a day, utilisation between 0.6 and 0.75,
    cumulative demand of 6% of external supply, 40m of volume a day, gas between 40 and 400 dollars."""
    market = draw(state, "calm", paths=LANES)
    assert market["collateral_price"].std() == pytest.approx(4e-4, rel=0.1)
    assert market["base_value"].mean() == pytest.approx(1.0, abs=2e-4)
    assert np.log(market["share_return"]).std() * np.sqrt(24) == pytest.approx(0.08, rel=0.02)
    rate = 0.04 * 0.68 / 0.9
    utilisation = market["lending_demand"] / (1 + 2 * rate) / (market["lending_deposits"] + 0.25e9)
    assert np.quantile(utilisation, [0.05, 0.95]) == pytest.approx([0.63, 0.73], abs=0.02)
    total = np.cumsum(market["flow"], axis=0)
    assert total[600:].std() == pytest.approx(0.06, rel=0.15)
    assert 24 * market["swap_volume"].mean() == pytest.approx(40e6, rel=0.05)
    assert market["reward_usd"][0].mean() == pytest.approx(500_000 * 1.3 / 168, rel=0.02)
    low, high = np.quantile(market["gas_usd"], [0.05, 0.95])
    assert 40 < low < 120 < high < 400


def test_svb_facts(state: ProtocolState) -> None:
    """USDC falls from 0.994 to 0.881 in 7 hours, has half of it back 10 hours later, dips to 0.947 24 hours after the low and is at
    0.99 within 60 hours of the low; redemptions are gated for 56 hours; the share token loses 9%; nobody leaves on news."""
    market = draw(state, "svb-2023", **EXACT, share_daily_vol=0.0)
    price = market["collateral_price"][ONSET:, 0]
    trough = int(price.argmin())
    assert price[trough] == pytest.approx(0.881)
    assert trough - int(np.flatnonzero(price < 0.9938)[0]) == 7
    back = np.flatnonzero(price[trough:] >= 1.0 - 0.119 / 2)[0]
    assert back == 10
    dip = trough + 24
    assert price[dip] == pytest.approx(0.947)
    assert price[dip] == price[trough + 15 : trough + 40].min()
    assert price[trough + 10 : dip].max() > 0.97
    assert (price[60:] >= 0.989).all()
    assert (price[64:] >= 0.99).all()
    np.testing.assert_array_equal(market["base_value"], market["collateral_price"])
    assert (market["gate"][ONSET : ONSET + 56] == 0.0).all()
    assert (market["gate"][ONSET + 56 :] == 1.0).all()
    assert np.cumprod(market["share_return"][:, 0]).min() == pytest.approx(7.63 / 8.39)
    assert not market["news_exit"].any()
    assert not market["lp_exit"].any()


def test_ust_contagion_facts(state: ProtocolState) -> None:
    """USDT's low takes V(p) to 0.97, the share token ends 53% down after seven days, holders leave in proportions 22.7 : 9.5 : 6.0,
    outside liquidity 0, 25 and 14% a day."""
    own = {"exit_total_low": 0.0, "exit_total_high": 0.0}
    market = draw(state, "ust-contagion-2022", **EXACT, **own, share_daily_vol=0.0)
    assert market["base_value"][:, 0].min() == pytest.approx(0.9707, abs=1e-3)
    assert int(market["base_value"][:, 0].argmin()) == ONSET + 31
    assert market["collateral_price"].min() == 1.0
    level = np.cumprod(market["share_return"][:, 0])
    assert level[ONSET + 96] == pytest.approx(8.66 / 17.86)
    assert level[-1] == pytest.approx(8.40 / 17.86)
    for input_name, shares in (("news_exit", (0.227, 0.095, 0.06)), ("lp_exit", (0.0, 0.25, 0.14))):
        for day, share in enumerate(shares):
            hours = slice(ONSET + 24 * day, ONSET + 24 * (day + 1))
            assert 1.0 - np.prod(1.0 - market[input_name][hours, 0]) == pytest.approx(share)


def test_exit_total_is_drawn_and_reached(state: ProtocolState) -> None:
    """Each path's exits compound to its draw, between 0.25 and 0.60bn of 1.33bn, whatever its speed; size scales the hazard."""
    market = draw(state, "ust-contagion-2022", paths=LANES)
    total = 1.0 - np.prod(1.0 - market["news_exit"], axis=0)
    assert total.min() >= 0.19 - 1e-9
    assert total.max() <= 0.45 + 1e-9
    assert total.std() > 0.05
    double = draw(state, "ust-contagion-2022", paths=LANES, size=2.0)
    np.testing.assert_allclose(np.prod(1.0 - double["news_exit"], axis=0), (1.0 - total) ** 2)


def test_lending_freeze_facts(state: ProtocolState) -> None:
    """For 4 to 5 days 3m an hour is free, and at the state's deposit the market stands at a utilisation of 0.9987; loans do not move."""
    market = draw(state, "lending-freeze-svb", paths=LANES)
    frozen = market["lending_free_cap"] == 3e6
    hours = frozen.sum(axis=0)
    assert hours.min() >= 96
    assert hours.max() <= 120
    rate = 0.04 + 0.6 * (0.9987 - 0.9) / 0.1
    loans = market["lending_demand"] / (1.0 + 2.0 * rate)
    utilisation = loans / (market["lending_deposits"] + 0.25e9)
    np.testing.assert_allclose(utilisation[frozen], 0.9987)
    assert (market["lending_free_cap"][~frozen] == NO_LIMIT).all()


def test_collateral_impairment_facts(state: ProtocolState) -> None:
    """USDC ends 3% down for good, the base pool fills with it and is worth little more, redemptions stay open, a few percent leave."""
    market = draw(state, "collateral-impairment", **EXACT)
    assert market["collateral_price"][-1, 0] == pytest.approx(0.97)
    assert 0.97 < market["base_value"][-1, 0] < 0.978
    assert (market["gate"] == 1.0).all()
    total = 1.0 - np.prod(1.0 - market["news_exit"], axis=0)
    assert 0.02 <= total.min() <= total.max() <= 0.06


def test_sizes_vary_around_the_waypoints(state: ProtocolState) -> None:
    """Across paths the low of svb-2023 varies by its spread and its median is the history's; noise goes on during the stress."""
    price = draw(state, "svb-2023", paths=LANES)["collateral_price"]
    lows = price.min(axis=0)
    assert np.median(lows) == pytest.approx(0.881, abs=0.012)
    assert lows.max() - lows.min() > 0.04
    quiet = draw(state, "svb-2023", paths=LANES, coin_noise_sd=0.0)["collateral_price"]
    assert ((price / quiet)[ONSET:] - 1.0).std() == pytest.approx(4e-4, rel=0.1)


def test_a_value_out_of_its_domain_fails_loudly(state: ProtocolState, monkeypatch: pytest.MonkeyPatch) -> None:
    """A base value that did not converge is named with scenario, path, step and input, and never reaches the kernel."""
    monkeypatch.setattr("amo_opt.stress.draws.base_value", lambda prices, amplification: np.full(prices.shape[1:], np.nan))
    with pytest.raises(SimulationError, match="scenario calm, path 7, step 0: base_value"):
        draw(state, "calm", paths=1, first=7)


def test_a_new_scenario_is_data_alone(state: ProtocolState) -> None:
    """A whale's dump is waypoints on calm's settings: liquidity pulled and 0.14 of supply sold in an hour, from series that exist."""
    calm = load_scenario("calm", settings={"flow_sd": 0.0})
    dump = replace(calm, name="dump", waypoints={"demand": ((0.0, -3.36), (1.0, 0.0)), "lp_exit": ((0.0, 0.999), (1.0, 0.0))})
    dump = replace(dump, settings=dict(calm.settings) | {"onset_day_low": 3.0, "onset_day_high": 3.0})
    market = draw_block(dump, seed=1, stream="search", first_path=0, paths=1, state=state, transition_hours=TRANSITION, window_hours=100)
    flow = market[:, MARKET_INDEX["flow"] * LANES]
    assert np.flatnonzero(flow).tolist() == [ONSET]
    assert flow[ONSET] == pytest.approx(-0.14)
    assert market[ONSET, MARKET_INDEX["lp_exit"] * LANES] == pytest.approx(1.0 - 0.001 ** (1 / 24))


@pytest.mark.parametrize("paths", [0, LANES + 1])
def test_a_block_holds_its_lanes(state: ProtocolState, paths: int) -> None:
    """More paths than lanes, or none, are refused with the limit."""
    with pytest.raises(ValueError, match="1 to 64"):
        draw(state, "calm", paths=paths)


HISTORY = os.environ.get("AMO_OPT_HISTORY_DIR")


@pytest.mark.skipif(HISTORY is None, reason="set AMO_OPT_HISTORY_DIR to a folder with svb_2023_hourly_chainlink.csv")
def test_svb_follows_the_history(state: ProtocolState) -> None:
    """Without spread and noise the drawn USDC path follows Chainlink's hour marks within 2.5 cents and 0.6 on average over five days."""
    with (Path(HISTORY or "") / "svb_2023_hourly_chainlink.csv").open() as file:
        rows = {datetime.fromisoformat(row["timestamp"]): float(row["usdc"]) for row in csv.DictReader(file)}
    start = datetime(2023, 3, 10, 22, tzinfo=UTC)
    actual = np.array([price for when, price in sorted(rows.items()) if when >= start][:120])
    drawn = draw(state, "svb-2023", **EXACT)["collateral_price"][ONSET : ONSET + 120, 0]
    assert np.abs(drawn - actual).max() < 0.025
    assert np.abs(drawn - actual).mean() < 0.006
