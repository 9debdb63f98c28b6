"""Histories as they are read: rows on the hourly grid, everything wrong named, episodes as their files say."""

from __future__ import annotations

import numpy as np
import pytest

from amo_opt.errors import AmoOptError, InputError
from amo_opt.stress.catalogue import MAX_POINTS, load_scenario
from amo_opt.stress.history import MAX_HOURS, episode_names, load_episode, read_history
from amo_opt.stress.table import COMPARED

HEAD = "timestamp,usdc,price\n"


@pytest.fixture
def read(tmp_path):
    def reading(text):
        path = tmp_path / "recorded.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_history(path)

    return reading


def test_a_driver_holds_until_its_next_value(read):
    """Rows at 0, 2.4 and 5 h: the value of hour 2 is the second row's, hours 3 and 4 repeat it."""
    found = read(HEAD + "2023-03-10T22:00:00Z,1,\n2023-03-11T00:24:00Z,0.9,0.95\n2023-03-11T03:00:00Z,0.8,\n")
    assert found.drivers["usdc"].tolist() == [1.0, 1.0, 0.9, 0.9, 0.9, 0.8]
    assert (found.real["price"].hours.tolist(), found.real["price"].last.tolist()) == ([2], [0.95])


def test_before_the_first_value_there_is_none(read):
    """NaN up to it (calm's takes its place), and said with the row's number."""
    found = read(HEAD + "2023-03-10T22:00:00Z,,1\n2023-03-11T00:00:00Z,0.9,1\n")
    assert np.isnan(found.drivers["usdc"][:2]).all()
    assert found.notes == ("usdc: empty up to row 3; calm's until then",)


def test_times_are_utc_whatever_their_offset(read):
    """22:00 at +01:00 is 21:00 UTC; a time without an offset is UTC; a mark at the file's beginning and CRLF do not matter."""
    found = read("\ufefftimestamp,usdc\r\n2023-03-10 22:00+01:00,1\r\n2023-03-10T22:00,1\r\n")
    assert (found.start.isoformat(), found.hours) == ("2023-03-10T21:00:00+00:00", 2)


def test_a_daily_exit_is_spread_over_its_hours(read):
    """24 hours of a share of 22.7% a day leave 77.3%, and the notes say it was given."""
    found = read("timestamp,holders_exit\n2023-03-10T00:00:00Z,0.227\n2023-03-10T23:00:00Z,0.227\n")
    assert np.prod(1.0 - found.drivers["holders_exit"]) == pytest.approx(1.0 - 0.227, rel=1e-12)
    assert any("taken as given" in note for note in found.notes)


def test_a_long_gap_is_named_with_its_rows(read):
    """More than a day between two values of a driver."""
    found = read(HEAD + "2023-03-10T00:00:00Z,1,\n2023-03-11T01:00:00Z,1,\n2023-03-12T01:00:00Z,1,\n")
    assert found.notes == ("usdc: no value for 25 h between rows 2 and 3; held",)


@pytest.mark.parametrize(
    "inner", ["01:00:00Z,0.90,0.90\n2023-03-11T01:10:00Z,0.999,0.999", "01:00:00Z,0.999,0.999\n2023-03-11T01:10:00Z,0.90,0.90"]
)
def test_an_hour_keeps_the_low_of_its_rows_whichever_comes_first(read, inner):
    """The trough of 0.90 drives and is recorded; the mean and the last row are kept beside it, and a note says how rows were folded."""
    found = read(HEAD + f"2023-03-11T00:00:00Z,1,1\n2023-03-11T{inner}\n2023-03-11T03:00:00Z,1,1\n")
    price = found.real["price"]
    last = float(inner.rsplit(",", 1)[1])
    assert (price.hours.tolist(), price.low.tolist()) == ([0, 1, 3], [1.0, 0.9, 1.0])
    assert price.mean.tolist() == pytest.approx([1.0, 0.9495, 1.0], abs=1e-15)
    assert price.last.tolist() == [1.0, last, 1.0]
    assert found.drivers["usdc"].tolist() == [1.0, 0.9, last, 1.0]  # held on from where the hour was left
    assert (
        "1 hour holds several rows (the first: 1 h, from row 3 on): drivers' prices and the lowest price take the hour's low"
        in found.notes[0]
    )


def test_an_hours_exits_are_their_mean_and_its_gate_as_it_was_left(read):
    """A share a day has no trough, and a gate is open or not."""
    rows = "2023-03-11T00:00:00Z,0.1,0\n2023-03-11T00:10:00Z,0.3,1\n2023-03-11T01:00:00Z,0.3,0\n2023-03-11T01:20:00Z,,1\n"
    found = read(f"timestamp,holders_exit,gate\n{rows}")
    assert (1.0 - found.drivers["holders_exit"]) ** 24 == pytest.approx([0.8, 0.7], rel=1e-12)
    assert found.drivers["gate"].tolist() == [1.0, 1.0]


def test_one_row_an_hour_is_not_folded(read):
    """Low, mean and last are its very number, and no note speaks of folding."""
    found = read(HEAD + "2023-03-11T00:00:00Z,1,0.1\n2023-03-11T01:00:00Z,0.9,0.3\n")
    price = found.real["price"]
    assert price.low.tolist() == price.mean.tolist() == price.last.tolist() == [0.1, 0.3]
    assert found.notes == ()


