"""Stages compiled by themselves: kept on disk, never stale, and there whatever becomes of the disk or the helpers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config, types

from amo_opt import load_study, simulate
from amo_opt.simulation import compile_helper, compiled, kernel
from amo_opt.stableswap.jit import VECTOR, Vector, address, begins, call_at, stage, walker
from amo_opt.stableswap.kept import KeptFiles

SIZE = 8
ROOT = Path(__file__).resolve().parents[2]


def doubled(s: Vector) -> None:
    for i in range(SIZE):
        s[i] *= 2.0


def grown(s: Vector, by: int) -> None:
    for i in range(SIZE):
        s[i] += by


@walker
def called(at: int, s: Vector, by: int) -> None:
    call_at(at, begins(s), by)


def stages() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """Two stages that nothing has compiled yet."""
    return {"doubled": (stage(doubled), (VECTOR,)), "grown": (stage(grown), (VECTOR, types.int64))}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, and nobody told yet."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    compiled._tell.cache_clear()
    return tmp_path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The helpers started; each sleeps until it is ended."""
    helpers: list[subprocess.Popen[bytes]] = []

    def helper(_which: int, _names: list[str]) -> subprocess.Popen[bytes]:
        helpers.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return helpers[-1]

    monkeypatch.setattr(compiled, "_helper", helper)
    monkeypatch.setattr(compiled, "_processes", lambda: 3)
    monkeypatch.setattr(compiled, "WORTH_HELP", 1)
    return helpers


def test_a_stage_is_called_at_its_address() -> None:
    """What the address begins does to its arguments what the stage does: what begins there is changed, by the number given, and nothing behind it."""
    s = np.arange(64.0)
    called(address(stage(grown), (VECTOR, types.int64)), s, 3)
    assert np.array_equal(s, np.arange(64.0) + 3 * (np.arange(64) < SIZE))


def test_a_kept_stage_is_read_and_not_compiled_again(started: list[subprocess.Popen[bytes]], caplog: pytest.LogCaptureFixture) -> None:
    """A second process's stages come from the disk, and no helper is started for them; only the first tells that it takes its time."""
    compiled.addresses(stages())
    assert [record.message for record in caplog.records] == [
        f"compiling what the study needs of the kernel, which takes some ten seconds: {compiled._ONCE}"
    ]
    caplog.clear()
    first = len(started)
    assert first == 2
    again = stages()
    at = compiled.addresses(again)
    assert len(started) == first
    assert not caplog.records
    assert all(sum(function.stats.cache_hits.values()) == 1 and not function.stats.cache_misses for function, _ in again.values())
    s = np.arange(float(SIZE))
    called(at[1], s, 1)
    assert np.array_equal(s, np.arange(1.0, SIZE + 1.0))


def test_who_was_told_is_not_told_again(started: list[subprocess.Popen[bytes]], caplog: pytest.LogCaptureFixture) -> None:
    """Stages read from the disk tell nobody; who then waits is told, and not again when a later trial uses more: helpers are started all the same."""
    compiled.addresses(stages())
    caplog.clear()
    compiled._tell.cache_clear()
    compiled.addresses(stages())
    assert len(started) == 2
    assert not caplog.records
    compiled.addresses({"more": stages()["grown"]})
    assert len(caplog.records) == 1
    compiled.addresses({"still more": stages()["doubled"]})
    assert len(started) == 6
    assert len(caplog.records) == 1


def test_damaged_stages_are_missing_ones(started: list[subprocess.Popen[bytes]], folder: Path) -> None:
    """Files that are empty or lost a bit are no stages: helpers are started for them, and the next process reads what replaced them."""
    compiled.addresses(stages())
    empty, flipped = folder.rglob("*.nbc")
    empty.write_bytes(b"")
    raw = flipped.read_bytes()
    flipped.write_bytes(raw[:-99] + bytes([raw[-99] ^ 1]) + raw[-98:])
    compiled.addresses(stages())
    assert len(started) == 4
    later = stages()
    compiled.addresses(later)
    assert len(started) == 4
    assert all(not function.stats.cache_misses for function, _ in later.values())


