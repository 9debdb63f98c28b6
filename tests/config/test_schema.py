"""What files may hold follows the definitions it is built from."""

from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import ValidationError

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.checks import parameter_problems
from amo_opt.config.load import IN_CONTRACTS
from amo_opt.config.schema import PARAMETER_FILE, STATE_FILE, STUDY_FILE, figure_fields, model, parameter_key
from amo_opt.config.study import Certification, Constraints, Range, Search, Simulation
from amo_opt.config.toml_file import Document
from amo_opt.protocol.parameters import ISSUER_PARAMETERS, collateral_cap
from amo_opt.protocol.state import ProtocolState


def test_a_parameter_is_defined_once():
    """The parameter file, the overrides of [current] and the search's space hold exactly the defined parameters, in their order."""
    assert list(PARAMETER_FILE.model_fields) == ["name", *PARAMETERS]
    assert list(STUDY_FILE.model_fields["current"].annotation.model_fields) == ["file", "name", *PARAMETERS]
    space = STUDY_FILE.model_fields["search"].annotation.model_fields["space"].annotation
    assert list(space.model_fields) == list(PARAMETERS)


@pytest.mark.parametrize(
    ("section", "part"),
    [("simulation", Simulation), ("search", Search), ("constraints", Constraints), ("certification", Certification)],
)
def test_sections_hold_what_a_study_has(section, part):
    """Each section has the fields of its dataclass, with its defaults, and no others."""
    form = STUDY_FILE.model_fields[section].annotation
    assert set(form.model_fields) == {entry.name for entry in fields(part)}
    same = [name for name in form.model_fields if name not in {"space", "external_cr_floor", "max_unserved_usd_hours"}]
    defaults = {entry.name: entry.default for entry in fields(part)}
    assert all(form.model_fields[name].default == defaults[name] for name in same)


def test_a_range_is_low_high_and_log():
    """The space's entries become `Range`."""
    space = STUDY_FILE.model_fields["search"].annotation.model_fields["space"].annotation
    entry = space.model_fields["aave_cap"].annotation.__args__[0]
    assert set(entry.model_fields) == {field.name for field in fields(Range)}


def test_every_figure_of_the_state_is_in_the_form():
    """Tables and figures of a state file are those of `ProtocolState`; three of its fields stand in the table of contracts, and
    which tables are absent is nothing that a file says.
    """
    named = {entry.name for entry in fields(ProtocolState)}
    assert set(STATE_FILE.model_fields) == named - set(IN_CONTRACTS) - {"absent"}
    assert set(STATE_FILE.model_fields["contracts"].annotation.model_fields) == set(IN_CONTRACTS)
    keys = [key for key, _ in figure_fields(ProtocolState)]
    assert ("amos", "curve", "lp_share") in keys
    assert all({"low", "high", "unit", "doc", "off", "behaviour"} <= entry.metadata.keys() for _, entry in figure_fields(ProtocolState))


def test_a_parameter_with_a_default_may_be_left_out():
    """A file without it means the default, one with it is held to its range; without a default it must be written."""
    form = model("vault", {"vault_cap": parameter_key(collateral_cap("vault_cap", "Most collateral in the vault", rank=60, default=0.0))})
    assert form().vault_cap == 0.0
    assert form(vault_cap=0.25).vault_cap == 0.25
    with pytest.raises(ValidationError):
        form(vault_cap=1.5)
    nothing = Document("a.toml", Path("a.toml"), {"schema": 1}, {})
    required = {problem.where for problem in parameter_problems(nothing, (), has=lambda _: True)}
    assert required == {name for name, each in PARAMETERS.items() if each.default is None}
    assert required >= {*ISSUER_PARAMETERS, "aave_cap", "curve_mint_cap"}
