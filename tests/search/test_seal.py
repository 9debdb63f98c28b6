"""A storage that somebody or something has changed: refused in one sentence, and what is read is what was written."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from amo_opt.errors import StorageError
from amo_opt.search import archive, seal
from amo_opt.search.coordinator import search
from amo_opt.search.result import Result
from amo_opt.search.ruling import Paths, Ruling
from amo_opt.search.study_store import StudyStore
from amo_opt.search.trials import NUMBER, thaw

TRIALS = 8


@pytest.fixture(scope="module")
def written(make_study, make_toy, tmp_path_factory):
    """A study, the file of its storage (8 trials, the last of them failed, and a certified result of several pieces), and those trials."""
    study, file = make_study(), tmp_path_factory.mktemp("written") / "record.db"
    store = StudyStore(study, f"sqlite:///{file}")
    trials = search(study, store=store, trials=TRIALS, evaluate=make_toy(failing=lambda each: each.name == "trial-7"))
    store.sampler("tpe")
    result = Result(
        study=study,
        trials=tuple(trials),
        sampler="tpe",
        front=(1, 3),
        hypervolume=(1.0 / 3.0,),
        candidates=(),
        ruling=Ruling(
            outcome="no change", paths=Paths(stream="selection", n=0, each=0), sets=0, kept=0, failed=(("trial-1", "x" * archive.PIECE),)
        ),
        recommended=None,
    )
    archive.keep(store, result)
    store._storage.engine.dispose()
    return study, file, result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("changed")


@pytest.fixture(scope="module")
def changed(written, folder):
    """A copy of the storage after some statements: ``changed("drop table trials")``, opened anew each time."""
    _, file, _ = written

    def change(*statements, values=()):
        copy = shutil.copy(file, folder / "record.db")
        with sqlite3.connect(copy) as database:
            for statement in statements:
                database.execute(statement, values)
        database.close()
        return f"sqlite:///{copy}"

    return change


def read(study, address):
    """Everything there is to read, as `amo-opt run` and `amo-opt report` read it."""
    store = StudyStore(study, address)
    trials = [thaw(trial) for trial in store.frozen()]
    store.sampler("tpe")
    return trials, archive.restored(store, study)


def test_what_nobody_changed_is_read(written, changed):
    study, _, result = written
    assert read(study, changed()) == (list(result.trials), result)


EDITS = {
    "a better yield": "update trial_values set value = value + 0.01 where trial_id = 4 and objective = 0",
    "no number": "update trial_values set value = null, value_type = 'INF_POS' where trial_id = 4 and objective = 1",
    "an unknown kind of number": "update trial_values set value_type = 'NAN' where trial_id = 4",
    "a third objective": "insert into trial_values (trial_id, objective, value, value_type) select trial_id, 9, 0.0, 'FINITE' from trials where trial_id = 4",
    "a variable moved": "update trial_params set param_value = 0.25 where trial_id = 4 and param_name = 'aave_cap'",
    "a variable's range": "update trial_params set distribution_json = replace(distribution_json, '0.6', '0.7') where trial_id = 4",
    "a variable gone": "delete from trial_params where trial_id = 4 and param_name = 'aave_cap'",
    "a foreign variable": "update trial_params set param_name = 'aave_cup' where trial_id = 4 and param_name = 'aave_cap'",
    "a parameter edited": "update trial_user_attributes set value_json = replace(value_json, '\"aave_cap\": 0', '\"aave_cap\": 1') where trial_id = 4 and key = 'parameters'",
    "a constraint that is NaN": "update trial_user_attributes set value_json = '{\"caps_plus_buffer\": NaN}' where trial_id = 4 and key = 'constraints'",
    "no parameters": "delete from trial_user_attributes where trial_id = 4 and key = 'parameters'",
    "another trial's number": "update trial_user_attributes set value_json = '4' where trial_id = 4 and key = 'number'",
    "a number that is a list": "update trial_user_attributes set value_json = '[3]' where trial_id = 4 and key = 'number'",
    "no number of its own": "delete from trial_user_attributes where trial_id = 4 and key = 'number'",
    "an origin of another": "update trial_user_attributes set value_json = '\"current\"' where trial_id = 4 and key = 'origin'",
    "text that is no JSON": "update trial_user_attributes set value_json = '{' where trial_id = 4 and key = 'origin'",
    "nested without end": "update trial_user_attributes set value_json = replace(hex(zeroblob(50000)), '0', '[') where trial_id = 4 and key = 'origin'",
    "an attribute more": "insert into trial_user_attributes (trial_id, key, value_json) select trial_id, 'screened', 'true' from trials where trial_id = 4",
    "constraints for the sampler": "update trial_system_attributes set value_json = '[-1.0, -1.0]' where trial_id = 4 and key = 'constraints'",
    "a failure made a success": "update trials set state = 'COMPLETE' where trial_id = 8",
    "a success made a failure": "update trials set state = 'FAIL' where trial_id = 4",
    "a success still running": "update trials set state = 'RUNNING' where trial_id = 4",
    "an unknown state": "update trials set state = 'DONE' where trial_id = 4",
    "a seal gone": "delete from trial_user_attributes where trial_id = 4 and key = 'sha256'",
    "a sampler of no kind": "update study_user_attributes set value_json = '\"random\"' where key = 'sampler'",
    "another sampler": "update study_user_attributes set value_json = '\"nsga2\"' where key = 'sampler'",
    "a sampler that is a list": "update study_user_attributes set value_json = '[1]' where key = 'sampler'",
    "a direction of no kind": "update study_directions set direction = 'SIDEWAYS'",
    "another direction": "update study_directions set direction = 'MAXIMIZE'",
}

RESULT_EDITS = {
    "pieces without end": ("pieces", 10**15),
    "pieces in words": ("pieces", "two"),
    "no piece": ("pieces", 0),
    "infinitely many": ("pieces", float("inf")),
    "fewer trials": ("trials", 7),
    "trials that are no number": ("trials", None),
    "versions that are none": ("versions", 3),
    "another digest": ("sha256", "0" * 64),
    "a key more": ("note", ""),
}
TABLES = ("studies", "study_user_attributes", "trials", "trial_user_attributes", "trial_values")


def refused(study, address):
    """One sentence that names a way out."""
    with pytest.raises(StorageError) as caught:
        read(study, address)
    told = str(caught.value)
    assert len(told.splitlines()) == 1
    assert len(told) < 700
    assert "--storage" in told or "`amo-opt run`" in told
    return told


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_trial_is_refused(written, changed, edit):
    """A value, a variable, its range, an attribute, a state, the seal itself: each by itself, as an editor of databases would change it."""
    refused(written[0], changed(EDITS[edit]))


def test_the_refusal_names_the_trial(written, changed):
    told = refused(written[0], changed(EDITS["a better yield"]))
    assert told.startswith("trial 3 of the storage sqlite:////")
    assert "was changed after it was written (its seal does not fit): nothing is built on it" in told


def test_a_record_without_seals_is_refused_with_the_way_out(written, changed):
    """As versions before seals wrote it: its values cannot be told from edited ones."""
    told = refused(written[0], changed("delete from trial_user_attributes where key = 'sha256'"))
    assert "trial 0 of the storage" in told
    assert "has no seal: an earlier amo-opt wrote it, or another program" in told
    assert "start another storage with --storage" in told


@pytest.mark.parametrize("table", TABLES)
def test_a_lost_table_is_named(written, changed, table):
    """Optuna would make it again, empty, and the search would go on from a storage with holes."""
    assert f"has lost its table {table}" in refused(written[0], changed(f"drop table {table}"))


def test_a_table_lost_while_a_run_reads_is_named(written, changed):
    store = StudyStore(written[0], changed())
    with store._storage.engine.begin() as connection:
        connection.exec_driver_sql("drop table trial_params")
    with pytest.raises(StorageError, match=r"record\.db cannot be used: no such table: trial_params"):
        store.frozen()


def test_tables_without_a_study_are_a_run_that_was_killed_early(written, make_study, tmp_path):
    """The first tables and nothing in them: made whole, not refused."""
    with sqlite3.connect(written[1]) as database:
        (text,) = database.execute("select sql from sqlite_master where name = 'studies'").fetchone()
    with sqlite3.connect(tmp_path / "record.db") as database:
        database.execute(text)
    assert StudyStore(make_study(), f"sqlite:///{tmp_path / 'record.db'}").frozen() == []


def test_a_database_of_another_program_is_left_alone(make_study, tmp_path):
    """Named by its table, and nothing is added to it."""
    with sqlite3.connect(tmp_path / "places.db") as database:
        database.execute("create table moz_places (id integer)")
    before = (tmp_path / "places.db").read_bytes()
    with pytest.raises(
        StorageError, match=r"places\.db is a database of another program \(its table 'moz_places'\): name another with --storage"
    ):
        StudyStore(make_study(), f"sqlite:///{tmp_path / 'places.db'}")
    assert (tmp_path / "places.db").read_bytes() == before


@pytest.mark.parametrize("edit", RESULT_EDITS)
def test_an_edited_seal_of_the_result_is_refused(written, changed, edit):
    """At once, however many pieces it promises; a run certifies again."""
    study = written[0]
    name, value = RESULT_EDITS[edit]
    held = StudyStore(study, changed()).noted(archive.SEAL)
    address = changed("update study_user_attributes set value_json = ? where key = 'certified'", values=[json.dumps({**held, name: value})])
    assert "`amo-opt run` certifies again" in refused(study, address)
    assert archive.kept(StudyStore(study, address), study, trials=TRIALS) is None


def test_a_result_belongs_to_its_very_trials(written, changed, folder):
    """Other trials under seals that fit them, beside the certified result as it was kept: its figures were not found from these."""
    study, _, _ = written
    source, other = StudyStore(study, changed()), StudyStore(study, f"sqlite:///{folder / 'other.db'}")
    for trial in source.frozen():
        trial.values = None if trial.values is None else [trial.values[0] + 0.01, trial.values[1]]
        other.add(trial)
    for name, value in source.notes().items():
        if name.startswith(archive.SEAL):
            other.note(name, value)
    assert len(other.frozen()) == TRIALS
    with pytest.raises(StorageError, match="damaged: `amo-opt run` certifies again"):
        archive.restored(other, study)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("parameters", {}, "parameters: 'aave_cap' is missing"),
        ("parameters", {"aave_cup": 0.1}, "parameters: 'aave_cap' is missing"),
        ("parameters", {"aave_cap": float("nan")}, "parameters.aave_cap: Input should be a finite number"),
        ("parameters", {"aave_cap": "0.1"}, "parameters.aave_cap: Input should be a valid number"),
        ("constraints", {"caps_plus_buffer": float("inf")}, "constraints.caps_plus_buffer: Input should be a finite number"),
        ("origin", "elsewhere", "origin: Input should be 'current', 'seed' or 'sampler'"),
        ("name", None, "name: Input should be a valid string"),
        ("screened", "yes", "screened: Input should be a valid boolean"),
    ],
)
def test_a_trial_that_another_program_sealed_is_looked_at_too(written, changed, name, value, told):
    """The seal has no key; a trial that lacks something, or holds what is no figure, is refused by name all the same."""
    study, _, _ = written
    trial = StudyStore(study, changed()).frozen()[0]
    trial.user_attrs = {**trial.user_attrs, name: value}
    with pytest.raises(StorageError) as caught:
        thaw(trial)
    assert str(caught.value).startswith(f"the storage's trial 0: {told}")
    assert str(caught.value).endswith("start another with --storage")


def test_a_foreign_parameter_is_named(written, changed):
    trial = StudyStore(written[0], changed()).frozen()[0]
    trial.user_attrs = {**trial.user_attrs, "parameters": {**trial.user_attrs["parameters"], "zeal": 1.0}}
    with pytest.raises(StorageError, match=r"parameters: 'zeal' is no parameter of this version"):
        thaw(trial)


def test_a_parameter_that_came_later_is_at_its_default(written, changed):
    """A storage of before a package learnt an AMO goes on; a parameter without a default is missed."""
    trial = StudyStore(written[0], changed()).frozen()[0]
    before = {name: value for name, value in trial.user_attrs["parameters"].items() if not name.startswith("peg_keeper")}
    trial.user_attrs = {**trial.user_attrs, "parameters": before}
    found = thaw(trial).parameters.values()
    assert (found["peg_keeper_ceiling"], found["peg_keeper_caller_share"]) == (0.0, 0.2)
    assert {name: found[name] for name in before} == before


@pytest.mark.parametrize("values", [[float("nan"), 1.0], [1.0, float("inf")], [1.0], None])
def test_a_score_that_is_no_number_is_refused(written, changed, values):
    trial = StudyStore(written[0], changed()).frozen()[0]
    trial._values = values
    assert trial.state == TrialState.COMPLETE
    with pytest.raises(StorageError, match="the storage's trial 0: values"):
        thaw(trial)


def test_a_seal_is_of_one_study(written, changed):
    """A trial carried over from another study's storage does not fit here."""
    study, _, _ = written
    trial = StudyStore(study, changed()).frozen()[0]
    found = seal.sealed(trial, study=study.hash)
    assert found.user_attrs[seal.SEAL] == seal.digest(found, study=study.hash) != seal.digest(found, study="f" * 64)
    assert seal.unsealed(found) == trial
    assert found.user_attrs[NUMBER] == 0


