"""What governance decides: the form of a parameter's definition, the parameters that no AMO owns, and one value for each as a parameter set.

An AMO defines its own in its file; all of them together stand in `amos.parameters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from amo_opt.wording import named

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

Kind = Literal["integer", "real"]


@dataclass(frozen=True)
class Parameter:
    """The definition of one governance parameter.

    ``low`` and ``high`` bound what a file may hold (inclusive). ``step`` is the size governance would move it by: proposals are whole
    steps, or two significant digits where ``log``. ``setter`` is the on-chain function, ``None`` where the value is the
    executing team's policy. ``raw_decimals`` scales to the contract's integer (6: ratios of 1e6; 0: unscaled).

    ``rank`` is its place in files and vectors; the issuer's come first among equals, then AMOs in the order of their catalogue. ``share_of`` says what
    a share of a balance is a share of; the minter's sum of collateral counts what ``borrows``, its sum of stablecoin what ``mints``.
    ``default`` is what a file without the parameter means; None = it must be written. ``of`` is the table of the state whose mechanism it belongs to (``amos`` = any
    AMO's, empty = every protocol's), ``off`` what it is where that is not there. An ``amount`` is in tokens or the unit of account, and grows with the protocol; ``raw_seconds``
    are the seconds that a rate is for which the contract holds for one; ``policy`` = no contract holds it, whichever the protocol: whoever executes keeps to it.
    """

    name: str
    title: str
    kind: Kind
    low: float
    high: float
    unit: str
    step: float
    setter: str | None = None
    contract: str | None = None
    raw_decimals: int | None = None
    log: bool = False
    searched: bool = True
    rank: int = 0
    share_of: Literal["collateral", "supply"] | None = None
    borrows: bool = False
    mints: bool = False
    default: float | None = None
    of: str = ""
    off: float = 0.0
    amount: bool = False
    raw_seconds: float | None = None
    policy: bool = False

    def typed(self, value: float) -> int | float:
        """The value in the parameter's kind."""
        return round(value) if self.kind == "integer" else float(value)

    def rounded(self, value: float) -> float:
        """The nearest value a vote would be held on: a whole number of steps, or two significant digits where the scale is logarithmic.

        >>> ISSUER_PARAMETERS["amplification"].rounded(1836.0), ISSUER_PARAMETERS["cr_band"].rounded(0.00411)
        (1800.0, 0.004)
        """
        if self.log:
            return float(f"{value:.1e}")
        return round(round(value / self.step) * self.step, 9)


def collateral_cap(name: str, title: str, *, rank: int, mints: bool = False, default: float | None = None) -> Parameter:
    """Most collateral an AMO may hold as a share of all; ``mints`` where about as much stablecoin goes beside it."""
    return Parameter(
        name,
        title,
        "real",
        0.0,
        1.0,
        "",
        0.01,
        "setCollatBorrowCap",
        "amo_minter",
        rank=rank,
        share_of="collateral",
        borrows=True,
        mints=mints,
        default=default,
    )


def supply_cap(name: str, title: str, *, rank: int, default: float | None = None) -> Parameter:
    """Most stablecoin minted to an AMO as a share of supply."""
    return Parameter(
        name, title, "real", 0.0, 1.0, "", 0.01, "setFraxMintCap", "amo_minter", rank=rank, share_of="supply", mints=True, default=default
    )


