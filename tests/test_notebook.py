"""docs/notebook.ipynb runs from its first cell to its last, shows what it says it shows, and is kept without outputs."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def kept():
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(kept):
    """The notebook run in its own folder, cell after cell in one namespace, as a kernel does: source of a cell -> what its last line shows, by kind."""
    names: dict[str, object] = {"__name__": "__main__"}
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(NOTEBOOK.parent)
        for cell in kept["cells"]:
            if cell["cell_type"] == "code":
                source = "".join(cell["source"])
                found[source] = displayed(ended(source, names))
    return found


def ended(source: str, names: dict[str, object]) -> object:
    """The value of a cell's last line, the lines before it carried out; None where it is no expression."""
    *before, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        before.append(last)
    exec(compile(ast.Module(before, []), str(NOTEBOOK), "exec"), names)  # noqa: S102 - the page's own code
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names) if isinstance(last, ast.Expr) else None  # noqa: S307 - likewise


def displayed(value: object) -> dict[str, str]:
    """What a notebook shows of a value: its text, and its HTML where it has any."""
    if value is None:
        return {}
    html = getattr(value, "_repr_html_", None)
    return {"text/plain": repr(value)} | ({} if html is None else {"text/html": html()})


def shown(run, last):
    """What the cell shows whose last line begins so."""
    (found,) = (data for source, data in run.items() if source.splitlines()[-1].startswith(last))
    return found


def test_it_is_kept_without_outputs(kept):
    """What a run shows is not in the repository: it would go stale unseen, and every run would change the file."""
    cells = [cell for cell in kept["cells"] if cell["cell_type"] == "code"]
    assert (kept["nbformat"], kept["metadata"]["language_info"]["name"]) == (4, "python")
    assert len(cells) >= 10
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


def test_every_cell_shows_something(run):
    """No cell fails, and none ends without a result."""
    assert [source for source, data in run.items() if not data] == []


@pytest.mark.parametrize(
    ("last", "tiles"),
    [
        ("outcome.score", ("Yield", "Peg risk", "Limits")),
        ("comparison", ("Yield", "Peg risk", "Gates")),
        ("result", ("Yield today", "Peg risk today", "Limits today")),
    ],
)
def test_what_it_is_about_has_tiles(run, last, tiles):
    """In a notebook a score, a comparison and a result are tiles; at a prompt a line."""
    (found,) = (data for source, data in run.items() if source.splitlines()[-1] == last)
    assert all(f">{each}</div>" in found["text/html"] for each in tiles)
    assert "\n" not in found["text/plain"]


@pytest.mark.parametrize(
    ("last", "columns"),
    [
        ("outcome.score.frame", ("value", "low", "high", "twins")),
        ("comparison.frame", ("difference", "low", "high", "tolerance")),
        ("result.frame", ("yield_low", "peg_risk_high", "limits_kept", "verdict")),
        ("result.candidates[1].frame", ("difference", "tolerance", "verdict")),
    ],
)
def test_intervals_are_tables(run, last, columns):
    """Each `.frame` is one, by the columns it is read for."""
    (found,) = (data for source, data in run.items() if source.splitlines()[-1] == last)
    assert all(f"<th>{each}</th>" in found["text/html"] for each in columns)


def test_the_worst_path_is_drawn(run):
    """As SVG, under words that say what happened."""
    found = shown(run, "amo_opt.draw_path(")
    assert "<svg" in found["text/html"]
    assert "The price fell to" in found["text/html"]
    assert "<script" not in found["text/html"]
