"""The catalogue: scenarios as data, one TOML file each in ``entries/``, checked on loading.

An entry is a shape (waypoints) × size × onset × draws (settings). Every entry stands on another (``based_on``, calm if it does not
say), whose settings and waypoints it may change and add to; to add a scenario, add a file.
"""

from __future__ import annotations

import difflib
import itertools
import math
import tomllib
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from amo_opt.stress.scenario import Line, Scenario, Span
from amo_opt.stress.series import SERIES
from amo_opt.stress.settings import ORDERED, SETTINGS, is_named, setting, venues_in
from amo_opt.wording import USD, in_account

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

CALM = "calm"
"""The entry every other stands on."""
WEIGHT = "weight"
"""What a scenario's weight is called among its ranges."""
MAX_POINTS = 24
"""Most waypoints of a series: single figures with their source, never a copied data file."""
ELSEWHERE = "set from another stablecoin's history, see the catalogue (amo-opt scenarios)"
"""What stands for a line that another protocol's study was written with."""

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Fact:
    """One line about a scenario, ready to print."""

    label: str
    text: str


@lru_cache(maxsize=1)
def scenario_names() -> tuple[str, ...]:
    """Names of all entries, calm first, the others in alphabetical order."""
    names = sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    return (CALM, *(name for name in names if name != CALM))


def load_scenario(
    name: str,
    *,
    weight: float | None = None,
    settings: Mapping[str, float] = MappingProxyType({}),
    waypoints: Mapping[str, Any] = MappingProxyType({}),
    max_breach_probability: float | None = None,
    whose: Callable[[str], bool] | None = None,
    reached: Callable[[str], bool] | None = None,
) -> Scenario:
    """The entry ``name`` with a study's weight, overrides and breach limit; ``waypoints`` are whole series in an entry's own form, each in
    place of the entry's series of that name, or added to it. ``whose`` says whether the state is that of a protocol of that name, and lines of others' are told as such; None =
    the catalogue as it stands. ``reached`` says whether a setting reaches anything that the protocol has: sources of such as do not are not told.

    Raises KeyError for an unknown name and ValueError for unknown, non-numeric or out-of-range settings (all of them at once) and for
    series that an entry could not hold; both name the nearest known one.

    >>> load_scenario("svb-2023", settings={"size": 0.5}).settings["size"]
    0.5
    """
    if name not in scenario_names():
        raise KeyError(f"unknown scenario {name!r}; nearest: {_nearest(name, scenario_names())!r}; known: {', '.join(scenario_names())}")
    entry = _entry(name)
    own = dict(entry["settings"])
    problems = [_problem(key, value, own) for key, value in settings.items()]
    problems = [problem for problem in problems if problem]
    if not problems:
        own |= {key: float(value) for key, value in settings.items()}
        problems = [
            f"{low} = {own[low]:g} exceeds {high} = {own[high]:g}; set both"
            for low, high in ORDERED
            if low in own and high in own and own[low] > own[high]
        ]
        if own["losses_certain"] == 1.0 and not any(setting(own, f"{venue}_loss_yearly") > 0.0 for venue in venues_in(own)):
            problems.append(
                "losses_certain = 1 and every …_loss_yearly is 0, so no venue can be hit; set one above 0, or losses_certain = 0"
            )
    series, origin = dict(entry["waypoints"]), dict(entry["origin"])
    for key, table in waypoints.items():
        try:
            series[key] = _points(key, table)
            origin[key] = Line(text=table["source"])
        except ValueError as error:
            problems.append(str(error))
    if not problems and series and "onset_day_low" not in own:
        problems.append("waypoints count from an onset, which this entry has none of; change another entry")
    if problems:
        raise ValueError(f"scenario {name!r}: " + "; ".join(str(problem) for problem in problems))

    def told(line: Line) -> str:
        return line.text if whose is None else line.told(whose, settings)

    return Scenario(
        name=name,
        title=told(entry["title"]),
        summary=told(entry["summary"]),
        weight=float(entry["weight"] if weight is None else weight),
        weight_reason=_reason(entry, weight, told(entry["weight_reason"])),
        sources=_sources(
            [(told(line), line.of, "") for line in entry["own_sources"] if reached is None or not line.is_idle(reached)]
            + [(told(line), line.of, f"{key}: ") for key, line in origin.items()]
        ),
        settings=own,
        waypoints=MappingProxyType(series),
        max_breach_probability=max_breach_probability,
        ranges=_widened(entry["ranges"], {**own, WEIGHT: float(entry["weight"] if weight is None else weight)}),
    )


