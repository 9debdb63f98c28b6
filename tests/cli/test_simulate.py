"""`amo-opt simulate`: one set's figures, one path's row, time series."""

from __future__ import annotations

import json
import shlex
import shutil
from importlib.util import find_spec
from types import SimpleNamespace

import pandas as pd
import pytest

from amo_opt import load_study
from amo_opt.cli.simulate import PLOTS
from amo_opt.report.sections.search import replay_command
from amo_opt.report.stories.story import SERIES
from amo_opt.search import planning
from amo_opt.search.aim import Aim
from amo_opt.search.evidence import worst_paths, worst_rows
from amo_opt.simulation.engine import DERIVED_COLUMNS, TRACE_COLUMNS, simulate
from amo_opt.stress.tilts import Design, Tilt, path_name


@pytest.fixture
def current(shared):
    return shared.parent / "parameters" / "frax-current.toml"


def test_the_table_holds_every_figure_with_its_interval(shared, current, call):
    """Metrics, scenarios and constraints on stdout, plain where it is piped; nothing on stderr."""
    called = call("simulate", current, "--study", shared)
    assert (called.status, called.err) == (0, "")
    assert "\x1b" not in called.out
    for text in ("frax-current on frax-2022", "svb-2023", "breach_probability:calm", "caps_plus_buffer", "holds"):
        assert text in called.out, text


def test_json_is_the_whole_score(shared, current, call):
    """One document: each figure with value, interval and n; every constraint with its limit."""
    called = call("simulate", current, "--study", shared, "--paths", "110", "--json")
    assert called.status == 0
    document = json.loads(called.out)
    study = load_study(shared, overrides={"simulation.paths": 110})
    assert document["study"] == {"name": "frax-2022", "hash": study.hash, "seed": study.search.seed}
    assert document["parameters"]["amplification"] == 1500
    assert document["steps"] == 288
    for estimate in (*document["metrics"].values(), *document["yield_terms"].values(), *document["constraints"]):
        low, high = estimate["interval"]
        assert low <= estimate["value"] <= high
        assert estimate["n"] >= 1 or estimate["name"] == "caps_plus_buffer"  # a sum of settings: nothing is sampled
    assert set(document["by_scenario"]) == {"calm", "svb-2023"}
    assert all({"limit", "feasible", "decidable"} <= set(constraint) for constraint in document["constraints"])


def test_twins_show_what_drawn_paths_do_not(shared, current, call, monkeypatch):
    """Where a pilot of the set finds a driver its twins stand beside the drawn paths, in figures, document and a line of the table; --no-twins draws none."""

    def aim(sets, study, *, workers):
        assert [each.name for each in sets] == ["frax-current"]
        plain = {each.name: Aim(each.name, (), (1.0,), 1.0, None) for each in study.scenarios}
        return plain | {"calm": Aim("calm", ((Tilt("share", -0.2, -0.5),),), (0.5, 0.5), 0.1, 1e-3)}

    monkeypatch.setattr(planning, "aim", aim)
    document = json.loads(call("simulate", current, "--study", shared, "--json", "--paths", "40").out)
    designs = {each["scenario"]: each for each in document["sampling"]}
    twins = sum(each["twins"] for design in designs.values() for each in design["components"])
    assert {each["drawn"] for each in designs.values()} == {40}
    assert document["metrics"]["yield"].get("twins", 0) == twins
    assert document["metrics"]["yield"]["n"] == 80 + twins
    assert twins > 0
    table = call("simulate", current, "--study", shared, "--paths", "40").out
    assert f"calm: 40 drawn paths and {twins} twins, driven by the share token falling to about 61% of its start" in table
    assert "Events with another driver are not excluded up to" in table
    plain = call("simulate", current, "--study", shared, "--json", "--paths", "40", "--no-twins")
    bare = json.loads(plain.out)
    assert (bare["sampling"], bare["metrics"]["yield"]["n"], "twins" in bare["metrics"]["yield"]) == ([], 80, False)


