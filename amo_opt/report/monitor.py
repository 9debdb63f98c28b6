"""Account -> monitor.json: the triggers of section 12 for a monitoring service to load; and the way back, for `amo-opt alarms`.

The form is `Monitor`, which the file is written through and read through: what one version wrote another either understands whole or refuses.
Numbers are those that section 12 shows, in plain units (dollars, not millions). Contract functions are given where they are the pool's own (a
Curve pool's, whichever the protocol) or Frax's, whose contracts this package holds (`amo_opt.contracts`), and the state names the address; of the
rest the file says what is computed, and how.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amo_opt.errors import AmoOptError
from amo_opt.files import read_file
from amo_opt.report.sections.monitoring import policy_triggers
from amo_opt.scoring.alarms import Trigger
from amo_opt.wording import clean

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.account import Account
    from amo_opt.report.sections import monitoring as facts_of_monitoring

FILE = "monitor.json"
SCHEMA = 1
MOST_BYTES = 1024 * 1024
MOST_TRIGGERS = 200
EXIT = "exit value (the lowest of 1, the collateral's price and what the pool's other side is worth)"
COMPUTED: dict[str, str] = {
    "price": "marginal price of the stablecoin in the first pool, before its fee, times what the coin it is paid in is worth",
    "pool_share": "stablecoin in the first pool over all that is in it, the other side at what it is counted as",
    "price_over_exit": f"the oracle's price of the stablecoin over its {EXIT}",
    "external_cr": "collateral at its market price, with the pool at the study's price floor, over the stablecoin that the protocol does not hold itself",
    "unserved_hours": "what holders want paid out and neither door has paid, hour by hour, added up since the change",
    "shortfall_bps": f"1 less the price over its {EXIT}, in basis points, where it is above 0",
    "distance_bps": f"what the price over its {EXIT} differs from 1 by, in basis points, to either side",
    "par_shortfall_bps": "1 less the price, in basis points, where it is above 0",
    "par_distance_bps": "what the price differs from 1 by, in basis points, to either side",
}
"""How each reading is come by, in words that hold for any protocol."""
_OF_A_PRICE = ("balances(uint256)", "coins(uint256)", "A()")
POOL_CALLS = {
    "pool_share": ("balances(uint256)", "coins(uint256)"),
    **dict.fromkeys(("price", "shortfall_bps", "distance_bps", "par_shortfall_bps", "par_distance_bps"), _OF_A_PRICE),
}
"""Functions of a Curve pool; ``coins`` says which balance is whose."""
FRAX_CALLS = {
    "price_over_exit": ("frax_price()",),
    "external_cr": ("globalCollateralValue()", "totalSupply()"),
}
"""Functions of Frax's stablecoin: its price in 1e6, collateral in 1e18."""


class Part(BaseModel):
    """A part of the file: no key beside those named, no value changed after."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CallRead(Part):
    """A view of a contract that the reading is made of; ``contract`` is its name in the state's ``[contracts]``."""

    contract: str = Field(min_length=1, max_length=100)
    address: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    function: str = Field(min_length=1, max_length=200)


class Reading(Part):
    """What is watched: ``series`` by the name that histories use where they hold it, its ``unit`` (empty = a ratio), how it is ``computed``, and the views it needs where they are known."""

    series: str = Field(min_length=1, max_length=100)
    unit: str = Field(max_length=40)
    computed: str = Field(max_length=400)
    calls: tuple[CallRead, ...] = Field(max_length=20)


class Response(Part):
    """What to do: ``kind`` for machines, ``text`` as section 12 says it."""

    kind: Literal["revert", "hold", "unwind"]
    text: str = Field(max_length=400)


class MonitorTrigger(Part):
    """Fires once the reading has been ``comparison`` ``threshold`` in ``hours`` hourly readings in a row."""

    name: str = Field(min_length=1, max_length=100)
    what: str = Field(max_length=400)
    reads: Reading
    comparison: Literal["below", "above"]
    threshold: float
    hours: int = Field(ge=1, le=8784)
    action: Response
    source: str = Field(max_length=600)


