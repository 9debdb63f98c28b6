"""A process in which the package has an AMO more, whose section no state file of ours holds: loads studies and tells what it finds, as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from amo_opt.amos import catalogue
from amo_opt.amos.mechanism import Book, Mechanism, Stages
from amo_opt.errors import InputError
from amo_opt.protocol.lanes import Own
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, stage


@dataclass(frozen=True, kw_only=True)
class VaultAmo(AmoSection):
    held: Figure = figure(0.0, 1e13, "tokens", "collateral in the vault", default=0.0)
    borrowed: Figure = figure(-1e13, 1e13, "tokens", "collateral lent to the AMO less returned", default=0.0)
    fee: Figure = figure(0.0, 0.05, "", "fee of the vault", default=0.01)

    def collateral(self, _state: ProtocolState) -> float:
        return self.held.value


@stage
def nothing(_s: Vector, _m: Vector, _p: Vector, _c: Vector, _a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    pass


VAULT = Mechanism(
    name="vault",
    stages=Stages(own=Own("vault", state=("held", "borrowed")), begin=nothing, market_operations=nothing, operate=nothing),
    earns=6,
    turn=6,
    start=lambda state: {"held": state.amos.vault.held.value, "borrowed": state.amos.vault.borrowed.value},
    section=VaultAmo,
    markets={"vault_yield": figure(0.0, 1.0, "", "yield of the vault", default=0.04)},
    books=(Book(position="held", book="borrowed"),),
)


def told(study: Path) -> dict[str, Any]:
    """What the package makes of a study; its problems, where it is refused."""
    from amo_opt.config.assumptions import assumptions
    from amo_opt.config.load import load_study
    from amo_opt.report.sections.front import state_rows
    from amo_opt.simulation.remote import deserialise, serialise

    try:
        found = load_study(study)
    except InputError as error:
        return {"problems": [str(each) for each in error.problems]}
    state = found.state
    return {
        "problems": [],
        "hash": found.hash,
        "vault": [
            state.amos.vault.held.value,
            state.amos.vault.borrowed.value,
            state.amos.vault.fee.value,
            state.markets.vault_yield.value,
        ],
        "assumed": state.amos.vault.held.assumed,
        "collateral": state.collateral_usd,
        "rows": [row.key for row in state_rows(state, found.date)],
        "moved": [each.name for each in assumptions(found)],
        "pickled": deserialise(serialise(state)) == state,
        "differs": replace(state, amos=replace(state.amos, vault=VaultAmo(held=Figure(value=1.0)))) != state,
    }


def main(studies: list[str]) -> None:
    catalogue.MECHANISMS = (*catalogue.MECHANISMS, VAULT)
    from amo_opt.config.schema import figures_by_name

    sys.stdout.write(json.dumps({"figures": list(figures_by_name()), "told": [told(Path(each)) for each in studies]}))


if __name__ == "__main__":
    main(sys.argv[1:])
