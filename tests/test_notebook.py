"""docs/notebook.ipynb runs from its first cell to its last, shows what it says it shows, and is kept without outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
SECONDS = 600
"""Of one cell: the first simulation may compile, on a machine that does other things."""


@pytest.fixture(scope="module")
def kept():
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(need_module, tmp_path_factory):
    """The notebook as it stands after a run in its own folder: source of a cell -> what its last line shows, by kind."""
    for package in ("nbclient", "ipykernel"):
        need_module(package, "test")
    import nbformat
    from nbclient import NotebookClient

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))  # the package beside the notebook, whatever is installed
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))  # nobody's own startup files
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {cell.source: next((each.data for each in cell.outputs if each.output_type == "execute_result"), {}) for cell in cells}


def shown(run, last):
    """What the cell shows whose last line begins so."""
    (found,) = (data for source, data in run.items() if source.splitlines()[-1].startswith(last))
    return found


def test_it_is_kept_without_outputs(kept):
    """What a run shows is not in the repository: it would go stale unseen, and every run would change the file."""
    cells = [cell for cell in kept["cells"] if cell["cell_type"] == "code"]
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
