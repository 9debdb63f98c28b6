"""``amo-opt calibrate --fit spells``: what is printed, and what is refused."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.stress import load_scenario
from amo_opt.stress.calibration import fit_spells
from amo_opt.stress.table import read_table
from tests.stress.simulated_spells import TRUE, simulated, written

SMALL = ((0.0012, 0.0015), (0.0016, 0.0012))


@pytest.fixture
def files(tmp_path) -> list[Path]:
    return written(tmp_path, simulated(6, days=220, scales=SMALL, flow_freedom=4.0, lp_freedom=4.0))


def test_what_is_printed_can_be_pasted(files, call) -> None:
    """Two histories jointly: a scenario's settings that load, a commented range of each figure, every figure inside its interval; the truth is in most intervals."""
    done = call(
        "calibrate",
        "--fit",
        "spells",
        *(argument for file in files for argument in ("--history", file)),
        "--external-supply",
        "2e9",
        "--json",
    )
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert told["file"] == "pool0.csv, pool1.csv"
    pasted = tomllib.loads(told["toml"])["scenario"][0]
    assert load_scenario("calm", settings=pasted["set"]).settings["spell_begin"] == pasted["set"]["spell_begin"]
    ranges = tomllib.loads("\n".join(line[2:] for line in told["toml"].split("# [ranges]\n")[1].splitlines()))
    assert set(ranges) == set(pasted["set"]) >= {"spell_begin", "spell_end", "spell_flow_scale", "spell_lp_scale", "spell_lp_per_sale"}
    truth = TRUE | {"flow_freedom": 4.0, "lp_freedom": 4.0, "lp_per_sale": 2 * 0.58}
    inside = 0
    for each in told["figures"]:
        low, high = each["interval"]
        assert low <= each["best"] <= high
        inside += low <= truth.get(each["name"].removeprefix("spell_"), math.nan) <= high
    assert inside >= 6
    assert any("conversion" in note for note in told["notes"])
    assert any("what an AMO adds" in note for note in told["notes"])


def test_wrong_calls_are_said(files, call) -> None:
    """Several files for another fit, A for another fit, and A for some of the files only."""
    two = [argument for file in files for argument in ("--history", file)]
    for arguments, said in (
        (["--fit", "lp-flight", *two], "--fit lp-flight reads one file"),
        (["--fit", "lp-flight", *two[:2], "--amplification", "100"], "--fit lp-flight does not use it"),
        (["--fit", "spells", *two[:2], "--leave-out", "X"], "has no points"),
    ):
        done = call("calibrate", *arguments)
        assert (done.status, said in done.err) == (2, True), done.err
    tables = [read_table(file) for file in files]
    with pytest.raises(AmoOptError, match="found 3 for 2 histories"):
        fit_spells(tables, amplifications=[1.0, 2.0, 3.0])
