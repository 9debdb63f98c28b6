"""verdict.json and run.json on disk, each whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.comparison.documents import json_text
from amo_opt.comparison.figures import run_document
from amo_opt.errors import StorageError
from amo_opt.search.unfinished import replace_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.comparison.verdict import Comparison

VERDICT, RUN = "verdict.json", "run.json"


def write_comparison(comparisons: Sequence[Comparison], folder: Path) -> None:
    """Writes the verdict, of several candidates that of each, and the baseline's run into ``folder``, made if need be. Raises `StorageError` where that cannot be done."""
    run = json.dumps(run_document(comparisons[0].baseline, comparisons[0].study), indent=1, allow_nan=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((RUN, run), (VERDICT, json_text(comparisons))):
            replace_whole(folder / name, text.encode())
    except OSError as error:
        raise StorageError(f"nothing can be written to {folder}: {error.strerror or error}; name another folder with --out") from error
