"""What a storage says of its study to whoever opens it in optuna-dashboard: its note, where the dashboard keeps a user's own (`optuna_dashboard.save_note`), so that what is written there later stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

    from amo_opt.config.study import Study

VERSION = "dashboard:note_ver"
BODY = "dashboard:note_str:"
LONGEST = 2045
"""Characters of a piece of a note: the dashboard's."""

_MEANINGS = """
| what | meaning |
|---|---|
| `yield`, maximised | income over collateral, a year, on the search's paths |
| `peg_cvar95_bps`, minimised | mean of the worst 5% of paths of the largest three-day shortfall, basis points |
| constraints | at most 0 is kept; by name, `limit:scenario`, in the user attribute `constraints` |
| `parameters`, `name`, `origin` | the whole set, what it is called, and whether it is the one in force, a starting point or the sampler's |
| `screened` | a set that broke a limit clearly on the first paths, and was not taken further |

Trial 0 is the set in force. These are the search's own figures: what is published was found on fresh paths, and stands in the report.
Trials are sealed: one whose values, parameters or attributes are edited is refused. Notes and artifacts may be added.
"""


def note_of(study: Study) -> str:
    """The note of a study, in Markdown."""
    searched = ", ".join(
        f"`{name}` {each.low:g} to {each.high:g}{' (log)' if each.log else ''}" for name, each in study.search.space.items()
    )
    scenarios = ", ".join(each.name for each in study.scenarios)
    said = f"{study.notes}\n\n" if study.notes else ""
    return f"# {study.name}, {study.date}\n\n{said}Searched: {searched}.\n\nScenarios: {scenarios}.\n{_MEANINGS}"


def write_note(storage: BaseStorage, study_id: int, note: str) -> None:
    """Writes a study's note as the dashboard reads it."""
    for place, first in enumerate(range(0, len(note), LONGEST)):
        storage.set_study_system_attr(study_id, f"{BODY}{place}", note[first : first + LONGEST])
    storage.set_study_system_attr(study_id, VERSION, 1)
