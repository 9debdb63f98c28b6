"""What may stand opposite in a further pool, a ramp of A under way, and what the treasury only holds: against what is told in another way, and against slow closed forms."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.amos import pools
from amo_opt.amos.kinds import mechanism_at
from amo_opt.amos.layout import BASE, Layout, layout_of
from amo_opt.config.load import validate_file
from amo_opt.config.overrides import with_figure
from amo_opt.protocol import lanes as at
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.state import Figure
from amo_opt.simulation.engine import draw, simulate, trace, trace_given
from amo_opt.simulation.kernel import run_rows
from amo_opt.simulation.program import Row

if TYPE_CHECKING:
    from amo_opt.config.study import Study

SEVERAL = Path(__file__).parent / "data" / "several"
OPPOSITE = 5_242_053.77
"""Coins opposite in the pool TUSD of that state."""


def said(value: float) -> str:
    return f'{{ value = {value}, assumed = "a test\'s", low = {value}, high = {value} }}'


def study_of(folder: Path, *changes: tuple[str, str]) -> Study:
    """The study of four pools and keepers with these changes of its state's text."""
    shutil.copytree(SEVERAL, folder)
    state = folder / "state.toml"
    text = state.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    state.write_text(text, encoding="utf-8")
    study = load_study(folder / "study.toml")
    return replace(study, simulation=replace(study.simulation, transition_hours=48, window_hours=240))


def opposite(each: float, more: str) -> tuple[str, str]:
    """So many coins opposite in the pool TUSD, each counted as ``each``."""
    line = 'opposite = { value = 5242053.77, assumed = "a figure of a test", low = 5242053.77, high = 5242053.77 }'
    return line, f"opposite = {said(OPPOSITE / each)}\n{more}"


def columns(study: Study) -> dict[str, np.ndarray]:
    return simulate(study.current, study, paths=16).columns


# -- what stands opposite ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", ["opposite_price = ", "base_virtual_price = "])
def test_half_as_many_coins_of_twice_the_worth_are_the_same_pool(tmp_path: Path, more: str) -> None:
    """By a stored rate or a base pool's virtual price: every column, bit for bit, as what is drawn is what one fetches over what it is counted as."""
    plain = columns(study_of(tmp_path / "plain"))
    other = columns(study_of(tmp_path / "other", opposite(2.0, more + said(2.0))))
    assert all(np.array_equal(plain[name], other[name]) for name in plain)


def test_a_pool_on_the_first_pool_s_base_has_its_price(tmp_path: Path) -> None:
    """Hour by hour, and no scenario strikes its coin for itself; one with a base of its own has a price of its own."""
    for shared in (0.0, 1.0):
        study = study_of(tmp_path / f"{shared:.0f}", opposite(1.02, f"base_virtual_price = {said(1.02)}\nbase_shared = {said(shared)}"))
        layout = layout_of(study.state)
        for scenario in study.scenarios:
            struck = replace(scenario, waypoints={**scenario.waypoints, "opposite": ((0.0, 1.0), (24.0, 0.9))})
            struck = struck if "onset_day_low" in scenario.settings else scenario
            market = draw(struck, study, first=0, lanes=LANES, stream="search").reshape(288, -1, LANES)
            base, own, other = (market[:, layout.input_index[name]] for name in ("base_value", "tusd-pool.price", "usdt-pool.price"))
            assert np.array_equal(base, own) is (shared == 1.0)
            if struck is not scenario:
                assert other.min() < 0.95
                assert bool(own.min() < 0.95) is (shared == 0.0 or bool(base.min() < 0.95))


def naive_d(x: float, y: float, ann: float) -> float:
    """D of two balances by halving: A n^n S + D = A n^n D + D^3 / (4 x y), with Ann = 2 A as here."""

    def over(d: float) -> float:
        return d**3 / (4.0 * x * y) + (ann - 1.0) * d - ann * (x + y)

    low, high = 0.0, x + y
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if over(middle) < 0.0 else (low, middle)
    return 0.5 * (low + high)


RAMPS = {
    # A now, where a ramp under way ends, hours left of it, what the set says, hours of a new one; A after 30 and after 400 hours
    "none under way": (300.0, 0.0, 0.0, 900.0, 168.0),
    "let run": (300.0, 900.0, 60.0, 900.0, 168.0),
    "stopped where it is": (300.0, 900.0, 60.0, 300.0, 168.0),
    "turned elsewhere": (300.0, 900.0, 60.0, 500.0, 168.0),
}


def naive_a(now: float, future: float, left: float, target: float, ramp_hours: float, hours: int) -> float:
    """A as the contract tells it (StableSwap `_A()`): from initial_A to future_A by the share of the time that has passed."""
    initial, ends, length = (now, future, left) if target == future and left > 0 else (now, target, ramp_hours)
    if hours >= length:
        return ends
    return initial + (ends - initial) * hours / length if ends > initial else initial - (initial - ends) * hours / length


