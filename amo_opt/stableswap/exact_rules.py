"""What tells one generation of pool contracts from the next: a table of rules, read by the one set of methods in exact_pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amo_opt.stableswap.exact_input import PoolInputError


def _never(_n: int) -> bool:
    return False


def _always(_n: int) -> bool:
    return True


def _two_coins(n: int) -> bool:
    return n == 2


@dataclass(frozen=True, kw_only=True)
class Generation:
    """Rules of one generation; ``contract`` is its name in the contract vectors, accepted wherever ``name`` is."""

    name: str
    contract: str
    meta: bool = False
    coins: tuple[int, int] = (2, 8)
    """Fewest and most coins."""
    a_unit: int = 100
    """What the contract stores for an A of 1; `A_precise` exists where this is 100."""
    insists_on_convergence: bool = True
    """False: the last iterate is returned after 255 rounds."""
    divides_at_end: Callable[[int], bool] = _never
    """For which coin counts get_D divides its product by n**n once, instead of by n at each coin."""
    quotes_fee_in_coin_units: bool = False
    """get_dy converts to the coin's units before it takes the fee, exchange after."""
    quotes_truncated_amplification: bool = False
    """get_dy and calc_token_amount see A without its fraction (during a ramp)."""
    quotes_liquidity_fees: bool = False
    """calc_token_amount includes the fees."""
    refuses_zero: bool = False
    """A swap or a withdrawal of nothing reverts."""
    pays_admin_on_removal: bool = False
    """remove_liquidity sends the admin balances off."""
    reports_invariant_after_fees: bool = False
    """The invariant in the events of liquidity changes is the one after fees."""
    updates_oracle: bool = False
    """A change of the balances that empties a side reverts in the price oracle."""
    cache_seconds: int | None = None
    """A metapool's age limit of its stored base price; None: the price is read at every call."""


_NG = Generation(
    name="ng",
    contract="NG",
    divides_at_end=_always,
    quotes_truncated_amplification=True,
    quotes_liquidity_fees=True,
    refuses_zero=True,
    pays_admin_on_removal=True,
    reports_invariant_after_fees=True,
    updates_oracle=True,
)

GENERATIONS: tuple[Generation, ...] = (
    Generation(name="base", contract="Base"),
    Generation(
        name="three_pool", contract="ThreePool", coins=(3, 3), a_unit=1, insists_on_convergence=False, quotes_fee_in_coin_units=True
    ),
    Generation(name="factory_plain", contract="PlainFactory", coins=(2, 4), divides_at_end=_two_coins),
    _NG,
    Generation(name="meta_factory_v1", contract="MetaFactoryV1", meta=True, coins=(2, 2)),
    Generation(name="meta_template", contract="MetaTpl", meta=True, coins=(2, 2), cache_seconds=600),
    Generation(name="meta_factory_v2", contract="MetaFactoryV2", meta=True, coins=(2, 2)),
    Generation(
        name="ng_meta",
        contract="NGMeta",
        meta=True,
        coins=(2, 2),
        divides_at_end=_always,
        quotes_truncated_amplification=True,
        quotes_liquidity_fees=True,
        refuses_zero=True,
        pays_admin_on_removal=True,
        reports_invariant_after_fees=True,
        updates_oracle=True,
    ),
)
_BY_NAME = {name: generation for generation in GENERATIONS for name in (generation.name, generation.contract)}


def generation_of(name: str) -> Generation:
    """Rules of a generation, by its name (``three_pool``) or by its contract's name in the vectors (``ThreePool``).

    Raises PoolInputError for an unknown name.
    """
    found = _BY_NAME.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(generation.name for generation in GENERATIONS)
        raise PoolInputError(f"generation {name!r} is unknown; choose one of {known}")
    return found
