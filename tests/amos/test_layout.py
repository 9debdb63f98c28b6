"""Where everything lies: each AMO's own numbers are what its descriptor says, one AMO behind the other, and AMOs of a kind are the same stages at other offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import (
    CONSTANT_INDEX,
    LINES,
    MARKET_INDEX,
    MARKET_INPUTS,
    PARAMETER_INDEX,
    PLACES,
    STATE,
    STATE_INDEX,
    Places,
    places_of,
)
from amo_opt.amos.lending import lender
from amo_opt.amos.mechanism import Income, LendingMarket, Mechanism, Stages
from amo_opt.config.study import Study
from amo_opt.protocol.lanes import COMMON, COMMON_LINES, CONSTANTS, LANES
from amo_opt.protocol.lanes import PARAMETERS as COMMON_PARAMETERS
from amo_opt.protocol.market import COMMON_INPUTS
from amo_opt.protocol.parameters import collateral_cap
from amo_opt.simulation.kernel import STAGES, run_rows
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.simulation.program import ROWS, Row, row_of

EACH = pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda each: each.name)
AAVE = next(each for each in MECHANISMS if each.name == "aave")
VAULT = lender(
    "vault",
    LendingMarket(prefix="loans", deposits="what others lend in the vault"),
    title="Vault AMO",
    earns=6,
    turn=6,
    cap=collateral_cap("vault_cap", "Most collateral in the vault", rank=60, default=0.0),
    income=Income(name="vault", label="the vault's interest", rank=25),
    series="vaulted",
)
THEN = places_of((*MECHANISMS, VAULT))
"""Places with one lender more than the catalogue has."""


# -- each AMO's own ----------------------------------------------------------------------------------------------------------------------


@EACH
def test_what_an_amo_declares_is_what_its_stages_count_on(mechanism: Mechanism, frax: Study) -> None:
    """Inputs, parameters and constants are its stages', in their order; what it starts with and its series are lines of its state, and so is its
    income, but for what goes to a common line, of the same rank."""
    own = mechanism.stages.own
    assert tuple(mechanism.inputs) == own.market
    assert tuple(mechanism.parameters) == own.parameters
    assert tuple(mechanism.constants(frax.state)) == own.constants
    assert set(mechanism.start(frax.state)) | set(mechanism.series) <= set(own.state)
    elsewhere = {f"income_{line.name}": line.rank for name, line in mechanism.income.items() if name not in own.state}
    assert elsewhere.items() <= COMMON_LINES.items()
    assert not set(mechanism.start(frax.state)) & set(mechanism.income)


@EACH
def test_room_and_position_are_its_own(mechanism: Mechanism, frax: Study) -> None:
    """What tells whether it is in use is a cap of its own and a line that a snapshot fills; no cap without such a line."""
    own, cap, held = mechanism.stages.own, mechanism.stages.cap, mechanism.stages.held
    if cap is not None:
        assert held is not None
        assert mechanism.holding_cap in (None, mechanism.parameters[own.parameters[cap]])
    if held is not None:
        assert own.state[held // LANES] in mechanism.start(frax.state)


@EACH
def test_its_numbers_stand_at_its_place(mechanism: Mechanism, frax: Study) -> None:
    """Each name is found where its stages look for it, and what the study says of it is there."""
    own, places, name = mechanism.stages.own, PLACES[mechanism.name], mechanism.name
    first = np.zeros(len(MARKET_INPUTS) * LANES)
    s, p, c = start_state(frax, first), parameter_vector(frax.current), constants(frax)
    for index, each in enumerate(own.market):
        assert (MARKET_INDEX[f"{name}.{each}"] - index) * LANES == places.market
    for index, each in enumerate(own.parameters):
        assert PARAMETER_INDEX[f"{name}.{each}"] - index == places.parameters
        assert p[places.parameters + index] == frax.current.values()[mechanism.parameters[each].name]
    for index, each in enumerate(own.constants):
        assert CONSTANT_INDEX[f"{name}.{each}"] - index == places.constants
        assert c[places.constants + index] == mechanism.constants(frax.state)[each]
    start = mechanism.start(frax.state)
    for index, each in enumerate(own.state):
        line = f"income_{mechanism.income[each].name}" if each in mechanism.income else f"{name}.{each}"
        assert (STATE_INDEX[line] - index) * LANES == places.state
        assert np.all(s[places.state + index * LANES :][:LANES] == start.get(each, 0.0))


# -- all together ------------------------------------------------------------------------------------------------------------------------


def spans(vector: str, common: int, apart: int) -> list[tuple[int, int]]:
    """From where to where in a vector the common numbers and each AMO's own reach, by their beginnings."""
    own = [(getattr(PLACES[each.name], vector), len(getattr(each.stages.own, vector)) * apart) for each in MECHANISMS]
    return sorted([(0, common * apart), *((begins, begins + length) for begins, length in own if length)])


