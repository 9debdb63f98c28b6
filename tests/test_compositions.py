"""What must hold on every protocol that can be said: random compositions of tables, figures, parameters and scenarios (`compositions`), read from files.

Two campaigns, of the books over 20,000 draws and of what `validate` passes over 10,000 (`pytest -m campaign -s tests/test_compositions.py`), and short ones of the same in the default suite. A campaign keeps what
is done in the folder named by AMO_OPT_CAMPAIGN_DIR, where that is set, and goes on from there.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numba.core import event

from amo_opt.config.load import load_study
from amo_opt.errors import AmoOptError, InputError
from amo_opt.scoring.score import point_score
from amo_opt.simulation.engine import IDENTITY_BOUND, simulate

sys.path.insert(0, str(Path(__file__).resolve().parent))  # the generator stands beside this file: the tests themselves are no package

import compositions
from compositions import PATHS, Draw, Refusals, Run, draw, fault_of, other_bits, run, valid, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

BOOKS, VALID = 20_000, 10_000
QUICK = 200
SECOND = 1_000_000
"""Where the numbers of the second campaign's draws begin, so that no composition is drawn for both."""
SIZES, OFF, SHAPES = 40, 12, 20
MOST_GROWN = 1e10
"""Supplies below this stay within what a file may say when they are multiplied; 1e15 of free liquidity means no limit."""


@dataclass
class Tally:
    """What a campaign found; ``refused`` counts attempts, ``given_up`` numbers none of whose attempts was valid."""

    draws: int = 0
    ran: int = 0
    refused: int = 0
    given_up: int = 0
    nav_gap: float = 0.0
    token_gap: float = 0.0
    faults: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


def tallied(check: Callable[[Study, Tally], str], folder: Path, tally: Tally, *, numbers: range) -> None:
    """A check on the valid draws of these numbers; what it says is wrong is kept with the draw's number and attempt."""
    for number in numbers:
        tally.draws += 1
        refusals = Refusals(reasons=tally.reasons)
        found = valid(number, folder, refusals)
        tally.refused += refusals.count
        if found is None:
            tally.given_up += 1
            continue
        drawn, study = found
        wrong = check(study, tally)
        tally.ran += not wrong
        if wrong:
            tally.faults.append(f"{number}.{drawn.attempt}: {wrong}")


def books(study: Study, tally: Tally) -> str:
    """Income and capital are the change of NAV, issues that of the supply, and every line of every hour is a number."""
    wrong, nav, tokens = fault_of(study)
    tally.nav_gap, tally.token_gap = max(tally.nav_gap, nav), max(tally.token_gap, tokens)
    return wrong


def runs(study: Study, tally: Tally) -> str:
    """The way of `amo-opt simulate`: paths, then their score."""
    try:
        outcome = simulate(study.current, study)
        score = point_score(outcome, study)
    except (AmoOptError, ArithmeticError, RuntimeWarning) as error:
        return str(error)
    sound = np.isfinite(outcome.paths.select_dtypes("number").to_numpy()).all() and np.isfinite(score.yield_annual)
    return "" if sound else "a figure of a path or of the score is no number"


def campaign(name: str, check: Callable[[Study, Tally], str], folder: Path, *, first: int, count: int) -> Tally:
    """So many draws, a hundred at a time, from where it was stopped on."""
    kept = os.environ.get("AMO_OPT_CAMPAIGN_DIR")
    file = Path(kept) / f"{name}.json" if kept else None
    tally = Tally(**json.loads(file.read_text())) if file is not None and file.exists() else Tally()
    while tally.draws < count:
        numbers = range(first + tally.draws, first + min(tally.draws + 100, count))
        tallied(check, folder, tally, numbers=numbers)
        if file is not None:
            file.write_text(json.dumps(tally.__dict__))
    print(  # noqa: T201 - a campaign reports
        f"\n{tally.draws:,} draws, {tally.ran:,} sound, {tally.refused:,} refused on the way, {tally.given_up:,} given up, "
        f"NAV gap {tally.nav_gap:.2g}, token gap {tally.token_gap:.2g}; {sorted(tally.reasons.items(), key=lambda each: -each[1])}"
    )
    return tally


