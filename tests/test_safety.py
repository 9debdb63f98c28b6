"""What the project must never do: run what a user's file says, or build objects out of its bytes."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "amo_opt"
RUNS_TEXT = frozenset({"eval", "exec", "compile", "__import__"})
READS_CODE = frozenset({"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"})


def _misuse(tree: ast.AST) -> list[str]:
    """Calls of what runs text, imports of what reads code."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNS_TEXT:
            found.append(f"line {node.lineno}: {node.func.id}()")
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"line {node.lineno}: import {name}" for name in names if name.split(".")[0] in READS_CODE]
    return found


def test_the_search_for_misuse_finds_it():
    """The check itself: each kind is seen."""
    assert _misuse(ast.parse("eval('1')")) == ["line 1: eval()"]
    assert _misuse(ast.parse("import os, pickle")) == ["line 1: import pickle"]
    assert _misuse(ast.parse("from yaml import load")) == ["line 1: import yaml"]


def test_no_file_of_a_user_s_is_run():
    """No eval, exec or compile, and nothing imported that builds objects from bytes, anywhere in the package."""
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 100
    found = {str(file.relative_to(PACKAGE)): _misuse(ast.parse(file.read_text(encoding="utf-8"))) for file in files}
    misused = {file: misuse for file, misuse in found.items() if misuse}
    # between the run's own processes, where Dask pickles anyway; the test below sees that no file's bytes get there
    assert [use.split(": ")[1] for use in misused.pop("simulation/remote.py")] == ["import pickle"]
    # Numba's own cache unpickles compiled functions too; here only what has the digest it was written with (`tests/stableswap/test_kept.py`)
    assert [use.split(": ")[1] for use in misused.pop("stableswap/kept.py")] == ["import pickle"]
    assert not misused


def test_what_the_cache_unpickles_has_its_digest():
    """One `pickle.loads`, of what was compared with its digest."""
    tree = ast.parse((PACKAGE / "stableswap" / "kept.py").read_text(encoding="utf-8"))
    called = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("pickle.")]
    assert called == ["pickle.loads(held)"]
    (load,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "load"]
    assert "held = self._sealed(self._path(key))" in ast.unparse(load)


def test_what_a_worker_unpickles_is_what_the_run_serialised():
    """The cluster's one `pickle.loads` takes what came as a task's argument; no path, no file, no stream is opened there."""
    tree = ast.parse((PACKAGE / "simulation" / "remote.py").read_text(encoding="utf-8"))
    called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert called.count("pickle.loads") == 1
    assert not {name for name in called if name.split(".")[-1] in {"open", "read", "read_bytes", "read_text", "load", "recv", "Unpickler"}}
    given = {function.name: ast.unparse(function) for function in tree.body if isinstance(function, ast.FunctionDef)}
    assert "pickle.loads(serialised)" in given["deserialise"]
    assert {name for name, text in given.items() if "deserialise(" in text} == {"deserialise", "about", "there"}


TALKS = frozenset(
    {
        "socket",
        "socketserver",
        "ssl",
        "http",
        "urllib",
        "urllib3",
        "requests",
        "httpx",
        "aiohttp",
        "websockets",
        "web3",
        "ftplib",
        "smtplib",
    }
)
"""Packages that reach other machines; of ``urllib`` what only takes addresses apart does not."""


def _opens(tree: ast.AST) -> list[str]:
    """Imports of what opens a connection, calls of what names a node."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"import {name}" for name in names if name.split(".")[0] in TALKS and name != "urllib.parse"]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Rpc", "node_of", "Connection"}:
            found.append(f"{node.func.id}()")
    return found


def test_a_connection_is_opened_in_one_place_by_what_a_command_was_told():
    """One module talks to a node, and a node is named by a command (its option or AMO_OPT_RPC), by nothing further inside."""
    assert _opens(ast.parse("import urllib.request, json\nfrom http import client\nnode_of(url)")) == [
        "import urllib.request",
        "import http",
        "node_of()",
    ]
    found = {file.relative_to(PACKAGE).as_posix(): _opens(ast.parse(file.read_text(encoding="utf-8"))) for file in PACKAGE.rglob("*.py")}
    opening = {file: each for file, each in found.items() if each}
    assert set(opening.pop("onchain/connection.py")) == {"import http.client", "import ssl"}
    assert opening.pop("onchain/rpc.py") == ["Rpc()", "Connection()"]
    assert {file.split("/")[0] for file in opening} == {"cli"}
    assert {use for each in opening.values() for use in each} == {"node_of()"}
