"""What a section is made of: paragraphs, tables and pictures that hold values, turned into Markdown or HTML here and nowhere else.

A section says once what stands in it. The page shows all of it; the appendix moves what is `Long` behind the sections and says where it went.
Text of others is cleaned where it is read and escaped here.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape as html_escape
from typing import TYPE_CHECKING, Protocol

from amo_opt.report.wording import Chip, Scale
from amo_opt.wording import MISSING, code, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amo_opt.report.figures import Drawing
    from amo_opt.scoring.types import Estimate

    Where = Mapping[str, str]
    Drawings = Mapping[str, tuple[Drawing, ...]]


# -- within a line ------------------------------------------------------------------------------------------------------------------


class Piece(Protocol):
    """Part of a line that is more than text."""

    def markdown(self, where: Where) -> str:
        """Itself in the appendix; ``where`` says in which part of it a section or a long part stands."""
        ...

    def html(self) -> str:
        """Itself on the page."""
        ...


Inline = str | Piece | Chip | None
Line = Inline | tuple[Inline, ...]
"""One piece, or several in a row; None is a figure that is not there."""


@dataclass(frozen=True)
class Code:
    """A name or a command as it is typed; the page shows its first ``short`` letters and the whole on hovering."""

    text: str
    short: int = 0

    def markdown(self, _where: Where) -> str:
        """As inline code, whole."""
        return code(self.text)

    def html(self) -> str:
        """As code."""
        if self.short and len(self.text) > self.short:
            return f'<code title="{html_escape(self.text)}">{html_escape(self.text[: self.short])}…</code>'
        return f"<code>{html_escape(self.text)}</code>"


@dataclass(frozen=True)
class Strong:
    """What is read first."""

    text: str

    def markdown(self, _where: Where) -> str:
        """Bold."""
        return f"**{escape(self.text)}**"

    def html(self) -> str:
        """Bold."""
        return f"<b>{html_escape(self.text)}</b>"


@dataclass(frozen=True)
class ToFill:
    """What the author fills in before posting."""

    text: str

    def markdown(self, _where: Where) -> str:
        """Set apart."""
        return f"*{escape(self.text)}*"

    def html(self) -> str:
        """Set apart."""
        return f"<i>{html_escape(self.text)}</i>"


@dataclass(frozen=True)
class See:
    """Where a section or a `Long` part stands: ``appendix 2`` in the appendix, on the page a link of these words."""

    key: str
    text: str = "below"

    def markdown(self, where: Where) -> str:
        """The part of the appendix, the words where it is in none."""
        return where.get(self.key, escape(self.text, start=False))

    def html(self) -> str:
        """A link within the page."""
        return f'<a href="#{self.key}">{html_escape(self.text)}</a>'


@dataclass(frozen=True)
class Named:
    """A title with the names that files call it by, or with what else belongs below it; ``mark`` stands behind it and is explained below the table."""

    title: str
    names: tuple[str, ...] = ()
    below: str = ""
    mark: str = ""

    def markdown(self, _where: Where) -> str:
        """Title and names in a row."""
        return " ".join(filter(None, (escape(self.title), self.mark, *map(code, self.names))))

    def html(self) -> str:
        """Names and the rest on lines of their own."""
        below = [*(f"<code>{html_escape(name)}</code>" for name in self.names), *([html_escape(self.below)] if self.below else [])]
        lines = "".join(f'<span class="subtitle">{line}</span>' for line in below)
        return html_escape(f"{self.title} {self.mark}".rstrip()) + lines


@dataclass(frozen=True)
class Told:
    """A figure and its interval that are text already; ``verdict`` is the shape behind them."""

    value: str
    interval: str = ""
    verdict: Chip | None = None

    def markdown(self, _where: Where) -> str:
        """``1.2 (0.9 to 1.5) ▲``."""
        interval = f"({escape(self.interval)})" if self.interval and self.interval != self.value else ""
        return " ".join(filter(None, (escape(self.value), interval, "" if self.verdict is None else self.verdict.shape)))

    def html(self) -> str:
        """The interval below the figure."""
        shape = (
            ""
            if self.verdict is None
            else f' <span aria-hidden="true">{self.verdict.shape}</span><span class="hidden">{self.verdict.word}</span>'
        )
        return f"{html_escape(self.value)}{shape}{f'<small>{html_escape(self.interval)}</small>' if self.interval else ''}"


def told(of: Estimate | None, scale: Scale, *, signed: bool = False, verdict: Chip | None = None) -> Told:
    """A figure with its interval at a scale; a signed one is a difference."""
    if of is None:
        return Told(MISSING, "", verdict)
    return Told(scale.number(of.value, signed=signed), scale.interval(of, signed=signed), verdict)


@dataclass(frozen=True)
class Moved:
    """A figure of a scenario: before, after, the difference with its interval; ``verdict`` None where nothing stands against the current set."""

    before: str
    after: str
    difference: str
    interval: str
    verdict: Chip | None

    def markdown(self, _where: Where) -> str:
        """``2.1 → 2.4 ▲ (+0.1 to +0.5)``."""
        after = "" if self.verdict is None else f" → {self.after} {self.verdict.shape}"
        return f"{self.before}{after} ({self.interval})"

    def html(self) -> str:
        """The difference first."""
        if self.verdict is None:
            return f"{self.before}<small>{self.interval}</small>"
        shape = f'<span title="{self.verdict.word}">{self.verdict.shape}</span>'
        return f"<b>{self.difference}</b> {shape}<small>{self.interval}</small><small>{self.before} → {self.after}</small>"


def line_markdown(line: Line, where: Where) -> str:
    """A line as Markdown; text keeps the blanks at its ends, so that pieces do not run together."""
    return "".join(_markdown(each, where, start=not place) for place, each in enumerate(line if isinstance(line, tuple) else (line,)))


def _markdown(piece: Inline, where: Where, *, start: bool) -> str:
    if piece is None:
        return MISSING
    if isinstance(piece, str):
        return f"{' ' * piece[:1].isspace()}{escape(piece, start=start)}{' ' * (piece[-1:].isspace() and not piece.isspace())}"
    return str(piece) if isinstance(piece, Chip) else piece.markdown(where)


def line_html(line: Line) -> str:
    """A line as markup."""
    return "".join(map(_html, line if isinstance(line, tuple) else (line,)))


def _html(piece: Inline) -> str:
    if piece is None:
        return MISSING
    if isinstance(piece, str):
        return html_escape(piece)
    if isinstance(piece, Chip):
        return f'<span class="chip {piece.kind}"><span aria-hidden="true">{piece.shape}</span> {piece.word}</span>'
    return piece.html()


# -- blocks -------------------------------------------------------------------------------------------------------------------------


class Block(Protocol):
    """Something that stands on lines of its own; what renders as nothing is left out."""

    def markdown(self, where: Where) -> str:
        """Itself in the appendix."""
        ...

    def html(self, drawings: Drawings) -> str:
        """Itself on the page."""
        ...


class Text:
    """A paragraph; ``kind`` is a class of the page (``small``, ``notes``)."""

    def __init__(self, *parts: Inline, kind: str = "") -> None:
        self.parts, self.kind = parts, kind

    def markdown(self, where: Where) -> str:
        """One line."""
        return line_markdown(self.parts, where)

    def html(self, _drawings: Drawings) -> str:
        """A paragraph."""
        return f"<p{_classed(self.kind)}>{line_html(self.parts)}</p>" if any(self.parts) else ""


@dataclass(frozen=True)
class Heading:
    """A heading within a section; ``anchor`` is what links lead to."""

    text: str
    anchor: str = ""
    level: int = 3

    def markdown(self, _where: Where) -> str:
        """By hashes."""
        return f"{'#' * self.level} {escape(self.text)}"

    def html(self, _drawings: Drawings) -> str:
        """A heading."""
        anchor = f' id="{self.anchor}"' if self.anchor else ""
        return f"<h{self.level}{anchor}>{html_escape(self.text)}</h{self.level}>"


@dataclass(frozen=True)
class Column:
    """A head and how its cells stand: ``num`` right, ``n`` right and narrow, ``text`` wide enough for sentences, ``small``."""

    head: str
    kind: str = ""


def num(head: str) -> Column:
    """A column of figures."""
    return Column(head, "num")


def n(head: str = "n") -> Column:
    """A column of sample sizes."""
    return Column(head, "n")


def wide(head: str) -> Column:
    """A column of sentences, addresses or calldata."""
    return Column(head, "text")


class Table:
    """Rows under heads, the first cell of each being the row's name; without rows there is no table. ``narrow`` ones do not fill the page."""

    def __init__(
        self, columns: Sequence[Column | str], rows: Iterable[Sequence[Line]], *, label: str = "Table", narrow: bool = False, kind: str = ""
    ) -> None:
        self.columns = tuple(each if isinstance(each, Column) else Column(each) for each in columns)
        self.rows = tuple(tuple(row) for row in rows)
        self.label = label
        self.kind = " ".join(filter(None, ("narrow" if narrow else "", kind)))

    def markdown(self, where: Where) -> str:
        """A table of one line a row."""
        heads = [escape(each.head) for each in self.columns]
        rules = ["---:" if each.kind in ("num", "n") else "---" for each in self.columns]
        return _rows(heads, rules, [[line_markdown(cell, where) for cell in row] for row in self.rows]) if self.rows else ""

    def html(self, _drawings: Drawings) -> str:
        """A table that scrolls by itself."""
        if not self.rows:
            return ""
        heads = "".join(f'<th scope="col"{_classed(_kind(each, head=True))}>{html_escape(each.head)}</th>' for each in self.columns)
        rows = "".join(f"<tr>{''.join(map(_cell, self.columns, row, range(len(row))))}</tr>\n" for row in self.rows)
        return (
            f'<div class="scroll" tabindex="0" role="group" aria-label="{html_escape(self.label)}"><table{_classed(self.kind)}>\n'
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>"
        )


