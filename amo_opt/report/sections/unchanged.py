"""Section 4: what the change leaves as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.amos.naming import is_plain, of_pool, pool_name
from amo_opt.amos.parameters import governed
from amo_opt.report.blocks import Block, Named, Table, Text, num
from amo_opt.report.sections.parameters import executed_by
from amo_opt.report.wording import plain_number
from amo_opt.wording import count, in_account

if TYPE_CHECKING:
    from amo_opt.protocol.parameters import Parameter
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.account import Account


def finding(of: Account) -> str:
    """How many parameters."""
    kept = _kept(of)
    return f"{count(len(kept), 'parameter')} {'stays as it is' if len(kept) == 1 else 'stay as they are'}"


def blocks(of: Account) -> list[Block]:
    """The parameters that both sets have in common, and the fees, which are in neither."""
    state, values = of.study.state, of.subject.current.parameters.values()
    rows = [
        (
            Named(of_pool(each.title, state), (each.name,)),
            plain_number(values[each.name]),
            in_account(each.unit, state.unit),
            executed_by(each, state),
            "searched" if each.name in of.study.search.space else "fixed",
        )
        for each in _kept(of)
    ]
    opening = (
        "These stay as they are. Those marked fixed were not part of the search."
        if of.recommended
        else "Nothing changes. The best alternative would also have left these as they are; those marked fixed were not part of the search."
    )
    return [
        Text(opening),
        Table(("Parameter", num("Value"), "Unit", "Executed by", "Search"), rows, label="What stays as it is"),
        Text("" if rows else "Every parameter changes."),
        Text(fees_sentence(state)),
    ]


def fees_sentence(state: ProtocolState) -> str:
    """Nobody searches the pool's fees; of a metapool's it is known that its deployment fixed them."""
    if state.pools.named:
        return "Swap fees and admin fees of the pools are not part of any parameter set."
    fixed = "" if is_plain(state) else "fixed at deployment and are "
    return f"The {pool_name(state)}'s swap fee and admin fee are {fixed}not part of any parameter set."


def _kept(of: Account) -> list[Parameter]:
    before, after = of.subject.current.parameters.values(), of.shown.parameters.values()
    return [each for name, each in governed(of.study.state).items() if before[name] == after[name]]
