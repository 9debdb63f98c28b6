"""A slow, readable twin of the kernel's step: one path, plain floats, in the order of the model. No array, no Numba, no closed forms.

It is written from the model in words (docs/model.md, the docstrings of each stage): to learn the model, start at `Twin.step` and read down.
Where the kernel has a fixed number of Halley steps the twin iterates to rest, where the kernel inverts a price in closed form the twin searches, where the
kernel selects the twin branches, and where the kernel looks before it acts the twin acts, looks and takes back. One thing is shared: the arbitrage between
Curve and Uniswap takes one Newton and one secant step in both, since what it leaves is part of the model. It is long because it is all of
the model; each section stands for one file of the package.

Words used throughout: `own` = the protocol's share of the pool; "own stablecoin" = what the protocol holds or can withdraw; "external
supply" = the rest; "outside" = what lies in no venue and could be sold to the pool; a price is dollars a stablecoin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from scipy.optimize import brentq

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

# -- the pool: ann (x + y) + D = ann D + D^3 / (4 x y) ---------------------------------------------------------------------------


def rest(step: Callable[[float], float], start: float) -> float:
    """Iterates to where nothing moves but rounding."""
    value = start
    for _ in range(500):
        moved = step(value)
        if abs(moved - value) <= 2e-16 * abs(moved):
            return moved
        value = moved
    return value


def get_D(x: float, y: float, ann: float) -> float:
    """D by the contract's own Newton iteration, in floats."""

    def step(d: float) -> float:
        cube = d**3 / (4 * x * y)
        return (ann * (x + y) + 2 * cube) * d / ((ann - 1) * d + 3 * cube)

    return rest(step, x + y)


def get_y(x: float, d: float, ann: float) -> float:
    """The other balance by the contract's own Newton iteration, in floats."""
    b, c = x + d / ann, d**3 / (4 * x * ann)
    return rest(lambda y: (y * y + c) / (2 * y + b - d), d)


def spot(x: float, y: float, d: float, ann: float) -> float:
    """Marginal price of x in y, before the fee."""
    k = d**3 / (4 * x * y)
    return (ann + k / x) / (ann + k / y)


@lru_cache(maxsize=4096)
def scaled_x(price: float, ann: float) -> float:
    """x / D at a price, by a bracketed search on its logarithm."""

    def gap(log_x: float) -> float:
        x = math.exp(log_x)
        return math.log(spot(x, get_y(x, 1.0, ann), 1.0, ann) / price)

    return math.exp(float(brentq(gap, -7.0, 7.0, xtol=1e-15, rtol=1e-15)))


# -- depth within 10 bp, what two-way volume chooses a venue by ------------------------------------------------------------------


def curve_depth(d: float, ann: float) -> float:
    """What moves the price of a balanced pool by about 10 bp: it rises with A and saturates at one side of the pool."""
    z = 0.001 * (ann + 2) / 4
    return d / 2 * z / (1 + z)


def range_depth(liquidity: float) -> float:
    """What moves a range's price by 10 bp, its root by 5 bp."""
    return liquidity * 0.001 / 2


# -- lending markets ---------------------------------------------------------------------------------------------------------------


def two_slopes(utilisation: float, kink: float, slope_1: float, slope_2: float) -> float:
    """The borrow rate a year: up to slope 1 at the kink, and slope 2 more at full utilisation."""
    return slope_1 * min(1.0, utilisation / kink) + slope_2 * max(0.0, (utilisation - kink) / (1 - kink))


def forget(hours: float) -> float:
    """What a mean over so many hours forgets in one."""
    return 1 - math.exp(-1 / hours)


@dataclass
class LendingMarket:
    """A market's rate curve and what borrowers leave of its deposits, at the rate they have seen on average."""

    kink: float
    slope_1: float
    slope_2: float
    reserve_factor: float
    elasticity: float
    memory_hours: float
    rate: float = 0.0

    def unborrowed(self, deposits: float, demand: float, rate: float) -> float:
        return max(0.0, deposits - demand / (1 + self.elasticity * rate))

    def rate_at(self, utilisation: float) -> float:
        return two_slopes(utilisation, self.kink, self.slope_1, self.slope_2)

    def rests(self, deposits: float, demand: float) -> None:
        """The market starts at the rate at which borrowers take just what makes that rate."""

        def excess(rate: float) -> float:
            return self.rate_at(1 - self.unborrowed(deposits, demand, rate) / deposits) - rate

        high = self.slope_1 + self.slope_2
        self.rate = high if excess(high) >= 0 else float(brentq(excess, 0.0, high, xtol=1e-18, rtol=1e-15))

    def interest(self, lent: float, deposits: float, free: float) -> float:
        """What a deposit earns in the hour; the mean rate moves towards the hour's."""
        utilisation = 1 - free / deposits
        rate = self.rate_at(utilisation)
        self.rate += forget(self.memory_hours) * (rate - self.rate)
        return lent * rate * utilisation * (1 - self.reserve_factor) / 8760


@dataclass
class Lender:
    """An AMO that lends collateral in one market: its cap, deposit, what of it can be withdrawn this hour, and the minter's book.

    ``inputs`` begins the names of its market's figures and of its accounting line, ``name`` those of its market's inputs.
    """

    name: str
    inputs: str
    market: LendingMarket
    cap: float
    lent: float
    book: float
    free: float = 0.0

    @property
    def stuck(self) -> float:
        return max(0.0, self.lent - self.free)


# -- the path ---------------------------------------------------------------------------------------------------------------------

LINES = (
    "income_lending",
    "income_investor",
    "income_fraxlend",
    "income_swap_fees",
    "income_uniswap_fees",
    "income_rewards",
    "income_fraxlend_bad_debt",
    "income_primary_fees",
    "income_market_operations",
    "income_venue_losses",
    "income_liquidation",
    "income_mark_to_market",
    "income_debt_discount",
    "capital_shares_issued",
    "capital_shares_burned",
    "capital_recollateralised",
    "capital_buybacks",
)
"""Where every change of net asset value is booked."""
OPERATIONS = (
    "loss: aave", "loss: investor", "loss: fraxlend", "loss: curve",
    "providers: flee", "providers: come for yield", "providers: leave for yield", "providers: not to what is not covered",
    "holders: run", "holders: sell what is dear", "buyers: of value", "borrowers: sell", "borrowers: buy",
    "buyers: wait", "pool: bought", "pool: sold at a fair price", "pool: sold to the door's price", "pool: sold to the reservation",
    "door: arbitraged", "door: redeemed", "door: shut by the gate", "door: minted", "door: at its ceiling", "claims: wait", "pool: failed",
    "arbitrage: into the range", "arbitrage: out of the range", "range: all stablecoin", "range: all collateral",
    "controller: up", "controller: down",
    "shares: recollateralised", "shares: bought back", "shares: fxs1559", "shares: fxs1559 at its limit",
    "triggers: unwinding", "triggers: re-entry",
    "curve: brings", "curve: brings half a pool", "curve: mints", "curve: burns", "curve: over its cap", "curve: unwinds", "curve: taken back", "curve: shut by min_cr",
    "uniswap: adds", "uniswap: off the middle", "uniswap: over its cap", "uniswap: unwinds", "uniswap: taken back",
    "fraxlend: mints", "fraxlend: over its cap", "fraxlend: unwinds", "fraxlend: taken back", "fraxlend: fully utilised", "fraxlend: nothing to repay with",
    "fraxlend: bad debt",
    "aave: lends", "aave: over its cap", "aave: refills the buffer", "aave: unwinds", "aave: waits for the venue",
    "investor: lends", "investor: over its cap", "investor: refills the buffer", "investor: unwinds", "investor: waits for the venue",
    "minter: no room to mint", "minter: no room to borrow",
)  # fmt: skip
"""What can happen in an hour, as `Twin.seen` counts it."""