def test_a_draw_depends_on_its_number_alone(tmp_path: Path) -> None:
    """Whoever is told of a fault draws the same files."""
    assert draw(7, 1) == draw(7, 1)
    assert draw(7) != draw(8)
    text = write(draw(7), tmp_path).read_text(encoding="utf-8")
    assert write(draw(7), tmp_path).read_text(encoding="utf-8") == text


def test_every_table_and_scenario_is_drawn() -> None:
    """Each there and left out within the short campaign, first pools with and without further ones, each number of pools, both versions of the regulator."""
    from amo_opt.stress.catalogue import scenario_names

    drawn = [draw(number) for number in range(QUICK)]
    for table in compositions.own_tables():
        assert 0 < sum(table in each.tables for each in drawn) < QUICK, table
    assert {each.scenario for each in drawn} == set(scenario_names())
    assert {sum(name.startswith("pools.") for name in each.tables) for each in drawn} == {0, 1, 2, 3, 5, 8}
    assert {each.figures.get("amos.regulator.version") for each in drawn} == {None, 1.0, 2.0}
    assert {each.unit for each in drawn} == {"USD", "ETH"}
    assert any(each.waypoints for each in drawn)


def test_the_books_hold_over_compositions(tmp_path: Path) -> None:
    tally = Tally()
    tallied(books, tmp_path, tally, numbers=range(QUICK))
    assert not tally.faults, tally.faults[:5]
    assert tally.nav_gap <= IDENTITY_BOUND
    assert tally.token_gap <= IDENTITY_BOUND
    assert tally.ran == QUICK - tally.given_up >= 0.98 * QUICK


def test_what_validate_passes_runs(tmp_path: Path) -> None:
    tally = Tally()
    tallied(runs, tmp_path, tally, numbers=range(SECOND, SECOND + QUICK))
    assert not tally.faults, tally.faults[:5]
    assert tally.ran == QUICK - tally.given_up >= 0.98 * QUICK


FOUND = (2_248, 10_299, 10_353, 12_307, 14_259, 18_112)
"""Draws of the books' campaign that were wrong once: borrowers who repaid all that was outside, pools that took stablecoin from nowhere (10,353 said nothing of it), and coins opposite of 5 to 9 at an A of 1."""


def test_draws_that_were_faults_are_sound(tmp_path: Path) -> None:
    tally = Tally()
    for number in FOUND:
        tallied(books, tmp_path, tally, numbers=range(number, number + 1))
    assert not tally.faults, tally.faults
    assert tally.ran == len(FOUND)


def test_what_validate_passed_and_did_not_run_runs(tmp_path: Path) -> None:
    """A draw of the other campaign that faulted once: a lending market that is lost whole was left a last digit below nothing."""
    tally = Tally()
    tallied(runs, tmp_path, tally, numbers=[1_008_764])
    assert tally.ran == 1


@pytest.mark.campaign
def test_campaign_of_the_books(tmp_path: Path) -> None:
    """The same over 20,000 draws."""
    tally = campaign("composed-books", books, tmp_path, first=0, count=BOOKS)
    assert not tally.faults, tally.faults


@pytest.mark.campaign
def test_campaign_of_what_validate_passes(tmp_path: Path) -> None:
    """The same over 10,000 draws."""
    tally = campaign("composed-valid", runs, tmp_path, first=SECOND, count=VALID)
    assert not tally.faults, tally.faults


@pytest.mark.parametrize("times", [4096.0, 1.0 / 4096.0])
def test_no_bit_hangs_on_size(tmp_path: Path, times: float) -> None:
    """Every line of the state, hour by hour: as it was, or exactly so many times as much. Share tokens of which there are none at the start are left out: the price of the first is nothing over
    nothing, and its last bits do hang on size (a known fault, docs/campaigns.md).
    """
    wrong = {}
    for number in range(2 * SECOND, 2 * SECOND + SIZES):
        found = valid(number, tmp_path)
        if found is None:
            continue
        state = found[1].state
        priced = not state.has("share_token") or state.share_token.supply.value > 0.0
        if priced and state.stablecoin.supply.value < MOST_GROWN and (bits := other_bits(found[1], times)):
            wrong[number] = bits
    assert wrong == {}


# -- a mechanism at zero -----------------------------------------------------------------------------------------------------------

