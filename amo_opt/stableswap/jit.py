"""How the kernel's functions are compiled: reproducible arithmetic, no interpreter lock, branch-free scalars inlined into lane loops.

A stage is compiled by itself, once, and called at its address (`call_at`): were it compiled into what calls it, it would be linked and optimised
again at every level above. A call costs nanoseconds for 64 lanes. How Numba goes about it stands in `passes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import config, njit, types
from numba.core.compiler import Compiler
from numba.extending import intrinsic
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

from amo_opt.stableswap.passes import Inner, PartsApart, Short, known, operators_remembered

F = TypeVar("F", bound=Callable[..., Any])

Vector = NDArray[np.float64]
"""A flat float64 array: the state, a market row, the parameters or the constants."""
ARRAY = types.Array(types.float64, 1, "C")
"""Its compiled type."""
VECTOR = types.CPointer(types.float64)  # type: ignore[no-untyped-call]
"""What a stage is given of it: where it begins. Lines that begin elsewhere in the same array are then another argument (`ahead`)."""


def _compiled(function: F, pipeline: type[Compiler], **options: Any) -> Any:
    given: dict[str, Any] = {"pipeline_class": pipeline} if known() else {}
    compiled: Any = njit(function, nogil=True, error_model="numpy", fastmath=False, **options, **given)
    if given and issubclass(pipeline, Inner) and not config.DISABLE_JIT:  # type: ignore[attr-defined]
        compiled._compile_for_args = _refused  # noqa: SLF001 - what a call from Python comes to where no types fit, as none do those of a stage
    return compiled


def _refused(*_: object, **__: object) -> None:
    raise TypeError("compiled code alone may call a stage, at its address; a walker is called from Python")


def scalar(function: F) -> F:
    """A helper on scalars, inlined into the lane loop that calls it so that the loop still vectorises.

    What compiled code calls and what Python calls are compiled each for itself: only few are called from Python, and only they need an entry from there.
    """
    called = _compiled(function, Short, forceinline=True)
    if known() and not config.DISABLE_JIT:  # type: ignore[attr-defined]
        inner = _compiled(function, Inner, forceinline=True)
        called.get_call_template, called.get_overload = inner.get_call_template, inner.get_overload
    return cast("F", called)


def stage(function: F) -> F:
    """One mechanism: a loop over the lanes of a block, without branches, allocation or Python objects. No line is among two of its arguments."""
    return cast("F", _compiled(function, PartsApart))


def walker(function: F) -> F:
    """What calls stages one after the other."""
    return cast("F", _compiled(function, Short))


def inner_walker(function: F) -> F:
    """The same, itself called at its address."""
    return cast("F", _compiled(function, Inner))


def address(function: Any, signature: tuple[Any, ...]) -> Any:
    """Where the code of a stage for arguments of these types begins, compiled or read from its cache if need be; valid while the stage lives.

    Without a compiler (``NUMBA_DISABLE_JIT``) it is the function itself.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return function
    with operators_remembered():
        function.compile(signature)
    compiled = function.overloads[signature]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


def _call_at(_context: Any, _address: Any, *arguments: Any) -> Any:
    """Calls the stage (it returns nothing) that begins at an `address`, with arguments of exactly the types it was compiled for."""
    kinds = arguments

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        convention = context.call_conv
        begins = builder.inttoptr(values[0], convention.get_function_type(types.none, kinds).as_pointer())
        given = [builder.extract_value(values[1], k) for k in range(len(kinds))]
        convention.call_function(builder, begins, types.none, kinds, given)
        return context.get_dummy_value()

    return types.void(types.int64, types.StarArgTuple(kinds)), generate  # type: ignore[no-untyped-call]


def _call_plainly(function: Any, *arguments: Any) -> None:
    function(*arguments)


call_at: Any = _call_plainly if config.DISABLE_JIT else intrinsic(_call_at)  # type: ignore[attr-defined]


def _begins(_context: Any, array: Any) -> Any:
    """Where an array begins, as a stage is given it."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return make_array(signature.args[0])(context, builder, values[0]).data  # type: ignore[no-untyped-call]

    return VECTOR(array), generate


def _ahead(_context: Any, begins: Any, _by: Any) -> Any:
    """What begins so many numbers further on."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.gep(values[0], [values[1]])

    return begins(begins, types.int64), generate


def _begins_plainly(array: Vector) -> Vector:
    return array


def _ahead_plainly(array: Vector, by: int) -> Vector:
    return array[by:]


begins: Any = _begins_plainly if config.DISABLE_JIT else intrinsic(_begins)  # type: ignore[attr-defined]
ahead: Any = _ahead_plainly if config.DISABLE_JIT else intrinsic(_ahead)  # type: ignore[attr-defined]
