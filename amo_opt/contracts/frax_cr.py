"""The stablecoin FRAX, who may mint it, its collateral ratio, and the PIDController that steers the ratio from outside.

Prices, ratios, steps and bands in 1e6, FRAX in 1e18, times in seconds. The price here is ETH/USD over the pair oracle's FRAX for one
ETH, which is not the price the pool's doors read, nor the controller's (a TWAP of the Curve metapool).

Sources: FraxFinance/frax-solidity @ 30532c8: src/hardhat/contracts/Frax/Frax.sol (solc 0.6.11: plain - wraps, SafeMath reverts) and
Oracle/PIDController.sol (solc 0.8.11), which the vectors were measured on; the texts were read as of 05b337c and 5f90819, and the vectors
tell no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from amo_opt.contracts.frax_world import (
    PANIC_OVERFLOW,
    PRICE_PRECISION,
    SAFE_MATH_06,
    SAFE_MATH_08,
    Chain,
    Contract,
    ERC20Custom,
    State,
    World,
    as_uint256,
    external,
    readable,
    replay_in,
    require,
)
from amo_opt.contracts.integers import UINT256_MAX, uint256

NOT_GOVERNANCE = "Not the owner, controller, or the governance timelock"


class Pool(Protocol):
    """What the stablecoin asks of the contracts on its list."""

    address: str

    def collatDollarBalance(self) -> int:
        """Value of the collateral, 1e18."""


@dataclass
class PriceOracle:
    """ETH/USD (``eth_usd_answer`` in 10**decimals, signed) and ``consult``: FRAX for 1e6 of wrapped ETH."""

    eth_usd_answer: int = 10**8
    eth_usd_decimals: int = 8
    consult: int = PRICE_PRECISION

    def eth_usd_price(self) -> int:
        """Dollars for an ETH, 1e6, floored; an answer below zero wraps and overflows."""
        scaled = SAFE_MATH_06.mul(as_uint256(self.eth_usd_answer), PRICE_PRECISION)
        return SAFE_MATH_06.div(scaled, pow(10, self.eth_usd_decimals, UINT256_MAX + 1))

    def frax_price(self) -> int:
        """Dollars for a FRAX, 1e6, floored twice."""
        return SAFE_MATH_06.div(SAFE_MATH_06.mul(self.eth_usd_price(), PRICE_PRECISION), self.consult)


class FRAXStablecoin(ERC20Custom):
    """FRAX: supply, list of pools, and the collateral ratio with its rule of one step a refresh."""

    safe_math = SAFE_MATH_06

    def __init__(self, chain: Chain, oracle: PriceOracle | None = None) -> None:
        super().__init__(chain, "frax")
        self.oracle = oracle or PriceOracle()
        self.controller_address = ""
        self.frax_pools: dict[str, bool] = {}
        self.frax_pools_array: list[Pool | None] = []
        self.global_collateral_ratio = PRICE_PRECISION
        self.frax_step = 2_500
        self.refresh_cooldown = 3_600
        self.price_target = PRICE_PRECISION
        self.price_band = 5_000
        self.last_call_time = 0
        self.collateral_ratio_paused = False

    def is_pool(self, address: str) -> bool:
        """Whether an account may mint and burn."""
        return self.frax_pools.get(address, False)

    def eth_usd_price(self) -> int:
        """Dollars for an ETH, 1e6."""
        return self.oracle.eth_usd_price()

    def frax_price(self) -> int:
        """Dollars for a FRAX, 1e6, by which the ratio moves."""
        return self.oracle.frax_price()

    def globalCollateralValue(self) -> int:
        """Value of all collateral of all pools on the list, 1e18; reverts where one of them does."""
        total = 0
        for pool in self.frax_pools_array:
            if pool is not None:
                total = self.safe_math.add(total, pool.collatDollarBalance())
        return total

    @external
    def refreshCollateralRatio(self) -> None:
        """Moves the ratio one step away from the price's side of the band; anyone may call.

        Inside the band nothing moves, and the cooldown starts again all the same.
        """
        require(not self.collateral_ratio_paused, "Collateral Ratio has been paused")
        price, step = self.frax_price(), self.frax_step
        elapsed = as_uint256(self.chain.timestamp - self.last_call_time)
        require(elapsed >= self.refresh_cooldown, "Must wait for the refresh cooldown since last refresh")
        if price > self.safe_math.add(self.price_target, self.price_band):
            self.global_collateral_ratio = max(self.global_collateral_ratio - step, 0)
        elif price < self.safe_math.sub(self.price_target, self.price_band):
            self.global_collateral_ratio = min(self.safe_math.add(self.global_collateral_ratio, step), PRICE_PRECISION)
        self.last_call_time = self.chain.timestamp

    @external
    def pool_mint(self, m_address: str, m_amount: int, *, sender: str) -> None:
        """Makes FRAX (1e18) for an account; pools only."""
        require(self.is_pool(sender), "Only frax pools can call this function")
        self._mint(m_address, m_amount)

    @external
    def pool_burn_from(self, b_address: str, b_amount: int, *, sender: str) -> None:
        """Burns an account's FRAX (1e18); pools only."""
        require(self.is_pool(sender), "Only frax pools can call this function")
        self._burn(b_address, b_amount)

    def _only_governance(self, sender: str) -> None:
        require(sender in {self.owner, self.timelock_address, self.controller_address}, NOT_GOVERNANCE)

    @external
    def addPool(self, pool_address: Pool, *, sender: str) -> None:
        """Puts a contract on the list."""
        self._only_governance(sender)
        require(not self.is_pool(pool_address.address), "Address already exists")
        self.frax_pools[pool_address.address] = True
        self.frax_pools_array = [*self.frax_pools_array, pool_address]

    @external
    def removePool(self, pool_address: Pool, *, sender: str) -> None:
        """Takes a contract off the list, and its collateral out of the value."""
        self._only_governance(sender)
        require(self.is_pool(pool_address.address), "Address nonexistant")
        del self.frax_pools[pool_address.address]
        self.frax_pools_array = [None if pool is pool_address else pool for pool in self.frax_pools_array]

    @external
    def setFraxStep(self, new_step: int, *, sender: str) -> None:
        """Sets the step, 1e6; any number is taken, here and below."""
        self._only_governance(sender)
        self.frax_step = new_step

    @external
    def setPriceTarget(self, price_target: int, *, sender: str) -> None:
        """Sets the price the ratio steers by, 1e6."""
        self._only_governance(sender)
        self.price_target = price_target

    @external
    def setRefreshCooldown(self, new_cooldown: int, *, sender: str) -> None:
        """Sets the seconds between two refreshes."""
        self._only_governance(sender)
        self.refresh_cooldown = new_cooldown

    @external
    def setPriceBand(self, price_band: int, *, sender: str) -> None:
        """Sets how far from the target the ratio stands still, 1e6."""
        self._only_governance(sender)
        self.price_band = price_band

    @external
    def toggleCollateralRatio(self, *, sender: str) -> None:
        """Stops or lets go refreshes; owner and timelock have the role."""
        require(sender in {self.owner, self.timelock_address}, "")
        self.collateral_ratio_paused = not self.collateral_ratio_paused


