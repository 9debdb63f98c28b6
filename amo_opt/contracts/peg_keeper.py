"""Keepers, their pools, regulator and aggregator together, as the cases of ``peg_keeper_*`` have them, and their calls in turn."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amo_opt.contracts import oracle_pool
from amo_opt.contracts.aggregate_price import AggregateStablePrice3
from amo_opt.contracts.integers import Revert, uint256, viewed
from amo_opt.contracts.oracle_pool import USERS, OraclePool
from amo_opt.contracts.peg_keeper_regulator import PegKeeperRegulator
from amo_opt.contracts.peg_keeper_v2 import Allowances, PegKeeperV2, PegKeeperV2Of900

__all__ = [
    "SIGMA",
    "Allowances",
    "Keepers",
    "PegKeeperV2",
    "PegKeeperV2Of900",
    "aggregator_over",
    "from_state",
    "replay",
]

SIGMA = 10**15
"""The aggregators' sigma, 1e18, where a case gives none."""

_GIVEN = {
    "update": ("provide", "withdraw", "caller_share_probe"),
    "exchange": ("i", "j", "dx"),
    "add_liquidity": ("amounts",),
    "remove_liquidity": ("lp",),
    "donate_lp": ("lp",),
    "wait": ("dt",),
    "set_allowed": ("provide", "withdraw"),
    "mint_to_keeper": ("amount",),
    "rug": ("amount",),
    "set_killed": ("killed",),
    "set_debt_parameters": ("alpha", "beta"),
}
"""What an op is given, beside its name, its keeper and whether it is kept."""


@dataclass
class Keepers:
    """Keeper k works in pool k; ``timestamp`` is every pool's. ``aggregator`` is None beside a regulator that is told what to allow."""

    pools: list[OraclePool]
    keepers: list[PegKeeperV2]
    regulator: PegKeeperRegulator | Allowances
    aggregator: AggregateStablePrice3 | None
    timestamp: int

    def wait(self, dt: int) -> None:
        """Lets time pass."""
        self.timestamp += dt
        for pool in self.pools:
            pool.timestamp = self.timestamp
        if self.aggregator is not None:
            self.aggregator.timestamp = self.timestamp

    def update(self, k: int) -> dict[str, Any]:
        """Keeper k's `update`, with what it moved."""
        keeper = self.keepers[k]
        lp, debt = keeper.lp, keeper.debt
        reward = keeper.update(_beneficiary(k))
        moved = keeper.debt - debt
        return {
            "returned": str(reward),
            "amount": str(abs(moved)),
            "side": None if moved == 0 else "provide" if moved > 0 else "withdraw",
            "caller_reward_lp": str(reward),
            "keeper_lp_change": str(keeper.lp - lp),
        }

    def state(self) -> dict[str, Any]:
        """Everything that the vectors tell of it, in their schema."""
        state: dict[str, Any] = {"t": self.timestamp, "pools": [oracle_pool.state_of(pool) for pool in self.pools]}
        state["keepers"] = [self._keeper_state(k) for k in range(len(self.keepers))]
        if self.aggregator is not None and isinstance(self.regulator, PegKeeperRegulator):
            state["aggregator_price"] = viewed(self.aggregator.price)
            state["aggregator_ema_tvl"] = [str(value) for value in self.aggregator.ema_tvl()]
            state["regulator"] = {
                "worst_price_threshold": str(self.regulator.worst_price_threshold),
                "price_deviation": str(self.regulator.price_deviation),
                "alpha": str(self.regulator.alpha),
                "beta": str(self.regulator.beta),
                "killed": self.regulator.is_killed,
            }
        return state

    def _keeper_state(self, k: int) -> dict[str, Any]:
        keeper, pool = self.keepers[k], self.pools[k]
        return {
            "lp": str(keeper.lp),
            "debt": str(keeper.debt),
            "undrawn": str(keeper.stablecoin_balance),
            "last_change": keeper.last_change,
            "action_delay": keeper.action_delay,
            "caller_share": str(keeper.caller_share),
            "calc_profit": viewed(keeper.calc_profit),
            "estimate_caller_profit": viewed(keeper.estimate_caller_profit),
            "provide_allowed": viewed(lambda: self.regulator.provide_allowed(keeper)),
            "withdraw_allowed": viewed(lambda: self.regulator.withdraw_allowed(keeper)),
            "beneficiary_lp": str(pool.balance_of.get(_beneficiary(k), 0)),
            "fee_receiver_lp": str(pool.balance_of.get(self.regulator.fee_receiver, 0)),
        }


def from_state(case: Mapping[str, Any]) -> Keepers:
    """The keepers of a case of ``peg_keeper_*`` at its ``initial_state``."""
    state = case["initial_state"]
    now = int(state["t"])
    pools = [
        oracle_pool.from_state(entry, figures, timestamp=now, balance_of=_holders(k, keeper))
        for k, (entry, figures, keeper) in enumerate(zip(case["pools"], state["pools"], state["keepers"], strict=True))
    ]
    aggregator = None
    regulator: PegKeeperRegulator | Allowances
    if case["regulator"] == "stub":
        regulator = Allowances(*(int(state["keepers"][0][side]) for side in ("provide_allowed", "withdraw_allowed")))
    else:
        aggregator = aggregator_over(pools, case["pools"], state, sigma=int(case.get("sigma", SIGMA)))
        regulator = PegKeeperRegulator(aggregator)
        rules = state["regulator"]
        regulator.worst_price_threshold, regulator.price_deviation = int(rules["worst_price_threshold"]), int(rules["price_deviation"])
        regulator.alpha, regulator.beta, regulator.is_killed = int(rules["alpha"]), int(rules["beta"]), int(rules["killed"])
    keepers = [
        _keeper(case["keeper_contract"], pool, regulator, int(entry["pegged_index"]), figures)
        for pool, entry, figures in zip(pools, case["pools"], state["keepers"], strict=True)
    ]
    if isinstance(regulator, PegKeeperRegulator):
        regulator.add_peg_keepers(keepers)
    return Keepers(pools, keepers, regulator, aggregator, now)


