"""Result -> results.json: the numbers for machines. Sorted keys, finite floats or null, one newline at the end."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import governed
from amo_opt.config.identity import MODEL_VERSION
from amo_opt.config.wording import shown
from amo_opt.errors import AmoOptError
from amo_opt.files import read_file
from amo_opt.report.first import first_of
from amo_opt.report.ruling import condition_words, objection_words, turn_words
from amo_opt.report.sampling_json import part_document, plan_document, sampling_document
from amo_opt.report.sections.decision import warnings_of
from amo_opt.report.sections.search import replay_command
from amo_opt.report.sections.validity import own_episodes
from amo_opt.report.sets import Subject, subject_of
from amo_opt.report.stories.backtest import demand_document, summary_document
from amo_opt.scoring.replayed import BAND
from amo_opt.version import __version__
from amo_opt.wording import USD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.scoring.replay import EpisodeFit
    from amo_opt.scoring.types import Constraint, Estimate, PointScore, Score
    from amo_opt.search.result import AssumptionDoubt, Candidate, Result
    from amo_opt.search.ruling import Binding, Objection, Ruling
    from amo_opt.search.tails import Doubt

SCHEMA = 3
MOST_BYTES = 64 * 1024 * 1024

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def results_json(result: Result) -> str:
    """The document. ``certified`` figures come from holdout paths where a set was run there (``certified_on``), else from selection paths."""
    study, subject = result.study, subject_of(result)
    document: Json = {
        "schema": SCHEMA,
        "study": {
            "name": study.name,
            "hash": study.hash,
            "seed": study.search.seed,
            "trials": study.search.trials,
            "paths": study.simulation.paths,
            **_unit(study.state),
            **({"quick": True} if study.quick else {}),
        },
        # those of packages stand in the appendix: with others the bytes are to be the same
        "versions": {"amo-opt": __version__, "model": str(MODEL_VERSION)},
        "finding": {
            "title": first_of(result).title,
            "state_date": study.state.date.isoformat(),
            "warnings": [each.word for each in warnings_of(result, subject)],
        },
        "current": _set(subject.current.parameters, study.state),
        "recommended": None if result.recommended is None else _set(result.recommended, study.state),
        "candidates": [_candidate(each, study.state) for each in result.candidates],
        "front": _front(result),
        "optimism_gap": {
            name: {"search": _finite(search), "selection": _estimate(on_selection), "holdout": _estimate(on_holdout)}
            for name, (search, on_selection, on_holdout) in result.gap.items()
        },
        "scenarios": _scenarios(result, subject),
        "episodes": [_episode(each) for each in own_episodes(result.study, result.episodes)],
        "worst_paths": [
            {
                "candidate": each.candidate,
                "scenario": each.scenario,
                "path": each.path,
                "component": each.component,
                "peg_loss_bps": _finite(each.peg_loss_bps),
                "min_price": _finite(each.min_price),
                "unserved_usd_hours": _finite(each.unserved_usd_hours),
                "command": replay_command(each, study),
            }
            for each in result.worst_paths
        ],
        "tails_agree": result.tails.settled,
        "tail_doubts": [_doubt(each) for each in result.tails.doubts],
        "verdict": _verdict(result.ruling),
        "sampling": sampling_document(result),
        "holdout_plan": plan_document(result.plan),
        "risk_parts": {name: [part_document(each, _estimate) for each in parts] for name, parts in result.risk_parts.items()},
        **_around(result),
    }
    return json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n"


def _unit(state: ProtocolState) -> dict[str, Json]:
    """The unit of account, where it is not the dollar."""
    return {} if state.unit == USD else {"unit": state.unit}


def check_results(path: Path, *, study: str) -> None:
    """Raises `AmoOptError` where ``path`` is there but no results.json this version knows, or of a study of another name: not ours to replace."""
    if not path.is_file():
        return
    try:
        document = json.loads(read_file(path, most=MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not JSON"
        raise AmoOptError(f"{path}: cannot be read as results.json ({reason}); remove the folder or name another with --out") from error
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise AmoOptError(
            f"{path}: schema: found {shown(found)}; allowed: {SCHEMA}. Another version of amo-opt wrote it: keep it, and write it anew elsewhere with `amo-opt run STUDY.toml --out DIR`"
        )
    owner = document["study"].get("name") if isinstance(document.get("study"), dict) else None
    if owner != study:
        raise AmoOptError(
            f"the folder {path.parent.name} holds the report of study {owner!r:.80}, this one is {study!r}: name another folder with --out, or "
            "remove that one"
        )


def _around(result: Result) -> dict[str, Json]:
    """What stands around the shown set and what the change costs; empty lists and null where a run did not look."""
    return {
        "neighbours": [
            {
                "parameter": each.parameter,
                "step": each.side,
                "value": _finite(each.value),
                "differences": {
                    paired.metric: {**_estimate(paired.difference), "tolerance": _finite(paired.tolerance), "verdict": paired.verdict}
                    for paired in each.paired
                    if paired.scenario is None
                },
                "feasible": each.feasible,
                "objection": "" if each.objection is None else objection_words(each.objection, result.study.state.unit),
                "n": each.n,
            }
            for each in result.neighbours
        ],
        "half_step": None if result.half_step is None else _candidate(result.half_step, result.study.state),
        "importances": {metric: _numbers(shares) for metric, shares in result.importances.items()},
        "doubt": None if result.doubt is None else _assumption_doubt(result.doubt, result.study.state.unit),
        "sensitivity": [
            {
                "figure": each.figure,
                "end": each.end,
                "value": _finite(each.value),
                "yield_difference": None if each.yield_difference is None else _estimate(each.yield_difference),
                "peg_difference": None if each.peg_difference is None else _estimate(each.peg_difference),
                "holds": each.holds,
                "objection": turn_words(each.objection, result.study.state.unit),
                "n": each.n,
            }
            for each in result.sensitivity
        ],
        "change_costs": [
            {"candidate": each.candidate, "hours": each.hours, "figures": {name: _estimate(found) for name, found in each.figures.items()}}
            for each in result.change_costs
        ],
        "run_capacity": [
            {
                "candidate": each.candidate,
                "run_share": _estimate(each.value),
                "paid_share": None if each.paid is None else _estimate(each.paid),
            }
            for each in result.run_capacities
        ],
    }


def _assumption_doubt(doubt: AssumptionDoubt, account: str) -> Json:
    region = doubt.region
    return {
        "share": _estimate(doubt.share),
        "recommended": doubt.recommended,
        "robust_share": doubt.demanded,
        "robust": doubt.robust,
        "more_draws": doubt.more_draws,
        "paths": doubt.paths,
        "twins": doubt.twins,
        "assumptions": doubt.assumptions,
        "failed": doubt.failed,
        "bands": {name: _numbers(asdict(band)) for name, band in (("yield", doubt.yield_band), ("peg_cvar95_bps", doubt.peg_band))},
        "conditions": [
            {"condition": condition_words(condition, account), "share": _finite(share)} for condition, share in doubt.conditions
        ],
        "explains": doubt.explains,
        "index_by_chance": _finite(doubt.by_chance),
        "drivers": [
            {
                "assumption": each.name,
                "value": _finite(each.value),
                "range": [_finite(each.low), _finite(each.high)],
                "index": _estimate(each.index),
                "fails_towards": each.side,
            }
            for each in doubt.drivers
        ],
        "region": None
        if region is None
        else {
            "bounds": [{"assumption": each.name, "side": each.side, "threshold": _finite(each.threshold)} for each in region.bounds],
            "draws": region.draws,
            "failures_covered": _finite(region.covered),
            "failing_inside": _finite(region.purity),
        },
    }


def _candidate(candidate: Candidate, state: ProtocolState) -> Json:
    score = candidate.selection_score if candidate.holdout_score is None else candidate.holdout_score
    return {
        "id": candidate.id,
        "role": candidate.role,
        "parameters": _set(candidate.parameters, state),
        "search": None if candidate.search is None else _search(candidate.search),
        "certified": _metrics(score),
        "certified_on": "selection" if candidate.holdout_score is None else "holdout",
        "constraints": {each.key: _constraint(each) for each in score.constraints},
        "objection": None if candidate.objection is None else _objection(candidate.objection),
        "robust_share": _finite(candidate.robust_share) if candidate.robust_share is not None else None,
    }


def _verdict(ruling: Ruling) -> Json:
    """The outcome, the paths it was decided on, and the limit that binds."""
    return {
        "outcome": ruling.outcome,
        "decided_on": {
            "stream": ruling.paths.stream,
            "paths": ruling.paths.n,
            "twins": ruling.paths.twins,
            "paths_per_scenario": ruling.paths.each,
        },
        "sets_judged": ruling.sets,
        "sets_feasible": ruling.kept,
        "set": ruling.set or None,
        "binding_constraint": None if ruling.binding is None else _binding(ruling.binding),
        "objection": None if ruling.objection is None else _objection(ruling.objection),
        "paths_needed_per_scenario": ruling.needed,
        "not_certified": [{"set": name, "reason": reason} for name, reason in ruling.failed],
    }


def _binding(binding: Binding) -> Json:
    return {
        "set": binding.set,
        "stream": binding.stream,
        "constraint": binding.name,
        "scenario": binding.scenario,
        "value": _finite(binding.value),
        "interval": None if binding.interval is None else [_finite(end) for end in binding.interval],
        "limit": _finite(binding.limit),
        "at_least": binding.at_least,
        "decidable": binding.decidable,
        "satisfied": binding.kept,
        "n": binding.n,
    }


def _objection(objection: Objection) -> Json:
    """Why a set may not be recommended; null where the kind of objection has no such figure."""
    limit, interval = objection.limit, objection.interval
    return {
        "kind": objection.kind,
        "stream": objection.stream,
        "constraint": None if limit is None else limit.name,
        "scenario": None if limit is None else limit.scenario,
        "estimate": None if limit is None else _constraint(limit),
        "metric": objection.metric or None,
        "difference": None if interval is None else _estimate(interval),
        "bound": None if objection.bound is None else _finite(objection.bound),
        "parameter": objection.parameter or None,
        "value": None if objection.value is None else _finite(objection.value),
        "detail": objection.detail or None,
    }


def _doubt(doubt: Doubt) -> Json:
    """What leaves the tail open; null where the kind has no such figure."""
    return {
        "kind": doubt.kind,
        "set": doubt.set,
        "of": "difference" if doubt.difference else "figure",
        "holdout": _estimate(doubt.found),
        "largest_share": None if doubt.found.largest_share is None else _finite(doubt.found.largest_share),
        "selection": None if doubt.seen is None else _estimate(doubt.seen),
        "tolerance": None if doubt.tolerance is None else _finite(doubt.tolerance),
        "most_paths": doubt.cap,
        "paths_needed_per_scenario": doubt.needed,
    }


def _search(score: PointScore) -> Json:
    return {"yield": _finite(score.yield_annual), "peg_cvar95_bps": _finite(score.peg_risk_bps), "constraints": _numbers(score.constraints)}


def _metrics(score: Score) -> Json:
    named = {"yield": score.yield_annual, "peg_cvar95_bps": score.peg_risk_bps, **score.metrics}
    return {name: _estimate(each) for name, each in named.items()}


def _constraint(constraint: Constraint) -> Json:
    return {
        **_estimate(constraint.estimate),
        "limit": _finite(constraint.limit),
        "at_least": constraint.at_least,
        "decidable": constraint.decidable,
        "satisfied": constraint.kept,
    }


def _front(result: Result) -> Json:
    """The search's front: point values on the search's paths, by trial."""
    scores = {each.number: each.score for each in result.trials}
    rows: list[Json] = []
    for number in result.front:
        score = scores.get(number)
        if score is not None:
            rows.append({"id": f"trial-{number}", "yield": _finite(score.yield_annual), "peg_cvar95_bps": _finite(score.peg_risk_bps)})
    return rows


def _scenarios(result: Result, subject: Subject) -> Json:
    total = sum(each.weight for each in result.study.scenarios)
    sets = [subject.current] if subject.other is None else [subject.current, subject.other]
    return [
        {
            "name": scenario.name,
            "weight": _finite(scenario.weight / total),
            "certified": {
                each.id: {name: _estimate(found) for name, found in subject.score(each).by_scenario.get(scenario.name, {}).items()}
                for each in sets
            },
        }
        for scenario in result.study.scenarios
    ]


def _episode(fit: EpisodeFit) -> Json:
    """A replay: what must come out right and the figures over the whole. Row by row stands in `amo-opt backtest --json`."""
    return {
        "name": fit.name,
        "start": fit.start,
        "hours": fit.hours,
        "paths": fit.paths,
        "interval_percentiles": list(BAND),
        "criteria": [demand_document(each) for each in fit.demands],
        "summary": dict(summary_document(fit)),
    }


def _estimate(estimate: Estimate) -> dict[str, Json]:
    twins: dict[str, Json] = {"twins": estimate.twins} if estimate.twins else {}
    return {"value": _finite(estimate.value), "interval": _interval(estimate), "n": estimate.n, **twins}


def _interval(estimate: Estimate) -> Json:
    """Both ends; null where the paths are too few to know them."""
    return None if estimate.interval is None else [_finite(end) for end in estimate.interval]


def _set(parameters: ParameterSet, state: ProtocolState) -> Json:
    """A set's values of what the protocol has."""
    there = governed(state)
    return _numbers({name: value for name, value in parameters.values().items() if name in there})


def _numbers(values: Mapping[str, int | float]) -> Json:
    return {name: _finite(value) for name, value in values.items()}


def _finite(value: float) -> float | None:
    """JSON has no infinity and no NaN: null stands for them; zero has no sign."""
    if isinstance(value, int):
        return value
    return float(value) + 0.0 if math.isfinite(value) else None
