"""``amo-opt report``: the report again, from the storage; nothing is simulated."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.options import json_option, load, output_options, report_folder, storage_url
from amo_opt.cli.streams import say


@click.command("report")
@click.argument("study_file", type=click.Path(path_type=Path), metavar="STUDY.toml")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Seed that the run was given, where it was.")
@click.option(
    "--paths", type=click.IntRange(1, 10_000_000), default=None, help="Paths per scenario that the run was given, where they were."
)
@output_options
@json_option
def command(study_file: Path, *, seed: int | None, paths: int | None, out: Path | None, storage: str | None, as_json: bool) -> int:
    """Write the report again from the storage of a study that was run: nothing is searched, nothing simulated.

    The study must be the one that was run: its file, --seed and --paths decide; notes, sources and dates may have been mended since. The
    storage is looked for beside the report folder unless --storage names it.

    \b
    Example:
      amo-opt report studies/frax-2022.toml
      amo-opt report studies/frax-2022.toml --out reports/second-look --storage sqlite:///reports/frax-2022.db
    """
    from amo_opt.report import check_folder, write_report
    from amo_opt.report.facts.ruling import explanation_of
    from amo_opt.report.results_json import check_results, results_json
    from amo_opt.search.optimise import restore

    study = load(study_file, seed=seed, paths=paths)
    folder = report_folder(study, out)
    check_folder(folder)
    check_results(folder / "results.json", study=study.name)
    result = restore(study, storage=storage_url(folder, storage))
    written = write_report(result, folder)
    say(f"{result.verdict}: {explanation_of(result)}", err=as_json)
    say(f"report: {written / 'report.html'}", err=as_json)
    if as_json:
        click.echo(results_json(result), nl=False)
    return 0
