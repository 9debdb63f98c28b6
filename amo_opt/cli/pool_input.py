"""The pool that `amo-opt pool` calculates with: option by option, or a study's state with options overriding it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from amo_opt.cli.options import json_option, load
from amo_opt.wording import USD

if TYPE_CHECKING:
    from amo_opt.stableswap.depth import Pool

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_FEE, DEFAULT_ADMIN_FEE = 0.0004, 0.5
"""What Curve's first factory metapools charge at least, and what leaves of it."""
SCALES = (("bn", 1e9), ("m", 1e6), ("k", 1e3))
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
"""Commas as separators of thousands; any other comma may be a decimal one, and would make a number ten or a thousand times too large."""


class Number(click.ParamType):  # type: ignore[type-arg]
    """A finite number, plain, with separators (``165_000_000``, ``165,000,000``) or short (``165m``, ``1.2bn``)."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; fails with what was found."""
        text = str(value).strip().lower()
        suffix, scale = next((each for each in SCALES if text.endswith(each[0])), ("", 1.0))
        text = text.removesuffix(suffix)
        try:
            number = float(text.replace(",", "") if _GROUPED.fullmatch(text) else text) * scale
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            comma = "; a comma stands before three digits, as in 165,000,000" if "," in text else ""
            self.fail(f"found {value!r}, must be a number such as 165000000, 165m or 0.0004{comma}", param, ctx)
        return number


NUMBER = Number()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The shared options as they were given."""

    stable: float | None
    base: float | None
    virtual_price: float | None
    amplification: tuple[int, ...]
    fee: float | None
    admin_fee: float | None
    study_file: Path | None
    plot: Path | None
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class Given:
    """The pool, once for every A asked for, the first being its own; and what the study's state says beside it: its unit of account in ``account``, and whether
    the AMO contracts whose loops are known are its own in ``loops``.
    """

    pools: tuple[Pool, ...]
    virtual_price: float
    lp_share: float = 1.0
    collateral_ratio: float | None = None
    outside: float = math.inf
    account: str = USD
    loops: bool = True


class PoolCommand(click.Command):
    """A command whose shared options arrive as one `Asked`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Calls the command with ``asked`` in place of the shared options."""
        ctx.params["asked"] = Asked(**{name: ctx.params.pop(name) for name in Asked.__dataclass_fields__})
        return super().invoke(ctx)


def pool_options(function: F) -> F:
    """The shared options."""
    options = (
        click.option("--stable", type=NUMBER, default=None, metavar="N", help="Stablecoin in the pool, tokens."),
        click.option(
            "--base", type=NUMBER, default=None, metavar="N", help="Its other side: dollars, or LP tokens if --virtual-price is given."
        ),
        click.option("--virtual-price", type=NUMBER, default=None, metavar="P", help="Dollars a base LP token stands for."),
        click.option(
            "-A",
            "--amplification",
            type=click.IntRange(1, 999_999),
            multiple=True,
            metavar="A",
            help="Give it again to compare; the first is the pool's.",
        ),
        click.option("--fee", type=NUMBER, default=None, metavar="F", help=f"Swap fee (default: {DEFAULT_FEE} = 0.04%)."),
        click.option(
            "--admin-fee", type=NUMBER, default=None, metavar="F", help=f"Share of it that leaves (default: {DEFAULT_ADMIN_FEE})."
        ),
        click.option(
            "--study",
            "study_file",
            type=click.Path(path_type=Path),
            default=None,
            metavar="STUDY.toml",
            help="Take what is not given from its state.",
        ),
        click.option(
            "--plot", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE", help="Draw it: .html, .png or .svg."
        ),
        json_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


def given(asked: Asked) -> Given:
    """The pools to calculate with. Raises `click.UsageError` or `AmoOptError` for what is missing or impossible, before anything is written."""
    if asked.plot is not None:
        from amo_opt.report.figures.files import check_suffix

        check_suffix(asked.plot)
    return _from_options(asked) if asked.study_file is None else _from_study(asked, asked.study_file)


def _from_options(asked: Asked) -> Given:
    if asked.stable is None or asked.base is None or not asked.amplification:
        names = {"--stable": asked.stable, "--base": asked.base, "--amplification": asked.amplification or None}
        missing = ", ".join(name for name, value in names.items() if value is None)
        raise click.UsageError(f"{missing} missing: give --stable, --base and --amplification, or --study STUDY.toml")
    price = 1.0 if asked.virtual_price is None else asked.virtual_price
    return Given(
        pools=_pools(asked, asked.stable, asked.base * price, asked.amplification, DEFAULT_FEE, DEFAULT_ADMIN_FEE), virtual_price=price
    )


def _from_study(asked: Asked, study_file: Path) -> Given:
    from amo_opt.protocol.state import FRAX

    state = load(study_file).state
    pool = state.pool
    price = pool.base_virtual_price.value if asked.virtual_price is None else asked.virtual_price
    stable = pool.stablecoin.value if asked.stable is None else asked.stable
    # a base given without --virtual-price is dollars, as it is without a study
    dollars = pool.base_lp.value * price if asked.base is None else asked.base * (1.0 if asked.virtual_price is None else price)
    amplification = asked.amplification or (round(pool.amplification.value),)
    return Given(
        pools=_pools(asked, stable, dollars, amplification, pool.fee.value, pool.admin_fee.value),
        virtual_price=price,
        lp_share=state.own_of_pool,
        collateral_ratio=min(state.controller.collateral_ratio.value, 1.0) if state.has("controller") else None,
        outside=max(0.0, state.stablecoin.supply.value - stable),
        account=state.unit,
        loops=state.is_of(FRAX),
    )


def _pools(asked: Asked, stable: float, dollars: float, amplification: tuple[int, ...], fee: float, admin_fee: float) -> tuple[Pool, ...]:
    from amo_opt.stableswap.depth import Pool

    return tuple(
        Pool(
            stablecoin=stable,
            base=dollars,
            amplification=float(a),
            fee=fee if asked.fee is None else asked.fee,
            admin_fee=admin_fee if asked.admin_fee is None else asked.admin_fee,
        )
        for a in dict.fromkeys(amplification)
    )
