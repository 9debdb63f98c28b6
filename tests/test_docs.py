"""The pages say what the program says: every figure in them that a study decides is written by a script, which changes nothing when run again."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import click
import pytest

from amo_opt.cli.main import COMMANDS, cli

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def script():
    specification = importlib.util.spec_from_file_location("figures", DOCS / "figures.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", [pytest.param("compare.md", marks=pytest.mark.campaign), "calibration.md", "scenarios.md", "model.md"])
def test_the_figures_of_a_page_are_what_the_code_gives(script, page):
    """`python docs/figures.py` writes them; a page of it that no test names would go unchecked. Those of compare.md take half a minute and are a campaign."""
    assert page in script.BLOCKS
    assert len(script.BLOCKS) == 4
    text = (DOCS / page).read_text(encoding="utf-8")
    assert script.written(page, text) == text


def test_the_candidate_of_the_example_is_what_its_command_makes(script):
    """The pattern in compare.md's command is in the shipped file, and gives the value that the script judges."""
    text = (DOCS / "compare.md").read_text(encoding="utf-8")
    assert f"s/^pool_share_high = 0.57/pool_share_high = {script.LATER:g}/" in text
    assert f"--paths {script.PATHS} --seed {script.SEEDS[1]}" in text
    assert "\npool_share_high = 0.57" in (DOCS.parent / "studies" / "parameters" / "frax-current.toml").read_text(encoding="utf-8")


def test_the_state_beside_the_fits_is_the_shipped_one(script):
    """calibration.md sets each fit beside what the state and calm hold."""
    study = script._study()
    markets, calm = study.state.markets, study.scenarios[0].settings
    text = (DOCS / "calibration.md").read_text(encoding="utf-8")
    each_told = (f"{each.value:.2f} ({each.low:.2f} to {each.high:.2f})" for each in (markets.hazard_news, markets.hazard_price))
    news, price = (told.replace("(0.00 ", "(0 ") for told in each_told)
    assert f"| shipped state | | {news} | {price} | |" in text
    assert f"shipped state |\n|---|---|---|\n| lp_flight_share | not identified | {markets.lp_flight_share.value:g} |" in text
    pool = (study.state.pool.stablecoin.value + study.state.base_value) / 1e6
    assert f"| calm scenario | | {pool:,.0f} (the state's pool) | {calm['flow_sd']:g} | {calm['flow_hours']:g} |" in text
    outside = study.state.stablecoin.supply.value - study.state.amos.curve.lp_share.value * study.state.pool.stablecoin.value
    assert f"that of its state ({outside / 1e9:.3f}e9)" in text


# -- switches ----------------------------------------------------------------------------------------------------------------------


def switches(command: click.Command, name: str):
    """Every option of a command and of those within it."""
    for inner, each in getattr(command, "commands", {}).items():
        yield from switches(each, f"{name} {inner}")
    for each in command.params:
        if isinstance(each, click.Option):
            yield name, each


@pytest.mark.parametrize("name", COMMANDS)
def test_no_switch_is_hidden(name):
    """Every option is shown by --help with a sentence on what it does."""
    command = cli.get_command(click.Context(cli), name)
    assert command.get_short_help_str()
    for of, option in switches(command, name):
        assert option.help, (of, option.opts)
        assert not option.hidden, (of, option.opts)


def test_every_variable_of_the_environment_is_told():
    """editors.md names each that the package reads; a child's own environment is its parent's."""
    read = {
        name
        for file in (DOCS.parent / "amo_opt").rglob("*.py")
        for found in re.findall(
            r"\b(AMO_OPT_[A-Z_]+[A-Z]|SOURCE_DATE_EPOCH)\b|(?<=environ\.get\(\")([A-Z_]+)|(?<=environ\[\")([A-Z_]+)",
            file.read_text(encoding="utf-8"),
        )
        for name in found
        if name and name != "PYTHONPATH"
    }
    text = (DOCS / "editors.md").read_text(encoding="utf-8")
    assert read
    assert [name for name in sorted(read) if f"`{name}`" not in text] == []
