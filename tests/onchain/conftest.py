"""A running node for tests, and servers that fail in chosen ways."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

sys.path.insert(0, str(Path(__file__).parent))  # `faulty` beside these tests: the tests themselves are no package


class RunningNode(str):
    """The node's address, as text; with it ``addresses`` of its contracts by name, and the ``oldest`` and ``latest`` block whose state it has."""

    addresses: dict[str, str]
    oldest: int
    latest: int
    __slots__ = ("addresses", "latest", "oldest")

    @property
    def url(self) -> str:
        return str(self)

    def ask(self, method: str, *params: Any) -> Any:
        """A method's result, without the code under test."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(str(self), body, {"Content-Type": "application/json"})  # noqa: S310 - our own node's
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            found = json.load(response)
        assert "error" not in found, found
        return found["result"]

    def put(self, contract: str, variable: str, value: int | str | bool, *keys: Any) -> None:
        """A contract's variable at every block: ``put("amo_minter", "frax_mint_sum", 10**27)``."""
        self.ask("test_set", contract, variable, str(value) if type(value) is int else value, *keys)


@pytest.fixture(scope="session")
def node_url(need_module: Callable[[str, str], None]) -> Iterator[RunningNode]:
    """The FRAX world's doubles behind JSON-RPC, in a process of its own (`node.py`)."""
    for module, extra in (("eth_hash", "onchain"), ("pyrevm", "evm"), ("vyper", "test")):
        need_module(module, extra)
    script = Path(__file__).with_name("node.py")
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line, "the node of the tests did not start: see its standard error above"
        ready = json.loads(line)
        found = RunningNode(ready.pop("url"))
        found.addresses, found.oldest, found.latest = ready["addresses"], ready["oldest"], ready["latest"]
        yield found
    finally:
        process.stdin.close()  # which it ends with
        process.wait(timeout=10)


@pytest.fixture
def node(node_url: RunningNode) -> Iterator[RunningNode]:
    """The same for a test that changes it: afterwards it is as before."""
    yield node_url
    node_url.ask("test_reset")
