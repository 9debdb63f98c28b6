"""What one parameter set did: one row a path, and the figures' units in the column names."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.layout import LINES, layout_of
from amo_opt.errors import SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.floor_supply import BalanceSheet, floor_ratio, floor_supply
from amo_opt.wording import count, named

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

Block = dict[str, NDArray[np.float64]]

LINE_COLUMNS: tuple[str, ...] = tuple(f"{name}_usd" for name in LINES)
"""The accounting lines as columns, those of mechanisms whose names a state chose apart; ``Σ income + Σ capital = nav_end − nav_start`` on every row."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One set on every path.

    ``columns`` hold one float64 array of shape (n_paths,) each, never NaN; ``scenario_of`` the scenario's place in ``scenarios`` and
    ``path_of`` the path's number, ``component_of`` the component it was drawn from (0 = the scenario as it is). ``path_weight`` is its weight within its
    scenario, 1 / (n_0 + Σ n_k q_k/p), or 1 where the scenario has no twins, and ``log_ratios`` are log q_k/p, shape (n_paths, components), 0 past its
    scenario's. ``steps`` = hours per path, transition included; ``weights`` sum to 1 over ``scenarios``.
    """

    parameters: ParameterSet
    scenarios: tuple[str, ...]
    weights: dict[str, float]
    steps: int
    scenario_of: NDArray[np.int64]
    path_of: NDArray[np.int64]
    columns: Block
    component_of: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    path_weight: NDArray[np.float64] = field(default_factory=lambda: np.ones(0))
    log_ratios: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        paths = len(self.path_of)
        if not self.component_of.size:
            object.__setattr__(self, "component_of", np.zeros(paths, dtype=np.int64))
        if not self.path_weight.size:
            object.__setattr__(self, "path_weight", np.ones(paths))
        if not self.log_ratios.size:
            object.__setattr__(self, "log_ratios", np.zeros((paths, 0)))

    def __repr__(self) -> str:
        size = f"{count(len(self.path_of), 'path')} of {count(len(self.scenarios), 'scenario')}, {self.steps:,} hours"
        return f"{type(self).__name__}({named(self.parameters.name)!r}, {size})"

    @cached_property
    def paths(self) -> pd.DataFrame:
        """One row a path, ordered by scenario (as in the study), component and path."""
        import pandas as pd

        # the columns themselves, not copies: at a million paths they are half a gigabyte
        place = {
            "scenario": np.array(self.scenarios, dtype=object)[self.scenario_of],
            "path": self.path_of,
            "component": self.component_of,
            "weight": self.path_weight,
        }
        frame = pd.DataFrame({**place, **self.columns}, copy=False)
        frame["scenario"] = frame["scenario"].astype("str")
        frame["recovered"] = frame["recovered"] > 0.5
        return frame


def block_columns(
    state: NDArray[np.float64],
    opening: NDArray[np.float64],
    navs: NDArray[np.float64],
    *,
    lanes: int,
    study: Study,
    parameters: ParameterSet,
) -> Block:
    """The columns of one block's first ``lanes`` paths from its last state, its state when the window opened, and its NAVs (3, LANES)."""
    simulation, layout = study.simulation, layout_of(study.state)

    def of(source: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        first = layout.state_index[name] * LANES
        return source[first : first + lanes].copy()

    def external(source: NDArray[np.float64]) -> NDArray[np.float64]:
        return BalanceSheet(source).external[:lanes].copy()

    columns: Block = {"nav_start_usd": navs[1, :lanes].copy(), "nav_end_usd": navs[2, :lanes].copy()}
    for line in layout.lines:
        columns[f"{line}_usd"] = of(state, line)
    columns["transition_nav_start_usd"] = navs[0, :lanes].copy()
    for kind in ("income", "capital"):
        # added one by one: np.sum's order, and so its last bits, would depend on the number of lanes
        total = np.zeros(lanes)
        for line in layout.lines:
            if line.startswith(kind):
                total += of(opening, line)
        columns[f"transition_{kind}_usd"] = total
    columns["transition_cost_usd"] = -of(opening, "income_market_operations")
    first, last = of(state, "first_bad_hour"), of(state, "last_bad_hour")
    final_hour = simulation.transition_hours + simulation.window_hours - 1
    recovered = last < final_hour
    columns["min_price"] = of(state, "min_price")
    columns["min_oracle"] = of(state, "min_oracle")
    reference = simulation.peg_reference
    columns["deepest_shortfall_bps"] = 1e4 * of(state, f"deepest_{reference}")
    columns["peg_loss_bps"] = 1e4 * of(state, f"loss_{reference}")
    columns["peg_loss_collateral_bps"] = 1e4 * of(state, "loss_collateral")
    columns["peg_loss_dollar_bps"] = 1e4 * of(state, "loss_dollar")
    columns["end_shortfall_bps"] = 1e4 * of(state, "shortfall")
    columns["hours_below_099"] = of(state, "hours_below_099")
    columns["hours_below_min_cr"] = of(state, "hours_below_min_cr")
    columns["hours_to_recover"] = np.where(recovered, np.where(first >= 0.0, last - first + 1.0, 0.0), float(simulation.window_hours))
    columns["recovered"] = recovered.astype(np.float64)
    columns["min_cr_external"] = of(state, "min_cr_external")
    columns["min_cr_contract"] = of(state, "min_cr_contract")
    columns["end_cr"] = of(state, "collateral_ratio")
    columns["unserved_usd_hours"] = of(state, "unserved_hours")
    columns["unserved_peak_usd"] = of(state, "unserved_peak")
    columns["supply_start"] = of(opening, "supply")
    columns["supply_end"] = of(state, "supply")
    columns["external_supply_start"] = external(opening)
    columns["external_supply_end"] = external(state)
    columns["share_supply_start"] = of(opening, "share_supply")
    columns["share_supply_end"] = of(state, "share_supply")
    columns["share_price_end"] = of(state, "share_price")
    columns["collateral_start_usd"] = np.full(lanes, study.state.cover_usd)
    columns["hours_over_caps"] = of(state, "hours_over_caps")
    columns["hours_unwinding"] = of(state, "hours_unwinding")
    columns["claims_end_usd"] = of(state, "claims") * of(state, "collateral_price")
    columns["buy_queue_end_usd"] = of(state, "buy_queue")
    columns["net_issued_tokens"] = of(state, "net_issued") - of(opening, "net_issued")
    for name, moved in (("band", parameters.cr_band), ("005", 0.005), ("01", 0.01)):
        columns[f"floor_supply_{name}_usd"] = floor_supply(opening, moved, study=study)[:lanes]
    columns["floor_ratio"] = floor_ratio(opening, 0.01, study=study)[:lanes]
    columns["floor_ratio_end"] = floor_ratio(state, 0.01, study=study)[:lanes]
    columns["decentralisation_ratio"] = BalanceSheet(state).decentralisation_ratio(study)[:lanes]
    columns["reward_tokens_earned"] = of(state, "reward_tokens_earned") - of(opening, "reward_tokens_earned")
    columns["reward_tokens_locked"] = of(state, "reward_tokens_locked") - of(opening, "reward_tokens_locked")
    locked = of(state, "reward_tokens_locked")
    rewards = study.state.rewards
    columns["vote_share"] = (rewards.locked.value + locked) / (rewards.votes.value + locked)
    return columns


def join(blocks: Sequence[Block]) -> Block:
    """Blocks of columns, one after the other."""
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


class Gathered:
    """One set's columns, filled block by block as blocks come in; or the failure of its first block that fails."""

    def __init__(self, rows: int, without: Collection[str]) -> None:
        self._rows = rows
        self._without = without
        self._columns: Block = {}
        self._failed: tuple[int, SimulationError] | None = None

    def put(self, first_row: int, block: Block | SimulationError) -> None:
        """A block that begins at that row of all."""
        if isinstance(block, SimulationError):
            if self._failed is None or first_row < self._failed[0]:
                self._failed = first_row, block
            return
        for name, values in block.items():
            if name not in self._without:
                if name not in self._columns:
                    self._columns[name] = np.empty(self._rows)
                self._columns[name][first_row : first_row + values.size] = values

    def columns(self) -> Block | SimulationError:
        """What was gathered, or the failure."""
        return self._columns if self._failed is None else self._failed[1]
