"""A synthetic result with every field a report reads; no simulation, every figure from one seeded generator."""

from __future__ import annotations

import math
import sys
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt.amos.sections import parts_of
from amo_opt.config.load import load_parameters
from amo_opt.config.study import Certification, Constraints, Range, Search, Simulation, Study
from amo_opt.protocol.state import Figure, ProtocolState
from amo_opt.report.sections.front import state_rows
from amo_opt.scoring.constraints import CAPS, rules_of
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.paired import verdict
from amo_opt.scoring.parts import RiskPart
from amo_opt.scoring.replay import ColumnFit, Demand, EpisodeFit, Summary
from amo_opt.scoring.types import Constraint, Estimate, PairedDifference, PointScore, Score
from amo_opt.search.aim import Aim
from amo_opt.search.planning import Plan
from amo_opt.search.result import (
    AssumptionDoubt,
    Band,
    Bound,
    Candidate,
    ChangeCost,
    Driver,
    Fan,
    Neighbour,
    Optimum,
    Profile,
    ProfilePoint,
    Region,
    Result,
    RunCapacity,
    Sensitivity,
    Trial,
    WorstPath,
    WorstTrace,
)
from amo_opt.search.ruling import Condition, Objection, Paths, Ruling, Turn, binding_of, nearest
from amo_opt.search.tails import tails_of
from amo_opt.stress.scenario import Scenario
from amo_opt.stress.tilts import Design, Tilt

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.report.account import Account

sys.path.insert(0, str(Path(__file__).parent))  # `odd` beside these tests: the tests themselves are no package

CURRENT = load_parameters(Path(__file__).parents[2] / "studies" / "parameters" / "frax-current.toml").replace(
    curve_collateral_cap=0.5,
    aave_cap=0.2,
    curve_mint_cap=0.5,
    idle_buffer=0.1,
    rebalance_rate=0.02,
    unwind_price=0.99,
    unwind_cr_margin=0.02,
    reentry_price=0.998,
)
TYPICAL = {
    "yield": 0.0312,
    "peg_cvar95_bps": 21.4,
    "peg_cvar95_dollar_bps": 34.9,
    "breach_probability": 0.004,
    "shortfall_cvar90_bps": 131.0,
    "unrecovered_probability": 0.03,
    "unserved_usd_hours": 4.1e7,
    "unserved_cvar90_usd_hours": 3.1e8,
    "unserved_peak_usd": 6.2e6,
    "min_price": 0.9921,
    "min_price_tail95": 0.9652,
    "min_oracle": 0.9952,
    "hours_below_099": 11.2,
    "hours_to_recover": 31.0,
    "min_cr_external": 0.842,
    "min_cr_external_tail95": 0.791,
    "min_cr_contract": 0.861,
    "min_cr_contract_tail95": 0.833,
    "hours_below_min_cr": 2.4,
    "dilution": 0.021,
    "supply_change": -0.043,
    "external_supply_change": -0.031,
    "floor_supply_band_usd": 2.1e8,
    "floor_supply_005_usd": 2.2e8,
    "floor_supply_01_usd": 4.4e8,
    "floor_ratio": 2.6,
    "floor_ratio_end": 2.4,
    "decentralisation_ratio": 0.19,
    "vote_share": 0.004,
    "reward_tokens_locked": 1.2e6,
    "end_cr": 0.88,
}
TERMS = {
    "lending": 0.009,
    "investor": 0.001,
    "fraxlend": 0.002,
    "swap_fees": 0.005,
    "uniswap_fees": 0.0004,
    "rewards": 0.017,
    "primary_fees": 0.0006,
    "market_operations": -0.003,
    "venue_losses": -0.0002,
    "liquidation": -0.0002,
    "transition": -0.0004,
}
SCENARIOS = ("calm", "svb-2023", "ust-contagion-2022", "lending-freeze", "collateral-impairment")
SEVERITY = {"calm": 0.3, "svb-2023": 1.1, "ust-contagion-2022": 1.5, "lending-freeze": 0.9, "collateral-impairment": 1.3}
DEEP = {name: 1.0 + index for index, name in enumerate(SCENARIOS)}


