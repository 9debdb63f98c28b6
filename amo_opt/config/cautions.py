"""What a right file may yet not mean: told by `validate`, refused by nobody, and simulated as it stands."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.amos.cap_use import caps_below_use
from amo_opt.amos.parameters import shares_of_collateral
from amo_opt.amos.reserve import paid_at_once
from amo_opt.config.arranged import arranged
from amo_opt.config.checks import written_parameters
from amo_opt.config.load import kind_of, load_study
from amo_opt.config.schema import figures_by_name, given_figures
from amo_opt.config.toml_file import read_document
from amo_opt.config.wording import shown
from amo_opt.protocol.addresses import checksummed, has_keccak, lacks_checksum
from amo_opt.stress.touches import reaches
from amo_opt.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from amo_opt.config.checks import Placed
    from amo_opt.config.study import Study
    from amo_opt.config.toml_file import Document
    from amo_opt.errors import Problem

ROUNDING = 1e-9
"""Decimals that add up to 1 on paper may miss it by a rounding error."""


def cautions_of(path: str | os.PathLike[str]) -> list[Problem]:
    """What is to be said of the file at ``path``, which `validate_file` found right, and of the files it names."""
    document = read_document(Path(path), os.fspath(path))
    kind = kind_of(document.data)
    if kind in ("evidence", "spells"):
        return []
    document = arranged(document)
    match kind:
        case "study":
            return list(_of_study(load_study(path), document))
        case "state":
            return list(_of_addresses(document))
        case "parameters":
            return list(_of_caps_and_buffer(written_parameters(document)))
        case "behaviour" | "gates" | "evidence" | "spells":
            return []


def _of_study(study: Study, document: Document) -> Iterator[Problem]:
    state, current = (_beside(document, table) for table in ("state", "current"))
    yield from _of_addresses(state)
    chosen = written_parameters(current) | written_parameters(document, ("current",))
    yield from _of_caps_and_buffer(chosen)
    for below in caps_below_use(study.current, study.state):
        place = _written_last(chosen[name] for name in below.names if name in chosen)
        found = f"{' + '.join(below.names)} = {plain(below.cap)} tokens at the state, {plain(below.used)} {below.use} today"
        hint = "simulated as it is: nothing new goes out, and an AMO over its cap gives back"
        yield place.document.problem(place.key, f"a cap below what is {below.use}", found=found, hint=hint)
    yield from _of_cover(study, state)
    yield from _of_weights(study, document)
    yield from _of_reach(study, document)
    yield from _of_sources(study, state)


def _of_cover(study: Study, state: Document) -> Iterator[Problem]:
    """Books in which less stands behind the stablecoin than the study's limit asks for, before anything has happened."""
    behind, supply = study.state.cover_usd, study.state.external_supply
    if supply > 0.0 and behind / supply < study.constraints.min_external_cr:
        found = f"{plain(behind)} {study.state.unit} behind {plain(supply)} tokens outside, a cover of {plain(behind / supply)}"
        hint = f"min_external_cr is {plain(study.constraints.min_external_cr)}, so no set can keep it: supply counts what the AMOs hold, and their own coin in a pool is no collateral"
        yield state.problem(("stablecoin", "supply"), "less stands behind the coin than the limit asks for", found=found, hint=hint)


def _of_reach(study: Study, document: Document) -> Iterator[Problem]:
    """Scenarios that reach nothing of what the protocol has, and doors that nothing can pay at."""
    for place, scenario in enumerate(study.scenarios):
        if not reaches(scenario, study.state.has):
            hint = "it is calm under another name here: leave it out, or give the state the table"
            yield document.problem(("scenario", place), "reaches nothing that this protocol has", found=scenario.name, hint=hint)


def _of_sources(study: Study, state: Document) -> Iterator[Problem]:
    """A state of which nothing was read, and an open door with nothing behind it."""
    if study.state.has("redeem") and study.state.collateral.idle.value == 0.0 and not paid_at_once(study.state):
        hint = "redeeming pays out of free collateral alone, until an AMO brings some back"
        if study.state.cover_usd > study.state.collateral_usd:
            hint = "redeeming pays out of free collateral alone, and what borrowers owe pays no redeemer: give it collateral, or leave [redeem] out"
        yield state.problem(("collateral", "idle"), "nothing can pay at the open door", found="0", hint=hint)
    rate0 = study.current.values()["policy_rate0"]
    if study.state.has("amos.monetary_policy") and rate0 == 0.0:
        hint = "borrowers pay nothing whatever price and debts: set policy_rate0, or leave the table out for the snapshot's rate"
        yield state.problem(("amos", "monetary_policy"), "a monetary policy without a rate", found="policy_rate0 = 0", hint=hint)
    figures = {name: each for name, each in given_figures(study.state).items() if not figures_by_name()[name].metadata["behaviour"]}
    if all(each.assumed is not None for each in figures.values()):
        hint = "a report says so, and no Safe batch is written from such a state"
        yield state.problem((), "every figure is assumed", found=f"{len(figures)} figures, none with a source", hint=hint)


def _beside(document: Document, table: str) -> Document:
    """The file that ``[table] file`` names, as `load_study` reads it."""
    name = str(document.get((table, "file")))
    return arranged(read_document(document.path.parent / name, os.path.normpath(Path(document.label).parent / name)))


def _written_last(places: Iterable[Placed]) -> Placed:
    """The first of these that the study itself sets; where it sets none, the first."""
    written = list(places)
    return max(written, key=lambda each: len(each.key))


def _of_weights(study: Study, document: Document) -> Iterator[Problem]:
    total = math.fsum(each.weight for each in study.scenarios)
    if abs(total - 1.0) > ROUNDING:
        hint = f"each is divided by the sum: {study.scenarios[0].name} counts {plain(study.scenarios[0].weight / total)}"
        yield document.problem(("scenario",), "the weights do not add up to 1", found=f"{plain(total)} in all", hint=hint)


def _of_caps_and_buffer(values: Mapping[str, Placed]) -> Iterator[Problem]:
    there = shares_of_collateral(values)  # a set of few mechanisms writes few of them
    total = math.fsum(values[name].value for name in there)
    if total > 1.0:
        place = _written_last(values[name] for name in there)
        hint = "a search scores such a set and no report proposes it"
        message = "caps and buffer promise more than all collateral"
        yield place.document.problem(place.key, message, found=f"{' + '.join(there)} = {plain(total)}", hint=hint)


def _of_addresses(document: Document) -> Iterator[Problem]:
    contracts = document.get(("contracts",))
    for name, entry in contracts.items() if isinstance(contracts, dict) else ():
        if isinstance(entry, dict) and lacks_checksum(entry["address"]):
            known = f"{checksummed(entry['address'])} if every digit is right" if has_keccak() else None
            hint = "compare it with its source: a mistyped digit cannot be noticed without the capitals of EIP-55"
            message = "an address without a checksum"
            yield document.problem(("contracts", name, "address"), message, found=shown(entry["address"]), allowed=known, hint=hint)
