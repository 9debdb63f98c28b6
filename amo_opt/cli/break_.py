"""``amo-opt break``: the largest run, depeg and freeze that a parameter set survives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amo_opt.cli.options import check_plot, json_option, load, plot_option, print_json, size_options, thread_count
from amo_opt.cli.streams import say
from amo_opt.wording import significant

if TYPE_CHECKING:
    from amo_opt.search.break_points import Breaking, BreakPoint


def _point(point: BreakPoint) -> dict[str, Any]:
    return {"share": point.share, "value": point.value, "interval": point.interval and [*point.interval], "n": point.n}


def _document(each: Breaking) -> dict[str, Any]:
    return {
        "stress": each.stress,
        "unit": each.unit,
        "largest": each.largest,
        "resolution": each.resolution,
        "half": _point(each.half),
        "most": _point(each.most),
        "dead_at_zero": each.dead_at_zero,
        "unbroken": each.unbroken,
        "violations": each.violations,
        "reasons": each.reasons,
        "points": each.points.tolist(),
    }


def _print(label: str, each: Breaking) -> None:
    from amo_opt.report.stories.break_ import interval_text

    say(f"{label}: {each.unit}, 0 to {each.largest:g}, steps of {each.resolution:.2g}")
    for name, point in (("half", each.half), ("95%", each.most)):
        say(f"  {name} of the paths survive {significant(point.value, 4)} [{interval_text(point)}] (n = {point.n})")
    if each.dead_at_zero:
        say(f"  {each.dead_at_zero} of {each.half.n} paths fail at size 0")
    if each.unbroken:
        say(f"  {each.unbroken} of {each.half.n} paths survive the largest size: their break point lies beyond it")
    reasons = ", ".join(f"{name} {count}" for name, count in each.reasons.items() if count) or "nothing"
    say(f"  breaks first (paths): {reasons}; {each.violations} paths not monotone in size")


@click.command("break")
@click.argument("study_file", type=click.Path(path_type=Path), metavar="STUDY.toml")
@click.argument("parameters_file", type=click.Path(path_type=Path), metavar="PARAMS.toml")
@plot_option("Draw the survival curves: .html, .svg or .png.")
@size_options
@json_option
def command(
    study_file: Path,
    parameters_file: Path,
    *,
    plot_file: Path | None,
    seed: int | None,
    paths: int | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Find by bisection the largest run, collateral depeg and lending freeze that a parameter set survives, path by path.

    Without --paths, 128 paths a stress. Every figure has a 95% interval over paths; from fewer than 30 none is known.

    The size of a run is who sets out: the share of the holders outside the pools that leaves within 24 hours. The run capacity is the
    largest run in which the price holds, whatever else fails. Beside it stands who is paid: the share of all outside supply that the pool
    or the issuer takes from sellers within those 24 hours at that size, calm's own sellers included (redeemed claims count at once).

    \b
    Example:
      amo-opt break studies/frax-2022.toml studies/parameters/frax-current.toml --plot break.html
    """
    if plot_file is not None:
        check_plot(plot_file)
    from amo_opt.config.load import load_parameters
    from amo_opt.report.stories.break_ import definition
    from amo_opt.search.reverse_stress import PATHS, reverse_stress

    study = load(study_file, seed=seed, paths=paths)
    found = reverse_stress(
        load_parameters(parameters_file, study.state),
        study,
        paths=PATHS if paths is None else paths,
        workers=thread_count(workers),
        progress=lambda stress, done, total: click.echo(f"{stress}: {done}/{total} rounds", err=True),
    )
    if plot_file is not None:
        from amo_opt.report.figures.break_ import save_break
        from amo_opt.report.stories.break_ import caption_of, panels_of

        title = f"Reverse stress of {found.parameters}"
        save_break(plot_file, panels_of(found), title=title, caption=caption_of(found, study.search.seed))
        say(f"drawn in {plot_file}", err=True)
    if as_json:
        sizes = (found.run_capacity.half, found.run_capacity.most)
        print_json(
            {
                "schema": 1,
                "study": found.study,
                "parameters": found.parameters,
                "definition": definition(found),
                "stresses": [_document(each) for each in found.breaking],
                "run_capacity": {
                    **_document(found.run_capacity),
                    "paid_out_24h": {
                        "unit": "share of outside supply at the onset",
                        **{
                            name: {"size": size.value, **_point(paid)}
                            for name, size, paid in zip(("half", "most"), sizes, found.paid, strict=True)
                        },
                    },
                },
            }
        )
        return
    from amo_opt.report.stories.break_ import paid_sentences

    say(f"{found.parameters}, {found.study}. Survives: {definition(found)}")
    for each in found.breaking:
        _print(each.stress, each)
    _print("run capacity (price alone)", found.run_capacity)
    for line in paid_sentences(found):
        say(f"  {line}")
