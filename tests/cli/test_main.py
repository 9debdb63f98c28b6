"""The edge of the command line: help, exit statuses, and errors as messages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from amo_opt import __version__
from amo_opt.cli import main as room
from amo_opt.cli.main import COMMANDS, cli
from amo_opt.errors import AmoOptError

AMO_OPT = [sys.executable, "-c", "from amo_opt.cli.main import main; main()"]


def test_help_lists_every_command(call):
    """`--help` and `-h` name each command with one line, in the order of a user's work."""
    called = call("--help")
    assert called.status == 0
    assert call("-h").out == called.out
    places = [called.out.index(f"  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert all(short.rstrip(".") in " ".join(called.out.split()) for _, short in COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_s_help_has_an_example(call, name):
    """A call one can paste stands in the help."""
    called = call(name, "--help")
    assert called.status == 0
    assert f"Example:\n    amo-opt {name}" in called.out


def test_version(call):
    """`--version` prints the package's."""
    assert call("--version").out == f"amo-opt, version {__version__}\n"


def test_unknown_and_missing_commands_are_exit_2(call):
    """The call is wrong, not the answer no."""
    called = call("frobnicate")
    assert (called.status, called.out) == (2, "")
    assert "No such command 'frobnicate'" in called.err
    assert call().status == 2
    assert call("run").status == 2


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (AmoOptError("paths = 0; at least 1 is needed"), 2, "amo-opt: paths = 0; at least 1 is needed\n"),
        (PermissionError(13, "Permission denied", "/there"), 2, "amo-opt: /there: Permission denied\n"),
        (RuntimeError("odd"), 2, "amo-opt: internal error: RuntimeError: odd (AMO_OPT_TRACEBACK=1 shows where)\n"),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (EOFError("Ran out of input"), 2, "amo-opt: internal error: EOFError: Ran out of input (AMO_OPT_TRACEBACK=1 shows where)\n"),
        (AmoOptError("it says\n::error::x\x1b[31m"), 2, "amo-opt: it says\\n::error::x\\x1b[31m\n"),
        (PermissionError(13, "Permission denied", "/th\nere"), 2, "amo-opt: /th\\nere: Permission denied\n"),
        (RuntimeError("odd\n::error::x"), 2, "RuntimeError: odd\\n::error::x (AMO_OPT_TRACEBACK=1 shows where)\n"),
        (click.UsageError("--x: found\n::error::1"), 2, "Error: --x: found\\n::error::1\n"),
        (click.UsageError("--x: found 1"), 2, "Error: --x: found 1\n"),
    ],
)
def test_errors_become_one_message_and_a_status(call, monkeypatch, error, status, message):
    """Never a traceback; 2 for what is wrong, 130 for what was interrupted."""

    def fails():
        raise error

    monkeypatch.setattr(cli, "get_command", lambda ctx, name: click.Command(name, callback=fails))
    called = call("anything")
    assert (called.status, called.out) == (status, "")
    assert called.err.endswith(message)
    assert "Traceback" not in called.err


def test_a_fault_of_ours_shows_where_on_request(monkeypatch):
    """AMO_OPT_TRACEBACK lets it through."""

    def fails():
        raise RuntimeError("odd")

    monkeypatch.setenv("AMO_OPT_TRACEBACK", "1")
    monkeypatch.setattr(cli, "get_command", lambda ctx, name: click.Command(name, callback=fails))
    monkeypatch.setattr(sys, "argv", ["amo-opt", "anything"])
    with pytest.raises(RuntimeError, match="odd"):
        room.main()


@pytest.mark.parametrize("arguments", [["scenarios"], ["scenarios", "--json"]])
def test_a_reader_that_goes_away_interrupts(arguments):
    """`| head` that has read enough: no traceback, and not 1, which would mean that the answer is no."""
    with subprocess.Popen([*AMO_OPT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 130


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_as_documented(shell):
    """The line of the documentation gives a script for that shell that asks this program."""
    page = (Path(__file__).parents[2] / "docs" / "install.md").read_text(encoding="utf-8")
    assert f"_AMO_OPT_COMPLETE={shell}_source amo-opt" in page
    code = "import sys; sys.argv = ['amo-opt']; from amo_opt.cli.main import main; main()"
    environment = {**os.environ, "_AMO_OPT_COMPLETE": f"{shell}_source"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert f"{shell}_complete" in done.stdout
    asked = {**os.environ, "_AMO_OPT_COMPLETE": "bash_complete", "COMP_WORDS": "amo-opt ind", "COMP_CWORD": "1"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=asked)
    assert found.stdout == "plain,index\n"