def _reason(entry: Mapping[str, Any], weight: float | None, told: str) -> str:
    """Why a scenario weighs what it does; where the entry's reason is another protocol's, whose weight it is."""
    if told:
        return told
    if weight is None or weight == entry["weight"]:
        return ELSEWHERE
    return f"the study's own; the catalogue's, {entry['weight']:g}, is {ELSEWHERE}"


def _sources(lines: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
    """What is told of each source, with what it is the source of before it, and last how many are another protocol's; what the study says anew has none here."""
    found = list(lines)
    other = sum(not told and bool(of) for told, of, _ in found)
    kept = [f"{series}{told}" for told, _, series in found if told]
    return (*kept, f"{other} more: {ELSEWHERE}") if other else tuple(kept)


def _line(value: object, where: str) -> Line:
    """A line of an entry, as text or as a table; ValueError says what is wrong with it."""
    if isinstance(value, str) and value.strip():
        return Line(text=value)
    if isinstance(value, dict) and "text" in value and set(value) <= {"text", "of", "otherwise", "sets"}:
        unknown = [name for name in value.get("sets", ()) if name not in SETTINGS]
        if not unknown and ("of" in value or "sets" in value):
            return Line(**{**value, "sets": tuple(value.get("sets", ()))})
    raise ValueError(
        f'{where}: found {value!r}; allowed: text, or {{ text = …, of = "a protocol", otherwise = …, sets = ["a setting", …] }}'
    )


def _widened(ranges: Mapping[str, Span], values: Mapping[str, float]) -> Mapping[str, Span]:
    """The entry's ranges, each as wide as it must be to hold what a study says in the entry's place."""
    held = {
        name: replace(span, low=min(span.low, values[name]), high=max(span.high, values[name]))
        for name, span in ranges.items()
        if name in values
    }
    return MappingProxyType(held)


@cache
def unnamed() -> Mapping[str, float]:
    """Settings that calm's entry does not name, with the values it has from elsewhere: an AMO's own, where the entry does not know the AMO."""
    named = tomllib.loads((_folder() / f"{CALM}.toml").read_text(encoding="utf-8"))["settings"]
    return MappingProxyType({key: value for key, value in _entry(CALM)["settings"].items() if key not in named})


def describe(scenario: Scenario, *, account: str = USD, without: Collection[str] = ()) -> tuple[Fact, ...]:
    """What the scenario is, in lines: title, weight and its reason, onset, size, what each series does, sources; settings in the unit of ``account``, series ``without`` those
    that reach nothing.
    """
    own, calm = scenario.settings, _entry(CALM)["settings"]
    facts = [
        Fact("title", scenario.title),
        Fact("summary", scenario.summary),
        Fact("weight", f"{scenario.weight:g}: {scenario.weight_reason}"),
    ]
    if "onset_day_low" in own:
        facts.append(Fact("onset", f"day {own['onset_day_low']:g} to {own['onset_day_high']:g} of the scored window, uniform"))
    facts += [Fact(key, f"{own[key]:g} ± {100 * own.get(f'{key}_spread', 0.0):g}%") for key in ("size", "speed") if key in own]
    facts += [Fact(series, _outline(series, points, account)) for series, points in scenario.waypoints.items() if series not in without]
    if own.get("exit_total_high", 0.0) > 0.0:
        span = f"{100 * own['exit_total_low']:g} to {100 * own['exit_total_high']:g}%"
        facts.append(Fact("exit total", f"holders_exit scaled so that {span} of external supply leaves"))
    if own.get("gate_hours", 0.0) > 0.0:
        facts.append(Fact("gate", f"primary redemptions gated for {own['gate_hours']:g} h"))
    if own.get("freeze_days_high", 0.0) > 0.0:
        span = f"{own['freeze_days_low']:g} to {own['freeze_days_high']:g} days"
        facts.append(Fact("lending freeze", f"utilisation {own['freeze_utilisation']:g} for {span}"))
    facts += _loss_facts(own)
    facts += [
        Fact("setting", f"{key} = {own[key]:g} {in_account(SETTINGS[key].unit, account)}".rstrip())
        for key in own
        if own[key] != calm.get(key, SETTINGS[key].calm if is_named(key) else own[key])
        and not (key == "losses_certain" or key.endswith(("_loss_yearly", "_loss_severity")))
    ]
    facts += [Fact("source", source) for source in scenario.sources]
    return tuple(facts)


def _loss_facts(own: Mapping[str, float]) -> list[Fact]:
    """A line for each venue that may lose: how much of what, and how probable; none where every probability is 0."""
    venues = venues_in(own)
    total = sum(setting(own, f"{venue}_loss_yearly") for venue in venues)
    facts = []
    for venue, what in venues.items():
        yearly = setting(own, f"{venue}_loss_yearly")
        if yearly > 0.0:
            chance = (
                f"at onset on {100 * yearly / total:.3g}% of paths" if own["losses_certain"] == 1.0 else f"with {100 * yearly:g}% a year"
            )
            facts.append(Fact("loss", f"{100 * setting(own, f'{venue}_loss_severity'):g}% {what}, {chance}"))
    return facts


def _outline(series: str, points: Points, account: str) -> str:
    """What a series does. Its prices are of the days it was recorded on: they count by their ratio, and in another unit of account than theirs none is named."""
    kind = SERIES[series].kind
    if kind in ("share_a_day", "demand_a_day"):
        return ", ".join(f"{100 * value:g}% a day from {hour:g} h" for hour, value in points)
    extreme = max if kind == "multiple" else min
    hour, value = extreme(points, key=lambda point: point[1])
    unit = (SERIES[series].unit if account == USD else "") or ("× calm" if kind == "multiple" else "")
    if kind == "level":
        return f"{100 * (value / points[0][1] - 1):+.4g}% at {hour:g} h ({points[0][1]:g} to {value:g}{f' {unit}' if unit else ''})"
    return f"{'peak' if kind == 'multiple' else 'low'} {value:g}{f' {unit}' if unit else ''} at {hour:g} h, {points[-1][1]:g} from {points[-1][0]:g} h"


def _folder() -> Any:
    return resources.files("amo_opt.stress") / "entries"


@cache
def _entry(name: str) -> Mapping[str, Any]:
    """One entry, checked and merged with the one it is based on; an error here is a mistake in the catalogue itself."""
    raw = tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    required, optional = {"title", "summary", "weight", "weight_reason", "sources"}, {"based_on", "settings", "waypoints", "ranges"}
    if not required <= set(raw) <= required | optional:
        raise ValueError(f"entry {name}: keys are {sorted(raw)}; required: {sorted(required)}, optional: {sorted(optional)}")
    base: Mapping[str, Any] = {} if name == CALM else _entry(raw.get("based_on", CALM))
    settings = dict(base.get("settings", {}))
    for key, value in raw.get("settings", {}).items():
        problem = _problem(key, value, SETTINGS)
        if problem:
            raise ValueError(f"entry {name}: {problem}")
        settings[key] = float(value)
    if name == CALM:
        settings |= {key: each.calm for key, each in SETTINGS.items() if each.calm is not None and key not in settings}
    waypoints, origin = dict(base.get("waypoints", {})), dict(base.get("origin", {}))
    for series, table in raw.get("waypoints", {}).items():
        try:
            origin[series] = _line(table.get("source"), f"source of {series}")
            waypoints[series] = _points(series, {**table, "source": origin[series].text})
        except ValueError as error:
            raise ValueError(f"entry {name}: {error}") from error
    own = {key: _span(key, table, settings | {WEIGHT: raw["weight"]}, entry=name) for key, table in raw.get("ranges", {}).items()}
    return MappingProxyType(
        raw
        | {
            "settings": MappingProxyType(settings),
            "waypoints": MappingProxyType(waypoints),
            "origin": origin,
            # a setting that the entry sets anew is not what the other's range speaks of, nor is its weight
            "ranges": {key: span for key, span in base.get("ranges", {}).items() if key != WEIGHT and key not in raw.get("settings", {})}
            | own,
            "own_sources": tuple(_line(source, f"entry {name}: sources") for source in raw["sources"]),
            **{key: _line(raw[key], f"entry {name}: {key}") for key in ("title", "summary", "weight_reason")},
        }
    )


def _span(key: str, table: object, values: Mapping[str, float], *, entry: str) -> Span:
    """A range of an entry; ValueError says what is wrong with it."""
    where = f"entry {entry}, range of {key}"
    if not isinstance(table, dict) or set(table) != {"low", "high", "source"} or not str(table["source"]).strip():
        raise ValueError(f"{where}: found {table!r}; allowed: {{ low = …, high = …, source = … }}")
    if key != WEIGHT:
        for end in (table["low"], table["high"]):
            problem = _problem(key, end, values)
            if problem or SETTINGS[key].only:
                raise ValueError(f"{where}: {problem or 'one of a few values, which has no range'}")
    if not table["low"] <= values[key] <= table["high"]:
        raise ValueError(f"{where}: {table['low']!r} to {table['high']!r} leaves out its own {values[key]!r}")
    return Span(low=float(table["low"]), high=float(table["high"]), source=table["source"], entry=entry)


def _points(series: str, table: object) -> Points:
    """The waypoints of a series; ValueError says what is wrong with them."""
    if series not in SERIES:
        raise ValueError(f"unknown series {series!r}; nearest: {_nearest(series, SERIES)!r}")
    form = f"series {series} needs a source and 2 to {MAX_POINTS} points: {{ source = …, points = [[0, …], …] }}"
    if not isinstance(table, dict) or set(table) != {"source", "points"}:
        raise ValueError(form)
    source, listed = table["source"], table["points"]
    if not (isinstance(source, str) and source.strip() and isinstance(listed, list) and 2 <= len(listed) <= MAX_POINTS):
        raise ValueError(form)
    for point in listed:
        if not (isinstance(point, list) and len(point) == 2 and all(_is_finite(number) for number in point)):
            raise ValueError(f"series {series}: found {point!r}; allowed: [hour, value], two finite numbers")
    points = tuple((float(hour), float(value)) for hour, value in listed)
    rising = all(before < after for (before, _), (after, _) in itertools.pairwise(points))
    allowed = SERIES[series]
    if points[0][0] != 0.0 or not rising or not all(allowed.low <= value <= allowed.high for _, value in points):
        raise ValueError(f"series {series}: hours start at 0 and rise, values lie in [{allowed.low:g}, {allowed.high:g}]")
    return points


def _is_finite(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)


def _problem(key: str, value: object, known: Iterable[str]) -> str | None:
    names = tuple(known)
    if key in SETTINGS and key not in names and not is_named(key):
        with_it = [name for name in scenario_names() if key in _entry(name)["settings"]]
        return f"{key!r} is no setting of this one, as it has nothing that it sizes; scenarios with it: {', '.join(with_it) or 'none'}"
    if key not in names and not is_named(key):
        return f"unknown setting {key!r}; nearest: {_nearest(key, names)!r}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{key} is {value!r}; allowed: a number"
    limits = SETTINGS[key]
    if not (math.isfinite(value) and limits.low <= value <= limits.high and (not limits.only or value in limits.only)):
        span = " or ".join(f"{choice:g}" for choice in limits.only) or f"{limits.low:g} to {limits.high:g}"
        return f"{key} is {value!r}; allowed: {span} ({limits.doc})"
    return None


def _nearest(name: str, known: Iterable[str]) -> str:
    return difflib.get_close_matches(name, tuple(known), n=1, cutoff=0.0)[0]
