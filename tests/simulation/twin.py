"""A slow, readable twin of the kernel's step: one path, plain floats, in the order of the model. No array, no Numba, no closed form.

It is written from the model in words. Where the kernel has a fixed number of Halley steps the twin iterates to rest, where the kernel
inverts a price in closed form the twin bisects, and where the kernel selects the twin branches.
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


def x_at_price(price: float, d: float, ann: float) -> float:
    """The stablecoin balance at which the marginal price is ``price``."""
    return scaled_x(price, ann) * d


@lru_cache(maxsize=4096)
def scaled_x(price: float, ann: float) -> float:
    """x / D at a price, by a bracketed search on its logarithm."""

    def gap(log_x: float) -> float:
        x = math.exp(log_x)
        return math.log(spot(x, get_y(x, 1.0, ann), 1.0, ann) / price)

    return math.exp(float(brentq(gap, -7.0, 7.0, xtol=1e-15, rtol=1e-15)))


# -- the path ---------------------------------------------------------------------------------------------------------------------


@dataclass
class Twin:
    """One path; attributes carry the kernel's names. `run` plays the market's hours and keeps every hour's attributes in `history`."""

    study: Study
    parameters: ParameterSet
    history: list[dict[str, float]] = field(default_factory=list)

    def run(self, hours: list[Mapping[str, float]]) -> Twin:
        self.open(hours[0])
        for hour, market in enumerate(hours):
            if hour == self.study.simulation.transition_hours:
                self.nav_start = self.nav()
                self.clear()
            self.step(hour, market)
            self.history.append({name: value for name, value in vars(self).items() if isinstance(value, float | int)})
        self.nav_end = self.nav()
        return self

    def open(self, first: Mapping[str, float]) -> None:
        """The snapshot at the first hour's prices."""
        state = self.study.state
        self.x, self.y = state.pool.stablecoin.value, state.base_value
        self.start_a = state.pool.amplification.value
        self.ann = 2 * self.start_a
        self.d = get_D(self.x, self.y, self.ann)
        self.lp_supply = self.d
        self.lp_amo = state.amos.curve.lp_share.value * self.d
        self.supply = state.stablecoin.supply.value
        self.cr = state.stablecoin.collateral_ratio.value
        self.idle = state.collateral.idle.value
        self.lent = state.amos.aave.lent.value
        self.share_price = self.share_slow = state.share_token.price.value
        self.share_supply = state.share_token.supply.value
        self.collateral_price, self.base_value = first["collateral_price"], first["base_value"]
        self.price = self.oracle = spot(self.x, self.y, self.d, self.ann) * self.base_value
        self.curve_minted = state.amos.curve.minted.value
        self.curve_borrowed = state.amos.curve.borrowed.value
        self.aave_borrowed = state.amos.aave.borrowed.value
        self.queue = self.fatigue = self.lending_rate = 0.0
        self.hours_since_refresh = self.unwinding_hours = self.high_hours = 0
        self.unwinding = False
        self.start_external = self.supply - self.own * self.x
        self.ratios()
        self.cr_external_start = self.cr_external
        self.clear()

    @property
    def own(self) -> float:
        return self.lp_amo / self.lp_supply

    @property
    def exit_value(self) -> float:
        return min(1.0, self.collateral_price, self.base_value)

    @property
    def own_usd(self) -> float:
        return self.own * self.y * self.base_value

    def nav(self) -> float:
        """What is not own stablecoin, at market, less external supply at par."""
        assets = (self.idle + self.lent) * self.collateral_price + self.own_usd
        return assets - (self.supply - self.own * self.x)

    def clear(self) -> None:
        self.lending = self.fees = self.rewards = self.primary_fees = self.operations = self.mark = self.discount = 0.0
        self.issued = self.burned = 0.0
        self.min_price, self.min_oracle = self.price, self.oracle
        self.min_cr_external, self.min_cr_contract = self.cr_external, self.cr_contract
        self.ewm_collateral = self.ewm_dollar = self.loss_collateral = self.loss_dollar = 0.0
        self.deepest_collateral = self.deepest_dollar = 0.0
        self.hours_below_099 = self.hours_below_min_cr = self.hours_over_caps = self.hours_unwinding = 0
        self.unserved_hours = self.unserved_peak = 0.0
        self.first_bad_hour = self.last_bad_hour = -1

    def step(self, hour: int, market: Mapping[str, float]) -> None:
        self.new_prices(hour, market)
        self.interest(market)
        self.swap_fees_and_rewards(market)
        self.providers_leave(market)
        self.holders(market)
        self.trades(market)
        self.controller()
        self.triggers()
        self.curve_amo(market)
        self.aave_amo(market)
        self.record(hour)

    # -- prices and income -------------------------------------------------------------------------------------------------------

    def new_prices(self, hour: int, market: Mapping[str, float]) -> None:
        """Collateral and base LP are marked to market, the share token drifts, A ramps in a straight line."""
        self.mark += (self.idle + self.lent) * (market["collateral_price"] - self.collateral_price)
        self.mark += self.own * self.y * (market["base_value"] - self.base_value)
        self.collateral_price, self.base_value = market["collateral_price"], market["base_value"]
        self.share_price *= market["share_return"]
        self.share_slow += (1 - math.exp(-1 / 72)) * (self.share_price - self.share_slow)
        done = min(1.0, (hour + 1) / self.study.state.markets.ramp_hours.value)
        self.ann = 2 * (self.start_a + (self.parameters.amplification - self.start_a) * done)

    def interest(self, market: Mapping[str, float]) -> None:
        """A two-slope rate on utilisation, which the AMO's own deposit lowers."""
        behaviour = self.study.state.markets
        deposits = market["lending_deposits"] + self.lent
        demand = market["lending_demand"] / (1 + behaviour.lending_elasticity.value * self.lending_rate)
        self.lending_free = max(0.0, min(deposits - demand, market["lending_free_cap"]))
        utilisation = 1 - self.lending_free / deposits
        kink = behaviour.lending_kink.value
        self.lending_rate = behaviour.lending_slope_1.value * min(1.0, utilisation / kink)
        self.lending_rate += behaviour.lending_slope_2.value * max(0.0, (utilisation - kink) / (1 - kink))
        earned = self.lent * self.lending_rate * utilisation * (1 - behaviour.lending_reserve_factor.value) / 8760
        self.lent += earned
        self.lending += earned * self.collateral_price

    def swap_fees_and_rewards(self, market: Mapping[str, float]) -> None:
        """Two-way volume pays its fee half in each coin; the gauge pays the AMO's boosted share, sold with price impact."""
        pool = self.study.state.pool
        z = 0.001 * (self.ann + 2) / 4
        depth = self.d / 2 * z / (1 + z)
        captured = depth / (depth + self.study.state.markets.volume_depth_usd.value)
        each = 0.5 * pool.fee.value * market["swap_volume"] * captured
        each = max(0.0, min(each, 0.001 * min(self.y, self.supply - self.x)))
        kept, back = (1 - pool.admin_fee.value) * each, pool.admin_fee.value * pool.protocol_admin_share.value * each
        boosted = self.study.state.amos.curve.reward_boost.value * self.lp_amo
        reward = market["reward_usd"] * boosted / (boosted + self.lp_supply - self.lp_amo)
        sold = reward / (1 + reward / self.study.state.markets.reward_depth_usd.value)
        self.fees += 2 * (self.own * kept + back)
        self.rewards += sold
        self.idle += (sold + back) / self.collateral_price
        self.supply -= back
        self.x += kept
        self.y += kept / self.base_value
        self.d = get_D(self.x, self.y, self.ann)

    # -- who leaves and who buys -------------------------------------------------------------------------------------------------

    def providers_leave(self, market: Mapping[str, float]) -> None:
        """Outside providers take both sides; their stablecoin joins the queue."""
        behaviour = self.study.state.markets
        excess = max(0.0, self.x / (self.x + self.y) - behaviour.lp_flight_share.value)
        rate = min(0.5, market["lp_exit"] + behaviour.lp_flight_rate.value * excess)
        left = rate * (1 - self.own) if self.d > 1e4 else 0.0
        joined = 0.0
        if rate == 0 and self.d > 1e4:
            state = self.study.state
            at_start = (1 - state.amos.curve.lp_share.value) * (state.pool.stablecoin.value + state.base_value)
            kept = min(1.0, (self.supply - self.own * self.x) / self.start_external)
            missing = max(0.0, at_start * kept - (1 - self.own) * self.d)
            joined = max(0.0, min(behaviour.lp_return_rate.value * missing / self.d, 0.5 * (self.supply - self.x - self.queue) / self.x))
        scale = 1 - left + joined
        self.queue += left * self.x
        self.x *= scale
        self.y *= scale
        self.d *= scale
        self.lp_supply *= scale

    def holders(self, market: Mapping[str, float]) -> None:
        """News, hazard and calm flow against buyers; who of both sides meets the other trades outside the pool."""
        behaviour = self.study.state.markets
        price = spot(self.x, self.y, self.d, self.ann) * self.base_value
        short = 1 - price / self.exit_value
        self.fatigue *= math.exp(-1 / behaviour.hazard_memory_hours.value)
        ready = max(0.0, 1 - self.fatigue / behaviour.hazard_limit.value)
        slipped = min(1.0, max(0.0, (short - 0.01) / 0.001))
        a_day = behaviour.hazard_news.value * slipped
        a_day += behaviour.hazard_price.value * min(1.0, max(0.0, (short - 0.01) / 0.04))
        a_day += behaviour.hazard_collateral.value * max(0.0, self.cr_external_start - self.cr_external) * slipped
        a_day += behaviour.hazard_share.value * min(1.0, max(0.0, (1 - self.share_price / self.share_slow - 0.45) / 0.25))
        hazard = min(0.5, a_day / 24 * ready)
        self.fatigue += hazard
        holders = max(0.0, self.supply - self.x - self.queue)
        leaving = min(0.5, hazard + market["news_exit"]) * holders
        flow = market["flow"] * self.start_external
        calm_sell = min(max(0.0, -flow), holders - leaving)
        buying = max(0.0, flow) + behaviour.value_buyers.value * max(0.0, self.exit_value - price - 0.001) * self.start_external * ready
        selling = max(0.0, min(self.queue + leaving + calm_sell, self.supply - self.x))
        met = min(selling, buying)
        self.sell_demand, self.buy_demand = selling - met, buying - met

    # -- the hour's trades -------------------------------------------------------------------------------------------------------

    def trades(self, market: Mapping[str, float]) -> None:
        """Buyers; sellers at a fair price; the doors and their arbitrage; redeemers; then sellers down to their reservation."""
        study, pool, behaviour, issuer = self.study, self.study.state.pool, self.study.state.markets, self.study.state.stablecoin
        fee, base = pool.fee.value, self.base_value
        par = study.simulation.collateral_valuation == "par"
        lag = behaviour.oracle_lag_hours.value
        weight = 1.0 if lag == 0 else 1 - math.exp(-1 / lag)
        x_0, y_0, own = self.x, self.y, self.own
        selling, buying = self.sell_demand, self.buy_demand
        gate = market["gate"] > 0.5

        # one unit redeemed: collateral tokens, and what they and the share tokens are worth
        tokens = self.cr * (1.0 if par else 1 / self.collateral_price)
        worth = tokens * self.collateral_price + 1 - self.cr
        redeem_tokens, redeem_pays = tokens * (1 - issuer.redemption_fee.value), worth * (1 - issuer.redemption_fee.value)
        mint_asks = worth / (1 - issuer.minting_fee.value)
        opens_below = min(2.0, (self.parameters.redeem_price_threshold - (1 - weight) * self.oracle) / weight)
        opens_above = (self.parameters.mint_price_threshold - (1 - weight) * self.oracle) / weight
        door = min(redeem_pays * (1 - fee), opens_below)
        capacity = self.idle / max(redeem_tokens, 1e-9)
        is_open = gate and capacity > 1 and door > 0.01
        capacity = capacity if is_open else 0.0

        backing = min(self.cr_external, self.cr)
        cover = min(1.0, self.share_price * self.share_supply / ((1 - backing) * (self.supply - own * x_0) + 1))
        reservation = max(0.01, self.exit_value * (backing + (1 - backing) * cover) * (1 - behaviour.seller_haircut.value))

        bought = min(buying, behaviour.hour_limit.value * x_0)
        x_1 = x_0 - bought
        y_1 = get_y(x_1, self.d, self.ann)
        most = min(selling, behaviour.hour_limit.value * y_1)
        fair = max(0.01, self.exit_value - 0.005)
        sold_fair = min(most, max(0.0, x_at_price(fair / base, self.d, self.ann) - x_1))
        x = x_1 + sold_fair

        sold_door = minted = arbitrage = taken = 0.0
        ceiling = max(mint_asks / (1 - fee), opens_above)
        if gate and selling <= 0 and spot(x_1, y_1, self.d, self.ann) * base > ceiling:
            minted = min(max(0.0, x_at_price(ceiling / base, self.d, self.ann) - x), behaviour.hour_limit.value * y_1)
        elif is_open and door >= reservation:
            at_door = x_at_price(door / base, self.d, self.ann)
            sold_door = min(max(0.0, at_door - x), most - sold_fair)
            arbitrage = min(min(max(0.0, x - at_door), 0.9 * x) * (1 - fee), capacity)
            taken = arbitrage / (1 - fee)
        x = x + sold_door + minted - taken
        reached = spot(x, get_y(x, self.d, self.ann), self.d, self.ann) * base

        waiting = selling - sold_fair - sold_door
        redeemed = 0.0
        pays = reached <= opens_below * (1 + 1e-9) and redeem_pays >= reached * (1 - fee)
        if is_open and (pays or self.d <= 1e4) and redeem_pays >= reservation:
            redeemed = min(waiting, capacity - arbitrage)
            waiting -= redeemed
        sold_low = max(0.0, x_at_price(reservation / base, self.d, self.ann) - x)
        sold_low = min(sold_low, most - sold_fair - sold_door, waiting)
        self.queue = waiting - sold_low
        self.unserved = selling - sold_fair - (redeemed if redeem_pays >= self.exit_value - 0.005 else 0.0)
        x += sold_low
        y = get_y(x, self.d, self.ann)

        # the fee is taken from what comes out; its admin part leaves, and the protocol's share of that comes home
        out_x = bought + max(0.0, x_1 - x)
        out_y = max(0.0, y_1 - y)
        fee_x, fee_y = fee * out_x, fee * out_y
        admin = pool.admin_fee.value
        home_x, home_y = admin * pool.protocol_admin_share.value * fee_x, admin * pool.protocol_admin_share.value * fee_y * base
        self.fees += own * (1 - admin) * (fee_x + fee_y * base) + home_x + home_y
        self.discount += own * ((x - x_0) + (y - y_0) * base)

        # the issuer: units burned against collateral and shares, units minted likewise
        units = arbitrage + redeemed
        gross = minted / (1 - issuer.minting_fee.value)
        paid = redeem_tokens * units
        shares_out, shares_in = (1 - self.cr) * (1 - issuer.redemption_fee.value) * units, (1 - self.cr) * gross
        received = tokens * gross
        self.primary_fees += issuer.redemption_fee.value * units + issuer.minting_fee.value * gross
        self.discount += self.cr * (1 - issuer.redemption_fee.value) * units - paid * self.collateral_price
        self.discount += received * self.collateral_price - self.cr * gross
        self.issued += shares_out
        self.burned -= shares_in
        self.idle = max(0.0, self.idle - paid + received + home_y / self.collateral_price)
        self.supply += minted - units - home_x
        unit_price = max(self.share_price, 1e-9)
        self.share_supply += shares_out / unit_price - min(shares_in / unit_price, 0.5 * self.share_supply)
        share_depth = study.state.share_token.depth_usd.value
        self.share_price *= (share_depth + shares_in) / (share_depth + shares_out)

        self.x, self.y = x + (1 - admin) * fee_x, y + (1 - admin) * fee_y
        self.d = get_D(self.x, self.y, self.ann)
        self.price = spot(self.x, self.y, self.d, self.ann) * base
        if self.d <= 1e4:
            self.price = min(redeem_pays, opens_below) if is_open and self.queue <= 0 else 0.0
        self.oracle += weight * (self.price - self.oracle)

    # -- the controller and the triggers -----------------------------------------------------------------------------------------

    def controller(self) -> None:
        """A step up or down at most once a cooldown, strictly outside the band."""
        self.hours_since_refresh += 1
        if self.hours_since_refresh < self.parameters.cr_refresh_hours:
            return
        moved = self.cr
        if self.oracle > 1 + self.parameters.cr_band:
            moved = min(self.cr, max(self.cr - self.parameters.cr_step, self.study.simulation.cr_floor))
        elif self.oracle < 1 - self.parameters.cr_band:
            moved = min(1.0, self.cr + self.parameters.cr_step)
        if moved != self.cr:
            self.hours_since_refresh = 0
        self.cr = moved

    def triggers(self) -> None:
        """Unwinding is latched until the price is back and the ratio restored; hours above the high share are counted."""
        short = self.cr_external < self.cr_external_start - self.parameters.unwind_cr_margin
        relative = self.oracle / self.exit_value
        if short or relative < self.parameters.unwind_price:
            self.unwinding = True
        elif relative >= self.parameters.reentry_price:
            self.unwinding = False
        self.unwinding_hours = self.unwinding_hours + 1 if self.unwinding else 0
        self.high_hours = self.high_hours + 1 if self.x > self.parameters.pool_share_high * (self.x + self.y) else 0

    # -- the AMOs ----------------------------------------------------------------------------------------------------------------

    def at_floor(self, floor: float) -> tuple[float, float]:
        """The pool after the stablecoin was sold down to the floor, at most as much as there is."""
        x = min(x_at_price(floor, self.d, self.ann), self.supply)
        return (x, get_y(x, self.d, self.ann)) if x > self.x else (self.x, self.y)

    def ratios(self) -> None:
        """`cr_contract` at a floor of CR, `cr_external` at the study's."""
        x, y = self.at_floor(max(0.01, self.cr))
        self.cr_contract = (self.idle + self.lent + self.own * y + self.cr * self.own * x) / self.supply
        x, y = self.at_floor(max(0.01, self.study.constraints.external_cr_floor))
        self.cr_external = (self.idle + self.lent + self.own * y) / max(1.0, self.supply - self.own * x)

    def curve_amo(self, market: Mapping[str, float]) -> None:
        """One change of liquidity: collateral in, stablecoin minted in, own stablecoin burned, collateral taken back."""
        p, pool, pace = self.parameters, self.study.state.pool, self.study.state.markets.deploy_rate.value
        x, y, own, base = self.x, self.y, self.own, self.base_value
        self.ratios()
        total = (self.idle + self.lent) * self.collateral_price + self.own_usd
        delay = self.study.simulation.response_delay_hours
        brought = mint = burn = returned = beside = 0.0
        shut = self.unwinding or self.cr_contract < p.min_cr
        if not shut:
            spare = self.idle * self.collateral_price - p.idle_buffer * total
            gap = min(p.curve_collateral_cap * total - self.own_usd, spare)
            brought = min(gap, pace * total) if gap > 2.5e-3 * total else 0.0
        brought_y = brought * (1 - pool.base_fee.value) / base
        if not shut:
            wanted = p.pool_share_low / (1 - p.pool_share_low) * (y + brought_y) - x
            gap = min(wanted, p.curve_mint_cap * self.supply - self.curve_minted)
            mint = min(gap, p.rebalance_rate * x) if gap > 2.5e-3 * x else 0.0
        if self.high_hours > delay:
            gap = min(x - p.pool_share_high / (1 - p.pool_share_high) * (y + brought_y), 0.9 * own * x)
            burn = min(gap, p.rebalance_rate * x) if gap > max(2.5e-3 * x, 1e3) else 0.0
        over = self.own_usd - p.curve_collateral_cap * total
        returned = min(over, pace * total) if over > max(0.01 * total, 1e3) else 0.0
        if self.unwinding and self.unwinding_hours > delay and burn <= 0:
            unwound = p.unwind_rate * self.own_usd
            if unwound > 1e3:
                returned = max(returned, unwound)
                beside = unwound / base * x / y
        returned = min(returned, 0.9 * self.own_usd)
        if returned > 0:  # its own withdrawal never tilts the pool above the high share
            beside = max(beside, x - p.pool_share_high / (1 - p.pool_share_high) * (y - returned / base))
        burn = max(burn, min(beside, 0.9 * own * x))
        self.conflict = (brought > 0 or mint > 0) and (burn > 0 or returned > 0)
        self.cancelled = False
        change_x, change_y = mint - burn, brought_y - returned / base
        if change_x == 0 and change_y == 0:
            return

        # add_liquidity and remove_liquidity_imbalance: half the fee on each coin's distance from the balanced change
        before = Snapshot.of(self)
        d_0, admin = self.d, pool.admin_fee.value
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
        cash = self.idle * self.collateral_price - brought + returned * (1 - pool.base_fee.value)
        gas = min(market["gas_usd"], cash)
        self.idle = (cash - gas + home_y) / self.collateral_price
        self.supply += change_x - home_x
        self.curve_minted += change_x
        self.curve_borrowed += (brought - returned) / self.collateral_price
        self.ratios()
        if (brought > 0 or mint > 0) and self.cr_contract < p.min_cr:
            before.restore(self)
            self.cancelled = True
            self.ratios()
            return
        given = (1 - self.own) * (self.x + self.y * base) - (1 - own) * (x + y * base)
        lost = given + admin * (fee_x + fee_y * base) + pool.base_fee.value * (brought + returned) + gas
        self.operations -= lost
        self.fees += home_x + home_y

    def aave_amo(self, market: Mapping[str, float]) -> None:
        """Lends what is spare, or withdraws what unwinding, the cap or the buffer asks for and the venue has."""
        p, pace = self.parameters, self.study.state.markets.deploy_rate.value
        total = self.idle + self.lent + self.own_usd / self.collateral_price
        lend = 0.0
        if not self.unwinding and self.cr_contract >= p.min_cr:
            gap = min(p.aave_cap * total - self.lent, self.idle - p.idle_buffer * total)
            lend = min(gap, pace * total) if gap > 2.5e-3 * total else 0.0
        over, refill = self.lent - p.aave_cap * total, p.idle_buffer * total - self.idle
        wanted = min(max(over if over > 0.01 * total else 0.0, refill if refill > 2.5e-3 * total else 0.0), pace * total)
        if self.unwinding and self.unwinding_hours > self.study.simulation.response_delay_hours and p.unwind_rate * self.lent > 1e3:
            wanted = max(wanted, p.unwind_rate * self.lent)
        wanted = min(wanted, self.lending_free, self.lent)
        moved = lend - wanted
        self.idle -= moved
        gas = min(market["gas_usd"] / self.collateral_price, self.idle) if moved != 0 else 0.0
        self.idle -= gas
        self.lent += moved
        self.lending_free -= wanted
        self.aave_borrowed += moved
        self.operations -= gas * self.collateral_price

    # -- records -----------------------------------------------------------------------------------------------------------------

    def record(self, hour: int) -> None:
        p = self.parameters
        if self.d > 1e4:
            self.price = spot(self.x, self.y, self.d, self.ann) * self.base_value
        below, below_dollar = max(0.0, self.exit_value - self.price), max(0.0, 1 - self.price)
        forget = 1 - math.exp(-1 / 72)
        self.ewm_collateral += forget * (below - self.ewm_collateral)
        self.ewm_dollar += forget * (below_dollar - self.ewm_dollar)
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
        self.hours_below_min_cr += self.cr_contract < p.min_cr
        self.min_cr_contract = min(self.min_cr_contract, self.cr_contract)
        self.min_cr_external = min(self.min_cr_external, self.cr_external)
        self.unserved_hours += self.unserved
        self.unserved_peak = max(self.unserved_peak, self.unserved)
        total = (self.idle + self.lent) * self.collateral_price + self.own_usd
        over = self.own_usd > (p.curve_collateral_cap + 0.01) * total
        over = over or self.lent * self.collateral_price > (p.aave_cap + 0.01) * total
        over = over or self.curve_minted > (p.curve_mint_cap + 0.01) * self.supply
        self.hours_over_caps += over
        self.hours_unwinding += self.unwinding


@dataclass
class Snapshot:
    """What one Curve operation changes, to undo it where it must not happen."""

    values: dict[str, float]

    NAMES = ("x", "y", "d", "lp_supply", "lp_amo", "idle", "supply", "curve_minted", "curve_borrowed")

    @classmethod
    def of(cls, path: Twin) -> Snapshot:
        return cls({name: getattr(path, name) for name in cls.NAMES})

    def restore(self, path: Twin) -> None:
        for name, value in self.values.items():
            setattr(path, name, value)
