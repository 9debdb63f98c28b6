"""`amo-opt compare` as CI calls it: exit statuses, files, formats, stored runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from amo_opt.cli.compare import written_lines

DATA = Path(__file__).parent / "data"
RECKLESS = DATA / "reckless.toml"


@pytest.fixture
def baseline(shared):
    return shared.parent / "parameters" / "frax-current.toml"


@pytest.fixture
def candidate(baseline, tmp_path):
    """The current set with half as much lent: it earns less, so the yield's gate fails."""
    text = baseline.read_text(encoding="utf-8").replace("aave_cap = 0.201 ", "aave_cap = 0.101 ").replace("frax-current", "lends-less")
    file = tmp_path / "candidate.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def judged(call, shared, baseline):
    """Calls compare on the shared study with few paths: ``judged(candidate, "--json")``."""

    def run(candidate, *options, paths=30):
        size = () if paths is None else ("--paths", paths)
        return call("compare", baseline, candidate, "--study", shared, *size, *options)

    return run


def test_a_set_against_itself_passes(judged, baseline):
    """Exactly 0 everywhere, exit 0, and one JSON document on stdout whatever the number of threads."""
    one, two = (judged(baseline, "--json", "--workers", workers, paths=110) for workers in (1, 2))
    assert (one.status, one.out) == (0, two.out)
    document = json.loads(one.out)
    assert (document["schema"], document["verdict"], document["exit_status"]) == (2, "pass", 0)
    for metric in document["metrics"]:
        assert (metric["difference"], metric["interval"], metric["verdict"]) == (0.0, [0.0, 0.0], "EQUIVALENT")
    keys = {"name", "baseline", "candidate", "difference", "interval", "n", "tail_points", "tolerance", "verdict"}
    assert all(keys <= metric.keys() for metric in document["metrics"])
    assert [gate["status"] for gate in document["gates"]] == ["pass"] * 5


def test_swapping_sides_negates(call, shared, baseline, candidate):
    """Real sets, real paths: the same numbers with the other sign, to the last digit."""
    sides = [
        json.loads(call("compare", *pair, "--study", shared, "--paths", 110, "--json").out)["metrics"]
        for pair in ((baseline, candidate), (candidate, baseline))
    ]
    for there, back in zip(*sides, strict=True):
        assert there["difference"] == -back["difference"]
        assert there["interval"] == [-back["interval"][1], -back["interval"][0]]
    assert any(metric["difference"] for metric in sides[0])


def test_a_reckless_set_fails(judged):
    """No buffer and every cap at its maximum: exit 1 by a safety gate, 0 where only advice is asked for."""
    found = judged(RECKLESS, "--json")
    document = json.loads(found.out)
    assert (found.status, document["verdict"], document["exit_status"]) == (1, "fail", 1)
    caps = next(gate for gate in document["gates"] if gate["metric"] == "caps_plus_buffer")
    assert (caps["class"], caps["status"], caps["found"]) == ("safety", "fail", 4.0)
    advice = judged(RECKLESS, "--json", "--exit-zero")
    assert (advice.status, json.loads(advice.out)["verdict"], json.loads(advice.out)["exit_status"]) == (0, "fail", 0)


def test_text_tells_answer_change_and_gates(judged):
    """What a person reads: the answer first, the changed keys, every gate; progress goes to stderr."""
    found = judged(RECKLESS)
    assert found.out.startswith("✘ FAIL: reckless (reckless.toml) against frax-current (frax-current.toml)\n")
    assert "idle_buffer" in found.out
    assert "4 of all collateral breaks the limit of 1" in found.out
    assert "blocks of paths" in found.err
    assert "blocks of paths" not in found.out


def test_two_files_of_one_name_are_told_apart_by_file(judged, candidate):
    """What CI compares: one parameter file before and after, both of the same name."""
    candidate.write_text(candidate.read_text(encoding="utf-8").replace("lends-less", "frax-current"), encoding="utf-8")
    found = judged(candidate)
    assert found.out.splitlines()[0].endswith(": frax-current (candidate.toml) against frax-current (frax-current.toml)")


