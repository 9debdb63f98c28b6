"""The Collateral Investor: lends idle collateral in markets other than Aave's, at their rates.

The four operations are those of `amos.aave`; the market has its own deposits, demand, rate curve and losses, and no freeze of its own.
"""

from __future__ import annotations

from amo_opt.amos.lending import Venue, lender
from amo_opt.amos.mechanism import Income, LendingMarket
from amo_opt.protocol import lanes
from amo_opt.protocol.parameters import collateral_cap

VENUE = Venue(
    deposits=lanes.M_INVESTOR_DEPOSITS,
    demand=lanes.M_INVESTOR_DEMAND,
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

CAP = collateral_cap("investor_cap", "Most collateral lent by the Collateral Investor, share of all collateral", rank=60)

MECHANISM = lender(
    "investor",
    VENUE,
    turn=5,
    may_be_absent=True,
    title="Collateral Investor",
    parameters={"cap": CAP},
    market=LendingMarket(prefix="investor"),
    income={"income": Income(name="investor", label="Collateral Investor", rank=20)},
    collateral_series="invested",
)
