"""A trial of the search as Optuna holds it, and back: whole, finished, its number and its constraints by name beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from amo_opt.amos.parameters import PARAMETERS, parameter_set
from amo_opt.errors import StorageError
from amo_opt.scoring.types import PointScore
from amo_opt.search.result import Trial

CONSTRAINTS = "constraints"
"""Where Optuna and its dashboard read a trial's constraint values, as a list; their names stand in the user attribute of the same name."""
NUMBER = "number"
"""A trial's number in the study, as a user attribute: Optuna's own counts whatever else was added to the storage."""


def freeze(
    trial: Trial, *, params: Mapping[str, float], distributions: Mapping[str, BaseDistribution], system_attrs: Mapping[str, object]
) -> FrozenTrial:
    """An Optuna trial that holds everything the coordinator knows of one evaluated set."""
    attributes: dict[str, object] = {
        NUMBER: trial.number,
        "origin": trial.origin,
        "name": trial.parameters.name,
        "parameters": trial.parameters.values(),
    }
    score = trial.score
    if score is None:
        attributes["failure"] = trial.failure
    elif score.screened:
        attributes["screened"] = True
    return finished(
        None if score is None else (score.yield_annual, score.peg_risk_bps),
        constraints={} if score is None else score.constraints,
        params=params,
        distributions=distributions,
        user_attrs=attributes,
        system_attrs=system_attrs,
    )


def finished(
    values: tuple[float, float] | None,
    *,
    constraints: Mapping[str, float],
    params: Mapping[str, float],
    distributions: Mapping[str, BaseDistribution],
    user_attrs: Mapping[str, object],
    system_attrs: Mapping[str, object],
) -> FrozenTrial:
    """A whole trial as the storage holds it: complete, with every constraint where Optuna and its dashboard read them; failed without values."""
    if values is None:
        return create_trial(
            state=TrialState.FAIL,
            params=dict(params),
            distributions=dict(distributions),
            user_attrs=dict(user_attrs),
            system_attrs=dict(system_attrs),
        )
    return create_trial(
        state=TrialState.COMPLETE,
        values=list(values),
        params=dict(params),
        distributions=dict(distributions),
        user_attrs={**user_attrs, "constraints": dict(constraints)},
        system_attrs={**system_attrs, CONSTRAINTS: list(constraints.values())},
    )


class _Score(BaseModel):
    """What a finished trial must say of its score."""

    model_config = ConfigDict(strict=True)
    values: Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]
    constraints: dict[str, FiniteFloat]
    screened: bool = False


class _Told(BaseModel):
    """What every trial of a study must say of itself."""

    model_config = ConfigDict(strict=True)
    number: Annotated[int, Field(ge=0)]
    origin: Literal["current", "seed", "sampler"]
    name: str
    parameters: dict[str, FiniteFloat]
    failure: str | None = None


def thaw(frozen: FrozenTrial) -> Trial:
    """The coordinator's trial out of an Optuna one. Raises `StorageError` where that does not say all that a study's trial says."""
    attributes = frozen.user_attrs
    try:
        told = _Told.model_validate(attributes)
        scored = _Score.model_validate({**attributes, "values": frozen.values}) if frozen.state == TrialState.COMPLETE else None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _strange(frozen, f"{'.'.join(map(str, first['loc']))}: {first['msg']}, found {first['input']!r:.80}") from error
    # a parameter that came later is at what its absence means
    needed = {name for name, each in PARAMETERS.items() if each.default is None}
    unlike = sorted({name for name in told.parameters if name not in PARAMETERS} | (needed - told.parameters.keys()))
    if unlike:
        raise _strange(
            frozen, f"parameters: {unlike[0]!r:.80} is {'missing' if unlike[0] in PARAMETERS else 'no parameter of this version'}"
        )
    return Trial(
        number=told.number,
        origin=told.origin,
        parameters=parameter_set(told.name, attributes["parameters"]),
        score=None
        if scored is None
        else PointScore(
            yield_annual=scored.values[0], peg_risk_bps=scored.values[1], constraints=scored.constraints, screened=scored.screened
        ),
        failure=told.failure,
    )


def _strange(frozen: FrozenTrial, what: str) -> StorageError:
    return StorageError(
        f"the storage's trial {frozen.user_attrs.get(NUMBER)!r:.80}: {what}: nothing is built on it; restore the storage from a copy, or start "
        "another with --storage"
    )
