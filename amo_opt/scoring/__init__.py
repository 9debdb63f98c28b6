"""Outcomes -> yield, peg risk, constraints, intervals. A bare mean never leaves this room: every figure has an interval and an n.

types.py        what a score is: Estimate, Constraint, Score, PointScore, PairedDifference
sample.py       an outcome's paths as arrays, scenario by scenario, in each drawn paths and twins
metrics.py      every metric: name, unit, direction, and how it is computed
losses.py       CVaR over weight, boundary path split; Kish's effective count
sums.py         the sums behind a bootstrap, compiled
replicates.py   every metric on every resample
influence.py    what each path adds to a figure's error; how few paths hold its variance
intervals.py    stratified bootstrap of whole paths, by percentiles or corrected; Clopper-Pearson; McNemar; Holm
constraints.py  limits per scenario and on the set itself
score.py        score (with intervals) and point_score (plain numbers, for trials)
rules.py        proper scores of a forecast: CRPS
replayed.py     a replay's columns and figures beside what was recorded
forecasts.py    forecasts of recorded pools judged beside two rivals; replays told their flows, or of a part of a file
alarms.py       triggers as classifiers on recorded histories: lead, precision, recall, F1
paired.py       candidate minus current on the same paths, with a verdict
"""

from __future__ import annotations

from amo_opt.scoring.influence import largest_share
from amo_opt.scoring.intervals import clopper_pearson, holm
from amo_opt.scoring.losses import cvar, kish
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.paired import compare_paired
from amo_opt.scoring.score import point_score, score
from amo_opt.scoring.types import LEAST_PATHS, Constraint, Estimate, Metric, PairedDifference, PointScore, Score

__all__ = [
    "LEAST_PATHS",
    "METRICS",
    "Constraint",
    "Estimate",
    "Metric",
    "PairedDifference",
    "PointScore",
    "Score",
    "clopper_pearson",
    "compare_paired",
    "cvar",
    "holm",
    "kish",
    "largest_share",
    "point_score",
    "score",
]
