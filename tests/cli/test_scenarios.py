"""`amo-opt scenarios`: the catalogue, or a study's choice from it."""

from __future__ import annotations

import json

from amo_opt.stress.catalogue import scenario_names


def test_the_catalogue_is_listed_whole(call):
    """Every entry by name, plain where it is piped."""
    called = call("scenarios")
    assert (called.status, called.err) == (0, "")
    assert "\x1b" not in called.out
    assert all(name in called.out for name in scenario_names())


def test_json_holds_every_entry_with_its_sources(call):
    """One document: names in the catalogue's order, weights, reasons and where they come from."""
    document = json.loads(call("scenarios", "--json").out)
    assert document["schema"] == 1
    entries = document["scenarios"]
    assert [entry["name"] for entry in entries] == list(scenario_names())
    for entry in entries:
        assert entry["weight"] >= 0.0
        assert entry["summary"]
        assert entry["weight_reason"]
        assert isinstance(entry["sources"], list)


def test_a_study_s_scenarios_come_with_its_weights(small, call):
    """Only those the study names, with the weights and settings it gives them."""
    study = small()
    study.write_text(study.read_text().replace("set = { size = 1.0 }", "set = { size = 1.25 }").replace("weight = 0.02", "weight = 0.07"))
    entries = {entry["name"]: entry for entry in json.loads(call("scenarios", study, "--json").out)["scenarios"]}
    assert list(entries) == ["calm", "svb-2023"]
    assert entries["svb-2023"]["weight"] == 0.07
    assert entries["svb-2023"]["settings"]["size"] == 1.25
    listed = call("scenarios", study)
    assert "0.07" in listed.out
    assert "collateral-impairment" not in listed.out


def test_a_wrong_study_is_exit_2(call, tmp_path):
    """A missing file is named."""
    called = call("scenarios", tmp_path / "nowhere.toml")
    assert (called.status, called.out) == (2, "")
    assert "nowhere.toml: no such file" in called.err


def test_a_study_s_scenarios_are_drawn(small, call, tmp_path):
    """One page with a section a scenario; said on stderr, so that stdout stays one document."""
    called = call("scenarios", small(), "--json", "--plot", tmp_path / "drawn.html")
    assert called.status == 0
    assert len(json.loads(called.out)["scenarios"]) == 2
    assert "2 scenarios drawn in" in called.err
    text = (tmp_path / "drawn.html").read_text()
    assert ('<section id="calm">' in text, '<section id="svb-2023">' in text) == (True, True)


def test_the_catalogue_is_drawn_on_the_shipped_study(call, tmp_path, monkeypatch):
    """No study named: the shipped state, every entry."""
    drawn = []
    monkeypatch.setattr("amo_opt.report.figures.scenarios.save_scenarios", lambda file, pages, title: drawn.append((file, pages, title)))
    monkeypatch.setattr("amo_opt.report.stories.scenarios.scenario_pages", lambda study: study)
    assert call("scenarios", "--plot", tmp_path / "all.svg").status == 0
    [(file, study, title)] = drawn
    assert (file.name, title) == ("all.svg", "Scenarios of the catalogue")
    assert tuple(scenario.name for scenario in study.scenarios) == scenario_names()


def test_a_plot_that_cannot_be_written_is_told_first(call, tmp_path):
    """No such format, no such folder: exit 2, what was found, nothing on stdout."""
    for file, message in ((tmp_path / "all.pdf", ".html, .png, .svg"), (tmp_path / "none" / "all.svg", "there is no folder")):
        called = call("scenarios", "--plot", file)
        assert (called.status, called.out) == (2, "")
        assert message in called.err
