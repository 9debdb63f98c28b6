# ruff: noqa: INP001
"""The reference pages of the site, made from the code that they tell of: commands, keys of every kind of file, metrics and limits. ``docs/site_hooks.py`` puts them into the site.

``python docs/reference.py FOLDER`` writes them as files. Only the formulas below are written by hand; tests hold them to the code.
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.cli.main import COMMANDS
from amo_opt.cli.schema import schema_of
from amo_opt.config.arranged import ALONE, SPELLED
from amo_opt.config.schema import FIGURE_FORM, MARKETS_OF
from amo_opt.scoring.constraints import CAPS, RULES
from amo_opt.scoring.metrics import MEASURES
from amo_opt.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Schema = dict[str, Any]
Row = tuple[str, str, str, str, str]

FORMULAS = {
    "yield": "(8,760 / window hours · Σ income lines − cost of the transition) / (collateral and what borrowers owe, at the start); `debt_discount` and `mark_to_market` are no yield",
    "peg_cvar95_bps": "10⁴ · the largest value in the window of e, where e ← e + (1 − exp(−1/72)) · (off − e) each hour and off = max(0, reference − price); the reference is min(1, collateral coin, "
    'base pool), or 1 where `peg_reference = "dollar"`; with `peg_sides = "both"` off is \\|price − reference\\|',
    "peg_cvar95_dollar_bps": "the same against one unit of account, whatever `peg_reference` says",
    "breach_probability": "1 where the lowest external collateral ratio (`min_cr_external`) is below `min_external_cr`, else 0",
    "shortfall_cvar90_bps": "10⁴ · the largest off of the window's hours, without the mean over 72 hours",
    "unrecovered_probability": "1 where off is above 0.005 in the window's last hour, else 0",
    "unserved_usd_hours": "Σ over hours of what holders want to leave with at the exit value less 50 bp and neither door takes",
    "unserved_cvar90_usd_hours": "the same sum",
    "unserved_peak_usd": "the largest hour of it",
    "min_price": "the lowest price of the window's hours and of the one before it",
    "min_price_tail95": "the same",
    "min_oracle": "the lowest oracle price of the same hours",
    "end_shortfall_bps": "10⁴ · off in the last hour",
    "hours_below_099": "hours whose price is below 0.99",
    "hours_to_recover": "last hour less first hour in which off is above 0.005, plus 1; 0 where there is none, the window's length where the last hour is one",
    "min_cr_external": "the lowest of the same hours of (collateral + the protocol's base LP at the study's floor) / (supply − own stablecoin at the floor), at market prices",
    "min_cr_external_tail95": "the same",
    "min_cr_contract": "the lowest of the ratio that the chain books: (collateral + floor base LP + CR · own stablecoin) / supply",
    "min_cr_contract_tail95": "the same",
    "hours_below_min_cr": "hours in which the ratio that the chain books is below the parameter `min_cr`",
    "dilution": "share tokens at the end / at the start − 1; 0 where there were none",
    "hours_over_caps": "hours in which a position is over its cap",
    "hours_unwinding": "hours in which positions are being unwound",
    "supply_change": "supply at the end / at the start − 1",
    "external_supply_change": "supply outside the protocol at the end / at the start − 1",
    "floor_supply_band_usd": "as the window opens, Σ over pools of what can be sold at once before the price is 1 − `cr_band` of the pool's own coins",
    "floor_supply_005_usd": "the same to 0.995",
    "floor_supply_01_usd": "the same to 0.99",
    "floor_ratio": "floor supply to 0.99 / max(0, external supply − collateral − base LP − borrowers' debt), at most 1,000",
    "floor_ratio_end": "the same at the window's end",
    "decentralisation_ratio": "min(1, (algorithmic supply that the market pays for + borrowers' debt + decentralised part of base LP and collateral) / external supply), at the end",
    "vote_share": "(votes locked at the snapshot + reward tokens locked since) / (all votes + reward tokens locked since)",
    "reward_tokens_locked": "reward tokens locked for votes in the window",
    "end_cr": "the target ratio in the last hour",
    "debt_discount": "8,760 / window hours · the line `income_debt_discount_usd` / what the yield is over",
    "mark_to_market": "8,760 / window hours · the line `income_mark_to_market_usd` / what the yield is over",
}
"""What a path's figure is, by metric."""
OVER_PATHS = {
    "mean": "mean, Σ w x",
    "event": "chance, Σ w x",
    "high tail": "CVaR: mean of the largest {share} of weight",
    "low tail": "CVaR: mean of the lowest {share} of weight",
}
KINDS = {
    "study": "What is asked: which state, set in force and behaviour, what is searched, which limits hold, which scenarios count how much.",
    "state": "A protocol at a date: every figure with its source or its assumption. A table that is left out is a mechanism that the protocol does not have ([protocols](../../protocols.md)).",
    "parameters": "One value for everything that governance decides.",
    "behaviour": "How holders, liquidity providers, traders and lending markets act.",
    "gates": "What must not get worse, and by how much it may, for `compare` and `review` ([gates](../../compare.md#gates)).",
    "evidence": "Recorded histories and episodes, for `calibrate --fit spells` and `validity` ([calibration](../../calibration.md)).",
    "spells": "A fit of calm and busy spells, which `calibrate --fit spells --out` writes and `[spells]` of a behaviour file names.",
}
_ALONE = [f'- `kind = "{kind}"`: the keys of `[amos.{table}]`' for kind, table in ALONE.items()]
_NAMED = [f'- `kind = "{kind}"` and `name`, the pool\'s: the keys of `[amos.NAME-{word}]`' for kind, word in SPELLED.items()]
_KINDS = "\n".join(("AMOs by what they do; `kind` may be the name of any table `[amos.…]` above too.", "", *_ALONE, *_NAMED))
TOLD_ELSEWHERE = {
    "study:state.set": "Any figure of the state or the behaviour by its dotted name: [the state's keys](state.md), [the behaviour's](behaviour.md).",
    "study:current": "`file`, and beside it any parameter, which goes before the file's: [parameters](parameters.md).",
    "study:search.space": "Any parameter, as `{ low = …, high = … }`, with `log = true` to search its logarithm; what is not named keeps the current value: [parameters](parameters.md).",
    "study:scenario_defaults.set": "Any setting of `[[scenario]] set` below, for every scenario of the study.",
    "study:scenario.waypoints": "Series by name, as `{ source = …, points = [[hour, value], …] }`: [shapes](../../scenarios.md#shapes).",
    "state:amo": _KINDS,
}
"""Tables whose keys stand on another page, by kind of file and key."""
MOST_WORDS = 8
"""Words that a key may be one of, where all of them are listed."""
SPAN = {"value", "low", "high"}
"""Keys of a number with its range, which is written in a line."""


