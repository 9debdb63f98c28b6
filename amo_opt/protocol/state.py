"""The protocol at a snapshot: balance sheet, pool, positions and market behaviour, every figure with its source or its assumption."""

from __future__ import annotations

from dataclasses import Field, dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number with where it comes from: either ``source`` (and ``date``), or ``assumed`` (the reason) with ``low`` and ``high``."""

    value: float
    source: str | None = None
    date: date | None = None
    assumed: str | None = None
    low: float | None = None
    high: float | None = None


def figure(low: float, high: float, unit: str, doc: str) -> Any:
    """A dataclass field holding a `Figure` whose value must lie in [low, high]; ``unit`` and ``doc`` are shown in reports."""
    metadata = {"low": low, "high": high, "unit": unit, "doc": doc}
    declared: Field[Any] = field(metadata=metadata)
    return declared


@dataclass(frozen=True, kw_only=True)
class Stablecoin:
    """``[stablecoin]``"""

    supply: Figure = figure(1.0, 1e13, "tokens", "total supply, AMO holdings included")
    collateral_ratio: Figure = figure(0.0, 1.0, "", "target collateral ratio (global_collateral_ratio)")
    redemption_fee: Figure = figure(0.0, 0.2, "", "fee on redeeming")
    minting_fee: Figure = figure(0.0, 0.2, "", "fee on minting")


@dataclass(frozen=True, kw_only=True)
class ShareToken:
    """``[share_token]``"""

    price: Figure = figure(0.0, 1e7, "USD", "price of the share token")
    supply: Figure = figure(0.0, 1e13, "tokens", "circulating supply of the share token")
    depth_usd: Figure = figure(1.0, 1e12, "USD", "sales that halve the share token's price if made at once")


@dataclass(frozen=True, kw_only=True)
class Pool:
    """``[pool]``"""

    stablecoin: Figure = figure(1.0, 1e13, "tokens", "stablecoin in the metapool")
    base_lp: Figure = figure(1.0, 1e13, "tokens", "base-pool LP tokens in the metapool")
    base_virtual_price: Figure = figure(0.5, 100.0, "USD", "virtual price of the base pool's LP token")
    amplification: Figure = figure(1.0, 999_999.0, "", "A of the metapool")
    fee: Figure = figure(0.0, 0.05, "", "swap fee of the metapool")
    admin_fee: Figure = figure(0.0, 1.0, "", "share of the swap fee that goes to the pool's administrator")
    protocol_admin_share: Figure = figure(0.0, 1.0, "", "share of the admin fee that the protocol itself collects")
    base_fee: Figure = figure(0.0, 0.05, "", "cost of turning collateral into base-pool LP or back")


@dataclass(frozen=True, kw_only=True)
class Collateral:
    """``[collateral]``"""

    idle: Figure = figure(0.0, 1e13, "tokens", "collateral free for redemptions")


@dataclass(frozen=True, kw_only=True)
class CurveAmo:
    """``[amos.curve]``"""

    lp_share: Figure = figure(0.0, 1.0, "", "share of the metapool's LP tokens the AMO owns")
    minted: Figure = figure(-1e13, 1e13, "tokens", "stablecoin minted to the AMO less burned (minter's book)")
    borrowed: Figure = figure(-1e13, 1e13, "tokens", "collateral lent to the AMO less returned (minter's book)")
    reward_boost: Figure = figure(0.1, 2.5, "", "the AMO's gauge boost over the other providers'")


@dataclass(frozen=True, kw_only=True)
class AaveAmo:
    """``[amos.aave]``"""

    lent: Figure = figure(0.0, 1e13, "tokens", "collateral lent")
    borrowed: Figure = figure(-1e13, 1e13, "tokens", "collateral lent to the AMO less returned (minter's book)")


@dataclass(frozen=True, kw_only=True)
class Amos:
    """``[amos.NAME]``"""

    curve: CurveAmo
    aave: AaveAmo


@dataclass(frozen=True, kw_only=True)
class Markets:
    """``[markets]``: how holders, providers and venues behave. Most are assumed, so each carries the range a reader may try."""

    oracle_lag_hours: Figure = figure(0.0, 168.0, "h", "time constant of the oracle's lag; 0 = spot")
    deploy_rate: Figure = figure(1e-4, 1.0, "1/h", "share of all collateral an AMO moves an hour towards its target")
    ramp_hours: Figure = figure(24.0, 8760.0, "h", "length of an A ramp")
    hour_limit: Figure = figure(0.01, 1.0, "", "most of the other side of the pool that sellers or buyers take an hour")
    seller_haircut: Figure = figure(0.0, 0.5, "", "discount to exit value that a leaver accepts within the hour")
    value_buyers: Figure = figure(0.0, 10.0, "1/h", "buying an hour, share of external supply per unit of price below exit value")
    hazard_news: Figure = figure(0.0, 5.0, "1/day", "holders leaving when the price falls 1% below exit value")
    hazard_price: Figure = figure(0.0, 5.0, "1/day", "further holders leaving when it falls 5% below")
    hazard_collateral: Figure = figure(0.0, 20.0, "1/day", "holders leaving per unit by which the CR gap exceeds its start")
    hazard_share: Figure = figure(0.0, 5.0, "1/day", "holders leaving when the share token has collapsed")
    hazard_limit: Figure = figure(0.01, 1.0, "", "share of holders that would ever run; the hazard fades as they leave")
    hazard_memory_hours: Figure = figure(1.0, 1e5, "h", "time constant at which that memory fades")
    lp_flight_share: Figure = figure(0.5, 1.0, "", "pool share of the stablecoin above which outside providers flee")
    lp_flight_rate: Figure = figure(0.0, 10.0, "1/h", "outside providers leaving an hour per unit of share above it")
    lp_return_rate: Figure = figure(0.0, 1.0, "1/h", "outside liquidity coming back an hour, share of what is missing")
    volume_depth_usd: Figure = figure(1.0, 1e12, "USD", "depth within 10 bp at which the pool captures half of the two-way volume")
    lending_slope_1: Figure = figure(0.0, 1.0, "", "borrow rate at the kink")
    lending_slope_2: Figure = figure(0.0, 10.0, "", "borrow rate added between the kink and full utilisation")
    lending_kink: Figure = figure(0.1, 0.99, "", "utilisation at the kink")
    lending_reserve_factor: Figure = figure(0.0, 0.99, "", "share of the interest the venue keeps")
    lending_elasticity: Figure = figure(0.0, 100.0, "", "fall of borrow demand per unit of borrow rate")
    reward_depth_usd: Figure = figure(1.0, 1e12, "USD", "hourly reward sales that halve the proceeds")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """``[contracts.NAME]``: an address and where it was read."""

    address: str
    repository: str | None = None
    path: str | None = None
    commit: str | None = None
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProtocolState:
    """A whole state file."""

    name: str
    date: date
    stablecoin: Stablecoin
    share_token: ShareToken
    pool: Pool
    collateral: Collateral
    amos: Amos
    markets: Markets
    contracts: dict[str, Contract] = field(default_factory=dict)
    notes: str = ""

    @property
    def base_value(self) -> float:
        """The pool's base-pool LP tokens counted at their virtual price, dollars."""
        return self.pool.base_lp.value * self.pool.base_virtual_price.value

    @property
    def collateral_usd(self) -> float:
        """All collateral of the protocol at par: idle, lent, and the AMO's side of the pool, dollars."""
        return self.collateral.idle.value + self.amos.aave.lent.value + self.amos.curve.lp_share.value * self.base_value
