"""crvUSD's monetary policies AggMonetaryPolicy2, 3, 3c and 4, in integers: the borrow rate of a market from price, keepers' debt and ceiling.

    rate = rate0 min(exp((1 - price) / sigma - ratio / target_debt_fraction), 1000) [+ extra_const]
           x (0.9 + 0.1 / (1 - f)), f = min(debt / ceiling, 0.9999), at most MAX_RATE

``ratio`` is the PegKeepers' debt over all controllers' debt. What tells the versions apart:

    2     debts as they are
    3     debts are the least of two half-day candles, kept at each ``rate_write``; ``rate`` also takes the debts of now
    3c    as 3, with extra_const
    4     as 3c; ``ratio`` is an average over ``debt_ratio_ema_time`` that takes a new ratio in from the next write on

Rates are per second of 1e18, prices, ratios, sigma and fractions of 1e18, debts and ceilings in 1e18, times in seconds. Set ``timestamp``
to let time pass. A market is its controller's number at the factory. Calls are the admin's; who may call what is not modelled.

Sources: curvefi/curve-stablecoin @ db6fcac9 : contracts/mpolicies/AggMonetaryPolicy2.vy, AggMonetaryPolicy3.vy, AggMonetaryPolicy3c.vy
(Vyper 0.3.10); @ cf1d05fb : curve_stablecoin/mpolicies/AggMonetaryPolicy4.vy (0.4.3, snekmate 0.1.2), with curvefi/curve-std @ 5556df19 :
curve_std/ema.vy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from amo_opt.contracts.exponential import OVERFLOW_POWER, exp, wad_exp
from amo_opt.contracts.integers import WAD, Revert, divided, int256, quotient, uint, uint256
from amo_opt.contracts.policy_parts import EMA, ControllerFactory, DebtCandle, PegKeeper, PriceOracle, StubKeeper, StubOracle

__all__ = [
    "EMA",
    "MAX_EXP",
    "MAX_RATE",
    "TOTAL",
    "AggMonetaryPolicy2",
    "AggMonetaryPolicy3",
    "AggMonetaryPolicy3c",
    "AggMonetaryPolicy4",
    "ControllerFactory",
    "DebtCandle",
    "PegKeeper",
    "Policies",
    "PriceOracle",
    "StubKeeper",
    "StubOracle",
    "from_state",
    "replay",
]

MAX_TARGET_DEBT_FRACTION = WAD
MIN_SIGMA = 10**14
MAX_SIGMA = WAD
MAX_EXP = 1000 * WAD
MAX_RATE = 43959106799
"""300% a year."""
MAX_EXTRA_CONST = MAX_RATE
TARGET_REMAINDER = WAD // 10
MAX_FILL = WAD - TARGET_REMAINDER // 1000
TOTAL = -1
"""The candle of all controllers' debt."""


