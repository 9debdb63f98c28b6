"""Several assets in one state: a twin in words, who pays whom and in what order, books in any composition, off at zero, size, names in everything told, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt import load_study
from amo_opt.amos.layout import layout_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.cautions import cautions_of
from amo_opt.config.load import load_parameters, replace_figure, validate_file
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import figures_by_name, figures_in
from amo_opt.config.study import Study
from amo_opt.errors import InputError, Problem
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.state import Figure
from amo_opt.report.labels import noise_words
from amo_opt.report.stories.story import series_in, tell_story
from amo_opt.scoring.constraints import caps_plus_buffer
from amo_opt.scoring.score import point_score
from amo_opt.simulation.engine import draw, simulate, trace, trace_given
from amo_opt.simulation.kernel import nav, run_rows
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.simulation.program import rows_of
from amo_opt.stress.catalogue import describe, load_scenario
from amo_opt.stress.draws import draw_inputs, moving_inputs, noises_of, read_by
from amo_opt.stress.settings import SETTINGS, VENUES
from amo_opt.stress.touches import reaches

STUDIES = Path(__file__).parents[2] / "studies"
AMOUNTS = {"tokens", "tokens/h", "USD", "USD/h", "gas"}
FOUR = ("cash", "treasuries", "steth", "locked")


def said(value: float) -> str:
    return f'{{ value = {value!r}, assumed = "a test\'s", low = {value!r}, high = {value!r} }}'


def asset(name: str, access: str, amount: float, *, price: str = "unit", **figures: float) -> str:
    """One ``[[asset]]``."""
    lines = ["[[asset]]", f'name = "{name}"', f"access = {access}", f'price = "{price}"', f"amount = {said(amount)}"]
    return "\n".join([*lines, *(f"{key} = {said(value)}" for key, value in figures.items())]) + "\n"


def figure_of(value: float) -> str:
    return f'{{ value = {value!r}, source = "a test" }}'


NOW, NEVER = '"now"', '"never"'


def after(hours: float) -> str:
    return f"{{ delay_hours = {said(hours)} }}"


ASSETS = {
    "cash": asset("cash", NOW, 6e6),
    "treasuries": asset("treasuries", after(48.0), 10e6, annual_yield=0.05),
    "steth": asset("steth", after(120.0), 5e6, price="collateral", annual_yield=0.03, par_out=1.0),
    "locked": asset("locked", NEVER, 4e6, counts=0.8),
}
CAPS = {"cash": 0.15, "treasuries": 0.25, "steth": 0.12, "locked": 0.1}


def written(
    folder: Path,
    assets: Sequence[str] | str = FOUR,
    *,
    idle: float = 15e6,
    lent: float = 8.5e6,
    caps: dict[str, float] | None = None,
    more: str = "",
    study: Callable[[str], str] = lambda text: text,
) -> Path:
    """The smallest study with these assets beside its collateral coin."""
    shutil.copytree(STUDIES / "behaviour", folder / "behaviour", dirs_exist_ok=True)
    for room in ("states", "parameters"):
        (folder / room).mkdir(exist_ok=True)
    state = (STUDIES / "states" / "minimal.toml").read_text(encoding="utf-8")
    for name, value in (("idle", idle), ("lent", lent), ("borrowed", lent)):
        line = next(each for each in state.splitlines() if each.startswith(f"{name} ="))
        state = state.replace(line, f"{name} = {said(value)}")
    listed = assets if isinstance(assets, str) else "".join(ASSETS[name] for name in assets)
    (folder / "states" / "minimal.toml").write_text(f"{state}\n{listed}{more}", encoding="utf-8")
    names = FOUR if isinstance(assets, str) else assets
    told = {name: CAPS[name] for name in names if f'name = "{name}"' in listed} if caps is None else caps
    text = (STUDIES / "parameters" / "minimal.toml").read_text(encoding="utf-8")
    lines = "".join(f"{name}-asset.cap = {value}\n" for name, value in told.items())
    (folder / "parameters" / "minimal.toml").write_text(
        text.replace("aave_cap = 0.4", "aave_cap = 0.2").replace("idle_buffer = 0.5", "idle_buffer = 0.3") + lines, encoding="utf-8"
    )
    path = folder / "study.toml"
    path.write_text(study((STUDIES / "minimal.toml").read_text(encoding="utf-8")), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_study(written(tmp_path_factory.mktemp("four")))


MOVING = {
    **{f"{name}-asset_price_sd": 0.02 for name in FOUR},
    **{f"{name}-asset_gate_hours": 30.0 for name in ("cash", "treasuries")},
    **{f"{name}-asset_loss_yearly": 0.9 for name in ("treasuries", "locked")},
}


def short(study: Study, *names: str, hours: int = 240, **changed: float) -> Study:
    usual = {"swap_volume_day": 3e6, "base_coins": 1.0}
    dated = {"onset_day_low": 1, "onset_day_high": 2}
    scenarios = tuple(load_scenario(name, weight=1.0, settings=changed | usual | ({} if name == "calm" else dated)) for name in names)
    return replace(study, scenarios=scenarios, simulation=replace(study.simulation, transition_hours=24, window_hours=hours))


# -- a twin -------------------------------------------------------------------------------------------------------------------------


@dataclass
class One:
    """What a twin knows of one asset."""

    name: str
    held: float
    now: bool
    never: bool
    delay: float
    cap: float
    annual: float
    counts: float
    follows: float
    par_out: float
    series: float = 1.0
    opens: bool = True
    waits: list[float] = field(default_factory=lambda: [0.0] * 4)
    locked: float = 0.0

    def base(self, coin: float) -> float:
        return 1.0 + self.follows * (coin - 1.0)

    def each(self, coin: float) -> float:
        """Collateral coins that one is worth."""
        return self.base(coin) * self.series / coin

    def fetches(self, coin: float) -> float:
        return self.base(coin) * (self.series + self.par_out * (1.0 - self.series)) / coin


@dataclass
class Twin:
    """The issuer's collateral, hour by hour and in words."""

    idle: float
    buffer: float
    assets: list[One]

    def hour(self, coin: float, losses: dict[str, float], redeemed: float) -> None:
        """Losses; queues and yields; redeemers, the coin first, then what pays at once in the order of the state; then the team."""
        for one in self.assets:
            one.held, one.locked = one.held * (1 - losses[one.name]), one.locked * (1 - losses[one.name])
            one.waits = [wait * (1 - losses[one.name]) for wait in one.waits]
            if one.opens:
                part = 4 / (4 + one.delay)
                for place in range(4):
                    leaves = part * one.waits[place]
                    one.waits[place] -= leaves
                    if place < 3:
                        one.waits[place + 1] += leaves
                    else:
                        self.idle += leaves * one.fetches(coin)
            one.held *= 1 + one.annual / 8760
        due = redeemed
        paid = min(due, self.idle)
        self.idle, due = self.idle - paid, due - paid
        for one in self.assets:
            if one.now and one.opens:
                paid = min(due, (one.held - one.locked) * one.fetches(coin))
                one.held, due = one.held - paid / one.fetches(coin), due - paid
        for one in self.assets:
            self.operate(one, coin)

    def operate(self, one: One, coin: float) -> None:
        each = one.each(coin)
        total = self.idle + sum((other.held + sum(other.waits)) * other.each(coin) for other in self.assets)
        value, own = (one.held + sum(one.waits)) * each, sum(one.waits) * each
        coming = sum(sum(other.waits) * other.each(coin) for other in self.assets if other.opens or other is one)
        gap = min(one.cap * total - value, self.idle - self.buffer * total)
        if gap > 2.5e-3 * total and one.opens and coin >= 0.99 * one.base(coin) and not one.never:
            one.held, self.idle = one.held + gap / each, self.idle - gap
            return
        over, short_ = value - own - one.cap * total, self.buffer * total - self.idle - coming
        wanted = max(over if over > 0.01 * total else 0.0, short_ if short_ > 2.5e-3 * total and not one.now else 0.0)
        wanted = min(wanted, (one.held - one.locked) * each)
        one.held, one.waits[0] = one.held - wanted / each, one.waits[0] + wanted / each