def test_markdown_is_a_table_for_each_part(judged):
    """Markdown renders: three tables, the names of metrics unharmed."""
    from markdown_it import MarkdownIt

    found = judged(RECKLESS, "--format", "md")
    html = MarkdownIt("commonmark").enable("table").render(found.out)
    assert html.count("<table>") == 3
    assert "FAIL: reckless against frax-current</h2>" in html
    assert "caps_plus_buffer" in html


def test_junit_holds_one_case_a_gate(judged):
    """The rules of the common JUnit schemas: required attributes in their form, children in order, counts that add up."""
    found = judged(RECKLESS, "--format", "junit")
    assert found.status == 1
    root = ET.fromstring(found.out)  # noqa: S314 - our own output
    assert root.tag == "testsuites"
    (suite,) = root
    for name in ("name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "time"):
        assert suite.attrib[name]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    assert [child.tag for child in suite] == ["properties", *["testcase"] * 5, "system-out", "system-err"]
    cases = suite.findall("testcase")
    assert all(case.attrib["name"] and case.attrib["classname"] and float(case.attrib["time"]) == 0.0 for case in cases)
    failures = suite.findall("testcase/failure")
    assert len(failures) == int(suite.attrib["failures"]) >= 1
    assert all(failure.attrib["type"] and failure.text for failure in failures)
    assert len(suite.findall("testcase/skipped")) == int(suite.attrib["skipped"])
    assert int(suite.attrib["tests"]) == len(cases) == 5
    assert all(property_.attrib.keys() == {"name", "value"} for property_ in suite.iter("property"))


def test_github_points_at_the_changed_lines(judged, monkeypatch, tmp_path):
    """Annotations name the candidate file and the line of each changed key; the summary is appended for GitHub, or printed without it."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(DATA.parents[2]))
    found = judged(RECKLESS, "--format", "github")
    lines = RECKLESS.read_text(encoding="utf-8").splitlines()
    pointed = re.findall(r"^::error file=tests/cli/data/reckless\.toml,line=(\d+),title=(\w+)%3A [^:]+::(.+)$", found.out, re.MULTILINE)
    assert {lines[int(line) - 1].split(" =")[0] for line, _, _ in pointed} == {key for _, key, _ in pointed}
    assert {"idle_buffer", "aave_cap", "curve_collateral_cap"} <= {key for _, key, _ in pointed}
    assert 1 <= len(pointed) <= 10
    assert all("caps_plus_buffer BROKEN" in message for _, _, message in pointed)
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n## ✘ FAIL")
    assert len(text.encode()) < 900 * 1024
    assert "| gate |" not in found.out
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert "| gate |" in judged(RECKLESS, "--format", "github").out


def test_a_stored_run_gives_the_same_bytes(judged, candidate, tmp_path):
    """verdict.json from a stored baseline is that of a whole run, byte for byte; so is the run itself, and paths come from it."""
    first, again = tmp_path / "first", tmp_path / "again"
    assert judged(candidate, "--out", first).status == 1
    assert sorted(file.name for file in first.iterdir()) == ["run.json", "verdict.json"]
    found = judged(candidate, "--baseline-run", first / "run.json", "--out", again, "--json", paths=None)
    assert found.status == 1
    for name in ("verdict.json", "run.json"):
        assert (again / name).read_bytes() == (first / name).read_bytes()
    assert found.out == (first / "verdict.json").read_text(encoding="utf-8")


def test_a_run_that_does_not_fit_is_refused(call, judged, shared, small, baseline, candidate, tmp_path):
    """Another seed, scenario, state, set, number of paths or version of the model, or a file that was touched: exit 2, and it says which."""
    run = tmp_path / "out" / "run.json"
    assert judged(candidate, "--out", run.parent).status == 1
    other = small()
    other.write_text(other.read_text(encoding="utf-8").replace("weight = 0.95", "weight = 0.90"), encoding="utf-8")
    shorter = small(window_hours="200")
    document = json.loads(run.read_text(encoding="utf-8"))
    touched, older, cut, text = (tmp_path / name for name in ("touched.json", "older.json", "cut.json", "text.json"))
    touched.write_text(json.dumps({**document, "paths": 13}), encoding="utf-8")
    from amo_opt.comparison.figures import _hash

    old = {key: value for key, value in document.items() if key != "sha256"} | {"model": 1}
    older.write_text(json.dumps({**old, "sha256": _hash(old)}), encoding="utf-8")
    cut.write_text(run.read_text(encoding="utf-8")[:-500], encoding="utf-8")
    text.write_text("[1]", encoding="utf-8")
    assert shorter == other  # the same file: the last change is the one on disk
    cases = [
        ((baseline, candidate, "--study", shared, "--seed", 9, "--baseline-run", run), "another seed"),
        ((baseline, candidate, "--study", shorter, "--baseline-run", run), "other simulation settings"),
        ((candidate, candidate, "--study", shared, "--baseline-run", run), "another set: aave_cap is 0.201 there, 0.101 in the baseline"),
        ((baseline, candidate, "--study", shared, "--paths", 16, "--baseline-run", run), "30 paths per scenario, not 16"),
        ((baseline, candidate, "--study", shared, "--baseline-run", touched), "checksum"),
        ((baseline, candidate, "--study", shared, "--baseline-run", older), "another version of the model: 1 there"),
        ((baseline, candidate, "--study", shared, "--baseline-run", cut), "not JSON"),
        ((baseline, candidate, "--study", shared, "--baseline-run", text), "not a stored run"),
        ((baseline, candidate, "--study", shared, "--baseline-run", tmp_path / "none.json"), "cannot be read"),
    ]
    for arguments, message in cases:
        found = call("compare", *arguments)
        assert (found.status, found.out) == (2, ""), message
        assert message in found.err
        assert "Traceback" not in found.err
    small()
    other.write_text(other.read_text(encoding="utf-8").replace("weight = 0.95", "weight = 0.90"), encoding="utf-8")
    found = call("compare", baseline, candidate, "--study", other, "--baseline-run", run)
    assert found.status == 2
    assert "other scenarios" in found.err


def test_a_wrong_call_exits_2(call, judged, shared, baseline, tmp_path):
    """Garbage in any place is one message and status 2."""
    garbage, gates = tmp_path / "garbage.toml", tmp_path / "gates.toml"
    garbage.write_text("schema = 1\nname = [\n", encoding="utf-8")
    gates.write_text('schema = 1\n[[gate]]\nmetric = "yeild"\nclass = "economic"\n', encoding="utf-8")
    for found, message in (
        (judged(garbage), "not valid TOML"),
        (judged(tmp_path / "nowhere.toml"), "no such file"),
        (judged(shared), "is a study, not a parameter set"),
        (judged(baseline, "--gates", gates), "did you mean 'yield'?"),
        (judged(gates), "is a gates file, not a parameter set"),
        (judged(baseline, "--format", "xml"), "'xml' is not one of"),
        (judged(baseline, "--json", "--format", "md"), "--json and --format md"),
        (judged(baseline, "--out", garbage), "garbage.toml"),
        (call("compare", baseline, "--study", shared), "Missing argument"),
        (call("compare", baseline, baseline), "Missing option '--study'"),
    ):
        assert found.status == 2, message
        assert message in found.err
        assert "Traceback" not in found.err


def test_gates_of_ones_own(judged, candidate, tmp_path):
    """A file's gates take the place of the default ones."""
    gates = tmp_path / "gates.toml"
    gates.write_text('schema = 1\n[[gate]]\nmetric = "yield"\nclass = "safety"\nmax = 0.0\n', encoding="utf-8")
    found = judged(candidate, "--gates", gates, "--json")
    assert (found.status, [gate["metric"] for gate in json.loads(found.out)["gates"]]) == (1, ["yield"])


def test_validate_knows_gates(call, tmp_path):
    """`amo-opt validate` checks a gates file too."""
    file = tmp_path / "gates.toml"
    file.write_text('schema = 1\n[[gate]]\nmetric = "yield"\nclass = "economic"\n', encoding="utf-8")
    assert call("validate", file).status == 0
    file.write_text('schema = 1\n[[gate]]\nmetric = "yield"\nclass = "economic"\ntolernce = 1\n', encoding="utf-8")
    found = call("validate", file)
    assert found.status == 1
    assert "did you mean 'tolerance'?" in found.err


def test_the_face(shared, baseline, candidate):
    """One call in Python, the same verdict as the command's; no candidate is said so."""
    import amo_opt
    from amo_opt.errors import AmoOptError

    study = amo_opt.load_study(shared)
    found = amo_opt.compare(study.current, amo_opt.load_parameters(candidate), study, paths=30)
    assert [change[0] for change in found.changes] == ["aave_cap"]
    assert (found.verdict, found.exit_status) == ("fail", 1)
    assert [gate.gate.metric for gate in found.failed] == ["yield"]
    with pytest.raises(AmoOptError, match="candidate = None"):
        amo_opt.compare(study.current, None, study)
    with pytest.raises(AmoOptError, match="paths = 0; at least 1"):
        amo_opt.compare(study.current, study.current, study, paths=0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_path_a_scenario_passes_no_safety_gate(judged, candidate, tmp_path, seed):
    """Whatever side of 0 the path's seed puts the difference on: exit 1, INCONCLUSIVE, no interval; 29 more paths are asked for."""
    gates = tmp_path / "gates.toml"
    gates.write_text('schema = 1\n[[gate]]\nmetric = "hours_over_caps"\nclass = "safety"\n', encoding="utf-8")
    options = (candidate, "--gates", gates, "--seed", seed)
    found = judged(*options, paths=1)
    assert found.status == 1
    line = next(line for line in found.out.splitlines() if line.startswith(" ✘ fail hours_over_caps"))
    assert "not known" in line
    assert "INCONCLUSIVE  1 path per scenario is too few for an interval: at least 30 are needed, 29 more" in line
    document = json.loads(judged(*options, "--json", paths=1).out)
    assert {(metric["interval"], metric["verdict"], metric["more_paths"]) for metric in document["metrics"]} == {(None, "INCONCLUSIVE", 29)}


@pytest.fixture
def three(judged, baseline, candidate, call, shared):
    """Calls compare with three candidates: one that lends less, a reckless one, and the baseline itself."""
    return lambda *options: call("compare", baseline, candidate, RECKLESS, baseline, "--study", shared, "--paths", 30, *options)


def test_several_candidates_are_judged_as_each_alone(three, judged, baseline, candidate):
    """Each document in the list is that of a call by itself, to the bit, with its file; the answer and the exit status are the worst."""
    found = three("--json")
    document = json.loads(found.out)
    assert (found.status, document["verdict"], document["exit_status"]) == (1, "fail", 1)
    files = [each.pop("file") for each in document["comparisons"]]
    assert files == [str(candidate), str(RECKLESS), str(baseline)]
    assert document["comparisons"] == [json.loads(judged(each, "--json").out) for each in (candidate, RECKLESS, baseline)]
    assert [each["verdict"] for each in document["comparisons"]] == ["fail", "fail", "pass"]
    assert three("--exit-zero").status == 0


def test_the_order_of_candidates_decides_nothing(call, shared, baseline, candidate):
    """The worst decides wherever it stands."""
    for pair in ((baseline, candidate), (candidate, baseline)):
        assert call("compare", baseline, *pair, "--study", shared, "--paths", 30).status == 1


def test_several_candidates_stand_in_one_table(three):
    """A column a candidate, each value once; a line that answers for each, with its file."""
    out = three().out
    assert out.splitlines()[0] == "✘ FAIL: 2 of 3 candidates fail against frax-current (frax-current.toml)"
    assert out.splitlines()[1].startswith("✘ FAIL: lends-less (candidate.toml): ")
    assert out.splitlines()[3].startswith("✔ PASS: frax-current (frax-current.toml): none of 5 gates fails")
    (head,) = (line.split() for line in out.splitlines() if line.split()[:2] == ["parameter", "baseline"])
    assert head[2:] == ["lends-less", "reckless", "frax-current"]
    assert [line.split() for line in out.splitlines() if line.split()[:1] == ["aave_cap"]] == [["aave_cap", "0.201", "0.101", "1", "="]]
    (caps,) = (line for line in out.splitlines() if "caps_plus_buffer (safety)" in line)
    assert (caps.count("✘ fail"), caps.count("✔ pass"), caps.count("BROKEN")) == (1, 2, 1)


def test_every_document_holds_all_candidates(three, tmp_path):
    """Markdown has a title for each behind one for all, JUnit a suite whose cases no reader confuses, --out the document of all; GitHub shows ten annotations at most."""
    text = three("--format", "md").out
    assert text.startswith("# ✘ FAIL: 2 of 3 candidates fail\n")
    assert re.findall(r"(?m)^## . (\w+): ([\w-]+)", text.replace("\\", "")) == [
        ("FAIL", "lends-less"),
        ("FAIL", "reckless"),
        ("PASS", "frax-current"),
    ]
    root = ET.fromstring(three("--format", "junit").out)  # noqa: S314 - our own output
    assert [suite.attrib["id"] for suite in root] == ["0", "1", "2"]
    cases = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(cases) == len(set(cases)) == 15
    told = three("--format", "github", "--out", tmp_path / "verdict").out
    assert {Path(each).name for each in re.findall(r"(?m)^::error file=([^,]+),", told)} == {"candidate.toml", "reckless.toml"}
    assert told.count("::error ") <= 10
    document = json.loads((tmp_path / "verdict" / "verdict.json").read_text())
    assert len(document["comparisons"]) == 3
    assert (tmp_path / "verdict" / "run.json").exists()


def test_candidates_of_one_name_are_told_apart_by_file(call, shared, baseline, candidate, tmp_path):
    """Names first, then the files', then whole paths."""
    twin = tmp_path / "twin.toml"
    twin.write_text(candidate.read_text(encoding="utf-8"), encoding="utf-8")
    out = call("compare", baseline, candidate, twin, "--study", shared, "--paths", 2).out
    assert "parameter  baseline  candidate.toml  twin.toml" in re.sub(r" {2,}", "  ", out)
    (tmp_path / "deep").mkdir()
    deep = twin.rename(tmp_path / "deep" / "candidate.toml")
    assert str(deep) in call("compare", baseline, candidate, deep, "--study", shared, "--paths", 2).out


def test_a_candidate_that_is_wrong_is_named_before_anything_is_simulated(call, shared, baseline, tmp_path):
    """Exit 2 and one line."""
    found = call("compare", baseline, baseline, tmp_path / "absent.toml", "--study", shared)
    assert (found.status, found.out) == (2, "")
    assert "absent.toml" in found.err


def test_annotations_find_parameters_however_they_are_written(tmp_path):
    """Plain, dotted, quoted, and in a table of a keeper's own."""
    file = tmp_path / "set.toml"
    file.write_text(
        'schema = 1\npolicy_sigma = 0.02\nusdt-keeper.ceiling = 1e6\n"tusd-keeper.ceiling" = 2e6\n[usdc-keeper]\nceiling = 3e6\n',
        encoding="utf-8",
    )
    lines = written_lines(file)
    names = ("policy_sigma", "usdt-keeper.ceiling", "tusd-keeper.ceiling", "usdc-keeper.ceiling")
    assert [lines[name] for name in names] == [2, 3, 4, 6]