def build_state() -> ProtocolState:
    """Every other figure assumed, the others sourced and dated; what a state file may leave out is left out."""
    number = iter(range(1000))

    def figure(low: float, high: float) -> Figure:
        value = min(max(low + 0.2 * (high - low), low), high) if high < 1e4 else 1.3e9
        if next(number) % 2:
            return Figure(value=value, assumed="no record of it; a guess from the months after", low=0.5 * value, high=2 * value)
        return Figure(value=value, source="pool snapshot, https://example.org/pool_daily.csv", date=date(2022, 5, 10))

    def part(kind: type[Any]) -> Any:
        hints = parts_of(kind)
        made = {}
        for field in fields(kind):
            hint = hints[field.name]
            if hint is Figure:
                if field.default is MISSING:
                    made[field.name] = figure(field.metadata["low"], field.metadata["high"])
            elif is_dataclass(hint):
                made[field.name] = part(hint)
        return kind(
            **made,
            **(
                {"name": "frax-2022-05-11", "date": date(2022, 5, 11), "protocol": "Frax", "collateral_decimals": 6}
                if kind is ProtocolState
                else {}
            ),
        )

    state: ProtocolState = part(ProtocolState)
    return state


def build_study(**changes: Any) -> Study:
    scenarios = tuple(
        Scenario(
            name=name,
            title=name.replace("-", " ").capitalize(),
            summary="What happened, in a sentence.",
            weight=weight,
            weight_reason="two such windows in ten years",
            sources=("hourly prices of the week, https://example.org/a_b.csv",),
        )
        for name, weight in zip(SCENARIOS, (0.9, 0.02, 0.03, 0.03, 0.02), strict=True)
    )
    study = Study(
        name="frax-2022",
        date=date(2022, 5, 11),
        notes="The state just before the run.",
        state=build_state(),
        current=CURRENT,
        simulation=Simulation(),
        search=Search(
            space={
                "amplification": Range(low=150, high=5000, log=True),
                "cr_band": Range(low=0.001, high=0.01),
                "cr_step": Range(low=0.0005, high=0.01),
                "curve_collateral_cap": Range(low=0.0, high=0.8),
                "aave_cap": Range(low=0.0, high=0.6),
                "curve_mint_cap": Range(low=0.0, high=0.8),
                "idle_buffer": Range(low=0.02, high=0.5),
                "pool_share_low": Range(low=0.3, high=0.6),
                "pool_share_high": Range(low=0.5, high=0.9),
            },
        ),
        constraints=Constraints(external_cr_floor=0.8725),
        certification=Certification(),
        scenarios=scenarios,
        hash="5e" * 32,
        path=Path("/somewhere/on/this/machine/studies/frax-2022.toml"),
    )
    return replace(study, **changes)


def _estimate(value: float, width: float, n: int = 3200, tail: float | None = None) -> Estimate:
    return Estimate(value=value, low=value - width, high=value + width, n=n, tail_points=tail)


def build_score(study: Study, shift: float, n: int = 3200) -> Score:
    """A score ``shift`` times 20% away from typical: more yield, more peg risk."""
    metrics = {
        name: _estimate(value * (1 + 0.2 * shift * (0.3 + 0.1 * (len(name) % 5))), abs(value) * 0.02, n) for name, value in TYPICAL.items()
    }
    metrics["yield"] = _estimate(TYPICAL["yield"] * (1 + 0.2 * shift), 0.0006, n)
    metrics["peg_cvar95_bps"] = _estimate(TYPICAL["peg_cvar95_bps"] * (1 + 0.1 * shift), 0.9, n, tail=55.0)
    by_scenario = {
        scenario.name: {
            name: _estimate(
                each.value * (SEVERITY[scenario.name] if METRICS[name].unit in ("bps", "h", "USD·h") else 1.0),
                abs(each.value) * 0.04,
                n // 5,
            )
            for name, each in metrics.items()
        }
        for scenario in study.scenarios
    }
    constraints = []
    for scenario in study.scenarios:
        for rule in rules_of(study.constraints):
            limit, found = rule.limit(study.constraints, scenario), by_scenario[scenario.name][rule.metric]
            constraints.append(
                Constraint(
                    name=rule.name,
                    scenario=scenario.name,
                    unit=METRICS[rule.metric].unit,
                    estimate=found,
                    limit=limit,
                    violation=rule.violation(found.value, limit),
                    violation_high=rule.violation(rule.confidence_bound(found), limit),
                    at_least=rule.kind == "at least",
                )
            )
    caps = Estimate(value=0.8, low=0.8, high=0.8, n=0)
    constraints.append(Constraint(name=CAPS, scenario=None, unit="ratio", estimate=caps, limit=1.0, violation=-0.2, violation_high=-0.2))
    terms = {name: _estimate(value * (1 + 0.2 * shift), abs(value) * 0.05, n) for name, value in TERMS.items()}
    return Score(
        yield_annual=metrics["yield"],
        peg_risk_bps=metrics["peg_cvar95_bps"],
        constraints=tuple(constraints),
        metrics=metrics,
        by_scenario=by_scenario,
        yield_terms=terms,
    )


