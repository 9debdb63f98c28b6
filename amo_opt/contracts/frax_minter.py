"""FraxAMOMinter: FRAX, FXS and collateral for AMOs, against caps that are signed and global, and its count of what AMOs are worth.

FRAX, FXS and dollar values in 1e18, collateral in the token's own unit, ratios in 1e6. Books and sums are int256 and may be negative:
what comes back is not limited by what went out. AMOs are called ``amo0``, ``amo1``, ...

Source: FraxFinance/frax-solidity @ 30532c8: src/hardhat/contracts/Frax/FraxAMOMinter.sol (solc 0.8.11), which the vectors were measured on;
the text was read as of 9885524, and the vectors tell no difference. Not here: ``oldPoolRedeem``, ``oldPoolCollectAndGive``, ``recoverERC20``, ``execute``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from amo_opt.contracts.frax_cr import FRAXStablecoin, Pool
from amo_opt.contracts.frax_pool_v3 import FraxPoolV3, FraxPoolWorld
from amo_opt.contracts.frax_world import (
    PANIC_DIVISION,
    PANIC_OVERFLOW,
    PRICE_PRECISION,
    Chain,
    Contract,
    FRAXShares,
    State,
    as_int256,
    as_uint256,
    elements,
    external,
    readable,
    replay_in,
    require,
    safe_transfer,
    safe_transfer_from,
)
from amo_opt.contracts.integers import WAD, Revert, divided, int256, uint256


class AMO(Contract):
    """An AMO as the minter sees it: two dollar values, 1e18, as it reports them."""

    def __init__(self, chain: Chain, address: str) -> None:
        super().__init__(chain, address)
        self.reports_frax_e18 = 0
        self.reports_collat_e18 = 0

    def dollarBalances(self) -> tuple[int, int]:
        """Value with FRAX at one dollar, and at the collateral ratio."""
        return self.reports_frax_e18, self.reports_collat_e18


def _signed(value: int) -> int:
    return int256(value, PANIC_OVERFLOW)


class FraxAMOMinter(Contract):
    """The minter as constructed, without AMOs: caps of 100 million FRAX and FXS and 10 million of collateral, ``min_cr`` 0.81.

    ``missing_decimals`` are 12 (USDC's) whatever the collateral, as in the contract.
    """

    def __init__(self, frax: FRAXStablecoin, fxs: FRAXShares, pool: FraxPoolV3, *, col_idx: int) -> None:
        super().__init__(frax.chain, "minter")
        self.FRAX = frax
        self.FXS = fxs
        self.pool = pool
        self.col_idx = col_idx
        self.collateral_token = pool.tokens[col_idx]
        self.custodian_address = "custodian"
        self.missing_decimals = 12
        self.amos_array: list[str] = []
        self.amos: dict[str, bool] = {}
        self.collat_borrow_cap = 10**13
        self.frax_mint_cap = 10**8 * WAD
        self.fxs_mint_cap = 10**8 * WAD
        self.min_cr = 810_000
        self.frax_mint_balances: dict[str, int] = {}
        self.frax_mint_sum = 0
        self.fxs_mint_balances: dict[str, int] = {}
        self.fxs_mint_sum = 0
        self.collat_borrowed_balances: dict[str, int] = {}
        self.collat_borrowed_sum = 0
        self.fraxDollarBalanceStored = 0
        self.collatDollarBalanceStored = 0
        self.correction_offsets_amos: dict[str, tuple[int, int]] = {}

    # -- views ----------------------------------------------------------------------------------------------------------------

    def dollarBalances(self) -> tuple[int, int]:
        """Dollar values of all AMOs as last synced, 1e18."""
        return self.fraxDollarBalanceStored, self.collatDollarBalanceStored

    def collatDollarBalance(self) -> int:
        """The second of them, which counts in FRAX's value of all collateral."""
        return self.collatDollarBalanceStored

    def fraxTrackedGlobal(self) -> int:
        """Dollar value above what was minted and lent, signed, 1e18, as last synced."""
        return self._tracked(as_int256(self.fraxDollarBalanceStored), self.frax_mint_sum, self.collat_borrowed_sum)

    def fraxTrackedAMO(self, amo: str) -> int:
        """The same of one AMO, as it reports now and with its correction."""
        value = _signed(as_int256(self._reports(amo)[0]) + self.correction_offsets_amos.get(amo, (0, 0))[0])
        return self._tracked(value, self.frax_mint_balances.get(amo, 0), self.collat_borrowed_balances.get(amo, 0))

    def _reports(self, amo: str) -> tuple[int, int]:
        contract = self.chain.at(amo)
        if not isinstance(contract, AMO):
            raise Revert(because=f"{amo} reports no dollar balances")
        return contract.dollarBalances()

    def _tracked(self, value: int, minted: int, borrowed: int) -> int:
        return _signed(_signed(value - minted) - _signed(borrowed * 10**self.missing_decimals))

    # -- AMOs' values -----------------------------------------------------------------------------------------------------------

    @external
    def syncDollarBalances(self) -> None:
        """Adds up what the AMOs report and their corrections; one below zero wraps. Anyone may call."""
        totals = [0, 0]
        for amo in self.amos_array:
            if amo:
                offsets = self.correction_offsets_amos.get(amo, (0, 0))
                for k, (value, offset) in enumerate(zip(self._reports(amo), offsets, strict=True)):
                    totals[k] = uint256(totals[k] + as_uint256(_signed(as_int256(value) + offset)), PANIC_OVERFLOW)
        self.fraxDollarBalanceStored, self.collatDollarBalanceStored = totals

    # -- FRAX, FXS and collateral for AMOs --------------------------------------------------------------------------------------

    def _validAMO(self, amo: str) -> None:
        require(self.amos.get(amo, False), "Invalid AMO")

    @external
    def mintFraxForAMO(self, amo: str, frax_amount: int, *, sender: str) -> None:
        """Makes FRAX (1e18) for an AMO: first the cap, then ``min_cr`` on the value as it stands over the supply as it will be."""
        self.onlyByOwnGov(sender)
        self._validAMO(amo)
        signed = as_int256(frax_amount)
        require(_signed(self.frax_mint_sum + signed) <= self.frax_mint_cap, "Mint cap reached")
        self.frax_mint_balances[amo] = _signed(self.frax_mint_balances.get(amo, 0) + signed)
        self.frax_mint_sum += signed
        value = self.FRAX.globalCollateralValue()
        supply = uint256(self.FRAX.totalSupply + frax_amount, PANIC_OVERFLOW)
        scaled = uint256(value * PRICE_PRECISION, PANIC_OVERFLOW)
        require(divided(scaled, supply, PANIC_DIVISION) >= self.min_cr, "CR would be too low")
        self.FRAX.pool_mint(amo, frax_amount, sender=self.address)
        self.syncDollarBalances()

    @external
    def burnFraxFromAMO(self, frax_amount: int, *, sender: str) -> None:
        """Burns the calling AMO's FRAX (1e18), minted here or not."""
        self._validAMO(sender)
        self.FRAX.pool_burn_from(sender, frax_amount, sender=self.address)
        signed = as_int256(frax_amount)
        self.frax_mint_balances[sender] = _signed(self.frax_mint_balances.get(sender, 0) - signed)
        self.frax_mint_sum = _signed(self.frax_mint_sum - signed)
        self.syncDollarBalances()

    @external
    def mintFxsForAMO(self, amo: str, fxs_amount: int, *, sender: str) -> None:
        """Makes FXS (1e18) for an AMO, under a cap alone."""
        self.onlyByOwnGov(sender)
        self._validAMO(amo)
        signed = as_int256(fxs_amount)
        require(_signed(self.fxs_mint_sum + signed) <= self.fxs_mint_cap, "Mint cap reached")
        self.fxs_mint_balances[amo] = _signed(self.fxs_mint_balances.get(amo, 0) + signed)
        self.fxs_mint_sum += signed
        self.FXS.pool_mint(amo, fxs_amount, sender=self.address)
        self.syncDollarBalances()

    @external
    def burnFxsFromAMO(self, fxs_amount: int, *, sender: str) -> None:
        """Burns the calling AMO's FXS (1e18)."""
        self._validAMO(sender)
        self.FXS.pool_burn_from(sender, fxs_amount, sender=self.address)
        signed = as_int256(fxs_amount)
        self.fxs_mint_balances[sender] = _signed(self.fxs_mint_balances.get(sender, 0) - signed)
        self.fxs_mint_sum = _signed(self.fxs_mint_sum - signed)
        self.syncDollarBalances()

    @external
    def giveCollatToAMO(self, amo: str, collat_amount: int, *, sender: str) -> None:
        """Lends an AMO the pool's collateral (its own unit), under a cap alone: neither ``min_cr`` nor claims of redeemers are looked at."""
        self.onlyByOwnGov(sender)
        self._validAMO(amo)
        signed = as_int256(collat_amount)
        require(_signed(self.collat_borrowed_sum + signed) <= self.collat_borrow_cap, "Borrow cap")
        self.collat_borrowed_balances[amo] = _signed(self.collat_borrowed_balances.get(amo, 0) + signed)
        self.collat_borrowed_sum += signed
        self.pool.amoMinterBorrow(collat_amount, col_idx=self.col_idx, sender=self.address)
        safe_transfer(self.collateral_token, amo, collat_amount, sender=self.address)
        self.syncDollarBalances()

    @external
    def receiveCollatFromAMO(self, usdc_amount: int, *, sender: str) -> None:
        """Takes collateral (its own unit) from the calling AMO back into the pool, lent or not, past the pool's ceiling."""
        self._validAMO(sender)
        safe_transfer_from(self.collateral_token, sender, self.pool.address, usdc_amount)
        signed = as_int256(usdc_amount)
        self.collat_borrowed_balances[sender] = _signed(self.collat_borrowed_balances.get(sender, 0) - signed)
        self.collat_borrowed_sum = _signed(self.collat_borrowed_sum - signed)
        self.syncDollarBalances()

    # -- governance -----------------------------------------------------------------------------------------------------------

    @external
    def addAMO(self, amo: str, sync_too: bool, *, sender: str) -> None:  # noqa: FBT001  # the contract's argument
        """Lets an AMO in, with empty books; the sums keep what it once had."""
        self.onlyByOwnGov(sender)
        require(amo != "", "Zero address detected")
        self._reports(amo)
        require(not self.amos.get(amo, False), "Address already exists")
        self.amos[amo] = True
        self.amos_array.append(amo)
        self.frax_mint_balances[amo] = self.fxs_mint_balances[amo] = self.collat_borrowed_balances[amo] = 0
        self.correction_offsets_amos[amo] = (0, 0)
        if sync_too:
            self.syncDollarBalances()

    @external
    def removeAMO(self, amo: str, sync_too: bool, *, sender: str) -> None:  # noqa: FBT001  # as above
        """Puts an AMO out; its books and the sums stay."""
        self.onlyByOwnGov(sender)
        require(amo != "", "Zero address detected")
        require(self.amos.get(amo, False), "Address nonexistant")
        del self.amos[amo]
        self.amos_array[self.amos_array.index(amo)] = ""
        if sync_too:
            self.syncDollarBalances()

    @external
    def setFraxMintCap(self, frax_mint_cap: int, *, sender: str) -> None:
        """Sets the cap on all FRAX minted, 1e18; from 2**255 on it wraps below zero, as those of FXS and collateral do."""
        self.onlyByOwnGov(sender)
        self.frax_mint_cap = as_int256(frax_mint_cap)

    @external
    def setFxsMintCap(self, fxs_mint_cap: int, *, sender: str) -> None:
        """Sets the cap on all FXS minted, 1e18."""
        self.onlyByOwnGov(sender)
        self.fxs_mint_cap = as_int256(fxs_mint_cap)

    @external
    def setCollatBorrowCap(self, collat_borrow_cap: int, *, sender: str) -> None:
        """Sets the cap on all collateral lent, in its own unit."""
        self.onlyByOwnGov(sender)
        self.collat_borrow_cap = as_int256(collat_borrow_cap)

    @external
    def setMinimumCollateralRatio(self, min_cr: int, *, sender: str) -> None:
        """Sets the ratio that minting FRAX must leave, 1e6; any number is taken."""
        self.onlyByOwnGov(sender)
        self.min_cr = min_cr

    @external
    def setAMOCorrectionOffsets(self, amo: str, frax_e18_correction: int, collat_e18_correction: int, *, sender: str) -> None:
        """Sets what is added to an AMO's two reports, int256 of 1e18, and syncs."""
        self.onlyByOwnGov(sender)
        self.correction_offsets_amos[amo] = (frax_e18_correction, collat_e18_correction)
        self.syncDollarBalances()

    @external
    def setTimelock(self, new_timelock: str, *, sender: str) -> None:
        """Names the timelock."""
        self.onlyByOwnGov(sender)
        require(new_timelock != "", "Timelock address cannot be 0")
        self.timelock_address = new_timelock

    @external
    def setCustodian(self, custodian_address: str, *, sender: str) -> None:
        """Names the custodian, who may do nothing here."""
        self.onlyByOwnGov(sender)
        require(custodian_address != "", "Custodian address cannot be 0")
        self.custodian_address = custodian_address


MINTER_FIELDS = [
    "frax_mint_cap",
    "frax_mint_sum",
    "collat_borrow_cap",
    "collat_borrowed_sum",
    "fxs_mint_cap",
    "fxs_mint_sum",
    "min_cr",
    "fraxDollarBalanceStored",
    "collatDollarBalanceStored",
]
AMO_FIELDS = {
    "frax_mint_balance": "frax_mint_balances",
    "fxs_mint_balance": "fxs_mint_balances",
    "collat_borrowed_balance": "collat_borrowed_balances",
}
GENESIS_FXS = 10**8 * WAD
COLLATERAL = {"address_kind", "enabled", "missing_decimals", "price", "ceiling", "balance", "unclaimed", "free", "borrowing_paused"}


class FraxMinterWorld(FraxPoolWorld):
    """The minter among its pool, FRAX, FXS, collateral tokens and AMOs.

    What a case does not show: ``unclaimed`` collateral is owed to the user, who redeemed in the first block, and with it the FXS beyond
    those of genesis and of AMOs; the stablecoin no AMO holds is the owner's; and a minter off FRAX's list whose value is 0 is told by
    the case's ``note`` alone.
    """

    def start(self, case: Mapping[str, Any]) -> None:
        """Sets the state a case begins with, and of the rest what follows from it or is usual."""
        before = case["before"]
        self.minter = FraxAMOMinter(self.FRAX, self.FXS, self.pool, col_idx=before["minter"]["col_idx"])
        self.amos = [AMO(self.chain, f"amo{k}") for k in range(len(before["amos"]))]
        self.load(before)
        for k, unclaimed in enumerate(self.pool.unclaimedPoolCollateral):
            if unclaimed:
                self.pool.redeemCollateralBalances["user", k] = unclaimed
                self.pool.lastRedeemed["user"] = self.chain.number
        owed_fxs = self.FXS.totalSupply - GENESIS_FXS - self.minter.fxs_mint_sum
        if self.pool.lastRedeemed and owed_fxs > 0:
            self.FXS.hold("pool", owed_fxs)
            self.pool.redeemFXSBalances["user"] = self.pool.unclaimedPoolFXS = owed_fxs
        self.leave_rest_to_owner()
        on_list: list[Pool] = [self.pool] if "no pool of the stablecoin" in case.get("note", "") else [self.pool, self.minter]
        self.list_pools(before["frax"]["global_collateral_value"], on_list)

    def method(self, function: str) -> Callable[..., Any]:
        """The minter's, or the pool's where the minter has none of that name."""
        return getattr(self.minter, function, None) or getattr(self.pool, function)  # type: ignore[no-any-return]

    def load(self, changes: Mapping[str, Any]) -> None:
        """Clock, what the AMOs report, and what the minter, the pool, FRAX and the tokens store."""
        self.load_shared(changes)
        if "minter_enabled" in changes.get("pool", {}):
            self.pool.amo_minter_addresses["minter"] = changes["pool"]["minter_enabled"]
        for name in set(MINTER_FIELDS) & set(changes.get("minter", {})):
            setattr(self.minter, name, int(changes["minter"][name]))
        for k, part in elements(changes.get("amos", {})):
            self._load_amo(self.amos[k], part)

    def _load_amo(self, amo: AMO, part: Mapping[str, Any]) -> None:
        address, minter = amo.address, self.minter
        self.load_holder(address, part)
        if part.get("valid") and not minter.amos.get(address):
            minter.amos[address] = True
            minter.amos_array.append(address)
        for name in {"reports_frax_e18", "reports_collat_e18"} & set(part):
            setattr(amo, name, int(part[name]))
        for name in set(AMO_FIELDS) & set(part):
            getattr(minter, AMO_FIELDS[name])[address] = int(part[name])
        frax, collat = minter.correction_offsets_amos.get(address, (0, 0))
        minter.correction_offsets_amos[address] = (int(part.get("correction_frax", frax)), int(part.get("correction_collat", collat)))

    def state(self) -> State:
        """As the vectors give it."""
        minter, shared = self.minter, self.shared_state()
        return {
            **shared,
            "collateral": [{name: value for name, value in part.items() if name in COLLATERAL} for part in shared["collateral"]],
            "pool": {
                "collat_dollar_balance": readable(self.pool.collatDollarBalance),
                "minter_enabled": self.pool.amo_minter_addresses.get("minter", False),
            },
            "minter": {
                **{name: str(getattr(minter, name)) for name in MINTER_FIELDS},
                "fraxTrackedGlobal": readable(minter.fraxTrackedGlobal),
                "missing_decimals": minter.missing_decimals,
                "col_idx": minter.col_idx,
                "collatDollarBalance": readable(minter.collatDollarBalance),
            },
            "amos": [self._amo_state(amo) for amo in self.amos],
        }

    def _amo_state(self, amo: AMO) -> State:
        minter, address = self.minter, amo.address
        corrections = minter.correction_offsets_amos.get(address, (0, 0))
        return {
            "valid": minter.amos.get(address, False),
            "reports_frax_e18": str(amo.reports_frax_e18),
            "reports_collat_e18": str(amo.reports_collat_e18),
            **{name: str(getattr(minter, attribute).get(address, 0)) for name, attribute in AMO_FIELDS.items()},
            "correction_frax": str(corrections[0]),
            "correction_collat": str(corrections[1]),
            "tracked": readable(lambda: minter.fraxTrackedAMO(address)),
            **self.holder_state(address),
        }


def from_state(case: Mapping[str, Any]) -> FraxMinterWorld:
    """The contracts of a case of ``frax_minter``, at its state ``before``."""
    return FraxMinterWorld(case)


def replay(case: Mapping[str, Any]) -> Iterator[tuple[State, State]]:
    """Runs the calls of a case of ``frax_minter``: what was measured and what comes out here, as `frax_world.replay_in` tells."""
    return replay_in(from_state(case), case)
