"""Whether the verdict hangs on what is assumed: the shown set and the current one on joint draws of all of it, every draw on the same paths.

A draw has few paths, so its figures are set right by what the study as it is has on the same few and on all holdout paths (a control
variate), and the chance that is left is taken out of the share (`robust`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from amo_opt.config.assumptions import Assumption, assumptions, joint_draw
from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.constraints import Rule, rules_of
from amo_opt.scoring.losses import FloatArray
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.replicates import replicate
from amo_opt.scoring.sample import sample
from amo_opt.scoring.types import Estimate
from amo_opt.search.explain import LEAST_FAILURES, indices_of, region_of
from amo_opt.search.progress import ProgressEvent
from amo_opt.search.result import AssumptionDoubt, Band, Candidate, Driver
from amo_opt.search.robust import Responses, Share, band_of, draws_to_prove, share_of
from amo_opt.search.rule import COMPARED, COVER, DOLLAR, PEG, YIELD, tolerances
from amo_opt.search.ruling import Condition
from amo_opt.simulation.executor import run_all
from amo_opt.simulation.mixed import Mixed, draw_mixed, redrawn, simulate_mixed
from amo_opt.simulation.spans import Designs
from amo_opt.stress.normals import fill_normals

if TYPE_CHECKING:
    from amo_opt.search.certifier import Certifier
    from amo_opt.simulation.outcome import Outcome

BLOCKS = 2
"""Blocks of lanes that a draw's paths of all scenarios fill, twins among them: what matters most happens on next to no path as drawn."""
CHOOSING = 16
"""Draws that the choice on selection paths asks of sets that are as good."""
RESAMPLES = 200
"""Resamples of a draw's paths: only variances are read from them."""
LEAST_RUN = 4
"""Fewest draws that must have been simulated for anything to be said of them."""
DRIVERS = 12
"""Assumptions told of those that explain most."""
STANDARD = 1.959964
ONE_SIDED_STANDARD = 1.644854


class _Limit(NamedTuple):
    rule: Rule
    scenario: str
    limit: float

    @property
    def key(self) -> str:
        return f"{self.rule.name}:{self.scenario}"


@dataclass(frozen=True)
class _Figures:
    """What the rule reads, on the paths and on each resample: differences of the two sets, then the shown set's limits; (figures,), (resamples, figures)."""

    values: FloatArray
    resamples: FloatArray


@dataclass(frozen=True)
class Drawn:
    """Joint draws that could be run: the ``ran`` values of what is doubted, and by set its ``figures`` in them, set right; on few of a stream's paths, ``mixed``."""

    doubted: tuple[Assumption, ...]
    ran: tuple[tuple[float, ...], ...]
    figures: tuple[_Figures, ...]
    limits: tuple[_Limit, ...]
    mixed: Mixed

    def responses(self, place: int, study: Study) -> Responses:
        """What the draws gave of the set at that place."""
        # an even draw on [-1, 1] has variance a third
        values = [[each.position(value) for each, value in zip(self.doubted, drawn, strict=True)] for drawn in self.ran]
        figures = self.figures[place]
        return Responses(
            inputs=np.sqrt(3.0) * np.array(values),
            margins=margins_of(figures.values, study, self.limits),
            resamples=margins_of(figures.resamples, study, self.limits),
        )


def drawn_of(
    certifier: Certifier, rivals: Sequence[Candidate], *, stream: Literal["selection", "holdout"], count: int, blocks: int
) -> Drawn | None:
    """Some sets and the current one on that many joint draws; None where nothing is assumed, or hardly a draw could be simulated."""
    study = certifier.study
    doubted = assumptions(study)
    if not count or not doubted:
        return None
    few = replace(study, certification=replace(study.certification, bootstrap=min(RESAMPLES, study.certification.bootstrap)))
    designs = certifier.few(stream, blocks * LANES)
    usual, limits = _usual(few, stream, designs), _limits(study)
    sets = [each.parameters for each in rivals]
    base = _figures(few, sets, usual, limits)
    jobs = [_OneDraw(number, count, stream, designs, len(sets) + 1) for number in range(count)]
    found = run_all(
        certifier.workers,
        _run_draw,
        jobs,
        few,
        sets,
        progress=lambda done: certifier.watch(ProgressEvent(phase="doubt", done=done, total=count)),
    )
    with _LOCK:
        _LAST.clear()
    ran = [each for each in found if each is not None]
    if len(ran) < LEAST_RUN:
        return None
    return Drawn(
        doubted=doubted,
        ran=tuple(drawn for drawn, _ in ran),
        figures=tuple(
            _set_right([each[place] for _, each in ran], base[place], _known(rival, limits, stream=stream))
            for place, rival in enumerate(rivals)
        ),
        limits=limits,
        mixed=usual,
    )


