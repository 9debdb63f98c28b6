"""The exogenous inputs of one path and step: those that belong to no AMO, then each AMO's own as ``name.input``.

A block's market is a float64 array of shape (steps, len(MARKET_INPUTS) * LANES), C-contiguous; input k of lane i at step t is
``market[t, k * LANES + i]``. Step 0 is the first hour of the transition.
"""

from __future__ import annotations

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.protocol.market import COMMON_INPUTS

MARKET_INPUTS: dict[str, str] = COMMON_INPUTS | {
    f"{each.name}.{name}": meaning for each in MECHANISMS for name, meaning in each.inputs.items()
}
MARKET_INDEX: dict[str, int] = {name: index for index, name in enumerate(MARKET_INPUTS)}
