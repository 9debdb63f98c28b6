"""Nothing comes for free: stablecoin minted without collateral, positions, runs, each costs somewhere what it earns elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.protocol.collateral_ratio import external_ratio
from amo_opt.scoring.score import score
from amo_opt.simulation.engine import simulate, simulate_many
from amo_opt.simulation.outcome import Outcome
from amo_opt.stableswap.invariant import refresh_D, scaled_x_at_price
from amo_opt.stress.catalogue import load_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

PATHS = 16


def figures(study: Study, sets: Sequence[ParameterSet], *names: str) -> dict[str, np.ndarray]:
    """Metrics of several sets on the same paths, by name."""
    outcomes = simulate_many(sets, study, paths=PATHS)
    assert all(isinstance(outcome, Outcome) for outcome in outcomes), outcomes
    scores = [score(outcome, study) for outcome in outcomes if isinstance(outcome, Outcome)]
    return {name: np.array([one.metrics[name].value for one in scores]) for name in names}


def minting(frax: Study) -> dict[str, np.ndarray]:
    """The Curve AMO minting more and more into the pool: it keeps the stablecoin's share of it between s and s + 0.07, s from 0.30 to 0.90."""
    shares = (0.30, 0.40, 0.50, 0.55, 0.60, 0.65, 0.70, 0.80, 0.90)
    sets = [
        frax.current.replace(name=f"s{i}", pool_share_low=low, pool_share_high=low + 0.07, curve_mint_cap=1.0, rebalance_rate=0.05)
        for i, low in enumerate(shares)
    ]
    # a path in which the share token collapses by chance would drown the rest of the tail
    study = replace(frax, scenarios=tuple(one for one in frax.scenarios if one.name != "ust-contagion-2022"))
    return figures(study, sets, "yield", "peg_cvar95_bps", "min_cr_external_tail95")


@pytest.fixture(scope="module")
def by_share(frax: Study) -> dict[str, np.ndarray]:
    """As the worked study assumes: providers hardly leave by the pool's share."""
    return minting(frax)


@pytest.fixture(scope="module")
def where_they_flee(frax: Study) -> dict[str, np.ndarray]:
    """At a flight of 0.2 an hour per unit of share above 0.65, which the histories neither show nor need."""
    figure = replace(frax.state.markets.lp_flight_rate, value=0.2)
    return minting(replace(frax, state=replace(frax.state, markets=replace(frax.state.markets, lp_flight_rate=figure))))


def test_minting_into_the_pool_never_earns_covers_and_holds_the_peg_together(by_share: dict[str, np.ndarray]) -> None:
    """More stablecoin in the pool earns more rewards, and the peg pays for it at every step: at shares where it never slips, and where all is minted, nothing moves."""
    assert (np.diff(by_share["yield"]) > -1e-4).all()
    steps = np.diff(by_share["peg_cvar95_bps"])
    assert (steps >= 0.0).all()
    assert (steps[1:-1] > 0.0).all()
    assert by_share["peg_cvar95_bps"][-1] > 10.0 * by_share["peg_cvar95_bps"][2]


def test_minting_past_what_outside_providers_bear_costs_collateral(where_they_flee: dict[str, np.ndarray]) -> None:
    """Where the pool's share passes what they flee at, yield rises and the worst external ratio falls."""
    held, fled = 3, 5  # shares of 0.55 and of 0.65, which is lp_flight_share
    assert where_they_flee["yield"][fled] > where_they_flee["yield"][held]
    assert where_they_flee["min_cr_external_tail95"][fled] < where_they_flee["min_cr_external_tail95"][held] - 0.02


def test_where_providers_stay_minting_covers_and_the_peg_alone_pays(by_share: dict[str, np.ndarray]) -> None:
    """At all shares above the one in force the worst external ratio rises, by less than two points together."""
    ratio = by_share["min_cr_external_tail95"][2:]
    assert (np.diff(ratio) >= 0.0).all()
    assert 0.0 < ratio[-1] - ratio[0] < 0.02


def test_what_minting_into_the_pool_adds_to_the_external_ratio_is_sold_to_its_providers() -> None:
    """A one-sided deposit buys 3CRV of the outside providers at about par: with all liquidity its own, minting adds nothing before the floor.

    At the floor the pool of invariant D holds u D stablecoin and v D 3CRV, so m minted bring v m against (1 - u) m more outside, u + v >= 1. What was
    outside the pool before is worth at most its own ratio; the gain is the providers' 3CRV, which is why it stops where they flee.
    """
    ann, floor = 3000.0, 0.8725
    x, y, supply, free = 1.5e9, 1.1e9, 2.6e9, 0.34e9
    scaled, _ = scaled_x_at_price(floor, ann)
    d = refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))
    for minted in (1e7, 1e8, 5e8):
        d_1 = refresh_D(x + minted, y, ann, refresh_D(x + minted, y, ann, d))
        gains = []
        for own in (0.5, 1.0):
            before = external_ratio(x, y, d, ann, own, supply, free, scaled, 0.0, 1.0)
            own_1 = 1.0 - (1.0 - own) * d / d_1
            gains.append(external_ratio(x + minted, y, d_1, ann, own_1, supply + minted, free, scaled, 0.0, 1.0) - before)
        assert gains[0] > gains[1]
        assert gains[1] < 0.02 * minted / supply


def test_minting_into_fraxlend_earns_and_costs_cover(frax: Study) -> None:
    """Interest on stablecoin that nothing stands behind: yield up, external ratio down, at every size; a larger cap earns ever less more."""
    caps = (0.0, 0.002, 0.005, 0.01)
    busy = tuple(replace(one, settings={**one.settings, "fraxlend_deposits": 3e8, "fraxlend_utilisation": 0.8}) for one in frax.scenarios)
    sets = [frax.current.replace(name=f"f{i}", fraxlend_cap=cap) for i, cap in enumerate(caps)]
    found = figures(replace(frax, scenarios=busy), sets, "yield", "min_cr_external")
    gained = np.diff(found["yield"])
    assert (gained > 0.0).all()
    assert (np.diff(found["min_cr_external"]) < 0.0).all()
    assert (np.diff(gained / np.diff(caps)) < 0.0).all()


def test_a_run_never_raises_yield(frax: Study) -> None:
    """The more holders leave in May 2022, the less is earned; debt bought below par and collateral's own price are not yield."""
    yields = []
    for leaving in (0.01, 0.2, 0.45, 0.7):
        scenario = load_scenario("ust-contagion-2022", weight=1.0)
        scenario = replace(scenario, settings={**scenario.settings, "exit_total_low": leaving, "exit_total_high": leaving})
        study = replace(frax, scenarios=(scenario,))
        yields.append(score(simulate(study.current, study, paths=PATHS), study).metrics["yield"].value)
    assert (np.diff(yields) < 0.0).all(), yields
    calm = replace(frax, scenarios=(load_scenario("calm", weight=1.0),))
    assert yields[0] < score(simulate(calm.current, calm, paths=PATHS), calm).metrics["yield"].value
