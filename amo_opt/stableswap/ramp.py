"""The ramp of A: the contract's interpolation between two values in time, and its refusals."""

from __future__ import annotations

from amo_opt.stableswap.exact_input import PoolInputError, Revert, uint
from amo_opt.stableswap.exact_math import checked
from amo_opt.stableswap.exact_rules import generation_of

MAX_A = 10**6
MAX_A_CHANGE = 10
MIN_RAMP_TIME = 86_400
"""Seconds a ramp lasts at least, and that must pass between two."""


def ramp_targets(current: int, target: int) -> tuple[int, ...]:
    """The values of A to ramp to one after the other, none more than ten times up or down from the one before; the fewest, in equal ratios.

    >>> ramp_targets(1500, 1800), ramp_targets(100, 2000), ramp_targets(1500, 100), ramp_targets(50, 50)
    ((1800,), (447, 2000), (387, 100), ())

    Raises `PoolInputError` for an A outside 0 < A < 10**6.
    """
    for name, value in (("current", current), ("target", target)):
        if not 0 < value < MAX_A:
            raise PoolInputError(f"{name} A of {value}; it must lie above 0 and below {MAX_A}")
    if current == target:
        return ()
    low, high = min(current, target), max(current, target)
    steps = 1
    while high > low * MAX_A_CHANGE**steps:
        steps += 1
    # Rounded away from the end that is left, so that the last ramp is never the one that is too long; the least value that
    # reaches the high end in the steps that remain is the bound on the other side.
    rising = [low]
    for left in range(steps - 1, 0, -1):
        even = round(low * (high / low) ** ((steps - left) / steps))
        least = -(-high // MAX_A_CHANGE**left)
        rising.append(min(max(even, least), rising[-1] * MAX_A_CHANGE))
    path = (*rising, high) if current == low else (high, *reversed(rising))
    return tuple(path[1:])


class AmplificationRamp:
    """A pool's A over time.

    ``initial_A`` and ``future_A`` are in the contract's unit (A x 100, or A for three_pool), times in seconds; without a future value A is
    constant and a ramp may start at once. Attributes carry the contract's names. ``t`` is the block's time.

    Example:
        >>> ramp = AmplificationRamp(generation="base", initial_A=10_000)
        >>> ramp.ramp_A(200, 1_700_086_400, t=1_700_000_000)
        >>> ramp.A_precise(1_700_043_200), ramp.A(1_700_043_200)
        (15000, 150)

    """

    def __init__(
        self,
        *,
        generation: str,
        initial_A: int,
        future_A: int | None = None,
        initial_A_time: int = 0,
        future_A_time: int = 0,
        owner: str = "admin",
    ) -> None:
        rules = generation_of(generation)
        self.generation = rules.name
        self.a_unit = rules.a_unit
        self.initial_A = uint("initial_A", initial_A, limit=MAX_A * rules.a_unit - 1)
        self.future_A = uint("future_A", initial_A if future_A is None else future_A, limit=MAX_A * rules.a_unit - 1)
        if min(self.initial_A, self.future_A) < rules.a_unit:
            raise PoolInputError(f"initial_A {self.initial_A} or future_A {self.future_A} is below an A of 1 ({rules.a_unit} here)")
        self.initial_A_time = uint("initial_A_time", initial_A_time)
        self.future_A_time = uint("future_A_time", future_A_time)
        self.owner = owner

    def amplification_raw(self, t: int) -> int:
        """A at time t in the contract's unit, what `PlainPool.amplification_raw` takes; the change is floored, up as down.

        Raises Revert for a time before the ramp's start.
        """
        now = uint("t", t)
        if now >= self.future_A_time:
            return self.future_A
        elapsed, span = checked(now - self.initial_A_time), self.future_A_time - self.initial_A_time
        moved = checked(abs(self.future_A - self.initial_A) * elapsed) // span
        return self.initial_A + moved if self.future_A > self.initial_A else self.initial_A - moved

    def A(self, t: int) -> int:
        """A at time t, its fraction cut off."""
        return self.amplification_raw(t) // self.a_unit

    def A_precise(self, t: int) -> int:
        """A x 100 at time t; three_pool has no such method and reverts."""
        if self.a_unit == 1:
            raise Revert(f"{self.generation} has no A_precise; use A or amplification_raw")
        return self.amplification_raw(t)

    def ramp_A(self, future_A: int, future_time: int, *, t: int, caller: str = "admin") -> None:
        """Starts at t a ramp to ``future_A`` (in units of A) that ends at ``future_time``.

        Raises Revert for another caller than the owner, within a day of the last start or stop, for a ramp shorter than a day, an A outside
        0 < A < 10**6 and a change of more than ten times either way.
        """
        target, end, now = uint("future_A", future_A), uint("future_time", future_time), uint("t", t)
        self._require_owner(caller)
        if now < self.initial_A_time + MIN_RAMP_TIME:
            raise Revert(f"the last ramp started or stopped at {self.initial_A_time}; wait {MIN_RAMP_TIME} s")
        if end < now + MIN_RAMP_TIME:
            raise Revert(f"a ramp of {end - now} s; it must last {MIN_RAMP_TIME} s")
        if not 0 < target < MAX_A:
            raise Revert(f"A of {target}; it must lie above 0 and below {MAX_A}")
        current, scaled = self.amplification_raw(now), target * self.a_unit
        if scaled > current * MAX_A_CHANGE or scaled * MAX_A_CHANGE < current:
            raise Revert(f"from {current} to {scaled} is more than {MAX_A_CHANGE} times")
        self.initial_A, self.future_A, self.initial_A_time, self.future_A_time = current, scaled, now, end

    def stop_ramp_A(self, *, t: int, caller: str = "admin") -> None:
        """Holds A at its value at t; raises Revert for another caller than the owner."""
        now = uint("t", t)
        self._require_owner(caller)
        current = self.amplification_raw(now)
        self.initial_A = self.future_A = current
        self.initial_A_time = self.future_A_time = now

    def _require_owner(self, caller: str) -> None:
        if caller != self.owner:
            raise Revert(f"{caller!r} is not the owner {self.owner!r}")