@dataclass(frozen=True)
class Pairs:
    """Names and what they are, without heads."""

    rows: tuple[tuple[str, Line], ...]

    def markdown(self, where: Where) -> str:
        """A table without heads."""
        return _rows([" ", " "], ["---", "---"], [[escape(name), line_markdown(line, where)] for name, line in self.rows])

    def html(self, _drawings: Drawings) -> str:
        """A grid."""
        cells = "".join(f"<div><dt>{html_escape(name)}</dt><dd>{line_html(line)}</dd></div>\n" for name, line in self.rows)
        return f'<dl class="meta">\n{cells}</dl>'


class Bullets:
    """A list; without items there is none."""

    def __init__(self, items: Iterable[Line]) -> None:
        self.items = tuple(items)

    def markdown(self, where: Where) -> str:
        """By dashes."""
        return "\n".join(f"- {line_markdown(each, where)}" for each in self.items)

    def html(self, _drawings: Drawings) -> str:
        """A list."""
        items = "".join(f"<li>{line_html(each)}</li>\n" for each in self.items)
        return f"<ul>\n{items}</ul>" if items else ""


@dataclass(frozen=True)
class Pre:
    """A command on a line of its own."""

    text: str

    def markdown(self, _where: Where) -> str:
        """As code, which a forum shows with a button that copies it."""
        return f"```\n{self.text}\n```"

    def html(self, _drawings: Drawings) -> str:
        """A box that scrolls by itself."""
        return f'<pre tabindex="0"><code>{html_escape(self.text)}</code></pre>'


