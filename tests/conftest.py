"""What tests of several rooms share: the worked study, variations of it, random parameter sets, and one block of lanes to run stages on."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.simulation.compiled import Stages

ROOT = Path(__file__).resolve().parents[1]
os.environ.pop("COLUMNS", None)  # pytest-xdist tells it its workers, and a command would fold what it prints


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Where pytest-xdist is in use and nobody asked for a number: two processes for the whole suite; none for chosen files, which are
    sooner done without, or for campaigns, which print. Not in the settings, so that pytest runs without it too (``-p no:xdist``).
    """
    if not config.pluginmanager.hasplugin("xdist") or hasattr(config, "workerinput"):
        return
    whole = config.args_source == pytest.Config.ArgsSource.TESTPATHS
    if config.option.numprocesses is None:
        config.option.numprocesses = 2 if whole and "campaign" not in config.getoption("markexpr").replace("not campaign", "") else 0
    if config.option.dist == "no" and config.option.numprocesses:
        config.option.dist = "worksteal"


REQUIRED = "AMO_OPT_REQUIRE_SERVICES"
"""With this variable set, what a test cannot find is its failure: nothing is skipped unseen where everything should be there."""


def _missing(reason: str) -> None:
    """Skips the test, or fails it where services are required."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{reason} ({REQUIRED} is set)")
    pytest.skip(f"{reason}; {REQUIRED}=1 makes this a failure")


@pytest.fixture(scope="session")
def missing() -> Callable[[str], None]:
    """Skips the test with a reason: ``missing("no tmpfs can be mounted: run as root")``."""
    return _missing


def _need(program: str, *, folders: str = "", install: str = "") -> str:
    """Where a program is, looked for on the path and in ``folders`` (a glob below /); the test is skipped where it is not."""
    found = shutil.which(program) or next((str(path) for path in sorted(Path("/").glob(folders + "/" + program), reverse=True)), None)
    if found is None:
        _missing(f"the program {program} is not on this machine: install {install or program}")
    return str(found)


@pytest.fixture(scope="session")
def need() -> Callable[..., str]:
    return _need


def _need_module(module: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        _missing(f"the Python package {module} is not installed: pip install 'amo-opt[{extra}]'")


@pytest.fixture(scope="session")
def need_module() -> Callable[[str, str], None]:
    """Skips the test where a package is missing: ``need_module("distributed", "cluster")``."""
    return _need_module


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A file system of its own: ``mount("size=300k")``."""
    mounted: list[Path] = []

    def make(options: str) -> Path:
        folder = tmp_path / "mounted"
        folder.mkdir()
        found = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False)
        if found.returncode != 0:
            pytest.skip(f"no tmpfs can be mounted here ({found.stderr.strip()}): run the tests as root")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def _fill(folder: Path, *, leaving: int = 0) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                break
        file.truncate(max(0, file.tell() - leaving))
    return filler


@pytest.fixture(scope="session")
def fill() -> Callable[..., Path]:
    """Makes a file that takes all room but some bytes: ``fill(folder, leaving=4096)``."""
    return _fill


@pytest.fixture(scope="session")
def frax() -> Study:
    """The worked study, at a seed of its own and doors near the peg: no test hangs on those it ships with."""
    from amo_opt import load_study

    doors = {"mint_price_threshold": 1.0033, "redeem_price_threshold": 0.9933}
    study = load_study(ROOT / "studies" / "frax-2022.toml", overrides={f"current.{name}": value for name, value in doors.items()})
    return _refigured(replace(study, search=replace(study.search, seed=1)), {"redeem.fee": 0.002, "mint.fee": 0.002})


def _refigured(study: Study, changes: Mapping[str, float]) -> Study:
    """The study with figures of its state replaced by value, by dotted name (``markets.oracle_lag_hours``)."""

    def put(node: Any, names: list[str], value: float) -> Any:
        child = getattr(node, names[0])
        return replace(node, **{names[0]: replace(child, value=value) if len(names) == 1 else put(child, names[1:], value)})

    state = study.state
    for name, value in changes.items():
        state = put(state, name.split("."), value)
    return replace(study, state=state)


@pytest.fixture(scope="session")
def refigured() -> Callable[[Study, Mapping[str, float]], Study]:
    return _refigured