def test_no_edit_meets_a_stale_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where any of the sources is another, nothing kept before is read."""
    compiled.addresses(stages())
    monkeypatch.setattr(compiled, "source_digest", lambda: "another")
    later = stages()
    assert compiled.keep(later)
    assert not any(function._cache.holds(signature) for function, signature in later.values())
    compiled.addresses(later)
    assert all(not function.stats.cache_hits for function, _ in later.values())


def test_the_digest_is_of_every_file_a_stage_stands_in() -> None:
    """Every function of the kernel comes from a file whose change changes the digest."""
    root = Path(compiled.__file__).parents[1]
    rooms = {root / room for room in ("stableswap", "protocol", "amos")}
    own = {root / "simulation" / name for name in ("compiled.py", "kernel.py", "opening.py", "path_statistics.py", "program.py")}
    for function, _ in kernel.STAGES.values():
        file = Path(function.py_func.__code__.co_filename)
        assert file.parent in rooms or file in own


def test_helpers_are_ended(started: list[subprocess.Popen[bytes]]) -> None:
    """A helper that hangs costs nothing: it is gone when the stages are there."""
    compiled.addresses(stages())
    assert len(started) == 2
    assert all(helper.poll() is not None for helper in started)


def test_a_machine_that_starts_no_process_compiles_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a helper cannot be started the stages are there all the same."""

    def refused(_which: int, _names: list[str]) -> subprocess.Popen[bytes]:
        raise OSError

    monkeypatch.setattr(compiled, "_helper", refused)
    monkeypatch.setattr(compiled, "_processes", lambda: 2)
    monkeypatch.setattr(compiled, "WORTH_HELP", 1)
    assert all(compiled.addresses(stages()))


def test_a_disk_that_takes_nothing_costs_only_time(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A full disk: the stages are compiled and not kept."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(KeptFiles, "save", full)
    assert all(compiled.addresses(stages()))
    assert not list(folder.rglob("*.nbc"))


def test_without_a_folder_nothing_is_kept_and_nobody_helps(
    started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No folder to write to at all: helpers could hand nothing over, so none is started, and it is told how to have one."""

    def nowhere(*_: object, **__: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(compiled, "KeptCache", nowhere)
    monkeypatch.setattr(compiled, "_is_kept", lambda _: False)
    assert all(compiled.addresses(stages()))
    assert not started
    assert "NUMBA_CACHE_DIR" in caplog.text


def test_a_helper_leaves_the_stages_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one compiles another reads; whose starter is gone stops."""
    monkeypatch.setattr(compile_helper, "EVERYTHING", {**stages(), "walker": (stage(doubled), (VECTOR,))})
    names = ["doubled", "grown", "walker"]
    compile_helper.help_from(1, os.getppid() + 1, names)
    assert not any(function.overloads for function, _ in compile_helper.EVERYTHING.values())
    compile_helper.help_from(1, os.getppid(), names[1:])
    later = stages()
    assert compiled.keep(later)
    assert [name for name, (function, signature) in later.items() if function._cache.holds(signature)] == ["grown"]


def test_a_study_asks_for_the_stages_it_uses_and_a_later_one_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pool first, then a coin of several pools and keepers: no stage of theirs before, none of the others twice."""
    asked: list[list[str]] = []

    def addresses(missing: compiled.Stages) -> list[Any]:
        asked.append(list(missing))
        return [address(*each) for each in missing.values()]

    monkeypatch.setattr(kernel, "addresses", addresses)
    monkeypatch.setattr(kernel, "_places", {})
    for name in ("frax-2022", "frax-2022", "crvusd-2024"):
        study = load_study(ROOT / "studies" / f"{name}.toml")
        simulate(study.current, study, paths=1, scenarios=["calm"])
    one, several = asked
    assert {"advance", "walk_rows", "primary_market_trade_fast", "curve_operate_of"} <= set(one)
    assert not [name for name in one if name.startswith(("pools_", "peg_keeper_work", "regulator_average"))]
    assert {"pools_solve_exactly", "peg_keeper_work", "regulator_average"} <= set(several)
    assert not set(one) & set(several)
    assert "walk_once" not in {*one, *several}


def test_every_process_goes_through_every_stage() -> None:
    """Each from its own end: the first two come from front and back, so that they meet."""
    names = list(kernel.STAGES)
    orders = [compiled.walk(names, which) for which in range(4)]
    assert all(sorted(order) == sorted(names) for order in orders)
    assert len({order[0] for order in orders}) >= 3
    assert orders[1] == orders[0][::-1]
