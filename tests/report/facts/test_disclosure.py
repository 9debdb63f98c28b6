"""Search disclosure and reproduction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from amo_opt.report.facts.disclosure import disclosure_of, replay_command


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
