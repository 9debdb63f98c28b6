"""Of sets that do as well on selection paths, the one that hangs least on what is assumed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amo_opt.search.doubt import robust_shares
from amo_opt.search.front import worth
from amo_opt.search.rule import tolerances

if TYPE_CHECKING:
    from amo_opt.config.study import Certification
    from amo_opt.search.certifier import Certifier
    from amo_opt.search.result import Candidate

MOST = 4
"""Most sets that are asked: each costs what the draws cost once more."""


def preferred(certifier: Certifier, pool: Sequence[Candidate], best: Candidate) -> tuple[Candidate, dict[str, float]]:
    """The set of the pool with the highest share of draws in which the rule would have it, of those within a tolerance of the ``best`` one's yield, and these
    shares by id; the best one where no other is, or nothing is drawn.
    """
    near = contenders(pool, best, certifier.study.certification)
    found = robust_shares(certifier, near) if len(near) > 1 else None
    if found is None:
        return best, {}
    # of equal shares the first, which is worth most
    return near[max(range(len(near)), key=lambda k: (found[k], -k))], {each.id: share for each, share in zip(near, found, strict=True)}


def contenders(pool: Sequence[Candidate], best: Candidate, certification: Certification) -> list[Candidate]:
    """The best set and those of the pool that earn at most a tolerance less, the one that is worth most first."""
    least = best.selection_score.yield_annual.value - certification.tolerance_yield
    near = [each for each in pool if each.id != best.id and each.selection_score.yield_annual.value >= least]
    units = tolerances(certification)

    def gain(each: Candidate) -> float:
        return worth(each.point, units)

    return [best, *sorted(near, key=gain, reverse=True)[: MOST - 1]]
