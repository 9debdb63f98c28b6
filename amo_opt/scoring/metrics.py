"""Every metric: its name, unit and direction, and how it is computed from the paths of an outcome.

To add one, add one `Measure` to `MEASURES`, of which table of the state where not every protocol has it; scores, intervals, paired differences and reports follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.errors import AmoOptError
from amo_opt.scoring.losses import FloatArray, Order, cvar, cvar_resampled, excess, tail_points, worst_first
from amo_opt.scoring.types import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amo_opt.config.study import Study
    from amo_opt.scoring.sample import Sample

HOURS_PER_YEAR = 8760.0
LEAST_TOKENS = 1e-18
"""The smallest part of a token of eighteen decimals: below it there is none."""

_ROWS_AT_ONCE = 1 << 16
"""Rows whose yield is summed at a time: only memory hangs on it."""
NOT_YIELD = {"debt_discount": "income_debt_discount_usd", "mark_to_market": "income_mark_to_market_usd"}
"""Income that is not yield: own debt bought below par and the collateral's own price are shown beside it."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A metric and its computation: ``values`` gives one figure a path, ``kind`` says how paths become one figure.

    ``mean``: mean over paths by weight. ``event``: the same of 0 and 1, with an exact interval. ``high tail``, ``low tail``: mean of the
    largest or smallest ``1 - level`` of weight.
    """

    metric: Metric
    kind: Literal["mean", "event", "high tail", "low tail"]
    values: Callable[[Sample], FloatArray]
    level: float = 0.0

    @property
    def is_tail(self) -> bool:
        """Whether only the worst paths count."""
        return self.kind in ("high tail", "low tail")

    def point(self, values: FloatArray, weights: FloatArray, *, order: Order | None = None) -> float:
        """The metric of path figures of shape (n,) under positive weights that need not sum to 1."""
        if not self.is_tail:
            return float((values * weights).sum() / weights.sum())
        return self._sign * cvar(self._sign * values, weights, level=self.level, order=order)

    def order(self, values: FloatArray) -> Order:
        """The rows of a tail metric's path figures, the worst first: what `resampled` sorts them by."""
        order = worst_first(self._sign * values)
        # half the memory, and a certification of millions of paths holds one for every tail
        return order.astype(np.int32) if order.size <= np.iinfo(np.int32).max else order

    def resampled(self, values: FloatArray, weights: FloatArray, counts: FloatArray, *, order: Order | None = None) -> FloatArray:
        """The tail metric of every resample, shape (resamples,); means are resampled together, see `replicates`."""
        return self._sign * cvar_resampled(self._sign * values, weights, counts, level=self.level, order=order)

    def tail_points(self, values: FloatArray, weights: FloatArray, *, order: Order | None = None) -> float | None:
        """Kish's effective count of the tail; ``None`` where there is no tail."""
        return tail_points(self._sign * values, weights, level=self.level, order=order) if self.is_tail else None

    def gradient(self, values: FloatArray, weights: FloatArray, *, order: Order | None = None) -> FloatArray:
        """What the metric weighs paths by, shape (n,), up to a constant: the figures themselves, or what they are beyond the tail's beginning."""
        return self._sign * excess(self._sign * values, weights, level=self.level, order=order) if self.is_tail else values

    @property
    def _sign(self) -> float:
        """-1 turns a low tail into losses and back; a high tail holds losses already."""
        return -1.0 if self.kind == "low tail" else 1.0


