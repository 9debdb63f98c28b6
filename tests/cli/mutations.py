"""Files gone wrong: what hands, editors, exports and merges do to a text, each a function of a generator and the text."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

EXTREMES = (
    "0", "-0.0", "-1", "1", "2", "1e-308", "5e-324", "1e308", "-1e308", "1e309", "inf", "-inf", "nan", "0.1", "1e-12", "0.999999999999", "1.0000000001", "9007199254740993",
    "99999999999999999999999", "-99999999999999999999999", "true", "false", '""', '"x"', "'''\n'''", "[]", "{}", "[1, 2]", "{ value = 1 }", '{ value = 1, source = "s" }',
    '{ value = 1, assumed = "a", low = 2, high = 0 }', '{ value = nan, assumed = "a", low = 0, high = 2 }', "2022-05-11", "9999-12-31", "0001-01-01", "12:00:00", "1_000", "0x10", "1.5e3", "500", "1000000",
    '"../../etc/passwd"', '"<script>alert(1)</script>"', '"\\u0000"', '"' + "y" * 5000 + '"', "[" * 200 + "]" * 200,
)  # fmt: skip
CELLS = (
    "",
    " ",
    "0",
    "-1",
    "nan",
    "inf",
    "1e308",
    "1e-308",
    "abc",
    "2023-03-10",
    "2023-03-10T22:00:00Z",
    "2023-13-45T99:00:00Z",
    "9999-12-31T23:59:59Z",
    '"',
    ",",
    ";",
    "1,0",
    "0.88",
    "1e400",
    "١",
    "𝟙",
)
KEYS = ("schema", "name", "paths", "weight", "__proto__", "set", "file", "value", "seed", "x", "amplification", "")
GLYPHS = "\x00\x07\x1b\x7f\u200b\u202eé€𝟙\ud7ff\n\r\t\"'\\=[]{}#,."

Mutation = Callable[[np.random.Generator, bytes], bytes]


def _place(rng: np.random.Generator, length: int) -> int:
    return int(rng.integers(max(1, length)))


def _lines(raw: bytes) -> list[bytes]:
    return raw.split(b"\n")


def flip(rng: np.random.Generator, raw: bytes) -> bytes:
    """One byte replaced by any other."""
    at = _place(rng, len(raw))
    return raw[:at] + bytes([int(rng.integers(256))]) + raw[at + 1 :]


def insert(rng: np.random.Generator, raw: bytes) -> bytes:
    """A character that means something, or nothing one can see."""
    at = _place(rng, len(raw))
    return raw[:at] + GLYPHS[_place(rng, len(GLYPHS))].encode() + raw[at:]


def cut(rng: np.random.Generator, raw: bytes) -> bytes:
    """The end is missing."""
    return raw[: _place(rng, len(raw))]


def excise(rng: np.random.Generator, raw: bytes) -> bytes:
    """A stretch of up to 200 bytes is missing."""
    at = _place(rng, len(raw))
    return raw[:at] + raw[at + int(rng.integers(1, 200)) :]


def drop_line(rng: np.random.Generator, raw: bytes) -> bytes:
    """A line is missing."""
    lines = _lines(raw)
    del lines[_place(rng, len(lines))]
    return b"\n".join(lines)


def double_line(rng: np.random.Generator, raw: bytes) -> bytes:
    """A line stands twice, the second time anywhere."""
    lines = _lines(raw)
    lines.insert(_place(rng, len(lines)), lines[_place(rng, len(lines))])
    return b"\n".join(lines)


def swap_lines(rng: np.random.Generator, raw: bytes) -> bytes:
    """Two lines change places."""
    lines = _lines(raw)
    one, other = _place(rng, len(lines)), _place(rng, len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def endings(rng: np.random.Generator, raw: bytes) -> bytes:
    """Another system's line ends, a byte order mark, or an encoding of two bytes."""
    return [raw.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + raw, raw.decode(errors="replace").encode("utf-16"), raw.replace(b"\n", b"\r")][
        int(rng.integers(4))
    ]


def _replace(rng: np.random.Generator, raw: bytes, pattern: bytes, choices: tuple[str, ...]) -> bytes:
    found = list(re.finditer(pattern, raw))
    if not found:
        return raw
    match = found[_place(rng, len(found))]
    return raw[: match.start(1)] + choices[_place(rng, len(choices))].encode() + raw[match.end(1) :]


def value(rng: np.random.Generator, raw: bytes) -> bytes:
    """A key's value is another."""
    return _replace(rng, raw, rb"(?m)=[ \t]*([^#\n]+?)[ \t]*(?:#|$)", EXTREMES)


def number(rng: np.random.Generator, raw: bytes) -> bytes:
    """A number anywhere is another."""
    return _replace(rng, raw, rb"(?<![\w.-])(-?\d[\d_]*(?:\.\d+)?(?:e-?\d+)?)(?![\w.-])", EXTREMES)


def scale(rng: np.random.Generator, raw: bytes) -> bytes:
    """A number is off by a power of ten, or has the other sign: still a number, and perhaps allowed."""
    found = list(re.finditer(rb"(?<![\w.-])(-?\d[\d_]*(?:\.\d+)?(?:e-?\d+)?)(?![\w.-])", raw))
    if not found:
        return raw
    match = found[_place(rng, len(found))]
    old = float(match.group(1).replace(b"_", b""))
    new = old * [-1.0, 10.0, 0.1, 100.0, 0.01, 1e6, 0.5, 1.5][int(rng.integers(8))]
    return raw[: match.start(1)] + f"{new:.10g}".encode() + raw[match.end(1) :]


def key(rng: np.random.Generator, raw: bytes) -> bytes:
    """A key has another name."""
    return _replace(rng, raw, rb"(?m)^[ \t]*([A-Za-z_][\w.-]*)[ \t]*=", KEYS)


def cell(rng: np.random.Generator, raw: bytes) -> bytes:
    """A cell of a CSV holds something else."""
    return _replace(rng, raw, rb"(?m)(?:^|,)([^,\n]*)(?=,|$)", CELLS)


TOML: tuple[Mutation, ...] = (flip, insert, cut, excise, drop_line, double_line, swap_lines, endings, value, value, value, number, number, number, scale, scale, scale, scale, key)  # fmt: skip
CSV: tuple[Mutation, ...] = (flip, insert, cut, excise, drop_line, double_line, swap_lines, endings, cell, cell, cell, scale, scale, scale)


def mutate(rng: np.random.Generator, raw: bytes, kinds: tuple[Mutation, ...]) -> bytes:
    """One to three mutations, one after the other."""
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        raw = kinds[int(rng.integers(len(kinds)))](rng, raw)
    return raw
