"""A history read block by block: the columns that `backtest` and `calibrate` read, a row for each time, each with the block it was read at.

A row holds the state as it stood at its time, after the last block up to then. Rows are appended one by one, so that what is done stays; a file that was begun is looked at
and gone on with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from amo_opt.errors import AmoOptError
from amo_opt.files import write_whole
from amo_opt.onchain.reads import answer_of, reads_of, round_of
from amo_opt.onchain.rpc import Block, Node, expect_chain
from amo_opt.onchain.state_read import read_columns
from amo_opt.protocol.reads import ReadFigure
from amo_opt.stress.csv_file import read_rows, time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from amo_opt.protocol.state import ProtocolState

OF_STATE = {
    "supply": "stablecoin.supply",
    "pool_stable": "pool.stablecoin",
    "pool_base": "pool.base_lp",
    "base_virtual_price": "pool.base_virtual_price",
    "amplification": "pool.amplification",
    "share_price": "share_token.price",
}
"""Columns that are figures of the state."""
FEEDS = {"oracle": "stablecoin_feed", "usdc": "usdc_feed", "dai": "dai_feed", "usdt": "usdt_feed"}
"""Columns that are a feed's answers, and the entry of ``[contracts]`` of the feed."""
FIRST = ("timestamp", "block", "block_hash")
MOST_ROWS = 100_000
_STEP = re.compile(r"([1-9][0-9]{0,4})(min|h|d)")
_UNITS = {"min": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Begun:
    """What a file holds already: its rows, and how many characters at its end are of a row that was not finished."""

    rows: int
    cut: int


def columns_of(state: ProtocolState) -> dict[str, ReadFigure]:
    """The columns whose contracts a state names. Raises `AmoOptError` where it names none."""
    told = {each.figure: each for each in reads_of(state) if isinstance(each, ReadFigure)}
    found = {column: told[figure] for column, figure in OF_STATE.items() if figure in told}
    for column, entry in FEEDS.items():
        feed = round_of(entry)
        found[column] = ReadFigure(figure=column, of=(feed,), value=lambda answered, feed=feed: answer_of(answered, feed))  # type: ignore[misc]
    named = {column: each for column, each in found.items() if all(entry in state.contracts for read in each.of for entry in read.entries)}
    if not named:
        entries = sorted({entry for each in found.values() for read in each.of for entry in read.entries})
        raise AmoOptError(
            f"the state {state.name} names no contract that tells a column of a history; allowed: any [contracts.NAME] of {', '.join(entries)}"
        )
    return named


def times_between(begin: str, end: str, every: str) -> list[datetime]:
    """The times of the rows, both ends counted in. Raises `AmoOptError` for what is no time or no step."""
    step, (first, last) = _STEP.fullmatch(every), (time_of(each) for each in (begin, end))
    for option, given, found in (("--from", begin, first), ("--to", end, last)):
        if found is None:
            raise AmoOptError(f"{option}: found {given!r:.60}; allowed: a time such as 2022-05-08T00:00:00Z (UTC)")
    if step is None:
        raise AmoOptError(f"--every: found {every!r:.60}; allowed: a step such as 1h, 10min or 1d")
    assert first is not None and last is not None  # noqa: S101, PT018 - told above
    seconds = int(step[1]) * _UNITS[step[2]]
    count = int((last - first).total_seconds() // seconds) + 1
    if not 2 <= count <= MOST_ROWS:
        raise AmoOptError(f"--from, --to, --every: found {max(count, 0):,} rows; allowed: 2 to {MOST_ROWS:,}")
    return [first + timedelta(seconds=seconds * place) for place in range(count)]


def write_history(
    node: Node,
    state: ProtocolState,
    times: Sequence[datetime],
    path: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Writes the rows that the file does not hold yet, each as soon as it is read, and returns how many. Raises `AmoOptError` for a file of other rows, a block that was replaced
    since, a time beyond the chain's blocks, and as reading does.
    """
    expect_chain(node, state.chain_id)
    columns = columns_of(state)
    head = ",".join((*FIRST, *columns))
    begun = _begun(node, path, head, times) if path.exists() else None
    latest = node.block("latest")
    if times[-1].timestamp() > latest.timestamp:
        at = datetime.fromtimestamp(latest.timestamp, tz=UTC)
        raise AmoOptError(f"--to: found {_said(times[-1])}; allowed: up to {_said(at)}, when the latest block ({latest.number}) was made")
    if begun is None:
        write_whole(path, head + "\n")
    done = 0 if begun is None else begun.rows
    low = None
    with path.open("r+", encoding="utf-8", newline="") as file:
        file.seek(0, 2)
        if begun is not None and begun.cut:
            file.seek(file.tell() - begun.cut)
            file.truncate()
        for place in range(done, len(times)):
            progress(place, len(times))
            low = block_at(node, int(times[place].timestamp()), low, latest)
            found = read_columns(node, state, low, columns)
            cells = (_said(times[place]), str(low.number), low.hash, *(f"{value.normalize():f}" for value in found.values()))
            file.write(",".join(cells) + "\n")
            file.flush()
        progress(len(times), len(times))
    return len(times) - done


def block_at(node: Node, time: int, low: Block | None, high: Block) -> Block:
    """The last block up to a time, between ``low``, which is not after it (None: not known yet), and ``high``."""
    if high.timestamp <= time:
        return high
    low = _before(node, time, high) if low is None else low
    guess = True  # by the time in between, and by halves where that does not narrow it
    while high.number - low.number > 1:
        ahead = (high.number - low.number) * (time - low.timestamp) // (high.timestamp - low.timestamp)
        number = low.number + min(max(ahead if guess else (high.number - low.number) // 2, 1), high.number - low.number - 1)
        middle, before = node.block(number), high.number - low.number
        low, high = (middle, high) if middle.timestamp <= time else (low, middle)
        guess = 2 * (high.number - low.number) <= before or not guess
    return low


def _before(node: Node, time: int, high: Block) -> Block:
    """A block up to a time, a little before it: gone back to by the seconds that blocks took so far."""
    low = node.block(max(high.number - 1, 0))
    while low.timestamp > time:
        if low.number == 0:
            said, first = (_said(datetime.fromtimestamp(each, tz=UTC)) for each in (time, low.timestamp))
            raise AmoOptError(f"--from: found {said}; allowed: from {first} on, when the chain's first block was made")
        seconds = max((high.timestamp - low.timestamp) / (high.number - low.number), 1.0)
        back = int((high.timestamp - time) / seconds * 1.02) + 1
        low = node.block(max(min(high.number - back, low.number - 1), 0))
    return low


def _begun(node: Node, path: Path, head: str, times: Sequence[datetime]) -> Begun:
    """What the file holds of these rows. Raises `AmoOptError` where it holds others, or blocks that the chain no longer has."""
    rows = [row for _, row in read_rows(path, str(path))]
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    cut = 0 if text.endswith("\n") else len(text) - text.rfind("\n") - 1
    rows = rows[:-1] if cut else rows
    if not rows or rows[0] != head.split(","):
        raise AmoOptError(f"{path}: is another file than this history begun: its first line is not {head}; name another file with --out")
    rows = rows[1:]
    wrong = next(
        (
            place
            for place, row in enumerate(rows)
            if place >= len(times) or row[0] != _said(times[place]) or len(row) != len(head.split(","))
        ),
        None,
    )
    if wrong is not None:
        wanted = _said(times[wrong]) if wrong < len(times) else "no more rows"
        raise AmoOptError(
            f"{path}: row {wrong + 1} below its header is {rows[wrong][0]!r}, wanted {wanted}; take the same --from, --to and --every, or another --out"
        )
    if any(not row[1].isdecimal() for row in rows) or any(int(after[1]) < int(before[1]) for before, after in pairwise(rows)):
        raise AmoOptError(f"{path}: its blocks do not rise from row to row: the file was changed; name another file with --out")
    for row in dict.fromkeys(map(tuple, (*rows[:1], *rows[-1:]))):
        found = node.block(int(row[1]))
        if found.hash != row[2]:
            raise AmoOptError(
                f"{path}: block {row[1]} was {row[2]} when its row was read and is {found.hash} now: the file is another chain's, or of blocks replaced since"
            )
    return Begun(len(rows), cut)


def _said(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
