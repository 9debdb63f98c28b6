"""Section 2: what is, what is proposed, and the integer a contract would hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amo_opt.amos.cap_use import caps_below_use
from amo_opt.amos.naming import of_pool
from amo_opt.amos.parameters import PARAMETERS, governed
from amo_opt.onchain.calls import way_to
from amo_opt.onchain.raw_integers import CAPS, cap_raw, cap_tokens, raw_integer
from amo_opt.onchain.signatures import MINT_CAP, setter_of
from amo_opt.report.blocks import Block, Bullets, Code, Column, Line, Named, Strong, Table, Text, num
from amo_opt.report.wording import Scale, plain_number, sentence_case
from amo_opt.wording import NOT_KNOWN, clean, in_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.onchain.signatures import Setter
    from amo_opt.protocol.parameters import Parameter, ParameterSet
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.account import Account

POLICY = "policy of the executing team"
NO_LIMIT = "not on chain"
OTHERS = "the protocol's own way (not in the state)"
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def finding(of: Account) -> str:
    """What the tables say of the change."""
    return "Functions, limits on chain and raw integers of what changes" if of.first.changes else "Functions and limits on chain"


def blocks(of: Account) -> list[Block]:
    """What differs between the sets, what that makes of the caps on chain, and which cap is below what is out."""
    before, after, state = of.subject.current.parameters, of.shown.parameters, of.study.state
    label = of.subject.label
    held = before.values()
    changed = [each for name, each in governed(state).items() if held[name] != after.values()[name]]
    warned = below_use(before, after if of.recommended else before, state)
    not_proposed = (
        "No change is proposed. The table sets the current values beside those of the best alternative, which is not recommended."
    )
    return [
        Text("" if of.recommended else not_proposed),
        changes_table(changed, before, after, state, label),
        *(_sums(before, after, state, label) if state.runs_frax_contracts else [Text(unnamed(state))]),
        Bullets((Strong("Warning:"), f" {each}") for each in warned),
        Text(
            "Nothing new may go out under such a cap, and what is over it comes back: check the state's books and the set in force."
            if warned
            else ""
        ),
    ]


def changes_table(
    parameters: Iterable[Parameter], before: ParameterSet, after: ParameterSet, state: ProtocolState, label: str = "Proposed"
) -> Table:
    """Parameters under both sets: contract and setter, the integer the contract would hold, what it refuses, and who executes it."""
    heads = (
        "Parameter, name and function",
        num("Current"),
        num(label),
        "Unit",
        num("Raw integer"),
        num("Change"),
        Column("On-chain limit", "small"),
        Column("Reversible", "small"),
        Column("Executed by", "text small"),
    )
    held, then = before.values(), after.values()
    return Table(heads, [_cells(each, held[each.name], then[each.name], state) for each in parameters], label="Parameters")


def _cells(parameter: Parameter, before: float, after: float, state: ProtocolState) -> tuple[Line, ...]:
    setter = setter_of(parameter.name, state)
    known = _is_known(parameter, state)
    raw = None if setter is None else raw_integer(parameter, after)
    shown = None if raw is None else str(raw)
    if setter is not None and setter.name in CAPS:
        shown = "in the sum below"
    elif parameter.name == "cr_band" and state.price_controller == "pid" and raw is not None:
        shown = f"{10**6 + raw}, {10**6 - raw}"
    return (
        Named(of_pool(parameter.title, state), (parameter.name, *([] if setter is None else [setter.place]))),
        plain_number(before),
        plain_number(after),
        in_account(parameter.unit, state.unit),
        shown,
        _change(before, after),
        setter.limit if setter is not None else NO_LIMIT if known else NOT_KNOWN,
        setter.reversible if setter is not None else "yes, at once" if known else NOT_KNOWN,
        executed_by(parameter, state),
    )


def executed_by(parameter: Parameter, state: ProtocolState) -> str:
    """Who sets it: the sender of its setter's call, or whoever keeps to a policy."""
    setter = setter_of(parameter.name, state)
    if setter is not None:
        return executor(state, setter)
    return POLICY if _is_known(parameter, state) else OTHERS


def _is_known(parameter: Parameter, state: ProtocolState) -> bool:
    """Whether this program knows how it is set: by a setter, or, where there is none, that it is policy."""
    return setter_of(parameter.name, state) is not None or state.runs_frax_contracts or parameter.policy


