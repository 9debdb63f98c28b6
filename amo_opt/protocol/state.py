"""The protocol at a snapshot: balance sheet, pool, positions and market behaviour, every figure with its source or its assumption."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Self

from amo_opt.wording import named, significant

FRAX = "Frax"
"""The protocol whose setters and recorded episodes this package holds."""
FRAX_STABLECOIN = "0x853d955aCEf822Db058eb8505911ED77F175b99e"
"""FRAX itself on Ethereum: a state that names it as its stablecoin's contract is Frax's, though it may not say so."""
SUPPLY_OF_SIZE_ONE = 2_600_092_892.0
"""Supply of FRAX on 11 May 2022, where the model's small amounts were set: written in dollars, they are multiplied by `ProtocolState.size`."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number with where it comes from: either ``source`` (and ``date``), or ``assumed`` (the reason) with ``low`` and ``high``; neither where a
    state file left it out. ``of`` names the protocol whose history the reason tells, where it tells one's; ``otherwise`` is what is said of it to others.
    """

    value: float
    source: str | None = None
    date: date | None = None
    assumed: str | None = None
    low: float | None = None
    high: float | None = None
    of: str | None = field(default=None, repr=False, compare=False)
    otherwise: str | None = field(default=None, repr=False, compare=False)

    @property
    def is_given(self) -> bool:
        """Whether a state file or a study says what it is."""
        return self.source is not None or self.assumed is not None


def fact(low: float, high: float, unit: str, doc: str) -> Any:
    """A figure of the markets that goes before the scenarios' settings where a state says it (`stress.facts`); where it does not, its value stands for nothing."""
    said = figure(low, high, unit, f"{doc}; left out: as the scenarios have it", default=low)
    return field(default=said.default, metadata={**said.metadata, "fact": True})


