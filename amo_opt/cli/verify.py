"""``amo-opt verify``: a report's study once more, and whether its results are these to the last byte."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amo_opt.cli.options import cluster_option, load, storage_url, tell_time, thread_count, workers_option
from amo_opt.cli.streams import say
from amo_opt.errors import AmoOptError
from amo_opt.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amo_opt.config.study import Study

RESULTS = "results.json"
SHOWN = 5
"""Differences that are told one by one."""
LONGEST_NAME = 100
"""Characters of a study's name, generously."""
_GONE = object()


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a report's results.json says it is of, its SHA-256, and all of it."""

    name: str
    hash: str
    seed: int
    trials: int
    paths: int
    quick: bool
    version: str
    model: str
    sha256: str
    document: object


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--study",
    "study_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="STUDY.toml",
    help="The study's file (default: NAME.toml in studies/, or the shipped one of that name).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="DIR",
    help="Where the report of this run is left if it differs (default: DIR-verify, where there is none yet).",
)
@workers_option
@cluster_option
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the answer.")
def command(folder: Path, *, study_file: Path | None, out: Path | None, workers: int | None, cluster: str | None, quiet: bool) -> int:
    """Run the study of the report in DIR again, from nothing, and compare: the same results.json to the last byte, or what differs.

    Nothing of the report's own record is read, and nothing of the report is changed. Where something differs the report of this run is left to look at. After Ctrl-C the same
    command goes on from there. Exit status: 0 the same, 1 not the same.

    \b
    Example:
      amo-opt verify reports/frax-2022
      amo-opt verify downloads/their-report --study their-study.toml
    """
    from amo_opt.cli.watch import watching
    from amo_opt.onchain.execution_record import FILE, read_record
    from amo_opt.report import write_report
    from amo_opt.report.write import report_files
    from amo_opt.search.optimise import optimise, size_of_run

    folder = folder.resolve()  # a name is needed, which neither . nor .. has
    told = read_results(folder)
    record = read_record(folder / FILE)
    study = study_of(told, folder, study_file)
    again = folder.with_name(f"{folder.name}-verify") if out is None else out
    if again.exists():
        raise AmoOptError(f"{again} is there already: remove it, or name another folder with --out")
    threads = thread_count(workers)
    tell_time(study, size_of_run(study, trials=study.search.trials, threads=threads, timed=cluster is None), threads=threads)
    held = _held(folder, told)
    with watching(study, held / "report", quiet=quiet) as watch:
        result = optimise(study, workers=threads, cluster=cluster, storage=storage_url(held / "report", None), progress=watch)
    files = report_files(result, record)
    here = hashlib.sha256(files[RESULTS]).hexdigest()
    same = here == told.sha256
    if same:
        say(f"verified: {folder / RESULTS} is what this machine gives for the study, sha256 {told.sha256}")
        others = [name for name in files if name != RESULTS and (folder / name).is_file() and (folder / name).read_bytes() != files[name]]
        if others:
            say(f"beside it differ {', '.join(others)}, which also hang on the versions installed and on notes and dates of the study file")
    else:
        for line in _differences(told, files[RESULTS], here):
            say(line)
        say(f"the report of this run: {write_report(result, again)}")
    shutil.rmtree(held)  # the next one begins from nothing
    return 0 if same else 1


