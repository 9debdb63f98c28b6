"""What a parameter does, by rule: the shapes of both objectives and the movements of every term. `report.stories.finding` says it in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from amo_opt.search.movement import Shift, Track, Word, classify
from amo_opt.search.rule import AXES

Kind = Literal["one value", "not simulated", "not known", "unchanged", "ruled out", "within chance", "moves"]
STILL = ("one value", "unchanged", "ruled out", "within chance")
"""The kinds of a parameter that is flat."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What an objective does over a range (`movement.classify`): the word, and the track with the place of its best point."""

    word: Word
    track: Track
    place: int

    @property
    def best(self) -> float:
        """The value where the objective is best."""
        return self.track.values[self.place]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a parameter does from ``low`` to ``high``, on ``n`` paths.

    ``one value``: it has no other; ``not simulated``: a path failed at every other. ``not known``: the paths are too few for the terms
    ``unknown``, ``nothing_known`` where those are all. ``unchanged``: no figure differs; ``ruled out``: no interval reaches what matters;
    ``within chance``: none is seen to move, ``furthest`` by objective is how far an interval reaches. ``moves``, with the terms ``besides``
    the objectives that do.
    """

    kind: Kind
    low: float
    high: float
    n: int
    unknown: tuple[str, ...] = ()
    nothing_known: bool = False
    furthest: Mapping[str, float] | None = None
    besides: tuple[str, ...] = ()

    @property
    def flat(self) -> bool | None:
        """Whether the parameter acts on nothing that is seen; None where the paths are too few to know."""
        return None if self.kind == "not known" else self.kind in STILL


def shape(track: Track, *, current: float) -> Shape:
    """The shape of a track."""
    word, place = classify(track, current=current)
    return Shape(word=word, track=track, place=place)


def finding(values: Sequence[float], shapes: Mapping[str, Shape], shifts: Mapping[str, Sequence[Shift]], n: int) -> Finding:
    """What the parameter does. ``shifts`` holds the differences to the current set, by term.

    Not known where the paths are too few to tell any term from chance, or some of them and none of the others moves.
    """
    every = [shift for row in shifts.values() for shift in row]
    low, high = values[0], values[-1]
    if len(values) == 1:
        return Finding(kind="one value", low=low, high=high, n=n)
    still = not any(shift.moves for shift in every)
    unknown = tuple(name for name, row in shifts.items() if not all(shift.known for shift in row))
    if still and unknown:
        return Finding(kind="not known", low=low, high=high, n=n, unknown=unknown, nothing_known=len(unknown) == len(shifts))
    if still and all(found.word == "FLAT" for found in shapes.values()):
        if all(shift.unchanged for shift in every):
            return Finding(kind="unchanged", low=low, high=high, n=n)
        if all(shift.ruled_out for shift in every):
            return Finding(kind="ruled out", low=low, high=high, n=n)
        furthest = {name: max(shift.furthest for shift in shifts[name]) for name in AXES}
        return Finding(kind="within chance", low=low, high=high, n=n, furthest=furthest)
    besides = tuple(name for name, row in shifts.items() if name not in AXES and any(shift.moves for shift in row))
    return Finding(kind="moves", low=low, high=high, n=n, besides=besides)