NOTHING: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "amos.aave": (("lent", "borrowed"), ("aave_cap",)),
    "amos.investor": (("lent", "borrowed"), ("investor_cap",)),
    "amos.fraxlend": (("lent", "minted"), ("fraxlend_cap",)),
    "amos.uniswap": (("liquidity", "outside", "minted", "borrowed"), ("uniswap_cap",)),
    "amos.peg_keeper": (("lp_share", "minted"), ("peg_keeper_ceiling",)),
    "amos.rebalancer": (("lp_share", "minted"), ("rebalancer_share",)),
    "amos.reserve": (("amount",), ("reserve_cap",)),
    "amos.savings": (("deposited",), ("savings_income_share",)),
    "amos.borrowers": (("debt",), ()),
}
"""What a table is where its mechanism holds nothing and is given no room: figures and parameters that are then 0."""


def without(drawn: Draw, table: str) -> Draw:
    """The same protocol without that table, its figures of ``[markets]`` and its parameters."""
    from amo_opt.amos.parameters import PARAMETERS
    from amo_opt.config.schema import MARKETS_OF

    gone = {name for name in drawn.figures if name.startswith(f"{table}.") or MARKETS_OF.get(name) == table}
    return replace(
        drawn,
        tables=tuple(name for name in drawn.tables if name != table),
        figures={name: value for name, value in drawn.figures.items() if name not in gone},
        parameters={name: value for name, value in drawn.parameters.items() if PARAMETERS[name].of != table},
    )


def at_nothing(drawn: Draw, table: str) -> Draw:
    """The same protocol with the mechanism there, which holds nothing."""
    figures, parameters = NOTHING[table]
    return replace(
        drawn,
        figures=drawn.figures | {f"{table}.{name}": 0.0 for name in figures},
        parameters=drawn.parameters | dict.fromkeys(parameters, 0.0),
    )


def pair(number: int, table: str, folder: Path) -> tuple[Study, Study] | None:
    """A draw that has the table, with it at nothing and without it; None where either is refused, or no AMO would be left."""
    drawn = draw(number)
    if table not in drawn.tables or sum(name.startswith("amos.") for name in drawn.tables) < 2:
        return None
    if table == "amos.borrowers" and "amos.monetary_policy" in drawn.tables:
        return None
    try:
        return load_study(write(at_nothing(drawn, table), folder)), load_study(write(without(drawn, table), folder))
    except InputError:
        return None


INNER = {"amos.savings": {"amo_income", "earned", "income_seen"}}
"""Lines that are added up for a mechanism alone, whatever it holds (`Mechanism.shares_income`)."""


def moved(there: Run, gone: Run, table: str) -> list[str]:
    """Lines that differ, but for those in which the mechanism watches a market that nobody is in."""
    own = f"{table.removeprefix('amos.')}."
    return [
        name
        for place, name in enumerate(there.names)
        if not name.startswith(own)
        and name not in INNER.get(table, ())
        and not np.array_equal(there.series[:, place], gone.series[:, place])
    ]


@pytest.mark.parametrize("table", NOTHING)
def test_a_mechanism_at_nothing_is_none(tmp_path: Path, table: str) -> None:
    """Among whatever else there is: not one bit of any other line differs."""
    pairs = {number: found for number in range(3 * SECOND, 3 * SECOND + 60) if (found := pair(number, table, tmp_path))}
    assert len(pairs) >= 5
    wrong = {number: bits for number, (there, gone) in list(pairs.items())[:OFF] if (bits := moved(run(there), run(gone), table))}
    assert wrong == {}


def test_a_new_shape_compiles_nothing(tmp_path: Path) -> None:
    """Once the process has run one study, protocols of other tables, pools and keepers bring no compilation by Numba."""
    studies = [found[1] for number in range(4 * SECOND, 4 * SECOND + SHAPES) if (found := valid(number, tmp_path))]
    for study in studies[:1]:
        run(study)
        point_score(simulate(study.current, study), study)
    with event.install_recorder("numba:compile") as seen:
        for study in studies[1:]:
            run(study)
            point_score(simulate(study.current, study), study)
    assert [each for _, each in seen.buffer] == []
    assert all(study.simulation.paths == PATHS for study in studies)
