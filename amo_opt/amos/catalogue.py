"""The AMOs of the model, in the order in which an hour's income reaches them: the one list that an AMO is added to."""

from __future__ import annotations

from amo_opt.amos import (
    aave,
    borrowers,
    collateral_investor,
    curve,
    fraxlend,
    monetary_policy,
    peg_keeper,
    rebalancer,
    regulator,
    reserve,
    savings,
    uniswap_v3,
)
from amo_opt.amos.mechanism import Mechanism

MECHANISMS: tuple[Mechanism, ...] = (
    aave.MECHANISM,
    collateral_investor.MECHANISM,
    fraxlend.MECHANISM,
    curve.MECHANISM,
    uniswap_v3.MECHANISM,
    peg_keeper.MECHANISM,
    regulator.MECHANISM,
    borrowers.MECHANISM,
    monetary_policy.MECHANISM,
    reserve.MECHANISM,
    savings.MECHANISM,
    rebalancer.MECHANISM,
)

BY_RANK: tuple[Mechanism, ...] = tuple(sorted(MECHANISMS, key=lambda each: each.section_rank))
"""The same in the order in which they stand in files, sentences and figures."""