ISSUER_PARAMETERS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "amplification", "Amplification A of the metapool", "integer", 1, 999_999, "", 10, "ramp_A", "metapool", 0, rank=10, log=True
        ),
        Parameter(
            "cr_band",
            "Band around 1 outside which the collateral ratio moves",
            "real",
            1e-4,
            0.1,
            "USD",
            0.0005,
            "setPriceBand",
            "stablecoin",
            6,
            rank=20,
            of="controller",
            off=0.1,
        ),
        Parameter(
            "cr_step",
            "Change of the collateral ratio per refresh",
            "real",
            0.0,
            0.05,
            "",
            0.00025,
            "setFraxStep",
            "stablecoin",
            6,
            rank=30,
            of="controller",
            off=0.0,
        ),
        Parameter(
            "cr_refresh_hours",
            "Cooldown between refreshes",
            "integer",
            1,
            168,
            "h",
            1,
            "setRefreshCooldown",
            "stablecoin",
            0,
            rank=40,
            searched=False,
            of="controller",
            off=168,
        ),
        Parameter(
            "idle_buffer",
            "Collateral kept free for redemptions, share of all collateral",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            raw_decimals=18,
            rank=100,
            share_of="collateral",
        ),
        Parameter(
            "pool_share_low",
            "Share of the pool below which the Curve AMO adds stablecoin",
            "real",
            0.05,
            0.95,
            "",
            0.01,
            rank=110,
            of="amos.curve",
            off=0.05,
        ),
        Parameter(
            "pool_share_high",
            "Share of the pool above which the Curve AMO withdraws and burns",
            "real",
            0.05,
            0.99,
            "",
            0.01,
            rank=120,
            of="amos.curve",
            off=0.99,
        ),
        Parameter(
            "rebalance_rate",
            "Most stablecoin added or withdrawn an hour, share of the pool's",
            "real",
            1e-4,
            1.0,
            "1/h",
            0.001,
            rank=130,
            log=True,
            of="amos.curve",
            off=0.0001,
        ),
        Parameter(
            "unwind_price",
            "Oracle over exit asset below which collateral is unwound",
            "real",
            0.5,
            1.0,
            "USD",
            0.001,
            rank=140,
            of="amos",
            off=0.5,
        ),
        Parameter(
            "unwind_cr_margin",
            "Fall of the external collateral ratio at which collateral is unwound",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            rank=150,
            of="amos",
            off=1.0,
        ),
        Parameter(
            "unwind_rate",
            "Share of a position withdrawn an hour while unwinding",
            "real",
            1e-3,
            1.0,
            "1/h",
            0.01,
            rank=160,
            log=True,
            of="amos",
            off=0.001,
        ),
        Parameter(
            "reentry_price",
            "Oracle over exit asset at which deploying resumes",
            "real",
            0.5,
            1.05,
            "USD",
            0.001,
            rank=170,
            of="amos",
            off=1.05,
        ),
        Parameter(
            "min_cr",
            "Contract collateral ratio below which no AMO may mint or deploy",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            "setMinimumCollateralRatio",
            "amo_minter",
            6,
            rank=180,
            searched=False,
            of="amos",
            off=0.0,
        ),
        Parameter(
            "mint_price_threshold",
            "Oracle price above which minting opens",
            "real",
            1.0,
            1.1,
            "USD",
            0.0001,
            "setPriceThresholds",
            "frax_pool",
            6,
            rank=190,
            searched=False,
            of="mint",
            off=1.1,
        ),
        Parameter(
            "redeem_price_threshold",
            "Oracle price below which redeeming opens",
            "real",
            0.5,
            1.0,
            "USD",
            0.0001,
            "setPriceThresholds",
            "frax_pool",
            6,
            rank=200,
            searched=False,
            of="redeem",
            off=0.0,
        ),
    )
}
"""The parameters that no AMO owns, by name, in the order of their ranks."""

ORDERED_PAIRS: tuple[tuple[str, str], ...] = (("pool_share_low", "pool_share_high"), ("unwind_price", "reentry_price"))
"""Pairs (low, high) with low < high required; the search samples low and the gap above it."""


MOST_SHOWN = 3
"""Values that the repr of a set names: `ParameterSet.values` has all."""


@dataclass(frozen=True, repr=False)
class ParameterSet:
    """One value for everything governance decides, by name and as attributes. Ratios are plain decimals, prices dollars, amplification the contract's integer.

    ``held`` are the values in the order of a parameter file (`amos.parameters.parameter_set` makes it).
    """

    name: str
    held: tuple[tuple[str, int | float], ...]

    def __getattr__(self, name: str) -> Any:
        """The value of a parameter. Raises ``AttributeError`` for one that the set does not hold."""
        for key, value in vars(self).get("held", ()):
            if key == name:
                return value
        raise AttributeError(f"a parameter set has no {name!r}")

    def __repr__(self) -> str:
        told = [repr(named(self.name)), *(f"{name}={value!r}" for name, value in self.held[:MOST_SHOWN])]
        more = len(self.held) - MOST_SHOWN
        return f"ParameterSet({', '.join(told)}{f', … {more} more' if more > 0 else ''})"

    def values(self) -> dict[str, int | float]:
        """The values by parameter name, in the order of a parameter file."""
        return dict(self.held)

    def replace(self, *, name: str | None = None, **values: float) -> ParameterSet:
        """The same set with some values changed, each in the kind of the one it replaces; unknown names raise ``TypeError``."""
        refuse_unknown(values, self.values())
        held = tuple((key, _alike(values.get(key, value), value)) for key, value in self.held)
        return ParameterSet(self.name if name is None else name, held)


def _alike(value: float, other: float) -> int | float:
    """The value as an integer where the other is one."""
    return round(value) if isinstance(other, int) else float(value)


def refuse_unknown(values: Iterable[str], known: Container[str]) -> None:
    """Raises ``TypeError`` with every name that is not known."""
    unknown = sorted(name for name in values if name not in known)
    if unknown:
        raise TypeError(f"unknown parameters: {', '.join(unknown)}")
