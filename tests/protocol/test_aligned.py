"""Arrays of the kernel begin at a cache line."""

from __future__ import annotations

import numpy as np
import pytest

from amo_opt.amos.layout import MARKET_INPUTS
from amo_opt.config.study import Study
from amo_opt.protocol.aligned import LINE, aligned
from amo_opt.simulation.pack import start_state
from amo_opt.stress.draws import lay_out


@pytest.mark.parametrize("shape", [(1,), (7, 3), (60, 22, 64)])
def test_an_aligned_array_is_an_array(shape: tuple[int, ...]) -> None:
    """As asked, writable, contiguous; again and again at a multiple of a line, whatever else was allocated between."""
    kept = []
    for size in range(5):
        array = aligned(*shape)
        kept.append((array, bytearray(13 * size)))
        assert array.shape == shape
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.ctypes.data % LINE == 0
        array[:] = size
    assert all(np.all(array == size) for size, (array, _) in enumerate(kept))


def test_the_kernel_s_blocks_begin_at_a_line(frax: Study) -> None:
    """A drawn market and a block's state."""
    market = lay_out(dict.fromkeys(MARKET_INPUTS, 1.0), paths=3, steps=5)
    assert market.ctypes.data % LINE == 0
    assert start_state(frax, market[0]).ctypes.data % LINE == 0
