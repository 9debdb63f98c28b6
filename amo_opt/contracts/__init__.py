"""Real contracts in Python integers, to the last unit: references for tests and payload checks, one file a contract.

integers             the machine's numbers: uint256 and int256 with their reverts
exponential          exp of Vyper 0.3.10's contracts, snekmate's wad_exp
aggregate_price      AggregateStablePrice3, 4: crvUSD's price out of several pools
monetary_policy      AggMonetaryPolicy2, 3, 3c, 4: a market's borrow rate
policy_parts         what the policies ask of others, and what they remember
"""
