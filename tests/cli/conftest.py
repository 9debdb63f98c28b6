"""The command line called as a person calls it, on a study small enough to run in a second."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

os.environ.pop("COLUMNS", None)  # what runs the tests may set one
sys.path.insert(0, str(Path(__file__).parent))  # `mutations` beside these tests: the tests themselves are no package

STUDIES = Path(__file__).parents[2] / "studies"
SMALL = {
    "paths": "4",
    "transition_hours": "48",
    "window_hours": "240",
    "trials": "16",
    "multiple": "13",  # 52 paths certify: the worst tenth of them is enough for an interval
    "candidates": "4",
    "bootstrap": "100",
    "max_breach_probability": "0.5",  # 52 paths decide a chance of a half, not one of 2%
    "max_unrecovered_probability": "0.5",
}
MOVED = {"base_fee", "hazard_price", "in_gauge"}
"""Assumed figures that keep their range in the small study."""


@dataclass(frozen=True)
class Called:
    """What a call left behind."""

    status: int
    out: str
    err: str


def call_main(*args: object) -> Called:
    """``amo-opt ARGS…`` in this process."""
    from amo_opt.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["amo-opt", *map(str, args)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    assert isinstance(stop.value.code, int)
    return Called(stop.value.code, out.getvalue(), err.getvalue())


def write_small(folder: Path, **changes: str) -> Path:
    """The shipped study below ``folder``, two scenarios of it and smaller in every way; ``changes`` by key, as TOML."""
    shutil.copytree(STUDIES, folder, dirs_exist_ok=True)
    path = folder / "frax-2022.toml"
    text = path.read_text(encoding="utf-8")
    head, *scenarios = text.split("[[scenario]]")
    for key, value in {**SMALL, **changes}.items():
        head, count = re.subn(rf"(?m)^{key} = [^#\n]+", f"{key} = {value} ", head)
        assert count == 1, f"{key} stands {count} times"
    path.write_text("[[scenario]]".join([head, *scenarios[:2]]), encoding="utf-8")
    for name, least in (("states/frax-2022-05-11.toml", 50), ("behaviour/frax-2022.toml", 20)):
        file = folder / name
        file.write_text(_held(file.read_text(encoding="utf-8"), least), encoding="utf-8")
    return path


def _held(text: str, least: int) -> str:
    """A file of figures whose assumed figures have no range, but for `MOVED`: each end of a range costs a run of both sets."""

    def hold(figure: re.Match[str]) -> str:
        name, value, reason = figure.groups()
        return figure[0] if name in MOVED else f"{name} = {{ value = {value}, {reason}, low = {value}, high = {value} }}"

    text, count = re.subn(r"(?m)^(\w+) = \{ value = ([^,]+), (assumed = .*), low = [^,]+, high = [^}]+\}", hold, text)
    assert count > least, "the form of a figure has changed"
    return text


@pytest.fixture
def call() -> Callable[..., Called]:
    """Calls the command line: ``call("run", study)``."""
    return call_main


@pytest.fixture(scope="session")
def call_in_session() -> Callable[..., Called]:
    """The same for fixtures that outlive a test."""
    return call_main


@pytest.fixture(scope="session")
def write_study() -> Callable[..., Path]:
    """Writes a small study into a folder: ``write_study(folder, seed="3")``."""
    return write_small


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small study: ``small(seed="3")``."""

    def write(**changes: str) -> Path:
        return write_small(tmp_path / "studies", **changes)

    return write


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study that tests read and leave as it is."""
    return write_small(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def finished(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Called, Path]:
    """One undisturbed run of the shared study, and its report."""
    folder = tmp_path_factory.mktemp("finished") / "report"
    return call_main("run", shared, "--out", folder, "--workers", "1"), folder