class AggMonetaryPolicy2:
    """Version 2: debts as they are. A call that reverts leaves it as it was; what it had an oracle store by ``price_w`` is the oracle's."""

    _least_target = 0
    """Least target_debt_fraction at deployment; at 0 every rate reverts once keepers have debt."""

    def __init__(
        self,
        *,
        price_oracle: PriceOracle,
        controller_factory: ControllerFactory,
        peg_keepers: Sequence[PegKeeper],
        rate: int,
        sigma: int,
        target_debt_fraction: int,
        timestamp: int = 0,
    ) -> None:
        self.PRICE_ORACLE, self.CONTROLLER_FACTORY, self.peg_keepers = price_oracle, controller_factory, list(peg_keepers)
        self.timestamp = uint("timestamp", timestamp)
        self.n_controllers = 0
        self.set_sigma(sigma)
        _within("target_debt_fraction", target_debt_fraction, self._least_target, MAX_TARGET_DEBT_FRACTION)
        self.target_debt_fraction = target_debt_fraction
        self.set_rate(rate)

    def set_rate(self, rate: int) -> None:
        """Base rate; reverts above MAX_RATE."""
        _within("rate", rate, 0, MAX_RATE)
        self.rate0 = rate

    def set_sigma(self, sigma: int) -> None:
        """Price at which the rate rises e-fold; reverts outside 0.0001 to 1."""
        _within("sigma", sigma, MIN_SIGMA, MAX_SIGMA)
        self.sigma = sigma

    def set_target_debt_fraction(self, target_debt_fraction: int) -> None:
        """Ratio at which the rate falls e-fold; reverts at 0 and above 1."""
        _within("target_debt_fraction", target_debt_fraction, 1, MAX_TARGET_DEBT_FRACTION)
        self.target_debt_fraction = target_debt_fraction

    def rate(self, controller: int) -> int:
        """A market's rate now; stores nothing."""
        return self._rate_at(controller, self.PRICE_ORACLE.price(), *self._debts(controller))

    def rate_write(self, controller: int) -> int:
        """A market's rate, with what the version keeps stored: here, that the factory's controllers are known."""
        known = self.n_controllers
        self._learn()
        try:
            return self._rate_at(controller, self.PRICE_ORACLE.price_w(), *self._debts(controller))
        except Revert:
            self.n_controllers = known
            raise

    def _learn(self) -> None:
        self.n_controllers = max(self.n_controllers, self.CONTROLLER_FACTORY.n_collaterals())

    def get_total_debt(self, controller: int) -> tuple[int, int]:
        """Debt of all known controllers, and this one's if it is known."""
        known = self.CONTROLLER_FACTORY.debts[: self.n_controllers]
        return uint256(sum(known)), known[controller] if 0 <= controller < len(known) else 0

    def _debts(self, controller: int) -> tuple[int, int]:
        return self.get_total_debt(controller)

    def _keepers_debt(self) -> int:
        return uint256(sum(keeper.debt() for keeper in self.peg_keepers))

    def _rate_at(self, controller: int, price: int, total_debt: int, debt_for: int) -> int:
        power = self._price_power(price)
        keepers_debt = self._keepers_debt()
        if keepers_debt > 0:
            if total_debt == 0:
                return 0
            ratio = divided(keepers_debt * WAD, total_debt)
            power = int256(power - self._targets(ratio))
        return self._filled(controller, self._base_rate(exp(power, at_overflow=MAX_EXP)), debt_for)

    def _price_power(self, price: int) -> int:
        return quotient((WAD - int256(price)) * WAD, self.sigma)

    def _targets(self, ratio: int) -> int:
        return int256(divided(ratio * WAD, self.target_debt_fraction))

    def _base_rate(self, factor: int) -> int:
        return self.rate0 * min(factor, MAX_EXP) // WAD

    def _filled(self, controller: int, rate: int, debt_for: int) -> int:
        """The rate as far as the market's ceiling is used; a market without a ceiling keeps it, above MAX_RATE too."""
        ceiling = self.CONTROLLER_FACTORY.debt_ceiling(controller)
        return _near_ceiling(rate, min(divided(debt_for * WAD, ceiling), MAX_FILL)) if ceiling else rate


