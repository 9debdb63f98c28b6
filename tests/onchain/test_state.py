"""A state read from a chain: every raw integer, every sentence where it is not one, and the file it is written into."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from decimal import Decimal
from pathlib import Path

import pytest

pytest.importorskip("eth_abi", reason="the extra onchain")
sys.path.insert(0, str(Path(__file__).parent))  # `worlds` beside these tests: the tests themselves are no package

from worlds import World, call

from amo_opt.config.identity import state_values
from amo_opt.config.load import load_books, load_parameters, validate_file
from amo_opt.config.schema import given_figures
from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import encoded, function
from amo_opt.onchain.recording import Replay
from amo_opt.onchain.rpc import Answer
from amo_opt.onchain.state_file import drifted, set_drifted, write_state
from amo_opt.onchain.state_read import read_state

ROOT = Path(__file__).parents[2]
STATE = ROOT / "studies" / "states" / "frax-2022-05-11.toml"
CRVUSD = ROOT / "studies" / "states" / "crvusd-2024-01-30.toml"
CURRENT = ROOT / "studies" / "parameters" / "frax-current.toml"
RECORDING = ROOT / "tests" / "vectors" / "rpc_frax_2022.json.gz"
SAFE, TIMELOCK = "0xB1748C79709f4Ba2Dd82834B8c82D4a505003f27", "0x8412ebf45bAC1B340BbE8F318b928C466c4E39CA"
MINTER, METAPOOL = "0xcf37B62109b537fa0Cb9A90Af4CA72f6fb85E241", "0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B"
FEED, COLLATERAL = "0x6Ebc52C8C1089be9eB3945C4350B68B8E4C2233f", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
E18 = 10**18

FIGURES = {
    "stablecoin.supply": ("stablecoin.totalSupply()", 2_600_092_892 * E18),
    "controller.collateral_ratio": ("stablecoin.global_collateral_ratio()", 1_000_000),
    "share_token.price": ("share_feed.latestRoundData()", 1_785_533_539),
    "pool.stablecoin": ("metapool.balances(0)", 158_644_483_983 * 10**16),
    "pool.base_lp": ("metapool.balances(1)", 11_096_577_252 * 10**17),
    "pool.base_virtual_price": ("base_pool.get_virtual_price()", 1_021_014_189 * 10**9),
    "pool.amplification": ("metapool.A()", 1500),
    "pool.fee": ("metapool.fee()", 4_000_000),
    "pool.admin_fee": ("metapool.admin_fee()", 5_000_000_000),
}
"""Figures that the recording tells, by getter and raw integer."""
READS = {
    "share_token.totalSupply()": 100_000_000 * E18,
    "stablecoin.owner()": SAFE,
    "stablecoin.controller_address()": "0x" + "0" * 40,
    "stablecoin.price_band()": 5000,
    "stablecoin.frax_step()": 2500,
    "stablecoin.refresh_cooldown()": 3600,
    "amo_minter.frax_mint_cap()": 1_300_046_446 * E18,
    "amo_minter.frax_mint_sum()": 1_270_000_000 * E18,
    "amo_minter.collat_borrow_cap()": 872_466_718 * 10**6,
    "amo_minter.collat_borrowed_sum()": 1_156_000_000 * 10**6,
    "amo_minter.min_cr()": 810_000,
    "amo_minter.owner()": SAFE,
    "amo_minter.timelock_address()": TIMELOCK,
    "frax_pool.mint_price_threshold()": 1_003_300,
    "frax_pool.redeem_price_threshold()": 993_300,
    "frax_pool.owner()": SAFE,
    "metapool.admin()": SAFE,
}
"""The rest of its 26 answers."""


@pytest.fixture
def state_file(tmp_path):
    return Path(shutil.copy(STATE, tmp_path / "state.toml"))


class Otherwise(Replay):
    """The recording, with some calls answered otherwise."""

    def __init__(self, **answers):
        super().__init__(RECORDING)
        self.chain, self.answers, self.codes = 1, answers, {}

    def chain_id(self):
        return self.chain

    def calls(self, block, asked):
        return [
            self.answers[each] if (each := self.asked(data)) in self.answers else super(Otherwise, self).calls(block, [(to, data)])[0]
            for to, data in asked
        ]

    def code(self, block, address):
        return self.codes[address] if address in self.codes else super().code(block, address)

    @staticmethod
    def asked(data):
        signatures = (
            "frax_mint_cap()",
            "A()",
            "fee()",
            "latestRoundData()",
            "decimals()",
            "min_cr()",
            "future_A()",
            "future_A_time()",
            "global_collateral_ratio()",
        )
        return next((each.partition("(")[0] for each in signatures if data[:4] == function(each).selector), "")


def of(types, *values):
    return Answer(encoded(types, values, place="test"), None)


def test_the_recording_holds_26_answers_and_all_are_read():
    """Each raw integer and address, under the getter it came from."""
    called = call("state", STATE, "--replay", RECORDING, "--json")
    assert called.status == 0, called.err
    found = json.loads(called.out)
    raws = {key: raw for figure in found["figures"] for key, raw in figure["raw"].items()}
    assert {figure["name"]: figure["raw"] for figure in found["figures"]} == {name: {key: str(raw)} for name, (key, raw) in FIGURES.items()}
    reads = {each["key"]: each["raw"] for each in found["reads"]}
    assert reads == {key: str(raw) for key, raw in READS.items()} | {"metapool.A()": "1500"}
    assert len(raws | reads) == len(FIGURES) + len(READS) == 26 == len(json.loads(gzip.decompress(RECORDING.read_bytes()))["calls"])
    assert found["block"] == {
        "number": 32,
        "hash": "0x6aa4baf765fcb09b135cd2b04792dbb629c98bede3054148ec76fd762952d2bc",
        "timestamp": 1_652_258_448,
    }
    supply = next(each for each in found["figures"] if each["name"] == "stablecoin.supply")
    assert Decimal(supply["value"]) == 2_600_092_892
    assert supply["source"] == (
        f"chain 1, block 32 {found['block']['hash']}, 0x853d955aCEf822Db058eb8505911ED77F175b99e totalSupply() = {2_600_092_892 * E18}"
    )
    why = {each["what"]: each["why"] for each in found["not_read"]}
    assert why["collateral.idle"] == "not recorded"
    assert why["amos.aave.lent"] == "no address"
    assert why["markets.deploy_rate"] == "no getter"


def test_a_cap_is_signed_and_values_never_pass_through_a_double():
    """int256 of FraxAMOMinter: all ones are -1; a value keeps its last digit of 27."""
    state = load_books(STATE)
    for raw in (-1, -(2**255), 1_270_000_000_000_000_000_000_000_009):
        reading = read_state(Otherwise(frax_mint_cap=of(["int256"], raw)), state)
        given = next(each for each in reading.reads if each.key == "amo_minter.frax_mint_cap()")
        assert given.raw == raw
        assert int(f"{given.value:f}".replace(".", "")) == raw


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"min_cr": Answer(None, "no")}, f"amo_minter.min_cr(): the call reverts (no); {MINTER} min_cr() at block 32"),
        ({"min_cr": Answer(None, "")}, f"amo_minter.min_cr(): the call reverts (no reason given); {MINTER} min_cr() at block 32"),
        ({"min_cr": Answer(b"", None)}, f"amo_minter.min_cr(): the contract has no such getter, or answers nothing; {MINTER} min_cr() at block 32"),
        ({"min_cr": Answer(bytes(64), None)}, f"amo_minter.min_cr(): the answer has 64 bytes, wanted 32 (uint256); {MINTER} min_cr() at block 32"),
        ({"latestRoundData": of(["uint256"] * 5, 7, 5, 1, 1, 6)}, "share_feed.latestRoundData(): the feed's round 7 is not answered: answer 5, updated at 1, in round 6"),
        ({"latestRoundData": of(["uint256"] * 5, 7, 0, 1, 1, 7)}, "share_feed.latestRoundData(): the feed's round 7 is not answered: answer 0, updated at 1, in round 7"),
        ({"fee": of(["uint256"], 10**9)}, f"pool.fee: out of range; found 0.1000000000 ({METAPOOL} fee() = 1000000000); allowed: 0 to 0.05"),
        (
            {"decimals": of(["uint8"], 9)},
            "stablecoin.decimals() answers 9, and 18 is what the state or the contract's source says of stablecoin.totalSupply()",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(answers, said):
    """The whole sentence; with ``partial`` it is listed, and the rest is read."""
    state = load_books(STATE)
    with pytest.raises(AmoOptError) as error:
        read_state(Otherwise(**answers), state)
    assert str(error.value) == said
    reading = read_state(Otherwise(**answers), state, partial=True)
    assert said in {each.said for each in reading.unread}
    assert len(reading.figures) >= 5


def test_another_chain_and_an_address_without_code():
    """The chain is that of the addresses; an account without code is no contract."""
    node = Otherwise()
    node.chain = 10
    with pytest.raises(AmoOptError, match=r"^the node is of chain 10, and the addresses are of chain 1 \(\[contracts\] chain_id\)"):
        read_state(node, load_books(STATE))
    node = Otherwise()
    node.codes[METAPOOL] = b""
    with pytest.raises(
        AmoOptError, match=rf"^\[contracts.metapool\]: no code at {METAPOOL} at block 32; it is another chain's address, or of later$"
    ):
        read_state(node, load_books(STATE))


def test_writing_keeps_every_other_line_and_is_a_state(state_file):
    """Figures that were read have the chain as their source; comments, order and all other lines are the file's; a second writing changes nothing."""
    before = STATE.read_text(encoding="utf-8").splitlines()
    called = call("state", state_file, "--replay", RECORDING, "--write", "--partial")
    assert called.status == 0, called.err
    text = state_file.read_text(encoding="utf-8")
    after = text.splitlines()
    end = after.index("[reads]")
    changed = [(old, new) for old, new in zip(before, after[: len(before)], strict=True) if old != new]
    assert after[len(before) : end] == [""]
    assert len(changed) == len(FIGURES)
    assert all("chain 1, block 32 0x6aa4" in new and old.partition(" = ")[0] == new.partition(" = ")[0] for old, new in changed)
    assert validate_file(state_file) == []
    was, state = load_books(STATE), load_books(state_file)
    assert {key: read.raw for key, read in state.reads.items()} == READS | {"metapool.A()": 1500}
    assert {read.block for read in state.reads.values()} == {32}
    moved = {name for name, value in state_values(state).items() if value != state_values(was)[name]}
    assert moved == {"stablecoin.collateral_ratio"}
    assert "# not read: collateral.idle (not recorded)" in after
    assert "controller.collateral_ratio: 0.8725 -> 1" in called.out
    call("state", state_file, "--replay", RECORDING, "--write", "--partial")
    assert state_file.read_text(encoding="utf-8") == text


