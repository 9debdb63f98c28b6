"""The one reader of histories: headers of public exports, limits, and rows that do not fit their neighbours."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest

from amo_opt.errors import InputError
from amo_opt.stress.csv_file import time_of
from amo_opt.stress.history import read_history
from amo_opt.stress.table import read_table


@pytest.fixture
def read(tmp_path):
    def reading(text):
        file = tmp_path / "recorded.csv"
        file.write_text(text, encoding="utf-8")
        return read_table(file)

    return reading


def refused(read, text):
    with pytest.raises(InputError) as error:
        read(text)
    return str(error.value)


def dated(values, *, column="supply"):
    return f"date,{column}\n" + "".join(f"2022-05-{day:02d},{value}\n" for day, value in enumerate(values, start=1))


CMC = "timeOpen,timeClose,timeHigh,timeLow,name,open,high,low,close,volume,marketCap,circulatingSupply,timestamp"
EXPORTS = {
    "CoinGecko": (
        "snapped_at,price,market_cap,total_volume\n2022-05-08 00:00:00 UTC,0.999,2.7e9,1e7\n",
        {"price": 0.999},
        ("not used: market_cap, total_volume",),
    ),
    "CoinMarketCap": (
        f"{CMC}\n2022-05-08T00:00:00.000Z,x,x,x,1,1,1,0.99,0.998,1e7,2.7e9,2.6e9,2022-05-08T00:00:00.000Z\n",
        {"price": 0.998, "supply": 2.6e9},
        ("not used: timeOpen, timeClose, timeHigh, timeLow, name, open, high, low, volume, marketCap",),
    ),
    "DefiLlama": (
        "Timestamp,Date,Ethereum,BSC,Total\n1651968000,2022-05-08,2.5e9,1e8,2.6e9\n",
        {"supply": 2.6e9},
        ("not used: Date, Ethereum, BSC",),
    ),
    "Dune": ("evt_block_time,price,supply\n2022-05-08 00:00:00.000 UTC,0.999,2.6e9\n", {"price": 0.999, "supply": 2.6e9}, ()),
    "Dune by hour": ("hour,Total Circulating,close\n2022-05-08 00:00,2.6e9,0.999\n", {"price": 0.999, "supply": 2.6e9}, ()),
    "pandas": (",price,volume\n2022-05-08 00:00:00+00:00,0.999,3\n", {"price": 0.999}, ("not used: volume",)),
    "Curve": (
        "Timestamp,virtual_price,mim,3crv,virtual_price_3crv,mim_share,implied_price_A2000_usd\n2022-05-08,1.005,100,90,1.02,0.52,1\n",
        {"pool_stable": 100.0, "pool_base": 90.0, "base_virtual_price": 1.02},
        ("not used: virtual_price, mim_share, implied_price_A2000_usd",),
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_headers_of_public_exports_are_known(read, name):
    """Each column under its name here, the time in UTC, and what is left out named as the file writes it."""
    text, numbers, notes = EXPORTS[name]
    found = read(text)
    assert {column: values.tolist() for column, values in found.numbers.items()} == {column: [value] for column, value in numbers.items()}
    assert found.times() == (time_of("2022-05-08"),)
    assert found.notes == notes


def test_capitals_of_a_header_do_not_matter(read):
    """And a message about the column uses the file's own word."""
    assert set(read("Timestamp,Price,USDC\n2022-05-08,1,1\n").numbers) == {"price", "usdc"}
    assert "recorded.csv:2: Close (read as price): not allowed here; found '99'" in refused(read, "Date,Close\n2022-05-08,99\n")


def test_two_columns_of_one_meaning_are_refused(read):
    """Neither is dropped without a word."""
    said = refused(read, "date,price,close\n2022-05-08,1,1\n")
    assert "two columns are read as price; found 'price' and 'close'; allowed: one of them" in said


def test_a_coins_price_is_no_pool_balance(read):
    """``frax`` is the pool's side beside the base's balance only; alone it is unknown, and said to be."""
    assert "unknown columns; found 'frax', 'frax_updates'" in refused(read, "timestamp,usdc,frax,frax_updates\n2022-05-08,1,1,0\n")


@pytest.mark.parametrize("column", ["price", "usdc", "share_price"])
def test_a_price_of_zero_is_nothing_traded(read, column):
    """It is taken as empty, and named with its row; an empty cell needs no word."""
    found = read(dated([1, 0, "", "0.0", 1], column=column))
    assert np.isnan(found.numbers[column]).tolist() == [False, True, True, True, False]
    assert found.notes == (f"{column}: 0 in 2 rows, the first of them 3, is taken as nothing traded",)


