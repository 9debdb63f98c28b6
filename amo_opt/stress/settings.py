"""The numbers a catalogue entry is made of, and a study may override with ``set``: name, range, unit, meaning.

Those of an AMO come from its descriptor: of its lending market, of the loss that can strike its venue, and whatever else it needs. An AMO that no entry
names has its calm values from there (`Setting.calm`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_of
from amo_opt.protocol.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.amos.mechanism import Mechanism

_COMMON: dict[str, Setting] = {
    # -- when and how hard (stress entries) ----------------------------------------------------------------------------------
    "onset_day_low": Setting(0.0, 3650.0, "day", "earliest onset, days into the scored window"),
    "onset_day_high": Setting(0.0, 3650.0, "day", "latest onset; drawn uniformly, by path alone"),
    "size": Setting(0.0, 10.0, "", "multiplies price deviations, the share token's fall (in logs) and exits (hazard)"),
    "size_spread": Setting(0.0, 0.9, "", "each path's size is drawn from size × [1 − spread, 1 + spread]; exits keep their own draw"),
    "speed": Setting(0.05, 20.0, "", "2 = everything in half the hours (gate and freeze keep theirs)"),
    "speed_spread": Setting(0.0, 0.9, "", "each path's speed is drawn from speed × [1 − spread, 1 + spread]"),
    "exit_total_low": Setting(0.0, 0.95, "", "least share of external supply whose holders leave on news alone"),
    "exit_total_high": Setting(0.0, 0.95, "", "most of it; 0 = the waypoints' own total"),
    "gate_hours": Setting(0.0, 8760.0, "h", "hours from onset during which primary redemptions are gated"),
    "freeze_start_hours": Setting(0.0, 8760.0, "h", "hours from onset at which the lending market freezes"),
    "freeze_days_low": Setting(0.0, 365.0, "day", "shortest freeze"),
    "freeze_days_high": Setting(0.0, 365.0, "day", "longest freeze"),
    "freeze_utilisation": Setting(0.5, 0.99999, "", "utilisation of the lending market while frozen"),
    "freeze_free": Setting(0.0, 1e15, "tokens", "most that can be withdrawn an hour while frozen", amount=True),
    # -- base pool and coins -------------------------------------------------------------------------------------------------
    "base_coins": Setting(1.0, 3.0, "", "base pool of the episode: 3 = DAI, USDC and USDT at V(p), 1 = USDC alone", only=(1.0, 3.0)),
    "base_amplification": Setting(1.0, 1e6, "", "A of the three-coin base pool"),
    "coin_noise_sd": Setting(0.0, 0.05, "", "standard deviation of each coin's hourly price around its level"),
    "coin_noise_hours": Setting(0.01, 1e4, "h", "time constant of that noise"),
    "opposite_pool": Setting(
        0.0,
        8.0,
        "",
        "further pool whose coin the waypoints `opposite` strike, by its place in the state; 0 = any of them, drawn by path",
        calm=0.0,
    ),
    # -- share token, rewards, volume, flow, gas ------------------------------------------------------------------------------
    "share_daily_vol": Setting(0.0, 2.0, "", "daily volatility of the share token's log price"),
    "reward_tokens_week": Setting(0.0, 1e12, "tokens", "reward budget of the gauge a week"),
    "reward_token_price": Setting(0.0, 1e6, "USD/token", "price of the reward token at the start", amount=True),
    "reward_token_daily_vol": Setting(0.0, 2.0, "", "daily volatility of its log price"),
    "swap_volume_day": Setting(0.0, 1e13, "USD", "mean two-way volume a day", amount=True),
    "swap_volume_sd": Setting(0.0, 3.0, "", "standard deviation of its hourly log"),
    "swap_volume_hours": Setting(0.01, 1e4, "h", "its time constant"),
    "flow_sd": Setting(0.0, 1.0, "", "standard deviation of cumulative net demand, share of external supply"),
    "flow_hours": Setting(0.01, 1e5, "h", "its time constant"),
    # -- calm and busy spells (stress/spells.py): off where both scales are 0 ---------------------------------------------------------------
    "spell_begin": Setting(0.0, 1.0, "1/day", "chance that a busy spell begins after a calm day", calm=0.0),
    "spell_end": Setting(0.0, 1.0, "1/day", "chance that it ends after a busy day", calm=0.0),
    "spell_flow_scale": Setting(
        0.0, 1.0, "", "scale of a calm day's net demand (Student's t), share of external supply; 0 = flow_sd and flow_hours", calm=0.0
    ),
    "spell_flow_times": Setting(1.0, 100.0, "", "a busy day's scale over a calm day's", calm=1.0),
    "spell_flow_freedom": Setting(1.0, 1e6, "", "degrees of freedom of a day's net demand", calm=1e6),
    "spell_reversion": Setting(0.0, 10.0, "1/day", "rate at which what holders have netted returns", calm=0.0),
    "spell_lp_scale": Setting(
        0.0, 1.0, "", "scale of a calm day's change of the log of outside liquidity (Student's t), either way, both sides", calm=0.0
    ),
    "spell_lp_times": Setting(1.0, 100.0, "", "a busy day's scale over a calm day's", calm=1.0),
    "spell_lp_freedom": Setting(1.0, 1e6, "", "degrees of freedom of a day's change of liquidity", calm=1e6),
    "spell_lp_per_sale": Setting(
        0.0, 20.0, "", "log of outside liquidity that leaves in a busy spell per external supply sold, and comes per bought", calm=0.0
    ),
    "spell_most": Setting(0.001, 1.0, "", "largest deviation that a day's net demand or change of log liquidity is drawn with", calm=0.5),
    "gas_gwei": Setting(0.0, 1e5, "gwei", "median gas price"),
    "gas_gwei_sd": Setting(0.0, 3.0, "", "standard deviation of its log"),
    "gas_gwei_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "gas_units": Setting(0.0, 1e11, "gas", "gas of one AMO operation"),
    "eth_usd": Setting(0.0, 1e7, "USD/ETH", "price of one ETH", amount=True),
    # -- venue losses -----------------------------------------------------------------------------------------------------------
    "losses_certain": Setting(
        0.0, 1.0, "", "1 = one venue is hit at onset for sure, 0 = each at its yearly probability; size scales no loss", only=(0.0, 1.0)
    ),
    "coin_loss_yearly": Setting(0.0, 1.0, "1/year", "probability that the collateral coin is impaired within a year"),
    "coin_loss_severity": Setting(0.0, 1.0, "", "share of its price that the collateral coin loses, for good"),
}

_LENDING_MARKET: dict[str, Setting] = {
    "deposits": Setting(1.0, 1e13, "tokens", "", amount=True),
    "deposits_sd": Setting(0.0, 2.0, "", "standard deviation of their log"),
    "deposits_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "utilisation": Setting(0.0, 0.98, "", "utilisation of that market with the state's AMO deposit"),
    "utilisation_sd": Setting(0.0, 0.3, "", "its standard deviation"),
    "utilisation_hours": Setting(0.01, 1e5, "h", "its time constant"),
}


_BORROWING: dict[str, Setting] = {
    "demand_sd": Setting(0.0, 2.0, "", "standard deviation of the log of the demand for {}", calm=0.0),
    "demand_hours": Setting(0.01, 1e5, "h", "its time constant", calm=240.0),
    "turn": Setting(
        -0.95, 10.0, "", "change of {} that borrowers bring about from onset on, by choice or not; size multiplies its log", calm=0.0
    ),
    "turn_hours": Setting(1.0, 8760.0, "h", "hours that it takes", calm=24.0),
}


def settings_of(mechanism: Mechanism) -> dict[str, Setting]:
    """An AMO's settings: those of its lending market, of its venue's loss, of its price, and its further ones."""
    found: dict[str, Setting] = {}
    market, loss = mechanism.market, mechanism.loss
    if market is not None:
        found |= {f"{market.prefix}_{name}": replace(each, calm=getattr(market, f"calm_{name}")) for name, each in _LENDING_MARKET.items()}
        found[f"{market.prefix}_deposits"] = replace(found[f"{market.prefix}_deposits"], doc=market.deposits)
    if loss is not None:
        found[f"{mechanism.name}_loss_yearly"] = Setting(0.0, 1.0, "1/year", f"probability of {loss.event} within a year", calm=0.0)
        lost = f"share {loss.share_of} that is lost"
        found[f"{mechanism.name}_loss_severity"] = Setting(0.0, 1.0, "", lost, calm=loss.calm_severity)
    if mechanism.borrowing is not None:
        found |= {
            f"{mechanism.name}_{name}": replace(each, doc=each.doc.format(mechanism.borrowing.of)) for name, each in _BORROWING.items()
        }
    if mechanism.price is not None:
        what = mechanism.price.what
        found[f"{mechanism.name}_price_sd"] = Setting(0.0, 0.5, "", f"standard deviation of the price of {what}", calm=0.0)
        found[f"{mechanism.name}_price_hours"] = Setting(0.01, 1e5, "h", "its time constant", calm=24.0)
        found[f"{mechanism.name}_gate_hours"] = Setting(
            0.0, 8760.0, "h", f"hours from onset during which nothing goes into or comes out of {what}", calm=0.0
        )
    return found | dict(mechanism.settings)


class Settings(dict[str, Setting]):
    """Settings by name; one of a mechanism whose name a state chooses (``treasuries-asset_price_sd``) is known by its name, and not gone through."""

    def __missing__(self, name: str) -> Setting:
        found = _named(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _named(name) is not None)


@cache
def _named(name: str) -> Setting | None:
    mechanism = mechanism_of(name.partition("_")[0])
    return None if mechanism is None else settings_of(mechanism).get(name)


SETTINGS: Settings = Settings(_COMMON | {name: setting for each in MECHANISMS for name, setting in settings_of(each).items()})


def is_named(name: str) -> bool:
    """Whether a setting belongs to a mechanism whose name a state chose."""
    return not dict.__contains__(SETTINGS, name) and name in SETTINGS


def setting(settings: Mapping[str, float], name: str) -> float:
    """What a scenario says a setting is; of a mechanism whose name a state chose, what calm holds where the scenario does not say."""
    if name in settings or not is_named(name):
        return settings[name]
    calm = SETTINGS[name].calm
    return settings[name] if calm is None else calm


ORDERED: tuple[tuple[str, str], ...] = (
    ("onset_day_low", "onset_day_high"),
    ("exit_total_low", "exit_total_high"),
    ("freeze_days_low", "freeze_days_high"),
)
"""Pairs whose first may not exceed the second."""

VENUES: dict[str, str] = {each.name: each.loss.share_of for each in MECHANISMS if each.loss is not None} | {
    "coin": "of USDC's price, for good"
}
"""Where a loss may strike, by the name that begins its settings, and what its severity is a share of; a certain loss is drawn in this order."""


def venues_in(settings: Mapping[str, float]) -> dict[str, str]:
    """`VENUES`, and those of names that a state chose which a scenario's settings let lose."""
    ends = "_loss_yearly"
    named = sorted(name.removesuffix(ends) for name in settings if name.endswith(ends) and is_named(name))
    found = {venue: mechanism_of(venue) for venue in named}
    return VENUES | {venue: each.loss.share_of for venue, each in found.items() if each is not None and each.loss is not None}
