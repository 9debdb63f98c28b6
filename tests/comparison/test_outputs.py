"""What every output keeps whatever it is given: names of others stay names, lengths stay within limits, no number is lost."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.comparison import github
from amo_opt.comparison.documents import json_text, junit_xml
from amo_opt.comparison.figures import _document, _packed, _unpacked
from amo_opt.comparison.markdown import markdown
from amo_opt.comparison.wording import row
from amo_opt.errors import AmoOptError
from amo_opt.scoring.metrics import MEASURES

HOSTILE = "a|b</details>\n::error::x\x00\u202e`*_[x](y) <script>&\"' 100%"


@pytest.fixture
def hostile(judge, small):
    """A failing comparison whose candidate has a hostile name and another value everywhere."""
    values = {
        name: definition.high if definition.high != small.current.values()[name] else definition.low
        for name, definition in PARAMETERS.items()
    }
    found = judge({}, {}, parameters=small.current.replace(name=HOSTILE, **values))
    assert found.verdict == "fail"
    return found


def test_markdown_keeps_its_shape(hostile):
    """Rendered as Markdown with HTML let through, the name is text: three tables, one heading, no tag of its own."""
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown([hostile]))
    assert (html.count("<table>"), html.count("<h2>"), html.count("</details>")) == (3, 1, 1)
    assert "<script" not in html
    assert "\x00" not in html


def test_xml_and_json_stay_readable(hostile):
    """Both parse, and the JSON holds finite numbers only."""
    root = ET.fromstring(junit_xml([hostile]))  # noqa: S314 - our own output
    assert root.find("testsuite/properties/property[@name='candidate']").attrib["value"].startswith("a|b")
    document = json.loads(json_text([hostile]), parse_constant=pytest.fail)
    assert document["candidate"]["name"] == HOSTILE


def test_at_most_ten_annotations_one_line_each(hostile):
    """All 22 parameters changed: the ten largest changes are pointed at, and nothing breaks out of its line."""
    lines = github.commands(hostile, file="a,b:c\n.toml", lines={name: place for place, name in enumerate(PARAMETERS, start=3)})
    assert len(hostile.changes) == len(PARAMETERS)
    assert len(lines) == github.MOST == 10
    assert all(line.startswith("::error file=a%2Cb%3Ac%0A.toml,line=") and "\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (("a/base.toml", "b/new.toml"), ("frax-current (base.toml)", "frax-current (new.toml)")),
        (("base/set.toml", "set.toml"), ("frax-current (base/set.toml)", "frax-current (set.toml)")),
        (("set.toml", "set.toml"), ("frax-current (baseline)", "frax-current (candidate)")),
        (("a" * 200 + "/set.toml", "b" * 200 + "/set.toml"), ("frax-current (baseline)", "frax-current (candidate)")),
        (None, ("frax-current (baseline)", "frax-current (candidate)")),
    ],
)
def test_two_sets_of_one_name_are_told_apart(judge, files, names):
    """By file where they came from two, in the Markdown's title and in JUnit alike; another name needs no file."""
    found = replace(judge({}, {}), files=files)
    assert found.names == names
    title = markdown([found]).partition("\n")[0].replace("\\", "")
    assert title.endswith(f"{names[1]} against {names[0]}")
    properties = {each.attrib["name"]: each.attrib["value"] for each in ET.fromstring(junit_xml([found])).iter("property")}  # noqa: S314 - our own output
    assert (properties["baseline"], properties["candidate"]) == names
    other = replace(found, candidate=replace(found.candidate, parameters=found.candidate.parameters.replace(name="other")))
    assert other.names == ("frax-current", "other")


def test_a_summary_is_never_too_long(hostile, monkeypatch):
    """Beyond the limit it is cut at a line's end and says so."""
    assert len(github.summary([hostile]).encode()) < github.SUMMARY_BYTES
    monkeypatch.setattr(github, "SUMMARY_BYTES", 2000)
    text = github.summary([hostile])
    assert len(text.encode()) <= 2000
    assert text.endswith("(cut: too long for a job summary; verdict.json holds it all)\n")


def test_figures_survive_packing_to_the_last_bit(tmp_path):
    """Random, constant, repeated and negative-zero figures come back as they were."""
    rng = np.random.default_rng(1)
    values = {name: rng.standard_normal(50) for name in MEASURES}
    names = list(values)
    values[names[1]] = values[names[0]].copy()
    values[names[2]] = np.full(50, 0.1)
    values[names[3]] = np.where(np.arange(50) < 25, 0.0, -0.0)
    packed = json.loads(json.dumps(_packed(values)))
    assert packed[names[1]] == names[0]
    assert packed[names[2]] == 0.1
    for name, array in _unpacked(tmp_path, packed, 50).items():
        assert array.tobytes() == values[name].tobytes()


RUN = '{"kind": "amo-opt compare run", "schema": 3, "x": %s}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RUN % "NaN", "its checksum does not hold"),
        (RUN % ("[" * 330 + "]" * 330), "its checksum does not hold"),
        (RUN % ("[" * 100_000 + "]" * 100_000), "not JSON"),
        (RUN % ("1" * 5000), "not JSON"),
        ('{"kind": "amo-opt compare run", "schema": ["%s"]}' % ("x" * 10_000), "a stored run of schema"),
    ],
    ids=["nan", "deep", "deeper", "digits", "schema"],
)
def test_json_that_is_no_stored_run_is_told_in_a_sentence(tmp_path, text, told):
    """NaN, depth that is read and cannot be written, numbers without end: refused, and never quoted at length."""
    file = tmp_path / "run.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(AmoOptError, match=told) as caught:
        _document(file)
    assert len(str(caught.value)) < len(str(file)) + 200


def test_a_stored_run_that_is_a_pipe_is_not_waited_for(tmp_path):
    """Nobody writes to it."""
    os.mkfifo(tmp_path / "run.json")
    with pytest.raises(AmoOptError, match="is a pipe, not a file"):
        _document(tmp_path / "run.json")


def test_a_row_has_the_decimals_its_interval_deserves(judge):
    """Two digits of the smaller of difference and width; exact agreement is a bare 0."""
    metric = judge({}, {}).metric("peg_cvar95_bps")
    assert (row(metric).difference, row(metric).interval) == ("0", "0 to 0")
    told = row(replace(metric, baseline=1.569, candidate=5.193, difference=3.624, low=-0.0278, high=14.5))
    assert (told.baseline, told.difference, told.interval) == ("1.6", "+3.6", "0.0 to +14.5")


def test_an_interval_that_is_not_known_is_said_and_null(judge):
    """Of one path: null for machines, words for people, no infinity anywhere, and no boast of resamples."""
    found = judge({}, {"min_price": np.array([1.0, 2.0])}, paths=1, apart=True)
    document = json.loads(json_text([found]))
    assert {metric["interval"] for metric in document["metrics"]} == {None}
    assert {row(metric).interval for metric in found.metrics} == {"not known"}
    for text in (json_text([found]), markdown([found]), junit_xml([found])):
        assert "Infinity" not in text
        assert "∞" not in text
        assert not re.search(r"\b(inf|nan)\b", text)
    assert "too few paths for intervals" in markdown([found])
    assert "resamples of whole paths" not in markdown([found])
