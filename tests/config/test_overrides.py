"""``[state] set``: figures that a study sets over its state file."""

from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amo_opt.config.identity import state_values
from amo_opt.config.load import load_state, load_study, validate_file
from amo_opt.config.overrides import set_by_study, with_overrides
from amo_opt.config.schema import figures_by_name
from amo_opt.errors import InputError
from amo_opt.protocol.state import Figure

STUDIES = Path(__file__).parents[2] / "studies"
STUDY = "frax-2022.toml"
STATE = "states/frax-2022-05-11.toml"
BEHAVIOUR = "behaviour/frax-2022.toml"
CURRENT = "parameters/frax-current.toml"
FILE = f'file = "{STATE}" # paths are relative to this file'
SHIPPED = load_state(STUDIES / STATE)


@pytest.fixture
def put(edit):
    """Writes ``[state] set`` into the copied study, as an inline table."""

    def write(entries: str) -> None:
        edit(STUDY, FILE, f"{FILE}\nset = {{ {entries} }}")

    return write


def refused(folder):
    with pytest.raises(InputError) as caught:
        load_study(folder / STUDY)
    return caught.value.problems


def test_a_figure_set_by_the_study_is_assumed_and_says_what_the_file_held():
    """Value as given; the file's value and reason in words; a range around both values and the former assumption's range."""
    assumed = Figure(value=0.2, assumed="by eye", low=0.05, high=0.6)
    sourced = Figure(value=1_586_444_839.83, source="balance on chain", date=SHIPPED.date)
    assert set_by_study(assumed, 0.0) == Figure(
        value=0.0, assumed="set by the study; the state file holds 0.2, assumed: by eye", low=0.0, high=0.6
    )
    assert set_by_study(assumed, 0.9) == Figure(
        value=0.9, assumed="set by the study; the state file holds 0.2, assumed: by eye", low=0.05, high=0.9
    )
    assert set_by_study(sourced, 2e9) == Figure(
        value=2e9,
        assumed="set by the study; the state file holds 1586444839.83, sourced: balance on chain",
        low=1_586_444_839.83,
        high=2e9,
    )


@given(st.sampled_from(sorted(figures_by_name())), st.floats(0.0, 1.0))
def test_any_figure_may_be_set_and_no_other_moves(name, share):
    """The figure holds the value and a range with it and the file's value inside, within the figure's limits; all others are as they were."""
    limits = figures_by_name()[name].metadata
    value = min(max(limits["low"] + share * (limits["high"] - limits["low"]), limits["low"]), limits["high"])
    changed = with_overrides(SHIPPED, {name: value})
    figure, former = attrgetter(name)(changed), attrgetter(name)(SHIPPED)
    values = {each: attrgetter(each)(SHIPPED).value for each in figures_by_name()}
    assert {each: attrgetter(each)(changed).value for each in figures_by_name()} == values | {name: value}
    assert (state_values(changed) == state_values(SHIPPED)) == (value == former.value)
    held = value if limits.get("fact") and not former.is_given else former.value  # one that is left to the scenarios is no figure yet
    assert limits["low"] <= figure.low <= min(figure.value, held)
    assert max(figure.value, held) <= figure.high <= limits["high"]
    assert (figure.source, figure.date) == (None, None)
    assert with_overrides(changed, {name: former.value}) != SHIPPED  # the value is back, and still says who set it
    assert state_values(with_overrides(changed, {name: former.value})) == state_values(SHIPPED)


def test_a_study_sets_figures_of_its_state(folder, put):
    """Every figure named in ``set`` holds the given value, whole numbers included; the state file stays as it is."""
    put('"markets.lp_flight_rate" = 0, "amos.curve.in_yearn" = 0.01')
    state = load_study(folder / STUDY).state
    assert (state.markets.lp_flight_rate.value, state.amos.curve.in_yearn.value) == (0.0, 0.01)
    assert state.markets.lp_flight_rate.assumed.startswith("set by the study; the state file holds 0.0003, assumed: beyond what leaves")
    assert state.amos.curve.in_yearn.low == 0.0
    assert load_state(folder / STATE) == SHIPPED


