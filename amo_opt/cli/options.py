"""Options that several commands share, and the study they load."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.simulation.size import Size

TOLD_SECONDS = 1200.0
"""From how long on the time is told beforehand."""

F = TypeVar("F", bound=Callable[..., Any])


def study_option(function: F) -> F:
    """``--study FILE``."""
    return click.option("--study", "study_file", required=True, type=click.Path(path_type=Path), metavar="STUDY.toml", help="Study file.")(
        function
    )


def json_option(function: F) -> F:
    """``--json``: one JSON document on stdout, everything else on stderr."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")(function)


def plot_option(text: str) -> Callable[[F], F]:
    """``--plot FILE``, told in the command's own words."""
    return click.option("--plot", "plot_file", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE", help=text)


def workers_option(function: F) -> F:
    """``--workers``: threads."""
    return click.option("--workers", type=click.IntRange(1, 1024), default=None, help="Threads (default: the machine's).")(function)


def size_options(function: F) -> F:
    """``--seed``, ``--paths``, ``--workers``: override the file."""
    function = workers_option(function)
    function = click.option("--paths", type=click.IntRange(1, 10_000_000), default=None, help="Paths per scenario.")(function)
    return click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Seed of every draw.")(function)


def cluster_option(function: F) -> F:
    """``--cluster ADDRESS``: simulate on a Dask cluster."""
    return click.option(
        "--cluster",
        default=None,
        metavar="ADDRESS",
        callback=_cluster,
        help="Simulate on a Dask cluster: tcp://HOST:PORT, or local:N for N processes here; --workers is then this machine's share.",
    )(function)


def _cluster(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from amo_opt.errors import AmoOptError
        from amo_opt.simulation.cluster import check_address

        try:
            check_address(value)
        except AmoOptError as error:
            raise click.BadParameter(str(error).removeprefix("cluster: ")) from error
    return value


def output_options(function: F) -> F:
    """``--out`` and ``--storage``."""
    function = click.option(
        "--storage", default=None, metavar="URL", help="Storage of the study, any SQLAlchemy address (default: SQLite beside the report)."
    )(function)
    return click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        metavar="DIR",
        help="Report folder (default: reports/NAME).",
    )(function)


def load(file: Path, *, seed: int | None = None, paths: int | None = None, trials: int | None = None, quick: bool = False) -> Study:
    """The study with the command line's overrides; ``quick`` with the least budget that can decide, where nothing else is asked for."""
    from amo_opt.config.load import load_study

    options: dict[str, object] = {"search.seed": seed, "simulation.paths": paths, "search.trials": trials}
    given = {key: value for key, value in options.items() if value is not None}
    study = load_study(file, overrides=given)
    if not quick:
        return study
    from amo_opt.search.quick import quick_settings

    return replace(load_study(file, overrides={**quick_settings(study), **given}), quick=True)


def thread_count(workers: int | None) -> int:
    """Threads to use: as asked, or as many as the process may run on."""
    return workers if workers is not None else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def tell_time(study: Study, size: Size, *, threads: int) -> None:
    """One line on stderr where the work takes longer than people wait. Raises `AmoOptError` where it does not fit, or would not end."""
    from amo_opt.simulation.size import check_size, told_seconds

    check_size(study, size, threads=threads)
    if size.seconds > TOLD_SECONDS:
        click.echo(f"note: about {told_seconds(size.seconds)} on {threads} worker{'s' if threads > 1 else ''}", err=True)


def report_folder(study: Study, out: Path | None) -> Path:
    """Where the report goes: ``--out``, or ``reports/NAME`` below the current folder, of a quick run ``reports/NAME-quick``: it has a record of its own and replaces no whole report.

    Raises `click.UsageError` for ``.`` and ``..``.
    """
    if out is None:
        return Path("reports") / f"{study.name}{'-quick' if study.quick else ''}"
    if out.name in {"", ".."}:
        raise click.UsageError(f"--out: found {str(out)!r}; a report replaces its folder whole, so give it one by name: {out / study.name}")
    return out


def storage_url(folder: Path, storage: str | None) -> str:
    """The storage's address: as asked, or an SQLite file beside the report folder.

    Raises `click.UsageError` for an empty one (to SQLite: no file at all), for one that only looks like an address, which would leave a file
    named after its password, and for a file inside the report folder, which is replaced whole.
    """
    from sqlalchemy.engine import URL

    from amo_opt.search.address import public

    if storage is not None and not storage.strip():
        raise click.UsageError("--storage: found ''; allowed: a file, or any SQLAlchemy address")
    if storage is not None and "://" not in storage and re.match(r"\w[\w+]+:.*@", storage):
        raise click.UsageError(
            f"--storage: found {public(storage)!r}; allowed: a file, or an address such as DRIVER://USER:PASSWORD@HOST/NAME"
        )
    file = Path(storage.removeprefix("sqlite:///")) if storage is not None else folder.parent / f"{folder.name}.db"
    if folder.resolve() in file.resolve().parents:
        raise click.UsageError(
            f"--storage: found {public(storage or '')!r}, inside the report folder, which is replaced whole: name a file beside it"
        )
    if storage is not None and "://" in storage:
        return storage
    return URL.create("sqlite", database=os.fspath(file)).render_as_string(hide_password=False)  # quotes what an address may not hold


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, indent=2, sort_keys=False, allow_nan=False))


def check_folder(option: str, file: Path) -> None:
    """Raises `click.UsageError` where there is no folder to write into."""
    if not file.parent.is_dir():
        raise click.UsageError(f"{option}: found {str(file)!r}; there is no folder {str(file.parent)!r}")


def check_plot(file: Path) -> None:
    """Raises `AmoOptError` or `click.UsageError` where the drawing could not be written: told before the work rather than after."""
    from amo_opt.report.figures.files import check_suffix

    check_suffix(file)
    check_folder("--plot", file)
