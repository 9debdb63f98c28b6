"""A history on UTC's clock: what an hour's reading is, how long it is held, and what the exit asset makes of a price."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from amo_opt.errors import AmoOptError
from amo_opt.stableswap.depth import Pool
from amo_opt.stress.hourly import record_of
from amo_opt.stress.table import read_table


@pytest.fixture
def read(tmp_path):
    def make(text, name="made.csv"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return read_table(file)

    return make


def test_an_hour_has_its_rows_or_the_last_before(read):
    """Low and high of its own; without any the last."""
    record = record_of(read("timestamp,price\n2022-05-01T10:10:00Z,1.0\n2022-05-01T10:50:00Z,0.98\n2022-05-01T13:05:00Z,0.99\n"))
    assert (record.start.isoformat(), record.hours) == ("2022-05-01T10:00:00+00:00", 4)
    assert record.series["price"].low.tolist() == [0.98, 0.98, 0.98, 0.99]
    assert record.series["price"].high.tolist() == [1.0, 0.98, 0.98, 0.99]
    assert record.time(3).hour == 13


def test_a_reading_is_held_for_so_long_and_no_longer(read):
    """Then it is not known."""
    record = record_of(read("timestamp,price\n2022-05-01T00:00:00Z,1.0\n2022-05-01T06:00:00Z,0.9\n"), hold=2)
    assert np.isnan(record.series["price"].low).tolist() == [False, False, False, True, True, True, False]


def test_rows_that_the_file_rules_out_are_no_readings(read):
    """Nor is a price of 0, at which nothing traded."""
    text = "timestamp,price,use\n2022-05-01T00:00:00Z,1.0,ok\n2022-05-01T01:00:00Z,0.9,outlier\n2022-05-01T02:00:00Z,0,ok\n2022-05-01T03:00:00Z,0.99,ok\n"
    assert record_of(read(text)).series["price"].low.tolist() == [1.0, 1.0, 1.0, 0.99]


POOL = "timestamp,pool_stable,pool_base,base_virtual_price\n2022-05-01T00:00:00Z,60,38,1.05\n2022-05-01T01:00:00Z,70,38,1.05\n"


def test_a_pool_alone_has_its_own_price(read):
    """The marginal one at A, and the share with the other side at its virtual price; a column of A goes before the argument."""
    record = record_of(read(POOL), amplification=200.0)
    assert record.series["pool_share"].low.tolist() == pytest.approx([60 / (60 + 38 * 1.05), 70 / (70 + 38 * 1.05)])
    assert record.series["price"].low[1] == Pool(stablecoin=70.0, base=38 * 1.05, amplification=200.0).price
    assert any("worked out from the balances" in note for note in record.notes)
    own = record_of(read(POOL.replace("price\n", "price,amplification\n").replace("1.05\n", "1.05,10\n")), amplification=200.0)
    assert own.series["price"].low[1] == Pool(stablecoin=70.0, base=38 * 1.05, amplification=10.0).price


def test_a_pool_beside_prices_is_read_where_they_overlap(read):
    """Elsewhere its share is not known."""
    prices = read("timestamp,price\n" + "".join(f"2022-05-01T0{hour}:00:00Z,1.0\n" for hour in range(6)), "prices.csv")
    record = record_of(prices, pool=read(POOL), hold=3)
    assert np.isnan(record.series["pool_share"].low).tolist() == [False] * 5 + [True]
    with pytest.raises(AmoOptError, match=r"made\.csv: shares no hour with prices\.csv"):
        record_of(prices, pool=read(POOL.replace("2022", "2021")))


def test_the_exit_asset_is_worth_at_most_1(read):
    """A price over it, and bp below; of another file, or of the history's own column; without one it counts as 1, and a note says so."""
    exits = read("timestamp,price\n2022-05-01T00:00:00Z,1.02\n2022-05-01T01:00:00Z,0.9\n", "exit.csv")
    prices = "timestamp,price\n2022-05-01T00:00:00Z,0.99\n2022-05-01T01:00:00Z,0.89\n"
    record = record_of(read(prices), exit_asset=exits)
    assert record.series["price_over_exit"].low.tolist() == pytest.approx([0.99, 0.89 / 0.9])
    assert record.series["shortfall_bps"].high.tolist() == pytest.approx([100.0, 1e4 * (1 - 0.89 / 0.9)])
    assert record.series["par_shortfall_bps"].high.tolist() == pytest.approx([100.0, 1100.0])
    own = record_of(read("timestamp,price,usdc\n2022-05-01T00:00:00Z,0.99,1.02\n2022-05-01T01:00:00Z,0.89,0.9\n"))
    assert own.series["price_over_exit"].low.tolist() == record.series["price_over_exit"].low.tolist()
    alone = record_of(read(prices))
    assert alone.series["price_over_exit"].low.tolist() == [0.99, 0.89]
    assert any("counts as 1" in note for note in alone.notes)
    assert any("counts as 1" in note for note in record_of(read(prices), exit_asset=read(prices.replace("2022", "2021"), "old.csv")).notes)