@pytest.mark.parametrize(
    "written",
    [
        'set = { "markets.lp_flight_rate" = 0.0, "amos.curve.in_yearn" = 0.01 }',
        '[state.set]\n"markets.lp_flight_rate" = 0.0\n"amos.curve.in_yearn" = 0.01',
        "[state.set]\nmarkets.lp_flight_rate = 0.0\namos.curve.in_yearn = 0.01",
        "[state.set]\nmarkets = { lp_flight_rate = 0.0 }\n[state.set.amos.curve]\nin_yearn = 0.01",
    ],
)
def test_every_spelling_of_a_table_is_the_same(folder, edit, written):
    """Inline or as a table of its own, names in quotes or without, where TOML makes tables within tables of them."""
    edit(STUDY, FILE, f"{FILE}\n{written}")
    expected = with_overrides(SHIPPED, {"markets.lp_flight_rate": 0.0, "amos.curve.in_yearn": 0.01})
    assert load_study(folder / STUDY).state == expected


def test_setting_a_figure_is_the_same_study_as_editing_the_state(folder, edit):
    """Two doors, one identity, for a figure of behaviour too: the hash is taken over values."""
    before = load_study(folder / STUDY).hash
    edit(STUDY, FILE, f'{FILE}\nset = {{ "markets.hazard_share" = 0.0 }}')
    over = load_study(folder / STUDY).hash
    edit(STUDY, 'set = { "markets.hazard_share" = 0.0 }', "")
    edit(BEHAVIOUR, "hazard_share = { value = 0.65", "hazard_share = { value = 0.0")
    edit(BEHAVIOUR, 'collapsed (IRON, UST); the part not explained by the price", low = 0.3', 'collapsed", low = 0.0')
    assert over == load_study(folder / STUDY).hash != before


def test_a_figure_set_to_what_the_file_holds_changes_no_hash(folder, put):
    """Sources and reasons are not part of a study's identity, so neither is who wrote the number."""
    before = load_study(folder / STUDY).hash
    put('"pool.amplification" = 1500, "markets.lp_flight_rate" = 0.0003')
    assert load_study(folder / STUDY).hash == before


def test_what_is_resolved_from_the_state_follows(folder, put):
    """The price floor left out of [constraints] is the collateral ratio as the study sets it."""
    put('"controller.collateral_ratio" = 0.9')
    assert load_study(folder / STUDY).constraints.external_cr_floor == 0.9


BAD = [
    # entry, the key named, what the message must say
    ('"markets.lp_flight_rat" = 0.0', "markets.lp_flight_rat", ["no such figure", "found 0.0", "did you mean 'markets.lp_flight_rate'?"]),
    ('"lp_flight_rate" = 0.0', "lp_flight_rate", ["no such figure", "did you mean 'markets.lp_flight_rate'?"]),
    ('"markets" = {}', "markets", ["no such figure", "found {}", "'markets."]),
    ("market.lp_flight_rate = 0.0", "market.lp_flight_rate", ["no such figure", "did you mean 'markets.lp_flight_rate'?"]),
    ('"markets.lp_flight_rate.value" = 0.0', "markets.lp_flight_rate.value", ["no such figure", "'markets.lp_flight_rate'"]),
    ('"markets.lp_flight_rate" = -0.1', "markets.lp_flight_rate", ["out of range", "found -0.1", "allowed: 0 to 10 1/h"]),
    ('"amos.curve.lp_share" = 1.5', "amos.curve.lp_share", ["out of range", "found 1.5", "allowed: 0 to 1 (share of the metapool"]),
    ('"markets.lp_flight_rate" = "0"', "markets.lp_flight_rate", ["not a number", 'found "0"', "allowed: a number from 0 to 10 1/h"]),
    ('"markets.lp_flight_rate" = false', "markets.lp_flight_rate", ["not a number", "found false"]),
    ('"markets.lp_flight_rate" = { value = 0.0 }', "markets.lp_flight_rate", ["not a number", "found { value = 0.0 }"]),
    ('"markets.lp_flight_rate" = [0.0]', "markets.lp_flight_rate", ["not a number"]),
    ('"markets.lp_flight_rate" = nan', "markets.lp_flight_rate", ["not a finite number", "found nan"]),
    ('"markets.lp_flight_rate" = -inf', "markets.lp_flight_rate", ["not a finite number"]),
    ('"markets.lp_flight_rate" = 0.0, markets.lp_flight_rate = 0.1', "markets.lp_flight_rate", ["set twice", "each figure once"]),
]


