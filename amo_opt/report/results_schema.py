"""The JSON Schema of results.json, for whoever reads it. What may change under which version docs/results-json.md says: a reader takes keys that it does not know, so no table here is closed."""

from __future__ import annotations

from typing import get_args

from amo_opt.config.json_schema import DRAFT, Schema
from amo_opt.report.results_json import SCHEMA
from amo_opt.scoring.paired import Verdict as PairedVerdict
from amo_opt.scoring.parts import Kind as PartKind
from amo_opt.search.result import Role
from amo_opt.search.ruling import Kind, Stream, Verdict
from amo_opt.search.tails import Kind as DoubtKind

NUMBER: Schema = {"type": ["number", "null"]}
"""JSON has neither infinity nor NaN: null stands for them."""
TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PAIR: Schema = {"type": ["array", "null"], "items": NUMBER, "minItems": 2, "maxItems": 2}


def results_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of results.json."""
    numbers, estimates = _by_name(NUMBER), _by_name(_ref("estimate"))
    both = _table(**{"yield": _ref("estimate"), "peg_cvar95_bps": _ref("estimate")})
    band = _table(low=NUMBER, median=NUMBER, high=NUMBER, foretold=NUMBER)
    figure = _table(model=NUMBER, model_interval=PAIR, observed=NUMBER)
    gap = _table(search=NUMBER, selection=_ref("estimate"), holdout=_ref("estimate"))
    doubt = _table(
        share=_ref("estimate"), recommended=TRUTH, robust_share=NUMBER, robust=TRUTH, more_draws=_or_null(COUNT), paths=COUNT, twins=COUNT, assumptions=COUNT, failed=COUNT,
        bands=_table(**{"yield": band, "peg_cvar95_bps": band}), conditions=_list(_table(condition=TEXT, share=NUMBER)), explains=TEXT, index_by_chance=NUMBER,
        drivers=_list(_table(assumption=TEXT, value=NUMBER, range=PAIR, index=_ref("estimate"), fails_towards=_words(("low", "high")))),
        region=_or_null(_table(bounds=_list(_table(assumption=TEXT, side=_words(("below", "above")), threshold=NUMBER)), draws=COUNT, failures_covered=NUMBER, failing_inside=NUMBER)),
    )  # fmt: skip
    verdict = _table(
        outcome=_words(get_args(Verdict)),
        decided_on=_table(stream=_words(get_args(Stream)), paths=COUNT, twins=COUNT, paths_per_scenario=COUNT),
        sets_judged=COUNT, sets_feasible=COUNT, set=_or_null(TEXT), objection=_or_null(_ref("objection")), paths_needed_per_scenario=_or_null(COUNT),
        binding_constraint=_or_null(_table(
            set=TEXT, stream=_words(get_args(Stream)), constraint=TEXT, scenario=_or_null(TEXT), value=NUMBER, interval=PAIR, limit=NUMBER, at_least=TRUTH, decidable=TRUTH, satisfied=TRUTH, n=COUNT
        )),
        not_certified=_list(_table(set=TEXT, reason=TEXT)),
    )  # fmt: skip
    sampled = _list(_table(
        scenario=TEXT, drawn=COUNT, components=_list(_table(tilts=_list(TEXT), twins=COUNT)), drivers=_list(TEXT), variance_left=NUMBER, chance=NUMBER, edge_bps=NUMBER
    ))  # fmt: skip
    part = _table(
        scenario=TEXT, part=_words(get_args(PartKind)), contribution_bps=_ref("estimate"), share=_ref("estimate"), chance=_or_null(_ref("estimate")), edge_bps=NUMBER
    )  # fmt: skip
    document = _table(
        schema={"const": SCHEMA},
        study=_table(name=TEXT, hash={"type": "string", "pattern": "^[0-9a-f]{64}$"}, seed=COUNT, trials=COUNT, paths=COUNT, optional={"unit": TEXT, "quick": {"const": True}}),
        versions=_table(**{"amo-opt": TEXT, "model": TEXT}),
        finding=_table(title=TEXT, state_date={"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}, warnings=_list(TEXT)),
        current=numbers, recommended=_or_null(numbers), candidates=_list(_ref("candidate")), half_step=_or_null(_ref("candidate")),
        front=_list(_table(id=TEXT, **{"yield": NUMBER, "peg_cvar95_bps": NUMBER})),
        optimism_gap={"type": "object", "properties": {"yield": gap, "peg_cvar95_bps": gap}},
        scenarios=_list(_table(name=TEXT, weight=NUMBER, certified=_by_name(estimates))),
        episodes=_list(_table(
            name=TEXT, start=TEXT, hours=COUNT, paths=COUNT, interval_percentiles=PAIR,
            criteria=_list(_table(criterion=TEXT, model=NUMBER, observed=NUMBER, low=NUMBER, high=NUMBER, missed_by=NUMBER, band=PAIR, met=TRUTH)), summary=_by_name(figure),
        )),
        worst_paths=_list(_table(candidate=TEXT, scenario=TEXT, path=COUNT, component=COUNT, peg_loss_bps=NUMBER, min_price=NUMBER, unserved_usd_hours=NUMBER, command=TEXT)),
        tails_agree=TRUTH,
        tail_doubts=_list(_table(
            kind=_words(get_args(DoubtKind)), set=TEXT, of=_words(("figure", "difference")), holdout=_ref("estimate"), largest_share=NUMBER, selection=_or_null(_ref("estimate")),
            tolerance=NUMBER, most_paths=_or_null(COUNT), paths_needed_per_scenario=_or_null(COUNT),
        )),
        verdict=verdict,
        sampling=_table(selection=sampled, holdout=sampled),
        holdout_plan=_or_null(_table(wanted_half_width_bps=NUMBER, expected_half_width_bps=NUMBER, capped=TRUTH)),
        risk_parts=_by_name(_list(part)),
        neighbours=_list(_table(
            parameter=TEXT, step={"enum": [-1, 1]}, value=NUMBER, differences=_by_name(_ref("difference")), feasible=TRUTH, objection=TEXT, n=COUNT
        )),
        importances=_by_name(numbers), doubt=_or_null(doubt),
        sensitivity=_list(_table(
            figure=TEXT, end=_words(("low", "high")), value=NUMBER, yield_difference=_or_null(_ref("estimate")), peg_difference=_or_null(_ref("estimate")), holds=TRUTH, objection=TEXT, n=COUNT
        )),
        change_costs=_list(_table(candidate=TEXT, hours=COUNT, figures=estimates)),
        run_capacity=_list(_table(candidate=TEXT, run_share=_ref("estimate"), paid_share=_or_null(_ref("estimate")))),
    )  # fmt: skip
    estimate = {"value": NUMBER, "interval": PAIR, "n": COUNT}
    constraint = _table(**estimate, limit=NUMBER, at_least=TRUTH, decidable=TRUTH, satisfied=TRUTH, optional={"twins": COUNT})
    defs = {
        "estimate": {"description": "A figure, its 95% interval (null where the paths are too few to know it) and what it is of."} | _table(**estimate, optional={"twins": COUNT}),
        "difference": _table(**estimate, tolerance=NUMBER, verdict=_words(get_args(PairedVerdict)), optional={"twins": COUNT}),
        "constraint": constraint,
        "objection": _table(
            kind=_words(get_args(Kind)), stream=_words(get_args(Stream)), constraint=_or_null(TEXT), scenario=_or_null(TEXT), estimate=_or_null(_ref("constraint")), metric=_or_null(TEXT),
            difference=_or_null(_ref("estimate")), bound=NUMBER, parameter=_or_null(TEXT), value=NUMBER, detail=_or_null(TEXT),
        ),
        "candidate": _table(
            id=TEXT, role=_words(get_args(Role)), parameters=numbers, search=_or_null(_table(**{"yield": NUMBER, "peg_cvar95_bps": NUMBER}, constraints=numbers)),
            certified=both | {"additionalProperties": _ref("estimate")}, certified_on=_words(("selection", "holdout")), constraints=_by_name(_ref("constraint")),
            objection=_or_null(_ref("objection")), robust_share=NUMBER,
        ),
    }  # fmt: skip
    return {"$schema": DRAFT, "title": "amo-opt: results.json", **document, "$defs": defs}


def _table(*, optional: Schema | None = None, **keys: Schema) -> Schema:
    """A table that has these keys, may have the ``optional`` ones, and may have others in a later version."""
    return {"type": "object", "properties": {**keys, **(optional or {})}, "required": list(keys)}


def _by_name(of: Schema) -> Schema:
    """A table whose keys are names: of parameters, metrics, sets, scenarios."""
    return {"type": "object", "additionalProperties": of}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _words(words: tuple[str, ...]) -> Schema:
    return {"enum": list(words)}


def _or_null(of: Schema) -> Schema:
    return {"anyOf": [of, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
