"""How the kernel is compiled: options, where arguments begin, and what machine code the stages become."""

from __future__ import annotations

import operator
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from llvmlite import binding
from numba import config, types
from numba.core.compiler import Compiler
from numba.core.registry import cpu_target
from numba.core.types.functions import BaseFunction

from amo_opt.fence import SLOWER, written_for
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.compiled import Stages, addresses
from amo_opt.simulation.kernel import STAGES
from amo_opt.simulation.program import HOUR, START
from amo_opt.stableswap import jit, passes
from amo_opt.stableswap.jit import VECTOR, Vector, address, ahead, begins, call_at, inner_walker, scalar, stage, walker
from amo_opt.stableswap.passes import DIGEST, PARTS, PartsApart, Short


def half(x: float) -> float:
    return x / 2.0


def test_stages_and_scalars_release_the_interpreter_lock_and_keep_ieee_arithmetic() -> None:
    """nogil for threads, no fast maths for reproducible bytes, numpy's division so that nothing branches on zero."""
    for wrap in (scalar, stage, walker, inner_walker):
        options = wrap(half).targetoptions
        assert options["nogil"] is True
        assert options["fastmath"] is False
        assert options["error_model"] == "numpy"


def test_division_by_zero_is_infinite_not_an_error() -> None:
    """A lane that divides by zero goes on and is caught by its record, so that the other lanes' code has no branch."""

    @scalar
    def inverse(x: float) -> float:
        return 1.0 / x

    assert inverse(0.0) == float("inf")


# -- where arguments begin ---------------------------------------------------------------------------------------------------------------


@walker
def read(array: Vector, by: int) -> float:
    return ahead(begins(array), by)[0]


@walker
def write(array: Vector, by: int, further: int) -> None:
    ahead(ahead(begins(array), by), further)[0] = -1.0


def test_what_begins_further_on_is_the_same_array() -> None:
    """So many numbers ahead stands what the array holds there, in a part of it counted from the part's beginning; written there, it is written in
    the array and nowhere else; steps add up, and lead back."""
    array = np.arange(2.0 * LANES)
    assert [read(array, by) for by in (0, 1, LANES, 2 * LANES - 1)] == [0.0, 1.0, LANES, 2 * LANES - 1]
    assert [read(array[5:], by) for by in (0, 3)] == [5.0, 8.0]
    for by, further in ((7, 0), (0, 9), (LANES, 5), (LANES, -3)):
        array = np.arange(2.0 * LANES)
        write(array, by, further)
        assert np.flatnonzero(array != np.arange(2.0 * LANES)).tolist() == [by + further]


