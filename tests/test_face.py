"""What `import amo_opt` gives: the common work in one call each, and nothing heavy before one is made."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import amo_opt

STUDY = Path(__file__).resolve().parents[1] / "studies" / "frax-2022.toml"
HEAVY = ("numba", "pandas", "optuna", "matplotlib")
SMALL = {
    "simulation.paths": 4,
    "simulation.transition_hours": 48,
    "simulation.window_hours": 240,
    "certification.multiple": 2,
    "certification.candidates": 3,
    "certification.bootstrap": 50,
}


@pytest.fixture(scope="module")
def study():
    return amo_opt.load_study(STUDY, overrides=SMALL)


@pytest.fixture(scope="module")
def outcome(study):
    return amo_opt.simulate(study.current, study)


@pytest.fixture(scope="module")
def result(study, held):
    return amo_opt.optimise(held(study), trials=9)


@pytest.fixture(scope="module")
def comparison(study):
    return amo_opt.compare(study.current, study.current.replace(name="idle", aave_cap=0.0), study, paths=4)


@pytest.mark.parametrize(
    "code",
    [
        "import amo_opt; dir(amo_opt); amo_opt.__version__",
        "import sys; sys.argv = ['amo-opt', '--help']\nfrom amo_opt.cli.main import main\ntry:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 0",
        "import sys; sys.argv = ['amo-opt', 'run', '--help']\nfrom amo_opt.cli.main import main\ntry:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 0",
    ],
    ids=["import", "help", "run-help"],
)
def test_nothing_heavy_is_imported_before_it_is_used(code):
    """A new interpreter has none of the heavy libraries after the import, nor after `--help`."""
    told = f"{code}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert found.stderr.strip() == "[]"


def test_every_name_of_the_face_is_there():
    """What `__all__` lists can be had, `dir` lists it, and anything else is an AttributeError like any module's."""
    for name in amo_opt.__all__:
        assert getattr(amo_opt, name) is not None
    assert set(amo_opt.__all__) <= set(dir(amo_opt))
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        _ = amo_opt.simulat


def test_paths_is_a_table_with_one_row_a_path_and_no_gap(study, outcome):
    """Rows by scenario as in the study and by number; no missing value and nothing infinite anywhere."""
    frame = outcome.paths
    names = [scenario.name for scenario in study.scenarios]
    assert list(zip(frame["scenario"], frame["path"], strict=True)) == [(name, path) for name in names for path in range(4)]
    assert not frame.isna().any().any()
    assert np.isfinite(frame.select_dtypes("number").to_numpy()).all()
    assert frame["recovered"].dtype == bool
    assert outcome.steps == 288


def test_paths_has_the_columns_people_build_on(outcome):
    """Names are a promise: a script that reads them keeps working."""
    promised = {
        "scenario", "path", "nav_start_usd", "nav_end_usd",
        "income_lending_usd", "income_swap_fees_usd", "income_rewards_usd", "income_primary_fees_usd", "income_market_operations_usd",
        "income_mark_to_market_usd", "income_debt_discount_usd", "capital_shares_issued_usd", "capital_shares_burned_usd",
        "min_price", "hours_below_099", "hours_to_recover", "recovered", "peg_loss_bps", "min_cr_external", "min_cr_contract",
        "unserved_usd_hours", "supply_end",
    }  # fmt: skip
    assert promised <= set(outcome.paths.columns)


def test_income_and_capital_explain_nav_on_every_path(study, outcome):
    """Σ income + Σ capital = NAV at the end less NAV at the start, to 1e-9 of the larger of NAV and 1% of supply."""
    frame = outcome.paths
    booked = frame.filter(regex="^(income|capital)_").sum(axis=1)
    scale = np.maximum(frame["nav_start_usd"].abs(), 0.01 * study.state.stablecoin.supply.value)
    assert ((booked - (frame["nav_end_usd"] - frame["nav_start_usd"])).abs() <= 1e-9 * scale).all()


def test_intervals_come_with_the_outcome(study, outcome):
    """Every figure within its interval, and the same as `score` gives."""
    assert outcome.intervals == amo_opt.score(outcome, study).metrics
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in outcome.intervals.values())


def test_a_set_from_a_file_or_by_replacement(study, outcome):
    """Another set on the same paths is one call; the market paths are the same, the outcome is not."""
    current = amo_opt.load_parameters(STUDY.parent / "parameters" / "frax-current.toml")
    assert current == study.current
    other = amo_opt.simulate(current.replace(aave_cap=0.0), study)
    assert not np.array_equal(other.paths["income_lending_usd"], outcome.paths["income_lending_usd"])
    assert amo_opt.simulate(current, study).paths.equals(outcome.paths)


def test_optimise_in_one_call(study, result):
    """Trials as asked, the current set first; what is recommended is a parameter set or None; no file is needed."""
    assert len(result.trials) == 9
    assert result.trials[0].parameters == study.current
    assert result.verdict in {"recommended", "no change", "undecidable", "infeasible"}
    assert (result.recommended is None) == (result.verdict != "recommended")


