"""``amo-opt scenarios``: what can go wrong, how likely it is held to be, and where that comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import check_plot, json_option, load, plot_option, print_json
from amo_opt.cli.streams import say
from amo_opt.wording import USD

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.stress.scenario import Scenario


def example(scenarios: tuple[Scenario, ...]) -> Study:
    """The shipped study with these scenarios: what the catalogue's paths are drawn on where no study is named."""
    from amo_opt.config.starter import write_starter

    with TemporaryDirectory() as folder:
        return replace(load(write_starter(Path(folder) / "example")[0]), scenarios=scenarios)


def entry(scenario: Scenario, study: Study | None = None) -> dict[str, object]:
    """A scenario as JSON holds it; of a study's the settings that reach its protocol."""
    from amo_opt.stress.touches import reached

    return {
        "name": scenario.name,
        "title": scenario.title,
        "summary": scenario.summary,
        "weight": scenario.weight,
        "weight_reason": scenario.weight_reason,
        "settings": {name: value for name, value in scenario.settings.items() if study is None or reached(name, study.state.has)},
        "waypoints": {name: [list(point) for point in points] for name, points in scenario.waypoints.items()},
        "sources": list(scenario.sources),
    }


def draw(file: Path, study: Study, *, title: str) -> None:
    """Writes every scenario's inputs, drawn."""
    from amo_opt.report.figures.scenarios import save_scenarios
    from amo_opt.report.stories.scenarios import scenario_pages

    save_scenarios(file, scenario_pages(study), title=title)
    say(f"{len(study.scenarios)} scenarios drawn in {file}", err=True)


@click.command("scenarios")
@click.argument("study_file", required=False, type=click.Path(path_type=Path), metavar="[STUDY.toml]")
@plot_option("Draw each scenario's inputs around onset: .html, .svg or .png.")
@json_option
def command(study_file: Path | None, *, plot_file: Path | None, as_json: bool) -> None:
    """List the scenarios of the catalogue, or those of a study with its weights and settings.

    \b
    Example:
      amo-opt scenarios
      amo-opt scenarios studies/frax-2022.toml --json
      amo-opt scenarios --plot scenarios.html
    """
    from amo_opt.stress.catalogue import describe, load_scenario, scenario_names
    from amo_opt.stress.touches import SERIES_OF

    if plot_file is not None:
        check_plot(plot_file)
    study = load(study_file) if study_file is not None else None
    scenarios = study.scenarios if study is not None else tuple(load_scenario(name) for name in scenario_names())
    if plot_file is not None:
        title = f"Scenarios of {study.name}" if study is not None else "Scenarios of the catalogue"
        draw(plot_file, study if study is not None else example(scenarios), title=title)
    if as_json:
        print_json({"schema": 1, "scenarios": [entry(scenario, study) for scenario in scenarios]})
        return
    account = USD if study is None else study.state.unit
    without = () if study is None else [name for name, table in SERIES_OF.items() if not study.state.has(table)]
    for scenario in scenarios:
        say(f"{scenario.name}  weight {scenario.weight:g}")
        facts = describe(scenario, account=account, without=without)
        told = [f"{fact.label}: {fact.text}" for fact in facts if fact.label not in {"title", "summary", "weight", "source"}]
        for line in (scenario.summary, *told, *(f"source: {each}" for each in scenario.sources)):
            say(f"  {line}")