@pytest.mark.parametrize(
    ("vector", "common", "apart", "index"),
    [
        ("state", COMMON, LANES, STATE_INDEX),
        ("market", COMMON_INPUTS, LANES, MARKET_INDEX),
        ("parameters", COMMON_PARAMETERS, 1, PARAMETER_INDEX),
        ("constants", CONSTANTS, 1, CONSTANT_INDEX),
    ],
)
def test_places_neither_overlap_nor_leave_gaps(vector: str, common: Sequence[str], apart: int, index: dict[str, int]) -> None:
    """The common numbers, then every AMO's, end to end: together they are the vector, and every name has a number of its own."""
    found = spans(vector, len(common), apart)
    assert all(ends == begins for (_, ends), (begins, _) in pairwise(found))
    assert found[-1][1] == len(index) * apart
    assert list(index.values()) == list(range(len(index)))
    assert list(index)[: len(common)] == list(common)


def test_the_packed_vectors_are_as_long_as_their_places(frax: Study) -> None:
    """State, parameters and constants of a study have a number for every name, and no other."""
    assert start_state(frax, np.zeros(len(MARKET_INPUTS) * LANES)).size == len(STATE) * LANES
    assert parameter_vector(frax.current).size == len(PARAMETER_INDEX)
    assert constants(frax).size == len(CONSTANT_INDEX)


def test_accounting_lines_are_the_common_ones_and_every_amos() -> None:
    """Each once, each a line of the state, in the order of their ranks whichever AMO they are of."""
    ranks = COMMON_LINES | {f"income_{line.name}": line.rank for each in MECHANISMS for line in each.income.values()}
    assert sorted(LINES) == sorted(ranks)
    assert set(LINES) <= set(STATE)
    assert [ranks[line] for line in LINES] == sorted(set(ranks.values()))


# -- AMOs of a kind ----------------------------------------------------------------------------------------------------------------------

PARTS = ("begin", "venue_loss", "market_operations", "operate", "settle", "watch")


def test_lenders_of_collateral_are_the_same_stages_elsewhere() -> None:
    """Aave's AMO and the Collateral Investor: row by row one compiled stage, each with its own places; the kernel compiles it once."""
    for part in PARTS:
        aave, investor = ROWS[f"aave_{part}"], ROWS[f"investor_{part}"]
        assert aave.code == investor.code
        assert aave.stage is investor.stage
        assert (aave.places, investor.places) == (PLACES["aave"], PLACES["investor"])
        assert STAGES[aave.code][0] is aave.stage


@EACH
def test_every_row_of_an_amo_begins_where_its_numbers_do(mechanism: Mechanism) -> None:
    """Each of its parts is a row with its places; rows of no AMO have none, but for the income lines that FXS1559 looks at."""
    for part in Stages.__dataclass_fields__:
        row = ROWS.get(f"{mechanism.name}_{part}")
        assert (row is not None) == (part not in {"own", "cap", "held", "there", "now"} and getattr(mechanism.stages, part) is not None), (
            part
        )
        assert row is None or (row.places == PLACES[mechanism.name] and row.of is mechanism)
    for row in ROWS.values():
        if row.of is None:
            line = row.name.removeprefix("add_")
            assert row.places == (Places(STATE_INDEX[line] * LANES) if row.needs is not None else Places()), row.name


def test_one_more_amo_stands_behind_the_others() -> None:
    """Nobody else's place moves, and it begins where the vectors end."""
    assert {name: places for name, places in THEN.items() if name != "vault"} == PLACES
    ends = Places(len(STATE) * LANES, len(MARKET_INPUTS) * LANES, len(PARAMETER_INDEX), len(CONSTANT_INDEX), 0)
    assert THEN["vault"] == ends


