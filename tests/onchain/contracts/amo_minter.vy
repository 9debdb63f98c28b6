# pragma version ^0.4.1
# A double of FraxAMOMinter: books, caps and their setters. Nothing is minted or lent. Caps are signed: a setter's uint256 from 2**255 up wraps to a negative cap.
# ABI, callers and words: FraxFinance/frax-solidity src/hardhat/contracts/Frax/FraxAMOMinter.sol @9885524f.

owner: public(address)
timelock_address: public(address)
custodian_address: public(address)
collateral_address: public(address)
pool: public(address)
col_idx: public(uint256)
amos_array: public(DynArray[address, 16])
amos: public(HashMap[address, bool])
collat_borrow_cap: public(int256)
frax_mint_cap: public(int256)
fxs_mint_cap: public(int256)
min_cr: public(uint256)
frax_mint_balances: public(HashMap[address, int256])
frax_mint_sum: public(int256)
fxs_mint_sum: public(int256)
collat_borrowed_balances: public(HashMap[address, int256])
collat_borrowed_sum: public(int256)
fraxDollarBalanceStored: public(uint256)
collatDollarBalanceStored: public(uint256)
missing_decimals: public(uint256)


@view
@external
def collatDollarBalance() -> uint256:
    return self.collatDollarBalanceStored


@view
@external
def dollarBalances() -> (uint256, uint256):
    return self.fraxDollarBalanceStored, self.collatDollarBalanceStored


@view
@external
def allAMOAddresses() -> DynArray[address, 16]:
    return self.amos_array


@view
@external
def allAMOsLength() -> uint256:
    return len(self.amos_array)


@pure
@internal
def _signed(cap: uint256) -> int256:
    return convert(convert(cap, bytes32), int256)


@view
@internal
def _governed():
    assert msg.sender == self.timelock_address or msg.sender == self.owner, "Not owner or timelock"


@external
def setFraxMintCap(_frax_mint_cap: uint256):
    self._governed()
    self.frax_mint_cap = self._signed(_frax_mint_cap)


@external
def setFxsMintCap(_fxs_mint_cap: uint256):
    self._governed()
    self.fxs_mint_cap = self._signed(_fxs_mint_cap)


@external
def setCollatBorrowCap(_collat_borrow_cap: uint256):
    self._governed()
    self.collat_borrow_cap = self._signed(_collat_borrow_cap)


@external
def setMinimumCollateralRatio(_min_cr: uint256):
    self._governed()
    self.min_cr = _min_cr


@external
def setTimelock(new_timelock: address):
    self._governed()
    assert new_timelock != empty(address), "Timelock address cannot be 0"
    self.timelock_address = new_timelock


@external
def setCustodian(_custodian_address: address):
    self._governed()
    assert _custodian_address != empty(address), "Custodian address cannot be 0"
    self.custodian_address = _custodian_address
