"""All that a chain can tell of a state: the issuer's reads, the first pool's, and what every AMO and further pool declares of itself.

Frax's getters and their units: FraxFinance/frax-solidity src/hardhat/contracts/Frax/Frax.sol @05b337c6 (ratios of 1e6), Frax/FraxAMOMinter.sol @9885524f (caps and books are
int256), Frax/Pools/FraxPoolV3.sol @dc512da6 (fees of 1e6 in `collateral_information`, limits an hour in 1e18), Oracle/PIDController.sol @5f90819d. A feed's round:
smartcontractkit/chainlink contracts/src/v0.8/interfaces/AggregatorV3Interface.sol @f967b31a. A base pool: curvefi/curve-factory contracts/MetaImplementationUSD.vy @13ff1955.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_at
from amo_opt.amos.pool_reads import is_metapool, pool_entry, pool_reads
from amo_opt.errors import AmoOptError
from amo_opt.onchain.raw_integers import STABLECOIN_DECIMALS
from amo_opt.protocol.reads import Read, ReadFigure, decimals_of, owner, tells

if TYPE_CHECKING:
    from decimal import Decimal

    from amo_opt.protocol.reads import Answered
    from amo_opt.protocol.state import ProtocolState

ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
"""A feed's round: its number, the answer, when it began and was updated, and the round it was answered in."""
FEED_DECIMALS = 8
COLLATERAL_INFORMATION = "(uint256,string,address,bool,uint256,uint256,uint256,bool,bool,bool,bool,bool,uint256,uint256,uint256,uint256)"
MILLION = 6


