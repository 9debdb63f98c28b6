"""Options that commands share."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import pytest
from sqlalchemy.engine import make_url

from amo_opt.cli.options import load, print_json, report_folder, storage_url, thread_count


def test_overrides_replace_the_file_s_values(shared):
    """What is given replaces, what is not leaves the file as it is; trials are no part of the identity, seed and paths are."""
    plain, changed = load(shared), load(shared, seed=5, paths=7, trials=9)
    assert (changed.search.seed, changed.simulation.paths, changed.search.trials) == (5, 7, 9)
    assert (plain.simulation.paths, plain.search.trials) == (4, 16)
    assert load(shared, trials=9).hash == plain.hash
    assert changed.hash != plain.hash


def test_the_report_s_folder(shared):
    """As asked, or reports/NAME."""
    study = load(shared)
    assert report_folder(study, None) == Path("reports/frax-2022")
    assert report_folder(study, Path("here/there")) == Path("here/there")


def test_the_record_s_address():
    """Beside the report unless told otherwise; a bare file is SQLite; an address is taken as it is."""
    folder = Path("reports/frax-2022")
    assert storage_url(folder, None) == "sqlite:///reports/frax-2022.db"
    assert storage_url(folder, "kept/record.db") == "sqlite:///kept/record.db"
    assert storage_url(folder, "/kept/record.db") == "sqlite:////kept/record.db"
    assert storage_url(folder, "postgresql+psycopg://me@host/db") == "postgresql+psycopg://me@host/db"
    assert make_url(storage_url(Path("odd?/name@home"), None)).database == "odd?/name@home.db"


@pytest.mark.parametrize("storage", ["reports/x/record.db", "reports/x/y/../record.db", "sqlite:///reports/x/record.db", " "])
def test_a_record_the_report_would_sweep_away(storage):
    """Inside the folder that is replaced, or nowhere: refused with what was found."""
    with pytest.raises(click.UsageError, match="--storage: found"):
        storage_url(Path("reports/x"), storage)


@pytest.mark.parametrize("storage", ["postgresql:/me:geheim@host/db", "postgresql:me:geheim@host", "me:geheim@host/db"])
def test_what_only_looks_like_an_address_is_refused(storage):
    """It would become a file named after the password; the message does not hold it either."""
    with pytest.raises(click.UsageError, match="--storage: found") as caught:
        storage_url(Path("reports/x"), storage)
    assert "geheim" not in caught.value.message


def test_threads_are_as_asked_or_the_process_s_own():
    """Never none."""
    assert thread_count(3) == 3
    assert 1 <= thread_count(None) <= (os.cpu_count() or 1)


def test_json_is_one_document_without_nan(capsys):
    """NaN is no JSON: refused rather than printed."""
    print_json({"b": 1, "a": [1.5, None]})
    assert json.loads(capsys.readouterr().out) == {"b": 1, "a": [1.5, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json({"a": float("nan")})
