"""Facts -> report.html and proposal.md, one template partial a section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from amo_opt.report.markdown import Markdown, code, escape

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


def report_html(facts: Facts, drawings: dict[str, tuple[Drawing, ...]]) -> str:
    """The page: one file, no script, nothing loaded from elsewhere; every value is escaped, our own figures are markup."""
    environment = Environment(
        loader=PackageLoader("amo_opt.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["svg"] = Markup
    return environment.get_template("report.html.j2").render(facts=facts, drawings=drawings, sections=SECTIONS)


def proposal_md(facts: Facts) -> str:
    """The text to post: every value is escaped on its way in, so that a name or a note cannot become markup."""
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
    return environment.get_template("proposal.md.j2").render(facts=facts, sections=SECTIONS).rstrip("\n") + "\n"