def test_lines_end_as_they_ended_and_tables_of_a_list_take_their_own(tmp_path):
    """A file of Windows' lines, with what other counts of lines take for an end; a ramp of a further pool goes into its own [[pool]]; what follows [reads] stays."""
    path, at = _crvusd(tmp_path)
    text = path.read_text(encoding="utf-8").replace("# crvUSD on", "# \u2028\x0ccrvUSD on".replace("\x0c", "\x85"), 1)
    text += f'\n[reads]\n"usdt.A()" = {{ raw = "499", address = "{at["usdt"]}", block = 1, hash = "0x{"0" * 64}" }}\n"usdt.fee()" = {{ raw = "1", address = "{at["usdt"]}", block = 1, hash = "0x{"0" * 64}" }}\n\n# the last table\n[contracts.safe]\naddress = "{SAFE}"\n'
    path.write_bytes(text.replace("\n", "\r\n").encode())
    world = World()
    for getter, value in {"A()": 500, "future_A()": 60_000, "future_A_time()": world.at.timestamp + 7200}.items():
        world.says(at["usdt"], getter, value)
    state = load_books(path)
    changed = write_state(read_state(world, state, partial=True), path, state, partial=True)
    assert {(each.what, each.file, each.chain) for each in changed} == {
        ("pools.usdt.future_amplification", "left out", "600"),
        ("pools.usdt.ramp_hours_left", "left out", "2"),
        ("usdt.A()", "499", "500"),
    }
    raw = path.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    after = load_books(path)
    assert (after.pools.usdt.future_amplification.value, after.pools.tusd.future_amplification.value) == (600.0, 0.0)
    assert (after.reads["usdt.A()"].raw, after.reads["usdt.fee()"].raw, after.reads["usdt.fee()"].block) == (500, 1, 1)
    assert after.contracts["safe"].address == SAFE
    assert "# the last table\r\n[contracts.safe]\r\n" in raw.decode()


