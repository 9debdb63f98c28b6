"""The text to post: short enough to be read, whole, and every number of its finding is one of results.json."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt
from odd import ODD, TAIL, VERDICTS, hostile, with_a_run

from amo_opt.config.load import load_study
from amo_opt.report import report_files
from amo_opt.report.account import Account
from amo_opt.report.labels import plain_title, sentence
from amo_opt.report.pages import appendix, proposal_md
from amo_opt.report.proposal import MOST_WORDS, words_of
from amo_opt.report.results_json import results_json
from amo_opt.report.sets import subject_of
from amo_opt.report.wording import metric_of
from amo_opt.search.optimise import restore
from amo_opt.search.ruling import Objection

if TYPE_CHECKING:
    from amo_opt.search.result import Result

ROOT = Path(__file__).parents[2]
WORKED = sorted(path.stem for path in (ROOT / "studies").glob("*.toml"))
SECTIONS = (
    "Summary",
    "Why now",
    "Change",
    "Benefit",
    "Risks",
    "How far to trust this",
    "Execution",
    "Rollback and monitoring",
    "Next steps",
    "Disclosure",
)
BROKEN = re.compile(r"\bNone\b|\b[Nn]a[Nn]\b|\b[Ii]nf(?:inity)?\b|\{\{|\{%|\bundefined\b|\(\)| [,;:]|(?<!\.)\.\.(?!\.)|[−+]{2}|<[a-z/]")
FACTOR = {"": 1.0, "k": 1e3, "m": 1e6, "bn": 1e9}
SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SIGNED = r"([−+]?\d[\d,]*(?:\.\d+)?)"
AMOUNT = SIGNED + r"(k|m|bn)? [A-Z]{3}"


@pytest.fixture(scope="module", params=[*VERDICTS, *ODD, "too few paths"])
def facts(request, make_result) -> Account:
    """Of every verdict and every odd study."""
    name = request.param
    result = (
        request.getfixturevalue("blind") if name == "too few paths" else make_result(name) if name in VERDICTS else ODD[name](make_result)
    )
    return Account(result)


def test_it_is_short_enough_to_be_read(facts):
    """At most 1,200 words whichever way they are counted, marks of tables included."""
    text = proposal_md(facts)
    assert 200 < words_of(text) <= MOST_WORDS == 1200
    assert len(text.split()) <= MOST_WORDS


def test_every_section_stands_in_its_order_and_says_something(facts):
    """All ten; where nothing is recommended what was weighed takes the place of the change, and where nothing was weighed it is gone."""
    text = proposal_md(facts)
    assert text.startswith(f"# [PARAM] {facts.first.title}".replace("<", "\\<"))
    found = re.findall(r"^## (.+)$", text, re.MULTILINE)
    change = (
        "Change"
        if facts.first.recommended
        else f"What was weighed against today’s set: {facts.first.option}"
        if facts.first.changes
        else None
    )
    assert found == [change if name == "Change" else name for name in SECTIONS if name != "Change" or change]
    assert all(len(body.split()) >= 3 for body in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])


def test_no_sentence_is_broken(facts):
    """No value that was not there, no bracket of a template, no empty bullet, no trial's number: those stand in the appendix and in results.json."""
    text = proposal_md(facts)
    for line in text.splitlines():
        assert BROKEN.search(line) is None, line
        assert line.strip() not in ("-", "–", "- –"), line
    assert not re.search(r"\btrial-\d", text)
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    assert rendered.count("<table>") == len(re.findall(r"^\|:?-[-:|]+\|$", text, re.MULTILINE))
    assert "<p>|" not in rendered


def test_what_it_points_to_is_there(facts):
    """Every part of the appendix that it names exists, and files it names are in the report."""
    text, parts = proposal_md(facts), appendix(facts).parts
    numbers = {int(each) for place in re.findall(r"\(appendix ([\d and]+)\)", text) for each in re.findall(r"\d+", place)}
    assert numbers
    assert numbers <= set(range(1, len(parts) + 1))
    assert "`monitor.json`" in text
    assert ("`safe-batch.json`" in text) == (facts.execution.batch is not None)
    assert ("`safe-batch-revert.json`" in text) == (facts.execution.revert is not None)


