"""The proposal and its appendix fit into posts, and nothing that is cut is lost."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from amo_opt.report.account import Account
from amo_opt.report.appendix import CUT, POST_LIMIT, Topic, appendix_of
from amo_opt.report.blocks import longs
from amo_opt.report.pages import SECTIONS, appendix, proposal_md
from amo_opt.report.proposal import MOST_WORDS


@pytest.fixture(scope="module")
def full(result, met, missed):
    """Account with everything filled, replays included."""
    return Account(replace(result, episodes=(met, missed)))


def _table(rows, width=80):
    return "| A | B |\n|---|---|\n" + "".join(f"| {number} | {'x' * width} |\n" for number in range(rows))


def _titles(of):
    """Everything that has a place: sections, and what they move behind."""
    moved = [part for each in SECTIONS for part in longs(each.blocks(of))]
    return {each.name: each.title for each in SECTIONS} | {each.key: each.title for each in moved}


def test_every_post_is_within_the_limit(full):
    """The proposal and each part, of a result with everything filled; each part opens with its number and what it holds."""
    assert len(proposal_md(full)) < POST_LIMIT
    found = appendix(full)
    assert len(found.parts) > 1
    assert found.text.split(f"\n{CUT}\n\n") == list(found.parts)
    for number, part in enumerate(found.parts, start=1):
        assert len(part) < POST_LIMIT
        assert re.match(rf"# Appendix {number} of {len(found.parts)}: \w", part)
    assert set(found.where) == set(_titles(full))


def test_forty_scenarios_lengthen_the_appendix_and_not_the_proposal(result):
    """Each of them stands in the appendix, in posts that fit; what is posted first stays as short as it was."""
    scenarios = tuple(replace(result.study.scenarios[number % 5], name=f"s-{number}", title=f"Kind {number}") for number in range(40))
    figures = [each.name for each in result.study.scenarios]

    def met(score):
        by_scenario = {each.name: score.by_scenario[figures[number % 5]] for number, each in enumerate(scenarios)}
        return replace(score, by_scenario=by_scenario)

    candidates = tuple(
        replace(
            each, selection_score=met(each.selection_score), holdout_score=None if each.holdout_score is None else met(each.holdout_score)
        )
        for each in result.candidates
    )
    study = replace(result.study, scenarios=scenarios)
    facts = Account(replace(result, study=study, candidates=candidates, worst_traces=(), worst_paths=()))
    assert len(proposal_md(facts).split()) <= MOST_WORDS
    found = appendix(facts)
    assert all(len(part) < POST_LIMIT for part in found.parts)
    assert all(f"Kind {number} `s-{number}` |" in found.text for number in range(40))


def test_tables_are_tables(full):
    """Every table opens where its head stands: a line left empty inside would end it."""
    for text in (proposal_md(full), *appendix(full).parts):
        rendered = MarkdownIt("commonmark").enable("table").render(text)
        assert rendered.count("<table>") == len(re.findall(r"^\|:?-[-:|]+\|$", text, re.MULTILINE)) > 0
        assert "<p>|" not in rendered


def test_what_is_cut_is_named_and_found(full):
    """Each place the proposal names holds the topic; every figure of the state and every limit stands in the appendix."""
    found, proposal = appendix(full), proposal_md(full)
    places = re.findall(r"appendix (\d+)", proposal)
    assert len(places) >= 6
    assert {int(number) for number in places} <= set(range(1, len(found.parts) + 1))
    for name, title in _titles(full).items():
        assert any(f"## {title} (" in found.parts[int(number) - 1] for number in re.findall(r"\d+", found.where[name])), name
    for row in full.state:
        assert f"`{row.key}`" in found.text
    for row in full.metrics:
        assert row.title in found.text
    assert found.text.count("● KEPT") >= 2 * len(full.subject.score(full.subject.current).constraints)


def test_topics_stay_whole_where_one_part_can_hold_them():
    """The second would fit only in pieces behind the first, so it opens a part of its own; the empty third is nowhere."""
    found = appendix_of(
        [Topic("a", "One", "s 1", _table(30)), Topic("b", "Two", "s 2", _table(30)), Topic("c", "Three", "s 3", " \n")], limit=4_000
    )
    assert len(found.parts) == 2
    assert found.where == {"a": "appendix 1", "b": "appendix 2"}
    assert found.parts[1].startswith("# Appendix 2 of 2: Two\n\n## Two (s 2)\n\n| A | B |\n")


def test_a_long_table_is_cut_between_rows():
    """Each piece has the table's head, none is too long, and no row is lost or told twice."""
    found = appendix_of([Topic("a", "One", "s 1", f"Words.\n\n{_table(300)}")], limit=4_000)
    assert found.where == {"a": "appendix 1 and " + " and ".join(str(number) for number in range(2, len(found.parts) + 1))}
    assert all(part.count("| A | B |\n|---|---|\n") >= 1 for part in found.parts[1:])
    assert all(len(part) <= 4_100 for part in found.parts)
    assert [int(row) for row in re.findall(r"^\| (\d+) \|", found.text, re.MULTILINE)] == list(range(300))
    assert found.parts[1].split("\n")[2] == "## One (s 1, continued)"
