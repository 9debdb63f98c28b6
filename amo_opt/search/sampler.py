"""Which of Optuna's samplers proposes, by budget; each batch's sampler is seeded by (study seed, batch)."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import optuna
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.samplers.nsgaii import SBXCrossover

from amo_opt.errors import AmoOptError

Kind = Literal["auto", "tpe", "nsga2", "gp"]
MANY_TRIALS = 1000
"""Budget from which NSGA-II has the fewest bad seeds; below it TPE is ahead."""
GP_TRIALS = 50
"""Trials a Gaussian process proposes before TPE goes on."""


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
        return TPESampler(seed=state, multivariate=False)
