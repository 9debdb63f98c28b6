"""The AMOs: one file each with all that it owns, its stages over lanes of paths and where they stand in the hour.

catalogue            the list of them and of their files
parameters           every parameter, theirs and the issuer's
mechanism            what an AMO says of itself: `Mechanism`
sections             what a state file holds of them: `[amos.NAME]`, and their figures in `[markets]`
layout               where all of their numbers lie, and the inputs of an hour
kinds                those of which a protocol may have several, by names that its state chooses
hold                 what the treasury owns of a pool and leaves there
pools                pools beside the first, and one price for all of them
lending              what AMOs share that lend collateral
naming               what pools and parameters are called in a sentence about a protocol
cap_use              what is out against the caps in force
minter               the caps on what all of them were given, and its books on chain
pool_reads           what a Curve pool's getters tell
triggers             when they stop, unwind and return
"""
