"""Survival curves from break points that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amo_opt.report.figures.break_ import save_break
from amo_opt.report.stories.break_ import caption_of, definition, panels_of, survival
from amo_opt.search.break_points import BreakPoint, bisect
from amo_opt.search.reverse_stress import ReverseStress, Survival


def broken(truth, stress="run"):
    truth = np.asarray(truth)
    return bisect(lambda size: {"price": size > truth}, stress=stress, unit="share", largest=1.0, rounds=2)


@pytest.fixture
def found():
    paid = BreakPoint(share=0.5, value=0.4, interval=(0.3, 0.6), n=4)
    run = broken([0.3, 0.6, 0.9, 2.0])
    return ReverseStress(
        parameters="a",
        study="b",
        account="USD",
        coin="USDC",
        survival=Survival(dollar=True, min_external_cr=0.8, max_unserved_usd_hours=1e9),
        breaking=(run, broken([2.0] * 4, "depeg")),
        run_capacity=run,
        paid=(paid, paid),
    )


def test_surviving_is_told_by_side(found):
    """From below where a price above costs nothing, else within the distance."""
    assert definition(found).startswith("price >= reference - 1% (reference = 1 dollar)")
    both = replace(found, survival=replace(found.survival, both=True))
    assert definition(both).startswith("price within 1% of reference (reference = 1 dollar)")


def test_the_curve_counts_who_is_left_at_each_size():
    """Points 0.25, 0.5, 0.75 and 1 on a grid of quarters; the dead do not survive size 0."""
    curve = survival(broken([0.3, 0.6, 0.9, 2.0]), "price")
    assert curve.sizes == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert curve.share == (1.0, 1.0, 0.75, 0.5, 0.25)
    assert survival(broken([-1.0, 2.0]), "price").share[:2] == (0.5, 0.5)


def test_intervals_are_exact_binomial():
    """Of thirty, thirty: 0.025 ** (1/30) to 1; of 29 no interval is known, and no band is drawn."""
    curve = survival(broken([2.0] * 30), "price")
    assert curve.low[0] == pytest.approx(0.025 ** (1 / 30))
    assert set(curve.high) == {1.0}
    assert np.isnan([survival(broken([2.0] * 29), "price").low, survival(broken([2.0] * 29), "price").high]).all()


def test_caption_and_panels_hold_both_measures(found):
    """n, seed, who sets out and who is paid; the run's panel has the curve of its capacity too."""
    text = caption_of(found, 5)
    assert "too few paths for intervals (n = 4 paths a stress, seed 5)" in text
    assert "0.4 [0.3, 0.6] of outside supply or more is paid out within 24 h on 50% of all paths" in text
    assert [len(panel.curves) for panel in panels_of(found)] == [2, 1]


@pytest.mark.parametrize("suffix", [".html", ".svg", ".png"])
def test_the_same_bytes_each_time(found, tmp_path, suffix):
    """Every format twice; a name cannot become markup."""
    files = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for file in files:
        save_break(file, panels_of(found), title="<script>", caption=caption_of(found, 5))
    assert files[0].read_bytes() == files[1].read_bytes()
    if suffix == ".html":
        assert "<script" not in files[0].read_text(encoding="utf-8")


def test_surviving_is_told_in_full(found):
    """The price's reference, the study's limits, onset, the windows of its stresses, and with a freeze the exits that come with it."""
    told = (
        "price >= reference - 1% (reference = 1 dollar), external collateral ratio >= 0.8, unserved <= 1e+09 USD h; onset on day 3; "
        "windows of 30 days (run), 30 days (depeg)"
    )
    assert definition(found) == f"{told} instead of the study's"
    frozen = replace(found, breaking=(*found.breaking, replace(found.breaking[1], stress="freeze")))
    exits = "the freeze comes with the exits of ust-contagion-2022 at their fitted size"
    assert definition(frozen) == f"{told}, 70 days (freeze) instead of the study's; {exits}"
    assert "min(1, USDC, base-pool value)" in definition(replace(found, survival=replace(found.survival, dollar=False)))
