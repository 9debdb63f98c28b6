"""A copy of the shipped study that a test may break."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # `without` stands beside this folder: the tests themselves are no package

STUDIES = Path(__file__).parents[2] / "studies"

STUDY = "frax-2022.toml"
STATE = "states/frax-2022-05-11.toml"
CURRENT = "parameters/frax-current.toml"
BEHAVIOUR = "behaviour/frax-2022.toml"
SPELLS = ("behaviour/spells-2022.toml", "behaviour/spells-2022.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped studies, copied."""
    for name in (STUDY, STATE, CURRENT, BEHAVIOUR, *SPELLS):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(STUDIES / name, target)
    return tmp_path


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str, str], None]:
    """Replaces one piece of a copied file by another; the piece must be there exactly once."""

    def replace(name: str, old: str, new: str) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace
