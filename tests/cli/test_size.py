"""A call that asks for more than the machine has, or for more than a lifetime of it: told before anything is computed."""

from __future__ import annotations

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.search import planning
from amo_opt.simulation import engine
from amo_opt.simulation import size as room


@pytest.fixture(autouse=True)
def nothing_is_run(monkeypatch):
    monkeypatch.setattr(engine, "run_block", None)
    monkeypatch.setattr(room, "free_bytes", lambda: 4 * 10**8)


def calls(shared, tmp_path):
    """Every command that takes a number of paths, asked for a million."""
    current = shared.parent / "parameters" / "frax-current.toml"
    return {
        "simulate": ["simulate", current, "--study", shared],
        "run": ["run", shared, "--out", tmp_path / "report"],
        "compare": ["compare", current, current, "--study", shared],
        "profile": ["profile", shared],
        "break": ["break", shared, current],
    }


@pytest.mark.parametrize("command", ["simulate", "run", "compare", "profile", "break"])
def test_a_million_paths_that_do_not_fit(shared, call, tmp_path, command):
    """Exit 2, one line with the estimate, the memory there is and what would fit; nothing is written."""
    called = call(*calls(shared, tmp_path)[command], "--paths", "1000000", "--workers", "2")
    assert (called.status, called.out) == (2, ""), called.err
    assert len(called.err.splitlines()) == 1
    assert "GB of memory, 0.4 GB are free; " in called.err
    assert "would fit (--paths, --workers)" in called.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["simulate", "run"])
def test_a_million_paths_of_ten_years(small, call, tmp_path, monkeypatch, command):
    """On a machine with memory enough: the days it would take."""
    monkeypatch.setattr(room, "free_bytes", lambda: 10**13)

    def begun(*_, **__):
        raise AmoOptError("begun")

    monkeypatch.setattr(planning, "aim", begun)
    study = small(window_hours="87600", trials="100000")
    called = call(*calls(study, tmp_path)[command], "--paths", "1000000", "--workers", "1")
    assert (called.status, called.out) == (2, "")
    if command == "simulate":  # one set is done within the bound: the time is told, and the work begun
        note, end = called.err.splitlines()
        assert note.startswith("note: about ")
        assert note.endswith(" on 1 worker")
        assert end == "amo-opt: begun"
    else:
        assert len(called.err.splitlines()) == 1
        assert "days; more than 30 days is not begun" in called.err
