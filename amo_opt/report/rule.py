"""The recommendation rule in words, as `search.rule` applies it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.search.rule import LEVEL
from amo_opt.wording import USD, in_account

if TYPE_CHECKING:
    from amo_opt.config.study import Certification


def rule_words(certification: Certification, account: str = USD) -> str:
    """The rule as printed, in the unit of ``account``."""
    return (
        "A set is recommended only if, on fresh selection paths that the search never saw: (1) every constraint holds at its confidence bound (the worse end of its 95% interval), in every "
        "scenario; (2) against the current set on the same paths it is better on yield or on peg risk (paired bootstrap, "
        f"Holm-corrected over all candidates and both metrics at {LEVEL:g}) and on the other it is not worse by more than the study's tolerance "
        f"(yield {100 * certification.tolerance_yield:g} percentage points a year, peg risk {certification.tolerance_peg_bps:g} bp); (3) its peg risk against {in_account('the dollar', account)} is "
        f"not worse by more than the same tolerance, and its lowest external collateral ratio (mean of the lowest 5%) not lower by more than {certification.tolerance_cr:g}; "
        f"(4) in all it gains at least {certification.least_gain:g} of a tolerance, so that it is worth a vote. Of those the knee of the front is taken, the set that gains most when both axes are measured in these tolerances, "
        "or, of sets that earn at most a tolerance less, the one that most of a few joint draws of the assumptions would have; where none passes, a set that only the width of its intervals keeps from a tolerance, or only the correction for so many candidates from (2), goes on. "
        "What goes on must pass all four again on untouched holdout paths, and (5) lie on a plateau: no set one governance-sized step away in one parameter "
        "breaks, at its point value on the first holdout paths (as many drawn ones as in the search, or a tenth of those that were selected on), a limit that the set itself keeps there. "
        "Otherwise: no change."
    )
