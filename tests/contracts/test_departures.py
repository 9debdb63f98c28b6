"""Where the hour departs from Frax's contracts: every figure of the table in docs/contracts.md, by running both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amo_opt.amos.fraxlend import amounts
from amo_opt.contracts.frax_cr import FRAXStablecoin, PIDController, PriceOracle, ReserveTracker
from amo_opt.contracts.frax_minter import AMO, FraxAMOMinter
from amo_opt.contracts.frax_pool_v3 import FraxPoolV3
from amo_opt.contracts.frax_world import Chain, ChainlinkFeed, ERC20Mock, FRAXShares
from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert

DOCS = Path(__file__).parents[2] / "docs" / "contracts.md"
USDC = 0
SUPPLY = 1_000_000


def world(*, ratio: float = 0.9, frax: float = 1.0, fxs: float = 5.0, idle: float = 900_000.0, coin: float = 1.0) -> Any:
    """A million FRAX over a pool of USDC that governance counts at ``coin``; a user with plenty of everything."""
    chain = Chain(number=100, timestamp=3_600_000)
    stablecoin = FRAXStablecoin(chain, PriceOracle(eth_usd_answer=round(1e8 * frax)))
    shares = FRAXShares(chain, stablecoin.is_pool)
    token = ERC20Mock(chain, "USDC", missing_decimals=12)
    feeds = {"price_feed_frax_usd": ChainlinkFeed(round(1e8 * frax)), "price_feed_fxs_usd": ChainlinkFeed(round(1e8 * fxs))}
    pool = FraxPoolV3(stablecoin, shares, [token], **feeds)
    pool.pool_ceilings = [10**15]
    pool.collateral_prices[USDC] = round(1e6 * coin)
    stablecoin.addPool(pool, sender="owner")
    stablecoin.global_collateral_ratio = round(1e6 * ratio)
    for each in (stablecoin, shares):
        each.hold("user", SUPPLY * WAD)
        each.totalSupply = SUPPLY * WAD
    token.balanceOf = {"pool": round(1e6 * idle), "user": 10**13}
    return SimpleNamespace(chain=chain, pool=pool, frax=stablecoin, fxs=shares, token=token)


def minter_of(found: Any) -> FraxAMOMinter:
    minter = FraxAMOMinter(found.frax, found.fxs, found.pool, col_idx=USDC)
    found.frax.addPool(minter, sender="owner")
    found.pool.addAMOMinter("minter", sender="owner")
    minter.addAMO(AMO(found.chain, "amo0").address, False, sender="owner")
    minter.setFraxMintCap(10**30, sender="owner")
    return minter


def most(accepted: Callable[[int], bool], high: int) -> int:
    """The largest whole number that is accepted."""
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepted(middle) else (low, middle)
    return low


def min_cr(_lanes: Any) -> tuple[str, str]:
    def accepted(amount: int) -> bool:
        minter = minter_of(world())
        minter.setMinimumCollateralRatio(810_000, sender="owner")
        try:
            minter.mintFraxForAMO("amo0", amount * WAD, sender="owner")
        except Revert:
            return False
        return True

    mint, _ = amounts(0.0, 0.0, 1e6, 3e5, 1.0, 1e9, 0.0, 0.0, 0.0, 0.81, 0.0, 0.9, 0.0, 0.0)
    return f"a call mints at most {most(accepted, SUPPLY):,} at min_cr 0.81 and value 900,000", f"Fraxlend mints {mint:,.0f}, its room"


def cooldown(lanes: Any) -> tuple[str, str]:
    found = world()
    found.frax.setRefreshCooldown(24 * 3600, sender="owner")
    found.frax.refreshCollateralRatio()
    found.frax.oracle.eth_usd_answer = round(1.01 * 1e8)
    theirs = 0
    while found.frax.global_collateral_ratio == 900_000:
        theirs += 1
        found.chain.timestamp += 3600
        try:
            found.frax.refreshCollateralRatio()
        except Revert:
            continue
    block = lanes()
    block["collateral_ratio"], block["oracle"], block["hours_since_refresh"] = 0.9, 1.0, 24.0
    block.parameter(cr_refresh_hours=24.0, cr_band=0.005, cr_step=0.0025)
    block.run("cr_controller")
    block["oracle"] = 1.01
    mine = 0
    while block["collateral_ratio"] == 0.9:
        mine += 1
        block.run("cr_controller")
    return f"a price that leaves the band an hour after a refresh moves it in hour {theirs}", f"in hour {mine}"


def recollateralised(lanes: Any) -> tuple[str, str]:
    found = world(idle=800_000.0, coin=0.9)
    found.pool.setPoolParameters(7_500, 2, sender="owner")
    found.pool.setBbkRctPerHour(10**30, 10**30, sender="owner")
    got = found.pool.recollateralize(USDC, 10**9, 0, sender="user") / WAD
    told = []
    for valued in (1.0, 0.0):
        block = lanes()
        block.market(collateral_price=0.9)
        block["collateral_price"], block["collateral_ratio"], block["cr_contract"] = 0.9, 0.9, 0.72
        block["share_price"], block["share_supply"], block["supply"], block["idle"] = 5.0, 1e6, 1e6, 8e5
        block.constant(par_valuation=valued, recollateralise_tokens=1e3, recollateralise_bonus=0.0075, share_depth_ratio=1.0)
        idle, shares = block["idle"], block["share_supply"]
        block.run("share_operations")
        told.append(1000.0 * (block["share_supply"] - shares) / max(block["idle"] - idle, 1e-9))
    return f"1,000 coins worth 0.9 fetch {got:.2f} FXS of 5", f"{told[0]:.2f} valued at par, {told[1]:.2f} at the market's price"


def gap_filled(_lanes: Any) -> tuple[str, str]:
    def accepted(coins: int) -> bool:
        found = world(idle=899_000.0)
        found.pool.setPoolParameters(7_500, 2, sender="owner")
        found.pool.setBbkRctPerHour(10**30, 10**30, sender="owner")
        try:
            found.pool.recollateralize(USDC, coins * 10**6, 0, sender="user")
        except Revert:
            return False
        return True

    return f"a call fills {most(accepted, 2_000):,} of a gap of 1,000 at a bonus of 0.75%", "all of it"


def override(_lanes: Any) -> tuple[str, str]:
    costs = []
    for alone in (True, False):
        found = world(ratio=0.8, frax=1.02)
        found.pool.minting_fee[USDC] = 2_000
        minted = found.pool.mintFrax(USDC, 1_000 * WAD, 0, UINT256_MAX, UINT256_MAX, alone, sender="user")
        made, coins, shares = (float(each) for each in minted)
        costs.append((coins / 1e6 * 0.97 + shares / WAD * 5.0) / (made / WAD))
    return f"with coins at 0.97 and CR 0.8 a FRAX costs {costs[0]:.5f} by `one_to_one_override`", f"{costs[1]:.5f}: in both legs only"


def buyback_limit(lanes: Any) -> tuple[str, str]:
    found = world(ratio=0.5, coin=0.9)
    found.pool.setBbkRctPerHour(1_000 * WAD, 1_000 * WAD, sender="owner")
    spent = 0
    while True:
        try:
            found.pool.buyBackFxs(USDC, WAD // 5, 0, sender="user")  # a dollar's worth
        except Revert:
            break
        spent += 1
    block = lanes()
    block["collateral_price"], block["collateral_ratio"], block["cr_contract"] = 0.9, 0.5, 0.81
    block["share_price"], block["share_supply"], block["supply"], block["idle"] = 5.0, 1e6, 1e6, 9e5
    block.constant(buyback_usd=1e3, fxs1559_share=0.0, par_valuation=0.0, start_shares=1e6)
    before = block["capital_buybacks"]
    block.run("share_operations")
    return (
        f"a limit of 1,000 an hour lets {spent:,} dollars of FXS in, with coins counted at 0.9",
        f"{before - block['capital_buybacks']:,.0f}",
    )


def claimed(lanes: Any) -> tuple[str, str]:
    found = world(ratio=0.5, frax=0.98, idle=1_000_000.0)
    found.pool.setBbkRctPerHour(10**30, 10**30, sender="owner")
    claims = found.pool.redeemFrax(USDC, 900_000 * WAD, 0, 0, sender="user").collat_out / 1e6
    minter = minter_of(found)
    minter.setCollatBorrowCap(10**15, sender="owner")
    minter.giveCollatToAMO("amo0", 800_000 * 10**6, sender="owner")
    left = found.token.balanceOf["pool"] / 1e6
    with pytest.raises(Revert):
        found.pool.freeCollatBalance(USDC)
    with pytest.raises(Revert):
        found.pool.redeemFrax(USDC, WAD, 0, 0, sender="user")
    block = lanes()
    block["claims"], block["idle"] = 450_000.0, 0.0
    block["collateral_ratio"], block["cr_contract"] = 0.5, 0.9
    block["supply"] = 1e6
    block.constant(buyback_usd=1e6, fxs1559_share=0.0, start_shares=1e6)
    before = block["capital_buybacks"]
    block.run("share_operations")
    spent = before - block["capital_buybacks"]
    return (
        f"an AMO is given 800,000 of 1,000,000 of which {claims:,.0f} are owed: {left:,.0f} are left, and every view and door reverts",
        f"of what is owed {spent:,.0f} is spent: it stands apart",
    )


def feeds(lanes: Any) -> tuple[str, str]:
    found = world(frax=1.0)
    found.pool.setPriceThresholds(10**6, 10**6, sender="owner")
    found.frax.oracle.eth_usd_answer = round(0.99 * 1e8)
    found.pool.mintFrax(USDC, WAD, 0, UINT256_MAX, UINT256_MAX, False, sender="user")
    found.frax.refreshCollateralRatio()
    block = lanes()
    block["collateral_ratio"], block["oracle"], block["hours_since_refresh"] = 0.9, 1.0, 24.0
    block.parameter(cr_refresh_hours=1.0, cr_band=0.005, cr_step=0.0025)
    block.run("cr_controller")
    theirs = found.frax.global_collateral_ratio / 1e6
    return f"the doors go by 1.00 while a TWAP of 0.99 takes CR from 0.9 to {theirs:.4f}", f"one price: {block['collateral_ratio']:.4f}"


def pid(lanes: Any) -> tuple[str, str]:
    found = world(ratio=0.8725)
    controller = PIDController(found.chain, found.frax, ReserveTracker(10**6 * WAD, 10**6, 1_010_000))
    found.frax.controller_address = controller.address
    controller.setPriceBands(1_005_000, 995_000, sender="owner")
    controller.activate(True, sender="owner")
    controller.refreshCollateralRatio()
    block = lanes()
    block["collateral_ratio"], block["oracle"], block["hours_since_refresh"] = 0.8725, 1.01, 24.0
    block.parameter(cr_refresh_hours=1.0, cr_band=0.005, cr_step=0.0025)
    block.run("cr_controller")
    return (
        f"at 1.01 the PIDController takes 0.8725 to {found.frax.global_collateral_ratio / 1e6:.4f}",
        f"to {block['collateral_ratio']:.4f}",
    )


def wrapped(_lanes: Any) -> tuple[str, str]:
    minter = minter_of(world())
    minter.setFraxMintCap(0, sender="owner")
    minter.setMinimumCollateralRatio(0, sender="owner")
    minter.mintFraxForAMO("amo0", 2**255, sender="owner")
    mint, _ = amounts(0.0, 0.0, 1e6, 0.0, 1.0, 1e300, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9, 0.0, 0.0)
    sign = "less than 0" if minter.frax_mint_sum < 0 else "0 or more"
    return (
        f"under a cap of 0 `mintFraxForAMO(2**255)` mints {minter.FRAX.balanceOf['amo0'] / 2**255:.0f} × 2²⁵⁵, books {sign}",
        f"{mint:.0f}",
    )


WHY = {
    min_cr: ("`min_cr` at a mint", "kept: the hour goes by the ratio of the hour before, counts the new coin at CR and stops lending below it too (a policy), so it passes the contract's bound by an hour's pace at most"),
    cooldown: ("cooldown of the ratio", "kept: nobody is paid to call while nothing moves, and where nobody does both rules are one; `cr_refresh_hours` is the least time between moves"),
    recollateralised: ("collateral counted by recollateralising", "closed at par valuation, kept otherwise: `collateral_valuation` says at which value all doors count"),
    gap_filled: ("a recollateralising call's share of the gap", "kept: further calls of the hour fill the rest"),
    override: ("`one_to_one_override`", "kept: whoever may choose mints the cheaper way, at most the difference shown"),
    buyback_limit: ("unit of the buyback's limit", "closed at par, where both units are one"),
    claimed: ("what redeemers have claimed", "kept: the reserve is what governance means to do; on chain nothing but care keeps it"),
    feeds: ("feeds", "kept: a study has one oracle; that the doors' price and the ratio's part is a thing it cannot say"),
    pid: ("PIDController", "kept: the rule of FRAXStablecoin is the one in the hour; a state whose controller is active is not described by it"),
    wrapped: ("signed books of the minter", "kept: governance does not send such an amount, and the hour never mints beyond its room"),
}  # fmt: skip


def table(lanes: Any) -> str:
    """The table of docs/contracts.md."""
    rows = [f"| {name} | {' | '.join(found(lanes))} | {why} |" for found, (name, why) in WHY.items()]
    return "\n".join(["| rule | contract | the hour | |", "|---|---|---|---|", *rows])


def test_the_departures_are_as_told(lanes: Callable[..., Any]) -> None:
    """No figure of the table is typed in: each is what the contracts and the hour give."""
    found = table(lanes)
    assert found in DOCS.read_text(encoding="utf-8"), found