def pages() -> dict[str, str]:
    """Every page by its path in the site."""
    found = {"reference/commands.md": commands(), "reference/metrics.md": metrics()}
    found |= {f"reference/files/{kind}.md": parameters() if kind == "parameters" else keys(kind) for kind in KINDS}
    return found


# -- commands ----------------------------------------------------------------------------------------------------------------


def commands() -> str:
    """Every command with its arguments and options, as `--help` tells them."""
    parts = [
        "# Every option\n",
        "Made from the program itself: `amo-opt COMMAND --help` says the same. What each command is for stands in [Commands](../commands.md).\n",
    ]
    for name, (module, short) in COMMANDS.items():
        parts += _command(f"amo-opt {name}", import_module(module).command, short, level=2)
    return "\n".join(parts)


def _command(name: str, command: click.Command, short: str, *, level: int) -> Iterator[str]:
    """A command's section, and those of its own commands."""
    yield f"{'#' * level} {name}\n"
    yield f"{short}\n"
    arguments = [each.make_metavar(click.Context(command)) for each in command.params if isinstance(each, click.Argument)]
    group = command.commands if isinstance(command, click.Group) else {}
    yield f"    {' '.join([name, *(['COMMAND'] if group else []), *arguments, '[OPTIONS]'])}\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        lines = paragraph.replace("\b", "").strip("\n").split("\n")
        if "\b" in paragraph:  # click keeps these lines as they are: an example
            told = [line for line in lines if line.strip()]
            yield "\n".join([told[0].strip(), "", *(f"    {line.strip()}" for line in told[1:])]) + "\n"
        else:
            yield _escaped(" ".join(line.strip() for line in lines)) + "\n"
    rows = [_option(each, command) for each in command.params if isinstance(each, click.Option)]
    if rows:
        yield _table(("option", "what it does", "if left out"), rows)
    for own, inner in group.items():
        yield from _command(f"{name} {own}", inner, inner.get_short_help_str(200), level=level + 1)


