"""``amo-opt simulate``: one parameter set on a study's paths."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import (
    check_folder,
    json_option,
    load,
    plot_option,
    print_json,
    size_options,
    study_option,
    tell_time,
    thread_count,
)
from amo_opt.cli.streams import say
from amo_opt.cli.twin import TILT, PathName, TiltText, design_of, told_twin

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.simulation.outcome import Outcome
    from amo_opt.stress.tilts import Design, Tilt

STREAMS = ("search", "selection", "holdout")
RENAMED = {"certify-a": "selection", "certify-b": "holdout"}
"""What a report of an earlier version calls them in its commands."""
PLOTS = (".html", ".png", ".svg")


class Stream(click.Choice[str]):
    """One of `STREAMS`; what an earlier version called one is refused with its name now."""

    def __init__(self) -> None:
        super().__init__(STREAMS)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The stream of that name."""
        if value in RENAMED:
            self.fail(f"{value!r} is called {RENAMED[value]!r} now.", param, ctx)
        return super().convert(value, param, ctx)


def check_trace(file: Path) -> None:
    """Raises `click.UsageError` where the series could not be written: told before a simulation rather than after."""
    check_folder("--trace", file)
    if file.suffix == ".parquet" and find_spec("pyarrow") is None and find_spec("fastparquet") is None:
        raise click.UsageError(
            f"--trace: found {str(file)!r}; Parquet needs pyarrow: install amo-opt with the extra 'parquet', or name a .csv file"
        )


def check_plot(file: Path) -> None:
    """Raises `click.UsageError` where the drawing could not be written: no such folder, or no such format."""
    check_folder("--plot", file)
    if file.suffix.lower() not in PLOTS:
        found = f"the ending {file.suffix!r}" if file.suffix else "no ending"
        raise click.UsageError(f"--plot: found {str(file)!r}, with {found}; allowed: {', '.join(PLOTS)}")


def check_call(
    study: Study, scenario: str | None, *, path: tuple[int, int] | None, trace_file: Path | None, plot_file: Path | None
) -> None:
    """Raises `click.UsageError` for a call that names no path, or a file that could not be written: told before a simulation."""
    if scenario is None and not (path is None and trace_file is None and plot_file is None):
        raise click.UsageError("--path, --trace and --plot need --scenario NAME")
    if scenario is not None and scenario not in {entry.name for entry in study.scenarios}:
        names = ", ".join(entry.name for entry in study.scenarios)
        raise click.UsageError(f"--scenario: found {scenario!r}; the study has {names}")
    if trace_file is not None:
        check_trace(trace_file)
    if plot_file is not None:
        check_plot(plot_file)
    if trace_file is not None and trace_file == plot_file:
        raise click.UsageError(f"--trace and --plot: found {str(plot_file)!r} for both; give each its own file")


def print_row(outcome: Outcome, *, as_json: bool) -> None:
    """One path's row: a column a line, or one JSON document."""
    row = outcome.paths.iloc[0].to_dict()
    if as_json:
        print_json({key: value.item() if hasattr(value, "item") else value for key, value in row.items()})
        return
    for key, value in row.items():
        click.echo(f"{key:32s} {value}")


@click.command("simulate")
@click.argument("parameters_file", type=click.Path(path_type=Path), metavar="PARAMS.toml")
@study_option
@click.option("--scenario", default=None, metavar="NAME", help="Only this scenario.")
@click.option("--stream", type=Stream(), default="search", show_default=True, help="Which of the study's paths.")
@click.option("--path", type=PathName(), default=None, metavar="N[~tK]", help="Replay this one path, or its twin K (with --scenario).")
@click.option("--tilt", "tilts", type=TiltText(), multiple=True, metavar=TILT, help="A noise that the twin has pushed; once for each.")
@click.option(
    "--twins/--no-twins", default=True, show_default=True, help="Draw twins of the paths where a pilot finds that rare events decide."
)
@click.option(
    "--trace",
    "trace_file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE.csv",
    help="Write the time series, as CSV or Parquet by the file's ending.",
)
@plot_option("Draw one path (the first, or --path): .html, .png or .svg.")
@size_options
@json_option
def command(
    parameters_file: Path,
    *,
    study_file: Path,
    scenario: str | None,
    stream: str,
    path: tuple[int, int] | None,
    tilts: tuple[Tilt, ...],
    twins: bool,
    trace_file: Path | None,
    plot_file: Path | None,
    seed: int | None,
    paths: int | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run one parameter set and print what it did, every figure with its 95% interval and n.

    A pilot finds what drives rare events first, and twins of the drawn paths with that pushed make them seen; --no-twins leaves both out.

    \b
    Example:
      amo-opt simulate studies/parameters/frax-current.toml --study studies/frax-2022.toml
      amo-opt simulate reports/frax-2022/parameters.toml --study studies/frax-2022.toml \\
          --scenario svb-2023 --stream holdout --path 17 --trace path17.csv --plot path17.html
      amo-opt simulate studies/parameters/frax-current.toml --study studies/frax-2022.toml \\
          --scenario calm --path 17~t1 --tilt share:-0.08:-2.6
    """
    from amo_opt.cli.tables import print_score, score_document, told_designs
    from amo_opt.config.load import load_parameters
    from amo_opt.scoring.parts import risk_parts
    from amo_opt.scoring.score import score
    from amo_opt.search.planning import aimed_designs
    from amo_opt.simulation.engine import replay, simulate
    from amo_opt.simulation.series import write_trace
    from amo_opt.simulation.size import size_of
    from amo_opt.stress.tilts import path_name

    study = load(study_file, seed=seed, paths=paths)
    parameters = load_parameters(parameters_file, study.state)
    check_call(study, scenario, path=path, trace_file=trace_file, plot_file=plot_file)
    design = design_of(path, tilts)
    chosen = None if scenario is None else [scenario]
    designs: dict[str, Design] = {}
    edges: dict[str, float | None] = {}
    number, component = path or (0, 0)
    if path is not None and scenario is not None:
        outcome = replay(parameters, study, scenario=scenario, path=number, stream=stream, design=design, component=component)
    else:
        threads = thread_count(workers)
        size = size_of(study, paths=study.simulation.paths, scenarios=None if chosen is None else 1, threads=threads)
        tell_time(study, size, threads=threads)
        if twins:
            # each scenario's pilot is its own
            seen = replace(study, scenarios=tuple(each for each in study.scenarios if chosen is None or each.name in chosen))
            designs, edges = aimed_designs(parameters, seen, study.simulation.paths, workers=threads)
        outcome = simulate(parameters, study, scenarios=chosen, designs=designs, stream=stream, workers=threads)
    if trace_file is not None and scenario is not None:
        write_trace(trace_file, parameters, study, scenario=scenario, path=number, stream=stream, design=design, component=component)
        say(f"time series written to {trace_file}", err=True)
    if plot_file is not None and scenario is not None:
        from amo_opt.report.drawn_path import draw_path

        drawn = draw_path(parameters, study, scenario=scenario, path=number, stream=stream, design=design, component=component)
        drawn.save(plot_file)
        say(f"path {path_name(number, component)} drawn in {plot_file}", err=True)
    if path is not None:
        if design is not None:
            say(told_twin(outcome, design), err=True)
        print_row(outcome, as_json=as_json)
        return
    scored, parts = score(outcome, study), risk_parts(outcome, study, edges)
    if as_json:
        print_json(score_document(scored, parameters, study, steps=outcome.steps, parts=parts, designs=designs))
        return
    print_score(scored, parameters, study, parts=parts)
    for line in told_designs(designs):
        say(line)