def rows_named(layout: Any, *names: str) -> list[Any]:
    hour = {row.name: row for row in rows_of(layout).hour}
    return [hour[name] for name in names]


@pytest.mark.parametrize("count", [1, 2, 4, 6])
@pytest.mark.parametrize("seed", range(6))
def test_the_rows_are_their_twin(tmp_path: Path, stages_compiled: None, seed: int, count: int) -> None:
    """300 hours of random prices, gates, losses and redemptions over assets of every access, in the order of the program: what is held, waits and is idle, what covers and what it is worth, and the books."""
    rng = np.random.default_rng(100 * count + seed)
    ones = []
    for place in range(count):
        access = ("now", "delay", "never", "delay", "now", "now")[(place + seed) % 6]
        delay = rng.uniform(0, 80) if access == "delay" else 0.0
        ones.append(
            One(f"a{place}", rng.uniform(0, 60e6 / count), access == "now", access == "never", delay, rng.uniform(0.05, 0.9 / count), rng.uniform(0, 0.1), rng.uniform(0.5, 1), float(rng.integers(2)), rng.uniform(0, 1))
        )  # fmt: skip
    listed = "".join(
        asset(one.name, NOW if one.now else NEVER if one.never else after(one.delay), one.held, price="collateral" if one.follows else "unit", annual_yield=one.annual, counts=one.counts, par_out=one.par_out)
        for one in ones
    )  # fmt: skip
    study = load_study(written(tmp_path, listed, caps={one.name: one.cap for one in ones}))
    layout = layout_of(study.state)
    twin = Twin(30e6, float(rng.uniform(0, 0.5)), ones)
    m = np.zeros(len(layout.inputs) * LANES)
    parameters, fixed = parameter_vector(study.current, layout), constants(study)
    for vector, index, values in (
        (parameters, layout.parameter_index, {"idle_buffer": twin.buffer, "min_cr": 0.0}),
        (fixed, layout.constant_index, {"deploy_rate": 1.0, "size": 1e-9}),
    ):
        for name, value in values.items():
            vector[index[name]] = value

    def market(**values: float) -> None:
        for name, value in values.items():
            m[layout.input_index[name] * LANES :][:LANES] = value

    def line(name: str) -> np.ndarray:
        return s[layout.state_index[name] * LANES :][:LANES]

    def booked() -> float:
        return float(sum(line(name)[0] for name in layout.lines))

    market(collateral_price=1.0, base_value=1.0, share_return=1.0, gate=1.0, reward_price=1.0, **{"aave.deposits": 1e9})
    market(**{f"{one.name}-asset.{name}": value for one in ones for name, value in (("price", 1.0), ("open", 1.0))})
    s = start_state(study, m)
    line("aave.lent")[:] = line("lp_amo")[:] = 0.0
    line("idle")[:] = twin.idle
    programs = rows_of(layout)
    run_rows(programs.start, s, m, parameters, fixed)
    for one in ones:
        one.locked = one.held if one.never else 0.0
    order = [row.name for row in programs.hour if "-asset_" in row.name]
    acts = {
        part: [name for name in order if name.endswith(f"_{part}")]
        for part in ("venue_loss", "market_operations", "lend", "take_back", "operate")
    }
    assert [name.removesuffix("_lend") for name in acts["lend"]] == [name.removesuffix("_take_back") for name in acts["take_back"]][::-1]
    for hour in range(300):
        coin = 1 + 0.02 * rng.standard_normal()
        losses = {one.name: 0.05 * float(rng.random() > 0.99) for one in ones}
        for one in ones:
            one.series, one.opens = 1 + 0.03 * rng.standard_normal(), bool(rng.random() > 0.2)
            market(
                **{
                    f"{one.name}-asset.price": one.series,
                    f"{one.name}-asset.open": float(one.opens),
                    f"{one.name}-asset.loss": losses[one.name],
                }
            )
        market(collateral_price=coin)
        start, before = nav(s, m, parameters, fixed)[0], booked()
        run_rows(rows_named(layout, "open_hour", *acts["venue_loss"], *acts["market_operations"]), s, m, parameters, fixed)
        pays_now = [row for row in rows_named(layout, *acts["lend"]) if row.in_use(s, parameters, fixed)]
        assert [row.of.name for row in pays_now] == [f"{one.name}-asset" for one in ones if one.now]
        run_rows(pays_now, s, m, parameters, fixed)
        redeemed = min(line("idle")[0], 3e6 * rng.exponential()) * float(hour % 60 < 20)
        line("idle")[:] -= redeemed
        run_rows([row for row in rows_named(layout, *acts["take_back"]) if row.in_use(s, parameters, fixed)], s, m, parameters, fixed)
        run_rows(rows_named(layout, *acts["operate"]), s, m, parameters, fixed)
        twin.hour(coin, losses, redeemed)
        assert line("idle")[0] == pytest.approx(twin.idle, rel=1e-9, abs=1e-2)
        for one in ones:
            waits = [line(f"{one.name}-asset.wait_{place}")[0] for place in (1, 2, 3, 4)]
            assert [line(f"{one.name}-asset.held")[0], *waits] == pytest.approx([one.held, *one.waits], rel=1e-9, abs=1e-2)
        worth = sum((one.held + sum(one.waits)) * one.each(coin) for one in ones)
        assert line("at_work")[0] == pytest.approx(worth, rel=1e-9, abs=1e-2)
        assert line("recoverable")[0] == pytest.approx(
            sum(one.counts * (one.held + sum(one.waits)) * one.series for one in ones), rel=1e-9, abs=1e-2
        )
        assert line("beside")[0] == pytest.approx(0.0, abs=1e-2)
        moved = nav(s, m, parameters, fixed)[0] - start
        assert moved + redeemed * coin == pytest.approx(booked() - before, abs=0.1)


