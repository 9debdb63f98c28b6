"""Short names: of parameters, of what changes in them, and of sets by what they change; amounts in the unit of account."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.stress.settings import VENUES
from amo_opt.wording import decimals_of, fixed, significant, thousands, true_minus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.search.result import Candidate, Result
    from amo_opt.stress.tilts import Component, Tilt

_WORDS = {
    "aave": "Aave",
    "amplification": "A",
    "cr": "CR",
    "curve": "Curve",
    "fraxlend": "Fraxlend",
    "investor": "Collateral Investor",
    "lp": "LP",
    "tusd": "TUSD",
    "uniswap": "Uniswap",
    "usdc": "USDC",
    "usdp": "USDP",
    "usdt": "USDT",
}
_WHOLE = {
    "pool_share_high": "upper pool share",
    "pool_share_low": "lower pool share",
    "policy_rate0": "base borrow rate",
    "policy_target_debt_fraction": "target debt fraction",
    "policy_sigma": "rate sigma",
    "policy_extra_const": "extra borrow rate",
    "min_cr": "minimum CR",
}
_SHARES = frozenset({"pool_share_high", "pool_share_low", "savings_income_share", "rebalancer_share", "borrowers_interest_kept"})
PLAIN = {
    "breach_probability": "chance that cover breaks its limit",
    "caps_plus_buffer": "caps plus buffer",
    "floor_supply": "supply that finds a buyer at 0.99",
    "shortfall": "deepest price shortfall",
    "unrecovered": "price not back at the end",
    "unserved": "redemptions left waiting",
    "min_cr_external_tail95": "cover in the worst twentieth",
    "peg_cvar95_bps": "peg risk",
    "shortfall_cvar90_bps": "the deepest price shortfall (worst tenth)",
    "unserved_cvar90_usd_hours": "what redeemers wait for (worst tenth)",
    "yield": "yield",
}
"""Limits and metrics as a newcomer is told of them; the appendix has the whole name."""
LETTERS = "BCDEFGHIJKLMNOPQRSTUVWXYZ"


def label_of(name: str) -> str:
    """A parameter's short name.

    >>> label_of("aave_cap"), label_of("usdt-keeper.ceiling"), label_of("idle_buffer"), label_of("usdt-pool.amplification")
    ('Aave cap', 'USDT keeper ceiling', 'idle buffer', 'USDT pool A')
    """
    if name in _WHOLE:
        return _WHOLE[name]
    words = name.replace(".", " ").replace("-", " ").replace("_", " ").split()
    return " ".join(_WORDS.get(word, word) for word in words)


def sentence(text: str) -> str:
    """The text with its first letter large, as a title or a list begins."""
    return text[:1].upper() + text[1:]


def is_share(name: str) -> bool:
    """Whether a parameter is read in per cent: a share of collateral, of supply, of a pool, of income."""
    parameter = PARAMETERS[name]
    return parameter.share_of is not None or name in _SHARES or name.endswith(("caller_share",))


def value_of(name: str, value: float) -> str:
    """A parameter's value as one says it.

    >>> value_of("aave_cap", 0.201), value_of("amplification", 1500), value_of("usdt-keeper.ceiling", 11e6), value_of("cr_step", 0.0025)
    ('20.1%', '1,500', '11m', '0.0025')
    """
    if is_share(name):
        return f"{true_minus(significant(100.0 * value, 4))}%"
    if PARAMETERS[name].amount and abs(value) >= 1e3:
        return count_of(value)
    return true_minus(significant(value, 6))


def change_of(name: str, before: float, after: float) -> str:
    """What a change comes to: points of a share, per cent of everything else.

    >>> change_of("aave_cap", 0.201, 0.36), change_of("amplification", 1500, 2000), change_of("fraxlend_cap", 0.0, 0.02)
    ('+15.9 points', '+33%', '+2 points')
    """
    if is_share(name):
        return f"{true_minus(significant(100.0 * (after - before), 3, signed=True))} points"
    if before == 0.0:
        return "from 0"
    return f"{fixed(100.0 * (after / before - 1.0), 0, signed=True)}%"


def count_of(value: float, *, signed: bool = False) -> str:
    """A number in two or three digits with k, m or bn.

    >>> count_of(1_788_123.0, signed=True), count_of(-246e6), count_of(12.3), count_of(0.0)
    ('+1.8m', '−246m', '12', '0')
    """
    if value == 0.0:
        return "0"
    factor, letter = thousands(abs(value), "") or (1.0, "")
    scaled = value * factor
    return (
        f"{fixed(scaled, 1 if abs(scaled) < 9.95 else 0, signed=signed)}{letter}"
        if letter
        else true_minus(significant(value, 2, signed=signed))
    )


def amount_of(value: float, account: str, *, signed: bool = False) -> str:
    """An amount with its unit: ``+1.8m USD``."""
    return f"{count_of(value, signed=signed)} {account}"


def amounts_of(values: Sequence[float], account: str) -> tuple[str, ...]:
    """Amounts of one size told in as many decimals as keep them apart, two more at most.

    >>> amounts_of((1_788_123.0, 1_771_000.0), "USD"), amounts_of((20e3, 12e3), "USD"), amounts_of((0.0, 0.0), "USD")
    (('1.79m USD', '1.77m USD'), ('20k USD', '12k USD'), ('0 USD', '0 USD'))
    """
    plain = [count_of(value) for value in values]
    factor, letter = thousands(max(map(abs, values)), "") or (1.0, "")
    for decimals in (1, 2, 3):
        if len(set(plain)) == len(set(values)):
            break
        plain = [f"{fixed(value * factor, decimals)}{letter}" for value in values]
    return tuple(f"{each} {account}" for each in plain)


def told_apart(value: float, ends: tuple[float, float] | None, *, most: int = 3) -> int:
    """Decimals in which a figure and its interval are told: two digits of the half-width, at most ``most``."""
    width = abs(value) if ends is None else (ends[1] - ends[0]) / 2.0
    needed = decimals_of(width)
    return 0 if needed is None else min(max(needed - 1, 0), most)


def ranked(before: ParameterSet, after: ParameterSet, result: Result) -> tuple[str, ...]:
    """The names that differ, first what moves most of what mattered in the search: the change over the range searched, by the parameter's importance for either objective."""
    now, then = before.values(), after.values()
    names = [name for name in now if now[name] != then[name]]

    def weight(name: str) -> float:
        spec = result.study.search.space.get(name)
        span = abs(spec.high - spec.low) if spec is not None else 0.0
        moved = abs(then[name] - now[name]) / span if span > 0.0 else 0.0
        return moved * sum(shares.get(name, 0.0) for shares in result.importances.values())

    return tuple(sorted(names, key=lambda name: (-weight(name), name)))


