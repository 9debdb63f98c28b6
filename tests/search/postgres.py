"""A PostgreSQL server of a test's own: made in a folder, started, stopped as by a power cut, started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path


class Server:
    """A server on a free port of this machine, run by an ordinary user."""

    def __init__(self, folder: Path, *, initdb: str, pg_ctl: str) -> None:
        self._pg_ctl = pg_ctl
        self._data = folder / "data"
        self._user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            shutil.chown(folder, "postgres", "postgres")
        self._run(initdb, "-D", str(self._data), "-U", "amo", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "--no-instructions")
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nshared_buffers = 16MB\n")

    @property
    def address(self) -> str:
        """The storage's address, with a password that must never be printed."""
        return f"postgresql+psycopg://amo:geheim@127.0.0.1:{self.port}/postgres"

    def _run(self, *command: str) -> None:
        found = subprocess.run(
            command,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
            **self._user,
        )
        assert found.returncode == 0, found.stdout + found.stderr

    def start(self) -> None:
        with (self._data.parent / "server.log").open("a", encoding="utf-8") as log:
            found = subprocess.run(
                [self._pg_ctl, "-D", str(self._data), "-w", "start"], cwd="/", stdout=log, stderr=log, check=False, timeout=60, **self._user
            )
        assert found.returncode == 0, (self._data.parent / "server.log").read_text()

    def stop(self) -> None:
        """At once, nothing tidied up."""
        self._run(self._pg_ctl, "-D", str(self._data), "-m", "immediate", "-w", "stop")
