"""Facts -> report.html, proposal.md and appendix.md, one template partial a section or topic."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from amo_opt.report.appendix import POST_LIMIT, Appendix, Topic, appendix_of
from amo_opt.wording import Markdown, code, escape

if TYPE_CHECKING:
    from amo_opt.report.facts import Facts
    from amo_opt.report.figures import Drawing

SECTIONS: tuple[tuple[int, str, str], ...] = (
    (0, "front", "Front matter"),
    (1, "decision", "Decision"),
    (2, "parameters", "Parameters"),
    (3, "guard_rails", "Guard-rails"),
    (4, "unchanged", "What this does not change"),
    (5, "evidence", "Evidence on certification paths"),
    (6, "choice", "Why these numbers"),
    (7, "intuition", "Results that run against intuition"),
    (8, "worst", "Worst cases"),
    (9, "costs", "Cost of the change itself"),
    (10, "validity", "Model validity"),
    (11, "search", "Search disclosure"),
    (12, "monitoring", "Monitoring and rollback"),
    (13, "execution", "Execution"),
    (14, "reproduce", "Reproduce"),
)
"""Number, partial and title of every section, in the order of the page; the state's figures follow as an appendix."""
TOPICS: tuple[tuple[str, str, str], ...] = (
    ("unchanged", "What stays as it is", "section 4"),
    ("metrics", "Every metric before and after", "section 5"),
    ("scenarios", "Every scenario", "section 5"),
    ("limits", "Every limit", "section 5"),
    ("rejected", "Sets certified and not taken", "section 6"),
    ("neighbours", "Neighbours one step away", "section 6"),
    ("importances", "What mattered in the search", "section 6"),
    ("profile", "The profile, point by point", "section 6"),
    ("risk", "Where the peg risk comes from", "section 8"),
    ("expectations", "What was expected of each parameter", "section 7"),
    ("replays", "Replayed episodes, figure by figure", "section 10"),
    ("sources", "Sources of the scenarios", "section 10"),
    ("sensitivity", "Assumed figures moved to the ends of their ranges", "section 10"),
    ("space", "The space searched", "section 11"),
    ("assumed", "Assumed figures", "section 10"),
    ("state", "Sourced figures", "section 0"),
)
"""Partial, title and section of everything that is too long for the proposal, in the order of the appendix."""


def report_html(facts: Facts, drawings: dict[str, tuple[Drawing, ...]]) -> str:
    """The page: one file, no script, nothing loaded from elsewhere; every value is escaped, our own figures are markup."""
    return _html().get_template("report.html.j2").render(facts=facts, drawings=drawings, sections=SECTIONS)


def proposal_md(facts: Facts) -> str:
    """The text to post, short enough for one post: what it leaves out stands in the appendix, and it says where.

    What is too long gets a shorter text, the table before and after holding the objectives and the risks alone; a study with many scenarios or parameters a brief one, without the tables
    of sections 4 and of the scenarios.
    """
    template, where = _markdown().get_template("proposal.md.j2"), appendix(facts).where
    for short, brief in ((False, False), (True, False), (True, True)):
        text: str = template.render(facts=facts, sections=SECTIONS, where=where, short=short, brief=brief).rstrip("\n") + "\n"
        if len(text) < POST_LIMIT:
            break
    return text


def appendix(facts: Facts) -> Appendix:
    """The long tables, in parts that can each be posted as a reply."""
    environment = _markdown()
    return appendix_of(
        [
            Topic(name, title, section, environment.get_template(f"appendix/{name}.md.j2").render(facts=facts))
            for name, title, section in TOPICS
        ]
    )


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
