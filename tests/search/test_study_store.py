"""The durable study: whole finished trials, one study's only, and errors a person can read."""

from __future__ import annotations

import os
import stat

import optuna
import pytest
from optuna.trial import TrialState

from amo_opt.errors import StorageError
from amo_opt.scoring.types import PointScore
from amo_opt.search.coordinator import search
from amo_opt.search.result import Trial
from amo_opt.search.sampler import make_sampler
from amo_opt.search.seal import sealed
from amo_opt.search.space import build_space
from amo_opt.search.study_store import StudyStore, in_memory, memory_study
from amo_opt.search.trials import freeze, thaw


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path / 'record.db'}"


def kept(study, number, score, failure=None):
    space = build_space(study)
    parameters = study.current.replace(name=f"trial-{number}", aave_cap=0.1 + 0.01 * number)
    trial = Trial(number=number, origin="sampler", parameters=parameters, score=score, failure=failure)
    return trial, freeze(trial, params=space.values(parameters), distributions=space.distributions, system_attrs={"nsga2:generation": 0})


SCORE = PointScore(yield_annual=0.1 + 0.2, peg_risk_bps=1.0 / 3.0, constraints={"caps_plus_buffer": -0.1, "breach_probability:calm": 1e-17})


def test_a_trial_comes_back_as_it_was(make_study, address):
    """Parameters, both objectives and named constraints survive the file to the last bit."""
    study = make_study()
    trial, frozen = kept(study, 0, SCORE)
    StudyStore(study, address).add(frozen)
    assert [thaw(found) for found in StudyStore(study, address).frozen()] == [trial]


def test_a_failed_trial_stays_with_its_reason(make_study, address):
    """A failure is a trial: state FAIL, the reason beside it, counted."""
    study = make_study()
    trial, frozen = kept(study, 0, None, "calm, path 3, step 7: no root")
    StudyStore(study, address).add(frozen)
    found = StudyStore(study, address).frozen()
    assert [each.state for each in found] == [TrialState.FAIL]
    assert thaw(found[0]) == trial


