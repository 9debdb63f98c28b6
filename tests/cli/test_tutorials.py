"""The tutorials of the documentation, run as they stand: files are written, commands called, Python executed, in the order of the page.

By default with small budgets, so that a page takes seconds; the campaign runs every command whole.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
"""A fenced block: its language, the file that it is, its text."""
PAGES = ("own-protocol", "parameter-change-in-ci", "calibrate")
FEWER = {"paths": 4, "transition_hours": 24, "window_hours": 96, "trials": 2}
CERTIFICATION = "\n[certification]\nmultiple = 2\ncandidates = 2\nbootstrap = 50\ndraws = 0\n"
LESS = {"profile": ("--paths", "2"), "break": ("--paths", "2"), "backtest": ("--paths", "8"), "review": ("--paths", "32")}
"""Options of a small budget, by command."""


def blocks(page):
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def small(study):
    """A copy of the study that a search is over with in a second: it asks the same of fewer paths, and draws nothing jointly."""
    text = study.read_text(encoding="utf-8")
    for key, value in FEWER.items():
        text, count = re.subn(rf"(?m)^{key} = \d+", f"{key} = {value}", text)
        assert count == 1, key
    text = re.sub(r"(?ms)^\[certification\]\n.*?(?=^\[|\Z)", "", text)
    copy = study.with_name(f"small-{study.name}")
    copy.write_text(text + CERTIFICATION, encoding="utf-8")
    return copy


def lessened(arguments, number):
    """A command with a small budget; a run is given a storage of its own, as its study is another one."""
    command, *rest = arguments
    if command == "run":
        study = small(Path(rest[0]))
        return [command, str(study), *rest[1:], "--storage", f"sqlite:///{number}.db"]
    if command in LESS and "--paths" in rest:
        rest[rest.index("--paths") + 1] = LESS[command][1]
        return [command, *rest]
    return [command, *rest, *LESS.get(command, ())]


def follow(page, call, *, whole):
    """Does what a page says, in the working folder; how many commands of amo-opt were called."""
    names, called = {}, 0
    for language, title, text in blocks(page):
        if language == "toml":
            tomllib.loads(text)
            path = Path(title.removesuffix(", added"))
            before = path.read_text(encoding="utf-8") if title.endswith(", added") else ""
            assert path.exists() or path.parent.is_dir(), f"{path}: no command before has made its folder"
            path.write_text(before + "\n" * bool(before) + text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, page.name, "exec"), names)  # noqa: S102 - the page's own code
        elif language == "bash":
            for line in text.splitlines():
                command, _, comment = line.partition("#")
                wanted = int(found[1]) if (found := re.search(r"exits with (\d)", comment)) else 0
                if command.startswith("amo-opt "):
                    arguments = shlex.split(command)[1:]
                    if not whole and {"--quick", "--dry-run"} & {
                        *arguments
                    }:  # another search, whose budget is its own, or whose end needs a whole one
                        continue
                    done = call(*(arguments if whole else lessened(arguments, called)))
                    # few paths decide nothing, and say no to every set
                    assert done.status == wanted or (arguments[0] == "run" and not whole and done.status == 1), f"{line}\n{done.err}"
                    called += 1
                else:
                    subprocess.run(command, shell=True, check=True)  # noqa: S602 - the page's own command
        else:
            raise AssertionError(f"{page.name}: no test runs a block of {language}")
    return called


@pytest.mark.parametrize("name", PAGES)
def test_a_tutorial_does_what_it_says(name, call, tmp_path, monkeypatch):
    """With small budgets: every file is read, and every command ends as the page has it. The page's figures are of the commands as they stand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AMO_OPT_HISTORY_DIR", raising=False)  # histories are then looked for beside their evidence file
    assert follow(DOCS / "tutorials" / f"{name}.md", call, whole=False) >= 4


@pytest.mark.campaign
@pytest.mark.parametrize("name", PAGES)
def test_a_tutorial_whole(name, call, tmp_path, monkeypatch):
    """Four minutes on two cores."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AMO_OPT_HISTORY_DIR", raising=False)
    follow(DOCS / "tutorials" / f"{name}.md", call, whole=True)


@pytest.fixture(scope="module")
def desk(need_module):
    """The address of the node that the page starts in a terminal of its own."""
    need_module("pyrevm", "evm")
    need_module("vyper", "test")
    specification = importlib.util.spec_from_file_location("local_study", ROOT / "tests" / "onchain" / "local_study.py")
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    with script.served() as url:
        yield url


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.campaign)])
def test_the_chain_tutorial_does_what_it_says(desk, call, tmp_path, monkeypatch, whole):
    """On the node that it starts. Run whole, its last command writes a batch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMO_OPT_RPC", desk)
    if not (ROOT / "reports").exists():
        pytest.skip("an archive of the source holds no reports: run this in a clone")
    for name in ("studies", "reports"):
        shutil.copytree(ROOT / name, tmp_path / name)
    assert follow(DOCS / "tutorials" / "chain-to-batch.md", call, whole=whole) == 7 + whole
    assert (tmp_path / "desk/batch/execution.json").exists()
    assert (tmp_path / "desk/report/safe-batch.json").exists() is whole


@pytest.mark.parametrize("page", sorted((DOCS / "how-to").glob("*.md")), ids=lambda page: page.stem)
def test_the_blocks_of_a_how_to_page_are_sound(page):
    """TOML is TOML, Python compiles; which keys there are is held by the forms of the files that the pages name."""
    for language, title, text in blocks(page):
        assert not title
        if language == "toml":
            tomllib.loads(text)
        else:
            assert language == "python"
            compile(text, page.name, "exec")
