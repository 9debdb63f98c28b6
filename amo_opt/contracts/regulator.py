"""The two regulators side by side over the same keepers, as the cases of ``regulator_*`` have them, and their answers in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amo_opt.contracts import oracle_pool
from amo_opt.contracts.aggregate_price import AggregateStablePrice3
from amo_opt.contracts.integers import WAD, Revert, viewed
from amo_opt.contracts.oracle_pool import OraclePool
from amo_opt.contracts.peg_keeper import aggregator_over
from amo_opt.contracts.peg_keeper_regulator import VERSIONS, Keeper, PegKeeperRegulator, PegKeeperRegulatorV110, Pool
from amo_opt.contracts.peg_keeper_v2 import Allowances, PegKeeperV2

__all__ = ["VERSIONS", "Listed", "PegKeeperRegulator", "PegKeeperRegulatorV110", "Price", "Prices", "Regulators", "from_state", "replay"]

MULTIPLIERS: tuple[int, ...] = (0, *range(15 * 10**9, 205 * 10**9, 5 * 10**9))
"""What an ng pool's off-peg fee multiplier may be, of 1e10, where a case leaves it out; up to 1 they are all alike."""


@dataclass
class Price:
    """An aggregator or a coin's oracle whose price, 1e18, one sets."""

    value: int = WAD

    def price(self) -> int:
        """As set."""
        return self.value


@dataclass
class Prices:
    """A pool whose average and price at the margin, 1e18, one sets."""

    average: int = WAD
    spot: int = WAD

    def price_oracle(self) -> int:
        """As set."""
        return self.average

    def get_p(self) -> int:
        """As set."""
        return self.spot


@dataclass(eq=False)
class Listed:
    """A keeper whose debt and crvUSD, 1e18, one sets."""

    pool: Pool
    is_inverse: bool
    debt: int = 0
    stablecoin_balance: int = 0

    def undrawn(self) -> int:
        """Its crvUSD."""
        return self.stablecoin_balance


@dataclass
class Regulators:
    """Both versions, what they ask, and, where the pools are real, the time."""

    keepers: list[Listed]
    aggregator: Price | AggregateStablePrice3
    contracts: dict[str, PegKeeperRegulator]
    """By version."""
    timestamp: int = 0

    def allowances(self) -> dict[str, list[dict[str, str | None]]]:
        """What each version answers about each keeper, in the vectors' schema."""
        return {version: [_asked(contract, keeper) for keeper in self.keepers] for version, contract in self.contracts.items()}

    def wait(self, dt: int) -> None:
        """Lets time pass in pools and aggregator."""
        self.timestamp += dt
        for pool in self.pools:
            pool.timestamp = self.timestamp
        if isinstance(self.aggregator, AggregateStablePrice3):
            self.aggregator.timestamp = self.timestamp

    def meet(self, step: Mapping[str, Any]) -> None:
        """Takes over all that a step of a ``stub`` case says."""
        self.aggregator = Price(int(step["aggregator_price"]))
        for keeper, figures in zip(self.keepers, step["keepers"], strict=True):
            keeper.pool = Prices(int(figures["price_oracle"]), int(figures["get_p"]))
            keeper.debt, keeper.stablecoin_balance = int(figures["debt"]), int(figures["undrawn"])
        registered = [keeper for keeper, figures in zip(self.keepers, step["keepers"], strict=True) if figures.get("registered", True)]
        for version, build in VERSIONS.items():
            contract = build(self.aggregator, peg_keepers=registered)
            contract.set_debt_parameters(int(step["alpha"]), int(step["beta"]))
            contract.set_price_deviation(int(step["price_deviation"]))
            contract.set_worst_price_threshold(int(step["worst_price_threshold"]))
            contract.set_killed(int(step["killed"]))
            self.contracts[version] = contract
            for keeper, figures in zip(self.keepers, step["keepers"], strict=True):
                if isinstance(contract, PegKeeperRegulatorV110) and keeper in registered and (oracle := figures.get("coin_oracle")):
                    contract.set_coin_oracle(keeper, Price(int(oracle["price"])), int(oracle["min_price"]))

    def of_peg_keeper_v2(self) -> list[dict[str, str | None]]:
        """What v1.1.0 answers about keepers that are PegKeeperV2, which lack ``undrawn()``, in the pools as they are."""
        keepers = [
            PegKeeperV2(pool, Allowances(), pegged_index=0 if keeper.is_inverse else 1, caller_share=0)
            for pool, keeper in zip(self.pools, self.keepers, strict=True)
        ]
        contract = PegKeeperRegulatorV110(self.aggregator, peg_keepers=keepers)
        return [_asked(contract, keeper) for keeper in keepers]

    @property
    def pools(self) -> list[OraclePool]:
        """The real ones: all, or none."""
        return [keeper.pool for keeper in self.keepers if isinstance(keeper.pool, OraclePool)]


def _asked(contract: PegKeeperRegulator, keeper: Keeper) -> dict[str, str | None]:
    """Both allowances; None for one that reverts, with the reason beside it."""
    answers: dict[str, str | None] = {}
    for name, view in (("provide_allowed", contract.provide_allowed), ("withdraw_allowed", contract.withdraw_allowed)):
        try:
            answers[name] = str(view(keeper))
        except Revert as revert:
            answers |= {name: None, f"{name}_revert": revert.reason}
    return answers