@dataclass
class ReserveTracker:
    """What the controller is told: FXS in the pools (1e18), FXS's price and FRAX's TWAP on Curve (1e6)."""

    getFXSReserves: int = 0  # noqa: N815  # the contract's name
    getFXSPrice: int = 0  # noqa: N815  # as above
    frax_twap_price: int = PRICE_PRECISION


class PIDController(Contract):
    """Steers FRAX's ratio by the metapool's price, or by growth of FXS's liquidity over supply, through FRAX's own rule.

    It names the step and pushes FRAX's target out of the way, to 0 for what it means as a rise and to 1000 dollars for a fall; FRAX's
    rule reads the first as a price too high and the second as one too low, so the ratio moves the other way. FRAX is left with a step of 0.
    """

    def __init__(self, chain: Chain, frax: FRAXStablecoin, reserve_tracker: ReserveTracker | None = None) -> None:
        super().__init__(chain, "pid")
        self.FRAX = frax
        self.reserve_tracker = reserve_tracker or ReserveTracker()
        self.growth_ratio = 0
        self.frax_step = 2_500
        self.GR_top_band = 1_000
        self.GR_bottom_band = 1_000
        self.FRAX_top_band = 0
        self.FRAX_bottom_band = 0
        self.internal_cooldown = 0
        self.last_update = 0
        self.is_active = False
        self.use_growth_ratio = False
        self.collateral_ratio_paused = False
        self.FIP_6 = False

    @external
    def refreshCollateralRatio(self) -> None:
        """Works out the step from the TWAP (strictly outside its bands) or the growth ratio, and has FRAX take it if active."""
        require(not self.collateral_ratio_paused, "Collateral Ratio has been paused")
        elapsed = SAFE_MATH_08.sub(self.chain.timestamp, self.last_update)
        require(elapsed >= self.internal_cooldown, "internal cooldown not passed")
        liquidity = SAFE_MATH_08.mul(self.reserve_tracker.getFXSReserves, self.reserve_tracker.getFXSPrice)
        growth_ratio = SAFE_MATH_08.div(liquidity, self.FRAX.totalSupply)
        price, last = self.reserve_tracker.frax_twap_price, self.FRAX.global_collateral_ratio
        if self.FIP_6:
            outside = price > self.FRAX_top_band or price < self.FRAX_bottom_band
            require(outside, "Use PIDController when FRAX is outside of peg")
        new = min(self._intended_ratio(last, price, growth_ratio), PRICE_PRECISION)
        self.growth_ratio, self.last_update = growth_ratio, self.chain.timestamp
        if self.is_active:
            self._have_it_taken(last, new)

    def _intended_ratio(self, last: int, price: int, growth_ratio: int) -> int:
        """The ratio after one step; reverts where a fall would pass 0."""
        if price > self.FRAX_top_band:
            return SAFE_MATH_08.sub(last, self.frax_step)
        if price < self.FRAX_bottom_band:
            return SAFE_MATH_08.add(last, self.frax_step)
        if self.use_growth_ratio:
            if growth_ratio > self._grown(uint256(PRICE_PRECISION + self.GR_top_band, PANIC_OVERFLOW)):
                return SAFE_MATH_08.sub(last, self.frax_step)
            if growth_ratio < self._grown(uint256(PRICE_PRECISION - self.GR_bottom_band, PANIC_OVERFLOW)):
                return SAFE_MATH_08.add(last, self.frax_step)
        return last

    def _grown(self, factor: int) -> int:
        return SAFE_MATH_08.mul(self.growth_ratio, factor) // PRICE_PRECISION

    def _have_it_taken(self, last: int, new: int) -> None:
        frax, sender = self.FRAX, self.address
        if new != last:
            frax.setPriceTarget(0 if new > last else 1_000 * PRICE_PRECISION, sender=sender)
        frax.setFraxStep(abs(new - last), sender=sender)
        cooldown = frax.refresh_cooldown
        frax.setRefreshCooldown(0, sender=sender)
        frax.refreshCollateralRatio()
        frax.setFraxStep(0, sender=sender)
        frax.setRefreshCooldown(cooldown, sender=sender)
        frax.setPriceTarget(PRICE_PRECISION, sender=sender)

    def _only_governance(self, sender: str) -> None:
        require(sender in {self.owner, self.timelock_address}, "You are not the owner or the governance timelock")

    @external
    def activate(self, state: bool, *, sender: str) -> None:  # noqa: FBT001  # the contract's argument, here and below
        """Whether FRAX is to take the step."""
        self._only_governance(sender)
        self.is_active = state

    @external
    def useGrowthRatio(self, use_growth_ratio: bool, *, sender: str) -> None:  # noqa: FBT001
        """Whether the growth ratio counts where the price is inside its bands."""
        self._only_governance(sender)
        self.use_growth_ratio = use_growth_ratio

    @external
    def activateFIP6(self, activate: bool, *, sender: str) -> None:  # noqa: FBT001
        """Whether a refresh inside the price's bands reverts."""
        self._only_governance(sender)
        self.FIP_6 = activate

    @external
    def toggleCollateralRatio(self, is_paused: bool, *, sender: str) -> None:  # noqa: FBT001
        """Stops or lets go this controller's refreshes."""
        self._only_governance(sender)
        self.collateral_ratio_paused = is_paused

    @external
    def setGrowthRatioBands(self, GR_top_band: int, GR_bottom_band: int, *, sender: str) -> None:
        """Sets how far the growth ratio may move, up and down, 1e6."""
        self._only_governance(sender)
        self.GR_top_band, self.GR_bottom_band = GR_top_band, GR_bottom_band

    @external
    def setPriceBands(self, top_band: int, bottom_band: int, *, sender: str) -> None:
        """Sets the prices between which the ratio stands still, 1e6."""
        self._only_governance(sender)
        self.FRAX_top_band, self.FRAX_bottom_band = top_band, bottom_band

    @external
    def setInternalCooldown(self, internal_cooldown: int, *, sender: str) -> None:
        """Sets the seconds between two refreshes."""
        self._only_governance(sender)
        self.internal_cooldown = internal_cooldown

    @external
    def setFraxStep(self, new_step: int, *, sender: str) -> None:
        """Sets the step, 1e6."""
        self._only_governance(sender)
        self.frax_step = new_step


