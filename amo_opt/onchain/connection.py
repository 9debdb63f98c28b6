"""One exchange with a node over HTTP: bytes there, status and bytes back, or what went wrong in words without the node's address.

`http.client` neither follows redirects nor reads ``http_proxy``: what is asked goes to the host that was named and nowhere else.
"""

from __future__ import annotations

import base64
import email.utils
import http.client
import os
import re
import ssl
import threading
import time
import zlib
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from amo_opt.errors import AmoOptError
from amo_opt.one_line import one_line
from amo_opt.version import __version__

VARIABLE: Final = "AMO_OPT_RPC"
"""The environment variable that names the node where no option does."""
LARGEST: Final = 32 * 2**20
"""Bytes of an answer, before and after it is unpacked."""
_CUT: Final = "the node's answer was cut short"
_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy"})
_HEADERS: Final = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "close",
    "User-Agent": f"amo-opt/{__version__}",
}


class BusyError(Exception):
    """What may pass: asked again, after as many seconds as the node wishes."""

    def __init__(self, said: str, after: float = 0.0) -> None:
        super().__init__(said)
        self.after = after


class RefusedError(Exception):
    """The node does not take the questions as they were sent; fewer at once it may."""


@dataclass(frozen=True)
class Reply:
    """A status of HTTP, the body (unpacked), and for how many seconds the node wants to be left alone."""

    status: int
    body: bytes
    after: float


class Connection:
    """The way to one address; every exchange is a connection of its own. Raises `AmoOptError` for what is no http(s) address."""

    def __init__(self, url: str) -> None:
        try:
            self._parts = parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or parts.scheme not in {"http", "https"} or port == 0 or not (url.isascii() and url.isprintable()) or " " in url:
            raise AmoOptError(f"the node's address (--rpc or {VARIABLE}) is no http:// or https:// address")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        basic = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        self._headers = {**_HEADERS, **({"Authorization": f"Basic {basic}"} if user or password else {})}
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        pieces = {url, parts.netloc, host, parts.username, parts.password, basic, self._path, *re.split(r"[/?&=]", self._path)}
        secrets = sorted({form for each in pieces if each for form in (each, unquote(each)) if len(form) >= 4}, key=len, reverse=True)
        self._secret = re.compile("|".join(map(re.escape, secrets)) or r"(?!)", re.IGNORECASE)

    def scrubbed(self, text: str) -> str:
        """The text without the address or a part of it: a node may repeat the key it refuses."""
        return self._secret.sub("…", text)

    def post(self, body: bytes, timeout: float) -> Reply:
        """The exchange, left alone after ``timeout`` seconds: a name that is not resolved or a byte a second would outlast the socket's own.

        Raises `BusyError`, `RefusedError` or `AmoOptError`.
        """
        done: list[Reply | Exception] = []

        def work() -> None:
            try:
                done.append(self._exchange(body, timeout))
            except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
                done.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(timeout)
        found = done[0] if done else TimeoutError()
        if isinstance(found, Exception):
            raise _told(found, timeout) from None
        return found

    def _exchange(self, body: bytes, timeout: float) -> Reply:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        with closing(kind(str(self._parts.hostname), self._parts.port, timeout=timeout)) as connection:
            connection.request("POST", self._path, body, self._headers)
            response = connection.getresponse()
            raw = response.read(LARGEST + 1)
            packed, after = response.getheader("Content-Encoding"), response.getheader("Retry-After")
        if len(raw) > LARGEST:
            raise RefusedError(f"the node's answer is larger than {LARGEST >> 20} MiB")
        if response.length:
            raise BusyError(_CUT)
        return Reply(response.status, _unpacked(raw, (packed or "identity").strip().lower()), _seconds(after))


def _told(error: Exception, timeout: float) -> Exception:
    """An error of the connection in words without the address, which the library's may hold."""
    if isinstance(error, BusyError | RefusedError | AmoOptError):
        return error
    if isinstance(error, ssl.SSLError):
        return AmoOptError(
            f"no secure connection to the node: {one_line(error.reason or 'TLS failed', most=100)}; is its address http:// or https://, its certificate valid?"
        )
    if isinstance(error, TimeoutError):
        return BusyError(f"the node did not answer within {timeout:.3g} s")
    if isinstance(error, http.client.IncompleteRead):
        return BusyError(_CUT)
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return AmoOptError("what is at the node's address does not speak HTTP as it should")
    said = (error.strerror if isinstance(error, OSError) else None) or "it hung up"
    proxy = "; a proxy of the environment is not used" if _PROXIES & {name.lower() for name in os.environ} else ""
    return BusyError(f"the node cannot be reached: {one_line(said, most=100)}{proxy}")


def _unpacked(raw: bytes, packed: str) -> bytes:
    if packed == "identity":
        return raw
    if packed not in {"gzip", "x-gzip"}:
        raise AmoOptError(
            f"the node's answer is packed in a way that was not asked for: {one_line(packed, most=40)}; wanted gzip or nothing"
        )
    reader = zlib.decompressobj(31)
    try:
        found = reader.decompress(raw, LARGEST + 1)
    except zlib.error:
        raise AmoOptError("the node's answer is said to be packed by gzip and is not") from None
    if len(found) > LARGEST:
        raise RefusedError(f"the node's answer is larger than {LARGEST >> 20} MiB once unpacked")
    if not reader.eof:
        raise BusyError(_CUT)
    return found


def _seconds(after: str | None) -> float:
    """Retry-After in seconds from now; 0 where nothing can be read from it."""
    if after is None:
        return 0.0
    if after.strip().isdecimal():
        return min(float(after.strip()), 1e6)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())
    except ValueError:
        return 0.0