def test_optuna_opens_the_record(make_study, address):
    """It is an ordinary Optuna study: directions, names, and constraints where Optuna and its dashboard read them."""
    study = make_study()
    store = StudyStore(study, address)
    store.add(kept(study, 0, SCORE)[1])
    store.add(kept(study, 1, PointScore(yield_annual=0.2, peg_risk_bps=1.0, constraints=dict.fromkeys(SCORE.constraints, -1.0)))[1])
    opened = optuna.load_study(study_name=study.name, storage=address)
    assert [direction.name for direction in opened.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert (opened.user_attrs["hash"], opened.user_attrs["seed"]) == (study.hash, study.search.seed)
    assert list(opened.trials[0].constraints.values()) == list(SCORE.constraints.values())
    assert opened.trials[0].system_attrs["constraints"] == list(SCORE.constraints.values())
    assert [trial.number for trial in opened.best_trials] == [1]


def test_another_study_s_record_is_refused(make_study, address):
    """The same name with another hash: refused, both hashes and the way out named; the storage is left as it was."""
    study = make_study()
    StudyStore(study, address).add(kept(study, 0, SCORE)[1])
    with pytest.raises(StorageError, match=r"000000000000.*ffffffffffff.*--storage"):
        StudyStore(make_study(digest="f" * 64), address)
    assert len(StudyStore(study, address).frozen()) == 1


def test_a_broken_file_is_named(make_study, tmp_path):
    """A file that is no database gives one message with its address and the way out, no database traceback."""
    (tmp_path / "record.db").write_bytes(b"not a database" * 500)
    with pytest.raises(StorageError, match=r"record\.db cannot be used: file is not a database.*--storage"):
        StudyStore(make_study(), f"sqlite:///{tmp_path / 'record.db'}")


def test_a_folder_that_cannot_be_is_named(make_study, tmp_path):
    """A file where the storage's folder should be gives one message."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError, match=r"cannot be used.*--storage"):
        StudyStore(make_study(), f"sqlite:///{tmp_path / 'taken' / 'record.db'}")


def test_a_record_that_cannot_be_written_is_named(make_study, tmp_path):
    """A read-only storage opens and refuses the first trial with one message."""
    study = make_study()
    StudyStore(study, f"sqlite:///{tmp_path / 'record.db'}")
    readonly = StudyStore(study, f"sqlite:///file:{tmp_path / 'record.db'}?mode=ro&uri=true")
    with pytest.raises(StorageError, match="attempt to write a readonly database"):
        readonly.add(kept(study, 0, SCORE)[1])


@pytest.mark.parametrize(
    "address", ["nonsense", "nonsense://x", "postgresql+nodriver://u:secret@host/db", "postgresql://u:secret@host:port/db"]
)
def test_an_address_that_leads_nowhere_is_named_without_its_password(make_study, address):
    """Unknown schemes and missing drivers give one message; a password is never printed."""
    with pytest.raises(StorageError) as caught:
        StudyStore(make_study(), address)
    assert "--storage" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["tpe", "nsga2"])
def test_the_suggester_proposes_as_it_would_from_the_record_itself(make_study, score_of, kind):
    """What the in-memory study leaves out or condenses changes no proposal."""
    study = make_study()
    space = build_space(study)
    rng = optuna.samplers.RandomSampler(seed=2)
    source = optuna.create_study(directions=["maximize", "minimize"], sampler=rng)
    history = []
    for number in range(64):
        asked = source.ask(space.distributions)
        parameters = space.parameters(asked.params, name=f"trial-{number}")
        trial = Trial(number=number, origin="sampler", parameters=parameters, score=score_of(parameters))
        history.append(
            freeze(trial, params=asked.params, distributions=space.distributions, system_attrs={"NSGAIISampler:generation": number // 50})
        )
    whole = optuna.create_study(directions=["maximize", "minimize"], sampler=make_sampler(kind, seed=1, batch=8, first=64))
    whole.add_trials(history)
    light = memory_study(history, make_sampler(kind, seed=1, batch=8, first=64))
    for _ in range(8):
        assert light.ask(space.distributions).params == whole.ask(space.distributions).params


def test_a_run_killed_while_the_record_was_made(make_study, address, monkeypatch):
    """A study without a hash or a trial is nobody's yet: the next run takes it, instead of being refused for ever."""

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(optuna.Study, "set_user_attr", killed)
        with pytest.raises(KeyboardInterrupt):
            StudyStore(make_study(), address)
    StudyStore(make_study(), address).add(kept(make_study(), 0, SCORE)[1])
    assert optuna.load_study(study_name="synthetic", storage=address).user_attrs["hash"] == make_study().hash


def test_a_gaussian_process_gets_every_constraint(make_study):
    """Only samplers that add constraints up get them added up; others get the list."""
    history = [kept(make_study(), 0, SCORE)[1]]
    assert len(memory_study(history, optuna.samplers.RandomSampler()).trials[0].constraints) == 2
    assert len(memory_study(history, make_sampler("tpe", seed=1, batch=0, first=0)).trials[0].constraints) == 1


def test_what_was_written_twice_counts_once(make_study, address):
    """Two runs that wrote the same trial at the same moment: the storage holds it twice, the search sees it once, and numbers stay the study's."""
    study = make_study()
    trials = [kept(study, number, SCORE) for number in range(3)]
    store = StudyStore(study, address)
    opened = optuna.load_study(study_name=study.name, storage=address)
    for _, frozen in (trials[0], trials[1], trials[1], trials[0], trials[2]):
        opened.add_trial(sealed(frozen, study=study.hash))
    assert [thaw(found) for found in store.frozen()] == [trial for trial, _ in trials]


def test_a_trial_that_is_there_already_is_not_added(make_study, address):
    """Another run has been faster: the message says so with the way out, and the storage stays as it was."""
    study = make_study()
    mine, other = StudyStore(study, address), StudyStore(study, address)
    other.add(kept(study, 0, SCORE)[1])
    with pytest.raises(StorageError, match=r"holds 1 trials, trial 0 among them.*another run is writing to it.*--storage"):
        mine.add(kept(study, 0, SCORE)[1])
    assert len(mine.frozen()) == len(optuna.load_study(study_name=study.name, storage=address).trials) == 1


def test_trials_of_other_tools_are_left_alone(make_study, address):
    """A trial enqueued or added by hand is no trial of the search."""
    study = make_study()
    store = StudyStore(study, address)
    opened = optuna.load_study(study_name=study.name, storage=address)
    opened.enqueue_trial({"aave_cap": 0.3})
    opened.add_trial(optuna.trial.create_trial(values=[9.0, 0.0]))
    store.add(kept(study, 0, SCORE)[1])
    assert [thaw(found).number for found in store.frozen()] == [0]


@pytest.mark.parametrize("folder", ["plain", "with {braces}", "with spaces and ü"])
def test_a_record_in_a_folder_of_any_name(make_study, tmp_path, folder):
    """The folder is made; Optuna's format of addresses does not meet its name."""
    address = f"sqlite:///{tmp_path / folder / 'record.db'}"
    StudyStore(make_study(), address).add(kept(make_study(), 0, SCORE)[1])
    assert (tmp_path / folder / "record.db").exists()
    assert len(StudyStore(make_study(), address).frozen()) == 1


def test_a_pipe_is_no_record(make_study, tmp_path):
    """Refused at once: SQLite would wait for somebody to write to it."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match=r"pipe cannot be used: it is no ordinary file; name one with --storage"):
        StudyStore(make_study(), f"sqlite:///{tmp_path / 'pipe'}")


@pytest.mark.parametrize(
    "address",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "sqlite:///file:x?mode=memory&uri=true"],
)
def test_every_spelling_of_a_record_in_memory(make_study, make_toy, tmp_path, monkeypatch, address):
    """Written on one thread and read on another as any storage is, no file made; nothing of it is there for a later command."""
    monkeypatch.chdir(tmp_path)
    study = make_study()
    store = StudyStore(study, address)
    with store.locked():
        trials = search(study, store=store, trials=9, evaluate=make_toy())
    assert [thaw(each) for each in store.frozen()] == trials
    assert list(tmp_path.iterdir()) == []
    assert in_memory(address)
    with pytest.raises(StorageError, match="is a storage in memory, which ends with the run that made it: name a file with --storage"):
        StudyStore(study, address, existing=True)


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///memory",
        "sqlite:///a/:memory:",
        "sqlite:///file:x?mode=ro&uri=true",
        "postgresql+psycopg://h/:memory:",
        "sqlite://h:port/x",
        ":memory:",
    ],
)
def test_what_is_kept_is_not_in_memory(address):
    assert not in_memory(address)


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o002, 0o664), (0o022, 0o644)])
def test_a_record_s_file_is_as_the_umask_says(make_study, tmp_path, mask, mode):
    """SQLite by itself would make it for its owner alone to write."""
    before = os.umask(mask)
    try:
        StudyStore(make_study(), f"sqlite:///{tmp_path / 'deeper' / 'record.db'}")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "deeper" / "record.db").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "deeper").stat().st_mode) == 0o777 & ~mask


def test_a_folder_where_the_record_should_be_is_named(make_study, tmp_path):
    """A directory is no database."""
    (tmp_path / "record.db").mkdir()
    with pytest.raises(StorageError, match=r"record\.db cannot be used: unable to open database file.*--storage"):
        StudyStore(make_study(), f"sqlite:///{tmp_path / 'record.db'}")


def test_tables_of_another_version_are_named(make_study, address):
    """A storage that another version of Optuna made gives its own words in one message."""
    import sqlite3

    StudyStore(make_study(), address)
    with sqlite3.connect(address.removeprefix("sqlite:///")) as database:
        database.execute("update alembic_version set version_num = 'v9.0.0'")
    with pytest.raises(StorageError, match=r"cannot be used: The runtime optuna version.*--storage"):
        StudyStore(make_study(), address)


def test_an_address_that_names_its_file_by_uri_makes_no_folder(make_study, tmp_path, monkeypatch):
    """``file:`` belongs to the address, not to the path."""
    monkeypatch.chdir(tmp_path)
    StudyStore(make_study(), "sqlite:///file:record.db?uri=true")
    assert [entry.name for entry in tmp_path.iterdir()] == ["record.db"]


def test_the_record_is_not_read_again_for_every_trial(make_study, address, monkeypatch):
    """Five trials added in order: read once; a trial that another program wrote in between is seen, and the storage read anew."""
    study = make_study()
    store, other = StudyStore(study, address), StudyStore(study, address)
    reads, trials = [], store._trials
    monkeypatch.setattr(store, "_trials", lambda: reads.append(1) or trials())
    for number in range(5):
        store.add(kept(study, number, SCORE)[1])
    assert len(reads) == 1
    other.add(kept(study, 5, SCORE)[1])
    with pytest.raises(StorageError, match="holds 6 trials, trial 5 among them"):
        store.add(kept(study, 5, SCORE)[1])
    store.add(kept(study, 6, SCORE)[1])
    assert len(reads) == 2
    assert len(store.frozen()) == 7
