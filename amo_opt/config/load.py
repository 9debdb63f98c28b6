"""Study, state and parameter files into values: the only door for outside data.

Every problem of every file a study names is found before anything is raised, and raised as one `InputError`.
"""

from __future__ import annotations

import difflib
import math
import os
from dataclasses import fields, is_dataclass, replace
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from amo_opt.amos.kinds import ON_POOLS, label_of
from amo_opt.amos.parameters import PARAMETERS, parameter_set, parameters_in
from amo_opt.amos.sections import parts_of
from amo_opt.config.arranged import STATED, arranged
from amo_opt.config.balance import balance_problems
from amo_opt.config.checks import (
    SPACE,
    asset_problems,
    behaviour_problems,
    behaviour_unit,
    contract_problems,
    date_problems,
    draws_problems,
    hold_problems,
    name_problems,
    named_parameters,
    opposite_problems,
    pair_problems,
    parameter_problems,
    pool_problems,
    read_problems,
    report_problems,
    scenario_problems,
    setting_problems,
    settings_in,
    space_problems,
    state_problems,
    table_problems,
    tables_of,
    uncounted,
    unit_problems,
    written_figures,
    written_parameters,
)
from amo_opt.config.evidence import check_evidence, spells_of
from amo_opt.config.identity import study_hash
from amo_opt.config.overrides import book_problems, override_problems, with_figure, with_overrides, written_overrides
from amo_opt.config.problems import first, form_problems
from amo_opt.config.schema import (
    BEHAVIOUR_FILE,
    VENUE,
    Model,
    figures_by_name,
    figures_in,
    off_value,
    parameter_form,
    section_at,
    state_form,
    study_form,
)
from amo_opt.config.starter import BEHAVIOUR, examples
from amo_opt.config.study import Certification, Constraints, Range, ReportSettings, Search, Simulation, Study, Venue
from amo_opt.config.toml_file import Document, Key, read_document
from amo_opt.errors import InputError, Problem
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.protocol.state import Contract, Figure, OnChain, Pools, ProtocolState
from amo_opt.stress.catalogue import WEIGHT, load_scenario
from amo_opt.stress.facts import stated, with_facts
from amo_opt.stress.settings import SETTINGS
from amo_opt.stress.touches import reached
from amo_opt.wording import USD, in_account, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from amo_opt.stress.fitted_spells import FittedSpells
    from amo_opt.stress.scenario import Scenario

Kind = Literal["study", "state", "behaviour", "parameters", "gates", "evidence", "spells"]

_A: dict[Kind, str] = {
    "study": "a study",
    "state": "a protocol state",
    "behaviour": "a behaviour file",
    "parameters": "a parameter set",
    "gates": "a gates file",
    "evidence": "an evidence file",
    "spells": "a fit of spells",
}
IN_CONTRACTS = ("chain_id", "price_controller", "family", "collateral_decimals")
"""What a state keeps at its top and its file in the table of contracts."""
ELSEWHERE = "set from another stablecoin's history, see the file"
"""What stands for a figure's reason that tells another protocol's history."""
LOWEST_FLOOR = 0.01
"""Least price floor of `cr_external`: at a collateral ratio of 0 the worst case is still taken at a price."""


def load_study(path: str | os.PathLike[str], *, overrides: Mapping[str, object] | None = None) -> Study:
    """The study at ``path`` with the state, set and scenarios it names.

    ``overrides`` replace keys of the study file, dotted (``{"search.seed": 7}``), and are checked like them; None = not given. Raises
    `InputError` with every problem of every file.
    """
    problems: list[Problem] = []
    document = _read(Path(path), os.fspath(path), "study", problems, overrides)
    study = _study(document, problems) if document else None
    if study is None or problems:
        raise InputError(problems)
    return study


def load_parameters(path: str | os.PathLike[str], state: ProtocolState | None = None) -> ParameterSet:
    """The parameter set at ``path``, of what a protocol in this ``state`` has; without one of everything there is. Raises `InputError` with every problem of the file."""
    problems: list[Problem] = []
    document = _read(Path(path), os.fspath(path), "parameters", problems)
    values = _parameters(document, problems) if document else None
    if document is not None:
        # what the form refused is told first: what is missing beside it would only hide how much that is
        asked = () if state is None else tuple(parameters_in(state))
        missing = () if values is None else parameter_problems(document, (), has=_has(state), asked=asked)
        _add(problems, missing, pair_problems(written_parameters(document)))
    if values is None or problems:
        raise InputError(problems)
    return _set(values.pop("name"), values)