def _sums(before: ParameterSet, after: ParameterSet, state: ProtocolState, label: str) -> list[Block]:
    decimals = state.collateral_decimals
    collateral = (
        "setCollatBorrowCap not known (the state does not say how many decimals the collateral has)"
        if decimals is None
        else f"setCollatBorrowCap × 10{str(decimals).translate(SUPERSCRIPTS)} (the collateral has {decimals} decimals)"
    )
    return [
        Text(
            "On chain the caps are global sums over AMOs; the cap of a single AMO is the policy of the executing team. At the state's collateral and supply "
            "the sums are:"
        ),
        caps_table(before, after, state, label),
        Text(
            f"Raw integers: ratios, bands and prices × 10⁶, times in seconds, setFraxMintCap × 10¹⁸, {collateral}, A as it is. "
            "The pool's fees (of 10¹⁰) are fixed at deployment.",
            kind="small",
        ),
    ]


def caps_table(before: ParameterSet, after: ParameterSet, state: ProtocolState, label: str = "Proposed") -> Table:
    """Frax's on-chain caps: the global sums that the shares of its AMOs amount to at the state's collateral (at par) and supply, in tokens."""
    scale = Scale(1e-6, 1, "m")
    wide_small = Column("Executed by", "text small")
    heads = ("Function", "Sum of", num("Current (tokens)"), num(f"{label} (tokens)"), num("Raw integer"), num("Change"), wide_small)
    rows: list[tuple[Line, ...]] = []
    for setter, (names, _) in CAPS.items():
        now, then = (cap_tokens(setter, each, state) for each in (before, after))
        raw = cap_raw(setter, after, state)
        there = " + ".join(name for name in names if state.has(PARAMETERS[name].of))  # the others' caps are of nothing
        shown = NOT_KNOWN if raw is None else str(raw)
        rows.append((Code(setter), there, scale.text(now), scale.text(then), shown, _change(now, then), executor(state, MINT_CAP)))
    return Table(heads, rows, label="Caps on chain", narrow=True)


def unnamed(state: ProtocolState) -> str:
    """What is said in place of functions, limits and integers where the state is another protocol's; empty where it is Frax's."""
    if state.runs_frax_contracts:
        return ""
    whose = f"The state is {clean(state.protocol)}'s" if state.protocol else "The state does not say whose it is"
    pool = "of all functions only the pool's ramp_A is named, A as it is" if "metapool" in state.contracts else "no function is named"
    policies = any(each.policy for each in governed(state).values())
    others = "those that are neither policy nor named" if policies else "the other parameters"
    return (
        f"{whose}, and the setters that this program knows are another protocol's: {pool}. How and by whom {others} are set, "
        "with what limits and in what integers, is not known here."
    )


def below_use(current: ParameterSet, proposed: ParameterSet, state: ProtocolState) -> tuple[str, ...]:
    """A sentence for each cap that is lower than what is out under it today, in force or proposed: the contracts take it without a word."""
    scale = Scale(1e-6, 1, "m tokens")
    told = []
    short, new = ({each.names: each for each in caps_below_use(values, state)} for values in (current, proposed))
    for each in (short | new).values():
        held, then = short.get(each.names), new.get(each.names)
        fine = scale.fine(each.used - each.cap)
        aside = f" ({fine.text(then.cap)} proposed)" if held and then and then.cap != held.cap else ""
        told.append(
            f"{' + '.join(each.names)} {'in force' if held else 'proposed'}: {fine.text((held or each).cap)} at the state{aside}, less than the {fine.text(each.used)} {each.use} today."
        )
    return tuple(told)


def executor(state: ProtocolState, setter: Setter) -> str:
    """Who sends a setter's call, as the state names it: entry of ``[contracts]`` and address, and the proxy it goes through."""
    way = way_to(setter, state)
    account = state.contracts.get(way.caller)
    through = "" if way.through is None else f" through {way.place.replace('_', ' ')} {way.to}"
    if account is None and through:
        return f"The parameter admin (not in the state){through}"
    return "the contract's owner (not in the state)" if account is None else f"{sentence_case(way.caller)} {account.address}{through}"


def changed_names(current: ParameterSet, proposed: ParameterSet) -> tuple[str, ...]:
    """The names that differ: first what a vote executes on chain, then policy; within each the largest relative change first."""
    before, after = current.values(), proposed.values()
    names = [name for name in before if before[name] != after[name]]
    return tuple(sorted(names, key=lambda name: (PARAMETERS[name].setter is None, -_relative(before[name], after[name]), name)))


def _change(before: float, after: float) -> str:
    if before == after:
        return "unchanged"
    if before == 0.0:
        return "from zero"
    return f"{Scale(100.0, 1, '%').number(after / before - 1.0, signed=True)}%"


def _relative(before: float, after: float) -> float:
    return abs(math.log(after / before)) if before > 0.0 and after > 0.0 else math.inf
