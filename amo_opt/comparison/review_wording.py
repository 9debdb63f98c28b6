"""A review in words: what is asked, the verdict and why, what it hangs on, and what is to be known of each call."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.comparison.judging import STATUSES
from amo_opt.comparison.wording import because, gate_question, row, scale
from amo_opt.config.schema import given_figures
from amo_opt.scoring.constraints import RULES
from amo_opt.scoring.metrics import METRICS
from amo_opt.wording import NOT_KNOWN, count, in_account, interval, named, significant, sized, true_minus

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.comparison.review import Margin, Review, Word
    from amo_opt.comparison.verdict import Comparison, GateVerdict
    from amo_opt.onchain.understood import Note, NoteKind, ReadCall, UnknownCall
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.scoring.types import Constraint

MOST_ASKED = 4
"""Changes that the first lines name; the table has all."""
MOST_GATES = 3
LAST_SECOND = 253_402_300_800
"""The first second after the year 9999."""
SHAPES: dict[Word, str] = {"passes": "✔", "fails": "✘", "not known": "○", "no change": "–"}


def sentence(text: str) -> str:
    """The text as a sentence: a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def number(value: float) -> str:
    """A parameter's value as one would write it."""
    return true_minus(significant(value, 6))


def unit_of(name: str, state: ProtocolState) -> str:
    """A parameter's unit."""
    return in_account(PARAMETERS[name].unit, state.unit)


def _with(value: str, unit: str) -> str:
    """A figure and its unit; a per cent sign stands close."""
    return f"{value}{unit}" if unit.startswith("%") else f"{value} {unit}".rstrip()


def title(review: Review) -> str:
    """``✔ Passes: review of proposal.json``."""
    return f"{SHAPES[review.word]} {sentence(review.word)[:-1]}: review of {named(review.proposal.file)}"


def asked(review: Review) -> str:
    """What the proposal asks for."""
    proposal, state = review.proposal, review.study.state
    calls = count(len(proposal.transactions), "call")
    kind = f"{proposal.form} of {calls}".replace("list of calls of ", "list of ") if proposal.transactions else proposal.form
    kind = f"{'An' if kind[0] in 'aeiou' else 'A'} {kind}"
    last = {line.name: line for line in proposal.lines}
    first = {line.name: line for line in reversed(proposal.lines)}
    changes = sorted(last.values(), key=lambda line: -_moved(first[line.name].before, line.after))
    if not changes:
        return f"{kind}, which changes no parameter."
    told = [f"{title_of(line.name, state)}: {number(first[line.name].before)} → {number(line.after)}" for line in changes[:MOST_ASKED]]
    more = f"; and {count(len(changes) - MOST_ASKED, 'further change')}" if len(changes) > MOST_ASKED else ""
    return f"{kind}, which changes {count(len(changes), 'parameter')}. {'; '.join(told)}{more}."


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
    told = f"{_failing(found)} against the set in force, on the same paths"
    for status, does in (("warn", "warns"), ("not gated", "could not be judged")):
        gates = sum(gate.status == status for gate in found.gates)
        told += f"; {gates} {does if gates == 1 else does.removesuffix('s')}" if gates else ""
    if review.word == "not known":
        return f"Not known.{unknown} Of that part {told}."
    if review.word == "fails":
        return f"Fails: {told}.{unknown}"
    if review.word == "no change":
        return "Nothing changes: every value it sets is in force already."
    return f"Passes: {told}."


def _unknown(review: Review) -> str:
    read = review.proposal.read
    if read is None or not read.unknown:
        return ""
    calls, unread = len(review.proposal.transactions), len(read.unknown)
    if unread == calls:
        return " Its one call is not understood." if calls == 1 else f" None of its {calls} calls is understood."
    return f" {unread} of its {calls} calls {'is' if unread == 1 else 'are'} not understood, so this is a verdict of a part of the proposal alone."


