"""What names a path to be replayed, drawn or twin, on the command line; and what a twin is, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from amo_opt.errors import AmoOptError
from amo_opt.wording import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.simulation.outcome import Outcome
    from amo_opt.stress.tilts import Design, Tilt

TILT = "NOISE:AMOUNT[:LEVEL]"


class PathName(click.ParamType[tuple[int, int]]):
    """A path's number, or a twin's name: (path, component)."""

    name = "path"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The path and its component, 0 as drawn."""
        from amo_opt.stress.tilts import named_path

        if isinstance(value, tuple):
            return value
        try:
            return named_path(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class TiltText(click.ParamType["Tilt"]):
    """One noise, how far it is pushed, and the level at which the push ends."""

    name = "tilt"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Tilt:
        """The tilt."""
        from amo_opt.stress.tilts import Tilt, tilt_of

        if isinstance(value, Tilt):
            return value
        try:
            return tilt_of(str(value))
        except ValueError:
            self.fail(f"found {value!r}; allowed: {TILT}, such as share:-0.08:-2.6", param, ctx)
        except AmoOptError as error:
            self.fail(f"found {value!r}; {error}", param, ctx)


def design_of(path: tuple[int, int] | None, tilts: Sequence[Tilt]) -> Design | None:
    """The design in which that path is a twin by those tilts, one twin for one drawn path; None for a path as drawn. Raises `click.UsageError`."""
    from amo_opt.stress.tilts import Design, path_name

    component = 0 if path is None else path[1]
    if path is None or component == 0:
        if tilts:
            raise click.UsageError("--tilt needs the twin that it makes: --path N~tK, such as --path 17~t1")
        return None
    if not tilts:
        raise click.UsageError(
            f"--path: found {path_name(*path)!r}; a twin needs the tilts of its component: --tilt {TILT}, once for each noise, "
            "as the command beside the path has them"
        )
    try:
        # it hangs on its own component and number alone, so the others stay empty
        return Design(1, (*((),) * (component - 1), tuple(tilts)), (*(0,) * (component - 1), 1))
    except AmoOptError as error:
        raise click.UsageError(f"--tilt: {error}") from error


def told_twin(outcome: Outcome, design: Design) -> str:
    """What the twin of a one-row outcome is, in one line."""
    component = int(outcome.component_of[0])
    pushed = " and ".join(_told(tilt) for tilt in design.components[component - 1])
    weight = float(outcome.path_weight[0])
    share = f"1/{1.0 / weight:,.0f}" if weight < 0.1 else significant(weight, 2)
    return (
        f"path {int(outcome.path_of[0])} of {outcome.scenarios[0]}, twin {component}: {pushed}; all else as drawn; beside as many drawn paths it "
        f"has {share} of the weight of one that the tilt cannot reach"
    )


def _told(tilt: Tilt) -> str:
    if tilt.kind == "uniform":
        end = "upper" if tilt.amount > 0.0 else "lower"
        return f"{tilt.noise} drawn towards the {end} end of its range, {significant(math.exp(abs(tilt.amount)), 2)} times as likely there"
    until = ""
    if tilt.level is not None and tilt.kind == "walk":
        until = f" until it alone has taken the price to {significant(100.0 * math.exp(tilt.level), 2)}% of its start"
    elif tilt.level is not None:
        until = f" until it stands {significant(tilt.level, 2, signed=True)} standard deviations from its mean"
    since = "" if tilt.kind == "walk" else ", once the window is open"
    return f"hourly {tilt.noise} noise drifted by {significant(tilt.amount, 2, signed=True)}{since}{until}"