@pytest.mark.parametrize("ramp", RAMPS.values(), ids=RAMPS)
@pytest.mark.parametrize("rate", [0.0, 0.09, -0.02])
def test_an_hour_of_growth_and_ramp_against_the_closed_form(ramp: tuple[float, float, float, float, float], rate: float) -> None:
    """A hundred hours of one pool that nobody trades with: coins grow by (1 + rate)^(1/8760), D is that of the balances, what the protocol's part grew by stands in its books."""
    now, future, left, target, ramp_hours = ramp
    layout = Layout((*BASE.mechanisms, mechanism_at("pools.one")))
    place = layout.places["one-pool"]
    s, m = aligned(len(layout.state) * LANES), aligned(len(layout.inputs) * LANES)
    s[:], m[:] = 0.0, 0.99
    p, c = np.zeros(len(layout.parameter_index)), np.zeros(len(layout.constant_index))
    c[at.C_RAMP_HOURS] = ramp_hours
    p[place.parameters + pools.mine.P_AMPLIFICATION] = target
    growth = (1.0 + rate) ** (1.0 / 8760.0)
    for name, value in {"start_amplification": now, "future_amplification": future, "ramp_left": left, "growth": growth}.items():
        c[place.constants + getattr(pools.mine, f"C_{name.upper()}")] = value

    def line(name: str) -> np.ndarray:
        first = layout.state_index[name] * LANES
        return s[first : first + LANES]

    x, y, own = np.linspace(1e6, 9e6, LANES), np.linspace(8e6, 1e6, LANES), np.linspace(0.0, 1.0, LANES)
    line("one-pool.pool_x")[:], line("one-pool.pool_y")[:], line("one-pool.own")[:] = x, y, own
    line("one-pool.ann")[:], line("one-pool.base_value")[:] = 2.0 * now, 0.99
    line("one-pool.d")[:] = [naive_d(a, b, 2.0 * now) for a, b in zip(x, y, strict=True)]
    quote = Row("one_quote", pools.quote, of=mechanism_at("pools.one"), places=place)
    for hour in range(101):
        line("elapsed")[:] = hour
        run_rows([quote], s, m, p, c, layout=layout)
    grown = y * (1.0 + rate) ** (100.0 / 8760.0)
    ann = 2.0 * naive_a(now, future, left, target, ramp_hours, 100)
    assert np.allclose(line("one-pool.ann"), ann, rtol=1e-14)
    assert np.allclose(line("one-pool.pool_y"), grown, rtol=1e-13)
    assert np.array_equal(line("one-pool.pool_x"), x)
    assert np.allclose(line("one-pool.d"), [naive_d(a, b, ann) for a, b in zip(x, grown, strict=True)], rtol=1e-12)
    assert np.allclose(line("income_swap_fees"), own * (grown - y) * 0.99, rtol=1e-8, atol=1e-6)
    assert not line("income_mark_to_market").any()


def test_a_coin_that_grows_pays_whoever_owns_the_pool(tmp_path: Path) -> None:
    """A year's 20% on a pool's other side, without volume, noise and flow: what it brings the protocol is its part of that, and books balance (`simulate` refuses where they do not)."""
    quiet = {"swap_volume_day": 0.0, "flow_sd": 0.0, "coin_noise_sd": 0.0}
    studies = [
        study_of(tmp_path / str(rate), opposite(1.05, f"opposite_price = {said(1.05)}\nopposite_rate = {said(rate)}"))
        for rate in (0.0, 0.2)
    ]
    brought = []
    for each in studies:
        calm = tuple(replace(one, settings={**one.settings, **quiet}) for one in each.scenarios if one.name == "calm")
        study = replace(each, scenarios=calm)
        brought.append(columns(study)["income_swap_fees_usd"].mean())
    told = trace(study.current, study, scenario="calm", paths=8, columns=("tusd_pool_opposite", "tusd_pool_own_share"))
    held = (told["tusd_pool_opposite"] * told["tusd_pool_own_share"])[48:].sum(axis=0).mean()
    expected = held * (1.2 ** (1.0 / 8760.0) - 1.0)
    assert abs(brought[1] - brought[0] - expected) <= 0.05 * expected


# -- a ramp under way --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ends", "target"), [(900.0, 900), (900.0, 500), (0.0, 700)])
def test_a_ramp_under_way_runs_on_where_governance_wants_its_end(tmp_path: Path, ends: float, target: int) -> None:
    """Of the first pool and of another, hour by hour: else it is a new ramp from where A stands."""
    study = study_of(tmp_path / "ramps")
    state = study.state
    if ends:
        for name, value in {"future_amplification": ends, "ramp_hours_left": 100.0}.items():
            for of in ("pool", "pools.usdt"):
                state = with_figure(state, f"{of}.{name}", Figure(value=value, source="a test"))
    study = replace(study, state=state)
    current = study.current.replace(amplification=target, **{"usdt-pool.amplification": target})
    scenario = study.scenarios[0]
    told = trace_given(
        current,
        study,
        draw(scenario, study, first=0, lanes=LANES, stream="search"),
        scenario=scenario,
        first=0,
        lanes=LANES,
        variables=("ann", "usdt-pool.ann"),
    )
    expected = [2.0 * naive_a(500.0, ends, 100.0 if ends else 0.0, target, 168.0, hour + 1) for hour in range(288)]
    for name in ("ann", "usdt-pool.ann"):
        assert np.allclose(told[name], np.array(expected)[:, None], rtol=1e-14)


