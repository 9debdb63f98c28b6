"""Evidence files, fits of spells and their draws, and the tables ``[spells]`` and ``[venue]`` of a behaviour file: what is read, and what is refused in a sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.config.evidence import HISTORY_DIR, load_evidence, load_spells, spells_text
from amo_opt.config.identity import canonical
from amo_opt.config.load import validate_file
from amo_opt.errors import InputError
from amo_opt.stress.fitted_spells import DRIFT, NEW, SCALES, SHARED
from amo_opt.stress.table import read_table

STUDY, BEHAVIOUR = "frax-2022.toml", "behaviour/frax-2022.toml"
FIT, DRAWS = "behaviour/spells-2022.toml", "behaviour/spells-2022.csv"
EVIDENCE = """schema = 1
name = "made"

[[history]]
name = "first"
file = "first.csv"
columns = { pool_stable = ["coin"], pool_base = ["a", "b"] }
amplification = 200
source = "made up"

[[history]]
name = "second"
file = "second.csv"
source = "made up"

[[episode]]
name = "a week"
history = "first"
start = 2022-01-03
end = 2022-01-05T12:00:00Z
"""


def told(action, *arguments, **named) -> list[str]:
    """What a mistake is told as, a line each."""
    with pytest.raises(InputError) as caught:
        action(*arguments, **named)
    return [str(each) for each in caught.value.problems]


@pytest.fixture(autouse=True)
def no_folder(monkeypatch) -> None:
    monkeypatch.delenv(HISTORY_DIR, raising=False)


@pytest.fixture
def evidence(tmp_path):
    """An evidence file with its histories beside it."""
    days = [f"2022-01-{day:02d}" for day in range(1, 11)]
    (tmp_path / "first.csv").write_text(
        "date,coin,a,b,price of tea\n" + "".join(f"{day},{50 + i},{20 + i},30,x\n" for i, day in enumerate(days))
    )
    (tmp_path / "second.csv").write_text(
        "timestamp,pool_stable,pool_base\n" + "".join(f"{day},{50 + i},50\n" for i, day in enumerate(days))
    )
    file = tmp_path / "made.toml"
    file.write_text(EVIDENCE)
    return file


@pytest.fixture
def edit_evidence(evidence):
    def edit(old: str, new: str):
        text = evidence.read_text()
        assert text.count(old) == 1, old
        evidence.write_text(text.replace(old, new))
        return evidence

    return edit


def test_an_evidence_file_is_read(evidence) -> None:
    """Columns by their names here, the parts added up, everything else left out; episodes in UTC, both ends counted in."""
    found = load_evidence(evidence)
    first, second = found.histories
    assert (found.name, first.name, first.amplification, second.amplification) == ("made", "first", 200.0, None)
    assert set(first.table.numbers) == {"pool_stable", "pool_base"}
    assert first.table.numbers["pool_stable"].tolist() == list(range(50, 60))
    assert first.table.numbers["pool_base"].tolist() == list(range(50, 60))
    assert found.history("second") is second
    (episode,) = found.episodes
    assert (episode.start, episode.end) == (datetime(2022, 1, 3, tzinfo=UTC), datetime(2022, 1, 5, 12, tzinfo=UTC))
    assert validate_file(evidence) == []


def test_histories_may_stand_elsewhere(evidence, tmp_path, monkeypatch) -> None:
    """In the folder that the variable names, and in no other then."""
    other = tmp_path / "histories"
    other.mkdir()
    monkeypatch.setenv(HISTORY_DIR, str(other))
    (line, further) = told(load_evidence, evidence)
    assert "history[0].file: no such file" in line or "history.0.file" in line or "no such file" in line
    assert (str(other) in line, "'second.csv'" in further) == (True, True)
    for name in ("first.csv", "second.csv"):
        (tmp_path / name).rename(other / name)
    assert load_evidence(evidence).histories[0].table.numbers["pool_stable"][0] == 50.0
    monkeypatch.delenv(HISTORY_DIR)
    assert HISTORY_DIR in told(load_evidence, evidence)[0]
    # the form is right wherever the histories are
    assert validate_file(evidence) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "second"', 'name = "first"', ["named twice", "each history once"]),
        ('name = "second"', 'name = "new"', ["a word of the fit's own"]),
        ('name = "second"', 'name = "drift"', ["a word of the fit's own"]),
        ('name = "second"', 'name = "Second pool"', ["small letters, digits and hyphens"]),
        ("pool_base =", "pol_base =", ["no such column", "did you mean 'pool_base'?"]),
        ('["a", "b"]', "[]", ["of no column"]),
        ('["a", "b"]', '"a"', ["pool_base"]),
        ('["a", "b"]', '["a", "cc"]', ["no such column", "'cc'", "date, coin, a, b"]),
        ('["coin"]', '["coim"]', ["no such column", "did you mean 'coin'?"]),
        ("start = 2022-01-03", 'start = "soon"', ["no time", "'soon'"]),
        ("start = 2022-01-03", "start = 12:30:00", ["no time"]),
        ("start = 2022-01-03", "start = 2022-01-06", ["not after its start"]),
        ("start = 2022-01-03", "start = 2021-01-03", []),
        ("end = 2022-01-05T12:00:00Z", "end = 2022-01-03T12:00:00Z", ["too few rows", "1 rows of first", "at least 2", "2022-01-10"]),
        ('history = "first"', 'history = "frist"', ["no such history", "did you mean 'first'?"]),
        ('name = "a week"', 'name = "first"', ["named twice"]),
        ("amplification = 200", "amplification = 0.2", ["amplification", "1"]),
        ("amplification = 200", "amplificaton = 200", ["did you mean 'amplification'?"]),
        ('file = "first.csv"', 'file = "frist.csv"', ["no such file", "'frist.csv'"]),
        ('file = "first.csv"', 'file = "."', ["no such file"]),
        ('source = "made up"\n\n[[history]]', "\n[[history]]", ["source"]),
        ("schema = 1", "schema = 7", ["schema"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(edit_evidence, old: str, new: str, said: list[str]) -> None:
    """The key, what was found and what is allowed, each on its line; nothing else is said."""
    file = edit_evidence(old, new)
    if not said:
        assert load_evidence(file).episodes[0].start.year == 2021
        return
    (line,) = told(load_evidence, file)
    assert all(each in line for each in said), line


def test_histories_that_cannot_be_are_refused(evidence, tmp_path) -> None:
    """Both files' mistakes at once, by line."""
    for name, old, new in (("first.csv", "2022-01-04,53,23,30", "2022-01-04,53,many,30"), ("second.csv", "2022-01-05", "2022-01-03")):
        text = (tmp_path / name).read_text()
        assert old in text
        (tmp_path / name).write_text(text.replace(old, new))
    first, second = told(load_evidence, evidence)
    assert ("first.csv:5" in first, "'many'" in first, "second.csv:6" in second) == (True, True, True)


