"""Result -> parameters.toml and trials.csv."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import governed
from amo_opt.wording import clean

if TYPE_CHECKING:
    from amo_opt.search.result import Result, Trial

_FORMULA_STARTS = ("=", "+", "-", "@", "\t")


def parameters_toml(result: Result) -> str:
    """The recommended set as a parameter file, or the current one with a comment that says so."""
    chosen = result.study.current if result.recommended is None else result.recommended
    lines = [] if result.recommended is not None else [f"# Verdict: {result.verdict}. Nothing is recommended; this is the current set."]
    lines += ["schema = 1", f"name = {_toml_string(chosen.name)}"]
    there = governed(result.study.state)
    lines += [f"{name} = {value!r}" for name, value in chosen.values().items() if name in there]
    return "\n".join(lines) + "\n"


def trials_csv(result: Result) -> str:
    """One row a trial: number, origin, parameters, objectives, constraints (<= 0 is feasible), failure. Failed trials have no score."""
    constraints = sorted({key for trial in result.trials if trial.score is not None for key in trial.score.constraints})
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    there = governed(result.study.state)
    writer.writerow(["trial", "origin", *there, "yield", "peg_cvar95_bps", "feasible", *constraints, "failure"])
    for trial in result.trials:
        values = trial.parameters.values()
        writer.writerow(
            [trial.number, trial.origin, *(values[name] for name in there), *_scored(trial, constraints), _cell(trial.failure or "")]
        )
    return buffer.getvalue()


def _scored(trial: Trial, constraints: list[str]) -> list[str]:
    if trial.score is None:
        return [""] * (3 + len(constraints))
    score = trial.score
    figures = [score.constraints.get(key) for key in constraints]
    feasible = "true" if score.feasible else "false"
    return [
        repr(float(score.yield_annual)),
        repr(float(score.peg_risk_bps)),
        feasible,
        *("" if each is None else repr(float(each)) for each in figures),
    ]


def _cell(text: str) -> str:
    """Text on one line that no spreadsheet takes for a formula."""
    line = " ".join(clean(text).split())
    return f"'{line}" if line.startswith(_FORMULA_STARTS) else line


def _toml_string(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
