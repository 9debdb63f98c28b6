"""What a Curve pool's getters tell: sides, A with its ramp, fees, LP tokens.

Getters and their units: curvefi/curve-factory contracts/MetaImplementationUSD.vy @13ff1955 (A kept a hundredfold, fees of 1e10, own coin first; ``admin_fee`` a constant of
the contract), curvefi/stableswap-ng contracts/main/CurveStableSwapNG.vy @819cd806 (the same names; ``ma_exp_time``, no ``admin``).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from amo_opt.errors import AmoOptError
from amo_opt.protocol.reads import Read, ReadFigure, decimals_of, tells

if TYPE_CHECKING:
    from amo_opt.protocol.reads import Answered
    from amo_opt.protocol.state import ProtocolState

A_DECIMALS = 2
FEE_DECIMALS = 10
LP_DECIMALS = 18
METAPOOL = "metapool"
"""The entry of the first pool."""


def pool_entry(state: ProtocolState, label: str = "") -> str:
    """The entry of ``[contracts]`` of the pool of that name, of the first one without: ``metapool``, or what the first pool is called."""
    if label not in ("", state.pool_name):
        return label
    return METAPOOL if METAPOOL in state.contracts or not state.pool_name else state.pool_name


def is_metapool(state: ProtocolState) -> bool:
    """Whether a base pool's LP tokens stand in the first pool: a plain coin counts as exactly one."""
    return state.pool.base_virtual_price.value != 1.0


def pool_reads(state: ProtocolState, table: str, entry: str, *, opposite: str, parameter: str) -> tuple[Read | ReadFigure, ...]:
    """What the pool at ``entry`` tells of its ``table``, whose other side is the figure ``opposite``; ``parameter`` is its A in force.

    Which coin is the stablecoin is asked of the pool; Curve's metapools have their own coin first.
    """
    coins = tuple(
        Read(
            contract=entry,
            signature="coins(uint256)",
            arguments=(place,),
            outputs=("address",),
            optional=entry == METAPOOL,
            meaning="coin of the pool",
        )
        for place in range(2)
    )
    # a metapool's own coin and the base pool's LP tokens both have eighteen
    known = LP_DECIMALS if entry == METAPOOL and is_metapool(state) else None
    sides = tuple(
        Read(
            contract=entry,
            signature="balances(uint256)",
            arguments=(place,),
            decimals=known,
            counted_by=decimals_of(coin),
            meaning=f"what the pool holds of coin {place}",
        )
        for place, coin in enumerate(coins)
    )
    now = Read(contract=entry, signature="A()", parameter=parameter, meaning="A in force")
    aim = Read(contract=entry, signature="future_A()", decimals=A_DECIMALS, meaning="A that the last ramp ends at")
    end = Read(contract=entry, signature="future_A_time()", meaning="when the last ramp ends, Unix second")
    begin = Read(contract=entry, signature="initial_A()", decimals=A_DECIMALS, meaning="A that the last ramp began at")
    began = Read(contract=entry, signature="initial_A_time()", meaning="when the last ramp began, Unix second")
    average = Read(contract=entry, signature="ma_exp_time()", optional=True, meaning="time constant of the pool's price average, s")
    further = table != "pool"

    def side(found: Answered, *, own: bool) -> Decimal:
        place = _own_place(found, coins, entry)
        return found.value(sides[place if own else 1 - place])

    def under_way(found: Answered) -> bool:
        return found.value(end) > found.timestamp

    return (
        ReadFigure(figure=f"{table}.stablecoin", of=(*sides, *coins), value=lambda found: side(found, own=True)),
        ReadFigure(figure=f"{table}.{opposite}", of=(*sides, *coins), value=lambda found: side(found, own=False)),
        now,
        tells(f"{table}.amplification", now),
        begin,
        began,
        aim,
        end,
        ReadFigure(
            figure=f"{table}.future_amplification", of=(aim, end), value=lambda found: found.value(aim) if under_way(found) else Decimal(0)
        ),
        ReadFigure(
            figure=f"{table}.ramp_hours_left",
            of=(end,),
            value=lambda found: (found.value(end) - found.timestamp) / 3600 if under_way(found) else Decimal(0),
        ),
        tells(f"{table}.fee", Read(contract=entry, signature="fee()", decimals=FEE_DECIMALS, meaning="swap fee")),
        tells(
            f"{table}.admin_fee",
            Read(contract=entry, signature="admin_fee()", decimals=FEE_DECIMALS, meaning="administrator's part of the fee"),
        ),
        *((tells(f"{table}.ema_seconds", average),) if further else ()),
        Read(contract=entry, signature="admin()", outputs=("address",), obeys=True, optional=True, meaning="who may ramp A"),
        supply_of(entry),
    )


def supply_of(entry: str) -> Read:
    """LP tokens of the pool at ``entry``, which is its own token."""
    return Read(contract=entry, signature="totalSupply()", decimals=LP_DECIMALS, meaning="LP tokens of the pool")


def held_of(token: str, holder: str) -> Read:
    """What the account at the entry ``holder`` has of a token of eighteen decimals: LP tokens, or a gauge's or venue's receipts for them."""
    return Read(
        contract=token, signature="balanceOf(address)", arguments=(holder,), decimals=LP_DECIMALS, meaning=f"what {holder} has of it"
    )


def _own_place(found: Answered, coins: tuple[Read, ...], entry: str) -> int:
    """The place of the stablecoin among a pool's coins."""
    own = (found.address("stablecoin") or "").lower()
    if not all(map(found.is_answered, coins)):
        return 0
    places = [place for place, coin in enumerate(coins) if str(found.outputs(coin)[0]).lower() == own]
    if not places:
        named = "[contracts.stablecoin] is missing" if not own else f"none is [contracts.stablecoin] {own}"
        raise AmoOptError(f"[contracts.{entry}]: which of the pool's coins is the stablecoin is not known: {named}")
    return places[0]
