"""What a search hands back: trials, the certified candidates, the recommendation and how it was reached."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from amo_opt.config.study import Study
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.parts import RiskPart
from amo_opt.scoring.replay import EpisodeFit
from amo_opt.scoring.types import Estimate, PairedDifference, PointScore, Score, paired_frame, told
from amo_opt.search.aim import Aim
from amo_opt.search.front import Point
from amo_opt.search.planning import Plan
from amo_opt.search.ruling import Condition, Objection, Ruling, Turn, Verdict
from amo_opt.search.tails import Tails
from amo_opt.stress.tilts import Design, Tilt
from amo_opt.tiles import tiles_html
from amo_opt.wording import count, named, sized_count

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["current", "recommended", "cautious", "balanced", "yield-seeking", "candidate"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One evaluated set. ``score`` is None where the simulation failed, and ``failure`` says why."""

    number: int
    origin: Literal["current", "seed", "sampler"]
    parameters: ParameterSet
    score: PointScore | None
    failure: str | None = None

    def __repr__(self) -> str:
        return f"Trial({self.number}, {self.origin}, {'failed' if self.score is None else self.score!r})"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One set taken to certification. ``id`` is ``current`` or ``trial-N``; ``role`` names its place among the alternatives.

    ``selection_paired`` and ``holdout_paired`` compare it with the current set (empty for the current set itself); ``holdout_score`` exists for the
    current set, the recommended one and its alternatives only. ``objection``: why it may not be recommended; None where nothing stands
    against it. ``robust_share``: in what share of a few joint draws the rule would have it on selection paths, where it was among sets that did as well.
    """

    id: str
    role: Role
    parameters: ParameterSet
    search: PointScore | None
    selection_score: Score
    selection_paired: tuple[PairedDifference, ...] = ()
    holdout_score: Score | None = None
    holdout_paired: tuple[PairedDifference, ...] = ()
    objection: Objection | None = None
    robust_share: float | None = None

    def __repr__(self) -> str:
        return f"Candidate({self.id!r}, {self.verdict}, {self.score!r})"

    @property
    def score(self) -> Score:
        """Its score on the paths that had no part in choosing it, where it was run there, else on those it was chosen on."""
        return self.selection_score if self.holdout_score is None else self.holdout_score

    @property
    def verdict(self) -> str:
        """What became of it: ``current``, ``recommended``, ``passes``, or what stands against it and where."""
        if self.objection is None:
            return self.role if self.role in ("current", "recommended") else "passes"
        place = self.objection.metric or (self.objection.limit.key if self.objection.limit is not None else self.objection.parameter)
        return f"{self.objection.kind}: {place}" if place else self.objection.kind

    @property
    def frame(self) -> pd.DataFrame:
        """Its differences to the current set, a row each (`paired_frame`), on the paths of its `score`; no row for the current set itself."""
        return paired_frame(self.selection_paired if self.holdout_score is None else self.holdout_paired)

    @property
    def point(self) -> Point:
        """Where it stands on selection paths: yield and peg risk."""
        return self.selection_score.yield_annual.value, self.selection_score.peg_risk_bps.value


@dataclass(frozen=True, kw_only=True)
class ProfilePoint:
    """One value of a profiled parameter on certification paths, everything else held."""

    value: float
    score: Score

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value:g}, {self.score!r})"


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """Where peg risk is lowest from ``low`` to ``high``: ``inside``, further than a tenth of the range from either end; ``clear``, lower than
    at both ends by more than the intervals. Where the parameter is not ``searched`` this is a look at it, and no set of the study changes it.
    """

    best: float
    peg: Estimate
    low: float
    high: float
    inside: bool
    clear: bool
    searched: bool

    @property
    def identified(self) -> bool:
        """Whether the profile says which value is best."""
        return self.inside and self.clear


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile over one parameter, and where peg risk has its optimum on it."""

    parameter: str
    base: str
    points: tuple[ProfilePoint, ...]
    optimum: Optimum

    def __repr__(self) -> str:
        return f"Profile({self.parameter!r}, {count(len(self.points), 'value')} on {self.base}, best at {self.optimum.best:g})"


@dataclass(frozen=True, kw_only=True)
class Fan:
    """Quantiles of the pool price in dollars over the scored window: ``hours`` (m,), ``quantiles[level]`` (m,) for one set and scenario."""

    candidate: str
    scenario: str
    hours: tuple[int, ...]
    quantiles: dict[str, tuple[float, ...]]
    n: int

    def __repr__(self) -> str:
        return f"Fan({self.candidate!r}, {self.scenario!r}, {len(self.hours):,} hours, n = {self.n:,})"

    @property
    def frame(self) -> pd.DataFrame:
        """One row an hour: set, scenario, hour of the window, and the price at each percentile (``p1`` … ``p99``). `pandas.concat` puts a result's fans below each other."""
        import pandas as pd

        place = {"set": self.candidate, "scenario": self.scenario, "hour": self.hours}
        return pd.DataFrame(place | {f"p{level}": values for level, values in self.quantiles.items()})


