"""Keccak-256 and EIP-55: how contracts are addressed. The hash comes with the extra `amo-opt[onchain]`, imported when used."""

from __future__ import annotations

import re

from amo_opt.errors import AmoOptError

CHAIN_IDS = {
    "ethereum": 1, "mainnet": 1, "optimism": 10, "bsc": 56, "gnosis": 100, "polygon": 137, "sonic": 146, "fantom": 250, "fraxtal": 252,
    "boba": 288, "zksync": 324, "polygon_zkevm": 1101, "moonbeam": 1284, "moonriver": 1285, "dogechain": 2000, "base": 8453, "evmos": 9001,
    "arbitrum": 42161, "avalanche": 43114, "linea": 59144, "blast": 81457, "scroll": 534352, "aurora": 1313161554,
}  # fmt: skip
"""Chain ids by the names that registries of addresses give their parts (FraxFinance/frax-solidity `src/types/constants.ts` @012909d1, CONTRACT_ADDRESSES, and others)."""
_PART = re.compile(r"ADDRESSES\.(\w+)|(?:^|/)(?:deployments|networks|chains)/(\w+)", re.ASCII)
INSTALL = "pip install 'amo-opt[onchain]'"


def keccak(data: bytes) -> bytes:
    """The 32 bytes of Keccak-256 (Ethereum's, not the SHA-3 of hashlib). Raises `AmoOptError` without the extra."""
    try:
        from eth_hash.auto import keccak as keccak_256

        return keccak_256(data)
    except ImportError as error:
        raise AmoOptError(f"Keccak-256 needs the extra: {INSTALL}") from error


def has_keccak() -> bool:
    """Whether the extra is installed."""
    try:
        keccak(b"")
    except AmoOptError:
        return False
    return True


def checksummed(address: str) -> str:
    """The address as EIP-55 writes it: a hexadecimal letter is a capital where the same digit of its Keccak-256 is 8 or more.

    >>> checksummed("0x" + "d632f22692fac7611d2aa1c0d552930d43caed3b") if has_keccak() else "0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B"
    '0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B'
    """
    digits = address[2:].lower()
    mask = keccak(digits.encode("ascii")).hex()
    return "0x" + "".join(digit.upper() if int(each, 16) >= 8 else digit for digit, each in zip(digits, mask, strict=False))


def is_nobodys(address: str) -> bool:
    """Whether nobody can be behind the address: zero, a precompile, a burner such as ``0x…dEaD``, or one digit forty times.

    >>> is_nobodys("0x" + "0" * 40), is_nobodys("0x" + "Ee" * 20), is_nobodys("0x000000000022D473030F116dDEE9F6B43aC78BA3")
    (True, True, False)
    """
    digits = address[2:].lower()
    return digits.startswith("0" * 30) or len(set(digits)) == 1


def lacks_checksum(address: str) -> bool:
    """Whether the letters are all small or all capitals where EIP-55 mixes them, so that a mistyped digit cannot be noticed.

    Without Keccak every address of one case counts.
    """
    digits = address[2:]
    mixed = digits != digits.lower() and digits != digits.upper()
    return not mixed and digits.upper() != digits.lower() and not (has_keccak() and address == checksummed(address))


def has_wrong_checksum(address: str) -> bool:
    """Whether capitals and small letters are mixed otherwise than EIP-55 does; of one case only an address carries no checksum."""
    digits = address[2:]
    mixed = digits != digits.lower() and digits != digits.upper()
    return mixed and address != checksummed(address)


def chain_of(source: str) -> tuple[str, int] | None:
    """The part of a registry that a source names, with its chain id; None where it names none that is known.

    >>> chain_of("CONTRACT_ADDRESSES.arbitrum, main, FRAX"), chain_of("deployments/mainnet/Vault.json"), chain_of("docs/ref-addresses.rst")
    (('arbitrum', 42161), ('mainnet', 1), None)
    """
    named = (one or other for one, other in _PART.findall(source))
    return next(((name, CHAIN_IDS[name.lower()]) for name in named if name.lower() in CHAIN_IDS), None)
