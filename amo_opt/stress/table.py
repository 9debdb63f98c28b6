"""A recorded history's CSV as columns under one name each, for a replay and for a fit alike: one reader, one set of limits and names.

Headers of public exports are known by their own names (CoinGecko, CoinMarketCap, DefiLlama, Dune, Nomics, Chainlink rounds, pool balances); a
column that is left out is named in a note, and one that nobody knows is refused. What a row holds must be possible at all (`Column`) and fit
the rows beside it (`plausible`).
"""

from __future__ import annotations

import difflib
import itertools
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import InputError, Problem
from amo_opt.stress.csv_file import Rows, order_problem, read_rows, refuse, time_of, time_problem, width_problem
from amo_opt.stress.plausible import Column, hint_of, implausible

Array = NDArray[np.float64]

DRIVERS: dict[str, Column] = {
    "usdc": Column(0.01, 10.0, "USD; price of USDC, the collateral coin", kind="price"),
    "dai": Column(0.01, 10.0, "USD; price of DAI", kind="price"),
    "usdt": Column(0.01, 10.0, "USD; price of USDT", kind="price"),
    "share_price": Column(1e-9, 1e9, "USD; price of the share token; counts by its change", kind="price"),
    "holders_exit": Column(0.0, 0.99, "share of external supply leaving a day because of news"),
    "lp_exit": Column(0.0, 0.999, "share of outside liquidity leaving a day because of news"),
    "gate": Column(0.0, 1.0, "1 = primary redemptions open for business, 0 = gated", only=(0.0, 1.0)),
}
"""Columns a replay is driven by."""
COMPARED: dict[str, Column] = {
    "price": Column(0.0, 10.0, "USD; price of the stablecoin", kind="price"),
    "oracle": Column(0.0, 10.0, "USD; what an oracle says of it", kind="price"),
    "supply": Column(1.0, 1e13, "tokens; total supply", kind="level"),
    "pool_stable": Column(1.0, 1e13, "tokens; stablecoin in the pool", kind="level"),
    "pool_base": Column(1.0, 1e13, "the pool's other side: USD, or LP tokens beside base_virtual_price", kind="level"),
}
"""Columns a replay is compared with."""
FITTED: dict[str, Column] = {
    "base_virtual_price": Column(0.5, 100.0, "USD; virtual price of the base pool's LP token", kind="price"),
    "exit_value": Column(0.001, 10.0, "USD; what leaving through the primary door pays", kind="price"),
    "change_pct": Column(-100.0, 1e4, "%; change of supply a day"),
    "amplification": Column(1.0, 1e6, "A of the pool in force"),
    "outflow_share": Column(-100.0, 1e4, "share of supply leaving a day"),
}
"""Columns that fits alone use."""
COLUMNS = DRIVERS | COMPARED | FITTED
TIME = "timestamp"
TEXTS = ("asset", "note", "use", "block", "block_hash")
TIMES = (
    TIME,
    "date",
    "datetime",
    "time",
    "snapped_at",
    "block_time",
    "evt_block_time",
    "block_timestamp",
    "block_hour",
    "hour",
    "block_date",
    "day",
)
"""What a column of times is called, the one that is read first."""
ALIASES = {
    "price_usd": "price", "low_price": "price", "close": "price",
    "implied_supply": "supply", "circulating_supply": "supply", "total_supply": "supply", "est_supply": "supply", "circulating": "supply",
    "circulating_usd": "supply", "total_circulating": "supply", "total_circulating_usd": "supply",
    "3crv": "pool_base", "virtual_price_3crv": "base_virtual_price", "notes": "note", "change_pct_per_day": "change_pct", "flag": "use",
}  # fmt: skip
"""Columns of public exports and the name each is known by here."""
POOLED = ("frax", "mim")
"""Coins whose column is the pool's balance where the base's balance stands beside it, and nothing known elsewhere."""
ASIDE = "virtual_price"
"""A column that is left out as it may be the pool's or its base's, and kept for the one fit that is told whose it is."""
UNUSED = {
    "market_cap_usd", "market_cap", "mcap", "volume_usd", "total_volume", "volume", "virtual_price", "open", "high", "low", "name", "symbol",
    "time_open", "time_close", "time_high", "time_low", "daily_change_pct",
}  # fmt: skip
"""Columns of public exports that are left out, and named."""
_UNUSED_FORM = re.compile(r"implied_price_a\d+_\w+")
MANY = 2
"""More rows than these, and all of a column's, are one problem, or a file that runs backwards; of so few, one is a mistake."""
UNUSABLE = {"no", "0", "false", "no_trade", "outlier"}
"""What the column ``use`` says of a row that is not to be used."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One file: numbers (rows,) with NaN for what is empty, texts (rows,), each row's line, the header by name, and what a reader must say.

    ``unused`` are columns that are left out, as the file writes them; ``notes`` say so, and what was made of single rows.
    """

    file: str
    numbers: Mapping[str, Array]
    texts: Mapping[str, Sequence[str]]
    lines: tuple[int, ...]
    written: Mapping[str, str]
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    aside: Mapping[str, Array] = field(default_factory=dict)
    """Numbers of `ASIDE`, (rows,) with NaN for what is none, where the file has it."""

    @property
    def name(self) -> str:
        """The file's name without its folder, for what is printed to be kept."""
        return Path(self.file).name

    @property
    def has_pool(self) -> bool:
        """Whether it holds the balances of a pool."""
        return {"pool_stable", "pool_base"} <= self.numbers.keys()

    @property
    def base_value(self) -> Array:
        """The pool's other side, LP tokens of a base pool counted at its virtual price, (rows,)."""
        base = self.numbers["pool_base"]
        return base * self.numbers["base_virtual_price"] if "base_virtual_price" in self.numbers else base

    def need(self, *columns: str) -> None:
        """Raises `InputError` naming each of these columns that the file has not."""
        have = self.numbers.keys() | self.texts.keys()
        gone = [Problem(self.file, name, "column missing", allowed=", ".join(columns)) for name in columns if name not in have]
        if gone:
            raise InputError(gone)

    def shown(self, name: str) -> str:
        """A column as a message names it: by the file's own word, and ours beside it where that is another."""
        written = self.written.get(name, name)
        return name if written == name else f"{written} (read as {name})"

    def times(self) -> tuple[datetime, ...]:
        """Each row's time, rising. Raises `InputError` for what is no time and for times out of order."""
        self.need(TIME)
        problems: list[Problem] = []
        times: list[datetime] = []
        where = self.shown(TIME)
        for line, cell in zip(self.lines, self.texts[TIME], strict=True):
            time = time_of(cell)
            if time is None:
                problems.append(time_problem(self.file, where, cell, line))
                continue
            if times and time <= times[-1]:
                problems.append(order_problem(self.file, where, cell, line, same=time == times[-1]))
            times.append(time)
        refuse(self.file, problems)
        return tuple(times)

    def hours(self, *, most_gap: float = math.inf) -> Array:
        """Hours since the first row, (rows,). Raises `InputError` as `times` does, and for a step of more than ``most_gap`` hours."""
        times = self.times()
        hours = np.array([(time - times[0]).total_seconds() / 3600.0 for time in times])
        problems = [
            Problem(
                self.file, self.shown(TIME), "gap", f"{step:.0f} h", f"at most {most_gap:g} h between rows", "cut the file there",
                line=self.lines[place + 1],
            )
            for place, step in enumerate(np.diff(hours))
            if step > most_gap
        ]  # fmt: skip
        refuse(self.file, problems)
        return hours

    def unusable(self) -> NDArray[np.bool_]:
        """Rows that the file itself says not to use, (rows,)."""
        return np.array([cell.lower() in UNUSABLE for cell in self.texts.get("use", [""] * len(self.lines))], dtype=bool)

    def complete(self, *columns: str) -> tuple[Table, tuple[str, ...]]:
        """The rows that hold all of these columns and may be used, and the others by line, with the reason. Raises as `need` does."""
        self.need(*columns)
        keep = ~self.unusable()
        left = [f"{_listed(self.lines, ~keep)}: the file says so ({self.written['use']})"] if not keep.all() else []
        for name in columns:
            empty = np.isnan(self.numbers[name]) & keep
            if empty.any():
                left.append(f"{_listed(self.lines, empty)}: no {name}")
            keep &= ~empty
        if keep.all():
            return self, ()
        return self.at(np.flatnonzero(keep).tolist()), tuple(left)

    def balanced(self) -> tuple[Table, tuple[str, ...]]:
        """The rows that hold a pool's balances and all that these are counted by, and the others as `complete` tells them."""
        counted_by = (name for name in ("base_virtual_price", "amplification") if name in self.numbers)
        return self.complete("pool_stable", "pool_base", *counted_by)

    def at(self, rows: Sequence[int]) -> Table:
        """Some of the rows, in their order."""
        places = list(rows)
        return replace(
            self,
            numbers={name: values[places] for name, values in self.numbers.items()},
            aside={name: values[places] for name, values in self.aside.items()},
            texts={name: [cells[row] for row in places] for name, cells in self.texts.items()},
            lines=tuple(self.lines[row] for row in places),
        )


