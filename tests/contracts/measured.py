"""The measured cases of tests/vectors."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def cases_of(name: str) -> list[Any]:
    """The cases of a file by its name, read once a process."""
    with gzip.open(Path(__file__).parents[1] / "vectors" / f"{name}.json.gz") as file:
        return json.load(file)["cases"]
