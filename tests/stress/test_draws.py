import csv
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from amo_opt.amos.layout import MARKET_INDEX, MARKET_INPUTS
from amo_opt.errors import SimulationError
from amo_opt.protocol.market import LANES
from amo_opt.protocol.state import Figure, ProtocolState
from amo_opt.stress import load_scenario, scenario_names
from amo_opt.stress.draws import NO_LIMIT, _check, draw_block

TRANSITION, WINDOW = 336, 1440
EXACT = {"size_spread": 0.0, "speed_spread": 0.0, "coin_noise_sd": 0.0, "onset_day_low": 3.0, "onset_day_high": 3.0}
ONSET = TRANSITION + 72
LENDERS = {"lending": "aave", "investor": "investor", "fraxlend": "fraxlend"}


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


def lent(state: ProtocolState, market: str) -> float:
    return getattr(state.amos, LENDERS[market]).lent.value


def kink(state: ProtocolState, market: str) -> float:
    return getattr(state.markets, f"{market}_kink").value


def borrow_rate(state: ProtocolState, market: str, utilisation: float) -> float:
    """The two-slope rate of a market, by hand."""
    below, above = (getattr(state.markets, f"{market}_{name}").value for name in ("slope_1", "slope_2"))
    turn = kink(state, market)
    return below * min(utilisation / turn, 1.0) + above * max(utilisation - turn, 0.0) / (1.0 - turn)


def inelastic(state: ProtocolState) -> ProtocolState:
    """The state with borrowers who do not look at rates: what they want is what they take, so demand shows the drawn utilisation."""
    return replace(state, markets=replace(state.markets, lending_elasticity=Figure(value=0.0, assumed="test")))


def taken(state: ProtocolState, drawn: dict[str, np.ndarray], market: str) -> np.ndarray:
    """What borrowers take at the state's deposit, hour by hour: what they want at the mean rate they have seen. The slow twin."""
    deposits, demand = drawn[f"{LENDERS[market]}.deposits"] + lent(state, market), drawn[f"{LENDERS[market]}.demand"]
    elasticity, memory = state.markets.lending_elasticity.value, state.markets.lending_memory_hours.value

    def surplus(utilisation: float, lane: int) -> float:
        return demand[0, lane] / (1.0 + elasticity * borrow_rate(state, market, utilisation)) / deposits[0, lane] - utilisation

    out = np.empty_like(demand)
    for lane in range(demand.shape[1]):
        # before anything happens they take what makes the rate at which they take it
        mean_rate = borrow_rate(state, market, brentq(surplus, 0.0, 2.0, args=(lane,)))
        for step in range(len(demand)):
            out[step, lane] = demand[step, lane] / (1.0 + elasticity * mean_rate)
            rate = borrow_rate(state, market, out[step, lane] / deposits[step, lane])
            mean_rate += (1.0 - np.exp(-1.0 / memory)) * (rate - mean_rate)
    return out


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
        draw(state, "calm", stream="selection"),
        draw(state, "calm", stream="holdout"),
        draw(state, "calm", seed=2),
        draw(state, "svb-2023"),
    ]
    for other in others:
        assert abs(np.corrcoef(base[:, 0], other["flow"][:, 0])[0, 1]) < 0.1


def test_settings_shift_no_draw(state: ProtocolState) -> None:
    """A larger depeg leaves every other input as it was: draws are keyed, not consumed in turn."""
    one, other = draw(state, "svb-2023"), draw(state, "svb-2023", size=0.5)
    for key in set(MARKET_INPUTS) - {"collateral_price", "base_value", "share_return"}:
        np.testing.assert_array_equal(one[key], other[key])


@pytest.mark.parametrize("market", LENDERS)
def test_a_market_s_settings_reach_it_alone(state: ProtocolState, market: str) -> None:
    """Half the deposits of one lending market are half its deposits; nothing else moves, the other two markets included."""
    full = load_scenario("calm").settings[f"{market}_deposits"]
    one, other = draw(state, "calm"), draw(state, "calm", **{f"{market}_deposits": full / 2})
    np.testing.assert_allclose(2.0 * other[f"{LENDERS[market]}.deposits"], one[f"{LENDERS[market]}.deposits"], rtol=1e-15)
    for key in set(MARKET_INPUTS) - {f"{LENDERS[market]}.deposits", f"{LENDERS[market]}.demand"}:
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
    assert (market["aave.free_cap"][before] == NO_LIMIT).all()


