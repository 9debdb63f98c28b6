"""`amo-opt profile`: a table by term, a line a parameter, one document, a picture."""

from __future__ import annotations

import json

import pytest

from amo_opt import load_study
from amo_opt.amos.parameters import PARAMETERS

CALL = ("--parameter", "amplification", "--parameter", "pool_share_low", "--points", "2")


def test_a_table_a_parameter_and_a_line_on_what_it_does(shared, call):
    """Figures and paired differences by term with intervals, n at the top, the current value marked; progress on stderr."""
    called = call("profile", shared, *CALL, "--paths", "110")
    assert called.status == 0
    assert "\x1b" not in called.out
    for text in (
        "n = 220)",
        "150",
        "1,500 current",
        "5,000",
        "yield (% a year)",
        "rewards (% a year)",
        "peg risk (bp)",
        "worst external CR",
    ):
        assert text in called.out, text
    last = called.out.splitlines()[-2:]
    assert last[0].startswith("amplification: peg risk falls from ")
    assert last[1].startswith("pool_share_low: ")
    assert called.err.splitlines()[-1].startswith("profiles: ")


def test_a_terminal_gets_as_many_columns_as_fit(shared, call, monkeypatch):
    """No line wider than asked for; every value stands in one of the tables."""
    monkeypatch.setenv("COLUMNS", "90")
    out = call("profile", shared, "--parameter", "amplification", "--points", "4", "--paths", "110").out
    tables = out[: out.index("\namplification: peg")]
    assert max(len(line.rstrip()) for line in tables.splitlines() if " … " in line) <= 90
    assert tables.count("amplification, continued") >= 1
    assert all(value in tables for value in ("150", "480", "1,500 current", "1,600", "5,000"))


def test_json_is_one_document_with_every_figure(shared, call):
    """Schema, study, paths; every point of every searched parameter with figures and differences by term, each with n and, of two paths,
    no interval: nothing is then said of a shape.
    """
    called = call("profile", shared, "--points", "2", "--paths", "2", "--json")
    assert called.status == 0
    document = json.loads(called.out)
    study = load_study(shared)
    assert (document["schema"], document["stream"], document["paths"], document["n"]) == (2, "selection", 2, 4)
    assert [each["parameter"] for each in document["profiles"]] == list(study.search.space)
    for each in document["profiles"]:
        assert [point["current"] for point in each["points"]].count(True) == 1
        assert set(each["objectives"]) == {"yield", "peg_cvar95_bps"}
        assert [one["shape"] for one in each["objectives"].values()] == ["NOT KNOWN"] * 2
        assert each["flat"] is None
        for point in each["points"]:
            assert set(point["figures"]) == set(point["differences"]) == set(document["bounds"])
            for estimate in (*point["figures"].values(), *point["differences"].values()):
                assert (estimate["interval"], estimate["n"]) == (None, 4)
            assert not point["current"] or all(each["value"] == 0.0 for each in point["differences"].values())


def test_the_same_bytes_whatever_the_workers(shared, call):
    """Threads change nothing; another seed changes the figures."""
    outputs = [call("profile", shared, *CALL, "--workers", workers, "--json").out for workers in ("1", "2")]
    assert outputs[0] == outputs[1] != call("profile", shared, *CALL, "--seed", "99", "--json").out


@pytest.mark.parametrize("suffix", [".html", ".svg", ".png"])
def test_the_drawing_is_written_and_its_place_told(shared, call, tmp_path, suffix):
    """Beside the result, not in its place."""
    file = tmp_path / f"profile{suffix}"
    called = call("profile", shared, "--parameter", "amplification", "--points", "2", "--paths", "2", "--plot", file, "--json")
    assert called.status == 0
    json.loads(called.out)
    assert file.stat().st_size > 5_000
    assert f"drawn in {file}" in called.err


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("--parameter", "amplificaton"), ("'amplificaton'", "did you mean 'amplification'")),
        (("--parameter", "min_cr"), ("'min_cr', which the study does not search", "[search.space]")),
        (("--points", "1"), ("--points",)),
        (("--plot", "profile.pdf"), (".html, .png, .svg",)),
        (("--plot", "nowhere/profile.svg"), ("--plot", "there is no folder")),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_simulated(shared, call, monkeypatch, arguments, fragments):
    """Exit status 2 and one message: what was found, what is allowed."""
    from amo_opt.search import profile

    monkeypatch.setattr(profile, "simulate_many", None)
    called = call("profile", shared, *arguments)
    assert (called.status, called.out) == (2, "")
    assert "internal error" not in called.err
    assert all(fragment in called.err for fragment in fragments), called.err


def test_a_parameter_that_does_nothing_has_one_column(shared, call, monkeypatch):
    """Where every figure is the same at every value, it is shown once, and told FLAT."""
    from amo_opt.search import profile

    real = profile.simulate_many

    def alike(sets, study, **settings):
        return [real([study.current], study, **settings)[0]] * len(sets)

    monkeypatch.setattr(profile, "simulate_many", alike)
    called = call("profile", shared, "--parameter", "cr_band", "--points", "3", "--paths", "110")
    assert called.status == 0
    assert "cr_band: FLAT\n" in "\n".join(line.rstrip() for line in called.out.splitlines())
    assert "at every value" in called.out
    low, high = (load_study(shared).search.space["cr_band"].low, PARAMETERS["cr_band"].high / 10)
    assert called.out.endswith(
        f"cr_band: FLAT: from {low:g} to {high:g} it acts through nothing in these scenarios: every figure stays the same.\n"
    )


def test_an_interrupt_is_130(shared, call, monkeypatch):
    """Ctrl-C while it simulates: a message and the status, no traceback."""
    from amo_opt.search import profile

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(profile, "simulate_many", interrupted)
    called = call("profile", shared, *CALL)
    assert (called.status, called.out) == (130, "")
    assert "interrupted" in called.err
