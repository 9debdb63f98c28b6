"""Trials under seal: a digest over everything a trial says, written with it, so that a value edited afterwards is found out.

No key is in it: it tells damage and well-meant corrections, which feed a published verdict, and not a forger who knows the tool.
"""

from __future__ import annotations

import hashlib
import json
from copy import copy

from optuna.distributions import distribution_to_json
from optuna.trial import FrozenTrial

SEAL = "sha256"
"""The digest's place among a trial's user attributes."""


def digest(trial: FrozenTrial, *, study: str) -> str:
    """SHA-256 over a trial's state, values, variables with their ranges, and attributes, and the hash of the study it belongs to.

    The same before a trial is written and after it is read: numbers as the storage keeps them (a zero has no sign there).
    """
    kinds = trial.distributions
    told = [
        study,
        trial.state.name,
        None if trial.values is None else [value + 0.0 for value in trial.values],
        {name: [kinds[name].to_internal_repr(value) + 0.0, distribution_to_json(kinds[name])] for name, value in trial.params.items()},
        {name: value for name, value in trial.user_attrs.items() if name != SEAL},
        trial.system_attrs,
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def sealed(trial: FrozenTrial, *, study: str) -> FrozenTrial:
    """The trial with its seal beside its attributes."""
    return _with(trial, {**trial.user_attrs, SEAL: digest(trial, study=study)})


def unsealed(trial: FrozenTrial) -> FrozenTrial:
    """The trial as it was before it was sealed."""
    return _with(trial, {name: value for name, value in trial.user_attrs.items() if name != SEAL})


def _with(trial: FrozenTrial, attributes: dict[str, object]) -> FrozenTrial:
    changed = copy(trial)
    changed.user_attrs = attributes
    return changed