def test_a_price_above_is_a_distance_and_no_shortfall(read):
    """To either side, whichever is further in the hour."""
    text = "timestamp,price\n2022-05-01T00:10:00Z,1.02\n2022-05-01T00:20:00Z,0.99\n2022-05-01T01:00:00Z,1.03\n"
    series = record_of(read(text)).series
    assert series["distance_bps"].high.tolist() == pytest.approx([200.0, 300.0])
    assert series["distance_bps"].low.tolist() == pytest.approx([0.0, 300.0])
    assert series["shortfall_bps"].high.tolist() == pytest.approx([100.0, 0.0])
    assert series["shortfall_bps"].low.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("timestamp,supply\n2022-05-01,5\n2022-05-02,5\n", "no column of prices and no pool balances"),
        (POOL, "--amplification"),
        (
            POOL.replace("price\n", "price,amplification\n").replace("1.05\n", "1.05,1000000\n"),
            "line 2: amplification",
        ),
        ("timestamp,price\n2022-05-01,\n2022-05-02,\n", "no hour has a price"),
        ("timestamp,price\n2010-05-01,1\n2050-05-02,1\n", "hours from first to last row"),
        ("asset,price\nX,1\n", "timestamp"),
    ],
)
def test_what_is_no_history_is_refused(read, text, fragment):
    """In one sentence that names the file."""
    with pytest.raises(AmoOptError, match=fragment) as refused:
        record_of(read(text))
    assert "made.csv" in str(refused.value)


def test_files_of_another_kind_are_refused(read):
    """A pool without balances, an exit asset without a price."""
    prices = read("timestamp,price\n2022-05-01,1\n2022-05-02,1\n", "prices.csv")
    with pytest.raises(AmoOptError, match=r"prices\.csv: no pool balances"):
        record_of(prices, pool=prices)
    with pytest.raises(AmoOptError, match=r"made\.csv: no column of prices"):
        record_of(prices, exit_asset=read(POOL))


def test_nothing_is_known_of_an_hour_that_nobody_recorded(read):
    """Not a number, and not the last one."""
    record = record_of(read("timestamp,price\n2022-05-01T00:00:00Z,1.0\n2022-05-09T00:00:00Z,0.9\n"))
    known = np.isfinite(record.series["price"].low)
    assert known.sum() == 50
    assert math.isnan(record.series["price_over_exit"].low[100])


def test_a_record_is_cut_by_the_clock(read):
    """From a day on and before another, hours outside it are none; nothing left is refused."""
    text = "timestamp,price\n" + "".join(f"2022-05-{day:02d}T12:00:00Z,1.{day:02d}\n" for day in range(1, 10))
    whole = record_of(read(text))
    part = whole.between(datetime(2022, 5, 3, tzinfo=UTC), datetime(2022, 5, 5, tzinfo=UTC))
    assert (part.start, part.hours) == (datetime(2022, 5, 3, tzinfo=UTC), 48)
    assert part.series["price"].low[[0, 11, 12, 47]].tolist() == [1.02, 1.02, 1.03, 1.04]
    assert whole.between(None, None).hours == whole.hours
    assert (
        whole.between(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)).series["price"].low.tolist()
        == whole.series["price"].low.tolist()
    )
    for since, until in ((2030, None), (None, 2020)):
        with pytest.raises(AmoOptError, match="no hour with a price is left"):
            whole.between(since and datetime(since, 1, 1, tzinfo=UTC), until and datetime(until, 1, 1, tzinfo=UTC))
