"""What Frax's contracts stand on: the block they run in, their tokens, price feeds, and the cases of the vectors around them.

Accounts are names (``user``, ``owner``, ``pool``, ``amo0``), amounts integers in the token's own unit. An ``external`` method either
succeeds or raises `Revert` and leaves every contract of its chain as it was. Allowances are taken as unlimited.

Sources: FraxFinance/frax-solidity @ 30532c8: src/hardhat/contracts/FXS/FXS.sol (solc 0.8.11; read as of 68bc630) and ERC20/ERC20Custom.sol
(for FRAX under solc 0.6.11, hence `SAFE_MATH_06`; read as of f219951); curvefi/curve-contract @ 574f440: contracts/testing/ERC20Mock.vy
(read as of 15e26ae) for the collateral tokens. The vectors were measured on the commits named first and tell no difference.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from amo_opt.contracts.integers import INT256_MAX, UINT256_MAX, Revert, divided, uint, uint256

PRICE_PRECISION = 10**6
"""One, for prices, fees and ratios."""
PANIC_OVERFLOW = "Panic(0x11)"
PANIC_DIVISION = "Panic(0x12)"
PANIC_INDEX = "Panic(0x32)"
VOTES = 2**96
"""One past the largest count of votes; amounts beyond are cut to their lowest 96 bits."""

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound="Contract")
State = dict[str, Any]
"""A state, or changes of one, in the vectors' schema."""


@dataclass(frozen=True)
class SafeMath:
    """The library's four operations; from solc 0.8 on the compiler's own check of + and * speaks before the library's does."""

    addition: str = PANIC_OVERFLOW
    multiplication: str = PANIC_OVERFLOW

    def add(self, a: int, b: int) -> int:
        """The sum, in uint256."""
        return uint256(a + b, self.addition)

    def sub(self, a: int, b: int) -> int:
        """The difference, not below zero."""
        return uint256(a - b, "SafeMath: subtraction overflow")

    def mul(self, a: int, b: int) -> int:
        """The product, in uint256."""
        return uint256(a * b, self.multiplication)

    def div(self, a: int, b: int) -> int:
        """The floor of the quotient."""
        return divided(a, b, "SafeMath: division by zero")


SAFE_MATH_06 = SafeMath("SafeMath: addition overflow", "SafeMath: multiplication overflow")
SAFE_MATH_08 = SafeMath()


def require(condition: bool, reason: str) -> None:  # noqa: FBT001  # the contracts' own order of arguments
    """Reverts with the reason unless the condition holds."""
    if not condition:
        raise Revert(reason)


def as_int256(value: int) -> int:
    """A uint256 read as int256: from 2**255 on it is negative; nothing is checked."""
    return value if value <= INT256_MAX else value - UINT256_MAX - 1


def as_uint256(value: int) -> int:
    """An int256 read as uint256: below zero it wraps; nothing is checked."""
    return value % (UINT256_MAX + 1)