# -- who is paid of what --------------------------------------------------------------------------------------------------------------


def run_of(study: Study, *columns: str, paths: int = 8, name: str = "fast-run") -> dict[str, np.ndarray]:
    one = short(study, name)
    return trace(one.current, one, scenario=name, paths=paths, columns=columns)


def test_what_is_had_at_once_pays_in_a_run_and_what_never_comes_does_not(tmp_path: Path) -> None:
    """The same amount behind the same run: at once it serves as the coin itself does but for its price, after two days later, never not at all; and both ratios start alike."""
    waits: dict[str, float] = {}
    left: dict[str, float] = {}
    for word, access in (("coin", ""), ("now", NOW), ("delay", after(48.0)), ("never", NEVER)):
        listed = asset("thing", access, 48e6, price="collateral") if access else ""
        study = short(
            load_study(written(tmp_path, listed, idle=2e6 if access else 50e6, lent=0.0, caps={"thing": 1.0} if access else {})), "fast-run"
        )
        paths = simulate(study.current.replace(aave_cap=0.0), study, paths=16).paths
        waits[word], left[word] = float(paths["unserved_usd_hours"].mean()), float(paths["net_issued_tokens"].mean())
    assert waits["now"] == pytest.approx(waits["coin"], rel=1e-9)
    assert left["now"] == pytest.approx(left["coin"], rel=1e-9)
    assert waits["now"] < waits["delay"]
    assert left["now"] < left["delay"] < -5e6
    assert left["never"] > -2.5e6


