"""Stress: scenarios as data, and the market paths drawn from them.

catalogue   the entries of ``entries/*.toml``: `scenario_names`, `load_scenario`, `describe` (no numerics of its own)
scenario    what an entry becomes: `Scenario`
settings    the numbers an entry is made of and a study may override
facts       what a state says of its markets in their place
series      the series of waypoints an entry may hold
draws       `draw_block`: exogenous inputs of a block of paths, laid out as the kernel reads them (imports numba)
episodes    what is drawn once a path: onset, size, speed, exits, freeze
losses      when a venue loses part of what it holds
shapes      waypoints to hourly values
noise       the calm processes
base_pool   V(p): the base pool's LP token at given coin prices
table       a recorded history's CSV: `read_table`, one reader for replays and fits (`csv_file` its rows, `plausible` what they may hold)
spells      calm and busy spells of holders and providers, `fitted_spells` a fit of them with joint draws
history     a recorded history on the hourly grid: `read_history`, `load_episode`
hourly      a recorded history as a monitoring service would have read it, hour by hour on UTC's clock: `record_of`
tilts       how each noise can be tilted, and a scenario's paths divided between drawn ones and twins: `Tilt`, `Design`
twins       the streams that draw twins, and their likelihood ratios
streams     one random stream per (seed, stream, scenario, path, purpose)
"""

from amo_opt.stress.catalogue import Fact, describe, load_scenario, scenario_names
from amo_opt.stress.scenario import Scenario

__all__ = ["Fact", "Scenario", "describe", "load_scenario", "scenario_names"]
