"""Every stage of every AMO books what it does: the change of NAV is the change of the lines, and only the stage's own lines move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import CONSTANT_INDEX, LINES
from amo_opt.protocol.collateral_ratio import scaled_at_cr
from amo_opt.simulation.program import ROWS


@dataclass(frozen=True)
class Stage:
    """One stage by its row, run as the hour does or, where a light pass flags lanes, on all of them, ``first`` what it rests on; and the lines it may move."""

    row: str
    lines: tuple[str, ...]
    first: tuple[str, ...] = ()

    def __call__(self, block: Any) -> None:
        for row in (*self.first, self.row):
            block.run(row) if ROWS[row].active is None else block.run_everywhere(row)


COSTS = ("income_market_operations",)
STAGES = {
    "aave-interest": Stage("aave_market_operations", ("income_lending",)),
    "aave-operate": Stage("aave_operate", COSTS),
    "investor-interest": Stage("investor_market_operations", ("income_investor",)),
    "investor-operate": Stage("investor_operate", COSTS),
    "fraxlend-interest": Stage("fraxlend_market_operations", ("income_fraxlend",)),
    "fraxlend-operate": Stage("fraxlend_operate", COSTS),
    "uniswap-fees": Stage("uniswap_market_operations", ("income_uniswap_fees",)),
    "uniswap-arbitrage": Stage("uniswap_arbitrage", ("income_swap_fees", "income_uniswap_fees", "income_debt_discount")),
    "uniswap-operate": Stage("uniswap_operate", COSTS),
    "curve-income": Stage("curve_market_operations", ("income_swap_fees", "income_rewards")),
    "curve-operate": Stage("curve_operate", (*COSTS, "income_swap_fees", "income_debt_discount"), first=("scale",)),
}

BALANCES = (
    *("pool_x", "pool_y", "lp_amo", "supply", "idle", "aave.lent", "investor.lent"),
    *("fraxlend.lent", "fraxlend.free", "uniswap.x", "uniswap.y"),
)

SHARE = st.floats(0.0, 1.0)
PRICE = st.floats(0.85, 1.05)
DOLLARS = st.floats(0.0, 1e9)
HOURS = st.sampled_from([0.0, 1.0, 6.0, 7.0, 100.0])
STATES = st.fixed_dictionaries(
    {
        "pool_x": st.floats(0.1e9, 2e9),
        "pool_y": st.floats(0.1e9, 2e9),
        "amplification": st.floats(10.0, 5000.0),
        "own": SHARE,
        "outside": st.floats(1e6, 2e9),
        "collateral_ratio": SHARE,
        "collateral_price": PRICE,
        "base_value": PRICE,
        "at": SHARE,
        "range": st.floats(0.0, 1e9),
        "fraxlend_free": SHARE,
        "state": st.fixed_dictionaries(
            dict.fromkeys(("idle", "aave.lent", "aave.free", "investor.lent", "investor.free", "fraxlend.lent"), DOLLARS)
            | dict.fromkeys(("aave.rate", "investor.rate", "fraxlend.rate"), SHARE)
            | {
                name: st.floats(-2e9, 2e9)
                for name in ("curve.minted", "fraxlend.minted", "uniswap.minted", "curve.borrowed", "aave.borrowed")
            }
            | {"unwinding": st.sampled_from([0.0, 1.0]), "unwinding_hours": HOURS, "high_hours": HOURS}
        ),
        "market": st.fixed_dictionaries(
            {name: st.floats(1e6, 2e9) for name in ("aave.deposits", "investor.deposits", "fraxlend.deposits")}
            | {
                name: st.floats(0.0, 4e9)
                for name in ("aave.demand", "investor.demand", "fraxlend.demand", "aave.free_cap", "investor.free_cap")
            }
            | {
                "gas_usd": st.floats(0.0, 1e4),
                "swap_volume": DOLLARS,
                "reward_tokens": st.floats(0.0, 1e6),
                "reward_price": st.floats(0.0, 5.0),
            }
        ),
        "parameters": st.fixed_dictionaries(
            dict.fromkeys(
                (
                    *("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "curve_mint_cap", "fraxlend_cap"),
                    *("idle_buffer", "unwind_rate", "rebalance_rate"),
                ),
                SHARE,
            )
            | {"pool_share_low": st.floats(0.05, 0.5), "pool_share_high": st.floats(0.5, 0.95), "min_cr": st.sampled_from([0.0, 0.5, 0.81])}
        ),
        "constants": st.fixed_dictionaries(
            {
                "protocol_admin_share": SHARE,
                "base_fee": st.floats(0.0, 0.01),
                "illiquid_haircut": st.floats(0.0, 0.1),
                "deploy_rate": st.floats(0.0, 1.0),
                "reward_sold": SHARE,
            }
        ),
    }
)


def fill(block: Any, drawn: dict[str, Any]) -> Any:
    """Puts the drawn state in place, what follows from it made to follow."""
    for name, value in drawn["state"].items():
        block[name] = value
    for name in ("collateral_price", "base_value", "collateral_ratio"):
        block[name] = drawn[name]
    block.market(**drawn["market"])
    block.parameter(**drawn["parameters"])
    block.constant(**drawn["constants"])
    block["ann"] = 2.0 * drawn["amplification"]
    block.pool(drawn["pool_x"], drawn["pool_y"])
    block["lp_amo"] = drawn["own"] * block["lp_supply"]
    block["fraxlend.free"] = drawn["fraxlend_free"] * block["fraxlend.lent"]
    low, high = (float(block.c[CONSTANT_INDEX[name]]) for name in ("uniswap.low", "uniswap.high"))
    root, liquidity = low + (high - low) * drawn["at"], drawn["range"] / (1.0 - low)
    block["uniswap.root"], block["uniswap.liquidity"] = root, liquidity
    block["uniswap.x"], block["uniswap.y"] = liquidity * (1.0 / root - 1.0 / high), liquidity * (root - low)
    block["supply"] = block["pool_x"] + block["uniswap.x"] + block["fraxlend.lent"] + drawn["outside"]
    block["scaled_cr"] = scaled_at_cr(block["collateral_ratio"], block["ann"])[0]
    block.run("collateral_ratios")
    return block


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=STATES)
def test_every_stage_books_what_it_does(lanes: Callable[..., Any], drawn: dict[str, Any]) -> None:
    """From any state, each stage by itself: ΔNAV = Σ Δlines to 1e-9 of its scale, positions settled at liquidation value before and after; no
    other line moves; no balance turns negative, and the stage finds no fault in itself."""
    block = fill(lanes(), drawn)
    block.settle()
    nav, before, state = block.nav(), {line: block[line] for line in LINES}, block.s.copy()
    for name, stage in STAGES.items():
        block.s[:] = state
        stage(block)
        others = [line for line in LINES if line not in stage.lines and block[line] != before[line]]
        assert not others, (name, others)
        block.settle()
        assert np.isfinite(block.s).all(), name
        booked = sum(block[line] - before[line] for line in LINES)
        assert booked == pytest.approx(block.nav() - nav, abs=1e-9 * max(abs(nav), 0.01 * block["supply"])), name
        negative = [balance for balance in BALANCES if block[balance] < 0.0]
        assert not negative, (name, negative)
        assert block["fraxlend.free"] <= block["fraxlend.lent"], name
        assert block["fault"] == 0.0, name


@pytest.mark.parametrize("name", STAGES)
def test_the_stages_do_something(lanes: Callable[..., Any], name: str) -> None:
    """Over random states each stage moves its lines often: the identity above is not one of nothing."""
    rng = np.random.default_rng(7)
    moved = 0
    for _ in range(60):
        block = lanes()
        figures = {
            key: rng.uniform(0.0, 3e8) for key in ("idle", "aave.lent", "investor.lent", "fraxlend.lent", "aave.free", "investor.free")
        }
        hours = {"unwinding": float(rng.integers(0, 2)), "unwinding_hours": 100.0, "high_hours": 100.0}
        books = dict.fromkeys(("curve.minted", "fraxlend.minted", "uniswap.minted", "curve.borrowed", "aave.borrowed"), 0.0)
        demand = {f"{amo}.demand": 0.9e9 for amo in ("aave", "investor", "fraxlend")}
        drawn = {
            "pool_x": rng.uniform(0.5e9, 1.5e9),
            "pool_y": 1e9,
            "amplification": 200.0,
            "own": 0.5,
            "outside": 1e9,
            "collateral_ratio": 0.8,
            "collateral_price": 1.0,
            "base_value": 1.0,
            "at": 0.5,
            "range": 50e6,
            "fraxlend_free": 0.5,
            "state": {**figures, **hours, **books},
            "market": {**demand, "gas_usd": 500.0, "swap_volume": 1e7, "reward_tokens": 1e4, "reward_price": 1.0},
            "parameters": dict.fromkeys(("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "fraxlend_cap"), 0.3)
            | {"min_cr": 0.0},
            "constants": {},
        }
        fill(block, drawn)
        STAGES[name](block)
        moved += any(block[line] != 0.0 for line in STAGES[name].lines)
    assert moved > 30
