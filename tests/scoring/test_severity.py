"""No stress pays: the same scenario struck harder never raises the yield by more than its interval."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amo_opt.config.load import load_study
from amo_opt.scoring.score import score
from amo_opt.simulation.engine import simulate

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.scoring.types import Estimate

STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"
SIZES = (0.5, 1.0, 2.0, 4.0)
STRESSES = (
    *("collateral-impairment", "death-spiral", "fast-run", "lending-freeze-svb", "lp-flight"),
    *("slow-bleed", "svb-2023", "ust-contagion-2022", "whale-dump", "wind-down"),
)
"""Every scenario of FRAX's that has a size but one: in `upward-depeg` more is wanted, and what minting it earns at the door is income."""
ALLOWED = ("lending", "swap_fees")
"""What may rise: interest while a market is frozen, fees of swaps."""


def struck(name: str, size: float) -> Study:
    entry = {"name": name, "weight": 1.0, "set": {"size": size}}
    return load_study(STUDY, overrides={"scenario": [{"name": "calm", "weight": 1.0}, entry]})


def earned(study: Study, name: str) -> tuple[Estimate, float]:
    """The scenario's yield with its interval, and how much of it is of the allowed terms."""
    alone = replace(study, scenarios=tuple(each for each in study.scenarios if each.name == name))
    found = score(simulate(alone.current, alone), alone)
    return found.metrics["yield"], sum(found.yield_terms[term].value for term in ALLOWED)


@pytest.mark.parametrize("name", STRESSES)
def test_severity_never_pays(name: str) -> None:
    """At half, once, twice and four times its size."""
    seen = [earned(struck(name, size), name) for size in SIZES]
    for (mild, mild_allowed), (hard, hard_allowed) in pairwise(seen):
        more = max(0.0, hard_allowed - mild_allowed)
        assert hard.low - more <= mild.high, (mild, hard)
