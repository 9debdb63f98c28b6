"""Whether a library is the one that our ways into its private parts were written for.

Some private methods of Optuna have stand-ins here that do the same in a fraction of the time, and compiled functions are kept on disk through Numba's
own cache classes. Where the text of what is used or replaced has changed, that way is left alone: slower, never something else.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import logging
from functools import cache
from operator import attrgetter

_log = logging.getLogger("amo_opt")
SLOWER = "its own way is taken, which is slower"


@cache
def written_for(digest: str, *places: str, instead: str) -> bool:
    """Whether the functions at ``places`` (``module:qualified.name``) read as they did; told once where they do not, with what is done ``instead``.

    ``digest``: the first 16 digits of SHA-256 over their texts (`digest_of`).
    """
    found = digest_of(*places)
    if found != digest:
        library = places[0].partition(".")[0]
        _log.warning(
            "%s %s differs from the one amo-opt was written for in %s (%s): %s",
            library.capitalize(),
            getattr(importlib.import_module(library), "__version__", "?"),
            places[0].partition(":")[2],
            found or "no text",
            instead,
        )
    return found == digest


def digest_of(*places: str) -> str:
    """The digest of these functions' or classes' texts; empty where one is not there or has no text."""
    texts = []
    for place in places:
        module, _, name = place.partition(":")
        try:
            texts.append(inspect.getsource(attrgetter(name)(importlib.import_module(module))))
        except (ImportError, AttributeError, OSError, TypeError):
            return ""
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]