def test_the_coin_is_paid_out_first_then_assets_in_the_order_of_the_state(tmp_path: Path) -> None:
    """Nothing of the second is sold in an hour that leaves something of the first, nor of either while the coin lasts."""
    listed = asset("one", NOW, 20e6) + asset("two", NOW, 25e6)
    study = load_study(written(tmp_path, listed, idle=6e6, lent=0.0, caps={"one": 1.0, "two": 1.0}))
    study = short(replace(study, current=study.current.replace(idle_buffer=0.0, aave_cap=0.0, unwind_rate=0.0)), "fast-run")
    scenario, names = study.scenarios[0], ("idle", "one-asset.held", "two-asset.held")
    market = draw(scenario, study, first=0, lanes=8, stream="search")
    found = trace_given(study.current, study, market, scenario=scenario, first=0, lanes=8, variables=names)
    idle, one, two = (found[name] for name in names)
    assert idle[-1].min() < 1.0
    sold_two = np.diff(two, axis=0) < -1.0
    assert sold_two.any()
    assert (one[1:][sold_two] < 1.0).all()
    sold_one = np.diff(one, axis=0) < -1.0
    assert sold_one.any()
    assert (idle[1:][sold_one] < 1.0).all()


def with_fast_providers(study: Study) -> Study:
    """The study with providers who flee and return fast."""
    return replace(study, state=replace_figure(replace_figure(study.state, "markets.lp_return_rate", 0.002), "markets.lp_flight_rate", 0.2))


def test_what_the_buffer_lacks_is_asked_for_once(tmp_path: Path) -> None:
    """Two assets that come home after a delay ask for no more together than one of them alone."""
    one = load_study(written(tmp_path, asset("one", after(72.0), 45e6), idle=5e6, lent=0.0, caps={"one": 0.9}))
    two = load_study(
        written(
            tmp_path,
            asset("one", after(72.0), 22.5e6) + asset("two", after(72.0), 22.5e6),
            idle=5e6,
            lent=0.0,
            caps={"one": 0.45, "two": 0.45},
        )
    )
    # the hour in which a wish falls decides how much it is: a pool whose providers come back soon asks alike in both
    idle = [run_of(with_fast_providers(each), "idle", name="calm")["idle"] for each in (one, two)]
    assert np.allclose(idle[0], idle[1], rtol=1e-6, atol=50e6 * 3e-3)


# -- books, size, absence -------------------------------------------------------------------------------------------------------------

quick = settings(max_examples=25, deadline=None, derandomize=True)
kinds = st.tuples(st.sampled_from([NOW, NEVER, after(0.0), after(30.0), after(700.0)]), st.floats(0.0, 8e6), st.floats(0.0, 1.0), st.sampled_from(["unit", "collateral"]), st.floats(-0.1, 0.3), st.floats(0.0, 0.5))  # fmt: skip


@quick
@given(
    chosen=st.lists(kinds, min_size=2, max_size=4),
    buffer=st.floats(0.0, 0.9),
    name=st.sampled_from(["calm", "fast-run", "svb-2023", "venue-loss"]),
)
def test_the_books_hold_in_any_composition(tmp_path_factory: pytest.TempPathFactory, chosen: list[Any], buffer: float, name: str) -> None:
    """Σ income + Σ capital = ΔNAV to 1e-9 of supply for two to four assets of any access, every figure finite (the engine itself refuses a path whose books are off)."""
    labels = [f"a{place}" for place in range(len(chosen))]
    listed = "".join(
        asset(label, access, amount, price=price, counts=counts, annual_yield=annual)
        for label, (access, amount, counts, price, annual, _) in zip(labels, chosen, strict=True)
    )
    study = load_study(
        written(tmp_path_factory.mktemp("any"), listed, caps={label: each[5] for label, each in zip(labels, chosen, strict=True)})
    )
    moving = {
        f"{label}-asset_{part}": value
        for label in labels
        for part, value in (("price_sd", 0.03), ("gate_hours", 40.0), ("loss_yearly", 0.9))
    }
    study = short(study, name, **moving)
    outcome = simulate(study.current.replace(idle_buffer=buffer), study, paths=4)
    frame, lines = outcome.paths, layout_of(study.state).lines
    moved = frame["nav_end_usd"] - frame["nav_start_usd"]
    assert np.allclose(sum(frame[f"{line}_usd"] for line in lines), moved, rtol=1e-9, atol=1e-9 * 50e6)
    assert np.isfinite(frame.select_dtypes("number").to_numpy()).all()