COLUMNS = {
    "trials": ("study_id", "state", "datetime_start", "datetime_complete"),
    "trial_values": ("objective", "value", "value_type", "trial_id"),
    "trial_params": ("param_name", "param_value", "distribution_json", "trial_id"),
    "trial_user_attributes": ("key", "value_json", "trial_id"),
    "trial_system_attributes": ("key", "value_json", "trial_id"),
    "study_user_attributes": ("key", "value_json"),
    "study_directions": ("direction", "objective"),
    "studies": ("study_name",),
}
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=4),
    st.sampled_from(
        ["", "NaN", "Infinity", "-0.0", "null", "true", "[]", "{}", '"number"', "number", "sha256", "1e999", "FINITE", "INF_NEG", "PRUNED"]
    ),
    st.text(max_size=4),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_cell_may_hold_anything(written, changed, data):
    """One cell of the storage replaced: what is read is the first of the trials as they were written, or the storage is refused in one sentence."""
    study, _, result = written
    table = data.draw(st.sampled_from(sorted(COLUMNS)))
    column = data.draw(st.sampled_from(COLUMNS[table]))
    row, value = data.draw(st.integers(0, 60)), data.draw(VALUES)
    edit = f"update {table} set {column} = ? where rowid = 1 + ? % (select count(*) from {table})"  # noqa: S608 - names of our own
    try:
        address = changed(edit, values=[value, row])
    except sqlite3.IntegrityError:
        return  # the database itself does not take it
    told, store = answer(lambda: StudyStore(study, address))
    assert len(told.splitlines()) <= 1
    if store is None:
        return
    told, trials = answer(lambda: [thaw(trial) for trial in store.frozen()])
    assert len(told.splitlines()) <= 1
    assert trials is None or trials == list(result.trials)[: len(trials)]
    told, found = answer(lambda: archive.restored(store, study))
    assert len(told.splitlines()) <= 1
    assert found in (None, result)


def answer(action):
    """What was refused, and what came of it where nothing was."""
    try:
        return "", action()
    except StorageError as error:
        return str(error), None