def _paired(candidate: Score, current: Score) -> tuple[PairedDifference, ...]:
    rows = []
    for name, before in current.metrics.items():
        better = METRICS[name].better
        if better == 0:
            continue
        after = candidate.metrics[name]
        difference, width = after.value - before.value, 0.6 * (before.high - before.low) / 2
        gain = better * difference
        word = "BETTER" if gain > width else "WORSE" if gain < -width else "INCONCLUSIVE"
        tolerance = {"yield": 0.001, "peg_cvar95_bps": 2.0, "peg_cvar95_dollar_bps": 2.0}.get(name, 0.0)
        if word == "INCONCLUSIVE" and gain - width > -tolerance:
            word = "NO WORSE"
        tail = 31.0 if name.endswith("tail95") else None
        rows.append(
            PairedDifference(
                metric=name,
                current=before.value,
                candidate=after.value,
                difference=_estimate(difference, width, before.n, tail),
                tolerance=tolerance,
                verdict=word,
                p_better=0.01 if word == "BETTER" else 0.6,
                p_inferior=0.02,
            )
        )
    return tuple(rows)


def _fan(candidate: str, scenario: str, depth: float) -> Fan:
    hours = tuple(range(0, 1440, 2))
    dip = [depth * 0.02 * math.exp(-(((hour - 300) / 90.0) ** 2)) + 0.0004 for hour in hours]
    spread = {"1": 1.6, "5": 1.2, "25": 0.8, "50": 0.5, "75": 0.25, "95": 0.1, "99": 0.02}
    quantiles = {
        level: tuple(1.0005 - factor * (each + 0.0002 * math.sin(hour / 9)) for hour, each in zip(hours, dip, strict=True))
        for level, factor in spread.items()
    }
    return Fan(candidate=candidate, scenario=scenario, hours=hours, quantiles=quantiles, n=640)


STEPPED = {
    "amplification": (2100.0, 2300.0, -0.0001, -0.6),
    "aave_cap": (0.30, 0.32, 0.0002, 0.05),
    "idle_buffer": (0.09, 0.11, 0.0001, -0.3),
    "pool_share_high": (0.59, 0.61, 0.0003, 2.6),
}
"""Parameter -> one step lower, one higher, and what a step higher adds to yield and to peg risk."""


def _stepped(current: Score, name: str, difference: float, width: float) -> PairedDifference:
    row = next(each for each in _paired(current, current) if each.metric == name)
    low, high = difference - width, difference + width
    better = METRICS[name].better
    good, bad = (low, high) if better > 0 else (-high, -low)
    word = verdict(good, bad, row.tolerance)
    found = Estimate(value=difference, low=low, high=high, n=row.difference.n)
    return replace(row, difference=found, candidate=row.current + difference, verdict=word)


def _neighbours(score: Score) -> tuple[Neighbour, ...]:
    rows = []
    for name, (lower, higher, earned, peg) in STEPPED.items():
        for side, value in ((-1, lower), (1, higher)):
            paired = (
                _stepped(score, "yield", side * earned, 0.00005),
                _stepped(score, "peg_cvar95_bps", side * peg, 0.4),
                _stepped(score, "shortfall_cvar90_bps", side * 2.0 * peg, 0.8),
            )
            broken = name == "pool_share_high" and side > 0
            limit = next(each for each in score.constraints if each.key == "shortfall:ust-contagion-2022")
            over = replace(limit, estimate=replace(limit.estimate, high=1012.0))
            objection = Objection(kind="limit", stream="holdout", limit=over) if broken else None
            rows.append(
                Neighbour(
                    parameter=name,
                    side=side,  # type: ignore[arg-type]
                    value=value,
                    paired=paired,
                    feasible=not broken,
                    objection=objection,
                    n=640,
                )
            )
    return tuple(rows)


