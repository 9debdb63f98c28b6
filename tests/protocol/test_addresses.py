"""Addresses that say something by their form alone."""

from __future__ import annotations

import pytest

from amo_opt.protocol import addresses
from amo_opt.protocol.addresses import checksummed, is_nobodys, lacks_checksum

RIGHT = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""The first example of EIP-55."""


@pytest.mark.parametrize("digits", ["0" * 40, "0" * 39 + "9", "0" * 36 + "dEaD", "f" * 40, "Ee" * 20])
def test_nobodys_addresses(digits: str) -> None:
    """Zero, a precompile, the burner, and one digit throughout, whatever the case; a vanity address of many zeros is somebody's."""
    assert is_nobodys(f"0x{digits}")
    assert not is_nobodys(RIGHT)
    assert not is_nobodys("0x00000000000000ADc04C56Bf30aC9d3c0aAF14dC")


def test_an_address_of_one_case_carries_no_checksum() -> None:
    """Small letters or capitals alone; digits alone, and letters that EIP-55 itself writes in one case, are no sign of anything."""
    pytest.importorskip("eth_hash", reason="pip install 'amo-opt[onchain]'")
    assert [lacks_checksum(each) for each in (RIGHT, RIGHT.lower(), "0x" + RIGHT[2:].upper())] == [False, True, True]
    assert not lacks_checksum("0x" + "12" * 20)
    small = "0xde709f2102306220921060314715629080e2fb77"  # EIP-55's own example of all small letters
    assert checksummed(small) == small
    assert not lacks_checksum(small)


def test_without_keccak_every_address_of_one_case_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be worked out, so nothing is passed over."""
    monkeypatch.setattr(addresses, "has_keccak", lambda: False)
    assert lacks_checksum("0xde709f2102306220921060314715629080e2fb77")
    assert not lacks_checksum(RIGHT)
