"""Sets tried before any sampler."""

from __future__ import annotations

from amo_opt.config.study import Range
from amo_opt.protocol.parameters import ORDERED_PAIRS
from amo_opt.search.seeds import seed_sets
from amo_opt.search.space import build_space


def test_the_current_set_is_first_and_untouched(make_study):
    """Trial 0 is the set in force as it is, even where it lies outside the space."""
    study = make_study(aave_cap=0.95)
    assert seed_sets(build_space(study))[0] == study.current


def test_seeds_differ_and_lie_in_the_space(make_study):
    """No seed repeats another; every one but the current set keeps its ranges and the order of pairs."""
    study = make_study()
    seeds = seed_sets(build_space(study))
    assert len({tuple(seed.values().items()) for seed in seeds}) == len(seeds)
    for seed in seeds[1:]:
        values = seed.values()
        assert all(limits.low <= values[name] <= limits.high for name, limits in study.search.space.items())
        assert all(values[low] < values[high] for low, high in ORDERED_PAIRS)


def test_seeds_are_what_a_person_would_try(make_study):
    """Half the caps, no lending, a larger buffer, A halved and doubled."""
    seeds = {seed.name: seed for seed in seed_sets(build_space(make_study()))}
    assert (seeds["half-caps"].curve_collateral_cap, seeds["half-caps"].aave_cap) == (0.25, 0.1)
    assert seeds["no-lending"].aave_cap == 0.0
    assert seeds["buffered"].idle_buffer == 0.15
    assert (seeds["half-A"].amplification, seeds["double-A"].amplification) == (750, 3000)


def test_a_seed_that_the_space_undoes_is_left_out(make_study):
    """Where only A is searched, seeds that move anything else would repeat the current set."""
    seeds = seed_sets(build_space(make_study(space={"amplification": Range(low=150, high=5000, log=True)})))
    assert [seed.name for seed in seeds] == ["in-force", "double-A", "half-A"]


def test_an_idea_of_which_nothing_is_searched_is_no_seed(make_study):
    """With one cap searched and off the grid of votes, only ideas that move it stand: not the rounded current set under another's name."""
    seeds = seed_sets(build_space(make_study(space={"curve_collateral_cap": Range(low=0.2, high=0.9)}, curve_collateral_cap=0.728)))
    assert [seed.name for seed in seeds] == ["in-force", "half-caps"]


def test_one_cap_an_amo_is_halved_and_every_lender_stops(make_study):
    """What the Curve AMO may mint stays as it is; lending is of collateral and of what is minted; the buffer grows at Aave's cost."""
    caps = {"investor_cap": 0.1, "uniswap_cap": 0.1, "fraxlend_cap": 0.1, "curve_mint_cap": 0.5}
    space = dict.fromkeys(("curve_collateral_cap", "aave_cap", *caps, "idle_buffer"), Range(low=0.0, high=1.0))
    seeds = {
        seed.name: seed.values() for seed in seed_sets(build_space(make_study(space=space, curve_collateral_cap=0.4, aave_cap=0.2, **caps)))
    }
    halves = {"curve_collateral_cap": 0.2, "aave_cap": 0.1, "investor_cap": 0.05, "uniswap_cap": 0.05, "fraxlend_cap": 0.05}
    moved = {name: {key: value for key, value in seed.items() if value != seeds["in-force"][key]} for name, seed in seeds.items()}
    assert moved["half-caps"] == halves
    assert moved["no-lending"] == {"aave_cap": 0.0, "investor_cap": 0.0, "fraxlend_cap": 0.0}
    assert set(moved["buffered"]) == {"idle_buffer", "aave_cap"}
