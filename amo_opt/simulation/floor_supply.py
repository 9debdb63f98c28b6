"""Figures of a block's balance sheet at one hour: floor supply and the decentralisation ratio.

Floor supply Y: what can be sold at once before the price of every pool falls to 1 - X of its own coins (pool-math rule 6), in stablecoin, all pools together; beside it, over the
algorithmic supply, which is the external supply that no external collateral stands behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from amo_opt.amos.kinds import POOL
from amo_opt.amos.layout import STATE_INDEX, layout_of
from amo_opt.protocol import lanes as at
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.invariant import scaled_x_at_price
from amo_opt.stableswap.jit import Vector, walker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from amo_opt.config.study import Study

MOST = 1000.0
"""Floor supply over algorithmic supply where next to nothing is algorithmic."""


@walker
def _depth(s: Vector, moved: float, out: Vector) -> None:
    for i in range(LANES):
        x_there, _ = scaled_x_at_price(1.0 - moved, s[at.S_ANN + i])
        depth = x_there * s[at.S_D + i] - s[at.S_POOL_X + i]
        out[i] = depth if depth > 0.0 else 0.0


def floor_supply(state: NDArray[np.float64], moved: float, *, study: Study | None = None) -> NDArray[np.float64]:
    """Stablecoin that can be sold at once before the marginal price of each of the ``study``'s pools falls to 1 - ``moved``, shape (LANES,); of the first pool alone where no study is named."""
    out = np.empty(LANES)
    _depth(state, moved, out)
    if study is None:
        return out
    for name, _ in study.state.pools.named:
        # a further pool's lines lie as the first pool's at the beginning of the state do
        depth = np.empty(LANES)
        _depth(state[layout_of(study.state).places[f"{name}-{POOL}"].state :], moved, depth)
        out += depth
    return out


class BalanceSheet:
    """Sums of a block's state, each of shape (LANES,), dollars at market."""

    def __init__(self, state: NDArray[np.float64]) -> None:
        def of(name: str) -> NDArray[np.float64]:
            first = STATE_INDEX[name] * LANES
            return state[first : first + LANES]

        own = of("lp_amo") / of("lp_supply")
        self.base: NDArray[np.float64] = own * of("pool_y") * of("base_value") + of("pooled")
        coins = of("idle") + of("at_work")
        self.coins: NDArray[np.float64] = coins * of("collateral_price")
        self.owed: NDArray[np.float64] = of("owed")
        self.price: NDArray[np.float64] = of("price")
        self.external: NDArray[np.float64] = of("supply") - own * of("pool_x") - of("own_outside")

    @property
    def algorithmic(self) -> NDArray[np.float64]:
        """External supply that neither collateral nor borrowers' debt stands behind, at least 0."""
        return np.maximum(self.external - self.coins - self.base - self.owed, 0.0)

    def decentralisation_ratio(self, study: Study) -> NDArray[np.float64]:
        """Share of what stands behind the external supply that no issuer of fiat coins can freeze: algorithmic supply, borrowers' debt, and the decentralised part of
        collateral. Algorithmic supply counts as far as the market pays for it beyond the rest: behind a dead coin stands nothing.
        """
        pool, coin = study.state.pool.base_decentralised.value, study.state.collateral.decentralised.value
        believed = np.maximum(np.minimum(self.price, 1.0) * self.external - self.coins - self.base - self.owed, 0.0)
        return np.minimum((believed + self.owed + pool * self.base + coin * self.coins) / np.maximum(self.external, study.state.size), 1.0)


def floor_ratio(state: NDArray[np.float64], moved: float, *, study: Study | None = None) -> NDArray[np.float64]:
    """`floor_supply` over the algorithmic supply, at most `MOST`, shape (LANES,)."""
    floor, algorithmic = floor_supply(state, moved, study=study), BalanceSheet(state).algorithmic
    most = np.where(floor > 0.0, MOST, 0.0)
    return np.divide(floor, algorithmic, out=most, where=algorithmic > floor / MOST)
