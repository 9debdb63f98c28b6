"""The Aave AMO: lends idle collateral at a kinked rate that its own deposit lowers.

Decollateralise: lend idle collateral up to `aave_cap`. Market operations: interest. Recollateralise: withdraw what unwinding, the cap or the idle
buffer asks for, never more than the venue has free. Worst case: the recoverable deposit, at par.
"""

from __future__ import annotations

from amo_opt.amos.lending import Venue, lender
from amo_opt.amos.mechanism import Income, LendingMarket
from amo_opt.protocol import lanes
from amo_opt.protocol.parameters import collateral_cap

VENUE = Venue(
    deposits=lanes.M_LENDING_DEPOSITS,
    demand=lanes.M_LENDING_DEMAND,
    free_cap=lanes.M_LENDING_FREE_CAP,
    slope_1=lanes.C_LENDING_SLOPE_1,
    slope_2=lanes.C_LENDING_SLOPE_2,
    kink=lanes.C_LENDING_KINK,
    reserve_factor=lanes.C_LENDING_RESERVE_FACTOR,
    cap=lanes.P_AAVE_CAP,
    lent=lanes.S_LENT,
    rate=lanes.S_LENDING_RATE,
    free=lanes.S_LENDING_FREE,
    borrowed=lanes.S_AAVE_BORROWED,
    income=lanes.S_INCOME_LENDING,
    loss=lanes.M_LENDING_LOSS,
)

CAP = collateral_cap("aave_cap", "Most collateral lent on Aave, share of all collateral", rank=60)

MECHANISM = lender(
    "aave",
    VENUE,
    turn=4,
    may_be_absent=False,
    title="Aave AMO",
    parameters={"cap": CAP},
    market=LendingMarket(prefix="lending", freezes=True),
    income={"income": Income(name="lending", label="Aave interest", rank=10)},
    collateral_series="lent",
)
