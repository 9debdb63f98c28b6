"""What a terminal of some width is given: no line wider than it, no figure broken, nothing that the pipe is told left out."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from amo_opt.cli import watch
from amo_opt.cli.streams import fitted
from amo_opt.cli.tables import print_table

DATA = Path(__file__).parent / "data"
WIDTHS = (60, 80, 120)
_FIGURE = re.compile(r"[+−-]?\d[\d,]*(?:\.\d+)?")


def calls(shared, report):
    current = shared.parent / "parameters" / "frax-current.toml"
    return {
        "simulate": ("simulate", current, "--study", shared, "--paths", 40),
        "compare": ("compare", current, DATA / "reckless.toml", "--study", shared, "--paths", 30),
        "compare-several": ("compare", current, DATA / "reckless.toml", current, "--study", shared, "--paths", 30),
        "profile": ("profile", shared, "--parameter", "amplification", "--points", "3", "--paths", "40"),
        "break": ("break", shared, current, "--paths", 30),
        "backtest": ("backtest", shared, "--episode", "svb-2023", "--paths", 8),
        "scenarios": ("scenarios", shared),
        "pool-state": ("pool", "state", "--study", shared, *(each for value in (50, 100, 150, 1500, 3000) for each in ("-A", value))),
        "pool-floor": ("pool", "floor", "--study", shared),
        "validate": ("validate", shared, current),
        "alarms": ("alarms", "--history", report.parent / "prices.csv", "--study", shared),
        "report": ("report", shared, "--out", report),
    }


NAMES = tuple(calls(Path(), Path()))


@pytest.fixture(scope="module")
def piped(shared, finished, call_in_session):
    """What each command tells a pipe, once."""
    _, report = finished
    rows = [f"2022-05-{day:02d} {hour:02d}:00,{0.97 if day == 11 else 1.0}" for day in range(1, 20) for hour in range(24)]
    (report.parent / "prices.csv").write_text("timestamp,price\n" + "\n".join(rows) + "\n")
    return {name: call_in_session(*arguments) for name, arguments in calls(shared, report).items()}, calls(shared, report)


def figures(text):
    return sorted(set(_FIGURE.findall(text)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_and_no_figure_is_broken(piped, call, monkeypatch, name, width):
    """A line longer than the terminal holds one word alone, an address or a path; every figure of the pipe stands whole in what is narrow."""
    outs, commands = piped
    assert outs[name].status in (0, 1), outs[name].err
    monkeypatch.setenv("COLUMNS", str(width))
    narrow = call(*commands[name])
    assert narrow.status == outs[name].status
    for line in narrow.out.splitlines():
        assert len(line.rstrip()) <= width or len(line.split()) <= 2, line
    assert figures(narrow.out) == figures(outs[name].out)


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_is_told_a_row_in_a_line(piped, name):
    """Away from a terminal nothing is folded: a row is told in as many lines as its cells have, without an escape sequence."""
    out = piped[0][name].out
    assert "\x1b" not in out
    assert not re.search(r"(?m)^ {2}\S.* · \S", re.sub(r"(?m)^.*report.html.*$", "", out))


def test_a_row_that_does_not_fit_is_folded_whole(monkeypatch, capsys):
    """The name, then every other cell after its heading, broken between cells alone."""
    table = (("set", "yield", "95% interval"), [("the one in force", "3.07% a year", "2.95 to 3.19"), ("another", "", "not known")])
    monkeypatch.setenv("COLUMNS", "30")
    print_table("sets", table)
    assert capsys.readouterr().out.splitlines() == [
        "sets",
        "the one in force",
        "  yield 3.07% a year",
        "  95% interval 2.95 to 3.19",
        "another",
        "  95% interval not known",
        "",
    ]
    monkeypatch.setenv("COLUMNS", "60")
    print_table("sets", table)
    assert any(
        line.split() == ["the", "one", "in", "force", "3.07%", "a", "year", "2.95", "to", "3.19"]
        for line in capsys.readouterr().out.splitlines()
    )


def test_a_line_is_broken_at_spaces_alone():
    """A figure and an address stay whole however narrow it is."""
    assert fitted("about 12,345.67 of it", 9).split("\n") == ["about", "12,345.67", "of it"]
    assert fitted("see https://example.org/a-long-path", 10).split("\n") == ["see", "https://example.org/a-long-path"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("width", [60, 99, 120])
def test_a_narrow_bar_is_name_percent_and_time_left(monkeypatch, width):
    """No bar and no counts below 100 columns; both from there on."""
    screen = Terminal()
    monkeypatch.setattr(watch.sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    with watch.counting("certification, selection paths", "paths") as tell:
        tell(5, 10)
        tell(10, 10)
    lines = [re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", line).strip() for line in re.split(r"[\r\n]", screen.getvalue())]
    assert max(map(len, lines)) <= width
    last = [line for line in lines if line][-1]
    assert last.startswith("certification, selection paths")
    assert ("100%" in last) == (width < 100)
    assert ("10/10" in last) == ("━" in last) == (width >= 100)
    assert re.search(r"\d:\d\d:\d\d", last)
