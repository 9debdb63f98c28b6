"""``amo-opt backtest`` as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

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


# -- parts of files, several of them, and flows that are told ------------------------------------------------------------------------------------


@pytest.fixture
def pools(tmp_path):
    """Two histories of a pool of 10m, sixty days each, and one of two rows."""
    from tests.stress.simulated_spells import simulated, written

    return [*written(tmp_path, simulated(3, days=60, scales=((0.004, 0.005), (0.006, 0.004))))]


POOL = Path(__file__).parents[2] / "studies" / "pool.toml"


def test_several_histories_have_one_table_over_all(call, pools):
    """Each as by itself, then rows and scores of all shares together: outside added up, CRPS weighed by rows."""
    alone = [json.loads(call("backtest", POOL, "--history", file, "--from", "2022-02-10", "--paths", "40", "--json").out) for file in pools]
    both = [argument for file in pools for argument in ("--history", file)]
    document = json.loads(call("backtest", POOL, *both, "--from", "2022-02-10", "--paths", "40", "--json").out)
    assert document["histories"] == alone
    assert {each["drawn_behaviour"] for each in alone} == {"known"}
    done = call("backtest", POOL, *both, "--from", "2022-02-10", "--paths", "40")
    assert done.status == 0
    table = done.out.split("all histories")[1]
    last = next(line for line in table.splitlines() if line.split()[:2] == ["all", "pool_share"])
    shares = [each["columns"]["pool_share"] for each in alone]
    n = sum(each["n"] for each in shares)
    assert f"{sum(each['outside'] for each in shares)} of {n}" in last
    assert float(last.split()[-2]) == pytest.approx(sum(each["n"] * each["crps"] for each in shares) / n, rel=1e-4)
    assert float(last.split()[-1]) == pytest.approx(sum(each["n"] * each["crps_nothing_changes"] for each in shares) / n, rel=1e-4)
    assert "a joint draw of the fitted behaviour on each" in done.out


def test_scores_are_those_of_the_rows(call, pools):
    """Mean CRPS and mean distance from the start, from the document's own rows where each band is a point."""
    document = json.loads(call("backtest", POOL, "--history", pools[0], "--condition", "flow,lp", "--paths", "30", "--json").out)
    share = document["columns"]["pool_share"]
    assert document["drawn_behaviour"] == "no"
    assert share["crps"] == pytest.approx(sum(abs(m - o) for m, o in zip(share["model"], share["observed"], strict=True)) / share["n"])
    assert share["crps_nothing_changes"] == pytest.approx(sum(abs(0.5 - each) for each in share["observed"]) / share["n"])
    assert share["crps"] < 0.05 * share["crps_nothing_changes"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--episode", "svb-2023", "--from", "2023-03-11"], "--from: found it with --episode"),
        (["--episode", "svb-2023", "--condition", "flow"], "--condition: found it with --episode"),
        (["--condition", "lp"], "'flow', 'flow,lp'"),
        (["--from", "soon"], "--from: found 'soon'"),
        (["--from", "2030-01-01"], "found 0 rows"),
        (["--to", "2022-01-01"], "found 1 rows"),
        (["--plot", "both.svg", "twice"], "a drawing is of one"),
    ],
)
def test_wrong_parts_are_one_sentence(call, pools, arguments, said):
    """Exit 2, and never a traceback."""
    twice = [*("--history", pools[1])] if "twice" in arguments else []
    first = [] if "--episode" in arguments else ["--history", pools[0], *twice]
    done = call("backtest", POOL, *first, *(each for each in arguments if each != "twice"))
    assert (done.status, said in done.err, "Traceback" in done.err) == (2, True, False), done.err


def test_a_history_that_is_not_there_is_said(call, pools, tmp_path):
    """Also the second of two, before or after the first was replayed."""
    done = call("backtest", POOL, "--history", pools[0], "--history", tmp_path / "nothing.csv", "--paths", "2")
    assert (done.status, "nothing.csv" in done.err, "Traceback" in done.err) == (2, True, False)