def test_nothing_is_written_unless_all_is_read(state_file):
    """Neither where the recording lacks something, nor where a getter fails, nor where the figures make no state together."""
    called = call("state", state_file, "--replay", RECORDING, "--write")
    assert called.status == 2
    assert (
        "reads are not in the recording, the first of them collateral.idle, and nothing is written; --partial writes what it holds"
        in called.err
    )
    assert state_file.read_bytes() == STATE.read_bytes()
    state = load_books(state_file)
    reading = read_state(Otherwise(), state)
    tables = state_file.with_name("tables.toml")
    text = STATE.read_text(encoding="utf-8")
    one = next(line for line in text.splitlines() if line.startswith("fee = { value = 0.0004,"))
    moved = '[pool.fee]\nvalue = 0.0004\nsource = "as a table"\n\n[collateral]\n'
    tables.write_text(text.replace(one + "\n", "").replace("[collateral]\n", moved, 1), encoding="utf-8")
    before = tables.read_bytes()
    with pytest.raises(
        AmoOptError, match=r"pool.fee is not written as \{ value = …, … \} in a line of its own, and the file is left as it is"
    ):
        write_state(reading, tables, load_books(tables), partial=True)
    assert tables.read_bytes() == before
    assert [each.name for each in state_file.parent.iterdir() if each.name.startswith(".")] == []


