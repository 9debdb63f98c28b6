"""``[reads]`` of a state: what a chain said of values in force; payloads look at it, results and hashes do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from amo_opt.config.identity import state_values
from amo_opt.config.load import load_state, validate_file
from amo_opt.errors import InputError

STATE = Path(__file__).parents[2] / "studies" / "states" / "frax-2022-05-11.toml"
MINTER = "0xcf37B62109b537fa0Cb9A90Af4CA72f6fb85E241"
SAFE = "0xB1748C79709f4Ba2Dd82834B8c82D4a505003f27"
BLOCK = f'block = 14755001, hash = "0x{"ab" * 32}"'


def _state(folder: Path, *reads: str) -> Path:
    text = STATE.read_text(encoding="utf-8")
    path = folder / "state.toml"
    path.write_text(text + "\n[reads]\n" + "\n".join(reads) + "\n", encoding="utf-8")
    return path


def test_reads_are_carried_as_integers_and_addresses_and_change_no_figure(tmp_path: Path) -> None:
    cap = 1_270_000_000 * 10**18 + 9
    path = _state(
        tmp_path,
        f'"amo_minter.frax_mint_cap()" = {{ raw = "{cap}", address = "{MINTER}", {BLOCK} }}',
        f'"amo_minter.collat_borrow_cap()" = {{ raw = "-5", address = "{MINTER.lower()}", {BLOCK} }}',
        f'"amo_minter.owner()" = {{ raw = "{SAFE}", address = "{MINTER}", {BLOCK} }}',
    )
    assert validate_file(path) == []
    state = load_state(path)
    read = state.reads["amo_minter.frax_mint_cap()"]
    assert (read.raw, read.block, read.hash, read.address) == (cap, 14755001, "0x" + "ab" * 32, MINTER)
    assert state.reads["amo_minter.collat_borrow_cap()"].raw == -5
    assert state.reads["amo_minter.owner()"].raw == SAFE
    plain = load_state(STATE)
    assert plain.reads == {}
    assert state_values(state) == state_values(plain)


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (f'"amo_mintr.min_cr()" = {{ raw = "1", address = "{MINTER}", {BLOCK} }}', "no such contract; found \"amo_mintr\"; did you mean 'amo_minter'?"),
        (f'"min_cr" = {{ raw = "1", address = "{MINTER}", {BLOCK} }}', "no call of a contract"),
        (f'"amo_minter.min_cr()" = {{ raw = "1", address = "{SAFE}", {BLOCK} }}', "another contract's"),
        (f'"amo_minter.min_cr()" = {{ raw = "0.81", address = "{MINTER}", {BLOCK} }}', "not of the right form"),
        (f'"amo_minter.min_cr()" = {{ raw = 810000, address = "{MINTER}", {BLOCK} }}', "wrong type"),
        (f'"amo_minter.min_cr()" = {{ rawe = "1", address = "{MINTER}", {BLOCK} }}', "did you mean 'raw'?"),
        (f'"amo_minter.min_cr()" = {{ raw = "1", address = "{MINTER}", block = 1, hash = "0x12" }}', "not of the right form"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_read_is_one_sentence(tmp_path: Path, read: str, said: str) -> None:
    path = _state(tmp_path, read)
    problems = [str(each) for each in validate_file(path)]
    assert any(said in each and "state.toml" in each for each in problems), problems
    with pytest.raises(InputError):
        load_state(path)