def test_calm_statistics(state: ProtocolState) -> None:
    """Calm matches its calibration: coin noise of a few basis points, a share token of 8% a day, utilisation between 0.6 and 0.75,
    cumulative demand of 6% of external supply, 40m of volume a day, gas between 40 and 400 dollars."""
    market = draw(state, "calm", paths=LANES)
    assert market["collateral_price"].std() == pytest.approx(4e-4, rel=0.1)
    assert market["base_value"].mean() == pytest.approx(1.0, abs=2e-4)
    assert np.log(market["share_return"]).std() * np.sqrt(24) == pytest.approx(0.08, rel=0.02)
    borrowed = draw(inelastic(state), "calm", paths=LANES)
    for name, low, high in (("lending", 0.63, 0.73), ("investor", 0.634, 0.766), ("fraxlend", 0.618, 0.782)):
        utilisation = borrowed[f"{LENDERS[name]}.demand"] / (market[f"{LENDERS[name]}.deposits"] + lent(state, name))
        assert np.quantile(utilisation, [0.05, 0.95]) == pytest.approx([low, high], abs=0.02)
    total = np.cumsum(market["flow"], axis=0)
    assert total[600:].std() == pytest.approx(0.06, rel=0.15)
    assert 24 * market["swap_volume"].mean() == pytest.approx(40e6, rel=0.05)
    assert market["reward_price"][0].mean() == pytest.approx(1.3, rel=0.02)
    low, high = np.quantile(market["gas_usd"], [0.05, 0.95])
    assert 40 < low < 120 < high < 400


@pytest.mark.parametrize("market", LENDERS)
@pytest.mark.parametrize("utilisation", [0.0, 0.5, 0.7, 0.85, 0.95])
def test_a_still_market_rests_at_its_utilisation(state: ProtocolState, market: str, utilisation: float) -> None:
    """Where the AMO lends what it lends in the state, and borrowers' mean rate is the rate at the drawn utilisation, they take just
    that: below and above each market's own kink."""
    drawn = draw(state, "calm", **{f"{market}_utilisation": utilisation, f"{market}_utilisation_sd": 0.0})
    loans = drawn[f"{LENDERS[market]}.demand"] / (1.0 + state.markets.lending_elasticity.value * borrow_rate(state, market, utilisation))
    np.testing.assert_allclose(loans / (drawn[f"{LENDERS[market]}.deposits"] + lent(state, market)), utilisation, rtol=1e-13)


@pytest.mark.parametrize("market", LENDERS)
def test_borrowers_take_the_drawn_utilisation(state: ProtocolState, market: str) -> None:
    """With noise as well, on both sides of the kink, borrowers who answer to the mean of the rates they have paid take what was drawn."""
    noise = {f"{market}_utilisation": kink(state, market), f"{market}_utilisation_sd": 0.05}
    drawn = draw(state, "calm", paths=2, window=400, **noise)
    lanes = {key: values[:, :2] for key, values in drawn.items()}
    borrowed = draw(inelastic(state), "calm", paths=2, window=400, **noise)[f"{LENDERS[market]}.demand"][:, :2]
    np.testing.assert_allclose(taken(state, lanes, market), borrowed, rtol=1e-11)
    utilisation = borrowed / (lanes[f"{LENDERS[market]}.deposits"] + lent(state, market))
    assert utilisation.min() < kink(state, market) < utilisation.max()


def test_lending_markets_move_apart(state: ProtocolState) -> None:
    """Each market has noise of its own: neither deposits nor demand go together across markets."""
    drawn = draw(state, "calm", paths=LANES)
    for kind in ("deposits", "demand"):
        noise = np.log([drawn[f"{amo}.{kind}"][0] for amo in LENDERS.values()])
        assert np.abs(np.corrcoef(noise) - np.eye(3)).max() < 0.4  # three standard errors at 64 paths


def test_rewards_are_tokens_at_a_price(state: ProtocolState) -> None:
    """The budget is a constant number of tokens an hour and its price walks: their product is the dollar budget as it was drawn when it
    was one input (values of paths 0 and 7 at hours 0, 335 and 1,775, recorded then)."""
    market = draw(state, "calm", paths=8)
    assert (market["reward_tokens"] == 500_000 / 168).all()
    dollars = (market["reward_tokens"] * market["reward_price"])[[0, 335, 1775]][:, [0, 7]]
    recorded = [[3813.1121420354602, 3861.8830391478614], [4033.1886832252276, 2768.770579209736], [5030.224406029291, 4743.477077475994]]
    np.testing.assert_allclose(dollars, recorded, rtol=1e-12)
    returns = market["reward_price"][1:] / market["reward_price"][:-1]
    assert np.log(returns).std() * np.sqrt(24) == pytest.approx(0.06, rel=0.05)


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
    quiet = {"lending_deposits_sd": 0.0, "lending_utilisation_sd": 0.0}
    market = draw(state, "lending-freeze-svb", paths=LANES, **quiet)
    frozen = market["aave.free_cap"] == 3e6
    hours = frozen.sum(axis=0)
    assert hours.min() >= 96
    assert hours.max() <= 120
    assert (market["aave.free_cap"][~frozen] == NO_LIMIT).all()
    lanes = {key: values[:, :2] for key, values in market.items()}
    loans = taken(state, lanes, "lending")
    np.testing.assert_allclose(loans, 0.68 * (1.64e9 + lent(state, "lending")), rtol=1e-11)
    utilisation = loans / (lanes["aave.deposits"] + lent(state, "lending"))
    np.testing.assert_allclose(utilisation, np.where(frozen[:, :2], 0.9987, 0.68), rtol=1e-11)
    for other in ("investor", "fraxlend"):
        assert np.log(market[f"{LENDERS[other]}.deposits"]).std() < 0.2  # Aave alone freezes


