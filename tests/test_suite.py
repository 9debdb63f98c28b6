"""The suite itself: it runs with pytest-xdist and without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def collected(*options):
    """What pytest says of one file of tests, asked as a person asks."""
    call = [sys.executable, "-m", "pytest", "--collect-only", "-q", *options, "tests/test_layers.py"]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_it_runs_without_xdist():
    """Nothing in the settings needs the plugin."""
    found = collected("-p", "no:xdist")
    assert found.returncode == 0, found.stderr
    assert "tests/test_layers.py" in found.stdout


@pytest.mark.parametrize(
    ("source", "marks", "asked", "dist", "given"),
    [
        ("TESTPATHS", "not campaign", None, "no", (2, "worksteal")),
        ("ARGS", "not campaign", None, "no", (0, "no")),
        ("TESTPATHS", "campaign", None, "no", (0, "no")),
        ("TESTPATHS", "not campaign", 0, "no", (0, "no")),
        ("ARGS", "not campaign", 4, "no", (4, "worksteal")),
        ("ARGS", "not campaign", 4, "loadfile", (4, "loadfile")),
    ],
)
def test_the_whole_suite_takes_two_processes_by_default(request, source, marks, asked, dist, given):
    """Chosen files and campaigns take none, and whoever asks for a number has it."""
    (conftest,) = (
        each
        for each in request.config.pluginmanager.get_plugins()
        if getattr(each, "__file__", None) == str(ROOT / "tests" / "conftest.py")
    )

    class Config:
        args_source = pytest.Config.ArgsSource[source]
        pluginmanager = type("Plugins", (), {"hasplugin": lambda self, name: name == "xdist"})()
        option = type("Option", (), {"numprocesses": asked, "dist": dist})()

        def getoption(self, name):
            return marks

    config = Config()
    conftest.pytest_cmdline_main(config)
    assert (config.option.numprocesses, config.option.dist) == given
