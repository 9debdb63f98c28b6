"""``amo-opt calibrate --evidence`` and ``amo-opt validity`` as a person calls them, on two short pools that are made."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from amo_opt.config.evidence import HISTORY_DIR, load_spells
from amo_opt.report.stories.forecasts import BEGIN, END
from amo_opt.scoring import forecasts
from tests.stress.simulated_spells import simulated, written

STUDIES = Path(__file__).parents[2] / "studies"
HISTORIES = os.environ.get(HISTORY_DIR)
recorded = pytest.mark.skipif(HISTORIES is None, reason=f"{HISTORY_DIR} names no folder of histories")
EVIDENCE = """schema = 1
name = "made"
notes = "Two pools that were drawn."

[[history]]
name = "zero"
file = "pool0.csv"
amplification = 200
source = "drawn"

[[history]]
name = "one"
file = "pool1.csv"
amplification = 200
source = "drawn"

[[episode]]
name = "some days"
history = "one"
start = 2022-03-20
end = 2022-04-05
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An evidence file beside two histories of a hundred days."""
    made = tmp_path_factory.mktemp("evidence")
    pools = simulated(6, days=100, scales=((0.004, 0.005), (0.008, 0.008)), flow_freedom=4.0, lp_freedom=4.0)
    written(made, pools)
    (made / "made.toml").write_text(EVIDENCE, encoding="utf-8")
    return made


@pytest.fixture(autouse=True)
def beside(monkeypatch) -> None:
    monkeypatch.delenv(HISTORY_DIR, raising=False)


@pytest.fixture(scope="module")
def fitted(folder, call_in_session):
    """The fit, written, and what was told of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(HISTORY_DIR, raising=False)
        done = call_in_session(
            "calibrate", "--fit", "spells", "--evidence", folder / "made.toml", "--out", folder / "fit.toml", "--draws", "32", "--json"
        )
    assert done.status == 0, done.err
    return done


# -- calibrate -----------------------------------------------------------------------------------------------------------------------------


def test_a_fit_is_written_with_its_draws(folder, fitted) -> None:
    """Each value inside its range, the draws' quantiles its ends, the evidence in words; one JSON document on stdout."""
    document = json.loads(fitted.out)
    assert (document["schema"], document["fit"], document["draws"]) == (1, "spells", 32)
    assert "fitting 2 histories jointly" in fitted.err
    assert [line.split(",")[1].strip().split(" steps")[0] for line in document["evidence"]] == ["100", "100"]
    assert "in sample with it: some days" in document["evidence"][1]
    assert any("assumed" in line for line in document["doubts"])  # a hundred days have too few windows
    found = load_spells(folder / "fit.toml", pool="one")
    assert found.count == 32
    by_name = {each["name"]: each for each in document["figures"]}
    for name in ("begin", "end", "flow_times", "lp_per_sale"):
        each = by_name[name]
        assert found.values[name] == pytest.approx(each["value"], rel=1e-3)
        assert found.ranges[name] == pytest.approx(
            (min(each["interval"][0], each["value"]), max(each["interval"][1], each["value"])), rel=1e-3
        )
    text = (folder / "fit.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["notes"] == "Two pools that were drawn."
    assert str(folder) not in text


def test_the_same_evidence_gives_the_same_bytes(folder, fitted, call, tmp_path) -> None:
    """The fit and its draws, written elsewhere under the same name."""
    done = call("calibrate", "--fit", "spells", "--evidence", folder / "made.toml", "--out", tmp_path / "fit.toml", "--draws", "32")
    assert done.status == 0, done.err
    for name in ("fit.toml", "fit.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert "32 joint draws" in done.out
    assert "log of flow_scale over 60 days" in done.out
    assert "doubtful: fewer than 4 windows" in done.err + done.out


def test_a_behaviour_file_may_name_it(folder, fitted, call, tmp_path) -> None:
    """A study on the new fit validates and is another study; a pool that it has not is refused with the nearest."""
    shutil.copytree(STUDIES, tmp_path / "studies")
    behaviour = tmp_path / "studies" / "behaviour" / "pool-2022.toml"
    text = behaviour.read_text(encoding="utf-8")
    for name in ("fit.toml", "fit.csv"):
        shutil.copy(folder / name, behaviour.parent / name)
    behaviour.write_text(text.replace('file = "spells-2022.toml"', 'file = "fit.toml"\npool = "one"'), encoding="utf-8")
    assert call("validate", tmp_path / "studies" / "pool.toml").status == 0
    behaviour.write_text(text.replace('file = "spells-2022.toml"', 'file = "fit.toml"\npool = "ome"'), encoding="utf-8")
    done = call("validate", tmp_path / "studies" / "pool.toml")
    assert (done.status, "did you mean 'one'?" in done.err + done.out) == (1, True)
    done = call("backtest", tmp_path / "studies" / "pool.toml", "--history", folder / "pool0.csv")
    assert (done.status, "did you mean 'one'?" in done.err) == (2, True)
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fit", "flow"], "--evidence: found --fit flow"),
        (["--fit", "spells", "--history", "x.csv"], "found --history"),
        (["--fit", "spells", "--external-supply", "1e9"], "found --external-supply"),
        (["--fit", "spells", "--leave-out", "FRAX"], "found --leave-out"),
        (["--fit", "spells", "--out", "fit.csv"], "a file ending in .toml"),
        (["--fit", "spells", "--out", "My Fit.toml"], "small letters, digits and hyphens"),
        (["--fit", "spells", "--out", "nowhere/at/all/fit.toml"], "no folder"),
        (["--fit", "spells", "--draws", "3"], "16"),
    ],
)
def test_wrong_calls_are_said_before_the_work(folder, call, arguments: list[str], said: str) -> None:
    """Exit 2, one sentence, nothing fitted."""
    done = call("calibrate", "--evidence", folder / "made.toml", *arguments)
    assert done.status == 2
    assert said in done.err
    assert "fitting" not in done.err
    assert "Traceback" not in done.err


