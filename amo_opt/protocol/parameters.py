"""What governance decides: the definition of every parameter, and one value for each as a parameter set.

To add a parameter, add one `Parameter` to `PARAMETERS` and one field to `ParameterSet`, then use it where it acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal

Kind = Literal["integer", "real"]


@dataclass(frozen=True)
class Parameter:
    """The definition of one governance parameter.

    ``low`` and ``high`` bound what a file may hold (inclusive). ``step`` is the size governance would move it by: proposals are whole
    steps, or two significant digits where ``log``. ``setter`` is the on-chain function, ``None`` where the value is the
    executing team's policy. ``raw_decimals`` scales to the contract's integer (6: ratios of 1e6; 0: unscaled).
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

    def rounded(self, value: float) -> float:
        """The nearest value a vote would be held on: a whole number of steps, or two significant digits where the scale is logarithmic.

        >>> PARAMETERS["amplification"].rounded(1836.0), PARAMETERS["cr_band"].rounded(0.00411)
        (1800.0, 0.004)
        """
        if self.log:
            return float(f"{value:.1e}")
        return round(round(value / self.step) * self.step, 9)


PARAMETERS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("amplification", "Amplification A of the metapool", "integer", 1, 999_999, "", 10, "ramp_A", "metapool", 0, log=True),
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
        ),
        Parameter("cr_step", "Change of the collateral ratio per refresh", "real", 0.0, 0.05, "", 0.00025, "setFraxStep", "stablecoin", 6),
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
            searched=False,
        ),
        Parameter(
            "curve_collateral_cap",
            "Most collateral in the Curve AMO, share of all collateral",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            "setCollatBorrowCap",
            "amo_minter",
        ),
        Parameter(
            "aave_cap",
            "Most collateral lent on Aave, share of all collateral",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            "setCollatBorrowCap",
            "amo_minter",
        ),
        Parameter(
            "investor_cap",
            "Most collateral lent by the Collateral Investor, share of all collateral",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            "setCollatBorrowCap",
            "amo_minter",
        ),
        Parameter(
            "uniswap_cap",
            "Most collateral in the Uniswap v3 AMO, share of all collateral",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            "setCollatBorrowCap",
            "amo_minter",
        ),
        Parameter(
            "curve_mint_cap",
            "Most stablecoin minted by the Curve AMO, share of supply",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            "setFraxMintCap",
            "amo_minter",
        ),
        Parameter(
            "fraxlend_cap",
            "Most stablecoin minted into Fraxlend, share of supply",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            "setFraxMintCap",
            "amo_minter",
        ),
        Parameter("idle_buffer", "Collateral kept free for redemptions, share of all collateral", "real", 0.0, 1.0, "", 0.01),
        Parameter("pool_share_low", "Share of the pool below which the Curve AMO adds stablecoin", "real", 0.05, 0.95, "", 0.01),
        Parameter("pool_share_high", "Share of the pool above which the Curve AMO withdraws and burns", "real", 0.05, 0.99, "", 0.01),
        Parameter(
            "rebalance_rate", "Most stablecoin added or withdrawn an hour, share of the pool's", "real", 1e-4, 1.0, "1/h", 0.001, log=True
        ),
        Parameter("unwind_price", "Oracle over exit asset below which collateral is unwound", "real", 0.5, 1.0, "USD", 0.001),
        Parameter("unwind_cr_margin", "Fall of the external collateral ratio at which collateral is unwound", "real", 0.0, 1.0, "", 0.01),
        Parameter("unwind_rate", "Share of a position withdrawn an hour while unwinding", "real", 1e-3, 1.0, "1/h", 0.01, log=True),
        Parameter("reentry_price", "Oracle over exit asset at which deploying resumes", "real", 0.5, 1.05, "USD", 0.001),
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
            searched=False,
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
            searched=False,
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
            searched=False,
        ),
    )
}
"""Every parameter by name, in the order of a parameter file and of the kernel's parameter vector."""

SHARES_OF_COLLATERAL: tuple[str, ...] = ("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "idle_buffer")
"""What collateral is promised to: the AMOs that hold it, and redemptions. All of it is 1."""

ORDERED_PAIRS: tuple[tuple[str, str], ...] = (("pool_share_low", "pool_share_high"), ("unwind_price", "reentry_price"))
"""Pairs (low, high) with low < high required; the search samples low and the gap above it."""


@dataclass(frozen=True, kw_only=True)
class ParameterSet:
    """One value for everything governance decides. Ratios are plain decimals, prices dollars, amplification the contract's integer."""

    name: str
    amplification: int
    cr_band: float
    cr_step: float
    cr_refresh_hours: int
    curve_collateral_cap: float
    aave_cap: float
    investor_cap: float
    uniswap_cap: float
    curve_mint_cap: float
    fraxlend_cap: float
    idle_buffer: float
    pool_share_low: float
    pool_share_high: float
    rebalance_rate: float
    unwind_price: float
    unwind_cr_margin: float
    unwind_rate: float
    reentry_price: float
    min_cr: float
    mint_price_threshold: float
    redeem_price_threshold: float

    def values(self) -> dict[str, int | float]:
        """The values by parameter name, in the order of `PARAMETERS`."""
        everything = asdict(self)
        return {name: everything[name] for name in PARAMETERS}

    def replace(self, *, name: str | None = None, **values: float) -> ParameterSet:
        """The same set with some values changed; unknown names raise ``TypeError``."""
        merged: dict[str, int | float] = {**self.values(), **values}
        return parameter_set(self.name if name is None else name, merged)


def parameter_set(name: str, values: Mapping[str, int | float]) -> ParameterSet:
    """A `ParameterSet` from a mapping; integers are rounded to the kind of their parameter. Ranges are the file reader's business.

    >>> from amo_opt.protocol.parameters import PARAMETERS
    >>> "amplification" in PARAMETERS
    True
    """
    known = {field.name for field in fields(ParameterSet)} - {"name"}
    unknown = sorted(set(values) - known)
    if unknown:
        raise TypeError(f"unknown parameters: {', '.join(unknown)}")
    typed = {key: (round(value) if PARAMETERS[key].kind == "integer" else float(value)) for key, value in values.items()}
    return ParameterSet(name=name, **typed)  # type: ignore[arg-type]
