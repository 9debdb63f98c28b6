"""Which sampler proposes, and from which seed."""

from __future__ import annotations

import builtins

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import NSGAIISampler, TPESampler

from amo_opt.errors import AmoOptError
from amo_opt.fence import digest_of
from amo_opt.search import sampler as ours
from amo_opt.search.coordinator import explore
from amo_opt.search.problem import FunctionProblem, Plain
from amo_opt.search.sampler import DIGEST, MANY_TRIALS, REPLACED, make_sampler, resolve
from amo_opt.search.study_store import StudyStore


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


MIXED = {
    "switch": CategoricalDistribution((False, True)),
    "venue": CategoricalDistribution(("curve", "aave", "uniswap")),
    "whole": IntDistribution(0, 9),
    "logged": IntDistribution(10, 5000, log=True),
    "rate": FloatDistribution(1e-4, 1.0, log=True),
    "share": FloatDistribution(0.0, 1.0),
    "stepped": FloatDistribution(0.0, 1.0, step=0.25),
    "fixed": FloatDistribution(0.5, 0.5),
}


def mixed(values):
    """Two objectives, two constraints, a third of the box infeasible, a corner of it without a value."""
    gain = values["share"] + 0.1 * values["whole"] + (0.3 if values["switch"] else 0.0)
    risk = (values["share"] - 0.3) ** 2 + abs(values["stepped"] - 0.5) + values["rate"] + 1e-4 * values["logged"]
    if values["share"] > 0.9 and values["switch"]:
        gain = float("nan")
    return (gain, risk), {"one": values["share"] + values["rate"] - 1.0, "two": (values["venue"] == "aave") * 0.2 - values["stepped"]}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("trials", [120])
def test_proposals_are_optuna_s_own(seed, trials, monkeypatch):
    """Booleans, choices, whole numbers, logarithms, steps, constraints, failed trials: batch by batch, what plain TPE proposes from the storage."""
    problem = FunctionProblem(
        name="mixed",
        distributions=MIXED,
        function=mixed,
        reference=(0.0, 2.0),
        directions=("maximize", "minimize"),
        search=Plain(seed=seed, batch=8, sampler="tpe"),
    )
    done = explore(problem, store=StudyStore(problem, "sqlite://", metrics=None), trials=trials, told=lambda *_: None)
    assert any(trial.values is None for trial in done)
    monkeypatch.setattr(ours, "DIGEST", "0" * 16)
    for first in range(0, trials, 8):
        plain = make_sampler("tpe", seed=seed, batch=first // 8, first=first)
        assert type(plain) is TPESampler
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=plain)
        study.add_trials(done[:first])
        assert [study.ask(MIXED).params for _ in range(8)] == [trial.params for trial in done[first : first + 8]]


def test_it_was_written_for_this_optuna():
    """Fails where an upgrade of Optuna has changed what is replaced: read the change, adapt `SplitOnce`, then the digest."""
    assert ours.written_for(DIGEST, *REPLACED, instead=ours.SLOWER)


def test_the_split_is_made_once_a_set(monkeypatch):
    """Eight variables, one split."""
    from optuna.samplers._tpe import sampler as theirs

    splits, split = [], theirs._split_trials
    monkeypatch.setattr(theirs, "_split_trials", lambda *given: splits.append(given) or split(*given))
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=make_sampler("tpe", seed=1, batch=0, first=0))
    for _ in range(12):
        asked = study.ask(MIXED)
        study.tell(asked, mixed({**asked.params, "switch": False})[0])
    splits.clear()
    study.ask(MIXED)
    assert len(splits) == 1


def test_what_is_not_there_has_no_digest():
    """A function, a module or a text that is missing: empty, and so never the one expected."""
    assert digest_of("optuna.samplers:TPESampler.nothing") == digest_of("optuna.nowhere:x") == digest_of("builtins:len") == ""
    assert digest_of(*REPLACED) == DIGEST
