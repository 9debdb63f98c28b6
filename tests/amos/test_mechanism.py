"""What the AMOs say of themselves fits together."""

from __future__ import annotations

import pytest

from amo_opt.amos.catalogue import BY_RANK, MECHANISMS
from amo_opt.amos.mechanism import Mechanism


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda each: each.name)
def test_what_is_said_of_a_parameter_is_said_of_ones_own(mechanism: Mechanism) -> None:
    """Expectations and what is out name parameters of the same AMO by their short names, and every cap says what is out under it."""
    caps = {short for short, each in mechanism.parameters.items() if each.share_of is not None}
    assert set(mechanism.out) == caps
    assert {each.parameter for each in mechanism.expectations} <= set(mechanism.parameters)
    assert mechanism.title


def test_an_amo_is_called_by_its_title_and_its_positions_by_the_venue() -> None:
    """In the order of ranks, whoever else stands among them; the Collateral Investor has a name of its own, and no two have the same."""
    venues = {
        "Curve AMO": "Curve",
        "Aave AMO": "Aave",
        "Collateral Investor": "Collateral Investor",
        "Fraxlend AMO": "Fraxlend",
        "Uniswap v3 AMO": "Uniswap v3",
    }
    assert [(each.title, each.venue) for each in BY_RANK if each.title in venues] == list(venues.items())
    assert len({each.title for each in BY_RANK}) == len({each.venue for each in BY_RANK}) == len(MECHANISMS)


def test_the_first_cap_says_what_an_amo_may_hold() -> None:
    """Collateral where it holds some, else what it mints."""
    held = {each.name: each.holding_cap.name for each in MECHANISMS if each.holding_cap is not None}
    assert (
        held.items()
        >= {
            "aave": "aave_cap",
            "investor": "investor_cap",
            "fraxlend": "fraxlend_cap",
            "curve": "curve_collateral_cap",
            "uniswap": "uniswap_cap",
        }.items()
    )
    assert set(held) == {each.name for each in MECHANISMS if each.out}


def test_income_lines_stand_in_an_order_of_their_own() -> None:
    """No two lines share a name or a place."""
    lines = [each for mechanism in MECHANISMS for each in mechanism.income.values()]
    assert len({each.name for each in lines}) == len({each.rank for each in lines}) == len(lines)
