"""What an AMO says of itself: one descriptor with all that it owns, at the end of its file. No other file names the AMO.

The list is in `amos.catalogue`. What is put together from all of them stands beside it and above: the parameters (`amos.parameters`), the sections of a
state file, the settings of the scenarios, the hour (`simulation.program`), the report's expectations and setters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amo_opt.protocol.active_lanes import OnActive

if TYPE_CHECKING:
    from amo_opt.protocol.parameters import Parameter
    from amo_opt.protocol.settings import Setting
    from amo_opt.protocol.state import ProtocolState

Stage = Any
"""A compiled stage; the names of its arguments say what it is given (``s`` state, ``m`` market row, ``p`` parameters, ``c`` constants, ``w`` scratch)."""


@dataclass(frozen=True, kw_only=True)
class Flagged:
    """What few lanes do in an hour: the stage that flags them, and the full one on those flagged."""

    flag: Stage
    full: OnActive


@dataclass(frozen=True, kw_only=True)
class UnderCap:
    """What is out under a cap at a snapshot: ``used`` tells how much from the state, tokens, and ``use`` in what way ("lent")."""

    used: Callable[[ProtocolState], float]
    use: str


@dataclass(frozen=True, kw_only=True)
class Quote:
    """A price beside the pool's: its series, and the series of what the AMO holds at it, without which nobody looks at the price."""

    price: str
    held: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a reader expects of a parameter: ``sign`` +1 where a higher one should raise the metric, -1 where it should lower it, and why.

    An AMO's own say its parameter by the short name.
    """

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
    """An accounting line of the AMO: its name in results (its line is ``income_NAME``), how a story calls it, and its place among the lines (sums run in that order)."""

    name: str
    label: str
    rank: int


@dataclass(frozen=True, kw_only=True)
class Book:
    """What a position's figure moves with it: the minter's book of that name, and the figure that the position is a share of (none: it is in tokens)."""

    position: str
    book: str
    whole: str = ""


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """One AMO. ``title`` is what it is called ("Curve AMO"), ``section_rank`` its place where AMOs stand in a row, in files, sentences and figures (ties as in the catalogue).

    ``begin`` follows from the snapshot and adds what the AMO holds to the totals, ``venue_loss`` is what its venue loses of that, ``market_operations`` what an
    hour brings it, ``arbitrage`` comes after the trades, ``operate`` is what its team does. AMOs earn in the order of ``earns`` and operate in the order of ``turn``.

    ``section`` is the table ``[amos.NAME]`` as a dataclass of figures, ``markets`` the figures of ``[markets]`` that are the AMO's alone, ``settings`` its settings
    in scenarios beside those of its ``loss`` and ``market``, ``parameters`` what governance sets, by the name its stages use.
    ``out`` is what is out under those of them that are caps. An AMO whose parameters borrow has a minter's book ``borrowed`` in its section, one whose parameters mint a book ``minted``.
    ``collateral_series`` is the series of the collateral it holds, ``quote`` the price it trades at where that is not the pool's.
    ``collateral`` and ``stablecoin`` tell from a state how much collateral the AMO holds outside the pool and how much of the supply it holds or has lent, ``most_stablecoin`` how much that may become by price alone.

    ``cap`` is the parameter that gives it room and ``held`` the line of what it holds: without either its stages are left out. None for an AMO that is always there.
    """

    name: str
    title: str = ""
    section_rank: int = 1
    begin: Stage
    venue_loss: Stage | None = None
    market_operations: Stage
    operate: Stage | Flagged
    earns: int = 0
    turn: int
    arbitrage: Flagged | None = None
    cap: int | None = None
    held: int | None = None
    section: type | None = None
    markets: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    out: Mapping[str, UnderCap] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    market: LendingMarket | None = None
    loss: Loss | None = None
    income: Mapping[str, Income] = field(default_factory=dict)
    books: tuple[Book, ...] = ()
    collateral: Callable[[ProtocolState], float] | None = None
    stablecoin: Callable[[ProtocolState], float] | None = None
    most_stablecoin: Callable[[ProtocolState], float] | None = None
    expectations: tuple[Expectation, ...] = ()
    collateral_series: str = ""
    quote: Quote | None = None

    @property
    def venue(self) -> str:
        """Where its positions stand: what it is called, without the word AMO."""
        return self.title.removesuffix(" AMO")

    @property
    def holding_cap(self) -> Parameter | None:
        """The first of its caps: how much it may hold, be it collateral or what it mints; None for an AMO without one."""
        return next((each for each in self.parameters.values() if each.borrows or each.mints), None)
