"""What a state's figures must satisfy together: somebody holds the supply, there is collateral, and nothing is in two places.

Figures are taken as far as they are written: what the form already refused is passed over.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amo_opt.amos.kinds import ASSET, ON_POOLS, label_of
from amo_opt.amos.mechanism import OwnStablecoin, Parts
from amo_opt.amos.sections import POSITIONS, WITH_SECTION
from amo_opt.config.checks import SET, Placed
from amo_opt.config.schema import given_figures, left_out
from amo_opt.config.toml_file import Document
from amo_opt.protocol.state import Figure, ProtocolState
from amo_opt.stableswap.depth import Pool
from amo_opt.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amo_opt.errors import Problem


def value_in(figures: Mapping[str, Placed], name: str) -> float:
    """The value of a figure that may not be among these: what it is where a file leaves it out, else 0."""
    return figures[name].value if name in figures else left_out(name) or 0.0


_SUPPLY, _POOLED = "stablecoin.supply", "pool.stablecoin"
_COLLATERAL = (
    "collateral.idle",
    *sorted(position for position, books in POSITIONS.items() if any(book.endswith(".borrowed") for book in books)),
    *(f"amos.{each.name}.{each.held_collateral}" for each in WITH_SECTION if each.held_collateral),
)
"""Where collateral may be: free, in an AMO that the minter lends collateral to, or in an asset of another kind."""
_COVER = (*_COLLATERAL, *(f"amos.{each.name}.{each.owed}" for each in WITH_SECTION if each.owed))
"""… or, in the hands of borrowers who owe it."""
_ASSET = re.compile(rf"amos\.[a-z0-9]+-{ASSET}\.amount")
_FURTHER = re.compile(r"pools\.[a-z0-9]+\.stablecoin")
FARTHEST = 100.0
"""Price of the stablecoin in a pool, or one over it, beyond which no pool has stood: UST's stood at nine cents."""
PARTS_TOLERANCE = 1e-9
"""Decimals that add up to 1 on paper may miss it by a rounding error."""


def balance_problems(figures: Mapping[str, Placed]) -> Iterator[Problem]:
    """What the balance sheet must satisfy as a whole; a problem stands at a figure that the study set, where one has a part in it."""
    yield from _supply_problems(figures)
    yield from _share_problems(figures)
    yield from _price_problems(figures)
    cover = (*_COVER, *(name for name in figures if _ASSET.fullmatch(name)))
    if _are_known(figures, _COVER) and all(value_in(figures, name) == 0.0 for name in cover):
        place = _touched(figures, cover)
        yield place.document.problem(place.key, "the protocol has no collateral at all", allowed="more than 0, here or in an AMO")
    ratio, told = "controller.collateral_ratio", {name.partition(".")[0] for name in figures}
    if value_in(figures, ratio) < 1.0 and ratio in figures and "redeem" in told and "share_token" not in told:
        place = figures[ratio]
        allowed = "1 where redeeming pays collateral alone, or a table [share_token] that pays the rest"
        yield place.document.problem(place.key, "nobody pays the rest of a redemption", found=plain(place.value), allowed=allowed)
    for each in WITH_SECTION:
        if each.parts is not None:
            yield from _parts_problems(figures, tuple(f"amos.{each.name}.{name}" for name in each.parts.figures), each.parts)


def _parts_problems(figures: Mapping[str, Placed], names: tuple[str, ...], parts: Parts) -> Iterator[Problem]:
    total = math.fsum(value_in(figures, name) for name in names)
    if _are_known(figures, names) and total > 1.0 + PARTS_TOLERANCE:
        place = _touched(figures, _descending(figures, names))
        allowed = f"{' + '.join(names)} of at most 1; the rest {parts.rest}"
        yield place.document.problem(place.key, f"more {parts.of} than there are", found=f"{plain(total)} in all", allowed=allowed)


@dataclass(frozen=True)
class _Outside:
    """Stablecoin that an AMO has outside the pool: the figure it follows from, and how much that may be."""

    name: str
    own: OwnStablecoin
    most: float

    @property
    def holder(self) -> str:
        return f"{self.own.owner}'s {self.own.form}"


def _outside(figures: Mapping[str, Placed]) -> tuple[list[_Outside], list[_Outside]]:
    """What AMOs hold outside the pool, and what they have lent to borrowers; those that the file leaves out have neither."""
    found = []
    for each in WITH_SECTION:
        name = f"amos.{each.name}.{each.stablecoin.figure}" if each.stablecoin else ""
        if each.section and each.stablecoin and (name in figures or left_out(name) is None):
            values = {entry.name: Figure(value=value_in(figures, f"amos.{each.name}.{entry.name}")) for entry in fields(each.section)}
            section: Any = each.section(**values)
            found.append(_Outside(name, each.stablecoin, section.most_stablecoin()))
    return [each for each in found if each.own.form], [each for each in found if not each.own.form]