def _sensitivity(study: Study) -> tuple[Sensitivity, ...]:
    """Every assumed figure at both ends; the second moves the verdict, and one end of the third could not be compared."""
    rows = []
    for number, row in enumerate(each for each in state_rows(study.state, study.date) if each.assumed):
        for end, sign in (("low", -1), ("high", 1)):
            shift = sign * 0.004 / (1.0 + number)
            moved = number == 1 and sign > 0
            lost = number == 2 and sign < 0
            rows.append(
                Sensitivity(
                    figure=row.key,
                    end=end,  # type: ignore[arg-type]
                    value=0.5 if sign < 0 else 2.0,
                    yield_difference=None if lost else _estimate(0.0034 + (-0.0040 if moved else shift), 0.0003, 640),
                    peg_difference=None if lost else _estimate(1.2 + 200.0 * shift, 0.5, 640),
                    holds=not (moved or lost),
                    objection=Turn(kind="lost", condition=Condition(kind="better", metric="yield"))
                    if moved
                    else Turn(kind="failed", detail="path 3, step 7")
                    if lost
                    else None,
                    n=640,
                )
            )
    return tuple(rows)


def _doubt(study: Study, *, recommended: bool, share: float = 0.953, low: float = 0.869) -> AssumptionDoubt:
    """Draws in which the verdict holds nearly always, and two assumptions that explain where it does not."""
    drivers = tuple(
        Driver(name=name, value=0.8, low=0.65, high=0.9, index=Estimate(value=index, low=index / 2.0, high=index * 1.4, n=64), side=side)
        for name, index, side in (
            ("amos.curve.lp_share", 0.5, "high"),
            ("calm: share_daily_vol", 0.2, "low"),
            ("svb-2023: weight", 0.05, "low"),
        )
    )
    return AssumptionDoubt(
        share=Estimate(value=share, low=low, high=0.99, n=64),
        recommended=recommended,
        demanded=study.certification.robust_share,
        paths=24,
        twins=5,
        assumptions=81,
        failed=0,
        yield_band=Band(low=-0.002, median=0.0031, high=0.0062, foretold=0.71),
        peg_band=Band(low=-4.0, median=1.1, high=9.5, foretold=0.12),
        conditions=((Condition(kind="better", metric="yield"), 0.97), (Condition(kind="tolerance", metric="peg_cvar95_bps"), 0.955)),
        explains="failures",
        drivers=drivers,
        by_chance=0.19,
        region=Region(
            bounds=(
                Bound(name="amos.curve.lp_share", side="above", threshold=0.86),
                Bound(name="collateral.idle", side="below", threshold=35e6),
            ),
            draws=7,
            covered=0.75,
            purity=0.6,
        ),
        more_draws=0,
    )


def _costs(candidate: str, factor: float) -> ChangeCost:
    figures = {
        "lp_value_change": _estimate(-1.3e6 * factor, 2.0e5, 640),
        "operations_cost": _estimate(3.7e4 * factor, 4.0e3, 640),
        "min_price": _estimate(0.9974 - 0.0004 * factor, 0.0003, 640),
        "peg_shortfall_bps": _estimate(19.0 * factor, 1.5, 640),
    }
    return ChangeCost(candidate=candidate, hours=336, figures=figures)


def _half_step(study: Study, now_a: Score, now_b: Score) -> Candidate:
    on_selection, on_holdout = build_score(study, 0.25), build_score(study, 0.24)
    return Candidate(
        id="half-step",
        role="candidate",
        parameters=CURRENT.replace(name="half-step", amplification=1900),
        search=None,
        selection_score=on_selection,
        selection_paired=_paired(on_selection, now_a),
        holdout_score=on_holdout,
        holdout_paired=_paired(on_holdout, now_b),
    )


