"""PegKeeperV2: moves crvUSD between its own stock and one pool, a fifth of the imbalance a call, and pays the caller out of the profit.

curvefi/curve-stablecoin: contracts/stabilizer/PegKeeperV2.vy, @ dd4f811e with a delay that can be set (12 s at first), @ ee49e342
with 900 s; not compared with deployed bytecode. crvUSD, LP and virtual prices in 1e18, coins in base units, shares of 1e5, seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert, divided, uint, uint256
from amo_opt.contracts.oracle_pool import OraclePool

SHARE_PRECISION = 10**5
STEPS = 5
"""Calls that would level the pool, if each did not leave less."""


class Regulator(Protocol):
    """What a keeper asks before it moves."""

    fee_receiver: str

    def provide_allowed(self, keeper: PegKeeperV2) -> int: ...  # noqa: D102
    def withdraw_allowed(self, keeper: PegKeeperV2) -> int: ...  # noqa: D102


class PegKeeperV2:
    """A keeper of one pool; its LP stands in the pool under ``name``, its crvUSD is ``stablecoin_balance``.

    ``pegged_index`` is crvUSD's place in the pool. ``debt`` and ``last_change`` begin at 0 and may be set. A call that reverts leaves keeper and pool as they were.
    """

    def __init__(
        self,
        pool: OraclePool,
        regulator: Regulator,
        *,
        pegged_index: int,
        caller_share: int,
        stablecoin_balance: int = 0,
        action_delay: int = 12,
        name: str = "keeper",
    ) -> None:
        self.pool = pool
        self.regulator = regulator
        self.pegged_index = pegged_index
        self.is_inverse = pegged_index == 0
        self.caller_share = _share(caller_share)
        self.stablecoin_balance = uint("stablecoin_balance", stablecoin_balance)
        self.debt = 0
        self.last_change = 0
        self.action_delay = uint("action_delay", action_delay)
        self.name = name

    @property
    def lp(self) -> int:
        """LP that the keeper holds."""
        return self.pool.balance_of.get(self.name, 0)

    def undrawn(self) -> int:
        """Not a function of this keeper: whoever calls it reverts."""
        raise Revert(because="PegKeeperV2 has no undrawn()")

    # -- views ----------------------------------------------------------------------------------------------------------------

    def calc_profit(self) -> int:
        """LP beyond the debt at the pool's virtual price; 0 where there is less."""
        return _profit(self.lp, self.pool.get_virtual_price(), self.debt)

    def estimate_caller_profit(self) -> int:
        """LP that `update` would pay, at the virtual price of before: less than it does pay, as the move raises that price.

        0 during the delay and where the move would not pay, so also where `update` reverts.
        """
        if self._too_early():
            return 0
        provide, difference = self._side()
        moved = min(difference // STEPS, self._allowed(provide=provide), self.stablecoin_balance if provide else self.debt)
        lp, price, sign = self.lp, self.pool.get_virtual_price(), 1 if provide else -1
        before = _profit(lp, price, self.debt)
        lp = uint256(lp + sign * self.pool.calc_token_amount(self._amounts(moved), provide))
        after = _profit(lp, price, uint256(self.debt + sign * moved))
        return uint256(max(after - before, 0) * self.caller_share) // SHARE_PRECISION

    # -- calls ----------------------------------------------------------------------------------------------------------------

    def update(self, beneficiary: str = "caller") -> int:
        """Moves up to a fifth of the imbalance and pays ``beneficiary`` its share of the rise of the profit, in LP, which is returned.

        crvUSD is provided where the paired coin is the larger side and withdrawn otherwise, an even pool included; the price plays no
        part. 0, and nothing happens, during the delay; reverts with "Regulator ban" where the regulator allows nothing, without a
        reason where there is nothing to move, with "peg unprofitable" where the profit does not rise.
        """
        with self._transaction():
            if self._too_early():
                return 0
            provide, difference = self._side()
            before = self.calc_profit()
            allowed = self._allowed(provide=provide)
            if allowed == 0:
                raise Revert("Regulator ban")
            if wanted := min(difference // STEPS, allowed):
                self._move(wanted, provide=provide)
            rise = self.calc_profit() - before
            if rise <= 0:
                raise Revert("peg unprofitable")
            reward = uint256(rise * self.caller_share) // SHARE_PRECISION
            if reward:
                self.pool.transfer(self.name, beneficiary, reward)
            return reward

    def withdraw_profit(self) -> int:
        """Sends the profit to the regulator's fee receiver and returns it, in LP."""
        profit = self.calc_profit()
        self.pool.transfer(self.name, self.regulator.fee_receiver, profit)
        return profit

    def set_new_caller_share(self, share: int) -> None:
        """The caller's share of the profit, at most all."""
        self.caller_share = _share(share)

    def set_new_action_delay(self, delay: int) -> None:
        """Seconds between moves."""
        self.action_delay = uint("delay", delay)

    def set_new_regulator(self, regulator: Regulator) -> None:
        """Whom the keeper asks from now on."""
        self.regulator = regulator

    # -- parts ----------------------------------------------------------------------------------------------------------------

    def _too_early(self) -> bool:
        return uint256(self.last_change + self.action_delay) > self.pool.timestamp

    def _side(self) -> tuple[bool, int]:
        """Whether to provide, and by how much the sides differ, in crvUSD's unit."""
        paired = 1 - self.pegged_index
        pegged = self.pool.balances[self.pegged_index]
        other = uint256(self.pool.balances[paired] * 10 ** (18 - self.pool.decimals[paired]))
        return other > pegged, abs(other - pegged)

    def _allowed(self, *, provide: bool) -> int:
        return self.regulator.provide_allowed(self) if provide else self.regulator.withdraw_allowed(self)

    def _amounts(self, moved: int) -> list[int]:
        return [moved if at == self.pegged_index else 0 for at in range(2)]

    def _move(self, wanted: int, *, provide: bool) -> None:
        moved = min(wanted, self.stablecoin_balance if provide else self.debt)
        if provide:
            self.pool.add_liquidity(self._amounts(moved), self.name)
        else:
            self.pool.remove_liquidity_imbalance(self._amounts(moved), self.name)
        self.last_change = self.pool.timestamp
        self.debt = uint256(self.debt + (moved if provide else -moved))
        self.stablecoin_balance = uint256(self.stablecoin_balance - (moved if provide else -moved))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        before = self.debt, self.last_change, self.stablecoin_balance
        try:
            with self.pool._transaction():  # noqa: SLF001
                yield
        except BaseException:
            self.debt, self.last_change, self.stablecoin_balance = before
            raise


class PegKeeperV2Of900(PegKeeperV2):
    """The earlier form: 900 s between moves, for good."""

    def __init__(
        self,
        pool: OraclePool,
        regulator: Regulator,
        *,
        pegged_index: int,
        caller_share: int,
        stablecoin_balance: int = 0,
        name: str = "keeper",
    ) -> None:
        super().__init__(
            pool,
            regulator,
            pegged_index=pegged_index,
            caller_share=caller_share,
            stablecoin_balance=stablecoin_balance,
            action_delay=900,
            name=name,
        )

    def set_new_action_delay(self, delay: int) -> None:
        """Not a function of this keeper: reverts."""
        raise Revert(because=f"the delay is 900 s and cannot become {delay}")


class Allowances:
    """A regulator that allows what it is told."""

    fee_receiver = "fee_receiver"

    def __init__(self, provide: int = UINT256_MAX, withdraw: int = UINT256_MAX) -> None:
        self.provide = provide
        self.withdraw = withdraw

    def provide_allowed(self, _keeper: object) -> int:
        """crvUSD."""
        return self.provide

    def withdraw_allowed(self, _keeper: object) -> int:
        """crvUSD."""
        return self.withdraw


def _profit(lp: int, virtual_price: int, debt: int) -> int:
    return max(lp - divided(debt * WAD, virtual_price), 0)


def _share(share: int) -> int:
    if uint("share", share) > SHARE_PRECISION:
        raise Revert(because=f"a share of {share} is above {SHARE_PRECISION}")
    return share
