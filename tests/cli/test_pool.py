"""`amo-opt pool`: the desk calculator, as tables, as JSON and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amo_opt.cli.pool_input import NUMBER
from amo_opt.stableswap.depth import Pool, sell_base, sell_stablecoin, worst_case

STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"
BALANCED = ("--stable", "165m", "--base", "165m")


@pytest.mark.parametrize("name", ["state", "swap", "depth", "floor"])
def test_every_subcommand_has_an_example_that_runs(call, name):
    """The help's own calls can be pasted."""
    text = call("pool", name, "--help").out
    example = text[text.index("Example:") : text.index("Options:")].replace("studies/frax-2022.toml", str(STUDY))
    lines = [line.split()[1:] for line in example.splitlines()[1:] if line.strip()]
    assert len(lines) == 2
    for line in lines:
        assert call(*line).status == 0


def test_the_group_s_help_names_its_commands(call):
    """Each with one line, and an example above."""
    called = call("pool", "--help")
    assert called.status == 0
    assert "Example:" in called.out
    assert all(f"  {name} " in called.out for name in ("state", "swap", "depth", "floor"))


def test_state_shows_the_depth_that_is_quoted(call):
    """330m at A 50 and A 1500: 38.17m and 135.43m within a cent, in a column each."""
    called = call("pool", "state", *BALANCED, "-A", "50", "-A", "1500")
    assert (called.status, called.err) == (0, "")
    assert "38,166,413.09" in called.out
    assert "135,425,321.49" in called.out
    rows = json.loads(call("pool", "state", *BALANCED, "-A", "50", "-A", "1500", "--json").out)["rows"]
    assert [row["amplification"] for row in rows] == [50.0, 1500.0]
    assert rows[0]["D"] == pytest.approx(330e6)
    assert rows[0]["stablecoin_share"] == 0.5
    assert rows[0]["price_sold"] == pytest.approx(0.9996)


def test_swap_pays_what_the_contract_pays(call):
    """Float and integers agree; fee and its parts are shown; either coin can be sold."""
    row = json.loads(call("pool", "swap", *BALANCED, "-A", "50", "--sell", "1m", "--json").out)["rows"][0]
    pool = Pool(stablecoin=165e6, base=165e6, amplification=50, fee=0.0004)
    assert row["received"] == sell_stablecoin(pool, 1e6).received
    assert row["received_by_contract"] == pytest.approx(row["received"], rel=1e-12)
    assert row["admin_fee"] == 0.5 * row["fee"]
    row = json.loads(call("pool", "swap", *BALANCED, "-A", "50", "--sell-base", "1e6", "--fee", "0", "--json").out)["rows"][0]
    assert row["received"] == sell_base(Pool(stablecoin=165e6, base=165e6, amplification=50), 1e6).received
    assert "received (stablecoin)" in call("pool", "swap", *BALANCED, "-A", "50", "--sell-base", "1e6").out


def test_base_is_dollars_and_lp_tokens_with_a_virtual_price(call):
    """160m LP at 1.02 are 163.2m dollars; swaps count dollars either way."""
    plain = json.loads(call("pool", "state", "--stable", "165m", "--base", "163.2m", "-A", "50", "--json").out)
    priced = json.loads(call("pool", "state", "--stable", "165m", "--base", "160m", "--virtual-price", "1.02", "-A", "50", "--json").out)
    assert plain["rows"] == priced["rows"]
    assert priced["pool"]["virtual_price"] == 1.02