def test_columns_that_add_up_keep_what_is_empty(tmp_path) -> None:
    """A part that is missing leaves no sum, a cell that is no number is refused as it stands, and rows of another width too."""
    file = tmp_path / "parts.csv"
    file.write_text("date,a,b\n2022-01-01,10,20\n2022-01-02,10,\n2022-01-03,30,12\n")
    found = read_table(file, columns={"pool_base": ["A", "b"]}).numbers["pool_base"]
    np.testing.assert_array_equal(found, [30.0, np.nan, 42.0])
    for cell, said in (("x", "'x'"), ("nan", "'nan'"), ("1,2", "wrong number of cells")):
        file.write_text(f"date,a,b\n2022-01-01,10,20\n2022-01-02,10,{cell}\n2022-01-03,30,12\n")
        assert said in told(read_table, file, columns={"pool_base": ["a", "b"]})[0]


def test_rows_of_a_table_are_its_rows(evidence) -> None:
    """In the order they are asked for, with line, numbers and texts."""
    table = load_evidence(evidence).histories[0].table
    some = table.at([7, 2])
    assert (some.lines, some.numbers["pool_stable"].tolist()) == ((9, 4), [57.0, 52.0])
    assert some.texts["timestamp"] == ["2022-01-08", "2022-01-03"]
    assert len(table.at([]).lines) == 0


# -- a fit -----------------------------------------------------------------------------------------------------------------------------------


