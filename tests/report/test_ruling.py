"""Objections and limits in words, with the paths they were found on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amo_opt.report.ruling import binding_words, explanation_of, kept_words, objection_words, reason_of, turn_words
from amo_opt.scoring.types import Constraint, Estimate
from amo_opt.search.ruling import Condition, Objection, Turn, binding_of

UNSERVED = Constraint(
    name="unserved",
    scenario="ust-contagion-2022",
    unit="USD·h",
    estimate=Estimate(value=4e8, low=0.0, high=2.025e9, n=160),
    limit=1e9,
    violation=-0.6,
    violation_high=0.7,
)
MOVED = Estimate(value=1.0, low=-0.5, high=2.5, n=800)
UNKNOWN = Estimate.of(1.0, (-0.5, 2.5), n=20, fewest=20)


@pytest.mark.parametrize(
    ("objection", "words"),
    [
        (
            Objection(kind="limit", stream="selection", limit=UNSERVED),
            "breaks the limit on unserved redemptions (CVaR 90%) in ust-contagion-2022: 2.02 bn USD·h at its confidence bound against at most 1.00 bn USD·h",
        ),
        (
            Objection(kind="undecided", stream="selection", limit=UNSERVED),
            "leaves unserved redemptions (CVaR 90%) in ust-contagion-2022 undecided",
        ),
        (Objection(kind="no gain", stream="selection"), "is not proven better than the current set on yield or on peg risk"),
        (
            Objection(kind="tolerance", stream="holdout", metric="peg_cvar95_bps", interval=MOVED, bound=2.0),
            "may be worse on peg risk (CVaR 95%) by more than the tolerance (95% interval −0.5 to +2.5 bp)",
        ),
        (Objection(kind="small gain", stream="selection", bound=0.5), "gains less than 0.5 of a tolerance in all, so is not worth a vote"),
        (Objection(kind="A not identified", stream="selection"), "changes A, which the profile does not identify"),
        (
            Objection(kind="cliff", stream="holdout", parameter="aave_cap", value=0.32, limit=UNSERVED, at_value=True),
            "is one step from a broken limit: with aave_cap = 0.32, unserved redemptions (CVaR 90%) in ust-contagion-2022 is 0.40 bn USD·h against at most 1.00 bn USD·h",
        ),
        (Objection(kind="failed", stream="holdout", detail="path 3\u202e"), "failed on a path: path 3"),
        (Objection(kind="not known", stream="holdout", limit=UNSERVED), "has too few paths to know its intervals"),
        (
            Objection(kind="tolerance", stream="selection", metric="peg_cvar95_bps", interval=UNKNOWN, bound=2.0),
            "may be worse on peg risk (CVaR 95%) by more than the tolerance (95% interval not known)",
        ),
    ],
)
def test_every_kind_of_objection_has_its_words(objection, words):
    """Figures with their unit, the limit by its title and scenario; another's words without direction characters."""
    assert objection_words(objection, "USD").startswith(words)


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (None, ""),
        (Turn(kind="lost", condition=Condition(kind="better", metric="yield")), "no longer better on yield"),
        (Turn(kind="gained", condition=Condition(kind="better", metric="peg_cvar95_bps")), "now better on peg risk"),
        (
            Turn(kind="lost", condition=Condition(kind="tolerance", metric="peg_cvar95_dollar_bps")),
            "no longer within the tolerance on peg risk against the dollar",
        ),
        (
            Turn(kind="gained", condition=Condition(kind="tolerance", metric="min_cr_external_tail95")),
            "now within the tolerance on lowest external collateral ratio",
        ),
        (Turn(kind="lost", condition=Condition(kind="gain", bound=0.5)), "no longer 0.5 of a tolerance gained in all"),
        (
            Turn(kind="lost", condition=Condition(kind="limit", limit="breach_probability:calm")),
            "no longer within the limit of breach_probability:calm",
        ),
        (Turn(kind="not run", detail="more staked than there is"), "not run: more staked than there is"),
        (Turn(kind="failed", detail="path 3\u202e"), "failed on a path: path 3"),
    ],
)
def test_every_turn_has_its_words(turn, words):
    """Which condition came out otherwise and which way, or why nothing could be compared."""
    assert turn_words(turn, "USD") == words


def test_a_reason_names_the_paths_it_was_found_on(result):
    """A set whose figures are of holdout paths may have been refused on selection paths: the row says which."""
    refused = replace(result.candidates[1], role="candidate", objection=Objection(kind="no gain", stream="selection"))
    assert reason_of(refused, "USD").startswith("on selection paths is not proven better")
    assert reason_of(replace(refused, objection=Objection(kind="no gain", stream="holdout")), "USD").startswith(
        "not refused on selection paths; on holdout paths is not"
    )
    assert reason_of(result.candidates[0], "USD") == "the set in force"


def test_what_binds_shows_figure_bound_limit_and_n():
    """In one unit; a figure of the set alone has no interval and no paths."""
    found = binding_of("trial-3", "selection", UNSERVED)
    assert binding_words(found, "USD").endswith(
        "in ust-contagion-2022: 0.40 bn USD·h (95% bound 2.02) against at most 1.00 bn USD·h, n = 160"
    )
    unknown = replace(UNSERVED, estimate=Estimate.of(4e8, (0.0, 2.025e9), n=20, fewest=20), decidable=False)
    few = binding_of("trial-3", "selection", unknown)
    assert (few.interval, few.confidence_bound, few.kept) == (None, 4e8, False)
    assert binding_words(few, "USD").endswith(": 0.40 bn USD·h (95% bound not known) against at most 1.00 bn USD·h, n = 20")
    caps = replace(found, name="caps_plus_buffer", scenario=None, unit="ratio", value=1.2, interval=(1.2, 1.2), limit=1.0, n=0)
    assert binding_words(caps, "USD") == "collateral caps plus idle buffer: 1.2000 against at most 1.0000"


def test_what_is_known_of_the_neighbours_is_told(result):
    """All kept; how many come nearer, and the first of them; else, of too few paths, that it is not known."""
    kept = tuple(replace(each, feasible=True, objection=None) for each in result.neighbours)
    unknown = tuple(replace(each, feasible=None, objection=Objection(kind="not known", stream="holdout")) for each in kept)
    whether = (
        "Whether the 8 sets one step away keep at their confidence bounds what it keeps is not known, on 640 holdout paths per scenario"
    )
    told = [
        (kept, "All 8 sets one step away keep what it keeps, on 640 holdout paths per scenario."),
        (unknown, f"{whether}; at their point values they do."),
        (
            (*unknown[:-1], result.neighbours[-1]),
            "1 of 8 sets one step away come nearer to a limit than the interval allows (pool_share_high = ",
        ),
    ]
    for around, words in told:
        assert words in explanation_of(replace(result, neighbours=around))


def test_kept_limits_are_counted_by_paths(result):
    """Alike on both: told once; else each with its paths."""
    current = result.candidates[0]
    assert kept_words(current) == "all 21 kept on selection and holdout paths"
    first, *rest = current.selection_score.constraints
    broken = replace(current.selection_score, constraints=(replace(first, violation=0.5, violation_high=0.8), *rest))
    assert kept_words(replace(current, selection_score=broken)) == "all 21 kept on holdout paths, 1 broken of 21 on selection paths"
    assert kept_words(replace(current, holdout_score=None)) == "all 21 kept on selection paths"
