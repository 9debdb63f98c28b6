"""The protocol at a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

import pytest

from amo_opt.config.study import Study
from amo_opt.protocol.state import Figure


def test_all_collateral_at_par(frax: Study) -> None:
    """Idle + lent + the AMO's share of the pool's base LP at its virtual price: 1.246bn on 11 May 2022."""
    state = frax.state
    assert state.base_value == pytest.approx(1_109_657_725.20 * 1.021014189)
    assert state.collateral_usd == pytest.approx(0.09e9 + 0.25e9 + 0.8 * state.base_value)
    assert state.collateral_usd == pytest.approx(1.246e9, rel=1e-3)


def test_every_venue_that_holds_collateral_counts(frax: Study, refigured: Callable[[Study, Mapping[str, float]], Study]) -> None:
    """What the Investor has lent and what Uniswap's range holds add to all collateral; stablecoin lent on Fraxlend is none."""
    lent = refigured(frax, {"amos.investor.lent": 0.1e9, "amos.uniswap.liquidity": 0.05e9, "amos.fraxlend.lent": 0.07e9})
    assert lent.state.collateral_usd - frax.state.collateral_usd == pytest.approx(0.15e9)


def test_own_stablecoin_of_the_amos(frax: Study, refigured: Callable[[Study, Mapping[str, float]], Study]) -> None:
    """What Fraxlend has lent and what Uniswap's range holds at 1; the pool's is not among it, and the range may hold twice that below its price."""
    assert frax.state.stablecoin_of_amos == 0.0
    state = refigured(frax, {"amos.aave.lent": 0.1e9, "amos.uniswap.liquidity": 0.05e9, "amos.fraxlend.lent": 0.07e9}).state
    assert state.stablecoin_of_amos == 0.12e9
    assert sum(each.most_stablecoin() for each in state.amos.each()) == pytest.approx(0.07e9 + 2.0 * 0.05e9, rel=0.01)


def figures(node: object) -> Iterator[tuple[str, Figure, Field[Any]]]:
    """Every figure of a snapshot with its declaration."""
    for one in fields(node):  # type: ignore[arg-type]
        value = getattr(node, one.name)
        if isinstance(value, Figure):
            yield one.name, value, one
        elif is_dataclass(value):
            yield from figures(value)


def test_every_figure_lies_in_its_bounds_and_says_where_it_comes_from(frax: Study) -> None:
    """The snapshot's figures are in [low, high] of their declaration; what is assumed has a range around it within them, what is given
    beside it a source, and what the file leaves out is what the declaration says its absence means."""
    seen = list(figures(frax.state))
    assert sum(figure.is_given for _, figure, _ in seen) > 70
    for name, figure, entry in seen:
        declared = entry.metadata
        assert declared["low"] <= figure.value <= declared["high"], name
        assert declared["doc"], name
        if not figure.is_given:
            assert figure == (Figure(value=declared["off"]) if entry.default is MISSING else entry.default), name
        elif figure.assumed is None:
            assert figure.source, name
        else:
            assert declared["low"] <= figure.low <= figure.value <= figure.high <= declared["high"], name


def test_a_figure_changes_alone(frax: Study, refigured: Callable[[Study, Mapping[str, float]], Study]) -> None:
    """Replacing one figure's value leaves the rest of the snapshot equal."""
    changed = refigured(frax, {"collateral.idle": 1e9})
    assert changed.state.collateral.idle.value == 1e9
    assert changed.state.pool == frax.state.pool
    assert changed.state.collateral_usd - frax.state.collateral_usd == pytest.approx(1e9 - 0.09e9)
