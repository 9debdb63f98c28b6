"""A file's tables where the forms look for them, whichever way they were written.

``[[asset]]`` (``[amos.NAME-asset]``), ``[liability]`` (``[amos.savings]``), ``[[pool]]`` (the first is ``[pool]``, the others ``[pools.NAME]``), ``[[amo]]`` with ``kind`` and ``name`` (``[amos.NAME-KIND]``, or ``[amos.KIND]`` without a name), and a
parameter of a mechanism with a name, which TOML takes for a table within a table (``usdt-keeper.ceiling = 25e6``). Every key keeps its line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import ASSET, LABEL, mechanism_of
from amo_opt.config.wording import nearest, shown
from amo_opt.errors import InputError, Problem

if TYPE_CHECKING:
    from amo_opt.config.toml_file import Document, Key

SPELLED = {"peg-keeper": "keeper", "hold": "hold"}
"""Kinds of ``[[amo]]`` that work a pool with a name, and the word that the AMO's own name ends with."""
ALONE = {
    "share-band": "curve",
    "peg-keeper": "peg_keeper",
    "rebalancer": "rebalancer",
    "lend-collateral": "aave",
    "lend-minted": "fraxlend",
    "range": "uniswap",
}
"""Kinds of ``[[amo]]`` by what they do, and the table of the one without a name; any other table of an AMO is a kind by its own name."""

SAVINGS = "savings"
"""The table of an AMO that ``[liability]`` is."""
ACCESS = {"now": ("at_once", 1.0), "never": ("reachable", 0.0)}
"""Ways to get at an asset that are said in a word, and the figure that says the same; the other is a delay."""
STATED = "as the state says in a word"
"""Source of a figure that a file says in a word: none, so that no word counts among what was read."""
SAID_ELSEWHERE = {
    "market": 'what borrowers leave is lent by an AMO: [[amo]] kind = "lend-collateral" ([amos.aave]), or [amos.investor]',
    "repaid": "what borrowers owe against collateral of their own is the table [amos.borrowers], with its debt, rate and ceiling",
}
"""Ways to get at an asset that are tables of their own."""
PRICE = {"unit": 0.0, "collateral": 1.0}
"""What an asset is counted in, and how far it follows the collateral coin."""


def arranged(document: Document) -> Document:
    """The document with its tables in place. Raises `InputError` where a table of a list cannot be told by its name."""
    moves: list[tuple[Key, Key]] = []
    data = dict(document.data)
    problems: list[Problem] = []
    if isinstance(data.get("pool"), list):
        _pools(document, data, moves, problems)
    if isinstance(data.get("amo"), list):
        _amos(document, data, moves, problems)
    if isinstance(data.get("asset"), list):
        _assets(document, data, moves, problems)
    if isinstance(data.get("liability"), dict):
        _liability(document, data, moves, problems)
    for table in ((), ("current",), ("search", "space")):
        _flatten(document, data, table, moves, problems)
    if problems:
        raise InputError(problems)
    if not moves:
        return document if data == document.data else replace(document, data=data)
    return replace(document, data=data, lines=_moved(document, moves))


def _pools(document: Document, data: dict[str, Any], moves: list[tuple[Key, Key]], problems: list[Problem]) -> None:
    entries, further = data.pop("pool"), {}
    for place, entry in enumerate(entries):
        key: Key = ("pool", place)
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or (len(entries) > 1 and not (isinstance(name, str) and LABEL.fullmatch(name))):
            allowed = 'name = "…", a small letter, then small letters and digits, for each of several [[pool]]'
            problems.append(document.problem(key, "a pool without a name", found=None if name is None else shown(name), allowed=allowed))
            continue
        held = {inner: value for inner, value in entry.items() if inner != "name"}
        if place == 0:
            data["pool"] = held
            if name is not None:
                data["pool_name"] = name
                moves.append(((*key, "name"), ("pool_name",)))
            moves.append((key, ("pool",)))
        elif name in further:
            problems.append(
                document.problem((*key, "name"), "two pools of that name", found=shown(name), allowed="a name of its own for each")
            )
        else:
            further[name] = held
            moves.append((key, ("pools", str(name))))
    keyed = data.get("pools")
    twice = [str(name) for name in further if isinstance(keyed, dict) and name in keyed]
    allowed = "a name of its own for each"
    problems += [document.problem(("pools", name), "two pools of that name", found=shown(name), allowed=allowed) for name in twice]
    if further:
        data["pools"] = {**data.get("pools", {}), **further} if isinstance(data.get("pools", {}), dict) else further


def _amos(document: Document, data: dict[str, Any], moves: list[tuple[Key, Key]], problems: list[Problem]) -> None:
    amos = dict(data["amos"]) if isinstance(data.get("amos"), dict) else {}
    for place, entry in enumerate(data.pop("amo")):
        key: Key = ("amo", place)
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if not isinstance(kind, str):
            problems.append(document.problem(key, "an AMO without a kind", allowed='kind = "…", such as "peg-keeper"'))
            continue
        name = entry.get("name")
        word = SPELLED.get(kind)
        known = (*ALONE, *SPELLED, *(each.name for each in MECHANISMS))
        if kind not in known:
            problems.append(
                document.problem(
                    (*key, "kind"), "no such kind", found=shown(kind), allowed=", ".join((*ALONE, "hold")), hint=nearest(kind, known)
                )
            )
            continue
        if name is not None and (word is None or not isinstance(name, str) or not LABEL.fullmatch(name)):
            allowed = f"the name of a pool, for an AMO of a kind of which there may be several: {', '.join(SPELLED)}"
            problems.append(document.problem((*key, "name"), "an AMO of this kind has no name", found=shown(name), allowed=allowed))
            continue
        if name is None and kind in SPELLED and kind not in ALONE:
            problems.append(document.problem(key, "an AMO of this kind without a name", allowed='name = "…", what its [[pool]] is called'))
            continue
        table = ALONE.get(kind, kind) if name is None else f"{name}-{word}"
        if table in amos:
            problems.append(document.problem(key, "there twice", found=table, allowed="each AMO once", hint=nearest(table, amos)))
            continue
        amos[table] = {inner: value for inner, value in entry.items() if inner not in ("kind", "name")}
        moves.append((key, ("amos", table)))
    data["amos"] = amos