def load_state(path: str | os.PathLike[str], behaviour: str | os.PathLike[str] | None = None) -> ProtocolState:
    """The protocol state at ``path`` with how its holders behave, from the file at ``behaviour`` or the shipped one. Raises `InputError` with every problem of both."""
    problems: list[Problem] = []
    behaviour = examples() / BEHAVIOUR if behaviour is None else behaviour
    document = _read(Path(path), os.fspath(path), "state", problems)
    how = _read(Path(behaviour), os.fspath(behaviour), "behaviour", problems)
    state = _state(document, how, problems) if document else None
    if how is not None and state is not None and uncounted(how, state):
        problems.append(how.problem(("unit",), "another unit of account than the state's", found=behaviour_unit(how), allowed=state.unit))
    if state is None or problems:
        raise InputError(problems)
    return state


def load_books(path: str | os.PathLike[str]) -> ProtocolState:
    """The protocol state at ``path`` by itself: of how its holders behave nothing is said, and nothing can be simulated from it. Raises `InputError` with every problem of the file."""
    problems: list[Problem] = []
    document = _read(Path(path), os.fspath(path), "state", problems)
    state = _state(document, None, problems, alone=True) if document else None
    if state is None or problems:
        raise InputError(problems)
    return state


def _has(state: ProtocolState | None) -> Callable[[str], bool]:
    return (lambda _: True) if state is None else state.has


def _set(name: str, values: Mapping[str, int | float | None]) -> ParameterSet:
    """A set from a file's values: what it leaves out is off, as it belongs to a mechanism that is not there, or at its default."""
    off = {each.name: each.off for each in PARAMETERS.values() if each.default is None}
    return parameter_set(name, {**off, **{key: value for key, value in values.items() if value is not None}})


def validate_file(path: str | os.PathLike[str], *, load_gates: Callable[[str | os.PathLike[str]], object] | None = None) -> list[Problem]:
    """Every problem of the file at ``path``, be it a study (with the files it names), a state, a parameter set, an evidence file (without the histories it names) or a fit with its draws; none = it is right.

    A gates file names metrics, which this room does not know: whoever wants one checked brings its reader.
    """
    try:
        document = read_document(Path(path), os.fspath(path))
        kind = kind_of(document.data)
        if kind not in ("evidence", "spells"):
            document = arranged(document)
        match kind:
            case "study":
                load_study(path)
            case "state" | "behaviour":
                _alone(document, kind)
            case "parameters":
                _alone(document, "parameters")
            case "evidence":
                check_evidence(document)
            case "spells":
                spells_of(document)
            case "gates" if load_gates is not None:
                load_gates(path)
            case "gates":
                return [Problem(os.fspath(path), "", "is a gates file, and no reader of gates was given")]
    except InputError as error:
        return list(error.problems)
    return []


def _alone(document: Document, kind: Literal["state", "behaviour", "parameters"]) -> None:
    """Raises `InputError` with every problem of a state, a behaviour or a parameter set by itself. Which mechanisms a set is for is not known then: whoever names one parameter of
    a mechanism must name all of them.
    """
    problems: list[Problem] = []
    forms = {
        "state": state_form(tables_of(document)),
        "behaviour": BEHAVIOUR_FILE,
        "parameters": parameter_form(named_parameters(document, ())),
    }
    if _checked(document, forms[kind], problems) is not None and kind == "parameters":
        named = {PARAMETERS[name].of for name in document.data if name in PARAMETERS}
        named |= {"amos"} if any(of.startswith("amos.") for of in named) else set()
        _add(problems, parameter_problems(document, (), has=lambda of: not of or of in named))
    match kind:
        case "state":
            _add(problems, *_state_problems(document))
        case "behaviour":
            _add(problems, state_problems(document))
            if not problems:
                _spells(document, problems)
                _venue(document, problems)
        case "parameters":
            _add(problems, pair_problems(written_parameters(document)))
    if problems:
        raise InputError(problems)


def kind_of(data: Mapping[str, Any]) -> Kind:
    """What a file's top-level keys say it is; a parameter set where nothing says otherwise."""
    if data.keys() & {"state", "search", "scenario", "simulation", "certification", "constraints", "current"}:
        return "study"
    if {"shared", "draws"} <= data.keys():
        return "spells"
    if data.keys() & {"stablecoin", "share_token", "pool", "collateral", "amos"}:
        return "state"
    if "markets" in data:
        return "behaviour"
    if "history" in data:
        return "evidence"
    return "gates" if "gate" in data else "parameters"


