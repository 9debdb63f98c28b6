"""The page in a real browser: offline, without errors, at two widths, on paper, and readable."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

WIDTHS = (360, 1400)
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
const measure = frame => {
  const page = frame.contentDocument, view = frame.contentWindow, dull = {};
  for (const node of page.querySelectorAll('body *')) {
    if (![...node.childNodes].some(child => child.nodeType == 3 && child.data.trim())) continue;
    const style = view.getComputedStyle(node), ink = numbers(node.closest('svg') ? style.fill : style.color).slice(0, 3);
    const [high, low] = [light(ink), light(ground(view, node))].sort((a, b) => b - a), ratio = (high + .05) / (low + .05);
    if (ratio < LEAST) dull[`${node.tagName} ${ink}: ${node.textContent.trim().slice(0, 30)}`] = ratio;
  }
  const closed = [...page.querySelectorAll('.scroll, .panels, pre')].filter(box => box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0);
  return {width: frame.clientWidth, scroll: page.documentElement.scrollWidth, text: page.body.innerText.length, dull, closed: closed.length};
};
onload = () => { document.body.innerHTML = '<pre id="found"></pre>'.replace('></', '>' + btoa(unescape(encodeURIComponent(JSON.stringify([...document.querySelectorAll('iframe')].map(measure))))) + '</'); };
"""


def _run(chromium: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [chromium, *SWITCHES, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


@pytest.fixture(scope="module")
def chromium(need):
    return need("chromium", install="the Debian package chromium")


@pytest.fixture(scope="module")
def measured(chromium, files, tmp_path_factory):
    """What a browser without network makes of the page at each width."""
    folder = tmp_path_factory.mktemp("browser")
    page = html.escape(files["report.html"].decode(), quote=True)
    frames = "".join(f'<iframe srcdoc="{page}" style="border: 0; width: {width}px; height: 900px"></iframe>' for width in WIDTHS)
    script = MEASURE.replace("LEAST", str(LEAST_CONTRAST))
    wrapper = folder / "wrapper.html"
    wrapper.write_text(f'<!doctype html><meta charset="utf-8"><body>{frames}<script>{script}</script>', encoding="utf-8")
    ran = _run(chromium, folder, "--dump-dom", wrapper.as_uri())
    found = re.search(r'<pre id="found">([^<]+)</pre>', ran.stdout)
    assert found, ran.stdout[-2000:]
    return json.loads(base64.b64decode(found[1]))


def test_the_page_opens_offline_without_an_error(chromium, files, tmp_path):
    """No console message, no failed request, and the last section is there: nothing was waited for."""
    page = tmp_path / "report.html"
    page.write_bytes(files["report.html"])
    ran = _run(chromium, tmp_path, "--dump-dom", page.as_uri())
    assert "CONSOLE" not in ran.stderr, ran.stderr
    assert "Appendix: state figures" in ran.stdout


def test_the_page_fits_a_telephone_and_a_desk(measured):
    """No sideways scrolling of the page; what is wider scrolls in its own box, by keyboard too."""
    assert [each["width"] for each in measured] == list(WIDTHS)
    for each in measured:
        assert each["text"] > 10_000
        assert each["scroll"] <= each["width"], each
        assert each["closed"] == 0


def test_every_text_stands_out_from_its_ground(measured):
    """Contrast of at least 4.5 to 1 as the browser computes colours, figures included."""
    assert [each["dull"] for each in measured] == [{}, {}]


@pytest.mark.campaign
def test_the_page_prints_on_a4(chromium, files, tmp_path):
    """The sheets are A4, and there are many of them: nothing is cut off after the first."""
    page, printed = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_bytes(files["report.html"])
    _run(chromium, tmp_path, f"--print-to-pdf={printed}", "--no-pdf-header-footer", page.as_uri())
    boxes = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+)", printed.read_bytes())
    assert len(boxes) > 5
    assert {(round(float(width)), round(float(height))) for width, height in boxes} <= {(595, 842), (596, 842), (595, 841), (594, 842)}
