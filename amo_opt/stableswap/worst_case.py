"""The FRAX Curve AMOs' own worst case, to the unit: ``iterate()`` and ``showAllocations()`` as the chain computes them.

Both loops ask the metapool what one stablecoin fetches (fee taken), turn that into the contract's ``dollar_value`` and trade hypothetically
until it lies at the floor within a window:

* ten percent (CurveAMO_V2, V3): sell a tenth of the pool's stablecoin, again and again, until at or below floor + window. The last step goes
  as far under the floor as a tenth of the pool happens to lead, and nothing brings it back.
* halving (CurveAMO_V4, Convex, StakeDAO): trade the pool's whole token count, then half of it, a quarter, …, towards the floor from
  either side until within the window; then scale both balances so that they add up to the tokens there were.

The ``dollar_value`` divides 3CRV by its virtual price where a value in dollars would multiply: the loops stop at a price of about
floor × virtual price². The closed form without any of this is `depth.worst_case`; docs/worst-case.md says how far they are apart.

Integers are the chain's: balances and virtual price in 1e18, floor and discount in 1e6, fee in 1e10, USDC in 1e6, A as ``A()`` returns it.
Source: FraxFinance/frax-solidity, CurveAMO_V3.sol @6bd044c, CurveAMO_V4.sol @3e456ca, Convex_AMO_V2.sol @30532c8, on Curve's first factory
metapool; facts taken, no text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from amo_opt.stableswap.exact import PoolInputError, Revert, checked, get_dy
from amo_opt.stableswap.exact_input import uint

E6, E18 = 10**6, 10**18
MISSING_DECIMALS = 10**12
"""USDC counts in 1e6."""
MAX_A, MAX_FEE_RAW = 10**6, 5 * 10**9
"""A metapool's A lies under this; no generation of pools takes more than half."""
ROUNDS = 256
FRAX, CRV3 = 0, 1
NO_POINT = "No hypothetical point"

Quote = Callable[[int, int, int, int, int], int]
"""get_dy(i, j, dx, frax balance, 3CRV balance)."""


@dataclass(frozen=True)
class AmoContract:
    """One deployed AMO: which loop, the ``convergence_window`` it is deployed with, and whether its FRAX dollars include the collateral's."""

    name: str
    halving: bool
    convergence_window: int
    balances_add_collateral: bool = False


CONTRACTS: dict[str, AmoContract] = {
    each.name: each
    for each in (
        AmoContract("CurveAMO_V2", halving=False, convergence_window=10**16),
        AmoContract("CurveAMO_V3", halving=False, convergence_window=10**16),
        AmoContract("CurveAMO_V4", halving=True, convergence_window=10**15, balances_add_collateral=True),
        AmoContract("Convex_AMO_V2", halving=True, convergence_window=10**16),
        AmoContract("StakeDAO_AMO_V2", halving=True, convergence_window=10**16, balances_add_collateral=True),
    )
}
"""The AMO contracts by name."""


@dataclass(frozen=True, kw_only=True)
class Iterated:
    """What ``iterate()`` returns: hypothetical balances, the 0-based round it stopped in, and the halving loop's factor (None in the other)."""

    frax_balance: int
    crv3_balance: int
    index: int
    factor_e6: int | None


class Allocations(NamedTuple):
    """``showAllocations()``, in the array's order (V2 adds a twelfth figure, LP lent to the voter)."""

    frax_in_contract: int
    frax_withdrawable: int
    frax_total: int
    usdc_in_contract: int
    usdc_withdrawable: int
    usdc_subtotal: int
    usdc_total: int
    lp_owned: int
    lp_total_supply: int
    crv3_withdrawable: int
    lp_in_vault: int


def amo_contract(name: str) -> AmoContract:
    """The contract of that name. Raises `PoolInputError` naming those there are."""
    if name not in CONTRACTS:
        raise PoolInputError(f"contract {name!r} is unknown; choose one of {', '.join(CONTRACTS)}")
    return CONTRACTS[name]


def iterate(
    contract: str,
    *,
    frax_balance: int,
    crv3_balance: int,
    amplification: int,
    fee_raw: int,
    virtual_price: int,
    floor_e6: int,
    convergence_window: int | None = None,
) -> Iterated:
    """The metapool's balances once the stablecoin fell to the floor, as that contract's ``iterate()`` returns them.

    ``convergence_window`` None = as deployed. Raises `Revert` where the chain reverts and `PoolInputError` for inputs no chain could hold.
    """
    amo = amo_contract(contract)
    window = amo.convergence_window if convergence_window is None else convergence_window
    figures = {"frax_balance": frax_balance, "crv3_balance": crv3_balance, "virtual_price": virtual_price}
    for name, value in {**figures, "floor_e6": floor_e6, "convergence_window": window}.items():
        uint(name, value)
    uint("fee_raw", fee_raw, limit=MAX_FEE_RAW)
    if uint("amplification", amplification, limit=MAX_A - 1) == 0:
        raise PoolInputError(f"amplification is 0, outside 1..{MAX_A - 1}")

    def quote(i: int, j: int, dx: int, frax: int, crv3: int) -> int:
        return get_dy(i, j, dx, balances=(frax, crv3), amplification_raw=100 * amplification, fee_raw=fee_raw, virtual_price=virtual_price)

    def dollar_value(frax: int, crv3: int) -> int:
        return checked(quote(FRAX, CRV3, E18, frax, crv3) * E18) // virtual_price

    floor = checked(E18 * floor_e6) // E6
    loop = _halving if amo.halving else _ten_percent
    return loop(quote, dollar_value, frax_balance, crv3_balance, checked(floor + window), floor - window)