def _assets(document: Document, data: dict[str, Any], moves: list[tuple[Key, Key]], problems: list[Problem]) -> None:
    amos = dict(data["amos"]) if isinstance(data.get("amos"), dict) else {}
    names: set[str] = set()
    for place, entry in enumerate(data.pop("asset")):
        key: Key = ("asset", place)
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(name, str) or not LABEL.fullmatch(name):
            allowed = 'name = "…", a small letter, then small letters and digits'
            problems.append(document.problem(key, "an asset without a name", found=None if name is None else shown(name), allowed=allowed))
            continue
        table = f"{name}-{ASSET}"
        if name in names or table in amos:
            allowed = "a name of its own for each"
            problems.append(document.problem((*key, "name"), "two assets of that name", found=shown(name), allowed=allowed))
            continue
        names.add(name)
        held = {inner: value for inner, value in entry.items() if inner not in ("name", "access", "price")}
        moves.append((key, ("amos", table)))
        for word, said in (("access", _access), ("price", _price)):
            for figure, value in said(document, key, entry, problems).items():
                if figure in held:
                    problems.append(document.problem((*key, figure), "there twice", allowed=f"once: here or as {word}"))
                held[figure] = value
                moves.append(((*key, word, figure), ("amos", table, figure)))
                moves.append(((*key, word), ("amos", table, figure)))
        amos[table] = held
    data["amos"] = amos


def _access(document: Document, key: Key, entry: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """How one gets at an asset, as its figures."""
    said = entry.get("access")
    if isinstance(said, dict) and list(said) == ["delay_hours"]:
        return dict(said)
    if isinstance(said, str) and said in ACCESS:
        figure, value = ACCESS[said]
        return {figure: _stated(value)}
    at, known = (*key, "access"), (*ACCESS, *SAID_ELSEWHERE)
    allowed = f"one of {', '.join(shown(word) for word in ACCESS)}, {{ delay_hours = {{ … }} }}"
    if said is None and any(figure in entry for figure in ("delay_hours", "at_once", "reachable")):
        return {}
    if said is None:
        problems.append(document.problem(key, "an asset that does not say how one gets at it", allowed=f"access = {allowed}"))
    elif isinstance(said, str) and said in SAID_ELSEWHERE:
        problems.append(document.problem(at, "not said as an asset", found=shown(said), allowed=allowed, hint=SAID_ELSEWHERE[said]))
    else:
        hint = nearest(said, known) if isinstance(said, str) else None
        problems.append(document.problem(at, "no such access", found=shown(said), allowed=allowed, hint=hint))
    return {}


def _price(document: Document, key: Key, entry: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """What an asset is counted in, as its figure."""
    said = entry.get("price")
    if said is None:
        return {}
    if isinstance(said, str) and said in PRICE:
        return {"follows_collateral": _stated(PRICE[said])}
    allowed = f"one of {', '.join(shown(word) for word in PRICE)}: what it is counted in, times a series of its own"
    hint = nearest(said, tuple(PRICE)) if isinstance(said, str) else None
    problems.append(document.problem((*key, "price"), "no such price", found=shown(said), allowed=allowed, hint=hint))
    return {}


def _stated(value: float) -> dict[str, Any]:
    """A figure that the file says in a word: what kind of thing an asset is, and nothing that was read or assumed."""
    return {"value": value, "source": STATED}


def _liability(document: Document, data: dict[str, Any], moves: list[tuple[Key, Key]], problems: list[Problem]) -> None:
    amos = dict(data["amos"]) if isinstance(data.get("amos"), dict) else {}
    held = data.pop("liability")
    if SAVINGS in amos:
        problems.append(
            document.problem(("liability",), "there twice", allowed=f"one of [liability] and [amos.{SAVINGS}], which are the same")
        )
        return
    amos[SAVINGS] = held
    moves.append((("liability",), ("amos", SAVINGS)))
    data["amos"] = amos


def _flatten(document: Document, data: dict[str, Any], table: Key, moves: list[tuple[Key, Key]], problems: list[Problem]) -> None:
    """Parameters of mechanisms with names, in a table of parameters, by their whole names."""
    owner: Any = data
    for part in table:
        inner = owner.get(part) if isinstance(owner, dict) else None
        if not isinstance(inner, dict):
            return
        owner[part] = dict(inner)
        owner = owner[part]
    for name in list(owner):
        if isinstance(owner[name], dict) and (name == "regulator" or mechanism_of(name) is not None):
            for short, value in owner.pop(name).items():
                if f"{name}.{short}" in owner:
                    problems.append(document.problem((*table, name, short), "there twice", found=shown(value), allowed="once"))
                owner[f"{name}.{short}"] = value
                moves.append(((*table, name, short), (*table, f"{name}.{short}")))


def _moved(document: Document, moves: list[tuple[Key, Key]]) -> dict[Key, int]:
    lines = dict(document.lines)
    for old, new in moves:
        for key, line in document.lines.items():
            if key[: len(old)] == old:
                lines.setdefault((*new, *key[len(old) :]), line)
    return lines
