"""How certification drew its paths, and where the peg risk comes from, as results.json tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amo_opt.report.sections.risk import designs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.scoring.parts import RiskPart
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.planning import Plan
    from amo_opt.search.result import Result
    from amo_opt.stress.tilts import Design


def sampling_document(result: Result) -> dict[str, Any]:
    """Stream -> a row a scenario: paths as drawn, components with their tilts and twins, and what the pilot saw."""
    aims = {each.scenario: each for each in result.aims}

    def row(stream: str, scenario: str) -> dict[str, Any]:
        design, aim = designs_of(result, stream)[scenario], aims.get(scenario)
        return {
            **design_document(scenario, design),
            "drivers": [] if aim is None else [*aim.drivers],
            "variance_left": None if aim is None else aim.left,
            "chance": None if aim is None else aim.chance,
            "edge_bps": None if aim is None else aim.edge,
        }

    return {stream: [row(stream, name) for name in designs_of(result, stream)] for stream in ("selection", "holdout")}


def design_document(scenario: str, design: Design) -> dict[str, Any]:
    """How a scenario's paths were drawn."""
    return {
        "scenario": scenario,
        "drawn": design.drawn,
        "components": [
            {"tilts": [str(tilt) for tilt in component], "twins": twins}
            for component, twins in zip(design.components, design.twins, strict=True)
        ],
    }


def plan_document(plan: Plan | None) -> dict[str, Any] | None:
    """What the holdout was planned for; null where nothing was planned."""
    return None if plan is None else {"wanted_half_width_bps": plan.wanted, "expected_half_width_bps": plan.expected, "capped": plan.capped}


def part_document(part: RiskPart, estimate: Callable[[Estimate], Any]) -> dict[str, Any]:
    """One part; ``estimate`` writes its figures."""
    return {
        "scenario": part.scenario,
        "part": part.kind,
        "contribution_bps": estimate(part.contribution),
        "share": estimate(part.share),
        "chance": None if part.chance is None else estimate(part.chance),
        "edge_bps": part.edge,
    }
