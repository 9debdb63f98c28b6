"""Account -> report.html, proposal.md and appendix.md: which sections there are, in which order, and the page around them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape as html_escape
from importlib import resources
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import governed
from amo_opt.report.appendix import Appendix, Topic, appendix_of
from amo_opt.report.blocks import longs, to_html, to_markdown
from amo_opt.report.first_page import changes_html, first_html, matrix_html
from amo_opt.report.proposal import proposal_text
from amo_opt.report.sections import (
    choice,
    costs,
    decision,
    evidence,
    execution,
    front,
    guard_rails,
    intuition,
    monitoring,
    parameters,
    prices,
    reproduce,
    search,
    unchanged,
    validity,
    worst,
)
from amo_opt.wording import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amo_opt.report.account import Account
    from amo_opt.report.blocks import Block
    from amo_opt.report.figures import Drawing


@dataclass(frozen=True)
class Section:
    """A section of the whole account: the name that links lead to, its title in the appendix, what stands in it, and what was found, which heads it on the page."""

    name: str
    title: str
    blocks: Callable[[Account], Sequence[Block]]
    finding: Callable[[Account], str]


SECTIONS = (
    Section("front", "Front matter", front.blocks, front.finding),
    Section("decision", "Decision", decision.blocks, lambda of: of.first.title),
    Section("parameters", "Parameters", parameters.blocks, parameters.finding),
    Section("guard_rails", "Guard-rails", guard_rails.blocks, guard_rails.finding),
    Section("unchanged", "What this does not change", unchanged.blocks, unchanged.finding),
    Section("evidence", "Evidence on certification paths", evidence.blocks, evidence.finding),
    Section("choice", "Why these numbers", choice.blocks, choice.finding),
    Section("intuition", "Results that run against intuition", intuition.blocks, intuition.finding),
    Section("worst", "Worst cases", worst.blocks, worst.finding),
    Section("costs", "Cost of the change itself", costs.blocks, costs.finding),
    Section("validity", "Model validity", validity.blocks, validity.finding),
    Section("search", "Search disclosure", search.blocks, search.finding),
    Section("monitoring", "Monitoring and rollback", monitoring.blocks, monitoring.finding),
    Section("execution", "Execution", execution.blocks, execution.finding),
    Section("reproduce", "Reproduce", reproduce.blocks, reproduce.finding),
)
"""In order; the place of a section is its number. To add one: its file with ``finding`` and ``blocks``, a line here, and its test."""
OPEN = ("monitoring", "execution")
"""Sections that the page shows open, behind the changes, the limits and the prices."""
FIRST = ("evidence", "choice", "worst", "validity", "intuition", "costs")
"""Sections that come first of the others, which are folded; the rest by number, the front matter last."""
ON_SCREEN = ("decision",)
"""What the first screen says itself."""


@dataclass(frozen=True)
class Part:
    """One part of the page: its anchor, its heading, which is what was found, a sentence below it, and what stands in it."""

    name: str
    finding: str
    markup: str
    lead: str = ""
    number: int | None = None


def report_html(of: Account, drawings: dict[str, tuple[Drawing, ...]]) -> str:
    """The page: one file, no script, nothing loaded from elsewhere; every value is escaped, our own figures are markup."""
    parts = "".join(map(_section, _open(of, drawings)))
    folded = "".join(map(_fold, _closed(of, drawings)))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{html_escape(of.first.title)}</title>
<style>
{style()}</style>
</head>
<body>
{first_html(of.first, of.decision.warnings)}
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


def _section(part: Part) -> str:
    lead = f'<p class="lead">{html_escape(part.lead)}</p>\n' if part.lead else ""
    return f'<section id="{part.name}">\n<h2>{html_escape(part.finding)}</h2>\n{lead}{part.markup}\n</section>\n'


def _fold(part: Part) -> str:
    heading = f'<summary><h2><span class="number">{part.number}</span>{html_escape(part.finding)}</h2></summary>'
    return f'<details id="{part.name}">{heading}\n{part.markup}\n</details>\n'


def _open(of: Account, drawings: dict[str, tuple[Drawing, ...]]) -> list[Part]:
    """What everybody should see: what changes, the limits, prices, what is watched, how it is executed."""
    first = of.first
    number, total = len(first.changes), len(governed(of.study.state))
    parts = []
    if first.changes:
        named = (
            f"What changes: {number} of {total} parameters"
            if first.recommended
            else f"What {first.option} would change: {number} of {total} parameters"
        )
        lead = "" if first.recommended else "It is not recommended; the table says what was weighed against today’s set."
        parts.append(Part("changes", named, changes_html(first), lead))
    limits = first.limits
    kept = (
        f"All {limits.total} limits hold at their cautious bounds"
        if not limits.broken
        else f"{limits.broken} of {limits.total} limits are not kept at the cautious bound"
    )
    compared = f" → {first.option}" if first.option else ""
    told = f"Share of each limit that is used at its confidence bound, today{compared}, on {of.paths}; 100% is all of it."
    weights = evidence.scenario_weights(of.study)
    scenarios = [(each.name, f"{clean(each.title)} ({weights[each.name]})") for each in of.study.scenarios]
    parts.append(Part("shares", kept, matrix_html(first, scenarios), told))
    if drawings["fans"]:
        parts.append(Part("prices", prices.finding(of), _deep(prices.blocks(of), drawings)))
    parts += [Part(each.name, each.finding(of), _deep(each.blocks(of), drawings)) for each in SECTIONS if each.name in OPEN]
    return parts


def _closed(of: Account, drawings: dict[str, tuple[Drawing, ...]]) -> list[Part]:
    """Everything else, folded; the heading of each is its finding."""
    numbers = {each.name: number for number, each in enumerate(SECTIONS)}
    rest = [each.name for each in (*SECTIONS[1:], SECTIONS[0]) if each.name not in (*FIRST, *OPEN, *ON_SCREEN)]
    found = [SECTIONS[numbers[name]] for name in (*FIRST, *rest)]
    return [Part(each.name, _headline(each.finding(of)), _deep(each.blocks(of), drawings), number=numbers[each.name]) for each in found]


def _deep(blocks: Sequence[Block], drawings: dict[str, tuple[Drawing, ...]]) -> str:
    return f'<div class="deep">\n{to_html(blocks, drawings)}\n</div>'


def _headline(text: str, most: int = 150) -> str:
    """A heading of one line or two."""
    if len(text) <= most:
        return text
    return text[:most].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def proposal_md(of: Account, whole: Appendix | None = None) -> str:
    """The text to post; what it leaves out stands in the appendix, ``whole`` where that is made already, and it says where."""
    return proposal_text(of, (whole or appendix(of)).where)


def appendix(of: Account) -> Appendix:
    """The whole account, section by section, and the long tables, in parts that can each be posted as a reply."""
    blocks = [each.blocks(of) for each in SECTIONS]
    moved = [
        Topic(part.key, part.title, f"section {number}", to_markdown(part.blocks))
        for number, own in enumerate(blocks)
        for part in longs(own)
    ]
    # a section names the part that a table stands in, and tables come behind the sections: the length of a section does not hang on which number that is
    where = {topic.key: "below" for topic in moved}
    for _ in range(3):  # in the second round places are as long as they stay, in the third they are right
        sections = [
            Topic(each.name, each.title, f"section {number}", to_markdown(own, where))
            for number, (each, own) in enumerate(zip(SECTIONS, blocks, strict=True))
        ]
        found = appendix_of([*sections, *moved])
        where = {**where, **found.where}
    return found
