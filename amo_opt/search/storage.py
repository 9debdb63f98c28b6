"""Where a storage lies: Optuna's own storage, which writes a finished trial in eight statements instead of 60.

The rows are the same (`tests/search/test_storage.py`). Optuna looks the trial up before each of its parameters and attributes, and looks
for an earlier parameter of that name, whose kind must be the same; here that is left to Optuna for the first trial, and for every
trial whose variables are not those of the one before.
"""

from __future__ import annotations

import json
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import URL

from amo_opt.errors import StorageError
from amo_opt.fence import SLOWER, written_for

_STORAGE = "optuna.storages._rdb.storage:RDBStorage"
REPLACED = (
    f"{_STORAGE}._get_prepared_new_trial",
    f"{_STORAGE}._set_trial_value_without_commit",
    f"{_STORAGE}._set_trial_param_without_commit",
    f"{_STORAGE}._set_trial_attr_without_commit",
)
DIGEST = "43354306345dcf64"


def check_tables(url: URL, engine_kwargs: dict[str, Any], *, name: str) -> None:
    """Raises `StorageError` where a storage has lost a table, which Optuna would make again, empty; or is a file of another program's."""
    from optuna.storages._rdb.models import BaseModel

    engine = create_engine(url, **engine_kwargs)
    try:
        found, ours = set(inspect(engine).get_table_names()), set(BaseModel.metadata.tables)
        if found and not found & ours and url.get_backend_name() == "sqlite":  # on a server others' tables are nobody's business
            raise StorageError(f"{name} is a database of another program (its table {min(found)!r:.80}): name another with --storage")
        lost = sorted(ours - found)
        if not lost or not found & ours:
            return
        # A run killed while the tables were made leaves the first of them, and no study.
        if "studies" in found:
            with engine.connect() as connection:
                if connection.execute(text("select 1 from studies limit 1")).first() is None:
                    return
        raise StorageError(f"the storage {name} has lost its table {lost[0]}: restore it from a copy, or start another with --storage")
    finally:
        engine.dispose()


class Storage(RDBStorage):
    """An `RDBStorage` whose `create_new_trial` writes whole trials at once."""

    _checked: tuple[int, dict[str, BaseDistribution]] | None = None
    """The study and the variables of the trial that Optuna itself has checked and written."""

    def _get_prepared_new_trial(self, study_id: int, template_trial: FrozenTrial | None, session: Any) -> Any:
        if (
            template_trial is None
            or template_trial.intermediate_values
            or self._checked != (study_id, template_trial.distributions)
            or not written_for(DIGEST, *REPLACED, instead=SLOWER)
        ):
            trial = super()._get_prepared_new_trial(study_id, template_trial, session)
            self._checked = None if template_trial is None else (study_id, dict(template_trial.distributions))
            return trial
        from optuna.storages._rdb import models

        trial = models.TrialModel(
            study_id=study_id,
            state=template_trial.state,
            datetime_start=template_trial.datetime_start,
            datetime_complete=template_trial.datetime_complete,
        )
        session.add(trial)
        session.flush()
        for model, rows in _rows(models, template_trial).items():
            if rows:
                session.execute(model.__table__.insert(), [{"trial_id": trial.trial_id, **row} for row in rows])
        trial.number = trial.count_past_trials(session)
        return trial


def _rows(models: Any, trial: FrozenTrial) -> dict[Any, list[dict[str, object]]]:
    """The rows of every table that belong to a trial, without its id."""
    values = [models.TrialValueModel.value_to_stored_repr(value) for value in trial.values or ()]
    return {
        models.TrialValueModel: [
            {"objective": objective, "value": value, "value_type": kind} for objective, (value, kind) in enumerate(values)
        ],
        models.TrialParamModel: [
            {
                "param_name": name,
                "param_value": trial.distributions[name].to_internal_repr(value),
                "distribution_json": distribution_to_json(trial.distributions[name]),
            }
            for name, value in trial.params.items()
        ],
        models.TrialUserAttributeModel: [{"key": key, "value_json": json.dumps(value)} for key, value in trial.user_attrs.items()],
        models.TrialSystemAttributeModel: [{"key": key, "value_json": json.dumps(value)} for key, value in trial.system_attrs.items()],
    }
