"""A storage's address as it is shown: nothing that could be a password, wherever it was put."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from amo_opt.errors import StorageError
from amo_opt.search.address import masked, public
from amo_opt.search.study_store import StudyStore

LEAKY = (
    "postgresql://u:geheim@localhost:1/db?connect_timeout=1",
    "postgresql://localhost:1/db?password=geheim",
    "postgresql://localhost:1/db?pass%77ord=geheim",
    "postgresql://localhost:1/db?user=a:geheim@b",
    "postgresql://u:x@geheim@localhost:1/db",
    "postgresql://u:x%40geheim@localhost:1/db",
    "postgresql://u:x/geheim@localhost:1/db",
    "postgresql://u:x#geheim?@localhost:1/db",
    "postgresql://u/x:geheim@h/db",
    "postgresql://u@localhost:geheim/db",
    "postgresql://[u:geheim@h/db",
    "postgresql:/u:geheim@localhost/db",
    "u:geheim@localhost/db",
    "sqlite:///u%3Ageheim%40localhost/db",
    "sqlite:///record.db?key=geheim",
    "nonsense://u:geheim@h/db?token=geheim",
)


@pytest.mark.parametrize("address", LEAKY)
def test_a_password_is_not_shown_wherever_it_stands(address):
    """In its place, in the query, behind a second @, as a port, in what only looks like an address; nor where a driver repeats it."""
    assert "geheim" not in public(address)
    assert "geheim" not in masked("invalid integer value 'geheim' for the option, in geheim@localhost", address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+psycopg://amo:geheim@db.example:5432/amo", "postgresql+psycopg://db.example:5432/amo"),
        ("postgresql://amo@[::1]:5432/amo?sslmode=require", "postgresql://[::1]:5432/amo?***"),
        ("sqlite:////kept/me@home/record.db", "sqlite:////kept/me@home/record.db"),
        ("sqlite:///kept/a%20b.db", "sqlite:///kept/a%20b.db"),
        ("sqlite://", "sqlite://"),
        ("nonsense", "nonsense"),
    ],
)
def test_what_is_no_secret_is_shown(address, shown):
    """Driver, host, port and database, or the file: enough to know which storage is meant."""
    assert public(address) == shown


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12))
def test_any_password_written_as_it_should_be_is_hidden(text):
    """Whatever characters it is made of, quoted in the user's part or in the query."""
    password = f"q7{text}7q"
    for address in (
        URL.create("postgresql", "amo", password, "host", 5432, "db").render_as_string(hide_password=False),
        f"postgresql://host:5432/db?password={quote(password, safe='')}",
    ):
        assert public(address).removesuffix("?***") == "postgresql://host:5432/db"
        assert masked(f"cannot use '{password}' here", address) == "cannot use '***' here"


@pytest.mark.parametrize("address", ["postgresql://u:x@geheim@localhost:1/db", "postgresql://u@localhost:geheim/db"])
def test_no_message_of_a_driver_repeats_a_password(make_study, address):
    """What psycopg and SQLAlchemy say of an address they cannot use, in the message that names the storage."""
    with pytest.raises(StorageError, match=r"the storage postgresql://.* cannot be used") as caught:
        StudyStore(make_study(), address)
    assert "geheim" not in str(caught.value)
