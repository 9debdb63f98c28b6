"""One path's story: its hourly series as panels to draw, the hours that matter, and a caption whose every number comes from the series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.catalogue import BY_RANK
from amo_opt.amos.layout import LINES
from amo_opt.amos.peg_keeper import MECHANISM as KEEPER
from amo_opt.report.stories.story_caption import Events, caption
from amo_opt.report.stories.story_panels import APART, CAPITAL, FloatArray, Panel, Series, in_yield, line_titles, panels_of
from amo_opt.simulation.columns import named_columns
from amo_opt.simulation.path_statistics import BACK_WITHIN
from amo_opt.stress.episodes import draw_episodes
from amo_opt.stress.streams import Streams
from amo_opt.stress.tilts import Design, path_name
from amo_opt.stress.twins import TwinStreams
from amo_opt.wording import clean

if TYPE_CHECKING:
    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.stress.scenario import Scenario


def _drawn(amo: Mechanism) -> tuple[str, ...]:
    """The series of an AMO that its story shows."""
    quoted = () if amo.quote is None else (amo.quote.price, *amo.quote.held)
    return (*((amo.collateral_series,) if amo.collateral_series else ()), *quoted)


SERIES: tuple[str, ...] = (
    "price",
    "oracle",
    "reference",
    "collateral_ratio",
    "cr_contract",
    "cr_external",
    "pool_share",
    "idle",
    "supply",
    "external_supply",
    "own_stablecoin",
    "net_issued",
    "queue",
    "unserved",
    "claims",
    "unwinding",
    *dict.fromkeys(name for amo in BY_RANK for name in _drawn(amo)),
    *LINES,
)
"""The series of `trace` that a story is told from where the state chose no names."""


def series_in(state: ProtocolState) -> tuple[str, ...]:
    """`SERIES`, and those of mechanisms that the state has under names of its own, and of its only PegKeeper."""
    keeper = tuple(KEEPER.series.values()) if state.has(KEEPER.table) else ()
    return (*SERIES, *keeper, *named_columns(state))


ENLARGED_HOURS = (24, 216)
"""How long before and, at least, after the stress's beginning the enlarged panels show."""
LEAST_GAIN = 1.5
"""A window shorter than this many times the enlarged part is not enlarged: nothing would be gained."""


@dataclass(frozen=True)
class Mark:
    """An hour that matters, counted from the window's opening, and what it is."""

    hour: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Story:
    """All that is drawn of one path. ``hours`` (int64, shape (steps,)) is negative in the transition; ``unwinding`` holds the first and
    the last hour of each spell; ``enlarged`` the hours shown a second time, ``None`` where there is no stress or the window is short.
    """

    title: str
    subtitle: str
    caption: str
    hours: NDArray[np.int64]
    panels: tuple[Panel, ...]
    onset: Mark | None
    worst: Mark
    unwinding: tuple[tuple[int, int], ...]
    enlarged: tuple[int, int] | None


