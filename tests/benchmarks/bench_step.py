"""Nanoseconds of one path-step, stage by stage: `python tests/benchmarks/bench_step.py [--repeat N]`.

Each stage runs on one block of the worked study's snapshot, again and again, by itself: what it costs in cache, without the others' traffic. The whole
step is timed over a real block of the study, with the AMOs of the current set and with all of them. Times are the best of the repeats; as the machine is
shared, read the shares and the ratio to one pool refresh of the same run rather than the nanoseconds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

import amo_opt
from amo_opt.amos import aave, collateral_investor, curve, fraxlend, triggers, uniswap_v3
from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.protocol import accounts, collateral_ratio, holders, oracle, primary_market, share_token
from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import FULL_STAGE, SCRATCH, W_ACTIVE, OnActive, run_active
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation import path_statistics
from amo_opt.simulation.engine import draw
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.stableswap.invariant import refresh_D
from amo_opt.stableswap.jit import address, stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study

STUDY = Path(__file__).resolve().parents[2] / "studies" / "frax-2022.toml"
ROUNDS, CALLS = 300, 16
"""Resets of the state in one timing, and calls of the stage after each: a reset costs more than most stages, and is taken off."""


@stage
def one_refresh(s: Any) -> None:
    """The yardstick: D of every lane refreshed once."""
    for i in range(LANES):
        s[at.S_D + i] = refresh_D(s[at.S_POOL_X + i], s[at.S_POOL_Y + i], s[at.S_ANN + i], s[at.S_D + i])


def stages() -> dict[str, list[tuple[Any, str]]]:
    """Every stage of the step in its order, with the arguments it takes (of state, market, parameters, constants, scratch, hour)."""
    return {
        "one D refresh (yardstick)": [(one_refresh, "s")],
        "prices, marks, A": [(accounts.open_hour, "smpch")],
        "venue losses": [(each.venue_loss, "sm") for each in MECHANISMS if each.venue_loss is not None],
        "Aave: interest": [(aave.MECHANISM.market_operations, "smc")],
        "Collateral Investor: interest": [(collateral_investor.MECHANISM.market_operations, "smc")],
        "Fraxlend: interest, borrowers": [(fraxlend.market_operations, "smc")],
        "Curve: fees, rewards": [(curve.market_operations, "smc")],
        "Uniswap: fees": [(uniswap_v3.market_operations, "smc")],
        "outside providers": [(holders.lp_flight, "smc")],
        "holders, buyers": [(holders.demand, "smc")],
        "trades at the pool": [(primary_market.trade_fast, "smpcw")],
        "trades at the doors": [(primary_market.trade_active, "smpcw")],
        "Uniswap: arbitrage": [(uniswap_v3.flag_arbitrage, "scw"), (uniswap_v3.arbitrage_active, "smpcw")],
        "oracle": [(oracle.observe, "sc")],
        "CR controller": [(collateral_ratio.cr_controller, "spc")],
        "share token's operations": [(share_token.share_operations, "sc")],
        "triggers": [(triggers.triggers, "sp")],
        "x / D at a price of CR": [(collateral_ratio.flag_scales, "sw"), (collateral_ratio.scale_active, "smpcw")],
        "Curve: operation": [(curve.flag_operations, "spcw"), (curve.operate_active, "smpcw")],
        "Uniswap: operation": [(uniswap_v3.flag_operations, "spcw"), (uniswap_v3.operate_active, "smpcw")],
        "Fraxlend: operation": [(fraxlend.flag_operations, "spcw"), (fraxlend.operate_active, "smpcw")],
        "Aave: operation": [(aave.MECHANISM.operate, "smpc")],
        "Collateral Investor: operation": [(collateral_investor.MECHANISM.operate, "smpc")],
        "both collateral ratios": [(collateral_ratio.collateral_ratios, "sc")],
        "path statistics": [(path_statistics.path_statistics, "spch")],
    }


def best(run: Callable[[], object], repeat: int) -> float:
    """Seconds of CPU of the best of ``repeat`` runs."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def jitted(function: Any) -> Any:
    """The stage as compiled code calls it."""
    if not isinstance(function, OnActive):
        return function
    full, lines = address(function.full, FULL_STAGE), function.lines
    return stage(lambda s, m, p, c, w: run_active(full, lines, s, m, p, c, w))


