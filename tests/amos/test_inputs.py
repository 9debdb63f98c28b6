"""The kernel's exogenous inputs, put together."""

from __future__ import annotations

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import MARKET_INDEX, MARKET_INPUTS
from amo_opt.protocol.market import COMMON_INPUTS


def test_inputs_are_numbered_in_their_order() -> None:
    """The index is the order of the definition, what is no AMO's first, and every input states its unit."""
    assert list(MARKET_INDEX) == list(MARKET_INPUTS)
    assert list(MARKET_INDEX.values()) == list(range(len(MARKET_INPUTS)))
    assert list(MARKET_INPUTS)[: len(COMMON_INPUTS)] == list(COMMON_INPUTS)
    assert all(";" in text or text.startswith(("share", "1 =")) for text in MARKET_INPUTS.values())


def test_an_amo_has_the_inputs_that_are_drawn_for_it() -> None:
    """A loss fills ``loss``, a price of its own ``price`` and ``open``, a lending market ``deposits`` and ``demand``, one that freezes ``free_cap`` too, borrowers ``demand`` and ``turn``;
    an AMO declares no input that nothing fills.
    """
    for each in MECHANISMS:
        priced = {"price", "open"} if each.price else set()
        market = {"deposits", "demand"} | ({"free_cap"} if "free_cap" in each.inputs else set())
        borrowing = {"demand", "turn"} if each.borrowing else set()
        drawn = priced | borrowing | (market if each.market else set())
        assert set(each.inputs) == ({"loss"} if each.loss else set()) | drawn, each.name
        assert "free_cap" in each.inputs or each.market is None or not each.market.freezes, each.name
        assert (each.loss is None) == (each.stages.venue_loss is None), each.name


def test_lenders_of_collateral_are_the_same_stages() -> None:
    """Aave's AMO and the Collateral Investor have the same inputs, one after the other, so that either's stages are the other's at other offsets."""
    aave, investor = ([name for name in MARKET_INPUTS if name.startswith(f"{amo}.")] for amo in ("aave", "investor"))
    assert [name.removeprefix("aave.") for name in aave] == [name.removeprefix("investor.") for name in investor]
    assert {MARKET_INDEX[there] - MARKET_INDEX[here] for here, there in zip(aave, investor, strict=True)} == {len(aave)}