def test_depth_by_price_by_move_and_by_sale(call):
    """A price and a distance ask the same of a balanced pool; a sale asks which A bears it, the table and the sentence agreeing with JSON."""
    by_move = json.loads(call("pool", "depth", *BALANCED, "-A", "1500", "--json").out)
    by_price = json.loads(call("pool", "depth", *BALANCED, "-A", "1500", "--price", "0.99", "--json").out)
    assert by_move["rows"] == by_price["rows"]
    assert by_move["rows"][0]["sale_to_marginal_price"] / 1e6 == pytest.approx(135.43, abs=0.005)
    assert by_move["rows"][0]["sale_to_average_price"] > by_move["rows"][0]["sale_to_marginal_price"]
    asked = (*BALANCED, "-A", "50", "--price", "0.99", "--sale", "39.2m")
    least = json.loads(call("pool", "depth", *asked, "--json").out)["sale"]["least_amplification"]
    assert least == {"marginal": 52, "average": 25}
    assert "marginal price: A 52 or more; average price: A 25 or more" in call("pool", "depth", *asked).out
    assert "no A does" in call("pool", "depth", *BALANCED, "-A", "50", "--sale", "170m").out


def test_floor_puts_closed_form_and_loops_side_by_side(call):
    """Three methods in the table, a revert among them with its reason; JSON holds every figure."""
    asked = (*BALANCED, "-A", "1500", "--floor", "0.8", "--lp-share", "0.5")
    called = call("pool", "floor", *asked)
    assert called.status == 0
    assert all(name in called.out for name in ("closed form", "CurveAMO_V3", "CurveAMO_V4", "Convex_AMO_V2"))
    assert "CurveAMO_V4 reverts: No hypothetical point" in called.out
    methods = {row["method"]: row for row in json.loads(call("pool", "floor", *asked, "--json").out)["rows"][0]["methods"]}
    closed = worst_case(Pool(stablecoin=165e6, base=165e6, amplification=1500, fee=0.0004), 0.8, lp_share=0.5)
    assert methods["closed form"]["collateral"] == closed.collateral
    assert methods["CurveAMO_V4"]["collateral"] is None
    assert methods["CurveAMO_V3"]["price"] < 0.02
    wide = json.loads(call("pool", "floor", *asked, "--window", "0.01", "--json").out)["rows"][0]["methods"]
    assert {row["method"]: row for row in wide}["CurveAMO_V4"]["revert"] is None


def test_a_study_gives_pool_share_floor_and_cap(call):
    """Nothing but the study: its balances, A, LP share, collateral ratio and the stablecoin outside; an option overrides one of them."""
    document = json.loads(call("pool", "floor", "--study", STUDY, "--json").out)
    assert document["pool"]["virtual_price"] == 1.021014189
    assert document["rows"][0]["amplification"] == 1500.0
    assert document["rows"][0]["floor"] == 0.8725
    closed = document["rows"][0]["methods"][0]
    assert closed["more_than_exists"] is True
    assert closed["share_stablecoin"] == pytest.approx(0.8 * closed["stablecoin"])
    assert "stablecoin exist outside the pool" in call("pool", "floor", "--study", STUDY).out
    other = json.loads(call("pool", "floor", "--study", STUDY, "-A", "100", "--outside", "2bn", "--json").out)["rows"][0]
    assert (other["amplification"], other["methods"][0]["more_than_exists"]) == (100.0, False)
    whole = json.loads(call("pool", "state", "--study", STUDY, "--base", "1bn", "--json").out)
    assert whole["pool"]["base_usd"] == 1e9


@pytest.mark.parametrize("suffix", ["html", "png", "svg"])
def test_plots(call, tmp_path, suffix):
    """Drawn beside the table, said on stderr, so that --json stays one document."""
    file = tmp_path / f"pool.{suffix}"
    called = call("pool", "depth", *BALANCED, "-A", "50", "-A", "1500", "--plot", file, "--json")
    assert called.status == 0
    assert str(file) in called.err
    json.loads(called.out)
    assert file.stat().st_size > 5_000


