"""A pool while its stablecoin is sold: price and composition against the amount, one curve an amplification; saved as HTML, PNG or SVG."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.report.figures.files import check_suffix, framed, plain_page, save_image, save_page
from amo_opt.report.figures.profiles import DASHES
from amo_opt.report.figures.style import BLUE, GREY, ORANGE, blank, styled, to_svg
from amo_opt.wording import USD, in_account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amo_opt.stableswap.depth import SellingCurve


def save_pool(
    path: Path, curves: Sequence[SellingCurve], *, title: str, caption: str, account: str = USD, marks: Sequence[tuple[str, float]] = ()
) -> None:
    """Writes the drawing; the same bytes each time. ``marks`` are amounts sold that a line is drawn at, with their name."""
    check_suffix(path)
    with styled():
        figure = draw_pool(curves, marks, account)
        if path.suffix.lower() == ".html":
            alt = f"Price and stablecoin share of the pool against stablecoin sold, for {len(curves)} amplifications."
            body = f"{framed(to_svg(figure, 'pool'), alt)}<p>{escape(caption)}</p>\n"
            save_page(path, plain_page(title, body, width="60rem", more_style=""))
        else:
            save_image(figure, path, dpi=160)


def draw_pool(curves: Sequence[SellingCurve], marks: Sequence[tuple[str, float]] = (), account: str = USD) -> Figure:
    """Two panels over the amount sold: marginal price, and the stablecoin's share of the pool. The first curve is the pool as it is."""
    figure = blank(9.2, 3.6)
    panels = figure.subplots(1, 2)
    scale, unit = _unit(max(max(each.sold) for each in curves))
    for axes, label in zip(
        panels, (in_account("price (USD of base per stablecoin)", account), "stablecoin share of the pool (%)"), strict=True
    ):
        for place, curve in enumerate(curves):
            values = curve.price if axes is panels[0] else [100.0 * each for each in curve.share]
            axes.plot(
                [each / scale for each in curve.sold],
                values,
                color=ORANGE if place == 0 else GREY,
                linewidth=1.8 if place == 0 else 1.1,
                linestyle=DASHES[place % len(DASHES)],
                label=f"A {curve.amplification:,.0f}",
            )
        _mark(axes, marks, scale)
        axes.set_xlabel(f"stablecoin sold ({unit})")
        axes.set_title(label)
        axes.set_xlim(left=0.0)
    panels[0].legend(frameon=False, fontsize=8.0)
    return figure


def _mark(axes: Axes, marks: Sequence[tuple[str, float]], scale: float) -> None:
    for name, value in marks:
        axes.axvline(value / scale, color=BLUE, linewidth=0.9, linestyle=(0, (3, 2)))
        axes.annotate(
            name,
            (value / scale, 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(2, 0),
            textcoords="offset points",
            fontsize=7.5,
            rotation=90.0,
            color=BLUE,
        )


def _unit(most: float) -> tuple[float, str]:
    """What the axis counts in."""
    for scale, name in ((1e9, "bn"), (1e6, "m"), (1e3, "thousand")):
        if most >= scale:
            return scale, name
    return 1.0, "tokens"
