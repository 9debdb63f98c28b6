"""The text to post: what is asked, why, the drawback, what it costs, how sure, in at most 1,200 words. Everything else stands in the appendix, section by section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Bullets, Code, Inline, Line, Named, See, Strong, Table, Text, ToFill, num, to_markdown
from amo_opt.report.first_page import worst_words
from amo_opt.report.payloads import before_words
from amo_opt.report.schedule import moment
from amo_opt.report.sections import costs, worst
from amo_opt.report.sections.execution import BATCH, REVERT
from amo_opt.report.sections.front import freshness
from amo_opt.report.sections.guard_rails import dates_of
from amo_opt.report.sections.reproduce import DISCLAIMER
from amo_opt.report.sections.search import run_command, trials_words
from amo_opt.wording import MISSING, clean, count, escape, fixed, significant, true_minus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amo_opt.onchain.calls import Call
    from amo_opt.report.account import Account
    from amo_opt.report.first import First, Tile

MOST_WORDS = 1200
MOST_ROWS = 12
"""Parameters of the table of changes; the others are counted, and stand in the appendix."""


def proposal_text(of: Account, where: Mapping[str, str]) -> str:
    """The proposal as Markdown; ``where`` says in which part of the appendix a section or a table stands."""
    first = of.first
    change = "Change" if first.recommended else f"What was weighed against today’s set: {first.option}"
    sections = {
        "Summary": _summary(of),
        "Why now": _why_now(of),
        change: _changes(first),
        "Benefit": _benefit(first),
        "Risks": _risks(of),
        "How far to trust this": _trust(of),
        "Execution": _execution(of),
        "Rollback and monitoring": _rollback(of),
        "Next steps": _steps(of),
        "Disclosure": _disclosure(of),
    }
    written = [f"# [PARAM] {escape(first.title)}"]
    for title, blocks in sections.items():
        if body := to_markdown(blocks, where):
            written.append(f"## {escape(title)}\n\n{body}")
    return "\n\n".join(written) + "\n"


def words_of(text: str) -> int:
    """Words a reader reads: no table rules, no heading marks, no list marks."""
    return len([word for word in text.replace("|", " ").split() if any(letter.isalnum() for letter in word)])


def _see(key: str) -> tuple[Inline, ...]:
    """``(appendix 2)``."""
    return " (", See(key, "appendix"), ")"


def _summary(of: Account) -> list[Block]:
    first, warned = of.first, [part for each in of.decision.warnings for part in (" · ", Strong(str(each)))]
    before, asked, after = first.ask
    sides = [*((Strong("For."), f" {line}") for line in first.pros), *((Strong("Against."), f" {line}") for line in first.cons)]
    return [Text(Strong(str(of.decision.chip)), *warned), Text(f"{before.strip()} ", Strong(asked), after), Bullets(sides)]


def _why_now(of: Account) -> list[Block]:
    notes = " ".join(clean(of.study.notes).split())
    told = notes if len(notes) <= 320 else f"{notes[:320].rsplit(' ', 1)[0]} …"
    return [Text(f"The figures are those of {of.study.state.date.isoformat()}. {freshness(of)} {told}".rstrip())]


def _changes(first: First) -> list[Block]:
    if not first.changes:
        return []
    heads = ("Parameter", num("Now"), num("Proposed" if first.recommended else first.option), num("Change"), "What that is")
    rows = [(Named(each.label, (each.name,)), each.now, each.then, each.change, each.effect) for each in first.changes[:MOST_ROWS]]
    more = len(first.changes) - len(rows)
    rest = f" {count(more, 'more parameter')} {'changes' if more == 1 else 'change'} too." if more > 0 else ""
    return [Table(heads, rows), Text("Functions, raw integers and limits on chain", *_see("parameters"), f".{rest}")]


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


def _benefit(first: First) -> list[Block]:
    rows = []
    for tile in (first.yields, first.peg):
        now, then = (tile.levels[place].text if len(tile.levels) > place else MISSING for place in (0, 1))
        rows.append((tile.title, now, then, _difference(tile) or MISSING, f"{tile.state[0]} {tile.state[1]}"))
    limits = first.limits
    return [
        Table(("", "Today", first.option or "–", "Difference", "Verdict"), rows),
        Text(f"Limits of {limits.of}: {limits.kept} of {limits.total} kept at the cautious bound{_nearest(first)}."),
    ]


def _nearest(first: First) -> str:
    nearest = first.limits.nearest
    if nearest is None:
        return ""
    used = nearest.then if first.recommended and nearest.then is not None else nearest.now
    share = "" if used is None else f", {fixed(100.0 * min(used, 99.99), 0)}% of it used"
    return f"; the nearest is “{nearest.title}” in {nearest.scenario or 'any scenario'}{share}"


def _risks(of: Account) -> list[Block]:
    first = of.first
    lines: list[Line] = []
    if first.worst is not None:
        lines.append((Strong("Worst path."), f" {worst_words(first, first.worst).partition('. ')[2]}"))
    capacity = _named(worst.finding(of) if of.result.run_capacities else "", first).replace("in the table", "in the appendix")
    if capacity:
        meant = "A run is survived where 95% of paths end near the peg; what is paid out of it is less, and the rest waits or sells"
        lines.append((Strong("Run capacity."), f" {capacity}. {meant}", *_see("worst"), "."))
    moving = _named(costs.finding(of) if of.result.change_costs else "", first)
    if moving and first.changes:
        lines.append((Strong("The move itself."), f" {moving}", *_see("costs"), "."))
    drawbacks = [row for row in of.metrics if row.verdict.word == "WORSE"]
    if drawbacks:
        named = ", ".join(f"{row.title} {row.difference} {row.difference_unit}".rstrip() for row in drawbacks[:3])
        whose = "the proposed set" if first.recommended else first.option
        lines.append((Strong(f"Worse under {whose}, beyond the interval:"), f" {named}", *_see("evidence"), "."))
    return [Bullets(lines) if lines else Text("No path was singled out.")]


def _named(text: str, first: First) -> str:
    """The text with the set that is shown called what it is called here, and not by its number in the search."""
    for name, option in first.names.items():
        text = text.replace(f"alternative {name}", option)
    return text.replace(", proposed ", f", {first.option} ")


def _trust(of: Account) -> list[Block]:
    marks = {True: "●", False: "▼", None: "–"}
    lines: list[Line] = [(f"{marks[each.good]} ", Strong(f"{each.finding}:"), f" {each.detail}") for each in of.first.trust]
    told = "Intervals cover the sampling of paths, not errors of the model, of the state or of the scenarios’ weights"
    return [Bullets([*lines, (told, *_see("validity"), ".")])]


def _execution(of: Account) -> list[Block]:
    """What is sent, by whom and in which file, and what became of it when it was run; else why nothing is."""
    found = of.execution
    if found.batch is None and not found.payloads:
        *reasons, last = (f"{each.split('. ')[0].rstrip('.')}." for each in found.reasons)
        return [Bullets([*reasons, (last, *_see("execution"))])]
    parts: list[Block] = [Bullets(found.reasons)]
    if found.batch is not None:
        checksum = Code(found.batch["meta"]["checksum"])
        parts += [Text(Code(BATCH), " is for Safe’s Transaction Builder, checksum ", checksum, "."), _calls(found.calls)]
    for each in found.payloads:
        parts += [
            Text(Strong(each.title), f", sent by {each.sender}: ", *_files(each.files), "."),
            _calls(each.calls),
            Bullets(each.notes[1:5]),
        ]
    warnings = [note for note in found.notes if note.startswith("Warning: ")]  # of what is signed: never cut
    others = [note for note in found.notes if note not in warnings]
    return [*parts, Bullets([*warnings, *others[:3]]), Text("Calldata, addresses and what no call makes", *_see("execution"), ".")]


def _calls(calls: tuple[Call, ...]) -> Table:
    return Table(("Call", "Now"), [(Code(each.text), before_words(each)) for each in calls[:MOST_ROWS]])


def _files(names: Iterable[str]) -> list[Inline]:
    """Names in a row."""
    parts: list[Inline] = [part for name in names for part in (", ", Code(name))]
    return parts[1:]


def _rollback(of: Account) -> list[Block]:
    triggers, shown = of.monitoring.triggers, 4
    back = [name for payload in of.execution.payloads for name in payload.files if "revert" in name or "stop" in name]
    files = [*([REVERT] if of.execution.revert is not None else []), *back]
    undone: list[Inline] = ["To undo it: ", *_files(files), "."] if files else ["There is nothing to undo, for nothing is executed."]
    more = len(triggers) - shown
    rest = f" {count(more, 'more trigger')} in " if more > 0 else " The same in "
    rows = [(each.what, each.trigger, each.action) for each in triggers[:shown]]
    return [Text(*undone, rest, Code("monitor.json"), "."), Table(("Watch", "Trigger", "Then"), rows)]


def _steps(of: Account) -> list[Block]:
    dated = [(Strong(f"{moment(when).partition(' (')[0]}:"), f" {what.lower()}") for what, when, _ in dates_of(of)]
    if of.execution.batch is not None or of.execution.payloads:
        return [Bullets([*dated, "Before signing: read every value in force again, and compare each address with the explorer’s."])]
    if of.first.recommended:
        return [Bullets(["Mend what keeps this from being signed (above), and run the study again.", *dated])]
    return [Text("Run the study again when the state has moved, or when what was not known is known.")]


def _disclosure(of: Account) -> list[Block]:
    hashes = (" (study ", Code(of.study.hash[:16]), ", results ", Code(of.results_hash[:16]), ").")
    assumed = _see("assumed") if of.assumed else ()
    return [
        Bullets(
            [
                (f"Search: {trials_words(of.result)} trials; figures from {of.paths}", *_see("search"), "."),
                (f"{len(of.sourced)} figures of the state have a source, {len(of.assumed)} are assumed", *assumed, "."),
                ("To get the same bytes, in the study file’s folder: ", Code(run_command(of.result)), *hashes),
                ("Second opinion: ", ToFill("to be filled in by a reviewer.")),
                ("Disclaimer and conflicts of interest, to be filled in by the author before posting: ", ToFill(DISCLAIMER)),
            ]
        )
    ]
