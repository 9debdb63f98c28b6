"""Real contracts in Python integers, to the last unit: references for tests and payload checks, one file a contract.

integers             the machine's numbers: uint256 and int256 with their reverts
exponential          exp of Vyper 0.3.10's contracts, snekmate's wad_exp
aggregate_price      AggregateStablePrice3, 4: crvUSD's price out of several pools
"""