def made(folder, *, count: int = 24, pools=("one", "two"), name: str = "fit"):
    rng = np.random.default_rng(2)
    columns = [*SHARED, *(f"{pool}.{scale}" for pool in (*pools, NEW) for scale in SCALES), *DRIFT]
    draws = {column: np.exp(rng.normal(-3.0, 0.2, count)) for column in columns} | {
        column: rng.normal(-0.3, 0.4, count) for column in DRIFT
    }
    best = {column: float(np.median(values)) for column, values in draws.items()}
    text, rows = spells_text(
        name, 'notes with "quotes" and\na second line', ["a: a.csv"], best, draws, pools=pools, means=(-0.3, -0.3), deviations=(0.4, 0.4), correlation=0.1, windows=5,
        days=60.0, file=f"{name}.csv",
    )  # fmt: skip
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    (folder / f"{name}.csv").write_text(rows, encoding="utf-8")
    return folder / f"{name}.toml", draws, best


def test_a_fit_that_is_written_is_read_again(tmp_path) -> None:
    """Values to four digits, draws to five, each range around its value; of a fitted pool scales drift, of a new one they do not."""
    file, draws, best = made(tmp_path)
    assert validate_file(file) == []
    for pool, of in (("two", "two"), ("", NEW)):
        found = load_spells(file, pool=pool)
        assert (found.count, found.pool, found.evidence) == (24, pool, ("a: a.csv",))
        for name in SHARED:
            np.testing.assert_allclose(found.draws[name], draws[name], rtol=6e-5)
            assert found.values[name] == pytest.approx(best[name], rel=6e-4)
            assert found.ranges[name][0] <= found.values[name] <= found.ranges[name][1]
        for place, scale in enumerate(SCALES):
            moved = np.exp(draws[DRIFT[place]]) if pool else 1.0
            np.testing.assert_allclose(found.draws[scale], draws[f"{of}.{scale}"] * moved, rtol=2e-4)
            assert found.values[scale] == pytest.approx(best[f"{of}.{scale}"], rel=6e-4)
    again = tmp_path / "again"
    again.mkdir()
    assert made(again)[0].read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('draws = "fit.csv"', 'draws = "fits.csv"', ["fits.csv", "no such file"]),
        ('draws = "fit.csv"', 'draws = "."', ["is a directory"]),
        ('draws = "fit.csv"', 'draws = "/dev/zero"', ["is a device"]),
        ("[shared]\nbegin", "[shared]\nbegn", ["did you mean 'begin'?", "begin"]),
        ('name = "two"', 'name = "three"', ["columns missing"]),
        ("schema = 1", "schema = 2", ["schema"]),
        ("correlation = 0.1", "correlation = 1.5", ["correlation", "1"]),
    ],
)
def test_a_fit_that_cannot_be_is_told(tmp_path, old: str, new: str, said: list[str]) -> None:
    """In a sentence, of the file or of its draws."""
    file, _, _ = made(tmp_path)
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    lines = told(load_spells, file)
    assert all(any(each in line for line in lines) for each in said), lines
    assert [str(each) for each in validate_file(file)] == lines


def test_a_value_outside_its_range_is_told(tmp_path) -> None:
    """Of what is shared, of a pool, of a new one."""
    file, _, _ = made(tmp_path)
    text = file.read_text(encoding="utf-8")
    for table, name in (("[shared]", "end"), ('name = "two"', "two.lp_scale"), ("[new_pool]", "new_pool.flow_scale")):
        key = name.rpartition(".")[2]
        head, tail = text.split(table)
        moved = re.sub(rf"\n{key} = {{ value = [^,]+,", f"\n{key} = {{ value = 77.0,", tail, count=1)
        assert moved != tail
        file.write_text(head + table + moved, encoding="utf-8")
        (line,) = told(load_spells, file)
        assert f"{name}: value outside its range" in line
        assert "found 77" in line


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("0.1", "not a row of numbers"),  # one cell would fill the row
        ("0.1,0.2", "not a row of numbers"),
        ("x" + ",0.1" * 15, "not a row of numbers"),
        ("nan" + ",0.1" * 15, "begin: out of range"),
        ("0.1,inf" + ",0.1" * 14, "end: out of range"),
        ("-0.1" + ",0.1" * 15, "begin: out of range"),
        ("0.1" + ",0.1" * 13 + ",11,0", "drift.flow_scale: out of range"),
    ],
)
def test_draws_that_cannot_be_are_told_by_line(tmp_path, row: str, said: str) -> None:
    """The line of the first one, with what is allowed."""
    file, _, _ = made(tmp_path)
    rows = (tmp_path / "fit.csv").read_text().splitlines()
    assert len(rows[0].split(",")) == 16
    (tmp_path / "fit.csv").write_text("\n".join([*rows[:5], row, *rows[6:]]) + "\n")
    lines = told(load_spells, file)
    assert said in lines[0]
    assert "fit.csv:6" in lines[0]