@pytest.mark.parametrize("times", [4096.0, 1.0 / 4096.0])
def test_no_bit_hangs_on_size(four: Study, times: float) -> None:
    """Every line of the state, hour by hour: as it was, or exactly so many times as much."""
    study = short(four, "calm", "fast-run", "svb-2023", **MOVING)
    state = study.state
    for name in figures_in(state):
        if figures_by_name()[name].metadata["unit"] in AMOUNTS:
            held = attrgetter(name)(state)
            state = with_figure(state, name, replace(held, value=times * held.value))
    scenarios = tuple(
        replace(one, settings={name: value * (times if SETTINGS[name].unit in AMOUNTS else 1.0) for name, value in one.settings.items()})
        for one in study.scenarios
    )
    other, names = replace(study, state=state, scenarios=scenarios), layout_of(study.state).state
    for ours, theirs in zip(study.scenarios, other.scenarios, strict=True):
        before, grown = (
            trace_given(
                each.current,
                each,
                draw(one, each, first=0, lanes=LANES, stream="search"),
                scenario=one,
                first=0,
                lanes=LANES,
                variables=names,
            )
            for each, one in ((study, ours), (other, theirs))
        )
        wrong = [
            name for name in names if not (np.array_equal(grown[name], before[name]) or np.array_equal(grown[name], times * before[name]))
        ]
        assert wrong == [], ours.name
        assert np.array_equal(grown["cash-asset.held"], times * before["cash-asset.held"])


@pytest.mark.parametrize("place", range(4))
def test_empty_and_without_a_cap_one_is_not_there(four: Study, tmp_path: Path, place: int) -> None:
    """Bit for bit the study without it, whatever its market does, and whichever of the four it is."""
    name = FOUR[place]
    rest = [each for each in FOUR if each != name]
    without = load_study(written(tmp_path, rest))
    empty = with_figure(four.state, f"amos.{name}-asset.amount", Figure(value=0.0, assumed="a test's", low=0.0, high=0.0))
    study = replace(four, state=empty, current=four.current.replace(**{f"{name}-asset.cap": 0.0}))
    others = {key: value for key, value in MOVING.items() if not key.startswith(f"{name}-")}
    for scenario in ("calm", "fast-run"):
        one = short(study, scenario, **others, **{f"{name}-asset_price_sd": 0.05, f"{name}-asset_gate_hours": 40.0})
        other = short(without, scenario, **others)
        ours, theirs = (simulate(each.current, each, paths=8).columns for each in (one, other))
        assert set(ours) - set(theirs) == {f"income_{name}_asset_usd"}
        assert not ours[f"income_{name}_asset_usd"].any()
        assert all(np.array_equal(ours[key], theirs[key]) for key in theirs)


def test_one_named_asset_is_the_reserve_but_for_its_name(tmp_path: Path) -> None:
    """`[amos.reserve]` and an ``[[asset]]`` of the same figures: the same paths bit for bit where nothing of them is drawn by name."""
    named = load_study(written(tmp_path / "named" if (tmp_path / "named").mkdir() is None else tmp_path, ("treasuries",)))
    (tmp_path / "table").mkdir()
    table = f"[amos.reserve]\namount = {said(10e6)}\ndelay_hours = {said(48.0)}\nannual_yield = {said(0.05)}\n"
    path = written(tmp_path / "table", table, caps={})
    parameters = path.parent / "parameters" / "minimal.toml"
    parameters.write_text(parameters.read_text(encoding="utf-8") + f"reserve_cap = {CAPS['treasuries']}\n", encoding="utf-8")
    reserve = load_study(path)
    for scenario in ("calm", "fast-run", "svb-2023"):
        one, other = (short(each, scenario) for each in (named, reserve))
        ours, theirs = (simulate(each.current, each, paths=8).columns for each in (one, other))
        assert np.array_equal(ours.pop("income_treasuries_asset_usd"), theirs["income_reserve_usd"])
        same = [name for name in theirs if name != "income_reserve_usd"]
        assert all(np.array_equal(ours[name], theirs[name]) for name in same)


# -- its market ---------------------------------------------------------------------------------------------------------------------