def aggregator_over(
    pools: Sequence[OraclePool], entries: Sequence[Mapping[str, Any]], state: Mapping[str, Any], *, sigma: int = SIGMA
) -> AggregateStablePrice3:
    """AggregateStablePrice3 with a slot a pool, its last values those of the state where it tells them: then stored at the state's time."""
    aggregator = AggregateStablePrice3(sigma=sigma, timestamp=int(state["t"]))
    for pool, entry in zip(pools, entries, strict=True):
        aggregator.add_price_pair(pool, is_inverse=int(entry["pegged_index"]) == 0, is_ng=pool.is_ng)
    for slot, value in enumerate(state.get("aggregator_ema_tvl", ())):
        aggregator.last_tvl[slot] = int(value)
    return aggregator


def replay(case: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Each op of a case of ``peg_keeper_*`` beside the same worked out here, result and state: all is right where both are equal."""
    keepers = from_state(case)
    for op in case["ops"]:
        told = {key: op[key] for key in ("op", "keeper", "kept", *_GIVEN.get(op["op"], ("value",))) if key in op}
        acting = keepers if op.get("kept", True) else copy.deepcopy(keepers)
        try:
            told.update(_call(acting, op))
        except Revert as revert:
            told["revert"] = revert.reason
        yield op, {**told, "state": acting.state()}


def _call(on: Keepers, op: Mapping[str, Any]) -> dict[str, Any]:  # noqa: C901, PLR0911, PLR0912  # one line a call
    k = op.get("keeper", 0)
    keeper, pool, regulator = on.keepers[k], on.pools[k], on.regulator
    match op["op"]:
        case "update":
            if isinstance(regulator, Allowances) and "provide" in op:
                regulator.provide, regulator.withdraw = int(op["provide"]), int(op["withdraw"])
            if "caller_share_probe" in op:
                keeper.set_new_caller_share(int(op["caller_share_probe"]))
            return on.update(k)
        case "exchange":
            return {"dy": str(pool.exchange(op["i"], op["j"], int(op["dx"])))}
        case "add_liquidity":
            return {"minted": str(pool.add_liquidity([int(amount) for amount in op["amounts"]]))}
        case "remove_liquidity":
            return {"amounts_out": [str(amount) for amount in pool.remove_liquidity(int(op["lp"]))]}
        case "donate_lp":
            pool.transfer(USERS, keeper.name, int(op["lp"]))
        case "wait":
            on.wait(int(op["dt"]))
        case "mint_to_keeper":
            keeper.stablecoin_balance = uint256(keeper.stablecoin_balance + int(op["amount"]))
        case "rug":
            keeper.stablecoin_balance = uint256(keeper.stablecoin_balance - int(op["amount"]))
        case "withdraw_profit":
            return {"lp_out": str(keeper.withdraw_profit())}
        case "set_caller_share":
            keeper.set_new_caller_share(int(op["value"]))
        case "set_action_delay":
            keeper.set_new_action_delay(int(op["value"]))
        case "aggregator_price_w" if on.aggregator is not None:
            return {"returned": str(on.aggregator.price_w())}
        case setting:
            _set(regulator, setting, op)
    return {}


def _set(regulator: PegKeeperRegulator | Allowances, setting: str, op: Mapping[str, Any]) -> None:
    if isinstance(regulator, Allowances):
        if setting != "set_allowed":
            raise ValueError(f"op {setting!r} is unknown, or not one of a regulator that is told what to allow")
        regulator.provide, regulator.withdraw = int(op["provide"]), int(op["withdraw"])
        return
    match setting:
        case "set_killed":
            regulator.set_killed(int(op["killed"]))
        case "set_debt_parameters":
            regulator.set_debt_parameters(int(op["alpha"]), int(op["beta"]))
        case "set_price_deviation":
            regulator.set_price_deviation(int(op["value"]))
        case "set_worst_price_threshold":
            regulator.set_worst_price_threshold(int(op["value"]))
        case _:
            raise ValueError(f"op {setting!r} is unknown, or not one of a real regulator")


def _keeper(
    contract: str, pool: OraclePool, regulator: PegKeeperRegulator | Allowances, pegged_index: int, figures: Mapping[str, Any]
) -> PegKeeperV2:
    share, balance = int(figures["caller_share"]), int(figures["undrawn"])
    if contract == "PegKeeperV2_900":
        keeper: PegKeeperV2 = PegKeeperV2Of900(pool, regulator, pegged_index=pegged_index, caller_share=share, stablecoin_balance=balance)
    else:
        delay = int(figures["action_delay"])
        keeper = PegKeeperV2(pool, regulator, pegged_index=pegged_index, caller_share=share, stablecoin_balance=balance, action_delay=delay)
    keeper.debt, keeper.last_change = int(figures["debt"]), int(figures["last_change"])
    return keeper


def _holders(k: int, figures: Mapping[str, Any]) -> dict[str, int]:
    return {"keeper": int(figures["lp"]), _beneficiary(k): int(figures["beneficiary_lp"]), "fee_receiver": int(figures["fee_receiver_lp"])}


def _beneficiary(k: int) -> str:
    return f"caller {k}"