def test_what_drifted(state_file):
    """Beyond the last digit that the file gives a figure; another value than before in [reads]; a contract that obeys nobody the state names."""
    state = load_books(state_file)
    reading = read_state(Otherwise(), state)
    found = {each.what: (each.file, each.chain) for each in drifted(reading, state_file, state)}
    assert found == {
        "controller.collateral_ratio": ("0.8725", "1"),
        "contracts.metapool.caller": ("curve_owner_proxy", "metapool.admin() = safe"),
    }
    assert call("state", state_file, "--replay", RECORDING, "--check").status == 1
    write_state(reading, state_file, state, partial=True)
    state_file.write_text(state_file.read_text(encoding="utf-8").replace('caller = "curve_owner_proxy"\n', ""), encoding="utf-8")
    assert call("state", state_file, "--replay", RECORDING, "--check").status == 0
    state = load_books(state_file)
    reading = read_state(Otherwise(min_cr=of(["uint256"], 820_000), A=of(["uint256"], 1501)), state)
    found = {each.what: (each.file, each.chain) for each in drifted(reading, state_file, state)}
    assert found == {"pool.amplification": ("1500", "1501"), "amo_minter.min_cr()": ("810000", "820000"), "metapool.A()": ("1500", "1501")}


@pytest.mark.parametrize(
    ("written", "raw", "drifts"),
    [("0.8725", 872_500, False), ("0.872", 872_500, False), ("0.873", 872_500, False), ("0.874", 872_500, True), ("1", 999_000, True), ("1", 999_999, False)],
)  # fmt: skip
def test_a_figure_may_be_off_by_its_last_digit_and_by_a_thousandth_at_most(state_file, written, raw, drifts):
    """What a file writes with three digits is known to three."""
    text = state_file.read_text(encoding="utf-8").replace(
        "collateral_ratio = { value = 0.8725,", f"collateral_ratio = {{ value = {written},", 1
    )
    state_file.write_text(text, encoding="utf-8")
    state = load_books(state_file)
    reading = read_state(Otherwise(global_collateral_ratio=of(["uint256"], raw)), state)
    found = {each.what for each in drifted(reading, state_file, state)}
    assert ("controller.collateral_ratio" in found) is drifts


