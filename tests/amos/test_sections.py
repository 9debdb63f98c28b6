"""The tables of a state that are put together from the AMOs, and what an AMO that is added to them asks of the files there are: nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import MISSING, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amo_opt.amos.catalogue import BY_RANK, MECHANISMS
from amo_opt.amos.sections import POSITIONS, parts_of
from amo_opt.config.assumptions import assumptions
from amo_opt.config.identity import state_values
from amo_opt.config.load import load_study
from amo_opt.config.schema import figures_by_name, left_out, table_of
from amo_opt.protocol.state import Figure, Markets, ProtocolState
from amo_opt.report.sections.front import state_rows
from amo_opt.simulation.remote import deserialise, serialise

if TYPE_CHECKING:
    from amo_opt.config.study import Study

STUDIES = Path(__file__).resolve().parents[2] / "studies"
STUDY, STATE = "frax-2022.toml", "states/frax-2022-05-11.toml"
FIRST_CALLED = {
    "controller.collateral_ratio": "stablecoin.collateral_ratio",
    "redeem.fee": "stablecoin.redemption_fee",
    "redeem.delay_hours": "stablecoin.redemption_delay_hours",
    "mint.fee": "stablecoin.minting_fee",
    "mint.ceiling": "stablecoin.mint_ceiling",
}
"""Figures whose name in a study's hash is the one that files of schema 1 gave them."""
HELD = '\n[amos.vault]\nheld = { value = 1e8, assumed = "a guess", low = 0.0, high = 2e8 }\n'
GIVEN = f'{HELD}borrowed = {{ value = 1e8, source = "the minter" }}\n'
AS_LEFT_OUT = '\n[amos.vault]\nheld = { value = 0.0, source = "its balance" }\nfee = { value = 0.01, source = "its contract" }\n'
CASES = {
    "left out": ("", ""),
    "given": (GIVEN, ""),
    "as left out": (AS_LEFT_OUT, ""),
    "misspelt": (GIVEN.replace("borrowed", "borowed"), ""),
    "out of range": (GIVEN.replace("value = 1e8, assumed", "value = -1.0, assumed"), ""),
    "set": ("", '"amos.vault.held" = 1e8, "amos.vault.borrowed" = 1e8'),
    "set without its book": ("", '"amos.vault.held" = 1e8'),
}


def test_every_section_and_figure_of_an_amo_stands_in_the_state(frax: Study) -> None:
    """Each AMO's table holds the figures of its section, `[markets]` the common ones and every AMO's, none twice; books and positions are figures."""
    parts = parts_of(ProtocolState)
    assert sorted(entry.name for entry in fields(parts["amos"]) if entry.name != "named") == sorted(
        each.name for each in MECHANISMS if each.section
    )
    own = [name for each in MECHANISMS for name in each.markets]
    names = [entry.name for entry in fields(parts["markets"])]
    assert sorted(names) == sorted([*own, *(entry.name for entry in fields(Markets))])
    for each in MECHANISMS:
        if each.section:
            assert type(getattr(frax.state.amos, each.name)) is each.section
        assert each.markets_after in {"", *(entry.name for entry in fields(Markets))}
    assert set(POSITIONS) | {book for books in POSITIONS.values() for book in books} <= set(figures_by_name())
    assert {whole for books in POSITIONS.values() for whole in books.values() if whole} <= set(figures_by_name())


def test_figures_stand_in_the_order_of_the_shipped_state(frax: Study) -> None:
    """Tables in the order of the file; an AMO's figures of `[markets]` stand together, behind the common one they follow."""
    names = list(figures_by_name())
    tables = list(dict.fromkeys(name.rpartition(".")[0] for name in names if name.startswith("amos.")))
    shipped = [row.strip("[]\n") for row in (STUDIES / STATE).open(encoding="utf-8") if row.startswith("[amos.")]
    assert shipped == ["amos.curve", "amos.aave", "amos.investor", "amos.fraxlend", "amos.uniswap"]
    assert [table for table in tables if table in shipped] == shipped
    assert tables == [f"amos.{each.name}" for each in BY_RANK if each.section]
    for each in MECHANISMS:
        own = [names.index(f"markets.{name}") for name in each.markets]
        assert own == list(range(own[0], own[0] + len(own))) if own else True
    figures = {name: attrgetter(name)(frax.state) for name in names}
    # one that is given as it is where it is left out is in no study's values
    optional = {name for name, entry in figures_by_name().items() if entry.default is not MISSING and table_of(name)}
    as_left_out = {name for name in optional if figures[name].value == left_out(name)}
    given = [name for name, each in figures.items() if each.is_given and name not in as_left_out]
    assert list(state_values(frax.state)) == [FIRST_CALLED.get(name, name) for name in given]
    firsts = ("volume_depth_usd", "lending_slope_1", "lending_memory_hours", "investor_slope_1", "fraxlend_slope_1", "lp_yield_response")
    places = [names.index(f"markets.{name}") for name in firsts]
    assert places == sorted(places)