def test_what_a_replay_does_not_use_is_named(read):
    """Columns that only fits know, columns of an export, and rows that the file rules out."""
    found = read("timestamp,price,outflow_share,volume,flag\n2023-03-11,1,0.1,5,ok\n2023-03-12,0.5,0.2,5,outlier\n2023-03-13,1,,5,ok\n")
    assert found.notes == ("not used: volume", "not used by a replay: outflow_share", "1 row not used: the file says so (flag)")
    assert found.real["price"].hours.tolist() == [0, 48]


def test_lp_tokens_of_the_base_are_counted_at_their_virtual_price(read):
    """3CRV times its virtual price: dollars, as `pool_base` is in a replay."""
    found = read("timestamp,frax,3crv,virtual_price_3crv\n2022-01-01,100,100,1.02\n2022-01-02,90,110,1.03\n")
    assert found.real["pool_base"].last.tolist() == pytest.approx([102.0, 113.3], rel=1e-12)
    assert found.real["pool_stable"].last.tolist() == [100.0, 90.0]


FIRST = "2023-03-10T22:00:00Z,1,1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["header", "no column 'timestamp'"]),
        ("timestamp\n2023-03-10T22:00:00Z\n", ["no usable column"]),
        ("timestamp,usd\n", ["unknown column", "'usd'", "usdc"]),
        ("timestamp,usdc,usdc\n", ["named twice"]),
        (HEAD + FIRST, ["too few rows", "found 1", "at least 2"]),
        (HEAD + FIRST + FIRST, [":3: timestamp", "the same time"]),
        (HEAD + FIRST + "2023-03-10T21:00:00Z,1,1\n", [":3: timestamp", "earlier than the row before"]),
        (HEAD + FIRST + "yesterday,1,1\n", [":3: timestamp", "not a time", "'yesterday'", "ISO 8601"]),
        (HEAD + "0001-01-01T00:00:00+05:00,1,1\n", [":2: timestamp", "not a time"]),
        ("timestamp,usdcc\n", ["unknown column", "did you mean 'usdc'?"]),
        (HEAD + FIRST + "2223-03-10T22:00:00Z,1,1\n", [":3: timestamp", "too long", str(MAX_HOURS)]),
        (HEAD + FIRST + "2023-03-10T23:00:00Z,99,1\n", [":3: usdc", "'99'", "0.01 to 10"]),
        (HEAD + FIRST + "2023-03-10T23:00:00Z,1,nan\n", [":3: price", "'nan'", "0 to 10"]),
        (HEAD + FIRST + "2023-03-10T23:00:00Z,1\n", [":3: ", "wrong number of cells", "found 2", "allowed: 3"]),
        ("timestamp,gate\n2023-03-10T22:00:00Z,0.5\n", [":2: gate", "'0.5'", "0 or 1"]),
        (HEAD + "2023-03-10T22:00:00Z,,\n2023-03-10T23:00:00Z,,\n", ["every cell"]),
        (b"\xff\xfe\x00", ["not text", "UTF-8"]),
    ],
)
def test_what_is_wrong_is_named(read, text, said):
    """File, row, column, value found, what is allowed."""
    with pytest.raises(InputError) as error:
        read(text)
    assert "recorded.csv" in str(error.value)
    for part in said:
        assert part in str(error.value)


def test_many_problems_end_in_their_number(read):
    """A file wrong everywhere does not fill the screen."""
    with pytest.raises(InputError, match="and 42 more") as error:
        read(HEAD + "".join(f"2023-03-10T{hour:02d}:{minute:02d}:00Z,x,1\n" for hour in range(10) for minute in range(0, 50, 10)))
    assert len(error.value.problems) == 9


def test_a_missing_file_is_an_error_of_ours(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_history(tmp_path / "nowhere.csv")


def test_an_episode_drives_with_the_catalogues_waypoints():
    """Every whole-hour waypoint of USDC is passed, redemptions are gated as long as the entry says, and few points are recorded."""
    entry = load_scenario("svb-2023")
    found = load_episode("svb-2023")
    for hour, value in entry.waypoints["usdc"]:
        if hour < found.hours:
            assert found.drivers["usdc"][int(hour)] == pytest.approx(value, rel=1e-12)
    assert np.flatnonzero(found.drivers["gate"] == 0.0).tolist() == list(range(int(entry.settings["gate_hours"])))
    assert found.base_coins == 1.0
    assert "holders_exit" not in found.drivers


def test_contagion_lets_leave_what_was_fitted():
    """Hour by hour the shares make 22.7, 9.5 and 6.0% a day."""
    stay = 1.0 - load_episode("ust-contagion-2022").drivers["holders_exit"]
    assert [1.0 - float(np.prod(stay[day : day + 24])) for day in (0, 24, 48, 72)] == pytest.approx([0.227, 0.095, 0.06, 0.0], abs=1e-12)


@pytest.mark.parametrize("name", episode_names())
def test_every_figure_of_an_episode_has_an_origin(name):
    """A source, or the assumption with its range; recorded columns are known and short."""
    found = load_episode(name)
    for figure in found.state.values():
        assert (figure.source is None) != (figure.assumed is None)
        if figure.assumed is not None:
            assert figure.low <= figure.value <= figure.high
    for column, real in found.real.items():
        assert column in COMPARED
        assert real.hours.size <= MAX_POINTS


def test_an_unknown_episode_names_those_there_are():
    with pytest.raises(AmoOptError, match="found 'svb'; allowed: svb-2023, ust-contagion-2022"):
        load_episode("svb")
