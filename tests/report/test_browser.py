"""The page in a real browser: offline, without errors, at three widths, on paper, and readable."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from odd import ODD, VERDICTS

from amo_opt.report.account import Account
from amo_opt.report.figures import draw_all
from amo_opt.report.first import first_of
from amo_opt.report.first_page import first_html
from amo_opt.report.pages import report_html, style

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTHS = (360, 768, 1400)
PAPER = (688, 1002)
"""CSS pixels inside the margins of an A4 sheet (16 and 14 mm)."""
SCREEN = 1000
"""Pixels that the first screen may be high on a desk: a browser's window, and a scroll of the wheel."""
LEAST_CONTRAST = 4.5
"""WCAG 2.2 AA for text of any size."""
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
)
MEASURE = """
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
const numbers = text => (text.match(/[\\d.]+/g) || []).map(Number);
const ground = (view, node) => {
  for (; node; node = node.parentElement) { const c = numbers(view.getComputedStyle(node).backgroundColor); if (c.length == 3 || c[3] > 0) return c.slice(0, 3); }
  return [255, 255, 255];
};
const met = (one, two) => Math.min(one.right, two.right) - Math.max(one.left, two.left) > 1.5 && Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top) > 3;
const overlaps = page => {
  const found = [];
  for (const svg of page.querySelectorAll('#first svg[role=img]')) {
    const texts = [...svg.querySelectorAll('text')].filter(text => text.getClientRects().length && text.textContent.trim()), boxes = texts.map(text => text.getBoundingClientRect());
    const room = page.documentElement.clientWidth;
    texts.forEach((text, k) => {
      if (boxes[k].left < -1 || boxes[k].right > room + 1) found.push([text.textContent, 'off the page']);
      for (let j = 0; j < k; j++) if (met(boxes[k], boxes[j])) found.push([texts[j].textContent, text.textContent]);
    });
  }
  return found;
};
const measure = frame => {
  const page = frame.contentDocument, view = frame.contentWindow, dull = {}, first = page.querySelector('#rest').getBoundingClientRect().top, met = overlaps(page);
  const hidden = [...page.querySelectorAll('details > .deep')].filter(part => !part.checkVisibility({contentVisibilityAuto: true}) || !part.getBoundingClientRect().height).length;
  const folded = page.documentElement.scrollHeight;
  for (const part of page.querySelectorAll('details')) part.open = true;
  for (const node of page.querySelectorAll('body *')) {
    if (![...node.childNodes].some(child => child.nodeType == 3 && child.data.trim())) continue;
    const style = view.getComputedStyle(node), ink = numbers(node.closest('svg') ? style.fill : style.color).slice(0, 3);
    const [high, low] = [light(ink), light(ground(view, node))].sort((a, b) => b - a), ratio = (high + .05) / (low + .05);
    if (ratio < LEAST) dull[`${node.tagName} ${ink}: ${node.textContent.trim().slice(0, 30)}`] = ratio;
  }
  const closed = [...page.querySelectorAll('.scroll, .panels, pre')].filter(box => box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0);
  const wide = [...page.querySelectorAll('#first *, #rest > section > *')].filter(box => box.getBoundingClientRect().right > page.documentElement.clientWidth + 1 && !box.closest('svg, .scroll, .panels, pre, table.cards thead')).map(box => box.tagName + '.' + box.className);
  return {width: frame.clientWidth, scroll: page.documentElement.scrollWidth, text: page.body.innerText.length, dull, closed: closed.length, first, met, hidden, folded, height: page.documentElement.scrollHeight, wide};
};
onload = () => { document.body.innerHTML = '<pre id="found"></pre>'.replace('></', '>' + btoa(unescape(encodeURIComponent(JSON.stringify([...document.querySelectorAll('iframe')].map(measure))))) + '</'); };
"""