def test_one_scenario_alone(shared, current, call):
    """--scenario leaves the others out, with their paths."""
    document = json.loads(call("simulate", current, "--study", shared, "--scenario", "svb-2023", "--paths", "6", "--json").out)
    assert list(document["by_scenario"]) == ["svb-2023"]
    assert document["metrics"]["yield"]["n"] == 6


def test_the_same_call_gives_the_same_bytes_whatever_the_workers(shared, current, call):
    """Threads change nothing; another seed changes the figures."""
    outputs = [call("simulate", current, "--study", shared, "--workers", workers, "--json").out for workers in ("1", "2")]
    assert outputs[0] == outputs[1] != call("simulate", current, "--study", shared, "--seed", "99", "--json").out


@pytest.mark.parametrize(("stream", "now"), [("certify-a", "selection"), ("certify-b", "holdout")])
def test_a_stream_of_an_earlier_report_is_refused_with_its_name_now(shared, current, call, stream, now):
    """A command copied from there says what to write."""
    called = call("simulate", current, "--study", shared, "--scenario", "svb-2023", "--stream", stream, "--path", "3")
    assert (called.status, called.out) == (2, "")
    assert f"{stream!r} is called {now!r} now" in called.err


@pytest.mark.parametrize("stream", ["search", "selection", "holdout"])
def test_a_path_s_row_is_the_one_it_had_among_many(shared, current, call, stream):
    """Replayed by number, alone: every column equals the row of the whole run."""
    study = load_study(shared)
    row = simulate(study.current, study, scenarios=["svb-2023"], stream=stream).paths.iloc[3]
    called = call("simulate", current, "--study", shared, "--scenario", "svb-2023", "--stream", stream, "--path", "3", "--json")
    assert called.status == 0
    assert json.loads(called.out) == {name: value.item() if hasattr(value, "item") else value for name, value in row.to_dict().items()}


def test_a_path_s_row_as_lines(shared, current, call):
    """Without --json one column a line."""
    called = call("simulate", current, "--study", shared, "--scenario", "calm", "--path", "0")
    lines = dict(line.split(maxsplit=1) for line in called.out.splitlines())
    assert (lines["scenario"], lines["path"]) == ("calm", "0")
    assert "nav_end_usd" in lines


def test_the_trace_is_an_hourly_table(shared, current, call, tmp_path):
    """A row an hour, negative before the window, every series a column, no gap; the place is told on stderr."""
    file = tmp_path / "path.csv"
    called = call("simulate", current, "--study", shared, "--scenario", "svb-2023", "--path", "2", "--trace", file, "--json")
    assert called.status == 0
    json.loads(called.out)
    assert str(file) in called.err
    frame = pd.read_csv(file)
    assert list(frame.columns) == ["hour", *TRACE_COLUMNS, *DERIVED_COLUMNS]
    assert list(frame["hour"]) == list(range(-48, 240))
    assert not frame.isna().any().any()
    assert frame["price"].between(0.5, 1.5).all()
    assert frame.loc[frame["hour"] >= 0, "price"].min() == pytest.approx(json.loads(called.out)["min_price"], rel=1e-12)


def test_every_series_a_story_is_told_from_is_traced():
    """The figure and the table are of one path."""
    assert set(SERIES) <= {*TRACE_COLUMNS, *DERIVED_COLUMNS}