def _supply_problems(figures: Mapping[str, Placed]) -> Iterator[Problem]:
    """Who holds the supply: pool, AMOs and their borrowers must leave the holders some, wherever the price goes."""
    if not all(name in figures for name in (_SUPPLY, _POOLED)):
        return
    supply, pooled = figures[_SUPPLY].value, figures[_POOLED].value
    holding, lending = _outside(figures)
    holding += [
        _Outside(name, OwnStablecoin(figure="", owner="the further pools", form="side"), figures[name].value)
        for name in figures
        if _FURTHER.fullmatch(name)
    ]
    held, lent = (sum(each.most for each in group) for group in (holding, lending))
    filled = [each for each in holding if each.most > 0.0]
    lenders = [each for each in lending if each.most > 0.0]
    if pooled >= supply:
        place = _touched(figures, (_POOLED, _SUPPLY))
        found = f"{_POOLED} = {plain(pooled)}, {_SUPPLY} = {plain(supply)}"
        allowed = f"{_POOLED} below {_SUPPLY}: somebody outside the pool holds the rest"
        yield place.document.problem(place.key, "the pool holds the whole supply", found=found, allowed=allowed)
    elif pooled + held >= supply:
        place = _touched(figures, (*_descending(figures, tuple(each.name for each in filled)), _POOLED, _SUPPLY))
        found = f"{plain(pooled)} + {plain(held)} of {_SUPPLY} = {plain(supply)}"
        most = " + ".join(f"what {each.holder} holds where the price is below it, {plain(each.most)}" for each in filled)
        allowed = f"{_POOLED} + {most}, below {_SUPPLY}: holders have the rest"
        yield place.document.problem(place.key, "pool and AMOs hold the whole supply", found=found, allowed=allowed)
    elif pooled + held + lent >= supply:
        place = _touched(figures, (*_descending(figures, tuple(each.name for each in (*lenders, *filled))), _POOLED, _SUPPLY))
        found = f"{plain(pooled + held)} + loans of {plain(lent)} of {_SUPPLY} = {plain(supply)}"
        whole = _listed("pool", *(each.holder for each in holding), *(each.name for each in lenders))
        owners, borrowers = _listed(*(each.own.owner for each in lenders)), "its borrowers" if len(lenders) == 1 else "their borrowers"
        beyond = _listed("pool", *dict.fromkeys(each.own.form for each in holding))
        allowed = (
            f"{whole} below {_SUPPLY}: what {owners} lent circulates with {borrowers}, outside {beyond}, "
            "until they repay it; other holders have the rest"
        )
        whose = _listed(*(f"{each.own.owner}'s" for each in lenders))
        yield place.document.problem(place.key, f"pool, AMOs and {whose} loans are the whole supply", found=found, allowed=allowed)


def _price_problems(figures: Mapping[str, Placed]) -> Iterator[Problem]:
    """Pools so far from even that nobody trades at their price."""
    rooms = [name.removesuffix(".stablecoin") for name in figures if name == "pool.stablecoin" or _FURTHER.fullmatch(name)]
    for room in rooms:
        other = f"{room}.{'base_lp' if room == 'pool' else 'opposite'}"
        needed = (f"{room}.stablecoin", other, f"{room}.amplification")
        if not all(name in figures and figures[name].value > 0.0 for name in needed):
            continue
        x, y, amplification = (figures[name].value for name in needed)
        counted = [figures[f"{room}.{name}"].value for name in ("base_virtual_price", "opposite_price") if f"{room}.{name}" in figures]
        price = Pool(stablecoin=x, base=y * math.prod(each for each in counted if each > 0.0), amplification=amplification).price
        if not 1.0 / FARTHEST <= price <= FARTHEST:
            place = _touched(figures, needed)
            allowed = f"sides at which its price is {plain(1.0 / FARTHEST)} to {plain(FARTHEST)}"
            yield place.document.problem(
                place.key, "a pool at a price at which nobody trades", found=f"a price of {price:.3g}", allowed=allowed
            )


def _share_problems(figures: Mapping[str, Placed]) -> Iterator[Problem]:
    """What the protocol and its AMOs own of a pool, at most all of it."""
    owners: dict[str, list[str]] = {}
    for name in figures:
        if name.endswith(".lp_share"):
            room, label, _ = name.split(".")
            # an AMO without a pool's name works the first, as does one by the first pool's own name
            pool, word = (label, "") if room == "pools" else label_of(label)
            named = room == "pools" or word in ON_POOLS
            owners.setdefault(pool if named and f"pools.{pool}.stablecoin" in figures else "", []).append(name)
    for names in owners.values():
        total = math.fsum(figures[name].value for name in names)
        if len(names) > 1 and total > 1.0 + PARTS_TOLERANCE:
            place = _touched(figures, tuple(names))
            allowed = f"{' + '.join(names)} of at most 1"
            yield place.document.problem(place.key, "more of the pool than there is", found=plain(total), allowed=allowed)


def _listed(*words: str) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def balance_fault(state: ProtocolState) -> str:
    """Why a state that was not read from a file is no balance sheet, in words; empty where it is one."""
    nowhere = Document(label=state.name, path=Path(), data={"schema": 1}, lines={})
    figures = {name: Placed(each.value, nowhere, tuple(name.split("."))) for name, each in given_figures(state).items()}
    found = next(balance_problems(figures), None)
    return "" if found is None else f"{found.message} ({found.found or 'nothing'}; allowed: {found.allowed})"


def _are_known(figures: Mapping[str, Placed], names: tuple[str, ...]) -> bool:
    """Whether none of these is missing that every file holds."""
    return all(name in figures or left_out(name) is not None for name in names)


def _descending(figures: Mapping[str, Placed], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: -value_in(figures, name)))


def _touched(figures: Mapping[str, Placed], names: tuple[str, ...]) -> Placed:
    """The first of these figures that the study set; where it set none of them, the first that is there."""
    there = [figures[name] for name in names if name in figures]
    return next((each for each in there if each.key[: len(SET)] == SET), there[0])