def repeated(calls: list[tuple[Any, str]]) -> Any:
    """A compiled loop that calls a stage's functions again and again from the state as it was."""
    body = "; ".join(f"f{k}({', '.join(arguments)})" for k, (_, arguments) in enumerate(calls))
    source = f"def loop(fresh, s, m, p, c, w, h):\n for _ in range({ROUNDS}):\n  s[:] = fresh\n  for _ in range({CALLS}):\n   {body}\n"
    room: dict[str, Any] = {f"f{k}": jitted(function) for k, (function, _) in enumerate(calls)}
    exec(source, room)  # noqa: S102 - numba compiles a loop for each list of arguments
    return njit(room["loop"], error_model="numpy")


@njit
def copies(fresh: Any, s: Any) -> None:
    """What resetting the state costs alone: taken off every stage."""
    for _ in range(ROUNDS):
        s[:] = fresh


def by_stage(study: Study, repeat: int, scenario: int = 0, hours: int = 600) -> dict[str, float]:
    """Nanoseconds of a lane in every stage, all AMOs holding something, from the state after ``hours`` hours of a scenario."""
    everything = study.current.replace(uniswap_cap=0.1, fraxlend_cap=0.05, investor_cap=0.1)
    market = draw(study.scenarios[scenario], study, first=0, lanes=LANES, stream="search")
    p, c = parameter_vector(everything), constants(study)
    fresh = start_state(study, market[0])
    nothing = np.zeros(0, dtype=np.int64)
    run_block(fresh, market[:hours], p, c, 1, np.zeros((3, LANES)), np.zeros_like(fresh), nothing, np.zeros((0, 0)))
    s, w = fresh.copy(), np.zeros(SCRATCH)
    collateral_ratio.flag_scales(s, w)
    copies(fresh, s)
    idle = best(lambda: copies(fresh, s), repeat)
    found = {}
    for name, calls in stages().items():
        loop = repeated(calls)
        arguments = (fresh, s, market[hours], p, c, w, hours)
        w[W_ACTIVE : W_ACTIVE + LANES] = 0.0
        loop(*arguments)
        seconds = best(lambda loop=loop, arguments=arguments: loop(*arguments), repeat)  # type: ignore[misc]
        found[name] = (seconds - idle) / (ROUNDS * CALLS * LANES) * 1e9
    return found


def whole(study: Study, repeat: int, **caps: float) -> float:
    """Nanoseconds of a path-step over real blocks of every scenario."""
    blocks = [draw(one, study, first=0, lanes=LANES, stream="search") for one in study.scenarios]
    p, c = parameter_vector(study.current.replace(**caps)), constants(study)
    nothing = np.zeros(0, dtype=np.int64)

    def run() -> None:
        for market in blocks:
            state = start_state(study, market[0])
            navs = np.zeros((3, LANES))
            run_block(state, market, p, c, study.simulation.transition_hours, navs, np.zeros_like(state), nothing, np.zeros((0, 0)))

    run()
    return best(run, repeat) / (len(blocks) * LANES * blocks[0].shape[0]) * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7, help="repeats, of which the best counts (default: 7)")
    repeat = parser.parse_args().repeat
    study = amo_opt.load_study(STUDY)
    study = replace(study, simulation=replace(study.simulation, paths=LANES))
    found = by_stage(study, repeat)
    yardstick = found["one D refresh (yardstick)"]
    print(f"{'stage':34s} {'ns a lane':>10s} {'x one D refresh':>16s}")  # noqa: T201
    for name, nanoseconds in found.items():
        print(f"{name:34s} {nanoseconds:10.1f} {nanoseconds / yardstick:16.1f}")  # noqa: T201
    print(f"{'sum of the stages':34s} {sum(found.values()) - yardstick:10.1f}")  # noqa: T201
    for name, caps in (
        ("whole step, current set", {}),
        ("whole step, all AMOs", {"uniswap_cap": 0.1, "fraxlend_cap": 0.05, "investor_cap": 0.1}),
    ):
        nanoseconds = whole(study, repeat, **caps)
        print(f"{name:34s} {nanoseconds:10.1f} {nanoseconds / yardstick:16.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
