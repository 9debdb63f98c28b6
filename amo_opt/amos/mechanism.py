"""What an AMO says of itself: one descriptor with all that it owns, at the end of its file. No other file names the AMO.

The list is in `amos.catalogue`. What is put together from all of them stands beside it and above: the parameters (`amos.parameters`), the sections of a
state file, the settings of the scenarios, the hour (`simulation.program`), the report's expectations and setters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from amo_opt.protocol.active_lanes import OnActive

if TYPE_CHECKING:
    from amo_opt.protocol.lanes import Own
    from amo_opt.protocol.parameters import Parameter
    from amo_opt.protocol.reads import Read, ReadFigure
    from amo_opt.protocol.settings import Setting
    from amo_opt.protocol.state import AmoSection, FurtherPool, ProtocolState

Stage = Any
"""A compiled stage; the names of its arguments say what it is given."""


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
class Derived:
    """A series that follows from lines of the state, by the names of `amos.layout.STATE`: ``formula`` is given these, each of shape (steps, lanes)."""

    of: tuple[str, ...]
    formula: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a reader expects of a parameter: ``sign`` +1 where a higher one should raise the metric, -1 where it should lower it, and why; ``against`` is the mechanism that is known to turn it
    round, told where it does.

    An AMO's own say its parameter by the short name.
    """

    parameter: str
    metric: str
    sign: int
    reason: str
    against: str = ""


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
class Borrowing:
    """Borrowers whose demand is drawn: ``of`` is what moves with it ("the borrowers' debt"). It fills the AMO's inputs ``demand`` (noise around 1, none where its deviation is
    0) and ``turn`` (what a scenario has them take or give back from its onset on), and brings their settings.
    """

    of: str


@dataclass(frozen=True, kw_only=True)
class AssetPrice:
    """The price of an asset to be drawn, as a multiple of what it is counted in: its series of waypoints, settings and streams are named after the mechanism.

    It fills the inputs ``price`` and ``open`` (1 = its queue pays and takes, 0 = its custodian is shut). ``what`` it is, in words.
    """

    what: str


@dataclass(frozen=True, kw_only=True)
class Income:
    """An accounting line of the AMO: its name in results (its line is ``income_NAME``), how a story calls it, and its place among the lines (sums run in that order).

    One that is a ``cost`` is no part of the income that FXS1559 or savers share in.
    """

    name: str
    label: str
    rank: int
    cost: bool = False


@dataclass(frozen=True, kw_only=True)
class Book:
    """What a position's figure moves with it: one of the minter's two books, of stablecoin or of collateral, which is a figure of that name, and the figure
    that the position is a share of (none: it is in tokens).
    """

    position: str
    book: Literal["minted", "borrowed"]
    whole: str = ""


@dataclass(frozen=True, kw_only=True)
class Stages:
    """What an AMO does, over lanes: the same for every AMO of a kind, each with its own numbers (``own`` names them) beside the common ones.

    A stage is given ``s, m, p, c`` (state, market row, parameters, constants), then ``a, n, q, k``: the same of the AMO's own; one that flags lanes the scratch ``w`` too,
    a full one the number of lanes. In the order of an hour: ``quote`` tells the depth it has, ``venue_loss`` is what its venue loses, ``market_operations`` what the hour
    brings it, ``arbitrage`` comes after the trades, ``observe`` tells the oracle its price, ``operate`` is what its team does, ``watch`` whether it is over its caps and sound.
    ``begin`` follows from the snapshot and adds what the AMO holds to the totals (one that has nothing beside its pool's LP tokens needs none), ``settle`` what could not be sold now to those of the books. A pool has besides ``flight``, what its
    outside providers do, and ``tally``, which moves the totals by what the protocol has in it. An asset that pays redeemers at once has ``lend``, which puts it among the idle collateral before holders
    trade, and ``take_back``, which takes out what they left; ``now`` is the constant without which both are left out.

    ``cap`` is the parameter that gives it room (none where what is held grows out of itself alone) and ``held`` the line of what it holds: without either all but ``begin``, ``quote`` and ``observe`` (its venue is there all the
    same) is left out, for it would change nothing. None for an AMO that is always there; ``there`` is then the constant without which it does not act, though its venue is there.
    """

    own: Own
    begin: Stage | None = None
    market_operations: Stage | None = None
    operate: Stage | Flagged | None = None
    watch: Stage | None = None
    venue_loss: Stage | None = None
    arbitrage: Flagged | None = None
    quote: Stage | None = None
    observe: Stage | None = None
    settle: Stage | None = None
    flight: Stage | None = None
    tally: Stage | None = None
    lend: Stage | None = None
    take_back: Stage | None = None
    now: int | None = None
    cap: int | None = None
    held: int | None = None
    there: int | None = None


