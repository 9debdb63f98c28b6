"""What `import amo_opt` gives: the common work in one call each, and nothing heavy before one is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import amo_opt

STUDY = Path(__file__).resolve().parents[1] / "studies" / "frax-2022.toml"
HEAVY = ("numba", "pandas", "optuna", "matplotlib")
SMALL = {
    "simulation.paths": 4,
    "simulation.transition_hours": 48,
    "simulation.window_hours": 240,
    "certification.multiple": 2,
    "certification.candidates": 3,
    "certification.bootstrap": 50,
}


@pytest.fixture(scope="module")
def study():
    return amo_opt.load_study(STUDY, overrides=SMALL)


@pytest.fixture(scope="module")
def outcome(study):
    return amo_opt.simulate(study.current, study)


@pytest.mark.parametrize(
    "code",
    [
        "import amo_opt; dir(amo_opt); amo_opt.__version__",
        "import sys; sys.argv = ['amo-opt', '--help']\nfrom amo_opt.cli.main import main\ntry:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 0",
        "import sys; sys.argv = ['amo-opt', 'run', '--help']\nfrom amo_opt.cli.main import main\ntry:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 0",
    ],
    ids=["import", "help", "run-help"],
)
def test_nothing_heavy_is_imported_before_it_is_used(code):
    """A new interpreter has none of the heavy libraries after the import, nor after `--help`."""
    told = f"{code}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert found.stderr.strip() == "[]"


def test_every_name_of_the_face_is_there():
    """What `__all__` lists can be had, `dir` lists it, and anything else is an AttributeError like any module's."""
    for name in amo_opt.__all__:
        assert getattr(amo_opt, name) is not None
    assert set(amo_opt.__all__) <= set(dir(amo_opt))
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        _ = amo_opt.simulat


def test_paths_is_a_table_with_one_row_a_path_and_no_gap(study, outcome):
    """Rows by scenario as in the study and by number; no missing value and nothing infinite anywhere."""
    frame = outcome.paths
    names = [scenario.name for scenario in study.scenarios]
    assert list(zip(frame["scenario"], frame["path"], strict=True)) == [(name, path) for name in names for path in range(4)]
    assert not frame.isna().any().any()
    assert np.isfinite(frame.select_dtypes("number").to_numpy()).all()
    assert frame["recovered"].dtype == bool
    assert outcome.steps == 288


def test_paths_has_the_columns_people_build_on(outcome):
    """Names are a promise: a script that reads them keeps working."""
    promised = {
        "scenario", "path", "nav_start_usd", "nav_end_usd",
        "income_lending_usd", "income_swap_fees_usd", "income_rewards_usd", "income_primary_fees_usd", "income_market_operations_usd",
        "income_mark_to_market_usd", "income_debt_discount_usd", "capital_shares_issued_usd", "capital_shares_burned_usd",
        "min_price", "hours_below_099", "hours_to_recover", "recovered", "peg_loss_bps", "min_cr_external", "min_cr_contract",
        "unserved_usd_hours", "supply_end",
    }  # fmt: skip
    assert promised <= set(outcome.paths.columns)


def test_income_and_capital_explain_nav_on_every_path(study, outcome):
    """Σ income + Σ capital = NAV at the end less NAV at the start, to 1e-9 of the larger of NAV and 1% of supply."""
    frame = outcome.paths
    booked = frame.filter(regex="^(income|capital)_").sum(axis=1)
    scale = np.maximum(frame["nav_start_usd"].abs(), 0.01 * study.state.stablecoin.supply.value)
    assert ((booked - (frame["nav_end_usd"] - frame["nav_start_usd"])).abs() <= 1e-9 * scale).all()


def test_intervals_come_with_the_outcome(study, outcome):
    """Every figure within its interval, and the same as `score` gives."""
    assert outcome.intervals == amo_opt.score(outcome, study).metrics
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in outcome.intervals.values())


def test_a_set_from_a_file_or_by_replacement(study, outcome):
    """Another set on the same paths is one call; the market paths are the same, the outcome is not."""
    current = amo_opt.load_parameters(STUDY.parent / "parameters" / "frax-current.toml")
    assert current == study.current
    other = amo_opt.simulate(current.replace(aave_cap=0.0), study)
    assert not np.array_equal(other.paths["income_lending_usd"], outcome.paths["income_lending_usd"])
    assert amo_opt.simulate(current, study).paths.equals(outcome.paths)


def test_optimise_in_one_call(study, held):
    """Trials as asked, the current set first; what is recommended is a parameter set or None; no file is needed."""
    result = amo_opt.optimise(held(study), trials=9)
    assert len(result.trials) == 9
    assert result.trials[0].parameters == study.current
    assert result.verdict in {"recommended", "no change", "undecidable", "infeasible"}
    assert (result.recommended is None) == (result.verdict != "recommended")


def test_errors_name_value_and_remedy(study):
    """Wrong arguments are the package's own error, not a library's."""
    from amo_opt.errors import AmoOptError

    with pytest.raises(AmoOptError, match="trials = 0; at least 1"):
        amo_opt.optimise(study, trials=0)
    with pytest.raises(AmoOptError, match="paths = 0; at least 1"):
        amo_opt.simulate(study.current, study, paths=0)
    with pytest.raises(AmoOptError, match="unknown scenario 'clam'; the study has calm"):
        amo_opt.simulate(study.current, study, scenarios=["clam"])
    with pytest.raises(AmoOptError, match="no such file"):
        amo_opt.load_study("nowhere.toml")
