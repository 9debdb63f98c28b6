"""A server of tests that answers JSON-RPC as it should, but for the fault it is given; and a clock that sleeping moves."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from amo_opt.onchain.rpc import Block, expect_chain

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from amo_opt.onchain.rpc import Rpc

SECRET = "S3cretKey0123456789"  # noqa: S105 - what no message may hold
HASH = "0x" + "ab" * 32
WORD = "0x" + f"{1500:064x}"
HEADER = {"number": "0x20", "hash": HASH, "timestamp": "0x627b7690"}
RIGHT: dict[str, Any] = {
    "eth_chainId": "0x1",
    "eth_syncing": False,
    "eth_getBlockByNumber": HEADER,
    "eth_getBlockByHash": HEADER,
    "eth_getBalance": "0x0",
    "eth_call": WORD,
    "eth_getCode": "0x6001",
    "eth_getStorageAt": WORD,
}


def right(asked: dict[str, Any], **other: Any) -> dict[str, Any]:
    """The answer to one question; ``other`` results or errors by method."""
    found = {**RIGHT, **other}[asked["method"]]
    said = {"jsonrpc": "2.0", "id": asked["id"]}
    return {**said, "error": found["error"]} if isinstance(found, dict) and "error" in found else {**said, "result": found}


def each(asked: Any, **other: Any) -> Any:
    """The answers to one question or a batch."""
    return [right(one, **other) for one in asked] if isinstance(asked, list) else right(asked, **other)


BLOCK = Block(32, HASH, 0x627B7690)
POOL = "0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B"
A = bytes.fromhex("f446c1d0")

FIVE = [(POOL, A)] * 5


def block(node: Rpc) -> Any:
    return node.block()


def chain(node: Rpc) -> Any:
    return expect_chain(node, 1)


def calls(node: Rpc) -> Any:
    return node.calls(BLOCK, FIVE)


def storage(node: Rpc) -> Any:
    return node.storage(BLOCK, POOL, 0)


def error(message: Any = "no", code: Any = -32000, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


@dataclass
class Reply:
    """What is sent: JSON, bytes, or what the fault does with the connection."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    raw: Callable[[socket.socket], None] | None = None


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def silence(connection: socket.socket) -> None:
    time.sleep(3)


def drip(connection: socket.socket) -> None:
    """A byte of the headers now and then, each before a socket's own timeout."""
    for letter in b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nX-Slow: " + b"x" * 60:
        try:
            connection.send(bytes([letter]))
        except OSError:
            return
        time.sleep(0.05)


def shout(connection: socket.socket) -> None:
    connection.send(b"220 mail.example ESMTP ready\r\n")
    connection.shutdown(socket.SHUT_RDWR)


class FaultServer:
    """A server on a thread; ``fault`` gives the reply to what was asked and to the how-manieth request."""

    def __init__(self, fault: Callable[[Any, int], Reply]) -> None:
        self.asked: list[Any] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(asked)
                outer.headers.append(dict(self.headers))
                reply = fault(asked, len(outer.asked))
                if reply.raw is not None:
                    reply.raw(self.connection)
                    return
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) if reply.length is None else reply.length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # a connection that was broken on purpose
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.port = self._server.server_port

    @property
    def url(self) -> str:
        return f"http://user:{SECRET}@127.0.0.1:{self.port}/v2/{SECRET}?apikey={SECRET}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Clock:
    """Time that sleeping moves at once; ``slept`` holds every pause in seconds."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def __call__(self) -> float:
        return time.monotonic() + sum(self.slept)


def results(**other: Any) -> Callable[[Any, int], Reply]:
    """A fault that gives other results or errors by method."""
    return lambda asked, _: Reply(each(asked, **other))
