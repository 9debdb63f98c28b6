"""What is out against the caps: positions and the minter's books, each under its own cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amo_opt.amos.cap_use import cap_in_tokens, cap_uses, caps_below_use
from amo_opt.amos.parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study

POSITIONS = {
    "curve_collateral_cap": 0.8 * 1_109_657_725.20 * 1.021014189,
    "aave_cap": 0.25e9,
    "investor_cap": 0.0,
    "uniswap_cap": 0.0,
    "curve_mint_cap": 1.27e9,
    "fraxlend_cap": 0.0,
}
"""What is out under the caps of the worked state's AMOs; a package may know further ones, which hold nothing there."""


def ours(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names that are caps of the worked state's AMOs, in their order."""
    return tuple(name for name in names if name in POSITIONS)


def test_each_cap_stands_beside_what_is_out_under_it(frax: Study) -> None:
    """The worked state: the AMO's side of the pool, what is lent, what was minted; then both books against both sums."""
    found = cap_uses(frax.current, frax.state)
    used = {each.names[0]: each.used for each in found if len(each.names) == 1}
    assert list(used) == [each.name for each in PARAMETERS.values() if each.share_of is not None and each.of]
    assert used == pytest.approx({**dict.fromkeys(used, 0.0), **POSITIONS})
    uses = {ours(each.names): each for each in found}
    collateral = frax.state.collateral_usd
    assert uses[("aave_cap",)].cap == pytest.approx(0.201 * collateral)
    borrowed = uses["curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap"]
    assert (borrowed.cap, borrowed.used) == pytest.approx((0.929 * collateral, 1.156e9))
    minted = uses["curve_mint_cap", "fraxlend_cap", "uniswap_cap"]
    assert (minted.cap, minted.used) == pytest.approx((0.55 * 2_600_092_892, 1.27e9))
    assert caps_below_use(frax.current, frax.state) == ()


@pytest.mark.parametrize(
    ("figure", "names"),
    [
        ("amos.aave.lent", [("aave_cap",)]),
        ("amos.investor.lent", [("investor_cap",)]),
        ("amos.uniswap.liquidity", [("uniswap_cap",)]),
        ("amos.fraxlend.lent", [("fraxlend_cap",)]),
        ("amos.curve.minted", [("curve_mint_cap",), ("curve_mint_cap", "fraxlend_cap", "uniswap_cap")]),
        ("amos.fraxlend.minted", [("curve_mint_cap", "fraxlend_cap", "uniswap_cap")]),
        ("amos.uniswap.minted", [("curve_mint_cap", "fraxlend_cap", "uniswap_cap")]),
        *(
            (f"amos.{amo}.borrowed", [("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap")])
            for amo in ("curve", "aave", "investor", "uniswap")
        ),
    ],
)
def test_a_position_or_a_book_over_its_cap_is_named(
    frax: Study, refigured: Callable[..., Study], figure: str, names: list[tuple[str, ...]]
) -> None:
    """Two billion of any one position or book is over its own cap and over no other's."""
    moved = refigured(frax, {figure: 2e9})
    assert [ours(each.names) for each in caps_below_use(frax.current, moved.state)] == names


def test_a_cap_of_what_is_out_is_not_below_it(frax: Study, refigured: Callable[..., Study]) -> None:
    """A share written down from the position misses it by a rounding error at most; a negative book is under any cap."""
    share = frax.state.amos.aave.lent.value / frax.state.collateral_usd
    assert caps_below_use(frax.current.replace(aave_cap=share, curve_collateral_cap=0.8), frax.state) == ()
    assert caps_below_use(frax.current, refigured(frax, {"amos.fraxlend.minted": -1e9}).state) == ()


def test_a_share_counts_of_what_it_is_a_share_of(frax: Study) -> None:
    """A cap on what is minted is a share of supply, any other of collateral, in whichever sum it stands."""
    shares = frax.current.replace(uniswap_cap=0.25, fraxlend_cap=0.125)
    assert cap_in_tokens("uniswap_cap", shares, frax.state) == 0.25 * frax.state.collateral_usd
    assert cap_in_tokens("fraxlend_cap", shares, frax.state) == 0.125 * 2_600_092_892
