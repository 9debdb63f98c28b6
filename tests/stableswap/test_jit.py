"""How the kernel is compiled."""

from __future__ import annotations

from amo_opt.stableswap.jit import scalar, stage


def half(x: float) -> float:
    return x / 2.0


def test_stages_and_scalars_release_the_interpreter_lock_and_keep_ieee_arithmetic() -> None:
    """nogil for threads, no fast maths for reproducible bytes, numpy's division so that nothing branches on zero."""
    for wrap in (scalar, stage):
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
