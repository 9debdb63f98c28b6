"""What a release hands out: the wheel and the source archive, the version they carry, the licences of what they bring."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml

from amo_opt.version import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
TOP = {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "PKG-INFO", "README.md", "SECURITY.md", "action.yml", "pyproject.toml"}


@pytest.fixture(scope="module")
def built(tmp_path_factory, need_module):
    """The wheel and the source archive, built by what `pyproject.toml` names."""
    need_module("hatchling", "test")
    folder = tmp_path_factory.mktemp("dist")
    call = [sys.executable, "-m", "hatchling", "build", "-d", folder]
    subprocess.run(call, cwd=ROOT, capture_output=True, check=True, timeout=300)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def files(folder):
    """Files of a folder of the repository, without what is made when it is used."""
    found = (path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file())
    return {name for name in found if "__pycache__" not in name and not re.search(r"/\.[a-z_]+_cache/|\.py[co]$", name)}


def test_the_version_stands_in_one_place(built):
    """Both files and their metadata have it from amo_opt/version.py, and the citation says the same."""
    wheel, archive = built
    assert "version" not in PROJECT
    assert (wheel.name, archive.name) == (f"amo_opt-{__version__}-py3-none-any.whl", f"amo_opt-{__version__}.tar.gz")
    metadata = Parser().parsestr(zipfile.ZipFile(wheel).read(f"amo_opt-{__version__}.dist-info/METADATA").decode())
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "MIT"
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == __version__


def test_the_wheel_holds_the_package_and_the_worked_studies(built):
    names = {name for name in zipfile.ZipFile(built[0]).namelist() if ".dist-info/" not in name}
    examples = {name.replace("studies/", "amo_opt/examples/", 1) for name in files("studies")}
    assert names == files("amo_opt") | examples


def test_the_archive_holds_what_the_tests_need(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= files("amo_opt") | files("studies") | files("tests") | files("docs") | TOP | {".pre-commit-hooks.yaml", ".ci/run"}
    assert {name for name in names if "/" not in name and not name.startswith(".")} - {"mkdocs.yml"} == TOP


@pytest.fixture(scope="module")
def licences():
    specification = importlib.util.spec_from_file_location("licences", ROOT / "docs" / "licences.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_every_licence_is_listed(licences):
    """Whatever an installation, or an extra that a user asks for, brings with it on this machine has its row."""
    rows = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+?) \|", (ROOT / "docs" / "licences.md").read_text(encoding="utf-8"), re.MULTILINE))
    for group, wanted in licences.groups().items():
        assert set(licences.closure(wanted)) - rows.keys() == set(), group or "always"
    assert all(
        rows[name] not in {"", "not stated"} and "not installed" not in rows[name] for name in licences.closure(licences.groups()[""])
    )


def interpreter(version):
    """A Python of that version: on the path where it answers, or among pyenv's."""
    named = [shutil.which(f"python{version}"), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for each in filter(None, named):
        asked = subprocess.run(
            [each, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=False
        )
        if asked.stdout.strip() == version:
            return each
    return None


@pytest.mark.campaign
@pytest.mark.parametrize("form", ["wheel", "archive"])
@pytest.mark.parametrize("version", PYTHONS)
def test_what_is_handed_out_runs_away_from_the_checkout(built, version, form, missing, tmp_path):
    """On every Python that the classifiers name: install, the README's command with a small budget; from the archive some of its tests too."""
    python = interpreter(version)
    if python is None:
        missing(f"no Python {version} is on this machine")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*call, cwd=tmp_path):
        done = subprocess.run(call, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=1800)
        assert done.returncode == 0, f"{call}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run(python, "-m", "venv", "venv")
    programs = tmp_path / "venv" / "bin"
    run(programs / "pip", "install", "--quiet", built[form == "archive"])
    assert __version__ in run(programs / "amo-opt", "--version")
    if form == "wheel":
        run(programs / "amo-opt", "init", "example")
        run(programs / "amo-opt", "run", "example/study.toml", "--trials", "2", "--paths", "2", "--out", "report")
    else:
        with tarfile.open(built[1]) as archive:
            archive.extractall(tmp_path, filter="data")
        unpacked = tmp_path / f"amo_opt-{__version__}"
        run(
            programs / "amo-opt",
            "run",
            "studies/frax-2022.toml",
            "--trials",
            "2",
            "--paths",
            "2",
            "--out",
            tmp_path / "report",
            cwd=unpacked,
        )
        run(programs / "pip", "install", "--quiet", "pytest", "import-linter", "hatchling", "hypothesis")
        run(
            programs / "python",
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "tests/test_layers.py",
            "tests/test_wording.py",
            "tests/test_safety.py",
            cwd=unpacked,
        )
    assert (tmp_path / "report" / "proposal.md").stat().st_size > 1000
