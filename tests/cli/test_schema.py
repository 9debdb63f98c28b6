"""`amo-opt schema`."""

from __future__ import annotations

import json

import pytest

from amo_opt.cli.schema import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one_json_document(call, tmp_path, kind):
    """On standard output, or the same bytes in a file."""
    called = call("schema", kind)
    assert (called.status, called.err) == (0, "")
    assert json.loads(called.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    written = call("schema", kind, "--out", tmp_path / "s.json")
    assert (written.status, written.out) == (0, f"wrote {tmp_path / 's.json'}\n")
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == called.out


def test_wrong_calls(call, tmp_path):
    """A kind that is none, and a folder that is not there."""
    called = call("schema", "studdy")
    assert (called.status, called.out) == (2, "")
    assert "study" in called.err
    called = call("schema", "study", "--out", tmp_path / "none" / "s.json")
    assert (called.status, called.out) == (2, "")
    assert "there is no folder" in called.err
