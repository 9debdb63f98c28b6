"""Search disclosure and reproduction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from amo_opt.report.account import Account
from amo_opt.report.ruling import paths_words
from amo_opt.report.sections.evidence import forest_caption
from amo_opt.report.sections.search import disclosure_of, replay_command
from amo_opt.search.ruling import Paths


def test_the_command_carries_what_may_have_been_overridden(result):
    """Seed, paths and trials are written out, the reader's folders are not."""
    assert disclosure_of(result).command == "amo-opt run frax-2022.toml --seed 1 --paths 64 --trials 40"


def test_a_file_name_with_spaces_is_quoted(result):
    """The line can be pasted into a shell."""
    odd = replace(result, study=replace(result.study, path=Path("/x/my study; rm.toml")))
    assert disclosure_of(odd).command.startswith("amo-opt run 'my study; rm.toml' ")


def test_failures_are_listed_by_cause(result):
    """A failed trial is disclosed with its number and reason."""
    assert disclosure_of(result).failures == (("svb-2023, path 3, step 711: the price inversion did not converge", "11, 23"),)


def test_both_gaps_are_printed(result):
    """Search minus A shows what the search flattered, A minus B what the choice did."""
    row = disclosure_of(result).gap[0]
    search, on_selection, on_holdout = result.gap["yield"]
    assert row.search_to_selection == f"{100 * (search - on_selection.value):+.2f}".replace("-", "−")
    assert row.selection_to_holdout == f"{100 * (on_selection.value - on_holdout.value):+.2f}".replace("-", "−")


def test_the_replay_command_is_whole(result):
    """Seed, scenario, stream and path, so that it draws the same path even where the seed came from the command line; names are quoted."""
    study = replace(result.study, path=Path("/there/my study.toml"), search=replace(result.study.search, seed=77))
    worst = replace(result.worst_paths[0], scenario="calm", path=7)
    command = "amo-opt simulate parameters.toml --study 'my study.toml' --seed 77 --scenario calm --stream holdout --path 7"
    assert replay_command(worst, study) == command


def test_drawn_paths_and_twins_are_told_apart(result):
    """Wherever paths are counted: those drawn and the twins beside them, which the certified figures hold themselves, and not multiple × paths."""

    def twinned(score, n, twins):
        earned = replace(score.yield_annual, n=n, twins=twins)
        by_scenario = {
            name: {metric: replace(each, n=n // 5 + 100 * k, twins=twins // 5) for metric, each in metrics.items()}
            for k, (name, metrics) in enumerate(score.by_scenario.items())
        }
        return replace(score, yield_annual=earned, by_scenario=by_scenario)

    candidates = tuple(
        replace(
            each,
            selection_score=twinned(each.selection_score, 4_600, 1_400),
            holdout_score=None if each.holdout_score is None else twinned(each.holdout_score, 40_000, 12_345),
        )
        for each in result.candidates
    )
    facts = Account(replace(result, candidates=candidates))
    counted = "40,000 holdout paths (27,655 drawn + 12,345 twins)"
    assert counted in forest_caption(facts)
    assert dict(facts.decision.sentences)["If nothing is done"].count(counted) == 1
    paths = Paths.of("holdout", candidates[1].holdout_score)
    assert paths == Paths(stream="holdout", n=40_000, each=8_000 - 12_345 // 5, twins=12_345)
    assert paths_words(paths) == counted
    assert paths_words(Paths(stream="search", n=320, each=64)) == "the search's 320 paths"
