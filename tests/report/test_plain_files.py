"""parameters.toml and trials.csv."""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import replace

from amo_opt.config.load import load_parameters
from amo_opt.report.plain_files import parameters_toml, trials_csv


def test_the_recommended_set_loads_again(result, tmp_path):
    """Feed it to compare: what comes back is the recommended set to the last bit."""
    path = tmp_path / "parameters.toml"
    path.write_text(parameters_toml(result), encoding="utf-8")
    assert load_parameters(path) == result.recommended


def test_without_a_recommendation_the_file_holds_the_current_set_and_says_so(make_result, tmp_path):
    """The file is there whatever the verdict, and cannot be mistaken for a proposal."""
    result = make_result("no change")
    text = parameters_toml(result)
    assert text.startswith("# Verdict: no change.")
    path = tmp_path / "parameters.toml"
    path.write_text(text, encoding="utf-8")
    assert load_parameters(path) == result.study.current


def test_a_strange_name_is_still_one_toml_string(result):
    """Quotes, line breaks and control characters cannot add a key."""
    name = 'x"\nschema = 2\x7f\U0001f600'
    odd = replace(result, recommended=replace(result.recommended, name=name))
    document = tomllib.loads(parameters_toml(odd))
    assert (document["name"], document["schema"]) == (name, 1)


def test_one_row_a_trial_with_everything_of_it(result):
    """Parameters, objectives, constraints and the failure, in the order of the trials."""
    rows = list(csv.DictReader(io.StringIO(trials_csv(result))))
    assert [int(row["trial"]) for row in rows] == [each.number for each in result.trials]
    assert float(rows[3]["yield"]) == result.trials[3].score.yield_annual
    assert {float(rows[3][key]) for key in ("caps_plus_buffer",)} == {result.trials[3].score.constraints["caps_plus_buffer"]}
    failed = rows[11]
    assert failed["yield"] == failed["feasible"] == ""
    assert "did not converge" in failed["failure"]
    assert float(failed["amplification"]) == result.trials[11].parameters.amplification


def test_no_cell_is_a_formula(result):
    """A failure's text opens in a spreadsheet as text."""
    trials = (replace(result.trials[0], score=None, failure='=HYPERLINK("x")\nnext'),)
    row = next(csv.DictReader(io.StringIO(trials_csv(replace(result, trials=trials)))))
    assert row["failure"] == '\'=HYPERLINK("x") next'
