"""Price fans: the sets of one scenario side by side on one price axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.figures.style import HUES, INK, blank, price_ticks, styled, to_svg
from amo_opt.wording import in_account

if TYPE_CHECKING:
    from amo_opt.report.sections.prices import FanPanel

BANDS = ((0, 6, 0.18), (1, 5, 0.28), (2, 4, 0.42))
"""Pairs of quantile places and the opacity between them: 1-99%, 5-95%, 25-75%."""


def draw_fan(panel: FanPanel, prefix: str, account: str) -> str:
    """Bands 1-99, 5-95 and 25-75% and the median of the pool price by day; the other set's 1% quantile dashed in each panel."""
    with styled():
        figure = blank(7.6, 2.35)
        panes = figure.subplots(1, max(2, len(panel.series)), sharey=True, sharex=True)
        for place, series in enumerate(panel.series):
            axes = panes[place]
            colour = HUES[series.hue]
            for low, high, opacity in BANDS:
                axes.fill_between(panel.days, series.quantiles[low], series.quantiles[high], color=colour, alpha=opacity, linewidth=0)
            axes.plot(panel.days, series.quantiles[3], color=colour, linewidth=1.2)
            for other in panel.series:
                if other is not series:
                    axes.plot(panel.days, other.quantiles[0], color=HUES[other.hue], linewidth=0.9, linestyle=(0, (3, 2)))
            axes.axhline(1.0, color=INK, linewidth=0.6)
            axes.set_title(series.label, color=colour)
            axes.set_xlabel("days into the scored window")
            axes.margins(x=0.01)
            axes.tick_params(length=0)  # thirty marks a figure that the grid lines say already
        panes[0].set_ylabel(in_account("pool price (USD)", account))
        for axes in panes[len(panel.series) :]:
            axes.set_visible(False)
        price_ticks(panes[0])
        return to_svg(figure, prefix)
