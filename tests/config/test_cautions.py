"""What a right file may yet not mean: said with file, line and figure, and refused by nobody."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amo_opt.amos.parameters import BORROWED, SHARES_OF_COLLATERAL
from amo_opt.config.cautions import cautions_of
from amo_opt.config.load import validate_file

if TYPE_CHECKING:
    from collections.abc import Callable

    Edit = Callable[[str, str, str], None]

STUDY, STATE, CURRENT = "frax-2022.toml", "states/frax-2022-05-11.toml", "parameters/frax-current.toml"


def told(path: Path) -> list[tuple[str, str, str]]:
    """(file's name, key, message) of every caution, of a file that is right."""
    assert validate_file(path) == []
    return [(Path(each.file).name, each.where, each.message) for each in cautions_of(path)]


@pytest.mark.parametrize("name", [STUDY, STATE, CURRENT])
def test_nothing_is_said_of_the_shipped_files(folder: Path, name: str) -> None:
    """Weights of 1, caps that leave room for what is out, addresses with their capitals."""
    assert told(folder / name) == []


def test_gates_have_no_cautions(tmp_path: Path) -> None:
    """A gates file is passed over: another room knows it."""
    (tmp_path / "gates.toml").write_text('schema = 1\n[[gate]]\nmetric = "yield"\n', encoding="utf-8")
    assert cautions_of(tmp_path / "gates.toml") == []


def test_weights_are_said_with_their_sum_and_what_is_done_with_it(folder: Path, edit: Edit) -> None:
    """0.45 in place of 0.95 makes 0.5 in all: the calm counts nine tenths. A rounding error is none."""
    edit(STUDY, "weight = 0.95", "weight = 0.45")
    (found,) = cautions_of(folder / STUDY)
    assert (found.where, found.found, found.line) == ("scenario", "0.5 in all", 82)
    assert found.hint == "each is divided by the sum: calm counts 0.9"
    edit(STUDY, "weight = 0.45", "weight = 0.9500000000001")
    assert told(folder / STUDY) == []


def test_caps_and_buffer_over_all_collateral(folder: Path, edit: Edit) -> None:
    """0.728 + 0.201 + 0.08 in the set's own file, and the same of the study that names it, where the study's key is named if it has one."""
    message = "caps and buffer promise more than all collateral"
    edit(CURRENT, "idle_buffer = 0.07", "idle_buffer = 0.08")
    assert told(folder / CURRENT) == [("frax-current.toml", "curve_collateral_cap", message)]
    assert told(folder / STUDY) == [("frax-current.toml", "curve_collateral_cap", message)]
    edit(STUDY, 'file = "parameters/frax-current.toml"', 'file = "parameters/frax-current.toml"\nidle_buffer = 0.0711')
    assert told(folder / STUDY) == [(STUDY, "current.idle_buffer", message)]
    (found,) = cautions_of(folder / STUDY)
    assert found.found == f"{' + '.join(SHARES_OF_COLLATERAL)} = 1.0001"
    assert {"curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "idle_buffer"} <= set(SHARES_OF_COLLATERAL)
    edit(STUDY, "idle_buffer = 0.0711", "idle_buffer = 0.071")
    assert told(folder / STUDY) == []


@pytest.mark.parametrize(
    ("key", "below", "words"),
    [
        ("curve_collateral_cap", 0.72, "8.97394e8 tokens at the state, 9.06381e8 held in the pool today"),
        ("aave_cap", 0.2, "2.49276e8 tokens at the state, 2.5e8 lent today"),
        ("curve_mint_cap", 0.488, "1.26885e9 tokens at the state, 1.27e9 minted today"),
    ],
)
def test_a_cap_in_force_below_what_is_out(folder: Path, edit: Edit, key: str, below: float, words: str) -> None:
    """Named where it was set, in tokens of the state, beside what is out."""
    edit(STUDY, 'file = "parameters/frax-current.toml"', f'file = "parameters/frax-current.toml"\n{key} = {below}')
    found = [each for each in cautions_of(folder / STUDY) if each.where == f"current.{key}"]
    assert found[0].found == f"{key} = {words}"
    assert "nothing new goes out" in str(found[0].hint)


def test_the_minters_book_counts_against_the_sum_of_the_caps(folder: Path, edit: Edit) -> None:
    """More borrowed than all collateral caps allow, though every position is within its own: an AMO has lost what it was given."""
    edit(STATE, "borrowed = { value = 0.25e9, ", "borrowed = { value = 0.3e9, ")
    (found,) = cautions_of(folder / STUDY)
    assert found.message == "a cap below what is borrowed"
    assert found.found is not None
    assert found.found.startswith(f"{' + '.join(BORROWED)} = 1.15789e9 tokens")
    assert {"curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap"} <= set(BORROWED)
    assert found.found.endswith("1.206e9 borrowed today")


def test_books_in_which_less_stands_behind_the_coin_than_the_limit_asks_for(folder: Path, edit: Edit) -> None:
    """No file is wrong by itself, and no set could keep the limit; at a limit below the cover nothing is said."""
    assert told(folder / STUDY) == []
    edit(STUDY, "min_external_cr = 0.7", "min_external_cr = 0.95")
    found = [each for each in cautions_of(folder / STUDY) if each.where == "stablecoin.supply"]
    assert [each.message for each in found] == ["less stands behind the coin than the limit asks for"]
    assert "a cover of 0.936" in str(found[0].found)
    assert "min_external_cr is 0.95" in str(found[0].hint)


@pytest.mark.parametrize("case", [str.lower, lambda digits: digits.upper()])
def test_an_address_of_one_case_says_that_it_carries_no_checksum(folder: Path, edit: Edit, case: Callable[[str], str]) -> None:
    """Its last digit mistyped it is as right as any: EIP-55 cannot tell, so the reader must."""
    right = "cf37B62109b537fa0Cb9A90Af4CA72f6fb85E241"
    edit(STATE, right, case(right[:-1] + "2"))
    for file in (STATE, STUDY):
        assert told(folder / file) == [("frax-2022-05-11.toml", "contracts.amo_minter.address", "an address without a checksum")]


def test_the_files_are_named_as_the_problems_are(folder: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit) -> None:
    """From elsewhere, relative: the label a problem of the same file would have."""
    edit(CURRENT, "idle_buffer = 0.07", "idle_buffer = 0.08")
    shutil.copytree(folder / "parameters", folder / "further" / "parameters")
    monkeypatch.chdir(folder / "further")
    (found,) = cautions_of("../frax-2022.toml")
    assert found.file == "../parameters/frax-current.toml"