def _ten_percent(quote: Quote, dollar_value: Callable[[int, int], int], frax: int, crv3: int, highest: int, _lowest: int) -> Iterated:
    for index in range(ROUNDS):
        if dollar_value(frax, crv3) <= highest:
            return Iterated(frax_balance=frax, crv3_balance=crv3, index=index, factor_e6=None)
        sold = frax // 10
        crv3 = checked(crv3 - quote(FRAX, CRV3, sold, frax, crv3))
        frax += sold
    raise Revert(NO_POINT)


def _halving(quote: Quote, dollar_value: Callable[[int, int], int], frax: int, crv3: int, highest: int, lowest: int) -> Iterated:
    total = checked(frax + crv3)
    for index in range(ROUNDS):
        value = dollar_value(frax, crv3)
        # the floor less the window is computed in every round and on either branch, so a window wider than the floor always reverts
        if checked(lowest) <= value <= highest:
            factor = checked(E6 * total) // (frax + crv3)
            scaled = (checked(frax * factor) // E6, checked(crv3 * factor) // E6)
            return Iterated(frax_balance=scaled[FRAX], crv3_balance=scaled[CRV3], index=index, factor_e6=factor)
        traded = total >> index
        if value <= highest:
            frax = checked(frax - quote(CRV3, FRAX, traded, frax, crv3))
            crv3 = checked(crv3 + traded)
        else:
            crv3 = checked(crv3 - quote(FRAX, CRV3, traded, frax, crv3))
            frax = checked(frax + traded)
    raise Revert(NO_POINT)


def show_allocations(
    contract: str,
    *,
    frax_balance: int,
    crv3_balance: int,
    amplification: int,
    fee_raw: int,
    virtual_price: int,
    floor_e6: int,
    lp_owned: int,
    lp_total_supply: int,
    discount_e6: int | None = None,
    convergence_window: int | None = None,
    frax_in_contract: int = 0,
    usdc_in_contract: int = 0,
    lp_in_vault: int = 0,
) -> Allocations:
    """The AMO's own books: its share of the pool at the floor, and its value with the stablecoin counted at ``discount_e6``.

    ``lp_owned`` includes ``lp_in_vault``; the discount is the floor where none is given (both are the collateral ratio on chain). Raises as
    `iterate` does.
    """
    at_floor = iterate(
        contract,
        frax_balance=frax_balance,
        crv3_balance=crv3_balance,
        amplification=amplification,
        fee_raw=fee_raw,
        virtual_price=virtual_price,
        floor_e6=floor_e6,
        convergence_window=convergence_window,
    )
    discount = floor_e6 if discount_e6 is None else discount_e6
    own = {"lp_owned": lp_owned, "lp_total_supply": lp_total_supply, "discount_e6": discount, "lp_in_vault": lp_in_vault}
    for name, value in {**own, "frax_in_contract": frax_in_contract, "usdc_in_contract": usdc_in_contract}.items():
        uint(name, value)
    # without any LP supply the chain zeroes its 3CRV and leaves the FRAX unshared
    frax, crv3 = at_floor.frax_balance, 0
    if lp_total_supply > 0:
        frax = checked(frax * lp_owned) // lp_total_supply
        crv3 = checked(at_floor.crv3_balance * lp_owned) // lp_total_supply
    usdc = checked(crv3 * virtual_price) // E18 // MISSING_DECIMALS
    subtotal = checked(usdc_in_contract + usdc)
    frax_total = checked(frax_in_contract + frax)
    return Allocations(
        frax_in_contract=frax_in_contract,
        frax_withdrawable=frax,
        frax_total=frax_total,
        usdc_in_contract=usdc_in_contract,
        usdc_withdrawable=usdc,
        usdc_subtotal=subtotal,
        usdc_total=checked(subtotal + checked(frax_total * discount) // (E6 * MISSING_DECIMALS)),
        lp_owned=lp_owned,
        lp_total_supply=lp_total_supply,
        crv3_withdrawable=crv3,
        lp_in_vault=lp_in_vault,
    )


def collat_dollar_balance(allocations: Allocations) -> int:
    """``collatDollarBalance()`` of V2 and V3, the second of ``dollarBalances()`` in the others: the total, in 1e18."""
    return checked(allocations.usdc_total * MISSING_DECIMALS)


def dollar_balances(contract: str, allocations: Allocations) -> tuple[int, int]:
    """``dollarBalances()`` of the halving contracts: FRAX dollars and collateral dollars, in 1e18.

    V4 and StakeDAO add the collateral to the first figure, Convex does not. Raises `PoolInputError` for V2 and V3, which have no such view.
    """
    amo = amo_contract(contract)
    if not amo.halving:
        raise PoolInputError(f"{contract} has no dollarBalances(); use collat_dollar_balance")
    added = allocations.usdc_subtotal * MISSING_DECIMALS if amo.balances_add_collateral else 0
    return checked(allocations.frax_total + checked(added)), collat_dollar_balance(allocations)