@dataclass(frozen=True)
class Picture:
    """The drawings of a place (`figures.draw_all`), on the page alone; ``kind`` is a class of the page."""

    place: str
    kind: str = "wide"

    def markdown(self, _where: Where) -> str:
        """Nothing: a post has no pictures."""
        return ""

    def html(self, drawings: Drawings) -> str:
        """Each with its caption."""
        return "\n".join(self._figure(each) for each in drawings.get(self.place, ()))

    def _figure(self, drawing: Drawing) -> str:
        panels = "".join(f'<div class="panel">\n{panel}</div>\n' for panel in drawing.panels)
        return (
            f'<figure{_classed(self.kind)}>\n<div class="panels" tabindex="0" role="img" aria-label="{html_escape(drawing.alt)}">\n{panels}</div>\n'
            f"<figcaption>{html_escape(drawing.caption)}</figcaption>\n</figure>"
        )


class OnPage:
    """Blocks of the page alone."""

    def __init__(self, *blocks: Block) -> None:
        self.blocks = blocks

    def markdown(self, _where: Where) -> str:
        """Nothing."""
        return ""

    def html(self, drawings: Drawings) -> str:
        """What it holds."""
        return to_html(self.blocks, drawings)


class InText:
    """Blocks of the appendix alone."""

    def __init__(self, *blocks: Block) -> None:
        self.blocks = blocks

    def markdown(self, where: Where) -> str:
        """What it holds."""
        return to_markdown(self.blocks, where)

    def html(self, _drawings: Drawings) -> str:
        """Nothing."""
        return ""