def why(review: Review) -> tuple[str, ...]:
    """What decides: the gates that fail or warn, else the one nearest to failing; and those that could not be judged; each with its interval and sample size."""
    found = review.comparison
    if found is None:
        return ()
    unjudged = (gate for gate in found.gates if gate.status == "not gated")
    told = tuple(f"{found_of(gate, found)} {sentence(because(gate.reason))}" for gate in (*found.failed, *found.warned, *unjudged))
    if found.failed or found.warned or not review.proposal.lines:
        return told[:MOST_GATES]
    # a gate that is read off the set is near by nature: what was simulated comes first
    judged = [each for each in review.margins if each.gate.status != "not gated"]
    nearest = next((each for each in judged if each.metric is not None), judged[0] if judged else None)
    if nearest is None:
        return told[:MOST_GATES]
    return (f"Nearest to failing: {found_of(nearest.gate, found)} {sentence(margin(nearest))}", *told)[:MOST_GATES]


def found_of(gate: GateVerdict, comparison: Comparison) -> str:
    """``Peg risk may be worse by at most 2 bp; found: +0.12 bp against the set in force (95% interval −0.02 to +0.26, n = 6,323 paths: 5,120 drawn + 1,203 twins).``"""
    metric = next((each for each in comparison.metrics if each.name == gate.gate.metric), None)
    may = f"{gate.title} may be {gate_question(gate)}; found: "
    if metric is None or gate.tolerance is None:
        return f"{may}{significant(gate.found, 6) if gate.found is not None else NOT_KNOWN}."
    told = row(metric)
    twins = sum(comparison.baseline.twins.values())
    n = f"{count(metric.n, 'path')}{f': {sized(metric.n, twins)}' if twins else ''}"
    return f"{may}{told.shift} against the set in force (95% interval {told.interval}, n = {n})."


def margin(each: Margin) -> str:
    """What is left of what a gate allows."""
    factor, unit = scale(each.gate.unit, (each.allowed, each.worst))
    unit = unit if each.of_figure else unit.replace("%", "pp")

    def of(value: float) -> str:
        return _with(true_minus(significant(value * factor, 3)), unit)

    if not math.isfinite(each.worst):
        return f"{of(each.allowed)} {'is' if each.of_figure else 'worse is'} allowed; how near it comes is not known of so few paths"
    if not each.of_figure and each.worst <= 0.0:
        most = f"{of(each.allowed)} worse" if each.allowed else "no loss"
        return f"{most} is allowed, and the interval holds no loss"
    left = f"{of(each.left)} is left" if each.left >= 0.0 else f"{of(-each.left)} too much"
    if each.of_figure:
        return f"it {'comes to' if each.metric is None else 'may come to'} {of(each.worst)}, and {of(each.allowed)} is allowed: {left}"
    return f"the interval's worse end is {of(each.worst)} worse, and {of(each.allowed)} is allowed: {left}"


def conditions(review: Review) -> tuple[str, ...]:
    """What would have to be true for the verdict: margins, the study's nearest limit, caps in use, what the figures take for granted."""
    found = review.comparison
    if found is None:
        return ()
    told = [_condition(each) for each in sorted(review.margins, key=lambda each: -STATUSES[each.gate.status])]
    more = [
        each.more_paths
        for each in found.metrics
        if each.more_paths is not None and any(each.name == gate.gate.metric for gate in found.gates)
    ]
    if more:
        told.append(f"What is inconclusive among the gates would take about {max(more):,} more paths per scenario to settle (--paths).")
    told += [_limit(each, review.study.state) for each in [each for each in review.limits if each.scenario is not None][:1]]
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
    told.append(
        f"Other paths would move these figures within their intervals: --seed draws others, --paths more than the {found.paths:,} of each scenario here."
    )
    return tuple(told)


def _condition(each: Margin) -> str:
    """A gate's margin; of one that does not pass also why, which the margin alone may not say."""
    gate = each.gate
    if gate.status == "pass":
        return f"{gate.title} ({gate.gate.cls}): {margin(each)}."
    return f"{gate.title} ({gate.gate.cls}, {gate.status}): {margin(each)}. {sentence(because(gate.reason))}"