@dataclass(frozen=True, kw_only=True)
class WorstPath:
    """One of the deepest paths of the recommended (or current) set on holdout paths; of a twin with its ``component`` and its tilts."""

    candidate: str
    scenario: str
    path: int
    peg_loss_bps: float
    min_price: float
    unserved_usd_hours: float
    component: int = 0
    tilts: tuple[Tilt, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WorstTrace:
    """The deepest holdout path under one set, over the scored window: ``hours`` (m,) since its opening and the series at them, each (m,).

    ``price`` of the pool and ``cover`` (collateral at market over outside supply) are the lowest until the next hour; outside ``supply`` and ``idle`` collateral, tokens, and
    the share token's price stand as they end there.
    """

    candidate: str
    scenario: str
    path: int
    hours: tuple[int, ...]
    price: tuple[float, ...]
    cover: tuple[float, ...]
    supply: tuple[float, ...]
    idle: tuple[float, ...]
    share_price: tuple[float, ...]

    def __repr__(self) -> str:
        return f"WorstTrace({self.candidate!r}, {self.scenario!r}, path {self.path}, {len(self.hours):,} hours, lowest price {min(self.price):.4f})"


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """The shown set with one parameter one governance step lower (``side`` -1) or higher (+1), on holdout paths.

    ``paired`` compares it with the shown set, ``n`` paths; ``feasible`` at the confidence bounds, else ``objection`` names what breaks.
    None: it is at the point values, and the paths are too few to know the intervals.
    """

    parameter: str
    side: Literal[-1, 1]
    value: float
    paired: tuple[PairedDifference, ...]
    feasible: bool | None
    objection: Objection | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """An assumed figure of the state moved to one end of its range: what the shown set then does against the current one, on holdout paths.

    ``holds`` says whether the conditions of the rule that compare the two sets, and the limits, come out as they do at the figure's value;
    ``objection`` is the first condition that does not, or why there is no figure; None where nothing turned.
    """

    figure: str
    end: Literal["low", "high"]
    value: float
    yield_difference: Estimate | None
    peg_difference: Estimate | None
    holds: bool
    objection: Turn | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Band:
    """Where a difference lies in 95% of the draws of what is assumed, the chance of paths taken out, and its median; ``foretold``: the share of its
    variance over draws that the fitted response foretells of a draw it has not seen.
    """

    low: float
    median: float
    high: float
    foretold: float


@dataclass(frozen=True, kw_only=True)
class Driver:
    """An assumption, and the share of the variance over draws that it explains by itself (first-order Sobol' index), with its interval.

    ``side`` is the end of its range towards which the verdict holds less.
    """

    name: str
    value: float
    low: float
    high: float
    index: Estimate
    side: Literal["low", "high"]


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A half of an assumption's range: ``side`` of ``threshold``."""

    name: str
    side: Literal["below", "above"]
    threshold: float


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where the verdict fails most: all ``bounds`` together, ``draws`` of those drawn. ``covered`` of all failures lie in it, and of the draws in it
    ``purity`` fail; both on draws that had no part in finding it.
    """

    bounds: tuple[Bound, ...]
    draws: int
    covered: float
    purity: float


@dataclass(frozen=True, kw_only=True)
class AssumptionDoubt:
    """What joint draws of everything assumed say of the verdict.

    ``share`` of the true response's draws in which the verdict holds: the shown set passes the rule where it is ``recommended``, and does not
    where it is not; its n are draws. ``paths`` = paths of a draw in all scenarios, ``twins`` of
    them not as drawn. ``failed`` = draws that could not be simulated, counted as not
    holding. ``conditions`` = share of draws in which each holds of the shown set. ``drivers`` in falling order; an index up to ``by_chance`` is what
    the best of as many figures without effect has in one case of 20. ``more_draws`` would show ``demanded`` if the share is what was found:
    0 = it is shown, None = no number would.
    """

    share: Estimate
    recommended: bool
    demanded: float
    paths: int
    twins: int
    assumptions: int
    failed: int
    yield_band: Band
    peg_band: Band
    conditions: tuple[tuple[Condition, float], ...]
    explains: Literal["failures", "margin"]
    drivers: tuple[Driver, ...]
    by_chance: float
    region: Region | None
    more_draws: int | None

    @property
    def robust(self) -> bool:
        """Whether the share is shown to be what the study demands."""
        return self.share.low >= self.demanded


@dataclass(frozen=True, kw_only=True)
class ChangeCost:
    """What a set does over the transition, before any window is scored: figures by name, over calm's paths from the state of the day.

    ``lp_value_change``: value of the protocol's LP tokens at the transition's end over its start, USD; ``operations_cost``: fees and gas of
    moving positions, USD; ``min_price``: lowest price, USD; ``peg_shortfall_bps``: largest shortfall, bp.
    """

    candidate: str
    hours: int
    figures: dict[str, Estimate]


@dataclass(frozen=True, kw_only=True)
class RunCapacity:
    """The largest run (share of the holders outside the pools that sets out within 24 hours) a set survives on 95% of paths; ``paid`` is the
    share of outside supply that is paid out within those hours at that size, on at least 95% of paths.
    """

    candidate: str
    value: Estimate
    paid: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything the report needs. ``ruling`` is the verdict and all that it rests on. ``recommended`` is None where the verdict is not ``recommended``; ``gap`` holds the optimism gap:
    metric -> (search, on selection paths, on holdout paths) for the recommended set, or the current one where there is none.

    ``half_step`` lies halfway between the current and the shown set, certified on holdout paths (its ``selection_score`` repeats them:
    it had no part in the choice); ``importances`` is metric -> parameter -> share of the
    search's variance (PED-ANOVA); ``risk_parts`` is where the peg risk of the current and the shown set comes from, by id; ``doubt`` is None where no draws were asked for
    or there is no set to compare; ``episodes`` are the current set's replays of real episodes; ``screened`` counts trials that ended at the search's low fidelity.
    ``paths_search`` and ``paths_certification`` are those of the search and of the selection, of all scenarios and with their twins.
    """

    study: Study
    trials: tuple[Trial, ...]
    sampler: str
    front: tuple[int, ...]
    hypervolume: tuple[float, ...]
    candidates: tuple[Candidate, ...]
    ruling: Ruling
    recommended: ParameterSet | None
    gap: dict[str, tuple[float, Estimate, Estimate]] = field(default_factory=dict)
    profile: Profile | None = None
    fans: tuple[Fan, ...] = ()
    worst_paths: tuple[WorstPath, ...] = ()
    worst_traces: tuple[WorstTrace, ...] = ()
    paths_search: int = 0
    paths_certification: int = 0
    aims: tuple[Aim, ...] = ()
    selection_designs: dict[str, Design] = field(default_factory=dict)
    plan: Plan | None = None
    tails: Tails = Tails()
    risk_parts: dict[str, tuple[RiskPart, ...]] = field(default_factory=dict)
    screened: int = 0
    half_step: Candidate | None = None
    neighbours: tuple[Neighbour, ...] = ()
    importances: dict[str, dict[str, float]] = field(default_factory=dict)
    doubt: AssumptionDoubt | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    change_costs: tuple[ChangeCost, ...] = ()
    run_capacities: tuple[RunCapacity, ...] = ()
    episodes: tuple[EpisodeFit, ...] = ()

    def __repr__(self) -> str:
        sizes = f"{count(len(self.trials), 'trial')}, {count(len(self.candidates), 'set')} certified"
        found = [
            f"{each.id} {told(each.score.yield_annual, 'per year')[0]} and {told(each.score.peg_risk_bps, 'bps')[0]}"
            for each in self._shown()
        ]
        return f"Result({', '.join([repr(named(self.study.name)), self.verdict, sizes, *found])})"

    def _repr_html_(self) -> str:
        shown, paths = self._shown(), self.ruling.paths
        size = f"{count(len(self.trials), 'trial')}, {count(len(self.candidates), 'set')} certified, decided on {sized_count(paths.n, paths.twins, f'{paths.stream} path')}"
        tiles = shown[0].score.tiles() if shown else []
        if len(shown) > 1:
            after = shown[1].score.tiles()
            tiles = [replace(now, other=f"recommended: {then.big}, {then.small}") for now, then in zip(tiles, after, strict=True)]
        tiles = [replace(each, title=f"{each.title} today") for each in tiles]
        return tiles_html(f"{named(self.study.name)}: {self.verdict}", size, tiles)

    def _shown(self) -> list[Candidate]:
        """The current set, and the recommended one where there is one."""
        return [each for role in ("current", "recommended") for each in self.candidates if each.role == role and each.objection is None]

    @property
    def verdict(self) -> Verdict:
        """The ruling's outcome."""
        return self.ruling.outcome

    @property
    def frame(self) -> pd.DataFrame:
        """One row a certified set: yield (a year) and peg risk (basis points) with 95% intervals (NaN: not known), how many limits it is shown to keep, the paths of these
        figures, and what became of it.
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "set": each.id,
                    "role": each.role,
                    **_axis("yield", each.score.yield_annual),
                    **_axis("peg_risk", each.score.peg_risk_bps),
                    "limits_kept": each.score.kept,
                    "limits": len(each.score.constraints),
                    "paths": "selection" if each.holdout_score is None else "holdout",
                    "n": each.score.yield_annual.n,
                    "twins": each.score.yield_annual.twins,
                    "verdict": each.verdict,
                }
                for each in self.candidates
            ]
        )


def _axis(name: str, estimate: Estimate) -> dict[str, float]:
    low, high = estimate.interval or (math.nan, math.nan)
    return {name: estimate.value, f"{name}_low": low, f"{name}_high": high}
