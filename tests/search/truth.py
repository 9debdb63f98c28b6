"""A fixed truth to hold certification against: a bank of scored paths, of which samples are drawn as certification draws them, again and again.

The truth of a figure is the bank's own weighted figure: rows are drawn with replacement within each component of each scenario and weighed by the mixture of
the sample's own counts, so the bank is the whole population and the truth is exact but for the ratio of sample sizes, which designs keep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from unittest import mock

import numpy as np

from amo_opt.config.load import load_study
from amo_opt.scoring import replicates
from amo_opt.scoring.constraints import rules_of
from amo_opt.scoring.intervals import clopper_pearson, holm, resample_counts
from amo_opt.scoring.metrics import MEASURES, NOT_YIELD
from amo_opt.scoring.paired import ROUNDING, differences, finest
from amo_opt.scoring.sample import sample
from amo_opt.scoring.score import judged
from amo_opt.search.aim import aim
from amo_opt.search.certification import DECIDING
from amo_opt.search.planning import holdout_floor, plan_holdout, scaled, selection_designs, together, variances
from amo_opt.search.rule import DOLLAR, PEG, eligible, within_at_values
from amo_opt.simulation.engine import simulate, simulate_many
from amo_opt.simulation.outcome import Outcome

EARNED = "income_earned_usd"
"""All lines of a path's yield in one, so that an interval of the yield costs one row."""
MOST_PATHS = 2560
"""The cap for a pair at its tolerance, which is drawn up to it every time: a quarter of what studies have, and half for one that clears it by half, as fewer paths are the harder case."""
LOW, HIGH = 0.92, 0.98
FEW_EVENTS = 5.0
"""Effective events that a sample has on average, under which an exact interval of their chance must hold the truth more often than 95%: it goes down to 0, or nearly, and never misses
below. Nor can an interval that is no finer than a part of the tolerance miss a difference that is smaller, and one that would be finer has been made wider. Of such cells the lower limit alone is asked for.
"""
SEEN = 5.0
"""Differing paths under which a difference is left out: most samples would tell that it is none, and it is none of any size."""
MOST_FALSE, LEAST_POWER = 0.025, 0.90


@dataclass(frozen=True)
class Pair:
    """A rival of the current set. ``at`` = where its true difference in peg risk lies, as a part of the tolerance (of both references, at most); None =
    the tolerance stays the study's.
    """

    name: str
    change: Mapping[str, float]
    at: float | None = None


@dataclass(frozen=True)
class World:
    """A study, its pairs, and the figures that are published of it."""

    name: str
    study: object
    pairs: tuple[Pair, ...]
    paths: int = 640
    metrics: tuple[str, ...] = ("yield", PEG, DOLLAR, "breach_probability", "min_cr_external_tail95")


@dataclass
class Bank:
    """Scored paths by set, ``columns`` of shape (names, rows), ordered as an outcome's; ``starts`` and ``sizes`` by (scenario, component)."""

    world: World
    designs: dict
    floor: dict
    names: tuple[str, ...]
    columns: dict[str, np.ndarray]
    log_ratios: np.ndarray
    starts: dict[tuple[int, int], int] = field(default_factory=dict)
    sizes: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def scenarios(self):
        return tuple(each.name for each in self.world.study.scenarios)

    def parameters(self, name):
        current = self.world.study.current
        change = next((pair.change for pair in self.world.pairs if pair.name == name), {})
        return current.replace(name=name, **change)

    def outcome(self, name, rows, scenario_of, component_of, weights):
        """One set's outcome on rows of the bank."""
        study = self.world.study
        held = self.columns[name][:, rows]
        total = sum(each.weight for each in study.scenarios)
        return Outcome(
            parameters=self.parameters(name),
            scenarios=self.scenarios,
            weights={each.name: each.weight / total for each in study.scenarios},
            steps=study.simulation.transition_hours + study.simulation.window_hours,
            scenario_of=scenario_of,
            path_of=np.arange(rows.size),
            component_of=component_of,
            path_weight=weights,
            columns=dict(zip(self.names, held, strict=True)),
        )

    def drawn(self, names, designs, rng=None):
        """Outcomes of some sets on the same paths, drawn as the designs say; without ``rng`` the whole bank, weighed as it would be drawn."""
        rows, scenarios, components, weights = [], [], [], []
        for place, scenario in enumerate(self.scenarios):
            design = designs[scenario]
            for component, count in enumerate(design.counts):
                size = self.sizes[place, component]
                chosen = self.starts[place, component] + (np.arange(size) if rng is None else rng.integers(0, size, count))
                own = design.weights(self.log_ratios[chosen, : len(design.components)])
                rows.append(chosen)
                weights.append(own if rng is not None else own * count / size)
                scenarios.append(np.full(chosen.size, place))
                components.append(np.full(chosen.size, component))
        place, component, weight = (np.concatenate(each) for each in (scenarios, components, weights))
        return [self.outcome(name, np.concatenate(rows), place, component, weight) for name in names]


