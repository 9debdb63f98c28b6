"""What executes calls on a chain's state without sending them: the node itself (`simulate_v1`), or a machine here that forks it (`evm`)."""
