"""A review as documents: Markdown for a forum, one page of HTML without a script, JSON for machines. The first two are written from one list of blocks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape as html_escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amo_opt.amos.naming import title_of
from amo_opt.comparison import review_wording as words
from amo_opt.comparison.documents import gate_document, metric_document
from amo_opt.comparison.markdown import table as markdown_table
from amo_opt.comparison.markdown import whole
from amo_opt.comparison.wording import SHAPES, because, gate_question, gate_rows, row, setting
from amo_opt.config.identity import MODEL_VERSION
from amo_opt.errors import StorageError
from amo_opt.files import write_whole
from amo_opt.onchain.signatures import UNBOUNDED
from amo_opt.protocol.addresses import checksummed
from amo_opt.version import __version__
from amo_opt.wording import clean, code, count, escape, named, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.comparison.review import Review

SCHEMA = 1
MARKDOWN, PAGE, DATA = "review.md", "review.html", "review.json"


class Verbatim(str):
    """Text that is shown as it is: a call, bytes, a name."""

    __slots__ = ()


@dataclass(frozen=True)
class Lead:
    """The first lines: what is asked, the verdict, why."""

    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Heading:
    """A section begins."""

    text: str


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows under headings, figures to the right in the columns ``right``; ``folded`` is the line it is folded under."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    folded: str = ""


Block = Lead | Heading | Prose | Points | Table


def blocks(review: Review) -> list[Block]:
    """The review below its title."""
    reasons = [("Also" if place else "Why", each) for place, each in enumerate(words.why(review))]
    lead = [("Asked", words.asked(review)), ("Verdict", words.verdict(review)), *reasons]
    found: list[Block] = [Lead(tuple(lead)), *_unknown(review), *_changes(review)]
    comparison = review.comparison
    if comparison is not None:
        found += [Heading("Gate by gate"), _gates(review), Heading("What would have to be true"), Points(words.conditions(review))]
        found += _half(review)
    found += [Heading("On chain"), Prose(f"{words.sentence(review.dry_run.status)[:-1]}: {review.dry_run.why}.")]
    if review.dry_run.readings:
        rows = tuple((Verbatim(getter), before, after) for getter, before, after in review.dry_run.readings)
        found.append(Table(("getter", "before", "afterwards"), rows, right=(1, 2)))
    if comparison is not None:
        found += [
            Heading("What it rests on"),
            Prose(f"{words.sentence(setting(comparison))} Differences are proposal minus set in force."),
            _metrics(review),
        ]
    proposal = review.proposal
    found.append(Prose(f"{named(proposal.file)}, sha256 {proposal.sha256}; amo-opt {__version__}, model {MODEL_VERSION}."))
    return found


def _unknown(review: Review) -> list[Block]:
    read = review.proposal.read
    if read is None or not read.unknown:
        return []
    rows = tuple(
        (
            str(each.number),
            Verbatim(checksummed(each.transaction.to)),
            Verbatim(each.selector),
            words.unknown(each),
            Verbatim("0x" + each.transaction.data.hex()),
        )
        for each in read.unknown
    )
    return [
        Heading("Not understood"),
        Prose(
            f"What {count(len(rows), 'call')} would do is not known here, and nothing of it is in the figures below. Read it before you vote."
        ),
        Table(("call", "to", "selector", "why", "bytes"), rows),
    ]


def _changes(review: Review) -> list[Block]:
    proposal, state = review.proposal, review.study.state
    found: list[Block] = [Heading("What changes")]
    if proposal.lines:
        rows = tuple(
            (
                title_of(line.name, state),
                Verbatim(line.name),
                words.number(line.before),
                words.number(line.after),
                words.unit_of(line.name, state),
                Verbatim(f"{line.call}: {line.where}" if line.call is not None else line.where),
            )
            for line in proposal.lines
        )
        by = "by call" if proposal.transactions else "by"
        found.append(Table(("parameter", "name", "now", "proposed", "unit", by), rows, right=(2, 3)))
    else:
        found.append(Prose("No parameter."))
    notes = [words.sentence(each) for each in proposal.notes]
    limits: dict[str, str] = {}
    for call in proposal.read.calls if proposal.read is not None else ():
        notes += [words.note(each, call, state) for each in call.notes]
        if call.moved and call.limit not in ("", UNBOUNDED):
            limits.setdefault(call.place, call.limit)
    notes += [f"{place}: the contract takes {limit}." for place, limit in limits.items()]
    if notes:
        found.append(Points(tuple(notes)))
    return found


def _gates(review: Review) -> Table:
    comparison = review.comparison
    assert comparison is not None  # noqa: S101 - asked for where there is one
    rows = tuple(
        (
            whole(f"{SHAPES[gate.status]} {gate.status}"),
            f"{gate.title} ({gate.gate.cls})",
            gate_question(gate),
            told.shift if told else significant(gate.found, 6) if gate.found is not None else "",
            whole(told.interval) if told else "",
            whole(f"{SHAPES[gate.verdict]} {gate.verdict}"),
            because(gate.reason),
        )
        for gate, told in gate_rows(comparison)
    )
    return Table(("", "gate", "must be", "difference", "95% interval", "verdict", "because"), rows, right=(3, 4))


def _half(review: Review) -> list[Block]:
    told = words.half(review)
    found: list[Block] = [Heading("Half the step"), Prose(told)] if told else []
    if review.half is not None and review.comparison is not None:
        values = review.half.candidate.parameters.values()
        after = review.proposal.proposed.values()
        changed = tuple(
            (Verbatim(name), words.number(before), words.number(values[name]), words.number(after[name]))
            for name, before in review.proposal.current.values().items()
            if before != after[name]
        )
        rows = tuple(
            (
                gate.title,
                told_whole.shift if told_whole else significant(gate.found, 6) if gate.found is not None else "",
                whole(f"{SHAPES[gate.status]} {gate.status}"),
                told_half.shift if told_half else significant(half.found, 6) if half.found is not None else "",
                whole(told_half.interval) if told_half else "",
                whole(f"{SHAPES[half.status]} {half.status}"),
            )
            for (gate, told_whole), (half, told_half) in zip(gate_rows(review.comparison), gate_rows(review.half), strict=True)
        )
        found += [
            Table(("parameter", "now", "half", "whole"), changed, right=(1, 2, 3)),
            Table(("gate", "whole step", "", "half the step", "95% interval", ""), rows, right=(1, 3, 4)),
        ]
    return found


def _metrics(review: Review) -> Table:
    comparison = review.comparison
    assert comparison is not None  # noqa: S101 - as above
    rows = tuple(
        (
            f"{told.title}{f' [{told.unit}]' if told.unit else ''}",
            told.baseline,
            told.candidate,
            told.difference,
            whole(told.interval),
            told.tolerance,
            whole(f"{SHAPES[told.verdict]} {told.verdict}"),
        )
        for told in map(row, comparison.metrics)
    )
    heads = ("metric", "in force", "proposed", "difference", "95% interval", "tolerance", "verdict")
    return Table(heads, rows, right=(1, 2, 3, 4, 5), folded=f"All {len(rows)} metrics (n = {comparison.metrics[0].n:,} paths)")


# -- Markdown ----------------------------------------------------------------------------------------------------------------------


def markdown(review: Review) -> str:
    """The review for a forum or a pull request."""
    lines = [f"# {escape(words.title(review))}", ""]
    for block in blocks(review):
        lines += [*_markdown_of(block), ""]
    return "\n".join(lines[:-1]) + "\n"


def _markdown_of(block: Block) -> list[str]:
    match block:
        case Lead(lines):
            return [line for label, text in lines for line in (f"**{label}.** {escape(text)}", "")][:-1]
        case Heading(text):
            return [f"## {escape(text)}"]
        case Prose(text):
            return [escape(text)]
        case Points(lines):
            return [f"- {escape(each)}" for each in lines]
        case Table():
            cells = [tuple(code(each) if isinstance(each, Verbatim) else _kept(each) for each in one) for one in block.rows]
            drawn = markdown_table(block.heads, cells, right=block.right)
            return [f"<details><summary>{block.folded}</summary>", "", *drawn, "", "</details>"] if block.folded else drawn


def _kept(cell: str) -> str:
    """A cell that stays on its line where its spaces do not break."""
    return "\N{NO-BREAK SPACE}".join(escape(each) for each in cell.split("\N{NO-BREAK SPACE}"))


# -- HTML --------------------------------------------------------------------------------------------------------------------------

STYLE = """
:root { color-scheme: light; --ink: #22272b; --soft: #5b6167; --line: #d5d9dd; --wash: #f4f6f8; --blue: #0072b2; --orange: #b84f00; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1.25rem 4rem; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif; }
p, ul { max-width: 46rem; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.4rem, 1.1rem + 1.5vw, 2rem); line-height: 1.2; margin: .2rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .7rem; padding-top: .7rem; border-top: 2px solid var(--ink); }
code { font: .875em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
.lead { border: 2px solid var(--ink); border-radius: 6px; padding: 1rem 1.2rem; background: var(--wash); max-width: 54rem; margin: 0;
  display: grid; grid-template-columns: 5rem 1fr; gap: .5rem 1rem; }
.lead dt { font-weight: 650; }
.lead dd { margin: 0; overflow-wrap: anywhere; }
.passes h1, .passes .lead { border-color: var(--blue); }
.fails h1 { color: var(--orange); }
.fails .lead, .not-known .lead { border-color: var(--orange); }
.scroll { overflow-x: auto; margin: .9rem 0; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; }
th, td { text-align: left; vertical-align: top; padding: .38rem .9rem .38rem 0; border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; border-bottom: 1.5px solid var(--ink); }
.num { text-align: right; font-variant-numeric: tabular-nums; }
td code { display: inline-block; min-width: 6rem; max-width: 24rem; }
summary { cursor: pointer; }
@media (max-width: 36rem) { .lead { grid-template-columns: 1fr; gap: .1rem; } .lead dd { margin-bottom: .6rem; } }
@page { size: A4; margin: 16mm 14mm; }
@media print { body { max-width: none; padding: 0; } .scroll { overflow: visible; } tr { break-inside: avoid; } }
"""


def page(review: Review) -> str:
    """One page that needs nothing beside it and runs nothing."""
    title = _html(words.title(review))
    body, kind = "\n".join(_html_of(block) for block in blocks(review)), review.word.replace(" ", "-")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n"
        f'<body class="{kind}">\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n'
    )


def _html(text: str) -> str:
    shown = html_escape(clean(str(text)))
    return f"<code>{shown}</code>" if isinstance(text, Verbatim) else shown


def _html_of(block: Block) -> str:
    match block:
        case Lead(lines):
            return f'<dl class="lead">{"".join(f"<dt>{_html(label)}</dt><dd>{_html(text)}</dd>" for label, text in lines)}</dl>'
        case Heading(text):
            return f"<h2>{_html(text)}</h2>"
        case Prose(text):
            return f"<p>{_html(text)}</p>"
        case Points(lines):
            return f"<ul>{''.join(f'<li>{_html(each)}</li>' for each in lines)}</ul>"
        case Table():
            heads, rows = _cells(block.heads, block.right, "th"), "".join(_cells(each, block.right, "td") for each in block.rows)
            drawn = f'<div class="scroll" tabindex="0"><table><thead>{heads}</thead><tbody>{rows}</tbody></table></div>'
            return f"<details><summary>{_html(block.folded)}</summary>{drawn}</details>" if block.folded else drawn


def _cells(cells: Sequence[str], right: Sequence[int], kind: str) -> str:
    marks = [(' scope="col"' if kind == "th" else "") + (' class="num"' if place in right else "") for place in range(len(cells))]
    return f"<tr>{''.join(f'<{kind}{mark}>{_html(each)}</{kind}>' for mark, each in zip(marks, cells, strict=True))}</tr>"


# -- JSON --------------------------------------------------------------------------------------------------------------------------


def json_document(review: Review) -> dict[str, Any]:
    """The document behind ``--json`` and review.json; figures in their metric's own unit, every one finite; what is not known is null."""
    proposal, found, study = review.proposal, review.comparison, review.study
    read = proposal.read
    return {
        "schema": SCHEMA,
        "kind": "amo-opt review",
        "verdict": review.word,
        "exit_status": review.exit_status,
        "asked": words.asked(review),
        "because": [words.verdict(review), *words.why(review)],
        "proposal": {
            "file": proposal.file,
            "form": proposal.form,
            "sha256": proposal.sha256,
            "calls": len(proposal.transactions),
            "notes": [
                *proposal.notes,
                *(words.note(each, call, study.state) for call in (read.calls if read else ()) for each in call.notes),
            ],
        },
        "changes": [
            {"parameter": line.name, "now": line.before, "proposed": line.after, "call": line.call, "where": line.where}
            for line in proposal.lines
        ],
        "unknown_calls": [
            {
                "call": each.number,
                "to": checksummed(each.transaction.to),
                "value": str(each.transaction.value),
                "selector": each.selector,
                "data": "0x" + each.transaction.data.hex(),
                "why": words.unknown(each),
            }
            for each in (read.unknown if read else ())
        ],
        "study": {"name": study.name, "hash": study.hash, "seed": study.search.seed},
        "model": MODEL_VERSION,
        "paths": None if found is None else found.paths,
        "twins": None if found is None else found.baseline.twins,
        "resamples": None if found is None else found.resamples,
        "gates": [] if found is None else [gate_document(gate) for gate in found.gates],
        "metrics": [] if found is None else [metric_document(metric) for metric in found.metrics],
        "conditions": [*words.conditions(review)],
        "half": None
        if review.half is None
        else {
            "verdict": review.half.verdict,
            "changes": {name: value for name, _, value in review.half.changes},
            "gates": [gate_document(gate) for gate in review.half.gates],
        },
        "dry_run": {
            "status": review.dry_run.status,
            "why": review.dry_run.why,
            "readings": [{"getter": getter, "before": before, "after": after} for getter, before, after in review.dry_run.readings],
        },
    }


def json_text(review: Review) -> str:
    """The JSON document as text."""
    return json.dumps(json_document(review), indent=2, allow_nan=False) + "\n"


def write_review(review: Review, folder: Path) -> None:
    """Writes the three documents into ``folder``, made if need be, each whole or not at all. Raises `StorageError` where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"nothing can be written to {folder}: {error.strerror or error}; name another folder with --out") from error
    for name, text in ((MARKDOWN, markdown(review)), (PAGE, page(review)), (DATA, json_text(review))):
        write_whole(folder / name, text)