class Chain:
    """The block that calls run in, and every contract's storage, which a failed call gets back."""

    def __init__(self, *, number: int, timestamp: int) -> None:
        self.number = number
        self.timestamp = timestamp
        self.contracts: list[Contract] = []
        self._depth = 0

    def at(self, address: str) -> Contract:
        """The contract of a name; reverts where there is none, as a call to no code does."""
        for contract in self.contracts:
            if contract.address == address:
                return contract
        raise Revert(because=f"no contract at {address!r}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Puts all storage back if the call fails; a call within a call is part of it."""
        storage = [] if self._depth else [contract.storage() for contract in self.contracts]
        self._depth += 1
        try:
            yield
        except BaseException:
            for contract, kept in zip(self.contracts, storage, strict=False):
                vars(contract).update(kept)
            raise
        finally:
            self._depth -= 1


class Contract:
    """An account with storage: attributes that are integers, truth values, names, or flat lists and maps of them."""

    def __init__(self, chain: Chain, address: str) -> None:
        self.chain = chain
        self.address = address
        self.owner = "owner"
        self.timelock_address = "timelock"
        chain.contracts.append(self)

    def storage(self) -> dict[str, Any]:
        """The attributes, lists and maps copied; other contracts are referred to."""
        return {name: copy.copy(value) if isinstance(value, (list, dict)) else value for name, value in vars(self).items()}

    def onlyByOwnGov(self, sender: str) -> None:
        """Refuses all but owner and timelock."""
        require(sender in {self.timelock_address, self.owner}, "Not owner or timelock")


def external(method: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
    """A call from outside: integers fit their type or PoolInputError, and a revert leaves no trace.

    Integers are uint256, but those called a correction, which are int256.
    """
    parameters = signature(method).parameters
    order = [name for name in parameters if name != "self"]
    integers = {name for name in order if parameters[name].annotation == "int"}

    @wraps(method)
    def called(self: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        for name, value in [*zip(order, args, strict=False), *kwargs.items()]:
            if name in integers and isinstance(value, int) and name.endswith("_correction"):
                uint(f"{name}, if positive,", abs(value), limit=INT256_MAX)
            elif name in integers:
                uint(name, value)
        with self.chain.transaction():
            return method(self, *args, **kwargs)

    return called


class ERC20Mock(Contract):
    """A collateral token of Curve's tests: reverts carry no reason, and whoever sends through it says its own."""

    def __init__(self, chain: Chain, address: str, *, missing_decimals: int) -> None:
        super().__init__(chain, address)
        self.missing_decimals = missing_decimals
        self.balanceOf: dict[str, int] = {}

    @external
    def transfer(self, to: str, value: int, *, sender: str) -> None:
        """Moves tokens; reverts on too few."""
        self.balanceOf[sender] = uint256(self.balanceOf.get(sender, 0) - value)
        self.balanceOf[to] = uint256(self.balanceOf.get(to, 0) + value)


class ERC20Custom(Contract):
    """Frax's tokens: balances that only pools make and burn."""

    safe_math: ClassVar[SafeMath]

    def __init__(self, chain: Chain, address: str) -> None:
        super().__init__(chain, address)
        self.totalSupply = 0
        self.balanceOf: dict[str, int] = {}

    def hold(self, account: str, balance: int) -> None:
        """Sets an account's balance; the supply stays."""
        self.balanceOf[account] = balance

    def _mint(self, account: str, amount: int) -> None:
        self.totalSupply = self.safe_math.add(self.totalSupply, amount)
        self.balanceOf[account] = self.safe_math.add(self.balanceOf.get(account, 0), amount)

    def _burn(self, account: str, amount: int) -> None:
        self.balanceOf[account] = uint256(self.balanceOf.get(account, 0) - amount, "ERC20: burn amount exceeds balance")
        self.totalSupply = self.safe_math.sub(self.totalSupply, amount)

    def _transfer(self, sender: str, recipient: str, amount: int) -> None:
        self.balanceOf[sender] = uint256(self.balanceOf.get(sender, 0) - amount, "ERC20: transfer amount exceeds balance")
        self.balanceOf[recipient] = self.safe_math.add(self.balanceOf.get(recipient, 0), amount)


class FRAXShares(ERC20Custom):
    """FXS: every balance has votes, moved before the tokens and in 96 bits, so a holder of too few hears of votes first."""

    safe_math = SAFE_MATH_08

    def __init__(self, chain: Chain, is_pool: Callable[[str], bool]) -> None:
        super().__init__(chain, "fxs")
        self.trackingVotes = True
        self.votes: dict[str, int] = {}
        self._is_pool = is_pool

    def hold(self, account: str, balance: int) -> None:
        """Sets an account's balance and moves its votes by as much."""
        self.votes[account] = (self.votes.get(account, 0) + balance - self.balanceOf.get(account, 0)) % VOTES
        super().hold(account, balance)

    def _onlyPools(self, sender: str) -> None:
        require(self._is_pool(sender), "Only frax pools can mint new FRAX")

    def _add_votes(self, account: str, amount: int) -> None:
        self.votes[account] = self.votes.get(account, 0) + amount
        require(self.votes[account] < VOTES, PANIC_OVERFLOW)

    def _take_votes(self, account: str, amount: int, reason: str) -> None:
        require(amount <= self.votes.get(account, 0), reason)
        self.votes[account] = self.votes.get(account, 0) - amount

    def trackVotes(self, source: str, destination: str, amount: int) -> None:
        """Moves votes with the tokens; amount in 1e18, already cut to 96 bits."""
        if source != destination and amount > 0:
            self._take_votes(source, amount, "FXS::_moveVotes: vote amount underflows")
            self._add_votes(destination, amount)

    @external
    def pool_mint(self, m_address: str, m_amount: int, *, sender: str) -> None:
        """Makes tokens (1e18) for an account, and their votes, which pass through the token's own account."""
        self._onlyPools(sender)
        if self.trackingVotes:
            self._add_votes(self.address, m_amount % VOTES)
            self.trackVotes(self.address, m_address, m_amount % VOTES)
        self._mint(m_address, m_amount)

    @external
    def pool_burn_from(self, b_address: str, b_amount: int, *, sender: str) -> None:
        """Burns an account's tokens (1e18) and votes."""
        self._onlyPools(sender)
        if self.trackingVotes:
            self.trackVotes(b_address, self.address, b_amount % VOTES)
            self._take_votes(self.address, b_amount % VOTES, "pool_burn_from new votes underflows")
        self._burn(b_address, b_amount)

    @external
    def transfer(self, to: str, value: int, *, sender: str) -> None:
        """Moves tokens (1e18) and votes."""
        if self.trackingVotes:
            self.trackVotes(sender, to, value % VOTES)
        self._transfer(sender, to, value)


@dataclass
class ChainlinkFeed:
    """A dollar price of the last round: ``answer`` in 10**decimals. Nothing in the contracts asks how old it is."""

    answer: int = 10**8
    decimals: int = 8
    updated_at: int = 1
    round_id: int = 1
    answered_in_round: int = 1

    def price(self) -> int:
        """The answer in 1e6, floored; reverts below zero, before the first update and for an answer of an earlier round."""
        valid = self.answer >= 0 and self.updated_at != 0 and self.answered_in_round >= self.round_id
        require(valid, "Invalid chainlink price")
        scaled = SAFE_MATH_08.mul(self.answer, PRICE_PRECISION)
        return SAFE_MATH_08.div(scaled, uint256(10**self.decimals, PANIC_OVERFLOW))


def safe_transfer(token: ERC20Mock | FRAXShares, to: str, value: int, *, sender: str) -> None:
    """Sends an account's own tokens, as Uniswap's TransferHelper does: its reason stands for the token's."""
    try:
        token.transfer(to, value, sender=sender)
    except Revert as revert:
        raise Revert("TransferHelper: TRANSFER_FAILED") from revert


def safe_transfer_from(token: ERC20Mock, source: str, to: str, value: int) -> None:
    """Takes an account's tokens, as Uniswap's TransferHelper does."""
    try:
        token.transfer(to, value, sender=source)
    except Revert as revert:
        raise Revert("TransferHelper: TRANSFER_FROM_FAILED") from revert


def readable(view: Callable[[], Any]) -> str | State:
    """What a view shows in a state: its integer in decimals, or the reason it reverts with."""
    try:
        return str(view())
    except Revert as revert:
        return {"revert": revert.reason}


def elements(section: Sequence[Any] | Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    """The elements of a list in a state, or of its changes, which stand under their index."""
    items = section.items() if isinstance(section, Mapping) else enumerate(section)
    return ((int(at), value) for at, value in items)


def apply(state: Any, changes: Mapping[str, Any]) -> None:
    """Changes a state by what the vectors name; all else stays. None is what can no longer be read, and is taken out."""
    for name, value in changes.items():
        key: Any = int(name) if isinstance(state, list) else name
        old = state[key] if isinstance(state, list) else state.get(key)
        if isinstance(value, Mapping) and "revert" not in value and isinstance(old, (dict, list)):
            apply(old, value)
        elif value is None:
            state.pop(key, None)
        else:
            state[key] = value


class World(ABC):
    """Contracts of a case, at a state in the vectors' schema."""

    OUTPUTS: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Names of what a function returns, where it returns anything."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    @abstractmethod
    def state(self) -> State:
        """The whole state, views included."""

    @abstractmethod
    def load(self, changes: Mapping[str, Any]) -> None:
        """Sets what contracts, feeds and the clock hold; what is worked out from it is passed over."""

    @abstractmethod
    def method(self, function: str) -> Callable[..., Any]:
        """The method that a function of the vectors is."""

    def call(self, function: str, caller: str, inputs: Mapping[str, Any]) -> State:
        """Calls a function of the vectors and returns its outputs; raises Revert.

        Inputs are matched by name, and by their order where a name is not the method's.
        """
        method = self.method(function)
        names = [name for name in signature(method).parameters if name != "sender"]
        values = [self.argument(name, value) for name, value in inputs.items()]
        given = dict(zip(inputs if set(inputs) == set(names) else names, values, strict=True))
        result = method(**given, **({"sender": caller} if "sender" in signature(method).parameters else {}))
        results = result if isinstance(result, tuple) else (result,)
        return {name: str(value) for name, value in zip(self.OUTPUTS.get(function, ()), results, strict=False)}

    @staticmethod
    def argument(name: str, value: Any) -> Any:
        """An input as its method takes it."""
        return f"amo{value}" if name == "amo" else value if isinstance(value, bool) else int(value)


def replay_in(world: World, case: Mapping[str, Any]) -> Iterator[tuple[State, State]]:
    """Runs a case's calls in turn and yields what the vectors record of each, and what came out here: equal where the rules are the same.

    Both have ``outputs`` (None after a revert), ``revert`` (None or the reason), and the whole state ``before`` and ``after``. The
    clock, prices and preparations between the steps of a sequence are taken from the case; everything else is worked out.
    """
    state = copy.deepcopy(case["before"])
    for step in case.get("steps", [case]):
        prepared = step.get("before_changes") or {}
        apply(state, prepared)
        world.load(prepared)
        theirs: State = {"outputs": step["outputs"], "revert": step["revert"], "before": copy.deepcopy(state)}
        mine: State = {"outputs": None, "revert": None, "before": world.state()}
        try:
            mine["outputs"] = world.call(step["function"], step["caller"], step["inputs"])
        except Revert as revert:
            mine["revert"] = revert.reason
        apply(state, step["changes"])
        yield {**theirs, "after": copy.deepcopy(state)}, {**mine, "after": world.state()}
