"""The verdict in words: what every document and the terminal say of it is made here, from the result's `Ruling` and objections alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from amo_opt.report.wording import constraint_title, lower_first, metric_of, plain_number, scale_for
from amo_opt.search.rule import COVER, DOLLAR, PEG, YIELD
from amo_opt.wording import MISSING, NOT_KNOWN, clean, count, in_account, sized, sized_count, true_minus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.report.wording import Scale
    from amo_opt.scoring.types import Constraint, Score
    from amo_opt.search.result import Candidate, Result
    from amo_opt.search.ruling import Binding, Condition, Objection, Paths, Ruling, Stream, Turn


ROLES = {
    "current": "the set in force",
    "recommended": "of the eligible sets the most gain, both axes measured in tolerances, or what earns as much and holds in more draws of the assumptions",
    "balanced": "of the eligible sets the most gain, both axes measured in tolerances, or what earns as much and holds in more draws of the assumptions",
    "cautious": "the lowest peg risk of the eligible sets",
    "yield-seeking": "the highest yield of the eligible sets",
    "candidate": "eligible, but not the knee, the lowest peg risk or the highest yield",
}
"""Why a set has its place, where nothing stands against it."""


def streams(stream: Stream) -> str:
    """``the search's paths``, ``selection paths``."""
    return "the search's paths" if stream == "search" else f"{stream} paths"


def paths_words(paths: Paths) -> str:
    """``4,608 selection paths (3,200 drawn + 1,408 twins)``."""
    counted = sized_count(paths.n, paths.twins, "path" if paths.stream == "search" else f"{paths.stream} path")
    return f"the search's {counted}" if paths.stream == "search" else counted


def limit_title(name: str, scenario: str | None) -> str:
    """``deepest shortfall (CVaR 90%) in ust-contagion-2022``."""
    where = "" if scenario is None else f" in {clean(scenario)}"
    return f"{lower_first(constraint_title(name))}{where}"


def binding_words(binding: Binding, account: str) -> str:
    """``deepest shortfall (CVaR 90%) in calm: 712.0 bp (95% bound 1,879.0) against at most 1,000.0 bp, n = 160``."""
    scale = scale_for(in_account(binding.unit, account), (binding.value, binding.confidence_bound, binding.limit))
    bound = "" if binding.stream == "search" or binding.exact else f" (95% bound {_bound(binding, scale)})"
    n = "" if binding.exact else f", n = {sized(binding.n, binding.twins)}"
    side = "at least" if binding.at_least else "at most"
    return (
        f"{limit_title(binding.name, binding.scenario)}: {scale.text(binding.value)}{bound} against {side} {scale.text(binding.limit)}{n}"
    )


def _bound(binding: Binding, scale: Scale) -> str:
    return NOT_KNOWN if binding.interval is None else scale.number(binding.confidence_bound)


def _limit_words(limit: Constraint, account: str, *, at_value: bool) -> str:
    """``2.03 bn USD·h at its confidence bound against at most 1.00 bn USD·h``."""
    shown = limit.estimate.value if at_value else limit.confidence_bound
    scale = scale_for(in_account(limit.unit, account), (shown, limit.limit))
    where = "" if at_value or limit.scenario is None else " at its confidence bound"
    return f"{scale.text(shown)}{where} against {'at least' if limit.at_least else 'at most'} {scale.text(limit.limit)}"


