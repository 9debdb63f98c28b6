"""The exogenous inputs of one path and step: those that belong to no AMO, then each AMO's own as ``name.input``."""

from __future__ import annotations

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.protocol.market import COMMON_INPUTS

MARKET_INPUTS: dict[str, str] = COMMON_INPUTS | {f"{each.name}.{name}": "" for each in MECHANISMS for name in each.stages.own.market}
MARKET_INDEX: dict[str, int] = {name: index for index, name in enumerate(MARKET_INPUTS)}