def replace_figure(state: ProtocolState, key: str, value: float) -> ProtocolState:
    """The state with one figure's value changed (``"pool.fee"``), for sensitivities; source and range stay as they were.

    Raises `InputError` for an unknown key or a value beyond the figure's limits.
    """
    known = figures_by_name()
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
        raise InputError([Problem(state.name, key, "no such figure", hint=f"did you mean {close[0]!r}?")])
    low, high = known[key].metadata["low"], known[key].metadata["high"]
    if not low <= value <= high:
        raise InputError([Problem(state.name, key, "out of range", found=str(value), allowed=f"{plain(low)} to {plain(high)}")])
    return with_figure(state, key, replace(attrgetter(key)(state), value=float(value)))


def _study(document: Document, problems: list[Problem]) -> Study | None:
    values = _checked(document, study_form(named_parameters(document, ("current",)), named_parameters(document, SPACE)), problems)
    state_document = _named(document, "state", "state", problems)
    how = _named(document, "behaviour", "behaviour", problems)
    state = _state(state_document, how, problems) if state_document else None
    has = _has(state)
    overrides = written_overrides(document)
    if state_document is not None:
        _add(problems, date_problems(document, state_document))
    _add(problems, override_problems(document, has=has))
    if state_document is not None and state is not None:
        figures = written_figures(state_document) | (written_figures(how) if how else {})
        found = list(balance_problems(figures | overrides))
        # a balance sheet that is none is one thing to mend, whatever its books say
        _add(problems, found or book_problems(document, figures, overrides))
    set_document = _named(document, "current", "parameters", problems)
    file_values = _parameters(set_document, problems) if set_document else None
    current = (written_parameters(set_document) if set_document else {}) | written_parameters(document, ("current",))
    asked = () if state is None else tuple(parameters_in(state))
    if set_document is not None and file_values is not None and state is not None:
        _add(problems, parameter_problems(set_document, (), has=has, asked=asked))
    _add(
        problems,
        parameter_problems(document, ("current",), has=has),
        parameter_problems(document, SPACE, has=has),
        pair_problems(current),
        space_problems(document, current),
        scenario_problems(document),
        draws_problems(document),
        report_problems(document),
        () if state is None else unit_problems(document, how, state),
        () if state is None else setting_problems(document, state),
    )
    if values is None or state is None or file_values is None or problems:
        return None
    state = with_overrides(state, {name: override.value for name, override in overrides.items()}, uncounted=uncounted(how, state))
    chosen = file_values | {name: value for name, value in values["current"].items() if name != "file" and value is not None}
    spells = None if how is None else _spells(how, problems)
    if problems:
        return None
    of_spells = {} if spells is None else spells.settings(state)
    settings = {**settings_in(state.unit), **stated(state), **of_spells, **values["scenario_defaults"]["set"]}
    study = Study(
        name=values["name"],
        date=values["date"],
        notes=values["notes"],
        state=state,
        current=_set(chosen.pop("name"), chosen),
        simulation=Simulation(**values["simulation"]),
        search=_search(values["search"]),
        constraints=_constraints(values["constraints"], state),
        certification=Certification(**values["certification"]),
        scenarios=tuple(_scenario(entry, settings, state, given=values["scenario_defaults"]["set"]) for entry in values["scenario"]),
        hash="",
        path=document.path,
        report=ReportSettings(**values["report"]),
        state_set=tuple(overrides),
        scenario_settings=settings,
        spells=spells,
        venue=None if how is None else _venue(how, problems),
    )
    if problems:
        return None
    return replace(study, hash=study_hash(study))


def _venue(how: Document, problems: list[Problem]) -> Venue | None:
    """What a behaviour file says of the venue that its protocol's price is recorded at; None where it says nothing, or with its problems added."""
    found = {}
    for name, (low, high, *_) in VENUE.items():
        value = how.get(("venue", name, "value"))
        if value is None:
            continue
        if not low <= value <= high:
            problems.append(
                how.problem(("venue", name, "value"), "out of range", found=plain(value), allowed=f"{plain(low)} to {plain(high)}")
            )
        found[name] = float(value)
    if len(found) == 1:
        problems.append(how.problem(("venue",), "half of it is missing", found=next(iter(found)), allowed="price_sd and price_hours"))
    return Venue(**found) if len(found) == 2 and not problems else None