def figure(low: float, high: float, unit: str, doc: str, *, default: float | None = None, off: float = 0.0, behaviour: bool = False) -> Any:
    """A dataclass field holding a `Figure` whose value must lie in [low, high]; ``unit`` and ``doc`` are shown in reports.

    ``off`` is what it is where the table it stands in is not there, and its mechanism with it. One of ``behaviour``, how holders, providers and traders act, is no fact of
    the state and stands in a file of its own.

    What is counted in tokens or USD is an amount and grows with the protocol; a price is USD a token. USD is the state's unit of account, whichever that is
    (`wording.in_account`).
    One with a ``default`` may be left out of a state file, and so may a table of nothing but such figures: a file does not change because an AMO that
    it knows nothing of was added.
    """
    metadata = {"low": low, "high": high, "unit": unit, "doc": doc, "off": off, "behaviour": behaviour}
    return field(metadata=metadata) if default is None else field(default=Figure(value=default), metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Stablecoin:
    """``[stablecoin]``"""

    supply: Figure = figure(1.0, 1e14, "tokens", "total supply, AMO holdings included")


@dataclass(frozen=True, kw_only=True)
class Controller:
    """``[controller]``: what moves the collateral ratio. Without it redeeming pays collateral alone."""

    collateral_ratio: Figure = figure(
        0.0, 2.0, "", "target collateral ratio (global_collateral_ratio); redeeming pays no more than 1", off=1.0
    )


@dataclass(frozen=True, kw_only=True)
class Redeem:
    """``[redeem]``: the door out. Without it nothing is redeemed."""

    fee: Figure = figure(0.0, 0.2, "", "fee on redeeming")
    delay_hours: Figure = figure(0.0, 720.0, "h", "mean wait between redeeming and collecting; 0 = within the hour")


@dataclass(frozen=True, kw_only=True)
class Mint:
    """``[mint]``: the door in. Without it nothing is minted for collateral."""

    fee: Figure = figure(0.0, 0.2, "", "fee on minting")
    ceiling: Figure = figure(0.0, 1e15, "tokens", "minting is shut where the pools that mint hold this much collateral")


@dataclass(frozen=True, kw_only=True)
class ShareToken:
    """``[share_token]``: what pays the part of a redemption that collateral does not. Without it there is no such part."""

    price: Figure = figure(0.0, 1e7, "USD/token", "price of the share token", off=1.0)
    supply: Figure = figure(0.0, 1e13, "tokens", "circulating supply of the share token")
    depth_usd: Figure = figure(
        1.0, 1e12, "USD", "sales that halve the share token's price if made at once, at the snapshot's market value", off=1.0
    )
    recollateralise_tokens_hour: Figure = figure(
        0.0, 1e12, "tokens/h", "most share tokens issued an hour for collateral, while below the target ratio"
    )
    recollateralise_bonus: Figure = figure(0.0, 0.5, "", "share tokens given beyond the collateral's worth")
    buyback_usd_hour: Figure = figure(
        0.0, 1e12, "USD/h", "most collateral an hour for which share tokens are bought back, while above the target ratio"
    )
    fxs1559_share: Figure = figure(
        0.0, 1.0, "", "share of the AMOs' income spent on buying and burning share tokens, while above the target ratio"
    )


@dataclass(frozen=True, kw_only=True)
class Pool:
    """``[pool]``"""

    stablecoin: Figure = figure(1.0, 1e13, "tokens", "stablecoin in the metapool")
    base_lp: Figure = figure(1.0, 1e13, "tokens", "base-pool LP tokens in the metapool")
    base_virtual_price: Figure = figure(0.5, 100.0, "USD/token", "virtual price of the base pool's LP token")
    amplification: Figure = figure(1.0, 999_999.0, "", "A of the metapool")
    fee: Figure = figure(0.0, 0.05, "", "swap fee of the metapool")
    admin_fee: Figure = figure(0.0, 1.0, "", "share of the swap fee that goes to the pool's administrator")
    protocol_admin_share: Figure = figure(0.0, 1.0, "", "share of the admin fee that the protocol itself collects", default=0.0)
    base_fee: Figure = figure(0.0, 0.05, "", "cost of turning collateral into base-pool LP or back")
    base_decentralised: Figure = figure(0.0, 1.0, "", "share of the base pool that counts as decentralised collateral", default=0.0)
    future_amplification: Figure = figure(
        0.0, 999_999.0, "", "A that a ramp under way ends at (future_A); 0: none is under way", default=0.0
    )
    ramp_hours_left: Figure = figure(0.0, 8760.0, "h", "hours until that ramp ends", default=0.0)
    volume_day: Figure = fact(0.0, 1e13, "USD", "mean two-way volume a day that looks for this pool")
    base_coins: Figure = fact(1.0, 3.0, "", "coins behind one token of the other side: 3 = DAI, USDC and USDT, 1 = one coin alone")


@dataclass(frozen=True, kw_only=True)
class Collateral:
    """``[collateral]``"""

    idle: Figure = figure(0.0, 1e13, "tokens", "collateral free for redemptions")
    decentralised: Figure = figure(0.0, 1.0, "", "share of the collateral coin that counts as decentralised", default=0.0)


@dataclass(frozen=True, kw_only=True)
class AmoSection:
    """``[amos.NAME]``: what one AMO holds at the snapshot. Its figures, and what they amount to, are declared in the AMO's own file."""

    def collateral(self, _state: ProtocolState) -> float:
        """Collateral that it holds at par, its side of the pool included, dollars."""
        return 0.0

    def owed(self) -> float:
        """What borrowers owe it against collateral of their own, at par: cover, but only they give it back, dollars."""
        return 0.0

    def of_pool(self) -> float:
        """Share of the pool's LP tokens that it owns."""
        return 0.0

    def stablecoin(self) -> float:
        """Own stablecoin that it holds outside the pool or has lent, tokens."""
        return 0.0

    def most_stablecoin(self) -> float:
        """What that may become by the price alone, tokens."""
        return self.stablecoin()


@dataclass(frozen=True, kw_only=True)
class InPool(AmoSection):
    """``[amos.NAME]`` of one that owns LP tokens of the first pool: its figure ``lp_share`` says how many."""

    if TYPE_CHECKING:

        @property
        def lp_share(self) -> Figure:
            """Share of the pool's LP tokens."""

    def collateral(self, state: ProtocolState) -> float:
        """Its part of the pool's other side at the virtual price."""
        return self.lp_share.value * state.base_value

    def of_pool(self) -> float:
        """Its share of the pool."""
        return self.lp_share.value


@dataclass(frozen=True, kw_only=True)
class OfPool(InPool):
    """``[amos.NAME-KIND]`` of one that owns LP tokens of the pool NAME, which it is ``on``: the first one or another; without a name of the first."""

    on: str = ""

    def collateral(self, state: ProtocolState) -> float:
        """Its part of its pool's other side, of the first pool's at the virtual price."""
        if state.works_first(self):
            return super().collateral(state)
        opposite: float = getattr(state.pools, self.on).opposite_value
        return self.lp_share.value * opposite


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A table of a state that is put together from what every AMO declares, where all of them are known (`amos.sections`)."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Named:
    """Tables whose names a file chooses, beside those that have a place of their own: (name, table), in the order of the file."""

    named: tuple[tuple[str, Any], ...] = ()

    def __getattr__(self, name: str) -> Any:
        """The table of that name. Raises ``AttributeError`` where there is none."""
        for key, table in vars(self).get("named", ()):
            if key == name:
                return table
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    def with_named(self, name: str, table: Any) -> Self:
        """The same with the table of that name replaced."""
        return replace(self, named=tuple((key, table if key == name else held) for key, held in self.named))


@dataclass(frozen=True, kw_only=True)
class AmoSections(Named, Assembled):
    """``[amos.NAME]`` of every AMO, by its name."""

    def each(self) -> tuple[AmoSection, ...]:
        """The sections, in the order of the state; those of names that the file chose come last."""
        own = (getattr(self, entry.name) for entry in fields(self) if entry.name != "named")
        return (*own, *(table for _, table in self.named))


@dataclass(frozen=True, kw_only=True)
class FurtherPool:
    """``[pools.NAME]``, a ``[[pool]]`` after the first: the stablecoin against a coin that stands opposite, which may be a base pool's LP token (``base_virtual_price``) or grow
    by a rate (``opposite_price``, ``opposite_rate``).
    """

    stablecoin: Figure = figure(1.0, 1e13, "tokens", "stablecoin in the pool")
    opposite: Figure = figure(1.0, 1e13, "tokens", "coins opposite in the pool")
    amplification: Figure = figure(1.0, 999_999.0, "", "A of the pool")
    fee: Figure = figure(0.0, 0.05, "", "swap fee of the pool")
    admin_fee: Figure = figure(0.0, 1.0, "", "share of the swap fee that goes to the pool's administrator")
    lp_share: Figure = figure(0.0, 1.0, "", "share of its LP tokens that the protocol itself holds, beside its AMOs'", default=0.0)
    volume_day: Figure = figure(0.0, 1e13, "USD", "mean two-way volume a day that looks for this pool", default=0.0)
    ema_seconds: Figure = figure(1.0, 1e6, "s", "time constant of the pool's own price average", default=866.0)
    base_virtual_price: Figure = figure(
        0.0, 100.0, "USD/token", "virtual price of the base pool's LP token, where that stands opposite; 0: a coin does", default=0.0
    )
    base_shared: Figure = figure(0.0, 1.0, "", "1 = the first pool's base pool, at its price; 0 = one with a price of its own", default=0.0)
    opposite_price: Figure = figure(1e-6, 1e6, "USD/token", "what the pool counts one coin opposite as (its stored rate)", default=1.0)
    opposite_rate: Figure = figure(-0.5, 5.0, "1/year", "by which that grows within a year", default=0.0)
    future_amplification: Figure = figure(
        0.0, 999_999.0, "", "A that a ramp under way ends at (future_A); 0: none is under way", default=0.0
    )
    ramp_hours_left: Figure = figure(0.0, 8760.0, "h", "hours until that ramp ends", default=0.0)

    @property
    def is_meta(self) -> bool:
        """Whether a base pool's LP tokens stand opposite."""
        return self.base_virtual_price.value > 0.0

    @property
    def opposite_value(self) -> float:
        """The other side as the pool counts it: LP tokens at their virtual price, coins at their stored rate."""
        each = self.base_virtual_price.value if self.is_meta else self.opposite_price.value
        return self.opposite.value * each

    def collateral(self, _state: ProtocolState) -> float:
        """What the protocol itself holds of its other side, at par."""
        return self.lp_share.value * self.opposite_value


@dataclass(frozen=True, kw_only=True)
class Pools(Named):
    """``[pools.NAME]``: the pools beside the first."""


@dataclass(frozen=True, kw_only=True)
class MarketFigures(Assembled):
    """``[markets]``: the figures of `Markets`, and those that are one AMO's."""


@dataclass(frozen=True, kw_only=True)
class RewardVenue:
    """``[rewards.NAME]``: a place where LP tokens earn the gauge's rewards."""

    boost: Figure = figure(0.0, 2.5, "", "gauge boost, 1 = the least a staked LP token gets")
    fee: Figure = figure(0.0, 1.0, "", "share of the rewards the venue keeps")
    bonus: Figure = figure(0.0, 10.0, "", "the venue's own tokens paid on top, share of the rewards' worth")


@dataclass(frozen=True, kw_only=True)
class Rewards:
    """``[rewards]`` and ``[rewards.NAME]``. Without them the pool has no gauge that pays."""

    outside_boost: Figure = figure(0.1, 2.5, "", "mean gauge boost of the other providers", off=1.0)
    locked: Figure = figure(0.0, 1e12, "tokens", "reward tokens the protocol holds locked as votes")
    votes: Figure = figure(1.0, 1e13, "tokens", "reward tokens locked as votes by everybody", off=1.0)
    tokens_week: Figure = fact(0.0, 1e12, "tokens", "reward budget of the gauge a week")
    token_price: Figure = fact(0.0, 1e6, "USD/token", "price of the reward token")
    gauge: RewardVenue
    convex: RewardVenue
    stakedao: RewardVenue
    yearn: RewardVenue


@dataclass(frozen=True, kw_only=True)
class Markets:
    """``[markets]`` but for what is one AMO's: what the protocol sees and how fast it moves, and, in a file of its own, how holders, providers and venues behave. Most are
    assumed, so each carries the range a reader may try.
    """

    oracle_lag_hours: Figure = figure(0.0, 168.0, "h", "time constant of the oracle's lag; 0 = spot")
    deploy_rate: Figure = figure(1e-4, 1.0, "1/h", "share of all collateral an AMO moves an hour towards its target")
    ramp_hours: Figure = figure(24.0, 8760.0, "h", "length of an A ramp")
    hour_limit: Figure = figure(0.01, 1.0, "", "most of the other side of the pool that sellers or buyers take an hour", behaviour=True)
    seller_haircut: Figure = figure(0.0, 0.5, "", "discount to exit value that a leaver accepts within the hour", behaviour=True)
    buyer_premium: Figure = figure(
        0.0, 0.5, "", "most a buyer pays above what one is worth; who will not waits about a day", behaviour=True
    )
    value_buyers: Figure = figure(
        0.0, 10.0, "1/h", "bought for value an hour, share of external supply per unit of price below what one is worth", behaviour=True
    )
    value_sellers: Figure = figure(
        0.0, 10.0, "1/h", "sold for value an hour, share of external supply per unit of price above what one is worth", behaviour=True
    )
    hazard_news: Figure = figure(0.0, 5.0, "1/day", "holders leaving when the price falls 1% below exit value", behaviour=True)
    hazard_price: Figure = figure(0.0, 5.0, "1/day", "further holders leaving when it falls 5% below", behaviour=True)
    hazard_collateral: Figure = figure(0.0, 20.0, "1/day", "holders leaving per unit by which the CR gap exceeds its start", behaviour=True)
    hazard_share: Figure = figure(0.0, 5.0, "1/day", "holders leaving when the share token has collapsed", behaviour=True)
    hazard_limit: Figure = figure(0.01, 1.0, "", "share of holders that would ever run; the hazard fades as they leave", behaviour=True)
    hazard_memory_hours: Figure = figure(1.0, 1e5, "h", "time constant at which that memory fades", behaviour=True)
    lp_flight_share: Figure = figure(0.5, 1.0, "", "pool share of the stablecoin above which outside providers flee", behaviour=True)
    lp_flight_rate: Figure = figure(0.0, 10.0, "1/h", "outside providers leaving an hour per unit of share above it", behaviour=True)
    lp_return_rate: Figure = figure(0.0, 1.0, "1/h", "outside liquidity coming back an hour, share of what is missing", behaviour=True)
    volume_depth_usd: Figure = figure(
        1.0, 1e12, "USD", "depth within 10 bp at which the pool captures half of the two-way volume", behaviour=True
    )
    lending_memory_hours: Figure = figure(1.0, 1e5, "h", "time over which borrowers average the rate they answer to", behaviour=True)
    illiquid_haircut: Figure = figure(
        0.0, 1.0, "", "discount at which a deposit that cannot be withdrawn would be sold at the window's end", behaviour=True
    )
    lp_yield_response: Figure = figure(0.0, 10.0, "", "outside liquidity wanted, change per relative change of its yield", behaviour=True)
    lp_yield_hours: Figure = figure(1.0, 1e5, "h", "time over which outside providers average their yield", behaviour=True)
    claim_discount_hour: Figure = figure(0.0, 0.01, "1/h", "what a redeemer asks for an hour of waiting to collect", behaviour=True)
    lending_elasticity: Figure = figure(0.0, 100.0, "", "fall of borrow demand per unit of borrow rate", behaviour=True)
    share_recovery_hours: Figure = figure(
        1.0, 1e5, "h", "time in which the share token's market recovers from sales, but for their dilution", behaviour=True
    )
    reward_depth_usd: Figure = figure(1.0, 1e12, "USD", "hourly reward sales that halve the proceeds", off=1.0)
    gas_gwei: Figure = fact(0.0, 1e5, "gwei", "median gas price")
    eth_usd: Figure = fact(0.0, 1e7, "USD/ETH", "price of one ETH")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """``[contracts.NAME]``: an address and where it was read. ``caller`` names the entry whose account alone may call its setters, where
    that is not the Safe.
    """

    address: str
    repository: str | None = None
    path: str | None = None
    commit: str | None = None
    source: str | None = None
    caller: str | None = None


@dataclass(frozen=True, kw_only=True)
class OnChain:
    """``[reads]``: what a getter answered at a block, as the contract holds it: a whole integer (true is 1), or an address as text."""

    raw: int | str
    address: str
    block: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class ProtocolState:
    """A whole state file, and the figures of behaviour in ``markets``. ``absent`` are the tables that the file leaves out, by dotted name: mechanisms that the protocol does not
    have. ``protocol`` is whose books these are, empty where the file does not say; ``unit`` the unit of account of every amount and price. ``chain_id``, ``price_controller`` (which
    contract holds band, step and cooldown), ``family`` (whose contracts the issuer runs, where they are not its own) and ``collateral_decimals`` (None = not said) stand in ``[contracts]``. ``pool`` is the first pool, ``pool_name`` what its file calls
    it, empty where there is one alone. ``reads`` are values in force and roles as a chain held them, by ``contract.getter()``: payloads and checks look at them, results do not.
    """

    name: str
    date: date
    stablecoin: Stablecoin
    controller: Controller
    redeem: Redeem
    mint: Mint
    share_token: ShareToken
    pool: Pool
    collateral: Collateral
    amos: AmoSections
    rewards: Rewards
    markets: MarketFigures
    contracts: dict[str, Contract] = field(default_factory=dict)
    chain_id: int = 1
    price_controller: Literal["frax", "pid"] = "frax"
    collateral_decimals: int | None = None
    family: Literal["frax"] | None = None
    protocol: str = ""
    unit: str = "USD"
    notes: str = ""
    absent: frozenset[str] = frozenset()
    pools: Pools = field(default_factory=Pools)
    pool_name: str = ""
    reads: dict[str, OnChain] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"ProtocolState({named(self.name)!r}, {self.date}, supply {significant(self.stablecoin.supply.value, 6)}, in {self.unit})"

    @property
    def instances(self) -> tuple[str, ...]:
        """The tables whose names the file chose, by dotted name: further pools, then AMOs."""
        return (*(f"pools.{name}" for name, _ in self.pools.named), *(f"amos.{name}" for name, _ in self.amos.named))

    def has(self, section: str) -> bool:
        """Whether the protocol has that mechanism: the table of its state (``share_token``, ``amos.curve``); with ``amos`` any AMO that does something, with ``pools`` any pool beside the first; with an empty name always."""
        if section == "amos":
            return any(not name.endswith("-hold") for name, _ in self.amos.named) or any(
                self.has(f"amos.{entry.name}") for entry in fields(self.amos) if entry.name != "named"
            )
        room, _, name = section.partition(".")
        if section == "pools":
            return bool(self.pools.named)
        if room == "pools":
            return any(name == key for key, _ in self.pools.named)
        if room == "amos" and name not in {entry.name for entry in fields(self.amos)}:
            return any(name == key for key, _ in self.amos.named)
        return section not in self.absent

    def is_of(self, protocol: str) -> bool:
        """Whether these are that protocol's books: as the file says, else by the stablecoin's address; of nobody known otherwise."""
        if self.protocol:
            return self.protocol.casefold() == protocol.casefold()
        named = self.contracts.get("stablecoin")
        return protocol == FRAX and named is not None and named.address.lower() == FRAX_STABLECOIN.lower()

    @property
    def runs_frax_contracts(self) -> bool:
        """Whether the issuer's contracts are Frax's, its own or those that another protocol runs: their setters and getters are then known."""
        return self.family == "frax" or self.is_of(FRAX)

    @property
    def size(self) -> float:
        """Supply over FRAX's of May 2022: what an amount too small to matter is measured by, so that a protocol twice as large is the same in all else."""
        return self.stablecoin.supply.value / SUPPLY_OF_SIZE_ONE

    @property
    def base_value(self) -> float:
        """The pool's base-pool LP tokens counted at their virtual price, dollars."""
        return self.pool.base_lp.value * self.pool.base_virtual_price.value

    @property
    def collateral_usd(self) -> float:
        """All collateral of the protocol at par: idle, and what the AMOs hold outside the pool and in it, dollars."""
        further = (each.collateral(self) for _, each in self.pools.named)
        return math.fsum((self.collateral.idle.value, *(each.collateral(self) for each in self.amos.each()), *further))

    @property
    def cover_usd(self) -> float:
        """All that stands behind the stablecoin at par: collateral, and what borrowers owe, dollars."""
        return self.collateral_usd + math.fsum(each.owed() for each in self.amos.each())

    @property
    def own_of_pool(self) -> float:
        """Share of the first pool's LP tokens that the AMOs own."""
        return math.fsum(each.of_pool() for each in self.amos.each() if self.works_first(each))

    def works_first(self, amo: AmoSection) -> bool:
        """Whether an AMO works the first pool: it names no other."""
        return getattr(amo, "on", "") in ("", self.pool_name)

    def own_of_further(self, name: str) -> float:
        """Share of a further pool's LP tokens that the protocol and its AMOs own."""
        pool = getattr(self.pools, name)
        working = (each for each in self.amos.each() if getattr(each, "on", "") == name)
        return math.fsum((pool.lp_share.value, *(each.of_pool() for each in working)))

    @property
    def stablecoin_of_amos(self) -> float:
        """Own stablecoin that the protocol holds outside the first pool or has lent, tokens."""
        further = (self.own_of_further(name) * pool.stablecoin.value for name, pool in self.pools.named)
        return math.fsum((*(each.stablecoin() for each in self.amos.each()), *further))

    @property
    def external_supply(self) -> float:
        """Stablecoin that is not the AMOs' own, tokens: in circulation, in outside providers' part of the pools too."""
        return self.stablecoin.supply.value - self.own_of_pool * self.pool.stablecoin.value - self.stablecoin_of_amos

    @property
    def pooled(self) -> float:
        """Both sides of every pool, dollars, a stablecoin counted as one."""
        further = (each.stablecoin.value + each.opposite_value for _, each in self.pools.named)
        return math.fsum((self.pool.stablecoin.value, self.base_value, *further))
