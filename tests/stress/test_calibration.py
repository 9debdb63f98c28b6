"""Fits give back what made the data, and say when the data cannot tell."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from amo_opt.errors import AmoOptError, InputError
from amo_opt.stress.calibration import fit_flow, fit_hazard, fit_lp_flight
from amo_opt.stress.table import read_table

START = np.datetime64("2022-01-01T00:00:00")


def write(folder, header, rows):
    file = folder / "history.csv"
    file.write_text("\n".join([header, *(",".join(str(cell) for cell in row) for row in rows)]) + "\n", encoding="utf-8")
    return file


def stamps(hours):
    return [str(START + np.timedelta64(round(hour * 3600), "s")) for hour in hours]


def by_name(found):
    return {figure.name: figure for figure in found.figures}


def share_leaving(shortfall, news, price):
    """Share gone after 24 hours of the model's hazard at a constant shortfall."""
    hourly = (news * np.clip((shortfall - 0.01) * 1000, 0, 1) + price * np.clip((shortfall - 0.01) * 25, 0, 1)) / 24
    return 1 - (1 - hourly) ** 24


def test_exact_points_give_back_both_hazard_rates(tmp_path):
    """Points made by the model's own shape, without noise: the rates to four digits, and intervals that close on them."""
    shortfall = np.array([0.0, 0.005, 0.0105, 0.012, 0.02, 0.03, 0.05, 0.10])
    rows = [("X", f"d{i}", 1 - each, share_leaving(each, 0.05, 0.30)) for i, each in enumerate(shortfall)]
    found = by_name(fit_hazard(read_table(write(tmp_path, "asset,date,price,outflow_share", rows))))
    assert found["hazard_news"].value == pytest.approx(0.05, rel=1e-4)
    assert found["hazard_price"].value == pytest.approx(0.30, rel=1e-4)
    assert found["hazard_price"].high < 0.31
    assert not found["hazard_news"].not_identified


def test_the_exit_value_is_what_the_price_is_measured_against(tmp_path):
    """The same outflows at prices and exit values 10% lower are the same fit."""
    shortfall = np.array([0.0, 0.012, 0.02, 0.03, 0.05])
    rows = [("X", "d", (1 - each) * 0.9, 0.9, share_leaving(each, 0.1, 0.2)) for each in shortfall]
    found = by_name(fit_hazard(read_table(write(tmp_path, "asset,date,price,exit_value,outflow_share", rows))))
    assert found["hazard_news"].value == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize(("shortfall", "fragment"), [([0, 0.001, 0.002, 0.003], "1% or more below"), ([0, 0.06, 0.07, 0.3], "same depth")])
def test_hazards_that_no_row_shows_are_not_identified(tmp_path, shortfall, fragment):
    """Without a run, or with runs of one depth, no TOML value is printed and the reason is."""
    rows = [("X", "d", 1 - each, 0.01 * i) for i, each in enumerate(shortfall)]
    found = fit_hazard(read_table(write(tmp_path, "asset,date,price,outflow_share", rows)))
    assert all(fragment in figure.not_identified for figure in found.figures)
    assert "value =" not in found.toml()


def test_points_that_pair_what_does_not_belong_together_are_left_out(tmp_path):
    """FRAX on 11 May 2022 and what the file marks are named with the reason, and do not move the fit."""
    good = [("X", f"d{i}", 1 - each, share_leaving(each, 0.1, 0.2), "") for i, each in enumerate([0.0, 0.012, 0.02, 0.05])]
    rows = [*good, ("FRAX", "2022-05-11", 0.98, 0.9, ""), ("Y", "e", 0.9, 0.9, "no")]
    found = fit_hazard(read_table(write(tmp_path, "asset,date,price,outflow_share,use", rows)))
    assert found.n == 4
    assert "line 6" in found.left_out[0]
    assert "burns" in found.left_out[0]
    assert "use" in found.left_out[1]
    assert by_name(found)["hazard_price"].value == pytest.approx(0.2, rel=1e-3)


def test_a_plain_history_gives_outflows_a_day_whatever_the_step(tmp_path):
    """Supply that leaves at the model's rate over steps of 12, 24 and 48 hours gives the rates back."""
    hours, supply = [0.0], [1e9]
    shortfall = [0.0, 0.0, 0.02, 0.02, 0.05, 0.05, 0.03, 0.03]
    for i, step in enumerate([24, 12, 48, 24, 12, 24, 24]):
        middle = 0.5 * (shortfall[i] + shortfall[i + 1])
        hours.append(hours[-1] + step)
        supply.append(supply[-1] * (1 - share_leaving(middle, 0.1, 0.2)) ** (step / 24))
    rows = [(time, 1 - each, amount) for time, each, amount in zip(stamps(hours), shortfall, supply, strict=True)]
    found = by_name(fit_hazard(read_table(write(tmp_path, "timestamp,price,supply", rows))))
    assert found["hazard_news"].value == pytest.approx(0.1, rel=1e-3)
    assert found["hazard_price"].value == pytest.approx(0.2, rel=1e-3)


