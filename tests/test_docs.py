"""The pages say what the program says: every figure in them that a study decides is written by a script, which changes nothing when run again."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import click
import numpy as np
import pytest

from amo_opt.cli.main import COMMANDS, cli

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def loaded(name):
    specification = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script():
    return loaded("figures")


@pytest.fixture(scope="module")
def reference():
    return loaded("reference")


@pytest.fixture(scope="module")
def made(reference):
    """The pages that the site makes of the code, by their path."""
    return reference.pages()


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


# -- the site ----------------------------------------------------------------------------------------------------------------


def links(text):
    """Addresses of the links of a page, code left out."""
    text = re.sub(r"(?ms)^```.*?^```$|^ {4}.*?$", "", text)
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))


@pytest.mark.parametrize("page", [*PAGES, *(DOCS.parent / name for name in ("README.md", "CONTRIBUTING.md"))], ids=lambda page: page.stem)
def test_every_link_leads_to_a_file(page, made):
    """Of the repository, or to a page that the site makes; anchors are `mkdocs build --strict`'s to see."""
    inside = {(DOCS / place).resolve() for place in (*made, "notebook.md")}
    for link in links(page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:|#", link):
            target = (page.parent / link.partition("#")[0]).resolve()
            left_out = (
                target.is_relative_to(DOCS.parent / "reports") and not (DOCS.parent / "reports").exists()
            )  # of an archive of the source
            assert target.exists() or target in inside or left_out, link


def test_every_word_of_a_verdict_or_a_warning_is_in_the_glossary():
    """With its shape beside it, as reports print it."""
    from amo_opt.report.wording import SHAPES

    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    assert [word for word, shape in SHAPES.items() if f"**{word}** {shape}" not in text] == []


def test_every_command_and_option_is_told(made):
    """In the table of commands, and one by one where the site makes them of the program."""
    table = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"| `amo-opt {name} " not in table] == []
    text = made["reference/commands.md"]
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert f"\n## amo-opt {name}\n" in text
        for option in (each for each in command.params if isinstance(each, click.Option)):
            assert re.search(rf"(?m)^\| `{re.escape(option.opts[0])}\b", text), option.opts


def test_every_key_is_told(made):
    """Of the worked studies' files: each stands in the page of its kind."""
    import tomllib

    from amo_opt.amos.parameters import PARAMETERS

    for kind, page in (("states", "state"), ("behaviour", "behaviour")):
        text = made[f"reference/files/{page}.md"]
        for file in (DOCS.parent / "studies" / kind).glob("*-20*.toml"):
            for table, keys in tomllib.loads(file.read_text(encoding="utf-8")).items():
                for key, value in keys.items() if isinstance(keys, dict) else ():
                    inner = isinstance(value, dict) and not {"value", "raw"} & value.keys() and table not in {"contracts", "reads"}
                    if not inner and table not in {"contracts", "reads", "shared", "drift", "new_pool"}:
                        assert f"| `{key}` |" in text, (file.name, table, key)
    assert [name for name in PARAMETERS if f"| `{name}` |" not in made["reference/files/parameters.md"]] == []


# -- formulas ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studied():
    """Two scenarios of the worked study on eight paths: what came of each path, and its hours."""
    import amo_opt
    from amo_opt.simulation.engine import trace

    names = ("svb-2023", "fast-run")
    changes = {"simulation.paths": 8, "simulation.window_hours": 720, "scenario": [{"name": name, "weight": 0.5} for name in names]}
    study = amo_opt.load_study(DOCS.parent / "studies" / "frax-2022.toml", overrides=changes)
    outcome = amo_opt.simulate(study.current, study, scenarios=names)
    columns = (
        "price",
        "reference",
        "oracle",
        "cr_external",
        "cr_contract",
        "supply",
        "external_supply",
        "unserved",
        "collateral_ratio",
        "unwinding",
    )
    hours = [trace(study.current, study, scenario=name, paths=8, columns=columns) for name in names]
    window = {name: np.vstack([each[name][study.simulation.transition_hours :].T for each in hours]) for name in columns}
    before = {name: np.concatenate([each[name][study.simulation.transition_hours - 1] for each in hours]) for name in columns}
    return study, outcome, window, before


