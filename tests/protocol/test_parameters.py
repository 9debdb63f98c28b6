"""What defines a parameter, and a set of values."""

from __future__ import annotations

import copy
import doctest
import pickle

import pytest

from amo_opt.config.study import Study
from amo_opt.protocol import parameters
from amo_opt.protocol.parameters import ISSUER_PARAMETERS, ORDERED_PAIRS, ParameterSet

SET = ParameterSet("a", (("amplification", 1500), ("cr_band", 0.005)))


def test_the_issuers_parameters_stand_by_name_and_rank() -> None:
    """Every definition is found by its own name, in the order of ranks that nobody shares; none is a cap."""
    ranks = [each.rank for each in ISSUER_PARAMETERS.values()]
    assert all(name == each.name for name, each in ISSUER_PARAMETERS.items())
    assert ranks == sorted(set(ranks))
    assert not any(each.borrows or each.mints for each in ISSUER_PARAMETERS.values())


def test_ordered_pairs_are_the_issuers() -> None:
    """The ordered pairs name parameters whose ranges overlap."""
    assert all(ISSUER_PARAMETERS[low].low < ISSUER_PARAMETERS[high].high for low, high in ORDERED_PAIRS)


def test_a_set_is_read_by_name_and_as_attributes() -> None:
    """Values come in the order they were given in; what a set does not hold is no attribute."""
    assert SET.values() == {"amplification": 1500, "cr_band": 0.005}
    assert (SET.name, SET.amplification, SET.cr_band) == ("a", 1500, 0.005)
    with pytest.raises(AttributeError, match="cr_bond"):
        _ = SET.cr_bond


def test_a_set_is_a_value() -> None:
    """Equal sets are one key; a pickled and a copied one come back equal; nothing in it can be set; its repr names the first values, and how many more there are."""
    again = ParameterSet("a", (("amplification", 1500), ("cr_band", 0.005)))
    assert len({SET, again, SET.replace(name="b"), SET.replace(cr_band=0.004)}) == 3
    assert pickle.loads(pickle.dumps(SET)) == copy.deepcopy(SET) == SET  # noqa: S301 -- pickled in this line
    with pytest.raises(AttributeError):
        SET.amplification = 3  # type: ignore[misc]
    assert repr(SET) == "ParameterSet('a', amplification=1500, cr_band=0.005)"
    assert (
        repr(ParameterSet("b", (*SET.held, ("c", 1.0), ("d", 2.0))))
        == "ParameterSet('b', amplification=1500, cr_band=0.005, c=1.0, … 1 more)"
    )


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
