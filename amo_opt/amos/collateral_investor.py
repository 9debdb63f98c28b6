"""The Collateral Investor: lends idle collateral in markets other than Aave's, at their rates.

The four operations are those of `amos.aave`; the market has its own deposits, demand, rate curve and losses, and no freeze of its own.
"""

from __future__ import annotations

from amo_opt.amos.lending import lender, rate_curve
from amo_opt.amos.mechanism import Income, LendingMarket, Loss
from amo_opt.protocol.parameters import collateral_cap

MECHANISM = lender(
    "investor",
    LendingMarket(prefix="investor", deposits="outside deposits of the Collateral Investor's market"),
    title="Collateral Investor",
    earns=2,
    turn=5,
    cap=collateral_cap("investor_cap", "Most collateral lent by the Collateral Investor, share of all collateral", rank=60),
    income=Income(name="investor", label="Collateral Investor", rank=20),
    series="invested",
    loss=Loss(share_of="of what the Collateral Investor has lent", event="a loss in the Collateral Investor's market"),
    markets=rate_curve("investor", "the Collateral Investor's market"),
    markets_after="illiquid_haircut",
)
