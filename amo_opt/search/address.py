"""A storage's address as it may be shown: without whatever could be a password, wherever it stands."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

HIDDEN = "***"
_PUBLIC = frozenset(
    (
        "application_name",
        "client_encoding",
        "connect_timeout",
        "dbname",
        "host",
        "mode",
        "nolock",
        "port",
        "sslmode",
        "timeout",
        "uri",
        "user",
    )
)
"""Keys of an address's query whose values a message of the database may repeat."""
_USERINFO = re.compile(r"(:|%3A)(?:(?!@|%40).)*.*(@|%40)", re.IGNORECASE)
"""What stands between the first colon and the last @, written plainly or not."""


def public(address: str) -> str:
    """The address without user, password and query: driver, host, port and database, or an SQLite file.

    >>> public("postgresql://amo:secret@db.example:5432/amo?sslmode=require")
    'postgresql://db.example:5432/amo?***'
    """
    scheme, found, rest = address.partition("://")
    asked = f"?{HIDDEN}" if "?" in rest else ""
    if not found or scheme.partition("+")[0] == "sqlite":
        file = rest.partition("?")[0] + asked if found else address
        return f"{scheme}{found}" * bool(found) + _USERINFO.sub(rf"\1{HIDDEN}\2", file)
    try:
        url = make_url(address)
    except (SQLAlchemyError, ValueError):  # a port that is no number may be a password that holds a colon
        return f"{scheme}://{HIDDEN}"
    host, database = ((part or "").rpartition("@")[2] or None for part in (url.host, url.database))
    return URL.create(url.drivername, host=host, port=url.port, database=database).render_as_string() + asked


def masked(text: str, address: str) -> str:
    """The text without the address's secrets, as they stand there and as they are meant: a driver may repeat what it could not read."""
    words = {form for word in _secrets(address) for form in (word, unquote(word)) if form}
    for word in sorted(words, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", HIDDEN, text)
    return text


def _secrets(address: str) -> set[str]:
    """Everything that could be a password: what stands behind a colon before the last @, unknown keys' values, a port that is no number."""
    _, _, rest = address.partition("://")
    found: set[str] = set()
    for text in (rest or address, unquote(rest or address)):
        before, _, after = text.rpartition("@")
        _, _, password = before.partition(":")
        found |= {password, *re.split(r"\W+", password)}
        port = re.match(r"[^/?:]*:([^/?]*)", after)
        if port and not port[1].isdigit():
            found.add(port[1])
    query = rest.partition("?")[2]
    found |= {value for key, value in parse_qsl(query) if key not in _PUBLIC}
    return found | {written.partition("=")[2] for written in query.split("&") if unquote(written.partition("=")[0]) not in _PUBLIC}