@pytest.mark.parametrize(
    ("column", "value", "hint"),
    [
        ("supply", 2_600_000_000 * 10**18, "a contract's raw integer of 18 decimals"),
        ("pool_stable", 1_300_000_000 * 10**6, "a contract's raw integer of 8 or 6 decimals"),
        ("base_virtual_price", 1_020_000_000_000_000_000, "a contract's raw integer of 18 decimals"),
        ("price", 99_990_000, "a contract's raw integer of 8 decimals"),
    ],
)
def test_raw_integers_are_refused_as_such(read, column, value, hint):
    """Once for the column that holds nothing else, by its first row, and by row where only some do; both readers alike."""
    said = refused(read, dated([value] * 5, column=column))
    assert f"recorded.csv:2: {column}: not allowed here, nor in 4 rows after it; found '{value}'" in said
    assert hint in said
    assert said.count("\n") == 0
    one = "1.01" if column in {"base_virtual_price", "price"} else str(value // 10**6 if value < 10**20 else value // 10**18)
    assert f"recorded.csv:4: {column}: not allowed here; found '{value}'" in refused(read, dated([one, one, value, one], column=column))


@pytest.mark.parametrize("column", ["supply", "pool_stable", "share_price"])
def test_a_slip_of_one_row_is_named(read, column):
    """A value ten times away from both its neighbours, to the same side: its row and theirs. Nine times is what can happen."""
    said = refused(read, dated([2.6e9, 2.5e9, 2300, 2.4e9, 2.3e9] if column == "supply" else [900, 905, 90, 910], column=column))
    assert "recorded.csv:4: " in said
    assert f"{column}: a slip of one row" in said
    assert read(dated([900, 905, 101, 910], column=column)).lines == (2, 3, 4, 5)
    assert read(dated([900, 905, 20, 19], column=column)).lines == (2, 3, 4, 5)  # a collapse that stays is what happened


def test_a_file_that_changes_its_unit_is_refused(read):
    """From tokens to millions in the middle, or in its last row: named where it changes, with what to do if it is true."""
    said = refused(read, dated([2.6e9, 2.5e9, 2500, 2400]))
    assert (
        "recorded.csv:4: supply: another unit than the row before; found 2500 after 2.5e+09; allowed: less than 300 times away; cut the file there"
        in said
    )
    assert "recorded.csv:3" in refused(read, dated([2.6e9, 2.5]))


def test_sides_of_a_pool_in_two_units_are_refused(read):
    """A base in raw integers of 6 decimals still below the limit, beside a coin in tokens."""
    head, rows = "date,pool_stable,pool_base\n", "2022-05-01,1e6,1e12\n2022-05-02,1.1e6,0.9e12\n"
    assert "pool_base: another unit than the pool's other side; found 1e+12 beside 1e+06 in pool_stable" in refused(read, head + rows)
    assert read(head + "2022-05-01,9e8,5e6\n2022-05-02,9e8,4e6\n").lines == (2, 3)  # a drained pool is none


def test_a_pool_larger_than_the_supply_is_refused_by_row(read):
    """The row, and both figures."""
    said = refused(read, "date,supply,pool_stable\n2022-05-01,2e9,1e9\n2022-05-02,2e9,3e9\n")
    assert "recorded.csv:3: pool_stable: the pool holds the whole supply; found 3e+09, with 2e+09 in supply" in said


def test_points_of_several_assets_have_no_neighbours(read):
    """Rows of different coins are not held against one another."""
    assert read("asset,date,price,supply\nA,2022-05-01,1,1e9\nB,2022-05-02,1,10\nA,2022-05-03,1,1e9\n").lines == (2, 3, 4)


def test_the_newest_row_may_stand_first(read):
    """Read from below, lines as in the file, and said; two rows the wrong way round are a mistake."""
    found = read("date,price\n2022-05-03,0.3\n2022-05-02,0.2\n2022-05-01,0.1\n")
    assert (found.numbers["price"].tolist(), found.lines) == ([0.1, 0.2, 0.3], (4, 3, 2))
    assert found.notes == ("the newest row stands first: read from the last row up",)
    with pytest.raises(InputError, match="earlier than the row before"):
        read("date,price\n2022-05-02,0.2\n2022-05-01,0.1\n").times()


def test_rows_that_lack_a_column_are_named(read):
    """By line, with the reason; what the file says not to use is one."""
    found, left = read("date,price,supply,use\n2022-05-01,1,5,\n2022-05-02,,5,\n2022-05-03,1,,\n2022-05-04,1,5,no\n").complete(
        "price", "supply"
    )
    assert (found.lines, found.numbers["price"].tolist()) == ((2,), [1.0])
    assert left == ("line 5: the file says so (use)", "line 3: no price", "line 4: no supply")


@pytest.mark.skipif("AMO_OPT_HISTORY_DIR" not in os.environ, reason="AMO_OPT_HISTORY_DIR names no folder of histories")
def test_every_recorded_series_is_read_or_refused_in_words():
    """Never an exception of another kind; what is a history of the stablecoin is read by fits, and by a replay where it is no longer than a year."""
    files = sorted(Path(os.environ["AMO_OPT_HISTORY_DIR"]).glob("*.csv"))
    read, replayed = set(), set()
    for file in files:
        for reader, found in ((read_table, read), (read_history, replayed)):
            with contextlib.suppress(InputError):
                reader(file)
                found.add(file.name)
    assert {
        "chainlink_arbitrum_frax_rounds.csv",
        "cmc_daily_usdt_2022.csv",
        "coingecko_daily_frax.csv",
        "run_intensity_points.csv",
    } <= read - replayed
    assert {"frax3crv_pool_daily.csv", "mim3crv_pool_daily_to_2022_03.csv", "nomics_30min_mim_usdc_2021_12.csv", "nomics_30min_mim_usdc_2022_01.csv",
            "nomics_30min_frax_usdc.csv", "usdc_supply_daily_2023_03.csv", "ust_supply_daily_2022_05.csv", "ust_usdt_binance_hourly_close_2022_05.csv",
            } <= read & replayed  # fmt: skip