def objection_words(objection: Objection, account: str, *, digits: bool = True) -> str:  # noqa: PLR0911 - one return for each kind
    """What a set does that speaks against it: ``breaks the limit on …``; without ``digits`` its kind alone, for counting."""
    limit = objection.limit
    title = "" if limit is None else limit_title(limit.name, limit.scenario)
    if objection.kind == "undecided":
        return f"leaves {title} undecided with so few paths"
    if objection.kind == "not known":
        return "has too few paths to know its intervals"
    if objection.kind == "limit" and limit is not None:
        broken = f"breaks the limit on {title}" if digits else "breaks a limit"
        return f"{broken}: {_limit_words(limit, account, at_value=objection.at_value)}" if digits else broken
    if objection.kind == "no gain":
        return "is not proven better than the current set on yield or on peg risk"
    if objection.kind == "tolerance":
        said = f"may be worse on {lower_first(metric_of(objection.metric, account).title)} by more than the tolerance"
        return f"{said} ({_interval(objection, account)})" if digits else said
    if objection.kind == "small gain":
        return f"gains less than {plain_number(objection.bound or 0.0)} of a tolerance in all, so is not worth a vote"
    if objection.kind == "A not identified":
        return "changes A, which the profile does not identify"
    if objection.kind == "cliff":
        step = f"{objection.parameter} = {plain_number(objection.value or 0.0)}"
        if limit is None:
            return f"is one step from a path that fails: with {step}, {clean(objection.detail)}"
        return f"is one step from a broken limit: with {step}, {title} is {_limit_words(limit, account, at_value=True)}"
    return f"failed on a path: {clean(objection.detail)}" if digits else "failed on a path"


_TITLES = {YIELD: "yield", PEG: "peg risk", DOLLAR: "peg risk against the dollar", COVER: "lowest external collateral ratio"}


def condition_words(condition: Condition, account: str) -> str:
    """``within the tolerance on peg risk``: what the rule asks, as something that a set is or does."""
    if condition.kind == "better":
        return f"better on {in_account(_TITLES[condition.metric], account)}"
    if condition.kind == "tolerance":
        return f"within the tolerance on {in_account(_TITLES[condition.metric], account)}"
    if condition.kind == "gain":
        return f"{condition.bound or 0.0:g} of a tolerance gained in all"
    return f"within the limit of {clean(condition.limit)}"


def turn_words(turn: Turn | None, account: str) -> str:
    """``no longer better on yield``: what a moved figure changes; empty where nothing turned."""
    if turn is None:
        return ""
    if turn.condition is None:
        return f"{'not run' if turn.kind == 'not run' else 'failed on a path'}: {clean(turn.detail)}"
    return f"{'no longer' if turn.kind == 'lost' else 'now'} {condition_words(turn.condition, account)}"


def _interval(objection: Objection, account: str) -> str:
    """The difference's interval, in the metric's unit."""
    found = objection.interval
    if found is None:
        return MISSING
    if found.interval is None:
        return f"95% interval {NOT_KNOWN}"
    scale = scale_for(metric_of(objection.metric, account).unit, found.interval).told(found)
    return f"95% interval {scale.interval(found, signed=True)} {scale.difference_unit}".rstrip()


def reason_of(candidate: Candidate, account: str) -> str:
    """Why the set has its place, in the table of alternatives; an objection with the paths it was found on."""
    if candidate.objection is None:
        return ROLES[candidate.role]
    where = streams(candidate.objection.stream)
    passed = "not refused on selection paths; " if candidate.objection.stream == "holdout" else ""
    return true_minus(f"{passed}on {where} {objection_words(candidate.objection, account)}")


def verdict_words(result: Result) -> str:
    """Why the verdict is what it is, in a sentence: in the box, above the limits, on the terminal."""
    ruling = result.ruling
    where, account = paths_words(ruling.paths), result.study.state.unit
    if ruling.outcome == "recommended":
        return f"{clean(ruling.set)} {_on_selection(ruling)} on {where}, which nothing was chosen on."
    binding = ruling.binding
    if ruling.outcome == "infeasible" and binding is not None:
        sets = count(ruling.sets, "trial" if ruling.paths.stream == "search" else "certified set")
        points = " at point values, nor did the current set on selection paths" if ruling.paths.stream == "search" else ""
        return (
            f"none of {sets} kept every limit on {where}{points}. "
            f"{_named(binding.set)} came nearest to that; what binds it there is {binding_words(binding, account)}."
        )
    if ruling.outcome == "undecidable" and binding is not None:
        return (
            f"{count(ruling.paths.each, f'{ruling.paths.stream} path')} per scenario cannot decide {limit_title(binding.name, binding.scenario)} "
            f"at a limit of {scale_for(in_account(binding.unit, account), (binding.limit,)).text(binding.limit)}; at least {ruling.needed or 0:,} are needed, so nothing is recommended."
        )
    if ruling.objection is not None:
        before = "passed the rule on selection paths" if ruling.passed else "was left open on selection paths"
        return true_minus(f"{clean(ruling.set)} {before}, but on {where} it {objection_words(ruling.objection, account)}.")
    if ruling.sets == 1:
        return "the search found nothing that does better than the current set."
    return f"none of {count(ruling.sets - 1, 'candidate')} passed the rule on {where}."


