"""What a replay says, told: one JSON document, tables as text, and the page of every shipped episode.

``python -m amo_opt.report.stories.backtest`` writes docs/validity.md from the repository's root.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from amo_opt.scoring.replayed import BAND, fit_of
from amo_opt.wording import MISSING, NOT_KNOWN, in_account, interval, significant

if TYPE_CHECKING:
    from amo_opt.scoring.replay import ColumnFit, Demand, EpisodeFit, Summary
    from amo_opt.simulation.backtest import Backtest

UNITS = {"price": "USD", "oracle": "USD", "supply": "m tokens", "pool_stable": "m tokens", "pool_base": "m USD", "pool_share": "share"}
SCALES = {"supply": 1e-6, "pool_stable": 1e-6, "pool_base": 1e-6}
"""Factors from the model's units to the shown ones."""


@dataclass(frozen=True)
class BacktestFacts:
    """A replay and its fit: all that is told of it."""

    run: Backtest
    fit: EpisodeFit


def facts_of(run: Backtest) -> BacktestFacts:
    """The replay with its fit."""
    return BacktestFacts(run, fit_of(run))


def document(facts: BacktestFacts) -> dict[str, Any]:
    """One JSON document: columns row by row, the summary, criteria and notes."""
    run = facts.run
    history = run.history
    return {
        "schema": 2,
        "episode": history.name,
        "start": history.start.isoformat().replace("+00:00", "Z"),
        "hours": history.hours,
        "study": {"name": run.study.name, "seed": run.study.search.seed},
        "parameters": run.parameters.name,
        "paths": run.paths,
        "interval_percentiles": list(BAND),
        "drawn_behaviour": facts.fit.drawn_behaviour,
        "columns": {
            each.name: {
                "hours": list(each.hours),
                "model": list(each.model),
                "model_low": each.low and [*each.low],
                "model_high": each.high and [*each.high],
                "observed": list(each.real),
                "rmse": each.rmse,
                "outside": each.outside,
                "crps": each.crps,
                "crps_nothing_changes": each.crps_still,
                "n": each.n,
            }
            for each in facts.fit.columns
        },
        "summary": summary_document(facts.fit),
        "criteria": [demand_document(each) for each in facts.fit.demands],
        "notes": list(run.notes),
    }


def summary_document(fit: EpisodeFit) -> dict[str, dict[str, Any]]:
    """Figures over the whole by name; null where one was not recorded or cannot be had, or of too few paths an interval is not known."""
    return {
        each.name: {"model": each.model, "observed": each.real, "model_interval": None if each.interval is None else list(each.interval)}
        for each in fit.summary
    }


def demand_document(demand: Demand) -> dict[str, Any]:
    """A criterion for machines: null stands for no limit, and for a figure that cannot be had."""
    shown = {"model": demand.model, "observed": demand.real, "low": demand.low, "high": demand.high, "missed_by": demand.missed_by}
    band = None if demand.band is None else list(demand.band)
    numbers = {name: value if value is not None and math.isfinite(value) else None for name, value in shown.items()}
    return {"criterion": demand.text, **numbers, "band": band, "met": demand.met}


def band_holds(fit: EpisodeFit) -> str:
    """What 5-95% of the paths of a replay is, and is not."""
    of = [
        "calm's own noise" if fit.drawn_behaviour == "no" else "calm's own noise with a joint draw of the fitted behaviour on each",
        *(["what a venue's price differs by"] if fit.venue else []),
    ]
    if fit.drawn_behaviour == "no":
        alone = " alone" if len(of) == 1 else ""
        return f"the band is what the paths differ by, {' and '.join(of)}{alone}: it allows for no error of the model or of the record, and no criterion asks that recorded rows lie within it"
    return f"the band is what the paths differ by, {', '.join(of)}, and everything else that is assumed within its range: it allows for no error of the model beyond that"


Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Headings and rows, as text."""


_TITLES = {
    "price_low": "lowest price, USD",
    "hours_below_099": "hours below 0.99",
    "slope_origin": "slope of price − 1 on USDC − 1, through the origin",
    "slope_ols": "slope of price − 1 on USDC − 1, OLS",
    "correlation": "correlation of price − 1 and USDC − 1",
    "residual_rmse": "RMSE of the price (observed: of a constant 1)",
    "pool_share": "stablecoin's share of the pool, at {} h",
    "supply_change": "change of supply, to {} h",
}


def summary_title(found: Summary, account: str) -> str:
    """What a figure over the whole is called, with the hour it is of."""
    title: str = in_account(_TITLES[found.name], account)
    return title.format(found.hour)


def allowed(demand: Demand) -> str:
    """A demand's limits in words."""
    if math.isinf(demand.high):
        return f"at least {demand.low:.5g}"
    return f"below {demand.high:.5g}" if math.isinf(demand.low) else f"{demand.low:.5g} to {demand.high:.5g}"


