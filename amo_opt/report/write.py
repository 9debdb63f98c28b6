"""A report on disk: replaced whole or not at all."""

from __future__ import annotations

import ctypes
import glob
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.errors import StorageError
from amo_opt.onchain.execution_record import FILE as EXECUTION
from amo_opt.onchain.execution_record import SCHEMA, Record, read_record
from amo_opt.search.unfinished import unfinished

if TYPE_CHECKING:
    from amo_opt.report.account import Account
    from amo_opt.search.result import Result

FILES = (
    "proposal.md",
    "appendix.md",
    "report.html",
    "results.json",
    "parameters.toml",
    "trials.csv",
    "monitor.json",
    EXECUTION,
    "safe-batch.json",
    "safe-batch-revert.json",
    *(f"{stem}{end}" for stem in ("ramp", "ramp-stop", "dao", "dao-revert") for end in ("-actions.txt", "-evmscript.txt")),
    "ramp-batch.json",
    "ramp-stop-batch.json",
    *(f"{stem}-propose.txt" for stem in ("ramp", "ramp-stop", "governor", "governor-revert")),
)
"""Everything a report folder may hold; a folder with anything else is not ours to replace."""


def report_files(result: Result, record: Record | None = None) -> dict[str, bytes]:
    """Every file of the report by name: a function of the result, what was executed of its payloads, the installed versions and SOURCE_DATE_EPOCH, of nothing else.

    The Safe batches are among them only where something is recommended that a Safe can execute, and nothing stands in its way (section 13).
    """
    from amo_opt.report.account import Account
    from amo_opt.report.figures import draw_all
    from amo_opt.report.monitor import monitor_json
    from amo_opt.report.pages import appendix, proposal_md, report_html
    from amo_opt.report.plain_files import parameters_toml, trials_csv

    account = Account(result, record)
    whole = appendix(account)
    texts = {
        "proposal.md": proposal_md(account, whole),
        "appendix.md": whole.text,
        "report.html": report_html(account, draw_all(account)),
        "results.json": account.results,
        "parameters.toml": parameters_toml(result),
        "trials.csv": trials_csv(result),
        "monitor.json": monitor_json(account),
    }
    return {name: text.encode() for name, text in {**texts, **batch_files(account)}.items()}


def batch_files(account: Account) -> dict[str, str]:
    """The payloads by file name, the Safe's batches first, and what was executed of them; empty where section 13 says why there is none."""
    from amo_opt.onchain.safe_batch import file_text
    from amo_opt.report.sections.execution import BATCH, REVERT

    batches = {BATCH: account.execution.batch, REVERT: account.execution.revert}
    files = {name: file_text(batch) for name, batch in batches.items() if batch is not None}
    if account.execution.runs:
        files[EXECUTION] = Record(SCHEMA, account.execution.runs).text
    for payload in account.execution.payloads:
        files |= payload.files
    return files


def check_folder(folder: Path) -> None:
    """Raises `StorageError` unless a report may be written to ``folder``: it is absent, empty, or holds a report and nothing else; `AmoOptError` for a damaged record in it.

    Worth calling before a long run: a report replaces its folder whole, and must never sweep away what somebody else put there.
    """
    folder = _resolved(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise StorageError(f"{folder.name} is a file, and a report is a folder: name another one with --out")
    foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in FILES or entry.is_dir())
    if foreign:
        raise StorageError(
            f"the folder {folder.name} holds {foreign[0]}, which no report contains: empty it or name another one with --out"
        )
    read_record(folder / EXECUTION)


def write_report(result: Result, folder: str | os.PathLike[str]) -> Path:
    """Writes the report of ``result`` and returns its folder.

    All files are made first, written to a new sibling folder, flushed to disk, and put in place by one rename; where a report stands
    already the two folders change places in one step. A run killed at any moment leaves the old report or the new one. What `execution.json` of the old one says of
    the payloads of the new one, byte for byte, is kept and told.

    Raises `StorageError` where the folder cannot be written or holds something that is not a report.
    """
    folder = Path(folder)
    check_folder(folder)
    files = report_files(result, read_record(folder / EXECUTION))
    target = _resolved(folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _restore_aside(target)
        with unfinished(target) as fresh:
            for name, content in files.items():
                _write_through(fresh / name, content)
            _flush_folder(fresh)
            _swap(fresh, target)
            _flush_folder(target.parent)
    except OSError as error:
        raise StorageError(
            f"the report could not be written to {folder}: {error.strerror or error}; name another folder with --out"
        ) from error
    return folder


def _resolved(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Names on disk too; a system without folder handles (Windows) does so by itself."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _swap(fresh: Path, target: Path) -> None:
    """Puts ``fresh`` at ``target``. What stood there is at ``fresh`` afterwards, or gone."""
    if not target.exists():
        fresh.rename(target)
    elif not _exchange(fresh, target):
        # Without an exchange in one step the old report steps aside first, and returns if the new one cannot take its place.
        aside = fresh.with_suffix(".old")
        target.rename(aside)
        try:
            fresh.rename(target)
        except OSError:
            aside.rename(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchanges two names in one step (renameat2 with RENAME_EXCHANGE); False where the system cannot."""
    at_working_folder, exchange = -100, 2
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return bool(rename(at_working_folder, os.fsencode(one), at_working_folder, os.fsencode(other), exchange) == 0)


def _restore_aside(target: Path) -> None:
    """Puts an old report back that a killed run left aside."""
    for entry in target.parent.glob(f".{glob.escape(target.name)}.*.old"):
        if target.exists():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.rename(target)
