# ruff: noqa: INP001, PD011  (no package; a reading has values and is no frame)
"""Writes the coverage table of docs/statistics.md, between its markers: ``python docs/interval_coverage.py`` (minutes; the same bytes each time).

Every case is a mixture whose mean, CVaR and chance of an event are known in closed form: a rare component that a driver z ~ N(0, 1) decides, on
paths of which half are drawn as they are and half with z shifted to N(-mu, 1), weighed by the mixture of both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from amo_opt.scoring.constraints import RULES
from amo_opt.scoring.intervals import percentile_bounds
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.paired import Reading, differences
from amo_opt.scoring.replicates import replicate
from amo_opt.scoring.sample import Block, Sample, Stratum
from amo_opt.scoring.score import estimate

FloatArray = NDArray[np.float64]
PAGE = Path(__file__).with_name("statistics.md")
MEAN, TAIL, EVENT = "hours_below_099", "peg_cvar95_bps", "breach_probability"
"""A metric of each kind; the figures are the cases', not the model's."""
LEVEL = 0.95
DRAWN, TWINS, RESAMPLES = 640, 640, 1000
REPLICATIONS = 1000
FLAG = 0.2
"""A path that holds more of a figure's variance means that the tail has not settled."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everyday figures of one kind (``normal`` or ``lognormal``) and, where the driver is below its ``chance`` quantile, rare ones.

    ``everyday`` and ``rare`` are (mean, deviation) of the figure or of its logarithm; ``mu`` = how far twins' driver is shifted. The candidate's
    event is ``fewer`` times as likely and its rare figures' mean is moved by ``less``.
    """

    name: str
    kind: str
    chance: float
    everyday: tuple[float, float]
    rare: tuple[float, float]
    mu: float
    fewer: float = 0.7
    less: float = -0.1

    def candidate(self) -> Case:
        """What a candidate makes of the same paths."""
        return Case(
            name=self.name,
            kind=self.kind,
            chance=self.fewer * self.chance,
            everyday=self.everyday,
            rare=(self.rare[0] + self.less, self.rare[1]),
            mu=self.mu,
        )

    def truth(self) -> dict[str, float]:
        """Mean, CVaR 95% and chance of the event, in closed form."""

        def both(of: tuple[float, float], q: float) -> tuple[float, float]:
            """P(X > q) and E[X; X > q] of one part."""
            mean, deviation = of
            if self.kind == "normal":
                z = (mean - q) / deviation
                return float(ndtr(z)), float(mean * ndtr(z) + deviation * math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi))
            z = math.inf if q <= 0.0 else (mean - math.log(q)) / deviation
            return float(ndtr(z)), float(math.exp(mean + deviation**2 / 2.0) * ndtr(z + deviation))

        def mixed(q: float) -> tuple[float, float]:
            often, seldom = both(self.everyday, q), both(self.rare, q)
            return tuple((1.0 - self.chance) * a + self.chance * b for a, b in zip(often, seldom, strict=True))  # type: ignore[return-value]

        q = brentq(lambda q: mixed(q)[0] - (1.0 - LEVEL), -100.0, 1e6, xtol=1e-12)
        return {MEAN: mixed(-1e9)[1], TAIL: mixed(q)[1] / (1.0 - LEVEL), EVENT: self.chance}

    def figures(self, driver: FloatArray, noise: FloatArray) -> dict[str, FloatArray]:
        """Each metric's figure of each path."""
        hit = driver < ndtri(self.chance)
        mean, deviation = np.where(hit, self.rare[0], self.everyday[0]), np.where(hit, self.rare[1], self.everyday[1])
        value = mean + deviation * noise
        values = np.exp(value) if self.kind == "lognormal" else value
        return {MEAN: values, TAIL: values, EVENT: hit.astype(np.float64)}

    def replications(self, count: int, *, seed: int) -> Iterator[tuple[Reading, Reading]]:
        """The current set's reading and the candidate's, on the same paths, again and again."""
        rng = np.random.default_rng(seed)
        other = self.candidate()
        for _ in range(count):
            driver, noise = rng.standard_normal((2, DRAWN + TWINS))
            driver[DRAWN:] -= self.mu
            paths = sample_of(1.0 / (DRAWN + TWINS * np.exp(-self.mu * driver - self.mu**2 / 2.0)))
            yield _reading(paths, self.figures(driver, noise)), _reading(paths, other.figures(driver, noise))


def sample_of(weights: FloatArray) -> Sample:
    """Drawn paths and twins of one scenario with their path weights; of a study no more than a comparison reads."""
    strata = (
        Stratum(name="toy", component=0, rows=slice(0, DRAWN)),
        Stratum(name="toy~t1", component=1, rows=slice(DRAWN, weights.size)),
    )
    shares, scenario = weights / weights.sum(), SimpleNamespace(name="toy")
    block = Block(scenario=cast("Any", scenario), rows=slice(0, weights.size), n=weights.size, weight=1.0, strata=strata, shares=shares)
    certification = SimpleNamespace(bootstrap=RESAMPLES, tolerance_yield=0.0, tolerance_peg_bps=0.0, tolerance_cr=0.0)
    unlimited = SimpleNamespace(**{rule.limit_name: None for rule in RULES})
    study = SimpleNamespace(search=SimpleNamespace(seed=1), certification=certification, constraints=unlimited)
    frame = pd.DataFrame({"path": np.arange(weights.size)})
    return Sample(study=cast("Any", study), frame=frame, blocks=(block,), weights=shares)


