# ruff: noqa: T201 - a benchmark prints
"""Time per call of pool arithmetic beside curvesim 0.5.0, in one run: ``python tests/benchmarks/bench_pool.py``.

curvesim gets an environment of its own, made once under the system's temporary folder (or ``--curvesim PYTHON`` names an interpreter that has it); where it cannot be
installed the table says so and holds our own times. Each figure is the median of seven repeats, the two programs one after the other on
the same machine, inputs the same: 190m and 140m of 18-decimals coins, A 200, fee 0.04%. Swaps go back and forth, so that the pool stays where it is.
Both programs' integer swaps must pay the same unit for unit; the run stops if they do not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
import venv
from collections.abc import Callable
from pathlib import Path

VERSION = "0.5.0"
E18 = 10**18
BALANCES, SOLD, A, FEE, ADMIN_FEE = (190_000_000 * E18, 140_000_000 * E18), 1_000_000 * E18, 200, 4 * 10**6, 5 * 10**9
BASE_BALANCES, BASE_SUPPLY = (10**26, 10**26, 10**26), 3 * 10**26
PRICE = 0.97

NEAREST = {
    "swap, float, from Python": "swap, integers, two coins",
    "swap, float, compiled loop": "swap, integers, two coins",
    "balances at a price, compiled loop": "balances at a price, from Python",
}
"""What curvesim does instead of an operation it does not have."""

Times = dict[str, float]
"""Seconds a call, by operation; and what the first swaps paid."""


def seconds(call: Callable[[], object], number: int) -> float:
    """Median seconds of CPU a call over seven repeats: others on the machine count for neither program."""
    call()
    return statistics.median(timeit.repeat(call, timer=time.process_time, repeat=7, number=number)) / number


def ours() -> tuple[Times, list[str]]:
    """Our times, and what the plain pool, then the metapool, pay for the first swap."""
    import numpy as np
    from numba import njit

    from amo_opt.stableswap.depth import Pool, pool_at_price, sell_stablecoin
    from amo_opt.stableswap.exact import MetaPool, PlainPool
    from amo_opt.stableswap.invariant import get_y, scaled_x_at_price

    plain = PlainPool(
        generation="base",
        decimals=[18, 18],
        balances=list(BALANCES),
        amplification_raw=100 * A,
        fee_raw=FEE,
        admin_fee_raw=ADMIN_FEE,
        total_supply=sum(BALANCES),
        admin_balances=[0, 0],
    )
    base = PlainPool(
        generation="base",
        decimals=[18, 18, 18],
        balances=list(BASE_BALANCES),
        amplification_raw=100 * 2000,
        fee_raw=FEE,
        admin_fee_raw=ADMIN_FEE,
        total_supply=BASE_SUPPLY,
        admin_balances=[0, 0, 0],
    )
    meta = MetaPool(
        generation="meta_factory_v1",
        base_pool=base,
        decimals=[18, 18],
        balances=list(BALANCES),
        amplification_raw=100 * A,
        fee_raw=FEE,
        admin_fee_raw=ADMIN_FEE,
        total_supply=sum(BALANCES),
        admin_balances=[0, 0],
    )
    paid = [str(plain.get_dy(0, 1, SOLD)), str(meta.get_dy(0, 1, SOLD))]
    pool = Pool(stablecoin=190e6, base=140e6, amplification=A, fee=0.0004)
    pool.D  # noqa: B018 - cached, as curvesim's inputs are made beforehand too
    lanes = np.linspace(0.9e6, 1.1e6, 10_000)
    prices = np.linspace(0.95, 0.999, 10_000)
    x, y, d, ann = pool.stablecoin, pool.base, pool.D, pool.ann

    @njit
    def swaps(sold: np.ndarray) -> float:
        total = 0.0
        for i in range(sold.size):
            total += y - get_y(x + sold[i], d, ann)
        return total

    @njit
    def inversions(targets: np.ndarray) -> float:
        total = 0.0
        for i in range(targets.size):
            total += scaled_x_at_price(targets[i], ann)[0]
        return total

    times = {
        "swap, integers, two coins": _back_and_forth(plain.exchange),
        "swap, integers, metapool": _back_and_forth(meta.exchange),
        "swap, float, from Python": seconds(lambda: sell_stablecoin(pool, 1e6), 5_000),
        "swap, float, compiled loop": seconds(lambda: swaps(lanes), 20) / lanes.size,
        "balances at a price, from Python": seconds(lambda: pool_at_price(pool, PRICE), 5_000),
        "balances at a price, compiled loop": seconds(lambda: inversions(prices), 20) / prices.size,
    }
    return times, paid


def _back_and_forth(exchange: Callable[[int, int, int], object]) -> float:
    """Seconds of one swap, a sale and its return taken together."""

    def pair() -> None:
        got = exchange(0, 1, SOLD)
        exchange(1, 0, got[0] if isinstance(got, tuple) else got)

    return seconds(pair, 500) / 2


def theirs() -> tuple[Times, list[str]]:
    """curvesim's times; runs in curvesim's environment, which has no amo_opt."""
    from curvesim.pipelines.common import get_arb_trades
    from curvesim.pool.sim_interface.pool import SimCurvePool
    from curvesim.pool.stableswap.metapool import CurveMetaPool
    from curvesim.pool.stableswap.pool import CurvePool

    def plain(kind: type) -> object:
        return kind(A=A, D=list(BALANCES), n=2, fee=FEE, admin_fee=ADMIN_FEE)

    base = CurvePool(A=2000, D=list(BASE_BALANCES), n=3, fee=FEE, admin_fee=ADMIN_FEE, tokens=BASE_SUPPLY)

    def meta() -> object:
        return CurveMetaPool(A=A, D=list(BALANCES), n=2, basepool=base, fee=FEE, admin_fee=ADMIN_FEE)

    paid = [str(pool.exchange(0, 1, SOLD)[0]) for pool in (plain(CurvePool), meta())]
    simulated = plain(SimCurvePool)
    searched = seconds(lambda: get_arb_trades(simulated, {(0, 1): PRICE}), 20)
    times = {
        "swap, integers, two coins": _back_and_forth(plain(CurvePool).exchange),
        "swap, integers, metapool": _back_and_forth(meta().exchange),
        "balances at a price, from Python": searched,
    }
    return times, paid


def interpreter() -> Path | str:
    """curvesim's Python, installed on the first call; or the reason why there is none."""
    folder = Path(tempfile.gettempdir()) / f"amo-opt-curvesim-{VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if done.exists():
        return python
    print(f"installing curvesim {VERSION} in {folder} …", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", f"curvesim=={VERSION}"], capture_output=True, text=True, check=False
    )
    if installed.returncode:
        return (installed.stderr.strip().splitlines() or ["pip failed without a word"])[-1]
    done.touch()
    return python


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curvesim", type=Path, default=None, metavar="PYTHON", help="an interpreter that has curvesim")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(theirs()))
        return
    other: Times = {}
    python = arguments.curvesim or interpreter()
    if isinstance(python, Path):
        called = subprocess.run([python, __file__, "--child"], capture_output=True, text=True, check=False)
        if called.returncode:
            python = (called.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        else:
            other, paid_there = json.loads(called.stdout.strip().splitlines()[-1])
    times, paid = ours()
    if other and paid != paid_there:
        sys.exit(f"the programs disagree about what a swap pays: {paid} here, {paid_there} in curvesim")
    print(f"{'microseconds a call':36s} {'amo-opt':>10s} {'curvesim':>10s} {'ratio':>8s}")
    for name, here in times.items():
        there = other.get(name, other.get(NEAREST.get(name, "")))
        beside = f"{there * 1e6:10.3f} {there / here:8.1f}" if there is not None else f"{'–':>10s} {'–':>8s}"
        print(f"{name:36s} {here * 1e6:10.3f} {beside}")
    if isinstance(python, Path):
        print(f"curvesim {VERSION}: every swap in integers (gmpy2), paying the same units; a price is found by brentq over whole trades")
    else:
        print(f"curvesim {VERSION} could not be measured: {python}")


if __name__ == "__main__":
    main()