def figures_of(world: World):
    """The measures that are published or limited: leaving the others out leaves the estimators as they are, and most of the time."""
    limited = [rule.metric for rule in rules_of(world.study.constraints)]
    return {name: MEASURES[name] for name in dict.fromkeys((*world.metrics, *limited))}


COLUMNS = (
    "transition_cost_usd",
    "collateral_start_usd",
    "peg_loss_bps",
    "peg_loss_dollar_bps",
    "deepest_shortfall_bps",
    "min_cr_external",
    "recovered",
    "unserved_usd_hours",
)


def build(world: World, *, each: int, folder=None, workers: int = 1) -> Bank:
    """The bank of a world, ``each`` paths a scenario, shared out as selection paths are; from the ``folder`` where it is there already."""
    study = world.study
    aims = aim([study.current], study, workers=workers)
    designs = selection_designs(aims, study, world.paths)
    large = {name: scaled(design, each / design.paths) for name, design in designs.items()}
    bank = Bank(world, designs, holdout_floor(aims, study, world.paths), (*COLUMNS, EARNED), {}, np.zeros((0, 0)))
    start = 0
    for place, scenario in enumerate(bank.scenarios):
        for component, count in enumerate(large[scenario].counts):
            bank.starts[place, component], bank.sizes[place, component] = start, count
            start += count
    sets = [bank.parameters(name) for name in ("current", *(pair.name for pair in world.pairs))]
    few = simulate(study.current, study, paths=64, stream="selection")
    seen = repr((study.constraints, study.scenarios, large, [one.values() for one in sets], bank.names)).encode()
    seen += b"".join(values.tobytes() for values in few.columns.values())
    file = folder / f"bank-{world.name}-{hashlib.blake2b(seen, digest_size=6).hexdigest()}.npz" if folder else None
    if file is not None and file.exists():
        kept = np.load(file)
        bank.log_ratios = kept["log_ratios"]
        bank.columns = {one.name: kept[one.name] for one in sets}
        return bank
    lines = [name for name in few.columns if name.startswith("income_") and name not in NOT_YIELD.values()]
    # all at once: markets are drawn once
    outcomes = simulate_many(sets, study, designs=large, stream="selection", workers=workers, without=set(few.columns) - {*COLUMNS, *lines})
    for one, outcome in zip(sets, outcomes, strict=True):
        earned = np.add.reduce([outcome.columns[name] for name in lines])
        bank.columns[one.name] = np.stack([*(outcome.columns[name] for name in COLUMNS), earned])
        bank.log_ratios = outcome.log_ratios
    if file is not None:
        partial = file.with_suffix(".partial.npz")
        np.savez(partial, log_ratios=bank.log_ratios, **bank.columns)
        partial.rename(file)
    return bank


@contextmanager
def only_published(world: World):
    """With only the published measures in the catalogue, and resamples drawn once for all sets that meet the same."""
    held = cache(lambda strata, seed, resamples: tuple(resample_counts(strata, seed=seed, resamples=resamples)))

    def counts(strata, *, seed, resamples):
        found = held(tuple(strata), seed, resamples)
        for each in found:
            each.flags.writeable = False
        return found

    published = figures_of(world)
    with (
        mock.patch.dict(MEASURES, published, clear=True),
        mock.patch.dict(judged.__globals__, measured=lambda _: tuple(published)),
        mock.patch.object(replicates, "resample_counts", counts),
    ):
        yield held.cache_clear