def test_a_parameter_set_is_compared_as_whole_integers():
    """Caps as the sums of the set's shares; what to set is told."""
    state = load_books(STATE)
    values = load_parameters(CURRENT, state)
    reading = read_state(Otherwise(), state)
    found = {each.what: each for each in set_drifted(reading, values, state)}
    assert set(found) == {
        "amo_minter.frax_mint_cap()",
        "amo_minter.collat_borrow_cap()",
        "frax_pool.mint_price_threshold()",
        "frax_pool.redeem_price_threshold()",
    }
    assert found["frax_pool.mint_price_threshold()"].to_set == "mint_price_threshold = 1.0033"
    assert found["amo_minter.frax_mint_cap()"].chain == str(1_300_046_446 * E18)
    assert found["amo_minter.frax_mint_cap()"].to_set == "curve_mint_cap, fraxlend_cap, uniswap_cap: together 1300046446 tokens"
    reading = read_state(Otherwise(min_cr=of(["uint256"], 820_000)), state)
    assert {each.to_set for each in set_drifted(reading, values, state)} > {"min_cr = 0.82"}


def test_a_ramp_under_way_is_written_into_the_pool(state_file):
    """``future_A`` a hundredfold, and the hours that are left; without one neither figure is added."""
    state = load_books(state_file)
    node = Otherwise(future_A=of(["uint256"], 200_000), future_A_time=of(["uint256"], 1_652_258_448 + 36 * 3600))
    write_state(read_state(node, state, partial=True), state_file, state, partial=True)
    after = load_books(state_file)
    assert (after.pool.future_amplification.value, after.pool.ramp_hours_left.value) == (2000.0, 36.0)
    assert "future_A() = 200000" in after.pool.future_amplification.source
    lines = state_file.read_text(encoding="utf-8").splitlines()
    assert (
        lines.index("[pool]")
        < next(place for place, line in enumerate(lines) if line.startswith("ramp_hours_left"))
        < lines.index("[collateral]")
    )
    node = Otherwise(future_A=of(["uint256"], 150_000), future_A_time=of(["uint256"], 1_652_258_448))
    fresh = Path(shutil.copy(STATE, state_file.with_name("fresh.toml")))
    write_state(read_state(node, load_books(fresh), partial=True), fresh, load_books(fresh), partial=True)
    assert "future_amplification" not in fresh.read_text(encoding="utf-8")


def _crvusd(folder):
    """crvUSD's worked state with addresses of two pools, a keeper, the policy and the regulator."""
    names = ("stablecoin", "usdc", "usdt", "usdt-keeper", "controller_factory", "monetary_policy", "regulator")
    at = {name: f"0x{place:040x}" for place, name in enumerate(names, start=0xC0FFEE0000000000000000000000000001)}
    tables = "".join(f'\n[contracts.{name}]\naddress = "{address}"\n' for name, address in at.items())
    path = folder / "crvusd.toml"
    books = CRVUSD.read_text(encoding="utf-8").partition("[contracts]")[0]
    path.write_text(f"{books}[contracts]\nchain_id = 1\n{tables}", encoding="utf-8")
    return path, at


