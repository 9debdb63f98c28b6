"""Files of others: only real ones, and none that would fill the memory."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from amo_opt.files import read_file


def test_a_file_and_a_link_to_one_are_read(tmp_path):
    """As far as the limit, exactly."""
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert read_file(tmp_path / "b", most=5) == b"12345"
    with pytest.raises(OSError, match="is too large: 5 bytes, of at most 4 that are read"):
        read_file(tmp_path / "b", most=4)


def test_a_huge_file_is_not_read(tmp_path):
    """A terabyte of nothing is told by its size."""
    with (tmp_path / "a").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OSError, match="is too large: 1,000,000,000,000 bytes"):
        read_file(tmp_path / "a", most=1000)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, monkeypatch):
    """A pipe that nobody writes to, a device without end, a socket, links to them; a folder is told by the system."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "a pipe"), (tmp_path / "link", "a pipe"), (Path(os.devnull), "a device")):
        with pytest.raises(OSError, match=f"is {kind}, not a file"):
            read_file(path, most=1000)
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # a socket's path is short
        server.bind("socket")
        with pytest.raises(OSError, match="is a socket, not a file"):
            read_file("socket", most=1000)
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, most=1000)
