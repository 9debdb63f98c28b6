"""Nanoseconds of one path-step, stage by stage: `python tests/benchmarks/bench_step.py [--repeat N]`.

Each row of the hour (`simulation.program`) runs on one block of the worked study, again and again, by itself: what it costs in cache, without the others' traffic. The whole
step is timed over a real block of the study, with the AMOs of the current set and with all of them, and over one of every worked study. Times are the best of the repeats; as the machine is
shared, read the shares and the ratio to one pool refresh of the same run rather than the nanoseconds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import amo_opt
from amo_opt.amos.layout import layout_of
from amo_opt.protocol import lanes as at
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation import kernel
from amo_opt.simulation.engine import draw_packed
from amo_opt.simulation.kernel import SCRATCH, run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.simulation.program import HOUR, Row, program_of, used
from amo_opt.stableswap.invariant import refresh_D
from amo_opt.stableswap.jit import VECTOR, address, begins, call_at, stage, walker

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study
    from amo_opt.simulation.market_block import MarketBlock

STUDY = Path(__file__).resolve().parents[2] / "studies" / "frax-2022.toml"
ALL_AMOS = {"uniswap_cap": 0.1, "fraxlend_cap": 0.05, "investor_cap": 0.1}
ROUNDS, CALLS = 300, 16
"""Resets of the state in one timing, and calls of the row after each: a reset costs more than most rows, and is taken off."""
NOTHING = np.zeros(0, dtype=np.int64)


@stage
def one_refresh(s: Any) -> None:
    """The yardstick: D of every lane refreshed once."""
    for i in range(LANES):
        s[at.S_D + i] = refresh_D(s[at.S_POOL_X + i], s[at.S_POOL_Y + i], s[at.S_ANN + i], s[at.S_D + i])


YARDSTICK = Row("one D refresh (yardstick)", one_refresh)


@walker
def again(frame: Any, rows: Any, lines: Any, fresh: Any, state: Any, row: Any, p: Any, c: Any, scratch: Any, hour: Any) -> None:
    """Calls the rows again and again from the state as it was."""
    for _ in range(ROUNDS):
        for k in range(state.size):
            state[k] = fresh[k]
        for _ in range(CALLS):
            call_at(
                frame.walk_rows, frame, rows, lines, begins(state), begins(row), begins(p), begins(c), begins(scratch), hour, state.size
            )


def best(run: Callable[[], object], repeat: int) -> float:
    """Seconds of CPU of the best of ``repeat`` runs."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def advanced(block: MarketBlock, hours: int) -> tuple[MarketBlock, np.ndarray]:
    """The block's first ``hours`` hours, and the whole row of the hour after."""
    row = block.first.copy()
    for place, first in enumerate(block.changing):
        row[first : first + LANES] = block.hours[hours, place * LANES : (place + 1) * LANES]
    return replace(block, hours=block.hours[:hours]), row


def by_stage(study: Study, repeat: int, scenario: int = 0, hours: int = 600) -> dict[str, float]:
    """Nanoseconds of a lane in every row of the hour, all AMOs holding something, from the state after ``hours`` hours of a scenario; a row's active lanes with it."""
    block, row = advanced(draw_packed(study.scenarios[scenario], study, first=0, lanes=LANES, stream="search"), hours)
    p, c = parameter_vector(study.current.replace(**ALL_AMOS)), constants(study)
    fresh = start_state(study, block.first)
    run_block(fresh, block, p, c, 1, np.zeros((3, LANES)), np.zeros_like(fresh), NOTHING, np.zeros((0, 0)))
    rows_in_use = used(HOUR, fresh, p, c)
    frame, places = kernel._compiled(rows_in_use, "advance")
    places = places | {YARDSTICK.code: address(one_refresh, (VECTOR,))}
    s, w = fresh.copy(), np.zeros(SCRATCH)

    def seconds(rows: list[Row]) -> float:
        walked, lines = program_of(rows, places)
        w[:] = 0.0
        again(frame, walked, lines, fresh, s, row, p, c, w, hours)  # fills the scratch block, and the caches
        return best(lambda: again(frame, walked, lines, fresh, s, row, p, c, w, hours), repeat)

    idle = seconds([])
    return {each.name: (seconds([each]) - idle) / (ROUNDS * CALLS * LANES) * 1e9 for each in (YARDSTICK, *rows_in_use)}


def whole(study: Study, repeat: int, **caps: float) -> float:
    """Nanoseconds of a path-step over real blocks of every scenario."""
    blocks = [draw_packed(one, study, first=0, lanes=LANES, stream="search") for one in study.scenarios]
    layout = layout_of(study.state)
    p, c = parameter_vector(study.current.replace(**caps), layout), constants(study)

    def run() -> None:
        for market in blocks:
            state = start_state(study, market.first)
            navs = np.zeros((3, LANES))
            run_block(state, market, p, c, study.simulation.transition_hours, navs, np.zeros_like(state), NOTHING, np.zeros((0, 0)), layout)

    run()
    return best(run, repeat) / (sum(each.steps for each in blocks) * LANES) * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7, help="repeats, of which the best counts (default: 7)")
    repeat = parser.parse_args().repeat
    study = amo_opt.load_study(STUDY)
    study = replace(study, simulation=replace(study.simulation, paths=LANES))
    found = by_stage(study, repeat)
    yardstick = found[YARDSTICK.name]
    print(f"{'stage':34s} {'ns a lane':>10s} {'x one D refresh':>16s}")  # noqa: T201
    for name, nanoseconds in found.items():
        print(f"{name:34s} {nanoseconds:10.2f} {nanoseconds / yardstick:16.2f}")  # noqa: T201
    print(f"{'sum of the stages':34s} {sum(found.values()) - yardstick:10.2f}")  # noqa: T201
    for name, caps in (("whole step, current set", {}), ("whole step, all AMOs", ALL_AMOS)):
        nanoseconds = whole(study, repeat, **caps)
        print(f"{name:34s} {nanoseconds:10.2f} {nanoseconds / yardstick:16.2f}")  # noqa: T201
    for file in sorted(STUDY.parent.glob("*-20*.toml")):
        nanoseconds = whole(amo_opt.load_study(file), repeat)
        print(f"{'whole step, ' + file.stem:34s} {nanoseconds:10.2f} {nanoseconds / yardstick:16.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