def ou_pool(folder, *, sd, hours, n, step=24.0):
    """A pool of constant total 1e9 whose share reverts, at irregular times."""
    random = np.random.Generator(np.random.Philox(7))
    times = np.concatenate([[0.0], np.cumsum(step * random.uniform(0.6, 1.4, n - 1))])
    x = sd * random.standard_normal()
    share = [0.5 + x]
    for gap in np.diff(times):
        keep = np.exp(-gap / hours)
        x = keep * x + sd * np.sqrt(1 - keep**2) * random.standard_normal()
        share.append(0.5 + x)
    return write(
        folder, "timestamp,pool_stable,pool_base", [(t, 1e9 * s, 1e9 * (1 - s)) for t, s in zip(stamps(times), share, strict=True)]
    )


def test_a_simulated_flow_lies_in_its_interval_and_scales_with_the_supply(tmp_path):
    """Share deviations of sd 0.03 in a pool of 1e9 are 0.06 of an external supply of 5e8, over 150 hours."""
    table = read_table(ou_pool(tmp_path, sd=0.03, hours=150.0, n=600))
    found = by_name(fit_flow(table, external_supply=5e8))
    assert found["flow_sd"].low < 0.06 < found["flow_sd"].high
    assert found["flow_hours"].low < 150 < found["flow_hours"].high
    assert found["flow_hours"].high < 3 * found["flow_hours"].low
    assert by_name(fit_flow(table, external_supply=1e9))["flow_sd"].value == pytest.approx(found["flow_sd"].value / 2, rel=0.02)


def pool_of_shares(folder, *, n=60, spread=0.02, head="timestamp,pool_stable,pool_base", extra=""):
    """A pool of 2e9 whose share returns slowly, a row a day."""
    random = np.random.Generator(np.random.Philox(11))
    share, rows = 0.5, []
    for time in stamps(24.0 * np.arange(n)):
        share += -0.1 * (share - 0.5) + spread * 0.4 * random.standard_normal()
        rows.append((time, 2e9 * share, 2e9 * (1 - share), *([extra] if extra else [])))
    return write(folder, head, rows)


@pytest.mark.parametrize("spread", [0.02, 0.1])
def test_the_time_constant_does_not_depend_on_the_supply(tmp_path, spread):
    """Shares alone carry it: value and both ends are the same for every external supply, and the deviation scales with 1 / supply, also where
    it leaves its own range."""
    table = read_table(pool_of_shares(tmp_path, spread=spread))
    base = by_name(fit_flow(table, external_supply=1e9))
    for supply in (2.4e10, 1e8, 2e7, 1330.0):
        found = by_name(fit_flow(table, external_supply=supply))
        assert [getattr(found["flow_hours"], end) for end in ("low", "value", "high")] == [
            getattr(base["flow_hours"], end) for end in ("low", "value", "high")
        ]
        for end in ("low", "value", "high"):
            assert getattr(found["flow_sd"], end) * supply == pytest.approx(getattr(base["flow_sd"], end) * 1e9, rel=1e-12)


def test_a_deviation_beyond_its_range_is_not_identified(tmp_path):
    """Partly beyond, and wholly: each in its own words, with the interval as it is and no value to paste."""
    table = read_table(pool_of_shares(tmp_path))
    part = fit_flow(table, external_supply=by_name(fit_flow(table, external_supply=1e9))["flow_sd"].high * 0.9e9)
    assert by_name(part)["flow_sd"].high == pytest.approx(1 / 0.9, rel=1e-9)
    assert by_name(part)["flow_sd"].not_identified == "the interval goes on beyond the limit 1"
    assert "flow_hours = " in part.toml()
    assert "flow_sd = " not in part.toml()
    whole = fit_flow(table, external_supply=1e7)
    assert by_name(whole)["flow_sd"].not_identified == "the whole interval lies outside the allowed range, 0 to 1"


@pytest.mark.parametrize(("supply", "looks"), [(1330.0, "a raw integer of 6 decimals"), (2e12, "thousands"), (1e15, "millions")])
def test_a_pool_and_a_supply_in_two_units_give_nothing_to_paste(tmp_path, supply, looks):
    """A pool a thousand times the supply, or a thousandth of it: the fit is printed, the TOML is a comment that says why."""
    found = fit_flow(read_table(pool_of_shares(tmp_path)), external_supply=supply)
    assert looks in found.doubts[0]
    assert all(line.startswith("#") for line in found.toml().splitlines())


