"""A table that a state leaves out is a mechanism that the protocol does not have: nothing is asked about it, and nothing may be said of it."""

from __future__ import annotations

import re
from dataclasses import MISSING
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from without import AMOS, BEHAVIOUR, CURRENT, NOT_THERE, OPTIONAL_TABLES, STATE, STUDIES, STUDY, is_gone, write_off, write_without

from amo_opt.amos.parameters import PARAMETERS, governed
from amo_opt.config.identity import state_values
from amo_opt.config.load import load_parameters, load_state, load_study, validate_file
from amo_opt.config.schema import MARKETS_OF, OPTIONAL, THROUGH, acts, figures_by_name, given_figures, left_out, off_value, table_of
from amo_opt.errors import InputError, Problem

MINIMAL = STUDIES / "minimal.toml"
FOREIGN = "belongs to a mechanism that the state does not have"


def problems(study: Path) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        load_study(study)
    return list(caught.value.problems)


def put(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def own(table: str) -> list[str]:
    """The parameters of a mechanism."""
    return [name for name, each in PARAMETERS.items() if each.of == table]


@pytest.mark.parametrize("table", OPTIONAL_TABLES)
def test_each_table_may_be_left_out_and_is_off(tmp_path: Path, table: str) -> None:
    """The study is valid and every file of it; the table is absent with all within it and no other; its figures are off and given by nobody."""
    study = write_without(tmp_path, [table])
    for name in (STUDY, STATE, BEHAVIOUR):
        assert validate_file(tmp_path / name) == [], name
    state = load_study(study).state
    assert state.absent - NOT_THERE == {name for name in OPTIONAL_TABLES if is_gone(name, [table])}
    for name in figures_by_name():
        if table_of(name) in NOT_THERE or set(THROUGH.get(name, (name,))) <= NOT_THERE:
            continue
        figure, gone = attrgetter(name)(state), bool(table_of(name)) and is_gone(table_of(name), [table])
        assert state.has(table_of(name)) is not gone
        written = figures_by_name()[name].default is MISSING or figure.is_given
        assert figure.is_given is (written and not gone), name
        assert (name in given_figures(state)) is (acts(state, name) and (written or gone)), name
        if gone:
            assert figure.value == off_value(name) == left_out(name), name
    gone_too = {name for name, each in PARAMETERS.items() if each.of in NOT_THERE or (each.of and is_gone(each.of, [table]))}
    assert gone_too == PARAMETERS.keys() - governed(state).keys()


@settings(max_examples=12, deadline=None)
@given(st.sets(st.sampled_from(OPTIONAL_TABLES)))
def test_any_of_them_together(tmp_path_factory: pytest.TempPathFactory, tables: set[str]) -> None:
    """What is left out is absent, what stays is as it was, and parameters of what is gone are at their off."""
    study = load_study(write_without(tmp_path_factory.mktemp("study"), tables, ratio=not is_gone("controller", tables)))
    shipped = load_study(STUDIES / STUDY)
    assert study.state.absent - NOT_THERE == {name for name in OPTIONAL_TABLES if is_gone(name, tables)}
    assert study.state.has("amos") is not all(name in tables for name in AMOS)
    for name in figures_by_name():
        if study.state.has(table_of(name)) and name != "controller.collateral_ratio":
            assert attrgetter(name)(study.state) == attrgetter(name)(shipped.state), name
    for name, each in PARAMETERS.items():
        assert study.current.values()[name] == (shipped.current.values()[name] if study.state.has(each.of) else each.typed(each.off)), name


def test_what_is_off_is_a_value_the_figure_may_have() -> None:
    """Of figures and of parameters; a door that is not there opens at no price, which no file may say."""
    for name, entry in figures_by_name().items():
        if table_of(name):
            assert entry.metadata["low"] <= off_value(name) <= entry.metadata["high"], name
    for name, each in PARAMETERS.items():
        assert each.low <= each.off <= each.high or (name, each.off) == ("redeem_price_threshold", 0.0) or not each.of, name
        assert each.of in {"", "amos", *OPTIONAL_TABLES, *NOT_THERE}, name


@pytest.mark.parametrize("table", [name for name in OPTIONAL_TABLES if own(name)] + ["amos"])
@pytest.mark.parametrize("place", ["file", "current", "space"])
def test_its_parameters_are_refused_with_the_table_named(tmp_path: Path, table: str, place: str) -> None:
    """In the set's file, over it, and in the space: one problem each, at its line."""
    tables = AMOS if table == "amos" else [table]
    study = write_without(tmp_path, tables)
    name = own(table)[0]
    value = (PARAMETERS[name].low + PARAMETERS[name].high) / 2
    line = f"{name} = {PARAMETERS[name].typed(value)!r}"
    if place == "file":
        put(tmp_path / CURRENT, "\nidle_buffer", f"\n{line}\nidle_buffer")
    elif place == "current":
        put(study, f'file = "{CURRENT}"', f'file = "{CURRENT}"\n{line}')
    else:
        low, high = PARAMETERS[name].low, PARAMETERS[name].high
        put(study, "\nidle_buffer", f"\n{name} = {{ low = {low!r}, high = {high!r} }}\nidle_buffer")
    (found,) = problems(study)
    where = {"file": name, "current": f"current.{name}", "space": f"search.space.{name}"}[place]
    assert (found.where, found.message) == (where, FOREIGN)
    assert Path(found.file) == (tmp_path / CURRENT if place == "file" else study)
    assert found.line is not None
    assert ("an AMO in the state" if table == "amos" else f"[{table}]") in str(found.allowed)


@pytest.mark.parametrize("table", [name for name in OPTIONAL_TABLES if own(name)])
def test_a_parameter_of_what_is_there_must_be_written(tmp_path: Path, table: str) -> None:
    """The state has the table, the set's file leaves its parameters out: each is missed by name, with its range."""
    study = write_without(tmp_path, [])
    file = tmp_path / CURRENT
    for name in own(table):
        file.write_text(re.sub(rf"(?m)^{name} =.*\n", "", file.read_text(encoding="utf-8")), encoding="utf-8")
    found = problems(study)
    assert [(each.where, each.message) for each in found] == [(name, "missing") for name in own(table)]
    assert all(each.allowed for each in found)


@pytest.mark.parametrize("table", OPTIONAL_TABLES)
def test_a_study_sets_no_figure_of_a_table_that_is_not_there(tmp_path: Path, table: str) -> None:
    """Of what is gone each figure is refused where it is set, those of `[markets]` too, and the table is named."""
    study = write_without(tmp_path, [table])
    gone = [name for name in figures_by_name() if table_of(name) == table]
    values = ", ".join(f'"{name}" = {off_value(name)!r}' for name in gone)
    put(study, f'file = "{STATE}"', f'set = {{ {values} }}\nfile = "{STATE}"')
    found = problems(study)
    assert [(each.where, each.message) for each in found] == [(f"state.set.{name}", FOREIGN) for name in gone]
    assert all(f"with a table [{table}]" in str(each.allowed) for each in found)


@pytest.mark.parametrize(
    "name",
    [name for name in MARKETS_OF if not figures_by_name()[name].metadata["behaviour"] and figures_by_name()[name].default is MISSING],
)
def test_a_figure_of_markets_goes_with_its_table(tmp_path: Path, name: str) -> None:
    """Missing where the table is there, not wanted where it is not; either problem names both."""
    key, table = name.rpartition(".")[2], MARKETS_OF[name]
    write_without(tmp_path, [])
    line = re.search(rf"(?m)^{key} = .*\n", (tmp_path / STATE).read_text(encoding="utf-8"))
    assert line is not None
    put(tmp_path / STATE, line[0], "")
    (missing,) = validate_file(tmp_path / STATE)
    assert (missing.where, missing.message) == (name, "missing")
    assert f"[{table}]" in str(missing.allowed)
    write_without(tmp_path, [table])
    put(tmp_path / STATE, "[markets]\n", f"[markets]\n{line[0]}")
    (unused,) = validate_file(tmp_path / STATE)
    assert (unused.where, unused.message) == (name, FOREIGN)
    assert f"[{table}]" in str(unused.allowed)


def test_figures_of_the_state_and_of_behaviour_do_not_change_files(tmp_path: Path) -> None:
    """Each is an unknown key where it does not belong, though both files have a table of that name."""
    study = write_without(tmp_path, [])
    line = 'hour_limit = { value = 0.2, source = "here" }'
    put(tmp_path / STATE, "[markets]\n", f"[markets]\n{line}\n")
    put(tmp_path / BEHAVIOUR, "[markets]\n", '[markets]\nramp_hours = { value = 48, source = "there" }\n')
    assert {(Path(each.file).name, each.where, each.message) for each in problems(study)} == {
        (Path(STATE).name, "markets.hour_limit", "unknown key"),
        (Path(BEHAVIOUR).name, "markets.ramp_hours", "unknown key"),
    }


@pytest.mark.parametrize("ratio", [0.9, 1.0])
@pytest.mark.parametrize("tables", [[], ["share_token"], ["share_token", "redeem"], ["share_token", "controller"]])
def test_somebody_pays_the_rest_of_a_redemption(tmp_path: Path, tables: list[str], ratio: float) -> None:
    """A ratio below 1 with a door out and no share token is refused, in whatever other company it is right."""
    write_without(tmp_path, tables, ratio=False)
    file = tmp_path / STATE
    line = f'collateral_ratio = {{ value = {ratio}, source = "the contract" }}'
    file.write_text(re.sub(r"(?m)^collateral_ratio = .*$", line, file.read_text(encoding="utf-8")), encoding="utf-8")
    found = validate_file(file)
    if tables == ["share_token"] and ratio < 1.0:
        (problem,) = found
        assert (problem.where, problem.message) == ("controller.collateral_ratio", "nobody pays the rest of a redemption")
        assert problem.found == "0.9"
        assert "[share_token]" in str(problem.allowed)
    else:
        assert found == []


def test_a_study_may_not_lower_the_ratio_either(tmp_path: Path) -> None:
    """Set over a state that has no share token, a ratio below 1 is the same mistake."""
    study = write_without(tmp_path, ["share_token"])
    assert load_study(study).state.controller.collateral_ratio.value == 1.0
    put(study, f'file = "{STATE}"', f'set = {{ "controller.collateral_ratio" = 0.9 }}\nfile = "{STATE}"')
    assert any("nobody pays the rest of a redemption" in str(each) for each in problems(study))


@pytest.mark.parametrize("table", OPTIONAL)
def test_an_empty_table_is_no_table(tmp_path: Path, table: str) -> None:
    """A header alone says that the mechanism is there, so its figures are missed."""
    study = write_without(tmp_path, [table])
    put(tmp_path / STATE, "[markets]\n", f"[{table}]\n\n[markets]\n")
    missed = {each.where for each in problems(study) if each.message == "missing"}
    named = {name for name, entry in figures_by_name().items() if name.rpartition(".")[0] == table and entry.default is MISSING}
    assert named <= missed


def test_a_set_of_everything_is_read_without_a_state(tmp_path: Path) -> None:
    """A parameter file by itself is held to all there is; beside a state, to what the protocol has."""
    study = load_study(write_without(tmp_path, ["controller", "amos.curve"]))
    assert load_parameters(tmp_path / CURRENT, study.state) == study.current
    with pytest.raises(InputError, match="cr_band: missing"):
        load_parameters(tmp_path / CURRENT)
    assert load_parameters(STUDIES / CURRENT).values() == load_study(STUDIES / STUDY).current.values()


@pytest.mark.parametrize("table", OPTIONAL_TABLES)
def test_absent_is_another_study_than_off(tmp_path: Path, table: str) -> None:
    """What a file says counts in a study's identity, and what it leaves out does not: no figure of an absent table is in its hash."""
    gone = load_study(write_without(tmp_path / "gone", [table]))
    off = load_study(write_off(tmp_path / "off", [table]))
    assert gone.hash != off.hash
    assert not [name for name in state_values(gone.state) if is_gone(name.rpartition(".")[0], [table])]
    assert all(attrgetter(name)(gone.state).value == attrgetter(name)(off.state).value for name in figures_by_name())


def test_the_smallest_example_is_small() -> None:
    """At most 35 figures, all of them asked for; it lacks most tables and is valid."""
    assert validate_file(MINIMAL) == []
    study = load_study(MINIMAL)
    figures = given_figures(study.state)
    written = [name for name in figures if not figures_by_name()[name].metadata["behaviour"]]
    text = (STUDIES / "states" / "minimal.toml").read_text(encoding="utf-8")
    assert len(written) == len(re.findall(r"(?m)^\w+ = \{ value", text)) <= 35
    assert study.state.absent >= {"controller", "share_token", "rewards", "amos.curve"}
    assert {name for name in OPTIONAL_TABLES if study.state.has(name)} == {"redeem", "mint", "amos.aave"}
    assert {name for name, each in PARAMETERS.items() if study.state.has(each.of)} == governed(study.state).keys()


@pytest.mark.parametrize("name", sorted(str(path.relative_to(STUDIES)) for path in STUDIES.rglob("*.toml")))
def test_every_shipped_file_is_valid_by_itself(name: str) -> None:
    """The set of a protocol that has less than everything included."""
    assert validate_file(STUDIES / name) == []


def test_every_figure_of_the_smallest_example_is_needed(tmp_path: Path) -> None:
    """Each left out alone is missed, by its name; facts of its markets are then the scenarios'."""
    text = (STUDIES / "states" / "minimal.toml").read_text(encoding="utf-8")
    path = tmp_path / "state.toml"
    for row in re.finditer(r"(?m)^(\w+) = \{ value.*\n", text):
        path.write_text(text[: row.start()] + text[row.end() :], encoding="utf-8")
        missed = [each for each in validate_file(path) if each.message == "missing"]
        assert [each.where.rpartition(".")[2] for each in missed] == ([] if row[1] in ("volume_day", "base_coins") else [row[1]])
    assert load_state(STUDIES / "states" / "minimal.toml").name == "minimal"
