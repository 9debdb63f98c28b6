"""The deepest holdout path hour by hour, under the set in force and the one set beside it: what a picture of it is drawn from without simulating again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from amo_opt.search.certifier import Certifier
from amo_opt.search.result import Candidate, WorstPath, WorstTrace
from amo_opt.simulation.engine import trace_many
from amo_opt.stress.tilts import Design

STEP = 6
"""Hours between two points: a picture of sixty days is as wide as 240 of them."""
SERIES = ("price", "cr_external", "external_supply", "idle", "share_price")


def worst_traces(
    certifier: Certifier, sets: Sequence[Candidate], worst: Sequence[WorstPath], designs: Mapping[str, Design]
) -> tuple[WorstTrace, ...]:
    """The series of the first of the ``worst`` paths for each of the ``sets``, over the scored window; empty where no path is known.

    Of each six hours the lowest price and cover (so that no picture hides a low), and what the others are at their end.
    """
    if not worst:
        return ()
    first = worst[0]
    found = trace_many(
        [each.parameters for each in sets],
        certifier.study,
        scenario=first.scenario,
        paths=1,
        first_path=first.path,
        stream="holdout",
        columns=SERIES,
        design=designs[first.scenario],
        component=first.component,
    )
    opened = certifier.study.simulation.transition_hours
    hours = tuple(range(0, certifier.study.simulation.window_hours, STEP))
    told = []
    for candidate, series in zip(sets, found, strict=True):
        window = {name: values[opened:, 0] for name, values in series.items()}
        ends = [min(hour + STEP, window["price"].size) - 1 for hour in hours]
        starts = np.asarray(hours)
        told.append(
            WorstTrace(
                candidate=candidate.id,
                scenario=first.scenario,
                path=first.path,
                hours=hours,
                price=tuple(np.minimum.reduceat(window["price"], starts).tolist()),
                cover=tuple(np.minimum.reduceat(window["cr_external"], starts).tolist()),
                supply=tuple(window["external_supply"][ends].tolist()),
                idle=tuple(window["idle"][ends].tolist()),
                share_price=tuple(window["share_price"][ends].tolist()),
            )
        )
    return tuple(told)