def test_a_virtual_price_of_nobody_gives_nothing_to_paste(tmp_path):
    """``virtual_price`` may be the base's: the base is counted at 1 then, the note names the column, and no figure is pasted."""
    share = [0.5, 0.6, 0.7, 0.75, 0.72, 0.66, 0.6, 0.5, 0.5, 0.55, 0.7, 0.8, 0.6, 0.5]
    file = liquidity(tmp_path, share, 0.2, 0.002, 0.65)
    header, *rows = file.read_text().splitlines()
    assert "value =" in fit_lp_flight(read_table(file)).toml()
    for name, pasted in (("virtual_price", False), ("virtual_price_3crv", True)):
        found = fit_lp_flight(read_table(write(tmp_path, f"{header},{name}", [(row, 1.0) for row in rows])))
        assert ("value =" in found.toml()) is pasted
        assert (not found.doubts) is pasted
        assert any("not used: virtual_price" in note for note in found.notes) is not pasted


def test_the_rate_beside_is_not_held_to_its_range(tmp_path):
    """Holders who run at 8 a day on news, beyond the 5 that the setting allows, and at 2 more on the price: the 2 is found, since the other's
    limit is no fact of the data; held at 5 the news would leave 5 for the price.
    """
    shortfall = np.array([0.0, 0.005, 0.012, 0.02, 0.03, 0.05, 0.10])
    rows = [("X", f"d{i}", 1 - each, share_leaving(each, 8.0, 2.0)) for i, each in enumerate(shortfall)]
    found = by_name(fit_hazard(read_table(write(tmp_path, "asset,date,price,outflow_share", rows))))
    assert found["hazard_price"].value == pytest.approx(2.0, rel=0.01)
    assert found["hazard_price"].high < 2.1
    assert "limit 5" in found["hazard_news"].not_identified


def test_a_threshold_below_its_range_is_said(tmp_path):
    """Providers who flee above 0.40: the threshold's interval lies below 0.5, and none is pasted."""
    share = [0.3, 0.35, 0.42, 0.46, 0.44, 0.38, 0.36, 0.3, 0.3, 0.35, 0.45, 0.48, 0.36, 0.3]
    found = fit_lp_flight(read_table(liquidity(tmp_path, share, 0.2, 0.002, 0.4)))
    assert by_name(found)["lp_flight_share"].value == pytest.approx(0.4)
    assert "outside the allowed range" in by_name(found)["lp_flight_share"].not_identified
    assert by_name(found)["lp_flight_rate"].value == pytest.approx(0.2, rel=1e-3)


def test_rows_without_a_needed_cell_are_left_out_and_named(tmp_path):
    """An empty supply, a price of 0 (nothing traded): the fit is that of the other rows."""
    rows = [
        (t, p, s)
        for t, p, s in zip(stamps(24.0 * np.arange(7)), [1, 0.99, 0.98, 0.97, 0.95, 0.97, 1], 1e9 * 0.97 ** np.arange(7), strict=True)
    ]
    whole = fit_hazard(read_table(write(tmp_path, "timestamp,price,supply", rows)))
    holed = [*rows[:3], (str(START + np.timedelta64(60, "h")), 0.97, ""), (str(START + np.timedelta64(61, "h")), 0, 9e8), *rows[3:]]
    found = fit_hazard(read_table(write(tmp_path, "timestamp,price,supply", holed)))
    assert found.left_out == ("line 6: no price", "line 5: no supply")
    assert found.figures == whole.figures


def test_a_pool_that_grew_is_said_to_have_no_one_size(tmp_path):
    """The same shares in a pool that grows tenfold: the conversion's size is named, and what to cut; a steady pool is not told so."""
    steady = ou_pool(tmp_path, sd=0.06, hours=150, n=300)
    assert not any("cut the file" in note for note in fit_flow(read_table(steady), external_supply=1e9).notes)
    header, *rows = steady.read_text().splitlines()
    factors = np.linspace(0.1, 1.0, len(rows))
    grown = []
    for row, factor in zip(rows, factors, strict=True):
        time, stable, base = row.split(",")
        grown.append((time, float(stable) * factor, float(base) * factor))
    found = fit_flow(read_table(write(tmp_path, header, grown)), external_supply=1e9)
    assert any("cut the file" in note for note in found.notes)


def test_a_time_constant_far_below_the_sampling_is_not_identified(tmp_path):
    """Rows a day apart say nothing of a flow that reverts within the hour but its size."""
    found = fit_flow(read_table(ou_pool(tmp_path, sd=0.03, hours=0.5, n=300)), external_supply=1e9)
    assert "flat downwards" in by_name(found)["flow_hours"].not_identified
    assert "flow_hours =" not in found.toml()
    assert "flow_sd = 0.0" in found.toml()


