"""The Aave AMO: lends idle collateral at a kinked rate that its own deposit lowers.

Decollateralise: lend idle collateral up to `aave_cap`. Market operations: interest. Recollateralise: withdraw what unwinding, the cap or the idle
buffer asks for, never more than the venue has free. Worst case: the recoverable deposit, at par.
"""

from __future__ import annotations

from amo_opt.amos.lending import lender, rate_curve
from amo_opt.amos.mechanism import Income, LendingMarket, Loss
from amo_opt.protocol.parameters import collateral_cap

MECHANISM = lender(
    "aave",
    LendingMarket(prefix="lending", deposits="outside deposits of the lending market (Aave)", freezes=True),
    title="Aave AMO",
    earns=1,
    turn=4,
    cap=collateral_cap("aave_cap", "Most collateral lent on Aave, share of all collateral", rank=60),
    income=Income(name="lending", label="Aave interest", rank=10),
    series="lent",
    loss=Loss(share_of="of what is lent on Aave", event="a loss on Aave"),
    markets=rate_curve("lending", above="borrow rate added between the kink and full utilisation"),
    markets_after="volume_depth_usd",
)
