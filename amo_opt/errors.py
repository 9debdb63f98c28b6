"""Errors that amo-opt raises on purpose: one root, and a message that names value, limit and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.one_line import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence


LISTED = 30
"""Problems that are told one by one; a file wrong everywhere does not fill the screen."""
LONGEST = 400
"""Characters of a file's name, a key or a value that a message shows."""


class AmoOptError(Exception):
    """Root of every error amo-opt raises on purpose; the command line turns it into exit status 2."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one input file.

    ``where`` is the dotted key (``search.space.idle_buffer.low``), ``found`` the value as written, ``allowed`` what would have been
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
        """One line, whatever the file, its name or its keys hold."""
        file, where, message = (one_line(part, most=LONGEST) for part in (self.file, self.where, self.message))
        place = f"{file}:{self.line}" if self.line is not None else file
        parts = [f"{place}: {where}: {message}" if where else f"{place}: {message}"]
        if self.found is not None:
            parts.append(f"found {one_line(self.found, most=LONGEST)}")
        if self.allowed is not None:
            parts.append(f"allowed: {self.allowed}")
        if self.hint is not None:
            parts.append(self.hint)
        return one_line("; ".join(parts))


def listed(problems: Sequence[Problem]) -> list[str]:
    """A line for each problem, of many for the first ones, and how many more there are."""
    more = len(problems) - LISTED
    return [*map(str, problems[:LISTED]), *([f"and {more:,} more problem{'s' if more > 1 else ''}"] if more > 0 else [])]


class InputError(AmoOptError):
    """A file or an argument is wrong; carries every problem found, so that all are mended in one go."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(listed(self.problems)))


class SimulationError(AmoOptError):
    """A path did not converge or broke an invariant; the trial fails, naming scenario, path and step."""


class StorageError(AmoOptError):
    """The storage of a study cannot be read or written, or belongs to another study."""