def _listed(lines: Sequence[int], which: NDArray[np.bool_], *, most: int = 4) -> str:
    """The first of these rows by their line, and how many more."""
    found = [lines[row] for row in np.flatnonzero(which).tolist()]
    shown = ", ".join(map(str, found[:most])) + (f" and {len(found) - most} more" if len(found) > most else "")
    return f"{'line' if len(found) == 1 else 'lines'} {shown}"


def read_table(path: str | os.PathLike[str], *, columns: Mapping[str, Sequence[str]] | None = None) -> Table:
    """The file's columns under their names here; of those that ``columns`` names, by theirs, each is what some of the file's add up to, and the file's own others but times are left out.

    Raises `InputError` naming row (the file's line) or column, value and what is allowed: unknown columns, bad cells, and rows that do not
    fit those beside them.
    """
    label = os.fspath(path)
    rows = read_rows(path, label)
    if columns:
        rows = _summed(rows, columns, label)
    header = rows[0][1] if rows else []
    names = _names(label, header, line=rows[0][0] if rows else 1)
    if len(rows) == 1:
        raise InputError([Problem(label, "", "no rows", "1 line", "a header and rows")])
    table = _cells(label, header, names, rows[1:])
    table = _forwards(table)
    if "asset" not in table.texts:
        refuse(label, implausible(label, {name: table.shown(name) for name in COLUMNS}, table.numbers, COLUMNS, lines=table.lines))
    return table