def test_draws_need_an_evidence_file(call, folder) -> None:
    """--out and --draws beside a history alone do nothing, so they are refused."""
    for more in (["--out", "fit.toml"], ["--draws", "32"]):
        done = call("calibrate", "--fit", "spells", "--history", folder / "pool0.csv", *more)
        assert (done.status, "--evidence" in done.err) == (2, True)


@pytest.mark.parametrize("command", [("calibrate", "--fit", "spells", "--evidence"), ("validity",)])
def test_an_evidence_file_that_cannot_be_read_is_one_sentence(folder, call, tmp_path, command) -> None:
    """Not there; no TOML; another kind of file; a history that is not there, or too short."""
    made = tmp_path / "other.toml"
    assert call(*command, tmp_path / "nothing.toml").status == 2
    for text, said in (
        ("schema = ", "TOML"),
        ((STUDIES / "pool.toml").read_text(encoding="utf-8"), "history"),
        (EVIDENCE, "no such file"),
    ):
        made.write_text(text, encoding="utf-8")
        done = call(*command, made)
        assert (done.status, said in done.err) == (2, True), done.err
        assert "Traceback" not in done.err
    for name in ("pool0.csv", "pool1.csv"):
        rows = (folder / name).read_text(encoding="utf-8").splitlines()
        (tmp_path / name).write_text("\n".join(rows[:12]) + "\n", encoding="utf-8")
    made.write_text(EVIDENCE.split("[[episode]]", maxsplit=1)[0], encoding="utf-8")
    done = call(*command, made)
    assert (done.status, "too few steps to fit" in done.err) == (2, True)


