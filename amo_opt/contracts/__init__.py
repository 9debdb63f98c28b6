"""Real contracts in Python integers, to the last unit: references for tests and payload checks, one file a contract.

integers             the machine's numbers: uint256 and int256 with their reverts
exponential          exp of Vyper 0.3.10's contracts, snekmate's wad_exp
aggregate_price      AggregateStablePrice3, 4: crvUSD's price out of several pools
oracle_pool          crvUSD's own pool and stableswap-ng with price averages and LP by holder, on the exact pools
peg_keeper_v2        PegKeeperV2 in both delays
peg_keeper_regulator PegKeeperRegulator, as first written and as of v1.1.0
peg_keeper           keepers, pools, regulator and aggregator of a case together
regulator            both regulators side by side over a case's keepers
frax_world           Frax's tokens and price feeds, what calls and reverts do, and how a case of the vectors is run
frax_cr              FRAXStablecoin with its collateral ratio, and the PIDController
frax_pool_v3         FraxPoolV3, the primary market
frax_pool_storage    its state, its views and what governance sets
frax_minter          FraxAMOMinter
monetary_policy      AggMonetaryPolicy2, 3, 3c, 4: a market's borrow rate
policy_parts         what the policies ask of others, and what they remember
"""
