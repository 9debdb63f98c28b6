"""The parameter table: what is, what is proposed, and the integer a contract would hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.cap_use import caps_below_use
from amo_opt.amos.naming import is_plain, of_pool, pool_name
from amo_opt.amos.parameters import PARAMETERS, governed
from amo_opt.onchain.calls import way_to
from amo_opt.onchain.raw_integers import CAPS, cap_raw, cap_tokens, raw_integer
from amo_opt.onchain.signatures import MINT_CAP, setter_of
from amo_opt.protocol.parameters import Parameter, ParameterSet
from amo_opt.report.wording import Scale, plain_number, sentence_case
from amo_opt.wording import MISSING, NOT_KNOWN, clean, in_account

if TYPE_CHECKING:
    from amo_opt.onchain.signatures import Setter
    from amo_opt.protocol.state import ProtocolState

POLICY = "policy of the executing team"
NO_LIMIT = "not on chain"
OTHERS = "the protocol's own way (not in the state)"


@dataclass(frozen=True)
class ParameterRow:
    """One parameter. ``function`` is contract and setter, ``raw`` the proposed on-chain integer, ``change`` in per cent, ``limit`` what the
    contract refuses; numbers are text.
    """

    name: str
    title: str
    current: str
    proposed: str
    unit: str
    change: str
    function: str
    limit: str
    reversible: str
    executed_by: str
    raw: str
    changed: bool
    searched: bool


@dataclass(frozen=True)
class Fees:
    """Pool fees, which nobody searches: of which ``pool``, empty where there are several, and whether they were ``fixed`` at its deployment."""

    pool: str
    fixed: bool


@dataclass(frozen=True)
class CapRow:
    """One on-chain cap: the global sum that the shares of its AMOs amount to at the state."""

    setter: str
    sums: str
    current: str
    proposed: str
    change: str
    raw: str
    executed_by: str


def parameter_rows(
    current: ParameterSet, proposed: ParameterSet, searched: frozenset[str], state: ProtocolState
) -> tuple[ParameterRow, ...]:
    """Every parameter of what the protocol has, in the order of a parameter file."""
    before, after = current.values(), proposed.values()
    return tuple(
        _row(parameter, before[name], after[name], state, searched=name in searched) for name, parameter in governed(state).items()
    )


def cap_rows(current: ParameterSet, proposed: ParameterSet, state: ProtocolState) -> tuple[CapRow, ...]:
    """Frax's on-chain caps in tokens at the state's collateral (at par) and supply; none where the state is another protocol's."""
    if not state.runs_frax_contracts:
        return ()
    scale = Scale(1e-6, 1, "m")
    rows = []
    for setter, (names, _) in CAPS.items():
        before, after = (cap_tokens(setter, each, state) for each in (current, proposed))
        executed_by = executor(state, MINT_CAP)
        raw = cap_raw(setter, proposed, state)
        shown = NOT_KNOWN if raw is None else str(raw)
        there = " + ".join(name for name in names if state.has(PARAMETERS[name].of))  # the others' caps are of nothing
        rows.append(CapRow(setter, there, scale.text(before), scale.text(after), _change(before, after), shown, executed_by))
    return tuple(rows)


def fees_of(state: ProtocolState) -> Fees:
    """Of a metapool's fees it is known that its deployment fixed them."""
    return Fees("" if state.pools.named else pool_name(state), fixed=not is_plain(state))


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


def _row(parameter: Parameter, before: float, after: float, state: ProtocolState, *, searched: bool) -> ParameterRow:
    setter = setter_of(parameter.name, state)
    known = setter is not None or state.runs_frax_contracts or parameter.policy
    raw = None if setter is None else raw_integer(parameter, after)
    summed = setter is not None and setter.name in CAPS
    shown = MISSING if raw is None else str(raw)
    if parameter.name == "cr_band" and state.price_controller == "pid" and raw is not None:
        shown = f"{10**6 + raw}, {10**6 - raw}"
    return ParameterRow(
        name=parameter.name,
        title=of_pool(parameter.title, state),
        current=plain_number(before),
        proposed=plain_number(after),
        unit=in_account(parameter.unit, state.unit),
        change=_change(before, after),
        function=MISSING if setter is None else setter.place,
        limit=setter.limit if setter is not None else NO_LIMIT if known else NOT_KNOWN,
        reversible=setter.reversible if setter is not None else "yes, at once" if known else NOT_KNOWN,
        executed_by=executor(state, setter) if setter is not None else POLICY if known else OTHERS,
        raw="in the sum below" if summed else shown,
        changed=before != after,
        searched=searched,
    )


def _change(before: float, after: float) -> str:
    if before == after:
        return "unchanged"
    if before == 0.0:
        return "from zero"
    return f"{Scale(100.0, 1, '%').number(after / before - 1.0, signed=True)}%"


def _relative(before: float, after: float) -> float:
    return abs(math.log(after / before)) if before > 0.0 and after > 0.0 else math.inf