def _held(folder: Path, told: Told) -> Path:
    """Where the run is kept until it ends: a place of the user's own, for a record beside a report may be anybody's."""
    key = hashlib.sha256(f"{folder}\0{told.sha256}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    held = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "amo-opt" / "verify" / key
    held.mkdir(mode=0o700, parents=True, exist_ok=True)
    return held


def read_results(folder: Path) -> Told:
    """What the report is of. Raises `AmoOptError` where there is none, or none that says enough to be run again."""
    from amo_opt.config.wording import shown
    from amo_opt.files import read_file
    from amo_opt.report.results_json import MOST_BYTES, SCHEMA

    file = folder / RESULTS
    try:
        raw = read_file(file, most=MOST_BYTES)
        document = json.loads(raw)
    except OSError as error:
        raise AmoOptError(f"{file}: cannot be read ({error.strerror or error}); name the folder of a report") from error
    except (ValueError, RecursionError) as error:
        raise AmoOptError(f"{file}: is not JSON; name the folder of a report") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        found = shown(schema) if isinstance(schema, int | float | str) else "nothing that is one"
        raise AmoOptError(f"{file}: schema: found {found}; allowed: {SCHEMA}")

    def of(table: str, key: str, kind: type) -> Any:
        values = document.get(table)
        value = values.get(key) if isinstance(values, dict) else None
        if type(value) is not kind or len(str(value)) > LONGEST_NAME:
            raise AmoOptError(f"{file}: {table}.{key} is not what a report holds there: it cannot be run again")
        return value

    return Told(
        name=of("study", "name", str),
        hash=of("study", "hash", str),
        seed=of("study", "seed", int),
        trials=of("study", "trials", int),
        paths=of("study", "paths", int),
        quick=document["study"].get("quick") is True,
        version=of("versions", "amo-opt", str),
        model=of("versions", "model", str),
        sha256=hashlib.sha256(raw).hexdigest(),
        document=document,
    )


def study_of(told: Told, folder: Path, named: Path | None) -> Study:
    """The study with the report's hash. Raises `AmoOptError` where no file is it, and says which were looked at and why they are not."""
    from amo_opt.config.identity import MODEL_VERSION
    from amo_opt.config.starter import examples
    from amo_opt.version import __version__

    if (told.version, told.model) != (__version__, str(MODEL_VERSION)):
        raise AmoOptError(
            f"{folder / RESULTS}: written by amo-opt {told.version} with model {told.model}, this is {__version__} with model {MODEL_VERSION}: install the one that wrote it"
        )
    file = f"{told.name}.toml"
    places = (
        [named] if named is not None else [Path("studies") / file, folder.resolve().parent.parent / "studies" / file, examples() / file]
    )
    looked = []
    for place in places:
        if named is None and not place.is_file():
            continue
        study = load(place, seed=told.seed, paths=told.paths, trials=told.trials, quick=told.quick)
        if study.hash == told.hash:
            return study
        looked.append(f"{place} has {study.hash[:12]}")
    if not looked:
        raise AmoOptError(f"{folder / RESULTS}: of study {told.name!r:.80}, and no {file} is in studies/: name it with --study STUDY.toml")
    raise AmoOptError(
        f"{folder / RESULTS}: of the study with hash {told.hash[:12]}; {'; '.join(looked)}: it, or a file it names, is another than the report was made from"
    )


def _differences(told: Told, results: bytes, here: str) -> Iterator[str]:
    """What is not the same, and how much of it."""
    found = list(_unlike(told.document, json.loads(results), ""))
    if not found:
        yield f"not the same: sha256 {told.sha256} in the report, {here} here; every figure is the same, the file is written otherwise"
        return
    yield f"not the same: sha256 {told.sha256} in the report, {here} here; {count(len(found), 'figure')} differ{'s' if len(found) == 1 else ''}"
    yield from islice(found, SHOWN)
    if len(found) > SHOWN:
        yield f"… and {len(found) - SHOWN} more"


def _unlike(there: object, here: object, path: str) -> Iterator[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted({*there, *here}):
            yield from _unlike(there.get(key, _GONE), here.get(key, _GONE), f"{path}.{key}" if path else key)
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for place, (one, other) in enumerate(zip(there, here, strict=True)):
            yield from _unlike(one, other, f"{path}[{place}]")
    elif there != here or type(there) is not type(here):
        yield f"  {path}: {_short(there)} in the report, {_short(here)} here"


def _short(value: object) -> str:
    from amo_opt.config.wording import shown

    if value is _GONE:
        return "not there"
    return f"{len(value)} of them" if isinstance(value, dict | list) else shown(value)