def _run(chromium: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [chromium, *SWITCHES, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


@pytest.fixture(scope="module")
def chromium(need):
    return need("chromium", install="the Debian package chromium")


def _measured(chromium: str, folder: Path, pages: Sequence[tuple[str, int, int]]) -> list[dict[str, Any]]:
    """What a browser without network makes of each page at its width and height, in frames of their own."""
    frames = "".join(
        f'<iframe srcdoc="{html.escape(page, quote=True)}" style="border: 0; width: {width}px; height: {height}px"></iframe>'
        for page, width, height in pages
    )
    script = MEASURE.replace("LEAST", str(LEAST_CONTRAST))
    wrapper = folder / "wrapper.html"
    wrapper.write_text(f'<!doctype html><meta charset="utf-8"><body>{frames}<script>{script}</script>', encoding="utf-8")
    ran = _run(chromium, folder, "--dump-dom", wrapper.as_uri())
    found = re.search(r'<pre id="found">([^<]+)</pre>', ran.stdout)
    assert found, ran.stdout[-2000:]
    measured: list[dict[str, Any]] = json.loads(base64.b64decode(found[1]))
    return measured


@pytest.fixture(scope="module", params=["recommended", "no change", "a run", "no other set"])
def page(request, files, make_result) -> str:
    """Pages whose first screens differ most: a change, none, a path on which everything goes, and nothing to compare."""
    if request.param == "recommended":
        return files["report.html"].decode()
    if request.param == "a run":
        result = make_result()
        traces = tuple(replace(each, price=tuple(5.0 * value - 4.0 for value in each.price)) for each in result.worst_traces)
        facts = Account(replace(result, worst_traces=traces))
    else:
        facts = Account(make_result("no change", candidates=8 if request.param == "no change" else 0))
    return report_html(facts, draw_all(facts))


@pytest.fixture(scope="module")
def measured(chromium, page, tmp_path_factory):
    """The page at each width."""
    return _measured(chromium, tmp_path_factory.mktemp("browser"), [(page, width, 900) for width in WIDTHS])


@pytest.fixture(scope="module")
def printed(chromium, page, tmp_path_factory):
    """The page as its print style lays it out, in the room of an A4 sheet: what it says of paper is applied, what it says of screens is not."""
    page = page.replace("@media print", "@media all").replace("@media screen", "@media (width: 0)")
    (found,) = _measured(chromium, tmp_path_factory.mktemp("paper"), [(page, *PAPER)])
    return found


def test_the_page_opens_offline_without_an_error(chromium, files, tmp_path):
    """No console message, no failed request, and the last part is there: nothing was waited for."""
    page = tmp_path / "report.html"
    page.write_bytes(files["report.html"])
    ran = _run(chromium, tmp_path, "--dump-dom", page.as_uri())
    assert "CONSOLE" not in ran.stderr, ran.stderr
    assert ">Sourced figures<" in ran.stdout


def test_the_page_fits_a_telephone_a_tablet_and_a_desk(measured):
    """No sideways scrolling of the page, folded parts opened; what is wider scrolls in its own box, by keyboard too."""
    assert [each["width"] for each in measured] == list(WIDTHS)
    for each in measured:
        assert each["text"] > 10_000
        assert each["scroll"] <= each["width"], each
        assert each["closed"] == 0
        assert each["wide"] == []


def test_every_text_stands_out_from_its_ground(measured):
    """Contrast of at least 4.5 to 1 as the browser computes colours, figures included."""
    assert [each["dull"] for each in measured] == [{}] * len(WIDTHS)


def test_no_text_of_the_first_screen_s_drawings_lies_over_another(measured):
    """At every width, as the browser sets them; none is cut off at the page's edge."""
    assert [each["met"] for each in measured] == [[]] * len(WIDTHS)


def test_the_finding_is_on_the_first_screen_and_the_rest_is_folded(measured):
    """On a desk the first screen is no higher than one; what is folded is out of sight until it is opened, and more than what is open."""
    assert measured[-1]["first"] <= SCREEN
    for each in measured:
        assert each["hidden"] >= 12
        assert each["height"] > 1.5 * each["folded"]


def test_on_paper_the_summary_is_the_first_sheet_and_nothing_is_folded(printed):
    """The first screen and no more on sheet one, within its room; every folded part is printed whole, and nothing is wider than the sheet."""
    assert printed["first"] <= PAPER[1]
    assert printed["hidden"] == 0
    assert printed["scroll"] <= printed["width"]
    assert printed["met"] == []
    assert printed["dull"] == {}


def test_whatever_is_told_the_first_screen_holds_it(chromium, make_result, blind, tmp_path):
    """Every verdict and every odd study at three widths: no text over another in a drawing, nothing off the page, and on a desk no higher than one screen."""
    results = {name: make_result(name) for name in VERDICTS} | {name: build(make_result) for name, build in ODD.items()}
    bare = {
        name: f'<!doctype html><style>{style()}</style><body>{first_html(first_of(result))}<main id="rest"></main>'
        for name, result in (results | {"too few paths": blind}).items()
    }
    cases = [(name, page, width) for name, page in bare.items() for width in WIDTHS]
    found = _measured(chromium, tmp_path, [(page, width, 900) for _, page, width in cases])
    for (name, _, width), each in zip(cases, found, strict=True):
        assert each["met"] == [], (name, width)
        assert each["wide"] == [], (name, width)
        assert each["scroll"] <= width, name
        assert width < WIDTHS[-1] or each["first"] <= SCREEN, name


AXE = "AMO_OPT_AXE"
"""The variable that names axe-core's script."""
RUN_AXE = """
for (const part of document.querySelectorAll('details')) part.open = true;
axe.run(document, {resultTypes: ['violations']}).then(found => {
  const told = found.violations.map(each => [each.id, each.help, ...each.nodes.slice(0, 3).map(node => node.html.slice(0, 120))]);
  document.body.innerHTML = '<pre id="found"></pre>'.replace('></', '>' + btoa(unescape(encodeURIComponent(JSON.stringify([told, found.passes.length])))) + '</');
});
"""


@pytest.fixture(scope="module")
def axe(missing):
    """axe-core's script (``npm install axe-core``), which looks for what keeps a page from being read without eyes, a mouse or full sight."""
    place = os.environ.get(AXE)
    if place is None:
        missing(f"{AXE} does not name axe-core's axe.min.js: npm install axe-core, and set it")
    return Path(str(place)).read_text("utf-8").replace("</script", "<\\/script")


@pytest.mark.parametrize("width", [WIDTHS[0], WIDTHS[-1]])
def test_axe_finds_nothing_against_the_page(chromium, axe, page, tmp_path, width):
    """Of its rules for WCAG and good practice, everything opened, on a telephone and on a desk."""
    script = f"<script>{axe}</script><script>{RUN_AXE}</script></body>"
    opened = re.sub("<meta http-equiv=[^>]*>", "", page).replace("</body>", script)  # the page itself lets no script run
    (tmp_path / "page.html").write_text(opened, "utf-8")
    ran = _run(
        chromium, tmp_path, f"--window-size={width},900", "--virtual-time-budget=60000", "--dump-dom", (tmp_path / "page.html").as_uri()
    )
    found = re.search(r'<pre id="found">([^<]+)</pre>', ran.stdout)
    assert found, ran.stderr[-2000:]
    violations, passes = json.loads(base64.b64decode(found[1]))
    assert violations == []
    assert passes > 30


@pytest.mark.campaign
def test_the_page_prints_on_a4(chromium, files, tmp_path):
    """The sheets are A4, and there are many of them: nothing is cut off after the first."""
    page, printed = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_bytes(files["report.html"])
    _run(chromium, tmp_path, f"--print-to-pdf={printed}", "--no-pdf-header-footer", page.as_uri())
    boxes = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+)", printed.read_bytes())
    assert len(boxes) > 5
    assert {(round(float(width)), round(float(height))) for width, height in boxes} <= {(595, 842), (596, 842), (595, 841), (594, 842)}
