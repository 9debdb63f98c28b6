"""``amo-opt scenarios``: what can go wrong, how likely it is held to be, and where that comes from."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.options import json_option, load, print_json
from amo_opt.cli.tables import open_console


@click.command("scenarios")
@click.argument("study_file", required=False, type=click.Path(path_type=Path), metavar="[STUDY.toml]")
@json_option
def command(study_file: Path | None, *, as_json: bool) -> None:
    """List the scenarios of the catalogue, or those of a study with its weights and settings.

    \b
    Example:
      amo-opt scenarios
      amo-opt scenarios studies/frax-2022.toml --json
    """
    from rich.table import Table

    from amo_opt.stress.catalogue import describe, load_scenario, scenario_names

    scenarios = load(study_file).scenarios if study_file is not None else tuple(load_scenario(name) for name in scenario_names())
    if as_json:
        print_json(
            [
                {
                    "name": scenario.name,
                    "title": scenario.title,
                    "summary": scenario.summary,
                    "weight": scenario.weight,
                    "weight_reason": scenario.weight_reason,
                    "settings": dict(scenario.settings),
                    "waypoints": {name: [list(point) for point in points] for name, points in scenario.waypoints.items()},
                    "sources": list(scenario.sources),
                }
                for scenario in scenarios
            ]
        )
        return
    table = Table(show_lines=True)
    for heading in ("scenario", "weight", "what it draws", "sources"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "scenario")
    for scenario in scenarios:
        facts = "\n".join(
            f"{fact.label}: {fact.text}" for fact in describe(scenario) if fact.label not in {"title", "summary", "weight", "source"}
        )
        table.add_row(scenario.name, f"{scenario.weight:g}", f"{scenario.summary}\n{facts}", "\n".join(scenario.sources))
    open_console().print(table)
