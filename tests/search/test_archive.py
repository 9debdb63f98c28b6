"""A certified result out of its storage: the same to the last bit, or refused with the way out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from amo_opt.errors import StorageError
from amo_opt.scoring.types import Estimate
from amo_opt.search import archive
from amo_opt.search.aim import Aim
from amo_opt.search.coordinator import search
from amo_opt.search.planning import Plan
from amo_opt.search.result import (
    AssumptionDoubt,
    Band,
    Bound,
    Driver,
    Optimum,
    Profile,
    Region,
    Result,
    RunCapacity,
    Sensitivity,
)
from amo_opt.search.ruling import Condition, Paths, Ruling, Turn
from amo_opt.search.study_store import StudyStore
from amo_opt.search.tails import Doubt, Tails
from amo_opt.stress.tilts import Design, Tilt

TRIALS = 8


@pytest.fixture
def searched(make_study, make_toy, tmp_path):
    """A study, its storage of 8 trials, and a result with an odd figure in every place that JSON has trouble with."""
    study = make_study()
    store = StudyStore(study, f"sqlite:///{tmp_path / 'record.db'}")
    trials = search(study, store=store, trials=TRIALS, evaluate=make_toy())
    odd = Estimate(value=0.1 + 0.2, low=-math.inf, high=5e-324, n=7)
    result = Result(
        study=study,
        trials=tuple(trials),
        sampler="tpe",
        front=(1, 3),
        hypervolume=(1.0 / 3.0,),
        candidates=(),
        ruling=Ruling(
            outcome="no change",
            paths=Paths(stream="selection", n=8, each=8),
            sets=1,
            kept=1,
            failed=(("trial-1", "ünïcode · <script>" + "x" * (2 * archive.PIECE)),),
        ),
        recommended=study.current.replace(amplification=77),
        gap={"yield": (0.03, odd, odd)},
        profile=Profile(
            parameter="amplification",
            base="current",
            points=(),
            optimum=Optimum(best=77.0, peg=odd, low=50.0, high=99.0, inside=True, clear=False, searched=True),
        ),
        aims=(Aim("calm", ((Tilt("share", -0.1 / 3.0, -2.6),),), (0.7, 0.3), 1e-4, None),),
        selection_designs={"calm": Design(7, ((Tilt("share", -0.1 / 3.0, -2.6),),), (3,))},
        plan=Plan({"calm": Design(7)}, 1.0 / 3.0, 5e-324, capped=True),
        tails=Tails((Doubt(kind="at the cap", set="trial-1", difference=True, found=odd, tolerance=0.1, cap=7),)),
        doubt=AssumptionDoubt(
            share=odd,
            recommended=True,
            demanded=0.8,
            paths=12,
            twins=5,
            assumptions=3,
            failed=1,
            yield_band=Band(low=-0.1, median=0.0, high=1.0 / 3.0, foretold=0.5),
            peg_band=Band(low=-5e-324, median=0.0, high=1e300, foretold=0.0),
            conditions=((Condition(kind="limit", limit="unserved:calm"), 0.5),),
            explains="margin",
            drivers=(Driver(name="pool.fee", value=0.1, low=0.0, high=0.2, index=odd, side="low"),),
            by_chance=0.2,
            region=Region(bounds=(Bound(name="pool.fee", side="above", threshold=0.1),), draws=4, covered=0.5, purity=0.25),
            more_draws=None,
        ),
        sensitivity=(
            Sensitivity(
                figure="pool.fee",
                end="low",
                value=0.1,
                yield_difference=odd,
                peg_difference=None,
                holds=False,
                n=7,
                objection=Turn(kind="lost", condition=Condition(kind="gain", bound=0.5)),
            ),
        ),
        run_capacities=(RunCapacity(candidate="current", value=odd),),
    )
    return study, store, result


def test_what_was_kept_comes_back_whole(searched):
    """Every field equal, dictionaries in order, infinities and the least of doubles included; nothing before it was kept."""
    study, store, result = searched
    assert archive.kept(store, study, trials=TRIALS) is None
    archive.keep(store, result)
    assert archive.kept(store, study, trials=TRIALS) == result
    assert archive.restored(store, study) == result


def test_it_belongs_to_its_number_of_trials(searched):
    """More trials are another search: certified anew, and the report alone still finds the old one."""
    study, store, result = searched
    archive.keep(store, result)
    assert archive.kept(store, study, trials=TRIALS + 8) is None
    assert archive.restored(store, study) == result


def test_the_later_one_stands(searched):
    """Kept twice, the second is found."""
    study, store, result = searched
    archive.keep(store, result)
    second = replace(result, sampler="nsga2")
    archive.keep(store, second)
    assert archive.restored(store, study) == second


@pytest.mark.parametrize("cut", ["certified:1", "certified"])
def test_a_write_cut_short_is_no_certification(searched, cut, monkeypatch):
    """Killed before the digest was written, none is found."""
    study, store, result = searched
    note = StudyStore.note

    def dying(self, name, value):
        if name == cut and value is not None:
            raise KeyboardInterrupt
        note(self, name, value)

    monkeypatch.setattr(StudyStore, "note", dying)
    with pytest.raises(KeyboardInterrupt):
        archive.keep(store, result)
    assert archive.kept(store, study, trials=TRIALS) is None
    with pytest.raises(StorageError, match="holds no certified result of study 'synthetic'"):
        archive.restored(store, study)


def test_a_damaged_piece_is_found_out(searched):
    """The digest does not fit: certified again by a run, refused by a report."""
    study, store, result = searched
    archive.keep(store, result)
    store.note("certified:0", str(store.noted("certified:0")).replace("no change", "recommended"))
    assert archive.kept(store, study, trials=TRIALS) is None
    with pytest.raises(StorageError, match="damaged: `amo-opt run` certifies again"):
        archive.restored(store, study)


@pytest.mark.parametrize(
    ("seal", "told"),
    [({"schema": 0}, "in form 0, this version reads form 4"), ({"versions": {"numpy": "0.9"}}, "computed with numpy 0.9, here ")],
)
def test_another_form_or_version_is_refused(searched, seal, told):
    """Both are named with the way out, and a run takes neither."""
    study, store, result = searched
    archive.keep(store, result)
    store.note(archive.SEAL, {**store.noted(archive.SEAL), **seal})
    assert archive.kept(store, study, trials=TRIALS) is None
    with pytest.raises(StorageError, match=told):
        archive.restored(store, study)
