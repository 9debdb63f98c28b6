"""How much of the score's variance the draws remove: `python tests/benchmarks/bench_variance.py [--batches N] [--paths N] [--reward]`.

Each batch is the worked study under another seed, scored whole: its current set, and the same set with half the amplification and twice
the idle collateral. Over batches, common random numbers remove 1 − Var(difference) ÷ (sum of the two variances), the latter being the
difference's variance on independent paths. Antithetic pairs (the second half of a batch's paths takes the first half's coin, share token
and flow noise with the other sign, with --reward the reward token's too, everything else drawn as ever) remove 1 − Var(with) ÷ Var(without), of a set's score and of the
difference; both sides of the ratio see the same seeds and the same number of paths. Behind each share stands a 95% interval by bootstrap
of whole batches.

One path on which the market fails adds some 60 bp to a batch's peg risk, so the variance of peg risk is that of how many such paths a
batch holds. The squared range of the middle half of the batches, which they do not reach, is shown beside it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

import amo_opt
from amo_opt.scoring.score import point_score
from amo_opt.stress.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

STUDY = Path(__file__).resolve().parents[2] / "studies" / "frax-2022.toml"
FIRST_SEED = 1_000
TURNED = ("usdc", "dai", "usdt", "share", "flow")
"""Purposes whose noise changes sign in the second half."""
TERMS = ("yield", "peg risk")
RESAMPLES = 2_000
LEAST = 50


def mirrored(half: int, turned: tuple[str, ...] = TURNED) -> type[Streams]:
    """Streams whose paths from ``half`` on take path p − half's noise with the other sign, for the purposes ``turned``."""

    class Mirrored(Streams):
        def normals(self, paths: range, purpose: str, *, steps: int) -> np.ndarray:
            if purpose not in turned:
                return super().normals(paths, purpose, steps=steps)
            rows = [super(Mirrored, self).normals(range(path % half, path % half + 1), purpose, steps=steps)[0] for path in paths]
            return np.stack([-row if path >= half else row for path, row in zip(paths, rows, strict=True)])

    return Mirrored


def scores(batches: int, paths: int) -> np.ndarray:
    """Yield and peg risk of both sets in each batch: shape (batches, 2 sets, 2 terms)."""
    out = np.empty((batches, 2, len(TERMS)))
    study = amo_opt.load_study(STUDY, overrides={"simulation.paths": paths})
    current = study.current
    other = current.replace(amplification=current.amplification // 2, idle_buffer=min(2.0 * current.idle_buffer, 0.3))
    for batch in range(batches):
        seeded = replace(study, search=replace(study.search, seed=FIRST_SEED + batch))
        for place, parameters in enumerate((current, other)):
            found = point_score(amo_opt.simulate(parameters, seeded), seeded)
            out[batch, place] = found.yield_annual, found.peg_risk_bps
    return out


def variance(values: np.ndarray) -> float:
    """Summed over columns."""
    return float(values.var(axis=0, ddof=1).sum())


def middle_half(values: np.ndarray) -> float:
    """Squared range of the middle half, summed over columns."""
    low, high = np.quantile(values, [0.25, 0.75], axis=0)
    return float(((high - low) ** 2).sum())


def removed(spread: Callable[[np.ndarray], float], after: np.ndarray, before: np.ndarray) -> str:
    """Share of the spread that is gone, and its interval; both of shape (batches, columns)."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(len(after), size=len(after)) for _ in range(RESAMPLES)]
    low, high = np.quantile([1.0 - spread(after[rows]) / spread(before[rows]) for rows in drawn], [0.025, 0.975])
    return f"{1.0 - spread(after) / spread(before):8.4f} [{low:8.4f}, {high:8.4f}]"


def report(plain: np.ndarray, turned: np.ndarray) -> list[str]:
    """A line a term and a way of drawing."""
    lines = [f"{'':60s}{'share of the variance removed':>30s}{'of the squared middle half':>30s}"]
    for place, term in enumerate(TERMS):
        both, mirror = plain[:, :, place], turned[:, :, place]
        gap, mirror_gap = both[:, :1] - both[:, 1:], mirror[:, :1] - mirror[:, 1:]
        rows = {
            "common random numbers, difference of two sets": (gap, both),
            "antithetic pairs, one set's score": (mirror[:, :1], both[:, :1]),
            "antithetic pairs, difference on common paths": (mirror_gap, gap),
        }
        lines += [f"{term:10s}{name:50s}{removed(variance, *pair):>30s}{removed(middle_half, *pair):>30s}" for name, pair in rows.items()]
        lines.append(f"{term:10s}mean, standard deviation: {both[:, 0].mean():.6g}, {both[:, 0].std(ddof=1):.6g}")
        lines.append(f"{term:10s}the same in antithetic pairs: {mirror[:, 0].mean():.6g}, {mirror[:, 0].std(ddof=1):.6g}")
    return lines


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=300)
    parser.add_argument("--paths", type=int, default=64)
    parser.add_argument("--reward", action="store_true", help="turn the reward token's noise as well")
    given = parser.parse_args()
    if given.batches < LEAST:
        parser.error(f"--batches: found {given.batches}; a variance needs at least {LEAST}")
    noise = (*TURNED, "reward") if given.reward else TURNED
    plain = scores(given.batches, given.paths)
    with mock.patch("amo_opt.stress.draws.Streams", mirrored(given.paths // 2, noise)):
        turned = scores(given.batches, given.paths)
    print("\n".join([f"{given.batches} batches of {given.paths} paths a scenario", *report(plain, turned)]))  # noqa: T201


if __name__ == "__main__":
    main()
