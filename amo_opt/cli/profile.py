"""``amo-opt profile``: what each parameter does by itself, and which parameters do nothing."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.options import check_plot, json_option, load, plot_option, print_json, size_options, thread_count
from amo_opt.cli.streams import say
from amo_opt.cli.watch import counting


@click.command("profile")
@click.argument("study_file", type=click.Path(path_type=Path), metavar="STUDY.toml")
@click.option("--parameter", "names", multiple=True, metavar="NAME", help="Only this searched parameter; give it again for more.")
@click.option(
    "--points", type=click.IntRange(2, 1000), default=7, show_default=True, help="Values over each range, the current one besides."
)
@plot_option("Draw it: .html, .svg or .png.")
@size_options
@json_option
def command(
    study_file: Path,
    *,
    names: tuple[str, ...],
    points: int,
    plot_file: Path | None,
    seed: int | None,
    paths: int | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Move each searched parameter of the current set over its range by itself, everything else held, all on the same selection paths.

    Tells by term what it does: figures with 95% intervals and n, paired differences to the current set, which of them are larger than
    chance, and in one line each whether the parameter is FLAT or yield and peg risk have an INTERIOR OPTIMUM, are MONOTONE or best at an EDGE.

    \b
    Example:
      amo-opt profile studies/frax-2022.toml
      amo-opt profile studies/frax-2022.toml --parameter amplification --parameter idle_buffer \\
          --points 11 --paths 640 --plot profile.html
    """
    from amo_opt.cli.profile_tables import document, print_profiles
    from amo_opt.search.profile import profile

    if plot_file is not None:
        check_plot(plot_file)
    study = load(study_file, seed=seed, paths=paths)
    with counting("profiles", "profiles") as tell:
        found = profile(
            study,
            list(names) or None,
            points=points,
            workers=thread_count(workers),
            progress=lambda event: tell(event.done, event.total),
        )
    if plot_file is not None:
        from amo_opt.report.figures.profiles import save_profiles
        from amo_opt.report.stories.profiles import profile_pages

        save_profiles(plot_file, profile_pages(found), title=f"What each parameter of {study.current.name} does, {study.name}")
        say(f"drawn in {plot_file}", err=True)
    if as_json:
        print_json(document(found))
        return
    print_profiles(found)