class Subject(Part):
    """The study that the values come from, and the SHA-256 of the results.json beside this file."""

    name: str = Field(min_length=1, max_length=200)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    results: str = Field(pattern=r"^[0-9a-f]{64}$")


class Monitor(Part):
    """The whole file. ``set`` says whose figures the values are: of the current set where nothing is proposed."""

    schema_: Literal[1] = Field(alias="schema")
    study: Subject
    set: Literal["current", "proposed"]
    set_name: str = Field(max_length=200)
    chain_id: int = Field(ge=0)
    unit: str = Field(min_length=1, max_length=20)
    values: str = Field(max_length=400)
    triggers: tuple[MonitorTrigger, ...] = Field(max_length=MOST_TRIGGERS)


def monitor_json(account: Account) -> str:
    """The file's text: sorted keys, one newline at the end; the same bytes for the same result."""
    subject, state = account.subject, account.study.state
    shown = subject.other if subject.recommended and subject.other is not None else subject.current
    monitor = Monitor(
        schema=SCHEMA,
        study=Subject(name=account.name, hash=account.study.hash, results=account.results_hash),
        set="proposed" if account.recommended else "current",
        set_name=clean(shown.parameters.name),
        chain_id=state.chain_id,
        unit=state.unit,
        values=account.monitoring.values,
        triggers=tuple(_entry(each, state) for each in account.monitoring.triggers),
    )
    return json.dumps(monitor.model_dump(mode="json", by_alias=True), sort_keys=True, indent=1, allow_nan=False) + "\n"


def _entry(row: facts_of_monitoring.Trigger, state: ProtocolState) -> MonitorTrigger:
    return MonitorTrigger(
        name=row.name,
        what=row.what,
        reads=Reading(series=row.series, unit=row.unit, computed=COMPUTED[row.series], calls=_calls(row.series, state)),
        comparison="below" if row.below else "above",
        threshold=row.level.value,
        hours=row.hours,
        action=Response(kind=row.act, text=row.action),
        source=row.basis,
    )


def _calls(series: str, state: ProtocolState) -> tuple[CallRead, ...]:
    """The views that are known, of contracts that the state names."""
    found = [("metapool", function) for function in POOL_CALLS.get(series, ())]
    if state.runs_frax_contracts:
        found += [("stablecoin", function) for function in FRAX_CALLS.get(series, ())]
    return tuple(
        CallRead(contract=name, address=state.contracts[name].address, function=function)
        for name, function in found
        if name in state.contracts
    )


def read_monitor(folder: str | os.PathLike[str]) -> Monitor:
    """The file in a report's folder, or the file itself. Raises `AmoOptError` in one sentence for anything else."""
    path = Path(folder)
    path = path / FILE if path.is_dir() else path
    try:
        raw = read_file(path, most=MOST_BYTES)
    except OSError as error:
        hint = "; write the report again with this version: amo-opt report STUDY.toml" if path.name == FILE else ""
        raise AmoOptError(f"{path}: {(error.strerror or str(error)).lower()}{hint}") from error
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise AmoOptError(f"{path}: not JSON; allowed: a report's folder, or its {FILE}") from error
    try:
        return Monitor.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise AmoOptError(f"{path}: {where}: {first['msg'].lower()}; allowed: a {FILE} of schema {SCHEMA}") from error


def triggers_of(monitor: Monitor) -> tuple[Trigger, ...]:
    """The file's triggers as `scoring.alarms` fires them."""
    return tuple(
        Trigger(name=each.name, series=each.reads.series, threshold=each.threshold, below=each.comparison == "below", hours=each.hours)
        for each in monitor.triggers
    )


def policy_of(study: Study, parameters: ParameterSet) -> tuple[Trigger, ...]:
    """The triggers that a set answers to itself, as `scoring.alarms` fires them: no run of the study is needed to know them."""
    return tuple(
        Trigger(name=each.name, series=each.series, threshold=each.level.value, below=each.below, hours=each.hours)
        for each in policy_triggers(study, parameters)
    )