# -- validity ------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def printed(folder, call_in_session):
    """What is printed without a page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(HISTORY_DIR, raising=False)
        done = call_in_session("validity", folder / "made.toml", "--paths", "32")
    assert done.status == 0, done.err
    return done.out


@pytest.fixture(scope="module")
def paged(folder, call_in_session, tmp_path_factory):
    """A page with something above and below, written by a run of its own; what it came to stands for further calls."""
    page = tmp_path_factory.mktemp("page") / "page.md"
    page.write_text(f"# Above\n\nkept\n\n{BEGIN}\nold\n{END}\n\n## Below\n\nkept too", encoding="utf-8")
    found = {}
    real = forecasts.validity

    def kept(study, evidence, **named):
        if [(each.name, each.amplification) for each in evidence.histories] != [("zero", 200.0), ("one", 200.0)]:
            return real(study, evidence, **named)
        if not found:
            found["made"] = real(study, evidence, **named)
        return found["made"]

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(HISTORY_DIR, raising=False)
        patch.setattr(forecasts, "validity", kept)
        done = call_in_session("validity", folder / "made.toml", "--paths", "32", "--page", page, "--json")
        assert done.status == 0, done.err
        yield page, json.loads(done.out), done


def test_json_tells_what_the_page_does(paged) -> None:
    """Goals, both tables, both kinds of stretches; every number finite or null; the page's goals are the document's."""
    page, document, done = paged
    assert (document["schema"], document["evidence"], document["study"], document["paths"]) == (1, "made", "pool", 32)
    text = page.read_text(encoding="utf-8")
    for each in document["goals"]:
        verdict = {True: "met", False: "**missed**", None: "not known"}[each["met"]]
        assert f"| {each['goal']} | {each['found']} | {verdict} |" in text
    soon = document["share"][0]
    assert soon["rows"] == "to 7 days, all"
    assert 0.0 <= soon["inside_50"][0] <= soon["inside_90"][0] <= 1.0
    assert sum(soon["pit_tenths"]) == pytest.approx(1.0)
    # the tables' groups: all rows are those by origins and those of episodes
    by = {each["rows"]: each["n"] for each in document["share"]}
    assert by["to 7 days, all"] == by["… rolling origins"] + by["… episodes left out"]
    assert by["… rolling origins"] == by["… … zero"] + by["… … one"]
    assert document["depth"][0]["crps_over_walk_full"] is None
    (episode,) = document["told_flow_and_liquidity"]["episodes"]
    assert episode["of"] == "some days"
    assert episode["share_model"] == pytest.approx(episode["share"], abs=0.01)
    assert "not seen" not in done.err
    assert "zero: predicted from rolling origins" in done.err


def test_the_page_keeps_what_is_not_its_own(paged, printed, folder, call) -> None:
    """What stood around the marks stands; what another run printed is what stands between them; written again it is the same bytes, and at the end of a page without marks."""
    page, _, _ = paged
    first = page.read_bytes()
    text = first.decode()
    assert text.startswith("# Above\n\nkept\n\n" + BEGIN)
    assert text.endswith(END + "\n\n## Below\n\nkept too")
    assert "\nold\n" not in text
    part = text.split(BEGIN)[1].split(END)[0].strip()
    assert printed.strip() == part
    done = call("validity", folder / "made.toml", "--paths", "32", "--page", page)
    assert done.status == 0
    assert page.read_bytes() == first
    assert "required: CRPS of share to 7 days" in done.out
    for before in (None, "", "# A page\n\nwithout marks\n"):
        other = page.with_name("other.md")
        other.unlink(missing_ok=True)
        if before is not None:
            other.write_text(before, encoding="utf-8")
        for _ in range(2):
            assert call("validity", folder / "made.toml", "--paths", "32", "--page", other).status == 0
            kept = f"{before.rstrip()}\n\n" if before else ""
            assert other.read_text(encoding="utf-8") == f"{kept}{BEGIN}\n\n{part}\n\n{END}\n"


def test_pages_that_cannot_hold_it_are_said_before_the_work(folder, call, tmp_path) -> None:
    """One mark alone, marks twice or the other way round, no text, a folder, no folder to write into; each is left as it is."""
    page = tmp_path / "page.md"
    for raw in (BEGIN.encode(), f"{END}\n{BEGIN}".encode(), f"{BEGIN}{END}{BEGIN}{END}".encode(), b"\xff\xfe\x00"):
        page.write_bytes(raw)
        done = call("validity", folder / "made.toml", "--paths", "32", "--page", page)
        assert (done.status, "predicted" in done.err, "Traceback" in done.err) == (2, False, False), done.err
        assert page.read_bytes() == raw
    for other in (tmp_path, tmp_path / "nowhere" / "page.md"):
        done = call("validity", folder / "made.toml", "--paths", "32", "--page", other)
        assert (done.status, "predicted" in done.err, "Traceback" in done.err) == (2, False, False), done.err


def test_one_history_is_refused(folder, call, tmp_path) -> None:
    """Each is predicted by the others."""
    shutil.copy(folder / "pool0.csv", tmp_path / "pool0.csv")
    made = tmp_path / "one.toml"
    made.write_text(EVIDENCE.split('[[history]]\nname = "one"', maxsplit=1)[0], encoding="utf-8")
    done = call("validity", made, "--paths", "32")
    assert (done.status, "at least 2" in done.err, "Traceback" in done.err) == (2, True, False)
    assert call("validity", made, "--paths", "1").status == 2


def test_a_history_without_an_a_is_refused(folder, call, tmp_path) -> None:
    """Replays and depths need it, and none is invented."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    made = tmp_path / "made.toml"
    made.write_text(EVIDENCE.replace("amplification = 200\n", "", 1), encoding="utf-8")
    done = call("validity", made, "--paths", "32")
    assert (done.status, "zero: amplification: missing" in done.err, "predicted" in done.err) == (2, True, False)