def _reading(paths: Sample, values: dict[str, FloatArray]) -> Reading:
    drawn = replicate(paths, values, None, within=False).overall
    return Reading(paths=paths, scenario=None, measures={name: MEASURES[name] for name in values}, values=values, replicates=drawn)


CASES = (
    Case(name="aimed: 4e-5, mu 4", kind="lognormal", chance=4e-5, everyday=(0.0, 0.5), rare=(6.0, 0.5), mu=4.0),
    Case(name="aimed, normal: 1e-3, mu 2.5", kind="normal", chance=1e-3, everyday=(0.0, 1.0), rare=(100.0, 20.0), mu=2.5, less=-8.0),
    Case(name="aimed, heavy: 1e-4, mu 2", kind="lognormal", chance=1e-4, everyday=(0.0, 0.5), rare=(6.0, 1.0), mu=2.0),
    Case(name="too far: 1e-3, mu 5", kind="lognormal", chance=1e-3, everyday=(0.0, 0.5), rare=(4.0, 0.5), mu=5.0),
    Case(name="short: 1e-4, mu 1.5", kind="lognormal", chance=1e-4, everyday=(0.0, 0.5), rare=(6.0, 0.5), mu=1.5),
    Case(name="short, heavy: 1e-3, mu 1", kind="lognormal", chance=1e-3, everyday=(0.0, 0.5), rare=(5.0, 0.8), mu=1.0),
    Case(name="short: 1e-3, mu 0.7", kind="lognormal", chance=1e-3, everyday=(0.0, 0.5), rare=(5.0, 0.5), mu=0.7),
    Case(name="hardly tilted, heavy: 4e-3, mu 0.5", kind="lognormal", chance=4e-3, everyday=(0.0, 0.5), rare=(4.0, 1.0), mu=0.5),
)


def coverage(case: Case, count: int, *, seed: int) -> dict[str, float]:
    """The share of replications whose 95% interval holds the truth: ``percentile TAIL``, ``TAIL``, ``percentile TAIL difference``, …; ``share TAIL`` =
    the median of what one path holds of the variance, ``unflagged TAIL difference`` = the share that miss it with no path above `FLAG`.
    """
    truth, moved = case.truth(), case.candidate().truth()
    held: dict[str, list[float]] = {}

    def note(name: str, true: float, ends: tuple[float, float]) -> None:
        held.setdefault(name, []).append(float(ends[0] <= true <= ends[1]))

    for current, candidate in case.replications(count, seed=seed):
        pairs = differences(candidate, current)
        for name in (MEAN, TAIL, EVENT):
            found = estimate(name, current.values[name], current.paths, current.replicates[name])
            note(name, truth[name], (found.low, found.high))
            low, high = percentile_bounds(current.replicates[name])
            note(f"percentile {name}", truth[name], (float(low), float(high)))
            pair = pairs[name].difference
            note(f"{name} difference", moved[name] - truth[name], (pair.low, pair.high))
            settled = pair.largest_share is not None and pair.largest_share <= FLAG
            missed = not pair.low <= moved[name] - truth[name] <= pair.high
            held.setdefault(f"unflagged {name} difference", []).append(float(settled and missed))
            low, high = percentile_bounds(candidate.replicates[name] - current.replicates[name])
            note(f"percentile {name} difference", moved[name] - truth[name], (float(low), float(high)))
            held.setdefault(f"share {name}", []).append(found.largest_share or 0.0)
    return {name: float(np.median(each) if name.startswith("share") else np.mean(each)) for name, each in held.items()}


def table() -> str:
    """One case a line."""
    heads = ["case", "one path holds (CVaR)", "mean", "CVaR", "event", "Δ mean", "Δ CVaR", "Δ event", "Δ CVaR missed, no flag"]
    lines = []
    for number, case in enumerate(CASES):
        found = coverage(case, REPLICATIONS, seed=number)
        cells = [
            f"{100 * found[f'percentile {name}{what}']:.0f} → {100 * found[f'{name}{what}']:.0f}"
            for what in ("", " difference")
            for name in (MEAN, TAIL, EVENT)
        ]
        unflagged = f"{100 * found[f'unflagged {TAIL} difference']:.1f}"
        lines.append([case.name, f"{found[f'share {TAIL}']:.0%}", *cells, unflagged])
    rule = ["---", *("--:" for _ in heads[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (heads, rule, *lines))


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- coverage -->\n")
    _, mark, after = rest.partition("\n<!-- /coverage -->")
    PAGE.write_text(f"{before}<!-- coverage -->\n{table()}{mark}{after}", encoding="utf-8")
