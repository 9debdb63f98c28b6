"""What a setting of a scenario is: a number with its range, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One number: it must be finite and lie in [low, high], and be one of ``only`` where that is given.

    ``calm`` is what calm holds where its entry does not name the setting; None where an entry has to. ``amount``: what the catalogue says of it is an amount of dollars,
    which a state in another unit of account has to say anew.
    """

    low: float
    high: float
    unit: str
    doc: str
    only: tuple[float, ...] = ()
    calm: float | None = None
    amount: bool = False