def from_state(case: Mapping[str, Any]) -> Regulators:
    """Regulators and keepers of a case of ``regulator_*`` as it begins: of kind stub, real or admin."""
    if case["kind"] == "real":
        return _real(case)
    aggregator = Price()
    keepers = [Listed(Prices(), entry["is_inverse"]) for entry in case["keepers"]]
    regulators = Regulators(keepers, aggregator, {version: build(aggregator, peg_keepers=keepers) for version, build in VERSIONS.items()})
    if case["kind"] == "stub":
        regulators.meet(case["steps"][0])
    else:
        for keeper in keepers:
            keeper.debt, keeper.stablecoin_balance = 10**23, 10**24
    return regulators


def _real(case: Mapping[str, Any]) -> Regulators:
    start = case["ops"][0]
    now = int(start["t"])
    entries: list[dict[str, Any]] = [
        {
            "pool": "ng" if entry["ng"] else "old",
            "decimals": entry["decimals"],
            "pegged_index": 0 if entry["is_inverse"] else 1,
            "offpeg_fee_multiplier": entry.get("offpeg_fee_multiplier"),
        }
        for entry in case["keepers"]
    ]
    for k, entry in enumerate(entries):
        if entry["pool"] == "ng" and entry["offpeg_fee_multiplier"] is None:
            entry["offpeg_fee_multiplier"] = _multiplier(case, k, entry)
    pools = [oracle_pool.from_state(entry, figures, timestamp=now) for entry, figures in zip(entries, start["pools"], strict=True)]
    keepers = [
        Listed(pool, entry["pegged_index"] == 0, int(figures["debt"]), int(figures["undrawn"]))
        for pool, entry, figures in zip(pools, entries, start["keepers"], strict=True)
    ]
    aggregator = aggregator_over(pools, entries, start)
    return Regulators(keepers, aggregator, {version: build(aggregator, peg_keepers=keepers) for version, build in VERSIONS.items()}, now)


def _multiplier(case: Mapping[str, Any], k: int, entry: Mapping[str, Any]) -> int:
    """The off-peg fee multiplier of pool k, which these cases leave out: the least of MULTIPLIERS at which all of its swaps come out as they did."""
    start, *ops = case["ops"]
    swaps = [op for op in ops if op["op"] == "exchange" and op["pool_i"] == k]
    for multiplier in MULTIPLIERS:
        pool = oracle_pool.from_state({**entry, "offpeg_fee_multiplier": multiplier}, start["pools"][k])
        if all(_swapped(pool, swap) == (swap["dy"], swap["pools"][k]["balances"]) for swap in swaps):
            return multiplier
    raise ValueError(f"no multiplier explains what came of the swaps in pool {k} of {case['id']}")


def _swapped(pool: OraclePool, swap: Mapping[str, Any]) -> tuple[str | None, list[str]]:
    """What a swap pays, as the vectors write it, and the balances after it."""
    paid = viewed(lambda: pool.exchange(swap["i"], swap["j"], int(swap["dx"])))
    return paid, [str(balance) for balance in pool.balances]


def replay(case: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Each step or op of a case of ``regulator_*`` beside the same worked out here: all is right where both are equal.

    A ``real`` case ends with what v1.1.0 says of PegKeeperV2 keepers.
    """
    regulators = from_state(case)
    match case["kind"]:
        case "stub":
            for step in case["steps"]:
                regulators.meet(step)
                yield step, {**step, "results": regulators.allowances()}
        case "admin":
            for op in case["ops"]:
                yield op, {**op, "after": _set(regulators, op)}
        case _:
            for op in case["ops"]:
                yield op, _real_op(regulators, op)
            asked = "v1_1_0_with_PegKeeperV2"
            yield {asked: case[asked]}, {asked: regulators.of_peg_keeper_v2()}


def _set(on: Regulators, op: Mapping[str, Any]) -> dict[str, Any]:
    """The setter in both versions, and their settings after it."""
    args = [[on.keepers[int(k)] for k in arg] if isinstance(arg, list) else int(arg) for arg in op["args"]]
    done = {}
    for version, contract in on.contracts.items():
        try:
            getattr(contract, op["op"])(*args, sender=op["from"])
            done[version] = True
        except Revert:
            done[version] = False
    allowances = on.allowances()
    return {
        version: {
            "ok": done[version],
            "killed": contract.is_killed,
            "worst_price_threshold": str(contract.worst_price_threshold),
            "price_deviation": str(contract.price_deviation),
            "alpha": str(contract.alpha),
            "beta": str(contract.beta),
            "keepers": allowances[version],
        }
        for version, contract in on.contracts.items()
    }


def _real_op(on: Regulators, op: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {key: op[key] for key in ("op", "pool_i", "i", "j", "dx", "dt", "index") if key in op}
    match op["op"]:
        case "exchange":
            told["dy"] = str(on.pools[op["pool_i"]].exchange(op["i"], op["j"], int(op["dx"])))
        case "wait":
            on.wait(int(op["dt"]))
        case "set_keeper":
            keeper, figures = on.keepers[op["index"]], op["keepers"][op["index"]]
            keeper.debt, keeper.stablecoin_balance = int(figures["debt"]), int(figures["undrawn"])
    shown = op["pools"][0].keys()
    return {
        **told,
        "t": on.timestamp,
        "aggregator_price": viewed(on.aggregator.price),
        "pools": [{k: v for k, v in oracle_pool.state_of(pool).items() if k in shown} for pool in on.pools],
        "keepers": [{"debt": str(keeper.debt), "undrawn": str(keeper.stablecoin_balance)} for keeper in on.keepers],
        "results": on.allowances(),
    }
