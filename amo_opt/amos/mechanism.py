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
class Expectation:
    """What a reader expects of a parameter: ``sign`` +1 where a higher one should raise the metric, -1 where it should lower it, and why."""

    parameter: str
    metric: str
    sign: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What can strike the AMO's venue, and fills its input ``loss``. ``share_of`` is what the severity is a share of ("of what is lent on Aave"), ``event`` what
    has a yearly probability ("a loss on Aave"), ``calm_severity`` what calm holds where its entry does not say.
    """

    share_of: str
    event: str
    calm_severity: float = 0.2


@dataclass(frozen=True, kw_only=True)
class LendingMarket:
    """A lending market to be drawn: ``prefix`` begins its settings, its figures in ``[markets]`` and its streams; ``freezes`` where a scenario may freeze it.

    It fills the AMO's inputs ``deposits`` and ``demand``, and ``free_cap`` where the AMO has that. ``deposits`` says what others lend out there; the rest is
    what calm holds where its entry does not say: next to nobody there.
    """

    prefix: str
    deposits: str
    freezes: bool = False
    calm_deposits: float = 1.0
    calm_deposits_sd: float = 0.0
    calm_deposits_hours: float = 240.0
    calm_utilisation: float = 0.0
    calm_utilisation_sd: float = 0.0
    calm_utilisation_hours: float = 120.0


@dataclass(frozen=True, kw_only=True)
class Income:
    """An accounting line of the AMO: its name in results, how a story calls it, and its place among the lines (sums run in that order)."""

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
    """One AMO.

    ``begin`` follows from the snapshot and adds what the AMO holds to the totals, ``venue_loss`` is what its venue loses of that, ``market_operations`` what an
    hour brings it, ``arbitrage`` comes after the trades, ``operate`` is what its team does. AMOs earn in the order of ``earns`` and operate in the order of ``turn``.

    ``section`` is the table ``[amos.NAME]`` as a dataclass of figures, ``markets`` the figures of ``[markets]`` that are the AMO's alone, ``settings`` its settings
    in scenarios beside those of its ``loss`` and ``market``, ``inputs`` its own of the market row (short name to unit and meaning; `amos.inputs`), ``parameters`` what governance sets, by the name its stages use.
    ``collateral`` and ``stablecoin`` tell from a state how much collateral the AMO holds outside the pool and how much of the supply it holds or has lent, ``most_stablecoin`` how much that may become by price alone.

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
    section: type | None = None
    markets: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    market: LendingMarket | None = None
    loss: Loss | None = None
    income: Mapping[str, Income] = field(default_factory=dict)
    books: tuple[Book, ...] = ()
    collateral: Callable[[ProtocolState], float] | None = None
    stablecoin: Callable[[ProtocolState], float] | None = None
    most_stablecoin: Callable[[ProtocolState], float] | None = None
    expectations: tuple[Expectation, ...] = ()
