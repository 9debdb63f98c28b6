"""Search disclosure and reproduction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from read import pairs, rows, tables, text

from amo_opt.report.account import Account
from amo_opt.report.blocks import longs, to_html, to_markdown
from amo_opt.report.ruling import paths_words
from amo_opt.report.sections import reproduce
from amo_opt.report.sections.evidence import forest_caption
from amo_opt.report.sections.search import blocks, convergence_of, finding, replay_command, run_command, trials_words
from amo_opt.search.ruling import Paths


def test_the_command_carries_what_may_have_been_overridden(result):
    """Seed, paths and trials are written out, the reader's folders are not."""
    assert run_command(result) == "amo-opt run frax-2022.toml --seed 1 --paths 64 --trials 40"
    assert f"```\n{run_command(result)}\n```" in text(reproduce.blocks(Account(result)))


def test_a_file_name_with_spaces_is_quoted(result):
    """The line can be pasted into a shell."""
    odd = replace(result, study=replace(result.study, path=Path("/x/my study; rm.toml")))
    assert run_command(odd).startswith("amo-opt run 'my study; rm.toml' ")


def test_trials_are_counted_by_where_they_came_from(result):
    """Sizes, the fold's heading and the proposal say the same."""
    facts = Account(result)
    assert pairs(blocks(facts))["Trials"] == trials_words(result)
    assert finding(facts).endswith(trials_words(result))
    assert trials_words(result).startswith("40 (1 current set, ")


def test_failures_are_listed_by_cause(result):
    """A failed trial is disclosed with its number and reason; without one there is no table and no heading."""
    (failed,) = (table for table in tables(blocks(Account(result))) if table.label == "Failed trials")
    assert [list(row.values()) for row in rows(failed)] == [["svb-2023, path 3, step 711: the price inversion did not converge", "11, 23"]]
    well = blocks(Account(replace(result, trials=tuple(each for each in result.trials if each.score is not None))))
    assert not [table for table in tables(well) if table.label == "Failed trials"]
    assert "Failed trials</h3>" not in to_html(well)


def test_both_gaps_are_printed(result):
    """Search minus selection shows what the search flattered, selection minus holdout what the choice did."""
    (table,) = (each for each in tables(blocks(Account(result))) if each.label == "Optimism gap")
    row = rows(table)[0]
    search, on_selection, on_holdout = result.gap["yield"]
    assert row["Search − selection"] == f"{100 * (search - on_selection.value):+.2f}".replace("-", "−")
    assert row["Selection − holdout"] == f"{100 * (on_selection.value - on_holdout.value):+.2f}".replace("-", "−")
    assert row["Holdout paths (95%)"].startswith(f"{100 * on_holdout.value:.2f} (")
    assert "No gap was recorded." in text(blocks(Account(replace(result, gap={}))))


def test_convergence_names_the_batch_that_settled(result):
    """Within 1% of the end from the fourth of five batches on; nothing measured is said, not drawn; a picture tells on the page what its caption tells in the appendix."""
    curve = convergence_of(result)
    assert "after batch 4 of 5" in curve.caption
    assert curve.shares[-1] == pytest.approx(1.0)
    found = blocks(Account(result))
    assert curve.caption in to_markdown(found).replace("\\", "")
    assert curve.caption not in to_html(found)
    bare = replace(result, hypervolume=())
    assert convergence_of(bare).shares == ()
    assert all("not measured, so convergence is not shown" in render(blocks(Account(bare))) for render in (to_markdown, to_html))


def test_the_whole_space_is_disclosed(result):
    """An interval a searched parameter, moved behind the sections in the appendix, with its place."""
    found = blocks(Account(result))
    (space,) = longs(found)
    (table,) = tables([space])
    assert [row["Parameter"] for row in rows(table)] == [f"`{name}`" for name in result.study.search.space]
    assert f"each of the {len(result.study.search.space)} searched parameters: appendix 9." in to_markdown(found, {"space": "appendix 9"})


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
