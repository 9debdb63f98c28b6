"""The Aave AMO: lends idle collateral at a kinked rate that its own deposit lowers.

Decollateralise: lend idle collateral up to `aave_cap`. Market operations: interest. Recollateralise: withdraw what unwinding, the cap or the idle
buffer asks for, never more than the venue has free. Worst case: the recoverable deposit, at par.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from amo_opt.amos.lending import lender, rate_curve
from amo_opt.amos.mechanism import Income, LendingMarket, Loss
from amo_opt.protocol.parameters import collateral_cap
from amo_opt.protocol.reads import Read, ReadFigure, decimals_of, tells

if TYPE_CHECKING:
    from amo_opt.protocol.reads import Answered
    from amo_opt.protocol.state import ProtocolState

RAY = 27


def _reads(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """Aave v2's reserve of the collateral: rates in ray (aave/protocol-v2 contracts/protocol/lendingpool/DefaultReserveInterestRateStrategy.sol @03a41023), what is lent and
    borrowed and the reserve factor of 1e4 (contracts/misc/AaveProtocolDataProvider.sol @0bca8c65); a deposit is its aToken's balance.
    """
    strategy, provider, token = "aave_rate_strategy", "aave_data_provider", "aave_token"
    unit = {"decimals": state.collateral_decimals, "counted_by": decimals_of("collateral")}
    base, first, second, kink = (
        Read(contract=strategy, signature=f"{name}()", decimals=RAY, meaning=meaning)
        for name, meaning in {
            "baseVariableBorrowRate": "borrow rate at no utilisation",
            "variableRateSlope1": "borrow rate added up to the kink",
            "variableRateSlope2": "borrow rate added beyond the kink",
            "OPTIMAL_UTILIZATION_RATE": "utilisation at the kink",
        }.items()
    )
    factor = Read(
        contract=provider,
        signature="getReserveConfigurationData(address)",
        arguments=("collateral",),
        outputs=("uint256",) * 5 + ("bool",) * 5,
        output=(4,),
        decimals=4,
        meaning="share of the interest the venue keeps",
    )
    free, stable, variable = (
        Read(
            contract=provider,
            signature="getReserveData(address)",
            arguments=("collateral",),
            outputs=("uint256",) * 9 + ("uint40",),
            output=(place,),
            meaning=meaning,
            **unit,  # type: ignore[arg-type]
        )
        for place, meaning in enumerate(("free in the reserve", "borrowed at stable rates", "borrowed at the variable rate"))
    )
    own = Read(contract=token, signature="balanceOf(address)", arguments=("aave_amo",), meaning="the AMO's deposit", **unit)  # type: ignore[arg-type]
    all_deposits = Read(contract=token, signature="totalSupply()", meaning="all deposits", **unit)  # type: ignore[arg-type]

    def utilisation(found: Answered) -> Decimal:
        debt = found.value(stable) + found.value(variable)
        return debt / (debt + found.value(free)) if debt else Decimal(0)

    return (
        ReadFigure(figure="markets.lending_slope_1", of=(base, first), value=lambda found: found.value(base) + found.value(first)),
        tells("markets.lending_slope_2", second),
        tells("markets.lending_kink", kink),
        tells("markets.lending_reserve_factor", factor),
        tells("amos.aave.lent", own),
        ReadFigure(
            figure="markets.lending_deposits", of=(all_deposits, own), value=lambda found: found.value(all_deposits) - found.value(own)
        ),
        ReadFigure(figure="markets.lending_utilisation", of=(free, stable, variable), value=utilisation),
    )


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
    reads=_reads,
)
