import math

import numpy as np
import pytest
from scipy.stats import t as student

from amo_opt.errors import AmoOptError
from amo_opt.stress import load_scenario
from amo_opt.stress.draws import draw_inputs, moving_inputs, noises_of
from amo_opt.stress.settings import SETTINGS
from amo_opt.stress.spells import busy_days, by_hours, deviations, draw_spells, share_busy
from amo_opt.stress.streams import Streams
from amo_opt.stress.tilts import UNPUSHED, Design, Tilt
from amo_opt.stress.twins import KeptStreams, TwinStreams
from tests.stress.spells_twin import spells_of_a_path

FITTED = {
    "spell_begin": 0.11, "spell_end": 0.23, "spell_flow_scale": 0.006, "spell_flow_times": 3.4, "spell_flow_freedom": 2.1,
    "spell_reversion": 0.008, "spell_lp_scale": 0.003, "spell_lp_times": 5.9, "spell_lp_freedom": 1.9, "spell_lp_per_sale": 0.58,
}  # fmt: skip
"""About what daily histories of four pools give."""
STEPS = 24 * 20 + 7


def settings(**changed: float) -> dict[str, float]:
    return {name: each.calm for name, each in SETTINGS.items() if name.startswith("spell_")} | FITTED | changed


class Recorded(Streams):
    """Streams that keep what they gave."""

    def __init__(self) -> None:
        super().__init__(5, "search", "calm")
        self.gave: dict[str, np.ndarray] = {}

    def unpushed_normals(self, paths: range, purpose: str, *, steps: int) -> np.ndarray:
        self.gave[purpose.removeprefix("spell-")] = found = super().unpushed_normals(paths, purpose, steps=steps)
        return found.copy()


@pytest.mark.parametrize("changed", [{}, {"spell_most": 0.004}, {"spell_begin": 0.0}, {"spell_reversion": 2.0, "spell_lp_per_sale": 3.0}])
def test_as_its_naive_twin(changed: dict[str, float]) -> None:
    """Every hour of some paths is what the plain recursion says."""
    streams, own = Recorded(), settings(**changed)
    flow, change = draw_spells(own, streams, paths=range(3, 9), steps=STEPS)
    assert set(streams.gave) == {purpose.removeprefix("spell-") for purpose in UNPUSHED}
    for row in range(6):
        _, flows, changes = spells_of_a_path(own, {name: rows[row] for name, rows in streams.gave.items()}, STEPS)
        np.testing.assert_allclose(flow[row], flows, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(change[row], changes, rtol=1e-9, atol=1e-15)


def test_share_of_time_busy_and_length_of_a_spell() -> None:
    """b/(b + e) of days are busy from the first on, and a spell lasts 1/e days."""
    busy = busy_days(np.random.default_rng(1).standard_normal((4000, 120)), begin=0.11, end=0.23)
    assert share_busy(0.11, 0.23) == pytest.approx(0.11 / 0.34)
    for day in (0, 60, 119):
        assert busy[:, day].mean() == pytest.approx(0.11 / 0.34, abs=0.025)
    begun = busy[:, 1:60] & ~busy[:, :59]
    lengths = [busy[row, day + 1 :].argmin() for row, day in np.argwhere(begun) if not busy[row, day + 1 :].all()]
    assert np.mean(lengths) == pytest.approx(1 / 0.23, rel=0.02)
    assert not busy_days(np.full((1, 5), -9.0), begin=0.0, end=0.0).any()


def test_a_days_sum_is_students_t() -> None:
    """Its quantiles are, far out too; its variance ν/(ν − 2); and what is beyond falls with the power ν: the tail's index."""
    rng = np.random.default_rng(2)
    for freedom in (2.1, 5.0):
        a_day = deviations(rng.standard_normal((4000, 50)), freedom=freedom)
        sums = by_hours(rng.standard_normal((4000, 1200)), a_day).reshape(4000, 50, 24).sum(axis=2).ravel()
        for p in (0.6, 0.9, 0.99, 0.999):
            assert np.mean(sums < student.ppf(p, freedom)) == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / sums.size))
        largest = np.sort(np.abs(sums))[-1000:]
        hill = 1.0 / np.mean(np.log(largest / largest[0]))
        # of t the Hill estimate at a share k/n comes near ν from below
        assert hill == pytest.approx(freedom, rel=0.12)
        if freedom == 5.0:
            assert sums.var() == pytest.approx(5 / 3, rel=0.05)