def _held(study: Study, *names: str) -> Study:
    """The study with every assumed figure's range shrunk to its value, but for those named: each end of a range costs certification a run."""
    from operator import attrgetter

    from amo_opt.config.overrides import with_figure
    from amo_opt.config.schema import figures_by_name

    state = study.state
    for name in figures_by_name():
        figure = attrgetter(name)(state)
        if figure.assumed is not None and name not in names:
            state = with_figure(state, name, replace(figure, low=figure.value, high=figure.value))
    return replace(study, state=state)


@pytest.fixture(scope="session")
def held() -> Callable[..., Study]:
    return _held


def _random_sets(study: Study, count: int, seed: int) -> list[ParameterSet]:
    """Sets drawn independently over the study's search space, the ordered pairs kept in order."""
    from amo_opt.amos.parameters import PARAMETERS
    from amo_opt.protocol.parameters import ORDERED_PAIRS

    rng = np.random.default_rng(seed)
    sets = []
    for number in range(count):
        values: dict[str, float] = {}
        for name, interval in study.search.space.items():
            u = rng.random()
            ratio = math.log(interval.high / interval.low) if interval.log else 0.0
            values[name] = interval.low * math.exp(u * ratio) if interval.log else interval.low + u * (interval.high - interval.low)
        for low, high in ORDERED_PAIRS:
            least = values.get(low, getattr(study.current, low)) + 1e-3
            values[high] = min(max(values.get(high, getattr(study.current, high)), least), PARAMETERS[high].high)
        sets.append(study.current.replace(name=f"random-{number}", **values))
    return sets


@pytest.fixture(scope="session")
def random_sets() -> Callable[[Study, int, int], list[ParameterSet]]:
    return _random_sets


POSITIONS = frozenset(
    {f"{amo}.{part}" for amo in ("curve", "aave", "investor", "fraxlend", "uniswap") for part in ("minted", "borrowed")}
    | {"aave.lent", "investor.lent", "fraxlend.lent", "fraxlend.free", "uniswap.liquidity", "uniswap.x", "uniswap.y"}
)
"""Lines whose change moves the totals over the AMOs."""


