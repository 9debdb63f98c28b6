"""A review in words: what is asked, the verdict and why, what it hangs on, and what is to be known of each call."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.comparison.wording import because, gate_question, row, scale
from amo_opt.config.schema import given_figures
from amo_opt.scoring.constraints import CAPS, RULES
from amo_opt.scoring.metrics import METRICS
from amo_opt.wording import NOT_KNOWN, count, in_account, interval, named, significant, sized, true_minus

if TYPE_CHECKING:
    from amo_opt.comparison.review import Margin, Review, Word
    from amo_opt.comparison.verdict import Comparison, GateVerdict
    from amo_opt.onchain.understood import Note, ReadCall, UnknownCall
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.scoring.types import Constraint

MOST_ASKED = 4
"""Changes that the first lines name; the table has all."""
MOST_GATES = 3
SHAPES: dict[Word, str] = {"passes": "✔", "fails": "✘", "not known": "○", "no change": "–"}


def sentence(text: str) -> str:
    """The text as a sentence: a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def number(value: float) -> str:
    """A parameter's value as one would write it."""
    return true_minus(significant(value, 6))


def unit_of(name: str, state: ProtocolState) -> str:
    """A parameter's unit; of a share, what it is a share of."""
    parameter = PARAMETERS[name]
    return in_account(parameter.unit, state.unit) or (f"share of {parameter.share_of}" if parameter.share_of else "")


def title(review: Review) -> str:
    """``✔ Passes: review of proposal.json``."""
    return f"{SHAPES[review.word]} {sentence(review.word)[:-1]}: review of {named(review.proposal.file)}"


def asked(review: Review) -> str:
    """What the proposal asks for."""
    proposal, state = review.proposal, review.study.state
    kind = f"{'An' if proposal.form[0] in 'aeiou' else 'A'} {proposal.form}"
    calls = f" of {count(len(proposal.transactions), 'call')}" if proposal.transactions else ""
    last = {line.name: line for line in proposal.lines}
    first = {line.name: line for line in reversed(proposal.lines)}
    changes = sorted(last.values(), key=lambda line: -_moved(first[line.name].before, line.after))
    told = [f"{title_of(line.name, state)}: {number(first[line.name].before)} → {number(line.after)}" for line in changes[:MOST_ASKED]]
    more = f"; and {count(len(changes) - MOST_ASKED, 'further change')}" if len(changes) > MOST_ASKED else ""
    return f"{kind}{calls}, which changes {count(len(changes), 'parameter')}. {'; '.join(told)}{more}." if told else f"{kind}{calls}, which changes no parameter."


def _moved(before: float, after: float) -> float:
    return abs(math.log(after / before)) if before > 0.0 and after > 0.0 else math.inf


def verdict(review: Review) -> str:
    """The answer in plain words, with what it is an answer to."""
    unknown = _unknown(review)
    found = review.comparison
    if review.dry_run.status == "reverted":
        return f"Fails: run on a fork of the chain it reverts ({review.dry_run.why}).{unknown}"
    if found is None:
        return f"Not known: nothing was simulated.{unknown}"
    told = (
        f"{len(found.failed)} of {count(len(found.gates), 'gate')} {'fails' if len(found.failed) == 1 else 'fail'}"
        if found.failed
        else f"none of the {count(len(found.gates), 'gate')} fails"
    )
    against = "against the set in force, on the same paths"
    if review.word == "not known":
        return f"Not known.{unknown} Of that part {told} {against}."
    if review.word == "fails":
        return f"Fails: {told} {against}.{unknown}"
    if review.word == "no change":
        return "Nothing changes: every value it sets is in force already."
    warned = f"; {count(len(found.warned), 'gate')} {'warns' if len(found.warned) == 1 else 'warn'}" if found.warned else ""
    return f"Passes: {told} {against}{warned}."


def _unknown(review: Review) -> str:
    read = review.proposal.read
    if read is None or not read.unknown:
        return ""
    calls, unknown = len(review.proposal.transactions), len(read.unknown)
    which = f"{'It' if calls == 1 else 'None' if unknown == calls else f'{unknown} of its {calls} calls'}"
    part = "." if unknown == calls else ", so this is a verdict of a part of the proposal alone."
    if calls == 1:
        return f" Its one call is not understood{part}"
    return f" {which}{f' of its {calls} calls' if unknown == calls else ''} {'is' if unknown == 1 or unknown == calls else 'are'} not understood{part}"