def test_a_state_is_a_value(frax: Study) -> None:
    """It compares by its figures, cannot be changed, and is the same behind a process's door."""
    state = frax.state
    assert deserialise(serialise(frax)).state == state
    moved = replace(state, amos=replace(state.amos, aave=replace(state.amos.aave, lent=Figure(value=1.0))))
    assert moved != state
    assert attrgetter("amos.aave.lent.value")(moved) == 1.0
    with pytest.raises(AttributeError):
        state.amos.aave = moved.amos.aave
    with pytest.raises(AttributeError):
        _ = state.amos.vault


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a package with an AMO more makes of the worked study, and of it with that AMO's figures in the state file or in the study."""
    root = tmp_path_factory.mktemp("vault")
    written = []
    for number, (section, values) in enumerate(CASES.values()):
        folder = root / str(number)
        shutil.copytree(STUDIES, folder)
        (folder / STATE).write_text((folder / STATE).read_text(encoding="utf-8") + section, encoding="utf-8")
        text = (folder / STUDY).read_text(encoding="utf-8")
        file = f'file = "{STATE}"'
        assert file in text
        (folder / STUDY).write_text(text.replace(file, f"{file}\nset = {{ {values} }}") if values else text, encoding="utf-8")
        written.append(str(folder / STUDY))
    script = Path(__file__).with_name("with_a_vault.py")
    run = subprocess.run([sys.executable, str(script), *written], capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(run.stdout)
    return {"figures": found["figures"], **dict(zip(CASES, found["told"], strict=True))}


def test_an_added_amo_stands_last(vault: dict[str, Any]) -> None:
    """Its table behind those of its rank, its figure of `[markets]` at the end; nothing else moves."""
    added = ["amos.vault.held", "amos.vault.borrowed", "amos.vault.fee", "markets.vault_yield"]
    assert [name for name in vault["figures"] if name in added] == added
    assert [name for name in vault["figures"] if name not in added] == list(figures_by_name())
    assert vault["figures"][-1] == "markets.vault_yield"
    assert vault["figures"][vault["figures"].index("amos.vault.fee") + 1].startswith("amos.peg_keeper.")


@pytest.mark.parametrize("case", ["left out", "as left out"])
def test_a_study_is_the_same_though_the_package_learnt_an_amo(vault: dict[str, Any], case: str) -> None:
    """With the section left out, or saying what its absence does: same hash, same collateral."""
    study = load_study(STUDIES / STUDY)
    found = vault[case]
    assert found["problems"] == []
    assert found["hash"] == study.hash
    assert found["vault"] == [0.0, 0.0, 0.01, 0.04]
    assert found["collateral"] == study.state.collateral_usd
    assert found["moved"] == [each.name for each in assumptions(study)]


def test_what_is_left_out_is_no_assumption(vault: dict[str, Any]) -> None:
    """No report lists it and no sensitivity moves it; what a file says is listed, though it be the same."""
    rows = [row.key for row in state_rows(load_study(STUDIES / STUDY).state, load_study(STUDIES / STUDY).date)]
    assert vault["left out"]["rows"] == rows
    assert [row for row in vault["as left out"]["rows"] if row not in rows] == ["amos.vault.held", "amos.vault.fee"]


def test_a_section_that_is_given_counts(vault: dict[str, Any]) -> None:
    """Its collateral is the protocol's, its assumed figure is moved, and the study is another one; its other figures may stay out."""
    study, found = load_study(STUDIES / STUDY), vault["given"]
    assert found["vault"] == [1e8, 1e8, 0.01, 0.04]
    assert found["collateral"] == pytest.approx(study.state.collateral_usd + 1e8, rel=1e-15)
    assert found["hash"] != study.hash
    assert found["moved"].count("amos.vault.held") == 1
    assert "amos.vault.fee" not in found["rows"]
    assert found["pickled"]
    assert found["differs"]


def test_a_section_that_is_given_is_checked(vault: dict[str, Any]) -> None:
    """As any other: an unknown key has its nearest, a value its limits."""
    (misspelt,), (beyond, *_) = vault["misspelt"]["problems"], vault["out of range"]["problems"]
    assert "amos.vault.borowed: unknown key" in misspelt
    assert "did you mean 'borrowed'?" in misspelt
    assert "amos.vault.held.value: out of range" in beyond
    assert "0 to 1e13 tokens (collateral in the vault)" in beyond


def test_a_study_may_set_what_the_file_leaves_out(vault: dict[str, Any]) -> None:
    """It is assumed then, and says so; a position still needs its book."""
    assert vault["set"]["vault"][:2] == [1e8, 1e8]
    assert vault["set"]["assumed"] == "set by the study; the state file leaves it out: 0"
    assert vault["set"]["hash"] == vault["given"]["hash"]
    (problem,) = vault["set without its book"]["problems"]
    assert "a position without its books" in problem
    assert "amos.vault.borrowed = 1e+08 set with it" in problem