class AggMonetaryPolicy3(AggMonetaryPolicy2):
    """Version 3: debts are the least of the last half-days."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.min_debt_candles: defaultdict[int, DebtCandle] = defaultdict(DebtCandle)

    def rate_write(self, controller: int) -> int:
        """A market's rate, with its debt and all markets' kept in their candles first."""
        before = self.n_controllers, self.min_debt_candles.copy()
        self._learn()
        try:
            self._save_candles(controller)
            return self._rate_written(controller)
        except Revert:
            self.n_controllers, self.min_debt_candles = before
            raise

    def _rate_written(self, controller: int) -> int:
        return self._rate_at(controller, self.PRICE_ORACLE.price_w(), *self._kept_debts(controller))

    def _save_candles(self, controller: int) -> None:
        for key, debt in zip((TOTAL, controller), self.get_total_debt(controller), strict=True):
            self.min_debt_candles[key] = self.min_debt_candles[key].written(debt, self.timestamp)

    def read_candle(self, key: int) -> int:
        """The candle of a controller or of TOTAL; 0 where there is none that counts."""
        return self.min_debt_candles[key].read(self.timestamp)

    def _debts(self, controller: int) -> tuple[int, int]:
        """Least of the candles and of now, as ``rate`` has it."""
        fresh_total, fresh_for = self.get_total_debt(controller)
        total, debt_for = self.read_candle(TOTAL), self.read_candle(controller)
        return min(total or fresh_total, fresh_total), min(debt_for or fresh_for, fresh_for)

    def _kept_debts(self, controller: int) -> tuple[int, int]:
        """Least of the candles, as ``rate_write`` has it after writing them; the debts of now where they say 0."""
        fresh_total, fresh_for = self.get_total_debt(controller)
        return self.read_candle(TOTAL) or fresh_total, self.read_candle(controller) or fresh_for


class AggMonetaryPolicy3c(AggMonetaryPolicy3):
    """Version 3c: as 3, and a constant on top of the base rate."""

    _least_target = 1

    def __init__(self, *, extra_const: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.set_extra_const(extra_const)

    def set_extra_const(self, extra_const: int) -> None:
        """What is added to the base rate; reverts above MAX_RATE."""
        _within("extra_const", extra_const, 0, MAX_EXTRA_CONST)
        self.extra_const = extra_const

    def _base_rate(self, factor: int) -> int:
        return super()._base_rate(factor) + self.extra_const


class AggMonetaryPolicy4(AggMonetaryPolicy3c):
    """Version 4: as 3c, with the ratio averaged over time; markets are known from the factory, and all have a ceiling, if of nothing."""

    def __init__(self, *, debt_ratio_ema_time: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        if uint("debt_ratio_ema_time", debt_ratio_ema_time) == 0:
            raise Revert(because="an averaging time of 0")
        self.ema = EMA(debt_ratio_ema_time, self.target_debt_fraction, self.timestamp, self.target_debt_fraction)

    def set_debt_ratio_ema_time(self, ema_time: int) -> None:
        """The averaging time, from now on; reverts at 0."""
        self.ema.set_ema_time(ema_time, self.timestamp)

    def get_total_debt(self, controller: int) -> tuple[int, int]:
        """Debt of all controllers of the factory, and this one's."""
        debts = self.CONTROLLER_FACTORY.debts
        return uint256(sum(debts)), debts[controller] if 0 <= controller < len(debts) else 0

    def rate(self, controller: int) -> int:
        """A market's rate now, at the average on its way to the ratio of the last write; stores nothing."""
        _, debt_for = self._debts(controller)
        return self._rate_with(self.ema.read(self.timestamp), controller, self.PRICE_ORACLE.price(), debt_for)

    def _rate_written(self, controller: int) -> int:
        total_debt, debt_for = self._kept_debts(controller)
        price = self.PRICE_ORACLE.price_w()
        ratio = self._ratio(total_debt)
        rate = self._rate_with(self.ema.read(self.timestamp), controller, price, debt_for)
        self.ema.update(ratio, self.timestamp)
        return rate

    def _ratio(self, total_debt: int) -> int:
        return divided(self._keepers_debt() * WAD, total_debt) if total_debt else 0

    def _rate_with(self, ratio: int, controller: int, price: int, debt_for: int) -> int:
        power = int256(self._price_power(price) - self._targets(ratio))
        factor = MAX_EXP if power >= OVERFLOW_POWER else wad_exp(power)
        return self._filled(controller, self._base_rate(factor), debt_for)

    def _filled(self, controller: int, rate: int, debt_for: int) -> int:
        ceiling = self.CONTROLLER_FACTORY.debt_ceiling(controller)
        return _near_ceiling(rate, min(divided(debt_for * WAD, ceiling), MAX_FILL) if ceiling else MAX_FILL)


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Revert(because=f"{name} is outside {least}..{most}")