@pytest.mark.parametrize("ending", PLOTS)
def test_a_path_is_drawn(shared, current, call, tmp_path, ending):
    """Each format, the same bytes whoever calls; the document on stdout stays alone, the place is told on stderr."""
    files = [tmp_path / f"{name}{ending}" for name in ("a", "b")]
    arguments = ("simulate", current, "--study", shared, "--scenario", "svb-2023", "--path", "2")
    with_plots = [call(*arguments, "--workers", workers, "--plot", file, "--json") for workers, file in zip("12", files, strict=True)]
    without = call(*arguments, "--json")
    for called, file in zip(with_plots, files, strict=True):
        assert (called.status, called.out) == (0, without.out)
        assert called.err == f"path 2 drawn in {file}\n"
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_drawing_tells_the_path_it_was_asked_for(shared, current, call, tmp_path):
    """Its numbers are those of the path's row; another path is another story."""
    pages = []
    for path in ("0", "2"):
        file = tmp_path / f"{path}.html"
        arguments = ("--scenario", "svb-2023", "--stream", "holdout", "--path", path, "--trace", tmp_path / "x.csv", "--plot", file)
        called = call("simulate", current, "--study", shared, *arguments, "--json")
        row = json.loads(called.out)
        assert called.err.count("\n") == 2
        pages.append(file.read_text(encoding="utf-8"))
        assert f"<h1>frax-current on frax-2022: svb-2023, path {path} of stream holdout</h1>" in pages[-1]
        assert f"fell to {row['min_price']:.4f} USD" in pages[-1]
        assert f"to {row['end_cr']:.4f}" in pages[-1] or f"at {row['end_cr']:.4f}" in pages[-1]
    assert pages[0] != pages[1]


def test_without_a_number_the_first_path_is_drawn(shared, current, call, tmp_path):
    """As for the table; the scenario's score is printed all the same."""
    files = [tmp_path / "a.svg", tmp_path / "b.svg"]
    called = call("simulate", current, "--study", shared, "--scenario", "calm", "--plot", files[0])
    assert "constraints" in called.out
    call("simulate", current, "--study", shared, "--scenario", "calm", "--path", "0", "--plot", files[1])
    assert files[0].read_bytes() == files[1].read_bytes()


def refused(called, *fragments):
    assert (called.status, called.out) == (2, ""), called
    assert "Traceback" not in called.err
    assert "internal error" not in called.err
    assert all(fragment in called.err for fragment in fragments), called.err


def test_a_path_needs_its_scenario(shared, current, call, tmp_path):
    """A path number without a scenario names no path; so with a trace."""
    refused(call("simulate", current, "--study", shared, "--path", "3"), "--scenario NAME")
    refused(call("simulate", current, "--study", shared, "--trace", tmp_path / "x.csv"), "--scenario NAME")
    refused(call("simulate", current, "--study", shared, "--plot", tmp_path / "x.html"), "--scenario NAME")


def test_an_unknown_scenario_names_those_there_are(shared, current, call):
    """What was found, and the study's own."""
    refused(call("simulate", current, "--study", shared, "--scenario", "clam"), "'clam'", "calm, svb-2023")


def test_files_of_another_kind_are_told_apart(shared, current, call, tmp_path):
    """A study where a set belongs, a set where a study belongs, and nothing where a file belongs."""
    refused(call("simulate", shared, "--study", shared), "is a study, not a parameter set")
    refused(call("simulate", current, "--study", current), "is a parameter set, not a study")
    refused(call("simulate", tmp_path / "nowhere.toml", "--study", shared), "nowhere.toml: no such file")
    refused(call("simulate", current), "--study")


def test_a_trace_that_cannot_be_written_is_told_before_the_simulation(shared, current, call, tmp_path, monkeypatch):
    """No folder, or no library for the format: nothing is simulated first."""
    from amo_opt.simulation import engine

    monkeypatch.setattr(engine, "simulate", None)
    arguments = ("simulate", current, "--study", shared, "--scenario", "calm", "--trace")
    refused(call(*arguments, tmp_path / "nowhere" / "x.csv"), "--trace", "there is no folder")
    if find_spec("pyarrow") is None and find_spec("fastparquet") is None:
        refused(call(*arguments, tmp_path / "x.parquet"), "the extra 'parquet'")


def test_a_drawing_that_cannot_be_written_is_told_before_the_simulation(shared, current, call, tmp_path, monkeypatch):
    """No folder, no such format, a folder's name, or the table's own file: nothing is simulated first, nothing written."""
    from amo_opt.simulation import engine

    monkeypatch.setattr(engine, "simulate", None)
    arguments = ("simulate", current, "--study", shared, "--scenario", "calm", "--plot")
    refused(call(*arguments, tmp_path / "nowhere" / "x.html"), "--plot", "there is no folder")
    refused(call(*arguments, tmp_path / "x.pdf"), "--plot", "'.pdf'", "allowed: .html, .png, .svg")
    refused(call(*arguments, tmp_path / "x"), "--plot", "no ending", "allowed: .html, .png, .svg")
    refused(call(*arguments, tmp_path), "--plot", "is a directory")
    refused(call(*arguments, tmp_path / "x.svg", "--trace", tmp_path / "x.svg"), "--trace and --plot", "its own file")
    assert list(tmp_path.iterdir()) == []


