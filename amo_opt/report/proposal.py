"""The text to post: what is asked, why, the drawback, what it costs, how sure, in at most 1,200 words. Everything else stands in the appendix, section by section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.first_page import worst_words
from amo_opt.report.schedule import moment
from amo_opt.report.sections import costs, worst
from amo_opt.report.sections.front import freshness
from amo_opt.report.sections.guard_rails import dates_of
from amo_opt.wording import MISSING, Markdown, clean, code, count, escape, fixed, significant, true_minus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amo_opt.report.account import Account
    from amo_opt.report.first import First, Tile

MOST_WORDS = 1200
MOST_ROWS = 12
"""Parameters of the table of changes; the others are counted, and stand in the appendix."""
MOST_SCENARIOS = 14
DISCLAIMER = "who wrote this, who paid for it, which tokens and positions the author holds, and what the reader must not take it for"


def proposal_text(facts: Account, where: Mapping[str, str]) -> str:
    """The proposal as Markdown; ``where`` says in which part of the appendix a section or a table stands."""
    first = facts.first
    parts = [
        f"# [PARAM] {escape(first.title)}",
        _summary(facts),
        _section("Why now", _why_now(facts)),
        _section("Change" if first.recommended else f"What was weighed against today’s set: {first.option}", _changes(first, where))
        if first.changes
        else "",
        _section("Benefit", _benefit(first)),
        _section("Risks", _risks(facts, where)),
        _section("How far to trust this", _trust(facts, where)),
        _section("Execution", _execution(facts, where)),
        _section("Rollback and monitoring", _rollback(facts)),
        _section("Next steps", _steps(facts)),
        _section("Disclosure", _disclosure(facts, where)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def words_of(text: str) -> int:
    """Words a reader reads: no table rules, no heading marks, no list marks."""
    return len([word for word in text.replace("|", " ").split() if any(letter.isalnum() for letter in word)])


def _section(title: str, body: str) -> str:
    return f"## {escape(title)}\n\n{body}" if body else ""


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    rule = "|".join("---:" if place in right else "---" for place in range(len(head)))
    return "\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)])


def _see(where: Mapping[str, str], name: str) -> str:
    """``(appendix 2)``, nothing where the topic is empty."""
    return f" ({where[name]})" if name in where else ""


def _summary(facts: Account) -> str:
    first = facts.first
    before, asked, after = (escape(each) for each in first.ask)
    warned = "".join(f" · **{each}**" for each in facts.decision.warnings)
    pros = "\n".join(f"- **For.** {escape(line)}" for line in first.pros)
    cons = "\n".join(f"- **Against.** {escape(line)}" for line in first.cons)
    return f"## Summary\n\n**{facts.decision.chip}**{warned}\n\n{before.strip()} **{asked}**{after}\n\n{pros}\n{cons}"


def _why_now(facts: Account) -> str:
    notes = " ".join(clean(facts.study.notes).split())
    told = f" {escape(notes if len(notes) <= 320 else notes[:320].rsplit(' ', 1)[0] + ' …')}" if notes else ""
    return f"The figures are those of {facts.study.state.date.isoformat()}. {escape(freshness(facts))}{told}"


def _changes(first: First, where: Mapping[str, str]) -> str:
    head = "Proposed" if first.recommended else first.option
    rows = [
        (f"{escape(each.label)} {code(each.name)}", escape(each.now), escape(each.then), escape(each.change), escape(each.effect))
        for each in first.changes[:MOST_ROWS]
    ]
    table = _table(("Parameter", "Now", escape(head), "Change", "What that is"), rows, right=(1, 2, 3))
    more = len(first.changes) - len(rows)
    rest = f" {count(more, 'more parameter')} {'changes' if more == 1 else 'change'} too." if more > 0 else ""
    return f"{table}\n\nFunctions, raw integers and limits on chain{_see(where, 'parameters') or ': appendix'}.{rest}"


def _difference(tile: Tile) -> str:
    """``+0.144 points (95%: +0.142 to +0.145; allowed −0.1; n = 12,912)``."""
    found = tile.difference
    if found is None:
        return ""
    known = (
        "not known"
        if found.interval is None
        else f"{fixed(found.low, tile.digits, signed=True)} to {fixed(found.high, tile.digits, signed=True)}"
    )
    allowed = true_minus(significant(-tile.allowed if tile.side > 0 else tile.allowed, 2, signed=True))
    return f"{fixed(found.value, tile.digits, signed=True)} {tile.unit} (95% interval {known}; allowed {allowed}; n = {found.n:,})"


def _benefit(first: First) -> str:
    rows = []
    for tile in (first.yields, first.peg):
        now = tile.levels[0].text if tile.levels else MISSING
        then = tile.levels[1].text if len(tile.levels) > 1 else MISSING
        rows.append((tile.title, escape(now), escape(then), escape(_difference(tile)) or MISSING, f"{tile.state[0]} {tile.state[1]}"))
    limits = first.limits
    table = _table(("", "Today", first.option or "–", "Difference", "Verdict"), rows)
    return f"{table}\n\nLimits of {escape(limits.of)}: {limits.kept} of {limits.total} kept at the cautious bound{_nearest(first)}."


def _nearest(first: First) -> str:
    nearest = first.limits.nearest
    if nearest is None:
        return ""
    used = nearest.then if first.recommended and nearest.then is not None else nearest.now
    share = "" if used is None else f", {fixed(100.0 * min(used, 99.99), 0)}% of it used"
    return f"; the nearest is “{escape(nearest.title)}” in {escape(nearest.scenario or 'any scenario')}{share}"


def _risks(facts: Account, where: Mapping[str, str]) -> str:
    first = facts.first
    lines = []
    if first.worst is not None:
        lines.append(f"**Worst path.** {escape(worst_words(first, first.worst).partition('. ')[2])}")
    capacity = _named(worst.finding(facts) if facts.result.run_capacities else "", first).replace("in the table", "in the appendix")
    if capacity:
        lines.append(
            f"**Run capacity.** {escape(capacity)}. A run is survived where 95% of paths end near the peg; what is paid out of it is less, and the rest waits or sells{_see(where, 'worst')}."
        )
    moving = _named(costs.finding(facts) if facts.result.change_costs else "", first)
    if moving and first.changes:
        lines.append(f"**The move itself.** {escape(moving)}{_see(where, 'costs')}.")
    drawbacks = [row for row in facts.metrics if row.verdict.word == "WORSE"]
    if drawbacks:
        named = ", ".join(f"{escape(row.title)} {row.difference} {row.difference_unit}".rstrip() for row in drawbacks[:3])
        whose = "the proposed set" if first.recommended else first.option
        lines.append(f"**Worse under {whose}, beyond the interval:** {named}{_see(where, 'evidence')}.")
    return _bullets(lines) or "No path was singled out."


def _named(text: str, first: First) -> str:
    """The text with the set that is shown called what it is called here, and not by its number in the search."""
    for name, option in first.names.items():
        text = text.replace(f"alternative {name}", option)
    return text.replace(", proposed ", f", {first.option} ")


def _trust(facts: Account, where: Mapping[str, str]) -> str:
    marks = {True: "●", False: "▼", None: "–"}
    lines = [f"{marks[each.good]} **{escape(each.finding)}:** {escape(each.detail)}" for each in facts.first.trust]
    lines.append(
        f"Intervals cover the sampling of paths, not errors of the model, of the state or of the scenarios’ weights{_see(where, 'validity')}."
    )
    return _bullets(lines)


def _execution(facts: Account, where: Mapping[str, str]) -> str:
    """What is sent, by whom and in which file, and what became of it when it was run; else why nothing is."""
    execution = facts.execution
    if execution.batch is None and not execution.payloads:
        return (
            _bullets([escape(f"{each.split('. ')[0].rstrip('.')}.") for each in execution.reasons]) + _see(where, "execution")
            or "Nothing is executed."
        )
    parts = [_bullets([escape(each) for each in execution.reasons])]
    if execution.batch is not None:
        parts.append(f"{code('safe-batch.json')} is for Safe’s Transaction Builder, checksum {code(execution.batch['meta']['checksum'])}.")
        parts.append(_table(("Call", "Now"), [(code(row.text), escape(row.before)) for row in execution.calls[:MOST_ROWS]]))
    for payload in execution.payloads:
        parts.append(f"**{escape(payload.title)}**, sent by {escape(payload.sender)}: {', '.join(code(name) for name in payload.files)}.")
        parts.append(_table(("Call", "Now"), [(code(row.text), escape(row.before)) for row in payload.calls[:MOST_ROWS]]))
        parts.append(_bullets([escape(note) for note in payload.notes[1:5]]))
    warnings = [note for note in execution.notes if note.startswith("Warning: ")]  # of what is signed: never cut
    others = [note for note in execution.notes if note not in warnings]
    parts.append(_bullets([escape(note) for note in (*warnings, *others[:3])]))
    parts.append(f"Calldata, addresses and what no call makes{_see(where, 'execution') or ': appendix'}.")
    return "\n\n".join(part for part in parts if part)


def _rollback(facts: Account) -> str:
    rows = [(escape(each.what), escape(each.trigger), escape(each.action)) for each in facts.monitoring.triggers[:4]]
    table = _table(("Watch", "Trigger", "Then"), rows) if rows else ""
    back = [name for payload in facts.execution.payloads for name in payload.files if "revert" in name or "stop" in name]
    files = [*(["safe-batch-revert.json"] if facts.execution.revert is not None else []), *back]
    undone = f"To undo it: {', '.join(code(name) for name in files)}." if files else "There is nothing to undo, for nothing is executed."
    more = len(facts.monitoring.triggers) - len(rows)
    rest = f" {count(more, 'more trigger')} in {code('monitor.json')}." if more > 0 else f" The same in {code('monitor.json')}."
    return "\n\n".join(filter(None, (f"{undone}{rest}", table)))


def _steps(facts: Account) -> str:
    dated = [f"**{moment(when).partition(' (')[0]}:** {what.lower()}" for what, when, _ in dates_of(facts)]
    if facts.execution.batch is not None or facts.execution.payloads:
        return _bullets([*dated, "Before signing: read every value in force again, and compare each address with the explorer’s."])
    if facts.first.recommended:
        return _bullets(["Mend what keeps this from being signed (above), and run the study again.", *dated])
    return "Run the study again when the state has moved, or when what was not known is known."


def _disclosure(facts: Account, where: Mapping[str, str]) -> str:
    search = facts.disclosure
    trials = dict(search.sizes).get("Trials", "")
    return _bullets(
        [
            f"Search: {escape(trials)} trials; figures from {escape(facts.paths)}{_see(where, 'search')}.",
            f"{len(facts.sourced)} figures of the state have a source, {len(facts.assumed)} are assumed{_see(where, 'assumed')}.",
            f"To get the same bytes, in the study file’s folder: {code(search.command)} (study {code(facts.study.hash[:16])}, results {code(facts.results_hash[:16])}).",
            "Second opinion: *to be filled in by a reviewer.*",
            Markdown(f"Disclaimer and conflicts of interest, to be filled in by the author before posting: *{DISCLAIMER}.*"),
        ]
    )
