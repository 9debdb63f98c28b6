"""Names that a state chooses: what a mechanism is follows from its name alone, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos.kinds import KINDS, LABEL, label_of, mechanism_at, mechanism_of
from amo_opt.amos.layout import BASE, Layout
from amo_opt.amos.parameters import PARAMETERS, is_named, parameter_set
from amo_opt.amos.peg_keeper import MECHANISM
from amo_opt.protocol.lanes import COMMON, LANES

quick = settings(max_examples=200, deadline=None, derandomize=True)
labels = st.from_regex(LABEL, fullmatch=True)


@quick
@given(label=labels)
def test_a_mechanism_is_told_by_its_name(label: str) -> None:
    """Table, parameter and line lead to the same one; its parameters are known by their whole names, and gone through nowhere."""
    for table, name, short in (
        (f"pools.{label}", f"{label}-pool", "amplification"),
        (f"amos.{label}-keeper", f"{label}-keeper", "ceiling"),
    ):
        found = mechanism_at(table)
        assert (found.name, found.table) == (name, table)
        assert mechanism_of(name) is found
        assert f"{name}.{short}" in PARAMETERS
        assert PARAMETERS[f"{name}.{short}"].of == table
        assert is_named(f"{name}.{short}")
        assert f"{name}.{short}" not in list(PARAMETERS)
        assert f"{name}.unknown" not in PARAMETERS
    assert label_of(f"{label}-keeper") == (label, "keeper")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-",
        "keeper",
        "-keeper",
        "Usdt-keeper",
        "us_dt-keeper",
        "1usdt-keeper",
        "usdt-keepr",
        "usdt-",
        "a-b-keeper",
        "usdt.keeper",
        "x" * 25 + "-keeper",
        "usdt-keeper ",
    ],
)
def test_nothing_else_is_one(name: str) -> None:
    """No label, a capital, a digit first, another word."""
    assert mechanism_of(name) is None
    assert label_of(name) == ("", "")
    with pytest.raises(KeyError):
        mechanism_at(f"amos.{name}")
    assert f"{name}.ceiling" not in PARAMETERS


@pytest.mark.parametrize("table", ["", "pools", "pools.", "pools.Usdt", "pools.a.b", "markets.usdt", "usdt-keeper"])
def test_no_other_table_has_one(table: str) -> None:
    with pytest.raises(KeyError):
        mechanism_at(table)


def test_the_keeper_without_a_name_is_the_catalogue_s() -> None:
    assert MECHANISM.name == "peg_keeper"
    assert MECHANISM in BASE.mechanisms
    assert not is_named("peg_keeper_ceiling")
    assert set(KINDS) == {"keeper", "hold", "asset"}


@quick
@given(names=st.lists(labels, min_size=1, max_size=8, unique=True))
def test_places_lie_one_behind_the_other(names: list[str]) -> None:
    """Nothing of the catalogue moves, no two overlap, and a keeper's pool is where that pool begins; the first's, where the state does."""
    tables = (*(f"pools.{name}" for name in names[1:]), *(f"amos.{name}-keeper" for name in names))
    layout = Layout((*BASE.mechanisms, *(mechanism_at(each, names[0]) for each in tables)), names[0])
    assert layout.state[: len(BASE.state)] == BASE.state
    assert all(layout.places[name] == place for name, place in BASE.places.items())
    assert len(set(layout.state)) == len(layout.state) == len(layout.state_index)
    taken = [
        range(layout.places[each.name].state // LANES, layout.places[each.name].state // LANES + len(each.stages.own.state))
        for each in layout.mechanisms
    ]
    assert sorted(index for each in taken for index in each) == list(range(len(COMMON), len(layout.state)))
    for name in names:
        pool = layout.places[f"{name}-keeper"].pool
        assert pool == (0 if name == names[0] else layout.places[f"{name}-pool"].state)


def test_a_set_asks_for_what_it_names() -> None:
    """A parameter of a named mechanism is kept beside the others, in the kind of its definition, and changed by its name."""
    off = {each.name: each.off if each.default is None else each.default for each in PARAMETERS.values()}
    held = parameter_set("one", {**off, "usdt-pool.amplification": 500.0, "usdt-keeper.ceiling": 25})
    assert held.values()["usdt-pool.amplification"] == 500
    assert isinstance(held.values()["usdt-pool.amplification"], int)
    assert held.replace(**{"usdt-keeper.ceiling": 1.0}).values()["usdt-keeper.ceiling"] == 1.0
    with pytest.raises(TypeError):
        parameter_set("two", {**off, "usdt-keeper.ceilng": 1.0})


def test_a_series_of_a_pool_that_is_not_there_is_refused_in_words() -> None:
    """By its name, with those that there are."""
    from pathlib import Path

    from amo_opt import load_study
    from amo_opt.errors import AmoOptError
    from amo_opt.simulation.engine import trace

    study = load_study(Path(__file__).parent / "data" / "several" / "study.toml")
    for name in ("usdx_pool_stablecoin", "usdx_keeper_debt", "usdt_keeper_debts"):
        with pytest.raises(AmoOptError, match=f"unknown series '{name}'.*usdt_keeper_debt"):
            trace(study.current, study, scenario="calm", paths=2, columns=(name,))
