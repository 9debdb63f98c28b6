"""Compiled functions on disk: read only where they are exactly what was written, compiled again and replaced where not."""

from __future__ import annotations

import shutil
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest
from numba import config

import amo_opt
from amo_opt.fence import written_for
from amo_opt.stableswap.kept import DIGEST, USED, KeptFiles, kept

KEY = ("float64", ("x86_64", "znver3"))


def half(x: float) -> float:
    return x / 2.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def misses(function: Any) -> int:
    return sum(function.stats.cache_misses.values())


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda raw: raw[: len(raw) // 2],
    "garbage": lambda raw: b"\x00garbage" * (len(raw) // 8),
    "longer": lambda raw: raw + b"\x00",
    "a bit": lambda raw: raw[:-9] + bytes([raw[-9] ^ 16]) + raw[-8:],
}


def test_a_damaged_file_is_compiled_again_and_replaced(folder: Path) -> None:
    """Whatever became of the file: the function is right, its file afterwards what it was, and the next process reads it."""
    assert kept(half)(3.0) == 1.5
    (file,) = folder.rglob("*.nbc")
    for name, damage in DAMAGE.items():
        whole = file.read_bytes()
        file.write_bytes(damage(whole))
        again = kept(half)
        assert (again(3.0), misses(again)) == (1.5, 1), name
    read = kept(half)
    assert (read(3.0), misses(read)) == (1.5, 0)
    assert list(folder.rglob("*.*.*")) == [file]


def test_every_flipped_bit_is_seen(tmp_path: Path) -> None:
    """None of a file's bits is trusted, those of the digest included."""
    files = KeptFiles(tmp_path, "half")
    files.save(KEY, {"code": b"\x90" * 8})
    assert files.load(KEY) == {"code": b"\x90" * 8}
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            assert not files.holds(KEY)
            assert files.load(KEY) is None


def test_a_file_under_anothers_name_is_not_read(tmp_path: Path) -> None:
    """Code for other types, or another function's, would be called with what it does not take."""
    one, other = KeptFiles(tmp_path, "half"), KeptFiles(tmp_path, "double")
    one.save(KEY, "half")
    (file,) = tmp_path.iterdir()
    other.save(KEY, "double")
    shutil.copy(file, next(path for path in tmp_path.iterdir() if path != file))
    assert other.load(KEY) is None
    assert one.load(KEY) == "half"


def test_what_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    """A folder where the file should be, or a folder that is none: nothing is held, and what cannot be written says so."""
    files = KeptFiles(tmp_path, "half")
    files.save(KEY, 1)
    (file,) = tmp_path.iterdir()
    file.unlink()
    file.mkdir()
    assert files.load(KEY) is None
    with pytest.raises(OSError):
        files.save(KEY, 1)
    assert list(tmp_path.iterdir()) == [file]
    nowhere = KeptFiles(file / "gone", "half")
    assert not nowhere.holds(KEY)
    with pytest.raises(OSError):
        nowhere.save(KEY, 1)


def test_a_folder_that_vanishes_or_takes_nothing_costs_only_time(folder: Path) -> None:
    """Gone between the start and the first call it is made again; where it cannot be, the function is compiled and not kept."""
    first, second = kept(half), kept(half)
    shutil.rmtree(folder)
    assert first(3.0) == 1.5
    assert len(list(folder.rglob("*.nbc"))) == 1
    shutil.rmtree(folder)
    folder.write_text("a file now")
    assert second(3.0) == 1.5


def test_without_any_folder_a_function_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba refuses to keep a function where neither the package nor the home can be written to; it is compiled each time."""
    monkeypatch.setattr(config, "CACHE_LOCATOR_CLASSES", "ZipCacheLocator")
    assert kept(half)(3.0) == 1.5


def test_readers_and_writers_at_once_see_whole_files_only(tmp_path: Path) -> None:
    """Four writers of one file of half a megabyte and a reader: what is read is one writer's whole file."""
    files = KeptFiles(tmp_path, "half")
    files.save(KEY, b"0" * 500_000)
    seen: list[bytes | None] = []

    def write(letter: bytes) -> None:
        for _ in range(10):
            files.save(KEY, letter * 500_000)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"1", b"2", b"3", b"4")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen.append(files.load(KEY))
    assert all(held is not None and held == held[:1] * 500_000 for held in seen)
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_in_the_package_trusts_a_file_of_numbas_own_cache() -> None:
    """``cache=True`` reads whatever lies there; `kept` and the stages' cache look first."""
    package = Path(amo_opt.__file__).parent
    assert [path.name for path in package.rglob("*.py") if "cache=True" in path.read_text(encoding="utf-8")] == []


def test_it_was_written_for_this_numba() -> None:
    """Fails where an upgrade of Numba has changed what is built on: read the change, adapt `KeptCache`, then the digest and the cap."""
    assert written_for(DIGEST, *USED, instead="")


def test_another_numba_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Where its cache is not the known one nothing is kept on disk, which is told once, and everything is right."""
    monkeypatch.setattr("amo_opt.stableswap.kept.DIGEST", "0" * 16)
    assert kept(half)(3.0) == kept(half)(3.0) == 1.5
    assert list(folder.rglob("*.nbc")) == []
    (told,) = [record.message for record in caplog.records]
    assert told.startswith(f"Numba {numba.__version__} differs from the one amo-opt was written for in Cache")
    assert told.endswith("compiled functions are not kept on disk, and every process compiles its own")


def test_no_numba_is_installed_that_nobody_looked_at() -> None:
    """The least and the most version that the project asks for: the cap is the first after those whose digest is known."""
    wanted = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (numbas,) = [each for each in wanted if each.startswith("numba")]
    assert numbas == "numba>=0.66,<0.69"
    assert (0, 66) <= tuple(map(int, numba.__version__.split(".")[:2])) < (0, 69)