@dataclass
class Lanes:
    """A block at the snapshot with a calm market: every lane the same. Names read lane 0 and write every lane."""

    s: np.ndarray
    m: np.ndarray
    p: np.ndarray
    c: np.ndarray

    def __getitem__(self, name: str) -> float:
        return float(self.lanes(name)[0])

    def __setitem__(self, name: str, value: float | np.ndarray) -> None:
        self.lanes(name)[:] = value
        if name in {"lp_amo", "lp_supply"}:  # the stages read the quotient, which whoever moves either writes
            self.lanes("own")[:] = self.lanes("lp_amo") / self.lanes("lp_supply")
        if name in POSITIONS:  # … and the totals over the AMOs
            self._add_up()

    def _add_up(self) -> None:
        """The totals, each by name."""
        from amo_opt.amos.layout import CONSTANT_INDEX

        lent = self.lanes("aave.lent") + self.lanes("investor.lent")
        in_range, free = self.lanes("uniswap.liquidity") * self.c[CONSTANT_INDEX["uniswap.span"]], self.lanes("fraxlend.free")
        self.lanes("at_work")[:] = lent + self.lanes("uniswap.y")
        self.lanes("recoverable")[:] = self.lanes("cover_coins")[:] = lent
        self.lanes("own_outside")[:] = self.lanes("uniswap.x") + free
        self.lanes("own_at_floor")[:] = in_range + free
        self.lanes("own_counted")[:] = in_range + self.lanes("fraxlend.lent")
        self.lanes("minted")[:] = sum(self.lanes(f"{amo}.minted") for amo in ("curve", "fraxlend", "uniswap"))
        self.lanes("borrowed")[:] = sum(self.lanes(f"{amo}.borrowed") for amo in ("curve", "aave", "investor", "uniswap"))

    def run(self, *names: str, hour: int = 0, scratch: np.ndarray | None = None) -> None:
        """Rows of the start, the hour or the books by name (``fraxlend_market_operations``), whether in use or not."""
        from amo_opt.simulation.kernel import run_rows
        from amo_opt.simulation.program import ROWS

        run_rows([ROWS[name] for name in names], self.s, self.m, self.p, self.c, hour=hour, scratch=scratch)

    def run_everywhere(self, name: str) -> None:
        """The full stage of a row on every lane, whatever the row would flag, and nothing else."""
        from amo_opt.protocol.active_lanes import W_ACTIVE
        from amo_opt.protocol.lanes import LANES, STUCK
        from amo_opt.simulation.kernel import SCRATCH, run_rows
        from amo_opt.simulation.program import ROWS

        scratch = np.zeros(SCRATCH)
        scratch[W_ACTIVE : W_ACTIVE + LANES] = 1.0
        # the light pass of `begin_settling` flags nothing and clears lines that no full stage looks at
        unflagged = replace(ROWS["begin_settling"], active=ROWS[name].active, places=ROWS[name].places)
        settled = {line: self.lanes(line).copy() for line in STUCK}
        run_rows([unflagged], self.s, self.m, self.p, self.c, scratch=scratch)
        for line, values in settled.items():
            self.lanes(line)[:] = values

    def settle(self) -> None:
        """Books what selling everything would cost now."""
        from amo_opt.simulation.kernel import run_rows
        from amo_opt.simulation.program import SETTLE

        run_rows(SETTLE, self.s, self.m, self.p, self.c)

    def lose(self) -> None:
        """What the hour's losses of venues take, AMO by AMO."""
        from amo_opt.simulation.program import ROWS

        self.run(*(name for name in ROWS if name.endswith("_venue_loss")))

    def lanes(self, name: str) -> np.ndarray:
        """The variable's lanes, writable, shape (LANES,)."""
        from amo_opt.amos.layout import STATE_INDEX
        from amo_opt.protocol.lanes import LANES

        at = STATE_INDEX[name] * LANES
        return self.s[at : at + LANES]

    def market(self, **values: float | np.ndarray) -> None:
        from amo_opt.amos.layout import MARKET_INDEX
        from amo_opt.protocol.market import LANES

        for name, value in values.items():
            at = MARKET_INDEX[name] * LANES
            self.m[at : at + LANES] = value

    def parameter(self, **values: float) -> None:
        """Sets parameters by the names of a parameter file, and the minter's sums with them."""
        from amo_opt.amos.catalogue import MECHANISMS
        from amo_opt.amos.layout import PARAMETER_INDEX
        from amo_opt.simulation.pack import cap_sums

        own = {each.name: f"{amo.name}.{name}" for amo in MECHANISMS for name, each in amo.parameters.items()}
        for name, value in values.items():
            self.p[PARAMETER_INDEX[own.get(name, name)]] = value
        for name, value in cap_sums({name: self.p[PARAMETER_INDEX[place]] for name, place in own.items()}).items():
            self.p[PARAMETER_INDEX[name]] = value

    def constant(self, **values: float) -> None:
        """Sets constants; an AMO's own as ``**{"aave.kink": 0.8}``."""
        from amo_opt.amos.layout import CONSTANT_INDEX

        for name, value in values.items():
            self.c[CONSTANT_INDEX[name]] = value

    def pool(self, x: float | np.ndarray, y: float | np.ndarray) -> None:
        """Sets the pool's balances, its D, and as many LP tokens as D, the AMO's share of them as before."""
        from amo_opt.stableswap.invariant import refresh_D

        own = self["lp_amo"] / self["lp_supply"]
        self["pool_x"], self["pool_y"] = x, y
        d = [
            refresh_D(a, b, ann, refresh_D(a, b, ann, a + b))
            for a, b, ann in zip(self.lanes("pool_x"), self.lanes("pool_y"), self.lanes("ann"), strict=True)
        ]
        self["d"] = self["lp_supply"] = np.array(d)
        self["lp_amo"] = own * np.array(d)

    def nav(self) -> float:
        """NAV of lane 0 at liquidation value now; books nothing."""
        from amo_opt.simulation.kernel import nav

        return float(nav(self.s, self.m, self.p, self.c)[0])

    def booked(self) -> float:
        """Σ of the accounting lines."""
        from amo_opt.amos.layout import LINES

        return sum(self[line] for line in LINES)


@pytest.fixture(scope="session")
def stages_compiled() -> None:
    """Every stage as the kernel keeps it on disk: called from Python it would be compiled anew in each process."""
    from amo_opt.simulation.compiled import addresses
    from amo_opt.simulation.kernel import STAGES

    addresses(STAGES)


