"""Two small figures of the search: what mattered, and how it came to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from amo_opt.report.figures.style import BLUE, GREY, INK, blank, styled, to_svg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amo_opt.report.sections.search import Convergence


def draw_importances(objectives: Sequence[str], shares: Mapping[str, Sequence[float]]) -> str:
    """Horizontal bars in per cent, a pane for each objective, the parameters in one order with a share for each."""
    with styled():
        figure = blank(8.2, 0.75 + 0.24 * len(shares))
        axes = figure.subplots(1, len(objectives), sharey=True, sharex=True, squeeze=False)[0]
        for place, title in enumerate(objectives):
            axes[place].barh(
                range(len(shares)), [100.0 * each[place] for each in shares.values()], color=BLUE if place == 0 else GREY, height=0.62
            )
            axes[place].set_title(title)
            axes[place].set_xlabel("share of the spread (%)")
            axes[place].grid(axis="y", visible=False)
            axes[place].tick_params(axis="y", length=0)
        axes[0].set_yticks(range(len(shares)), [name.replace("_", " ") for name in shares])
        axes[0].set_ylim(len(shares) - 0.5, -0.5)
        return to_svg(figure, "importances")


def draw_convergence(convergence: Convergence) -> str:
    """The front's hypervolume after each batch, in per cent of the last."""
    with styled():
        figure = blank(5.2, 2.1)
        axes = figure.add_subplot()
        batches = range(1, len(convergence.shares) + 1)
        shares = [100.0 * share for share in convergence.shares]
        axes.plot(batches, shares, color=BLUE, drawstyle="steps-post", marker="o" if len(shares) == 1 else None)
        axes.axhline(100.0, color=INK, linewidth=0.6)
        axes.set_ylim(min(0.0, *shares) if min(shares) < 50.0 else min(shares) - 5.0, 103.0)
        axes.set_xlabel("batch")
        axes.set_ylabel("hypervolume (% of its end)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return to_svg(figure, "hypervolume")
