"""What an AMO says of itself: one descriptor with all that it owns, at the end of its file. No other file names the AMO.

The list is in `amos.catalogue`. What is put together from all of them stands beside it and above: the parameters (`amos.parameters`), the sections of a
state file, the settings of the scenarios, the hour (`simulation.program`), the report's expectations and setters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from amo_opt.protocol.active_lanes import OnActive

if TYPE_CHECKING:
    from amo_opt.protocol.parameters import Parameter
    from amo_opt.protocol.settings import Setting
    from amo_opt.protocol.state import AmoSection

Stage = Any
"""A compiled stage; the names of its arguments say what it is given (``s`` state, ``m`` market row, ``p`` parameters, ``c`` constants, ``w`` scratch)."""


@dataclass(frozen=True, kw_only=True)
class Flagged:
    """What few lanes do in an hour: the stage that flags them, and the full one on those flagged."""

    flag: Stage
    full: OnActive


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a reader expects of a parameter: ``sign`` +1 where a higher one should raise the metric, -1 where it should lower it, and why."""

    parameter: str
    metric: str
    sign: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What can strike the AMO's venue. ``share_of`` is what the severity is a share of ("of what is lent on Aave"); ``event`` and ``severity`` are the words
    of the settings ``NAME_loss_yearly`` and ``NAME_loss_severity``, ``calm_severity`` what calm holds where its entry does not say.
    """

    share_of: str
    event: str
    severity: str
    calm_severity: float = 0.2


@dataclass(frozen=True, kw_only=True)
class LendingMarket:
    """A lending market to be drawn: ``prefix`` begins its settings, its figures in ``[markets]`` and its streams; ``freezes`` where a scenario may freeze it."""

    prefix: str
    freezes: bool = False


@dataclass(frozen=True, kw_only=True)
class Income:
    """An accounting line of the AMO: its name in results, how a story calls it, and its place among the lines (sums run in that order)."""

    name: str
    label: str
    rank: int


@dataclass(frozen=True, kw_only=True)
class Book:
    """What a position's figure moves with it: one of the minter's two books, of stablecoin or of collateral, which is a figure of that name, and the figure
    that the position is a share of (none: it is in tokens).
    """

    position: str
    book: Literal["minted", "borrowed"]
    whole: str = ""


@dataclass(frozen=True, kw_only=True)
class OwnStablecoin:
    """Who has the stablecoin that ``figure`` stands for: ``owner`` in its ``form`` ("Uniswap", "range"), where the price alone may bring more of it, or, where no
    form is named, the borrowers to whom ``owner`` lent it.
    """

    figure: str
    owner: str
    form: str = ""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Figures that are shares of one whole, at most 1 together: ``of`` what, and what becomes of the ``rest``."""

    figures: tuple[str, ...]
    of: str
    rest: str


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """One AMO.

    ``begin`` follows from the snapshot and adds what the AMO holds to the totals, ``venue_loss`` is what its venue loses of that, ``market_operations`` what an
    hour brings it, ``arbitrage`` comes after the trades, ``operate`` is what its team does. AMOs earn in the order of ``earns`` and operate in the order of ``turn``.

    ``section`` is the table ``[amos.NAME]``, which also tells what collateral and stablecoin its figures amount to; ``section_rank`` its place among the tables
    (ties as in the catalogue). ``markets`` are the figures of ``[markets]`` that are the AMO's alone, and stand after the one named (none: at the end), ``settings`` its settings
    in scenarios beside those of its ``loss`` and ``market``, ``parameters`` what governance sets, by the name its stages use.

    ``cap`` is the parameter that gives it room and ``held`` the line of what it holds: without either its stages are left out. None for an AMO that is always there.
    """

    name: str
    title: str = ""
    begin: Stage
    venue_loss: Stage | None = None
    market_operations: Stage
    operate: Stage | Flagged
    earns: int = 0
    turn: int
    arbitrage: Flagged | None = None
    cap: int | None = None
    held: int | None = None
    section: type[AmoSection] | None = None
    section_rank: int = 1
    markets: Mapping[str, Any] = field(default_factory=dict)
    markets_after: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    market: LendingMarket | None = None
    loss: Loss | None = None
    income: Mapping[str, Income] = field(default_factory=dict)
    books: tuple[Book, ...] = ()
    stablecoin: OwnStablecoin | None = None
    parts: Parts | None = None
    expectations: tuple[Expectation, ...] = ()
