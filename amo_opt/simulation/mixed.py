"""A few paths of every scenario side by side in as few blocks as hold them: what a question that is asked a hundred times costs least with.

Lanes never meet, so a block need not hold one scenario alone. A path is the same path here as in `engine.simulate_many`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.amos.layout import layout_of
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import _weights, draw_rows, draw_span, hours_of, run_one
from amo_opt.simulation.market_block import MarketBlock, packed, refilled, stacked
from amo_opt.simulation.outcome import Block, Outcome, join
from amo_opt.simulation.pack import constants
from amo_opt.simulation.spans import Designs, Span, drawn_span, path_weights, places_of, spans_of
from amo_opt.stress.draws import FROM_STATE, Input, read_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from amo_opt.amos.layout import Layout
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.stress.scenario import Scenario
    from amo_opt.stress.twins import StretchedStreams

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Piece:
    """Neighbouring lanes from ``first`` on: a span, its inputs under the ``scenario``'s settings, and the streams they are drawn from (None = those of its paths as
    drawn).
    """

    first: int
    span: Span
    scenario: Scenario
    rows: Mapping[str, Input]
    streams: StretchedStreams | None


@dataclass(frozen=True)
class Mixed:
    """The markets of the ``spans`` of a study, one after the other: (lanes used, market) block by block, and the pieces that they were packed from.

    ``paths`` are those of a scenario that no design speaks of; ``log_ratios`` and ``path_weight`` as in an outcome.
    """

    paths: int
    stream: str
    pieces: tuple[_Piece, ...]
    blocks: tuple[tuple[int, MarketBlock], ...]
    spans: tuple[Span, ...]
    log_ratios: Array
    path_weight: Array

    @property
    def twins(self) -> int:
        """Paths that are not of a scenario as it is."""
        return sum(stretch.lanes for each in self.pieces for stretch in each.span.stretches if stretch.component)

    @property
    def rows(self) -> dict[str, Input]:
        """Each input, (lanes, steps), or the one number that it is in all of them."""
        steps = self.blocks[0][1].steps
        return stacked([each.rows for each in self.pieces], [(each.span.lanes, steps) for each in self.pieces])


def paths_for_one_block(study: Study) -> int:
    """The most paths of every scenario that fit into one block side by side, at least 1."""
    return max(1, LANES // len(study.scenarios))


def draw_mixed(study: Study, *, paths: int, stream: str, designs: Designs | None = None, again: bool = False) -> Mixed:
    """Draws them; ``paths`` is at most a block's lanes. Of a scenario that ``designs`` name as these say, twins included. What shall be drawn ``again`` under
    other settings keeps its normals.
    """
    if not 1 <= paths <= LANES:
        raise AmoOptError(f"paths = {paths}; from 1 to {LANES} of a scenario are drawn side by side")
    spans = tuple(spans_of(study, paths, None, designs))
    log_ratios = np.zeros((sum(span.lanes for span in spans), max(len(span.components) for span in spans)))
    pieces: list[_Piece] = []
    first = 0
    for span in spans:
        rows, streams = draw_span(span, study, stream, again=again)
        pieces.append(_Piece(first, span, span.scenario, rows, streams))
        if streams is not None:
            log_ratios[first : first + span.lanes, : len(span.components)] = streams.log_ratios(span.lanes)
        first += span.lanes
    steps = hours_of(study)
    rows = stacked([each.rows for each in pieces], [(each.span.lanes, steps) for each in pieces])
    return Mixed(
        paths=paths,
        stream=stream,
        pieces=tuple(pieces),
        blocks=_packed(rows, first, steps, layout_of(study.state)),
        spans=spans,
        log_ratios=log_ratios,
        path_weight=path_weights(spans, log_ratios, designs),
    )


def redrawn(mixed: Mixed, study: Study) -> Mixed:
    """The same paths under a state and settings of scenarios with other figures, only the inputs drawn anew that hang on these, in each scenario by itself.

    For paths as drawn that is what `draw_mixed` gives. Twins keep the very normals that they were drawn with, so that theirs is the same chance; their weights,
    which hang on nothing else, are the same.
    """
    scenarios = {scenario.name: scenario for scenario in study.scenarios}
    pieces, anew = [], []
    for piece in mixed.pieces:
        scenario, before = scenarios[piece.scenario.name], piece.scenario.settings
        changed = [name for name, value in scenario.settings.items() if before.get(name) != value]
        parts = tuple(dict.fromkeys((*FROM_STATE, *read_by(changed))))
        found = draw_rows(scenario, study, paths=piece.span.numbers, stream=mixed.stream, parts=parts, streams=piece.streams)
        pieces.append(replace(piece, scenario=scenario, rows={**piece.rows, **found}))
        anew.append((piece.first, piece.span.lanes, found))
    blocks = []
    for k, (used, market) in enumerate(mixed.blocks):
        within = [one for first, lanes, found in anew if (one := _within(found, first - k * LANES, lanes, used)) is not None]
        block = refilled(market, within, paths=used, layout=layout_of(study.state))
        if block is None:
            whole = replace(mixed, pieces=tuple(pieces))
            return replace(whole, blocks=_packed(whole.rows, len(mixed.path_weight), hours_of(study), layout_of(study.state)))
        blocks.append((used, block))
    return replace(mixed, pieces=tuple(pieces), blocks=tuple(blocks))


def _within(inputs: Mapping[str, Input], first: int, lanes: int, used: int) -> tuple[slice, dict[str, Input]] | None:
    """What of a piece, which begins at lane ``first`` of a block, lies in that block; None where nothing does."""
    start, stop = max(0, first), min(used, first + lanes)
    return (slice(start, stop), _lanes(inputs, start - first, stop - start)) if start < stop else None


def _packed(rows: Mapping[str, Input], total: int, steps: int, layout: Layout) -> tuple[tuple[int, MarketBlock], ...]:
    blocks = []
    for first in range(0, total, LANES):
        used = min(LANES, total - first)
        blocks.append((used, packed(_lanes(rows, first, used), paths=used, steps=steps, layout=layout)))
    return tuple(blocks)


def _lanes(rows: Mapping[str, Input], first: int, used: int) -> dict[str, Input]:
    return {name: each if isinstance(each, float) else each[first : first + used] for name, each in rows.items()}


def simulate_mixed(parameters: ParameterSet, study: Study, mixed: Mixed) -> Outcome:
    """One set on these paths, as `engine.simulate` would return it; raises `SimulationError` where a path fails."""
    vector = constants(study)
    try:
        columns = join(
            [run_one(parameters, study, drawn_span(study.scenarios[0], 0, used), market, vector) for used, market in mixed.blocks]
        )
    except SimulationError:
        # which scenario and path it was is known only where each has blocks of its own
        columns = _apart(parameters, study, mixed, vector)
    names = tuple(each.name for each in study.scenarios)
    return Outcome(
        parameters=parameters,
        scenarios=names,
        weights=_weights(study, names),
        steps=hours_of(study),
        **places_of(mixed.spans, names),
        path_weight=mixed.path_weight,
        log_ratios=mixed.log_ratios,
        columns=columns,
    )


def _apart(parameters: ParameterSet, study: Study, mixed: Mixed, vector: Array) -> Block:
    """The columns of every span run by itself."""
    starts = np.cumsum([0, *(span.lanes for span in mixed.spans)])
    rows = mixed.rows
    return join(
        [
            run_one(
                parameters,
                study,
                span,
                packed(_lanes(rows, int(first), span.lanes), paths=span.lanes, steps=hours_of(study), layout=layout_of(study.state)),
                vector,
            )
            for span, first in zip(mixed.spans, starts[:-1], strict=True)
        ]
    )