def test_it_says_what_the_first_screen_says(facts):
    """Title, what is asked, for and against, the state of both tiles and how far to trust it: word for word."""
    plain = re.sub(r"\\(?=[\\_*\[\]|<>#~`])", "", proposal_md(facts)).replace("**", "")
    first = facts.first
    for said in (first.title, "".join(first.ask), *first.pros, *first.cons, *(each.finding for each in first.trust)):
        assert said in plain, said
    for tile in (first.yields, first.peg):
        assert f"| {tile.state[0]} {tile.state[1]} |" in plain
    assert f"Limits of {first.limits.of}: {first.limits.kept} of {first.limits.total} kept" in plain


def test_many_changes_are_counted_and_the_first_of_them_told(make_result):
    """Whatever a set changes, the table is as long as a screen; the rest stands in the appendix."""
    result = make_result()
    chosen = result.study.current.replace(
        name="trial-17", **{name: value * 0.97 for name, value in result.study.current.values().items() if 0.0 < value < 1.0}
    )
    candidates = tuple(replace(each, parameters=chosen) if each.role == "recommended" else each for each in result.candidates)
    facts = Account(replace(result, recommended=chosen, candidates=candidates))
    text = proposal_md(facts)
    rows = text.split("## Change")[1].split("## Benefit")[0].count("| `") or len(re.findall(r"^\| .* `\w[\w.-]*` \|", text, re.MULTILINE))
    assert len(facts.first.changes) > 12
    assert rows == 12
    assert f"{len(facts.first.changes) - 12} more parameters change too." in text
    assert len(text.split()) <= MOST_WORDS


def test_names_of_others_are_text(make_result):
    """A study, a scenario, notes and an assumption that are named like markup stay what they are called."""
    for verdict in VERDICTS:
        text = proposal_md(Account(with_a_run(hostile(make_result(verdict)))))
        rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
        assert "<script" not in rendered
        assert 'href="javascript' not in rendered
        assert "alert(&quot;x&quot;)" in rendered
        assert len(text.split()) <= MOST_WORDS


# -- numbers ---------------------------------------------------------------------------------------------------------------------------


def _number(text: str, suffix: str | None = "") -> tuple[float, float]:
    """What a number says, and half a unit of its last digit."""
    plain = text.replace(",", "").replace("−", "-")
    factor = FACTOR[suffix or ""]
    return float(plain) * factor, 0.5000001 * factor * 10.0 ** -len(plain.partition(".")[2])


def _is(said: tuple[str, str | None], value: float) -> bool:
    told, half = _number(*said)
    return abs(told - value) <= half + 1e-9 * abs(value)


class _Document:
    """results.json with what the yield is over, collateral and what borrowers owe: where every number of the finding must come from. Of a difference it holds the figure, ends stand in the result's pairs."""

    def __init__(self, result: Result) -> None:
        self.document: dict[str, Any] = json.loads(results_json(result))
        self.result, self.subject = result, subject_of(result)
        self.collateral = result.study.state.cover_usd
        by_id = {each["id"]: each for each in self.document["candidates"]}
        self.now = by_id["current"]
        self.then = None if self.subject.other is None else by_id[self.subject.other.id]
        self.shown = self.then if result.verdict == "recommended" else self.now

    def of(self, metric: str, *, then: bool = False) -> float:
        found = self.then if then else self.now
        assert found is not None
        value: float = found["certified"][metric]["value"]
        return value

    def gained(self, metric: str) -> tuple[float, float, float]:
        """The difference, which is the one of the two figures of results.json, and its ends."""
        row = next(each for each in self.subject.paired if each.metric == metric and each.scenario is None)
        difference = self.of(metric, then=True) - self.of(metric)
        assert row.difference.value == pytest.approx(difference, rel=1e-6, abs=1e-9)
        return difference, row.difference.low, row.difference.high

    def kept(self) -> tuple[int, int]:
        limits = self.shown["constraints"].values()
        return sum(each["satisfied"] for each in limits), len(limits)

    def once_in(self) -> float:
        worst = self.document["worst_paths"][0]
        parts = self.document["risk_parts"][worst["candidate"]]
        chance: float = next(
            each["chance"]["value"] for each in parts if each["scenario"] == worst["scenario"] and each["part"] == "events"
        )
        return float(f"{1.0 / chance:.2g}")


def _table(text: str) -> dict[str, list[str]]:
    rows = text.split("## Benefit\n")[1].split("\n## ", maxsplit=1)[0].splitlines()
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows if row.startswith("| ")]
    return {row[0]: row[1:] for row in cells if row[0]}


