"""Which parameters the search's differences come from: PED-ANOVA over its trials."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.study import Study
from amo_opt.search.result import Trial
from amo_opt.search.rule import PEG, YIELD
from amo_opt.search.study_store import memory_study
from amo_opt.search.trials import freeze

LEAST_TRIALS = 20
"""Fewer say nothing: PED-ANOVA compares the best tenth with all."""
SIGNS = {YIELD: -1.0, PEG: 1.0}
"""What each objective is multiplied by before PED-ANOVA reads it, which takes low for good; and its place among a trial's values."""


def importances(study: Study, trials: Sequence[Trial]) -> dict[str, dict[str, float]]:
    """Objective -> searched parameter -> its share of what tells the best tenth of the finished trials from all of them (Watanabe, Bansal
    and Hutter, IJCAI 2023), feasible or not, shares summing to 1; empty with too few trials or fewer than two parameters.
    """
    distributions = _distributions(study)
    done = [trial for trial in trials if trial.score is not None and not trial.score.screened]
    if len(done) < LEAST_TRIALS or len(distributions) < 2:
        return {}
    history = [_frozen(trial, distributions) for trial in done]
    store = memory_study(history, optuna.samplers.RandomSampler(seed=0))
    found = {}
    for place, (metric, sign) in enumerate(SIGNS.items()):
        shares = _shares(store, place, sign)
        total = math.fsum(shares.values())
        if total > 0.0 and math.isfinite(total):
            # a description, from a library's densities, whose last digits hang on the processor
            found[metric] = {name: round(shares[name] / total, 6) for name in distributions}
    return found


def _shares(store: optuna.Study, place: int, sign: float) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental, and that a target is taken as low is good: it is made so here
        evaluator = PedAnovaImportanceEvaluator()
        return get_param_importances(store, evaluator=evaluator, target=lambda trial: sign * trial.values[place], normalize=False)


def _distributions(study: Study) -> dict[str, BaseDistribution]:
    """The searched parameters' own ranges, not the gaps that stand for some of them in the search."""
    found: dict[str, BaseDistribution] = {}
    for name in study.current.values():
        if name in study.search.space and study.search.space[name].low < study.search.space[name].high:
            searched = study.search.space[name]
            whole = PARAMETERS[name].kind == "integer"
            found[name] = (
                IntDistribution(round(searched.low), round(searched.high), log=searched.log)
                if whole
                else FloatDistribution(searched.low, searched.high, log=searched.log)
            )
    return found


def _frozen(trial: Trial, distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    """The trial with its parameters, each moved to the nearest end of its range where the set in force lies outside."""
    known = trial.parameters.values()
    params = {name: min(max(known[name], each.low), each.high) for name, each in distributions.items()}  # type: ignore[attr-defined]
    return freeze(trial, params=params, distributions=distributions, system_attrs={})
