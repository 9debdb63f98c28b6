"""What a run ends with: the finding, now beside the best set, what keeps it from being signed, where the report is, and what to call next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, TypeVar

import click

from amo_opt.cli.streams import say
from amo_opt.wording import MISSING, count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from amo_opt.config.study import Study
    from amo_opt.report.first import First
    from amo_opt.search.result import Result

F = TypeVar("F", bound="Callable[..., Any]")


def ending_options(function: F) -> F:
    """``--quick``, ``-q``, ``-v``, ``--open``, ``--json``, ``--full``."""
    for option in (
        click.option("--full", is_flag=True, help="With --json: the whole results.json in place of a summary."),
        click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON document on stdout: verdict, sets, differences, path, hashes."
        ),
        click.option("--open", "open_page", is_flag=True, help="Open the report in the browser."),
        click.option("-v", "--verbose", is_flag=True, help="Tell phases, tails and assumptions too."),
        click.option("-q", "--quiet", is_flag=True, help="Tell the verdict and the report's path alone, and no progress."),
        click.option("--quick", is_flag=True, help="The least budget that can decide anything: a look, never to be signed."),
    ):
        function = option(function)
    return function


def check_options(*, as_json: bool, full: bool, quiet: bool, verbose: bool) -> None:
    """Raises `click.UsageError` where options exclude each other, or one would do nothing."""
    if full and not as_json:
        raise click.UsageError("--full: without --json it would do nothing")
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose: found both; allowed: one of them")


def tell(
    result: Result,
    folder: Path,
    study: Study,
    *,
    as_json: bool,
    full: bool,
    quiet: bool,
    verbose: bool,
    open_page: bool,
    threads: int,
    whole: Study | None = None,
    phases: Sequence[tuple[str, float]] = (),
) -> None:
    """The end of a run on stdout; with ``as_json`` the document there and the verdict on stderr. ``whole`` is the study of which a quick run had a look."""
    from amo_opt.report.compact_json import compact_json
    from amo_opt.report.first import first_of
    from amo_opt.report.results_json import results_json
    from amo_opt.report.ruling import explanation_of

    page = folder / "report.html"
    verdict = f"{result.verdict}{' (quick run)' if result.study.quick else ''}: {explanation_of(result)}"
    if as_json or quiet:
        say(verdict, err=as_json)
        say(f"report: {page}", err=as_json)
        if as_json:
            click.echo(results_json(result) if full else compact_json(result, folder), nl=False)
    else:
        first = first_of(result)
        say(first.title)
        say(verdict)
        _table(result, first)
        for line in _unsigned(result, first):
            say(f"not to be signed: {line}")
        if verbose:
            _more(result, phases)
        for line in more_words(result, study, threads, whole):
            say(line)
        say(f"report: {page}")
        say(f"next: {_next(result, folder, study)}")
    if open_page:
        _open(page)


def _table(result: Result, first: First) -> None:
    """Now beside the best set: yield with its amount a year, peg risk, limits kept, and every parameter that changes."""
    from amo_opt.cli.tables import print_table
    from amo_opt.report.ruling import limits_kept
    from amo_opt.report.sets import subject_of

    subject = subject_of(result)
    sets = [each for each in (subject.current, subject.other) if each is not None]
    rows: list[list[str]] = []
    for tile in (first.yields, first.peg):
        alone = len(tile.levels) < 2 or tile.difference is None
        moved = [] if len(sets) < 2 else [MISSING if alone else f"{tile.big} {tile.state[0]} {tile.state[1]}"]
        rows.append([tile.title.lower(), *(level.text for level in tile.levels), *moved])
    rows.append(["limits", *(limits_kept(subject.score(each)) for each in sets), *([""] if len(sets) > 1 else [])])
    rows += [[each.label, each.now, each.then, each.change] for each in first.changes]
    heads = ("", "today", *((f"{first.option}{'' if first.recommended else ', not recommended'}", "difference") if len(sets) > 1 else ()))
    print_table("", (heads, rows))


def _unsigned(result: Result, first: First) -> tuple[str, ...]:
    """What keeps a recommendation from being signed."""
    from amo_opt.report.sections.decision import blockers_of

    if not first.recommended or first.ready:
        return ()
    return tuple(each.reason for each in blockers_of(result)) or ("the study's date lies in the future",)


def _more(result: Result, phases: Sequence[tuple[str, float]]) -> None:
    """What assumptions, A and the tails say of the verdict, and how long each phase took."""
    from amo_opt.cli.tables import print_table
    from amo_opt.cli.watch import TITLES
    from amo_opt.report.sections.doubt import doubt_words
    from amo_opt.report.sections.risk import told_risk
    from amo_opt.report.sets import subject_of
    from amo_opt.report.stories.finding import optimum_words

    if result.doubt is not None:
        say(f"{doubt_words(result.doubt)}.")
    if result.profile is not None:
        say(f"{optimum_words(result.profile.optimum)}.")
    for sentence in told_risk(result, subject_of(result)):
        say(sentence)
    print_table("", (("phase", "seconds"), [(TITLES[name], f"{seconds:,.1f}") for name, seconds in phases]))


def more_words(result: Result, study: Study, threads: int, whole: Study | None) -> tuple[str, ...]:
    """Of a verdict on too few paths how many more would do, and of a quick run what the whole one is, each with roughly how long it takes; nothing elsewhere."""
    from amo_opt.search.quick import more_paths, with_paths

    found, told = more_paths(result), []
    if found is not None and found.more is not None and found.paths is not None:
        time = _about(with_paths(study, found.paths), threads)
        told.append(
            f"more paths: about {found.more:,} more of each scenario than the {found.each:,} that it stands on (--paths {found.paths:,}), {time}"
        )
    elif found is not None:
        told.append(
            f"more paths: the figure itself is beyond its limit on the {found.each:,} of each scenario that it stands on, no interval's width"
        )
    if whole is not None:
        paths = whole.simulation.paths * whole.certification.multiple - result.study.simulation.paths * result.study.certification.multiple
        told.append(
            f"the whole run: {whole.search.trials:,} sets and {count(max(0, paths), 'more path')} of each scenario to select on, {_about(whole, threads)}"
        )
    return tuple(told)


def _about(study: Study, threads: int) -> str:
    from amo_opt.search.optimise import size_of_run
    from amo_opt.simulation.size import told_seconds

    seconds = size_of_run(study, trials=study.search.trials, threads=threads).seconds
    return "less than a minute" if seconds < 60.0 else f"about {told_seconds(seconds)} at most"


def _next(result: Result, folder: Path, loaded: Study) -> str:
    """The command that the verdict asks for."""
    from amo_opt.search.quick import more_paths

    study, found = shlex.quote(str(loaded.path or "STUDY.toml")), more_paths(result)
    if result.study.quick:
        return f"amo-opt run {study}"
    if result.verdict == "recommended":
        return f"amo-opt break {study} {shlex.quote(str(folder / 'parameters.toml'))}"
    if found is not None and found.paths is not None:
        return f"amo-opt run {study} --paths {found.paths} --out {shlex.quote(f'{folder}-{found.paths}-paths')}"
    return f"amo-opt profile {study}"


def _open(page: Path) -> None:
    """The page in the browser; one sentence where there is none."""
    import webbrowser

    try:
        opened = webbrowser.open(page.resolve().as_uri())
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        say(f"--open: there is no browser here; open {page} in one", err=True)
