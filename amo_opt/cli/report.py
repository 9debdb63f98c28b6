"""``amo-opt report``: the report again, from the storage; nothing is simulated."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.ending import check_options, ending_options, tell
from amo_opt.cli.options import load, output_options, report_folder, storage_url, thread_count


@click.command("report")
@click.argument("study_file", type=click.Path(path_type=Path), metavar="STUDY.toml")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Seed that the run was given, where it was.")
@click.option(
    "--paths", type=click.IntRange(1, 10_000_000), default=None, help="Paths per scenario that the run was given, where they were."
)
@output_options
@ending_options
def command(
    study_file: Path,
    *,
    seed: int | None,
    paths: int | None,
    out: Path | None,
    storage: str | None,
    quick: bool,
    quiet: bool,
    verbose: bool,
    open_page: bool,
    as_json: bool,
    full: bool,
) -> int:
    """Write the report again from the storage of a study that was run: nothing is searched, nothing simulated.

    The study must be the one that was run: its file, --seed, --paths and --quick decide; notes, sources and dates may have been mended since. The
    storage is looked for beside the report folder unless --storage names it.

    \b
    Example:
      amo-opt report studies/frax-2022.toml
      amo-opt report studies/frax-2022.toml --out reports/second-look --storage sqlite:///reports/frax-2022.db
    """
    from amo_opt.report import check_folder, write_report
    from amo_opt.report.results_json import check_results
    from amo_opt.search.optimise import restore

    check_options(as_json=as_json, full=full, quiet=quiet, verbose=verbose)
    study = load(study_file, seed=seed, paths=paths, quick=quick)
    folder = report_folder(study, out)
    check_folder(folder)
    check_results(folder / "results.json", study=study.name)
    result = restore(study, storage=storage_url(folder, storage))
    written = write_report(result, folder)
    tell(
        result, written, study, as_json=as_json, full=full, quiet=quiet, verbose=verbose, open_page=open_page, threads=thread_count(None),
        whole=load(study_file, seed=seed) if quick else None,
    )  # fmt: skip
    return 0
