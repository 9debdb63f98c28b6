"""Floats to the chain's integers and back."""

from __future__ import annotations

import pytest

from amo_opt.stableswap.depth import Pool, sell_base, sell_stablecoin
from amo_opt.stableswap.exact import PoolInputError
from amo_opt.stableswap.units import quote_base, quote_stablecoin, raw, raw_pool

E18 = 10**18


def test_a_float_is_the_nearest_unit_of_the_fraction_it_is() -> None:
    """Nothing is lost to a product in floats: 0.1 becomes the 18 decimals of the double, 1e30 all of its digits."""
    assert raw(0.1) == 100_000_000_000_000_006
    assert raw(1e30) == int(1e30) * E18
    assert raw(1e-18) == 1


def test_base_dollars_become_lp_tokens() -> None:
    """At a virtual price of 1.25 a base of 100 dollars is 80 tokens; fee and A are the chain's."""
    chain = raw_pool(Pool(stablecoin=50.0, base=100.0, amplification=1500.0, fee=0.0004), 1.25)
    assert chain.balances == (50 * E18, 80 * E18)
    assert (chain.amplification, chain.fee_raw, chain.virtual_price) == (1500, 4_000_000, 5 * E18 // 4)


@pytest.mark.parametrize("virtual_price", [1.0, 1.021])
def test_quotes_are_in_the_pools_own_units(virtual_price: float) -> None:
    """Dollars in, dollars out, whatever an LP token is worth: the contract's quote is the float swap."""
    pool = Pool(stablecoin=190e6, base=140e6, amplification=200, fee=0.0004)
    assert quote_stablecoin(pool, 1e6, virtual_price) == pytest.approx(sell_stablecoin(pool, 1e6).received, rel=1e-12)
    assert quote_base(pool, 1e6, virtual_price) == pytest.approx(sell_base(pool, 1e6).received, rel=1e-12)


def test_a_virtual_price_is_positive() -> None:
    """Zero is refused before anything is divided by it."""
    with pytest.raises(PoolInputError, match="virtual price"):
        raw_pool(Pool(stablecoin=1.0, base=1.0, amplification=1.0), 0.0)