def test_every_metric_has_its_formula(reference):
    """None is missing, and none is of a metric that is no more."""
    from amo_opt.scoring.metrics import MEASURES

    assert list(reference.FORMULAS) == list(MEASURES)


def test_formulas_of_prices_and_ratios_are_what_the_code_does(studied):
    """As the page has them in words, from the hours of a path."""
    from amo_opt.scoring.metrics import MEASURES
    from amo_opt.scoring.sample import sample as sampled

    study, outcome, window, before = studied
    sample = sampled(outcome, study)
    off = np.maximum(window["reference"] - window["price"], 0.0)
    mean, largest = np.zeros(off.shape[0]), np.zeros(off.shape[0])
    for hour in off.T:
        mean = mean + (1.0 - np.exp(-1.0 / 72.0)) * (hour - mean)
        largest = np.maximum(largest, mean)
    bad = off > 0.005
    hours = np.arange(off.shape[1])
    first, last = np.where(bad, hours, hours.size).min(1), np.where(bad, hours, -1).max(1)
    recovered = np.where(bad.any(1), last - first + 1.0, 0.0)
    expected = {
        "peg_cvar95_bps": 1e4 * largest,
        "shortfall_cvar90_bps": 1e4 * off.max(1),
        "end_shortfall_bps": 1e4 * off[:, -1],
        "unrecovered_probability": 1.0 * bad[:, -1],
        "hours_to_recover": np.where(bad[:, -1], study.simulation.window_hours, recovered),
        "min_price": np.minimum(before["price"], window["price"].min(1)),
        "min_oracle": np.minimum(before["oracle"], window["oracle"].min(1)),
        "hours_below_099": (window["price"] < 0.99).sum(1),
        "min_cr_external": np.minimum(before["cr_external"], window["cr_external"].min(1)),
        "min_cr_contract": np.minimum(before["cr_contract"], window["cr_contract"].min(1)),
        "breach_probability": 1.0 * (np.minimum(before["cr_external"], window["cr_external"].min(1)) < study.constraints.min_external_cr),
        "hours_below_min_cr": (window["cr_contract"] < study.current.min_cr).sum(1),
        "hours_unwinding": window["unwinding"].sum(1),
        "unserved_usd_hours": window["unserved"].sum(1),
        "unserved_peak_usd": window["unserved"].max(1),
        "end_cr": window["collateral_ratio"][:, -1],
        "supply_change": window["supply"][:, -1] / before["supply"] - 1.0,
        "external_supply_change": window["external_supply"][:, -1] / before["external_supply"] - 1.0,
    }
    assert bad.any()
    assert recovered.any()
    for name, values in expected.items():
        np.testing.assert_allclose(MEASURES[name].values(sample), values, rtol=1e-9, atol=1e-9, err_msg=name)


def test_the_formula_of_yield_is_what_the_code_does(studied):
    """(8,760 / window hours · Σ income − transition) / collateral, without the two lines that are no yield."""
    from amo_opt.scoring.metrics import MEASURES, NOT_YIELD
    from amo_opt.scoring.sample import sample as sampled

    study, outcome, _, _ = studied
    frame = outcome.paths
    year = 8760.0 / study.simulation.window_hours
    income = frame.filter(regex="^income_").drop(columns=list(NOT_YIELD.values())).sum(axis=1)
    expected = (year * income - frame["transition_cost_usd"]) / frame["collateral_start_usd"]
    np.testing.assert_allclose(MEASURES["yield"].values(sampled(outcome, study)), expected, rtol=1e-9)
    for name, column in NOT_YIELD.items():
        np.testing.assert_allclose(
            MEASURES[name].values(sampled(outcome, study)), year * frame[column] / frame["collateral_start_usd"], rtol=1e-9
        )


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
