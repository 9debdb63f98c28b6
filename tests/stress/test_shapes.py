import numpy as np
import pytest

from amo_opt.stress.series import SERIES
from amo_opt.stress.shapes import hourly_demand, hourly_share, levels, total_hazard, whole_hours

ONE = np.array([1.0])
AT_5 = np.array([5])
DIP = ((0.0, 1.0), (4.0, 0.9), (8.0, 0.98))
EXIT = ((0.0, 0.2), (24.0, 0.1), (48.0, 0.0))


def level(name: str, points: tuple[tuple[float, float], ...], *, size: float = 1.0, speed: float = 1.0) -> np.ndarray:
    return levels(points, SERIES[name], steps=40, onset=AT_5, size=size * ONE, speed=speed * ONE)[0]


def test_price_passes_through_its_waypoints() -> None:
    """Calm before onset, linear between waypoints, the last value for good."""
    price = level("usdc", DIP)
    np.testing.assert_allclose(price[[0, 4, 5, 7, 9, 11, 13, 39]], [1, 1, 1, 0.95, 0.9, 0.94, 0.98, 0.98])


@pytest.mark.parametrize("speed", [0.3, 0.77, 1.0, 1.4, 3.0])
def test_low_survives_any_speed(speed: float) -> None:
    """Stretched hours are whole, so no speed loses the low."""
    assert level("usdc", DIP, speed=speed).min() == pytest.approx(0.9)


def test_size_scales_deviations() -> None:
    """Size multiplies the deviation of a price, the log of a level, and leaves a multiple alone."""
    assert level("usdc", DIP, size=0.5).min() == pytest.approx(0.95)
    fall = ((0.0, 20.0), (10.0, 10.0))
    assert level("share_token", fall)[-1] == pytest.approx(0.5)
    assert level("share_token", fall, size=2.0)[-1] == pytest.approx(0.25)
    assert level("gas", ((0.0, 1.0), (3.0, 8.0)), size=2.0)[-1] == pytest.approx(8.0)


def test_hours_stay_in_order() -> None:
    """At a speed that would merge waypoints they keep an hour between them."""
    np.testing.assert_array_equal(whole_hours(DIP, 100.0), [0, 1, 2])


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_exits_compound_to_their_total(speed: float) -> None:
    """20% and then 10% a day leave 72% of the start, whatever the speed; nothing leaves before or after."""
    hourly = hourly_share(EXIT, steps=200, onset=AT_5, speed=speed * ONE, scale=ONE)[0]
    assert np.prod(1.0 - hourly) == pytest.approx(0.72)
    assert hourly[:5].max() == 0.0
    assert hourly[5] > 0.0
    assert hourly[5 + int(48 / speed) :].max() == 0.0
    assert np.exp(-total_hazard(EXIT)) == pytest.approx(0.72)


def test_next_to_no_exit_is_not_less_than_none() -> None:
    """Between hazards at the end of what a float holds interpolation falls by a rounding error: nobody leaves then."""
    points = ((0.0, 0.9999), (24.0, 0.0))
    assert hourly_share(points, steps=200, onset=AT_5, speed=ONE, scale=2e-323 * ONE).min() >= 0.0


def test_demand_keeps_its_total() -> None:
    """Demand of 0.1 a day over a day is 0.1 of supply, signed, scaled by size and not by speed."""
    points = ((0.0, -0.1), (24.0, 0.0))
    hourly = hourly_demand(points, steps=100, onset=AT_5, size=2.0 * ONE, speed=3.0 * ONE)[0]
    assert hourly.sum() == pytest.approx(-0.2)
    assert np.count_nonzero(hourly) == 8


def test_onset_beyond_the_block_is_calm() -> None:
    """A path whose onset lies past its last step is calm throughout."""
    late = np.array([40])
    assert (levels(DIP, SERIES["usdc"], steps=40, onset=late, size=ONE, speed=ONE) == 1.0).all()
    assert not hourly_share(EXIT, steps=40, onset=late, speed=ONE, scale=ONE).any()
    assert not hourly_demand(EXIT, steps=40, onset=late, size=ONE, speed=ONE).any()
