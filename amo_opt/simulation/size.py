"""What a simulation takes, told before it starts: memory and time from the study's own numbers, and the memory there is.

The estimate is held against what is measured (`tests/simulation/test_size.py`). Paths are drawn and run in blocks, so memory hangs on the
length of a path and the workers, and on the outcomes: a row a path.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.amos.layout import LINES, layout_of
from amo_opt.errors import AmoOptError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.executor import Threads, Workers, executor_of
from amo_opt.stress.draws import moving_inputs

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from amo_opt.config.study import Study

COLUMNS = 44 + len(LINES)
"""Columns of an outcome: its accounting lines but for those of names that a state chose, and what else is told of a path."""
ROW_BYTES = 32
"""Beside them: a path's number, its scenario's, its component's, and its weight."""
DRAWN = 1.9
"""Memory of a block while it is drawn, over that of the block: its inputs are packed beside their rows."""
BLOCK_BYTES = 3000
"""What a block takes while it waits for its turn."""
SCORED_BYTES, SCORED_ROW_BYTES = 90 << 20, 200
"""What a score takes beside its outcome, and on each row of it."""
STEP_SECONDS = 13e-6
"""What one set on one block takes an hour of a path, roughly (measured)."""
DRAW_SECONDS = 20e-6
"""What drawing a block takes an hour of a path, roughly (measured)."""
MOST_SECONDS = 30 * 86400.0
"""Longest work that is begun, by the estimate: whoever asks for more has mistaken a number."""
FRESH_SECONDS = 1.0
"""How long an answer to what memory is free counts."""
KEPT_SHARE = 0.5
"""Share of the memory there is that paths used again and again may take."""


@dataclass(frozen=True)
class Size:
    """What some work takes at its height, and how long, both roughly: ``fixed`` bytes whatever the paths, ``per_path`` for each a scenario. ``option`` sets the
    paths.
    """

    fixed: float
    per_path: float
    paths: int
    seconds: float
    option: str = "--paths"

    @property
    def bytes(self) -> float:
        """All of it."""
        return self.fixed + self.per_path * self.paths


def block_bytes(study: Study) -> int:
    """Most that one block of paths takes, of any scenario: every hour of what may change there, and one of the rest (`simulation.market_block`)."""
    layout = layout_of(study.state)
    moving = max(len(moving_inputs(each, layout)) for each in study.scenarios)
    return (_hours(study) * moving + len(layout.inputs)) * LANES * 8 + moving * 8


def _hours(study: Study) -> int:
    return study.simulation.transition_hours + study.simulation.window_hours


