"""Which of Optuna's samplers proposes, by budget; each batch's sampler is seeded by (study seed, batch)."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.samplers.nsgaii import SBXCrossover
from optuna.trial import FrozenTrial, TrialState

from amo_opt.errors import AmoOptError
from amo_opt.fence import SLOWER, written_for

Kind = Literal["auto", "tpe", "nsga2", "gp"]
MANY_TRIALS = 1000
"""Budget from which NSGA-II has the fewest bad seeds; below it TPE is ahead."""
GP_TRIALS = 50
"""Trials a Gaussian process proposes before TPE goes on."""

REPLACED = ("optuna.samplers._tpe.sampler:TPESampler._sample",)
DIGEST = "412acdfded738af3"


class SplitOnce(TPESampler):
    """TPE that parts the trials there are into good ones and others once a set, not once a variable: the same proposals, for univariate TPE."""

    _parted: tuple[list[FrozenTrial], list[FrozenTrial]] | None = None

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Optuna calls it as a new set is asked for."""
        self._parted = None
        super().before_trial(study, trial)

    def _sample(self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        if self._parted is None:
            self._parted = self._part(study, trial)
        good, others = self._parted
        below = self._build_parzen_estimator(study, search_space, good, handle_below=True)
        above = self._build_parzen_estimator(study, search_space, others, handle_below=False)
        drawn = below.sample(self._rng.rng, self._n_ei_candidates)
        best = self._compare(drawn, self._compute_acquisition_func(drawn, below, above))
        return {name: distribution.to_external_repr(best[name]) for name, distribution in search_space.items()}

    def _part(self, study: optuna.Study, trial: FrozenTrial) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
        from optuna.samplers._tpe.sampler import _split_trials, default_gamma_multiobjective

        states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        there = [each for each in study.get_trials(deepcopy=False, states=states) if each.number != trial.number]
        finished = sum(each.state != TrialState.RUNNING for each in there)
        parted: tuple[list[FrozenTrial], list[FrozenTrial]] = _split_trials(study, there, default_gamma_multiobjective(finished))
        return parted


def resolve(kind: Kind, trials: int) -> Literal["tpe", "nsga2", "gp"]:
    """``auto`` by budget, anything else as asked."""
    if kind != "auto":
        return kind
    return "nsga2" if trials >= MANY_TRIALS else "tpe"


def make_sampler(kind: Literal["tpe", "nsga2", "gp"], *, seed: int, batch: int, first: int) -> BaseSampler:
    """A fresh sampler for one batch, whose first trial is number ``first``. Raises `AmoOptError` where ``gp`` lacks its libraries."""
    state = int(np.random.SeedSequence([seed, batch]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if kind == "nsga2":
            return NSGAIISampler(population_size=50, crossover=SBXCrossover(), seed=state)
        if kind == "gp" and first < GP_TRIALS:
            try:
                import torch  # noqa: F401 - Optuna imports it late and says less
                from optuna.samplers import GPSampler
            except ImportError as error:
                raise AmoOptError("sampler = 'gp' needs torch: install amo-opt with the extra 'gp', or choose 'auto'") from error
            return GPSampler(seed=state, deterministic_objective=True)
        return (SplitOnce if written_for(DIGEST, *REPLACED, instead=SLOWER) else TPESampler)(seed=state, multivariate=False)
