"""``amo-opt validity``: how well a fit of spells predicts the histories of an evidence file that it has not seen, beside two rivals."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.options import check_folder, json_option, print_json
from amo_opt.cli.streams import say


@click.command("validity")
@click.argument("evidence_file", metavar="EVIDENCE.toml", type=click.Path(path_type=Path))
@click.option(
    "--study",
    "study_file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="STUDY.toml",
    help="The pool that predicts.  [default: the shipped pool alone]",
)
@click.option("--paths", type=click.IntRange(32, 4096), default=256, show_default=True, help="Paths of each forecast.")
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    default=None,
    metavar="PAGE.md",
    help="Write the tables into a page, between its marks or at its end.",
)
@json_option
def command(*, evidence_file: Path, study_file: Path | None, paths: int, page: Path | None, as_json: bool) -> None:
    """How well recorded pools are predicted by figures that have not seen what they predict: bands of 90 and 50%, CRPS and PIT of the pool's share and depth, beside "nothing changes" and random
    walks; and what the pool does when it is told the recorded flows. Three minutes of CPU for the shipped evidence.

    The evidence file names the histories, relative to $AMO_OPT_HISTORY_DIR.

    \b
    Example:
      amo-opt validity studies/evidence/pools-2022.toml
      amo-opt validity studies/evidence/pools-2022.toml --page docs/validity.md
    """
    from amo_opt.config.evidence import load_evidence
    from amo_opt.config.load import load_study
    from amo_opt.config.starter import examples
    from amo_opt.report.stories.forecasts import document, goals, page_text_of, put_into, verdict
    from amo_opt.report.stories.forecasts import page as page_text
    from amo_opt.scoring.forecasts import validity

    if page is not None:
        check_folder("--page", page)
        page_text_of(page)
    evidence = load_evidence(evidence_file)
    study = load_study(examples() / "pool.toml" if study_file is None else study_file)
    found = validity(study, evidence, paths=paths, told_of=lambda text: say(text, err=True))
    if page is not None:
        put_into(page, found)
        say(f"written into {page}", err=True)
    if as_json:
        print_json(document(found))
        return
    if page is None:
        click.echo(page_text(found))
        return
    for what, came, met in goals(found):
        click.echo(f"{verdict(met).upper() if met is False else verdict(met)}: {what}: {came}")
