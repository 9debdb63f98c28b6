"""Which sampler proposes, and from which seed."""

from __future__ import annotations

import builtins

import pytest
from optuna.samplers import NSGAIISampler, TPESampler

from amo_opt.errors import AmoOptError
from amo_opt.search.sampler import MANY_TRIALS, make_sampler, resolve


def first_draw(sampler):
    return float(sampler._rng.rng.uniform())


def test_auto_goes_by_the_budget():
    """Few trials: TPE; many: NSGA-II; a named sampler is taken as named."""
    assert resolve("auto", MANY_TRIALS - 1) == "tpe"
    assert resolve("auto", MANY_TRIALS) == "nsga2"
    assert resolve("nsga2", 10) == "nsga2"


def test_kinds_are_optuna_s_own():
    """TPE proposes each variable by itself; NSGA-II has a population of 50."""
    tpe = make_sampler("tpe", seed=1, batch=0, first=0)
    assert isinstance(tpe, TPESampler)
    assert not tpe._multivariate
    assert isinstance(make_sampler("nsga2", seed=1, batch=0, first=0), NSGAIISampler)


def test_the_seed_is_the_study_s_and_the_batch_s():
    """Same seed and batch: same draws; another batch or another seed: others."""
    same = [first_draw(make_sampler("tpe", seed=1, batch=3, first=24)) for _ in range(2)]
    others = [first_draw(make_sampler("tpe", seed=seed, batch=batch, first=24)) for seed, batch in ((1, 4), (2, 3))]
    assert same[0] == same[1]
    assert len({same[0], *others}) == 3


def test_gp_without_torch_names_the_extra(monkeypatch):
    """Asking for a Gaussian process without its library gives the way out; past its first trials TPE goes on."""
    real = builtins.__import__

    def refuse(name, *rest):
        if name == "torch":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(AmoOptError, match="amo-opt with the extra 'gp'"):
        make_sampler("gp", seed=1, batch=0, first=0)
    assert isinstance(make_sampler("gp", seed=1, batch=9, first=72), TPESampler)
