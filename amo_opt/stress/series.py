"""The series of waypoints a catalogue entry may hold: names, kinds and allowed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_of

if TYPE_CHECKING:
    from amo_opt.amos.mechanism import AssetPrice

Kind = Literal["price", "level", "multiple", "share_a_day", "demand_a_day"]


@dataclass(frozen=True)
class Series:
    """One series: ``kind`` says how values are joined and scaled (`shapes`); each value must lie in [low, high]."""

    kind: Kind
    low: float
    high: float
    unit: str
    doc: str


def _price_of(price: AssetPrice) -> Series:
    return Series("price", 0.01, 10.0, "", f"price of {price.what}, as a multiple of what it is counted in")


class _AllSeries(dict[str, Series]):
    """Series by name; that of an asset whose name a state chooses (``treasuries-asset``) is known by its name, and not gone through."""

    def __missing__(self, name: str) -> Series:
        mechanism = mechanism_of(name)
        if mechanism is None or mechanism.price is None:
            raise KeyError(name)
        return _price_of(mechanism.price)

    def __contains__(self, name: object) -> bool:
        mechanism = mechanism_of(name) if isinstance(name, str) else None
        return super().__contains__(name) or (mechanism is not None and mechanism.price is not None)


_COMMON: dict[str, Series] = {
    "usdc": Series("price", 0.01, 10.0, "USD", "price of USDC, the collateral coin"),
    "dai": Series("price", 0.01, 10.0, "USD", "price of DAI"),
    "usdt": Series("price", 0.01, 10.0, "USD", "price of USDT"),
    "opposite": Series("price", 0.01, 10.0, "USD", "price of the coin of a further pool, which one: the setting opposite_pool"),
    "share_token": Series("level", 1e-9, 1e9, "USD", "price of the share token; counts relative to its first waypoint"),
    "gas": Series("multiple", 0.01, 1000.0, "", "gas price as a multiple of the calm level"),
    "holders_exit": Series("share_a_day", 0.0, 0.99, "1/day", "share of external supply leaving on news"),
    "lp_exit": Series("share_a_day", 0.0, 0.9999, "1/day", "share of outside liquidity leaving on news"),
    "demand": Series("demand_a_day", -10.0, 10.0, "1/day", "net demand on top of calm flow, share of external supply"),
}
SERIES: dict[str, Series] = _AllSeries(_COMMON | {each.name: _price_of(each.price) for each in MECHANISMS if each.price is not None})