def _spells(how: Document, problems: list[Problem]) -> FittedSpells | None:
    """The fit of spells that a behaviour file names; None where it names none, or with its problems added."""
    name = how.get(("spells", "file"))
    if not isinstance(name, str) or not name:
        if how.get(("spells", "pool")):
            problems.append(how.problem(("spells", "file"), "missing", allowed="the path of the fit that the pool is of"))
        return None
    label = os.path.normpath(Path(how.label).parent / name)
    pool = how.get(("spells", "pool")) or ""
    try:
        return spells_of(
            read_document(how.path.parent / name, label), pool=pool, at=how.problem(("spells", "pool"), "no such pool", found=repr(pool))
        )
    except InputError as error:
        for problem in error.problems:
            unopened = problem.line is None and not problem.where
            said = f"{problem.file}: {problem.message}"
            problems.append(
                how.problem(("spells", "file"), said, found=f'"{name}"', allowed=problem.allowed, hint=problem.hint)
                if unopened
                else problem
            )
        return None


def _search(values: Mapping[str, Any]) -> Search:
    """`PARAMETERS` is the order of the model's fields, hence of the space."""
    space = {name: Range(**entry) for name, entry in values["space"].items() if entry is not None}
    return Search(**{**values, "space": space})


def _constraints(values: Mapping[str, Any], state: ProtocolState) -> Constraints:
    floor = values["external_cr_floor"]
    if floor is None:
        floor = min(max(state.controller.collateral_ratio.value, LOWEST_FLOOR), 1.0)
    unserved = values["max_unserved_usd_hours"]
    if unserved is None:
        unserved = Constraints.max_unserved_usd_hours * state.size
    return Constraints(**{**values, "external_cr_floor": floor, "max_unserved_usd_hours": unserved})


def _scenario(entry: Mapping[str, Any], defaults: Mapping[str, Any], state: ProtocolState, *, given: Collection[str]) -> Scenario:
    """A scenario's own settings before the study's for all of them, in words that are true of the state's protocol and in its unit of account. What the catalogue says amounts may be instead is of markets in dollars alone."""
    limit = entry["max_breach_probability"]
    found = load_scenario(
        entry["name"],
        weight=entry["weight"],
        settings={**defaults, **entry["set"]},
        waypoints=entry["waypoints"],
        max_breach_probability=limit,
        whose=state.is_of,
        reached=lambda setting: reached(setting, state.has),
    )
    found = with_facts(found, state, given={*given, *entry["set"]})
    if state.unit == USD:
        return found
    return replace(
        found,
        title=in_account(found.title, state.unit),
        summary=in_account(found.summary, state.unit),
        ranges=MappingProxyType({name: span for name, span in found.ranges.items() if name == WEIGHT or not SETTINGS[name].amount}),
    )


def _state_problems(document: Document) -> tuple[Iterable[Problem], ...]:
    """What holds between the keys of a state's file."""
    return (
        state_problems(document),
        table_problems(document),
        pool_problems(document),
        name_problems(document),
        hold_problems(document),
        opposite_problems(document),
        asset_problems(document),
        balance_problems(written_figures(document)),
        contract_problems(document),
        read_problems(document),
    )


def _state(document: Document, behaviour: Document | None, problems: list[Problem], *, alone: bool = False) -> ProtocolState | None:
    """A state and how its holders behave; None where either has a problem, or no behaviour could be read, unless the state is wanted ``alone``."""
    tables = tables_of(document)
    values = _checked(document, state_form(tables), problems)
    how = _checked(behaviour, BEHAVIOUR_FILE, problems) if behaviour is not None else _unsaid() if alone else None
    before = len(problems)
    of_behaviour = () if behaviour is None else (state_problems(behaviour), behaviour_problems(behaviour, document))
    _add(problems, *_state_problems(document), *of_behaviour)
    if values is None or how is None or len(problems) > before:
        return None
    absent: set[str] = set()
    written = {**values, "markets": {**values["markets"], **how["markets"]}, "absent": None}
    state: ProtocolState = _built(ProtocolState, {**written, "pools": {}}, "", absent)
    named: dict[str, list[tuple[str, Any]]] = {"pools": [], "amos": []}
    for table in tables:
        room, _, name = table.partition(".")
        section: Any = _built(section_at(table), values[room][name], table, absent)  # type: ignore[arg-type]
        label, kind = label_of(name) if room == "amos" else ("", "")
        named[room].append((name, replace(section, on=label) if kind in ON_POOLS else section))
    amos = replace(state.amos, named=tuple(named["amos"]))
    return _reread(replace(state, amos=amos, pools=Pools(named=tuple(named["pools"])), absent=frozenset(absent)))


