"""The store of a study (users read: its storage): an ordinary Optuna study that holds whole finished trials only.

Trials are added in order by one coordinator, so a trial's number is its place; a run that was killed in mid-write finds its
finished trials here.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, get_args

import optuna
from optuna.samplers import NSGAIISampler, TPESampler
from optuna.trial import FrozenTrial
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from amo_opt.errors import StorageError
from amo_opt.search.address import masked
from amo_opt.search.address import public as _public
from amo_opt.search.dashboard_note import write_note
from amo_opt.search.retry import WAIT_SECONDS, reason, retried
from amo_opt.search.run_lock import ServerLock, file_lock
from amo_opt.search.seal import SEAL, digest, sealed, unsealed
from amo_opt.search.storage import Storage, check_tables
from amo_opt.search.trials import CONSTRAINTS, NUMBER

R = TypeVar("R")

Direction = Literal["maximize", "minimize"]
Directions = tuple[Direction, Direction]
DIRECTIONS: Directions = ("maximize", "minimize")
METRICS = ("yield", "peg_cvar95_bps")

SAMPLER = "sampler"
"""The sampler's kind, as a user attribute of the storage: the budget that chose it is no part of the study's identity."""
SAMPLER_SEAL = "sampler:sha256"
"""Its seal."""
SamplerKind = Literal["tpe", "nsga2", "gp"]

LOCKED_SECONDS = 2
"""How long a database itself waits for another program's lock, before the run says that it waits."""
CONNECT_SECONDS = 5
"""How long a server is given to answer a connection; one of whose host nothing more is heard is lost after `LOST_SECONDS`."""
LOST_SECONDS = 60


@contextmanager
def _readable(address: str) -> Iterator[None]:
    """Turns database errors, and what Optuna makes of rows that are not as it wrote them, into one message that names the storage and a way out."""
    logging.getLogger("optuna").setLevel(logging.ERROR)
    try:
        yield
    except StorageError:
        raise
    # A word that no column holds, a value for a third objective, text for a number: whatever Optuna trips over.
    except (LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError, json.JSONDecodeError) as error:
        raise StorageError(
            f"the storage {_public(address)} holds what neither amo-opt nor Optuna writes ({type(error).__name__}: {reason(error):.200}): restore "
            "it from a copy, or start another with --storage"
        ) from error
    # ValueError: an address whose port is no number; RuntimeError: tables of another version of Optuna.
    except (SQLAlchemyError, optuna.exceptions.OptunaError, OSError, ImportError, ValueError, RuntimeError) as error:
        raise StorageError(
            f"the storage {_public(address)} cannot be used: {masked(reason(error), address)}; check the place is writable, or name another with --storage"
        ) from error


def in_memory(address: str | URL) -> bool:
    """Whether a storage at that address ends with the run: `sqlite://` and its other spellings; what is no address is nowhere."""
    try:
        url = make_url(address)
    except (SQLAlchemyError, ValueError):
        return False
    if url.get_backend_name() != "sqlite":
        return False
    named = url.database or ":memory:"
    return named == ":memory:" or ("uri" in url.query and (":memory:" in named or url.query.get("mode") == "memory"))


def _engine(url: URL) -> dict[str, Any]:
    """How the storage's connections are made."""
    if in_memory(url):  # one connection: another would see another, empty storage
        return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": LOCKED_SECONDS}}
    arguments: dict[str, Any] = {}
    if url.get_driver_name() in {"psycopg", "psycopg2"}:
        arguments = {
            "client_encoding": "utf8",  # a server whose own encoding is SQL_ASCII would send bytes
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": LOST_SECONDS // 2,
            "keepalives_interval": LOST_SECONDS // 6,
            "keepalives_count": 3,
            "tcp_user_timeout": 1000 * LOST_SECONDS,
            "options": f"-c lock_timeout={1000 * LOCKED_SECONDS}",
        }
    elif url.get_backend_name() in {"mysql", "mariadb"}:
        arguments = {"connect_timeout": CONNECT_SECONDS}
    return {"pool_pre_ping": True, "connect_args": {name: value for name, value in arguments.items() if name not in url.query}}


