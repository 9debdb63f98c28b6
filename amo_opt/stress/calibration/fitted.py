"""One fitted figure, when it counts as identified, and how it is written in TOML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from amo_opt.one_line import one_line


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One figure with its 95% interval; ``least`` and ``most`` are the range that the figure may take at all."""

    name: str
    unit: str
    value: float
    low: float
    high: float
    least: float
    most: float
    n: int
    flat: str | None = None
    """Why the data say nothing about it, where that is known before the interval."""

    @property
    def not_identified(self) -> str | None:
        """The reason why the data do not identify the figure, or None where they do.

        An interval that ends at a lower limit of 0 still bounds a rate from above; one that ends at any other limit bounds nothing there, nor
        does one that goes on beyond what the figure may be.
        """
        reasons = {
            self.flat: self.flat is not None,
            f"the whole interval lies outside the allowed range, {self.least:g} to {self.most:g}": self.low > self.most
            or self.high < self.least,
            f"the interval spans the whole allowed range, {self.least:g} to {self.most:g}": self.high >= self.most
            and self.low <= self.least,
            f"the interval goes on beyond the limit {self.most:g}": self.high > self.most,
            f"the profile is flat upwards: the interval ends at the limit {self.most:g}": self.high == self.most,
            f"the interval goes on below the limit {self.least:g}": self.low < self.least,
            f"the profile is flat downwards: the interval ends at the limit {self.least:g}": self.low <= self.least and self.least > 0.0,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)


def _of_a_scenario(figures: Sequence[Fitted], file: str) -> list[str]:
    """A scenario's settings as a study sets them, and below, as comments, the ranges as a scenario's own file holds them."""
    values = ", ".join(f"{figure.name} = {float(f'{figure.value:.4g}')!r}" for figure in figures)
    lines = ["[[scenario]]", 'name = "calm"', f"set = {{ {values} }}", "# a scenario's own file:", "# [ranges]"]
    for figure in figures:
        low, high = (float(f"{number:.4g}") for number in (figure.low, figure.high))
        source = json.dumps(f"fitted to {one_line(file)}, n = {figure.n}, 95% interval", ensure_ascii=False)
        lines.append(f"# {figure.name} = {{ low = {low!r}, high = {high!r}, source = {source} }}")
    return lines


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What one fit gave: figures, the misfit, the rows left out, what was assumed on the way and what makes the data doubtful."""

    fit: str
    file: str
    figures: tuple[Fitted, ...]
    n: int
    method: str
    residual_sd: float
    residual_unit: str
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    """Why no figure is to be pasted though the data would identify it: in what unit, or of what, a column is."""

    def toml(self) -> str:
        """Lines to paste: figures of the state under ``[markets]``, settings of a scenario as its ``set``; comments for the rest, and alone
        where the data are doubtful.
        """
        lines = [f"# {figure.name}: not identified, {figure.not_identified}" for figure in self.figures if figure.not_identified]
        lines += [f"# nothing to paste: {doubt}" for doubt in self.doubts]
        known = [figure for figure in self.figures if not figure.not_identified and not self.doubts]
        if not known:
            return "\n".join(lines)
        if self.fit == "spells":
            return "\n".join([*lines, *_of_a_scenario(known, self.file)])
        if self.fit == "flow":
            values = ", ".join(f"{figure.name} = {float(f'{figure.value:.4g}')!r}" for figure in known)
            return "\n".join([*lines, "[[scenario]]", 'name = "calm"', f"set = {{ {values} }}"])
        lines.append("[markets]")
        for figure in known:
            low, value, high = (float(f"{number:.4g}") for number in (figure.low, figure.value, figure.high))
            reason = json.dumps(f"fitted to {one_line(self.file)}, n = {figure.n}, 95% interval {low:g} to {high:g}", ensure_ascii=False)
            lines.append(f"{figure.name} = {{ value = {value!r}, assumed = {reason}, low = {low!r}, high = {high!r} }}")
        return "\n".join(lines)