def _unsaid() -> dict[str, Any]:
    """A behaviour file's values where there is none."""
    acts = (name for name, entry in figures_by_name().items() if entry.metadata["behaviour"])
    return {"markets": {name.rpartition(".")[2]: {"value": off_value(name), "source": None} for name in acts}}


def _reread(state: ProtocolState) -> ProtocolState:
    """The state whose reasons are true of its protocol: those that a file gives in the terms of another's history say that alone."""
    for name in figures_in(state):
        figure: Figure = attrgetter(name)(state)
        if figure.of is not None and not state.is_of(figure.of):
            said = figure.otherwise or ELSEWHERE
            state = with_figure(state, name, replace(figure, source=figure.source and said, assumed=figure.assumed and said))
    return state


def _built(section: type, values: Mapping[str, Any] | None, name: str, absent: set[str]) -> Any:
    """A state's dataclass from checked values: tables to dataclasses, figures to `Figure`, contracts to `Contract`. Of a table that the file leaves out (None) every figure
    is off; its name is put among the ``absent``.
    """
    parts = parts_of(section)
    made: dict[str, Any] = {}
    if values is None:
        absent.add(name)
    for entry in fields(section):
        if entry.name in ("absent", "named", "on"):
            continue  # said by where a table stands
        part, inner = parts[entry.name], f"{name}.{entry.name}" if name else entry.name
        source = values["contracts"] if values is not None and entry.name in IN_CONTRACTS else values
        value: Any = None if source is None else source[entry.name]
        if part is Figure:
            said = value is not None and value["source"] == STATED
            made[entry.name] = (
                Figure(value=off_value(inner) if value is None else value["value"]) if value is None or said else Figure(**value)
            )
        elif is_dataclass(part) and isinstance(part, type):
            made[entry.name] = _built(part, value, inner, absent)
        elif entry.name == "contracts":
            made[entry.name] = {name: Contract(**contract) for name, contract in value.items() if isinstance(contract, dict)}
        elif entry.name == "reads":
            made[entry.name] = {name: OnChain(**{**read, "raw": _raw(read["raw"])}) for name, read in value.items()}
        else:
            made[entry.name] = value
    return section(**made)


def _raw(text: str) -> int | str:
    return text if text.startswith("0x") else int(text)


def _parameters(document: Document, problems: list[Problem]) -> dict[str, Any] | None:
    """Name and values of a parameter file, each in its own range; pairs are checked once overrides are in."""
    return _checked(document, parameter_form(named_parameters(document, ())), problems)


def _checked(document: Document, form: Model, problems: list[Problem]) -> dict[str, Any] | None:
    values, found = form_problems(document, form)
    _add(problems, found)
    return values if not found else None


def _add(problems: list[Problem], *found: Iterable[Problem]) -> None:
    """New problems behind those of files read before, a file's own in the order of its lines, and last how many more there are."""
    for each in found:
        problems.extend(first(each))
    order = {label: place for place, label in enumerate(dict.fromkeys(problem.file for problem in problems))}
    problems.sort(key=lambda problem: (order[problem.file], problem.line or (0 if problem.where else math.inf)))


def _named(document: Document, table: str, kind: Kind, problems: list[Problem]) -> Document | None:
    """The file that ``[table] file`` names, relative to the document; what is wrong with the path is laid at that key."""
    key: Key = (table, "file")
    name = document.get(key)
    if not isinstance(name, str) or not name:
        return None
    label = os.path.normpath(Path(document.label).parent / name)
    found: list[Problem] = []
    target = _read(document.path.parent / name, label, kind, found)
    for problem in found:
        unopened = problem.line is None and not problem.where
        at_key = document.problem(key, f"{label}: {problem.message}", found=f'"{name}"', allowed=problem.allowed, hint=problem.hint)
        problems.append(at_key if unopened else problem)
    return target


def _read(path: Path, label: str, kind: Kind, problems: list[Problem], overrides: Mapping[str, object] | None = None) -> Document | None:
    """The file as a document of the given kind; None, with the problem added, if it cannot be read or is of another kind."""
    try:
        document = arranged(read_document(path, label, overrides))
    except InputError as error:
        problems.extend(error.problems)
        return None
    # by what the file itself says: what a call puts in its place is no part of it
    found = kind_of(document.data if not overrides else read_document(path, label).data)
    if found == kind or (found == "parameters" and not document.data.keys() & PARAMETERS.keys()):
        return document
    problems.append(Problem(label, "", f"is {_A[found]}, not {_A[kind]}", allowed=f"the file of {_A[kind]}"))
    return None