def _near_ceiling(rate: int, f: int) -> int:
    return min(divided(rate * (WAD - TARGET_REMAINDER + TARGET_REMAINDER * WAD // (WAD - f)), WAD), MAX_RATE)


@dataclass
class Policies:
    """All four over the same price, markets and keepers, as the vectors have them."""

    oracle: StubOracle
    factory: ControllerFactory
    keepers: list[StubKeeper]
    contracts: dict[str, AggMonetaryPolicy2]

    def meet(self, op: Mapping[str, Any]) -> None:
        """Takes over an op's time, price, debts and ceilings."""
        self.oracle.value = int(op["price"])
        self.factory.debts[:] = [int(debt) for debt in op["controller_debts"]]
        self.factory.ceilings[:] = [int(ceiling) for ceiling in op["ceilings"]]
        for keeper, debt in zip(self.keepers, op["peg_keeper_debts"], strict=True):
            keeper.value = int(debt)
        for contract in self.contracts.values():
            contract.timestamp = int(op["t"])

    def state(self) -> dict[str, Any]:
        """Every value of all four, in the vectors' schema."""
        return {name: _shown(contract) for name, contract in self.contracts.items()}


def _asked(call: Callable[[], int]) -> str | None:
    try:
        return str(call())
    except Revert:
        return None


def _shown(contract: AggMonetaryPolicy2) -> dict[str, Any]:
    markets = range(contract.CONTROLLER_FACTORY.n_collaterals())
    shown: dict[str, Any] = {
        "n_controllers_cached": contract.n_controllers,
        "rate": [_asked(partial(contract.rate, market)) for market in markets],
    }
    if isinstance(contract, AggMonetaryPolicy3):
        candles = {"total": contract.min_debt_candles[TOTAL]} | {str(market): contract.min_debt_candles[market] for market in markets}
        shown["candles"] = {
            key: {"candle0": str(candle.candle0), "candle1": str(candle.candle1), "candle_timestamp": candle.timestamp}
            for key, candle in candles.items()
        }
    return shown


def from_state(case: Mapping[str, Any]) -> Policies:
    """All four policies, their price, markets and keepers as a case of ``monetary_policy_*`` begins (its first op, ``start``)."""
    given = {name: int(value) for name, value in case["parameters"].items()}
    oracle, factory = StubOracle(), ControllerFactory()
    keepers = [StubKeeper() for _ in case["ops"][0]["peg_keeper_debts"]]
    common: dict[str, Any] = {
        "price_oracle": oracle,
        "controller_factory": factory,
        "peg_keepers": keepers,
        "rate": given["rate0"],
        "sigma": given["sigma"],
        "target_debt_fraction": given["target_debt_fraction"],
        "timestamp": given["deployed_at"],
    }
    extra = given["extra_const"]
    contracts: dict[str, AggMonetaryPolicy2] = {
        "AggMonetaryPolicy2": AggMonetaryPolicy2(**common),
        "AggMonetaryPolicy3": AggMonetaryPolicy3(**common),
        "AggMonetaryPolicy3c": AggMonetaryPolicy3c(extra_const=extra, **common),
        "AggMonetaryPolicy4": AggMonetaryPolicy4(extra_const=extra, debt_ratio_ema_time=given["debt_ratio_ema_time"], **common),
    }
    policies = Policies(oracle, factory, keepers, contracts)
    policies.meet(case["ops"][0])
    return policies


def replay(case: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Each op of a case with what is computed for it, in the op's own keys: ``all(op[key] == value for key, value in mine.items())``."""
    policies = from_state(case)
    for op in case["ops"]:
        policies.meet(op)
        mine: dict[str, Any] = {}
        if op["op"] == "rate_write":
            mine["rate_write"] = {name: _written(contract, op["index"]) for name, contract in policies.contracts.items()}
        elif op["op"].startswith("set_"):
            setters = {name: getattr(contract, op["op"], None) for name, contract in policies.contracts.items()}
            mine["ok"] = {name: _accepted(setter, int(op["value"])) for name, setter in setters.items() if setter}
        yield op, {**mine, "policies": policies.state()}


def _accepted(setter: Callable[[int], None], value: int) -> bool:
    try:
        setter(value)
    except Revert:
        return False
    return True


def _written(contract: AggMonetaryPolicy2, market: int) -> dict[str, str]:
    try:
        written = {"returned": str(contract.rate_write(market))}
    except Revert as revert:
        return {"revert": revert.reason}
    if isinstance(contract, AggMonetaryPolicy4):
        written |= {"ema_value": str(contract.ema.prev_value), "ema_queued": str(contract.ema.queued_value)}
    return written