def test_noises_and_waypoints_are_drawn_by_the_asset_s_name(four: Study) -> None:
    """A price, a gate and a loss of its own for each: no other input moves when one is switched on, and each draws what it would draw alone."""
    calm = short(four, "svb-2023")
    usual = calm.scenarios[0]

    def inputs(**changed: Any) -> dict[str, np.ndarray]:
        scenario = load_scenario("svb-2023", settings=changed.pop("settings", {}), waypoints=changed.pop("waypoints", {}))
        rows = draw_inputs(scenario, seed=1, stream="search", paths=range(8), state=four.state, transition_hours=24, window_hours=240)
        return {name: np.asarray(values) for name, values in rows.items()}

    before = inputs()
    points = {"steth-asset": {"source": "a test's", "points": [[0, 1.0], [10, 0.9]]}}
    changed = {
        "treasuries-asset.price": inputs(settings={"treasuries-asset_price_sd": 0.02}),
        "steth-asset.price": inputs(waypoints=points),
        "cash-asset.open": inputs(settings={"cash-asset_gate_hours": 20}),
        "locked-asset.loss": inputs(settings={"locked-asset_loss_yearly": 0.999}),
    }
    for name, after_ in changed.items():
        assert [key for key in before if not np.array_equal(before[key], after_[key])] == [name]
    both = inputs(settings={"treasuries-asset_price_sd": 0.02, "steth-asset_price_sd": 0.02})
    assert np.array_equal(both["treasuries-asset.price"], changed["treasuries-asset.price"]["treasuries-asset.price"])
    assert not np.array_equal(both["treasuries-asset.price"], both["steth-asset.price"])
    assert 0.85 < changed["steth-asset.price"]["steth-asset.price"].min() < 0.95
    assert not {name for name in moving_inputs(usual, layout_of(four.state)) if "-asset" in name}
    moving = load_scenario("svb-2023", settings=MOVING)
    assert {"cash-asset.price", "cash-asset.open", "locked-asset.loss"} <= set(moving_inputs(moving, layout_of(four.state)))
    assert {"cash-asset-price", "locked-asset-loss", "treasuries-asset-loss"} <= set(noises_of(moving, four.state))
    assert read_by(["steth-asset_price_sd"]) == ("assets",)
    assert noise_words("steth-asset-price") == "the price of steth"
    assert noise_words("locked-asset-loss") == "the time to a loss of locked"


def test_a_scenario_that_strikes_an_asset_reaches_who_has_it(four: Study) -> None:
    scenario = load_scenario("calm", settings={"cash-asset_price_sd": 0.02})
    odd = replace(scenario, name="odd")
    assert reaches(odd, four.state.has)
    assert not reaches(odd, lambda table: table != "amos.cash-asset")
    assert any("cash-asset_price_sd = 0.02" in fact.text for fact in describe(scenario))


def test_a_certain_loss_may_strike_a_named_asset(four: Study) -> None:
    """`losses_certain`: exactly one venue a path, drawn by the yearly probabilities."""
    still = {f"{name}_loss_yearly": 0.0 for name in VENUES}
    scenario = load_scenario("venue-loss", settings=still | {"cash-asset_loss_yearly": 0.1, "treasuries-asset_loss_yearly": 0.3})
    rows = draw_inputs(scenario, seed=1, stream="search", paths=range(64), state=four.state, transition_hours=24, window_hours=1440)
    hits = [np.count_nonzero(np.asarray(rows[f"{name}-asset.loss"]).any(axis=1)) for name in ("cash", "treasuries")]
    assert sum(hits) == 64
    assert 34 < hits[1] < 60


# -- what is told of it ---------------------------------------------------------------------------------------------------------------


def trace_held(study: Study) -> float:
    """Token hours of treasuries that are held, on average over paths, in the window."""
    start = study.simulation.transition_hours
    scenario = study.scenarios[0]
    market = draw(scenario, study, first=0, lanes=8, stream="search")
    held = trace_given(study.current, study, market, scenario=scenario, first=0, lanes=8, variables=("treasuries-asset.held",))
    return float(held["treasuries-asset.held"][start:].sum(axis=0).mean())


def test_everything_is_told_by_its_name(four: Study) -> None:
    """Results, terms of the yield, caps, a path's story."""
    study = short(four, "calm")
    outcome = simulate(study.current, study, paths=8)
    assert outcome.columns["income_treasuries_asset_usd"].mean() == pytest.approx(trace_held(study) * 0.05 / 8760, rel=1e-2)
    score = point_score(outcome, study)
    assert np.isfinite(score.yield_annual)
    assert caps_plus_buffer(study.current) == pytest.approx(0.2 + 0.3 + sum(CAPS.values()))
    series = {
        name: values[:, 0] for name, values in trace(study.current, study, scenario="calm", paths=1, columns=series_in(study.state)).items()
    }
    story = tell_story(series, study, study.current, scenario="calm", path=0)
    told = " ".join(line.label for panel in story.panels for line in (*panel.lines, *panel.layers))
    for name in FOUR:
        assert f"{name} asset" in told
    assert "yield of treasuries" in told