def shown(value: float | None) -> str:
    """A figure with five significant digits, a dash where there is none."""
    return MISSING if value is None else significant(value, 5)


def _misfit(value: float) -> str:
    return significant(value, 3, signed=True)


def demand_table(fit: EpisodeFit) -> Table:
    """criterion / allowed of the mean / model / its band where that decides / observed / met or MISSED by how much."""
    heads = ("criterion", "allowed", "model", "5–95%, where that decides", "observed", "verdict")
    rows = [
        (
            each.text,
            allowed(each),
            shown(each.model),
            MISSING if each.band is None else interval(each.band, shown),
            shown(each.real),
            "met" if each.met else f"MISSED by {significant(each.missed_by, 3)}",
        )
        for each in fit.demands
    ]
    return heads, rows


def summary_table(fit: EpisodeFit, account: str) -> Table:
    """Each figure over the whole: model, its band, what was observed, and the model's misfit."""
    rows = []
    for each in fit.summary:
        if each.model is None and each.real is None:
            continue
        band = MISSING if each.model is None else interval(each.interval, shown)
        misfit = MISSING if each.model is None or each.real is None or each.name == "residual_rmse" else _misfit(each.model - each.real)
        rows.append((summary_title(each, account), shown(each.model), band, shown(each.real), misfit))
    return ("figure", "model", "5–95% of paths", "observed", "misfit"), rows


def column_table(fit: EpisodeFit, account: str) -> Table:
    """Each column: rows, RMSE, the mean miss, the largest miss with its hour, and rows outside the model's band."""
    rows = []
    for each in fit.columns:
        scale = SCALES.get(each.name, 1.0)
        worst = int(np.argmax(np.abs(each.misses)))
        misses = each.misses * scale
        rows.append(
            (
                f"{each.name}, {in_account(UNITS[each.name], account)}",
                str(each.n),
                shown(each.rmse * scale),
                _misfit(float(misses.mean())),
                f"{_misfit(misses[worst])} at {each.hours[worst]} h ({shown(each.model[worst] * scale)} for {shown(each.real[worst] * scale)})",
                NOT_KNOWN if each.outside is None else f"{each.outside} of {each.n}",
                NOT_KNOWN if each.crps is None else shown(each.crps * scale),
                MISSING if each.crps_still is None else shown(each.crps_still * scale),
            )
        )
    return ("column", "rows", "RMSE", "mean misfit", "largest misfit", "outside 5–95%", "CRPS", "… of nothing changes"), rows


def overview_table(found: Sequence[BacktestFacts]) -> Table:
    """Several histories, a row for each of their columns that is a pool's share, a price or a supply, and a last one for all shares together."""
    rows = []
    totals = [0, 0, 0.0, 0.0]
    for facts in found:
        for each in facts.fit.columns:
            if each.name not in ("pool_share", "price", "oracle", "supply"):
                continue
            scale = SCALES.get(each.name, 1.0)
            outside = NOT_KNOWN if each.outside is None else f"{each.outside} of {each.n}"
            scores = [MISSING if score is None else shown(score * scale) for score in (each.crps, each.crps_still)]
            rows.append((facts.run.history.name, each.name, outside, *scores))
            if each.name == "pool_share" and each.outside is not None and each.crps is not None and each.crps_still is not None:
                totals = [
                    totals[0] + each.outside,
                    totals[1] + each.n,
                    totals[2] + each.n * each.crps,
                    totals[3] + each.n * each.crps_still,
                ]
    if totals[1] and len(found) > 1:
        rows.append(("all", "pool_share", f"{totals[0]:g} of {totals[1]:g}", shown(totals[2] / totals[1]), shown(totals[3] / totals[1])))
    return ("history", "column", "outside 5–95%", "CRPS", "… of nothing changes"), rows