@dataclass(frozen=True)
class _OneDraw:
    """A joint draw by its ``number``, run on few of a stream's paths."""

    number: int
    count: int
    stream: str
    designs: Designs
    sets: int

    @property
    def runs(self) -> int:
        """Blocks of every set."""
        return BLOCKS * self.sets


def _run_draw(job: _OneDraw, study: Study, sets: Sequence[ParameterSet]) -> list[tuple[tuple[float, ...], list[_Figures]] | None]:
    """What was drawn, and the figures of the sets in it; None where it cannot be simulated."""
    draw = joint_draw(study, assumptions(study), job.number, count=job.count)
    usual = _usual(study, job.stream, job.designs)
    try:
        return [(draw.values, _figures(draw.study, sets, redrawn(usual, draw.study), _limits(study)))]
    except SimulationError:
        return [None]


_LAST: list[tuple[Study, str, Designs, Mixed]] = []
_LOCK = Lock()


def _usual(study: Study, stream: str, designs: Designs) -> Mixed:
    """The paths under the study's own figures: drawn once for all draws that a process runs one after the other."""
    with _LOCK:
        if not _LAST or _LAST[0][0] is not study or _LAST[0][1:3] != (stream, designs):
            _LAST[:] = [(study, stream, designs, draw_mixed(study, paths=1, stream=stream, designs=designs, again=True))]
        return _LAST[0][3]


def _limits(study: Study) -> tuple[_Limit, ...]:
    return tuple(
        _Limit(rule, each.name, rule.limit(study.constraints, each)) for each in study.scenarios for rule in rules_of(study.constraints)
    )


def doubt_of(certifier: Certifier, rival: Candidate, *, recommended: bool) -> AssumptionDoubt | None:
    """What joint draws of all that is assumed say of the rival against the current set on holdout paths; None where the study asks for none or `drawn_of` has
    none.
    """
    count = certifier.study.certification.draws
    found = drawn_of(certifier, [rival], stream="holdout", count=count, blocks=BLOCKS)
    return None if found is None else _told(certifier.study, found, recommended=recommended, count=count)


def robust_shares(certifier: Certifier, rivals: Sequence[Candidate]) -> list[float] | None:
    """In what share of the first few draws the rule would have each of some sets, on selection paths; None where there are none."""
    study = certifier.study
    found = drawn_of(certifier, rivals, stream="selection", count=min(CHOOSING, study.certification.draws), blocks=1)
    if found is None:
        return None
    return [share_of(found.responses(place, study), passes).value for place in range(len(rivals))]


def _figures(study: Study, sets: Sequence[ParameterSet], mixed: Mixed, limits: Sequence[_Limit]) -> list[_Figures]:
    """Those of every set, the current one being run once."""
    other = _read(simulate_mixed(study.current, study, mixed), study, COMPARED)
    rules = {each.rule.metric for each in limits}
    places = [(name, None) for name in COMPARED]
    within = [(each.rule.metric, each.scenario) for each in limits]
    found = []
    for parameters in sets:
        one = _read(simulate_mixed(parameters, study, mixed), study, (*COMPARED, *sorted(rules - set(COMPARED))))
        values = [one[0][place] - other[0][place] for place in places] + [one[0][place] for place in within]
        resamples = [one[1][place] - other[1][place] for place in places] + [one[1][place] for place in within]
        found.append(_Figures(np.array(values), np.stack(resamples, axis=1)))
    return found


