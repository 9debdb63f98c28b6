"""`amo-opt init`: a study to start from, and never over anything."""

from __future__ import annotations

import json
import tomllib

import pytest

from amo_opt import load_study
from amo_opt.cli.schema import schema_of
from amo_opt.config.load import kind_of
from amo_opt.config.starter import LIKE


def test_what_init_writes_is_valid_and_named_after_its_folder(call, tmp_path, monkeypatch):
    """Files and the schemas that they name, listed as written; the next step printed is a call that works."""
    monkeypatch.chdir(tmp_path)
    called = call("init", "my-protocol")
    assert (called.status, called.err) == (0, "")
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*") if file.is_file()} == {
        line.removeprefix("wrote ") for line in called.out.splitlines()[:-1]
    }
    assert "amo-opt validate my-protocol/study.toml" in called.out
    assert call("validate", "my-protocol/study.toml").status == 0
    assert load_study("my-protocol/study.toml").name == "my-protocol"


def test_init_refuses_to_overwrite(call, tmp_path):
    """One file in the way: exit 2, it is named, and nothing is written."""
    file = tmp_path / "states" / "frax-2022-05-11.toml"
    file.parent.mkdir()
    file.write_text("mine")
    called = call("init", tmp_path)
    assert (called.status, called.out) == (2, "")
    assert f"{file}: exists already" in called.err
    assert file.read_text() == "mine"
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [file]


def test_init_into_a_file_is_a_wrong_call(call, tmp_path):
    """A file is no folder."""
    (tmp_path / "taken").write_text("")
    assert call("init", tmp_path / "taken").status == 2


@pytest.mark.parametrize("like", LIKE)
def test_every_example_is_whole(call, tmp_path, like):
    """What init writes names nothing that it does not write: the next step that it prints works."""
    assert call("init", tmp_path / "mine", "--like", like).status == 0
    assert call("validate", tmp_path / "mine" / "study.toml").status == 0


@pytest.mark.parametrize("like", LIKE)
def test_editors_find_the_schema_of_every_file(call, tmp_path, like):
    """The first line of each names one that is there and of its kind."""
    assert call("init", tmp_path / "mine", "--like", like).status == 0
    files = sorted((tmp_path / "mine").rglob("*.toml"))
    assert len(files) >= 4
    for file in files:
        text = file.read_text(encoding="utf-8")
        schema = json.loads((file.parent / text.splitlines()[0].removeprefix("#:schema ")).read_text(encoding="utf-8"))
        assert schema == schema_of(kind_of(tomllib.loads(text)))
