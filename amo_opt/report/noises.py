"""A scenario's random noises, and what a tilt does to them, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_of
from amo_opt.stress.settings import VENUES
from amo_opt.wording import significant

if TYPE_CHECKING:
    from amo_opt.stress.tilts import Component, Tilt

WORDS: dict[str, str] = {
    **{coin: f"the price of {coin.upper()}" for coin in ("usdc", "dai", "usdt")},
    "share": "the share token",
    **{
        f"{each.market.prefix}-{part}": f"{what} of the lending market {each.market.prefix}"
        for each in MECHANISMS
        if each.market is not None
        for part, what in (("deposits", "deposits"), ("utilisation", "the utilisation"))
    },
    **{f"{each.name}-demand": f"the demand for {each.borrowing.of}" for each in MECHANISMS if each.borrowing is not None},
    **{f"{each.name}-price": f"the price of {each.price.what}" for each in MECHANISMS if each.price is not None},
    "reward": "the reward token",
    "volume": "swap volume",
    "flow": "the demand of holders",
    "gas": "the gas price",
    "onset": "the hour of onset",
    "size": "the size of the stress",
    "speed": "the speed of the stress",
    "exit": "the share that leaves on news",
    "freeze": "the length of the freeze",
    "loss-venue": "the venue that is hit",
    "opposite": "the pool whose coin is struck",
    **{f"{venue}-loss": f"the time to a loss of {venue}" for venue in VENUES},
}
"""What each noise is called in a sentence."""
_OF_POOLS = {"coin": "the price of the coin of the", "volume": "swap volume of the"}


def noise_words(noise: str) -> str:
    """What a noise is called in a sentence; those of further pools and of assets by their names."""
    named = mechanism_of(noise.rpartition("-")[0])
    if named is not None and named.price is not None:
        return f"the price of {named.price.what}" if noise.endswith("-price") else f"the time to a loss of {named.price.what}"
    kind, _, pool = noise.partition("-")
    if noise not in WORDS and kind in _OF_POOLS:
        return f"{_OF_POOLS[kind]} {pool.upper()} pool"
    return WORDS[noise]


def tilt_words(tilt: Tilt) -> str:
    """``the share token falling to about 7% of its start``, ``the gas price above its usual level``, ``the hour of onset near the lower end of its range``."""
    name = noise_words(tilt.noise)
    up = tilt.amount > 0.0
    if tilt.kind == "uniform":
        return f"{name} near the {'upper' if up else 'lower'} end of its range"
    if tilt.kind != "walk":
        return f"{name} {'above' if up else 'below'} its usual level"
    moving = f"{name} {'rising' if up else 'falling'}"
    return moving if tilt.level is None else f"{moving} to about {significant(100.0 * math.exp(tilt.level), 1)}% of its start"


def component_words(component: Component) -> str:
    """Noises that are pushed together."""
    return " together with ".join(map(tilt_words, component))
