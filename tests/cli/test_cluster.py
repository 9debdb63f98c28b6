"""`amo-opt run --cluster`: the same bytes from processes, and refusals in one line."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

AMO_OPT = [sys.executable, "-c", "from amo_opt.cli.main import main; main()"]


def run(*arguments):
    return subprocess.Popen(
        [*AMO_OPT, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def children(pid):
    """Processes that have ``pid`` as their parent."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(entry)
    return found


@pytest.mark.campaign
def test_a_cluster_of_two_processes_writes_the_same_bytes(finished, shared, tmp_path, need_module):
    """results.json of one thread and of two worker processes; nothing of Dask's on either stream."""
    need_module("distributed", "cluster")
    _, folder = finished
    with run("run", shared, "--out", tmp_path / "report", "--cluster", "local:2") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert (tmp_path / "report" / "results.json").read_bytes() == (folder / "results.json").read_bytes()
    assert out.splitlines()[-2] == f"report: {tmp_path / 'report' / 'report.html'}"
    assert "distributed" not in err
    assert "Traceback" not in err


@pytest.mark.campaign
def test_threads_and_clusters_of_any_size_write_the_same_bytes(finished, shared, tmp_path, call):
    """1, 2 and 4 threads, 1, 2 and 4 processes."""
    _, folder = finished
    for name, option in [
        (f"{kind}{n}", ["--workers", n] if kind == "t" else ["--cluster", f"local:{n}"]) for kind in "tc" for n in (1, 2, 4)
    ]:
        called = call("run", shared, "--out", tmp_path / name, *option)
        assert called.status == 0, called.err
        assert (tmp_path / name / "results.json").read_bytes() == (folder / "results.json").read_bytes(), name


@pytest.mark.campaign
def test_ctrl_c_ends_the_workers_too(shared, tmp_path, need_module):
    """Exit 130, the usual line, no child left."""
    need_module("distributed", "cluster")
    with run("run", shared, "--trials", "4000", "--out", tmp_path / "report", "--cluster", "local:1") as process:
        until = time.monotonic() + 60.0
        line = ""
        while "search: " not in line and time.monotonic() < until:
            line = process.stderr.readline()
        workers = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.splitlines()[-1].startswith("interrupted; what was finished is kept")
    assert "Traceback" not in err
    assert workers
    assert not [worker for worker in workers if worker.exists()]


@pytest.mark.parametrize("address", ["nowhere", "local:0", "http://h:8786", "tcp://h"])
def test_a_wrong_address_is_one_line(shared, call, tmp_path, address):
    """Exit 2, the option, what was found and what is allowed; nothing is begun."""
    called = call("run", shared, "--out", tmp_path / "report", "--cluster", address)
    assert called.status == 2
    assert f"--cluster: found '{address}'; allowed: tcp://HOST:PORT" in " ".join(called.err.replace("'--cluster'", "--cluster").split())
    assert not list(tmp_path.glob("report*"))


def test_a_scheduler_that_is_not_there_is_one_line(shared, tmp_path, need_module):
    """Exit 2 within seconds, no line of Dask's."""
    need_module("distributed", "cluster")
    with run("run", shared, "--out", tmp_path / "report", "--cluster", "tcp://127.0.0.1:9") as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.splitlines() == [
        "amo-opt: cluster: no Dask scheduler answers at tcp://127.0.0.1:9 within 5 s; start one with: dask scheduler --no-dashboard"
    ]