def test_errors_name_value_and_remedy(study):
    """Wrong arguments are the package's own error, not a library's."""
    from amo_opt.errors import AmoOptError

    with pytest.raises(AmoOptError, match="trials = 0; at least 1"):
        amo_opt.optimise(study, trials=0)
    with pytest.raises(AmoOptError, match="paths = 0; at least 1"):
        amo_opt.simulate(study.current, study, paths=0)
    with pytest.raises(AmoOptError, match="unknown scenario 'clam'; the study has calm"):
        amo_opt.simulate(study.current, study, scenarios=["clam"])
    with pytest.raises(AmoOptError, match="no such file"):
        amo_opt.load_study("nowhere.toml")


WIDEST = 200
"""Characters that a repr may take."""


def met(study, outcome, result, comparison):
    """Everything that a user meets at a prompt, by name."""
    candidate = result.candidates[-1]
    found = {
        "study": study,
        "state": study.state,
        "scenario": study.scenarios[-1],
        "set": study.current,
        "outcome": outcome,
        "score": outcome.score,
        "estimate": outcome.score.yield_annual,
        "comparison": comparison,
        "metric": comparison.metrics[0],
        "gate": comparison.gates[0],
        "result": result,
        "trial": result.trials[-1],
        "candidate": candidate,
        "profiles": amo_opt.profile(study, ["aave_cap"], points=2, paths=2),
        "break": amo_opt.reverse_stress(study.current, study, paths=2),
        "backtest": amo_opt.backtest(study, episode="svb-2023", paths=2),
        "path": amo_opt.draw_path(study.current, study, scenario="calm", path=1),
    }
    found |= {f"paired {each.metric}": each for each in candidate.selection_paired}
    found |= {f"limit {each.key}": each for each in outcome.score.constraints}
    found |= {f"episode {each.name}": each for each in result.episodes}
    found |= {f"column {column.name}": column for each in result.episodes for column in each.columns}
    found |= {f"trace {each.candidate}": each for each in result.worst_traces}
    found |= {f"fan {each.scenario}": each for each in result.fans}
    return found | {f"profile {each.parameter}": each for each in found["profiles"].profiles}


def test_at_a_prompt_everything_is_one_line(study, outcome, result, comparison):
    """A result of eight trials of the minimal study was half a million characters long."""
    shown = {name: repr(each) for name, each in met(study, outcome, result, comparison).items()}
    assert {name: text for name, text in shown.items() if "\n" in text or len(text) > WIDEST} == {}
    # … and says what it is
    assert {name for name, text in shown.items() if not re.fullmatch(r"[A-Z]\w+\(.+\)", text)} == set()


def test_a_line_says_what_one_looks_for(study, outcome, result, comparison):
    """Name, verdict and figures; few paths know no interval, and no limit is kept by them."""
    assert (
        repr(study)
        == f"Study('frax-2022', {study.date}, {len(study.scenarios)} scenarios, {len(study.search.space)} parameters searched, hash {study.hash[:12]})"
    )
    assert repr(study.current).startswith("ParameterSet('frax-current', ")
    assert repr(study.current).endswith(f", … {len(study.current.values()) - 3} more)")
    assert (
        repr(outcome) == f"ScoredOutcome('frax-current', {4 * len(study.scenarios)} paths of {len(study.scenarios)} scenarios, 288 hours)"
    )
    earned = 100.0 * outcome.score.yield_annual.value
    assert float(re.search(r"yield ([\d.−]+)% a year \(not known\)", repr(outcome.score).replace("−", "-"))[1]) == pytest.approx(
        earned, abs=0.01
    )
    assert f"{outcome.score.kept} of {len(outcome.score.constraints)} limits kept" in repr(outcome.score)
    assert result.verdict in repr(result)
    assert repr(comparison).startswith(f"Comparison(frax-current → idle: {comparison.verdict}, ")


