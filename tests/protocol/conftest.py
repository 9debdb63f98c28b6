"""What tests of this room share: a balance sheet with something in every venue, and what an act does to NAV and to the lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.layout import LINES
from amo_opt.config.study import Study
from amo_opt.simulation import kernel

POSITIONS: Mapping[str, float] = {
    "amos.investor.lent": 0.1e9,
    "amos.fraxlend.lent": 0.06e9,
    "amos.uniswap.liquidity": 0.05e9,
    "share_token.recollateralise_tokens_hour": 0.0,
    "share_token.buyback_usd_hour": 0.0,
}
BORROWED = 0.04e9
"""What borrowers owe of Fraxlend's deposit."""


@pytest.fixture
def invested_everywhere(frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any]) -> Callable[..., Any]:
    """Builds a block with a position in every venue; of Fraxlend's 60m borrowers owe 40m. ``figures`` change the snapshot."""

    def build(**figures: float) -> Any:
        study = refigured(frax, {**POSITIONS, **{name.replace("__", "."): value for name, value in figures.items()}})
        block = lanes(study)
        block["fraxlend.free"] = 0.06e9 - BORROWED
        block["aave.free"] = block["investor.free"] = 1e15
        block.settle()
        block["income_liquidation"] = 0.0
        return block

    return build


@pytest.fixture(scope="session")
def worth() -> Callable[[Any], np.ndarray]:
    """NAV of every lane, shape (LANES,)."""

    def nav(block: Any) -> np.ndarray:
        return kernel.nav(block.s, block.m, block.p, block.c)

    return nav


@pytest.fixture(scope="session")
def effect(worth: Callable[[Any], np.ndarray]) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """(ΔNAV, Σ of the lines' changes) of an act, each of shape (LANES,); positions are settled at liquidation value before and after."""

    def run(block: Any, act: Callable[[], object]) -> tuple[np.ndarray, np.ndarray]:
        block.settle()
        lines, nav = sum(block.lanes(line).copy() for line in LINES), worth(block)
        act()
        block.settle()
        return worth(block) - nav, sum(block.lanes(line) for line in LINES) - lines

    return run
