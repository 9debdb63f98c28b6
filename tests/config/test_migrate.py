"""Files of schema 1 in today's form: no figure, reason or comment is lost, and nothing is written by halves."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.cli.main import main
from amo_opt.config.identity import state_values
from amo_opt.config.load import load_state, load_study, validate_file
from amo_opt.config.migrate import DOORS, RENAMED, migrated, write_migrated
from amo_opt.config.schema import figures_by_name
from amo_opt.errors import InputError

STUDIES = Path(__file__).parent / "data" / "schema-2"
FORMER = Path(__file__).parent / "data" / "schema-1"
"""The worked study and its state as they were in schema 1."""
STUDY, STATE, CURRENT = "frax-2022.toml", "states/frax-2022-05-11.toml", "parameters/frax-current.toml"
WRITTEN = "behaviour/frax-2022-05-11.toml"
CANDIDATES = "candidates = 12 "


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """A folder with the study and the state of schema 1, and the set that the study names."""
    shutil.copytree(FORMER, tmp_path, dirs_exist_ok=True)
    (tmp_path / CURRENT).parent.mkdir()
    shutil.copy(STUDIES / CURRENT, tmp_path / CURRENT)
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    """Everything in the folder, by its path in it."""
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}


@dataclass(frozen=True)
class Called:
    """What a call left behind."""

    exit_code: int
    output: str


def migrate(folder: Path, *names: str) -> Called:
    """``amo-opt migrate FILE…`` in this process, as a person calls it."""
    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["amo-opt", "migrate", *(str(folder / name) for name in names)]),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    assert isinstance(stop.value.code, int)
    return Called(stop.value.code, said.getvalue())


def comments(text: str) -> list[str]:
    """Lines of comment, and the comment behind a figure's closing brace."""
    alone = [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]
    behind = [line.rpartition("} #")[2].strip() for line in text.splitlines() if "} #" in line and not line.lstrip().startswith("#")]
    return sorted([*alone, *behind])


def figures(text: str) -> list[str]:
    """What stands behind the equals sign of every figure."""
    return sorted(line.partition("=")[2].strip() for line in text.splitlines() if " = { value = " in line and not line.startswith("#"))


def test_every_figure_is_the_shipped_one(former: Path) -> None:
    """Value, source, date, reason and range of each: what the package ships is the same state moved by hand."""
    assert migrate(former, STUDY, STATE).exit_code == 0
    found, shipped = load_state(former / STATE, former / WRITTEN), load_state(STUDIES / STATE, STUDIES / "behaviour/frax-2022.toml")
    for name in figures_by_name():
        assert attrgetter(name)(found) == attrgetter(name)(shipped), name
    assert found == shipped


def test_every_file_is_valid_and_the_study_is_the_same(former: Path) -> None:
    """The hash is the shipped study's once the one setting that was changed since is changed here too; the state's share in it is the same as it is."""
    assert migrate(former, STUDY, STATE).exit_code == 0
    for name in (STUDY, STATE, WRITTEN):
        assert validate_file(former / name) == [], name
    found, shipped = load_study(former / STUDY), load_study(STUDIES / STUDY)
    assert state_values(found.state) == state_values(shipped.state)
    text = (former / STUDY).read_text(encoding="utf-8")
    assert text.count(CANDIDATES) == 1
    (former / STUDY).write_text(text.replace(CANDIDATES, f"candidates = {shipped.certification.candidates} "), encoding="utf-8")
    assert load_study(former / STUDY).hash == shipped.hash


def test_no_comment_and_no_figure_is_lost_or_doubled(former: Path) -> None:
    """State and behaviour together hold the lines that the state held; the study gains its table and nothing else."""
    before = texts(former)
    assert migrate(former, STUDY, STATE).exit_code == 0
    after = texts(former)
    for of in (comments, figures):
        assert sorted([*of(after[STATE]), *of(after[WRITTEN])]) == of(before[STATE])
    there = before[STUDY].replace("schema = 1\n", "").splitlines()
    kept = iter(after[STUDY].replace("schema = 2\n", "").splitlines())
    assert all(line in kept for line in there), "every line of the study stands, in its order"
    added = len(after[STUDY].splitlines()) - len(before[STUDY].splitlines())
    assert added == len(["[behaviour]", "file", ""])
    assert set(after) - set(before) == {WRITTEN}


def test_a_second_run_leaves_the_files_as_they_are(former: Path) -> None:
    """What is of today's schema is told to be, whatever it is, and so is a parameter file."""
    assert migrate(former, STUDY, STATE).exit_code == 0
    once = texts(former)
    again = migrate(former, STUDY, STATE, WRITTEN, CURRENT)
    assert again.exit_code == 0
    assert again.output.count("of today's schema already, left as it is") == 4
    assert texts(former) == once
    assert migrated(former / STATE, "state") == {}
    assert write_migrated(former / STUDY, "study") == []