class Longer:
    """A block of lanes with room for one lender more, which has the same lengths as Aave's AMO."""

    def __init__(self, block: Any) -> None:
        own = VAULT.stages.own
        self.s, self.m = (np.append(each, np.zeros(n * LANES)) for each, n in ((block.s, len(own.state)), (block.m, len(own.market))))
        self.p, self.c = (np.append(each, np.zeros(n)) for each, n in ((block.p, len(own.parameters)), (block.c, len(own.constants))))

    def own(self, name: str) -> list[np.ndarray]:
        """An AMO's own state, inputs, parameters and constants, writable."""
        declared, places = VAULT.stages.own, THEN[name]
        lengths = (len(declared.state) * LANES, len(declared.market) * LANES, len(declared.parameters), len(declared.constants))
        vectors = (self.s, self.m, self.p, self.c)
        return [vector[begins : begins + length] for vector, begins, length in zip(vectors, places[:4], lengths, strict=True)]

    def give(self, name: str, numbers: Sequence[np.ndarray]) -> None:
        for mine, given in zip(self.own(name), numbers, strict=True):
            mine[:] = given

    def hours(self, *names: str) -> None:
        """From the beginning through 30 hours that leave lanes to deploy, to return and to unwind."""
        self.run("begin", names)
        idle, unwinding = self.lanes("idle"), self.lanes("unwinding")
        for hour in range(30):
            unwinding[:] = (np.arange(LANES) + hour // 10) % 4 == 0
            self.lanes("unwinding_hours")[:] = 100.0
            if hour == 15:
                idle += 200e6
            for part in PARTS[1:]:
                self.run(part, names)

    def run(self, part: str, names: Sequence[str]) -> None:
        run_rows([row for name in names if (row := row_in(name, part))], self.s, self.m, self.p, self.c)

    def lanes(self, line: str) -> np.ndarray:
        return self.s[STATE_INDEX[line] * LANES :][:LANES]


def row_in(name: str, part: str) -> Row | None:
    """An AMO's row where there is one more than the catalogue has."""
    return row_of(VAULT if name == "vault" else AAVE, part, places=THEN[name])


def numbers(seed: int) -> list[np.ndarray]:
    """What a lender begins with, lane by lane: its position, its market with a loss an hour, its cap and its rate curve."""
    rng = np.random.default_rng(seed)
    lent, nothing = rng.uniform(0.0, 400e6, LANES), np.zeros(LANES)
    state = [lent, nothing, nothing, lent, nothing]
    market = [rng.uniform(1e8, 2e9, LANES), rng.uniform(0.0, 3e9, LANES), rng.choice([1e6, 1e15], LANES), rng.choice([0.0, 1e-3], LANES)]
    curve = rng.uniform([0.5, 0.01, 0.3, 0.05], [0.9, 0.1, 1.0, 0.3])
    return [np.concatenate(state), np.concatenate(market), np.array([rng.uniform(0.1, 0.2)]), curve]


@pytest.fixture
def longer(lanes: Callable[..., Any]) -> Callable[[], Longer]:
    """Builds a block with room for one lender more, in which Aave's AMO has nothing yet."""

    def build() -> Longer:
        block = lanes()
        block["aave.lent"] = block["aave.borrowed"] = block["aave.rate"] = block["aave.free"] = 0.0
        block.parameter(aave_cap=0.5, idle_buffer=0.05, unwind_rate=0.1, min_cr=0.5)
        block["collateral_price"] = np.linspace(0.95, 1.01, LANES)
        block.market(gas_usd=500.0)
        block["idle"] = np.geomspace(1e6, 500e6, LANES)
        return Longer(block)

    return build


def test_one_more_lender_is_aaves_amo_at_another_place(longer: Callable[[], Longer]) -> None:
    """Given Aave's numbers the vault earns, lends, returns and loses what Aave's AMO does, and moves the common lines as it does, bit for bit; Aave's own lines it leaves alone."""
    aave, vault = longer(), longer()
    vault_at = THEN["vault"]
    aave.give("aave", numbers(1))
    vault.give("vault", numbers(1))
    before = [each.copy() for each in vault.own("aave")]
    begun = vault.s.copy()
    aave.hours("aave")
    vault.hours("vault")
    for there, here in zip(vault.own("vault"), aave.own("aave"), strict=True):
        assert np.array_equal(there, here)
    common = len(COMMON) * LANES
    assert np.array_equal(vault.s[:common], aave.s[:common])
    assert np.array_equal(vault.s[common : vault_at.state], begun[common : vault_at.state])
    for now, was in zip(vault.own("aave"), before, strict=True):
        assert np.array_equal(now, was)
    (state, *_), mine = vault.own("vault"), VAULT.stages.own
    lent_out = state[mine.S_BORROWED :][:LANES] - numbers(1)[0][mine.S_BORROWED :][:LANES]
    assert np.all(state[mine.S_INCOME :][:LANES] > 0.0)
    assert lent_out.max() > 1e6
    assert lent_out.min() < -1e6
    assert np.any(vault.lanes("income_venue_losses") < 0.0)


def test_one_more_lender_with_numbers_of_its_own_is_another(longer: Callable[[], Longer]) -> None:
    """Beside Aave's AMO, with another market and another curve, it earns something else; what Aave's earns in an hour is what it earns alone."""
    alone, beside = longer(), longer()
    alone.give("aave", numbers(1))
    beside.give("aave", numbers(1))
    beside.give("vault", numbers(2))
    for block, names in ((alone, ("aave",)), (beside, ("aave", "vault"))):
        for part in ("begin", "venue_loss", "market_operations"):
            block.run(part, names)
    assert np.array_equal(beside.own("aave")[0], alone.own("aave")[0])
    aave, vault = (beside.own(name)[0][-LANES:] for name in ("aave", "vault"))
    assert np.all(vault > 0.0)
    assert np.all(vault != aave)
    lent = beside.own("aave")[0][:LANES] + beside.own("vault")[0][:LANES]
    assert beside.lanes("at_work") - lent == pytest.approx(alone.lanes("at_work") - alone.own("aave")[0][:LANES], abs=1e-5)