_Place = tuple[str, str | None]


def _read(outcome: Outcome, study: Study, metrics: Sequence[str]) -> tuple[dict[_Place, float], dict[_Place, FloatArray]]:
    """Each metric over all scenarios and within each: its point value, and its value on every resample. Paths count as their sample weighs them."""
    paths = sample(outcome, study)
    figures = {name: MEASURES[name].values(paths) for name in metrics}
    drawn = replicate(paths, figures, None)
    values: dict[_Place, float] = {(name, None): MEASURES[name].point(figures[name], paths.weights) for name in metrics}
    resamples: dict[_Place, FloatArray] = {(name, None): drawn.overall[name] for name in metrics}
    for block in paths.blocks:
        place = block.scenario.name
        for name in metrics:
            values[name, place] = MEASURES[name].point(figures[name][block.rows], paths.weights[block.rows])
            resamples[name, place] = drawn.by_scenario[place][name]
    return values, resamples


def _known(rival: Candidate, limits: Sequence[_Limit], *, stream: Literal["selection", "holdout"]) -> tuple[FloatArray, FloatArray]:
    """The same figures on all of a stream's paths and their standard errors, infinite where an interval is not known."""
    paired, score = (
        (rival.selection_paired, rival.selection_score) if stream == "selection" else (rival.holdout_paired, rival.holdout_score)
    )
    by_metric = {each.metric: each.difference for each in paired if each.scenario is None}
    by_key = {} if score is None else {each.key: each.estimate for each in score.constraints}
    found = [*((by_metric.get(name), STANDARD) for name in COMPARED), *((by_key.get(each.key), ONE_SIDED_STANDARD) for each in limits)]
    values = np.array([0.0 if each is None else each.value for each, _ in found])
    errors = np.array(
        [
            np.inf if each is None or each.interval is None else (each.interval[1] - each.interval[0]) / (2.0 * width)
            for each, width in found
        ]
    )
    return values, errors


def _set_right(found: Sequence[_Figures], base: _Figures, known: tuple[FloatArray, FloatArray]) -> _Figures:
    """Every draw's figures (draws, figures) and resamples (draws, resamples, figures), less what chance has the base off by on the same paths.

    As much of it as draws go along with the base from one resample to the next: the coefficient of a control variate.
    """
    values, resamples = np.stack([each.values for each in found]), np.stack([each.resamples for each in found])
    means = resamples.mean(axis=0)
    apart, along = means - means.mean(axis=0), base.resamples - base.resamples.mean(axis=0)
    # the holdout paths have chance of their own: the less of it, the more there is to gain
    right, error = known
    variance = (along**2).mean(axis=0) + np.where(np.isfinite(error), error, 0.0) ** 2
    part = np.divide((apart * along).mean(axis=0), variance, out=np.zeros_like(variance), where=variance > 0.0)
    part = np.where(np.isfinite(error), np.clip(part, 0.0, 1.0), 0.0)
    noise = _noise(len(along), len(error)) * np.where(np.isfinite(error), error, 0.0)
    return _Figures(values + part * (right - base.values), resamples + part * (right + noise - base.resamples))


def _noise(resamples: int, figures: int) -> FloatArray:
    found = np.empty((1, resamples * figures))
    fill_normals(np.zeros((1, 2), dtype=np.uint64), found)
    return found.reshape(resamples, figures)


def margins_of(figures: FloatArray, study: Study, limits: Sequence[_Limit]) -> FloatArray:
    """How far inside each of the rule's conditions figures of shape (…, figures) lie: above 0 where it is kept."""
    certification = study.certification
    units = tolerances(certification)
    gained, peg, dollar, cover = (figures[..., COMPARED.index(name)] for name in (YIELD, PEG, DOLLAR, COVER))
    margins = [
        gained,
        -peg,
        gained + certification.tolerance_yield,
        certification.tolerance_peg_bps - peg,
        certification.tolerance_peg_bps - dollar,
        cover + certification.tolerance_cr,
        gained * units[1] - peg * units[0] - certification.least_gain * units[0] * units[1],
    ]
    for place, each in enumerate(limits, start=len(COMPARED)):
        over = figures[..., place] - each.limit
        margins.append(over if each.rule.kind == "at least" else -over)
    return np.stack(margins, axis=-1)


