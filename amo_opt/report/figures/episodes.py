"""Replayed episodes: the model's price band against what was recorded, one small figure each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.figures.style import BLUE, INK, ORANGE, blank, price_ticks, styled, to_svg
from amo_opt.wording import in_account

if TYPE_CHECKING:
    from amo_opt.scoring.replay import ColumnFit


def draw_episode(prices: ColumnFit, prefix: str, account: str) -> str:
    """Mean and 5-95% of the model's paths at the hours of the record, and the record as dots. Between them lines are for the eye."""
    with styled():
        figure = blank(7.6, 2.2)
        axes = figure.subplots()
        if prices.low is not None and prices.high is not None:
            axes.fill_between(prices.hours, prices.low, prices.high, color=BLUE, alpha=0.25, linewidth=0.0)
        axes.plot(prices.hours, prices.model, color=BLUE, linewidth=1.2)
        axes.plot(prices.hours, prices.real, color=ORANGE, marker="o", markersize=3.0, linewidth=0.8)
        axes.axhline(1.0, color=INK, linewidth=0.6)
        axes.set_xlabel("hours since the episode's start")
        axes.set_ylabel(in_account("price (USD)", account))
        axes.margins(x=0.01)
        price_ticks(axes)
        return to_svg(figure, prefix)
