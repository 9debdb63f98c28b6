"""One file as read: lines of its keys, problems that name their place."""

import tomllib
from pathlib import Path

import pytest

from amo_opt.config.toml_file import key_lines, read_document

STUDIES = Path(__file__).parents[2] / "studies"


def leaves(value, key=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*key, name)
            yield from leaves(inner, (*key, name))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*key, index))


@pytest.mark.parametrize("path", sorted(STUDIES.rglob("*.toml")), ids=lambda path: path.name)
def test_every_key_of_the_shipped_files_has_its_line(path):
    """Whatever TOML's own parser finds, the scan finds on a line that holds the key's name."""
    text = path.read_text(encoding="utf-8")
    lines = key_lines(text)
    rows = text.split("\n")
    for key in leaves(tomllib.loads(text)):
        located = key
        while located and located not in lines:
            located = located[:-1]
        assert located, key
        row = rows[lines[located] - 1]
        assert all(part in row for part in key[len(located) - 1 :] if isinstance(part, str)), (key, row)


def test_awkward_files_do_not_mislead_the_scan():
    """Text within long strings and arrays is not taken for keys; dotted and quoted keys and arrays of tables are found."""
    text = '''notes = """
paths = 1
[search]
"""
points = [
  [0, "a = 1"],
  # b = 2
]
a.b = 1
"c d" = 2 # e = 3
[[scenario]]
name = "calm"
[scenario.set]
size = 1
[[scenario]]
name = "svb"
'''
    assert key_lines(text) == {
        ("notes",): 1,
        ("points",): 5,
        ("a",): 9,
        ("a", "b"): 9,
        ("c d",): 10,
        ("scenario",): 11,
        ("scenario", 0): 11,
        ("scenario", 0, "name"): 12,
        ("scenario", 0, "set"): 13,
        ("scenario", 0, "set", "size"): 14,
        ("scenario", 1): 15,
        ("scenario", 1, "name"): 16,
    }


def test_problems_name_list_entries_by_their_name(tmp_path):
    """An entry goes by its name, one without by its place counted from 1."""
    path = tmp_path / "a.toml"
    path.write_text('[[scenario]]\nname = "calm"\n[[scenario]]\nweight = 1\n')
    document = read_document(path, "a.toml")
    assert document.problem(("scenario", 0, "weight"), "missing").where == "scenario[calm].weight"
    problem = document.problem(("scenario", 1, "weight"), "wrong")
    assert (problem.where, problem.line) == ("scenario[2].weight", 4)


def test_overrides_leave_the_file_as_read(tmp_path):
    """An override makes new tables on its way and is remembered as the command line's."""
    path = tmp_path / "a.toml"
    path.write_text("[search]\nseed = 1\ntrials = 2\n")
    document = read_document(path, "a.toml", {"search.seed": 5, "simulation.paths": 3, "search.batch": None})
    assert document.data == {"search": {"seed": 5, "trials": 2}, "simulation": {"paths": 3}}
    assert document.problem(("search", "seed"), "x").file == "command line"
    assert document.problem(("search", "trials"), "x").file == "a.toml"
    assert document.problem(("simulation",), "x").file == "command line"


def test_windows_line_ends_count_the_same(tmp_path):
    """A file written on Windows names the same lines."""
    assert key_lines("a = 1\r\nb = 2\r\n") == {("a",): 1, ("b",): 2}
