"""A path in plain words: sentences by rule, every number from the path's series or its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.wording import USD, fixed, significant, true_minus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FloatArray = NDArray[np.float64]
Series = Mapping[str, FloatArray]

FEES_BURNED = 1e-5
"""Share of supply that collected fees may burn in an hour; what is redeemed in an hour counts from there."""
UNCHANGED = 0.005
"""Share of external supply below which it counts as having held."""
SOON = 72
"""Hours after the stress began at which what has left is told beside what leaves in all."""
WORTH_SAYING = 1e3
"""Tokens or dollars, at a size of 1 (`ProtocolState.size`), below which an amount is none."""


def everything(_table: str) -> bool:
    """What a protocol has that has every mechanism."""
    return True


LEAST_TOLD = 0.01
"""Of the unit of account, below which an amount is told as nothing."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """What the sentences need beside the series: hours since the window's opening, limits, the accounting lines by kind, the state's size and unit of account, and
    which mechanisms it ``has``.

    ``drawn`` = the stress's beginning comes from the study; otherwise ``onset_label`` says by what it was seen in the series.
    ``yield_lines`` are names and titles of income that counts in the yield.
    """

    transition: int
    onset: int | None
    drawn: bool
    onset_label: str
    worst: int
    back_within_bps: float
    min_external_cr: float
    min_cr: float
    yield_lines: Mapping[str, str]
    other_income: Sequence[str]
    capital: Sequence[str]
    size: float = 1.0
    account: str = USD
    has: Callable[[str], bool] = everything

    @property
    def worth_saying(self) -> float:
        """What an amount must come to."""
        return WORTH_SAYING * self.size


def caption(series: Series, reference: FloatArray, events: Events) -> str:
    """A few sentences about one path's scored window: price against ``reference``, supply, AMOs, collateral ratios, waiting, income.

    Arrays have shape (steps,), transition included.
    """
    window = {name: values[events.transition :] for name, values in series.items()}
    sentences = (
        _price(window, reference[events.transition :], events),
        _supply(series, events),
        _ratios(window, events),
        _waiting(window, events),
        _income(window, events),
    )
    return " ".join(sentences)


def money(value: float) -> str:
    """An amount of dollars or tokens in about three digits.

    >>> money(1.3345e9), money(182.4e6), money(3.21e6), money(45_600.0), money(1053.0), money(12.0), money(-2e6), money(0.0312)
    ('1.33bn', '182m', '3.2m', '46k', '1.1k', '12', '−2.0m', '0.031')
    """
    for size, decimals, letter in ((1e9, 2, "bn"), (1e6, 1, "m"), (1e3, 1, "k")):
        # what rounds up to a thousand of the smaller unit is one of this
        if abs(value) >= size * (1.0 - 5e-4):
            return fixed(value / size, 0 if decimals == 1 and abs(value) >= 10.0 * size else decimals) + letter
    return true_minus(significant(value, 2)) if LEAST_TOLD <= abs(value) < 10.0 else fixed(value, 0)


def day(hour: int) -> str:
    """An hour of the window as the axis shows it.

    >>> day(0), day(300)
    ('day 0.0', 'day 12.5')
    """
    return f"day {hour / 24:.1f}"


def _since(hour: int, events: Events) -> str:
    """`` on day 12.5, 3 h after the stress began``."""
    text = f"on {day(hour)}"
    if events.onset is None:
        return text
    what = "the stress began" if events.drawn else f"the first sign of stress ({events.onset_label})"
    apart = hour - events.onset
    if apart == 0:
        return f"{text}, in the hour of {'the onset' if events.drawn else what}"
    return f"{text}, {abs(apart)} h {'after' if apart > 0 else 'before'} {what}"


def _price(window: Series, reference: FloatArray, events: Events) -> str:
    price, lowest = window["price"], events.worst
    highest = int(np.argmax(price))
    text = f"The price fell to {price[lowest]:.4f} {events.account} {_since(lowest, events)}, when its reference stood at {reference[lowest]:.4f}."
    if 1e4 * (price[highest] - 1.0) > events.back_within_bps:
        text += f" It rose to {price[highest]:.4f} {events.account} {_since(highest, events)}."
    below = 1e4 * (reference - price)
    deepest = int(np.argmax(below))
    if below[deepest] <= 0.0:
        return f"{text} It never was below its reference."
    if below[deepest] <= events.back_within_bps:
        return f"{text} It never was more than {below[deepest]:.0f} bp below its reference."
    text += f" At the most it was {below[deepest]:,.0f} bp below its reference, on {day(deepest)},"
    last = int(np.flatnonzero(below > events.back_within_bps)[-1])
    if last == price.size - 1:
        return f"{text} and it was still more than {events.back_within_bps:.0f} bp below at the end."
    return f"{text} and from {day(last + 1)} on less than {events.back_within_bps:.0f} bp."


def _supply(series: Series, events: Events) -> str:
    """What left between the stress's beginning (or the window's opening) and the lowest external supply after it, and by which way."""
    before = events.transition + (events.onset or 0) - 1
    external = series["external_supply"]
    start = float(external[before])
    lowest = before + int(np.argmin(external[before:]))
    left = start - float(external[lowest])
    onset = "when the stress began" if events.drawn else "at the first sign of stress"
    began = "when the window opened" if events.onset is None else onset
    if left < UNCHANGED * start:
        end = external.size - 1
        text = f"External supply was {money(start)} {began} and {money(float(external[-1]))} at the end"
    else:
        end = lowest
        soon = before + SOON
        early = events.onset is not None and soon < lowest and external[soon] < start
        first = f"{money(start - float(external[soon]))} had left after {SOON} h and " if early else ""
        then = "" if early else " had left"
        text = f"Of {money(start)} external supply {began}, {first}{money(left)} ({100.0 * left / start:.0f}%){then} net by {day(lowest - events.transition)}"
    redeemed, minted_outside = _moves(series["net_issued"][before : end + 1], FEES_BURNED * float(series["supply"][before]))
    burned, minted = _moves((series["supply"] - series["net_issued"])[before : end + 1], 0.0)
    holders = _listed((("redeemed", redeemed), ("minted", minted_outside)), events.worth_saying)
    if not events.has("amos"):
        return f"{text}; meanwhile holders {holders}."
    amos = _listed((("burned", burned), ("minted", minted)), events.worth_saying)
    return f"{text}; meanwhile holders {holders} and the AMOs {amos}. {_unwinding(series, events)}"


def _listed(amounts: Sequence[tuple[str, float]], least: float) -> str:
    """``redeemed 61m and minted 3.0m``; what comes to less than ``least`` is left out.

    >>> _listed((("burned", 240e6), ("minted", 0.0)), 1e3), _listed((("burned", 0.0), ("minted", 0.0)), 1e3)
    ('burned 240m', 'neither burned nor minted')
    """
    said = [f"{what} {money(amount)}" for what, amount in amounts if amount >= least]
    return " and ".join(said) or f"neither {' nor '.join(what for what, _ in amounts)}"


def _moves(level: FloatArray, least: float) -> tuple[float, float]:
    """Sums of a level's falls and of its rises, hours that move it by no more than ``least`` left out.

    >>> _moves(np.array([10.0, 7.0, 8.0, 7.9]), 0.5)
    (3.0, 1.0)
    """
    steps = np.diff(level)
    steps = steps[np.abs(steps) > least]
    return float(-steps[steps < 0.0].sum()) + 0.0, float(steps[steps > 0.0].sum())


def _unwinding(series: Series, events: Events) -> str:
    active = np.flatnonzero(series["unwinding"][events.transition :] > 0.5)
    if active.size == 0:
        return "No AMO unwound."
    return f"AMOs were unwinding for {active.size} h, first on {day(int(active[0]))}."


def _ratios(window: Series, events: Events) -> str:
    target, external, contract = window["collateral_ratio"], window["cr_external"], window["cr_contract"]
    target_told = (
        f"Target CR went from {target[0]:.4f} to {target[-1]:.4f}" if target[0] != target[-1] else f"Target CR stayed at {target[0]:.4f}"
    )
    parts = [
        _held(name, values, limit, limit_name)
        for name, values, limit, limit_name in (
            ("cr_external", external, events.min_external_cr, "limit"),
            ("cr_contract", contract, events.min_cr, "min_cr"),
        )
        if limit_name != "min_cr" or events.has("amos")
    ]
    told = ", ".join(parts)
    return f"{target_told}; {told}." if events.has("controller") else f"{told}."


def _held(name: str, values: FloatArray, limit: float, limit_name: str) -> str:
    under = int((values < limit).sum())
    kept = "kept" if under == 0 else f"broken for {under} h"
    return f"{name} fell to {values.min():.4f} and ended at {values[-1]:.4f} ({limit_name} {limit:g} {kept})"


def _waiting(window: Series, events: Events) -> str:
    queue, unserved, claims = (float(window[name].max()) for name in ("queue", "unserved", "claims"))
    parts = [
        f"{money(most)} {what}"
        for what, most in (
            ("waited to leave", queue),
            ("went unserved in an hour", unserved),
            ("was redeemed and not yet collected", claims),
        )
        if most >= events.worth_saying
    ]
    return f"At the most {', '.join(parts)}." if parts else "Nobody had to wait to leave."


def _income(window: Series, events: Events) -> str:
    """Sums at the window's last hour."""
    earned = {title: float(window[name][-1]) for name, title in events.yield_lines.items()}
    largest = max(earned, key=lambda title: abs(earned[title]))
    text = f"Income in the yield came to {money(sum(earned.values()))} {events.account}"
    text += f", the largest part {largest} ({money(earned[largest])})" if abs(earned[largest]) >= events.worth_saying else ""
    beside = [
        f"{money(amount)} {what}"
        for what, amount in (
            ("of revaluation", sum(float(window[name][-1]) for name in events.other_income)),
            ("of capital (share tokens)", sum(float(window[name][-1]) for name in events.capital)),
        )
        if abs(amount) >= events.worth_saying
    ]
    return f"{text}; beside it stand {' and '.join(beside)}." if beside else f"{text}."
