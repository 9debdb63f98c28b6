"""Section 3: what bounds the change in size and in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.onchain.signatures import setter_of
from amo_opt.report.blocks import Block, Table, Text, num, wide
from amo_opt.report.schedule import Schedule, duration, moment, schedule_of
from amo_opt.report.sections.parameters import changed_names
from amo_opt.report.wording import Scale, plain_number
from amo_opt.stableswap.ramp import MAX_A, MAX_A_CHANGE, MIN_RAMP_TIME
from amo_opt.wording import count

if TYPE_CHECKING:
    from amo_opt.report.account import Account


def finding(_of: Account) -> str:
    """What stands in it."""
    return "What bounds the change in size and in time"


def blocks(of: Account) -> list[Block]:
    """The ramps of A and the bounds on the proposed change; where nothing is proposed, those that any change would meet."""
    heads = (
        num("Ramp"),
        num("A from"),
        num("A to"),
        num("Factor"),
        "Starts (planned)",
        "Ends (_future_time)",
        "Latest safe execution",
        "Refused by the contract from",
    )
    ramps = [
        (
            str(number),
            plain_number(each.start_a),
            plain_number(each.target_a),
            Scale(1.0, 2, "").number(each.target_a / each.start_a),
            *map(moment, (each.start, each.end, each.latest_safe, each.refused)),
        )
        for number, each in enumerate(planned(of).ramps, 1)
    ]
    latest = (
        "Latest safe execution = end − max(1 day, planned length). Later than that the ramp would be shorter than the one that was simulated; earlier it is "
        "longer, which is slower."
    )
    bounds = [*_size(of), *((what, moment(when), why) for what, when, why in dates_of(of)), *_time(of)]
    return [
        Table(heads, ramps, label="Ramps of A"),
        Text(latest if ramps else ""),
        Table(("Bound", "Value", wide("Where it comes from")), bounds, label="Bounds"),
    ]


def planned(of: Account) -> Schedule:
    """The dates and ramps of what is proposed; no ramp where nothing is."""
    before = of.subject.current.parameters
    after = of.shown.parameters if of.recommended else before
    return schedule_of(of.study, before.amplification, after.amplification)


def dates_of(of: Account) -> list[tuple[str, int, str]]:
    """What is proposed is executed from when to when, in Unix seconds, and why; nothing where nothing is."""
    if not of.recommended:
        return []
    dates, schedule = of.study.report, planned(of)
    return [
        (
            "Earliest execution",
            schedule.earliest,
            f"{plain_number(dates.execution_delay_days)} days from the study's date for vote and timelock",
        ),
        ("Planned execution", schedule.planned, f"{plain_number(dates.execution_window_days)} days to sign and execute"),
        (
            "Void if not executed by",
            schedule.void,
            f"the latest safe execution of the ramp, or {plain_number(dates.expiry_days)} days from the study's date, whichever is first",
        ),
    ]


def _size(of: Account) -> list[tuple[str, str, str]]:
    contract = f"ramp_A refuses more than {MAX_A_CHANGE} times up or down at once, less than {duration(MIN_RAMP_TIME)}, a second ramp within a day, and A of {MAX_A:,} or more"
    if not of.recommended:
        return [("A ramp of A", "none: nothing is proposed", contract)]
    before, after, state, schedule = of.subject.current.parameters, of.shown.parameters, of.study.state, planned(of)
    rows = []
    if schedule.ramps:
        value = f"{count(len(schedule.ramps), 'ramp')} of {duration(schedule.ramp_seconds)} each"
        length = f"the state's markets.ramp_hours = {plain_number(state.markets.ramp_hours.value)}, at least {duration(MIN_RAMP_TIME)}"
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
        own = policy if state.runs_frax_contracts or parameter.policy else "how this protocol sets it is not known here"
        rows.append((f"Step of {name}", steps, own if setter_of(name, state) is None else how))
    return rows


def _time(of: Account) -> list[tuple[str, str, str]]:
    study = of.study
    age = "no Safe batch is written from a sourced figure older than this on the study's date"
    delay = Scale(1.0, 0, "h").text(study.simulation.response_delay_hours)
    return [
        ("Age of the state", f"at most {count(study.report.max_state_age_days, 'day')}", age),
        ("Delay of every response", delay, "simulated between an unwinding trigger and the first withdrawal: a team signs, no robot does"),
    ]