def _conditions(study: Study, limits: Sequence[_Limit]) -> tuple[Condition, ...]:
    """The conditions in the order of `margins_of`."""
    return (
        Condition(kind="better", metric=YIELD),
        Condition(kind="better", metric=PEG),
        *(Condition(kind="tolerance", metric=name) for name in (YIELD, PEG, DOLLAR, COVER)),
        Condition(kind="gain", bound=study.certification.least_gain),
        *(Condition(kind="limit", limit=each.key) for each in limits),
    )


def passes(margins: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether the rule would have the set at these margins: better on one axis and within the tolerance on the other, everything else kept."""
    better, kept = margins[..., :2] > 0.0, margins[..., 2:] >= 0.0
    either = (better[..., 0] & kept[..., 1]) | (better[..., 1] & kept[..., 0])
    found: npt.NDArray[np.bool_] = either & kept[..., 2:].all(axis=-1)
    return found


def _told(study: Study, drawn: Drawn, *, recommended: bool, count: int) -> AssumptionDoubt:
    doubted, ran, figures = drawn.doubted, drawn.ran, drawn.figures[0]
    responses = drawn.responses(0, study)
    inputs, values = responses.inputs, np.array(ran)
    found = share_of(responses, passes if recommended else (lambda margins: ~passes(margins)))
    fails = 1.0 - found.probabilities
    told_by = fails if LEAST_FAILURES <= fails.sum() <= len(fails) - LEAST_FAILURES else (-found.least if recommended else found.least)
    indices = indices_of(inputs, told_by, seed=_seed(study))
    ranked = [int(k) for k in np.argsort(-indices.value, kind="stable")]
    return AssumptionDoubt(
        share=_share(found, count),
        recommended=recommended,
        demanded=study.certification.robust_share,
        paths=len(drawn.mixed.path_weight),
        twins=drawn.mixed.twins,
        assumptions=len(doubted),
        failed=count - len(ran),
        yield_band=_band(responses, figures, COMPARED.index(YIELD), found.fitted[0]),
        peg_band=_band(responses, figures, COMPARED.index(PEG), found.fitted[1]),
        conditions=tuple(zip(_conditions(study, drawn.limits), (float(each) for each in found.kept), strict=True)),
        explains="failures" if told_by is fails else "margin",
        drivers=tuple(
            Driver(
                name=doubted[k].name,
                value=doubted[k].value,
                low=doubted[k].low,
                high=doubted[k].high,
                index=Estimate(
                    value=float(indices.value[k]), low=float(indices.interval[k, 0]), high=float(indices.interval[k, 1]), n=len(ran)
                ),
                side="high" if indices.rises[k] else "low",
            )
            for k in ranked[:DRIVERS]
        ),
        by_chance=indices.by_chance,
        region=region_of(values, fails, [each.name for each in doubted], ranked),
        more_draws=_more(found, study.certification.robust_share),
    )


def _share(found: Share, count: int) -> Estimate:
    """The share of all draws, those that could not be run counted against it."""
    low, high = (-np.inf, np.inf) if found.interval is None else found.interval
    part = found.draws / count
    return Estimate(value=found.value * part, low=low * part, high=high, n=count)


def _band(responses: Responses, figures: _Figures, place: int, foretold: float) -> Band:
    raw = Responses(inputs=responses.inputs, margins=figures.values[:, [place]], resamples=figures.resamples[:, :, [place]])
    low, median, high = band_of(raw, 0)
    return Band(low=low, median=median, high=high, foretold=float(foretold))


def _more(found: Share, demanded: float) -> int | None:
    if found.interval is not None and found.interval[0] >= demanded:
        return 0
    needed = draws_to_prove(found, demanded)
    return None if needed is None else max(1, needed - found.draws)


def _seed(study: Study) -> int:
    return int.from_bytes(hashlib.blake2b(repr((study.search.seed, "explain")).encode(), digest_size=4).digest(), "big")