def _option(option: click.Option, command: click.Command) -> tuple[str, str, str]:
    context = click.Context(command)
    names = ", ".join([*option.opts, *option.secondary_opts])
    metavar = (
        ""
        if option.is_flag or option.count
        else f" {option.make_metavar(context)}".replace("INTEGER RANGE", "N").replace("FLOAT RANGE", "X")
    )
    record = option.get_help_extra(context)
    told = _escaped(option.help or "")
    spans = re.sub(r"(\S+)<=?x<=?(\S+)", r"\1 to \2", record.get("range") or "")
    default = record.get("default")
    if default is None and not option.is_flag and isinstance(option.default, (int, float, str)) and option.default != "":
        default = str(option.default)
    left_out = "**required**" if option.required else _escaped(default or "")
    return f"`{names}{metavar}`", f"{told} ({spans})" if spans else told, left_out


# -- files -------------------------------------------------------------------------------------------------------------------


def keys(kind: str) -> str:
    """Every key of a kind of file: what it means, its type, unit and range, and what it is where it is left out."""
    schema = _whole(kind)
    parts = [f"# Keys of a {kind} file\n", f"{KINDS[kind]} Made from the form that `amo-opt validate` checks files with.\n"]
    if kind in {"state", "behaviour"}:
        parts.append(f"A **figure** is a number with where it is from: `{FIGURE_FORM}`; `value`, `low` and `high` lie in the span told.\n")
    parts += _tables(kind, schema, "", head="At the top of the file", level=2)
    return "\n".join(parts)


def _whole(kind: str) -> Schema:
    """The schema of a kind of file with every part in its place, in place of a reference to it."""
    schema = schema_of(kind)

    def put(node: Any) -> Any:
        if isinstance(node, list):
            return [put(each) for each in node]
        if not isinstance(node, dict):
            return node
        own = {key: put(value) for key, value in node.items() if key not in {"$ref", "$defs"}}
        if "$ref" not in node:
            return own
        meant: Any = schema
        for part in node["$ref"].split("/")[1:]:  # a JSON pointer
            meant = meant[part.replace("~1", "/").replace("~0", "~")]
        return {**put(meant), **own}

    return cast("Schema", put(schema))


def _tables(kind: str, schema: Schema, path: str, *, head: str, level: int) -> Iterator[str]:
    """A table's section, then those of the tables in it."""
    yield f"{'#' * min(level, 4)} {head}\n"
    told = re.sub(r"(A table|Tables) \[+[a-z_.NAME]+\]+(, at least one)?(: )?\.?", "", _sentence(schema.get("description", "")))
    if path and told.strip():
        yield f"{_escaped(told.strip())}\n"
    elsewhere = TOLD_ELSEWHERE.get(f"{kind}:{path}")
    if elsewhere:
        yield f"{elsewhere}\n"
        return
    asked = set(schema.get("required", ()))
    rows: list[Row] = []
    inner: list[tuple[str, str, Schema]] = []
    for name, entry in (*schema.get("properties", {}).items(), *_patterned(schema)):
        if entry is not False:
            key = f"{path}.{name}" if path else name
            found = list(_within(key, entry))
            inner += found
            if not found:
                rows.append(_row(key, entry, required=name in asked))
    if rows:
        yield _table(("key", "what it is", "type", "unit and range", "if left out"), rows)
    for key, title, form in inner:
        yield from _tables(kind, form, key, head=f"`{title}`", level=level + 1 if path else 3)


