"""What a chain can tell of a state: getters by the contract's entry of ``[contracts]``, what each says, and the figures that follow from them.

Declared by whoever knows the contract: an AMO's own in its file (`Mechanism.reads`), the issuer's and the first pool's in `onchain.reads`. A read of a contract that the
state does not name is not made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Read:
    """One getter. ``contract`` is its entry of ``[contracts]``, or a read that answers its address; ``arguments`` are integers, names of entries whose addresses are given, or
    reads that are answered first. Of its ``outputs`` (the ABI's types) ``output`` is the place of the one meant, a tuple's member by two places.

    The integer counts 10 to the power of ``decimals``; of what ``counted_by`` answers where that is there and answers (``decimals``, if given, where it does not).
    ``parameter`` is the parameter in force, or the setter, whose argument is a sum of several, that it tells; ``obeys`` marks an account that may call the contract's setters.
    An ``optional`` one is of some versions of the contract alone.
    """

    contract: str | Read
    signature: str
    meaning: str
    arguments: tuple[int | str | Read, ...] = ()
    outputs: tuple[str, ...] = ("uint256",)
    output: tuple[int, ...] = (0,)
    decimals: int | None = 0
    counted_by: Read | None = None
    parameter: str = ""
    obeys: bool = False
    optional: bool = False

    @property
    def key(self) -> str:
        """``amo_minter.frax_mint_balances(curve_amo)``, what it is called in ``[reads]``."""
        return self.named(*(each.key if isinstance(each, Read) else str(each) for each in self.arguments))

    def named(self, *given: str) -> str:
        """The same with these arguments in it."""
        contract = self.contract if isinstance(self.contract, str) else self.contract.key
        return f"{contract}.{self.signature.partition('(')[0]}({', '.join(given)})"

    @property
    def entries(self) -> tuple[str, ...]:
        """The entries of ``[contracts]`` that it cannot be made without."""
        parts = (self.contract, *self.arguments)
        return tuple(
            dict.fromkeys(name for each in parts for name in (each.entries if isinstance(each, Read) else (each,)) if isinstance(name, str))
        )


class Answered(Protocol):
    """What reads answered at a block."""

    @property
    def timestamp(self) -> int:
        """The block's Unix second."""

    def value(self, read: Read) -> Decimal:
        """The integer in units of what it counts."""

    def outputs(self, read: Read) -> tuple[object, ...]:
        """All that the getter returned."""

    def is_answered(self, read: Read) -> bool:
        """Whether an optional one was."""

    def address(self, entry: str) -> str | None:
        """An entry's address."""


@dataclass(frozen=True, kw_only=True)
class ReadFigure:
    """A ``figure`` of the state, by dotted name, that follows from reads; ``value`` of several works it out."""

    figure: str
    of: tuple[Read, ...]
    value: Callable[[Answered], Decimal]


def tells(figure: str, read: Read) -> ReadFigure:
    """A figure that is what one getter answers."""
    return ReadFigure(figure=figure, of=(read,), value=lambda found: found.value(read))


def owner(contract: str, getter: str = "owner") -> Read:
    """Whom a contract obeys."""
    return Read(contract=contract, signature=f"{getter}()", outputs=("address",), obeys=True, meaning="an account that its setters obey")


def decimals_of(contract: str | Read) -> Read:
    """How many decimals a coin has (EIP-20)."""
    return Read(contract=contract, signature="decimals()", outputs=("uint8",), meaning="decimals of the coin")
