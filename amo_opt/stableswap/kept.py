"""Compiled functions kept on disk, where anything may become of them: what is not exactly what was written is compiled again and replaced.

Machine code that lost a bit may do anything, and reading it runs it; so every file begins with a digest of the rest, and nothing of a file is
used before the digest is right. Numba's own cache trusts its files, and shares an index that two processes may write at once; here every
function and type has a file of its own, put in place whole, so that there is nothing to agree on.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import llvmlite
import numba
from numba import config, njit
from numba.core.caching import FunctionCache
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

from amo_opt.fence import written_for

F = TypeVar("F", bound=Callable[..., Any])
USED = (
    "numba.core.caching:Cache",
    "numba.core.caching:FunctionCache",
    "numba.core.caching:CacheImpl",
    "numba.core.caching:CompileResultCacheImpl",
    "numba.core.serialize:dumps",
)
"""What of Numba's private parts `KeptCache` builds on."""
DIGEST = "cb227684e8d934d7"
"""Of Numba 0.66 to 0.68."""


class KeptFiles:
    """What a folder holds of one function: a file for every key, named after it."""

    def __init__(self, folder: Path, base: str) -> None:
        self._folder = folder
        self._base = f"{base}.py{sys.version_info.major}{sys.version_info.minor}"

    def _path(self, key: object) -> Path:
        named = repr((numba.__version__, llvmlite.__version__, key))
        return self._folder / f"{self._base}.{hashlib.sha256(named.encode()).hexdigest()[:16]}.nbc"

    def _sealed(self, path: Path) -> bytes | None:
        """What was written under that name; None where it is not there, cannot be read, or is something else."""
        try:
            raw = path.read_bytes()
        except OSError:
            return None
        digest, held = raw[:32], raw[32:]
        return held if digest == _digest(path, held) else None

    def holds(self, key: object) -> bool:
        """Whether the key's file is there and whole."""
        return self._sealed(self._path(key)) is not None

    def load(self, key: object) -> Any:
        """What was saved under the key; None where nothing is, or not all of it."""
        held = self._sealed(self._path(key))
        return None if held is None else pickle.loads(held)  # noqa: S301 - as written: the digest says so

    def save(self, key: object, data: object) -> None:
        """Puts the data in the place of whatever the key had. Raises `OSError` where that cannot be written."""
        path = self._path(key)
        held: bytes = dumps(data)  # type: ignore[no-untyped-call]
        begun = path.with_name(f"{path.name}.{uuid.uuid4().hex[:16]}")
        try:
            begun.write_bytes(_digest(path, held) + held)
            begun.replace(path)
        except OSError:
            with suppress(OSError):
                begun.unlink()
            raise


def _digest(path: Path, held: bytes) -> bytes:
    """Of the name too: a file under another's name is not what was written."""
    return hashlib.sha256(os.fsencode(path.name) + held).digest()


class KeptCache(FunctionCache):
    """Numba's cache of a function, by `KeptFiles`; what cannot be written is not kept. Raises `RuntimeError` where there is no folder, or
    another cache of Numba's than the one this was written for.

    ``base`` names the function and ``stamp`` whatever it was compiled from.
    """

    def __init__(self, function: Any, *, stamp: str, base: str | None = None) -> None:
        if not written_for(DIGEST, *USED, instead="compiled functions are not kept on disk, and every process compiles its own"):
            raise RuntimeError("this Numba's cache is not the one that is known")
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file: Any = KeptFiles(Path(self._cache_path), f"{base or f'{function.__module__}.{function.__qualname__}'}.{stamp}")

    def save_overload(self, sig: Any, data: Any) -> None:
        """Writes the compiled function, where that works."""
        with suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]

    def holds(self, signature: tuple[Any, ...]) -> bool:
        """Whether the function is there for these types and this processor."""
        key = self._index_key(signature, cpu_target.target_context.codegen())  # type: ignore[no-untyped-call]
        return bool(self._cache_file.holds(key))


def kept(function: F) -> F:
    """The function compiled at its first call and kept on disk; only for one that calls nothing outside its own file (`kept_with`)."""
    return _kept(function)


def kept_with(*modules: ModuleType) -> Callable[[F], F]:
    """The same for a function that calls compiled functions of these modules too: where one of their files changes it is compiled again."""
    return lambda function: _kept(function, *modules)


def _kept(function: F, *modules: ModuleType) -> F:
    compiled: Any = njit(function, nogil=True, error_model="numpy")
    if not config.DISABLE_JIT:  # type: ignore[attr-defined]
        with suppress(RuntimeError):  # Numba finds no folder it may write to
            compiled._cache = KeptCache(function, stamp=_stamp(sys.modules[function.__module__], *modules))  # noqa: SLF001 - Numba knows no other way to bring one's own
    return cast("F", compiled)


def _stamp(*modules: ModuleType) -> str:
    """Of what functions of these modules are compiled from, and of how what they inline is compiled."""
    paths = [*(Path(str(module.__file__)) for module in modules), *(Path(__file__).with_name(name) for name in ("jit.py", "passes.py"))]
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()[:16]