def why(review: Review) -> tuple[str, ...]:
    """What decides: the gates that fail or warn, else the one nearest to failing; each with its interval and sample size."""
    found = review.comparison
    if found is None:
        return ()
    troubled = [gate for gate in (*found.failed, *found.warned)][:MOST_GATES]
    if troubled:
        return tuple(f"{found_of(gate, found)}: {because(gate.reason)}." for gate in troubled)
    if not review.margins or not review.proposal.lines:
        return ()
    # a gate that is read off the set is near by nature: what was simulated comes first
    nearest = next((each for each in review.margins if each.metric is not None), review.margins[0])
    return (f"Nearest to failing: {found_of(nearest.gate, found)}. {sentence(margin(nearest))}",)


def found_of(gate: GateVerdict, comparison: Comparison) -> str:
    """``Peg risk: +0.12 bp against the set in force (95% interval −0.02 to +0.26, n = 5,120 drawn + 1,203 twins)``."""
    metric = next((each for each in comparison.metrics if each.name == gate.gate.metric), None)
    if metric is None or gate.tolerance is None:
        return f"{gate.title}: {significant(gate.found, 6) if gate.found is not None else NOT_KNOWN}"
    told = row(metric)
    n = sized(metric.n, sum(comparison.baseline.twins.values()))
    return f"{gate.title}: {told.shift} against the set in force (95% interval {told.interval}, n = {n} paths)"


def margin(each: Margin) -> str:
    """What is left of what a gate allows."""
    factor, unit = scale(each.gate.unit, (each.allowed, each.worst))
    unit = unit if each.of_figure else unit.replace("%", "points", 1) if unit.startswith("%") else unit

    def of(value: float) -> str:
        return f"{true_minus(significant(value * factor, 3))} {unit}".rstrip()

    what = "it may be" if each.of_figure else "it may be worse by"
    if not math.isfinite(each.worst):
        return f"at most {of(each.allowed)} {'is' if each.of_figure else 'worse is'} allowed; how near it comes is not known of so few paths"
    if not each.of_figure and each.worst <= 0.0:
        return f"worse by {of(each.allowed)} is allowed; the interval holds no loss at all" if each.allowed else "no loss is allowed, and the interval holds none"
    left = f"{of(each.left)} is left" if each.left >= 0.0 else f"{of(-each.left)} too much"
    certain = "" if each.metric is None else " (the interval's worse end)"
    return f"{what} {of(each.worst)}{certain}, and {of(each.allowed)} is allowed: {left}"


def conditions(review: Review) -> tuple[str, ...]:
    """What would have to be true for the verdict: margins, the study's nearest limit, caps in use, what the figures take for granted."""
    found = review.comparison
    if found is None:
        return ()
    told = [f"{each.gate.title} ({each.gate.gate.cls}): {margin(each)}." for each in review.margins]
    more = [each.more_paths for each in found.metrics if each.more_paths is not None and any(each.name == gate.gate.metric for gate in found.gates)]
    if more:
        told.append(f"What is inconclusive among the gates would take about {max(more):,} more paths per scenario to settle (--paths).")
    told += [limit for limit in (_limit(each, review.study.state) for each in review.limits[:1]) if limit]
    told += [
        f"{' + '.join(each.names)} as proposed: {significant(each.cap / 1e6, 4)}m tokens, less than the {significant(each.used / 1e6, 4)}m {each.use} today; such a cap allows "
        "nothing new, and what is out comes back only as fast as the AMO can withdraw."
        for each in review.below
    ]
    figures = given_figures(review.study.state)
    assumed = sum(each.assumed is not None for each in figures.values())
    told.append(
        f"What is in force now is as the study says (set {named(found.baseline.parameters.name)}, state of {review.study.state.date.isoformat()}): {assumed} of the state's {len(figures)} figures are assumed."
    )
    told.append(f"Other paths would move these figures within their intervals: --seed draws others, --paths more than the {found.paths:,} of each scenario here.")
    return tuple(told)


