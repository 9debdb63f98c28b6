"""Numba's way from a function to machine code, without what the kernel's functions do not need of it.

Most of what compiling them took was Python: entries from Python and from C that nobody calls, passes that look for what none of them has (closures, array expressions, ``with``,
parallel loops) and tidy up after themselves each, and asking for every operator of every function again what type it gives. What LLVM is handed, and in which order, is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import typed_passes, untyped_passes
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.types.functions import BaseFunction

from amo_opt.fence import SLOWER, written_for

PARTS = (
    "numba.core.compiler:CompilerBase.__init__",
    "numba.core.callconv:CPUCallConv.decorate_function",
    "numba.core.compiler:DefaultPassBuilder",
    "numba.core.compiler_machinery:PassManager",
    "numba.core.typed_passes:BaseNativeLowering.run_pass",
    "numba.core.types.functions:BaseFunction.get_call_type",
    "numba.core.dispatcher:_DispatcherBase.get_call_template",
    "numba.core.dispatcher:_DispatcherBase.get_overload",
)
"""What of Numba's private parts is built on here and in `jit`."""
DIGEST = "5eb333d33035211e"
"""Of Numba 0.66 to 0.68."""

_PASSES = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.RewriteSemanticConstants,
    untyped_passes.DeadBranchPrune,
    untyped_passes.GenericRewrites,
    untyped_passes.InlineInlinables,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    typed_passes.InlineOverloads,
    typed_passes.NoPythonSupportedFeatureValidation,
    typed_passes.IRLegalization,
    typed_passes.NativeLowering,
    typed_passes.NoPythonBackend,
)
"""Of `DefaultPassBuilder`, in its order; a function that needs another is not compiled, as it is then of a type or form that Numba refuses."""


class Short(Compiler):
    """Few passes; the function may be called from Python."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)  # type: ignore[no-untyped-call]
        self.state.flags.no_cfunc_wrapper = True

    def define_pipelines(self) -> list[PassManager]:
        """The passes, with nothing done after each by itself: those that need it do it."""
        passes: Any = PassManager("short")  # type: ignore[no-untyped-call]
        for each in _PASSES:
            passes.add_pass(each, each._name)  # noqa: SLF001 - what Numba tells by it
        passes._ENFORCING = False  # noqa: SLF001 - checks between passes, for those who write passes
        passes.finalize()
        return [passes]


class Inner(Short):
    """Few passes; nothing but compiled code calls the function."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.state.flags.no_cpython_wrapper = True


class PartsApart(Inner):
    """Tells the compiler that what a stage is given never overlaps: it then makes one loop, where it would make a second for the case that it does."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.state.flags.noalias = True


def known() -> bool:
    """Whether this Numba is one that the above was written for."""
    return written_for(DIGEST, *PARTS, instead=SLOWER)


_operators: dict[tuple[int, int, tuple[Any, ...]], tuple[Any, ...]] = {}
"""What operators give, by operator, typing context and arguments, with what must live for that to be them."""


@contextmanager
def operators_remembered() -> Iterator[None]:
    """Meanwhile what an operator gives for arguments of given types is worked out once, not for each time it stands in a function; nobody else compiles."""
    if not known():
        yield
        return
    functions: Any = BaseFunction
    asked = functions.get_call_type

    def remembered(operator: Any, context: Any, given: Any, named: Any) -> Any:
        if named or getattr(operator.typing_key, "__module__", "") != "_operator":
            return asked(operator, context, given, named)
        key = (id(operator), id(context), tuple(given))
        found = _operators.get(key)
        if found is None:
            found = _operators[key] = (asked(operator, context, given, named), operator, context)
        return found[0]

    with global_compiler_lock:
        functions.get_call_type = remembered
        try:
            yield
        finally:
            functions.get_call_type = asked