def test_variance_of_the_mixture() -> None:
    """A day's flow and change have scale² ν/(ν − 2) (1 − π + π times²), and the change what is taken along besides."""
    own = settings(spell_flow_freedom=6.0, spell_lp_freedom=7.0, spell_reversion=0.0)
    flow, change = draw_spells(own, Streams(1, "search", "calm"), paths=range(3000), steps=24 * 20)
    days = flow.reshape(3000, 20, 24).sum(axis=2)
    busy = 0.11 / 0.34
    variance = 0.006**2 * 6 / 4 * (1 - busy + busy * 3.4**2)
    assert days.var() == pytest.approx(variance, rel=0.06)
    logs = np.log1p(change).reshape(3000, 20, 24).sum(axis=2)
    along = 0.58**2 * 0.006**2 * 6 / 4 * busy * 3.4**2
    assert logs.var() == pytest.approx(0.003**2 * 7 / 5 * (1 - busy + busy * 5.9**2) + along, rel=0.06)
    assert np.mean(days * logs) == pytest.approx(along / 0.58, rel=0.1)


def test_what_holders_netted_returns() -> None:
    """At a rate of κ a day the sum of flows of one large first hour has e^−κ of it left a day later."""
    own = settings(spell_begin=0.0, spell_reversion=0.5, spell_flow_freedom=1e6, spell_lp_scale=0.0, spell_lp_per_sale=0.0)
    flow, change = draw_spells(own, Streams(1, "search", "calm"), paths=range(4000), steps=24 * 12)
    assert change is None
    netted = np.cumsum(flow, axis=1)
    slope = (netted[:, 200] @ netted[:, 224]) / (netted[:, 200] @ netted[:, 200])
    assert slope == pytest.approx(math.exp(-0.5), abs=0.05)


def test_a_path_does_not_depend_on_its_length_or_neighbours() -> None:
    """The first hours of a longer block are those of a shorter, and a path is the same beside any other."""
    own = settings()
    long, short = (draw_spells(own, Streams(1, "search", "calm"), paths=range(4), steps=steps) for steps in (100, 31))
    alone = draw_spells(own, Streams(1, "search", "calm"), paths=range(2, 3), steps=31)
    for one, other, third in zip(long, short, alone, strict=True):
        assert np.array_equal(one[:, :31], other)
        assert np.array_equal(other[2:3], third)


def drawn(state, scenario, streams=None):
    return draw_inputs(
        scenario, seed=1, stream="search", paths=range(4), state=state, transition_hours=24, window_hours=48, streams=streams
    )


def test_off_is_off(state) -> None:
    """Unless a scale is set no stream is drawn and no input moves; what stands beside a scale of 0 changes no bit."""
    calm = load_scenario("calm")
    inert = load_scenario("calm", settings=FITTED | {"spell_flow_scale": 0.0, "spell_lp_scale": 0.0})
    plain, beside = drawn(state, calm), drawn(state, inert)
    assert plain["lp_change"] == beside["lp_change"] == 0.0
    assert all(np.array_equal(plain[name], beside[name]) for name in plain)
    assert "lp_change" not in moving_inputs(calm)
    assert "flow" in noises_of(calm, state)


def test_on_it_stands_in_for_calm_flow_alone(state) -> None:
    """Holders' flow and the providers' change are new, everything else keeps its bits; the Gaussian flow is not drawn."""
    busy = load_scenario("calm", settings=FITTED)
    plain, spells = drawn(state, load_scenario("calm")), drawn(state, busy)
    assert {name for name in plain if not np.array_equal(plain[name], spells[name])} == {"flow", "lp_change"}
    assert "lp_change" in moving_inputs(busy)
    assert "flow" not in noises_of(busy, state)
    providers = drawn(state, load_scenario("calm", settings={"spell_lp_scale": 0.003}))
    assert np.array_equal(plain["flow"], providers["flow"])
    assert providers["lp_change"].std() > 0.0


def test_twins_share_the_spells_and_no_tilt_reaches_them(state) -> None:
    """A twin whose share token is pushed has its path's flow, kept or drawn; a tilt of the spells' own noises is refused in one sentence."""
    scenario = load_scenario("calm", settings=FITTED)
    components = ((Tilt("share", -0.1),),)
    plain = drawn(state, scenario)
    twin = TwinStreams(1, "search", scenario, components=components, component=1, opening=24)
    kept = KeptStreams(1, "search", scenario, components=components, stretches=[(1, range(4))], opening=24)
    for streams in (twin, kept, kept):
        found = drawn(state, scenario, streams)
        assert np.array_equal(found["flow"], plain["flow"])
        assert np.array_equal(found["lp_change"], plain["lp_change"])
        assert not np.array_equal(found["share_return"], plain["share_return"])
    assert np.array_equal(twin.log_ratios(4), kept.log_ratios(4))
    for noise in UNPUSHED:
        with pytest.raises(
            AmoOptError, match=rf"^tilt: {noise} is a noise of calm and busy spells, which cannot be pushed; leave it as it is drawn$"
        ):
            Design(drawn=1, components=((Tilt(noise, 1.0),),), twins=(1,))
    streams = TwinStreams(1, "search", scenario, components=((Tilt("flow", 1.0),),), component=1, opening=24)
    drawn(state, scenario, streams)
    with pytest.raises(AmoOptError, match="draws no noise 'flow'"):
        streams.log_ratios(4)
