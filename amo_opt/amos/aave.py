"""The Aave AMO: lends idle collateral at a kinked rate that its own deposit lowers.

Decollateralise: lend idle collateral up to `aave_cap`. Market operations: interest. Recollateralise: withdraw what unwinding, the cap or the idle
buffer asks for, never more than the venue has free. Worst case: the recoverable deposit, at par.
"""

from __future__ import annotations

from amo_opt.amos.lending import lender
from amo_opt.amos.mechanism import Income
from amo_opt.protocol.parameters import collateral_cap

CAP = collateral_cap("aave_cap", "Most collateral lent on Aave, share of all collateral", rank=60)

MECHANISM = lender(
    "aave",
    "lending",
    earns=1,
    turn=4,
    line="lent",
    income={"income": Income(name="income_lending", label="Aave interest", rank=10)},
    title="Aave",
    parameters={"cap": CAP},
)
