"""Shipped studies of protocols other than the one of 2022, run at tiny sizes: no word, no unit and no pool of another's in what is shown, beside what the study's own files say."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[2] / "studies"
FOREIGN = ("crvusd-2024", "oeth-2024", "minimal")
FRAX = re.compile(
    r"\b(frax\w*|fxs|3crv|frax3crv|3pool|convex\w*|curve amo|curve investor|collateral investor|stake ?dao|yearn|metapool|setFrax\w+|amo_minter)\b",
    re.IGNORECASE,
)
DOLLARS = re.compile(r"\$|\bUSD\b|\bdollars?\b", re.IGNORECASE)
SHORT = "\n[certification]\nmultiple = 2\ncandidates = 2\nbootstrap = 100\ndraws = 16\n"
SHARE_OF_CEILING = re.compile(r"\| *`?\w+-keeper\.ceiling`?[^\n]*share of supply")


def own_words(name, *, catalogue):
    """What the study's files say themselves: quoted by a report, and theirs to answer for; with the ``catalogue``'s lines on its scenarios, which tell of days in dollars."""
    from amo_opt.config.load import load_study
    from amo_opt.config.schema import given_figures

    study = load_study(STUDIES / f"{name}.toml")
    texts = [study.notes, study.state.notes, study.state.name]
    for figure in given_figures(study.state).values():
        texts += [figure.source or "", figure.assumed or ""]
    for scenario in study.scenarios if catalogue else ():
        texts += [scenario.title, scenario.summary, scenario.weight_reason, *scenario.sources]
    return texts


@pytest.fixture(scope="module")
def everything(tmp_path_factory, call_in_session):
    """Everything a reader sees of each study: terminal, proposal, appendix and page; and what a program reads."""
    found = {}
    for name in FOREIGN:
        folder = tmp_path_factory.mktemp(name)
        for each in ("states", "behaviour", "parameters"):
            (folder / each).symlink_to(STUDIES / each, target_is_directory=True)
        text = (STUDIES / f"{name}.toml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^paths = \d+", "paths = 16", text)
        text = re.sub(r"(?m)^window_hours = \d+", "window_hours = 168", text)
        text = re.sub(r"(?ms)^\[certification\]\n(?:[^\[\n][^\n]*\n|\n)*", "", text)
        study = folder / f"{name}.toml"
        study.write_text(text.replace("\n[[scenario]]", f"{SHORT}\n[[scenario]]", 1), encoding="utf-8")
        called = call_in_session("run", study, "--trials", "2", "--workers", "1", "--out", folder / "out")
        assert called.status in (0, 1), called.err
        page = re.sub(
            r"<style>.*?</style>|<script.*?</script>", "", (folder / "out" / "report.html").read_text(encoding="utf-8"), flags=re.DOTALL
        )
        parts = [path.read_text(encoding="utf-8") for path in sorted((folder / "out").glob("*.md"))]
        told = "\n".join([(called.out + called.err).replace(str(folder), ""), page, *parts])
        told = html.unescape(told).replace("\\_", "_").replace("\\", "")
        found[name] = told, json.dumps(json.loads((folder / "out" / "results.json").read_text(encoding="utf-8")), ensure_ascii=False)
    return found


def without(told, texts):
    """What was told beside these texts."""
    for text in sorted({own for each in texts for own in (each, *each.split("\n")) if own}, key=len, reverse=True):
        told = told.replace(text, "")
    return told


@pytest.fixture(scope="module")
def shown(everything):
    """What a reader sees beside what the study's files and the catalogue say."""
    return {name: without(told, own_words(name, catalogue=True)) for name, (told, _) in everything.items()}


@pytest.mark.parametrize("name", FOREIGN)
def test_no_word_of_another_protocol(everything, name):
    """Neither a venue nor a token nor a pool that this protocol has not, in what the catalogue says of its scenarios either; nor in what a program reads."""
    for text in (without(each, own_words(name, catalogue=False)) for each in everything[name]):
        assert [text[max(found.start() - 60, 0) : found.end() + 20] for found in FRAX.finditer(text)] == []


@pytest.mark.parametrize("name", FOREIGN)
def test_no_source_of_what_the_protocol_has_not(everything, name):
    """No market that others lend in without an AMO that does, no base pool where a coin itself stands opposite."""
    for text in everything[name]:
        assert "base-pool value" not in text
        assert ("a USDC market of 1.89bn" in text) <= (name == "minimal")


def test_no_dollar_is_shown_of_oeth(shown):
    """Its unit is ETH; a repository's name is no unit."""
    text = shown["oeth-2024"].replace("origin-dollar", "")
    assert [text[max(found.start() - 60, 0) : found.end() + 20] for found in DOLLARS.finditer(text)] == []


def test_ceilings_are_amounts(shown):
    """25m crvUSD, no share; and every pool by its name."""
    text = shown["crvusd-2024"]
    assert "25,000,000" in text
    assert not SHARE_OF_CEILING.search(text)
    assert "Amplification A of the USDC pool" in text
    assert "PegKeepers" in text
