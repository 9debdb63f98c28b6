"""A report is replaced whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amo_opt.errors import StorageError
from amo_opt.report import check_folder, write, write_report

NAMES = {"proposal.md", "appendix.md", "report.html", "results.json", "parameters.toml", "trials.csv", "monitor.json"}
SMALL = {name: f"new {name}".encode() for name in NAMES}


@pytest.fixture
def small(monkeypatch):
    """Writing is tested with small files; what is in them is others' business."""
    monkeypatch.setattr(write, "report_files", lambda result, record=None: SMALL)


def _content(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def test_the_same_result_gives_the_same_bytes(make_result, tmp_path):
    """Twice in one process, into differently named folders (rendering leaves no trace that a second rendering would show), and again in a process with another hash seed and locale."""
    result = make_result()
    one, two = (write_report(result, tmp_path / name / "frax-2022") for name in ("a", "b"))
    assert _content(one) == _content(two)
    assert set(_content(one)) == NAMES
    script = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('factory', sys.argv[1]);"
        "factory = importlib.util.module_from_spec(spec); spec.loader.exec_module(factory);"
        "from pathlib import Path; from amo_opt.report import write_report; write_report(factory.build_result(), Path(sys.argv[2]))"
    )
    other = tmp_path / "c"
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nsvg.fonttype: path\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")}
    subprocess.run([sys.executable, "-c", script, str(Path(__file__).parent / "conftest.py"), str(other)], env=environment, check=True)
    assert _content(other) == _content(one)


def test_an_old_report_is_replaced_whole(small, tmp_path):
    """Nothing of the old one stays, and no helper folder is left beside the new one."""
    folder = tmp_path / "frax-2022"
    folder.mkdir()
    (folder / "safe-batch.json").write_text("old", encoding="utf-8")
    assert write_report(None, folder) == folder
    assert _content(folder) == SMALL
    assert [entry.name for entry in tmp_path.iterdir()] == ["frax-2022"]


@pytest.mark.parametrize("mask", [0o077, 0o027, 0o002])
def test_folder_and_files_are_as_the_umask_says(small, tmp_path, mask):
    """New, and in place of an old report."""
    before = os.umask(mask)
    try:
        for _ in range(2):
            folder = write_report(None, tmp_path / "frax-2022")
            assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~mask
            assert {stat.S_IMODE(entry.stat().st_mode) for entry in folder.iterdir()} == {0o666 & ~mask}
    finally:
        os.umask(before)


@pytest.mark.parametrize("exchange", [True, False])
def test_a_failure_leaves_the_old_report(small, tmp_path, monkeypatch, exchange):
    """A full disk while writing, or a rename that fails: the old report stands untouched, with and without a one-step exchange."""
    folder = tmp_path / "frax-2022"
    folder.mkdir()
    (folder / "report.html").write_text("old", encoding="utf-8")
    if exchange:
        written = []

        def full_disk(path, content):
            written.append(path)
            if len(written) == 3:
                raise OSError(28, "No space left on device")
            path.write_bytes(content)

        monkeypatch.setattr(write, "_write_through", full_disk)
    else:
        monkeypatch.setattr(write, "_exchange", lambda one, other: False)
        rename = Path.rename

        def no_new_report(self, target):
            if self.name.endswith(".writing"):
                raise OSError(13, "Permission denied")
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", no_new_report)
    with pytest.raises(StorageError, match="could not be written to"):
        write_report(None, folder)
    assert _content(folder) == {"report.html": b"old"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["frax-2022"]


def test_a_system_without_exchange_replaces_it_too(small, tmp_path, monkeypatch):
    """The old report steps aside, the new one takes its place."""
    monkeypatch.setattr(write, "_exchange", lambda one, other: False)
    folder = tmp_path / "frax-2022"
    for _ in range(2):
        write_report(None, folder)
    assert _content(folder) == SMALL
    assert [entry.name for entry in tmp_path.iterdir()] == ["frax-2022"]


def test_a_report_left_aside_comes_back(small, tmp_path):
    """Killed between the two renames: the next writing finds the old report and puts it back before anything else."""
    aside = tmp_path / ".frax-2022.abc.old"
    aside.mkdir()
    (aside / "report.html").write_text("old", encoding="utf-8")
    stale = tmp_path / ".frax-2022.def.writing"
    stale.mkdir()
    write_report(None, tmp_path / "frax-2022")
    assert [entry.name for entry in tmp_path.iterdir()] == ["frax-2022"]


def test_killed_at_any_moment_the_folder_holds_one_whole_report(tmp_path):
    """kill -9 during a loop of writings: what stands is always all old or all new."""
    script = (
        "import itertools, sys; from pathlib import Path; from amo_opt.report import write\n"
        "for turn in itertools.count():\n"
        "    files = {name: str(turn).encode() for name in ('proposal.md', 'report.html', 'results.json')}\n"
        "    write.report_files = lambda result, record=None, files=files: files\n"
        "    write.write_report(None, Path(sys.argv[1]))\n"
        "    print(turn, flush=True)\n"
    )
    for delay in (0.0, 0.003, 0.011):
        folder = tmp_path / f"r{delay}"
        with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.stdout.read()
        found = _content(folder)
        assert len(found) == 3
        assert len(set(found.values())) == 1


def test_what_is_not_a_report_is_never_swept_away(small, tmp_path):
    """A folder with anything else in it is refused by name, before a long run too."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "thesis.docx").write_text("years of work", encoding="utf-8")
    with pytest.raises(StorageError, match=r"thesis\.docx"):
        check_folder(folder)
    with pytest.raises(StorageError, match="--out"):
        write_report(None, folder)
    with pytest.raises(StorageError, match="is a file"):
        check_folder(folder / "thesis.docx")
    assert (folder / "thesis.docx").read_text(encoding="utf-8") == "years of work"


def test_a_link_to_a_folder_stays_a_link(small, tmp_path):
    """What is replaced is the folder it leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_report(None, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert _content(tmp_path / "real") == SMALL
