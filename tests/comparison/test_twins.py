"""Comparisons on twins: the same promises as on drawn paths, and a stored run that holds its design."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from amo_opt.comparison.compare import compare
from amo_opt.comparison.documents import json_document, json_text
from amo_opt.comparison.store import RUN, write_comparison
from amo_opt.comparison.wording import setting
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.search import planning
from amo_opt.search.aim import Aim
from amo_opt.stress.tilts import Design, Tilt, tilt_of

PUSH = (Tilt("share", -0.12, -0.5),)
DRAWN, TWINS = 40, 32


@pytest.fixture(scope="module")
def designs(small):
    """Twins in the first scenario alone."""
    return {small.scenarios[0].name: Design(DRAWN, (PUSH,), (TWINS,))}


@pytest.fixture(scope="module")
def candidate(small):
    return small.current.replace(name="later", pool_share_high=0.61, aave_cap=0.3)


@pytest.fixture(scope="module")
def found(small, candidate, designs):
    return compare(small.current, candidate, small, paths=DRAWN, designs=designs)


def test_drawn_and_twins_are_told(found, small):
    """In JSON, in the setting's sentence, and n counts all of them."""
    calm = small.scenarios[0].name
    document = json_document(found)
    assert (document["paths"], document["twins"]) == (DRAWN, {calm: TWINS})
    assert f"40 paths in each of 2 scenarios weighted as the study says, and 32 twins of {calm}, seed" in setting(found)
    assert {each.n for each in found.metrics} == {2 * DRAWN + TWINS}


def test_swapping_sides_by_the_same_designs_negates(found, small, candidate, designs):
    """Every difference and both ends of its interval, to the last bit, with twins as without."""
    back = compare(candidate, small.current, small, paths=DRAWN, designs=designs)
    for there, here in zip(found.metrics, back.metrics, strict=True):
        assert (there.difference, there.low, there.high) == (-here.difference + 0.0, -here.high + 0.0, -here.low + 0.0)


def test_a_set_against_itself_passes(small, designs):
    """No difference on any path, whatever it weighs."""
    alike = compare(small.current, small.current, small, paths=DRAWN, designs=designs)
    assert (alike.verdict, {each.difference for each in alike.metrics}) == ("pass", {0.0})


def test_a_stored_run_holds_design_and_weights(found, small, candidate, tmp_path):
    """The same verdict byte for byte, without the baseline and without a pilot; a design beside it is refused."""
    write_comparison([found], tmp_path)
    kept = json.loads((tmp_path / RUN).read_text(encoding="utf-8"))
    (design,) = kept["designs"].values()
    assert design == {"components": [["share:-0.12:-0.5"]], "twins": [TWINS]}
    assert [tilt_of(text) for text in design["components"][0]] == [*PUSH]
    again = compare(small.current, candidate, small, baseline_run=tmp_path / RUN)
    assert json_text([again]) == json_text([found])
    assert again.baseline.weights.tobytes() == found.candidate.weights.tobytes()
    with pytest.raises(AmoOptError, match="designs beside a stored run"):
        compare(small.current, candidate, small, baseline_run=tmp_path / RUN, designs={})


def test_the_baseline_s_pilot_aims(small, candidate, monkeypatch):
    """Twice the twins of its shares beside the drawn paths, some of them pushed less, of which there are 30 at least; a scenario without a driver is drawn as it is."""
    asked = []
    calm, run = (each.name for each in small.scenarios)

    def aim(sets, study, *, workers):
        asked.append([each.name for each in sets])
        return {calm: Aim(calm, (PUSH,), (0.5, 0.5), 0.1, 1e-3), run: Aim(run, (), (1.0,), 1.0, None)}

    monkeypatch.setattr(planning, "aim", aim)
    aimed = compare(small.current, candidate, small, paths=DRAWN)
    assert asked == [[small.current.name]]
    assert (aimed.baseline.twins, list(aimed.baseline.designs)) == ({calm: 48 + 30 + 30}, [calm])
    assert np.all(aimed.baseline.weights[DRAWN + 108 :] == 1.0), "drawn paths of the other scenario count alike"

    def fails(sets, study, *, workers):
        raise SimulationError("scenario calm, path 3, step 7: no price")

    monkeypatch.setattr(planning, "aim", fails)
    with pytest.raises(SimulationError, match="the baseline cannot be compared: scenario calm, path 3"):
        compare(small.current, candidate, small, paths=DRAWN)


def test_few_drawn_paths_are_too_few_with_any_twins(small, candidate, designs):
    """Told is how many drawn paths are missing, not how many twins there are."""
    few = {name: replace(design, drawn=20) for name, design in designs.items()}
    found = compare(small.current, candidate, small, paths=20, designs=few)
    assert {each.interval for each in found.metrics} == {None}
    assert {each.reason.paths for each in found.gates if each.reason.kind == "few paths"} == {20}
    assert {each.more_paths for each in found.metrics if not each.same} == {10}