def _limit(each: Constraint, state: ProtocolState) -> str:
    """The study's limit that is nearest to breaking."""
    name = CAPS if each.scenario is None else next(rule.metric for rule in RULES if rule.name == each.name)
    metric = METRICS.get(name)
    label = "Collateral caps plus idle buffer" if metric is None else in_account(metric.title, state.unit)
    where = "" if each.scenario is None else f" in {each.scenario}"
    factor, unit = scale(in_account(each.unit, state.unit), (each.estimate.value, each.limit))

    def of(value: float) -> str:
        return f"{true_minus(significant(value * factor, 4))} {unit}".rstrip()

    ends = interval(each.estimate.interval, of) if each.estimate.n else ""
    n = f" ({f'95% bounds {ends}' if ends != NOT_KNOWN else 'bounds not known'}, n = {each.estimate.n:,} paths)" if each.estimate.n else ""
    kept = "is broken" if each.violation > 0.0 else "is kept" if each.violation_high <= 0.0 else "is kept by its figure, not by its bound: too few paths, or too near"
    limit = f"{'at least' if each.at_least else 'at most'} {of(each.limit)}"
    return f"Of the study's limits the nearest, {label}{where}, {limit}, {kept}: {of(each.estimate.value)}{n}."


def half(review: Review) -> str:
    """What half the step comes to."""
    found, whole = review.half, review.comparison
    if whole is None or not review.proposal.lines:
        return ""
    if found is None:
        return "There is no set half the way: the step is the smallest that a vote is held on."
    told = "none of the gates fails" if not found.failed else f"{len(found.failed)} of {count(len(found.gates), 'gate')} {'fails' if len(found.failed) == 1 else 'fail'}"
    if whole.failed and not found.failed:
        return f"At half of each change {told}: the smaller step would pass where the whole one does not."
    if found.failed and not whole.failed:
        return f"At half of each change {told}, though none of the whole step does."
    return f"At half of each change {told}, as of the whole step." if bool(found.failed) == bool(whole.failed) else ""


def gate_line(gate: GateVerdict) -> str:
    """What a gate asks."""
    return f"{gate_question(gate)}"


def note(each: Note, call: ReadCall) -> str:
    """What is to be known of a call."""
    match each.kind:
        case "no change":
            return f"Call {call.number}, {call.place}: sets what is in force already; no change."
        case "overtaken":
            return f"Call {call.number}, {call.place}: a later call of the same function overtakes it."
        case "shared out":
            shares = ", ".join(f"{name} × {significant(by, 4)}" for name, by in zip(each.names, each.numbers, strict=True))
            return (
                f"Call {call.number}, {call.place}: sets one sum over several AMOs and does not say whose part of it changes. Here they change in proportion ({shares}); "
                "the verdict is of that split alone, --split NAME=SHARE tells another."
            )
        case "told apart":
            return f"Call {call.number}, {call.place}: the share of {', '.join(each.names)} is not the call's, but was told with --split."
        case "ramp":
            end = each.numbers[0]
            when = f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M} UTC" if 0 <= end < 253_402_300_800 else f"second {end:.0f}"
            return f"Call {call.number}, {call.place}: A moves in a straight line until {when}; simulated is the length of ramp that the state says, from its date on."
        case "ramp refused":
            return f"Call {call.number}, {call.place}: changes A by a factor of {significant(each.numbers[0], 3)}; the pool refuses more than 10 times up or down at once, so this call reverts."
        case "caller":
            return f"Call {call.number}, {call.place}: {each.names[0]} obeys {each.names[1]} alone; sent by anybody else the call reverts."
        case _:
            return f"Call {call.number}, {call.place}: {each.kind}."


def unknown(each: UnknownCall) -> str:
    """Why a call is not understood."""
    return {
        "address": "its address is no entry of the state's [contracts]",
        "function": f"it goes to {each.entry}, but its selector is of no function there that sets a parameter of this state",
        "arguments": f"it goes to {each.entry}, but its bytes are not that function's arguments",
        "ether": f"it sends {each.transaction.value} wei to {each.entry}, and no setter takes ether: it would revert",
        "mechanism": f"it sets what belongs to a mechanism that the state does not have ({each.entry})",
        "pool": "the pool it ramps is no entry of the state's [contracts]",
        "keeper": "the account whose ceiling it sets is no PegKeeper of the state's [contracts]",
        "bands": "it sets two bands of different width, and a parameter set holds one",
    }[each.why]