def check_table(result: Result) -> None:
    """Yield and peg risk of either set, the amount, the difference with both ends, what is allowed and n: against results.json."""
    found, text = _Document(result), proposal_md(Account(result))
    table, study = _table(text), result.study
    for place in range(1 if found.then is None else 2):
        said = re.fullmatch(rf"{SIGNED}%, {AMOUNT} a year", table["Yield"][place])
        value = found.of("yield", then=bool(place))
        assert said, table
        assert _is((said[1], ""), 100.0 * value)
        assert _is((said[2], said[3]), value * found.collateral)
        said = re.fullmatch(rf"{SIGNED} bp(?: = {SIGNED} everyday \+ {SIGNED} in rare events)?", table["Peg risk"][place])
        assert said, table
        assert _is((said[1], ""), found.of("peg_cvar95_bps", then=bool(place)))
        if said[2]:
            parts = found.document["risk_parts"][(found.then if place else found.now)["id"]]
            assert _is((said[3], ""), math.fsum(each["contribution_bps"]["value"] for each in parts if each["part"] == "events"))
            assert _number(said[2])[0] + _number(said[3])[0] == pytest.approx(_number(said[1])[0])
    for row, metric, unit, factor, allowed in (
        ("Yield", "yield", "points", 100.0, -100.0 * study.certification.tolerance_yield),
        ("Peg risk", "peg_cvar95_bps", "bp", 1.0, study.certification.tolerance_peg_bps),
    ):
        if found.then is None:
            assert table[row][2] == "–"
            continue
        said = re.fullmatch(
            rf"{SIGNED} {unit} \(95% interval (?:not known|{SIGNED} to {SIGNED}); allowed {SIGNED}; n = ([\d,]+)\)", table[row][2]
        )
        assert said, table
        value, low, high = found.gained(metric)
        assert _is((said[1], ""), factor * value)
        assert (said[2] is None) == math.isinf(low)
        if said[2]:
            assert _is((said[2], ""), factor * low)
            assert _is((said[3], ""), factor * high)
        assert _is((said[4], ""), allowed)
        assert int(said[5].replace(",", "")) == found.now["certified"][metric]["n"]
    assert "Limits of {}: {} of {} kept".format("Option B" if result.verdict == "recommended" else "today’s set", *found.kept()) in text