@pytest.fixture(scope="session")
def machine_code(stages_compiled: None) -> Callable[[str, Stages], bytes]:
    """The object that a stage was compiled to, as it is run: ``machine_code(name, STAGES)``, from the disk where it is kept there."""

    def read(name: str, stages: Stages) -> bytes:
        from numba.core.registry import cpu_target

        from amo_opt.stableswap.kept import KeptCache

        function, signature = stages[name]
        if isinstance(function._cache, KeptCache):
            key = function._cache._index_key(signature, cpu_target.target_context.codegen())
            ((_, kind, (code, _)), *_) = function._cache._cache_file.load(key)
            assert kind == "object"
        else:
            function.compile(signature)
            code = function.overloads[signature].library._get_compiled_object()
        return bytes(code)

    return read


@pytest.fixture
def lanes(frax: Study, stages_compiled: None) -> Callable[..., Lanes]:
    """Builds a block of lanes at the study's snapshot (``study``, ``parameters`` to change them), at prices of 1 and no flows."""

    def build(study: Study | None = None, parameters: ParameterSet | None = None) -> Lanes:
        from amo_opt.amos.layout import MARKET_INPUTS
        from amo_opt.protocol.market import LANES
        from amo_opt.simulation.kernel import run_rows
        from amo_opt.simulation.pack import constants, parameter_vector, start_state
        from amo_opt.simulation.program import START

        chosen = study or frax
        m = np.zeros(len(MARKET_INPUTS) * LANES)
        block = Lanes(s=np.empty(0), m=m, p=parameter_vector(parameters or chosen.current), c=constants(chosen))
        block.market(collateral_price=1.0, base_value=1.0, share_return=1.0, gate=1.0)
        block.market(reward_price=1.0, **{"aave.deposits": 1e9, "investor.deposits": 1e9, "fraxlend.deposits": 1e8})
        block.market(**{"aave.free_cap": 1e15, "investor.free_cap": 1e15, "borrowers.demand": 1.0})
        block.s = start_state(chosen, m)
        run_rows(START, block.s, block.m, block.p, block.c)
        return block

    return build


@pytest.fixture(scope="session")
def lines_left_out(frax: Study) -> frozenset[str]:
    """The state's lines of AMOs that the worked state says nothing of: a package may know such, and nothing of theirs moves there."""
    from amo_opt.amos.catalogue import MECHANISMS
    from amo_opt.amos.layout import PLACES, STATE
    from amo_opt.protocol.lanes import LANES
    from amo_opt.protocol.state import Figure

    found: set[str] = set()
    for each in MECHANISMS:
        figures = vars(getattr(frax.state.amos, each.name)).values() if each.section else ()
        if not any(figure.is_given for figure in figures if isinstance(figure, Figure)):
            first = PLACES[each.name].state // LANES
            found.update(STATE[first : first + len(each.stages.own.state)])
    return frozenset(found)


@pytest.fixture
def vault() -> Iterator[Mechanism]:
    """One AMO more than the catalogue's entries name: it lends, its venue may lose, and it has a setting of its own."""
    from amo_opt.amos.mechanism import LendingMarket, Loss, Mechanism, Stages
    from amo_opt.protocol.lanes import Own
    from amo_opt.protocol.settings import Setting
    from amo_opt.stress import catalogue
    from amo_opt.stress.settings import SETTINGS, VENUES, settings_of

    further = {"vault_fee": Setting(0.0, 1.0, "", "what the vault keeps", calm=0.1)}
    market = LendingMarket(prefix="loans", deposits="what others lend in the vault")
    loss = Loss(share_of="of what is in the vault", event="a theft", calm_severity=0.4)
    stages = Stages(own=Own("vault"), **dict.fromkeys(("begin", "market_operations", "operate")))
    found = Mechanism(name="vault", earns=9, turn=9, market=market, loss=loss, settings=further, stages=stages)
    without, coin = (dict(SETTINGS), dict(VENUES)), VENUES.pop("coin")
    SETTINGS.update(settings_of(found))
    VENUES.update(vault=loss.share_of, coin=coin)

    def forget() -> None:
        catalogue._entry.cache_clear()
        catalogue.unnamed.cache_clear()

    forget()
    yield found
    for table, before in zip((SETTINGS, VENUES), without, strict=True):
        table.clear()
        table.update(before)
    forget()


@pytest.fixture(scope="session")
def told_alike() -> Callable[[Path, str], dict[str, Any]]:
    """Checks that every place of a report and the terminal tell one verdict, and gives results.json's: ``told_alike(folder, called.out)``."""
    sys.path.insert(0, str(ROOT / "tests"))  # the reader stands beside this file: the tests themselves are no package
    from told_alike import agree

    return agree