def test_help_shows_a_table_and_a_drawing_of_one_path(call):
    """An example to copy."""
    assert "--trace path17.csv --plot path17.html" in call("simulate", "--help").out


@pytest.mark.parametrize("paths", [1, 29])
def test_too_few_paths_know_no_interval(shared, current, call, paths):
    """Every interval is null and printed as not known, and every limit that paths decide is undecided."""
    document = json.loads(call("simulate", current, "--study", shared, "--paths", paths, "--json").out)
    figures = [*document["metrics"].values(), *document["yield_terms"].values()]
    figures += [each for scenario in document["by_scenario"].values() for each in scenario.values()]
    assert {each["interval"] for each in figures} == {None}
    assert document["feasible"] is False
    sampled = [each for each in document["constraints"] if each["name"] != "caps_plus_buffer"]
    assert {(each["interval"], each["feasible"], each["decidable"]) for each in sampled} == {(None, None, False)}
    text = call("simulate", current, "--study", shared, "--paths", paths).out
    assert text.count("too few paths to decide") == len(sampled)
    assert "not known" in text
    assert " inf" not in text


TWIN = ("--scenario", "svb-2023", "--path", "2~t3", "--tilt", "share:-0.1:-0.2", "--tilt", "size:1.5")


def test_a_twin_replays_from_its_name_and_tilts(shared, current, call):
    """Row 2 of component 3 among many, every column; one line on stderr says what it is."""
    study = load_study(shared)
    tilts = (Tilt("share", -0.1, -0.2), Tilt("size", 1.5))
    designs = {"svb-2023": Design(1, ((), (), tilts), (0, 0, 3))}
    row = simulate(study.current, study, scenarios=["svb-2023"], designs=designs).paths.iloc[3]
    called = call("simulate", current, "--study", shared, *TWIN, "--json")
    assert called.status == 0
    found = json.loads(called.out)
    assert {name for name in found if found[name] != row[name]} == {"weight"}  # beside one twin instead of three
    ratio = (1.0 / row["weight"] - 1.0) / 3.0
    assert found["weight"] == pytest.approx(1.0 / (1.0 + ratio), rel=1e-12)
    assert called.err == (
        "path 2 of svb-2023, twin 3: hourly share noise drifted by −0.1 until it alone has taken the price to 82% of its start and size "
        f"drawn towards the upper end of its range, 4.5 times as likely there; all else as drawn; beside as many drawn paths it has {share(found['weight'])} of the weight of "
        "one that the tilt cannot reach\n"
    ).replace("−", "-")


def test_the_printed_command_of_a_worst_path_replays_it(shared, current, call, monkeypatch):
    """Twins among the deepest holdout paths go by names like 1~t2, and what a report prints beside them gives the same loss to the bit."""
    study = load_study(shared)
    pushed = ((Tilt("share", -0.3, -1.5),), (Tilt("share", -0.4), Tilt("size", 1.5)))
    designs = {"calm": Design(4), "svb-2023": Design(2, pushed, (3, 4))}
    outcome = simulate(study.current, study, designs=designs, stream="holdout")
    worst = worst_paths(SimpleNamespace(id="current"), worst_rows(outcome), designs)
    assert {each.component for each in worst} >= {1, 2}
    shutil.copy(current, shared.parent / "parameters.toml")
    monkeypatch.chdir(shared.parent)
    for each in worst:
        program, *arguments = shlex.split(replay_command(each, study))
        assert arguments[arguments.index("--path") + 1] == path_name(each.path, each.component)
        called = call(*arguments, "--json")
        assert (program, called.status) == ("amo-opt", 0), called.err
        found = json.loads(called.out)
        assert (found["peg_loss_bps"], found["min_price"], found["component"]) == (each.peg_loss_bps, each.min_price, each.component)


