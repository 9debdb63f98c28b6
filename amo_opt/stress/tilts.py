"""Twins of a path: some of its noises drawn from a tilted distribution, on streams of their own, with the likelihood ratio that takes the tilt back.

Defensive mixture importance sampling (Hesterberg, Weighted average importance sampling and defensive mixture distributions, 1995; Owen and Zhou, Safe and
effective importance sampling, 2000): a scenario's paths come from component 0, the scenario as it is, and from components 1, 2, …, and a path's weight is
1 / (n_0 + Σ n_k q_k/p), never above 1/n_0 whichever component it came from. How a noise can be tilted hangs on its kind alone (`NOISES`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_of
from amo_opt.errors import AmoOptError
from amo_opt.protocol.elementary import exp_of
from amo_opt.stress.settings import VENUES

Kind = Literal["walk", "stationary", "reverting", "uniform"]
"""``walk``: a log price of independent hourly steps. ``stationary``: a first-order autoregression. ``reverting``: the same from 0 on. ``uniform``: one figure a
path, by inversion.
"""
Rows = NDArray[np.float64]

MOST_AMOUNT: Mapping[Kind, float] = {"walk": 5.0, "stationary": 5.0, "reverting": 5.0, "uniform": 30.0}
"""Largest amount of a tilt: beyond it nothing is drawn but what never happens."""
MOST_LOG_RATIO = 700.0
"""Largest log likelihood ratio that is told apart: e to it is still a number, and so is a weight."""


@dataclass(frozen=True)
class Noise:
    """What a random stream is: its kind, and the setting that scales it (a walk's daily volatility; the name before ``_sd`` and ``_hours``)."""

    kind: Kind
    setting: str = ""


OF_POOLS: Mapping[str, Noise] = MappingProxyType({"coin": Noise("stationary", "coin_noise"), "volume": Noise("stationary", "swap_volume")})
"""Noises of every further pool: ``coin-NAME`` is the price of its coin, ``volume-NAME`` the two-way volume that looks for it."""


def _named(purpose: str) -> Noise | None:
    """The noise of a further pool (``coin-NAME``), or of an asset whose name a state chose (``NAME-asset-price``, ``NAME-asset-loss``)."""
    owner, _, part = purpose.rpartition("-")
    mechanism = mechanism_of(owner)
    if mechanism is not None and mechanism.price is not None and part in ("price", "loss"):
        return Noise("stationary", f"{owner}_price") if part == "price" else Noise("uniform")
    kind, _, name = purpose.partition("-")
    return OF_POOLS.get(kind) if name else None


class _Noises(dict[str, Noise]):
    """The table, with the noises of further pools and of assets by their names."""

    def __missing__(self, purpose: str) -> Noise:
        found = _named(purpose)
        if found is None:
            raise KeyError(purpose)
        return found

    def __contains__(self, purpose: object) -> bool:
        return super().__contains__(purpose) or _named(str(purpose)) is not None


NOISES: Mapping[str, Noise] = MappingProxyType(
    _Noises(
        {
            **{coin: Noise("stationary", "coin_noise") for coin in ("usdc", "dai", "usdt")},
            "share": Noise("walk", "share_daily_vol"),
            **{
                f"{each.market.prefix}-{part}": Noise("stationary", f"{each.market.prefix}_{part}")
                for each in MECHANISMS
                if each.market is not None
                for part in ("deposits", "utilisation")
            },
            **{f"{each.name}-demand": Noise("stationary", f"{each.name}_demand") for each in MECHANISMS if each.borrowing is not None},
            **{f"{each.name}-price": Noise("stationary", f"{each.name}_price") for each in MECHANISMS if each.price is not None},
            "reward": Noise("walk", "reward_token_daily_vol"),
            "volume": Noise("stationary", "swap_volume"),
            "flow": Noise("reverting", "flow"),
            "gas": Noise("stationary", "gas_gwei"),
            **dict.fromkeys(("onset", "size", "speed", "exit", "freeze", "loss-venue"), Noise("uniform")),
            **dict.fromkeys((f"{venue}-loss" for venue in VENUES), Noise("uniform")),
            "opposite": Noise("uniform"),
        }
    )
)
"""Every random stream of a scenario by its purpose; what is not here cannot be drawn."""


UNPUSHED = ("spell-day", "spell-flow", "spell-flow-size", "spell-lp", "spell-lp-size")
"""Streams of `stress.spells`, which no tilt reaches: a day's state and deviation stand between such a normal and what comes of it."""


def in_order(purposes: Iterable[str]) -> tuple[str, ...]:
    """Noises in the table's order, those of names that a state chose last."""
    known = set(purposes)
    return (*(purpose for purpose in NOISES if purpose in known), *sorted(known - set(NOISES)))


@dataclass(frozen=True)
class Tilt:
    """One noise, pushed. Of hourly normals ``amount`` is added to the mean, until the noise's own level has reached ``level`` (None = to the end): a walk's
    is its log price over its start's and it is pushed from the first hour; another noise's is in standard deviations and it is pushed once the window is
    open. Of a uniform, e to the size of ``amount`` is the density at the end that its sign names (+ the upper), and there is no level.
    """

    noise: str
    amount: float
    level: float | None = None

    def __post_init__(self) -> None:
        """Refuses what is no tilt."""
        if self.noise in UNPUSHED:
            raise AmoOptError(f"tilt: {self.noise} is a noise of calm and busy spells, which cannot be pushed; leave it as it is drawn")
        if self.noise not in NOISES:
            near = get_close_matches(self.noise, NOISES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(NOISES)}"
            raise AmoOptError(f"tilt: no noise is called {self.noise!r}; {hint}")
        most = MOST_AMOUNT[self.kind]
        if not 0.0 < abs(self.amount) <= most:
            raise AmoOptError(f"tilt of {self.noise}: amount {self.amount!r}; allowed: -{most:g} to {most:g}, not 0")
        if self.level is None:
            return
        if self.kind == "uniform":
            raise AmoOptError(f"tilt of {self.noise}: level {self.level!r}; a figure drawn once a path has no level to reach: leave it out")
        if not math.isfinite(self.level):
            raise AmoOptError(f"tilt of {self.noise}: level {self.level!r}; allowed: a finite number")
        if self.kind == "walk" and self.level * self.amount <= 0.0:
            raise AmoOptError(
                f"tilt of {self.noise}: amount {self.amount!r}, level {self.level!r}; a level lies the way the noise is pushed: give it the same sign"
            )

    def __str__(self) -> str:
        """As ``--tilt`` reads it, to the last bit."""
        return ":".join([self.noise, *(repr(number) for number in (self.amount, self.level) if number is not None)])

    @property
    def kind(self) -> Kind:
        """The kind of its noise."""
        return NOISES[self.noise].kind


def tilt_of(text: str) -> Tilt:
    """The tilt that is written so, as `Tilt.__str__` does. Raises ValueError where it is not of that form, `AmoOptError` where it is no tilt."""
    noise, *numbers = text.split(":")
    amounts = [float(number) for number in numbers]
    if len(amounts) not in (1, 2):
        raise ValueError(text)
    return Tilt(noise, *amounts)


Component = tuple[Tilt, ...]
"""Noises pushed together; () = none, the scenario as it is."""


@dataclass(frozen=True)
class Design:
    """How a scenario's paths are drawn: ``drawn`` as it is, and ``twins[k - 1]`` from component k. A component without twins only has its ratio told."""

    drawn: int
    components: tuple[Component, ...] = ()
    twins: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuses what cannot be drawn or weighted."""
        if self.drawn < 1:
            raise AmoOptError(
                f"a design draws {self.drawn} paths of the scenario as it is; at least 1 is needed, which bounds every weight"
            )
        if len(self.twins) != len(self.components) or any(count < 0 for count in self.twins):
            raise AmoOptError(
                f"a design has {len(self.components)} components and twins {self.twins}; one number of at least 0 for each is needed"
            )
        for component, count in zip(self.components, self.twins, strict=True):
            noises = [tilt.noise for tilt in component]
            if len(set(noises)) < len(noises):
                raise AmoOptError(f"a component tilts {', '.join(noises)}; each noise once")
            if count > 0 and not component:
                raise AmoOptError("a component that tilts nothing has twins; they would be the drawn paths again")

    @property
    def plain(self) -> bool:
        """Whether it is ordinary Monte Carlo."""
        return not self.components

    @property
    def counts(self) -> tuple[int, ...]:
        """Paths of every component, 0 first."""
        return (self.drawn, *self.twins)

    @property
    def paths(self) -> int:
        """All of them."""
        return sum(self.counts)

    def weights(self, log_ratios: Rows) -> Rows:
        """The balance weight of paths whose log q_k/p are the rows, shape (n, components): (n,), at most 1/drawn; 1 where the design is plain."""
        if self.plain:
            return np.ones(len(log_ratios))
        # component by component: a matrix product's last bits would hang on how many rows there are
        total = np.full(len(log_ratios), float(self.drawn))
        for k, count in enumerate(self.twins):
            if count:
                total += count * exp_of(np.minimum(log_ratios[:, k], MOST_LOG_RATIO))
        return 1.0 / total


_PATH = re.compile(r"(?P<path>[0-9]{1,15})(~t(?P<component>[1-9][0-9]{0,2}))?")


def path_name(path: int, component: int = 0) -> str:
    """What a path is called: ``17`` as drawn, ``17~t3`` its twin in component 3."""
    return f"{path}~t{component}" if component else str(path)


def named_path(name: str) -> tuple[int, int]:
    """(path, component) of such a name; raises ValueError where it is none."""
    found = _PATH.fullmatch(name)
    if found is None:
        raise ValueError(f"found {name!r}; allowed: a path's number, such as 17, or a twin's, such as 17~t3")
    return int(found["path"]), int(found["component"] or 0)
