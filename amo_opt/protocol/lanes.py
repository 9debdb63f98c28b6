"""Where each number of the kernel lives: offsets into the flat state, the parameter vector and the constants.

State is one float64 array; variable K of lane i is ``s[K * LANES + i]``. Stages say ``from amo_opt.protocol import lanes as at`` and ``s[at.S_IDLE + i]``:
the names follow from the declarations below (``S_`` state, ``M_`` market row, ``P_`` parameters, ``C_`` constants), and the compiler freezes them.
What is an AMO's own it declares in its file (`Own`): its stages are given where that begins, and count from there. Units: dollars, tokens, plain ratios, hours.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from types import ModuleType

from amo_opt.protocol.market import COMMON_INPUTS, LANES
from amo_opt.protocol.parameters import ISSUER_PARAMETERS
from amo_opt.protocol.state import Markets

CAP_SUMS: tuple[str, ...] = ("borrow_share", "mint_share", "mint_share_of_collateral")
"""What the minter's two sums come to, as shares: of collateral, and of supply and of collateral (`amos.minter`)."""
PARAMETERS: tuple[str, ...] = (*ISSUER_PARAMETERS, *CAP_SUMS)

MARKET_CONSTANTS: tuple[str, ...] = tuple(field.name for field in fields(Markets) if field.default is MISSING)
FURTHER_CONSTANTS: tuple[str, ...] = (
    "fee",
    "admin_fee",
    "protocol_admin_share",
    "base_fee",
    "redemption_fee",
    "minting_fee",
    "claim_keep",
    "claim_release",
    "mint_ceiling",
    "reward_boost",
    "reward_outside_boost",
    "reward_keep",
    "reward_sold",
    "share_depth_ratio",
    "recollateralise_tokens",
    "recollateralise_bonus",
    "buyback_usd",
    "fxs1559_share",
    "size",
    "start_supply",
    "start_external",
    "start_outside",
    "start_pool",
    "start_shares",
    "start_collateral",
    "start_amplification",
    "future_amplification",
    "ramp_left",
    "external_floor",
    "response_delay",
    "par_valuation",
    "dollar_reference",
    "above_counts",
    "cr_floor",
    "cr_most",
    "income_shared",
    "oracle_weight",
    "lending_weight",
    "lp_yield_weight",
    "peg_weight",
    "memory_decay",
    "share_weight",
    "share_recovery",
    "pools",
    "pools_state",
    "pools_constants",
    "keepers",
    "keepers_state",
    "keepers_parameters",
    "keepers_constants",
)
CONSTANTS: tuple[str, ...] = MARKET_CONSTANTS + FURTHER_CONSTANTS

TOTALS: tuple[str, ...] = (
    *("at_work", "recoverable", "cover_coins", "pooled_gap", "own_outside", "own_at_floor", "own_counted", "minted", "borrowed"),
    *("owed", "keeper_debt", "keeper_roots", "borrow_rate"),
    *("pooled", "pooled_outside"),
)
"""Totals over the AMOs, neighbours in the state: collateral at work outside the pool, what stands as cover at the floor beside what is idle, at par, tokens of the collateral coin
among it, and what the other side of further pools in it is worth beyond par; own stablecoin outside the pool
(what can be withdrawn now; what is held at the floor; what the chain counts there, at CR), and the sums of the minter's books; what borrowers owe against collateral of
their own (cover, and among ``recoverable``, but nothing that pays a redeemer), PegKeepers' debt, the sum of the roots of their debts over their ceilings, and the rate a year that a
monetary policy has set for the hour to come; what the protocol has of the other side of further pools, and others' stablecoin in these.
Every AMO adds what it begins with; from then on whoever moves a position moves them."""
HOURLY: tuple[str, ...] = (
    "depth_elsewhere",
    "quoted_depth",
    "quoted_gap",
    "borrower_flow",
    "staying",
    "leaving",
    "over_caps",
    "unsound",
    "amo_income",
    "earned",
    "coming",
    "beside",
)
"""What AMOs add up within an hour, neighbours too: depth of other venues within 10 bp, that which the oracle sees and its distance from the pool's price, stablecoin that
borrowers and savers sell or buy, stablecoin of holders who do not run (``market_operations``, ``quote``), the share of the others that leaves this hour; lanes where an AMO is over its cap,
or its figures cannot be (``watch``); their income so far, and this hour's; collateral on its way home from assets, and what of assets that pay at once stands among the idle collateral
while holders trade."""
STUCK: tuple[str, ...] = ("stuck", "stuck_debt", "debt")
"""What AMOs add up where books are settled: collateral and stablecoin lent that cannot be withdrawn, and what borrowers owe."""