def _ruling(study: Study, candidates: list[Candidate], verdict: str) -> Ruling:
    """A ruling of that verdict: on selection paths, but for a recommendation, which holdout paths decide."""
    n, found = 3200, candidates[0]
    if verdict == "recommended":
        found = candidates[1]
    stream, score = ("holdout", found.holdout_score) if verdict in ("recommended", "no change") else ("selection", found.selection_score)
    assert score is not None
    return Ruling(
        outcome=verdict,  # type: ignore[arg-type]
        paths=Paths(stream="holdout" if verdict == "recommended" else "selection", n=n, each=n // len(study.scenarios)),
        sets=len(candidates),
        kept=sum(each.selection_score.feasible for each in candidates),
        set=found.id if verdict != "no change" else "",
        binding=binding_of(found.id, stream, nearest(score)),  # type: ignore[arg-type]
        needed=1500 if verdict == "undecidable" else None,
    )


IMPORTANCES = {
    "yield": {"aave_cap": 0.44, "curve_mint_cap": 0.31, "amplification": 0.12, "idle_buffer": 0.09, "pool_share_high": 0.04},
    "peg_cvar95_bps": {"amplification": 0.58, "pool_share_high": 0.22, "curve_mint_cap": 0.11, "idle_buffer": 0.06, "aave_cap": 0.03},
}


FALLING = Tilt("share", -0.08, -2.6)
"""The share token pushed down until it stands at 7% of its start."""
CHANCES = {"calm": 3.8e-5, "ust-contagion-2022": 1.4e-3}
"""Scenarios in which runs decide, with the chance of one."""


def _designs() -> dict[str, Design]:
    return {name: Design(640, ((FALLING,),), (751,)) if name in CHANCES else Design(640) for name in SCENARIOS}


def _parts(total: float) -> tuple[RiskPart, ...]:
    """Calm's everyday paths are two tenths of the whole, its runs three and those of the contagion four; the other scenarios share the last tenth."""
    rows = []

    def part(scenario: str, kind: str, share: float, **more: Any) -> RiskPart:
        twins = 300 if kind == "events" else 0
        return RiskPart(
            scenario=scenario,
            kind=kind,  # type: ignore[arg-type]
            contribution=Estimate(value=share * total, low=0.9 * share * total, high=1.1 * share * total, n=100 + twins, twins=twins),
            share=_estimate(share, 0.02, 100 + twins),
            **more,
        )

    for name in SCENARIOS:
        if name not in CHANCES:
            rows.append(part(name, "all", 0.1 / 3))
            continue
        chance = Estimate(value=CHANCES[name], low=0.8 * CHANCES[name], high=1.2 * CHANCES[name], n=1391, twins=751)
        rows.append(part(name, "everyday", 0.2 if name == "calm" else 0.0, edge=200.0))
        rows.append(part(name, "events", 0.3 if name == "calm" else 0.4, edge=200.0, chance=chance))
    return tuple(rows)


def build_trace(candidate: str, lowest: float) -> WorstTrace:
    """The deepest path under a set: from 0.9996 down to ``lowest`` on day 20 and back, cover and outside supply with it, the share token to a tenth, the idle collateral gone on day 15."""
    hours = tuple(range(0, 1440, 6))
    dip = np.exp(-(((np.array(hours) - 480.0) / 120.0) ** 2))
    gone = np.minimum(np.array(hours) / 360.0, 1.0)
    return WorstTrace(
        candidate=candidate,
        scenario="ust-contagion-2022",
        path=100,
        hours=hours,
        price=tuple((0.9996 - (0.9996 - lowest) * dip).tolist()),
        cover=tuple((0.91 - 0.06 * dip).tolist()),
        supply=tuple((1.6e9 - 0.4e9 * gone).tolist()),
        idle=tuple((120e6 * (1.0 - gone)).tolist()),
        share_price=tuple((20.0 - 18.0 * dip).tolist()),
    )


def build_result(verdict: str = "recommended", *, candidates: int = 8, **changes: Any) -> Result:
    """A result of that verdict; ``changes`` replace fields of its study."""
    study = build_study(**changes)
    rng = np.random.default_rng(7)
    chosen = CURRENT.replace(
        name="trial-17",
        amplification=2210,
        aave_cap=0.31,
        curve_collateral_cap=0.42,
        curve_mint_cap=0.41,
        cr_step=0.002,
        unwind_rate=0.1837,
    )
    now_a, now_b = build_score(study, 0.0), build_score(study, 0.01)
    point = PointScore(yield_annual=0.0321, peg_risk_bps=20.8, constraints={each.key: each.violation for each in now_a.constraints})
    rows = [Candidate(id="current", role="current", parameters=CURRENT, search=point, selection_score=now_a, holdout_score=now_b)]
    roles = ["recommended" if verdict == "recommended" else "balanced", "cautious", "yield-seeking"] + ["candidate"] * 20
    for number in range(candidates):
        shift = (0.55, -0.6, 1.4)[number] if number < 3 else float(rng.uniform(-1.0, 1.6))
        on_selection, on_holdout = build_score(study, shift), build_score(study, shift - 0.05)
        if number == 5:
            broken = replace(on_selection.constraints[0], violation=0.4, violation_high=0.9)
            on_selection = replace(on_selection, constraints=(broken, *on_selection.constraints[1:]))
        shown = number < 3
        parameters = chosen if number == 0 else CURRENT.replace(name=f"trial-{17 + number}", amplification=int(rng.integers(200, 5000)))
        rows.append(
            Candidate(
                id=f"trial-{17 + number}",
                role=roles[number],  # type: ignore[arg-type]
                parameters=parameters,
                search=point,
                selection_score=on_selection,
                selection_paired=_paired(on_selection, now_a),
                holdout_score=on_holdout if shown else None,
                holdout_paired=_paired(on_holdout, now_b) if shown else (),
                objection=None
                if shown
                else Objection(kind="tolerance", stream="selection", metric="peg_cvar95_bps", interval=_estimate(1.9, 0.4), bound=2.0),
            )
        )
    trials = []
    for number in range(40):
        parameters = CURRENT if number == 0 else CURRENT.replace(name=f"trial-{number}", amplification=int(rng.integers(150, 5000)))
        failure = "svb-2023, path 3, step 711: the price inversion did not converge" if number in (11, 23) else None
        score = None if failure else replace(point, yield_annual=0.03 + 0.001 * number, peg_risk_bps=20.0 + number)
        trials.append(
            Trial(
                number=number,
                origin="current" if number == 0 else "seed" if number < 4 else "sampler",
                parameters=parameters,
                score=score,
                failure=failure,
            )
        )
    values = (150, 300, 600, 1000, 1500, 2200, 3300, 5000)
    points = tuple(ProfilePoint(value=value, score=build_score(study, math.log(value / 1500))) for value in values)
    optimum = Optimum(best=2200.0, peg=_estimate(19.0, 0.5, 640), low=150.0, high=5000.0, inside=True, clear=True, searched=True)
    other = rows[1].id if candidates else None
    shown = ["current"] + ([other] if other else [])
    fans = tuple(_fan(each, name, DEEP[name] * (1.0 if each == "current" else 1.12)) for name in SCENARIOS for each in shown)
    worst = tuple(
        WorstPath(
            candidate=shown[-1] if verdict == "recommended" else "current",
            scenario="ust-contagion-2022",
            path=100 + number,
            peg_loss_bps=412.0 - number,
            min_price=0.921 + 0.001 * number,
            unserved_usd_hours=9.1e8,
        )
        for number in range(5)
    )
    recommended: ParameterSet | None = chosen if verdict == "recommended" else None
    subject = rows[1] if verdict == "recommended" else rows[0]
    assert subject.holdout_score is not None
    return Result(
        study=study,
        trials=tuple(trials),
        sampler="tpe",
        front=(3, 17, 30),
        hypervolume=(0.1, 0.2, 0.28, 0.309, 0.31),
        candidates=tuple(rows),
        ruling=_ruling(study, rows, verdict),
        recommended=recommended,
        gap={
            "yield": (0.0335, subject.selection_score.yield_annual, subject.holdout_score.yield_annual),
            "peg_cvar95_bps": (20.1, subject.selection_score.peg_risk_bps, subject.holdout_score.peg_risk_bps),
        },
        profile=Profile(parameter="amplification", base="the proposed set", points=points, optimum=optimum),
        fans=fans,
        worst_paths=worst,
        worst_traces=tuple(build_trace(each, 0.921 - 0.004 * place) for place, each in enumerate(shown)),
        paths_search=320,
        paths_certification=3200,
        aims=tuple(
            Aim(name, ((FALLING,),), (0.46, 0.54), 0.001, CHANCES[name], 200.0) if name in CHANCES else Aim(name, (), (1.0,), 1.0, None)
            for name in SCENARIOS
        ),
        selection_designs=_designs(),
        plan=Plan(_designs(), 0.5, 0.48, capped=False),
        risk_parts={each.id: _parts(each.holdout_score.peg_risk_bps.value) for each in rows[:2] if each.holdout_score is not None},
        screened=4,
        half_step=_half_step(study, now_a, now_b) if candidates else None,
        neighbours=_neighbours(now_b) if candidates else (),
        importances=IMPORTANCES,
        doubt=_doubt(study, recommended=recommended is not None) if candidates else None,
        sensitivity=_sensitivity(study) if candidates else (),
        change_costs=tuple(_costs(each, 1.0 + 0.4 * number) for number, each in enumerate(shown)),
        run_capacities=tuple(
            RunCapacity(candidate=each, value=_estimate(0.31 - 0.02 * number, 0.015, 640), paid=_estimate(0.93, 0.01, 640))
            for number, each in enumerate(shown)
        ),
    )


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Result]:
    """Builds a result: ``make_result("no change", notes="…")``; keyword arguments replace fields of the study."""
    return build_result