def test_without_a_compiler_it_is_a_view() -> None:
    """The plain stand-ins read and write the same places."""
    array = np.arange(10.0)
    assert jit._begins_plainly(array) is array
    ahead_of_it = jit._ahead_plainly(jit._begins_plainly(array), 4)
    assert ahead_of_it.tolist() == [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    ahead_of_it[0] = -1.0
    assert array[4] == -1.0


# -- arguments that never overlap --------------------------------------------------------------------------------------------------------


def shared_out(s: Vector, c: Vector) -> None:
    for i in range(LANES):
        s[LANES + i] = s[i] / c[0] - c[1] * s[LANES + i]


@walker
def run_at(place: int, s: Vector, c: Vector) -> None:
    call_at(place, begins(s), begins(c))


def told_apart(function: Any) -> list[bool]:
    """Of each argument of the compiled stage, whether the compiler was told that nothing else overlaps it."""
    listing = function.inspect_llvm((VECTOR, VECTOR))
    (signature,) = (line for line in listing.splitlines() if line.startswith("define") and "%arg.s" in line)
    return ["noalias" in each for each in signature.split(", ") if "%arg." in each]


def result_of(function: Any) -> bytes:
    rng = np.random.default_rng(1)
    s, c = rng.uniform(1.0, 2.0, 2 * LANES), np.array([3.0, 0.7])
    run_at(address(function, (VECTOR, VECTOR)), s, c)
    return s.tobytes()


def test_it_was_written_for_this_numba() -> None:
    """Fails where an upgrade of Numba has changed what is built on: read the change, adapt `passes`, then the digest and the cap."""
    assert written_for(DIGEST, *PARTS, instead=SLOWER)


def test_with_another_numba_stages_are_compiled_its_way(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A digest that does not fit: told once, the compiler is told nothing of its arguments, and every stage is right to the same bits."""
    ours = stage(shared_out)
    right = result_of(ours)
    assert ours._compiler.pipeline_class is PartsApart
    assert told_apart(ours) == [True, True]
    assert not caplog.records
    monkeypatch.setattr(passes, "DIGEST", "0" * 16)
    written_for.cache_clear()
    theirs = [stage(shared_out) for _ in range(2)]
    for each in theirs:
        assert result_of(each) == right
        assert each._compiler.pipeline_class is Compiler
        assert told_apart(each) == [False, False]
        assert each.targetoptions == ours.targetoptions
    (told,) = [record.message for record in caplog.records]
    assert told.startswith(f"Numba {numba.__version__} differs from the one amo-opt was written for in CompilerBase.__init__ ({DIGEST})")
    assert told.endswith(SLOWER)


def test_only_stages_say_that_their_arguments_are_apart() -> None:
    """What calls stages is given the state and parts of it."""
    assert issubclass(PartsApart, Short)
    for wrap in (walker, inner_walker, scalar):
        assert not issubclass(wrap(half)._compiler.pipeline_class, PartsApart)


# -- Numba's way, shortened --------------------------------------------------------------------------------------------------------------


@scalar
def quarter(x: float) -> float:
    """Of compiled code's own and of Python's."""
    return half_of(x) / 2.0


@scalar
def half_of(x: float) -> float:
    return x / 2.0


@stage
def quartered(s: Vector) -> None:
    for i in range(LANES):
        s[i] = quarter(s[i])


@walker
def run_quartered(place: int, s: Vector) -> None:
    call_at(place, begins(s))


def test_a_scalar_is_called_by_compiled_code_and_by_python() -> None:
    """What a stage called before has no entry from Python; Python is given another, before and after."""
    s = np.arange(float(LANES))
    run_quartered(address(quartered, (VECTOR,)), s)
    assert s.tolist() == (np.arange(float(LANES)) / 4.0).tolist()
    assert (quarter(3.0), half_of(3.0)) == (0.75, 1.5)


def test_stages_have_no_entries() -> None:
    """Nobody calls them but compiled code: neither an entry from Python nor from C is compiled, nor for what they call."""
    address(quartered, (VECTOR,))
    listing = quartered.inspect_llvm((VECTOR,))
    defined = re.findall(r"^define .*?@(\S+?)\(", listing, flags=re.MULTILINE)
    assert len(defined) == 1
    assert not any(entry in listing for entry in ("@_ZN7cpython", "@cfunc."))


@pytest.mark.parametrize("wrap", [stage, inner_walker])
def test_python_that_calls_a_stage_is_refused(wrap: Callable[[Any], Any]) -> None:
    """There is no entry that it could come in by."""
    inner = wrap(quartered.py_func)
    address(inner, (VECTOR,))
    with pytest.raises(TypeError, match="a walker is called from Python"):
        inner(np.zeros(LANES))


def test_operators_are_asked_once_and_only_meanwhile() -> None:
    """For arguments of the same types an operator's answer is remembered, for others asked for; afterwards Numba is as it was."""
    asked = BaseFunction.get_call_type
    context = cpu_target.typing_context
    plus = context.resolve_value_type(operator.add)
    with passes.operators_remembered():
        assert BaseFunction.get_call_type is not asked
        first = plus.get_call_type(context, (types.float64, types.float64), {})
        assert plus.get_call_type(context, (types.float64, types.float64), {}) is first
        assert plus.get_call_type(context, (types.int64, types.int64), {}).return_type == types.int64
    assert BaseFunction.get_call_type is asked
    assert plus.get_call_type(context, (types.float64, types.float64), {}) == first


# -- machine code ------------------------------------------------------------------------------------------------------------------------

ONCE = {
    "peg_keeper_flag_calls": 1,
    "peg_keeper_mark": 1,
    "peg_keeper_operate_of": 1,
    "accounts_open_hour": 1,
    "borrowers_market_operations": 1,
    "collateral_ratio_collateral_ratios": 10,
    "curve_flag_operations": 2,
    "curve_market_operations": 2,
    "curve_operate_of": 2,
    "fraxlend_begin": 2,
    "fraxlend_market_operations": 3,
    "fraxlend_venue_loss": 1,
    "holders_demand": 5,
    "holders_lp_flight": 1,
    "lending_begin": 2,
    "lending_market_operations": 3,
    "monetary_policy_begin": 2,
    "monetary_policy_operate": 2,
    "opening_begin_books": 10,
    "oracle_move_oracle": 1,
    "pools_flight": 1,
    "pools_market_operations": 1,
    "pools_quote": 2,
    "pools_tally": 10,
    "pools_trade_first": 1,
    "primary_market_trade_fast": 2,
    "primary_market_trade_of": 4,
    "share_token_share_operations": 2,
    "uniswap_v3_arbitrage_of": 4,
    "uniswap_v3_begin": 1,
    "uniswap_v3_market_operations": 1,
    "uniswap_v3_operate_of": 1,
}
"""Quotients and roots of what is alike in all lanes, worked out before the loop over lanes; stages that are not named have none."""
BISECT = {"fraxlend_begin", "lending_begin", "pools_solve_exactly", "peg_keeper_work"}
"""Stages that search lane by lane: once a block, and the few lanes that further pools' slopes leave apart."""
ON_SOME = {row.full for row in (*START, *HOUR) if row.active is not None}
"""Full stages, on any number of lanes: theirs is a second loop for what is left of a register's width, which is entered for none."""
Instruction = tuple[int, str, str]


@pytest.fixture(scope="session")
def disassembled(
    need: Callable[..., str], machine_code: Callable[[str, Stages], bytes], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Stages], list[list[Instruction]]]:
    """By function, the instructions that a kept stage consists of: where they stand, what they are, and what with."""
    if not binding.get_host_cpu_features().get("avx"):
        pytest.skip("the listing is read for the packed divisions of a processor with AVX: run it there")
    program, folder = need("objdump", install="the Debian package binutils"), tmp_path_factory.mktemp("objects")

    def read_from_disk(name: str, stages: Stages) -> list[list[Instruction]]:
        file = folder / f"{name}.o"
        file.write_bytes(machine_code(name, stages))
        told = subprocess.run([program, "-d", "--no-show-raw-insn", str(file)], capture_output=True, text=True, check=True).stdout
        bodies = re.split(r"^[0-9a-f]+ <.+>:$", told, flags=re.MULTILINE)[1:]
        found = [re.findall(r"^\s*([0-9a-f]+):\s+(\S+) *(.*)$", body, flags=re.MULTILINE) for body in bodies]
        return [[(int(where, 16), what, given) for where, what, given in each] for each in found]

    return read_from_disk


def divisions(functions: list[list[Instruction]], packed: str) -> Iterator[bool]:
    """Of every division and root on one lane ("s") or on several ("p"), whether it stands in a loop: between a jump back and where that leads."""
    for function in functions:
        targets = ((where, re.match(r"[0-9a-f]+\b", given)) for where, what, given in function if what.startswith("j"))
        loops = [(int(target[0], 16), where) for where, target in targets if target and int(target[0], 16) <= where]
        for where, what, _ in function:
            if re.fullmatch(f"v?(div|sqrt){packed}d", what):
                yield any(first <= where <= last for first, last in loops)


@pytest.mark.parametrize("name", STAGES)
def test_no_lane_divides_by_itself(disassembled: Callable[[str, Stages], list[list[Instruction]]], name: str) -> None:
    """A division of one lane in the loop over lanes costs as much as one of eight: there is none. Before the loop stand those of numbers alike in
    all lanes, counted above. In the second loop of a full stage stands what stands packed in the first, and no more."""
    functions = disassembled(name, STAGES)
    alone = list(divisions(functions, "s"))
    assert alone.count(False) == ONCE.get(name, 0)
    if name not in BISECT:
        assert alone.count(True) <= (list(divisions(functions, "p")).count(True) if name in ON_SOME else 0)


def test_every_stage_named_above_is_one() -> None:
    """None is left in a list that is gone from the kernel."""
    assert set(ONCE) | BISECT | ON_SOME <= set(STAGES)


def each_by_the_last(s: Vector) -> None:
    last = s[0] / s[1]
    for i in range(LANES):
        last = s[i] / (1.0 + last)
        s[LANES + i] = last


def test_a_division_of_one_lane_would_be_seen(
    disassembled: Callable[[str, Stages], list[list[Instruction]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: one division before the loop, and one in it that must wait for the lane before."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    stages = {"each_by_the_last": (stage(each_by_the_last), (VECTOR,))}
    addresses(stages)
    alone = list(divisions(disassembled("each_by_the_last", stages), "s"))
    assert alone.count(False) == 1
    assert alone.count(True) >= 1
