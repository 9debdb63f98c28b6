"""Three constrained problems of two objectives with known fronts, as pymoo 0.6 defines them (its constraint scales and bounds).

OSY: Osyczka and Kundu, Structural Optimization 10, 1995; its front after Deb, Multi-Objective Optimization using Evolutionary
Algorithms, 2001. Welded beam: Deb, Pratap and Moitra, PPSN VI, 2000. C2-DTLZ2: Jain and Deb, IEEE Trans. Evol. Comp. 18, 2014.

Hypervolumes are normalised: objectives scaled so that the front's ideal point is (0, 0) and its nadir (1, 1), the reference at the nadir, and
the front's own hypervolume as 1. That is how pymoo's `Hypervolume(pf=…)` sets its own up: ideal and nadir from the front, the reference
at the nadir. With the reference at 1.1 of the way, as in pymoo's pages on convergence, the shares differ by a few hundredths.

C2-DTLZ2 has ten variables here, not pymoo's default of twelve: the targets were set on problems with up to ten. In twelve, 200 trials
are too few for any setting of the sampler that was tried (`docs/campaigns.md`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from optuna.distributions import FloatDistribution
from scipy.optimize import minimize

from amo_opt.search.front import hypervolume
from amo_opt.search.problem import FunctionProblem, Plain, feasible_points


def osy(x):
    """Six variables, six constraints; the front runs along five of their edges."""
    x1, x2, x3, x4, x5, x6 = (x[f"x{i}"] for i in range(1, 7))
    f1 = -(25 * (x1 - 2) ** 2 + (x2 - 2) ** 2 + (x3 - 1) ** 2 + (x4 - 4) ** 2 + (x5 - 1) ** 2)
    f2 = x1**2 + x2**2 + x3**2 + x4**2 + x5**2 + x6**2
    constraints = {
        "g1": -(x1 + x2 - 2) / 2,
        "g2": -(6 - x1 - x2) / 6,
        "g3": -(2 - x2 + x1) / 2,
        "g4": -(2 - x1 + 3 * x2) / 2,
        "g5": -(4 - (x3 - 3) ** 2 - x4) / 4,
        "g6": -((x5 - 3) ** 2 + x6 - 4) / 4,
    }
    return (f1, f2), constraints


def welded_beam(x):
    """Cost of a beam and its deflection, under limits of shear, bending and buckling."""
    x1, x2, x3, x4 = (x[f"x{i}"] for i in range(1, 5))
    load, length = 6000.0, 14.0
    radius = math.sqrt(0.25 * (x2**2 + (x1 + x3) ** 2))
    moment = load * (length + x2 / 2)
    inertia = 2 * math.sqrt(0.5) * x1 * x2 * (x2**2 / 12 + 0.25 * (x1 + x3) ** 2)
    direct, torsion = load / (math.sqrt(2) * x1 * x2), moment * radius / inertia
    shear = math.sqrt(direct**2 + torsion**2 + direct * torsion * x2 / radius)
    bending = 6 * load * length / (x4 * x3**2)
    buckling = 64746.022 * (1 - 0.0282346 * x3) * x3 * x4**3
    cost = 1.10471 * x1**2 * x2 + 0.04811 * x3 * x4 * (14.0 + x2)
    constraints = {
        "g1": (shear - 13600) / 13600,
        "g2": (bending - 30000) / 30000,
        "g3": (x1 - x4) / (5 - 0.125),
        "g4": (load - buckling) / load,
    }
    return (cost, 2.1952 / (x4 * x3**3)), constraints


def c2_dtlz2(x):
    """The quarter circle, of which three caps of radius 0.2 are allowed; every variable but the first leads away from it."""
    beyond = sum((x[f"x{i}"] - 0.5) ** 2 for i in range(2, len(x) + 1))
    f1 = (1 + beyond) * math.cos(x["x1"] * math.pi / 2)
    f2 = (1 + beyond) * math.sin(x["x1"] * math.pi / 2)
    at_ends = min((f1 - 1) ** 2 + f2**2, (f2 - 1) ** 2 + f1**2) - 0.2**2
    in_middle = (f1 - math.sqrt(0.5)) ** 2 + (f2 - math.sqrt(0.5)) ** 2 - 0.2**2
    return (f1, f2), {"g1": min(at_ends, in_middle)}


def reals(*bounds):
    return {f"x{i}": FloatDistribution(low, high) for i, (low, high) in enumerate(bounds, start=1)}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A problem, its pymoo name and arguments, the front's ideal and nadir point, and the mean hypervolume asked of 200 trials."""

    name: str
    arguments: dict
    function: object
    variables: dict
    ideal: tuple[float, float]
    nadir: tuple[float, float]
    target: float

    def problem(self, seed, **settings):
        search = Plain(seed=seed, **settings)
        return FunctionProblem(name=self.name, distributions=self.variables, function=self.function, reference=self.nadir, search=search)

    def scaled(self, points):
        """Points of the front's plane (first negated: higher is better) on axes where ideal is (1, 0) and nadir (0, 1)."""
        spans = [nadir - ideal for ideal, nadir in zip(self.ideal, self.nadir, strict=True)]
        return [((self.nadir[0] + gain) / spans[0], (risk - self.ideal[1]) / spans[1]) for gain, risk in points]

    def share(self, trials):
        """The hypervolume of the trials' feasible front as a share of the true front's."""
        found = self.scaled(feasible_points(trials, ("minimize", "minimize")))
        return hypervolume(found, (0.0, 1.0)) / hypervolume(self.scaled([(-a, b) for a, b in true_front(self.name)]), (0.0, 1.0))


