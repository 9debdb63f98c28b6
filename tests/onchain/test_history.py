"""A history read block by block: rows at their times, gone on with where they stopped, and read by what replays and fits."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("eth_abi", reason="the extra onchain")
sys.path.insert(0, str(Path(__file__).parent))  # `worlds` beside these tests: the tests themselves are no package

from worlds import World, call

from amo_opt.config.load import load_books
from amo_opt.errors import AmoOptError
from amo_opt.onchain.history_read import block_at, columns_of, times_between
from amo_opt.onchain.rpc import Block
from amo_opt.stress.history import read_history
from amo_opt.stress.table import read_table

STATE = Path(__file__).parents[2] / "studies" / "states" / "frax-2022-05-11.toml"
E18 = 10**18
NOW, LATEST = 1_652_258_448, 14_754_000
"""The latest block of the tests' node, which makes one an hour."""
SPAN = ("--from", "2022-05-10T00:00:00Z", "--to", "2022-05-10T06:00:00Z")


@dataclass
class Chain(World):
    """Blocks at times of their own: of 12 seconds, some of them missed."""

    asked: int = 0
    count: int = 20_000
    first: int = 1_600_000_000

    def time(self, number):
        return self.first + 12 * number + 24 * (number // 100) + 3600 * (number > 5000)

    def block(self, which="latest"):
        self.asked += 1
        number = self.count if which == "latest" else which
        return Block(number, f"0x{number:064x}", self.time(number))


def test_the_block_of_a_time_is_the_last_one_up_to_it():
    """From nothing and from the row before, in few questions; a gap of an hour belongs to the block before it."""
    chain = Chain()
    high = chain.block()
    for time in (
        chain.first,
        chain.first + 1,
        chain.time(5000) + 3000,
        chain.time(5001),
        chain.time(19_999),
        high.timestamp,
        high.timestamp + 5,
    ):
        chain.asked = 0
        found = block_at(chain, time, None, high)
        assert found.timestamp <= time
        assert found.number == high.number or chain.time(found.number + 1) > time
        assert chain.asked <= 40
    low, asked = None, []
    for time in range(chain.first, chain.time(4000), 3600):
        chain.asked = 0
        low = block_at(chain, time, low, high)
        asked.append(chain.asked)
    assert sum(asked) / len(asked) < 16
    with pytest.raises(
        AmoOptError,
        match=r"^--from: found 2020-09-13T12:26:39Z; allowed: from 2020-09-13T12:26:40Z on, when the chain's first block was made$",
    ):
        block_at(chain, chain.first - 1, None, high)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("soon", "2022-05-10", "1h"), "--from: found 'soon'; allowed: a time such as 2022-05-08T00:00:00Z (UTC)"),
        (("2022-05-10", "14750801", "1h"), "--to: found '14750801'; allowed: a time"),
        (("2022-05-10", "2022-05-11", "1 hour"), "--every: found '1 hour'; allowed: a step such as 1h, 10min or 1d"),
        (("2022-05-10", "2022-05-11", "0h"), "--every: found '0h'"),
        (("2022-05-10", "2022-05-09", "1h"), "--from, --to, --every: found 0 rows; allowed: 2 to 100,000"),
        (("2022-05-10", "2022-05-10T00:30", "1h"), "found 1 rows"),
    ],
)  # fmt: skip
def test_times_are_told_apart_from_what_is_none(given, said):
    """One sentence each."""
    with pytest.raises(AmoOptError) as error:
        times_between(*given)
    assert said in str(error.value)


def test_times_of_the_rows():
    """Both ends counted in; a step that does not fit ends before."""
    found = times_between("2022-05-10", "2022-05-10T02:30:00Z", "1h")
    assert [each.hour for each in found] == [0, 1, 2]
    assert times_between("1652140800", "2022-05-12", "1d")[1] == datetime(2022, 5, 11, tzinfo=UTC)


def test_a_state_without_addresses_has_no_history():
    """The entries that would tell a column are named."""
    with pytest.raises(
        AmoOptError, match=r"names no contract that tells a column of a history; allowed: any \[contracts.NAME\] of .*metapool"
    ):
        columns_of(load_books(STATE.with_name("minimal.toml")))