POOL: tuple[str, ...] = (
    "pool_x",
    "pool_y",
    "ann",
    "d",
    "lp_supply",
    "lp_amo",
    "own",
    "base_value",
    "pool_price",
    "pool_last",
    "pool_before",
    "pool_tilt",
)
"""A pool's lines, the first of the state and of every further pool's own: what works a pool is told where its lines begin. ``own`` is the share of the protocol and all its AMOs, ``pool_price``
the pool's own average of its spot price, in coins opposite, and ``pool_last`` that spot as the
last hour left it, ``pool_before`` the average then, ``pool_tilt`` then what the other side had over the stablecoin, as a share of D."""
COMMON: tuple[str, ...] = (
    *POOL,
    # issuer
    "supply", "collateral_ratio", "hours_since_refresh", "idle", "claims", "net_issued", "share_price", "share_supply", "share_impact", "share_slow", "oracle",
    # holders and outside providers
    "queue", "buy_queue", "backing_value", "fatigue", "sell_demand", "buy_demand", "outside_yield", "outside_yield_start",
    *TOTALS, *HOURLY, *STUCK,
    # reward tokens
    "reward_tokens_earned", "reward_tokens_locked",
    # triggers
    "unwinding", "unwinding_hours", "high_hours", "cr_external_start", "cr_par", "cr_par_start",
    # hours since the snapshot; the price that PegKeepers are told, now and an hour ago, the two highest averages of their pools, what bounds their debts; what several pools
    # took of sellers below a fair price
    "elapsed", "aggregate", "aggregate_before", "aggregate_depth", "highest", "second_highest", "alpha", "beta", "sold_low",
    # this step's prices and ratios; x / D of the pool at a price of CR
    "collateral_price", "price", "cr_contract", "cr_external", "scaled_cr",
    # what selling everything would cost, as last settled; income that FXS1559 has already looked at
    "liquidation_cost", "income_seen",
    # running income and capital lines that are no AMO's own (cleared when the scored window opens)
    "income_swap_fees", "income_primary_fees", "income_market_operations", "income_venue_losses", "income_liquidation",
    "income_mark_to_market", "income_debt_discount",
    "capital_shares_issued", "capital_shares_burned", "capital_recollateralised", "capital_buybacks",
    # running path statistics (cleared likewise)
    "min_price", "min_oracle", "deepest_collateral", "deepest_dollar", "ewm_collateral", "ewm_dollar", "loss_collateral", "loss_dollar",
    "shortfall", "hours_below_099", "hours_below_min_cr", "min_cr_external", "min_cr_contract", "unserved", "unserved_hours",
    "unserved_peak", "first_bad_hour", "last_bad_hour", "hours_over_caps", "hours_unwinding",
    # the first fault of the lane: 0 none, else a code of `FAULTS`, and the step it happened in
    "fault", "fault_step",
)  # fmt: skip
"""The state but for the AMOs' own lines, which follow it."""
COMMON_LINES: dict[str, int] = {
    "income_swap_fees": 40,
    "income_primary_fees": 70,
    "income_market_operations": 71,
    "income_venue_losses": 72,
    "income_liquidation": 73,
    "income_mark_to_market": 74,
    "income_debt_discount": 75,
    "capital_shares_issued": 80,
    "capital_shares_burned": 81,
    "capital_recollateralised": 82,
    "capital_buybacks": 83,
}
"""The accounting lines that are no AMO's own, each with its place among all: every line is computed where its flow happens, and sums run in this order."""

FAULTS: dict[int, str] = {
    1: "the pool's invariant did not converge",
    2: "the price inversion did not converge",
    3: "a balance went negative or stopped being a number",
    4: "a deployment left cr_contract below min_cr",
    5: "a deployment went over its cap",
}

_OFFSETS: dict[str, tuple[dict[str, int], int]] = {
    "S": ({name: index for index, name in enumerate(COMMON)}, LANES),
    "M": ({name: index for index, name in enumerate(COMMON_INPUTS)}, LANES),
    "P": ({name: index for index, name in enumerate(PARAMETERS)}, 1),
    "C": ({name: index for index, name in enumerate(CONSTANTS)}, 1),
}
"""Names by their letter, and how far apart they lie."""


def __getattr__(name: str) -> int:
    """The offset that a name stands for. Raises ``AttributeError`` for one that nothing declares."""
    letter, _, rest = name.partition("_")
    index, apart = _OFFSETS.get(letter, ({}, 0))
    if not name.isupper() or rest.lower() not in index:
        raise AttributeError(f"{__name__} declares no {name}")
    return index[rest.lower()] * apart


class Own(ModuleType):
    """An AMO's own numbers by name, each list in order; ``own.S_LENT`` is where a line begins, counted from the first. To the compiler it is a module of constants."""

    def __init__(
        self,
        name: str,
        *,
        state: tuple[str, ...] = (),
        market: tuple[str, ...] = (),
        parameters: tuple[str, ...] = (),
        constants: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name)
        self.state, self.market, self.parameters, self.constants = state, market, parameters, constants
        for letter, names, apart in (("S", state, LANES), ("M", market, LANES), ("P", parameters, 1), ("C", constants, 1)):
            for index, each in enumerate(names):
                setattr(self, f"{letter}_{each.upper()}", index * apart)

    def __getattr__(self, name: str) -> int:
        """Only for what was not declared: raises ``AttributeError``."""
        raise AttributeError(f"{self.__name__} declares no {name}")