def _summed(rows: Rows, columns: Mapping[str, Sequence[str]], label: str) -> Rows:
    """The rows with the named columns alone, beside times and what is kept aside; a cell that is no number stays as it is, for the reader of cells to refuse."""
    if not rows:
        return rows
    plain = [_plain(written) for written in rows[0][1]]
    gone = [each for parts in columns.values() for each in parts if _plain(each) not in plain]
    if gone:
        close = difflib.get_close_matches(gone[0], rows[0][1], n=1)
        hint = f"did you mean {close[0]!r}?" if close else None
        found_names, allowed = _cut(", ".join(map(repr, gone))), ", ".join(rows[0][1])
        raise InputError([Problem(label, "header", "no such column", found=found_names, allowed=allowed, hint=hint, line=rows[0][0])])
    kept = [place for place, name in enumerate(plain) if name in TIMES or name in (ASIDE, "use")]
    parts = [[plain.index(_plain(each)) for each in columns[name]] for name in columns]
    found: Rows = [(rows[0][0], [*(rows[0][1][place] for place in kept), *columns])]
    for line, row in rows[1:]:
        if len(row) != len(plain):
            found.append((line, row))
            continue
        sums = []
        for places in parts:
            numbers = [_number(row[place]) for place in places]
            wrong = [row[place] for place, number in zip(places, numbers, strict=True) if number is None]
            total = math.fsum(each for each in numbers if each is not None)
            sums.append(wrong[0] if wrong else "" if math.isnan(total) else repr(total))
        found.append((line, [*(row[place] for place in kept), *sums]))
    return found


# -- the header --------------------------------------------------------------------------------------------------------------------