def reads_of(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """What can be read of a state, each once; whether its contracts are named is not looked at."""
    there = [each for each in MECHANISMS if state.has(each.table)]
    named = [mechanism_at(table, state.pool_name) for table in state.instances]
    of_pool = pool_reads(state, "pool", pool_entry(state), opposite="base_lp", parameter="amplification")
    found = (*_issuer(state), *of_pool, *(read for each in (*there, *named) for read in each.reads(state)))
    return tuple(dict.fromkeys(found))


def round_of(entry: str) -> Read:
    """The latest round of the feed at ``entry``."""
    return Read(
        contract=entry,
        signature="latestRoundData()",
        outputs=ROUND,
        output=(1,),
        decimals=FEED_DECIMALS,
        counted_by=decimals_of(entry),
        meaning="the feed's latest answer",
    )


def virtual_price() -> Read:
    """What the first pool's base pool counts one of its LP tokens as."""
    return Read(contract="base_pool", signature="get_virtual_price()", decimals=18, meaning="virtual price of the base pool's LP token")


def answer_of(found: Answered, read: Read) -> Decimal:
    """A round's answer. Raises `AmoOptError` for a round that is none: not updated yet, carried over from an earlier one, or not above 0."""
    number, answer, _, updated, answered_in = (int(str(each)) for each in found.outputs(read))
    if answer <= 0 or updated == 0 or answered_in < number:
        raise AmoOptError(
            f"{read.key}: the feed's round {number} is not answered: answer {answer}, updated at {updated}, in round {answered_in}"
        )
    return found.value(read)


def _issuer(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    supply = Read(
        contract="stablecoin",
        signature="totalSupply()",
        decimals=STABLECOIN_DECIMALS if state.runs_frax_contracts else None,
        counted_by=decimals_of("stablecoin"),
        meaning="total supply",
    )
    told: list[Read | ReadFigure] = [tells("stablecoin.supply", supply)]
    if is_metapool(state):
        told.append(tells("pool.base_virtual_price", virtual_price()))
    if state.has("share_token"):
        feed = round_of("share_feed")
        told += [
            Read(
                contract="share_token",
                signature="totalSupply()",
                decimals=18,
                meaning="total supply; the state's figure is what circulates",
            ),
            ReadFigure(figure="share_token.price", of=(feed,), value=lambda found: answer_of(found, feed)),
        ]
    return (*told, *_frax(state)) if state.runs_frax_contracts else tuple(told)


def _frax(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    ratio = Read(contract="stablecoin", signature="global_collateral_ratio()", decimals=MILLION, meaning="target collateral ratio")
    return (
        tells("controller.collateral_ratio", ratio),
        owner("stablecoin"),
        Read(
            contract="stablecoin",
            signature="controller_address()",
            outputs=("address",),
            obeys=True,
            meaning="an account that its setters obey",
        ),
        *(_pid() if state.price_controller == "pid" else _band()),
        *_minter(state),
        *_pool(state),
    )


def _band() -> tuple[Read, ...]:
    return (
        Read(
            contract="stablecoin", signature="price_band()", decimals=MILLION, parameter="cr_band", meaning="band of the collateral ratio"
        ),
        Read(contract="stablecoin", signature="frax_step()", decimals=MILLION, parameter="cr_step", meaning="step of the collateral ratio"),
        Read(contract="stablecoin", signature="refresh_cooldown()", parameter="cr_refresh_hours", meaning="cooldown of a refresh, s"),
    )


def _pid() -> tuple[Read, ...]:
    pid = "pid_controller"
    return (
        Read(contract=pid, signature="FRAX_top_band()", decimals=MILLION, meaning="price above which the ratio moves: 1 + cr_band"),
        Read(contract=pid, signature="FRAX_bottom_band()", decimals=MILLION, meaning="price below which the ratio moves: 1 - cr_band"),
        Read(contract=pid, signature="frax_step()", decimals=MILLION, parameter="cr_step", meaning="step of the collateral ratio"),
        Read(contract=pid, signature="internal_cooldown()", parameter="cr_refresh_hours", meaning="cooldown of a refresh, s"),
        owner(pid),
        owner(pid, "timelock_address"),
    )


def _minter(state: ProtocolState) -> tuple[Read, ...]:
    minter, collateral = "amo_minter", state.collateral_decimals
    unit = decimals_of("collateral")
    signed = ("int256",)
    return (
        Read(
            contract=minter,
            signature="frax_mint_cap()",
            outputs=signed,
            decimals=18,
            parameter="setFraxMintCap",
            meaning="most stablecoin minted for AMOs",
        ),
        Read(contract=minter, signature="frax_mint_sum()", outputs=signed, decimals=18, meaning="stablecoin minted for AMOs less burned"),
        Read(
            contract=minter,
            signature="collat_borrow_cap()",
            outputs=signed,
            decimals=collateral,
            counted_by=unit,
            parameter="setCollatBorrowCap",
            meaning="most collateral lent to AMOs",
        ),
        Read(
            contract=minter,
            signature="collat_borrowed_sum()",
            outputs=signed,
            decimals=collateral,
            counted_by=unit,
            meaning="collateral lent to AMOs less returned",
        ),
        Read(
            contract=minter, signature="min_cr()", decimals=MILLION, parameter="min_cr", meaning="least collateral ratio at which AMOs mint"
        ),
        owner(minter),
        owner(minter, "timelock_address"),
    )


def _pool(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    pool, unit = "frax_pool", decimals_of("collateral")

    def said(place: int, meaning: str, **of: object) -> Read:
        return Read(
            contract=pool,
            signature="collateral_information(address)",
            arguments=("collateral",),
            outputs=(COLLATERAL_INFORMATION,),
            output=(0, place),
            meaning=meaning,
            **of,  # type: ignore[arg-type]
        )

    index = said(0, "the collateral's place in the pool")
    free = Read(
        contract=pool,
        signature="freeCollatBalance(uint256)",
        arguments=(index,),
        decimals=state.collateral_decimals,
        counted_by=unit,
        meaning="collateral free for redemptions",
    )
    ceiling = said(6, "collateral that shuts minting", decimals=state.collateral_decimals, counted_by=unit)
    doors: list[Read | ReadFigure] = [tells("collateral.idle", free)]
    if state.has("mint"):
        doors += [
            Read(
                contract=pool,
                signature="mint_price_threshold()",
                decimals=MILLION,
                parameter="mint_price_threshold",
                meaning="price from which minting opens",
            ),
            tells("mint.fee", said(12, "fee on minting", decimals=MILLION)),
            tells("mint.ceiling", ceiling),
        ]
    if state.has("redeem"):
        doors += [
            Read(
                contract=pool,
                signature="redeem_price_threshold()",
                decimals=MILLION,
                parameter="redeem_price_threshold",
                meaning="price up to which redeeming opens",
            ),
            Read(contract=pool, signature="redemption_delay()", meaning="wait between redeeming and collecting, blocks"),
            tells("redeem.fee", said(13, "fee on redeeming", decimals=MILLION)),
        ]
    if state.has("share_token"):
        limit = Read(
            contract=pool, signature="rctMaxFxsOutPerHour()", decimals=18, meaning="most share tokens issued an hour for collateral"
        )
        spent = Read(contract=pool, signature="bbkMaxColE18OutPerHour()", decimals=18, meaning="most collateral an hour for share tokens")
        bonus = Read(contract=pool, signature="bonus_rate()", decimals=MILLION, meaning="share tokens beyond the collateral's worth")
        doors += [
            tells("share_token.recollateralise_tokens_hour", limit),
            tells("share_token.buyback_usd_hour", spent),
            tells("share_token.recollateralise_bonus", bonus),
        ]
    return (*doors, owner(pool), owner(pool, "timelock_address"))