def size_of(
    study: Study, *, paths: int, sets: int = 1, scenarios: int | None = None, threads: int = 1, columns: int = COLUMNS, series: int = 0
) -> Size:
    """What it takes to run ``sets`` on ``paths`` of each scenario (default: all) and to score them one after the other.

    Their outcomes (``columns`` of them) are there at once; or instead of them ``series``, an hour's value for every path.
    """
    count = len(study.scenarios) if scenarios is None else scenarios
    hours = _hours(study)
    blocks = -(-paths // LANES) * count
    row = 2.0 * 8 * hours * series * sets if series else (8.0 * columns + ROW_BYTES) * sets + SCORED_ROW_BYTES
    return Size(
        fixed=DRAWN * block_bytes(study) * min(threads, blocks) + SCORED_BYTES,
        per_path=count * (row + BLOCK_BYTES / LANES),
        paths=paths,
        seconds=blocks * hours * (DRAW_SECONDS + sets * STEP_SECONDS) / threads,
    )


def check_size(study: Study, size: Size, *, threads: int) -> None:
    """Raises `AmoOptError` where the work does not fit into the memory there is, or would not end; with the estimate, and what would fit."""
    what = f"{size.paths:,} paths per scenario of {_hours(study):,} hours, {threads} worker{'s' if threads > 1 else ''}"
    free = free_bytes()
    if free is not None and size.bytes > free:
        fits = int((free - size.fixed) // size.per_path)
        way = f"{_rounded(fits):,} paths would fit" if fits >= 1 else "fewer workers or fewer hours would"
        raise AmoOptError(
            f"{what}: takes about {_told_bytes(size.bytes)} of memory, {_told_bytes(free)} are free; {way} ({size.option}, --workers)"
        )
    if size.seconds > MOST_SECONDS:
        raise AmoOptError(
            f"{what}: takes about {told_seconds(size.seconds)}; more than {told_seconds(MOST_SECONDS)} is not begun: "
            f"{_rounded(int(size.paths * MOST_SECONDS / size.seconds)):,} paths would end by then ({size.option})"
        )


def check_work(
    study: Study, paths: int, scenarios: Sequence[str] | None, *, sets: int, workers: Workers, columns: int = COLUMNS, series: int = 0
) -> None:
    """`check_size` of what an executor is about to run; how long it takes on a cluster is not known here."""
    executor = executor_of(workers)
    chosen = None if scenarios is None else len(scenarios)
    size = size_of(study, paths=paths, sets=sets, scenarios=chosen, threads=executor.threads, columns=columns, series=series)
    check_size(study, size if isinstance(executor, Threads) else replace(size, seconds=0.0), threads=executor.threads)


def keeps(study: Study, blocks: int, *, held: int) -> bool:
    """Whether so many blocks may stay in memory, ``held`` bytes of which are there already."""
    free = free_bytes()
    return free is None or blocks * block_bytes(study) <= KEPT_SHARE * (free + held)


def told_seconds(seconds: float) -> str:
    """A time for people: ``40 min``, ``3 h``, ``12 days``."""
    if seconds < 5400.0:
        return f"{seconds / 60.0:.0f} min"
    return f"{seconds / 3600.0:.0f} h" if seconds < 2.0 * 86400.0 else f"{seconds / 86400.0:,.0f} days"


def _told_bytes(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"


def _rounded(paths: int) -> int:
    """Two digits, rounded down."""
    unit = 10 ** max(0, len(str(paths)) - 2)
    return max(1, int(paths // unit * unit))


def free_bytes() -> int | None:
    """`available_bytes`, asked at most every `FRESH_SECONDS`: a search asks before each batch, and a dozen small files beside busy threads take longer to read than it."""
    now = time.monotonic()
    if not _asked or now - _asked[0][0] > FRESH_SECONDS:
        _asked[:] = [(now, available_bytes())]
    return _asked[0][1]


_asked: list[tuple[float, int | None]] = []
"""When it was asked last, and what was free."""


def available_bytes(root: Path = Path("/")) -> int | None:
    """Memory this process may still take: the least of the machine's, its control groups' and its own limit's; None where nobody says.

    Pages that only hold files count as free. ``root`` is where ``/proc`` and ``/sys`` are looked for.
    """
    found = [*_machine(root), *_groups(root), *_limit(root)]
    return max(0, min(found)) if found else None


def _machine(root: Path) -> list[int]:
    with suppress(OSError, ValueError, IndexError):
        for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return [int(line.split()[1]) * 1024]
    with suppress(OSError, ValueError, AttributeError):  # other systems, told as a whole
        return [int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))]
    return []


def _groups(root: Path) -> list[int]:
    """What every control group above this process leaves, of either version."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds == "":
                base, limit, used, cache = root / "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
            elif "memory" in kinds.split(","):
                base, limit, used, cache = (
                    root / "sys/fs/cgroup/memory",
                    "memory.limit_in_bytes",
                    "memory.usage_in_bytes",
                    "total_inactive_file",
                )
            else:
                continue
            folder = base / path.lstrip("/")
            for each in (folder, *folder.parents):
                with suppress(OSError, ValueError):  # "max": no limit
                    most = int((each / limit).read_text(encoding="ascii"))
                    found.append(most - int((each / used).read_text(encoding="ascii")) + _cached(each / "memory.stat", cache))
                if each == base:
                    break
    return found


def _cached(stat: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        return int(dict(line.split() for line in stat.read_text(encoding="ascii").splitlines())[name])
    return 0


def _limit(root: Path) -> list[int]:
    """What the process's own limit on its address space leaves (``ulimit -v``)."""
    if resource is None:
        return []
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most == resource.RLIM_INFINITY:
        return []
    with suppress(OSError, ValueError):
        return [most - int((root / "proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()]
    return [most]