@cache
def true_front(name):
    """Points of the problem's true front, close enough together for its hypervolume to a thousandth."""
    return {"osy": osy_front, "welded_beam": beam_front, "c2dtlz2": c2_front}[name]()


def osy_front():
    """The five edges of Deb's table: x4 = x6 = 0 throughout."""
    steps = np.linspace(0.0, 1.0, 2000)
    along = [(5, 1, 1 + 4 * t, 5) for t in steps] + [(5, 1, 1 + 4 * t, 1) for t in steps]
    along += [(4.056 + 0.944 * t, (2.056 + 0.944 * t) / 3, 1, 1) for t in steps]
    along += [(0, 2, 1 + 2.732 * t, 1) for t in steps] + [(t, 2 - t, 1, 1) for t in steps]
    found = [osy({"x1": a, "x2": b, "x3": c, "x4": 0.0, "x5": d, "x6": 0.0}) for a, b, c, d in along]
    return [values for values, constraints in found if max(constraints.values()) <= 1e-12]


def beam_front():
    """The cheapest beam for each deflection, by sequential quadratic programming from the neighbour's solution."""
    lows, highs = np.array([0.125, 0.1, 0.1, 0.125]), np.array([5.0, 10.0, 10.0, 5.0])
    start, front = np.array([0.6, 1.7, 10.0, 5.0]), []

    def beam(x):
        return welded_beam({f"x{i}": float(value) for i, value in enumerate(x, start=1)})

    for limit in np.geomspace(2.1952 / 5000 * (1 + 1e-9), 0.0158, 160):
        kept = {
            "type": "ineq",
            "fun": lambda x, limit=limit: [1 - beam(x)[0][1] / limit, *(-value for value in beam(x)[1].values())],
        }
        best = minimize(
            lambda x: beam(x)[0][0],
            start,
            bounds=list(zip(lows, highs, strict=True)),
            constraints=[kept],
            method="SLSQP",
            options={"maxiter": 300},
        )
        if best.success:
            start = best.x
            front.append(beam(best.x)[0])
    return front


def c2_front():
    """The quarter circle's allowed caps."""
    angles = np.linspace(0.0, 1.0, 20001)
    middle = {f"x{i}": 0.5 for i in range(2, 11)}
    found = [c2_dtlz2({"x1": float(t), **middle}) for t in angles]
    return [values for values, constraints in found if constraints["g1"] <= 0.0]


CASES = (
    Case(
        name="osy",
        arguments={},
        function=osy,
        variables=reals((0, 10), (0, 10), (1, 5), (0, 6), (1, 5), (0, 10)),
        ideal=(-274.0, 4.0),
        nadir=(-42.0, 76.0),
        target=0.34,
    ),
    Case(
        name="welded_beam",
        arguments={},
        function=welded_beam,
        variables=reals((0.125, 5.0), (0.1, 10.0), (0.1, 10.0), (0.125, 5.0)),
        ideal=(2.381, 0.000439),
        nadir=(36.42, 0.01576),
        target=0.85,
    ),
    Case(
        name="c2dtlz2",
        arguments={"n_var": 10, "n_obj": 2},
        function=c2_dtlz2,
        variables=reals(*[(0.0, 1.0)] * 10),
        ideal=(0.0, 0.0),
        nadir=(1.0, 1.0),
        target=0.50,
    ),
)