@pytest.mark.parametrize(("entry", "where", "words"), BAD, ids=[row[0] for row in BAD])
def test_each_mistake_is_named_at_its_key(folder, put, entry, where, words):
    """One message: the study's file and line, the figure, what was found, what is allowed or nearest."""
    put(entry)
    (found,) = refused(folder)
    assert (found.file, found.where) == (str(folder / STUDY), f"state.set.{where}")
    assert (folder / STUDY).read_text(encoding="utf-8").split("\n")[found.line - 1].startswith("set = ")
    assert all(word in str(found) for word in words), str(found)


def test_a_set_that_is_no_table(folder, edit):
    """The form says what belongs there."""
    edit(STUDY, FILE, f"{FILE}\nset = 0.0")
    (found,) = refused(folder)
    assert found.where == "state.set"
    assert 'such as { "markets.lp_flight_rate" = 0.0 }' in str(found)


def test_every_problem_is_listed_at_once(folder, edit):
    """Several wrong entries, each on its own line, beside the mistakes of the rest of the study, of the state and of the set."""
    edit(
        STUDY,
        FILE,
        f'{FILE}\n[state.set]\n"pool.fees" = 0.1\n"pool.fee" = 0.9\n"pool.base_fee" = "low"\n"amos.curve.in_yearn" = 0.01',
    )
    edit(STUDY, "paths = 64", "paths = -1")
    edit(STATE, "fee = { value = 0.0004, source", "fee = { value = 7, source")
    edit(CURRENT, "aave_cap = 0.201", "aave_cap = -0.201")
    found = refused(folder)
    assert [problem.where for problem in found] == [
        "state.set.pool.fees",
        "state.set.pool.fee",
        "state.set.pool.base_fee",
        "simulation.paths",
        "pool.fee.value",
        "aave_cap",
    ]
    rows = (folder / STUDY).read_text(encoding="utf-8").split("\n")
    assert [rows[problem.line - 1].split(" ")[0] for problem in found[:4]] == ['"pool.fees"', '"pool.fee"', '"pool.base_fee"', "paths"]


@pytest.mark.parametrize(
    ("entries", "where", "words"),
    [
        ('"pool.stablecoin" = 2.7e9', "pool.stablecoin", ["the pool holds the whole supply", "pool.stablecoin = 2.7e9", "2.60009e9"]),
        ('"stablecoin.supply" = 1.5e9', "stablecoin.supply", ["the pool holds the whole supply", "stablecoin.supply = 1.5e9"]),
        (
            '"amos.fraxlend.lent" = 2e9',
            "amos.fraxlend.lent",
            ["Fraxlend's loans are the whole supply", "found 1.58644e9 + loans of 2e9 of"],
        ),
        ('"amos.uniswap.liquidity" = 1.1e9', "amos.uniswap.liquidity", ["pool and AMOs hold the whole supply"]),
        ('"stablecoin.supply" = 1.6e9, "amos.fraxlend.lent" = 1e8', "amos.fraxlend.lent", ["Fraxlend's loans are the whole supply"]),
        (
            '"collateral.idle" = 0, "amos.aave.lent" = 0, "amos.curve.lp_share" = 0',
            "collateral.idle",
            ["no collateral at all"],
        ),
        ('"amos.curve.in_yearn" = 0.2', "amos.curve.in_yearn", ["more LP tokens staked than there are", "found 1.18 in all", "at most 1"]),
    ],
)
def test_the_balance_sheet_must_hold_with_what_is_set(folder, put, entries, where, words):
    """A figure within its own limits may still break the whole; the message stands at the figure the study set."""
    put(entries)
    (found,) = refused(folder)
    assert (found.file, found.where) == (str(folder / STUDY), f"state.set.{where}")
    assert all(word in str(found) for word in words), str(found)