def row_table(fit: ColumnFit) -> Table:
    """One column row by row."""
    scale = SCALES.get(fit.name, 1.0)
    bands = [NOT_KNOWN] * fit.n
    if fit.low is not None and fit.high is not None:
        bands = [interval((low * scale, high * scale), shown) for low, high in zip(fit.low, fit.high, strict=True)]
    rows = [
        (f"{hour}", shown(model * scale), band, shown(real * scale), _misfit((model - real) * scale))
        for hour, model, band, real in zip(fit.hours, fit.model, bands, fit.real, strict=True)
    ]
    return ("hour", "model", "5–95% of paths", "observed", "misfit"), rows


def _markdown(table: Table) -> str:
    heads, rows = table
    rule = ["---", *["--:"] * (len(heads) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows))


def validity_page(found: Sequence[BacktestFacts]) -> str:
    """docs/validity.md: what each shipped episode demands and what came out, misfits included."""
    first = found[0].run
    parts = [
        "# Validity: the model beside what happened",
        "",
        (
            f"The set {first.parameters.name} of {first.study.name}, replayed through each shipped episode on {first.paths} paths, seed "
            f"{first.study.search.seed}: drivers as recorded, everything else drawn as in calm. Nothing is tuned to these tables; what misses "
            "is printed with its size. Written by"
        ),
        "",
        "    python -m amo_opt.report.stories.backtest",
        "",
        "and `amo-opt backtest STUDY.toml --episode NAME` prints the same. A balance is compared as its hour opens, a price with what that hour's market leads to; model figures are means over paths.",
        "",
        f"Of 5–95% of paths: {band_holds(found[0].fit)}. What is met or missed is what stands under *criterion*: where paths draw what is not known (a band is given), what was recorded within 5–95% of them; else the model's mean within the allowed range.",
    ]
    for facts in found:
        fit, account = facts.fit, facts.run.study.state.unit
        verdict = f"{len(fit.demands) - len(fit.missed)} of {len(fit.demands)} demands met"
        parts += [
            "",
            f"## {facts.run.history.title} (`{facts.run.history.name}`)",
            "",
            f"From {facts.run.history.start:%d %B %Y %H:%M} UTC, {facts.run.history.hours - 1} hours. **{verdict}.**",
            "",
        ]
        parts += [_markdown(demand_table(fit)), "", _markdown(summary_table(fit, account)), "", _markdown(column_table(fit, account))]
        for column in fit.columns:
            if column.name in ("supply", "pool_stable", "pool_share"):
                parts += ["", f"### {column.name}, {UNITS[column.name]}", "", _markdown(row_table(column))]
        parts += ["", "What it rests on:", "", *(f"- {note}" for note in facts.run.notes)]
    return "\n".join(parts) + "\n"


def write_validity(study_file: Path, page: Path) -> None:
    """Replays every shipped episode under the study's current set and writes the page; the same bytes each time. What `amo-opt validity` has put into the page stays."""
    from amo_opt.config.load import load_study
    from amo_opt.report.stories.forecasts import part_of
    from amo_opt.simulation.backtest import PATHS, PATHS_OF_DRAWS, backtest
    from amo_opt.stress.history import episode_names

    study = load_study(study_file)
    paths = PATHS if study.spells is None else PATHS_OF_DRAWS
    kept = part_of(page.read_text(encoding="utf-8")) if page.is_file() else ""
    text = validity_page([facts_of(backtest(study, episode=name, paths=paths)) for name in episode_names()])
    page.write_text(f"{text}\n{kept}\n" if kept else text, encoding="utf-8")


if __name__ == "__main__":
    write_validity(Path("studies/frax-2022.toml"), Path("docs/validity.md"))