Numbers = Callable[["ProtocolState"], Mapping[str, float]]
"""An AMO's own numbers by the names its stages use, from a state."""


def _none(_state: ProtocolState) -> Mapping[str, float]:
    return {}


Reads = Callable[["ProtocolState"], "tuple[Read | ReadFigure, ...]"]
"""What a chain can tell of an AMO, from a state."""


def no_reads(_state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """Of an AMO whose contracts are not known."""
    return ()


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
    """One AMO. ``title`` is what it is called ("Curve AMO"), ``section_rank`` its place where AMOs stand in a row, in files, sentences and figures (ties as in the catalogue).

    AMOs earn in the order of ``earns`` and operate in the order of ``turn``; ``start`` and ``constants`` are its own lines at the snapshot and its constants.
    ``section`` is the table ``[amos.NAME]``, which also tells what collateral and stablecoin its figures amount to. ``markets`` are the figures of ``[markets]`` that are the AMO's alone, and stand after the one named (none: at the end), ``settings`` its settings
    in scenarios beside those of its ``loss`` and ``market``, ``inputs`` its own of the market row (short name to unit and meaning; `amos.layout`), ``parameters`` what governance
    sets, by the name its stages use. ``out`` is what is out under those of them that are caps. An AMO whose parameters borrow has a minter's book ``borrowed`` in its section,
    one whose parameters mint a book ``minted``. ``income`` are its accounting lines, ``series`` the lines that a trace can hold, by the name it calls them, ``derived`` what follows from lines,
    ``owed`` is the figure of its section that borrowers owe against collateral of their own: cover that pays no redeemer.
    ``collateral_series`` that of the collateral (or of the debt, which is cover as well) it holds, ``quote`` the price it trades at where that is not the pool's. ``of_table`` is its
    table where that is not ``[amos.NAME]``, ``pool`` the mechanism of the further pool it works; empty: the first.
    ``price`` is that of an asset which is not the collateral coin, ``held_collateral`` the figure of collateral that stands in none of the minter's books; one that
    ``shares_income`` has the hour's income of the AMOs added up (`lanes.HOURLY`, ``earned``). ``reads`` are the getters of its own contracts, and of the minter's books, that tell its figures and parameters.
    """

    name: str
    title: str = ""
    stages: Stages
    earns: int
    turn: int
    start: Numbers = _none
    constants: Numbers = _none
    series: Mapping[str, str] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    section: type[AmoSection | FurtherPool] | None = None
    section_rank: int = 1
    markets: Mapping[str, Any] = field(default_factory=dict)
    markets_after: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    out: Mapping[str, UnderCap] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    market: LendingMarket | None = None
    loss: Loss | None = None
    income: Mapping[str, Income] = field(default_factory=dict)
    books: tuple[Book, ...] = ()
    stablecoin: OwnStablecoin | None = None
    owed: str = ""
    borrowing: Borrowing | None = None
    parts: Parts | None = None
    expectations: tuple[Expectation, ...] = ()
    collateral_series: str = ""
    quote: Quote | None = None
    of_table: str = ""
    pool: str = ""
    price: AssetPrice | None = None
    held_collateral: str = ""
    shares_income: bool = False
    reads: Reads = no_reads

    @property
    def table(self) -> str:
        """The table of a state that it stands in, by dotted name; without it it is not there."""
        return self.of_table or f"amos.{self.name}"

    @property
    def venue(self) -> str:
        """Where its positions stand: what it is called, without the word AMO."""
        return self.title.removesuffix(" AMO")

    @property
    def holding_cap(self) -> Parameter | None:
        """The first of its caps: how much it may hold, be it collateral or what it mints; None for an AMO without one."""
        return next((each for each in self.parameters.values() if each.share_of is not None), None)