def _limit(each: Constraint, state: ProtocolState) -> str:
    """The study's limit that is nearest to breaking."""
    metric = METRICS[next(rule.metric for rule in RULES if rule.name == each.name)]
    label = f"{in_account(metric.title, state.unit)}, in {each.scenario}"
    factor, unit = scale(in_account(each.unit, state.unit), (each.estimate.value, each.limit))

    def of(value: float) -> str:
        return _with(true_minus(significant(value * factor, 4)), unit)

    ends = interval(each.estimate.interval, of) if each.estimate.n else ""
    n = f" ({f'95% bounds {ends}' if ends != NOT_KNOWN else 'bounds not known'}, n = {each.estimate.n:,} paths)" if each.estimate.n else ""
    kept = (
        "is broken"
        if each.violation > 0.0
        else "is kept"
        if each.violation_high <= 0.0
        else "is kept by its figure, not by its bound: too few paths, or too near"
    )
    limit = f"{'at least' if each.at_least else 'at most'} {of(each.limit)}"
    return f"Of the study's limits the nearest, {label}, {limit}, {kept}: {of(each.estimate.value)}{n}."


def half(review: Review) -> str:
    """What half the step comes to."""
    found, whole = review.half, review.comparison
    if whole is None or not review.proposal.lines:
        return ""
    if found is None:
        return "There is no set half the way: the step is the smallest that a vote is held on."
    passes = " The smaller step would pass where the whole one does not." if whole.failed and not found.failed else ""
    return f"At half of each change {_failing(found)}; at the whole step {_failing(whole)}.{passes}"


def _failing(found: Comparison) -> str:
    if not found.failed:
        return f"none of the {count(len(found.gates), 'gate')} fails"
    return f"{len(found.failed)} of {count(len(found.gates), 'gate')} {'fails' if len(found.failed) == 1 else 'fail'}"


def note(each: Note, call: ReadCall, state: ProtocolState) -> str:
    """What is to be known of a call."""
    return f"Call {call.number}, {call.place}: {_NOTES[each.kind](each, state)}"


def _shared_out(each: Note, _: ProtocolState) -> str:
    shares = ", ".join(f"{name} × {significant(by, 4)}" for name, by in zip(each.names, each.numbers, strict=True))
    how = f"{shares}, as the others have no part of it now" if len(each.names) == 1 else f"here they change in proportion, {shares}"
    return f"sets one sum over several AMOs and does not say whose part of it changes; {how}. The verdict is of that split alone (--split NAME=SHARE tells another)."


def _ramp(each: Note, state: ProtocolState) -> str:
    end = each.numbers[0]
    when = f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M} UTC" if 0 <= end < LAST_SECOND else f"second {end:.0f}"
    hours = significant(state.markets.ramp_hours.value, 4)
    return f"A moves in a straight line until {when}; simulated is a ramp of {hours} h, as the state says, from its date on."


def _refused(each: Note, _: ProtocolState) -> str:
    factor = significant(each.numbers[0], 3)
    return f"changes A by a factor of {factor}; the pool refuses more than 10 times up or down at once, so this call reverts."


def _drift(each: Note, _: ProtocolState) -> str:
    return f"the chain held {', '.join(each.names)} at block {each.numbers[0]:.0f}, the study takes another value to be in force: what changes is counted from the study's."


_NOTES: dict[NoteKind, Callable[[Note, ProtocolState], str]] = {
    "no change": lambda _, __: "sets what is in force already; no change.",
    "overtaken": lambda _, __: "a later call of the same function overtakes it.",
    "shared out": _shared_out,
    "told apart": lambda each, _: f"the share of {', '.join(each.names)} is not the call's, but was told with --split.",
    "ramp": _ramp,
    "ramp refused": _refused,
    "caller": lambda each, _: f"{each.names[0]} obeys {each.names[1]} alone; sent by anybody else the call reverts.",
    "drift": _drift,
}


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
