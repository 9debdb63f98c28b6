"""One study, one seed, one hash: whatever the processor, the libraries' dispatch, the threads and the hash seed.

Machines are had on one machine: Numba compiles for older processors, NumPy, the C library and OpenBLAS are told that instructions are not there.
The campaign runs whole studies, and another NumPy where pip can fetch it; the suite a small one, as the machine is and with everything off.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
_PATH = Path(__file__).parent / "cli" / "conftest.py"
OTHER_NUMPY = "2.3.5"
STUDIES = ("frax-2022", "frax-v3-2024", "crvusd-2024", "oeth-2024", "dola-2024", "frax-2022-runs")


def dispatched() -> str:
    """What this NumPy chooses by the processor, as it wants to be told to leave it."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return ",".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


SETTINGS: dict[str, dict[str, str]] = {
    "as it is": {},
    "Numba for any x86-64": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    "Numba for Haswell": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi,+bmi2"},
    "NumPy without dispatch": {"NPY_DISABLE_CPU_FEATURES": dispatched()},
    "a C library without FMA and AVX2": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX,-AVX512F"},
    "BLAS of 2008": {"OPENBLAS_CORETYPE": "Nehalem"},
    "BLAS with AVX-512": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "one thread of all": {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "another hash seed": {"PYTHONHASHSEED": "4242"},
}
OFF = {key: value for name in ("Numba for any x86-64", "NumPy without dispatch", "a C library without FMA and AVX2", "BLAS of 2008", "one thread of all", "another hash seed") for key, value in SETTINGS[name].items()}  # fmt: skip


def hashes(study: Path, folder: Path, setting: dict[str, str], *more: str) -> dict[str, str]:
    """SHA-256 of every file of the report that a process of its own wrote under the setting."""
    taken = {name for each in SETTINGS.values() for name in each}
    environment = {name: value for name, value in os.environ.items() if name not in taken} | setting
    call = [sys.executable, "-c", "from amo_opt.cli.main import main; main()", "run", str(study), "--out", str(folder), "--quiet", *more]
    done = subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def small(folder: Path) -> Path:
    """The small study of the command line's tests."""
    spec = importlib.util.spec_from_file_location("conftest_of_cli", _PATH)
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    written: Path = module.write_small(folder, trials="24")
    return written


def test_a_small_study_here_and_with_everything_off(tmp_path: Path) -> None:
    """Every file to the byte, on one worker and on two."""
    study = small(tmp_path / "study")
    here = hashes(study, tmp_path / "here", {}, "--workers", "2")
    assert hashes(study, tmp_path / "off", OFF, "--workers", "1") == here
    assert "results.json" in here


@pytest.mark.campaign
@pytest.mark.parametrize("name", STUDIES)
def test_campaign_of_every_setting(name: str, tmp_path: Path) -> None:
    """A quick run of a shipped study under each setting, all of them off, and another NumPy; what was counted is kept in the campaign's folder."""
    file = Path(os.environ.get("AMO_OPT_CAMPAIGN_DIR", tmp_path)) / f"bytes-{name}.json"
    found: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    settings = {**SETTINGS, "all of it off": OFF, f"NumPy {OTHER_NUMPY}": another_numpy(tmp_path / "numpy")}
    for setting, environment in settings.items():
        if setting not in found:
            report = hashes(
                ROOT / "studies" / f"{name}.toml", tmp_path / setting.replace(" ", "-"), environment, "--quick", "--trials", "24"
            )
            # of another NumPy all but what names the versions installed
            rest = sorted(set(report) - ({"appendix.md", "report.html"} if setting.startswith("NumPy 2") else set()))
            found[setting] = {each: report[each] for each in rest}
            file.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print("".join(f"\n{name}: {files['results.json'][:16]} {setting}" for setting, files in found.items()))  # noqa: T201
    here = found["as it is"]
    for setting, files in found.items():
        assert files == {each: here[each] for each in files}, setting


def another_numpy(folder: Path) -> dict[str, str]:
    """An environment in which another NumPy is found first. Skips where pip cannot fetch it."""
    if np.__version__ == OTHER_NUMPY:
        pytest.skip(f"NumPy {OTHER_NUMPY} is the one installed: name another as OTHER_NUMPY")
    call = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), f"numpy=={OTHER_NUMPY}"]
    if not folder.is_dir() and subprocess.run(call, capture_output=True, check=False).returncode:
        pytest.skip(f"pip cannot fetch numpy {OTHER_NUMPY}: install from an index that has it")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", str(ROOT))])}
