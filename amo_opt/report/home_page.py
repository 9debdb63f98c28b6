"""A home page of the reports in a folder: what each found, its verdict and warnings, and where it is. One file, no script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from amo_opt.config.wording import shown
from amo_opt.errors import AmoOptError
from amo_opt.files import read_file, write_whole
from amo_opt.report.results_json import MOST_BYTES, SCHEMA
from amo_opt.report.wording import SHAPES
from amo_opt.wording import clean, named

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "index.html"
MARK = '<meta name="generator" content="amo-opt index">'
"""What tells a page of ours from one that is not ours to replace."""
_PAGE_BYTES = 16 * 1024 * 1024
_STYLE = (
    ":root{color-scheme:light}body{margin:0 auto;max-width:76rem;padding:24px;color:#22272b;background:#fff;font:15px/22px 'Helvetica Neue',Arial,sans-serif;"
    "font-variant-numeric:tabular-nums}h1{font-size:26px;line-height:32px}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:8px 16px 8px 0;border-top:1px solid #d5d9dd}th{font-weight:400;color:#5b6167}"
    "a{color:#0072b2;font-weight:700}.warning{color:#b84f00;display:block;white-space:nowrap}.verdict,.date{white-space:nowrap}.soft{color:#5b6167}"
    "@media(max-width:700px){thead{display:none}td{display:block;border:0;padding:2px 0}tr{display:block;border-top:1px solid #d5d9dd;padding:8px 0}}"
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One report: its folder's name, and what results.json says of it."""

    folder: str
    title: str
    verdict: str
    date: str
    study: str
    hash: str
    quick: bool
    warnings: tuple[str, ...]


def write_home_page(folder: Path) -> tuple[Path, tuple[Entry, ...], tuple[str, ...]]:
    """Writes ``index.html`` into ``folder``: the page, the reports on it, the newest state first, and a line for each that cannot be read.

    Raises `AmoOptError` where there is no report, where the folder is one itself, or where an ``index.html`` stands that is not ours.
    """
    if not folder.is_dir():
        raise AmoOptError(f"{folder}: no such folder")
    if (folder / "results.json").exists():
        raise AmoOptError(f"{folder} is a report itself; name the folder that holds it")
    page = folder / PAGE
    if page.exists() and MARK.encode() not in _read(page, _PAGE_BYTES):
        raise AmoOptError(f"{page} was not written by `amo-opt index`: remove it or name another folder")
    entries, damaged = [], []
    for each in sorted(folder.iterdir()):
        if each.name.startswith(".") or not any((each / name).exists() for name in ("results.json", "report.html")):
            continue
        try:
            entries.append(_entry(each))
        except AmoOptError as error:
            damaged.append(f"{each.name}: {error}")
    if not entries and not damaged:
        raise AmoOptError(f"{folder} holds no report: `amo-opt run STUDY.toml --out {folder / 'NAME'}` writes one there")
    entries.sort(key=lambda each: each.date, reverse=True)  # of one date in the order of their folders
    write_whole(page, _html(entries, damaged))
    return page, tuple(entries), tuple(damaged)


def _read(file: Path, most: int) -> bytes:
    try:
        return read_file(file, most=most)
    except OSError as error:
        raise AmoOptError(f"{file.name} cannot be read ({error.strerror or error})") from error


def _entry(folder: Path) -> Entry:
    """Raises `AmoOptError` with the one thing that is wrong."""
    try:
        document = json.loads(_read(folder / "results.json", MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise AmoOptError("results.json is not JSON") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise AmoOptError(f"results.json: schema: found {'nothing' if schema is None else shown(schema)}; allowed: {SCHEMA}")
    try:
        study, finding = document["study"], document["finding"]
        found = Entry(
            folder=folder.name,
            title=_text(finding["title"]),
            verdict=_text(document["verdict"]["outcome"]),
            date=_text(finding["state_date"]),
            study=_text(study["name"]),
            hash=_text(study["hash"]),
            quick=study.get("quick") is True,
            warnings=tuple(map(_text, finding["warnings"])),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise AmoOptError(f"results.json lacks its finding ({error}): `amo-opt report STUDY.toml` writes it again") from error
    if not (folder / "report.html").is_file():
        raise AmoOptError("report.html is missing")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"found {shown(value)} for a text")
    return clean(" ".join(value.split()))


def _html(entries: list[Entry], damaged: list[str]) -> str:
    rows = "\n".join(map(_row, entries))
    broken = "".join(f"<li>{escape(clean(each))}</li>" for each in damaged)
    unread = f"\n<h2>Not readable</h2>\n<ul>{broken}</ul>" if damaged else ""
    heads = "".join(f'<th scope="col">{each}</th>' for each in ("Finding", "Verdict", "Warnings", "State of", "Study"))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n{MARK}\n'
        f"<title>amo-opt reports</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Reports</h1>\n"
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>{unread}\n</body>\n</html>\n"
    )


def _row(entry: Entry) -> str:
    told = f"{SHAPES.get(entry.verdict.upper(), '')} {entry.verdict}".strip()
    warnings = "".join(f'<span class="warning">{SHAPES.get(each, "▼")} {escape(each)}</span>' for each in entry.warnings)
    return (
        f'<tr><td><a href="{escape(quote(entry.folder), quote=True)}/report.html">{escape(entry.title)}</a></td>'
        f'<td class="verdict">{escape(told)}</td><td>{warnings or "none"}</td><td class="date">{escape(entry.date)}</td>'
        f'<td>{escape(named(entry.study))}<br><span class="soft">{escape(entry.folder)} · {escape(entry.hash[:12])}</span></td></tr>'
    )
