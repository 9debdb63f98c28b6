"""``amo-opt backtest`` as a person calls it."""

from __future__ import annotations

import json

import pytest

from amo_opt.stress.history import episode_names


@pytest.mark.parametrize("name", episode_names())
def test_an_episode_prints_its_demands(call, shared, name):
    """Each demand with its verdict; help lists the episode."""
    found = call("backtest", shared, "--episode", name, "--paths", "4")
    assert found.status == 0
    assert "what must come out right" in found.out
    assert "replaying" in found.err
    assert name in call("backtest", "--help").out


def test_json_is_one_document(call, shared):
    """Nothing else on stdout; the same bytes on two threads."""
    first = call("backtest", shared, "--episode", "svb-2023", "--paths", "70", "--json", "--workers", "1")
    assert json.loads(first.out)["schema"] == 2
    assert call("backtest", shared, "--episode", "svb-2023", "--paths", "70", "--json", "--workers", "2").out == first.out


def test_a_history_of_ones_own(call, shared, tmp_path):
    """Its rows are compared, its plot written, another set replayed."""
    history, plot = tmp_path / "mine.csv", tmp_path / "mine.svg"
    history.write_text("timestamp,usdc,price,supply\n2023-03-10T22:00:00Z,1,1,1e9\n2023-03-11T06:00:00Z,0.95,0.96,9.9e8\n")
    params = shared.parent / "parameters" / "frax-current.toml"
    found = call("backtest", shared, "--history", history, "--paths", "2", "--plot", plot, "--params", params, "--json")
    assert (found.status, plot.exists()) == (0, True)
    document = json.loads(found.out)
    assert (document["episode"], document["columns"]["supply"]["n"], document["columns"]["price"]["n"]) == ("mine", 1, 2)
    assert document["criteria"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "found neither"),
        (("--episode", "svb-2023", "--history", "a.csv"), "found both"),
        (("--episode", "svb"), "allowed: svb-2023, ust-contagion-2022"),
        (("--history", "nowhere.csv"), "nowhere.csv: no such file"),
        (("--episode", "svb-2023", "--plot", "a.pdf"), ".pdf"),
        (("--episode", "svb-2023", "--plot", "nowhere/a.svg"), "no folder"),
    ],
)
def test_a_wrong_call_is_told_at_once(call, shared, options, said):
    """Exit status 2 and one message; nothing on stdout."""
    found = call("backtest", shared, *options)
    assert (found.status, found.out) == (2, "")
    assert said in found.err
    assert "Traceback" not in found.err


def test_too_few_paths_have_no_band(call, shared):
    """Means are told, their bands and who lies outside are not: null for machines, words for people; 30 paths have them."""
    for paths, known in ((29, False), (30, True)):
        document = json.loads(call("backtest", shared, "--episode", "svb-2023", "--paths", paths, "--json").out)
        columns = document["columns"].values()
        assert {(each["model_low"] is None, each["model_high"] is None, each["outside"] is None) for each in columns} == {(not known,) * 3}
        assert all((each["model_interval"] is not None) == known for each in document["summary"].values() if each["model"] is not None)
    text = call("backtest", shared, "--episode", "svb-2023", "--paths", "2").out
    assert text.count("not known") == len(document["summary"]) + 2 * len(document["columns"]) - sum(
        each["model"] is None and each["observed"] is None for each in document["summary"].values()
    )