def test_collateral_impairment_facts(state: ProtocolState) -> None:
    """USDC ends 3% down for good, the base pool fills with it and is worth little more, redemptions stay open, a few percent leave."""
    market = draw(state, "collateral-impairment", **EXACT)
    assert market["collateral_price"][-1, 0] == pytest.approx(0.97)
    assert 0.97 < market["base_value"][-1, 0] < 0.978
    assert (market["gate"] == 1.0).all()
    total = 1.0 - np.prod(1.0 - market["news_exit"], axis=0)
    assert 0.02 <= total.min() <= total.max() <= 0.06


def test_death_spiral_facts(state: ProtocolState) -> None:
    """The share token is at 0.0039 of 59.27 after 74 hours and stays at 0.0076; holders leave at 15.8 and 12.7% a day, outside liquidity at
    36 and 25%; the coins hold."""
    own = {"exit_total_low": 0.0, "exit_total_high": 0.0}
    market = draw(state, "death-spiral", **EXACT, **own, share_daily_vol=0.0)
    level = np.cumprod(market["share_return"][:, 0])
    assert level[ONSET + 48] == pytest.approx(0.6182 / 59.27)
    assert level[ONSET + 74] == pytest.approx(0.003925 / 59.27)
    assert level[-1] == pytest.approx(0.007588 / 59.27)
    for input_name, shares in (("news_exit", (0.158, 0.127, 0.0)), ("lp_exit", (0.36, 0.25, 0.0))):
        for day, share in enumerate(shares):
            hours = slice(ONSET + 24 * day, ONSET + 24 * (day + 1))
            assert 1.0 - np.prod(1.0 - market[input_name][hours, 0]) == pytest.approx(share)
    assert (market["collateral_price"] == 1.0).all()
    np.testing.assert_allclose(market["base_value"], 1.0, rtol=1e-12)
    assert (market["gate"] == 1.0).all()
    exits = 1.0 - np.prod(1.0 - draw(state, "death-spiral", paths=LANES)["news_exit"], axis=0)
    assert 0.21 <= exits.min() < exits.max() <= 0.33


def test_the_deepest_share_token_stays_in_its_domain(state: ProtocolState) -> None:
    """At ten times the size, the most there is, the share token's price is a positive number to the last hour."""
    market = draw(state, "death-spiral", paths=LANES, size=10.0)
    level = np.cumprod(market["share_return"], axis=0)
    assert 0.0 < level.min() < 1e-30
    assert (market["share_return"] > 0.0).all()


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


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *((f"{LENDERS[market]}.deposits", value) for market in LENDERS for value in (0.0, -1.0, np.inf)),
        *((f"{venue}.loss", value) for venue in ("aave", "investor", "fraxlend", "curve") for value in (-1e-9, 1.0 + 1e-9, np.nan)),
        ("reward_price", -1.0),
        ("reward_tokens", np.inf),
        ("fraxlend.demand", np.nan),
        ("flow", -np.inf),
    ],
)
def test_each_input_keeps_its_domain(name: str, wrong: float) -> None:
    """A value outside its domain is named with where it is; its neighbours and the bounds themselves pass."""
    rows = {key: np.full((3, 5), 0.5) for key in MARKET_INPUTS} | {
        "curve.loss": np.eye(3, 5),
        "flow": -np.ones((3, 5)),
        "reward_tokens": 0.0,
    }
    scenario = load_scenario("calm")
    _check(scenario, rows, first_path=10)
    values = np.full((3, 5), 0.5)
    values[1, 4] = wrong
    with pytest.raises(SimulationError, match=f"path 11, step 4: {name} drawn as"):
        _check(scenario, rows | {name: values}, first_path=10)
    with pytest.raises(SimulationError, match=f"path 10, step 0: {name} drawn as"):
        _check(scenario, rows | {name: wrong}, first_path=10)


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


@pytest.mark.skipif(HISTORY is None, reason="set AMO_OPT_HISTORY_DIR to a folder with luna_usdt_hourly_close_2022_05.csv")
def test_death_spiral_passes_through_the_history() -> None:
    """Every waypoint of the share token is LUNA's close at its hour; the hours between lie within a tenth of the line through them in the median."""
    with (Path(HISTORY or "") / "luna_usdt_hourly_close_2022_05.csv").open() as file:
        rows = {datetime.fromisoformat(row["timestamp"]): float(row["close"]) for row in csv.DictReader(file)}
    start = datetime(2022, 5, 9, 12, tzinfo=UTC)
    actual = np.array([price for when, price in sorted(rows.items()) if when >= start])
    hours, values = (np.array(column) for column in zip(*load_scenario("death-spiral").waypoints["share_token"], strict=True))
    np.testing.assert_array_equal(values, actual[hours.astype(int)])
    line = np.exp(np.interp(np.arange(len(actual)), hours, np.log(values)))
    assert np.median(np.abs(np.log(actual / line))) < 0.1
