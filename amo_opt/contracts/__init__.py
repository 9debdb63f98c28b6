"""Real contracts in Python integers, to the last unit: references for tests and payload checks, one file a contract.

integers     the machine's numbers: uint256 and int256 with their reverts

frax_world     Frax's tokens and price feeds, what calls and reverts do, and how a case of the vectors is run
frax_cr        FRAXStablecoin with its collateral ratio, and the PIDController
frax_pool_v3   FraxPoolV3, the primary market; frax_pool_storage is its state, views and what governance sets
frax_minter    FraxAMOMinter
"""
