"""Section 3: what bounds the change in size and in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.onchain.signatures import setter_of
from amo_opt.report.schedule import duration, moment, schedule_of
from amo_opt.report.sections.parameters import changed_names
from amo_opt.report.wording import Scale, plain_number
from amo_opt.stableswap.ramp import MAX_A, MAX_A_CHANGE, MIN_RAMP_TIME
from amo_opt.wording import MISSING, count

if TYPE_CHECKING:
    from amo_opt.report.schedule import Ramp, Schedule
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Result


@dataclass(frozen=True)
class RampRow:
    """One ramp of A; the moments are text."""

    number: str
    start_a: str
    target_a: str
    factor: str
    start: str
    end: str
    latest_safe: str
    refused: str


@dataclass(frozen=True)
class GuardRails:
    """``rules`` are (what, value, why); ``ramps`` is empty where A stays."""

    rules: tuple[tuple[str, str, str], ...]
    ramps: tuple[RampRow, ...]


def guard_rails_of(result: Result, subject: Subject) -> GuardRails:
    """The bounds on the proposed change; where nothing is proposed, those that any change would meet."""
    before = subject.current.parameters
    after = before if subject.other is None or not subject.recommended else subject.other.parameters
    schedule = schedule_of(result.study, before.amplification, after.amplification)
    ramps = tuple(_row(number, ramp, schedule) for number, ramp in enumerate(schedule.ramps, 1))
    return GuardRails((*_size(result, subject, schedule), *_time(result, subject, schedule)), ramps)


def _size(result: Result, subject: Subject, schedule: Schedule) -> list[tuple[str, str, str]]:
    contract = f"ramp_A refuses more than {MAX_A_CHANGE} times up or down at once, less than {duration(MIN_RAMP_TIME)}, a second ramp within a day, and A of {MAX_A:,} or more"
    if not subject.recommended or subject.other is None:
        return [("A ramp of A", "none: nothing is proposed", contract)]
    before, after = subject.current.parameters, subject.other.parameters
    rows = []
    if schedule.ramps:
        value = f"{count(len(schedule.ramps), 'ramp')} of {duration(schedule.ramp_seconds)} each"
        length = f"the state's markets.ramp_hours = {plain_number(result.study.state.markets.ramp_hours.value)}, at least {duration(MIN_RAMP_TIME)}"
        rows.append(("Ramps of A", value, f"{contract}; the length is {length}"))
    else:
        rows.append(("Ramps of A", "none: A stays", contract))
    for name in changed_names(before, after):
        parameter = PARAMETERS[name]
        move = abs(after.values()[name] - before.values()[name])
        if name == "amplification":
            continue
        steps = (
            "two significant digits"
            if parameter.log
            else f"{plain_number(round(move / parameter.step, 2))} × {plain_number(parameter.step)}"
        )
        how = f"a proposal moves it by {'a logarithmic grid' if parameter.log else 'whole steps'}; in one go, the contract knows no ramp for it"
        policy = "policy: applied by the executing team when the batch is executed"
        own = policy if result.study.state.runs_frax_contracts or parameter.policy else "how this protocol sets it is not known here"
        rows.append((f"Step of {name}", steps, own if setter_of(name, result.study.state) is None else how))
    return rows


def _time(result: Result, subject: Subject, schedule: Schedule) -> list[tuple[str, str, str]]:
    study = result.study
    dates = study.report
    rows = []
    if subject.recommended:
        rows = [
            (
                "Earliest execution",
                moment(schedule.earliest),
                f"{plain_number(dates.execution_delay_days)} days from the study's date for vote and timelock",
            ),
            ("Planned execution", moment(schedule.planned), f"{plain_number(dates.execution_window_days)} days to sign and execute"),
            (
                "Void if not executed by",
                moment(schedule.void),
                f"the latest safe execution of the ramp, or {plain_number(dates.expiry_days)} days from the study's date, whichever is first",
            ),
        ]
    age = "no Safe batch is written from a sourced figure older than this on the study's date"
    rows.append(("Age of the state", f"at most {count(dates.max_state_age_days, 'day')}", age))
    delay = Scale(1.0, 0, "h").text(study.simulation.response_delay_hours)
    rows.append(
        ("Delay of every response", delay, "simulated between an unwinding trigger and the first withdrawal: a team signs, no robot does")
    )
    return rows


def _row(number: int, ramp: Ramp, schedule: Schedule) -> RampRow:
    return RampRow(
        number=str(number),
        start_a=plain_number(ramp.start_a),
        target_a=plain_number(ramp.target_a),
        factor=Scale(1.0, 2, "").number(ramp.target_a / ramp.start_a),
        start=moment(ramp.start),
        end=moment(ramp.end),
        latest_safe=moment(ramp.latest_safe) if schedule.ramps else MISSING,
        refused=moment(ramp.refused),
    )
