"""Real contracts in Python integers, to the last unit: references for tests and payload checks, one file a contract.

integers       the machine's numbers: uint256 and int256 with their reverts
exponential    e to the x as contracts work it out
"""