def test_pools_and_keepers_by_the_names_that_a_state_chose(tmp_path):
    """The stablecoin's side is found by its address, each coin counted by its own decimals; ceilings are asked of the factory by the keeper's address."""
    path, at = _crvusd(tmp_path)
    world, coins = World(), {"usdc": f"0x{0xDC:040x}", "usdt": f"0x{0xD7:040x}"}
    world.says(at["stablecoin"], "totalSupply()", 110_177_663 * E18)
    world.says(at["stablecoin"], "decimals()", 18, types=["uint8"])
    for pool, coin in coins.items():
        for place, (address, amount) in enumerate(((coin, 7_000_001 * 10**6), (at["stablecoin"], 8_000_002 * E18))):
            world.says(at[pool], "coins(uint256)", address, types=["address"], given=[place])
            world.says(at[pool], "balances(uint256)", amount, given=[place])
        world.says(coin, "decimals()", 6, types=["uint8"])
        for getter, value in {
            "A()": 500, "initial_A()": 50_000, "initial_A_time()": 0, "future_A()": 50_000, "future_A_time()": 0,
            "fee()": 10**6, "admin_fee()": 5 * 10**9, "totalSupply()": 15_000_000 * E18,
        }.items():  # fmt: skip
            world.says(at[pool], getter, value)
    world.says(at["usdt"], "balanceOf(address)", 3_000_000 * E18, given=[at["usdt-keeper"]])
    keeper, factory = at["usdt-keeper"], at["controller_factory"]
    world.says(keeper, "debt()", 5_190_452 * E18)
    world.says(keeper, "caller_share()", 20_000)
    world.says(keeper, "regulator()", at["regulator"], types=["address"])
    world.says(factory, "debt_ceiling(address)", 25_000_000 * E18, given=[keeper])
    world.says(factory, "total_debt()", 104_987_211 * E18)
    for name, value in (("alpha", E18 // 2), ("beta", E18 // 4), ("price_deviation", 5 * 10**14), ("worst_price_threshold", 3 * 10**14)):
        world.says(at["regulator"], f"{name}()", value)
    policy = at["monetary_policy"]
    world.says(policy, "rate0()", 3_022_265_993)
    world.says(policy, "sigma()", 2 * 10**16, types=["int256"])
    world.says(policy, "target_debt_fraction()", 10**17)
    for owned in ("usdt-keeper", "controller_factory", "monetary_policy", "regulator"):
        world.says(at[owned], "admin()", SAFE, types=["address"])
    state = load_books(path)
    reading = read_state(world, state)
    figures = {each.name: float(each.value) for each in reading.figures}
    assert figures["pools.usdt.stablecoin"] == figures["pool.stablecoin"] == 8_000_002
    assert figures["pools.usdt.opposite"] == figures["pool.base_lp"] == 7_000_001
    assert figures["pools.usdt.fee"] == 0.0001
    assert figures["amos.usdt-keeper.lp_share"] == 0.2
    assert figures["amos.usdt-keeper.minted"] == 5_190_452
    assert figures["amos.borrowers.debt"] == 104_987_211
    reads = {each.key: each.raw for each in reading.reads}
    assert reads["controller_factory.debt_ceiling(usdt-keeper)"] == 25_000_000 * E18
    assert reads["monetary_policy.rate0()"] == 3_022_265_993
    why = {each.what: each.why for each in reading.unread}
    assert why["monetary_policy.extra_const()"] == why["pools.usdt.ema_seconds"] == "not in this version"
    assert why["pools.tusd.fee"] == "no address"
    values = load_parameters(ROOT / "studies" / "parameters" / "crvusd-current.toml", state)
    wrong = {each.what: each.to_set for each in set_drifted(reading, values, state)}
    assert {"regulator.alpha()", "regulator.beta()"}.isdisjoint(wrong)
    assert all(
        name.split("(")[0].split(".")[0] in ("monetary_policy", "controller_factory", "usdt-keeper", "usdt", "usdc", "metapool")
        for name in wrong
    )
    write_state(reading, path, state, partial=False)
    after = load_books(path)
    assert after.pools.usdt.opposite.value == 7_000_001
    assert after.pool.stablecoin.source.endswith(f"balances(1) = {8_000_002 * E18}, {coins_said(at, 'usdc', coins)}")
    world.says(at["usdt"], "coins(uint256)", f"0x{0xBAD:040x}", types=["address"], given=[1])
    world.says(f"0x{0xBAD:040x}", "decimals()", 18, types=["uint8"])
    with pytest.raises(
        AmoOptError,
        match=r"^\[contracts.usdt\]: which of the pool's coins is the stablecoin is not known: none is \[contracts.stablecoin\] 0x",
    ):
        read_state(world, state)


def coins_said(at, pool, coins):
    """The pool's coins as a source tells them."""
    from amo_opt.protocol.addresses import checksummed

    said = (checksummed(coins[pool]), checksummed(at["stablecoin"]))
    return ", ".join(f"{checksummed(at[pool])} coins({place}) = {coin}" for place, coin in enumerate(said))


def test_a_live_node_is_read_whole_recorded_and_replayed(node_url, tmp_path, state_file):
    """All of the worked state's contracts: nothing fails, proxies and code are noted, and the recording says the same without the node and without its address."""
    recording = tmp_path / "answers.json"
    called = call("state", state_file, "--rpc", node_url, "--record", recording, "--json")
    assert called.status == 0, called.err
    found = json.loads(called.out)
    assert {each["why"] for each in found["not_read"]} == {"no address", "no getter"}
    figures = {each["name"]: float(each["value"]) for each in found["figures"]}
    assert figures["collateral.idle"] == 90e6
    assert figures["redeem.fee"] == 0.0045
    assert figures["mint.fee"] == 0.0055
    assert figures["mint.ceiling"] == 5e8
    assert figures["share_token.recollateralise_bonus"] == 0.0075
    given = given_figures(load_books(STATE))
    assert len(given.keys() & figures.keys()) == 16
    assert len([each for each in found["not_read"] if each["why"] == "no address" and each["what"] in given]) == 14
    proxies = {each["contract"]: (each["implementation"], each["standard"]) for each in found["code"] if each["implementation"]}
    assert proxies == {
        "metapool": (node_url.addresses["metapool_implementation"], "EIP-1167"),
        "collateral": (node_url.addresses["collateral_implementation"], "EIP-1967"),
    }
    assert found["notes"] == []
    assert str(node_url).encode() not in recording.read_bytes()
    again = call("state", state_file, "--replay", recording, "--json")
    assert json.loads(again.out) == found
    assert call("state", state_file, "--replay", recording, "--write").status == 0
    assert load_books(state_file).reads["metapool.admin()"].raw == node_url.addresses["curve_owner_proxy"]
    assert "a proxy of" in state_file.read_text(encoding="utf-8")
    assert call("state", state_file, "--replay", recording, "--check").status == 0


def test_a_live_node_that_went_on_is_told_apart(node, state_file):
    """A getter that moved is drift; a contract that is gone is one sentence, and nothing is written."""
    assert call("state", state_file, "--rpc", node, "--write").status == 0
    node.put("amo_minter", "frax_mint_cap", -5)
    called = call("state", state_file, "--rpc", node, "--check")
    assert called.status == 1
    assert "-5" in called.out
    before = state_file.read_bytes()
    node.ask("test_code", "base_pool", "0x")
    called = call("state", state_file, "--rpc", node, "--write")
    assert (called.status, called.err) == (
        2,
        "amo-opt: [contracts.base_pool]: no code at 0xbEbc44782C7dB0a1A60Cb6fe97d0b483032FF1C7 at block 14754000; it is another chain's address, or of later\n",
    )
    assert state_file.read_bytes() == before


def test_a_check_of_what_was_not_read_is_no_agreement(node, state_file):
    """A state that names no contract is refused; a getter that fails is told by exit 1, though ``--partial`` goes on."""
    with pytest.raises(
        AmoOptError,
        match=r"^the state minimal names no contract that could be read; allowed: any \[contracts.NAME\] of aave_amo, .*metapool",
    ):
        read_state(Otherwise(), load_books(STATE.with_name("minimal.toml")))
    assert call("state", state_file, "--rpc", node, "--write").status == 0
    assert call("state", state_file, "--rpc", node, "--check").status == 0
    node.ask("test_code", "base_pool", "0x")
    called = call("state", state_file, "--rpc", node, "--check", "--partial")
    assert called.status == 1
    assert "note: [contracts.base_pool]: no code at" in called.err


def test_options_that_exclude_each_other(state_file):
    """Before anything is asked."""
    for options, said in (
        (["--write", "--check"], "--write and --check"),
        (["--replay", "x", "--rpc", "http://127.0.0.1:1"], "--replay: found --rpc with it"),
        (["--replay", "x", "--record", "y"], "--replay: found --record with it"),
        (
            ["--replay", "x", "--block", "soon"],
            "--block: found 'soon'; allowed: a number, a hash (0x and 64 hexadecimal digits), latest, safe",
        ),
    ):
        called = call("state", state_file, *options)
        assert called.status == 2
        assert said in called.err