FRAX_FIELDS = {
    "total_supply": "totalSupply",
    "global_collateral_ratio": "global_collateral_ratio",
    "frax_step": "frax_step",
    "refresh_cooldown": "refresh_cooldown",
    "price_target": "price_target",
    "price_band": "price_band",
    "last_call_time": "last_call_time",
    "paused": "collateral_ratio_paused",
}
PID_FIELDS = [
    "growth_ratio",
    "frax_step",
    "GR_top_band",
    "GR_bottom_band",
    "FRAX_top_band",
    "FRAX_bottom_band",
    "internal_cooldown",
    "last_update",
    "is_active",
    "use_growth_ratio",
    "collateral_ratio_paused",
    "FIP_6",
]
PLAIN = {"last_call_time", "last_update", "eth_usd_decimals"}
"""Figures that states give as JSON integers."""


class CollateralRatioWorld(World):
    """FRAX with its price oracle and, where the case has one, the PIDController as FRAX's controller."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        block = case["before"]["block"]
        super().__init__(Chain(number=block["number"], timestamp=block["timestamp"]))
        self.oracle = PriceOracle()
        self.FRAX = FRAXStablecoin(self.chain, self.oracle)
        self.pid: PIDController | None = None
        if "pid" in case["before"]:
            self.pid = PIDController(self.chain, self.FRAX)
            self.FRAX.controller_address = self.pid.address
        self.load(case["before"])

    def method(self, function: str) -> Callable[..., Any]:
        """FRAX's, or with ``pid_`` before it the controller's."""
        if function == "pid_refresh":
            function = "pid_refreshCollateralRatio"
        if function.startswith("pid_"):
            return getattr(self.pid, function.removeprefix("pid_"))  # type: ignore[no-any-return]
        return getattr(self.FRAX, function)  # type: ignore[no-any-return]

    def load(self, changes: Mapping[str, Any]) -> None:
        """Clock, oracle, tracker and what the two contracts store."""
        vars(self.chain).update(changes.get("block", {}))
        held_by: list[tuple[str, Any, Mapping[str, str]]] = [
            ("frax", self.FRAX, FRAX_FIELDS),
            ("oracle", self.oracle, {name: name for name in vars(self.oracle)}),
        ]
        if self.pid is not None:
            tracker = self.pid.reserve_tracker
            held_by += [
                ("pid", self.pid, {name: name for name in PID_FIELDS}),
                ("tracker", tracker, {name: name for name in vars(tracker)}),
            ]
        for section, holder, fields in held_by:
            for name, value in changes.get(section, {}).items():
                if name in fields:
                    setattr(holder, fields[name], value if isinstance(value, bool) else int(value))

    def state(self) -> State:
        """As the vectors give it."""
        frax = {name: _told(name, getattr(self.FRAX, attribute)) for name, attribute in FRAX_FIELDS.items()}
        told: State = {
            "block": {"number": self.chain.number, "timestamp": self.chain.timestamp},
            "frax": {**frax, "frax_price": readable(self.FRAX.frax_price), "eth_usd_price": readable(self.FRAX.eth_usd_price)},
            "oracle": {name: _told(name, value) for name, value in vars(self.oracle).items()},
        }
        if self.pid is not None:
            told["pid"] = {name: _told(name, getattr(self.pid, name)) for name in PID_FIELDS}
            told["tracker"] = {name: _told(name, value) for name, value in vars(self.pid.reserve_tracker).items()}
        return told


def _told(name: str, value: int) -> int | str:
    return value if isinstance(value, bool) or name in PLAIN else str(value)


def from_state(case: Mapping[str, Any]) -> CollateralRatioWorld:
    """The contracts of a case of ``frax_cr``, at its state ``before``."""
    return CollateralRatioWorld(case)


def replay(case: Mapping[str, Any]) -> Iterator[tuple[State, State]]:
    """Runs the calls of a case of ``frax_cr``: what was measured and what comes out here, as `frax_world.replay_in` tells."""
    return replay_in(from_state(case), case)