def tell_story(
    series: Series,
    study: Study,
    parameters: ParameterSet,
    *,
    scenario: str,
    path: int,
    stream: str = "search",
    design: Design | None = None,
    component: int = 0,
) -> Story:
    """The story of one path, or of its twin in a ``component`` of a ``design``, from its series (`series_in`), each of shape (steps,), transition included.

    Raises `ValueError` where a series is missing or not as long as the study's transition and window.
    """
    steps = study.simulation.transition_hours + study.simulation.window_hours
    needed = series_in(study.state)
    missing = [name for name in needed if name not in series]
    if missing:
        raise ValueError(f"series missing: {', '.join(missing)}")
    wrong = [name for name in needed if series[name].shape != (steps,)]
    if wrong:
        raise ValueError(f"series {wrong[0]} has the shape {series[wrong[0]].shape}; the study's paths have {steps} hours")
    entry = next(each for each in study.scenarios if each.name == scenario)
    hours = np.arange(steps, dtype=np.int64) - study.simulation.transition_hours
    reference = np.ones(steps) if study.simulation.peg_reference == "dollar" else series["reference"]
    components = () if design is None else design.components
    opening = study.simulation.transition_hours
    streams = TwinStreams(study.search.seed, stream, entry, components=components, component=component, opening=opening)
    onset = _onset(series, reference, study, entry, path=path, streams=streams)
    worst = _worst(series, study.simulation.transition_hours)
    titles = line_titles(study.state)
    events = Events(
        transition=study.simulation.transition_hours,
        onset=None if onset is None else onset.hour,
        drawn="onset_day_low" in entry.settings,
        onset_label="" if onset is None else onset.label,
        worst=worst.hour,
        back_within_bps=1e4 * BACK_WITHIN,
        min_external_cr=study.constraints.min_external_cr,
        min_cr=parameters.min_cr,
        yield_lines={name: titles.get(name, name) for name in in_yield(study.state)},
        other_income=APART,
        capital=CAPITAL,
        size=study.state.size,
        account=study.state.unit,
        has=study.state.has,
    )
    return Story(
        title=f"{parameters.name} on {study.name}: {scenario}, path {path_name(path, component)} of stream {stream}",
        subtitle=f"{clean(entry.title)}; seed {study.search.seed}, state of {study.state.date.isoformat()}",
        caption=caption(series, reference, events),
        hours=hours,
        panels=panels_of(series, study, parameters),
        onset=onset,
        worst=worst,
        unwinding=_spells(series["unwinding"] > 0.5, hours),
        enlarged=_enlarged(onset, worst, study.simulation.window_hours),
    )


def _onset(series: Series, reference: FloatArray, study: Study, scenario: Scenario, *, path: int, streams: Streams) -> Mark | None:
    """The hour the path's stress was drawn for; where the scenario has none, the first sign of one in the series, if there is any."""
    transition, window = study.simulation.transition_hours, study.simulation.window_hours
    if "onset_day_low" in scenario.settings:
        drawn = draw_episodes(scenario, streams, paths=range(path, path + 1), transition_hours=transition)
        hour = int(drawn.onset[0]) - transition
        return Mark(hour, "stress begins") if hour < window else None
    losses = series["income_venue_losses"][transition:]
    signs = (
        ("a venue loses", np.diff(losses, prepend=0.0) < 0.0),
        ("unwinding begins", series["unwinding"][transition:] > 0.5),
        (f"price {1e4 * BACK_WITHIN:.0f} bp under its reference", (reference - series["price"])[transition:] > BACK_WITHIN),
    )
    seen = [Mark(int(np.argmax(sign)), label) for label, sign in signs if sign.any()]
    return min(seen, key=lambda mark: mark.hour, default=None)


def _worst(series: Series, transition: int) -> Mark:
    """The window's hour of the lowest price."""
    price = series["price"][transition:]
    hour = int(np.argmin(price))
    return Mark(hour, f"lowest price {price[hour]:.4f}")


def _spells(active: NDArray[np.bool_], hours: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """First and last hour of each unbroken run of true.

    >>> _spells(np.array([False, True, True, False, True]), np.arange(-2, 3))
    ((-1, 0), (2, 2))
    """
    edges = np.diff(np.concatenate([[0], active.astype(np.int64), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return tuple((int(hours[start]), int(hours[end])) for start, end in zip(starts, ends, strict=True))


def _enlarged(onset: Mark | None, worst: Mark, window: int) -> tuple[int, int] | None:
    """The days around the stress, up to a day after the lowest price where that came later and not too late to gain anything."""
    if onset is None:
        return None
    before, after = ENLARGED_HOURS
    shortest = before + after
    for span in (max(shortest, worst.hour - onset.hour + 2 * before), shortest):
        if window >= LEAST_GAIN * span:
            start = min(max(onset.hour - before, 0), window - span)
            return start, start + span
    return None
