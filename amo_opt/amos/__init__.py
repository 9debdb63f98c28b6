"""The AMOs: one file each, its stages over lanes of paths and where they stand in the hour.

catalogue            the list of them
parameters           every parameter, theirs and the issuer's
mechanism            what an AMO says of itself: `Mechanism`
sections             what a state file holds of them: `[amos.NAME]`, and their figures in `[markets]`
inputs               the inputs of an hour, those of no AMO and each AMO's own
curve                the pool's liquidity: deposits, one-sided minting and burning, fees and rewards
lending              what AMOs share that lend collateral; aave and collateral_investor are two of them
fraxlend             stablecoin minted into a lending market
uniswap_v3           a range around 1, and the arbitrage between it and the pool
cap_use              what is out against the caps in force
minter               the caps on what all of them were given
triggers             when they stop, unwind and return
"""
