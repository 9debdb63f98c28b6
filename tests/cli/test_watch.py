"""Progress: plain lines for a pipe, bars for a terminal, seconds for the log."""

from __future__ import annotations

import io

import pytest

from amo_opt import load_study
from amo_opt.cli import watch as room
from amo_opt.cli.watch import best, watching
from amo_opt.errors import StorageError
from amo_opt.search.progress import OtherSampler, Phase, ProgressEvent, Stalled


class Terminal(io.StringIO):
    def isatty(self):
        return True


def events():
    for done in range(0, 17, 8):
        yield ProgressEvent(phase="search", done=done, total=16, best_yield=0.031, best_peg_bps=2.5, front_size=3)
    yield ProgressEvent(phase="profile", done=1, total=4)
    yield ProgressEvent(phase="profile", done=2, total=4)
    yield ProgressEvent(phase="profile", done=4, total=4)


def test_the_best_so_far_in_words():
    """Yield in percent a year, peg risk in basis points, the front's size; nothing before there is a feasible set."""
    assert best(next(events())) == "best yield 3.10% a year, best peg risk 2.50 bp, front of 3"
    assert best(ProgressEvent(phase="search", done=0, total=8)) == ""


def test_remarks_in_words():
    """A record that another sampler began, and a search that ends where its front stopped growing."""
    other = OtherSampler(kept="tpe", wanted="nsga2", trials=1000)
    assert room.remark_words(other) == "the record's trials come from tpe, so tpe goes on (1000 trials at once take nsga2)"
    assert room.remark_words(Stalled(batches=3)) == "no growth of the front in 3 batches: the search ends here"


def test_every_phase_has_a_title():
    """A phase that the search announces is one the command line can name."""
    assert set(room.TITLES) == set(Phase.__args__)


def test_lines_at_both_ends_of_a_phase_and_seconds_between(shared, tmp_path, capsys, monkeypatch):
    """A pipe gets the first and the last count of each phase, and others only after some seconds."""
    clock = iter(range(0, 1000, 1))
    monkeypatch.setattr(room.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(room, "LINE_SECONDS", 1e9)
    with watching(load_study(shared), tmp_path / "report") as watch:
        for event in events():
            watch(event)
    told = "best yield 3.10% a year, best peg risk 2.50 bp, front of 3"
    assert capsys.readouterr().err.splitlines() == [
        f"search: 0/16 · {told}",
        f"search: 16/16 · {told}",
        "profile over A: 1/4",
        "profile over A: 4/4",
    ]


def test_lines_come_after_some_seconds_within_a_phase(shared, tmp_path, capsys, monkeypatch):
    """A long phase is not silent."""
    clock = iter(range(0, 100_000, 60))
    monkeypatch.setattr(room.time, "perf_counter", lambda: float(next(clock)))
    with watching(load_study(shared), tmp_path / "report") as watch:
        for event in events():
            watch(event)
    assert len(capsys.readouterr().err.splitlines()) == 6


def test_the_log_holds_study_and_seconds(shared, tmp_path, capsys):
    """Times go to the log, which grows by a run; they are no part of a report."""
    study = load_study(shared)
    for _ in range(2):
        with watching(study, tmp_path / "deep" / "report") as watch:
            for event in events():
                watch(event)
    lines = (tmp_path / "deep" / "report.log").read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == [f"study frax-2022 {study.hash[:12]}", "search", "profile"] * 2
    assert all(line.endswith(" s") for line in lines if line.startswith(("search", "profile")))
    capsys.readouterr()


def test_a_terminal_gets_bars_with_the_best_so_far(shared, tmp_path, monkeypatch):
    """Titles, counts and the best front stand beside the bars."""
    screen = Terminal()
    monkeypatch.setattr(room.sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with watching(load_study(shared), tmp_path / "report") as watch:
        for event in events():
            watch(event)
    shown = screen.getvalue()
    for text in ("search", "profile over A", "16/16", "best yield 3.10%"):
        assert text in shown, text


def test_a_place_that_cannot_be_written_is_named(shared, tmp_path):
    """A folder where the log should be: one message with the reason and the option."""
    (tmp_path / "report.log").mkdir()
    with (
        pytest.raises(StorageError, match=r"nothing can be written beside .*Is a directory.*--out"),
        watching(load_study(shared), tmp_path / "report"),
    ):
        pass
