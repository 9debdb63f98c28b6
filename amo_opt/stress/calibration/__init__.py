"""Flow and run parameters fitted to a history: the fits, and the lines of TOML to paste; `stress.table` reads the history."""

from amo_opt.stress.calibration.fits import fit_flow, fit_hazard, fit_lp_flight
from amo_opt.stress.calibration.fitted import Calibration, Fitted
from amo_opt.stress.calibration.spells import fit_spells

__all__ = ["Calibration", "Fitted", "fit_flow", "fit_hazard", "fit_lp_flight", "fit_spells"]