def check_lines(result: Result) -> list[str]:
    """Every line for and against is of a known kind, and each of its numbers is the figure it says it is; gives the kinds that were met."""
    found, first = _Document(result), Account(result).first
    met = []

    def against(*pairs: tuple[tuple[str, str | None], float]) -> bool:
        return all(_is(said, value) for said, value in pairs)

    def counted(word: str, number: int) -> bool:
        return word == (SMALL[number] if number < len(SMALL) else f"{number:,}")

    def gain(metric: str, place: int, factor: float = 1.0) -> float:
        return factor * found.gained(metric)[place]

    def doubt() -> dict[str, Any]:
        document: dict[str, Any] = found.document["doubt"]
        return document

    def objection() -> dict[str, Any]:
        document: dict[str, Any] = found.then["objection"] if found.then else {}
        return document

    def moved(title: str) -> tuple[float, float]:
        """Now and then of the metric that is called so."""
        names = [name for name in found.now["certified"] if sentence(plain_title(name, metric_of(name, first.account).title)) == title]
        return found.of(names[0]), found.of(names[0], then=True)

    def beyond() -> float:
        """What an objection's difference may come to on its bad side."""
        told = objection()
        return float(told["difference"]["interval"][0 if metric_of(told["metric"], first.account).better > 0 else 1])

    def all_told(text: str, told: dict[str, Any]) -> bool:
        """Every number of the sentence is one of the objection's figures, in one of the scales that figures are told in."""
        text = text.replace(told["scenario"] or "\0", "")
        estimate = told["estimate"] or {}
        pool = [told["bound"], told["value"], *(estimate.get("interval") or ()), estimate.get("value"), estimate.get("limit")]
        figures = [value * scale for value in pool if value is not None for scale in (1.0, 100.0, 1e-3, 1e-6, 1e-9)]
        return all(any(_is((said, ""), value) for value in figures) for said in re.findall(SIGNED, text))

    coll, earned, peg = found.collateral, "yield", "peg_cvar95_bps"
    kinds: dict[str, Any] = {
        rf"{AMOUNT} more a year, and at least {AMOUNT}, on the same collateral(?: and loans)?\.": lambda a, b, c, d: against(
            ((a, b), gain(earned, 0, coll)), ((c, d), gain(earned, 1, coll))
        ),
        rf"Peg risk rises by {SIGNED} bp, at most {SIGNED}, where {SIGNED} are allowed\.": lambda a, b, c: against(
            ((a, ""), gain(peg, 0)), ((b, ""), gain(peg, 2)), ((c, ""), result.study.certification.tolerance_peg_bps)
        ),
        rf"Peg risk falls by {SIGNED} bp, at least {SIGNED}\.": lambda a, b: against(((a, ""), -gain(peg, 0)), ((b, ""), -gain(peg, 2))),
        rf"Peg risk stays as it is, within {SIGNED} bp, where {SIGNED} are allowed\.": lambda a, b: (
            max(abs(gain(peg, 1)), abs(gain(peg, 2))) < _number(a)[0] and against(((b, ""), result.study.certification.tolerance_peg_bps))
        ),
        r"All ([\d,]+) limits hold at their cautious bounds\.": lambda a: found.kept() == (int(a), int(a)),
        r"([\d,]+) of ([\d,]+) limits hold at their cautious bounds\.": lambda a, b: found.kept() == (int(a), int(b)),
        r"All ([\d,]+) limits hold today at their cautious bounds, in ([\w,]+) scenarios\.": lambda a, b: (
            found.kept() == (int(a), int(a)) and counted(b, len(found.document["scenarios"]))
        ),
        r"All (\S+) sets one step away keep every limit that it keeps\.": lambda a: (
            counted(a, len(found.document["neighbours"])) and all(each["feasible"] for each in found.document["neighbours"])
        ),
        rf"The best alternative, Option B, may move .+ by {SIGNED}(%| [^,]+)?, where {SIGNED}(%| .+)? is allowed(?: \(on selection paths\))?\.": lambda a, b, c, d: (
            b == d
            and any(
                against(((a, ""), scale * beyond()), ((c, ""), scale * objection()["bound"] * math.copysign(1.0, beyond())))
                for scale in (1.0, 100.0, 1e4)
            )
        ),
        r"The best alternative, Option B, (?!may move)(.*\d.*)\.": lambda a: all_told(a, objection()),
        r"The best alternative, Option B, [^\d]+\.": lambda: objection()["kind"] in ("no gain", "undecided", "not known"),
        r"The search found nothing that does better than the set in force\.": lambda: found.then is None,
        r"There is nothing to execute, and nothing to roll back\.": lambda: result.verdict != "recommended",
        rf"Chosen in {SIGNED}%(?: \({SIGNED} to {SIGNED}\))? of (\d+) joint draws of what is assumed; {SIGNED}% must be shown\.": lambda a, b, c, d, e: (
            against(
                ((a, ""), 100.0 * doubt()["share"]["value"]),
                ((b, ""), 100.0 * doubt()["share"]["interval"][0]),
                ((c, ""), 100.0 * doubt()["share"]["interval"][1]),
                ((e, ""), 100.0 * doubt()["robust_share"]),
            )
            and int(d) == doubt()["share"]["n"]
        ),
        rf"(.+) (?:rises|falls) from {SIGNED} to {SIGNED}( .*|%.*)?\.": lambda title, a, b, unit: any(
            against(((a, ""), moved(title)[0] * scale), ((b, ""), moved(title)[1] * scale)) for scale in (1.0, 100.0, 1e-3, 1e-6, 1e-9)
        ),
        rf"(?:Neither set is|Today’s set is not) run-proof: (?:1 in|the worst of) ([\d,]+) paths of “.+” falls to {SIGNED} [A-Z]+\.": lambda a, b: (
            int(a.replace(",", ""))
            in (found.once_in() if "1 in" in line else 0, found.document["verdict"]["decided_on"]["paths_per_scenario"])
            and abs(_number(b)[0] - found.document["worst_paths"][0]["min_price"]) < 0.05 * _number(b)[0]
        ),
        rf"{AMOUNT} less is kept free for those who redeem\.": lambda a, b: against(
            ((a, b), coll * (found.now["parameters"]["idle_buffer"] - found.then["parameters"]["idle_buffer"]))  # type: ignore[index]
        ),
        rf"The gain is {SIGNED}% of what is earned today\.": lambda a: against(((a, ""), 100.0 * gain(earned, 0) / found.of(earned))),
        r"The model misses (\d+) of (\d+) figures of replayed episodes\.": lambda a, b: (
            (int(a), int(b))
            == (
                sum(not each["met"] for episode in found.document["episodes"] for each in episode["criteria"]),
                sum(len(episode["criteria"]) for episode in found.document["episodes"]),
            )
        ),
        r"No recorded episode of this protocol was replayed\.": lambda: not any(each["criteria"] for each in found.document["episodes"]),
        r"Today’s set breaks (\d+) of (\d+) limits at the cautious bound\.": lambda a, b: found.kept() == (int(b) - int(a), int(b)),
        rf"Option B would earn {AMOUNT} more a year \({AMOUNT} to {AMOUNT}\)\.": lambda a, b, c, d, e, f: against(
            ((a, b), gain(earned, 0, coll)), ((c, d), gain(earned, 1, coll)), ((e, f), gain(earned, 2, coll))
        ),
        rf"Option B would lower peg risk by {SIGNED} bp, at least {SIGNED}\.": lambda a, b: against(
            ((a, ""), -gain(peg, 0)), ((b, ""), -gain(peg, 2))
        ),
        r"Rare events decide the peg figure, and the paths hold too few of them\.": lambda: not found.document["tails_agree"],
    }
    for line in (*first.pros, *first.cons):
        kind, said = next(((kind, said) for kind in kinds if (said := re.fullmatch(kind, line))), (None, None))
        assert kind is not None, f"a line of no known kind: {line}"
        assert kinds[kind](*said.groups()), line
        met.append(kind)
    return met