def test_lists_and_tables_are_one_study(four: Study, tmp_path: Path) -> None:
    """The hash, whichever way it is written; a liability is the savings vault."""
    keyed = "".join(
        f"[amos.{name}-asset]\n" + "".join(f"{key} = {said(value)}\n" for key, value in figures.items())
        for name, figures in (
            ("cash", {"amount": 6e6, "at_once": 1.0}),
            ("treasuries", {"amount": 10e6, "delay_hours": 48.0, "annual_yield": 0.05}),
            ("steth", {"amount": 5e6, "delay_hours": 120.0, "annual_yield": 0.03, "par_out": 1.0, "follows_collateral": 1.0}),
            ("locked", {"amount": 4e6, "reachable": 0.0, "counts": 0.8}),
        )
    )
    tables = load_study(written(tmp_path, keyed, caps=CAPS))
    assert tables.hash == four.hash
    one, other = (simulate(each.current, each, paths=2).columns for each in (four, tables))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    figures = f"deposited = {said(5e6)}\nrate = {said(0.05)}\n"
    hashes = {load_study(written(tmp_path, (), more=f"[{table}]\n{figures}")).hash for table in ("liability", "amos.savings")}
    assert len(hashes) == 1
    assert four.hash not in hashes


def test_a_setting_at_what_calm_holds_is_no_other_study(four: Study, tmp_path: Path) -> None:
    def moved(value: float) -> str:
        defaults = f"[scenario_defaults]\nset = {{ cash-asset_price_sd = {value} }}\n\n[[scenario]]"
        return load_study(written(tmp_path, study=lambda text: text.replace("[[scenario]]", defaults, 1))).hash

    assert moved(0.0) == four.hash != moved(0.01)


def test_caps_are_searched_set_and_read_wherever_parameters_are(four: Study, tmp_path: Path) -> None:
    path = written(
        tmp_path, study=lambda text: text.replace("[search.space]", "[search.space]\ntreasuries-asset.cap = { low = 0.0, high = 0.4 }")
    )
    study = load_study(path)
    assert "treasuries-asset.cap" in study.search.space
    assert load_parameters(path.parent / "parameters" / "minimal.toml", study.state).values() == four.current.values()
    assert PARAMETERS["treasuries-asset.cap"].share_of == "collateral"
    found = load_study(path, overrides={"current.treasuries-asset.cap": 0.11})
    assert found.current.values()["treasuries-asset.cap"] == 0.11
    assert (
        load_study(
            written(
                tmp_path,
                study=lambda text: text.replace(
                    'minimal.toml"\n\n[current]', 'minimal.toml"\nset = { amos.cash-asset.amount = 1e6 }\n\n[current]'
                ),
            )
        ).state.collateral_usd
        < four.state.collateral_usd
    )


def test_an_open_door_is_paid_by_what_is_had_at_once(tmp_path: Path) -> None:
    """`validate` warns of a door behind which nothing pays; behind one with an asset that pays at once it does not. No word of an asset counts as a figure that was read."""
    assert any("every figure is assumed" in each.message for each in cautions_of(written(tmp_path)))
    for access, warned in ((NOW, False), (after(24.0), True)):
        told = cautions_of(written(tmp_path, asset("thing", access, 30e6), idle=0.0, caps={"thing": 0.5}))
        assert any("nothing can pay" in each.message for each in told) is warned


# -- what is refused ------------------------------------------------------------------------------------------------------------------

GOOD = asset("bills", after(48.0), 1e6)
REFUSED: dict[str, tuple[str, str, str, str]] = {
    # what is wrong: (assets, key, message, what is said to be allowed or near)
    "no name": (GOOD.replace('name = "bills"\n', ""), "asset[1]", "without a name", "small letters and digits"),
    "a name that no parameter could have": (GOOD.replace('"bills"', '"T-Bills"'), "asset[T-Bills]", "without a name", "small letters and digits"),
    "two of one name": (GOOD + GOOD, "asset[bills].name", "two assets", "a name of its own"),
    "a table's name": (GOOD.replace('"bills"', '"collateral"'), "amos.collateral-asset", "a name that is taken", "a name of its own"),
    "an AMO's name": (GOOD.replace('"bills"', '"aave"'), "amos.aave-asset", "a name that is taken", "a name of its own"),
    "no access": (GOOD.replace(f"access = {after(48.0)}\n", ""), "asset[bills]", "does not say how", '"never"'),
    "an unknown access": (GOOD.replace(f"access = {after(48.0)}", 'access = "nevr"'), "asset[bills].access", "no such access", "'never'"),
    "an access that is a number": (GOOD.replace(f"access = {after(48.0)}", "access = 5"), "asset[bills].access", "no such access", "delay_hours"),
    "another key in it": (GOOD.replace("delay_hours", "delay_days"), "asset[bills].access", "no such access", "delay_hours"),
    "what borrowers leave": (GOOD.replace(f"access = {after(48.0)}", 'access = "market"'), "asset[bills].access", "not said as an asset", "lend-collateral"),
    "what borrowers repay": (GOOD.replace(f"access = {after(48.0)}", 'access = "repaid"'), "asset[bills].access", "not said as an asset", "[amos.borrowers]"),
    "an unknown price": (GOOD.replace('"unit"', '"colateral"'), "asset[bills].price", "no such price", "'collateral'"),
    "counts above 1": (GOOD + f"counts = {figure_of(1.2)}\n", "amos.bills-asset.counts.value", "out of range", "1"),
    "counts below 0": (GOOD + f"counts = {figure_of(-0.2)}\n", "amos.bills-asset.counts.value", "out of range", "0"),
    "a delay without a source": (GOOD.replace(after(48.0), "{ delay_hours = { value = 5 } }"), "amos.bills-asset.delay_hours", "where it comes from", "source"),
    "no amount": (GOOD.replace(f"amount = {said(1e6)}\n", ""), "amos.bills-asset.amount", "missing", "what is held of it"),
    "a figure that an asset has not": (GOOD + f"yield = {said(0.1)}\n", "amos.bills-asset.yield", "unknown key", "annual_yield"),
    "a delay said twice": (GOOD + f"delay_hours = {said(1.0)}\n", "asset[bills].delay_hours", "twice", "once"),
}  # fmt: skip