def _within(key: str, entry: Schema) -> Iterator[tuple[str, str, Schema]]:
    """The tables that stand at a key: their key, their heading, their form."""
    for several, form in _tables_in(entry):
        yield key, f"[[{key}]]" if several else f"[{key}]", form
    if isinstance(entry.get("additionalProperties"), dict) and entry.get("properties"):
        yield f"{key}.NAME", f"[{key}.NAME]", entry["additionalProperties"]


def _patterned(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Keys whose name a state chooses: told once, with NAME in the place of it."""
    for pattern, entry in schema.get("patternProperties", {}).items():
        name = re.sub(r"\[a-z\]\[a-z0-9\]\*|\[a-z\]\[a-z0-9\]\{[^}]*\}", "NAME", pattern.strip("^$")).replace("\\", "")
        yield name, entry


def _tables_in(entry: Schema) -> Iterator[tuple[bool, Schema]]:
    """The tables that an entry is or holds, and whether it may be repeated."""
    if _is_figure(entry):
        return
    for each in entry.get("oneOf", (entry,)):
        if (each.get("properties") or each.get("patternProperties")) and set(each.get("properties", ())) != SPAN:
            yield False, {"description": entry.get("description", ""), **each}
        if isinstance(each.get("items"), dict):
            items = each["items"]
            for form in items.get("oneOf", (items,)):
                if form.get("properties"):
                    yield True, {"description": entry.get("description", ""), **form}


def _is_figure(entry: Schema) -> bool:
    """Whether an entry is a number with its source or its assumption."""
    return {"value", "assumed"} <= entry.get("properties", {}).keys()


def _row(key: str, entry: Schema, *, required: bool) -> Row:
    figure = _is_figure(entry)
    span = entry["properties"]["value"] if figure else entry
    unit = entry.get("x-unit", "")
    least, most = span.get("minimum"), span.get("maximum")
    limits = f"{plain(least)} to {plain(most)}" if least is not None and most is not None else ""
    if len(entry.get("enum", ())) > MOST_WORDS:
        limits = ""
    elif "enum" in entry:
        limits = ", ".join(f"`{_toml(each)}`" for each in entry["enum"])
    told = _sentence(entry.get("description", ""))
    for phrase in (f"Value from {limits} {unit}".strip(), f"A number from {limits} {unit}".strip(), f"A whole number from {limits}"):
        told = told.replace(f"{phrase}.", "").strip()
    left_out = entry.get("default", entry.get("x-default"))
    kinds = [entry.get("type", "")] if isinstance(entry.get("type", ""), str) else entry["type"]
    kind = "figure" if figure else " or ".join({"integer": "whole number"}.get(each, each) for each in kinds)
    kind = "{ value, low, high }" if set(entry.get("properties", ())) == SPAN and not figure else kind
    choices = entry.get("enum", [entry["const"]] if "const" in entry else [])
    kind = kind or ("string" if choices and isinstance(choices[0], str) else "number" if choices else "")
    limits = f"`{_toml(entry['const'])}`" if "const" in entry else limits
    value = "**required**" if required else "" if left_out is None else f"`{_toml(left_out)}`"
    if key in MARKETS_OF and not value:
        value = f"asked for with `[{MARKETS_OF[key]}]`"
    name = key.rpartition(".")[2] if key.partition(".")[0] not in {"NAME-pool", "NAME-keeper", "NAME-asset"} else key
    return f"`{name}`", _escaped(told), kind, f"{limits} {_escaped(unit)}".strip(), value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value) if isinstance(value, int | float) else f'"{value}"'


def _sentence(text: str) -> str:
    """A description without what is left out, which has a column of its own."""
    return re.sub(r"\s*Left out: .*\.$", "", text).strip()


def parameters() -> str:
    """Every parameter: what it is, range, unit, step and setter, and the table of the state that brings it."""
    rows = []
    for name, each in PARAMETERS.items():
        setter = f"`{each.setter}`" if each.setter else "policy of the executing team"
        left_out = "**required** beside its table" if each.default is None else f"`{plain(each.default)}`"
        step = "two digits" if each.log else plain(each.step)
        span = f"{plain(each.low)} to {plain(each.high)} {each.unit}".strip()
        rows.append(
            (
                f"`{name}`",
                each.title,
                f"`[{each.of}]`" if each.of and each.of != "amos" else "any AMO" if each.of else "every protocol",
                span,
                step,
                setter,
                left_out,
            )
        )
    named = [
        (f"`{name}`", _escaped(_sentence(entry.get("description", ""))), _row(name, entry, required=False)[3])
        for name, entry in _patterned(_whole("parameters"))
        if "." in name
    ]
    heads = ("parameter", "what it is", "comes with", "range", "step", "setter on chain", "if left out")
    return "\n".join(
        (
            "# Keys of a parameter file\n",
            f"{KINDS['parameters']} `schema = 1`, `name`, then the parameters of the mechanisms that the state has, and no others. A step is what governance moves it by: half of it and whole steps are tried around a proposed set.\n",
            _table(heads, rows),
            "## Of mechanisms whose names a state chooses\n",
            "`usdt-keeper.ceiling`, where the state has `[amos.usdt-keeper]`; NAME stands for the pool's, the asset's or the keeper's.\n",
            _table(("parameter", "what it is", "range"), named),
        )
    )


# -- metrics -----------------------------------------------------------------------------------------------------------------


def metrics() -> str:
    """Every metric: title, unit, direction, what a path's figure is and how paths become one; and the limits."""
    rows = []
    for name, each in MEASURES.items():
        better = {1: "higher", -1: "lower", 0: "neither"}[each.metric.better]
        over = OVER_PATHS[each.kind].format(share=f"{100 * (1 - each.level):.0f}%")
        brings = f" Of `[{each.metric.of}]`." if each.metric.of else ""
        rows.append((f"`{name}`<br>{each.metric.title}.{brings}", f"{each.metric.unit}; {better}", FORMULAS[name], over))
    limits = []
    for rule in RULES:
        side = "the lower end, at least" if rule.kind == "at least" else "the upper end, at most"
        limits.append((f"`{rule.name}:SCENARIO`", f"`{rule.metric}`", f"`{rule.limit_name}`", side))
    return "\n".join(
        (
            "# Metrics and limits\n",
            (
                "A path's figure x and its weight w make a metric. The scenario's weight stands in w, twins are weighted back ([statistics](../statistics.md)); every metric carries a 95% interval and its n. "
                "*Of* names the table of the state that a protocol needs for the metric to be told. Hours are those of the scored window. Metrics named `usd` are in the study's unit of account.\n"
            ),
            _table(("metric", "unit; which way is better", "a path's figure x", "over paths"), rows),
            "## Limits\n",
            "Each holds in every scenario by itself, without its weight, at the end of the interval that is named. Where no interval is known no limit is kept.\n",
            _table(("constraint", "metric", "limit in `[constraints]`", "what must keep it"), limits),
            f"`{CAPS}` is read off the set: caps of the AMOs that hold collateral plus the idle buffer are at most 1.\n",
        )
    )


# -- Markdown ----------------------------------------------------------------------------------------------------------------


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ("---",) * len(heads), *rows)) + "\n"


def _escaped(text: str) -> str:
    """Text of the program in a Markdown table: no cell ends early, no name in angle brackets is a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("\n", " ")


if __name__ == "__main__":
    folder = Path(cast("str", sys.argv[1]))
    for place, text in pages().items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
