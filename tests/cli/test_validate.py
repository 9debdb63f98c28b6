"""`amo-opt validate`: right files and wrong ones, all problems at once."""

from __future__ import annotations

import json


def test_right_files_are_said_to_be_valid(shared, call):
    """Study, state and set by their own rules; exit 0."""
    files = [shared, *sorted(shared.parent.glob("*/*.toml"))]
    called = call("validate", *files)
    assert (called.status, called.err) == (0, "")
    assert called.out.splitlines() == [f"{file}: valid" for file in files]


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
    assert wrong["problems"][0]["key"] == "simulation.paths"
    assert (wrong["problems"][0]["found"], wrong["problems"][0]["line"] > 0) == ("0", True)
    assert missing["problems"][0]["message"] == "no such file"
    assert json.loads(call("validate", small(), "--json").out)["valid"] is True


def test_no_file_is_a_wrong_call(call):
    """Nothing to check: exit 2."""
    assert call("validate").status == 2