class _Markup(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_tiles_show_yield_peg_risk_and_limits(outcome, result, comparison):
    """Of a score, a result and a comparison; small, closed, styled inline in the report's colours, without a script or anything fetched."""
    css = (STUDY.parents[1] / "amo_opt" / "report" / "templates" / "first.css").read_text(encoding="utf-8")
    for shown, titles in (
        (outcome.score, ("Yield", "Peg risk", "Limits")),
        (result, ("Yield today", "Peg risk today", "Limits today")),
        (comparison, ("Yield", "Peg risk", "Gates")),
    ):
        markup = _Markup(shown._repr_html_())
        assert markup.open == []
        assert {tag for tag, _ in markup.tags} == {"div", "b", "span"}
        assert {key for _, attributes in markup.tags for key in attributes} == {"style"}
        assert all(title in markup.text for title in titles)
        assert len(shown._repr_html_()) < 4000
        colours = {colour for _, attributes in markup.tags for colour in re.findall(r"#\w+", attributes.get("style", ""))}
        assert colours <= set(re.findall(r"#\w+", css))
    assert f"{outcome.score.kept} of {len(outcome.score.constraints)} kept" in _Markup(outcome.score._repr_html_()).text


def test_a_recommended_set_stands_beside_todays(result):
    """In blue, below the figures in force, with its own."""
    today, other = result.candidates[0], result.candidates[-1]
    assert "recommended:" not in result._repr_html_()
    ruled = replace(
        result, candidates=(today, replace(other, role="recommended", objection=None)), ruling=replace(result.ruling, outcome="recommended")
    )
    _, figure = next((tile.title, tile.big) for tile in other.score.tiles())
    assert f"recommended: {figure}, " in _Markup(ruled._repr_html_()).text
    assert f"{other.id} {figure}" in repr(ruled)
    assert list(ruled.frame["verdict"]) == ["current", "recommended"]


def test_names_of_others_stay_text(study, outcome, result):
    """Of a study, a set and a scenario: in tiles escaped, at a prompt without control characters, and cut."""
    hostile = "<script>alert(1)</script>\x1b[31m\u202e" + 200 * "x"
    named = replace(result, study=replace(study, name=hostile))
    limit = replace(outcome.score.constraints[0], scenario=hostile)
    score = replace(outcome.score, constraints=(limit,))
    for html in (named._repr_html_(), score._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert not {"\x1b", "\u202e"} & set(html)
    for text in (repr(named), repr(named.study), repr(study.current.replace(name=hostile)), repr(limit)):
        assert not {"\x1b", "\u202e", "\n"} & set(text)


def test_frames_hold_every_interval(outcome, result, comparison):
    """A row a metric, a certified set, a difference; what is not known is missing, not infinite."""
    frame = outcome.score.frame
    assert list(frame.columns) == ["metric", "value", "low", "high", "n", "twins"]
    assert dict(zip(frame["metric"], frame["value"], strict=True)) == {name: each.value for name, each in outcome.intervals.items()}
    assert frame[["low", "high"]].isna().all().all()  # of four paths a scenario
    known = replace(outcome.score, metrics={"yield": replace(outcome.score.yield_annual, low=0.01, high=0.05)}).frame
    assert known[["low", "high"]].to_numpy().tolist() == [[0.01, 0.05]]

    fan = result.fans[0].frame
    assert list(fan.columns) == ["set", "scenario", "hour", "p1", "p5", "p25", "p50", "p75", "p95", "p99"]
    assert tuple(fan["p50"]) == result.fans[0].quantiles["50"]
    assert len(pd.concat(each.frame for each in result.fans)) == sum(len(each.hours) for each in result.fans)
    sets = result.frame
    assert list(sets["set"]) == [each.id for each in result.candidates]
    assert list(sets["yield"]) == [each.score.yield_annual.value for each in result.candidates]
    assert list(sets["peg_risk"]) == [each.score.peg_risk_bps.value for each in result.candidates]
    assert list(sets["limits_kept"]) == [sum(limit.kept for limit in each.score.constraints) for each in result.candidates]
    assert sets["verdict"][0] == "current"
    assert all(
        verdict.partition(":")[0] == each.objection.kind
        for verdict, each in zip(sets["verdict"], result.candidates, strict=True)
        if each.objection
    )

    candidate = result.candidates[-1]
    paired = candidate.holdout_paired or candidate.selection_paired
    assert list(candidate.frame["difference"]) == [each.difference.value for each in paired]
    assert list(candidate.frame["verdict"]) == [each.verdict for each in paired]
    assert result.candidates[0].frame.empty

    assert list(comparison.frame["metric"]) == [each.name for each in comparison.metrics]
    assert list(comparison.frame["difference"]) == [each.difference for each in comparison.metrics]
    assert not np.isinf(comparison.frame.select_dtypes("number").to_numpy()).any()


def test_a_path_is_drawn_as_the_command_draws_it(study, outcome, tmp_path):
    """The lowest price in its words is that of the path's row; two on one page share no id; a scenario or a path that is not there is one sentence."""
    from amo_opt.errors import AmoOptError

    row = outcome.paths.loc[outcome.paths["min_price"].idxmin()]
    drawn = amo_opt.draw_path(study.current, study, scenario=row["scenario"], path=int(row["path"]))
    assert drawn.story.worst.label == f"lowest price {row['min_price']:.4f}"
    other = amo_opt.draw_path(study.current, study, scenario="calm", path=0)
    ids = [set(re.findall(r'id="([^"]+)"', each._repr_html_())) for each in (drawn, other)]
    assert all(ids)
    assert not ids[0] & ids[1]
    assert "<script" not in drawn._repr_html_()
    drawn.save(tmp_path / "path.html")
    assert drawn.story.caption[:40] in (tmp_path / "path.html").read_text(encoding="utf-8")
    with pytest.raises(AmoOptError, match="unknown scenario 'clam'; the study has calm"):
        amo_opt.draw_path(study.current, study, scenario="clam", path=0)
    with pytest.raises(AmoOptError, match="path = -1; paths count from 0"):
        amo_opt.draw_path(study.current, study, scenario="calm", path=-1)
