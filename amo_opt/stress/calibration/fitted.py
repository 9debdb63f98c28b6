"""One fitted figure, when it counts as identified, and how it is written in TOML."""

from __future__ import annotations

import json
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

        An interval that ends at a lower limit of 0 still bounds a rate from above; one that ends at any other limit bounds nothing there.
        """
        if self.flat is not None:
            return self.flat
        if self.high >= self.most and self.low <= self.least:
            return f"the interval spans the whole allowed range, {self.least:g} to {self.most:g}"
        if self.high >= self.most:
            return f"the profile is flat upwards: the interval ends at the limit {self.most:g}"
        if self.low <= self.least and self.least > 0.0:
            return f"the profile is flat downwards: the interval ends at the limit {self.least:g}"
        return None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What one fit gave: figures, the misfit, the rows left out and what was assumed on the way."""

    fit: str
    file: str
    figures: tuple[Fitted, ...]
    n: int
    method: str
    residual_sd: float
    residual_unit: str
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def toml(self) -> str:
        """Lines to paste: figures of the state under ``[markets]``, settings of a scenario as its ``set``; comments for the rest."""
        lines = [f"# {figure.name}: not identified, {figure.not_identified}" for figure in self.figures if figure.not_identified]
        known = [figure for figure in self.figures if not figure.not_identified]
        if not known:
            return "\n".join(lines)
        if self.fit == "flow":
            values = ", ".join(f"{figure.name} = {float(f'{figure.value:.4g}')!r}" for figure in known)
            return "\n".join([*lines, "[[scenario]]", 'name = "calm"', f"set = {{ {values} }}"])
        lines.append("[markets]")
        for figure in known:
            low, value, high = (float(f"{number:.4g}") for number in (figure.low, figure.value, figure.high))
            reason = json.dumps(f"fitted to {one_line(self.file)}, n = {figure.n}, 95% interval {low:g} to {high:g}", ensure_ascii=False)
            lines.append(f"{figure.name} = {{ value = {value!r}, assumed = {reason}, low = {low!r}, high = {high!r} }}")
        return "\n".join(lines)
