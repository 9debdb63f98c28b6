"""Rows of a CSV file, and the wording that both kinds of history share."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from amo_opt.errors import InputError
from amo_opt.stress.csv_file import read_rows, time_of
from amo_opt.stress.history import read_history
from amo_opt.stress.table import read_table


def test_rows_keep_their_line_and_lose_what_is_empty(tmp_path):
    """Cells are stripped, empty rows left out, a byte order mark is none of the header."""
    file = tmp_path / "a.csv"
    file.write_bytes("\ufeffa, b\n\n1 ,2\n,\n3,4\n".encode())
    assert read_rows(file, "a.csv") == [(1, ["a", "b"]), (3, ["1", "2"]), (5, ["3", "4"])]


def test_a_time_without_an_offset_is_utc():
    """And one with an offset is brought to it."""
    assert time_of("2022-05-11T02:00:00+02:00") == time_of("2022-05-11") == datetime(2022, 5, 11, tzinfo=UTC)
    assert time_of("tomorrow") is None


@pytest.mark.parametrize(
    "cell",
    ["2022-05-08", "2022-05-08 00:00:00 UTC", "2022-05-08 00:00:00.000 UTC", "2022-05-08 00:00 UTC", "2022-05-08T00:00:00.000Z",
     "1651968000", "1651968000.0", "1651968000000"],
)  # fmt: skip
def test_times_as_exports_write_them(cell):
    """ISO 8601, with the word UTC as CoinGecko and Dune write it, Unix seconds and milliseconds: all the same midnight."""
    assert time_of(cell) == datetime(2022, 5, 8, tzinfo=UTC)


@pytest.mark.parametrize("year", range(2009, 2100, 13))
def test_unix_times_are_understood_from_2009_on(year):
    """Seconds and milliseconds of every hour's first instant; a second before 2009 there is no chain."""
    time = datetime(year, 1, 1, tzinfo=UTC)
    assert time_of(str(int(time.timestamp()))) == time_of(str(1000 * int(time.timestamp()))) == time


@pytest.mark.parametrize(
    "cell",
    ["14750801", "20220508", "1652-01-02", "2008-12-31T23:59:59Z", "1230767999", "1230767999000", "165201020000", "16520102000000000", "-1651968000",
     "1.65e9", "2022-05-08 00:00+02:00 UTC", "UTC", "", "٢٠٢٢"],
)  # fmt: skip
def test_digits_of_another_kind_are_no_time(cell):
    """Block numbers, digits that ISO 8601 reads as a day, other lengths, and anything before 2009."""
    assert time_of(cell) is None


@pytest.mark.parametrize(("sign", "named"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_cells_separated_by_another_sign_are_named(tmp_path, sign, named):
    """And what to do; a file of one column is none of these."""
    file = tmp_path / "a.csv"
    file.write_text(
        sign.join(["timestamp", '"price"', "supply"]) + "\n" + sign.join(["2022-05-09 00:00", "1,0003", "2709187243,83"]) + "\n"
    )
    with pytest.raises(InputError) as error:
        read_rows(file, "a.csv")
    assert (
        str(error.value)
        == f"a.csv:1: header: cells are separated by {named}; allowed: commas; save it with commas between cells and points in decimals"
    )
    file.write_text("timestamp\n2022-05-09\n")
    assert read_rows(file, "a.csv")[0] == (1, ["timestamp"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"timestamp,prise\n2022-01-01,1\n", "unknown column; found 'prise'"),
        (b"timestamp,price,price\n2022-01-01,1,1\n", "column named twice; found 'price'"),
        (b"timestamp,price\n2022-01-01,1,1\n2022-01-02,1,1\n", "wrong number of cells; found 3; allowed: 2"),
        (b"\xff\xfe\x00", "not text; allowed: a CSV file in UTF-8"),
        (None, "no such file or directory; allowed: a CSV file"),
    ],
)
def test_a_history_to_replay_and_one_to_fit_are_refused_in_the_same_words(tmp_path, text, said):
    """Whichever command reads the file."""
    file = tmp_path / "history.csv"
    if text is not None:
        file.write_bytes(text)
    for read in (read_history, read_table):
        with pytest.raises(InputError) as error:
            read(file)
        assert said in str(error.value)


def test_what_is_no_file_of_a_sensible_size_is_refused(tmp_path):
    """A pipe that nobody writes to, and 64 GB of nothing."""
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(InputError, match="is a pipe, not a file"):
        read_rows(tmp_path / "a.csv", "a.csv")
    with (tmp_path / "b.csv").open("wb") as file:
        file.truncate(64 * 2**30)
    with pytest.raises(InputError, match="is too large"):
        read_rows(tmp_path / "b.csv", "b.csv")
