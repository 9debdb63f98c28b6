"""crvUSD's price aggregators AggregateStablePrice3 and 4, in integers: one price out of several pools, by size and by agreement.

Each source is a pool with crvUSD and a price of 1e18; as with the pools it is the price of crvUSD in the paired coin, whatever the
contracts' comments say. A source counts from 100,000 of value on (``MIN_LIQUIDITY``), weighs by its value (4: no more than a share), and
less the further it is from the weighted mean: by ``exp(-((p - mean) / sigma)**2)``. Prices, values, shares and sigma are of 1e18, times in
seconds. Set ``timestamp`` to let time pass. Calls are the admin's; who may call what is not modelled.

Sources: curvefi/curve-stablecoin @ a3671d08 : contracts/price_oracles/AggregateStablePrice3.vy (Vyper 0.3.10) and @ 6961e394 :
curve_stablecoin/price_oracles/aggregate_stable_price/AggregateStablePrice4.vy with its two modules (0.4.3, snekmate 0.1.2).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from amo_opt.contracts.exponential import exp, wad_exp
from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert, divided, int256, uint, uint256

__all__ = [
    "MAX_PAIRS",
    "MIN_LIQUIDITY",
    "TVL_MA_TIME",
    "AggregateStablePrice",
    "AggregateStablePrice3",
    "AggregateStablePrice4",
    "Aggregators",
    "PricePair",
    "PriceSource",
    "Source",
    "from_state",
    "replay",
]

MAX_PAIRS = 20
MIN_LIQUIDITY = 100_000 * WAD
TVL_MA_TIME = 50_000
MIN_SHARE = WAD // 100
SHOWN_SLOTS = 5
"""How many slots of ``last_tvl`` the vectors record."""


class PriceSource(Protocol):
    """What an aggregator asks a pool; a revert of the pool is one of the aggregator."""

    def price_oracle(self) -> int:
        """Smoothed price of 1e18."""

    def totalSupply(self) -> int:
        """LP in 1e18."""

    def get_virtual_price(self) -> int:
        """Value of an LP token, of 1e18; asked of pools before NG alone."""

    def D_oracle(self) -> int:
        """Smoothed invariant in 1e18; asked of NG pools alone."""


@dataclass
class Source:
    """A price source with values that one sets."""

    price: int = WAD
    total_supply: int = 0
    virtual_price: int = WAD
    D: int = 0

    def price_oracle(self) -> int:
        """As set."""
        return self.price

    def totalSupply(self) -> int:
        """As set."""
        return self.total_supply

    def get_virtual_price(self) -> int:
        """As set."""
        return self.virtual_price

    def D_oracle(self) -> int:
        """As set."""
        return self.D


@dataclass(frozen=True)
class PricePair:
    """A slot: the pool, whether crvUSD is its coin 0 (the price is then 1e36 // p), and whether it is an NG pool."""

    pool: PriceSource
    is_inverse: bool = False
    is_ng: bool = False

    def price(self) -> int:
        """Price of crvUSD in the paired coin."""
        p = self.pool.price_oracle()
        return divided(10**36, p) if self.is_inverse else p


class AggregateStablePrice(ABC):
    """What versions 3 and 4 share: slots, values, the price of a block."""

    _no_such_slot = ""

    def __init__(self, *, sigma: int, timestamp: int = 0) -> None:
        self.sigma = uint("sigma", sigma)
        self.timestamp = uint("timestamp", timestamp)
        self.price_pairs: list[PricePair] = []
        self.last_timestamp = self.timestamp
        self.last_tvl = [0] * MAX_PAIRS
        self.last_price = WAD

    def add_price_pair(self, pool: PriceSource, *, is_inverse: bool = False, is_ng: bool = False) -> None:
        """Takes the next slot; its value begins at the pool's bare LP supply. Reverts when all slots are taken.

        On chain ``is_inverse`` and ``is_ng`` are found by asking the pool: is crvUSD coin 0, and does ``price_oracle`` take an index.
        """
        n = len(self.price_pairs)
        if n == MAX_PAIRS:
            raise Revert(because="every slot is taken")
        self.last_tvl[n] = pool.totalSupply()
        self.price_pairs.append(PricePair(pool, is_inverse, is_ng))

    def remove_price_pair(self, n: int) -> None:
        """Frees slot n, into which the last pair moves with its value; reverts when there is no slot n."""
        last = uint256(len(self.price_pairs) - 1)
        if uint("n", n) > last:
            raise Revert(self._no_such_slot, because=f"slot {n} is not in use")
        self.price_pairs[n] = self.price_pairs[last]
        self.last_tvl[n] = self.last_tvl[last]
        del self.price_pairs[last]

    @abstractmethod
    def _exp(self, power: int) -> int: ...

    @abstractmethod
    def _value(self, pool: PriceSource) -> int:
        """What the LP of a pool before NG counts as."""

    @abstractmethod
    def _price(self, tvls: Sequence[int]) -> int: ...

    def ema_tvl(self) -> list[int]:
        """Values a slot: an NG pool's own smoothed D, other pools' smoothed here over 50,000 s since the last ``price_w``."""
        alpha = WAD
        if self.last_timestamp < self.timestamp:
            alpha = self._exp(-(uint256((self.timestamp - self.last_timestamp) * WAD) // TVL_MA_TIME))
        return [self._tvl(slot, alpha) for slot in range(len(self.price_pairs))]

    def _tvl(self, slot: int, alpha: int) -> int:
        pair = self.price_pairs[slot]
        if pair.is_ng:
            return pair.pool.D_oracle()
        if alpha == WAD:
            return self.last_tvl[slot]
        return divided(self._value(pair.pool) * (WAD - alpha) + self.last_tvl[slot] * alpha, WAD)

    def price(self) -> int:
        """The price now; exactly 1e18 where no source is large enough."""
        return self._price(self.ema_tvl())

    def price_w(self) -> int:
        """The price, stored with the values; later in the same block, and in that of the deployment, what is stored."""
        if self.last_timestamp == self.timestamp:
            return self.last_price
        tvls = self.ema_tvl()
        price = self._price(tvls)
        self.last_timestamp = self.timestamp
        self.last_tvl[: len(tvls)] = tvls
        self.last_price = price
        return price

    def _penalties(self, prices: Sequence[int], mean: int) -> list[int]:
        """``exp(-(e - min e))`` a price, ``e`` its squared distance from the mean in sigmas."""
        scale = divided(self.sigma**2, WAD)
        e = [divided((p - mean) ** 2, scale) for p in prices]
        least = min(e, default=UINT256_MAX)
        return [self._exp(-int256(distance - least)) for distance in e]


class AggregateStablePrice3(AggregateStablePrice):
    """Version 3: weights are the values themselves, and an old pool's LP counts divided by its virtual price."""

    def _exp(self, power: int) -> int:
        return exp(power)

    def _value(self, pool: PriceSource) -> int:
        return divided(pool.totalSupply() * WAD, pool.get_virtual_price())

    def _price(self, tvls: Sequence[int]) -> int:
        counted = [tvl >= MIN_LIQUIDITY for tvl in tvls]
        prices = [pair.price() if large else 0 for pair, large in zip(self.price_pairs, counted, strict=True)]
        values = [tvl if large else 0 for tvl, large in zip(tvls, counted, strict=True)]
        if not any(values):
            return WAD
        mean = _weighted_avg(prices, values)
        # A source too small stands at price 0 in the search for the least distance; its weight is 0 all the same.
        penalties = self._penalties(prices, mean)
        return _weighted_avg(prices, [divided(value * penalty, WAD) for value, penalty in zip(values, penalties, strict=True)])


class AggregateStablePrice4(AggregateStablePrice):
    """Version 4: weights are shares of the value, none above a cap, and an old pool's LP counts times its virtual price."""

    _no_such_slot = "bad pair index"

    def __init__(self, *, sigma: int, timestamp: int = 0, custom_share_cap: int = 0) -> None:
        super().__init__(sigma=sigma, timestamp=timestamp)
        if not 10**9 <= sigma <= WAD:
            raise Revert("bad sigma value")
        self.custom_share_cap = 0
        self.set_share_cap(custom_share_cap)

    def set_share_cap(self, share_cap: int) -> None:
        """A cap of one's own, at least 1 %; 0 for the default one. Reverts ``share cap too low`` or ``share cap too high``."""
        if 0 < uint("share_cap", share_cap) < MIN_SHARE:
            raise Revert("share cap too low")
        if share_cap > WAD:
            raise Revert("share cap too high")
        self.custom_share_cap = share_cap

    @staticmethod
    def default_cap(n_active: int) -> int:
        """Cap for so many sources: all, 70 %, 45 % for three to five, 24 %."""
        if n_active <= 1:
            return WAD
        if n_active == 2:
            return 70 * WAD // 100
        return (45 if n_active <= 5 else 24) * WAD // 100

    def share_cap(self) -> int:
        """The cap in force with the sources that are large enough now."""
        return self._cap(sum(tvl >= MIN_LIQUIDITY for tvl in self.ema_tvl()))

    def _cap(self, n_active: int) -> int:
        return self.custom_share_cap or self.default_cap(n_active)

    def capped_weights(self, values: Sequence[int]) -> list[int]:
        """Shares in the order of the values, none above the cap; what is cut off goes to the others. Their sum may be below 1.

        Sources are capped one after another, each against what those before it have left.
        """
        cap = self._cap(len(values))
        weights = [0] * len(values)
        left, share_left = uint256(sum(values)), WAD
        capped = True
        while capped:
            capped = False
            for i, value in enumerate(values):
                if weights[i] == 0 and _share(share_left, value, left) > cap:
                    weights[i] = cap
                    left -= value
                    share_left = uint256(share_left - cap)
                    capped = True
        return [weight or _share(share_left, value, left) for weight, value in zip(weights, values, strict=True)]

    def _exp(self, power: int) -> int:
        return wad_exp(power)

    def _value(self, pool: PriceSource) -> int:
        return divided(pool.totalSupply() * pool.get_virtual_price(), WAD)

    def _price(self, tvls: Sequence[int]) -> int:
        active = [slot for slot, tvl in enumerate(tvls) if tvl >= MIN_LIQUIDITY]
        if not active:
            return WAD
        prices = [self.price_pairs[slot].price() for slot in active]
        weights = self.capped_weights([tvls[slot] for slot in active])
        penalties = self._penalties(prices, _weighted_avg(prices, weights))
        return _weighted_avg(prices, [weight * penalty // WAD for weight, penalty in zip(weights, penalties, strict=True)])


def _share(share_left: int, value: int, left: int) -> int:
    """Part of what is left to share out; 0, not a revert, where no value is left."""
    return uint256(share_left * value) // left if left else 0


def _weighted_avg(prices: Sequence[int], weights: Sequence[int]) -> int:
    return divided(sum(p * weight for p, weight in zip(prices, weights, strict=True)), uint256(sum(weights)))


@dataclass
class Aggregators:
    """Both versions over the same sources, as the vectors have them."""

    sources: list[Source]
    kinds: list[tuple[bool, bool]]
    """Per source ``(is_inverse, is_ng)``."""
    v3: AggregateStablePrice3
    v4: AggregateStablePrice4

    @property
    def contracts(self) -> dict[str, AggregateStablePrice]:
        """Both by their names."""
        return {"AggregateStablePrice3": self.v3, "AggregateStablePrice4": self.v4}

    def meet(self, op: Mapping[str, Any]) -> None:
        """Takes over an op's time and what its pools say."""
        for source, pool in zip(self.sources, op["pools"], strict=True):
            source.price = int(pool["price_oracle"])
            source.total_supply = int(pool["total_supply"])
            source.virtual_price = int(pool["virtual_price"])
            source.D = int(pool.get("D_oracle") or 0)
        for contract in self.contracts.values():
            contract.timestamp = int(op["t"])

    def add(self, k: int) -> None:
        """Adds source k to both."""
        is_inverse, is_ng = self.kinds[k]
        for contract in self.contracts.values():
            contract.add_price_pair(self.sources[k], is_inverse=is_inverse, is_ng=is_ng)

    def pairs(self) -> list[int]:
        """Which source stands in each slot."""
        places = {id(source): k for k, source in enumerate(self.sources)}
        return [places[id(pair.pool)] for pair in self.v4.price_pairs]

    def state(self) -> dict[str, Any]:
        """Every value of both, in the vectors' schema."""
        return {name: _shown(contract) for name, contract in self.contracts.items()}


def _asked(view: Callable[[], Any]) -> Any:
    """What a view answers, in the vectors' schema: integers as text, None for a revert."""
    try:
        answer = view()
    except Revert:
        return None
    return [str(value) for value in answer] if isinstance(answer, list) else str(answer)


def _shown(contract: AggregateStablePrice) -> dict[str, Any]:
    shown = {
        "price": _asked(contract.price),
        "ema_tvl": _asked(contract.ema_tvl),
        "last_price": str(contract.last_price),
        "last_timestamp": contract.last_timestamp,
        "last_tvl": [str(value) for value in contract.last_tvl[:SHOWN_SLOTS]],
    }
    if isinstance(contract, AggregateStablePrice4):
        shown |= {"share_cap": _asked(contract.share_cap), "custom_share_cap": str(contract.custom_share_cap)}
    return shown


def from_state(case: Mapping[str, Any]) -> Aggregators:
    """Both versions and their sources as a case of ``aggregate_price_*`` begins (its first op, ``start``)."""
    start = case["ops"][0]
    sigma, t = int(case["sigma"]), int(start["t"])
    aggregators = Aggregators(
        sources=[Source() for _ in case["sources"]],
        kinds=[(source["is_inverse"], source["ng"]) for source in case["sources"]],
        v3=AggregateStablePrice3(sigma=sigma, timestamp=t),
        v4=AggregateStablePrice4(sigma=sigma, timestamp=t),
    )
    aggregators.meet(start)
    for k in start["pairs"]:
        aggregators.add(k)
    for name, contract in aggregators.contracts.items():
        held = start["aggregators"][name]
        contract.last_price, contract.last_timestamp = int(held["last_price"]), int(held["last_timestamp"])
        contract.last_tvl[: len(held["last_tvl"])] = [int(value) for value in held["last_tvl"]]
    aggregators.v4.custom_share_cap = int(start["aggregators"]["AggregateStablePrice4"]["custom_share_cap"])
    return aggregators


def replay(case: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Each op of a case with what is computed for it, in the op's own keys: ``all(op[key] == value for key, value in mine.items())``.

    What pools say is taken from the ops; trades in them (``exchange``, ``add_liquidity``) are not worked out again.
    """
    aggregators = from_state(case)
    for op in case["ops"]:
        aggregators.meet(op)
        mine = _call(aggregators, op)
        yield op, {**mine, "pairs": aggregators.pairs(), "aggregators": aggregators.state()}


def _call(aggregators: Aggregators, op: Mapping[str, Any]) -> dict[str, Any]:
    contracts = aggregators.contracts
    match op["op"]:
        case "add_price_pairs":
            for k in op["pairs"][len(aggregators.pairs()) :]:
                aggregators.add(k)
        case "remove_price_pair":
            for contract in contracts.values():
                contract.remove_price_pair(op["index"])
        case "set_share_cap":
            try:
                aggregators.v4.set_share_cap(int(op["value"]))
            except Revert:
                return {"ok": False}
            return {"ok": True}
        case "price_w":
            return {"price_w": {name: _written(contract) for name, contract in contracts.items()}}
    return {}


def _written(contract: AggregateStablePrice) -> dict[str, str]:
    try:
        return {"returned": str(contract.price_w())}
    except Revert as revert:
        return {"revert": revert.reason}