class YieldTerms(Mapping[str, FloatArray]):
    """What each line adds to the yearly yield of each path, by its name; worked out when asked for, as all of them together are as large as
    all other figures that are not a column already.
    """

    def __init__(self, sample: Sample) -> None:
        self._year, self._collateral = _year(sample), _collateral(sample)
        lines = [name for name in sample.income_lines() if name not in NOT_YIELD.values()]
        self._lines = {name.removeprefix("income_").removesuffix("_usd"): sample.column(name) for name in lines}
        self._transition = sample.column("transition_cost_usd")

    def of(self, name: str, rows: slice) -> FloatArray:
        """One line on some rows."""
        if name == "transition":
            return 0.0 - self._transition[rows] / self._collateral[rows]
        return self._lines[name][rows] * self._year / self._collateral[rows]

    def __getitem__(self, name: str) -> FloatArray:
        """One line, shape (n,)."""
        return self.of(name, slice(None))

    def __iter__(self) -> Iterator[str]:
        """Income in the accounts' order, the transition last."""
        yield from self._lines
        yield "transition"

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self._lines) + 1

    def total(self) -> FloatArray:
        """The yield of each path, shape (n,): the sum of the lines in their order."""
        parts = np.array_split(np.arange(self._collateral.size), max(1, self._collateral.size // _ROWS_AT_ONCE))
        slices = (slice(int(rows[0]), int(rows[-1]) + 1) for rows in parts)
        return np.concatenate([np.add.reduce([self.of(name, rows) for name in self]) for rows in slices])


def yield_terms(sample: Sample) -> YieldTerms:
    """What each line adds to the yearly yield of each path, shape (n,): incomes of the window made yearly, less the transition once.

    All over the collateral of the state, so the terms add up to the metric ``yield``.
    """
    return YieldTerms(sample)


def _year(sample: Sample) -> float:
    return HOURS_PER_YEAR / sample.study.simulation.window_hours


def _collateral(sample: Sample) -> FloatArray:
    collateral = sample.column("collateral_start_usd")
    if not (collateral > 0.0).all():
        raise AmoOptError(f"collateral_start_usd is {collateral.min()}; a yield needs collateral: check the state's positions")
    return collateral


def _yield(sample: Sample) -> FloatArray:
    return yield_terms(sample).total()


def _beside_yield(name: str) -> Callable[[Sample], FloatArray]:
    return lambda sample: sample.column(NOT_YIELD[name]) * _year(sample) / _collateral(sample)


def _column(name: str) -> Callable[[Sample], FloatArray]:
    return lambda sample: sample.column(name)


def _growth(end: str, start: str) -> Callable[[Sample], FloatArray]:
    def values(sample: Sample) -> FloatArray:
        before = sample.column(start)
        # An amount that starts at nothing has no growth rate; count it as unchanged rather than infinite.
        there = before >= LEAST_TOKENS
        return np.where(there, sample.column(end) / np.where(there, before, 1.0) - 1.0, 0.0)

    return values


def _breach(sample: Sample) -> FloatArray:
    return (sample.column("min_cr_external") < sample.study.constraints.min_external_cr).astype(np.float64)


def _unrecovered(sample: Sample) -> FloatArray:
    return 1.0 - sample.column("recovered")


def _measure(
    name: str, title: str, unit: str, better: int, values: Callable[[Sample], FloatArray] | None = None, *, of: str = ""
) -> Measure:
    """A mean over paths, of the column of the same name unless said otherwise; ``of`` the table whose mechanism it measures."""
    return Measure(metric=Metric(name=name, title=title, unit=unit, better=better, of=of), kind="mean", values=values or _column(name))


def _event(name: str, title: str, values: Callable[[Sample], FloatArray]) -> Measure:
    return Measure(metric=Metric(name=name, title=title, unit="probability", better=-1), kind="event", values=values)


def _tail(name: str, title: str, unit: str, better: int, column: str, level: float) -> Measure:
    """The bad tail of a column: the high one where lower is better."""
    kind: Literal["high tail", "low tail"] = "high tail" if better < 0 else "low tail"
    return Measure(metric=Metric(name=name, title=title, unit=unit, better=better), kind=kind, values=_column(column), level=level)


MEASURES: dict[str, Measure] = {
    measure.metric.name: measure
    for measure in (
        _measure("yield", "Yield", "per year", +1, _yield),
        _tail("peg_cvar95_bps", "Peg risk (CVaR 95%)", "bps", -1, "peg_loss_bps", 0.95),
        _tail("peg_cvar95_dollar_bps", "Peg risk against the dollar (CVaR 95%)", "bps", -1, "peg_loss_dollar_bps", 0.95),
        _event("breach_probability", "Chance that the external collateral ratio breaks its limit", _breach),
        _tail("shortfall_cvar90_bps", "Deepest shortfall (CVaR 90%)", "bps", -1, "deepest_shortfall_bps", 0.90),
        _event("unrecovered_probability", "Chance that the price is not back at the window's end", _unrecovered),
        _measure("unserved_usd_hours", "Unserved redemptions, mean", "USD·h", -1),
        _tail("unserved_cvar90_usd_hours", "Unserved redemptions (CVaR 90%)", "USD·h", -1, "unserved_usd_hours", 0.90),
        _measure("unserved_peak_usd", "Unserved redemptions, peak", "USD", -1),
        _measure("min_price", "Deepest price, mean", "USD", +1),
        _tail("min_price_tail95", "Deepest price, mean of the lowest 5%", "USD", +1, "min_price", 0.95),
        _measure("min_oracle", "Lowest oracle price, mean", "USD", +1),
        _measure("end_shortfall_bps", "Shortfall at the window's end", "bps", -1),
        _measure("hours_below_099", "Hours below 0.99", "h", -1),
        _measure("hours_to_recover", "Hours to recover (the window's length if never)", "h", -1),
        _measure("min_cr_external", "Lowest external collateral ratio, mean", "ratio", +1),
        _tail("min_cr_external_tail95", "Lowest external collateral ratio, mean of the lowest 5%", "ratio", +1, "min_cr_external", 0.95),
        _measure("min_cr_contract", "Lowest contract collateral ratio, mean", "ratio", +1),
        _tail("min_cr_contract_tail95", "Lowest contract collateral ratio, mean of the lowest 5%", "ratio", +1, "min_cr_contract", 0.95),
        _measure("hours_below_min_cr", "Hours under the minimum collateral ratio", "h", -1, of="amos"),
        _measure(
            "dilution",
            "Growth of the share token's supply",
            "ratio",
            -1,
            _growth("share_supply_end", "share_supply_start"),
            of="share_token",
        ),
        _measure("hours_over_caps", "Hours over a cap", "h", -1, of="amos"),
        _measure("hours_unwinding", "Hours unwinding", "h", 0, of="amos"),
        _measure("supply_change", "Growth of the stablecoin's supply", "ratio", 0, _growth("supply_end", "supply_start")),
        _measure(
            "external_supply_change",
            "Growth of the supply outside the protocol",
            "ratio",
            0,
            _growth("external_supply_end", "external_supply_start"),
        ),
        _measure("floor_supply_band_usd", "Floor supply to the edge of the band, as the window opens", "USD", +1),
        _measure("floor_supply_005_usd", "Floor supply to 0.995, as the window opens", "USD", +1),
        _measure("floor_supply_01_usd", "Floor supply to 0.99, as the window opens", "USD", +1),
        _measure("floor_ratio", "Floor supply to 0.99 over algorithmic supply, as the window opens", "ratio", +1, of="controller"),
        _measure("floor_ratio_end", "Floor supply to 0.99 over algorithmic supply, at the window's end", "ratio", +1, of="controller"),
        _measure("decentralisation_ratio", "Decentralisation ratio at the window's end", "ratio", 0),
        _measure("vote_share", "Share of the votes on rewards at the window's end", "ratio", 0, of="rewards"),
        _measure("reward_tokens_locked", "Reward tokens locked for votes", "tokens", 0, of="rewards"),
        _measure("end_cr", "Target collateral ratio at the window's end", "ratio", 0, of="controller"),
        _measure("debt_discount", "Own debt bought below par (not in yield)", "per year", 0, _beside_yield("debt_discount")),
        _measure("mark_to_market", "Collateral marked to market (not in yield)", "per year", 0, _beside_yield("mark_to_market")),
    )
}
"""Every measure by metric name, in the order of a report."""

METRICS: dict[str, Metric] = {name: measure.metric for name, measure in MEASURES.items()}
"""Every metric by name, in the order of a report."""


def measured(study: Study) -> tuple[str, ...]:
    """The metrics of what the study's protocol has, in the order of a report, and any that the study sets a limit on: of a mechanism that is not there nothing is told."""
    limited = {"floor_ratio"} if study.constraints.min_floor_supply is not None else set()
    return tuple(name for name, metric in METRICS.items() if study.state.has(metric.of) or name in limited)


def earning(study: Study, lines: Iterable[str]) -> tuple[str, ...]:
    """The lines of the yield that are common or of an AMO which the protocol has."""
    absent = {line.name for each in MECHANISMS if not study.state.has(f"amos.{each.name}") for line in each.income.values()}
    present = {line.name for each in MECHANISMS if study.state.has(f"amos.{each.name}") for line in each.income.values()}
    return tuple(name for name in lines if name not in absent - present)