def _plain(written: str) -> str:
    """A header's name without capitals, in small letters and underscores: ``marketCap`` is ``market_cap``.

    >>> _plain("circulatingSupply"), _plain("Total Circulating"), _plain("USDC")
    ('circulating_supply', 'total_circulating', 'usdc')
    """
    return re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written)).lower()


def _names(label: str, header: Sequence[str], *, line: int) -> list[str | None]:
    """What each column is known by here, None for one that is left out. Raises `InputError` for unknown columns and columns given twice."""
    plain = [_plain(written) for written in header]
    time = next((plain.index(name) for name in TIMES if name in plain), None)
    if time is None and len(plain) > 1 and not plain[0]:
        time = 0  # pandas leaves the name of its index empty
    known = [TIME if place == time else _known(name, plain) for place, name in enumerate(plain)]
    unknown = [written for written, name, found in zip(header, plain, known, strict=True) if found is None and not _left_out(name, plain)]
    problems = _twice(label, header, known, line=line)
    if unknown:
        allowed = [TIME, *COLUMNS, *TEXTS]
        close = next((each for name in unknown for each in difflib.get_close_matches(name.lower(), allowed, n=1)), None)
        message = "unknown column" if len(unknown) == 1 else "unknown columns"
        hint = f"did you mean {close!r}?" if close else None
        listed = _cut(", ".join(map(repr, unknown)))
        problems.append(Problem(label, "header", message, found=listed, allowed=", ".join(allowed), hint=hint, line=line))
    if not header or (time is None and not {"asset", *COLUMNS} & set(known)):
        # a file that is no history may be anybody's: nothing of it is repeated
        listed = (_cut(",".join(header)) if any(known) else f"{len(header)} that no history has") if header else "nothing"
        allowed = [TIME, "any of " + ", ".join(COLUMNS)]
        problems = [Problem(label, "header", f"no column {TIME!r}", found=listed, allowed=" and ".join(allowed), line=line)]
    refuse(label, problems)
    return known


def _known(name: str, header: Sequence[str]) -> str | None:
    """What a column is called here, None for one that nothing here reads; ``header`` holds every column's plain name."""
    if name in COLUMNS or name in TEXTS:
        return name
    if name in POOLED and {"3crv", "pool_base"} & set(header):
        return "pool_stable"
    if {"steth", "eth"} <= set(header) and name in ("steth", "eth"):
        return "pool_stable" if name == "steth" else "pool_base"
    return "supply" if name == "total" and _by_chain(header) else ALIASES.get(name)


def _by_chain(header: Sequence[str]) -> bool:
    """Whether it is DefiLlama's circulating supply by chain: the chains are columns of any name, and Total is their sum."""
    return {TIME, "date", "total"} <= set(header)


def _left_out(name: str, header: Sequence[str]) -> bool:
    """Whether a column is known to be of no use: a further time, a market's figures, ``frax_share`` beside ``frax``, one chain of several."""
    shares = name.endswith("_share") and name.removesuffix("_share") in header
    return shares or name in TIMES or name in UNUSED or _UNUSED_FORM.fullmatch(name) is not None or _by_chain(header)


def _cut(text: str, most: int = 120) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _twice(label: str, header: Sequence[str], names: Sequence[str | None], *, line: int) -> list[Problem]:
    problems = []
    for place, name in enumerate(names):
        before = names.index(name)
        if name is None or before == place:
            continue
        if header[before] == header[place]:
            problems.append(
                Problem(label, "header", "column named twice", found=repr(header[place]), allowed="each column once", line=line)
            )
        else:
            found = f"{header[before]!r} and {header[place]!r}"
            problems.append(Problem(label, "header", f"two columns are read as {name}", found=found, allowed="one of them", line=line))
    return problems


# -- the rows ----------------------------------------------------------------------------------------------------------------------


