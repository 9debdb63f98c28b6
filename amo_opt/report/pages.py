"""Account -> report.html, proposal.md and appendix.md: which sections there are, in which order, and the page around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape as html_escape
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from amo_opt.amos.parameters import governed
from amo_opt.report.appendix import Appendix, Topic, appendix_of
from amo_opt.report.blocks import longs, to_html, to_markdown
from amo_opt.report.first_page import changes_html, first_html, matrix_html
from amo_opt.report.proposal import proposal_text
from amo_opt.report.sections import (
    costs,
    decision,
    evidence,
    execution,
    front,
    guard_rails,
    monitoring,
    parameters,
    prices,
    reproduce,
    search,
    unchanged,
    worst,
)
from amo_opt.wording import Markdown, clean, code, count, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amo_opt.report.account import Account
    from amo_opt.report.blocks import Block
    from amo_opt.report.figures import Drawing


@dataclass(frozen=True)
class Section:
    """A section of the whole account: the name that links lead to, its title in the appendix, the heading of its fold, which is what was found, and what stands in it."""

    name: str
    title: str
    finding: Callable[[Account], str] | None = None
    blocks: Callable[[Account], Sequence[Block]] | None = None


SECTIONS = (
    Section("front", "Front matter", front.finding, front.blocks),
    Section("decision", "Decision", blocks=decision.blocks),
    Section("parameters", "Parameters", parameters.finding, parameters.blocks),
    Section("guard_rails", "Guard-rails", guard_rails.finding, guard_rails.blocks),
    Section("unchanged", "What this does not change", unchanged.finding, unchanged.blocks),
    Section("evidence", "Evidence on certification paths", evidence.finding, evidence.blocks),
    Section("choice", "Why these numbers"),
    Section("intuition", "Results that run against intuition"),
    Section("worst", "Worst cases", worst.finding, worst.blocks),
    Section("costs", "Cost of the change itself", costs.finding, costs.blocks),
    Section("validity", "Model validity"),
    Section("search", "Search disclosure", search.finding, search.blocks),
    Section("monitoring", "Monitoring and rollback", monitoring.finding, monitoring.blocks),
    Section("execution", "Execution", execution.finding, execution.blocks),
    Section("reproduce", "Reproduce", reproduce.finding, reproduce.blocks),
)
"""In order; the place of a section is its number. To add one: its file with ``finding`` and ``blocks``, a line here, and its test."""
OPEN = ("monitoring", "execution")
"""Sections that the page shows open, behind the changes, the limits and the prices; the others are folded, in the order of `FOLDED`."""
FOLDED = (
    "evidence",
    "choice",
    "worst",
    "validity",
    "intuition",
    "costs",
    "parameters",
    "guard_rails",
    "unchanged",
    "search",
    "reproduce",
    "front",
)


@dataclass(frozen=True)
class Part:
    """One part of the page: its anchor, its heading, which is what was found, a sentence below it, and what it is drawn from."""

    name: str
    finding: str
    lead: str = ""
    markup: str = ""
    partial: str = ""
    number: int | None = None


TOPICS: tuple[tuple[str, str, str], ...] = (
    ("rejected", "Sets certified and not taken", "section 6"),
    ("neighbours", "Neighbours one step away", "section 6"),
    ("importances", "What mattered in the search", "section 6"),
    ("profile", "The profile, point by point", "section 6"),
    ("expectations", "What was expected of each parameter", "section 7"),
    ("replays", "Replayed episodes, figure by figure", "section 10"),
    ("sources", "Sources of the scenarios", "section 10"),
    ("sensitivity", "Assumed figures moved to the ends of their ranges", "section 10"),
    ("assumed", "Assumed figures", "section 10"),
)
"""Partial, title and section of everything that is too long for the proposal, in the order of the appendix."""


def report_html(facts: Account, drawings: dict[str, tuple[Drawing, ...]]) -> str:
    """The page: one file, no script, nothing loaded from elsewhere; every value is escaped, our own figures are markup."""
    parts = "".join(_section(each, facts, drawings) for each in _open(facts, drawings))
    folded = "".join(_fold(each, facts, drawings) for each in _closed(facts, drawings))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{html_escape(facts.first.title)}</title>
<style>
{style()}</style>
</head>
<body>
{first_html(facts.first, facts.decision.warnings)}
<main id="rest">
{parts}<section id="all">
<h2>Everything else, by finding</h2>
{folded}</section>
</main>
</body>
</html>
"""


def style() -> str:
    """What the page looks like on a screen and on paper."""
    return (resources.files("amo_opt.report") / "page.css").read_text(encoding="utf-8")


def _section(part: Part, facts: Account, drawings: dict[str, tuple[Drawing, ...]]) -> str:
    lead = f'<p class="lead">{html_escape(part.lead)}</p>\n' if part.lead else ""
    return f'<section id="{part.name}">\n<h2>{html_escape(part.finding)}</h2>\n{lead}{_inside(part, facts, drawings)}</section>\n'


def _fold(part: Part, facts: Account, drawings: dict[str, tuple[Drawing, ...]]) -> str:
    number = "" if part.number is None else f'<span class="number">{part.number}</span>'
    heading = f"<summary><h2>{number}{html_escape(part.finding)}</h2></summary>"
    return f'<details id="{part.name}">{heading}\n{_inside(part, facts, drawings)}</details>\n'


