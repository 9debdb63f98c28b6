"""Files of several pools and keepers: every refusal says file, key, value, what is allowed and the nearest known; one study whichever way it is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amo_opt import load_study
from amo_opt.amos.pools import MOST_POOLS
from amo_opt.config.load import load_parameters, validate_file
from amo_opt.errors import InputError
from amo_opt.simulation.engine import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study
    from amo_opt.errors import Problem

SEVERAL = Path(__file__).parents[1] / "amos" / "data" / "several"
USDP_KEEPER = '[[amo]]\nkind = "peg-keeper"\nname = "usdp"'
Edit = tuple[str, str, str]


def figure(value: float) -> str:
    return f'{{ value = {value}, assumed = "a test\'s", low = {value}, high = {value} }}'


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """The study's files, copied, pieces of them replaced: (file, old, new), the first of what is there."""

    def write(*edits: Edit) -> Path:
        folder = tmp_path / "several"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SEVERAL, folder)
        for name, old, new in edits:
            text = (folder / name).read_text(encoding="utf-8")
            assert old in text, old
            (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder / "study.toml"

    return write


def refused(path: Path) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        load_study(path)
    return list(caught.value.problems)


def problem(path: Path, where: str) -> Problem:
    found = [each for each in refused(path) if each.where == where]
    assert len(found) == 1, refused(path)
    return found[0]


STATE = (SEVERAL / "state.toml").read_text(encoding="utf-8")
REGULATOR = STATE[STATE.index("[amos.regulator]") : STATE.index("[[amo]]")]
AMOS = STATE[STATE.index("[amos.regulator]") : STATE.index("[markets]")]
S, P, Y = "state.toml", "parameters.toml", "study.toml"

REFUSED: dict[str, tuple[Edit, str, str, str, str | None, str]] = {
    # what is wrong: (edit, file, key, message, value as written, what is said to be allowed or near)
    "a pool without a name": ((S, 'name = "tusd"\nstable', "stable"), S, "pool[3]", "without a name", None, "small letters and digits"),
    "a pool that no parameter could name": ((S, 'name = "tusd"', 'name = "TUSD"'), S, "pool[TUSD]", "without a name", '"TUSD"', "small letters and digits"),
    "a pool whose name is a number": ((S, 'name = "tusd"', "name = 5"), S, "pool[3]", "without a name", "5", "small letters and digits"),
    "two pools of one name": ((S, 'name = "tusd"', 'name = "usdt"'), S, "pool[usdt].name", "two pools", '"usdt"', "a name of its own"),
    "the first one's name again": ((S, 'name = "tusd"', 'name = "usdc"'), S, "pools.usdc", "two pools", '"usdc"', "a name of its own"),
    "a keeper on no pool": ((S, USDP_KEEPER, USDP_KEEPER.replace("usdp", "usdq")), S, "amos.usdq-keeper", "not there", '"usdq"', "usdc, usdt, tusd, usdp"),
    "keepers without a regulator": ((S, REGULATOR, ""), S, "amos.usdc-keeper", "without a regulator", None, "[amos.regulator]"),
    "a regulator without keepers": ((S, AMOS, REGULATOR), S, "amos.regulator", "without a keeper", None, "peg-keeper"),
    "an AMO without a kind": ((S, USDP_KEEPER, '[[amo]]\nname = "usdp"'), S, "amo[usdp]", "without a kind", None, "peg-keeper"),
    "a kind that has no names": ((S, USDP_KEEPER, '[[amo]]\nkind = "curve"\nname = "usdp"'), S, "amo[usdp].name", "has no name", '"usdp"', "peg-keeper"),
    "an unknown kind": ((S, USDP_KEEPER, '[[amo]]\nkind = "peg-keper"'), S, "amo[4].kind", "no such kind", '"peg-keper"', "peg-keeper"),
    "the same keeper twice": ((S, USDP_KEEPER, USDP_KEEPER.replace("usdp", "usdt")), S, "amo[usdt]", "twice", "usdt-keeper", "each AMO once"),
    "a figure that a pool has not": ((S, 'name = "tusd"\n', 'name = "tusd"\nopposit = 1\n'), S, "pools.tusd.opposit", "unknown key", "1", "'opposite'"),
    "an unknown parameter of a keeper": ((P, "usdp-keeper.ceiling", "usdp-keeper.ceilng"), P, "usdp-keeper.ceilng", "unknown key", "15000000.0", "-keeper.ceiling'"),
    "an unknown parameter of a pool": ((P, "usdp-pool.amplification", "usdp-pool.amplificaton"), P, "usdp-pool.amplificaton", "unknown key", "500", "-pool.amplification'"),
    "an unknown one of the regulator": ((P, "regulator.alpha", "regulator.alhpa"), P, "regulator.alhpa", "unknown key", "0.5", "'regulator.alpha'"),
    "an unknown word after the name": ((P, "regulator.alpha", "usdt-keepr.ceiling = 5\nregulator.alpha"), P, "usdt-keepr", "unknown key", None, "'usdt-keeper.ceiling'"),
    "a parameter of a keeper that is not there": ((P, "regulator.alpha", "usdq-keeper.ceiling = 5e6\nregulator.alpha"), P, "usdq-keeper.ceiling", "does not have", "5000000.0", "[amos.usdq-keeper]"),
    "one in [current]": ((Y, "[simulation]", "usdq-pool.amplification = 100\n[simulation]"), Y, "current.usdq-pool.amplification", "does not have", "100", "[pools.usdq]"),
    "one in the space": ((Y, "regulator.alpha = {", "usdq-keeper.ceiling = { low = 1e6, high = 2e6 }\nregulator.alpha = {"), Y, "search.space.usdq-keeper.ceiling", "does not have", None, "[amos.usdq-keeper]"),
    "a ceiling left out": ((P, "usdp-keeper.ceiling = 15e6\n", ""), P, "usdp-keeper.ceiling", "missing", None, "a number from 0"),
    "a ceiling below 0": ((P, "usdp-keeper.ceiling = 15e6", "usdp-keeper.ceiling = -1"), P, "usdp-keeper.ceiling", "out of range", "-1", "a number from 0"),
    "a ceiling that is a table": ((P, "usdp-keeper.ceiling = 15e6", "usdp-keeper.ceiling.x = 15e6"), P, "usdp-keeper.ceiling", "wrong type", None, "a number from 0"),
    "a range above a parameter's": ((Y, "low = 0.2, high = 1.0", "low = 0.2, high = 2.0"), Y, "search.space.regulator.alpha.high", "beyond", "2", "0 to 1"),
    "a figure set of a pool that is not there": ((Y, 'file = "state.toml"', 'file = "state.toml"\nset = { pools.usdq.fee = 0 }'), Y, "state.set.pools.usdq.fee", "does not have", "0", "[pools.usdq]"),
    "a figure set beyond its range": ((Y, 'file = "state.toml"', 'file = "state.toml"\nset = { pools.usdt.fee = 9 }'), Y, "state.set.pools.usdt.fee", "out of range", "9", "0 to 0.05"),
    "a parameter set as a figure": ((Y, 'file = "state.toml"', 'file = "state.toml"\nset = { usdt-keeper.ceiling = 0 }'), Y, "state.set.usdt-keeper.ceiling", "no such figure", "0", "nearest known"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_told_with_its_place(written: Callable[..., Path], what: str) -> None:
    """File, line, key, value as written, and what would do."""
    edit, file, where, message, value, allowed = REFUSED[what]
    found = problem(written(edit), where)
    assert Path(found.file).name == file
    assert message in found.message
    assert value is None or found.found == value
    assert allowed in f"{found.allowed} {found.hint}"
    assert found.line is not None or found.message == "missing"
    assert "\n" not in str(found)


def test_a_state_by_itself_is_told_the_same(written: Callable[..., Path]) -> None:
    """`validate` of the state file alone."""
    for what in ("a keeper on no pool", "keepers without a regulator", "a regulator without keepers", "two pools of one name"):
        edit, file, where, *_ = REFUSED[what]
        path = written(edit).parent / file
        assert where in [each.where for each in validate_file(path)], what
    assert validate_file(written().parent / S) == []
    assert validate_file(written().parent / P) == []


# -- the same study whichever way it is written ------------------------------------------------------------------------------------


def keyed(text: str) -> str:
    """[[pool]] and [[amo]] as tables with names of their own."""
    out, lines, place = [], text.splitlines(), 0
    head: list[str] = []
    while place < len(lines):
        line = lines[place]
        if line == "[[pool]]":
            name = lines[place + 1].split('"')[1]
            first = not any(each.startswith("[pool") for each in out)
            out.append("[pool]" if first else f"[pools.{name}]")
            head += [f'pool_name = "{name}"'] if first else []
            place += 2
        elif line == "[[amo]]":
            out.append(f"[amos.{lines[place + 2].split(chr(34))[1]}-keeper]")
            place += 3
        else:
            out.append(line)
            place += 1
    at = next(index for index, line in enumerate(out) if line.startswith("name = "))
    return "\n".join([*out[:at], *head, *out[at:]]) + "\n"


def test_lists_and_tables_are_one_study(written: Callable[..., Path]) -> None:
    """The hash and every bit."""
    listed = load_study(written())
    path = written()
    (path.parent / S).write_text(keyed(STATE), encoding="utf-8")
    assert "[[" not in keyed(STATE)
    tables = load_study(path)
    assert tables.hash == listed.hash
    assert tables.state == listed.state
    one, other = (simulate(each.current, each, paths=4).columns for each in (listed, tables))
    assert all(one[name].tobytes() == values.tobytes() for name, values in other.items())


def test_dotted_and_quoted_parameters_are_the_same(written: Callable[..., Path]) -> None:
    """In the file of a set, in [current] and in the space."""
    plain = load_study(written())
    quoted = [(P, name, f'"{name}"') for name in ("usdt-keeper.ceiling", "usdt-pool.amplification", "regulator.beta")]
    assert load_study(written(*quoted, (Y, "usdt-keeper.ceiling = {", '"usdt-keeper.ceiling" = {'))).hash == plain.hash
    one, other = (
        load_study(written((Y, "[simulation]", f"{name} = 7e6\n[simulation]"))) for name in ("usdt-keeper.ceiling", '"usdt-keeper.ceiling"')
    )
    assert one.hash == other.hash != plain.hash
    assert one.current.values()["usdt-keeper.ceiling"] == 7e6
    assert plain.current.values()["usdt-keeper.ceiling"] == 25e6


def test_a_ceiling_is_searched_and_set_wherever_parameters_are(written: Callable[..., Path]) -> None:
    """Space, parameter file for the state, and figures of pools and keepers in [state] set."""
    study = load_study(written())
    assert set(study.search.space) == {"usdc-keeper.ceiling", "usdt-keeper.ceiling", "regulator.alpha"}
    assert study.search.space["usdt-keeper.ceiling"].log
    assert load_parameters(written().parent / P, study.state).values() == study.current.values()
    line = 'file = "state.toml"\nset = { pools.usdt.fee = 0.0004, "amos.usdt-keeper.minted" = 0, amos.usdt-keeper.lp_share = 0 }'
    changed = load_study(written((Y, 'file = "state.toml"', line)))
    assert changed.state.pools.usdt.fee.value == 0.0004
    assert getattr(changed.state.amos, "usdt-keeper").minted.value == 0.0
    assert changed.hash != study.hash
    assert changed.state.amos.named[1][1].on == "usdt"


def test_a_study_may_override_a_named_parameter_by_call(written: Callable[..., Path]) -> None:
    """``overrides`` of `load_study`, dotted as the others."""
    found: Study = load_study(written(), overrides={"current.usdt-keeper.ceiling": 3e6})
    assert found.current.values()["usdt-keeper.ceiling"] == 3e6


# -- faults that are known ---------------------------------------------------------------------------------------------------------


def test_pools_that_hold_more_than_the_supply_are_refused(written: Callable[..., Path]) -> None:
    held = next(line for line in STATE.splitlines() if line.startswith("stablecoin = { value = 8913638.85"))
    assert refused(written((S, held, f"stablecoin = {figure(2e8)}")))


def test_pools_that_a_study_fills_beyond_the_supply_are_refused(written: Callable[..., Path]) -> None:
    assert refused(written((Y, 'file = "state.toml"', 'file = "state.toml"\nset = { pools.usdt.stablecoin = 2e8 }')))


def test_more_of_a_pool_than_there_is_is_refused(written: Callable[..., Path]) -> None:
    assert refused(written((S, 'name = "tusd"\n', f'name = "tusd"\nlp_share = {figure(0.5)}\n')))


def test_a_pool_at_a_price_at_which_nobody_trades_is_refused(written: Callable[..., Path]) -> None:
    """A further pool whose coin opposite is a thousand times what stands beside it, at A 1."""
    found = refused(
        written(
            (
                Y,
                'file = "state.toml"',
                'file = "state.toml"\nset = { pools.usdt.stablecoin = 1e4, pools.usdt.opposite = 1e9, pools.usdt.amplification = 1 }',
            )
        )
    )
    assert [each.message for each in found] == ["a pool at a price at which nobody trades"]


def test_two_amos_that_share_the_first_pool_own_no_more_than_all_of_it(written: Callable[..., Path]) -> None:
    """A rebalancer beside the keeper of that pool."""
    table = f"[amos.rebalancer]\nlp_share = {figure(0.9)}\nminted = {figure(1e6)}\n[amos.regulator]"
    keeper = 'kind = "peg-keeper"\nname = "usdc"'
    first = STATE[STATE.index(keeper) :].partition("lp_share")[2].splitlines()[0]
    found = refused(written((S, "[amos.regulator]", table), (S, f"lp_share{first}", f"lp_share = {figure(0.2)}")))
    assert [each.message for each in found] == ["more of the pool than there is"]
    assert "amos.rebalancer.lp_share + amos.usdc-keeper.lp_share" in str(found[0].allowed)


def test_a_parameter_that_is_there_twice_is_refused(written: Callable[..., Path]) -> None:
    assert refused(written((P, "usdp-keeper.ceiling = 15e6", '"usdp-keeper.ceiling" = 1e6\nusdp-keeper.ceiling = 15e6')))


def test_a_pool_that_is_there_in_both_forms_is_refused(written: Callable[..., Path]) -> None:
    table = "[pools.usdp]\n" + "".join(
        f"{name} = {figure(5.0 if 'fee' not in name else 0.0)}\n"
        for name in ("stablecoin", "opposite", "amplification", "fee", "admin_fee")
    )
    assert refused(written((S, "[amos.regulator]", f"{table}[amos.regulator]")))


def test_an_unknown_kind_with_a_name_is_told_the_nearest(written: Callable[..., Path]) -> None:
    found = refused(written((S, USDP_KEEPER, USDP_KEEPER.replace("peg-keeper", "peg-keper"))))
    assert any("kind" in each.where and each.hint is not None and "peg-keeper" in each.hint for each in found)


def test_a_slip_in_a_parameter_is_told_the_one_of_its_own_mechanism(written: Callable[..., Path]) -> None:
    found = problem(written((P, "usdp-keeper.ceiling", "usdp-keeper.ceilng")), "usdp-keeper.ceilng")
    assert "usdp-keeper.ceiling" in str(found.hint)


def test_a_pool_s_name_that_another_s_series_has_is_refused(written: Callable[..., Path]) -> None:
    """`peg_keeper_debt` is what the keeper without a name owes."""
    study = written((S, 'name = "usdt"', 'name = "peg"'))
    found = [each for each in refused(study) if each.message == "a pool's name that stands for something else"]
    assert [each.where for each in found] == ["pools.peg"]


def test_more_pools_than_stand_side_by_side_are_refused(written: Callable[..., Path]) -> None:
    """A lane's pools are worked out in a block of fixed length; a 65th would be written over another's figures."""
    table = "".join(
        f"{name} = {figure(5.0 if 'fee' not in name else 0.0)}\n"
        for name in ("stablecoin", "opposite", "amplification", "fee", "admin_fee")
    )
    more = "".join(f"[pools.p{k}]\n{table}" for k in range(MOST_POOLS))
    found = [each for each in refused(written((S, "[amos.regulator]", f"{more}[amos.regulator]"))) if each.message == "too many pools"]
    assert [each.where for each in found] == ["pools"]
    assert f"at most {MOST_POOLS - 1}" in str(found[0].allowed)


def test_one_slip_in_a_state_is_told_alone(written: Callable[..., Path]) -> None:
    assert len(refused(written((S, USDP_KEEPER, USDP_KEEPER.replace("usdp", "usdq"))))) == 1
