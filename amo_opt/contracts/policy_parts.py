"""What the monetary policies ask of others and what they remember: price, keepers, markets; candles of debt and the average of a ratio.

Debts and ceilings are in 1e18, prices and ratios of 1e18, times in seconds. Sources: as ``monetary_policy``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from amo_opt.contracts.exponential import wad_exp
from amo_opt.contracts.integers import WAD, Revert, divided, int256, uint, uint256

__all__ = ["DEBT_CANDLE_TIME", "EMA", "ControllerFactory", "DebtCandle", "PegKeeper", "PriceOracle", "StubKeeper", "StubOracle"]

DEBT_CANDLE_TIME = 43_200


class PriceOracle(Protocol):
    """What a policy asks the aggregator."""

    def price(self) -> int:
        """Price of crvUSD of 1e18."""

    def price_w(self) -> int:
        """The same, stored."""


class PegKeeper(Protocol):
    """What a policy asks a keeper."""

    def debt(self) -> int:
        """crvUSD put into its pool, in 1e18."""


@dataclass
class StubOracle:
    """A price that one sets."""

    value: int = WAD

    def price(self) -> int:
        """As set."""
        return self.value

    def price_w(self) -> int:
        """As set."""
        return self.value


@dataclass
class StubKeeper:
    """A keeper's debt that one sets."""

    value: int = 0

    def debt(self) -> int:
        """As set."""
        return self.value


@dataclass
class ControllerFactory:
    """The markets: debt and ceiling of each controller, in its order at the factory."""

    debts: list[int] = field(default_factory=list)
    ceilings: list[int] = field(default_factory=list)

    def n_collaterals(self) -> int:
        """How many there are."""
        return len(self.debts)

    def debt_ceiling(self, controller: int) -> int:
        """A market's ceiling, 0 for a number that is none's."""
        return self.ceilings[controller] if 0 <= controller < len(self.ceilings) else 0


@dataclass(frozen=True)
class DebtCandle:
    """Least debts of the half-day before and of this one, and when this was written (0: never)."""

    candle0: int = 0
    candle1: int = 0
    timestamp: int = 0

    @property
    def window_end(self) -> int:
        """Where the half-day of the writing ends; half-days count from 1970."""
        return (self.timestamp // DEBT_CANDLE_TIME + 1) * DEBT_CANDLE_TIME

    def read(self, now: int) -> int:
        """Least debt of both half-days, of the one before alone in the next half-day, 0 (nothing known) after it."""
        if now < self.window_end:
            return min(self.candle0, self.candle1) if self.candle0 else self.candle1
        return self.candle1 if now < self.window_end + DEBT_CANDLE_TIME else 0

    def written(self, value: int, now: int) -> DebtCandle:
        """The candle with one more debt seen; a market that never had any gets none."""
        if self.timestamp == 0 and value == 0:
            return self
        if now < self.window_end:
            return DebtCandle(self.candle0, min(self.candle1, value), now)
        return DebtCandle(self.candle1 if now < self.window_end + DEBT_CANDLE_TIME else value, value, now)


@dataclass
class EMA:
    """An average that takes a new value in from its next update on (curve-std)."""

    ema_time: int
    prev_value: int
    prev_timestamp: int
    queued_value: int

    def read(self, now: int) -> int:
        """The average now, on its way to the queued value."""
        dt = uint256(now - self.prev_timestamp)
        if dt == 0:
            return self.prev_value
        mul = wad_exp(-int256(divided(dt * WAD, self.ema_time)))
        return divided(self.prev_value * mul + self.queued_value * (WAD - mul), WAD)

    def update(self, value: int, now: int) -> int:
        """Stores the average, queues the value, and returns the former."""
        self.prev_value, self.prev_timestamp, self.queued_value = self.read(now), now, value
        return self.prev_value

    def set_ema_time(self, ema_time: int, now: int) -> None:
        """Another time, from now on; reverts at 0."""
        if uint("ema_time", ema_time) == 0:
            raise Revert(because="an averaging time of 0")
        self.update(self.queued_value, now)
        self.ema_time = ema_time
