"""The shorter way of writing a trial: the rows that Optuna itself would have written."""

from __future__ import annotations

import sqlite3

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial
from sqlalchemy import event

from amo_opt.search import storage as ours
from amo_opt.search.storage import DIGEST, REPLACED, Storage

MIXED = {
    "switch": CategoricalDistribution((False, True)),
    "whole": IntDistribution(0, 9),
    "logged": IntDistribution(10, 5000, log=True),
    "rate": FloatDistribution(1e-4, 1.0, log=True),
    "share": FloatDistribution(0.0, 1.0),
    "stepped": FloatDistribution(0.0, 1.0, step=0.25),
}


def trial(number, **changed):
    given = {
        "params": {
            "switch": number % 2 == 0,
            "whole": number,
            "logged": 10 + number,
            "rate": 0.1 / 3.0,
            "share": 0.1 + 0.2,
            "stepped": 0.25,
        },
        "distributions": MIXED,
        "user_attrs": {"number": number, "constraints": {"one": -1e-17, "two": 1.0 / 3.0}, "name": "trial-ü", "list": [1, 2.5, None]},
        "system_attrs": {"constraints": [-1e-17, 1.0 / 3.0]},
        "values": [1.0 / 3.0, -0.0],
    }
    return create_trial(**{**given, **changed})


TRIALS = [
    trial(0),
    trial(1),
    trial(2, values=[float("inf"), float("-inf")]),
    trial(3, values=None, state=TrialState.FAIL, system_attrs={}, user_attrs={"number": 3, "failure": "path 3"}),
    trial(4, params={}, distributions={}, values=[1.0, 2.0]),
    trial(5, state=TrialState.PRUNED, values=None),
    create_trial(values=[1.0, 2.0], intermediate_values={0: 1.5}, params={"share": 0.5}, distributions={"share": MIXED["share"]}),
    trial(7),
    trial(8),
]


def rows(file):
    """Every row of every table but the times a study and a version were written."""
    with sqlite3.connect(file) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table' order by name")]
        return {name: database.execute(f"select * from {name}").fetchall() for name in tables}  # noqa: S608


def written(storage, trials):
    study = optuna.create_study(study_name="mixed", storage=storage, directions=["maximize", "minimize"])
    study.add_trials(trials)
    return study


def test_the_rows_are_optuna_s(tmp_path):
    """Values to the last bit, infinite ones, failures, no variables, intermediate values: every row of every table is the same."""
    for name, kind in (("theirs", RDBStorage), ("ours", Storage)):
        written(kind(f"sqlite:///{tmp_path / name}.db"), TRIALS)
    assert rows(tmp_path / "ours.db") == rows(tmp_path / "theirs.db")


def test_trials_come_back_from_the_short_way(tmp_path):
    """What Optuna reads is what was given, and numbers count up over studies of one file."""
    address = f"sqlite:///{tmp_path / 'record.db'}"
    storage = Storage(address)
    written(storage, TRIALS)
    other = optuna.create_study(study_name="other", storage=storage, directions=["maximize", "minimize"])
    other.add_trials(TRIALS[:3])
    for name, given in (("mixed", TRIALS), ("other", TRIALS[:3])):
        read = optuna.load_study(study_name=name, storage=address).trials
        assert [each.number for each in read] == list(range(len(given)))
        for each, was in zip(read, given, strict=True):
            for what in ("state", "values", "params", "distributions", "user_attrs", "system_attrs", "datetime_start", "datetime_complete"):
                assert getattr(each, what) == getattr(was, what)


def test_it_is_short(tmp_path):
    """From the second trial on a trial takes eight statements, whatever it holds."""
    storage = Storage(f"sqlite:///{tmp_path / 'record.db'}")
    study = written(storage, [trial(0)])
    statements = []
    event.listen(storage.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    study.add_trial(trial(1))
    assert len(statements) == 8


def test_another_kind_of_variable_is_refused_as_ever(tmp_path):
    """Optuna's own check is not lost: a variable that was a number is no choice now, and the storage stays as it was."""
    study = written(Storage(f"sqlite:///{tmp_path / 'record.db'}"), TRIALS[:3])
    other = {**MIXED, "share": CategoricalDistribution((0.1 + 0.2, 1.0))}
    for _ in range(2):
        with pytest.raises(ValueError, match="Cannot set different distribution kind"):
            study.add_trial(trial(3, distributions=other))
    study.add_trial(trial(3))
    assert len(study.trials) == 4


def test_it_was_written_for_this_optuna():
    """Fails where an upgrade of Optuna has changed what is replaced: read the change, adapt `_rows`, then the digest."""
    assert ours.written_for(DIGEST, *REPLACED, instead=ours.SLOWER)


def test_with_another_optuna_its_own_way_is_taken(tmp_path, monkeypatch, caplog):
    """A digest that does not fit: told once, and the rows are the same."""
    monkeypatch.setattr(ours, "DIGEST", "0" * 16)
    ours.written_for.cache_clear()
    storage = Storage(f"sqlite:///{tmp_path / 'ours.db'}")
    statements = []
    event.listen(storage.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    written(storage, TRIALS)
    written(RDBStorage(f"sqlite:///{tmp_path / 'theirs.db'}"), TRIALS)
    assert len(statements) > 20 * len(TRIALS)
    assert rows(tmp_path / "ours.db") == rows(tmp_path / "theirs.db")
    told = [entry.getMessage() for entry in caplog.records if entry.name == "amo_opt"]
    differs = f"Optuna {optuna.__version__} differs from the one amo-opt was written for in RDBStorage._get_prepared_new_trial ({DIGEST})"
    assert told == [f"{differs}: its own way is taken, which is slower"]
