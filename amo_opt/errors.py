"""Errors that amo-opt raises on purpose: one root, and a message that names value, limit and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class AmoOptError(Exception):
    """Root of every error amo-opt raises on purpose; the command line turns it into exit status 2."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one input file.

    ``where`` is the dotted key (``search.space.aave_cap.low``), ``found`` the value as written, ``allowed`` what would have been
    accepted, ``hint`` the nearest known key or another way out.
    """

    file: str
    where: str
    message: str
    found: str | None = None
    allowed: str | None = None
    hint: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else self.file
        parts = [f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"]
        if self.found is not None:
            parts.append(f"found {self.found}")
        if self.allowed is not None:
            parts.append(f"allowed: {self.allowed}")
        if self.hint is not None:
            parts.append(self.hint)
        return "; ".join(parts)


class InputError(AmoOptError):
    """A file or an argument is wrong; carries every problem found, so that all are mended in one go."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SimulationError(AmoOptError):
    """A path did not converge or broke an invariant; the trial fails, naming scenario, path and step."""


class StorageError(AmoOptError):
    """The record of a study cannot be read or written, or belongs to another study."""
