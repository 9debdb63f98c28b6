"""``amo-opt run``: search, certify, report, in one go; the same command picks up where it was."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Thread

import click

from amo_opt.cli.ending import check_options, ending_options, tell
from amo_opt.cli.options import (
    cluster_option,
    load,
    output_options,
    report_folder,
    size_options,
    storage_url,
    tell_time,
    thread_count,
)
from amo_opt.cli.streams import say


@click.command("run")
@click.argument("study_file", type=click.Path(path_type=Path), metavar="STUDY.toml")
@click.option("--trials", type=click.IntRange(1, 1_000_000), default=None, help="Sets to try.")
@size_options
@cluster_option
@output_options
@click.option(
    "--storage-wait",
    type=click.FloatRange(0, 86400),
    default=600.0,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for a storage that stops answering.",
)
@click.option(
    "--rpc",
    "url",
    default=None,
    metavar="URL",
    help="Node on whose state the proposal's payloads are executed at the end, without being sent. It is neither shown nor kept.",
)
@click.option("--dry-run", "dry", is_flag=True, help="The same with the node of the environment variable AMO_OPT_RPC.")
@ending_options
def command(
    study_file: Path,
    *,
    trials: int | None,
    seed: int | None,
    paths: int | None,
    workers: int | None,
    cluster: str | None,
    out: Path | None,
    storage: str | None,
    storage_wait: float,
    url: str | None,
    dry: bool,
    quick: bool,
    quiet: bool,
    verbose: bool,
    open_page: bool,
    as_json: bool,
    full: bool,
) -> int:
    """Search a study's space, certify the best sets on fresh paths, and write the report.

    --quick tries few sets on the fewest paths that can decide the study's limits: a look at what a whole run would find, into a report of its own that gives no batch.

    Finished trials are kept in the study's storage: after Ctrl-C, a kill or a power cut the same command goes on from there.

    \b
    Example:
      amo-opt run studies/frax-2022.toml
      amo-opt run studies/frax-2022.toml --quick
      amo-opt run studies/frax-2022.toml --trials 16 --paths 8 --out reports/quick-look
      amo-opt run studies/frax-2022.toml --cluster tcp://HOST:8786
      amo-opt run studies/frax-2022.toml --rpc http://127.0.0.1:8545
    """
    from amo_opt.cli.executing import execute, node_for
    from amo_opt.cli.watch import watching
    from amo_opt.report import check_folder, write_report
    from amo_opt.report.results_json import check_results
    from amo_opt.search.address import public
    from amo_opt.search.optimise import optimise, size_of_run
    from amo_opt.search.study_store import in_memory

    check_options(as_json=as_json, full=full, quiet=quiet, verbose=verbose)
    study = load(study_file, seed=seed, paths=paths, trials=trials, quick=quick)
    folder = report_folder(study, out)
    address = storage_url(folder, storage)
    check_folder(folder)
    check_results(folder / "results.json", study=study.name)
    if in_memory(address):
        say(f"note: the storage {public(address)} is in memory, and ends with this command", err=True)
    if url is not None or dry:
        node_for(study, url)  # told before the search rather than after
    threads = thread_count(workers)
    tell_time(study, size_of_run(study, trials=study.search.trials, threads=threads, timed=cluster is None), threads=threads)
    # drawing takes a second to load, which is there while compiled code runs
    Thread(target=import_module, args=("amo_opt.report.figures",), daemon=True).start()
    with watching(study, folder, quiet=quiet) as watch:
        result = optimise(study, workers=threads, cluster=cluster, storage=address, storage_wait=storage_wait, progress=watch)
        written = write_report(result, folder)
    works = execute(result, written, url=url, as_json=as_json) if url is not None or dry else True
    tell(
        result, written, study, as_json=as_json, full=full, quiet=quiet, verbose=verbose, open_page=open_page, threads=threads, phases=watch.phases,
        whole=load(study_file, seed=seed) if quick else None,
    )  # fmt: skip
    return 1 if result.verdict == "infeasible" or not works else 0