def _cells(label: str, header: Sequence[str], names: Sequence[str | None], rows: Rows) -> Table:
    """Numbers and texts by name. Raises `InputError` with everything that no row may hold."""
    problems = [wrong for line, row in rows if (wrong := width_problem(label, row, header, line)) is not None]
    whole = [(line, row) for line, row in rows if len(row) == len(header)]
    unused = tuple(header[place] for place, name in enumerate(names) if name is None)
    notes = [f"not used: {', '.join(unused)}"] if unused else []
    places = {name: place for place, name in enumerate(names) if name is not None}
    table = Table(
        file=label,
        numbers={},
        texts={name: [row[place] for _, row in whole] for name, place in places.items() if name not in COLUMNS},
        lines=tuple(line for line, _ in whole),
        written={name: header[place] or "the first column" for name, place in places.items()},
        unused=unused,
    )
    numbers = {}
    for name, place in places.items():
        if name in COLUMNS:
            numbers[name], wrongs = _column(table, name, [row[place] for _, row in whole])
            problems += wrongs
            untraded = np.flatnonzero((numbers[name] == 0.0) & (COLUMNS[name].kind == "price")).tolist()
            if untraded:
                numbers[name][untraded] = math.nan
                first = table.lines[untraded[0]]
                told = f"row {first}" if len(untraded) == 1 else f"{len(untraded)} rows, the first of them {first},"
                notes.append(f"{table.shown(name)}: 0 in {told} is taken as nothing traded")
    refuse(label, sorted(problems, key=lambda problem: problem.line or 0))
    aside: dict[str, Array] = {}
    for place, (heading, known) in enumerate(zip(header, names, strict=True)):
        if known is None and _plain(heading) == ASIDE:
            cells = [_number(row[place]) for _, row in whole]
            aside[ASIDE] = np.array([math.nan if value is None or value <= 0.0 else value for value in cells])
    return replace(table, numbers=numbers, notes=tuple(notes), aside=aside)


def _column(table: Table, name: str, cells: Sequence[str]) -> tuple[Array, list[Problem]]:
    """A column's numbers, (rows,), NaN for empty cells, and its cells that are no numbers or beyond its limits."""
    read = [_number(cell) for cell in cells]
    problems = [_not_allowed(table, name, cell, line) for cell, value, line in zip(cells, read, table.lines, strict=True) if value is None]
    numbers = np.array([math.nan if value is None else value for value in read], dtype=np.float64)
    limits = COLUMNS[name]
    traded = np.isfinite(numbers) & ((numbers != 0.0) | (limits.kind != "price"))
    beyond = [row for row in np.flatnonzero(traded).tolist() if not limits.allows(numbers[row])]
    # a column that is wrong in every row, or holds one wrong cell again and again, is one thing to mend
    everywhere = len(beyond) == np.count_nonzero(traded)
    alike: dict[str, list[int]] = {}
    for row in beyond:
        alike.setdefault("" if everywhere else cells[row], []).append(row)
    for same in alike.values():
        told, rows = (same[:1], len(same)) if len(same) > MANY else (same, 1)
        problems += [_not_allowed(table, name, cells[row], table.lines[row], value=float(numbers[row]), rows=rows) for row in told]
    return numbers, problems


def _number(cell: str) -> float | None:
    """The cell's number, NaN for an empty one, None for one that is no finite number."""
    if not cell:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _not_allowed(table: Table, name: str, cell: str, line: int, *, value: float | None = None, rows: int = 1) -> Problem:
    hint = None if value is None else hint_of(COLUMNS[name], value)
    if value is None and "," in cell:
        hint = "commas separate cells: write numbers with a point and without separators"
    message = "not allowed here" if rows == 1 else f"not allowed here, nor in {rows - 1} rows after it"
    return Problem(table.file, table.shown(name), message, found=repr(cell), allowed=COLUMNS[name].allowed, hint=hint, line=line)


def _forwards(table: Table) -> Table:
    """The table itself, or the reverse of one that runs backwards in time, as exports with the newest row on top do."""
    times = [time_of(cell) for cell in table.texts.get(TIME, ())]
    known = [time for time in times if time is not None]
    if len(known) <= MANY or len(known) < len(times) or any(after >= before for before, after in itertools.pairwise(known)):
        return table
    return replace(
        table,
        numbers={name: values[::-1] for name, values in table.numbers.items()},
        aside={name: values[::-1] for name, values in table.aside.items()},
        texts={name: cells[::-1] for name, cells in table.texts.items()},
        lines=table.lines[::-1],
        notes=(*table.notes, "the newest row stands first: read from the last row up"),
    )
