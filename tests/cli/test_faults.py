"""Faults under the commands that write, on real file systems and with real processes: one clear message, nothing half written, and on it goes."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
import sys
import time

import pytest

AMO_OPT = [sys.executable, "-c", "from amo_opt.cli.main import main; main()"]


def told(called, *fragments):
    """Exit 2 and one line on stderr besides progress, with every fragment."""
    assert called.status == 2, called.out + called.err
    last = called.err.splitlines()[-1]
    assert last.startswith("amo-opt: "), called.err
    assert "internal error" not in last
    assert all(fragment in last for fragment in fragments), last


def test_a_report_on_a_full_disk_leaves_the_old_one(finished, shared, call, mount, fill):
    """The new one does not fit: the old one stands, nothing lies beside it; with room the same call ends well."""
    _, done = finished
    disk = mount("size=4m")
    folder = disk / "report"
    shutil.copytree(done, folder)
    (folder / "proposal.md").write_text("old", encoding="utf-8")
    storage = ("--storage", done.with_name("report.db"))
    filler = fill(disk, leaving=100_000)
    told(call("report", shared, "--out", folder, *storage), "the report could not be written to", "No space left on device", "--out")
    assert (folder / "proposal.md").read_text(encoding="utf-8") == "old"
    assert {entry.name for entry in disk.iterdir()} == {"report", "filler"}
    filler.unlink()
    assert call("report", shared, "--out", folder, *storage).status == 0
    assert (folder / "proposal.md").read_bytes() == (done / "proposal.md").read_bytes()


def test_a_log_that_finds_no_room_ends_no_run(finished, shared, call, mount, tmp_path, monkeypatch, fill):
    """Told once on stderr; storage and report lie elsewhere, and are what they would be."""
    _, done = finished
    disk = mount("size=64k")
    fill(disk)
    shutil.copy(done.with_name("report.db"), tmp_path / "report.db")
    (tmp_path / "report.log").symlink_to(disk / "report.log")
    called = call("run", shared, "--out", tmp_path / "report")
    assert called.status == 0, called.err
    assert called.err.count("cannot be written (No space left on device); the run goes on without it") == 1
    assert (tmp_path / "report" / "results.json").read_bytes() == (done / "results.json").read_bytes()


def test_a_comparison_and_a_series_on_a_full_disk(shared, call, mount, fill):
    """Neither leaves half a file, and what stood there stays."""
    disk = mount("size=256k")
    current = shared.parent / "parameters" / "frax-current.toml"
    verdict, series = disk / "verdict", disk / "path.csv"
    verdict.mkdir()
    (verdict / "run.json").write_text("old", encoding="utf-8")
    series.write_text("old", encoding="utf-8")
    fill(disk, leaving=4096)
    called = call("compare", current, current, "--study", shared, "--paths", 12, "--out", verdict)
    told(called, "nothing can be written to", "No space left on device", "--out")
    called = call("simulate", current, "--study", shared, "--scenario", "calm", "--paths", "1", "--trace", series)
    told(called, "path.csv could not be written: No space left on device")
    assert series.read_text(encoding="utf-8") == (verdict / "run.json").read_text(encoding="utf-8") == "old"
    assert {entry.name for entry in (*disk.iterdir(), *verdict.iterdir())} == {"verdict", "path.csv", "filler", "run.json"}


@pytest.mark.parametrize("suffix", ["html", "svg", "png"])
def test_a_drawing_on_a_full_disk_leaves_the_old_one(call, mount, fill, suffix):
    """Pages and images alike: whole or not at all."""
    disk = mount("size=256k")
    drawing = disk / f"pool.{suffix}"
    drawing.write_text("old", encoding="utf-8")
    fill(disk, leaving=4096)
    called = call("pool", "depth", "--stable", "190m", "--base", "140m", "-A", "50", "--plot", drawing)
    told(called, f"pool.{suffix} could not be written: No space left on device", "--plot")
    assert drawing.read_text(encoding="utf-8") == "old"
    assert {entry.name for entry in disk.iterdir()} == {drawing.name, "filler"}


def test_a_folder_mounted_read_only_is_named_before_anything_is_run(finished, shared, call, tmp_path):
    """run, report, compare and simulate --trace on a read-only bind mount: a line with the reason each."""
    _, done = finished
    place = tmp_path / "place"
    place.mkdir()
    bind = subprocess.run(["mount", "--bind", str(place), str(place)], capture_output=True, text=True, check=False)
    if bind.returncode != 0:
        pytest.skip(f"no folder can be mounted here ({bind.stderr.strip()}): run the tests as root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        current = shared.parent / "parameters" / "frax-current.toml"
        told(call("run", shared, "--out", place / "report"), "nothing can be written beside", "Read-only file system", "--out")
        told(call("report", shared, "--out", place / "report", "--storage", done.with_name("report.db")), "Read-only file system", "--out")
        told(
            call("compare", current, current, "--study", shared, "--paths", 12, "--out", place / "verdict"),
            "Read-only file system",
            "--out",
        )
        trace = ("--scenario", "calm", "--paths", "1", "--trace", place / "path.csv")
        told(call("simulate", current, "--study", shared, *trace), "path.csv could not be written: Read-only file system")
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.mark.campaign
def test_a_clock_that_jumps_changes_nothing(finished, shared, call, tmp_path, monkeypatch):
    """Years back and forth at every look: the same bytes in every file, and no duration below zero in the log."""
    _, done = finished
    jumps = itertools.cycle([4e9, 1.0, 2e9, 9e8])
    looks = []

    def look():
        looks.append(next(jumps))
        return looks[-1]

    monkeypatch.setattr(time, "time", look)
    called = call("run", shared, "--out", tmp_path / "report", "--workers", "1")
    monkeypatch.undo()
    assert called.status == 0, called.err
    for file in done.iterdir():
        assert (tmp_path / "report" / file.name).read_bytes() == file.read_bytes(), file.name
    seconds = [float(line.split(": ")[1].removesuffix(" s")) for line in (tmp_path / "report.log").read_text().splitlines()[1:]]
    assert len(seconds) > 5
    assert all(0.0 <= each < 600.0 for each in seconds)


def test_two_runs_at_once(finished, shared, call, tmp_path):
    """The second is refused at its start and touches nothing; when the first has ended it goes on with the first one's trials."""
    _, done = finished
    words = ["run", str(shared), "--out", str(tmp_path / "report"), "--workers", "1"]
    with subprocess.Popen([*AMO_OPT, *words, "--trials", "4000"], stderr=subprocess.PIPE, text=True) as first:
        line = ""
        while "search: " not in line:
            line = first.stderr.readline()
            assert line, "the first run ended before it began"
        second = call(*words)
        told(second, "another run of study 'frax-2022' is working on the storage", "--storage")
        first.send_signal(signal.SIGKILL)
    third = call(*words)
    assert third.status == 0, third.err
    assert (tmp_path / "report" / "results.json").read_bytes() == (done / "results.json").read_bytes()
    assert {entry.name for entry in tmp_path.iterdir()} == {"report", "report.db", "report.log"}
