"""Optuna: `optimise` (search, then certification), `search` (batches), `certify` (paths A and B), `rule` (when to recommend)."""
