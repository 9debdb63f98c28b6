"""Replays drawn: the model's band against what was recorded; one in panels over one time axis with the drivers below, and each of a report's episodes small."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.report.figures.files import check_suffix, framed, plain_page, save_image, save_page
from amo_opt.report.figures.style import BLUE, GREY, INK, ORANGE, blank, price_ticks, styled, to_svg
from amo_opt.report.stories.backtest import band_holds
from amo_opt.scoring.replayed import BAND
from amo_opt.scoring.types import spread_known
from amo_opt.wording import in_account

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amo_opt.report.stories.backtest import BacktestFacts
    from amo_opt.scoring.replay import ColumnFit

WIDTH, HEIGHT = 9.4, 1.75
"""Inches of the sheet, and of a panel."""
PANELS = {"price": "price, USD", "supply": "supply, m tokens", "pool_share": "stablecoin's share of the pool"}
DRIVERS = {
    "usdc": "USDC, USD (driver)",
    "dai": "DAI, USD (driver)",
    "usdt": "USDT, USD (driver)",
    "share_price": "share token over its start (driver)",
    "holders_exit": "holders leaving on news, % an hour (driver)",
    "lp_exit": "outside liquidity leaving, % an hour (driver)",
    "gate": "redemptions open = 1 (driver)",
}


def caption_of(facts: BacktestFacts) -> str:
    """What is drawn, and how many demands were met."""
    run = facts.run
    band = "mean and 5–95% of paths" if spread_known(run.paths) else "mean (too few paths for a band)"
    text = f"{run.parameters.name} on {run.study.name}, {run.paths} paths, seed {run.study.search.seed}. Blue: the model, {band}"
    text += "; orange: recorded" if any(each.name in PANELS for each in facts.fit.columns) else "; nothing that is drawn was recorded"
    text += "; grey: what drives it." if any(name in run.drivers for name in DRIVERS) else "."
    if any(each.outside for each in facts.fit.columns):
        holds = band_holds(facts.fit)
        text += f" {holds[:1].upper()}{holds[1:]}."
    if facts.fit.demands:
        missed = [f"{each.text} (by {each.missed_by:.3g})" for each in facts.fit.demands if not each.met]
        text += f" {len(facts.fit.demands) - len(missed)} of {len(facts.fit.demands)} demands met" + (
            f"; missed: {'; '.join(missed)}." if missed else "."
        )
    return text


def save_backtest(path: Path, facts: BacktestFacts) -> None:
    """Writes the drawing, HTML, PNG or SVG by the file's ending; the same bytes each time."""
    check_suffix(path)
    history = facts.run.history
    title = f"{history.title or history.name}: model against record"
    with styled():
        figure = draw_backtest(facts)
        if path.suffix.lower() == ".html":
            notes = "".join(f"<li>{escape(note)}</li>\n" for note in facts.run.notes)
            alt = f"{len(figure.axes)} panels over {history.hours} hours: the model's {'band' if spread_known(facts.run.paths) else 'mean'} with what was recorded of it, and whatever drives it."
            body = f"<p>{escape(caption_of(facts))}</p>\n{framed(to_svg(figure, 'backtest'), alt)}<ul>\n{notes}</ul>\n"
            save_page(path, plain_page(title, body))
            return
        figure.suptitle(title, x=0.01, ha="left", fontsize=11.0, fontweight="bold")
        save_image(figure, path)


def draw_backtest(facts: BacktestFacts) -> Figure:
    """A panel for price, supply and pool share each, then one a driver. Call inside `styled`."""
    run = facts.run
    drivers = [name for name in DRIVERS if name in run.drivers]
    figure = blank(WIDTH, HEIGHT * (len(PANELS) + len(drivers)) + 0.3)
    rows = figure.subplots(len(PANELS) + len(drivers), 1, sharex=True)
    real = {each.name: each for each in facts.fit.columns}
    hours = np.arange(run.history.hours)
    for axes, (panel, title) in zip(rows, PANELS.items(), strict=False):
        name = "oracle" if panel == "price" and "oracle" in real and "price" not in real else panel
        scale = 1e-6 if name == "supply" else 1.0
        values = (run.series[name] + (run.venue if panel == "price" else 0.0)) * scale
        if spread_known(run.paths):
            low, high = np.percentile(values, BAND, axis=1)
            axes.fill_between(hours, low, high, color=BLUE, alpha=0.2, linewidth=0.0)
        axes.plot(hours, values.mean(axis=1), color=BLUE)
        if name in real:
            line = "" if panel != "price" else "-"
            recorded = np.array(real[name].real) * scale
            axes.plot(real[name].hours, recorded, color=ORANGE, marker="o", markersize=3.0, linestyle=line, linewidth=0.9)
        label = in_account(title.replace("price", "price by an oracle") if name == "oracle" else title, run.study.state.unit)
        axes.set_title(label if name in real else f"{label} (not recorded)")
        if panel == "price":
            price_ticks(axes)
    for axes, name in zip(rows[len(PANELS) :], drivers, strict=True):
        _driver(axes, name, hours, facts)
    rows[-1].set_xlabel(f"hours since {run.history.start:%d %B %Y %H:%M} UTC")
    return figure


def _driver(axes: Axes, name: str, hours: np.ndarray, facts: BacktestFacts) -> None:
    values = facts.run.drivers[name]
    if name == "share_price":
        values = values / values[int(np.argmax(np.isfinite(values)))]
    if name in ("holders_exit", "lp_exit"):
        values = 100.0 * values
    axes.plot(hours, values, color=GREY, drawstyle="steps-post")
    axes.set_title(in_account(DRIVERS[name], facts.run.study.state.unit))


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
