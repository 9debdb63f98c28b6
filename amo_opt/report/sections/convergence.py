"""How the search came to its end: the front's hypervolume batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.wording import count

if TYPE_CHECKING:
    from amo_opt.search.result import Result

SETTLED = 0.99


@dataclass(frozen=True)
class Convergence:
    """Hypervolume after each batch, as shares of the last; empty where it was not measured."""

    shares: tuple[float, ...]
    caption: str


def convergence_of(result: Result) -> Convergence:
    """The curve and the batch from which it stood within one per cent of its end."""
    values = result.hypervolume
    last = values[-1] if values else 0.0
    if last <= 0.0:
        return Convergence((), "The front's hypervolume was not measured, so convergence is not shown.")
    shares = tuple(value / last for value in values)
    settled = next(number for number, share in enumerate(shares, start=1) if share >= SETTLED)
    late = (
        "the search may have had more to find"
        if settled > 0.75 * len(shares)
        else "the last quarter of the search found nearly nothing more"
    )
    return Convergence(
        shares,
        f"The front's hypervolume was within 1% of its end after batch {settled} of {len(shares)}: {late} "
        f"(point values of the search's own paths, n = {count(len(result.trials), 'trial')} of {count(result.paths_search, 'path')}, seed {result.study.search.seed}).",
    )