# -- what is true ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """The bank's own figures of a set: over all scenarios and in each, by (metric, scenario), scenario None = all; which of them vary at all; and the effective
    events of a selection sample, of those that are chances.
    """

    figures: dict
    vary: frozenset
    events: dict = field(default_factory=dict)


def truths(bank: Bank) -> dict[str, Truth]:
    """By set; of a rival also, under ``(rival, "difference")``, what differs from the current set on `SEEN` paths of a selection sample on average."""
    measures = figures_of(bank.world)
    names = list(bank.columns)
    drawn = _drawn_of_each(bank)
    found, values = {}, {}
    for name, outcome in zip(names, bank.drawn(names, bank.floor), strict=True):
        paths = sample(outcome, bank.world.study)
        figures, vary, events = {}, set(), {}
        for metric, measure in measures.items():
            if measure.kind == "event":
                events |= _events(metric, measure.values(paths), paths.blocks, drawn)
            own = values[name, metric] = measure.values(paths)
            figures[metric, None] = measure.point(own, paths.weights)
            if np.ptp(own) > 0.0:
                vary.add((metric, None))
            for block in paths.blocks:
                figures[metric, block.scenario.name] = measure.point(own[block.rows], block.own)
                if np.ptp(own[block.rows]) > 0.0:
                    vary.add((metric, block.scenario.name))
        found[name] = Truth(figures, frozenset(vary), events)
    blocks = paths.blocks
    for name in names[1:]:
        differs = set()
        for metric in measures:
            apart = np.abs(values[name, metric] - values["current", metric]) > ROUNDING * np.abs(values["current", metric])
            places = [(None, slice(None)), *((block.scenario.name, block.rows) for block in blocks)]
            differs |= {(metric, scenario) for scenario, rows in places if drawn[rows] @ apart[rows] >= SEEN}
        home = found["current"].figures
        found[name, "difference"] = Truth({key: found[name].figures[key] - home[key] for key in home}, frozenset(differs))
    return found


def _events(metric, values, blocks, drawn):
    """Of a chance p in each scenario and over all: p · p (1 − p) / Var(p), Var that of a sample in which a row is drawn so often on average."""
    found, chance, spread = {}, 0.0, 0.0
    for block in blocks:
        own, x = block.own / block.own.sum(), values[block.rows]
        p = float(own @ x)
        variance = float(np.sum(np.square(own * (x - p)) / drawn[block.rows]))
        found[metric, block.scenario.name] = p * p * (1.0 - p) / variance if variance > 0.0 else 0.0
        chance, spread = chance + block.weight * p, spread + block.weight**2 * variance
    return {**found, (metric, None): chance * chance * (1.0 - chance) / spread if spread > 0.0 else 0.0}


def _drawn_of_each(bank: Bank) -> np.ndarray:
    """How often the least holdout sample draws each row of the bank on average."""
    return np.concatenate(
        [
            np.full(bank.sizes[place, component], count / bank.sizes[place, component])
            for place, scenario in enumerate(bank.scenarios)
            for component, count in enumerate(bank.floor[scenario].counts)
        ]
    )


def certifications(bank: Bank, truth) -> dict[str, object]:
    """The certification of each pair: with the tolerance that puts its true difference where it is wanted. The least gain is 0: the tolerance alone decides."""
    found = {}
    for pair in bank.world.pairs:
        own = replace(bank.world.study.certification, least_gain=0.0)
        if pair.at is not None:
            apart = truth[pair.name, "difference"].figures
            # at the tolerance peg risk itself lies on it; where the pair must clear it, both references do
            worst = apart[PEG, None] if pair.at >= 1.0 else max(apart[PEG, None], apart[DOLLAR, None])
            own = replace(own, tolerance_peg_bps=worst / pair.at, most_paths=round(MOST_PATHS / pair.at))
        found[pair.name] = own
    return found


# -- one replication ---------------------------------------------------------------------------------------------------------------


def replication(bank: Bank, truth, rules, number: int) -> dict[str, list[float]]:
    """Selection, plan and holdout of every pair as certification does them: by cell (published, held, above the truth, one path over a fifth of the variance,
    those of them that hold, those that may hold more often than 95%).
    """
    world = bank.world
    rng = np.random.default_rng([20261130, number])
    study = replace(world.study, search=replace(world.study.search, seed=number + 1))
    cells: dict[str, list[float]] = {}
    with only_published(world) as forget:
        seen = {}
        names = ["current", *rules]
        for name, outcome in zip(names, bank.drawn(names, bank.designs, rng), strict=True):
            seen[name] = judged(outcome, study, metrics=world.metrics)
        forget()
        home = seen["current"].brief
        for name, rule in rules.items():
            told = replace(home, certification=rule)
            paired = tuple(differences(seen[name].brief, told).values())
            refused = eligible({name: seen[name].score}, {name: paired}, rule, stream="selection")[name]
            passed = refused is None or (refused.kind == "tolerance" and within_at_values(paired, rule))
            plan = together(
                [
                    plan_holdout(
                        bank.floor,
                        variances(seen[name].brief, home, each.metric),
                        replace(study, certification=rule),
                        difference=each.difference,
                        tolerance=each.tolerance,
                    )
                    for each in paired
                    if each.metric in DECIDING
                ]
            )
            ruled = replace(study, certification=rule)
            current, rival = (
                judged(outcome, ruled, metrics=world.metrics, within=True) for outcome in bank.drawn(["current", name], plan.designs, rng)
            )
            forget()
            briefs = zip((rival.brief, *rival.within), (current.brief, *current.within), strict=True)
            pairs = [each for one, other in briefs for each in differences(one, other).values()]
            again = eligible({name: rival.score}, {name: pairs}, rule, stream="holdout")[name]
            _count(cells, f"{name}: recommended", passed and again is None)
            _count(cells, f"{name}: passes on holdout paths", again is None)
            _count(cells, f"{name}: paths", sum(design.paths for design in plan.designs.values()))
            times = {each: design.paths / bank.floor[each].paths for each, design in plan.designs.items()}
            times[None] = min(times.values())
            for which, score in (("current", current.score), (name, rival.score)):
                rare = {key for key, events in truth[which].events.items() if events * times[key[1]] < FEW_EVENTS}
                _levels(cells, f"{name}: {'current' if which == 'current' else 'rival'}", score, truth[which], world, rare=rare)
            apart = truth[name, "difference"]
            for each in pairs:
                least, shown = finest(each.metric, ruled), each.difference
                # an end that the resolution has moved out holds more than 95%, whatever the truth
                ends = min(shown.value - shown.low, shown.high - shown.value)
                coarse = min(abs(apart.figures[each.metric, each.scenario]), ends) <= least * (1.0 + 1e-9)
                _note(cells, f"{name}: difference", each.metric, each.scenario, each.difference, apart, coarse=coarse)
    return cells


def _levels(cells, what, score, truth, world, *, rare):
    for metric in figures_of(world):
        _note(cells, what, metric, None, score.metrics[metric], truth, coarse=(metric, None) in rare)
        for scenario, figures in score.by_scenario.items():
            _note(cells, what, metric, scenario, figures[metric], truth, coarse=(metric, scenario) in rare)
    for constraint in score.constraints:
        if constraint.scenario is not None:
            metric = next(rule.metric for rule in rules_of(world.study.constraints) if rule.name == constraint.name)
            bound = replace(constraint.estimate, **({"high": np.inf} if constraint.at_least else {"low": -np.inf}))
            place = metric, constraint.scenario
            _note(cells, f"{what} bound", *place, bound, truth, coarse=place in rare, ends=constraint.estimate.interval)


def _note(cells, what, metric, scenario, found, truth, *, coarse, ends=()):
    """Whether an interval holds the truth, where it is published and the figure is not the same on every path; ``coarse`` = it may hold it more often than 95%."""
    if (metric, scenario) not in truth.vary:
        return
    known = (found.interval if ends == () else ends) is not None
    true = truth.figures[metric, scenario]
    slack = 1e-12 * abs(true)
    held = found.low - slack <= true <= found.high + slack
    flagged = found.largest_share is not None and found.largest_share > 0.2
    row = cells.setdefault(f"{what}: {metric}: {scenario or 'all'}", [0, 0, 0, 0, 0, 0])
    row[0] += known
    row[1] += known and held
    row[2] += known and true < found.low - slack
    row[3] += known and flagged
    row[4] += known and flagged and held
    row[5] += known and coarse


def _count(cells, name, value):
    row = cells.setdefault(name, [0, 0])
    row[0] += 1
    row[1] += float(value)


# -- what they add up to -----------------------------------------------------------------------------------------------------------


held: dict[str, tuple] = {}
"""Banks, truths and rules by world: what forked workers find in memory."""
CHUNK = 10


def chunk_of(name: str, chunk: int) -> dict[str, list[float]]:
    """Ten replications, by their numbers."""
    cells: dict[str, list[float]] = {}
    for number in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        cells = merged(cells, replication(*held[name], number))
    return cells


def merged(one, other):
    """Two tallies as one."""
    names = dict.fromkeys((*one, *other))
    return {
        name: [a + b for a, b in zip(one.get(name) or [0] * len(other[name]), other.get(name) or [0] * len(one[name]), strict=True)]
        for name in names
    }


def p_value(held: int, count: int, *, coarse: bool = False) -> float:
    """Of "the interval holds the truth in 92% to 98% of samples", or of "in 92% at least" where it is ``coarse``: the level at which Clopper and Pearson's interval leaves that range."""
    from scipy.stats import binom

    below, above = binom.cdf(held, count, LOW), binom.sf(held - 1, count, HIGH)
    return float(below if coarse else min(1.0, 2.0 * min(below, above)))


