"""Files of others as bytes: only real ones, and none that would fill the memory; files of ours written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from amo_opt.errors import StorageError

_KINDS: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_file(path: str | os.PathLike[str], *, most: int) -> bytes:
    """The whole file, of at most ``most`` bytes; a link to a file is one.

    Raises `OSError`, as opening does, for what cannot be read; also, in words of its own, for a pipe, socket or device, from which reading
    may never end, and for a file that is larger.
    """
    kind = stat.S_IFMT(os.stat(path).st_mode)  # noqa: PTH116 - a path given as text may hold a null, which pathlib swallows
    if kind in _KINDS:
        raise OSError(errno.EINVAL, f"is {_KINDS[kind]}, not a file", os.fspath(path))
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        raw = file.read(most + 1)
        size = max(len(raw), os.fstat(file.fileno()).st_size)
    if size > most:
        raise OSError(errno.EFBIG, f"is too large: {size:,} bytes, of at most {most:,} that are read", os.fspath(path))
    return raw


def write_whole(path: Path, text: str) -> None:
    """The file with that text; one that stood there is replaced whole or stays. Raises `StorageError` where it cannot be written."""
    fresh = path.with_name(f".{os.getpid()}.writing.{path.name}")
    try:
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(path)
    except OSError as error:
        raise StorageError(f"{path} could not be written: {error.strerror or error}; name another file") from error
    finally:
        with suppress(OSError):  # moved already, or never made
            fresh.unlink()
