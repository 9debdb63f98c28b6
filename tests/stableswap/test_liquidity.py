"""The one-sided change of liquidity: two forms of the same arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.stableswap.liquidity import changed_liquidity, changed_liquidity_of_one


@settings(deadline=None)  # the first call compiles
@given(
    x=st.floats(1e4, 1e10),
    tilt=st.floats(0.05, 20.0),
    a=st.floats(1.0, 20_000.0),
    side=st.floats(-0.4, 1.0),
    other=st.floats(-0.4, 1.0),
    admin=st.floats(0.0, 1.0),
)
def test_the_form_for_a_few_lanes_is_the_vectors(x, tilt, a, side, other, admin):
    """To the bit, over A, imbalance, sizes and either direction; and D is what plain Newton finds of the balances left."""
    y, ann = tilt * x, 2.0 * a
    d = plain_d(x, y, ann)
    given_of = (x, y, d, ann, d / 1.01, side * x, other * y, 2e-4, admin)
    found, other_found = np.array(changed_liquidity(*given_of)), np.array(changed_liquidity_of_one(*given_of))
    assert found.tobytes() == other_found.tobytes()
    assert found[2] == pytest.approx(plain_d(found[0], found[1], ann), rel=1e-11)


def plain_d(x, y, ann):
    """D by plain Newton, as Curve's ``get_D``."""
    d = x + y
    for _ in range(255):
        p = d * d / (4.0 * x * y) * d
        d = (ann * (x + y) + 2.0 * p) * d / ((ann - 1.0) * d + 3.0 * p)
    return d
