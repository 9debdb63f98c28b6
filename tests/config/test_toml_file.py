"""One file as read: lines of its keys, problems that name their place."""

import os
import time
import tomllib
from pathlib import Path

import pytest

from amo_opt.config.toml_file import key_lines, read_document
from amo_opt.errors import InputError

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


def refused(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.process_time()
    with pytest.raises(InputError) as caught:
        read_document(path, "a.toml")
    assert time.process_time() - began < 1.0
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".b" * 20_000 + " = 1",
        "[a" + ".b" * 20_000 + "]",
        "x = { a" + " . b" * 20_000 + " = 1 }",
        '"a"' + ".'b'" * 20_000 + " = 1",
        "x = " + "[" * 500 + "]" * 500,
        "x = " + "{ a = " * 17 + "1" + "}" * 17,
        "".join(f"[{'.'.join('abcdefghijklmnop'[:depth])}]\n" for depth in range(1, 17)) + "[a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q]",
    ],
    ids=["keys", "header", "inline", "quoted", "arrays", "tables", "headers"],
)
def test_what_is_nested_deeply_is_refused_at_once(tmp_path, text):
    """However it is written: the parser's time grows with the square of the depth, or it runs out of stack."""
    problem = refused(tmp_path / "a.toml", text)
    assert (problem.message, problem.allowed) == ("not a study, state or parameter file: nested too deeply", "at most 16 levels")


def test_dots_in_texts_and_comments_are_no_depth(tmp_path):
    """Only keys are counted: texts of every kind, closed or not by a mark of another kind, may hold any."""
    dots = "a.b." * 100
    path = tmp_path / "a.toml"
    path.write_text(f'a = "{dots} \\" {dots}"\nb = \'{dots}\'  # {dots} """\nc = """\n{dots} \\""" \'\'\n"""\nd = \'\'\'\n{dots} "\'\'\'\n')
    assert set(read_document(path, "a.toml").data) == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    "text",
    ['x = """' + ' \\"""' * 200_000, "x = " + "'''a''' " * 200_000, "k" * 3_000_000, "x = " + "1." * 500_000, "x = " + "[" * 1_000_000],
    ids=["quotes", "texts", "word", "dots", "brackets"],
)
def test_no_text_takes_long_to_refuse(tmp_path, text):
    """What could be looked through again and again is looked through once."""
    refused(tmp_path / "a.toml", text)


def test_a_file_of_many_megabytes_is_refused_by_its_size(tmp_path):
    """Told in one sentence, unread."""
    assert "is too large: 5,000,000 bytes, of at most 4,194,304 that are read" in str(refused(tmp_path / "a.toml", b"#" * 5_000_000))


@pytest.mark.parametrize(
    "text", ["".join(f"k{each} = 1\n" for each in range(200_000)), "a = [" + "1," * 1_000_000 + "]"], ids=["keys", "array"]
)
def test_a_file_of_too_many_entries_is_refused_unparsed(tmp_path, monkeypatch, text):
    """Two hundred thousand keys took two seconds to parse before the first of them was told to be unknown."""
    monkeypatch.setattr("tomllib.loads", None)
    problem = refused(tmp_path / "a.toml", text)
    assert problem.message == "not a study, state or parameter file: too many lines and entries"
    assert problem.allowed == "at most 30,000"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    """Nobody writes to it."""
    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(InputError, match="is a pipe, not a file"):
        read_document(tmp_path / "a.toml", "a.toml")


@pytest.mark.parametrize(
    "text",
    [
        "PATH=/usr/bin\0TOKEN=geheim\0",
        "TOKEN=geheim",
        "geheim",
        "[geheim]\n[geheim]",
        "geheim.a = 1\n[geheim.a]",
        "a = {geheim = 1, geheim = 2}",
        "a = 'geheim",
        "a = geheim",
        "-----BEGIN geheim-----",
    ],
)
def test_nothing_of_a_file_that_is_not_toml_is_quoted(tmp_path, text):
    """A link to the environment or to a key leads to a line and a column, not to what stands there."""
    (tmp_path / "link.toml").symlink_to(tmp_path / "a")
    problem = refused(tmp_path / "a", text)
    assert "geheim" not in str(problem)
    assert problem.line == text.count("\n") + 1


def test_values_of_a_file_that_is_not_ours_are_not_quoted(tmp_path):
    """What reads as TOML and names no schema may be a file of settings, secrets included; the command line's values are the caller's."""
    path = tmp_path / "a.toml"
    path.write_text('TOKEN = "geheim"\n')
    document = read_document(path, "a.toml", {"search.seed": "x"})
    assert document.problem(("TOKEN",), "unknown key", found='"geheim"').found is None
    assert document.problem(("search", "seed"), "wrong type", found='"x"').found == '"x"'
    path.write_text('schema = 1\nname = "X"\n')
    assert read_document(path, "a.toml").problem(("name",), "wrong", found='"X"').found == '"X"'