def content_of(names: Sequence[str], now: Mapping[str, float], then: Mapping[str, float], *, most: int = 2) -> str:
    """What a set changes, the first of it: ``Aave cap +15.9 points, upper pool share +2 and 4 more``."""
    told = []
    for name in names[:most]:
        moved = change_of(name, now[name], then[name])
        told.append(f"{label_of(name)} {moved.removesuffix(' points') if moved.endswith('points') else 'to ' + value_of(name, then[name])}")
    rest = len(names) - len(told)
    return ", ".join(told) + (f" and {rest} more" if rest else "")


def plain_title(name: str, otherwise: str) -> str:
    """A limit's or a metric's plain name; ``otherwise`` where it has none."""
    return PLAIN.get(name, otherwise)


def option_names(result: Result, shown: Candidate | None) -> dict[str, str]:
    """A name for every certified set: ``Today``, ``Option B`` for the one shown, letters for the others in the order of the result."""
    found = {"current": "Today"}
    others = [each for each in result.candidates if each.role != "current" and (shown is None or each.id != shown.id)]
    ordered = others if shown is None else [shown, *others]
    for place, each in enumerate(ordered):
        found[each.id] = f"Option {LETTERS[place]}" if place < len(LETTERS) else f"Option {place + 2}"
    return found


# -- a scenario's random noises, and what a tilt does to them

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