def test_figures_that_fit_together_may_be_set_together(folder, put):
    """Only the whole is judged: more in the pool than there was, with the supply to match."""
    put('"pool.stablecoin" = 2.7e9, "stablecoin.supply" = 4e9, "amos.curve.in_yearn" = 0.3, "amos.curve.in_convex" = 0.62')
    state = load_study(folder / STUDY).state
    assert (state.pool.stablecoin.value, state.stablecoin.supply.value) == (2.7e9, 4e9)


def test_a_file_that_is_wrong_by_itself_is_not_mended(folder, edit, put):
    """A state is a snapshot of its own: its problem stays in the file, and is not told a second time."""
    edit(STATE, "value = 2_600_092_892", "value = 1.5e9")
    put('"stablecoin.supply" = 2.6e9')
    (found,) = refused(folder)
    assert (found.file, found.where) == (str(folder / STATE), "pool.stablecoin")


def test_overrides_of_the_call_reach_the_table(folder):
    """``load_study(overrides=...)`` sets one figure by its dotted name, or the table as a whole; what is wrong is the call's fault."""
    for overrides in ({"state.set.markets.lp_flight_rate": 0.0}, {"state.set": {"markets.lp_flight_rate": 0.0}}):
        assert load_study(folder / STUDY, overrides=overrides).state.markets.lp_flight_rate.value == 0.0
    with pytest.raises(InputError) as caught:
        load_study(folder / STUDY, overrides={"state.set.markets.lp_flight_rate": -1.0})
    (found,) = caught.value.problems
    assert (found.file, found.where) == ("command line", "state.set.markets.lp_flight_rate")


def test_the_shipped_example_of_a_switch_works_once_uncommented(folder, edit):
    """What stands commented out in the worked study is right."""
    before = load_study(folder / STUDY)
    edit(STUDY, "# set = {", "set = {")
    edit(STUDY, "# min_floor_supply = 1.0", "min_floor_supply = 1.0")
    assert validate_file(folder / STUDY) == []
    after = load_study(folder / STUDY)
    assert after.state == with_overrides(before.state, {"markets.lp_flight_rate": 0.0})
    assert (before.constraints.min_floor_supply, after.constraints.min_floor_supply) == (None, 1.0)


@pytest.mark.parametrize(
    ("entries", "due"),
    [
        ('"amos.curve.lp_share" = 0.4', ["amos.curve.minted = 6.35422e+08", "amos.curve.borrowed = 4.52"]),
        ('"amos.curve.lp_share" = 0.4, "amos.curve.minted" = 6.35e8', ["amos.curve.borrowed = 4.52"]),
        ('"amos.aave.lent" = 0', ["amos.aave.borrowed = 0 set with it"]),
        ('"amos.investor.lent" = 5e7', ["amos.investor.borrowed = 5e+07"]),
        ('"amos.fraxlend.lent" = 5e7', ["amos.fraxlend.minted = 5e+07"]),
        ('"amos.uniswap.liquidity" = 5e7', ["amos.uniswap.minted = 5e+07 and amos.uniswap.borrowed = 5e+07"]),
    ],
)
def test_a_position_set_without_its_books_is_refused(folder, put, entries, due):
    """One problem at the position: what the file holds, and what each book must be set to beside it."""
    put(entries)
    (found,) = refused(folder)
    assert found.where == f"state.set.{entries.split(chr(34))[1]}"
    assert "a position without its books" in found.message
    assert all(each in str(found) for each in due), str(found)
    assert ("amos.curve.minted" in found.allowed) == (entries == '"amos.curve.lp_share" = 0.4')


@pytest.mark.parametrize(
    "entries",
    [
        '"amos.curve.lp_share" = 0.4, "amos.curve.minted" = 6.35e8, "amos.curve.borrowed" = 4.53e8',  # within a hundredth
        '"amos.aave.lent" = 0, "amos.aave.borrowed" = 0',
        '"amos.curve.lp_share" = 0.8',  # as the file has it
        '"amos.curve.minted" = 1.2e9',  # a book that was not read may stand otherwise
        '"pool.stablecoin" = 1.5e9',  # a trade moves what the AMO holds and no book
    ],
)
def test_a_position_with_its_books_is_obeyed(folder, put, entries):
    """And so is what moves no position."""
    put(entries)
    assert load_study(folder / STUDY).state_set == tuple(part.split('"')[1] for part in entries.split(", "))
