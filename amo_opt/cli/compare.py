"""``amo-opt compare``: a candidate against a baseline, for people and for CI."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import json_option, load, study_option, thread_count, workers_option
from amo_opt.cli.streams import say
from amo_opt.cli.watch import counting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.comparison.verdict import Comparison

FORMATS = ("text", "md", "json", "junit", "github")


def print_github(comparisons: Sequence[Comparison]) -> None:
    """Annotations on stdout, of several candidates each its part of those that are shown; the summary at the end of ``$GITHUB_STEP_SUMMARY``, or printed where there is none."""
    from amo_opt.comparison.github import MOST, commands, plain, summary

    for comparison in comparisons:
        candidate = Path(comparison.files[1]) if comparison.files else Path()
        for each in commands(
            comparison, file=in_workspace(candidate), lines=written_lines(candidate), most=max(1, MOST // len(comparisons))
        ):
            click.echo(each)
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(summary(comparisons))
        for comparison in comparisons:
            click.echo(plain(comparison))
    else:
        click.echo(summary(comparisons), nl=False)


def written_lines(file: Path) -> dict[str, int]:
    """The line of each parameter, those of a keeper or a pool under their dotted name, in whichever way TOML writes them."""
    from amo_opt.config.toml_file import read_document

    return {".".join(map(str, key)): line for key, line in read_document(file, str(file)).lines.items()}


def in_workspace(file: Path) -> str:
    """The file as GitHub names it: relative to the checkout, where it lies inside."""
    workspace = os.environ.get("GITHUB_WORKSPACE") or "."
    path, root = file.resolve(), Path(workspace).resolve()
    return path.relative_to(root).as_posix() if root in path.parents else file.as_posix()


def print_comparisons(comparisons: Sequence[Comparison], kind: str) -> None:
    """The verdicts on stdout, in one of `FORMATS`."""
    from amo_opt.comparison.documents import json_text, junit_xml
    from amo_opt.comparison.markdown import markdown

    match kind:
        case "github":
            print_github(comparisons)
        case "text":
            from amo_opt.cli.compare_tables import print_several, print_tables

            if len(comparisons) == 1:
                print_tables(comparisons[0])
            else:
                print_several(comparisons)
        case _:
            click.echo({"md": markdown, "json": json_text, "junit": junit_xml}[kind](comparisons), nl=False)


@click.command("compare")
@click.argument("baseline_file", type=click.Path(path_type=Path), metavar="BASELINE.toml")
@click.argument("candidate_files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CANDIDATE.toml…")
@study_option
@click.option(
    "--gates", "gates_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Gates (default: safety and yield)."
)
@click.option("--paths", type=click.IntRange(1, 10_000_000), default=None, help="Paths per scenario (default: 1024).")
@click.option("--format", "kind", type=click.Choice(FORMATS), default=None, help="What to print (default: text).")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=None, metavar="DIR", help="Write verdict.json and run.json there."
)
@click.option(
    "--baseline-run",
    type=click.Path(path_type=Path),
    default=None,
    metavar="run.json",
    help="A stored run in place of simulating the baseline.",
)
@click.option("--exit-zero", is_flag=True, help="Advice only: exit 0 whatever the verdict.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Other paths than the study's own.")
@workers_option
@json_option
def command(
    baseline_file: Path,
    candidate_files: tuple[Path, ...],
    *,
    study_file: Path,
    gates_file: Path | None,
    paths: int | None,
    kind: str | None,
    out: Path | None,
    baseline_run: Path | None,
    exit_zero: bool,
    seed: int | None,
    workers: int | None,
    as_json: bool,
) -> int:
    """Run the sets on the same certification paths and judge the differences: exit 0 where no gate fails, 1 where one does, 2 for a wrong call.

    Several candidates stand in one table, each judged as if it were alone; the exit status is that of the worst.

    \b
    Example:
      amo-opt compare studies/parameters/frax-current.toml reports/frax-2022/parameters.toml --study studies/frax-2022.toml
      amo-opt compare base.toml new.toml newer.toml --study study.toml
      amo-opt compare base.toml new.toml --study study.toml --gates gates.toml --format junit > compare.xml
      amo-opt compare base.toml new.toml --study study.toml --out verdict        # then, with another candidate:
      amo-opt compare base.toml newer.toml --study study.toml --baseline-run verdict/run.json
    """
    from amo_opt.comparison.compare import compare_all
    from amo_opt.comparison.gates import load_gates
    from amo_opt.comparison.store import write_comparison
    from amo_opt.config.load import load_parameters

    if as_json and kind not in {None, "json"}:
        raise click.UsageError(f"--json and --format {kind}: allowed: one of them")
    study = load(study_file, seed=seed)
    baseline, *candidates = (load_parameters(file, study.state) for file in (baseline_file, *candidate_files))
    gates = None if gates_file is None else load_gates(gates_file)
    with counting("paths", "blocks of paths") as progress:
        compared = compare_all(
            baseline,
            candidates,
            study,
            gates=gates,
            paths=paths,
            baseline_run=baseline_run,
            advice=exit_zero,
            workers=thread_count(workers),
            progress=progress,
        )
    found = [replace(each, files=(str(baseline_file), str(file))) for each, file in zip(compared, candidate_files, strict=True)]
    if out is not None:
        write_comparison(found, out)
        say(f"verdict.json and run.json written to {out}", err=True)
    print_comparisons(found, "json" if as_json else kind or "text")
    return max(each.exit_status for each in found)