def _on_selection(ruling: Ruling) -> str:
    """How the recommended set came to holdout paths."""
    if ruling.passed:
        return "passed the rule on selection paths and again"
    return "was kept from the rule by nothing but the width of its intervals on selection paths, and passed it"


def _named(name: str) -> str:
    return "The current set" if name == "current" else clean(name)


def explanation_of(result: Result) -> str:
    """The verdict's sentence, and what else was found on the way to it: the objections counted, the neighbours, what failed."""
    ruling = result.ruling
    words = verdict_words(result)
    told = [words[:1].upper() + words[1:] if not words.startswith(("trial-",)) else words]
    if ruling.outcome == "no change" and ruling.objection is None:
        told += _counted(result.candidates, result.study.state.unit)
    if ruling.outcome == "recommended":
        told += _around(result)
    if ruling.failed:
        told.append(f"Not certified, as a path failed: {'; '.join(f'{clean(name)} ({clean(why)})' for name, why in ruling.failed)}.")
    return " ".join(told)


def _counted(candidates: Iterable[Candidate], account: str) -> list[str]:
    found = Counter(objection_words(each.objection, account, digits=False) for each in candidates if each.objection is not None)
    parts = [f"{number} {words}" for words, number in sorted(found.items(), key=lambda item: -item[1])]
    return [f"Of them {'; '.join(parts)}."] if parts else []


def _around(result: Result) -> list[str]:
    around = result.neighbours
    if not around:
        return []
    near = [each for each in around if each.feasible is False]
    paths = f"on {count(around[0].n, 'holdout path')} per scenario"
    if not near and any(each.feasible is None for each in around):
        known = "keep at their confidence bounds what it keeps is not known"
        return [f"Whether the {len(around)} sets one step away {known}, {paths}; at their point values they do."]
    if not near:
        return [f"All {len(around)} sets one step away keep what it keeps, {paths}."]
    first = near[0]
    why = "" if first.objection is None else f" {objection_words(first.objection, result.study.state.unit)}"
    return [
        f"{len(near)} of {len(around)} sets one step away come nearer to a limit than the interval allows ({first.parameter} = {first.value:g}{why}), {paths}."
    ]


def kept_words(candidate: Candidate) -> str:
    """How many limits the set keeps, each count with its paths: ``all 21 kept on holdout paths, 3 broken of 21 on selection paths``."""
    on_selection = limits_kept(candidate.selection_score)
    if candidate.holdout_score is None:
        return f"{on_selection} on selection paths"
    on_holdout = limits_kept(candidate.holdout_score)
    return (
        f"{on_holdout} on selection and holdout paths"
        if on_selection == on_holdout
        else f"{on_holdout} on holdout paths, {on_selection} on selection paths"
    )


def limits_kept(score: Score) -> str:
    """``all 21 kept``, or how many are broken and undecided."""
    kept = score.kept
    undecided = sum(not each.decidable and each.violation <= 0.0 for each in score.constraints)
    broken = len(score.constraints) - kept - undecided
    if kept == len(score.constraints):
        return f"all {kept} kept"
    parts = [f"{number} {word}" for number, word in ((broken, "broken"), (undecided, "undecided")) if number]
    return f"{' and '.join(parts)} of {len(score.constraints)}"