def _inside(part: Part, facts: Account, drawings: dict[str, tuple[Drawing, ...]]) -> str:
    if part.markup:
        return f"{part.markup}\n"
    # sections that are not blocks yet
    inner = _html().get_template(f"report/{part.partial}.html.j2").render(facts=facts, first=facts.first, drawings=drawings)
    return f'<div class="deep">\n{inner}</div>\n'


def _open(facts: Account, drawings: dict[str, tuple[Drawing, ...]]) -> list[Part]:
    """What everybody should see: what changes, the limits, prices, what is watched, how it is executed."""
    first = facts.first
    number, total = len(first.changes), len(governed(facts.study.state))
    parts = []
    if first.changes:
        named = (
            f"What changes: {number} of {total} parameters"
            if first.recommended
            else f"What {first.option} would change: {number} of {total} parameters"
        )
        lead = "" if first.recommended else "It is not recommended; the table says what was weighed against today’s set."
        parts.append(Part("changes", named, lead, changes_html(first)))
    limits = first.limits
    kept = (
        f"All {limits.total} limits hold at their cautious bounds"
        if not limits.broken
        else f"{limits.broken} of {limits.total} limits are not kept at the cautious bound"
    )
    compared = f" → {first.option}" if first.option else ""
    told = f"Share of each limit that is used at its confidence bound, today{compared}, on {facts.paths}; 100% is all of it."
    weights = evidence.scenario_weights(facts.study)
    scenarios = [(each.name, f"{clean(each.title)} ({weights[each.name]})") for each in facts.study.scenarios]
    parts.append(Part("shares", kept, told, matrix_html(first, scenarios)))
    if drawings["fans"]:
        parts.append(Part("prices", prices.finding(facts), markup=_deep(prices.blocks(facts), drawings)))
    parts += [
        Part(each.name, each.finding(facts), markup=_deep(each.blocks(facts), drawings))
        for each in SECTIONS
        if each.name in OPEN and each.finding and each.blocks
    ]
    return parts


def _closed(facts: Account, drawings: dict[str, tuple[Drawing, ...]]) -> list[Part]:
    """Everything else, folded; the heading of each is its finding."""
    around = facts.neighbourhood.rows
    found = {
        "choice": f"Why this set: the rule, the alternatives, {count(len(around), 'neighbour')}"
        if around
        else "Why: the rule and the alternatives",
        "validity": _sentence(facts.validity.replayed) or "Model validity",
        "intuition": f"{count(len(facts.intuition.findings), 'result')} against intuition",
    }
    numbers = {each.name: number for number, each in enumerate(SECTIONS)}
    parts = []
    for name in FOLDED:
        section = SECTIONS[numbers[name]]
        if section.finding is None or section.blocks is None:
            parts.append(Part(name, _headline(found[name]), partial=name, number=numbers[name]))
        else:
            markup = _deep(section.blocks(facts), drawings)
            parts.append(Part(name, _headline(section.finding(facts)), markup=markup, number=numbers[name]))
    return parts


def _deep(blocks: Sequence[Block], drawings: dict[str, tuple[Drawing, ...]]) -> str:
    return f'<div class="deep">\n{to_html(blocks, drawings)}\n</div>'


def _sentence(text: str) -> str:
    """The first sentence of a caption, without its full stop."""
    return text.split(". ", maxsplit=1)[0].split(" (n = ", maxsplit=1)[0].rstrip(".")


def _headline(text: str, most: int = 150) -> str:
    """A heading of one line or two."""
    if len(text) <= most:
        return text
    return text[:most].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def proposal_md(facts: Account) -> str:
    """The text to post; what it leaves out stands in the appendix, and it says where."""
    return proposal_text(facts, appendix(facts).where)


def appendix(facts: Account) -> Appendix:
    """The whole account, section by section, and the long tables, in parts that can each be posted as a reply."""
    environment = _markdown()
    blocks = {each.name: each.blocks(facts) for each in SECTIONS if each.blocks is not None}
    moved = [
        Topic(part.key, part.title, f"section {number}", to_markdown(part.blocks))
        for number, each in enumerate(SECTIONS)
        for part in longs(blocks.get(each.name, ()))
    ]
    tables = [
        Topic(name, title, section, environment.get_template(f"appendix/{name}.md.j2").render(facts=facts))
        for name, title, section in TOPICS
    ]
    # a section names the part that a table stands in, and tables come behind the sections: the length of a section does not hang on which number that is
    where = {topic.key: "below" for topic in (*moved, *tables)}
    for _ in range(3):  # in the second round places are as long as they stay, in the third they are right
        sections = [
            Topic(
                each.name,
                each.title,
                f"section {number}",
                to_markdown(blocks[each.name], where)
                if each.name in blocks
                else environment.get_template(f"proposal/{each.name}.md.j2").render(facts=facts, where=where),
            )
            for number, each in enumerate(SECTIONS)
        ]
        found = appendix_of([*sections, *moved, *tables])
        where = {**where, **found.where}
    return found


@lru_cache(maxsize=1)
def _html() -> Environment:
    """Templates of the page, each compiled once a process."""
    environment = Environment(
        loader=PackageLoader("amo_opt.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["svg"] = Markup
    return environment


@lru_cache(maxsize=1)
def _markdown() -> Environment:
    """Templates of the texts, each compiled once a process; every value is escaped on its way in, so that a name or a note cannot become markup."""
    environment = Environment(
        loader=PackageLoader("amo_opt.report"),
        autoescape=False,  # noqa: S701  (Markdown: `finalize` escapes every value)
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = code
    environment.filters["markdown"] = Markdown
    return environment
