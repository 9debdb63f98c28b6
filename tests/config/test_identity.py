"""What makes two studies the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt.config import identity
from amo_opt.config.identity import canonical, state_values, study_hash
from amo_opt.config.load import load_study

STUDY = "frax-2022.toml"
STATE = "states/frax-2022-05-11.toml"
BEHAVIOUR = "behaviour/frax-2022.toml"
CURRENT = "parameters/frax-current.toml"


def test_the_hash_is_the_same_wherever_the_study_lies(folder):
    """Copying a study changes neither its results nor its hash, and loading it twice gives the same one."""
    original = Path(__file__).parents[2] / "studies" / STUDY
    assert load_study(folder / STUDY).hash == load_study(original).hash == load_study(original).hash


def test_renamed_settings_make_no_other_study(folder):
    """The hash is taken over the names they had first: trials of before are still the study's own."""
    found = canonical(load_study(folder / STUDY))["certification"]
    assert found == {
        "multiple": 10,
        "candidates": 10,
        "margin_yield": 0.001,
        "margin_peg_bps": 2.0,
        "margin_cr": 0.01,
        "least_gain": 0.5,
        "bootstrap": 1000,
        "most_paths": 10_240,
    }


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (STUDY, "trials = 200", "trials = 400"),
        (STUDY, 'notes = "Worked', 'notes = "A worked'),
        (STUDY, 'name = "frax-2022"', 'name = "frax-2022-again"'),
        (STUDY, "date = 2022-05-11", "date = 2023-05-11"),
        (STUDY, "{ size = 1.0 }", "{ size = 1 }"),
        (STUDY, "max_unserved_usd_hours = 1e9", "max_unserved_usd_hours = 1_000_000_000"),
        (STATE, "asardon/zll-backtests frax.csv", "the same export"),
        (STATE, "low = 0.65, high = 0.90", "low = 0.60, high = 0.90"),
        (CURRENT, 'name = "frax-current"', 'name = "frax-in-force"'),
    ],
)
def test_what_changes_no_result_changes_no_hash(folder, edit, name, old, new):
    """More trials extend the same study; names, dates, notes, sources and the spelling of a number do not matter."""
    before = load_study(folder / STUDY).hash
    edit(name, old, new)
    assert load_study(folder / STUDY).hash == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (STUDY, "seed = 6", "seed = 7"),
        (STUDY, "paths = 64", "paths = 65"),
        (STUDY, "batch = 8", "batch = 4"),
        (STUDY, 'sampler = "auto"', 'sampler = "tpe"'),
        (STUDY, "high = 5000, log = true", "high = 5000, log = false"),
        (STUDY, "min_external_cr = 0.70", "min_external_cr = 0.76"),
        (STUDY, "# min_floor_supply = 1.0", "min_floor_supply = 1.0"),
        (STUDY, "crv_locked_share = 0.0", "crv_locked_share = 0.5"),
        (STUDY, "# set = {", "set = {"),
        (STUDY, "tolerance_peg_bps = 2.0", "tolerance_peg_bps = 2.5"),
        (STUDY, "weight = 0.95", "weight = 0.94"),
        (STUDY, "{ size = 1.0 }", "{ size = 1.1 }"),
        (STUDY, "{ size = 1.0 }", "{ size = 1.0 }\nmax_breach_probability = 0.5"),
        (STATE, "fee = { value = 0.0004, source", "fee = { value = 0.0005, source"),
        (CURRENT, "aave_cap = 0.201", "aave_cap = 0.2"),
    ],
)
def test_what_changes_a_result_changes_the_hash(folder, edit, name, old, new):
    """Seed, paths, space, limits, weights, settings, figures and parameters are the study."""
    before = load_study(folder / STUDY).hash
    edit(name, old, new)
    assert load_study(folder / STUDY).hash != before


def test_a_new_model_version_is_a_new_study(folder, monkeypatch):
    """Results of an older model never mix with new ones."""
    study = load_study(folder / STUDY)
    monkeypatch.setattr(identity, "MODEL_VERSION", identity.MODEL_VERSION + 1)
    assert study_hash(study) != study.hash


def test_moved_waypoints_are_a_new_study(folder):
    """A catalogue entry whose waypoints change gives another study, even under the same name."""
    study = load_study(folder / STUDY)
    moved = replace(study.scenarios[1], waypoints={"usdc": ((0.0, 1.0), (1.0, 0.5))})
    assert study_hash(replace(study, scenarios=(study.scenarios[0], moved, *study.scenarios[2:]))) != study.hash


def test_state_values_are_every_figure(folder):
    """Each figure of the state, and of how its holders act, goes into the hash by its dotted key; one that is as where it is left out does not."""
    values = state_values(load_study(folder / STUDY).state)
    rows = "\n".join((folder / name).read_text(encoding="utf-8") for name in (STATE, BEHAVIOUR)).split("\n")
    as_left_out = ("fraxlend_max_ltv", "fraxlend_liquidation_fee")
    # what a venue's price differs by changes no result but a replay's
    of_replays = ("price_sd", "price_hours")
    written = [row for row in rows if " = { value = " in row and not row.startswith(("#", *as_left_out, *of_replays))]
    assert values["pool.fee"] == 0.0004
    assert values["amos.curve.lp_share"] == 0.80
    assert len(values) == len(written)


def test_a_package_that_knows_another_amo_gives_the_same_hash(folder, edit, request):
    """Settings of an AMO that neither study nor catalogue names are left out; one that the study sets is in, unless to what calm holds anyway."""
    before = load_study(folder / STUDY).hash
    request.getfixturevalue("vault")
    again = load_study(folder / STUDY)
    assert "vault_loss_yearly" in again.scenarios[0].settings
    assert again.hash == before
    edit(STUDY, "{ size = 1.0 }", "{ size = 1.0, vault_loss_yearly = 0.0 }")
    assert load_study(folder / STUDY).hash == before
    edit(STUDY, "vault_loss_yearly = 0.0 }", "vault_loss_yearly = 0.01 }")
    assert load_study(folder / STUDY).hash != before
