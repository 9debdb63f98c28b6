"""The process's own streams, whatever they were given as: closed, full, slow, or of an encoding without our signs.

What is printed on stderr (progress, notes) hangs no answer on itself, so its loss stops nothing; what cannot be written to stdout is an error,
as the answer stands there.
"""

from __future__ import annotations

import codecs
import io
import logging
import os
import select
import shutil
import sys
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any

import click

from amo_opt.one_line import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNS = {
    "−": "-", "–": "-", "—": "-", "‑": "-", "…": "...", "·": "*", "•": "*", "×": "x", "÷": "/", "±": "+/-", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~",
    "→": "->", "←": "<-", "↑": "^", "↓": "v", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "°": "deg", "∞": "inf", "√": "sqrt", "Σ": "sum",
    "▲": "^", "▼": "v", "●": "*", "○": "o", "◆": "=", "◇": "=", "■": "#", "□": "#", "†": "+", "◀": "<", "▶": ">", "✔": "+", "✓": "+", "✘": "x", "✗": "x", "€": "EUR", "µ": "u",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "delta", "ε": "epsilon", "κ": "kappa", "λ": "lambda", "μ": "mu", "Π": "prod", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi",
}  # fmt: skip
"""What an ASCII terminal shows in place of the signs we print."""


def readable(error: UnicodeError) -> tuple[str, int]:
    """What stands in place of characters that the stream's encoding has not: our signs spelled out, letters without accents, else escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_ascii(each) for each in error.object[error.start : error.end]), error.end


def _ascii(character: str) -> str:
    plain = SIGNS.get(character) or unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return plain or character.encode("unicode_escape").decode("ascii")


STANDARD_OUTPUT = "standard output"


class _Encoder(codecs.IncrementalEncoder):
    def encode(self, text: str, final: bool = False) -> bytes:  # noqa: ARG002, FBT001, FBT002 - codecs' signature
        """The text in ASCII."""
        return text.encode("ascii", "amo-opt")


def _codec(name: str) -> codecs.CodecInfo | None:
    """ASCII under a name of ours: click takes a stream of plain ASCII for a mistake and writes UTF-8 to it."""
    if name.replace("-", "_") != "signs_in_ascii":
        return None
    return codecs.CodecInfo(
        lambda text, _="": (text.encode("ascii", "amo-opt"), len(text)),
        codecs.ascii_decode,
        incrementalencoder=_Encoder,
        incrementaldecoder=codecs.getincrementaldecoder("ascii"),
        name="signs-in-ascii",
    )


class _Descriptor(io.FileIO):
    """A descriptor that is waited for where it takes nothing at the moment, and whose loss is a matter of ``lost``."""

    def __init__(self, descriptor: int, lost: Callable[[OSError], None]) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._lost = lost

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """How much was written: all that is lost counts."""
        try:
            while (count := super().write(data)) is None:  # not to be waited for, says whoever opened it
                select.select([], [self.fileno()], [])
        except OSError as error:
            self._lost(error)
            return len(data)
        return count


def _told(error: OSError) -> None:
    error.filename = STANDARD_OUTPUT
    raise error


def _suffered(_: OSError) -> None:
    """Nobody is there to be told."""


codecs.register_error("amo-opt", readable)
codecs.register(_codec)


def prepare() -> None:
    """Makes the three streams fit to be written to. Streams that somebody has put in their place are left alone."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed; the next file opened would become it, and what is meant for it be written into
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the process
    if sys.stdout is sys.__stdout__:
        sys.stdout = _dependable(sys.__stdout__, _told)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _dependable(sys.__stderr__, _suffered)
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_OneLine())


def _dependable(stream: Any, lost: Callable[[OSError], None]) -> Any:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if os.name != "posix":  # a console of its own kind
        stream.reconfigure(errors="amo-opt")
        return stream
    encoding = "signs-in-ascii" if codecs.lookup(stream.encoding).name == "ascii" else stream.encoding
    descriptor: Any = _Descriptor(stream.fileno(), lost)
    return io.TextIOWrapper(
        io.BufferedWriter(descriptor), encoding=encoding, errors="amo-opt", line_buffering=stream.line_buffering or stream.write_through
    )


def finish() -> None:
    """Writes what is left on stdout. Raises `OSError` where it cannot be."""
    sys.stdout.flush()
    sys.stderr.flush()


def abandon() -> None:
    """Gives up what stdout could not be given, so that Python does not try again, and fail, at its very end."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):  # no descriptor: nothing of the process's own
        return


class _OneLine(logging.Formatter):
    """A note in one line: it may name files, addresses and what a library said."""

    def format(self, record: logging.LogRecord) -> str:
        """The note."""
        return one_line(super().format(record))


def width_of(*, err: bool = False) -> int | None:
    """Columns to fit into: those of the terminal that the stream is, or for stdout those that COLUMNS tells; None where lines stay whole."""
    stream = sys.stderr if err else sys.stdout
    return shutil.get_terminal_size().columns if stream.isatty() or (not err and os.environ.get("COLUMNS")) else None


def fitted(text: str, width: int | None, *, indent: str = "", further: str = "") -> str:
    """A line broken at its spaces alone: a terminal would break it in the middle of a number. ``further`` indents what follows the first line.

    >>> fitted("yield 3.07% a year, 2.95 to 3.19", 22), fitted("yield 3.07% a year", None)
    ('yield 3.07% a year,\\n2.95 to 3.19', 'yield 3.07% a year')
    """
    if width is None or len(indent) + len(text) <= width:
        return indent + text
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent + further, break_long_words=False, break_on_hyphens=False
    )


def say(text: str, *, err: bool = False) -> None:
    """Prints one line, whatever names and paths it holds, broken at spaces where a terminal is narrower."""
    told = one_line(text)
    start = told[: len(told) - len(told.lstrip(" "))]
    click.echo(fitted(told.lstrip(" "), width_of(err=err), indent=start, further="  "), err=err)
