"""Which sets a report compares, and on which paths."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.report.sets import subject_of


def test_the_recommended_set_is_the_subject(result):
    """On holdout paths, which nothing has chosen from."""
    subject = subject_of(result)
    assert (subject.other.role, subject.stream, subject.label) == ("recommended", "holdout", "Proposed")


def test_the_balanced_alternative_stands_in_for_a_recommendation(make_result):
    """And its heading never calls it proposed."""
    subject = subject_of(make_result("no change"))
    assert subject.other.role == "balanced"
    assert subject.label == "Alternative trial-17 (not recommended)"


def test_selection_paths_are_used_where_holdout_paths_were_not_run_for_both(make_result):
    """Two sets are only compared on the same paths."""
    result = make_result("no change")
    bare = tuple(replace(each, holdout_score=None, holdout_paired=()) if each.role != "current" else each for each in result.candidates)
    subject = subject_of(replace(result, candidates=bare))
    assert subject.stream == "selection"
    assert subject.score(subject.current) is subject.current.selection_score
    assert subject.paired is subject.other.selection_paired


def test_a_result_that_contradicts_itself_is_refused(make_result):
    """No current set, or a recommendation without its set: no report is better than a wrong one."""
    result = make_result()
    with pytest.raises(AmoOptError, match="no certified current set"):
        subject_of(replace(result, candidates=result.candidates[1:]))
    with pytest.raises(AmoOptError, match="no candidate has that role"):
        subject_of(replace(result, candidates=result.candidates[:1]))


def test_without_any_alternative_the_set_that_came_furthest_stands_in(make_result):
    """One that was refused only on holdout paths comes before one that never got there; among those the least violating."""
    result = make_result("no change")
    without_role = [replace(each, role="candidate") for each in result.candidates[1:]]
    last = replace(without_role[-1], holdout_score=without_role[-1].selection_score)
    on_selection = tuple(replace(each, holdout_score=None) for each in without_role[:-1])
    assert subject_of(replace(result, candidates=(result.candidates[0], *on_selection, last))).other.id == last.id
    broken = next(each for each in on_selection if not each.selection_score.feasible)
    assert subject_of(replace(result, candidates=(result.candidates[0], broken, on_selection[0]))).other.id == on_selection[0].id