# -- what the treasury only holds --------------------------------------------------------------------------------------------------

HOLD = '[[amo]]\nkind = "hold"\nname = "{}"\nlp_share = {}\n\n[markets]'


def test_what_is_held_of_a_further_pool_is_its_lp_share(tmp_path: Path) -> None:
    """Two ways to say the same: every column, bit for bit; its collateral is what stands opposite."""
    by_share = study_of(tmp_path / "share", opposite(1.0, f"lp_share = {said(0.15)}"))
    held = study_of(tmp_path / "held", ("[markets]", HOLD.format("tusd", said(0.15))))
    assert held.state.collateral_usd == pytest.approx(by_share.state.collateral_usd, rel=1e-15)
    assert held.state.own_of_further("tusd") == by_share.state.own_of_further("tusd")
    one, other = columns(by_share), columns(held)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_what_is_held_of_the_first_pool_is_the_protocol_s(tmp_path: Path) -> None:
    """Its part counts with its keeper's as cover and as own stablecoin, earns fees, and nobody takes it out."""
    without = study_of(tmp_path / "without")
    held = study_of(tmp_path / "held", ("[markets]", HOLD.format("usdc", said(0.1))))
    keepers = without.state.own_of_pool
    assert held.state.own_of_pool == pytest.approx(keepers + 0.1, rel=1e-15)
    assert held.state.collateral_usd - without.state.collateral_usd == pytest.approx(0.1 * held.state.base_value, rel=1e-9)
    names = ("own_stablecoin", "curve_collateral")
    before, after = (trace(each.current, each, scenario="calm", paths=8, columns=names) for each in (without, held))
    assert (after["curve_collateral"] > before["curve_collateral"]).all()
    one, other = columns(without), columns(held)
    assert other["income_swap_fees_usd"].mean() > one["income_swap_fees_usd"].mean()


def test_a_hold_alone_is_no_amo_that_anyone_unwinds(tmp_path: Path) -> None:
    """A protocol that only owns LP tokens of its pool is asked for no trigger, and runs."""
    text = (SEVERAL / "state.toml").read_text(encoding="utf-8")
    folder = tmp_path / "alone"
    shutil.copytree(SEVERAL, folder)
    head, _, rest = text.partition("[[amo]]")
    markets = rest[rest.index("[markets]") :]
    head = head.partition("[amos.")[0]
    state = head + HOLD.format("usdc", said(0.4)).replace("[markets]", "") + markets
    (folder / "state.toml").write_text(state, encoding="utf-8")
    own = [line for line in (folder / "parameters.toml").read_text(encoding="utf-8").splitlines() if "keeper" not in line]
    kept = [line for line in own if line.split(" =")[0] in ("schema", "name", "amplification", "idle_buffer") or "-pool." in line]
    (folder / "parameters.toml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    study = (folder / "study.toml").read_text(encoding="utf-8")
    before, _, after = study.partition("usdc-keeper.ceiling")
    study = before + "amplification = { low = 100, high = 1000 }\n" + after[after.index("[constraints]") :]
    (folder / "study.toml").write_text(study, encoding="utf-8")
    loaded = load_study(folder / "study.toml")
    assert not loaded.state.has("amos")
    assert loaded.state.own_of_pool == 0.4
    assert np.isfinite(columns(loaded)["nav_end_usd"]).all()


WRONG = {
    "a coin opposite told in two ways": opposite(1.0, f"base_virtual_price = {said(1.02)}\nopposite_price = {said(1.02)}"),
    "a base pool that is not there": opposite(1.0, f"base_shared = {said(1.0)}"),
    "neither shared nor its own": opposite(1.0, f"base_virtual_price = {said(1.0)}\nbase_shared = {said(0.5)}"),
    "half of a ramp of A": opposite(1.0, f"future_amplification = {said(700)}"),
    "more of the pool than there is": ("[markets]", HOLD.format("tusd", said(0.3))),
    "works a pool that is not there": ("[markets]", HOLD.format("tusb", said(0.3))),
    "an AMO of this kind without a name": ("[markets]", HOLD.format("tusd", said(0.1)).replace('name = "tusd"\n', "")),
    "an AMO that works the same pool": (
        "[markets]",
        "[amos.rebalancer]\nlp_share = {0}\nminted = {0}\n".format(said(0.0)) + HOLD.format("usdc", said(0.1)),
    ),
}


@pytest.mark.parametrize(("message", "change"), WRONG.items())
def test_what_cannot_be_is_refused_in_one_sentence(tmp_path: Path, message: str, change: tuple[str, str]) -> None:
    shutil.copytree(SEVERAL, tmp_path / "wrong")
    state = tmp_path / "wrong" / "state.toml"
    state.write_text(state.read_text(encoding="utf-8").replace(*change, 1), encoding="utf-8")
    found = validate_file(tmp_path / "wrong" / "study.toml")
    assert message in {problem.message for problem in found}, found
