"""What a PegKeeper may provide and withdraw: PegKeeperRegulator, as first written and as of v1.1.0.

v1: curvefi/curve-stablecoin @ ee49e342: contracts/stabilizer/PegKeeperRegulator.vy. v1.1.0: the same repository @ ad23954d:
curve_stablecoin/stabilizer/PegKeeperRegulator.vy. Neither was compared with deployed bytecode. Prices, ratios, alpha and beta are in 1e18,
crvUSD in 1e18. A price here is that of crvUSD in the other coin, above 1 when crvUSD is dear, whatever the order of the pool's coins.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Protocol

from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert, divided, uint, uint256

MAX_LEN = 8
"""Keepers that a regulator knows at most."""
PROVIDE, WITHDRAW = 1, 2
"""Bits of ``is_killed``."""
_WORD = UINT256_MAX + 1


class Pool(Protocol):
    """What a regulator reads of a pool: price of coin 1 in coin 0, on average and at the margin."""

    def price_oracle(self) -> int:
        """1e18."""
        ...

    def get_p(self) -> int:
        """1e18."""
        ...


class Keeper(Protocol):
    """What a regulator reads of a keeper; `undrawn` by v1.1.0 alone, which v1 has from the token."""

    @property
    def pool(self) -> Pool: ...  # noqa: D102
    @property
    def is_inverse(self) -> bool: ...  # noqa: D102
    @property
    def debt(self) -> int: ...  # noqa: D102
    @property
    def stablecoin_balance(self) -> int: ...  # noqa: D102
    def undrawn(self) -> int: ...  # noqa: D102


class Priced(Protocol):
    """An aggregator, or the oracle of a paired coin."""

    def price(self) -> int:
        """1e18."""
        ...


class PegKeeperRegulator:
    """The first regulator (v1).

    Keepers are asked for by themselves, `add_peg_keepers` knows them by identity. ``sender`` of the setters is the account that calls:
    ``admin`` and ``emergency_admin`` hold the names of those that may.
    """

    def __init__(
        self,
        aggregator: Priced,
        *,
        peg_keepers: Sequence[Keeper] = (),
        admin: str = "admin",
        emergency_admin: str = "emergency_admin",
        fee_receiver: str = "fee_receiver",
    ) -> None:
        self.aggregator = aggregator
        self.worst_price_threshold = 3 * 10**14
        self.price_deviation = 5 * 10**14
        self.alpha = WAD // 2
        self.beta = WAD // 4
        self.is_killed = 0
        self.admin = admin
        self.emergency_admin = emergency_admin
        self.fee_receiver = fee_receiver
        self.peg_keepers: tuple[Keeper, ...] = ()
        self.add_peg_keepers(peg_keepers, sender=admin)

    # -- allowances -----------------------------------------------------------------------------------------------------------

    def provide_allowed(self, keeper: Keeper) -> int:
        """crvUSD that the keeper may put into its pool; may be more than it has. Reverts when its debt is above the limit.

        0 while paused, while crvUSD is below 1 by the aggregator, while the keeper's pool is away from its own average, and where the
        average of every other pool is more than the threshold below this one's: its paired coin is then the cheapest. So it is for a keeper
        without others, and, by a wrap below zero, for an average below the threshold itself.
        """
        if self.is_killed & PROVIDE or self.aggregator.price() < WAD:
            return 0
        price, largest, ratios = UINT256_MAX, 0, []
        for known in self.peg_keepers:
            average = _in_pair(known, known.pool.price_oracle())
            if known is keeper:
                price = average
                if not self._price_in_range(price, _in_pair(known, known.pool.get_p())):
                    return 0
                continue
            largest = max(largest, average)
            ratios.append(self._get_ratio(known))
        if largest < (price - self.worst_price_threshold) % _WORD:
            return 0
        debt = keeper.debt
        return uint256(self._limit(ratios, debt + self._undrawn(keeper)) - debt)

    def withdraw_allowed(self, keeper: Keeper) -> int:
        """crvUSD that the keeper may take out of its pool: all (2**256 - 1), or 0.

        0 while paused, while crvUSD is above 1 by the aggregator, while its pool is away from its own average, and to a keeper that is
        not registered.
        """
        if self.is_killed & WITHDRAW or self.aggregator.price() > WAD or not self._knows(keeper):
            return 0
        spot, average = _in_pair(keeper, keeper.pool.get_p()), _in_pair(keeper, keeper.pool.price_oracle())
        return UINT256_MAX if self._price_in_range(spot, average) else 0

    def _price_in_range(self, p0: int, p1: int) -> bool:
        """Whether p1 is in (p0 - deviation, p0 + deviation]: half open, so no deviation at all passes nothing."""
        return (self.price_deviation + p0 - p1) % _WORD < 2 * self.price_deviation

    def _undrawn(self, keeper: Keeper) -> int:
        """The keeper's crvUSD."""
        return keeper.stablecoin_balance

    def _get_ratio(self, keeper: Keeper) -> int:
        """Debt's share of what the keeper was given, 1e18."""
        debt = keeper.debt
        return divided(debt * WAD, uint256(1 + debt + self._undrawn(keeper)))

    def _limit(self, ratios: Sequence[int], total: int) -> int:
        """Debt that a keeper given ``total`` may have: ``(alpha + beta sum(sqrt(ratio of the others)))**2`` of it."""
        roots = sum(isqrt(ratio * WAD) for ratio in ratios)
        share = uint256(uint256(self.alpha + uint256(self.beta * roots) // WAD) ** 2) // WAD
        return uint256(share * uint256(total)) // WAD

    # -- keepers and settings -------------------------------------------------------------------------------------------------

    def add_peg_keepers(self, keepers: Sequence[Keeper], *, sender: str = "admin") -> None:
        """Registers keepers: none twice, no more than 8."""
        self._only_admin(sender)
        known = list(self.peg_keepers)
        for keeper in keepers:
            if _place(known, keeper) is not None or len(known) == MAX_LEN:
                raise Revert(because="a keeper is known already, or there are 8")
            known.append(keeper)
        self.peg_keepers = tuple(known)

    def remove_peg_keepers(self, keepers: Sequence[Keeper], *, sender: str = "admin") -> None:
        """Takes keepers off the list; the last one moves to the place of each."""
        self._only_admin(sender)
        known = list(self.peg_keepers)
        for keeper in keepers:
            at = _place(known, keeper)
            if at is None:
                raise Revert(because="a keeper is not known")
            known[at] = known[-1]
            known.pop()
        self.peg_keepers = tuple(known)

    def set_worst_price_threshold(self, threshold: int, *, sender: str = "admin") -> None:
        """At most 0.01."""
        self._only_admin(sender)
        self.worst_price_threshold = _at_most(threshold, 10**16)

    def set_price_deviation(self, deviation: int, *, sender: str = "admin") -> None:
        """At most 100."""
        self._only_admin(sender)
        self.price_deviation = _at_most(deviation, 10**20)

    def set_debt_parameters(self, alpha: int, beta: int, *, sender: str = "admin") -> None:
        """Each at most 1."""
        self._only_admin(sender)
        self.alpha, self.beta = _at_most(alpha, WAD), _at_most(beta, WAD)

    def set_killed(self, is_killed: int, *, sender: str = "admin") -> None:
        """0 nothing is paused, 1 providing, 2 withdrawing, 3 both; by the admin or the emergency admin."""
        _at_most(is_killed, PROVIDE | WITHDRAW)
        if sender not in {self.admin, self.emergency_admin}:
            raise Revert(because=f"{sender} may not pause")
        self.is_killed = is_killed

    def set_aggregator(self, aggregator: Priced, *, sender: str = "admin") -> None:
        """Whose price counts from now on."""
        self._only_admin(sender)
        self.aggregator = aggregator

    def set_fee_receiver(self, fee_receiver: str, *, sender: str = "admin") -> None:
        """Who is sent the keepers' profit."""
        self._only_admin(sender)
        self.fee_receiver = fee_receiver

    def set_admin(self, admin: str, *, sender: str = "admin") -> None:
        """Who may change settings from now on."""
        self._only_admin(sender)
        self.admin = admin

    def set_emergency_admin(self, admin: str, *, sender: str = "admin") -> None:
        """Who else may pause from now on."""
        self._only_admin(sender)
        self.emergency_admin = admin

    def _only_admin(self, sender: str) -> None:
        if sender != self.admin:
            raise Revert(because=f"{sender} is not the admin")

    def _knows(self, keeper: Keeper) -> bool:
        return _place(self.peg_keepers, keeper) is not None


class PegKeeperRegulatorV110(PegKeeperRegulator):
    """v1.1.0: reads ``undrawn()`` of its keepers, which PegKeeperV2 does not have; may look at an oracle of the paired coin.

    A debt above the limit allows nothing instead of reverting; a keeper without others is not compared; withdrawing looks at no pool.
    """

    def __init__(
        self,
        aggregator: Priced,
        *,
        peg_keepers: Sequence[Keeper] = (),
        admin: str = "admin",
        emergency_admin: str = "emergency_admin",
        fee_receiver: str = "fee_receiver",
    ) -> None:
        self._coin_oracles: dict[Keeper, tuple[Priced, int]] = {}
        super().__init__(aggregator, peg_keepers=peg_keepers, admin=admin, emergency_admin=emergency_admin, fee_receiver=fee_receiver)

    def provide_allowed(self, keeper: Keeper) -> int:
        """crvUSD that the keeper may put into its pool; may be more than it has.

        0 while paused, while crvUSD is below 1 by the aggregator, while the paired coin is below its least price (`set_coin_oracle`), while
        the keeper's pool is away from its own average, where the average of every other pool, if there are any, is more than the
        threshold below this one's, and when the debt has reached the limit.
        """
        if self.is_killed & PROVIDE or self.aggregator.price() < WAD:
            return 0
        oracle, least = self._coin_oracles.get(keeper, (None, 0))
        if oracle is not None and oracle.price() < least:
            return 0
        price, largest, ratios = UINT256_MAX, 0, []
        for known in self.peg_keepers:
            average = _in_pair(known, known.pool.price_oracle())
            if known is keeper:
                if self._price_in_range(average, _in_pair(known, known.pool.get_p())):
                    price = average
                continue
            largest = max(largest, average)
            ratios.append(self._get_ratio(known))
        if price == UINT256_MAX or (ratios and largest < (price - self.worst_price_threshold) % _WORD):
            return 0
        debt = keeper.debt
        return max(self._limit(ratios, debt + self._undrawn(keeper)) - debt, 0)

    def withdraw_allowed(self, keeper: Keeper) -> int:
        """All (2**256 - 1), or 0: while paused, while crvUSD is above 1 by the aggregator, and to a keeper that is not registered."""
        if self.is_killed & WITHDRAW or self.aggregator.price() > WAD or not self._knows(keeper):
            return 0
        return UINT256_MAX

    def remove_peg_keepers(self, keepers: Sequence[Keeper], *, sender: str = "admin") -> None:
        """Takes keepers off the list, with the oracles of their coins; the last one moves to the place of each."""
        super().remove_peg_keepers(keepers, sender=sender)
        for keeper in keepers:
            self._coin_oracles.pop(keeper, None)

    def set_coin_oracle(self, keeper: Keeper, oracle: Priced | None, min_price: int, *, sender: str = "admin") -> None:
        """Providing to a registered keeper's pool stops while ``oracle`` is below ``min_price``, at most 1; None stops nothing."""
        self._only_admin(sender)
        if not self._knows(keeper):
            raise Revert(because="a keeper is not known")
        least = _at_most(min_price, WAD)
        self._coin_oracles.pop(keeper, None)
        if oracle is not None:
            self._coin_oracles[keeper] = oracle, least

    def set_killed(self, is_killed: int, *, sender: str = "admin") -> None:
        """0 nothing is paused, 1 providing, 2 withdrawing, 3 both; the emergency admin may pause more, not less."""
        _at_most(is_killed, PROVIDE | WITHDRAW)
        if sender != self.admin and (sender != self.emergency_admin or self.is_killed & is_killed != self.is_killed):
            raise Revert(because=f"{sender} may not do that")
        self.is_killed = is_killed

    def _undrawn(self, keeper: Keeper) -> int:
        """The keeper's crvUSD, as it says itself."""
        return keeper.undrawn()


VERSIONS: dict[str, type[PegKeeperRegulator]] = {"v1": PegKeeperRegulator, "v1.1.0": PegKeeperRegulatorV110}


def _in_pair(keeper: Keeper, price: int) -> int:
    """crvUSD in the paired coin, of the price of coin 1 in coin 0."""
    return divided(10**36, price) if keeper.is_inverse else price


def _at_most(value: int, limit: int) -> int:
    if uint("value", value) > limit:
        raise Revert(because=f"{value} is above {limit}")
    return value


def _place(keepers: Sequence[Keeper], keeper: Keeper) -> int | None:
    return next((at for at, known in enumerate(keepers) if known is keeper), None)