@pytest.mark.parametrize("arguments", [("state",), ("swap", "--sell", "1m"), ("depth", "--price", "1.5"), ("floor", "--floor", "0.9")])
def test_every_subcommand_draws(call, tmp_path, arguments):
    """Also where there is nothing to mark."""
    called = call("pool", *arguments, *BALANCED, "-A", "50", "--plot", tmp_path / "p.svg")
    assert (called.status, (tmp_path / "p.svg").exists()) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("state",), "--stable, --base, --amplification missing: give"),
        (("state", "--stable", "1", "--base", "1"), "--amplification missing"),
        (("state", "--stable", "0", "--base", "1", "-A", "3"), "stablecoin in the pool: found 0"),
        (("state", "--stable", "-5", "--base", "1", "-A", "3"), "stablecoin in the pool: found -5"),
        (("state", "--stable", "nan", "--base", "1", "-A", "3"), "found 'nan', must be a number"),
        (("state", "--stable", "1e999", "--base", "1", "-A", "3"), "found '1e999', must be a number"),
        (("state", "--stable", "many", "--base", "1", "-A", "3"), "found 'many', must be a number"),
        (("state", "--stable", "1", "--base", "1", "-A", "0"), "0 is not in the range 1<=x<=999999"),
        (("state", *BALANCED, "-A", "3", "--fee", "0.7"), "fee: found 0.7, must be from 0 to 0.5"),
        (("state", *BALANCED, "-A", "3", "--virtual-price", "-1"), "base in the pool: found"),
        (("swap", *BALANCED, "-A", "3"), "give --sell (stablecoin) or --sell-base (dollars), one of them"),
        (("swap", *BALANCED, "-A", "3", "--sell", "1", "--sell-base", "1"), "one of them"),
        (("swap", *BALANCED, "-A", "3", "--sell", "-3"), "amount sold: found -3"),
        (("depth", *BALANCED, "-A", "3", "--move", "3"), "price: found -2, must be from 0.01 to 100"),
        (("depth", *BALANCED, "-A", "3", "--move", "0.1", "--price", "0.9"), "not both"),
        (("depth", *BALANCED, "-A", "3", "--sale", "0"), "sale: found 0"),
        (("floor", *BALANCED, "-A", "3"), "--floor missing"),
        (("floor", *BALANCED, "-A", "3", "--floor", "2"), "floor: found 2, must be from 0.01 to 1"),
        (("floor", *BALANCED, "-A", "3", "--floor", "0.9", "--lp-share", "2"), "LP share: found 2"),
        (("floor", *BALANCED, "-A", "3", "--floor", "0.9", "--window", "-1"), "convergence_window"),
        (("state", *BALANCED, "-A", "3", "--plot", "pool.pdf"), "found .pdf"),
        (("state", "--study", "nowhere.toml"), "nowhere.toml: no such file"),
    ],
)
def test_a_wrong_call_is_one_message_and_exit_2(call, tmp_path, monkeypatch, arguments, message):
    """Nothing on stdout, nothing written, no traceback."""
    monkeypatch.chdir(tmp_path)
    called = call("pool", *arguments)
    assert (called.status, called.out) == (2, "")
    assert message in called.err
    assert "Traceback" not in called.err
    assert list(tmp_path.iterdir()) == []


def test_numbers_as_people_write_them():
    """Plain, with separators, or short."""
    written = {
        "165000000": 165e6,
        "165_000_000": 165e6,
        "165,000,000": 165e6,
        "1,500.25m": 1500.25e6,
        "165m": 165e6,
        "1.2bn": 1.2e9,
        "5K": 5e3,
        "1e-4": 1e-4,
        ".5": 0.5,
    }
    assert {text: NUMBER.convert(text, None, None) for text in written} == written


@pytest.mark.parametrize("written", ["1,5m", "0,99", "1,02", "165,5m", "0,001", "0,01", "1,5000", "1000,000", "1,000,00", ",5", "1.000,5"])
def test_a_comma_that_separates_no_thousands_is_refused(call, written):
    """A decimal comma is not dropped: 1,5m would be 15m. The value found is named, and nothing is calculated."""
    called = call("pool", "depth", *BALANCED, "-A", "50", "--sale", written)
    assert (called.status, called.out) == (2, "")
    assert f"found '{written}', must be a number such as 165000000, 165m or 0.0004; a comma stands before three digits" in called.err
