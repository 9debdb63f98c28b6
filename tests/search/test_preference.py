"""Of sets that do as well the one that hangs least on what is assumed: who is asked, and who is taken."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from amo_opt.config.study import Certification
from amo_opt.search import preference
from amo_opt.search.preference import MOST, contenders, preferred
from amo_opt.search.result import Candidate

RULE = Certification(tolerance_yield=0.001, tolerance_peg_bps=2.0)


def candidate(name, gain, peg):
    score = SimpleNamespace(yield_annual=SimpleNamespace(value=gain), peg_risk_bps=SimpleNamespace(value=peg))
    return Candidate(id=name, role="candidate", parameters=None, search=None, selection_score=score)


BEST, NEAR, WORSE, LOW = (
    candidate("best", 0.030, 5.0),
    candidate("near", 0.0295, 5.0),
    candidate("worse", 0.0292, 8.0),
    candidate("low", 0.0285, 1.0),
)
CERTIFIER = SimpleNamespace(study=SimpleNamespace(certification=RULE))


def test_only_sets_within_a_tolerance_of_the_yield_are_asked():
    """The best first, then by what they are worth; one that earns more than a tolerance less is not, and no more than a few are."""
    assert contenders([LOW, WORSE, BEST, NEAR], BEST, RULE) == [BEST, NEAR, WORSE]
    many = [candidate(f"trial-{k}", 0.030, 5.0 + k) for k in range(9)]
    assert contenders([*many, BEST], BEST, RULE) == [BEST, *many[: MOST - 1]]


@pytest.mark.parametrize(
    ("shares", "taken"), [((0.5, 0.9, 0.7), "near"), ((0.9, 0.9, 0.7), "best"), ((0.7, 0.7, 0.9), "worse"), (None, "best")]
)
def test_the_highest_share_is_taken_and_of_equals_what_is_worth_most(monkeypatch, shares, taken):
    monkeypatch.setattr(preference, "robust_shares", lambda certifier, rivals: None if shares is None else list(shares))
    found, told = preferred(CERTIFIER, [LOW, WORSE, BEST, NEAR], BEST)
    assert found.id == taken
    assert told == ({} if shares is None else dict(zip(("best", "near", "worse"), shares, strict=True)))


def test_nothing_is_drawn_for_one_set(monkeypatch):
    """The draws cost what they cost: only a choice pays for them."""
    monkeypatch.setattr(preference, "robust_shares", None)
    assert preferred(CERTIFIER, [LOW, BEST], BEST) == (BEST, {})