def refused(path: Path) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        load_study(path)
    return list(caught.value.problems)


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_told_with_its_place(tmp_path: Path, what: str) -> None:
    """File, key, and what would do; alone."""
    assets, where, message, allowed = REFUSED[what]
    path = written(tmp_path, assets, caps={})
    found = [each for each in refused(path) if Path(each.file).parent.name == "states"]
    assert [each.where for each in found] == [where], found
    assert message in found[0].message
    assert allowed in f"{found[0].allowed} {found[0].hint}"
    assert found[0].line is not None or found[0].message == "missing"
    assert "\n" not in str(found[0])
    assert where in [each.where for each in validate_file(path.parent / "states" / "minimal.toml")]


def test_an_asset_by_a_pool_s_name_is_refused(tmp_path: Path) -> None:
    pools = GOOD.replace('"bills"', '"usdt"') + "[pools.usdt]\n" + "".join(f"{key} = {said(value)}\n" for key, value in (("stablecoin", 1e6), ("opposite", 1e6), ("amplification", 500.0), ("fee", 0.0004), ("admin_fee", 0.5)))  # fmt: skip
    path = written(tmp_path, pools, caps={})
    state = path.parent / "states" / "minimal.toml"
    state.write_text('pool_name = "usdc"\n' + state.read_text(encoding="utf-8"), encoding="utf-8")
    assert "amos.usdt-asset" in [each.where for each in validate_file(state)]


def test_both_liabilities_are_refused(tmp_path: Path) -> None:
    figures = f"deposited = {said(5e6)}\nrate = {said(0.05)}\n"
    found = refused(written(tmp_path, (), more=f"[liability]\n{figures}[amos.savings]\n{figures}"))
    assert [each.where for each in found if "twice" in each.message] == ["liability"]


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("[[scenario]]", "[scenario_defaults]\nset = { gold-asset_price_sd = 0.1 }\n[[scenario]]", "scenario_defaults.set.gold-asset_price_sd"),
        ("weight = 0.1", "weight = 0.1\nset = { gold-asset_gate_hours = 5 }", "scenario[fast-run].set.gold-asset_gate_hours"),
        ("weight = 0.1", 'weight = 0.1\nwaypoints = { gold-asset = { source = "a test\'s", points = [[0, 1], [5, 0.9]] } }', "scenario[fast-run].waypoints.gold-asset"),
        ("[search.space]", "[search.space]\ngold-asset.cap = { low = 0, high = 0.2 }", "search.space.gold-asset.cap"),
        ("[simulation]", "gold-asset.cap = 0.1\n[simulation]", "current.gold-asset.cap"),
        ("[[scenario]]", "[scenario_defaults]\nset = { cash-asset_price_sdd = 0.1 }\n[[scenario]]", "scenario_defaults.set"),
    ],
)  # fmt: skip
def test_what_is_said_of_an_asset_that_is_not_there_is_refused(tmp_path: Path, old: str, new: str, where: str) -> None:
    found = refused(written(tmp_path, study=lambda text: text.replace(old, new, 1)))
    assert [each.where for each in found] == [where], found
    assert where.endswith("set") or "does not have" in found[0].message


def test_a_cap_that_is_missing_or_of_nothing_is_refused(tmp_path: Path) -> None:
    assert [each.where for each in refused(written(tmp_path, caps=dict.fromkeys(FOUR[:3], 0.1)))] == ["locked-asset.cap"]
    assert [each.where for each in refused(written(tmp_path, FOUR[:3], caps=dict.fromkeys(FOUR, 0.1)))] == ["locked-asset.cap"]