class Long:
    """What is too long for its section's post: on the page in its place under its title, in the appendix a topic of its own behind the sections."""

    def __init__(self, key: str, title: str, *blocks: Block) -> None:
        self.key, self.title, self.blocks = key, title, blocks

    def markdown(self, _where: Where) -> str:
        """Nothing: `longs` finds it."""
        return ""

    def html(self, drawings: Drawings) -> str:
        """Its title, which links lead to, and what it holds; nothing where it holds nothing."""
        inner = to_html(self.blocks, drawings)
        return f'<h3 id="{self.key}">{html_escape(self.title)}</h3>\n{inner}' if inner else ""


def to_markdown(blocks: Sequence[Block], where: Where | None = None) -> str:
    """The blocks as Markdown, without what is `Long`; ``where`` says in which part of the appendix a section or a long part stands."""
    return "\n\n".join(filter(None, (each.markdown(where or {}) for each in blocks)))


def to_html(blocks: Sequence[Block], drawings: Drawings | None = None) -> str:
    """The blocks as markup, what is `Long` in its place; every value is escaped, our own figures are markup."""
    return "\n".join(filter(None, (each.html(drawings or {}) for each in blocks)))


def longs(blocks: Sequence[Block]) -> list[Long]:
    """The parts that the appendix moves behind the sections, in order."""
    found: list[Long] = []
    for each in blocks:
        if isinstance(each, Long):
            found.append(each)
        elif isinstance(each, InText):
            found += longs(each.blocks)
    return found


def _rows(heads: Sequence[str], rules: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join([f"| {' | '.join(heads)} |", f"|{'|'.join(rules)}|", *(f"| {' | '.join(row)} |" for row in rows)])


def _cell(column: Column, cell: Line, place: int) -> str:
    shade = cell.verdict.kind if isinstance(cell, Moved) and cell.verdict is not None else ""
    kind = _classed(f"{_kind(column)} {shade}".strip())
    return f"<td{kind}>{line_html(cell)}</td>" if place else f'<th scope="row"{kind}>{line_html(cell)}</th>'


def _kind(column: Column, *, head: bool = False) -> str:
    """Heads wrap as they like."""
    if head:
        return "num" if column.kind in ("num", "n") else ""
    return "num n" if column.kind == "n" else column.kind


def _classed(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
