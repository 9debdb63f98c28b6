"""The process's streams, closed, full, slow or of another encoding: a command works, or tells and exits with 2; never 1, which means no."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amo_opt.cli.streams import SIGNS, _OneLine

AMO_OPT = [sys.executable, "-c", "from amo_opt.cli.main import main; main()"]
DEPTH = ["pool", "depth", "--stable", "190m", "--base", "140m", "-A", "50"]
PACKAGE = Path(sys.modules["amo_opt"].__file__ or "").parent


def shell(words, redirections="", **environment):
    """The command through a shell, which alone can close a stream."""
    line = [*AMO_OPT, *map(str, words)]
    script = f'"$@" {redirections}'
    environment = {**os.environ, **environment}
    return subprocess.run(["sh", "-c", script, "sh", *line], capture_output=True, check=False, env=environment, timeout=300)


def comparison(study):
    current = study.parent / "parameters" / "frax-current.toml"
    return ["compare", current, current, "--study", study, "--paths", 12, "--format", "json"]


def test_stderr_that_is_closed_or_full_changes_no_answer(shared):
    """Progress that nobody can read is no reason to say no: status and answer are what they are."""
    whole = shell(comparison(shared))
    assert (whole.returncode, whole.stderr != b"") == (0, True)
    for redirection in ("2>/dev/full", "<&- 2>&-"):
        called = shell(comparison(shared), redirection)
        assert (called.returncode, called.stdout) == (0, whole.stdout), redirection


@pytest.mark.parametrize("words", [DEPTH, ["pool", "--help"], ["scenarios", "--json"]])
def test_a_full_stdout_is_told_and_is_2(words):
    """The answer is lost: one line with the reason, once."""
    called = shell(words, ">/dev/full")
    assert (called.returncode, called.stderr) == (2, b"amo-opt: standard output: No space left on device\n")


@pytest.mark.parametrize(("words", "status"), [(DEPTH, 0), (["validate", "nowhere.toml"], 1), (["frobnicate"], 2)])
def test_every_stream_closed_leaves_the_status(words, status):
    """The answer is the status then."""
    assert shell(words, "<&- >&- 2>&-").returncode == status


def test_no_file_becomes_a_stream_that_was_closed(tmp_path):
    """Whatever is opened first would be stderr to every library, and what they print land in it: the numbers 0 to 2 are taken."""
    opened = "import os; from amo_opt.cli.streams import prepare; prepare(); print(os.open('x', os.O_CREAT | os.O_WRONLY))"
    words = ["sh", "-c", '"$@" <&- 2>&-', "sh", sys.executable, "-c", opened]
    found = subprocess.run(words, stdout=subprocess.PIPE, check=True, cwd=tmp_path)
    assert int(found.stdout) > 2


def test_a_pipe_that_takes_nothing_for_the_moment_is_waited_for():
    """A reader that is slow, at the end of a pipe that does not block, gets every byte."""
    whole = shell(["scenarios", "--json"]).stdout
    end, start = os.pipe()
    os.set_blocking(start, False)
    fcntl.fcntl(start, fcntl.F_SETPIPE_SZ, 4096)  # a page: less than there is to write
    with subprocess.Popen([*AMO_OPT, "scenarios", "--json"], stdout=start, stderr=subprocess.PIPE) as process:
        os.close(start)
        time.sleep(0.5)
        with os.fdopen(end, "rb") as pipe:
            got = b""
            while some := pipe.read(4096):
                got += some
        assert (process.wait(timeout=60), process.stderr.read()) == (0, b"")
    assert got == whole


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_signs_that_a_stream_has_not_are_spelled_out(shared, encoding):
    """Tables, help and notes in the signs there are; nothing is lost and nothing is UTF-8."""
    current = shared.parent / "parameters" / "frax-current.toml"
    called = shell(["simulate", current, "--study", shared, "--scenario", "calm"], PYTHONIOENCODING=encoding)
    assert called.returncode == 0, called.stderr
    text = called.stdout.decode(encoding)
    assert " ... " in text
    assert "\\u" not in text
    assert "Unserved redemptions, mean" in text
    assert "USD\u00b7h" in text if encoding == "latin-1" else "USD*h" in text


def test_the_locale_c_has_help_and_messages():
    """A terminal that has ASCII alone: what click prints by itself goes the same way."""
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    called = shell(["validate", "größe.toml"], **plain)
    assert (called.returncode, called.stderr[:8]) == (1, b"gr\\udcc3")
    called = shell(["validate", "--help"], **plain)
    assert b"FILE..." in called.stdout
    assert called.stdout.isascii()


def test_every_sign_of_ours_has_a_reading():
    """Whatever letter or sign stands in the package's texts is shown by what it means, not by its number."""
    signs = {each for path in PACKAGE.rglob("*.py") for each in path.read_text(encoding="utf-8") if not each.isascii()}
    assert not {each for each in signs if "\\" in each.encode("ascii", "amo-opt").decode()}
    assert all(reading.isascii() for reading in SIGNS.values())
    assert "−1,234 · 2 ≤ 3 … café → 漢".encode("ascii", "amo-opt") == b"-1,234 * 2 <= 3 ... cafe -> \\u6f22"


def test_a_note_is_one_line():
    """What a library or a server said may hold anything."""
    record = logging.LogRecord("amo_opt", logging.WARNING, "", 0, "it says %s", ("a\n::error::b\x1b[31m",), None)
    assert _OneLine().format(record) == r"it says a\n::error::b\x1b[31m"