@pytest.mark.parametrize("name", [*VERDICTS, *ODD])
def test_numbers_of_the_finding_are_those_of_results_json(make_result, name):
    """The table of the benefit and every line for and against: rounded from results.json, amounts times the collateral of the state."""
    result = make_result(name) if name in VERDICTS else ODD[name](make_result)
    check_table(result)
    assert check_lines(result)


def test_lines_that_few_results_have_are_checked_too(make_result, met, missed):
    """Neighbours that all keep every limit, an assumption-sensitive verdict, a drawback, an episode that is missed, a tolerance that is not kept."""
    result = make_result()
    safe = tuple(replace(each, feasible=True, objection=None) for each in result.neighbours)
    lost = replace(result.doubt, share=replace(result.doubt.share, value=0.4, low=0.3, high=0.5))
    kinds = check_lines(replace(result, neighbours=safe, doubt=lost, episodes=(met, missed)))
    assert any("one step away" in each for each in kinds) or len(kinds) >= 5
    assert any("joint draws" in each for each in kinds)
    assert any("replayed episodes" in each for each in check_lines(replace(result, neighbours=safe, episodes=(met, missed))))
    nothing = make_result("no change")
    refused = Objection(
        kind="tolerance", stream="holdout", metric="peg_cvar95_bps", interval=replace(TAIL, value=1.9, low=1.5, high=2.3), bound=2.0
    )
    candidates = (nothing.candidates[0], replace(nothing.candidates[1], objection=refused), *nothing.candidates[2:])
    assert any("is allowed" in each for each in check_lines(replace(nothing, candidates=candidates)))


# -- what is committed, and the worked records -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((ROOT / "reports").glob("*/proposal.md")), ids=lambda path: path.parent.name)
def test_committed_proposals_are_short_enough(path):
    """Those that are written in this form, which opens with its title and a summary."""
    text = path.read_text(encoding="utf-8")
    if not (text.startswith("# [PARAM]") and "## Summary" in text):
        pytest.skip("a proposal of the earlier form")
    assert len(text.split()) <= MOST_WORDS
    assert words_of(text) <= MOST_WORDS
    assert [each for each in re.findall(r"^## (.+)$", text, re.MULTILINE) if each in SECTIONS] == [
        name for name in SECTIONS if name != "Change" or "## Change\n" in text
    ]


@pytest.fixture(params=WORKED)
def worked(request) -> Result:
    """A worked study's result from its record, where that stands beside its report."""
    record = ROOT / "reports" / f"{request.param}.db"
    if not record.exists():
        pytest.skip(f"the record of {request.param} is not here")
    return restore(load_study(ROOT / "studies" / f"{request.param}.toml"), storage=f"sqlite:///{record}")


def test_worked_reports_are_short_small_and_the_same_twice(worked):
    """1,200 words, 400 KB, the same bytes, and every number of the finding from results.json."""
    files = report_files(worked)
    assert len(files["proposal.md"].decode().split()) <= MOST_WORDS
    assert len(files["report.html"]) <= 400_000
    assert report_files(worked) == files
    check_table(worked)
    assert check_lines(worked)
