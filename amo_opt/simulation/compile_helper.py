"""What a process does that helps compiling the kernel: ``python -m amo_opt.simulation.compile_helper WHICH PARENT STAGE...``.

It stands above both the kernel and what compiles it, so that neither has to know the other.
"""

from __future__ import annotations

import os
import sys

from amo_opt.simulation.compiled import keep, walk
from amo_opt.simulation.kernel import EVERYTHING
from amo_opt.stableswap.jit import address


def help_from(which: int, parent: int, names: list[str]) -> None:
    """What helper ``which`` does: compiles which of the named stages are not on disk yet, while the process that started it lives."""
    stages = {name: each for name, each in EVERYTHING.items() if name in names}
    if keep(stages):
        for name in walk(list(stages), which):
            if os.getppid() != parent:
                return
            function, signature = stages[name]
            if not function._cache.holds(signature):  # noqa: SLF001 - the cache that `keep` gave it
                address(function, signature)


if __name__ == "__main__":
    help_from(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
