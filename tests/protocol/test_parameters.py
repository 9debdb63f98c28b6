"""What governance decides."""

from __future__ import annotations

import doctest
from dataclasses import fields

import pytest

from amo_opt.config.study import Study
from amo_opt.protocol import parameters
from amo_opt.protocol.parameters import ORDERED_PAIRS, PARAMETERS, ParameterSet, parameter_set


def test_a_parameter_is_defined_once_and_held_once() -> None:
    """`PARAMETERS` and the fields of `ParameterSet` are the same names in the same order."""
    assert [field.name for field in fields(ParameterSet)] == ["name", *PARAMETERS]
    assert all(name == parameter.name for name, parameter in PARAMETERS.items())


def test_bounds_are_ordered() -> None:
    """Every range is low < high, and the ordered pairs name parameters whose ranges overlap."""
    assert all(parameter.low < parameter.high for parameter in PARAMETERS.values())
    assert all(PARAMETERS[low].low < PARAMETERS[high].high for low, high in ORDERED_PAIRS)


def test_every_amo_has_its_cap_and_every_cap_its_global_setter() -> None:
    """Collateral caps sum to the minter's borrow cap, mint caps to its mint cap; both are shares, and 0 switches the AMO off."""
    caps = {name: one for name, one in PARAMETERS.items() if name.endswith("_cap")}
    setters = {name: one.setter for name, one in caps.items()}
    assert setters == {
        "curve_collateral_cap": "setCollatBorrowCap",
        "aave_cap": "setCollatBorrowCap",
        "investor_cap": "setCollatBorrowCap",
        "uniswap_cap": "setCollatBorrowCap",
        "curve_mint_cap": "setFraxMintCap",
        "fraxlend_cap": "setFraxMintCap",
    }
    assert all((one.low, one.high, one.contract) == (0.0, 1.0, "amo_minter") for one in caps.values())


def test_values_come_back_as_they_went_in(frax: Study) -> None:
    """set → values → set is the identity."""
    assert parameter_set(frax.current.name, frax.current.values()) == frax.current


def test_integers_are_rounded_to_integers(frax: Study) -> None:
    """A search's 1499.6 becomes amplification 1500, an int; a real stays what it is."""
    changed = frax.current.replace(name="b", amplification=1499.6, cr_band=0.004)
    assert changed.amplification == 1500
    assert isinstance(changed.amplification, int)
    assert (changed.cr_band, changed.name) == (0.004, "b")


def test_an_unknown_name_is_refused(frax: Study) -> None:
    """A misspelt parameter is a TypeError that names it."""
    with pytest.raises(TypeError, match="amplifcation"):
        frax.current.replace(amplifcation=100)


def test_the_modules_examples_run() -> None:
    """The doctests of `parameters` hold."""
    result = doctest.testmod(parameters)
    assert result.attempted > 0
    assert result.failed == 0
