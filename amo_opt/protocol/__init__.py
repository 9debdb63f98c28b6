"""The protocol without its AMOs: what governance sets, what a snapshot holds, and the stages of issuer, holders and books.

parameters           what defines a parameter, those that no AMO owns, and a set of values
state                a snapshot's figures, each with its source or its assumption
market               the inputs of an hour that are no AMO's, by name
settings             what a scenario's setting is: `Setting`
lanes                where each number of the kernel lives (``from amo_opt.protocol import lanes as at``)
accounts             opening an hour, losses of venues, totals over the AMOs, net asset value
holders              providers and holders: who leaves, who buys
primary_market       the hour's trades at the pool and the issuer's doors
oracle, collateral_ratio, share_token
active_lanes         a stage on the lanes that need it
elementary           exp and log of our own
addresses, aligned
reads                what a getter on chain tells: `Read`, and the figures that follow
"""
