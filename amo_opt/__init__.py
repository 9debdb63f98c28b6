"""amo-opt: governance parameters for stablecoins run by algorithmic market operations.

The common work needs no other import::

    import amo_opt
    study = amo_opt.load_study("studies/frax-2022.toml")
    outcome = amo_opt.simulate(study.current, study)  # .paths is a pandas DataFrame, .score holds figures with intervals
    result = amo_opt.optimise(study, trials=200)
    amo_opt.compare(study.current, result.recommended, study)  # .verdict, .gates and .metrics, the same paths for both

What these hand back is one line at a prompt and tiles in a notebook; ``.frame`` of a score, a result, a certified set or a comparison is a DataFrame of its
intervals, that of one of ``result.fans`` its price by hour, ``amo_opt.trace_path`` is every series of one path, and ``amo_opt.draw_path`` draws it. docs/notebook.ipynb goes through all of it.

Nothing heavy is imported until one of these is called for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from amo_opt.version import __version__

if TYPE_CHECKING:
    from amo_opt.comparison.compare import compare
    from amo_opt.config.load import load_parameters, load_study
    from amo_opt.report.drawn_path import draw_path
    from amo_opt.report.write import write_report
    from amo_opt.scoring.score import score
    from amo_opt.scoring.scored import simulate
    from amo_opt.search.optimise import optimise, restore
    from amo_opt.search.profile import profile
    from amo_opt.search.reverse_stress import reverse_stress
    from amo_opt.simulation.backtest import backtest
    from amo_opt.simulation.series import trace_path

_FACE = {
    "load_study": "amo_opt.config.load",
    "load_parameters": "amo_opt.config.load",
    "simulate": "amo_opt.scoring.scored",
    "score": "amo_opt.scoring.score",
    "optimise": "amo_opt.search.optimise",
    "restore": "amo_opt.search.optimise",
    "write_report": "amo_opt.report.write",
    "draw_path": "amo_opt.report.drawn_path",
    "compare": "amo_opt.comparison.compare",
    "profile": "amo_opt.search.profile",
    "reverse_stress": "amo_opt.search.reverse_stress",
    "backtest": "amo_opt.simulation.backtest",
    "trace_path": "amo_opt.simulation.series",
}

__all__ = [
    "__version__",
    "backtest",
    "compare",
    "draw_path",
    "load_parameters",
    "load_study",
    "optimise",
    "profile",
    "restore",
    "reverse_stress",
    "score",
    "simulate",
    "trace_path",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _FACE:
        return getattr(import_module(_FACE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
