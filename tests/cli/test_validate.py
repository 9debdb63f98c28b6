"""`amo-opt validate`: right files and wrong ones, all problems at once."""

from __future__ import annotations

import json
import os
import time

import pytest


def test_right_files_are_said_to_be_valid(shared, call):
    """Study, state and set by their own rules; exit 0. A warning, here of weights that add up to 0.97, leaves a file valid."""
    files = [shared, *sorted(shared.parent.glob("*/*.toml"))]
    called = call("validate", *files)
    assert called.status == 0
    study, *others = called.out.splitlines()
    assert study == f"{files[0]}: valid (1.2bn USD behind 1.3bn tokens outside: cover 0.936)"
    assert others == [f"{file}: valid" for file in files[1:]]
    (warning,) = called.err.splitlines()
    assert warning.startswith(f"warning: {shared}:")
    assert "scenario: the weights do not add up to 1; found 0.97 in all" in warning


def test_every_problem_of_every_file_is_listed(small, call):
    """Exit 1; two mistakes in two files are two lines, each with file, line and key; the right file is still said to be valid."""
    study = small(seed='"one"')
    current = study.parent / "parameters" / "frax-current.toml"
    current.write_text(current.read_text().replace("amplification = 1500", "amplification = 0"))
    state = study.parent / "states" / "frax-2022-05-11.toml"
    called = call("validate", study, state)
    assert called.status == 1
    assert called.out == f"{state}: valid\n"
    assert len(called.err.splitlines()) == 2
    assert f"{study}:" in called.err
    assert 'search.seed: wrong type; found "one"' in called.err
    assert "amplification: out of range; found 0" in called.err


def test_json_is_one_document(small, call, tmp_path):
    """Every file with its problems in parts; exit 1 all the same, nothing on stderr."""
    study = small(paths="0")
    called = call("validate", study, tmp_path / "nowhere.toml", "--json")
    assert (called.status, called.err) == (1, "")
    document = json.loads(called.out)
    assert document["valid"] is False
    wrong, missing = document["files"]
    assert (wrong["warnings"], missing["warnings"]) == ([], [])
    assert wrong["problems"][0]["key"] == "simulation.paths"
    assert (wrong["problems"][0]["found"], wrong["problems"][0]["line"] > 0) == ("0", True)
    assert missing["problems"][0]["message"] == "no such file"
    right = json.loads(call("validate", small(), "--json").out)
    assert right["valid"] is True
    assert [each["key"] for each in right["files"][0]["warnings"]] == ["scenario"]


def test_tools_are_told_the_level_the_line_and_the_nearest_name(small, call):
    """What a linter or an editor needs to mark a place and offer a word, of a key, a choice and a setting alike."""
    study = small()
    text = study.read_text()
    for old, new, key, nearest in (
        ("paths = ", "pahts = ", "simulation.pahts", "paths"),
        ('name = "calm"', 'name = "clam"', "scenario[clam].name", "calm"),
    ):
        study.write_text(text.replace(old, new, 1))
        document = json.loads(call("validate", study, "--json").out)
        (file,) = document["files"]
        (problem,) = [each for each in file["problems"] if each["key"] == key]
        assert (document["schema"], file["valid"], problem["level"], problem["nearest"]) == (1, False, "error", nearest)
        assert new in study.read_text().splitlines()[problem["line"] - 1]
    study.write_text(text)
    (file,) = json.loads(call("validate", study, "--json").out)["files"]
    assert (file["valid"], {each["level"] for each in file["warnings"]}) == (True, {"warning"})


def test_no_file_is_a_wrong_call(call):
    """Nothing to check: exit 2."""
    assert call("validate").status == 2


INJECTED = """
schema = 1
"a\\n::error file=README.md::pwned by key\\u001b[31m" = 1
"::error::pwned by key" = 1
[state]
file = "x\\n::error file=README.md,line=1::pwned by path\\n\\u001b[31mred\\u202eRTL"
[current]
file = "::error::pwned\\u2028::error::pwned"
[[scenario]]
name = "calm\\u0085::error::pwned"
set = { "##[error]pwned" = "::error::" }
"""


def test_text_of_a_file_begins_no_line_of_its_own(call, tmp_path):
    """Keys, values, paths and the file's own name: shown escaped, so that each problem is one line and no line is a command of CI."""
    study = tmp_path / "::error::\n::error::study.toml"
    study.write_text(INJECTED)
    called = call("validate", os.path.relpath(study))
    assert called.status == 1
    lines = called.err.splitlines()
    assert lines == called.err.split("\n")[:-1]
    assert all("study.toml" in line for line in lines)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)
    assert not {"\x1b", "\u202e", "\u2028", "\x85"} & set(called.err)
    assert r"x\n::error file=README.md,line=1::pwned by path\n\x1b[31mred" in called.err
    call_run = call("run", os.path.relpath(study))
    assert call_run.status == 2
    assert not any(line.lstrip().startswith("::") for line in call_run.err.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{i} = 1\n" for i in range(20_000)),
        "[[scenario]]\nname = 'zzz'\nweight = 'x'\n" * 8_000,
        "[[gate]]\nmetric = 'zzz'\nclass = 'safety'\n" * 8_000,
        "[state.set]\n" + "".join(f"'k{i}' = 1\n" for i in range(20_000)),
        "[pool]\n[contracts]\n" + "".join(f"k{i} = {{ caller = 'zz' }}\n" for i in range(8_000)),
        "[simulation]\npaths = [" + "1," * 100_000 + "]",
    ],
    ids=["keys", "scenarios", "gates", "figures", "contracts", "values"],
)
def test_a_file_wrong_everywhere_does_not_fill_the_screen(call, tmp_path, text):
    """Some tens of problems, and how many more, in a second: the nearest known name is looked for those that are told alone."""
    (tmp_path / "a.toml").write_text(f"schema = 1\n{text}")
    began = time.process_time()
    called = call("validate", tmp_path / "a.toml")
    assert time.process_time() - began < 3.0  # some 0.5 s; minutes where every name is compared with every other
    lines = called.err.splitlines()
    assert called.status == 1
    assert len(lines) <= 31
    assert sum(map(len, lines)) < 10_000


def test_the_rest_is_counted(call, tmp_path):
    """Every problem that is not told: the name missing, 5,000 keys unknown. What else is missing is not known of a set that names no parameter."""
    (tmp_path / "a.toml").write_text("schema = 1\n" + "".join(f"k{i} = 1\n" for i in range(5000)))
    told = call("validate", tmp_path / "a.toml").err.splitlines()
    assert told[-1].endswith(f"and {5001 - (len(told) - 1):,} more problems")