@dataclass
class Twin:
    """One path; attributes carry the kernel's names. `run` plays the market's hours and keeps every hour's figures in `history`."""

    study: Study
    parameters: ParameterSet
    history: list[dict[str, float]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OPERATIONS, 0))

    def run(self, hours: list[Mapping[str, float]]) -> Twin:
        self.open(hours[0])
        self.nav_snapshot = self.nav()
        for hour, market in enumerate(hours):
            if hour == self.study.simulation.transition_hours:
                self.settle()
                self.nav_start, self.booked_before = self.nav(), sum(self.lines.values())
                self.clear()
            self.step(hour, market)
            if hour == len(hours) - 1:
                self.settle()
            self.history.append(self.figures())
        self.nav_end = self.nav()
        return self

    def step(self, hour: int, market: Mapping[str, float]) -> None:
        """One hour, in the model's order."""
        self.new_prices(hour, market)
        self.venue_losses(market)
        self.interest(market)
        self.swap_fees_and_rewards(market)
        self.range_fees(market)
        self.providers(market)
        self.holders(market)
        self.trades(market)
        self.arbitrage()
        self.observe()
        self.controller()
        self.share_operations()
        self.triggers()
        self.curve_amo(market)
        self.uniswap_amo(market)
        self.fraxlend_amo(market)
        for lender in self.lenders:
            self.lending_amo(lender, market)
        self.cr_contract, self.cr_external, self.cr_par = self.contract_ratio(), self.external_ratio(), self.external_ratio(at_market=False)
        self.path_statistics(hour)

    @property
    def cr(self) -> float:
        """What of a unit is paid in collateral: the target, at most all of it."""
        return min(1.0, self.target)

    def happened(self, operation: str, does: float | bool = True) -> None:
        """Counts an hour of the operation if it does anything."""
        self.seen[operation] += bool(does)

    def book(self, line: str, dollars: float) -> None:
        self.lines[line] += dollars

    def figures(self) -> dict[str, float]:
        """Every figure of the hour under the kernel's name."""
        plain = {name: float(value) for name, value in vars(self).items() if isinstance(value, float | int)}
        return plain | self.lines | {
            "own": self.own,
            "pool_x": self.x,
            "pool_y": self.y,
            "collateral_ratio": self.target,
            "scaled_cr": scaled_x(max(0.01, self.cr), self.ann),
            "aave.lent": self.aave.lent,
            "aave.rate": self.aave.market.rate,
            "aave.free": self.aave.free,
            "aave.borrowed": self.aave.book,
            "investor.lent": self.investor.lent,
            "investor.rate": self.investor.market.rate,
            "investor.free": self.investor.free,
            "investor.borrowed": self.investor.book,
            "fraxlend.lent": self.fraxlend_lent,
            "fraxlend.rate": self.fraxlend.rate,
            "fraxlend.rate_without": self.without.rate,
            "fraxlend.free": self.fraxlend_free,
            "fraxlend.drawn": self.fraxlend_drawn,
            "fraxlend.minted": self.fraxlend_minted,
            "fraxlend.price": self.pledged,
            "fraxlend.due": self.pledged_due,
            "fraxlend.lowest": self.pledged_lowest,
            "curve.minted": self.curve_minted,
            "curve.borrowed": self.curve_borrowed,
            "uniswap.liquidity": self.uniswap_liquidity,
            "uniswap.root": self.uniswap_root,
            "uniswap.x": self.uniswap_x,
            "uniswap.y": self.uniswap_y,
            "uniswap.minted": self.uniswap_minted,
            "uniswap.borrowed": self.uniswap_borrowed,
            "unsound": 0.0,
        } | self.totals()  # fmt: skip

    def totals(self) -> dict[str, float]:
        """The totals over the AMOs, each added up by name."""
        lent = self.aave.lent + self.investor.lent
        in_range = self.uniswap_liquidity * (1 / self.root_low - 1 / self.root_high)
        return {
            "at_work": lent + self.uniswap_y,
            "recoverable": lent,
            "cover_coins": lent,
            "pooled_gap": 0.0,
            "own_outside": self.uniswap_x + self.fraxlend_free,
            "own_at_floor": in_range + self.fraxlend_free,
            "own_counted": in_range + self.fraxlend_lent,
            "minted": self.curve_minted + self.fraxlend_minted + self.uniswap_minted,
            "borrowed": self.curve_borrowed + self.aave.book + self.investor.book + self.uniswap_borrowed,
            "owed": 0.0,  # the worked protocol has no borrowers with collateral of their own, no PegKeepers and no monetary policy
            "keeper_debt": 0.0,
            "borrow_rate": 0.0,
        }

    # -- the snapshot ------------------------------------------------------------------------------------------------------------

    def open(self, first: Mapping[str, float]) -> None:
        """The snapshot at the first hour's prices, every lending market at rest."""
        state = self.study.state
        self.behaviour = state.markets
        self.collateral_price, self.base_value = first["collateral_price"], first["base_value"]
        self.open_pool_and_issuer()
        self.open_range()
        self.aave, self.investor = self.lender("aave", "lending"), self.lender("investor", "investor")
        self.open_lending(first)

        # where the AMO's LP tokens are staked: its boost over all places, and what is left of the rewards after fees, bonuses included
        curve, rewards = state.amos.curve, state.rewards
        places = (
            (curve.in_gauge, rewards.gauge),
            (curve.in_convex, rewards.convex),
            (curve.in_stakedao, rewards.stakedao),
            (curve.in_yearn, rewards.yearn),
        )
        self.boost = sum(part.value * place.boost.value for part, place in places)
        kept = sum(part.value * place.boost.value * (1 - place.fee.value) * (1 + place.bonus.value) for part, place in places)
        self.keep = kept / self.boost if self.boost > 0 else 0.0

        self.curve_minted, self.curve_borrowed = curve.minted.value, curve.borrowed.value
        self.start_supply, self.start_collateral = state.stablecoin.supply.value, state.collateral_usd
        # the same on every path: all that Fraxlend and the range were given counts as own, whatever the first hour makes of it
        given = state.amos.fraxlend.lent.value + state.amos.uniswap.liquidity.value
        self.start_external = self.supply - self.own * self.x - given
        self.start_outside = (1 - curve.lp_share.value) * (self.x + self.y)
        fees, gauge = self.pool_fees(first), first["reward_tokens"] * (1 - self.gauge_share()) * first["reward_price"]
        self.outside_yield = self.outside_yield_start = self.yield_now(2 * (1 - state.pool.admin_fee.value) * fees, gauge)
        self.cr_contract, self.cr_external, self.cr_par = self.contract_ratio(), self.external_ratio(), self.external_ratio(at_market=False)
        self.cr_external_start, self.cr_par_start = self.cr_external, self.cr_par
        self.note_stuck()
        self.liquidation_cost = self.cost_of_selling()
        self.clear()

    def open_pool_and_issuer(self) -> None:
        state = self.study.state
        self.x, self.y = state.pool.stablecoin.value, state.base_value
        self.start_a = state.pool.amplification.value
        self.ann = 2 * self.start_a
        self.d = get_D(self.x, self.y, self.ann)
        self.lp_supply = self.d
        self.lp_amo = state.amos.curve.lp_share.value * self.d
        self.supply = state.stablecoin.supply.value
        self.size = self.supply / 2_600_092_892
        self.target = self.most_target = state.controller.collateral_ratio.value
        self.most_target = max(1.0, self.most_target)
        self.earned = self.staying = self.leaving = 0.0
        self.idle = state.collateral.idle.value
        token = state.share_token
        self.share_price = self.share_slow = token.price.value
        self.share_supply = token.supply.value
        self.share_impact = 1.0
        self.depth_ratio = token.depth_usd.value / max(self.size, self.share_price * self.share_supply)
        self.price = self.oracle = spot(self.x, self.y, self.d, self.ann) * self.base_value
        self.backing_value = 1.0
        self.queue = self.buy_queue = self.sell_demand = self.buy_demand = self.fatigue = self.unserved = 0.0
        self.claims = self.net_issued = self.reward_tokens_earned = self.reward_tokens_locked = 0.0
        self.hours_since_refresh = self.unwinding_hours = self.high_hours = 0
        self.unwinding = False

    def open_range(self) -> None:
        """Uniswap's range: L such that at a price of 1 it holds the stated collateral; it stands at the pool's price, or at its nearer end."""
        amo = self.study.state.amos.uniswap
        self.root_low, self.root_high = math.sqrt(1 - amo.half_width.value), math.sqrt(1 + amo.half_width.value)
        self.uniswap_liquidity = amo.liquidity.value / (1 - self.root_low)
        self.outside_liquidity = amo.outside.value / (1 - self.root_low)
        self.uniswap_root = self.within_range(math.sqrt(self.price / self.collateral_price))
        self.uniswap_minted, self.uniswap_borrowed = amo.minted.value, amo.borrowed.value
        self.uses_range = self.parameters.uniswap_cap > 0 or self.uniswap_liquidity > 0

    def lender(self, name: str, inputs: str) -> Lender:
        amo = getattr(self.study.state.amos, name)
        cap = getattr(self.parameters, f"{name}_cap")
        return Lender(name, inputs, self.lending_market(inputs), cap, amo.lent.value, amo.borrowed.value)

    def lending_market(self, name: str) -> LendingMarket:
        kink, slope_1, slope_2, reserve = (
            getattr(self.behaviour, f"{name}_{figure}").value for figure in ("kink", "slope_1", "slope_2", "reserve_factor")
        )
        elasticity = self.behaviour.lending_elasticity.value
        if name == "fraxlend":
            elasticity += self.behaviour.fraxlend_further_elasticity.value
        return LendingMarket(kink, slope_1, slope_2, reserve, elasticity, self.behaviour.lending_memory_hours.value)

    def open_lending(self, first: Mapping[str, float]) -> None:
        for lender in (self.aave, self.investor):
            deposits, demand = first[f"{lender.name}.deposits"] + lender.lent, first[f"{lender.name}.demand"]
            lender.market.rests(deposits, demand)
            free = lender.market.unborrowed(deposits, demand, lender.market.rate)
            lender.free = min(free, first[f"{lender.name}.free_cap"])
        # an AMO without cap and position is left out: nothing of it would ever move
        self.lenders = [lender for lender in (self.aave, self.investor) if lender.cap > 0 or lender.lent > 0]

        amo = self.study.state.amos.fraxlend
        self.fraxlend, self.without = self.lending_market("fraxlend"), self.lending_market("fraxlend")
        self.uses_fraxlend = self.parameters.fraxlend_cap > 0 or amo.lent.value > 0
        self.fraxlend_lent, self.fraxlend_minted = amo.lent.value, amo.minted.value
        self.pledged = self.pledged_due = self.pledged_lowest = 1.0
        others, demand = first["fraxlend.deposits"], first["fraxlend.demand"]
        deposits = others + self.fraxlend_lent
        self.without.rests(others, demand)
        self.fraxlend.rests(deposits, demand)
        free = self.fraxlend.unborrowed(deposits, demand, self.fraxlend.rate)
        self.fraxlend_free = min(free, self.fraxlend_lent)
        self.fraxlend_drawn = deposits - free - (others - self.without.unborrowed(others, demand, self.without.rate))
        self.borrower_flow = 0.0

    def clear(self) -> None:
        """Lines and path statistics start anew with the scored window."""
        self.lines = dict.fromkeys(LINES, 0.0)
        self.income_seen = 0.0
        self.min_price, self.min_oracle = self.price, self.oracle
        self.min_cr_external, self.min_cr_contract = self.cr_external, self.cr_contract
        self.ewm_collateral = self.ewm_dollar = self.loss_collateral = self.loss_dollar = 0.0
        self.deepest_collateral = self.deepest_dollar = self.shortfall = 0.0
        self.hours_below_099 = self.hours_below_min_cr = self.hours_over_caps = self.hours_unwinding = 0
        self.unserved_hours = self.unserved_peak = 0.0
        self.first_bad_hour = self.last_bad_hour = -1

    # -- the balance sheet -------------------------------------------------------------------------------------------------------

    @property
    def own(self) -> float:
        """The protocol's share of the pool."""
        return self.lp_amo / self.lp_supply

    @property
    def own_usd(self) -> float:
        """Base LP on the protocol's side of the pool, at market."""
        return self.own * self.y * self.base_value

    @property
    def uniswap_x(self) -> float:
        """Stablecoin in the range: none at its upper end."""
        return self.uniswap_liquidity * (1 / self.uniswap_root - 1 / self.root_high)

    @property
    def uniswap_y(self) -> float:
        """Collateral in the range: none at its lower end."""
        return self.uniswap_liquidity * (self.uniswap_root - self.root_low)

    @property
    def elsewhere(self) -> float:
        """Own stablecoin that is not in the pool: in the range, and withdrawable from Fraxlend."""
        return self.uniswap_x + self.fraxlend_free

    @property
    def external(self) -> float:
        return self.supply - self.own * self.x - self.elsewhere

    @property
    def outside(self) -> float:
        return max(0.0, self.supply - self.x - self.elsewhere)

    @property
    def tokens(self) -> float:
        """The collateral coin, wherever it is."""
        return self.idle + self.aave.lent + self.investor.lent + self.uniswap_y

    @property
    def total_usd(self) -> float:
        """All collateral at market: what caps and the buffer are shares of."""
        return self.tokens * self.collateral_price + self.own_usd

    @property
    def exit_value(self) -> float:
        """What a leaver could have had in the collateral itself."""
        return min(1.0, self.collateral_price, self.base_value)

    @property
    def failed(self) -> bool:
        """A pool of dust is no market."""
        return self.d <= 1e4 * self.size

    @property
    def share_depth(self) -> float:
        """Dollars of share tokens that would halve their price if sold at once: so much of their market value."""
        return self.depth_ratio * self.share_price * self.share_supply + self.size

    def x_at(self, price: float) -> float:
        """The pool's stablecoin at a price in dollars."""
        return scaled_x(price / self.base_value, self.ann) * self.d

    def within_range(self, root: float) -> float:
        """The root price, or the end of the range that it is at but for rounding."""
        if root <= self.root_low * (1 + 1e-12):
            return self.root_low
        return self.root_high if root >= self.root_high * (1 - 1e-12) else root

    @property
    def in_range(self) -> bool:
        return self.root_low < self.uniswap_root < self.root_high

    @property
    def depth_in_range(self) -> float:
        """The range's depth within 10 bp, others' liquidity in it too; none at its ends."""
        return range_depth(self.uniswap_liquidity + self.outside_liquidity) if self.in_range else 0.0

    def nav(self) -> float:
        """What is not own stablecoin, at market, borrowers' debt at par, less external supply at par, less what selling it all would cost."""
        debt = self.fraxlend_lent - self.fraxlend_free
        return self.total_usd + debt - self.external - self.cost_of_selling()

    def cost_of_selling(self) -> float:
        """Base LP turns into collateral at a fee; what cannot be withdrawn is sold at a discount."""
        stuck = (self.aave.stuck + self.investor.stuck) * self.collateral_price + self.fraxlend_lent - self.fraxlend_free
        return self.study.state.pool.base_fee.value * self.own_usd + self.behaviour.illiquid_haircut.value * stuck

    def settle(self) -> None:
        """Positions count at liquidation value when a window opens or ends."""
        self.note_stuck()
        cost = self.cost_of_selling()
        self.book("income_liquidation", self.liquidation_cost - cost)
        self.liquidation_cost = cost

    def note_stuck(self) -> None:
        """What cannot be withdrawn where books are settled: collateral lent, and what borrowers owe."""
        self.stuck = sum(lender.stuck for lender in self.lenders)
        self.stuck_debt = self.debt = self.fraxlend_lent - self.fraxlend_free

    # -- prices, losses and income (protocol/accounts.py, market operations of the AMOs) ---------------------------------------------

    def new_prices(self, hour: int, market: Mapping[str, float]) -> None:
        """Collateral is marked to market; the share token drifts and recovers from sales, but for their dilution; A ramps in a straight line."""
        before = self.total_usd
        self.collateral_price, self.base_value = market["collateral_price"], market["base_value"]
        self.book("income_mark_to_market", self.total_usd - before)
        self.depth_elsewhere = self.depth_in_range
        pressed = self.share_impact
        self.share_impact += forget(self.behaviour.share_recovery_hours.value) * (1 - pressed)
        self.share_price *= market["share_return"] * self.share_impact / pressed
        self.share_slow += forget(72) * (self.share_price - self.share_slow)
        done = min(1.0, (hour + 1) / self.behaviour.ramp_hours.value)
        self.ann = 2 * (self.start_a + (self.parameters.amplification - self.start_a) * done)

    def venue_losses(self, market: Mapping[str, float]) -> None:
        """A share of what is lent, of what borrowers owe, of the AMO's LP tokens is gone; who took the LP tokens is an outside provider now."""
        for lender in (self.aave, self.investor):
            lost = lender.lent * market[f"{lender.name}.loss"]
            lender.lent -= lost
            self.book("income_venue_losses", -lost * self.collateral_price)
            self.happened(f"loss: {lender.name}", lost)
        if self.uses_fraxlend:
            self.late_liquidations(market)
        written_off = (self.fraxlend_lent - self.fraxlend_free) * market["fraxlend.loss"]
        taken = self.fraxlend_free * market["fraxlend.loss"]
        self.fraxlend_lent -= written_off + taken
        self.fraxlend_free -= taken
        self.queue += taken  # a thief's, and for sale
        self.fraxlend_drawn -= written_off  # whoever borrows in their place sells again
        owed = written_off + taken
        stolen = self.own * market["curve.loss"]
        self.lp_amo *= 1 - market["curve.loss"]
        # stolen stablecoin is external supply now, owed at par; the other side was an asset
        self.book("income_venue_losses", -owed - stolen * (self.x + self.y * self.base_value))
        self.happened("loss: fraxlend", owed)
        self.happened("loss: curve", stolen)

    def late_liquidations(self, market: Mapping[str, float]) -> None:
        """Some loans are against the share token; the further it falls below its lowest, the more of them are closed, late, at the hour's price."""
        self.pledged = max(self.pledged * market["share_return"], 1e-9)
        hours = self.behaviour.fraxlend_liquidation_hours.value
        self.pledged_due += (1 - math.exp(-1 / hours)) * (self.pledged - self.pledged_due)
        lowest = min(self.pledged_lowest, self.pledged_due)
        share, owed = self.behaviour.fraxlend_share_pledged.value, self.fraxlend_lent - self.fraxlend_free
        # of the first loans those against it that are still open, and the others
        before, after = share * self.pledged_lowest, share * lowest
        closed = owed * (before - after) / (1 - share + before)
        # per unit of the debt, which was at the highest loan-to-value when it was due
        fetched = self.pledged / self.pledged_due / self.behaviour.fraxlend_max_ltv.value
        bad = closed * max(0.0, 1 - fetched / (1 + self.behaviour.fraxlend_liquidation_fee.value))
        self.pledged_lowest = lowest
        self.fraxlend_lent -= bad
        self.fraxlend_drawn -= bad
        self.book("income_fraxlend_bad_debt", -bad)
        self.happened("fraxlend: bad debt", bad)

    def interest(self, market: Mapping[str, float]) -> None:
        """Deposits earn what utilisation makes of the rate; a doubled deposit lowers it."""
        for lender in self.lenders:
            deposits = market[f"{lender.name}.deposits"] + lender.lent
            free = lender.market.unborrowed(deposits, market[f"{lender.name}.demand"], lender.market.rate)
            lender.free = min(free, market[f"{lender.name}.free_cap"])
            earned = lender.market.interest(lender.lent, deposits, lender.free)
            lender.lent += earned
            self.book(f"income_{lender.inputs}", earned * self.collateral_price)

        # Fraxlend: what is borrowed because the AMO is there is sold, what is repaid is bought; beside it goes the same market without the AMO
        if not self.uses_fraxlend:
            return
        others = market["fraxlend.deposits"]
        deposits = others + self.fraxlend_lent
        left = self.without.unborrowed(others, market["fraxlend.demand"], self.without.rate)
        self.without.interest(0.0, others, left)
        free = self.fraxlend.unborrowed(deposits, market["fraxlend.demand"], self.fraxlend.rate)
        earned = self.fraxlend.interest(self.fraxlend_lent, deposits, free)
        self.fraxlend_lent += earned
        self.book("income_fraxlend", earned)
        # nobody repays with stablecoin that does not exist outside
        most = self.fraxlend_free + self.outside
        self.happened("fraxlend: nothing to repay with", most < min(free, self.fraxlend_lent))
        self.fraxlend_free = min(free, self.fraxlend_lent, most)
        drawn = deposits - free - (others - left)
        self.borrower_flow = drawn - self.fraxlend_drawn
        self.fraxlend_drawn = drawn
        self.happened("fraxlend: fully utilised", self.fraxlend_lent > 0 and free == 0)

    def pool_fees(self, market: Mapping[str, float]) -> float:
        """Fee in each coin of the two-way volume that the pool wins by its depth among all venues'."""
        others = self.behaviour.volume_depth_usd.value
        depth, others = curve_depth(self.d, self.ann), others + self.depth_in_range
        return 0.5 * self.study.state.pool.fee.value * market["swap_volume"] * depth / (depth + others)

    def gauge_share(self) -> float:
        """The AMO's share of the gauge's budget: its boosted LP tokens over everybody's."""
        boosted = self.boost * self.lp_amo
        return 0.0 if boosted == 0 else boosted / (boosted + self.study.state.rewards.outside_boost.value * (self.lp_supply - self.lp_amo))

    def yield_now(self, fees: float, gauge: float) -> float:
        """What a dollar of outside liquidity earns an hour: its part of the providers' fees, and the rewards of all outside providers."""
        return ((1 - self.own) * fees + gauge) / ((1 - self.own) * self.d + 1e4 * self.size)

    def swap_fees_and_rewards(self, market: Mapping[str, float]) -> None:
        """Swappers leave a fee in each coin; the gauge pays reward tokens, which are sold with price impact or locked."""
        pool = self.study.state.pool
        each = min(self.pool_fees(market), 0.001 * min(self.y, self.outside))
        kept, home = (1 - pool.admin_fee.value) * each, pool.admin_fee.value * pool.protocol_admin_share.value * each
        gauge_share = self.gauge_share()
        started = pool.stablecoin.value + self.study.state.base_value
        voted = market["reward_tokens"] * min(1.0, self.d / (0.25 * started))  # a pool that is next to empty has no voters
        earned = voted * gauge_share * self.keep
        locked = self.study.simulation.crv_locked_share * earned
        offered = (earned - locked) * market["reward_price"]
        proceeds = offered / (1 + offered / self.behaviour.reward_depth_usd.value)
        others = voted * (1 - gauge_share) * market["reward_price"]
        seen = self.yield_now(2 * kept, others)

        self.reward_tokens_earned += earned
        self.reward_tokens_locked += locked
        self.book("income_rewards", proceeds)
        self.book("income_swap_fees", 2 * (self.own * kept + home))
        self.idle += (proceeds + home) / self.collateral_price
        self.supply -= home
        self.net_issued -= home
        self.x += kept
        self.y += kept / self.base_value
        self.d = get_D(self.x, self.y, self.ann)
        self.outside_yield += forget(self.behaviour.lp_yield_hours.value) * (seen - self.outside_yield)

    def range_fees(self, market: Mapping[str, float]) -> None:
        """The range wins volume by its depth while in range; the AMO keeps its liquidity's part, half in each coin, and burns the stablecoin."""
        if not self.uses_range or not self.in_range:
            return
        liquidity = self.uniswap_liquidity + self.outside_liquidity
        depth = range_depth(liquidity)
        won = depth / (depth + self.behaviour.volume_depth_usd.value + curve_depth(self.d, self.ann))
        each = 0.5 * self.study.state.amos.uniswap.fee.value * market["swap_volume"] * won
        each = min(each * self.uniswap_liquidity / (liquidity + 1e-9 * self.size), 0.001 * self.outside)
        self.book("income_uniswap_fees", 2 * each)
        self.idle += each / self.collateral_price
        self.supply -= each
        self.net_issued -= each

    # -- who leaves and who buys (protocol/holders.py) -------------------------------------------------------------------------------

    def providers(self, market: Mapping[str, float]) -> None:
        """Outside providers flee, with both sides, and queue to sell their stablecoin; where nobody flees they follow their yield."""
        if self.failed:
            return
        behaviour = self.behaviour
        rate = market["lp_exit"] + behaviour.lp_flight_rate.value * max(0.0, self.x / (self.x + self.y) - behaviour.lp_flight_share.value)
        theirs = 1 - self.own
        if rate > 0:
            left = min(0.5, rate) * theirs
            stay = theirs - left
            spell = self.joining(market["lp_change"] * stay, stay)
            self.queue += left * self.x
            self.happened("providers: flee", left)
            self.scale_pool(1 - left + spell)
            return
        richer = (self.outside_yield + 1e-9) / (self.outside_yield_start + 1e-9) - 1
        wanted = self.start_outside * min(1.0, self.external / self.start_external)
        wanted *= min(4.0, max(0.0, 1 + behaviour.lp_yield_response.value * richer))
        joined = behaviour.lp_return_rate.value * (wanted - theirs * self.d) / self.d
        joined = self.joining(joined + market["lp_change"] * theirs, theirs)
        self.happened("providers: come for yield" if joined > 0 else "providers: leave for yield", joined)
        self.scale_pool(1 + joined)

    def joining(self, joined: float, theirs: float) -> float:
        """What of it there is stablecoin for, half of theirs at most to leave, and none to a coin that is not covered."""
        joined = min(joined, 0.5 * max(0.0, self.outside - self.queue) / self.x)
        joined = max(joined, -0.5 * theirs)
        if self.backing_value < 0.99 * self.exit_value:  # nobody brings liquidity to a coin that is not covered
            self.happened("providers: not to what is not covered", joined > 0)
            joined = min(joined, 0.0)
        return joined

    def scale_pool(self, factor: float) -> None:
        """Liquidity of others comes or goes in proportion: the AMO's LP tokens stand for what they stood for."""
        self.x *= factor
        self.y *= factor
        self.d *= factor
        self.lp_supply *= factor

    def hazard(self, price: float) -> float:
        """Share of holders who run in the hour; nobody does above 0.99 of exit value unless the share token collapses, and who ran does not run again."""
        behaviour = self.behaviour
        short = 1 - price / self.exit_value
        slipped = min(1.0, max(0.0, (short - 0.01) / 0.001))
        a_day = behaviour.hazard_news.value * slipped
        a_day += behaviour.hazard_price.value * min(1.0, max(0.0, (short - 0.01) / 0.04))
        a_day += behaviour.hazard_collateral.value * max(0.0, self.cr_par_start - self.cr_par) * slipped
        a_day += behaviour.hazard_share.value * min(1.0, max(0.0, (1 - self.share_price / self.share_slow - 0.45) / 0.25))
        return min(0.5, a_day / 24 * self.ready)

    def value_of_one(self) -> float:
        """What backs a stablecoin, and of the rest what the share token's market value covers, at most the exit value."""
        backing = min(1.0, self.cr_par, self.cr)
        cover = min(1.0, self.share_price * self.share_supply / ((1 - backing) * self.external + self.size))
        return self.exit_value * (backing + (1 - backing) * cover)

    def holders(self, market: Mapping[str, float]) -> None:
        """News, hazard, calm flow, borrowers and traders of value; who of both sides meets the other trades outside the pool, one side is left."""
        behaviour = self.behaviour
        price = self.price if self.failed else spot(self.x, self.y, self.d, self.ann) * self.base_value
        self.fatigue *= math.exp(-1 / behaviour.hazard_memory_hours.value)
        self.ready = max(0.0, 1 - self.fatigue / behaviour.hazard_limit.value)
        hazard = self.hazard(price)
        self.fatigue += hazard
        self.backing_value = self.value_of_one()
        users = max(0.0, min(self.external, self.start_external))
        flow = 0.0 if self.failed else market["flow"] * users

        holders = max(0.0, self.outside - self.queue)
        self.leaving = min(0.5, hazard + market["news_exit"])
        leaving = self.leaving * holders
        dear = behaviour.value_sellers.value * max(0.0, price - self.backing_value - 0.01) * users
        calmly = min(max(0.0, -flow) + max(0.0, self.borrower_flow) + dear, holders - leaving)
        selling = min(self.queue + leaving + calmly, self.outside)

        cheap = behaviour.value_buyers.value * max(0.0, self.backing_value - price - 0.001) * users * self.ready
        patient = self.buy_queue + max(0.0, flow) + max(0.0, -self.borrower_flow)
        buying = patient + cheap

        met = min(selling, buying)
        self.sell_demand, self.buy_demand = selling - met, buying - met
        self.queue, self.buy_queue = self.sell_demand, min(patient, self.buy_demand)
        self.happened("holders: run", hazard)
        self.happened("holders: sell what is dear", dear)
        self.happened("buyers: of value", cheap)
        self.happened("borrowers: sell", self.borrower_flow > 0)
        self.happened("borrowers: buy", self.borrower_flow < 0)

    # -- the hour's trades (protocol/primary_market.py) ------------------------------------------------------------------------------

    def trades(self, market: Mapping[str, float]) -> None:
        """Buyers, or sellers: at a fair price, then at the issuer's door with its arbitrageurs, then down to their reservation price."""
        pool, behaviour, state = self.study.state.pool, self.behaviour, self.study.state
        fee, limit, supply_before = pool.fee.value, behaviour.hour_limit.value, self.supply
        x_0, y_0, own = self.x, self.y, self.own
        selling, buying = self.sell_demand, self.buy_demand

        def at(x: float) -> float:
            """The pool's price in dollars once its stablecoin is x."""
            return spot(x, get_y(x, self.d, self.ann), self.d, self.ann) * self.base_value

        # 1. buyers take from the pool up to the most they pay; sellers sell into it down to 50 bp below exit value
        bought = sold = 0.0
        if selling <= 0:
            most_paid = max(0.01, self.backing_value + behaviour.buyer_premium.value)
            bought = max(0.0, min(buying, limit * x_0, x_0 - self.x_at(most_paid)))
        x_1 = x_0 - bought
        y_1 = get_y(x_1, self.d, self.ann)
        most = min(selling, limit * y_1)
        if selling > 0:
            sold = min(most, max(0.0, self.x_at(max(0.01, self.exit_value - 0.005)) - x_1))
        x = x_1 + sold

        # 2. one unit redeemed: collateral (at par, or at the oracle's value) and share tokens worth what all holders who still wait would get for
        # theirs together; what arbitrageurs redeem beside them presses the price afterwards, but is not in what they reckon with
        token_a_dollar = 1.0 if self.study.simulation.collateral_valuation == "par" else 1 / self.collateral_price
        leg = token_a_dollar * self.collateral_price
        after_fee = 1 - state.redeem.fee.value
        redeem_tokens = self.cr * token_a_dollar * after_fee
        capacity = self.idle / max(redeem_tokens, 1e-9)
        at_once = min(max(selling - sold, 1e-4 * supply_before), capacity)
        share_leg = self.share_depth / (self.share_depth + (1 - self.cr) * at_once)
        patience = max(0.0, 1 - state.redeem.delay_hours.value * behaviour.claim_discount_hour.value)
        redeem_pays = (self.cr * leg + (1 - self.cr) * share_leg) * after_fee * patience
        mint_asks = (self.cr * leg + 1 - self.cr) / (1 - state.mint.fee.value)

        # within the hour the oracle moves with the pool: the pool's prices that open the doors
        lag = self.oracle_weight
        opens_below = min(2.0, (self.parameters.redeem_price_threshold - (1 - lag) * self.oracle) / lag)
        opens_above = (self.parameters.mint_price_threshold - (1 - lag) * self.oracle) / lag
        gate = market["gate"] > 0.5
        door = min(redeem_pays * (1 - fee), opens_below)
        is_open = gate and capacity > self.size and door > 0.01
        capacity = capacity if is_open else 0.0
        reservation = max(0.01, self.backing_value * (1 - behaviour.seller_haircut.value))

        # 3. the doors hold the pool: minters sell into it from above, sellers stop at the redeemers' price, arbitrageurs buy up to it
        minted = arbitraged = taken = sold_door = 0.0
        ceiling = max(mint_asks / (1 - fee), opens_above)
        if gate and selling <= 0 and at(x_1) > ceiling:
            wanted = min(max(0.0, self.x_at(ceiling) - x), limit * y_1)
            minted = min(wanted, self.most_minted(self.cr * token_a_dollar))
            self.happened("door: at its ceiling", minted < wanted)
        elif is_open and door >= reservation:
            at_door = self.x_at(door)
            sold_door = min(max(0.0, at_door - x), most - sold)
            arbitraged = min(min(max(0.0, x - at_door), 0.9 * x) * (1 - fee), capacity)
            # beside the waiting sellers' share tokens they sell their own: no more than still pays the price they buy the first unit at
            leg_needed = (at(x) / ((1 - fee) * after_fee * patience) - self.cr * leg) / max(1 - self.cr, 1e-9)
            if leg_needed > 0.01:  # else the collateral alone pays
                most_units = self.share_depth * (1 / leg_needed - 1) / max(1 - self.cr, 1e-9) - (selling - sold)
                arbitraged = min(arbitraged, max(0.0, most_units))
            taken = arbitraged / (1 - fee)
        x += sold_door + minted - taken

        # 4. who could not sell redeems, if the door is open at the price reached and pays no less than the pool
        waiting = selling - sold - sold_door
        redeemed = 0.0
        reached = at(x)
        better = reached <= opens_below * (1 + 1e-9) and redeem_pays * (1 + 1e-9) >= reached * (1 - fee)
        if is_open and (better or self.failed) and redeem_pays >= reservation:
            redeemed = min(waiting, capacity - arbitraged)
        waiting -= redeemed

        # 5. whom no door paid sells on, down to the reservation price; the rest waits, and so do calm buyers, who give up within about a day
        sold_low = min(max(0.0, self.x_at(reservation) - x), most - sold - sold_door, waiting)
        self.queue = waiting - sold_low
        self.buy_queue = min(self.buy_queue, buying - bought) * (1 - 1 / 24)
        served = sold + (redeemed if redeem_pays >= self.exit_value - 0.005 else 0.0)
        self.unserved = selling - served
        x += sold_low
        y = get_y(x, self.d, self.ann)

        # the pool's books: the fee is taken from what comes out; its admin part leaves, and the protocol's share of that comes home
        self.pool_fee(bought + max(0.0, x_1 - x), max(0.0, y_1 - y), x, y)
        self.book("income_debt_discount", own * ((x - x_0) + (y - y_0) * self.base_value))
        self.issuer_books(arbitraged + redeemed, minted, token_a_dollar)
        self.price = spot(self.x, self.y, self.d, self.ann) * self.base_value
        if self.failed:  # the other door's price while it can pay one more, else none as yet
            self.price = min(redeem_pays, opens_below) if is_open and capacity - arbitraged - redeemed > 0 else 0.0

        self.happened("pool: bought", bought)
        self.happened("buyers: wait", self.buy_queue > 0 and buying > bought)
        self.happened("pool: sold at a fair price", sold)
        self.happened("pool: sold to the door's price", sold_door)
        self.happened("pool: sold to the reservation", sold_low)
        self.happened("pool: failed", self.failed)
        self.happened("door: arbitraged", arbitraged)
        self.happened("door: redeemed", redeemed)
        self.happened("door: shut by the gate", not gate and opens_below >= reached)
        self.happened("door: minted", minted)
        self.happened("claims: wait", self.claims)

    @property
    def oracle_weight(self) -> float:
        """How far the oracle follows the venues in an hour."""
        hours = self.behaviour.oracle_lag_hours.value
        return 1.0 if hours == 0 else forget(hours)

    def most_minted(self, tokens_a_unit: float) -> float:
        """Units that may be minted: collateral up to the pools' ceiling, share tokens up to what their market has."""
        door = self.study.state.mint
        room = max(0.0, door.ceiling.value - self.idle) / max(tokens_a_unit, 1e-9)
        shares = self.share_depth / (1 - self.cr if self.cr < 1 else 1e-9)
        return min(room, shares) * (1 - door.fee.value)

    def pool_fee(self, out_x: float, out_y: float, x: float, y: float) -> None:
        """The pool after a trade to (x, y) that paid out so much: providers keep their part of the fee in it."""
        pool = self.study.state.pool
        fee_x, fee_y = pool.fee.value * out_x, pool.fee.value * out_y
        kept, home = 1 - pool.admin_fee.value, pool.admin_fee.value * pool.protocol_admin_share.value
        home_x, home_y = home * fee_x, home * fee_y * self.base_value
        self.book("income_swap_fees", self.own * kept * (fee_x + fee_y * self.base_value) + home_x + home_y)
        self.idle += home_y / self.collateral_price
        self.supply -= home_x
        self.net_issued -= home_x
        self.x, self.y = x + kept * fee_x, y + kept * fee_y
        self.d = get_D(self.x, self.y, self.ann)

    def issuer_books(self, units: float, minted: float, token_a_dollar: float) -> None:
        """Units burned against collateral and new share tokens, units minted for collateral and old ones, what was redeemed set apart as claims."""
        redeem, mint = self.study.state.redeem, self.study.state.mint
        gross = minted / (1 - mint.fee.value)
        net = (1 - redeem.fee.value) * units
        paid, received = self.cr * token_a_dollar * net, self.cr * token_a_dollar * gross
        shares_out, shares_in = (1 - self.cr) * net, (1 - self.cr) * gross
        self.book("income_primary_fees", redeem.fee.value * units + mint.fee.value * gross)
        # collateral off its par: the unit's debt was a dollar
        self.book("income_debt_discount", self.cr * net - paid * self.collateral_price + received * self.collateral_price - self.cr * gross)
        self.book("capital_shares_issued", shares_out)
        self.book("capital_shares_burned", -shares_in)
        self.idle = max(0.0, self.idle - paid + received)
        self.supply += minted - units
        self.net_issued += minted - units
        self.claims += paid
        self.claims -= self.claims / max(1.0, redeem.delay_hours.value)
        unit = max(self.share_price, 1e-9)
        self.press_shares(bought=shares_in, sold=shares_out, change=shares_out / unit - min(shares_in / unit, 0.5 * self.share_supply))

    def press_shares(self, *, bought: float, sold: float, change: float) -> None:
        """Dollars bought and sold move the share token's price for a while; more or fewer of them dilute it for good."""
        pressed = (self.share_depth + bought) / (self.share_depth + sold)
        before = self.share_supply
        self.share_supply += change
        self.share_impact *= pressed
        self.share_price *= pressed * before / self.share_supply

    # -- the second venue and the oracle (amos/uniswap_v3.py, protocol/oracle.py) ---------------------------------------------------

    def arbitrage(self) -> None:
        """Stablecoin bought where it is cheaper, Curve or the range, and sold to the other while both fees are covered.

        z leaves the pool (z < 0 comes to it). `gap` is what the marginal unit would gain; it is met by one Newton step and one secant step, within
        what each side has, and what is left of it waits for the next hour.
        """
        if not self.uses_range or self.uniswap_liquidity <= self.size:
            return
        pool, liquidity, root_0 = self.study.state.pool, self.uniswap_liquidity, self.uniswap_root
        fee, range_fee = pool.fee.value, self.study.state.amos.uniswap.fee.value
        kept = (1 - fee) * (1 - range_fee)
        x, y, rate = self.x, self.y, self.base_value / self.collateral_price
        on_curve, in_range = spot(x, y, self.d, self.ann) * rate, root_0**2
        most = 0.5 * x
        if on_curve < kept * in_range:  # buy on Curve; of z so much arrives in the range after both fees
            factor, arrives = kept, kept
            low, high = 0.0, min(most, liquidity * (1 / self.root_low - 1 / root_0) / kept)
        elif on_curve * kept > in_range:  # buy from the range; all of it arrives on Curve
            factor, arrives = 1 / kept, 1.0
            low, high = -min(most, liquidity * (1 / root_0 - 1 / self.root_high)), 0.0
        else:
            return

        def root_after(z: float) -> float:
            return 1 / (1 / root_0 + z * arrives / liquidity)

        def gap(z: float) -> float:
            return factor * root_after(z) ** 2 - spot(x - z, get_y(x - z, self.d, self.ann), self.d, self.ann) * rate

        # the gap's slope: -dp/dx of Curve along its invariant, and d(root^2)/dx = -2 root^3 / L of the range
        k, p = self.d**3 / (4 * x * y), on_curve / rate
        curve_slope = 2 * k * (1 / x**2 - p / (x * y) + p**2 / y**2) / (self.ann + k / y)
        slope = rate * curve_slope + 2 * factor * arrives * root_0**3 / liquidity
        gap_0 = factor * in_range - on_curve
        z = min(max(gap_0 / slope, low), high)
        closed = gap_0 - gap(z)
        if abs(closed) > 0.05 * abs(gap_0):
            z = min(max(z * gap_0 / closed, low), high)

        # the pool pays its fee out of what leaves it; the range takes its fee on what comes in, kept beside the position
        x_2 = x - z
        y_2 = get_y(x_2, self.d, self.ann)
        own = self.own
        held_x, held_y = self.uniswap_x, self.uniswap_y
        self.uniswap_root = self.within_range(root_after(z))
        moved_x, moved_y = self.uniswap_x - held_x, self.uniswap_y - held_y
        fee_x = range_fee * (1 - fee) * max(0.0, z)
        fee_y = range_fee / (1 - range_fee) * (moved_y if z < 0 else 0.0)
        self.book("income_uniswap_fees", fee_x + fee_y * self.collateral_price)
        self.supply -= fee_x
        self.net_issued -= fee_x
        self.idle += fee_y
        discount = own * (x_2 - x + (y_2 - y) * self.base_value) + moved_x + moved_y * self.collateral_price
        self.book("income_debt_discount", discount)
        self.pool_fee(max(0.0, z), max(0.0, y - y_2), x_2, y_2)
        self.happened("arbitrage: into the range" if z > 0 else "arbitrage: out of the range")
        self.happened("range: all stablecoin", self.uniswap_root == self.root_low)
        self.happened("range: all collateral", self.uniswap_root == self.root_high)

    def observe(self) -> None:
        """The oracle follows, with a lag, the venues' mean by depth; where the range is left or the pool failed, the pool's price alone."""
        if not self.failed:
            self.price = spot(self.x, self.y, self.d, self.ann) * self.base_value
        mean = self.price
        self.quoted_depth = self.quoted_gap = 0.0
        if self.uniswap_liquidity <= self.size:  # others' arbitrage keeps their range at the pool's price
            self.uniswap_root = self.within_range(math.sqrt(self.price / self.collateral_price))
        elif self.in_range and not self.failed:
            there = self.uniswap_root**2 * self.collateral_price
            here_depth = curve_depth(self.d, self.ann)
            there_depth = range_depth(self.uniswap_liquidity + self.outside_liquidity)
            mean = (self.price * here_depth + there * there_depth) / (here_depth + there_depth)
            self.quoted_depth, self.quoted_gap = there_depth, (there - self.price) * there_depth
        if self.failed and self.price == 0:  # nobody pays, and nobody sells below what he would keep it for
            mean = self.price = self.backing_value * (1 - self.behaviour.seller_haircut.value)
        self.oracle += self.oracle_weight * (mean - self.oracle)

    # -- the controller, the share token's operations, the triggers -------------------------------------------------------------------

    def controller(self) -> None:
        """A step up or down at most once a cooldown, strictly outside the band."""
        self.hours_since_refresh += 1
        if self.hours_since_refresh < self.parameters.cr_refresh_hours:
            return
        moved = self.target
        if self.oracle > 1 + self.parameters.cr_band:
            moved = min(self.target, max(self.target - self.parameters.cr_step, self.study.simulation.cr_floor))
        elif self.oracle < 1 - self.parameters.cr_band:
            moved = min(self.most_target, self.target + self.parameters.cr_step)
        self.happened("controller: up", moved > self.target)
        self.happened("controller: down", moved < self.target)
        if moved != self.target:
            self.hours_since_refresh = 0
        self.target = moved

    def share_operations(self) -> None:
        """Below the target anyone brings collateral for share tokens at a bonus; above it share tokens are bought back, and income buys more (FXS1559)."""
        token = self.study.state.share_token
        leg = self.collateral_price if self.study.simulation.collateral_valuation == "par" else 1.0
        depth, worth = self.share_depth, self.share_price * self.share_supply
        excess = (self.cr_contract - self.target) * self.supply
        bonus = token.recollateralise_bonus.value

        # collateral, by the contract's count, until the gap closes, the throttle binds, or selling the share tokens eats the bonus
        brought = min(max(0.0, -excess), token.recollateralise_tokens_hour.value * self.share_price / (1 + bonus))
        brought = min(brought, max(0.0, (1 + bonus) / leg - 1) * depth / (1 + bonus))
        issued, came = brought * (1 + bonus), brought * leg

        # share tokens brought to the contract for collateral, where its coin is worth about a dollar; holders bring at most 1% an hour
        above = max(0.0, excess)
        back = min(above, token.buyback_usd_hour.value)
        cash = self.idle * self.collateral_price
        if leg <= 0.999 or back * leg >= cash:
            back = 0.0
        offered = min(1.0, self.share_supply / token.supply.value) if token.supply.value > 0 else 1.0
        back = min(back, 0.01 * offered * worth)
        cash -= back * leg

        # the hour's income, which nobody adds up where none of it is spent, as far as something is left above the target, at most 5% of what halves the price
        income = sum(self.lines[line] for line in LINES[:6]) if token.fxs1559_share.value > 0 else 0.0
        earned = self.earned = max(0.0, income - self.income_seen)
        self.income_seen = self.amo_income = income
        spent = min(token.fxs1559_share.value * earned, above - back, cash, 0.05 * offered * depth, 0.5 * offered * worth)

        self.idle += (came - back * leg - spent) / self.collateral_price
        self.book("capital_recollateralised", issued)
        self.book("capital_buybacks", -back - spent)
        self.book("income_primary_fees", came - issued + back - back * leg)
        self.press_shares(bought=spent, sold=issued, change=(issued - back - spent) / max(self.share_price, 1e-9))
        self.happened("shares: recollateralised", brought)
        self.happened("shares: bought back", back)
        self.happened("shares: fxs1559", spent)
        self.happened("shares: fxs1559 at its limit", spent in {0.05 * offered * depth, 0.5 * offered * worth})

    def triggers(self) -> None:
        """Unwinding is latched until the price is back and the ratio restored; hours above the high share are counted."""
        short = self.cr_external < min(2.0, self.cr_external_start) - self.parameters.unwind_cr_margin
        relative = self.oracle / self.exit_value
        before = self.unwinding
        if short or relative < self.parameters.unwind_price:
            self.unwinding = True
        elif relative >= self.parameters.reentry_price:
            self.unwinding = False
        self.unwinding_hours = self.unwinding_hours + 1 if self.unwinding else 0
        self.high_hours = self.high_hours + 1 if self.x > self.parameters.pool_share_high * (self.x + self.y) else 0
        self.happened("triggers: unwinding", self.unwinding)
        self.happened("triggers: re-entry", before and not self.unwinding)

    # -- the two ratios (protocol/collateral_ratio.py) ---------------------------------------------------------------------------------

    @property
    def range_all_stablecoin(self) -> float:
        """What the range holds once the stablecoin has fallen through it."""
        return self.uniswap_liquidity * (1 / self.root_low - 1 / self.root_high)

    def at_floor(self, floor: float) -> tuple[float, float]:
        """The pool after the stablecoin was sold down to a price, at most as much as there is beside the protocol's other venues."""
        exists = self.supply - self.range_all_stablecoin - self.fraxlend_free
        x = min(scaled_x(floor, self.ann) * self.d, exists)
        return (x, get_y(x, self.d, self.ann)) if x > self.x else (self.x, self.y)

    @property
    def coins(self) -> float:
        """Collateral at par in the worst case: none of it is left in the range."""
        return self.idle + self.aave.lent + self.investor.lent

    def contract_ratio(self) -> float:
        """What the chain books: the pool at a price of CR, own stablecoin and all that is lent of it at CR."""
        x, y = self.at_floor(max(0.01, self.cr))
        counted = self.own * x + self.range_all_stablecoin + self.fraxlend_lent
        return (self.coins + self.own * y + self.cr * counted) / self.supply

    def external_ratio(self, *, at_market: bool = True) -> float:
        """The safety figure: collateral at the study's floor, at what it fetches or at par, over the supply that is not the protocol's own there."""
        x, y = self.at_floor(max(0.01, self.study.constraints.external_cr_floor))
        external = self.supply - self.own * x - self.range_all_stablecoin - self.fraxlend_free
        coin, base = (self.collateral_price, self.base_value) if at_market else (1.0, 1.0)
        return (self.coins * coin + self.own * y * base) / max(self.size, external)

    # -- the minter (amos/minter.py) -----------------------------------------------------------------------------------------------------

    def mint_room(self) -> float:
        """Stablecoin that the minter's sum of books leaves to mint; its cap is what the set's shares came to at the snapshot."""
        p = self.parameters
        cap = self.start_supply * (p.curve_mint_cap + p.fraxlend_cap) + self.start_collateral * p.uniswap_cap
        room = max(0.0, cap - self.curve_minted - self.fraxlend_minted - self.uniswap_minted)
        self.happened("minter: no room to mint", room == 0)
        return room

    def borrow_room(self) -> float:
        """Collateral, in tokens, that the minter's sum of books leaves to give."""
        p = self.parameters
        cap = self.start_collateral * (p.curve_collateral_cap + p.aave_cap + p.investor_cap + p.uniswap_cap)
        room = max(0.0, cap - self.curve_borrowed - self.aave.book - self.investor.book - self.uniswap_borrowed)
        self.happened("minter: no room to borrow", room == 0)
        return room

    @property
    def may_deploy(self) -> bool:
        """Nothing is deployed while unwinding, or where the chain's ratio, as last looked at, is under the least."""
        return not self.unwinding and self.cr_contract >= self.parameters.min_cr

    @property
    def may_unwind(self) -> bool:
        """A team signs: the trigger has stood for the response delay."""
        return self.unwinding and self.unwinding_hours > self.study.simulation.response_delay_hours

    @property
    def least(self) -> float:
        """Dollars that no team signs for: a thousand at FRAX's size of May 2022."""
        return 1e3 * self.size

    def worth_it(self, gap: float, whole: float) -> bool:
        """Whether a gap to a target is worth gas and signatures."""
        return gap > max(2.5e-3 * whole, self.least)

    def pay_gas(self, market: Mapping[str, float]) -> None:
        gas = min(market["gas_usd"] / self.collateral_price, self.idle)
        self.idle -= gas
        self.book("income_market_operations", -gas * self.collateral_price)

    # -- the AMOs: decollateralise, market operations (above), recollateralise, worst case (above) ------------------------------------------

    def curve_amo(self, market: Mapping[str, float]) -> None:
        """One change of liquidity: collateral in, stablecoin minted in, own stablecoin burned, collateral taken back."""
        p, pool, pace = self.parameters, self.study.state.pool, self.behaviour.deploy_rate.value
        x, y, own, base = self.x, self.y, self.own, self.base_value
        total, delay = self.total_usd, self.study.simulation.response_delay_hours
        high_odds = p.pool_share_high / (1 - p.pool_share_high)

        # decollateralise
        brought = mint = 0.0
        if self.may_deploy and not self.failed:
            spare = min(self.idle * self.collateral_price - p.idle_buffer * total, self.borrow_room() * self.collateral_price)
            gap = min(p.curve_collateral_cap * total - self.own_usd, spare, 0.5 * self.d)
            brought = min(gap, pace * total) if self.worth_it(gap, total) else 0.0
        brought_y = brought * (1 - pool.base_fee.value) / base
        if self.may_deploy and not self.failed:
            wanted = p.pool_share_low / (1 - p.pool_share_low) * (y + brought_y) - x
            gap = min(wanted, p.curve_mint_cap * self.supply - self.curve_minted, self.mint_room())
            mint = min(gap, p.rebalance_rate * x) if self.worth_it(gap, x) else 0.0

        # recollateralise: own stablecoin first, then collateral
        burn = returned = beside = 0.0
        if self.high_hours > delay:
            gap = min(x - high_odds * (y + brought_y), 0.9 * own * x)
            burn = min(gap, p.rebalance_rate * x) if self.worth_it(gap, x) else 0.0
        over = self.own_usd - p.curve_collateral_cap * total
        if over > max(0.01 * total, self.least):
            returned = min(over, pace * total)
            self.happened("curve: over its cap")
        unwound = p.unwind_rate * self.own_usd
        if self.may_unwind and burn <= 0 and unwound > self.least:
            returned = max(returned, unwound)
            beside = unwound / base * x / y
            self.happened("curve: unwinds")
        returned = min(returned, 0.9 * self.own_usd)
        if returned > 0:  # its own withdrawal never tilts the pool above the high share
            beside = max(beside, x - high_odds * (y - returned / base))
        burn = max(burn, min(beside, 0.9 * own * x))

        self.happened("curve: shut by min_cr", self.cr_contract < p.min_cr)
        self.happened("curve: brings", brought)
        self.happened("curve: brings half a pool", brought == 0.5 * self.d)
        self.happened("curve: mints", mint)
        self.happened("curve: burns", burn)
        change_x, change_y = mint - burn, brought_y - returned / base
        if change_x == 0 and change_y == 0:
            self.cr_contract = self.contract_ratio()
            return

        # add_liquidity and remove_liquidity_imbalance: half the fee on each coin's distance from the balanced change
        before = Before.of(self)
        d_0, admin = self.d, pool.admin_fee.value
        price_0 = spot(x, y, self.d, self.ann) * base
        d_1 = get_D(x + change_x, y + change_y, self.ann)
        fee_x = 0.5 * pool.fee.value * abs(d_1 / d_0 * x - (x + change_x))
        fee_y = 0.5 * pool.fee.value * abs(d_1 / d_0 * y - (y + change_y))
        lp = self.lp_supply * (get_D(x + change_x - fee_x, y + change_y - fee_y, self.ann) / d_0 - 1)
        self.x, self.y = x + change_x - admin * fee_x, y + change_y - admin * fee_y
        self.d = get_D(self.x, self.y, self.ann)
        self.lp_supply += lp
        self.lp_amo += lp
        home_x = admin * pool.protocol_admin_share.value * fee_x
        home_y = admin * pool.protocol_admin_share.value * fee_y * base
        self.idle += (returned * (1 - pool.base_fee.value) - brought) / self.collateral_price
        self.pay_gas(market)
        self.idle += home_y / self.collateral_price
        self.supply += change_x - home_x
        self.net_issued -= home_x
        self.curve_minted += change_x
        self.curve_borrowed += (brought - returned) / self.collateral_price
        # what others have more of, at the pool's price before; what their stablecoin is owed at par beyond that is the discount of own debt
        issued = (1 - self.own) * self.x - (1 - own) * x + admin * fee_x
        given = issued * price_0 + ((1 - self.own) * self.y - (1 - own) * y + admin * fee_y) * base
        self.book("income_market_operations", -given - pool.base_fee.value * (brought + returned))
        self.book("income_debt_discount", issued * (price_0 - 1))
        self.book("income_swap_fees", home_x + home_y)
        self.look(before, deploys=brought > 0 or mint > 0, amo="curve")

    def look(self, before: Before, *, deploys: bool, amo: str) -> None:
        """The chain's ratio after an operation; a deployment that leaves it under the least never happened."""
        after = self.contract_ratio()
        if deploys and after < self.parameters.min_cr:
            before.restore(self)
            self.happened(f"{amo}: taken back")
            if amo == "curve":  # the refused ratio stands: no other AMO deploys this hour
                self.cr_contract = after
            return
        self.cr_contract = after

    def uniswap_amo(self, market: Mapping[str, float]) -> None:
        """Adds liquidity in the middle half of the range with the stablecoin that goes with it, or removes some and burns its stablecoin."""
        if not self.uses_range:
            return
        p, root = self.parameters, self.uniswap_root
        total = self.total_usd / self.collateral_price
        pace = self.behaviour.deploy_rate.value * total
        before = Before.of(self)
        held_x, held_y = self.uniswap_x, self.uniswap_y
        added = removed = 0.0

        # decollateralise
        in_middle = 0.5 * (1 + self.root_low) < root < 0.5 * (1 + self.root_high)
        self.happened("uniswap: off the middle", self.may_deploy and not in_middle)
        if self.may_deploy and in_middle:
            beside = (1 / root - 1 / self.root_high) / (root - self.root_low)
            gap = min(p.uniswap_cap * total - held_y, self.idle - p.idle_buffer * total, self.borrow_room(), self.mint_room() / beside)
            added = min(gap, pace) if self.worth_it(gap, total) else 0.0

        # recollateralise
        over = held_y - p.uniswap_cap * total
        if over > 0.01 * total:
            removed = min(over, pace) / (held_y + self.size)
            self.happened("uniswap: over its cap")
        if self.may_unwind and p.unwind_rate > removed:
            removed = p.unwind_rate
        if removed * (held_x + held_y) <= self.least:
            removed = 0.0
        self.happened("uniswap: unwinds", removed if self.may_unwind else False)
        self.happened("uniswap: adds", added)
        if added == 0 and removed == 0:
            return

        self.uniswap_liquidity += added / (root - self.root_low) if added > 0 else -removed * self.uniswap_liquidity
        moved_x, moved_y = self.uniswap_x - held_x, self.uniswap_y - held_y
        self.supply += moved_x
        self.uniswap_minted += moved_x
        self.uniswap_borrowed += moved_y
        self.idle -= moved_y
        self.pay_gas(market)
        self.look(before, deploys=added > 0, amo="uniswap")

    def fraxlend_amo(self, market: Mapping[str, float]) -> None:
        """Mints into the lending market, or withdraws what is free and burns it."""
        p = self.parameters
        if not self.uses_fraxlend:
            return
        pace = self.behaviour.deploy_rate.value * self.start_collateral
        before = Before.of(self)
        mint = burn = 0.0

        # decollateralise
        if self.may_deploy:
            gap = min(p.fraxlend_cap * self.supply - self.fraxlend_lent, self.mint_room())
            mint = min(gap, pace) if self.worth_it(gap, self.start_collateral) else 0.0

        # recollateralise
        over = self.fraxlend_lent - p.fraxlend_cap * self.supply
        if over > 0.01 * self.supply:
            burn = min(over, pace)
            self.happened("fraxlend: over its cap")
        if self.may_unwind:
            burn = max(burn, p.unwind_rate * self.fraxlend_lent)
        burn = min(burn, self.fraxlend_free)
        if burn <= self.least:
            burn = 0.0
        self.happened("fraxlend: unwinds", burn if self.may_unwind else False)
        self.happened("fraxlend: mints", mint)
        if mint == 0 and burn == 0:
            return

        for name in ("fraxlend_lent", "fraxlend_free", "supply", "fraxlend_minted"):
            setattr(self, name, getattr(self, name) + mint - burn)
        self.pay_gas(market)
        self.look(before, deploys=mint > 0, amo="fraxlend")

    def lending_amo(self, lender: Lender, market: Mapping[str, float]) -> None:
        """Lends what is spare, or withdraws what unwinding, the cap or the buffer asks for and the venue has."""
        p = self.parameters
        total = self.total_usd / self.collateral_price
        pace, name = self.behaviour.deploy_rate.value * total, lender.name
        lend = wanted = 0.0

        # decollateralise, where the ratio bears the gas
        gas = market["gas_usd"] / self.collateral_price
        if not self.unwinding and self.cr_contract - gas / self.supply >= p.min_cr:
            gap = min(lender.cap * total - lender.lent, self.idle - p.idle_buffer * total, self.borrow_room())
            lend = min(gap, pace) if self.worth_it(gap, total) else 0.0

        # recollateralise
        over, refill = lender.lent - lender.cap * total, p.idle_buffer * total - self.idle
        if over > 0.01 * total:
            wanted = min(over, pace)
            self.happened(f"{name}: over its cap")
        if refill > 2.5e-3 * total:
            wanted = min(max(wanted, refill), pace)
            self.happened(f"{name}: refills the buffer", lender.lent > 0)
        unwound = p.unwind_rate * lender.lent
        if self.may_unwind and unwound > self.least:
            wanted = max(wanted, unwound)
            self.happened(f"{name}: unwinds")
        self.happened(f"{name}: waits for the venue", lender.free < min(wanted, lender.lent))
        wanted = min(wanted, lender.free, lender.lent)
        self.happened(f"{name}: lends", lend)

        self.idle += wanted - lend
        lender.lent += lend - wanted
        lender.free -= wanted
        lender.book += lend - wanted
        if lend != wanted:
            before_gas = self.idle
            self.pay_gas(market)
            self.cr_contract -= (before_gas - self.idle) / self.supply

    # -- path statistics (simulation/path_statistics.py) --------------------------------------------------------------------------------

    def path_statistics(self, hour: int) -> None:
        if not self.failed:
            self.price = spot(self.x, self.y, self.d, self.ann) * self.base_value
        below, below_dollar = (self.distance(to) for to in (self.exit_value, 1.0))
        self.ewm_collateral += forget(72) * (below - self.ewm_collateral)
        self.ewm_dollar += forget(72) * (below_dollar - self.ewm_dollar)
        self.loss_collateral = max(self.loss_collateral, self.ewm_collateral)
        self.loss_dollar = max(self.loss_dollar, self.ewm_dollar)
        self.deepest_collateral = max(self.deepest_collateral, below)
        self.deepest_dollar = max(self.deepest_dollar, below_dollar)
        self.shortfall = below if self.study.simulation.peg_reference == "collateral" else below_dollar
        if self.shortfall > 0.005:
            self.first_bad_hour = hour if self.first_bad_hour < 0 else self.first_bad_hour
            self.last_bad_hour = hour
        self.min_price = min(self.min_price, self.price)
        self.min_oracle = min(self.min_oracle, self.oracle)
        self.hours_below_099 += self.price < 0.99
        self.hours_below_min_cr += self.cr_contract < self.parameters.min_cr
        self.min_cr_contract = min(self.min_cr_contract, self.cr_contract)
        self.min_cr_external = min(self.min_cr_external, self.cr_external)
        self.unserved_hours += self.unserved
        self.unserved_peak = max(self.unserved_peak, self.unserved)
        self.over_caps = self.amos_over_caps()
        self.hours_over_caps += self.over_caps > 0
        self.hours_unwinding += self.unwinding

    def distance(self, to: float) -> float:
        """How far the price is from a reference: below it, or on either side where the study counts both."""
        return abs(to - self.price) if self.study.simulation.peg_sides == "both" else max(0.0, to - self.price)

    def amos_over_caps(self) -> int:
        """Of how many AMOs the market has carried a position more than 1% over its cap."""
        p, total = self.parameters, self.total_usd
        held = (
            ((self.own_usd, p.curve_collateral_cap, total), (self.curve_minted, p.curve_mint_cap, self.supply)),
            ((self.aave.lent * self.collateral_price, p.aave_cap, total),),
            ((self.investor.lent * self.collateral_price, p.investor_cap, total),),
            ((self.uniswap_y * self.collateral_price, p.uniswap_cap, total),),
            ((self.fraxlend_lent, p.fraxlend_cap, self.supply),),
        )
        return sum(any(position > (cap + 0.01) * whole for position, cap, whole in each) for each in held)


@dataclass
class Before:
    """What one operation of an AMO changes, to undo it where it must not happen."""

    values: dict[str, float]
    lines: dict[str, float]

    NAMES = (
        "x", "y", "d", "lp_supply", "lp_amo", "idle", "supply", "net_issued", "curve_minted", "curve_borrowed",
        "uniswap_liquidity", "uniswap_minted", "uniswap_borrowed", "fraxlend_lent", "fraxlend_free", "fraxlend_minted",
    )  # fmt: skip

    @classmethod
    def of(cls, path: Twin) -> Before:
        return cls({name: getattr(path, name) for name in cls.NAMES}, dict(path.lines))

    def restore(self, path: Twin) -> None:
        path.lines = dict(self.lines)
        for name, value in self.values.items():
            setattr(path, name, value)