def test_parts_by_scenario_add_up_to_the_peg_risk(shared, current, call):
    """Without a design nothing tells events apart: a part a scenario, in the table and in the document."""
    document = json.loads(call("simulate", current, "--study", shared, "--paths", "40", "--json").out)
    parts = document["risk_parts"]
    assert [(each["scenario"], each["part"], each["chance"]) for each in parts] == [("calm", "all", None), ("svb-2023", "all", None)]
    whole = document["metrics"]["peg_cvar95_bps"]["value"]
    assert sum(each["contribution_bps"]["value"] for each in parts) == pytest.approx(whole, rel=1e-12)
    assert "where the peg risk comes from" in call("simulate", current, "--study", shared).out


def share(weight):
    return f"1/{1 / weight:,.0f}" if weight < 0.1 else f"{weight:.2g}"


def test_a_twin_is_traced_and_drawn(shared, current, call, tmp_path):
    """The series end where the row says; the drawing is titled by the twin's name, and its stress begins when it does there."""
    table, page, plain = tmp_path / "t.csv", tmp_path / "t.html", tmp_path / "p.html"
    late = ("--scenario", "svb-2023", "--path", "2~t1", "--tilt", "onset:9")
    called = call("simulate", current, "--study", shared, *late, "--trace", table, "--plot", page, "--json")
    assert called.status == 0
    assert f"path 2~t1 drawn in {page}" in called.err
    frame = pd.read_csv(table)
    assert frame.loc[frame["hour"] >= 0, "price"].min() == pytest.approx(json.loads(called.out)["min_price"], rel=1e-12)
    assert "svb-2023, path 2~t1 of stream search</h1>" in page.read_text(encoding="utf-8")
    call("simulate", current, "--study", shared, "--scenario", "svb-2023", "--path", "2", "--plot", plain)
    assert "svb-2023, path 2 of stream search</h1>" in plain.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--path", "2~t0"), "found '2~t0'; allowed: a path's number, such as 17, or a twin's, such as 17~t3"),
        (("--path", "-1"), "found '-1'; allowed: a path's number"),
        (("--path", "2~t1"), "a twin needs the tilts of its component: --tilt NOISE:AMOUNT[:LEVEL]"),
        (("--tilt", "share:-0.1"), "--tilt needs the twin that it makes: --path N~tK"),
        (("--path", "2", "--tilt", "share:-0.1"), "--tilt needs the twin that it makes: --path N~tK"),
        (("--path", "2~t1", "--tilt", "share"), "found 'share'; allowed: NOISE:AMOUNT[:LEVEL], such as share:-0.08:-2.6"),
        (("--path", "2~t1", "--tilt", "share:x"), "found 'share:x'; allowed: NOISE:AMOUNT[:LEVEL]"),
        (("--path", "2~t1", "--tilt", "shares:-1"), "no noise is called 'shares'; did you mean 'share'?"),
        (("--path", "2~t1", "--tilt", "share:-0.1:0.2"), "give it the same sign"),
        (("--path", "2~t1", "--tilt", "share:-0.1", "--tilt", "share:-0.2"), "a component tilts share, share; each noise once"),
        (("--path", "2~t1", "--tilt", "exit:1"), "scenario svb-2023 draws no noise 'exit'; it draws"),
    ],
)
def test_what_is_no_twin_is_refused(shared, current, call, arguments, told):
    """One message that names the option and what is allowed; nothing on stdout."""
    called = call("simulate", current, "--study", shared, "--scenario", "svb-2023", *arguments)
    assert (called.status, called.out) == (2, "")
    assert told in " ".join(called.err.split())


def test_a_twin_needs_its_scenario(shared, current, call):
    called = call("simulate", current, "--study", shared, "--path", "2~t1", "--tilt", "share:-0.1")
    assert (called.status, called.out) == (2, "")
    assert "--path, --trace and --plot need --scenario NAME" in called.err