def test_the_order_of_the_files_does_not_matter(former: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """State first, study first, or one in a run of its own."""
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(former, other, dirs_exist_ok=True)
    assert migrate(former, STUDY, STATE).exit_code == 0
    assert migrate(other, STATE).exit_code == 0
    assert migrate(other, STUDY).exit_code == 0
    assert texts(former) == texts(other)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nothing.toml", None),
        ("open.toml", "schema = 1\nname = \n[stablecoin]\n"),
        ("later.toml", "schema = 3\n[stablecoin]\n"),
        ("true.toml", "schema = true\n[stablecoin]\n"),
        ("none.toml", "[stablecoin]\n"),
    ],
)
def test_one_file_that_cannot_be_rewritten_leaves_all_untouched(former: Path, name: str, content: str | None) -> None:
    """Every file is looked at before the first is touched, wherever the bad one stands."""
    if content is not None:
        (former / name).write_text(content, encoding="utf-8")
    before = texts(former)
    for order in ((STUDY, STATE, name), (name, STATE, STUDY)):
        found = migrate(former, *order)
        assert (found.exit_code, texts(former)) == (2, before)
        assert "internal error" not in found.output
        assert name in found.output


def test_a_file_in_the_way_is_not_written_over(former: Path) -> None:
    """The behaviour file's place is taken: its text stands, and so do study and state."""
    (former / WRITTEN).parent.mkdir()
    (former / WRITTEN).write_text("mine", encoding="utf-8")
    before = texts(former)
    found = migrate(former, STUDY, STATE)
    assert (found.exit_code, texts(former)) == (2, before)
    assert "exists already and is left as it is" in found.output


def test_no_file_is_no_call(tmp_path: Path) -> None:
    """A mistake of the command line."""
    assert migrate(tmp_path).exit_code == 2


def test_a_state_in_no_folder_of_states_has_its_behaviour_beside_it(former: Path) -> None:
    """And a study that names such a state names that file."""
    shutil.move(former / STATE, former / "today.toml")
    text = (former / STUDY).read_text(encoding="utf-8")
    (former / STUDY).write_text(text.replace(STATE, "today.toml"), encoding="utf-8")
    assert migrate(former, STUDY, "today.toml").exit_code == 0
    assert (former / "behaviour-today.toml").exists()
    assert load_study(former / STUDY).state.markets == load_state(STUDIES / STATE, STUDIES / "behaviour/frax-2022.toml").markets


def test_a_study_sets_the_doors_by_their_names_of_today(former: Path) -> None:
    """Each of the five, in `[state] set`, is the same figure of the same value."""
    values = {"collateral_ratio": 0.9, "redemption_fee": 0.003, "redemption_delay_hours": 5.0, "minting_fee": 0.004, "mint_ceiling": 1e8}
    assert values.keys() == DOORS.keys()
    entries = ", ".join(f'"stablecoin.{key}" = {value}' for key, value in values.items())
    text = (former / STUDY).read_text(encoding="utf-8")
    file = f'file = "{STATE}"'
    (former / STUDY).write_text(text.replace(file, f"set = {{ {entries} }}\n{file}", 1), encoding="utf-8")
    assert migrate(former, STUDY, STATE).exit_code == 0
    state = load_study(former / STUDY).state
    for key, value in values.items():
        assert attrgetter(RENAMED[f"stablecoin.{key}"])(state).value == value


def test_a_file_of_schema_1_is_told_what_to_do_in_one_sentence(former: Path) -> None:
    """One problem of each, though much of it has another form today."""
    for name in (STUDY, STATE):
        (found,) = validate_file(former / name) if name == STATE else [each for each in validate_file(former / name) if name in each.file]
        assert (found.where, found.found) == ("schema", "1")
        assert "amo-opt migrate" in str(found)
    with pytest.raises(InputError, match="amo-opt migrate"):
        load_study(former / STUDY)


SHUFFLED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHUFFLED
@given(st.randoms(use_true_random=False), st.sampled_from(["stablecoin", "markets"]))
def test_in_whatever_order_the_figures_stand(tmp_path_factory: pytest.TempPathFactory, random, table: str) -> None:
    """A table's lines shuffled, with a comment above each: the same figures, and each comment stands above its own."""
    text = (FORMER / STATE).read_text(encoding="utf-8")
    before, _, rest = text.partition(f"[{table}]\n")
    inside, after = rest.partition("\n[")[0], "".join(rest.partition("\n[")[1:])
    lines = [line for line in inside.splitlines() if " = { value" in line and not line.startswith("#")]
    random.shuffle(lines)
    marked = [f"# about {line.partition(' ')[0]}\n{line}" for line in lines]
    path = tmp_path_factory.mktemp("shuffled") / "a.toml"
    path.write_text("\n".join([f"{before}[{table}]", *marked, after]), encoding="utf-8")
    written = write_migrated(path, "a.toml")
    assert load_state(path, path.with_name("behaviour-a.toml")) == load_state(STUDIES / STATE, STUDIES / "behaviour/frax-2022.toml")
    rows = [row for file in written for row in file.read_text(encoding="utf-8").splitlines()]
    for place, row in enumerate(rows):
        if row.startswith("# about "):
            name = row.removeprefix("# about ")
            assert rows[place + 1].startswith(f"{DOORS.get(name, ('', name))[1] if table == 'stablecoin' else name} = ")


