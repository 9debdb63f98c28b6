"""Flow and run parameters fitted to a history: reading, the fits, and the lines of TOML to paste."""

from amo_opt.stress.calibration.fits import fit_flow, fit_hazard, fit_lp_flight
from amo_opt.stress.calibration.fitted import Calibration, Fitted
from amo_opt.stress.calibration.reading import Table, read_table

__all__ = ["Calibration", "Fitted", "Table", "fit_flow", "fit_hazard", "fit_lp_flight", "read_table"]
