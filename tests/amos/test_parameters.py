"""Every parameter of governance, put together from the issuer's and the AMOs'."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.parameters import PARAMETERS, SHARES_OF_COLLATERAL, parameter_set, parameters_of
from amo_opt.config.study import Study
from amo_opt.protocol.parameters import ISSUER_PARAMETERS, collateral_cap


def test_a_parameter_is_defined_once() -> None:
    """No AMO defines another's parameter or the issuer's: as many names as definitions, each found by its own name."""
    defined = len(ISSUER_PARAMETERS) + sum(len(each.parameters) for each in MECHANISMS)
    assert len(PARAMETERS) == defined
    assert all(name == parameter.name for name, parameter in PARAMETERS.items())
    assert all(parameter.low < parameter.high for parameter in PARAMETERS.values())


def test_the_order_is_that_of_a_parameter_file() -> None:
    """The issuer's first ones, what may be held of collateral, what may be minted, then the issuer's others."""
    assert set(ISSUER_PARAMETERS) | {each.name for amo in MECHANISMS for each in amo.parameters.values()} == set(PARAMETERS)
    ours = ["curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "curve_mint_cap", "fraxlend_cap"]
    names = list(PARAMETERS)
    assert names[3] == "cr_refresh_hours"
    between = [PARAMETERS[name] for name in names[4 : names.index("idle_buffer")]]
    assert [each.name for each in between if each.name in ours] == ours
    assert all(each.borrows or each.mints for each in between)
    assert [each.rank for each in PARAMETERS.values()] == sorted(each.rank for each in PARAMETERS.values())
    assert [name for name in SHARES_OF_COLLATERAL if name in {*ours, "idle_buffer"}] == [*ours[:4], "idle_buffer"]
    assert set(SHARES_OF_COLLATERAL) == {
        "idle_buffer",
        *(each.name for amo in MECHANISMS for each in amo.parameters.values() if each.share_of == "collateral"),
    }


def test_every_amo_has_its_cap_and_every_cap_its_global_setter() -> None:
    """Collateral caps sum to the minter's borrow cap, mint caps to its mint cap; both are shares, and 0 switches the AMO off."""
    caps = {name: one for name, one in PARAMETERS.items() if name.endswith("_cap")}
    told = {name: (one.setter, one.share_of, one.borrows, one.mints) for name, one in caps.items()}
    assert (
        told.items()
        >= {
            "curve_collateral_cap": ("setCollatBorrowCap", "collateral", True, False),
            "aave_cap": ("setCollatBorrowCap", "collateral", True, False),
            "investor_cap": ("setCollatBorrowCap", "collateral", True, False),
            "uniswap_cap": ("setCollatBorrowCap", "collateral", True, True),
            "curve_mint_cap": ("setFraxMintCap", "supply", False, True),
            "fraxlend_cap": ("setFraxMintCap", "supply", False, True),
        }.items()
    )
    assert set(caps) == {name for name, one in PARAMETERS.items() if one.borrows or one.mints}
    assert all((one.low, one.high, one.contract) == (0.0, 1.0, "amo_minter") for one in caps.values())
    assert all(one.setter == ("setCollatBorrowCap" if one.borrows else "setFraxMintCap") for one in caps.values())
    assert all(one.borrows == (one.share_of == "collateral") for one in caps.values())


def test_another_amos_parameter_stands_by_its_rank() -> None:
    """One more AMO of the same rank comes behind those that the catalogue names before it, and ahead of the next rank."""
    other = replace(
        MECHANISMS[0], name="vault", parameters={"cap": collateral_cap("vault_cap", "Most collateral in the vault", rank=60, default=0.0)}
    )
    found = parameters_of((*MECHANISMS, other))
    names = list(found)
    at = names.index("vault_cap")
    assert [name for name in names if name != "vault_cap"] == list(PARAMETERS)
    assert names.index("uniswap_cap") < at < names.index("curve_mint_cap")
    assert found[names[at - 1]].rank == 60 < found[names[at + 1]].rank


def test_values_come_back_as_they_went_in(frax: Study) -> None:
    """set → values → set is the identity, in the order of `PARAMETERS` whatever the mapping's."""
    values = frax.current.values()
    backwards = dict(reversed(values.items()))
    assert parameter_set(frax.current.name, backwards) == frax.current
    assert list(values) == list(PARAMETERS)


def test_what_has_no_default_must_be_given(frax: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set without a parameter is a TypeError that names it, unless a file without it means something."""
    values = {name: value for name, value in frax.current.values().items() if name != "aave_cap"}
    with pytest.raises(TypeError, match="aave_cap"):
        parameter_set("a", values)
    with pytest.raises(TypeError, match="aave_cup"):
        parameter_set("a", {**values, "aave_cup": 0.2})
    monkeypatch.setitem(PARAMETERS, "aave_cap", replace(PARAMETERS["aave_cap"], default=0.0))
    assert parameter_set("a", values) == frax.current.replace(name="a", aave_cap=0.0)