REASON = 'assumed = "as the redemption fee", low'
SPELT: dict[str, tuple[str, str, str]] = {
    # how a line of one of the files may be written as well: which file, what stands there, and in other words
    "a reason over several lines": (STATE, 'assumed = "a cent above a dollar;', 'assumed = """a cent\nabove a dollar;'),
    "a header within a reason": (STATE, REASON, 'assumed = """as the\n[markets]\nredemption fee""", low'),
    "spaces in a header": (STATE, "[stablecoin]", "[ stablecoin ]"),
    "a comment behind a header": (STATE, "[stablecoin]", "[stablecoin] # the coin"),
    "a key in quotes": (STATE, "collateral_ratio = {", '"collateral_ratio" = {'),
    "an indented key": (STATE, "collateral_ratio = {", "  collateral_ratio = {"),
    "the state in a line": (STUDY, f'[state]\nfile = "{STATE}"', f'state.file = "{STATE}"'),
    "set without quotes": (STUDY, f'[state]\nfile = "{STATE}"', f'[state]\nset.stablecoin.minting_fee = 0.002\nfile = "{STATE}"'),
    "set in single quotes": (
        STUDY,
        f'[state]\nfile = "{STATE}"',
        f"[state]\nset = {{ 'stablecoin.minting_fee' = 0.002 }}\nfile = \"{STATE}\"",
    ),
    "a table of what is set": (
        STUDY,
        f'[state]\nfile = "{STATE}"',
        f'[state.set.stablecoin]\nminting_fee = 0.002\n[state]\nfile = "{STATE}"',
    ),
    "the schema with a comment": (STUDY, "schema = 1", "schema = 1 # the first"),
    "the schema without spaces": (STATE, "schema = 1", "schema=1"),
}


@pytest.mark.parametrize("case", SPELT)
def test_what_is_written_is_right_or_nothing_is(former: Path, case: str) -> None:
    """However TOML lets a file be written: the same study comes of it, or it is refused and everything stands as it was."""
    name, old, new = SPELT[case]
    text = (former / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, case
    text = text.replace(old, new)
    if case == "a reason over several lines":
        text = text.replace('seldom traded higher for an hour"', 'seldom traded higher for an hour"""')
    (former / name).write_text(text, encoding="utf-8")
    before = texts(former)
    found = migrate(former, STUDY, STATE)
    if found.exit_code:
        assert (found.exit_code, texts(former)) == (2, before)
    else:
        assert validate_file(former / STUDY) == []
        assert state_values(load_study(former / STUDY).state) == state_values(load_study(STUDIES / STUDY).state)


@pytest.mark.parametrize("folder", ["states", "my-states", "states/old", "."])
def test_study_and_state_agree_on_where_behaviour_goes(former: Path, folder: str) -> None:
    """Wherever the state lies."""
    (former / folder).mkdir(parents=True, exist_ok=True)
    moved = f"{folder}/today.toml"
    shutil.move(former / STATE, former / moved)
    text = (former / STUDY).read_text(encoding="utf-8")
    (former / STUDY).write_text(text.replace(STATE, moved), encoding="utf-8")
    assert migrate(former, STUDY, moved).exit_code == 0
    assert validate_file(former / STUDY) == []


def test_where_the_user_stands_does_not_matter(former: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder of the states, a state goes by its bare name, and its behaviour to the folder beside that one all the same."""
    monkeypatch.chdir((former / STATE).parent)
    assert migrate(Path(), Path(STATE).name).exit_code == 0
    assert migrate(Path(), f"../{STUDY}").exit_code == 0
    assert validate_file(former / STUDY) == []


def test_lines_end_as_they_did(former: Path) -> None:
    """Files of a system that ends lines otherwise stay so."""
    for name in (STUDY, STATE):
        (former / name).write_bytes((former / name).read_bytes().replace(b"\n", b"\r\n"))
    assert migrate(former, STUDY, STATE).exit_code == 0
    for name in (STUDY, STATE, WRITTEN):
        text = (former / name).read_bytes()
        assert text.count(b"\n") == text.count(b"\r\n"), name
    assert validate_file(former / STUDY) == []