def test_too_few_draws_and_no_draws(tmp_path) -> None:
    """15 are too few; a file of nothing, of no text, and of other columns."""
    file, _, _ = made(tmp_path, count=15)
    assert "found 15; allowed: at least 16" in told(load_spells, file)[0]
    for raw, said in (
        (b"", "columns missing"),
        (b"\xff\xfe\x00", "not text"),
        (b"a,b\n1,2\n", "columns missing"),
        (b"begin;end\n1;2\n", "semicolons"),
    ):
        (tmp_path / "fit.csv").write_bytes(raw)
        assert said in told(load_spells, file)[0]


# -- what a behaviour file names -------------------------------------------------------------------------------------------------------------


def test_without_a_fit_a_study_is_as_before(folder, edit) -> None:
    """No table of spells: calm as the catalogue has it, no fit, and a study by another hash; no venue: no noise."""
    before = load_study(folder / STUDY)
    assert before.spells is not None
    assert before.venue is not None
    text = (folder / BEHAVIOUR).read_text(encoding="utf-8")
    (folder / BEHAVIOUR).write_text(re.sub(r"(?s)# calm and busy spells.*?(?=\[markets\])", "", text), encoding="utf-8")
    plain = load_study(folder / STUDY)
    assert (plain.spells, plain.venue) == (None, None)
    assert plain.calm.settings["spell_flow_scale"] == 0.0
    assert plain.hash != before.hash
    assert ("spells" in canonical(plain), "spells" in canonical(before)) == (False, True)


def test_a_venue_changes_no_study(folder, edit) -> None:
    """It is of replays alone: the same hash, whatever its figures."""
    before = load_study(folder / STUDY)
    edit(BEHAVIOUR, "price_sd = { value = 0.0010", "price_sd = { value = 0.0012")
    after = load_study(folder / STUDY)
    assert (after.hash, after.venue.price_sd) == (before.hash, 0.0012)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('pool = "frax3crv"', 'pool = "frax3cv"', ["spells.pool", "no such pool", "did you mean 'frax3crv'?"]),
        ('pool = "frax3crv"', "pool = 3", ["spells.pool"]),
        ('pool = "frax3crv"', 'pol = "frax3crv"', ["did you mean 'pool'?"]),
        ('file = "spells-2022.toml"', 'file = "spels-2022.toml"', ["spells.file", "no such file", "did you mean 'spells-2022.toml'?"]),
        ('file = "spells-2022.toml"\n', "", ["spells.file", "missing"]),
        ('file = "spells-2022.toml"', 'file = "frax-2022.toml"', ["frax-2022.toml"]),
        ("price_sd = { value = 0.0010", "price_sd = { value = 1.5", ["venue.price_sd", "0 to 1"]),
        ("price_hours = { value = 6.0", "price_hours = { value = 0", ["venue.price_hours"]),
        ("price_sd = {", "pric_sd = {", ["did you mean 'price_sd'?"]),
    ],
)  # fmt: skip
def test_what_a_behaviour_file_names_wrongly(folder, edit, old: str, new: str, said: list[str]) -> None:
    """One sentence with the nearest name, of the study and of the file by itself."""
    edit(BEHAVIOUR, old, new)
    lines = [str(each) for each in validate_file(folder / STUDY)]
    assert all(any(each in line for line in lines) for each in said), lines
    assert validate_file(folder / BEHAVIOUR)


def test_half_a_venue_is_none(folder) -> None:
    """Deviation without a time, and the other way round."""
    text = (folder / BEHAVIOUR).read_text(encoding="utf-8")
    (folder / BEHAVIOUR).write_text(re.sub(r"(?m)^price_hours.*\n", "", text), encoding="utf-8")
    (problem,) = validate_file(folder / STUDY)
    assert "half of it is missing" in str(problem)


def test_draws_that_are_gone_are_told_of_the_study(folder) -> None:
    """The behaviour file's line, and the draws by name."""
    (folder / DRAWS).unlink()
    (problem,) = validate_file(folder / STUDY)
    assert ("spells.file" in str(problem), "spells-2022.csv" in str(problem)) == (True, True)
