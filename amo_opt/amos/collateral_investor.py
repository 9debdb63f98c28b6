"""The Collateral Investor: lends idle collateral in markets other than Aave's, at their rates.

The four operations are those of `amos.aave`; the market has its own deposits, demand, rate curve and losses, and no freeze of its own.
"""

from __future__ import annotations

from amo_opt.amos.lending import lender
from amo_opt.amos.mechanism import Income
from amo_opt.protocol.parameters import collateral_cap

CAP = collateral_cap("investor_cap", "Most collateral lent by the Collateral Investor, share of all collateral", rank=60)

MECHANISM = lender(
    "investor",
    "investor",
    earns=2,
    turn=5,
    line="invested",
    income={"income": Income(name="income_investor", label="Collateral Investor", rank=20)},
    title="Collateral Investor",
    parameters={"cap": CAP},
)
