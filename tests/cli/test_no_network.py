"""No default command calls anybody."""

from __future__ import annotations

import socket

import pytest


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch):
    """Every way out fails."""

    def refuse(*arguments, **_):
        raise AssertionError(f"the network was called: {arguments}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


def test_a_call_would_be_seen():
    """The block itself: a call fails."""
    with pytest.raises(AssertionError, match="the network was called"):
        socket.create_connection(("127.0.0.1", 9))


def test_no_default_command_calls_anybody(call, small, tmp_path):
    """From a new study to the report written again, with every socket refused."""
    study = small(trials="2", paths="1", transition_hours="12", window_hours="48")
    parameters = study.parent / "parameters" / "frax-current.toml"
    out = tmp_path / "out" / "report"
    for words, statuses in (
        (["init", tmp_path / "new"], {0}),
        (["validate", study, parameters], {0}),
        (["scenarios", study], {0}),
        (["run", study, "--out", out], {0, 1}),
        (["report", study, "--out", out], {0}),
        (["simulate", parameters, "--study", study], {0}),
        (["profile", study, "--parameter", "idle_buffer", "--points", "2"], {0}),
        (["backtest", study, "--episode", "svb-2023", "--paths", "1"], {0}),
        (["pool", "state", "--study", study], {0}),
    ):
        called = call(*words)
        assert called.status in statuses, (words, called.err)
