"""The worked study without some of its mechanisms: their tables left out of the state, and with them what belongs to them in the other files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.load import load_state
from amo_opt.config.schema import MARKETS_OF, OPTIONAL, figures_by_name, off_value, table_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

STUDIES = Path(__file__).parents[1] / "studies"
STUDY, STATE, BEHAVIOUR, CURRENT = (
    "frax-2022.toml",
    "states/frax-2022-05-11.toml",
    "behaviour/frax-2022.toml",
    "parameters/frax-current.toml",
)
NOT_THERE = load_state(STUDIES / STATE).absent
"""Tables that the worked state leaves out by itself."""
SPELLS = ("behaviour/spells-2022.toml", "behaviour/spells-2022.csv")
"""What the behaviour file names."""
OPTIONAL_TABLES = tuple(name for name in dict.fromkeys(map(table_of, figures_by_name())) if name and name not in NOT_THERE)
"""Every table that the worked state could leave out, by dotted name."""
AMOS = tuple(name for name in OPTIONAL_TABLES if name.startswith("amos."))
_HEADER = re.compile(r"\[+([\w.]+)\]+")
_KEY = re.compile(r"(\w+) *=")


def is_gone(table: str, tables: Collection[str]) -> bool:
    """Whether a table is among these, or within one of them; with ``amos`` whether every AMO is."""
    if table == "amos":
        return all(name in tables for name in AMOS)
    return any(table == name or table.startswith(f"{name}.") for name in tables)


def write_without(folder: Path, tables: Collection[str], *, parameters: bool = False, ratio: bool = True) -> Path:
    """The study's path below ``folder``. ``parameters`` leaves those of what is gone where they are; ``ratio`` has redeeming pay collateral
    alone where there is no share token.
    """
    for name in (STUDY, STATE, BEHAVIOUR, CURRENT, *SPELLS):
        text = (STUDIES / name).read_text(encoding="utf-8")
        if name == STATE:
            text = "\n".join(_state(text, tables))
            if ratio and is_gone("share_token", tables):
                text = re.sub(r"(?m)^collateral_ratio = .*$", 'collateral_ratio = { value = 1, source = "no share token" }', text)
        elif name not in (BEHAVIOUR, *SPELLS) and not parameters:
            text = "\n".join(_governed(text, tables, space=name == STUDY))
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder / STUDY


def write_off(folder: Path, tables: Collection[str], *, idle: bool = False) -> Path:
    """The same study with these tables there and everything in them off; with ``idle`` what a market does that nobody is in is the worked study's."""
    study = write_without(folder, tables)
    state, current = folder / STATE, folder / CURRENT
    shipped = (STUDIES / STATE).read_text(encoding="utf-8")
    markets, others = [], []
    for name in figures_by_name():
        if not is_gone(table_of(name), tables) or not table_of(name):
            continue
        key = name.rpartition(".")[2]
        line = f'{key} = {{ value = {off_value(name)!r}, source = "off" }}'
        if name in MARKETS_OF:
            kept = re.search(rf"(?m)^{key} = .*$", shipped)
            markets.append(kept[0] if idle and kept else line)
        else:
            others.append(f"\n[{name.rpartition('.')[0]}]\n{line}" if f"[{name.rpartition('.')[0]}]" not in "".join(others) else line)
    text = state.read_text(encoding="utf-8").replace("[markets]\n", "\n".join(["[markets]", *markets, ""]))
    state.write_text("\n".join([text, *others, ""]), encoding="utf-8")
    values = {name: max(each.low, each.off) for name, each in PARAMETERS.items() if each.of and is_gone(each.of, tables)}
    lines = [f"{name} = {PARAMETERS[name].typed(value)!r}" for name, value in values.items()]
    current.write_text("\n".join([current.read_text(encoding="utf-8"), *lines, ""]), encoding="utf-8")
    return study


def _state(text: str, tables: Collection[str]) -> Iterator[str]:
    table = ""
    for line in text.split("\n"):
        head, key = _HEADER.match(line), _KEY.match(line)
        table = head[1] if head else table
        own = MARKETS_OF.get(f"markets.{key[1]}", "") if table == "markets" and key else table
        if not is_gone(own, tables):
            yield line


def _governed(text: str, tables: Collection[str], *, space: bool) -> Iterator[str]:
    table = ""
    for line in text.split("\n"):
        head, key = _HEADER.match(line), _KEY.match(line)
        table = head[1] if head else table
        parameter = PARAMETERS.get(key[1]) if key and (table == "search.space" or not space) else None
        if parameter is None or not parameter.of or not is_gone(parameter.of, tables):
            yield line


assert {name.partition(".")[0] for name in OPTIONAL_TABLES} == {*OPTIONAL, "amos"}