def outside(cells, least: int = 20) -> dict[str, tuple[float, float, float]]:
    """Cells whose coverage is outside the range after Holm over all of them: coverage and its interval."""
    names = [name for name, row in cells.items() if len(row) > 2 and row[0] >= least]
    adjusted = holm([p_value(int(row[1]), int(row[0]), coarse=2 * row[5] > row[0]) for row in (cells[name] for name in names)])
    found = {}
    for name, p in zip(names, adjusted, strict=True):
        if p <= 0.05:
            count, held = cells[name][:2]
            low, high = clopper_pearson(held, count)
            found[name] = (held / count, low, high)
    return found


def significantly_above(events: float, count: float, most: float, level: float = 0.99) -> bool:
    """Whether so many events speak against a chance of at most ``most``."""
    from scipy.stats import binom

    return bool(binom.sf(events - 1, count, most) < 1.0 - level)


def significantly_below(events: float, count: float, least: float, level: float = 0.99) -> bool:
    """Whether so few events speak against a chance of at least ``least``."""
    from scipy.stats import binom

    return bool(binom.cdf(events, count, least) < 1.0 - level)


# -- the worlds --------------------------------------------------------------------------------------------------------------------


def shipped(path) -> World:
    """The worked study: the share token decides. Only the Curve pool's rebalancing differs: at the tolerance, and by half of it."""
    study = load_study(path)
    # cover counts collateral at its market price: the worked study's limit; at that of the par rule every set breaks it while USDC is at 0.88, and no pair tells anything
    study = replace(study, constraints=replace(study.constraints, min_external_cr=0.70))
    pairs = (
        Pair("tolerance", {"pool_share_high": 0.62}, at=1.0),
        Pair("clear", {"pool_share_high": 0.60}, at=0.5),
        Pair("null", {"idle_buffer": 0.05}),
    )
    return World("share", study, pairs)


def coin_loss(path) -> World:
    """A study whose share token is calm and whose base pool may lose a coin, the peg held against the dollar: the hour of the loss decides."""
    study = load_study(path)
    settings = {"share_daily_vol": 0.02, "coin_loss_yearly": 0.02, "coin_loss_severity": 0.1}
    chosen = tuple(
        replace(each, settings={**each.settings, **settings}) for each in study.scenarios if each.name in {"calm", "ust-contagion-2022"}
    )
    study = replace(
        study,
        scenarios=chosen,
        current=study.current.replace(unwind_cr_margin=1.0),  # or a coin's loss would unwind, and few paths decide what goes unserved
        simulation=replace(study.simulation, transition_hours=48, window_hours=480, peg_reference="dollar"),
        constraints=replace(
            study.constraints, min_external_cr=0.83, max_breach_probability=0.5, max_shortfall_bps=10_000.0, max_unrecovered_probability=1.0
        ),
    )
    pairs = (
        Pair("tolerance", {"pool_share_high": 0.62}, at=1.0),
        Pair("clear", {"pool_share_high": 0.60}, at=0.5),
        Pair("null", {"idle_buffer": 0.02}),
    )
    return World("coin", study, pairs)