@pytest.fixture(scope="session")
def result() -> Result:
    """One recommended result, read by many tests."""
    return build_result()


@pytest.fixture(scope="session")
def met() -> EpisodeFit:
    """A replay that meets its one demand; of three recorded prices one lies outside the band."""
    price = ColumnFit("price", (0, 24, 48), (1.0, 0.98, 1.0), (0.999, 0.97, 0.999), (1.001, 0.99, 1.001), (1.0, 0.975, 0.9))
    return EpisodeFit(
        name="met-2023",
        title="A weekend",
        start="2023-03-10T22:00:00Z",
        hours=98,
        paths=64,
        columns=(price,),
        summary=(Summary("price_low", 0.98, 0.975, (0.97, 0.99)),),
        demands=(Demand("slope", 1.0, 1.01, 0.95, 1.05),),
        notes=("prices: an exchange",),
    )


@pytest.fixture(scope="session")
def missed(met: EpisodeFit) -> EpisodeFit:
    """A replay that misses its one demand by 0.02."""
    return replace(met, name="missed-2022", title="A week", demands=(Demand("change of supply", 0.05, 0.001, -0.03, 0.03),))


@pytest.fixture(scope="session")
def whole() -> Account:
    """Account of a protocol with five AMOs and fewer assumed figures: a proposal with room to spare in one post, whatever parameters there are, so that nothing of it is cut."""
    from amo_opt.amos.catalogue import MECHANISMS
    from amo_opt.report.account import Account

    others = {each.table for each in MECHANISMS} - {f"amos.{name}" for name in ("aave", "curve", "fraxlend", "investor", "uniswap")}
    result = build_result(state=replace(build_state(), absent=frozenset(others)))
    return Account(replace(result, sensitivity=result.sensitivity[:4]))


