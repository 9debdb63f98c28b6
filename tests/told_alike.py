"""One verdict read out of every place of a report that tells it: proposal, appendix with its box and its limits, page, results.json and terminal."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

UNITS = {"bp": 1.0, "%": 0.01, "": 1.0, "USD·h": 1.0, "k USD·h": 1e3, "m USD·h": 1e6, "bn USD·h": 1e9}
BINDING = re.compile(
    r"what binds it there is (?P<limit>[^:]+): (?P<value>[\d,.]+)(?P<unit>%| [a-zA-Z]+(?: ?USD)?·?h?)?"
    r"(?: \(95% bound (?P<bound>[\d,.]+)\))? against (?P<side>at most|at least) (?P<allowed>[\d,.]+)"
)
PATHS = re.compile(r"(?:(?P<search>the search's) )?(?P<n>[\d,]+) paths?(?: (?P<stream>[AB]))?")


@dataclass(frozen=True)
class Told:
    """What one place says: the outcome's word and the sentence after it."""

    word: str
    sentence: str


def _plain(text: str) -> str:
    """The text of a page or of Markdown, without markup and escapes."""
    return unescape(re.sub(r"\\(?=[\\_*\[\]|<>#])", "", re.sub(r"<[^>]+>", "", text)))


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return _plain(found[1])


def places(folder: Path, terminal: str) -> dict[str, Told]:
    """Every place that tells the verdict, by name: the chip opens proposal and page, the sentence stands in the appendix's box, above the limits and on the terminal."""
    proposal, appendix, page = ((folder / name).read_text(encoding="utf-8") for name in ("proposal.md", "appendix.md", "report.html"))
    found = {
        "box, appendix.md": _first(r"\*\*Verdict:\*\* ([^\n]+)", appendix),
        "evidence, appendix.md": _first(r"cannot prove it\. ([^\n]+?) Current set: ", appendix.split("\n## Every limit")[0]),
        "limits, appendix.md": _first(r"cannot prove it\. ([^\n]+?) Current set: ", appendix.split("\n## Every limit")[1]),
        "limits, report.html": _first(r"cannot prove it\. ([^\n]+?) Current set: ", page),
        "terminal": next(line for line in terminal.splitlines() if re.match(r"(infeasible|undecidable|no change|recommended): ", line)),
    }
    told = {name: Told(*text.split(": ", 1)) for name, text in found.items()}
    chips = {
        "chip, proposal.md": _first(r"\n## Summary\n\n(\*\*. [A-Z ]+\*\*)", proposal),
        "chip, appendix.md": _first(r"\n(\*\*. [A-Z ]+\*\*)", appendix),
        "chip, report.html": _first(r'<span class="verdict">([^<]+)</span>', page),
    }
    return told | {name: Told(re.sub(r"[^A-Z ]", "", chip).strip(), "") for name, chip in chips.items()}


def agree(folder: Path, terminal: str) -> dict[str, Any]:
    """The verdict of results.json, which every other place tells alike: outcome, paths, set, and the limit that binds with its figures."""
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    verdict: dict[str, Any] = document["verdict"]
    told = places(folder, terminal)
    sentences = {name: each.sentence for name, each in told.items() if each.sentence}
    core = min(sentences.values(), key=len)
    for name, each in told.items():
        assert each.word.lower() == verdict["outcome"], name
        assert not each.sentence or core.lower() in each.sentence.lower(), (name, core, each.sentence)
    _same_paths(core, verdict)
    binding = verdict["binding_constraint"]
    if verdict["outcome"] == "infeasible":
        assert binding["set"].replace("current", "the current set") in core.lower()
        for name, sentence in sentences.items():
            _same_binding(name, sentence, binding)
    elif binding is not None and verdict["outcome"] != "undecidable":
        _in_the_table(folder, binding, verdict)
    _same_counts(folder, document)
    return verdict


def _same_paths(sentence: str, verdict: dict[str, Any]) -> None:
    decided = verdict["decided_on"]
    counted = [
        ("search" if each["search"] else each["stream"], int(each["n"].replace(",", "")))
        for each in PATHS.finditer(sentence)
        if each["search"] or each["stream"]
    ]
    if counted:
        n = decided["paths_per_scenario"] if verdict["outcome"] == "undecidable" else decided["paths"]
        assert (decided["stream"], n) in counted, sentence


def _same_binding(name: str, sentence: str, binding: dict[str, Any]) -> None:
    found = BINDING.search(sentence)
    assert found is not None, (name, sentence)
    unit = UNITS[(found["unit"] or "").strip()]
    assert (found["side"] == "at least") == binding["at_least"], name
    assert (binding["scenario"] is None) == (" in " not in found["limit"]), name
    assert binding["scenario"] is None or found["limit"].endswith(f" in {binding['scenario']}"), name
    end = None if binding["interval"] is None else binding["interval"][0 if binding["at_least"] else 1]
    figures = [(found["value"], binding["value"]), (found["allowed"], binding["limit"])]
    if found["bound"]:
        figures.append((found["bound"], end))
    for text, value in figures:
        digits = len(text.partition(".")[2])
        assert abs(float(text.replace(",", "")) - value / unit) <= 0.5000001 * 10.0**-digits, (name, text, value)


def _in_the_table(folder: Path, binding: dict[str, Any], verdict: dict[str, Any]) -> None:
    """The nearest limit is a row of the appendix, kept, with that end and under the set the ruling names."""
    from amo_opt.report.wording import constraint_title

    text = (folder / "appendix.md").read_text(encoding="utf-8").split("## Every limit")[1]
    assert f"The table is of {binding['stream']} paths." in text
    rows = [[_plain(cell).strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    row = next(row for row in rows if row[0] == constraint_title(binding["constraint"]) and row[1] == (binding["scenario"] or "any"))
    column = 5 if verdict["outcome"] == "recommended" else 3
    assert row[column + 1].split()[-1] == ("KEPT" if binding["satisfied"] else "BROKEN" if binding["decidable"] else "UNDECIDED")


def _same_counts(folder: Path, document: dict[str, Any]) -> None:
    """How many limits the current set keeps, in the appendix's box and above every table of limits; and, on the first screen and in the proposal, the set that would be in force."""
    by_role = {each["role"]: each for each in document["candidates"]}
    current = by_role["current"]
    limits = current["constraints"].values()
    whole = all(each["satisfied"] for each in limits)
    proposal, appendix, page = ((folder / name).read_text(encoding="utf-8") for name in ("proposal.md", "appendix.md", "report.html"))
    for name, text, times in (("appendix.md", appendix, 3), ("report.html", page, 1)):
        said = re.findall(r"(?:Current set|\*\*If nothing is done:\*\* [^\n]+; limits): ([^;.]+)", text)
        assert len(said) == times, (name, said)
        for each in said:
            on_holdout = next(part for part in re.split(r", (?=\d|all)", each) if re.search(rf"{current['certified_on']} paths$", part))
            assert (on_holdout.startswith(f"all {len(limits)} kept")) == whole, (name, each)
    shown = by_role["recommended"] if document["verdict"]["outcome"] == "recommended" else current
    kept, total = sum(each["satisfied"] for each in shown["constraints"].values()), len(shown["constraints"])
    for name, text in (("proposal.md", proposal), ("report.html", page)):
        assert f"{kept} of {total} kept at the cautious bound" in _plain(text), name