def liquidity(folder, share, flight, back, threshold):
    logs, peak = [0.0], 0.0
    for each in share[:-1]:
        gap = np.exp(peak - logs[-1]) - 1
        logs.append(logs[-1] + 24 * (back * gap if each <= threshold else -flight * (each - threshold)))
        peak = max(peak, logs[-1])
    hours = 24.0 * np.arange(len(share))
    rows = [(t, 1e9 * np.exp(z) * s, 1e9 * np.exp(z) * (1 - s)) for t, z, s in zip(stamps(hours), logs, share, strict=True)]
    return write(folder, "timestamp,pool_stable,pool_base", rows)


def test_exact_flight_and_return_are_recovered(tmp_path):
    """Liquidity made by the rule itself: the threshold, both rates."""
    share = [0.5, 0.6, 0.7, 0.75, 0.72, 0.66, 0.6, 0.5, 0.5, 0.55, 0.7, 0.8, 0.6, 0.5]
    found = by_name(fit_lp_flight(read_table(liquidity(tmp_path, share, 0.2, 0.002, 0.65))))
    assert found["lp_flight_share"].value == pytest.approx(0.65)
    assert found["lp_flight_rate"].value == pytest.approx(0.2, rel=1e-3)
    assert found["lp_return_rate"].value == pytest.approx(0.002, rel=1e-3)


def test_a_pool_that_never_tilts_identifies_no_flight(tmp_path):
    """Liquidity of random size at a share around one half says nothing of flight."""
    random = np.random.Generator(np.random.Philox(3))
    n = 60
    total, share = 1e9 * np.exp(0.02 * random.standard_normal(n)), 0.5 + 0.01 * random.standard_normal(n)
    rows = [(t, a * s, a * (1 - s)) for t, a, s in zip(stamps(24.0 * np.arange(n)), total, share, strict=True)]
    found = fit_lp_flight(read_table(write(tmp_path, "timestamp,pool_stable,pool_base", rows)))
    assert by_name(found)["lp_flight_share"].not_identified
    assert "lp_flight_share =" not in found.toml()


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("timestamp,pool_stabel,pool_base\n2022-01-01,1,1\n", ["history.csv:1", "pool_stabel", "did you mean 'pool_stable'?"]),
        ("timestamp,pool_stable,pool_base\n2022-01-01,1,1\n2022-01-02,-1,1\n", ["history.csv:3", "pool_stable", "'-1'", "from 1 to 1e+13"]),
        ("timestamp,pool_stable,pool_base\n2022-01-01,1,1\n2022-01-02,1\n", ["history.csv:3", "cells"]),
        ("timestamp,pool_stable,pool_base\n2022-01-01,1,1\n2022-03-01,1,1\n", ["history.csv:3", "gap", "1416 h"]),
        ("timestamp,pool_stable,pool_base\n2022-01-02,1,1\n2022-01-01,1,1\n", ["history.csv:3", "earlier than the row before"]),
        ("timestamp,pool_stable,pool_base\nyesterday,1,1\n", ["history.csv:2", "'yesterday'"]),
        ("timestamp,pool_stable\n2022-01-01,1\n", ["pool_base", "missing"]),
        ("timestamp,pool_stable,pool_base\n2022-01-01,1,1\n", ["too few rows"]),
        ("timestamp\n", ["no rows"]),
    ],
)
def test_bad_files_are_named_by_row_and_column(tmp_path, text, fragments):
    """Each message holds the place, what was found and what is allowed."""
    file = tmp_path / "history.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        fit_flow(read_table(file), external_supply=1e9)
    assert all(fragment in str(caught.value) for fragment in fragments)


def test_leaving_out_a_point_that_is_not_there_is_refused(tmp_path):
    """A misspelt name would otherwise fit what one meant to leave out."""
    rows = [("X", "d", 0.9, 0.1)] * 5
    with pytest.raises(AmoOptError, match="Z"):
        fit_hazard(read_table(write(tmp_path, "asset,date,price,outflow_share", rows)), leave_out=["Z"])


@pytest.mark.skipif("AMO_OPT_HISTORY_DIR" not in os.environ, reason="AMO_OPT_HISTORY_DIR names no folder of histories")
def test_the_frax_pool_never_tilted_far_enough_to_show_flight():
    """Its share stayed at or below 0.61, under the state's 0.65."""
    table = read_table(Path(os.environ["AMO_OPT_HISTORY_DIR"]) / "frax3crv_pool_daily.csv")
    assert by_name(fit_lp_flight(table))["lp_flight_share"].not_identified
    assert (
        by_name(fit_flow(table, external_supply=1.33e9))["flow_hours"].low
        < 168
        < by_name(fit_flow(table, external_supply=1.33e9))["flow_hours"].high
    )
