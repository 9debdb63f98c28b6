"""Rooms know nothing of the rooms above them, and calling for help costs no heavy import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "amo_opt"
HEAVY = {"numba", "pandas", "optuna", "matplotlib", "numpy", "scipy", "sqlalchemy", "rich", "jinja2", "pydantic"}
ROOMS = sorted(entry.parent.name for entry in PACKAGE.glob("*/__init__.py"))
LISTED: dict[str, tuple[str, ...]] = {"amos": (), "protocol": (), "simulation": (), "stableswap": ("exact_",), "search": ()}
"""Rooms whose ``__init__`` lists every module, and prefixes of modules that are parts of one."""
LIGHT_ROOMS = {"cli", "errors", "one_line", "version", "wording"}
"""What a module of the command line may import from the package when it is imported itself."""


def layers():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return [layer for contract in settings["contracts"] if contract["type"] == "layers" for layer in contract["layers"]]


def imported_at_load(tree):
    """Absolute names that importing the module imports: those inside functions and under TYPE_CHECKING come later or never."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.ExceptHandler)]


def test_imports_point_down():
    """The contract of pyproject.toml holds for the whole package."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    found = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "1 kept, 0 broken" in found.stdout


def test_no_module_imports_in_a_circle():
    """Nor inside functions: a circle that only a late import opens is still one to the reader."""
    graph = grimp.build_graph("amo_opt", exclude_type_checking_imports=True, cache_dir=None)
    TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}).prepare()


def test_every_room_stands_in_the_contract():
    """A room that the contract does not name would be free to import anything."""
    rooms = {entry.stem for entry in PACKAGE.iterdir() if entry.is_dir() or entry.suffix == ".py"} - {"__init__", "__pycache__", "examples"}
    named = {layer.removeprefix("amo_opt.") for entry in layers() for layer in entry.replace("|", ":").replace(" ", "").split(":")}
    assert {room for room in rooms if room not in named} == set()


PRINTERS = {"compare_tables"}
"""Modules that a command imports when it prints, and nobody when a call is parsed."""


@pytest.mark.parametrize(
    "file", sorted(each for each in (PACKAGE / "cli").glob("*.py") if each.stem not in PRINTERS), ids=lambda file: file.stem
)
def test_the_command_line_imports_nothing_heavy(file):
    """Parsing a call needs click and the package's errors; the rest is imported by the command that runs."""
    for name in imported_at_load(ast.parse(file.read_text(encoding="utf-8"))):
        top, *rest = name.split(".")
        assert top not in HEAVY, name
        assert top != "amo_opt" or not rest or rest[0] in LIGHT_ROOMS, name


def named_in(text):
    """Files of the package that a page names."""
    return set(re.findall(r"`(?:\.\./)?(?:amo_opt/)?((?:" + "|".join(ROOMS) + r")/[\w/.-]+\.(?:py|toml))", text))


def test_the_map_names_files_that_are_there():
    """A page on the structure that names what has moved misleads whoever reads it first."""
    named = named_in((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert len(named) > 25
    assert {name for name in named if not (PACKAGE / name).exists()} == set()


@pytest.mark.parametrize("room", LISTED)
def test_a_rooms_table_of_contents_names_its_modules(room):
    """Every module stands there by name, or by what it is a part of, or in the list that the AMOs' catalogue is."""
    words = set(re.findall(r"\w+", ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8")))))
    modules = {file.stem for file in (PACKAGE / room).glob("*.py")} - {"__init__"}
    catalogue = ast.parse((PACKAGE / "amos" / "catalogue.py").read_text(encoding="utf-8"))
    listed = {
        name.name for line in catalogue.body if isinstance(line, ast.ImportFrom) and line.module == f"amo_opt.{room}" for name in line.names
    }
    assert {module for module in modules if module not in words | listed and not module.startswith(LISTED[room])} == set()
