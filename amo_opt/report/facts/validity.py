"""What the figures rest on: scenarios and their weights, assumed figures, known limits of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.wording import MISSING, Scale, clean

if TYPE_CHECKING:
    from amo_opt.config.study import Study


@dataclass(frozen=True)
class ScenarioFacts:
    """A scenario as the study weighs it."""

    name: str
    title: str
    summary: str
    weight: str
    weight_reason: str
    breach_limit: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Validity:
    """Section 10."""

    scenarios: tuple[ScenarioFacts, ...]
    limits: tuple[str, ...]


def validity_of(study: Study) -> Validity:
    """Scenarios with their weights normalised, and the limits in words."""
    total = sum(each.weight for each in study.scenarios)
    percent = Scale(100.0, 2, "%")
    scenarios = tuple(
        ScenarioFacts(
            name=each.name,
            title=clean(each.title),
            summary=clean(each.summary),
            weight=percent.text(each.weight / total),
            weight_reason=clean(each.weight_reason) or MISSING,
            breach_limit=percent.text(
                study.constraints.max_breach_probability if each.max_breach_probability is None else each.max_breach_probability
            ),
            sources=tuple(clean(source) for source in each.sources),
        )
        for each in study.scenarios
    )
    return Validity(scenarios, _limits(study))


def _limits(study: Study) -> tuple[str, ...]:
    simulation = study.simulation
    reference = "min(1, USDC, base-pool value), the same for every set" if simulation.peg_reference == "collateral" else "one dollar"
    days = f"{simulation.window_hours / 24:g}"
    return (
        "No backtest is part of this report: two real episodes are replayed by `amo-opt backtest`, and docs/validity.md prints what the model misses there. The box above says not validated.",
        (
            "How holders, liquidity providers and lending venues behave is assumed, not known; the table of assumed figures gives each range. "
            "How far the verdict moves within those ranges is not computed here."
        ),
        f"Time goes in steps of an hour: what happens within one is not seen. Each path scores {days} days; what has not recovered by then is counted as it stands.",
        f"Governance does nothing during a path, and whoever executes acts {simulation.response_delay_hours} hours after a trigger.",
        (
            f"Peg risk is measured against {reference}; the dollar-referenced figure stands beside it. Redemptions value collateral at "
            f"{'par' if simulation.collateral_valuation == 'par' else 'the oracle price'}."
        ),
        "The Curve, Aave, Fraxlend and Uniswap v3 AMOs and the Collateral Investor are simulated, other AMOs of the protocol are not. Caps of a single AMO are the executing team's policy; on chain only their sums are limited.",
        "Scenario weights are judgements: the chance that a window of this length is that scenario.",
        "Intervals cover the sampling of paths only, not errors of the model, of the state or of the weights.",
    )