def test_rows_are_read_at_their_blocks_and_gone_on_with(node_url, tmp_path):
    """The rows are what the readers of histories take; one that was cut, by a kill or by hand, is gone on with to the same bytes."""
    out = tmp_path / "may.csv"
    called = call("history", STATE, "--rpc", node_url, *SPAN, "--out", out)
    assert (called.status, called.out) == (0, f"wrote {out}: 7 of its 7 rows now\n"), called.err
    whole = out.read_text(encoding="utf-8")
    lines = whole.splitlines()
    assert lines[0] == "timestamp,block,block_hash,supply,pool_stable,pool_base,base_virtual_price,amplification,share_price,oracle"
    table = read_table(out)
    assert table.notes == ()
    blocks = [int(each) for each in table.texts["block"]]
    assert all(after == before + 1 for before, after in pairwise(blocks))
    hours = LATEST - blocks[0]
    assert NOW - 3600 * hours <= 1_652_140_800 < NOW - 3600 * (hours - 1)
    assert table.numbers["pool_stable"][0] == 1_586_444_839.83 - 5e6 * hours
    assert table.numbers["supply"][-1] == 2_600_092_892 - 1e6 * (hours - 6)
    assert set(table.numbers["oracle"]) == {0.9999245}
    assert table.texts["block_hash"][0] == node_url.ask("eth_getBlockByNumber", hex(blocks[0]), False)["hash"]
    history = read_history(out)
    assert history.hours == 7
    assert {"supply", "pool_stable", "pool_base", "oracle"} <= history.real.keys()
    for cut in (len(lines[0]) + 1, len(whole) // 2, len(whole) - 1):
        out.write_text(whole[:cut], encoding="utf-8")
        assert call("history", STATE, "--rpc", node_url, *SPAN, "--out", out).status == 0
        assert out.read_text(encoding="utf-8") == whole
    assert "0 of its 7 rows now" in call("history", STATE, "--rpc", node_url, *SPAN, "--out", out).out


def test_a_file_that_is_another_is_left_as_it_is(node_url, tmp_path):
    """Other times, other columns, blocks that the chain no longer has, rows changed by hand."""
    out = tmp_path / "may.csv"
    assert call("history", STATE, "--rpc", node_url, *SPAN, "--out", out).status == 0
    whole = out.read_text(encoding="utf-8")
    block = whole.splitlines()[-1].split(",")[1]
    for text, said in (
        ("timestamp,price\n2022-05-10T00:00:00Z,1\n", "is another file than this history begun"),
        (whole.replace("T02:00:00Z", "T02:30:00Z"), "row 3 below its header is '2022-05-10T02:30:00Z', wanted 2022-05-10T02:00:00Z"),
        (whole.replace(f",{block},0x", f",{block},0xff"), f"block {block} was 0xff"),
        (whole.replace(f",{block},0x", ",1,0x"), "its blocks do not rise from row to row"),
        (
            whole + whole.splitlines()[-1].replace("T06", "T07") + "\n",
            "row 8 below its header is '2022-05-10T07:00:00Z', wanted no more rows",
        ),
    ):
        out.write_text(text, encoding="utf-8")
        called = call("history", STATE, "--rpc", node_url, *SPAN, "--out", out)
        assert called.status == 2
        assert said in called.err
        assert out.read_text(encoding="utf-8") == text


def test_a_failed_row_leaves_those_before_it(node, tmp_path):
    """Of a pruned node the rows that it still has; one sentence for the first that it has not, and for a time that is not there yet."""
    out = tmp_path / "may.csv"
    called = call("history", STATE, "--rpc", node, "--from", "2022-05-08T12:00:00Z", "--to", "2022-05-10T00:00:00Z", "--out", out)
    assert called.status == 2
    assert "no longer has the state at block" in called.err
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1
    called = call(
        "history", STATE, "--rpc", node, "--from", "2022-05-11T00:00:00Z", "--to", "2022-05-12T00:00:00Z", "--out", tmp_path / "b.csv"
    )
    assert (
        called.err
        == "amo-opt: --to: found 2022-05-12T00:00:00Z; allowed: up to 2022-05-11T08:40:48Z, when the latest block (14754000) was made\n"
    )
    assert not (tmp_path / "b.csv").exists()
    node.ask("test_code", "share_feed", "0x")
    called = call("history", STATE, "--rpc", node, *SPAN, "--out", tmp_path / "c.csv")
    assert called.status == 2
    assert "share_feed.latestRoundData(): the contract has no such getter, or answers nothing" in called.err


def test_an_interrupted_history_keeps_its_rows(node_url, tmp_path, monkeypatch):
    """Ctrl-C between two rows: what is done stands, and the same command makes the rest."""
    out = tmp_path / "may.csv"
    from amo_opt.onchain import history_read

    read, seen = history_read.read_columns, []

    def interrupted(*args):
        seen.append(args)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return read(*args)

    monkeypatch.setattr(history_read, "read_columns", interrupted)
    called = call("history", STATE, "--rpc", node_url, *SPAN, "--out", out)
    assert called.status == 130
    assert "what was finished is kept, the same command goes on from there" in called.err
    assert len(out.read_text(encoding="utf-8").splitlines()) == 4
    monkeypatch.undo()
    assert "4 of its 7 rows now" in call("history", STATE, "--rpc", node_url, *SPAN, "--out", out).out


def test_feeds_of_coins_are_columns_where_a_state_names_them(tmp_path):
    """``usdc_feed``, ``dai_feed`` and ``usdt_feed`` drive a replay."""
    path = tmp_path / "state.toml"
    feed = f"0x{0xFEED00000000000000000000000000000000:040x}"
    path.write_text(STATE.read_text(encoding="utf-8") + f'\n[contracts.usdc_feed]\naddress = "{feed}"\n', encoding="utf-8")
    state = load_books(path)
    columns = {name: each for name, each in columns_of(state).items() if name == "usdc"}
    assert list(columns) == ["usdc"]
    chain = Chain(first=NOW - 12 * 20_000)
    chain.says(feed, "latestRoundData()", 1, 99_000_000, 1, 1, 1, types=["uint80", "int256", "uint256", "uint256", "uint80"])
    chain.says(feed, "decimals()", 8, types=["uint8"])
    from amo_opt.onchain.state_read import read_columns

    chain.at = chain.block(7)
    assert {name: float(value) for name, value in read_columns(chain, state, chain.at, columns).items()} == {"usdc": 0.99}