class Seeded(Protocol):
    """Settings of a search, of which a storage notes the seed."""

    @property
    def seed(self) -> int: ...  # noqa: D102


class Identity(Protocol):
    """Whose storage it is: a study, or any other `Problem`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def hash(self) -> str: ...  # noqa: D102
    @property
    def search(self) -> Seeded: ...  # noqa: D102


class StudyStore:
    """The durable study: ``frozen`` in order of number, ``add`` in order of number.

    A storage that does not answer is waited for, ``wait`` seconds at most; a server must answer at the start. One that is made anew gets the ``note``.
    """

    def __init__(
        self,
        study: Identity,
        address: str,
        *,
        directions: Directions = DIRECTIONS,
        metrics: tuple[str, str] | None = METRICS,
        wait: float = WAIT_SECONDS,
        existing: bool = False,
        note: str = "",
    ) -> None:
        self._note = note
        self._directions, self._metrics = directions, metrics
        self._hash = study.hash
        self._address = address
        self._wait = wait
        self._relock: Callable[[], None] = lambda: None
        self._read: tuple[int, int] | None = None
        with _readable(address):
            self._url = make_url(address)
            if in_memory(self._url):
                if existing:
                    raise StorageError(
                        f"{address} is a storage in memory, which ends with the run that made it: name a file with --storage"
                    )
                address, self._url = "sqlite://", make_url("sqlite://")
            elif self._url.get_backend_name() == "sqlite" and self._url.database and "uri" not in self._url.query:
                place = Path(self._url.database)
                if existing and not place.exists():
                    raise StorageError(f"there is no storage {_public(address)}: `amo-opt run` makes it, --storage names another")
                if place.exists() and not place.is_file() and not place.is_dir():  # a pipe would be waited for without end
                    raise StorageError(f"the storage {_public(address)} cannot be used: it is no ordinary file; name one with --storage")
        if self._url.get_backend_name() == "sqlite":
            self._retried(lambda: self._open(study, address, existing=existing))
        else:
            self._open(study, address, existing=existing)

    def _open(self, study: Identity, address: str, *, existing: bool) -> None:
        with _readable(address):
            url = self._url
            if url.get_backend_name() == "sqlite" and url.database and "uri" not in url.query:
                file = Path(url.database)
                file.parent.mkdir(parents=True, exist_ok=True)
                with suppress(OSError):  # SQLite would make it for its owner alone to write, whatever the umask says
                    file.touch()
            if not in_memory(url):
                check_tables(url, _engine(url), name=_public(address))
            storage = self._storage = Storage(
                address.replace("{", "{{").replace("}", "}}"), engine_kwargs=_engine(url)
            )  # Optuna formats what it is given
            known = {summary.study_name: summary for summary in optuna.get_all_study_summaries(storage, include_best_trial=False)}
            if study.name in known:
                found = known[study.name].user_attrs.get("hash")
                # A run killed between making the study and naming it leaves one without a hash or a trial: it is nobody's yet.
                unowned = found is None and known[study.name].n_trials == 0
                if found != study.hash and not unowned:
                    raise StorageError(
                        f"the storage {_public(address)} holds study {study.name!r} with hash {str(found)[:12]}, this one has {study.hash[:12]}: "
                        "its file or an override differs. Undo the difference, name the study anew, or start another storage with --storage"
                    )
                self._study = optuna.load_study(study_name=study.name, storage=storage)
                if tuple(each.name.lower() for each in self._study.directions) != self._directions:
                    raise self._edited("the direction of an objective")
            elif existing:
                raise StorageError(
                    f"the storage {_public(address)} holds no study {study.name!r}"
                    f"{'; it holds ' + ', '.join(sorted(known)) if known else ''}: `amo-opt run` searches, certifies and reports"
                )
            else:
                self._study = optuna.create_study(study_name=study.name, storage=storage, directions=list(self._directions))
            if self._study.user_attrs.get("hash") is None:
                self._study.set_user_attr("seed", study.search.seed)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                    if self._metrics is not None:
                        self._study.set_metric_names(list(self._metrics))
                if self._note:
                    write_note(storage, self._study._study_id, self._note)  # noqa: SLF001 - the dashboard's own way to it
                # Last, so that a study with a hash has everything else.
                self._study.set_user_attr("hash", study.hash)

    def sampler(self, wanted: SamplerKind) -> SamplerKind:
        """The sampler that the storage's trials come from; ``wanted`` where it has none yet. A search that is extended keeps its first one."""
        with _readable(self._address):
            attributes = self._study.user_attrs
            kept: SamplerKind | None = attributes.get(SAMPLER)
            if kept is None:
                self._study.set_user_attr(SAMPLER_SEAL, self._seal_of(wanted))  # first, so that a kind always has its seal
                self._study.set_user_attr(SAMPLER, wanted)
            elif kept not in get_args(SamplerKind) or attributes.get(SAMPLER_SEAL) != self._seal_of(kept):
                raise self._edited(f"the sampler's kind, {kept!r:.80},")
        return kept or wanted

    def _seal_of(self, kind: str) -> str:
        return hashlib.sha256(f"{self._hash} {kind}".encode()).hexdigest()

    def _edited(self, what: str) -> StorageError:
        return StorageError(
            f"{what} of the storage {_public(self._address)} was changed after it was written (its seal does not fit): nothing is built on it; "
            "restore the storage from a copy, or start another with --storage"
        )

    def frozen(self) -> list[FrozenTrial]:
        """Finished trials 0, 1, 2, … as far as they go: one that two runs wrote at the same moment counts once, another tool's not at all.

        Raises `StorageError` where a trial of ours is not as it was written.
        """
        trials = self._retried(self._trials)
        found: dict[int, FrozenTrial] = {}
        for trial in trials:
            if SEAL in trial.user_attrs or (trial.state.is_finished() and NUMBER in trial.user_attrs):
                self._check_seal(trial)
                found.setdefault(trial.user_attrs[NUMBER], trial)
        held = [unsealed(found[number]) for number in itertools.takewhile(found.__contains__, itertools.count())]
        self._read = len(trials), len(held)
        return held

    def _check_seal(self, trial: FrozenTrial) -> None:
        name = f"trial {trial.user_attrs.get(NUMBER)!r:.80}"
        if SEAL not in trial.user_attrs:
            raise StorageError(
                f"{name} of the storage {_public(self._address)} has no seal: an earlier amo-opt wrote it, or another program, so nobody can "
                "tell whether its values are those that were found; start another storage with --storage, or move this one away"
            )
        with _readable(self._address):
            if digest(trial, study=self._hash) != trial.user_attrs[SEAL]:
                raise self._edited(name)

    def add(self, trial: FrozenTrial) -> None:
        """Adds one finished trial, whole. Raises `StorageError` where it is there already: then another run is writing to the storage."""
        number, held = trial.user_attrs[NUMBER], self._held()
        if number < held:
            raise StorageError(
                f"the storage {_public(self._address)} holds {held} trials, trial {number} among them, where this run was about to add it: "
                "another run is writing to it; let one of them end, or give it a storage of its own with --storage"
            )

        def write() -> None:
            self._relock()
            with _readable(self._address):
                self._study.add_trial(sealed(trial, study=self._hash))

        def unless_written() -> None:
            # A connection lost while it committed leaves open whether the trial is there: look before it is written again.
            self._relock()
            if any(each.user_attrs.get(NUMBER) == number for each in self._trials()):
                raise _Written

        with suppress(_Written):
            self._retried(write, before_retry=unless_written)
        # Optuna itself waits a little for a server and tells nobody: one that was away and is back has forgotten whose the study is.
        self._retried(self._relock)
        rows, _ = self._read or (0, 0)
        self._read = (rows + 1, held + 1) if number == held else None

    def _held(self) -> int:
        """How many trials `frozen` gives; read anew only where the storage's rows are not those it had when this run last looked or wrote."""
        if self._read is None or self._retried(self._rows) != self._read[0]:
            return len(self.frozen())
        return self._read[1]

    def _rows(self) -> int:
        count = text("select count(*) from trials where study_id = :study")
        study = self._study._study_id  # noqa: SLF001 - Optuna itself counts trials by reading them all
        with _readable(self._address), self._storage.engine.connect() as connection:
            return int(connection.execute(count, {"study": study}).scalar_one())

    def _trials(self) -> list[FrozenTrial]:
        with _readable(self._address):
            return self._study.get_trials(deepcopy=False)

    def _retried(self, action: Callable[[], R], *, before_retry: Callable[[], None] | None = None) -> R:
        return retried(action, address=self._address, wait=self._wait, before_retry=before_retry or self._relock)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The storage as this run's alone. Raises `StorageError` where another run of the study holds it.

        The lock ends with its holder, a killed one's too.
        """
        refusal = (
            f"another run of study {self._study.study_name!r} is working on the storage {_public(self._address)}: wait for it or end it, or give "
            "this one a storage of its own with --storage"
        )
        if self._url.get_backend_name() == "postgresql":
            lock = ServerLock(self._storage.engine, self._study.study_name)

            def take() -> None:
                with _readable(self._address):
                    if not lock.take():
                        raise StorageError(refusal)

            take()
            self._relock = take
            try:
                yield
            finally:
                self._relock = lambda: None
                lock.drop()
        elif self._url.get_backend_name() == "sqlite" and self._url.database and "uri" not in self._url.query:
            with file_lock(Path(self._url.database)) as taken:
                if not taken:
                    raise StorageError(refusal)
                yield
        else:
            yield

    def note(self, name: str, value: object) -> None:
        """Writes something about the whole study, as JSON, in place of what had that name."""

        def write() -> None:
            with _readable(self._address):
                self._study.set_user_attr(name, value)

        self._retried(write)

    def notes(self) -> dict[str, object]:
        """Everything that was written about the whole study, by name."""
        with _readable(self._address):
            return dict(self._study.user_attrs)

    def noted(self, name: str) -> object:
        """What was written under that name, or None."""
        return self.notes().get(name)


class _Written(Exception):  # noqa: N818 - good news
    """The trial turned out to be there."""


def memory_study(
    history: Sequence[FrozenTrial], sampler: optuna.samplers.BaseSampler, *, directions: Directions = DIRECTIONS
) -> optuna.Study:
    """An in-memory study with the storage's trials, for one batch's proposals.

    TPE and NSGA-II use a trial's constraints as one number, the sum of what is above zero; handing them that number instead of the list
    gives the same proposals and spares them most of their time. A Gaussian process models every constraint by itself and gets them all.
    """
    logging.getLogger("optuna").setLevel(logging.ERROR)
    study = optuna.create_study(directions=list(directions), sampler=sampler)
    summed = isinstance(sampler, (TPESampler, NSGAIISampler))
    study.add_trials([_light(trial) for trial in history] if summed else history)
    return study


class _Light(FrozenTrial):
    """A finished trial that every batch's study may have in common: nobody writes to it, and copying trials is most of what a study takes."""

    def __deepcopy__(self, memo: object) -> _Light:
        return copy(self)


def _light(trial: FrozenTrial) -> _Light:
    values = trial.system_attrs.get(CONSTRAINTS)
    collapsed = {} if values is None else {CONSTRAINTS: [sum(value for value in values if value > 0.0) or -1.0]}
    return _Light(
        number=trial.number,
        trial_id=trial._trial_id,  # noqa: SLF001 - Optuna's constructor wants one
        state=trial.state,
        value=None,
        values=trial.values,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={},
        system_attrs={**trial.system_attrs, **collapsed},
        intermediate_values={},
        datetime_start=trial.datetime_start,
        datetime_complete=trial.datetime_complete,
    )