def unknown(thing: Any) -> Any:  # noqa: PLR0911 - one return for each kind of thing
    """The same result as from 20 paths a scenario: no interval, no verdict, no limit decided."""
    if isinstance(thing, Estimate):
        return thing if thing.n == 0 else Estimate.of(thing.value, (thing.low, thing.high), n=100, fewest=20)
    if isinstance(thing, tuple):
        return tuple(unknown(each) for each in thing)
    if isinstance(thing, dict):
        return {key: unknown(each) for key, each in thing.items()}
    if not is_dataclass(thing) or isinstance(thing, type) or type(thing).__module__.startswith("amo_opt.config"):
        return thing
    made = replace(thing, **{field.name: unknown(getattr(thing, field.name)) for field in fields(thing) if field.init})
    if isinstance(made, Constraint):
        known = made.estimate.interval is not None
        return replace(made, decidable=known, violation_high=made.violation_high if known else float("inf"))
    if isinstance(made, PairedDifference):
        return replace(made, verdict="INCONCLUSIVE", p_better=1.0, p_inferior=1.0)
    if isinstance(made, Neighbour):
        return replace(made, feasible=None, objection=Objection(kind="not known", stream="holdout"))
    return replace(made, n=20) if isinstance(made, Fan) else made


@pytest.fixture(scope="session")
def blind(result: Result) -> Result:
    """The result from 20 paths a scenario: undecidable, for no interval is known."""
    made = unknown(result)
    candidates = tuple(replace(each, role="candidate") if each.role == "recommended" else each for each in made.candidates)
    ruling = replace(made.ruling, outcome="undecidable", paths=replace(made.ruling.paths, stream="selection"), needed=50)
    tails = tails_of(candidates[0], candidates[1], None, cap=made.study.certification.most_paths)
    return replace(made, candidates=candidates, ruling=ruling, recommended=None, tails=tails)


@pytest.fixture(scope="session")
def files(result: Result) -> dict[str, bytes]:
    """Its report, drawn once."""
    from amo_opt.report import report_files

    return report_files(result)
