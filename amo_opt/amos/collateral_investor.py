"""The Collateral Investor: lends idle collateral in markets other than Aave's, at their rates.

The four operations are those of `amos.aave`; the market has its own deposits, demand, rate curve and losses, and no freeze of its own.
"""

from __future__ import annotations

from amo_opt.amos.lending import Venue, lender
from amo_opt.amos.mechanism import LendingMarket, Loss
from amo_opt.protocol import lanes

VENUE = Venue(
    deposits=lanes.M_INVESTOR_DEPOSITS,
    demand=lanes.M_INVESTOR_DEMAND,
    free_cap=lanes.M_INVESTOR_FREE_CAP,
    slope_1=lanes.C_INVESTOR_SLOPE_1,
    slope_2=lanes.C_INVESTOR_SLOPE_2,
    kink=lanes.C_INVESTOR_KINK,
    reserve_factor=lanes.C_INVESTOR_RESERVE_FACTOR,
    cap=lanes.P_INVESTOR_CAP,
    lent=lanes.S_INVESTED,
    rate=lanes.S_INVESTOR_RATE,
    free=lanes.S_INVESTOR_FREE,
    borrowed=lanes.S_INVESTOR_BORROWED,
    income=lanes.S_INCOME_INVESTOR,
    loss=lanes.M_INVESTOR_LOSS,
)

MECHANISM = lender(
    "investor",
    VENUE,
    turn=5,
    may_be_absent=True,
    market=LendingMarket(prefix="investor", deposits="outside deposits of the Collateral Investor's market"),
    loss=Loss(share_of="of what the Collateral Investor has lent", event="a loss in the Collateral Investor's market"),
)