# -- recorded histories --------------------------------------------------------------------------------------------------------------------


@recorded
def test_the_shipped_fit_is_what_the_command_writes(call, tmp_path, monkeypatch) -> None:
    """studies/behaviour/spells-2022.toml and its draws, from the histories: to the last digits that are written, or near them on another machine."""
    monkeypatch.setenv(HISTORY_DIR, str(HISTORIES))
    out = tmp_path / "spells-2022.toml"
    done = call("calibrate", "--fit", "spells", "--evidence", STUDIES / "evidence" / "pools-2022.toml", "--out", out)
    assert done.status == 0, done.err
    shipped = STUDIES / "behaviour" / "spells-2022.toml"
    one, two = (load_spells(file, pool="frax3crv") for file in (out, shipped))
    assert one.evidence == two.evidence
    assert one.values == pytest.approx(two.values, rel=2e-3)
    for name, values in one.draws.items():
        ends = [np.quantile(each, [0.025, 0.5, 0.975]) for each in (values, two.draws[name])]
        np.testing.assert_allclose(*ends, rtol=5e-3)


@recorded
@pytest.mark.campaign
def test_what_is_required_of_predictive_bands_is_met(call, monkeypatch) -> None:
    """All four pools, 256 paths: CRPS of share no more than that of nothing changing, 90% bands to 7 days hold at least 80% of rows; what is told flow and liquidity is the record."""
    monkeypatch.setenv(HISTORY_DIR, str(HISTORIES))
    done = call("validity", STUDIES / "evidence" / "pools-2022.toml", "--json")
    assert done.status == 0, done.err
    document = json.loads(done.out)
    required = [each for each in document["goals"] if each["goal"].startswith("required")]
    assert [each["met"] for each in required] == [True, True]
    assert document["share"][0]["n"] > 1000
    for each in document["goals"]:
        sys.stdout.write(f"{each['met']} {each['goal']} {each['found']}\n")


@recorded
def test_recorded_pools_to_a_week(monkeypatch) -> None:
    """The two shorter pools by each other's figures, from every fourth week: bands that hold most rows, and a share's CRPS below that of nothing changing. Twenty seconds at most."""
    from amo_opt import load_study
    from amo_opt.config.evidence import load_evidence

    monkeypatch.setenv(HISTORY_DIR, str(HISTORIES))
    monkeypatch.setattr(forecasts, "EVERY_DAYS", 28.0)
    monkeypatch.setattr(forecasts, "LATE_DAYS", (math.inf, math.inf))
    evidence = load_evidence(STUDIES / "evidence" / "pools-2022.toml")
    pools = [each for each in forecasts.pools_of(evidence) if each.steps.name in ("mim3crv", "steth")]
    rows = [each for each in forecasts.rolling(load_study(STUDIES / "pool.toml"), pools, paths=64) if each.what == "share"]
    found = forecasts.judged("to a week", rows)
    assert found.origins > 10
    assert found.inside_90.value > 0.6
    assert found.over_still.value < 1.1
