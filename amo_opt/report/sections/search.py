"""Section 11: what was searched and how: space, trials, failures, sampler, seeds, sizes, convergence, optimism gap; and what reproduces it."""

from __future__ import annotations

import platform
import shlex
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Code, Heading, InText, Line, Long, Pairs, Picture, See, Table, Text, n, num, told
from amo_opt.report.sections.risk import designs_of
from amo_opt.report.wording import Scale, metric_of, paths_of, plain_number, scale_for
from amo_opt.search.stall import GROWTH, stalled_after
from amo_opt.stress.tilts import path_name
from amo_opt.wording import clean, count, sized_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amo_opt.config.study import Study
    from amo_opt.report.account import Account
    from amo_opt.search.planning import Plan
    from amo_opt.search.result import Result, Trial, WorstPath

PACKAGES = ("amo-opt", "numpy", "numba", "optuna")


SETTLED = 0.99
FLATTERED = (
    "scored in the search, on selection paths where it was judged, and on untouched holdout paths. "
    "A search picks what its own paths flatter; the gaps show by how much."
)

OPEN_TAIL = "The tail is not settled (section 5), so the gap of peg risk is no measure of optimism."


@dataclass(frozen=True)
class Convergence:
    """Hypervolume after each batch, as shares of the last; empty where it was not measured."""

    shares: tuple[float, ...]
    caption: str


def finding(of: Account) -> str:
    """How many trials, and where they came from."""
    return f"How it was searched: {trials_words(of.result)}"


def blocks(of: Account) -> list[Block]:
    """Sizes and seeds, how it converged, the space, what failed, and by how much the search flattered itself."""
    space = of.study.search.space
    curve = convergence_of(of.result)
    failed = Table(("Cause of failure", "Trials"), _failures(of.result.trials), label="Failed trials", narrow=True)
    intervals = [
        (Code(name), plain_number(each.low), plain_number(each.high), "log" if each.log else "linear") for name, each in space.items()
    ]
    return [
        Pairs(tuple(_sizes(of.result))),
        Heading("Convergence"),
        *([Picture("hypervolume"), InText(Text(curve.caption))] if len(curve.shares) > 1 else [Text(curve.caption)]),
        Text("Which parameters mattered is in ", See("choice", "section 6"), "."),
        InText(Text(f"The interval of each of the {len(space)} searched parameters: ", See("space"), ".")),
        Long("space", "The space searched", Table(("Parameter", num("Low"), num("High"), "Scale"), intervals, narrow=True)),
        *([Heading("Failed trials"), failed] if failed.rows else []),
        Heading("Optimism gap"),
        *_gap(of),
    ]


def versions() -> dict[str, str | None]:
    """Versions that decide the bytes; ``None`` where a package is not installed as one."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def trials_words(result: Result) -> str:
    """``40 (1 current set, 3 domain seeds, 36 from the sampler)``."""
    current, seeds, sampled = (sum(each.origin == origin for each in result.trials) for origin in ("current", "seed", "sampler"))
    return f"{len(result.trials)} ({current} current set, {seeds} domain seeds, {sampled} from the sampler)"


def _sizes(result: Result) -> tuple[tuple[str, str], ...]:
    study, trials = result.study, result.trials
    scored = [each for each in trials if each.score is not None]
    feasible = [each for each in scored if each.score is not None and each.score.feasible]
    hypervolume = f"{result.hypervolume[-1]:.4g}" if result.hypervolume else "not measured"
    return (
        ("Trials", trials_words(result)),
        ("Failed trials", str(len(trials) - len(scored))),
        *_early(result),
        ("Trials that kept every limit at point values", str(len(feasible))),
        ("Sets on the search's front", str(len(result.front))),
        ("Hypervolume of the front at the end", hypervolume),
        ("Sampler", f"{clean(result.sampler)}, batches of {study.search.batch}"),
        ("Trials screened out at few paths, clearly infeasible", str(result.screened)),
        (
            "Seed",
            f"{study.search.seed}; the search draws from the stream search, certification from the streams selection and holdout, which share no draw with it",
        ),
        ("Paths in the search", f"{result.paths_search:,} ({study.simulation.paths} for each of {len(study.scenarios)} scenarios)"),
        *_certified(result),
        ("Hours on each path", f"{study.simulation.transition_hours} of transition, {study.simulation.window_hours} scored"),
        ("Sets certified", str(len(result.candidates))),
    )


def _certified(result: Result) -> Iterator[tuple[str, str]]:
    """The paths of each stream, and what the holdout was planned for; those of each scenario stand beside its figures."""
    for stream in ("selection", "holdout"):
        designs = designs_of(result, stream).values()
        if designs:
            n = sized_count(sum(each.paths for each in designs), sum(sum(each.twins) for each in designs), "path")
            yield f"{stream.capitalize()} paths", f"{n}{_planned(result.plan) if stream == 'holdout' else ''}"


def _planned(plan: Plan | None) -> str:
    if plan is None or plan.wanted is None or plan.expected is None:
        return ""
    scale = Scale(1.0, 1, "bp").fine(plan.expected)
    capped = ", which the study caps" if plan.capped else ""
    return f", planned for ±{scale.text(plan.wanted)} on the difference in peg risk, ±{scale.text(plan.expected)} expected{capped}"


def _early(result: Result) -> tuple[tuple[str, str], ...]:
    """Where the study ends things early: sets stopped on few paths, and a search at rest."""
    search = result.study.search
    rows = []
    if search.screen_paths:
        told = f"{result.screened} clearly infeasible sets, on the first {search.screen_paths} paths of each scenario; every other score is of all paths"
        rows.append(("Stopped early", told))
    if search.stall:
        end = stalled_after(result.hypervolume, search.stall)
        reached = f"reached after {end * search.batch} trials" if end is not None else "not reached"
        rows.append(("End of the search", f"{search.stall} batches that add less than {GROWTH:.1%} to the hypervolume in all: {reached}"))
    return tuple(rows)


def _failures(trials: tuple[Trial, ...]) -> tuple[tuple[str, str], ...]:
    """Each cause with the trials it struck, the most frequent first."""
    causes: dict[str, list[int]] = {}
    for trial in trials:
        if trial.score is None:
            causes.setdefault(clean(trial.failure or "no reason recorded"), []).append(trial.number)
    ordered = sorted(causes.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple((cause, ", ".join(str(number) for number in numbers)) for cause, numbers in ordered)


def _gap(of: Account) -> list[Block]:
    rows: list[tuple[Line, ...]] = []
    for name, (search, on_selection, on_holdout) in of.result.gap.items():
        metric = metric_of(name, of.unit)
        scale = scale_for(metric.unit, (search, on_selection.value, on_holdout.value))
        gaps = (scale.number(each, signed=True) for each in (search - on_selection.value, on_selection.value - on_holdout.value))
        both = (told(each, scale) for each in (on_selection, on_holdout))
        rows.append((metric.title, scale.unit, scale.number(search), *both, *gaps, paths_of(on_holdout)))
    if not rows:
        return [Text("No gap was recorded.")]
    heads = ("Selection paths (95%)", "Holdout paths (95%)", "Search − selection", "Selection − holdout")
    return [
        Text(f"What the {'proposed' if of.recommended else 'current'} set {FLATTERED}"),
        Table(("Metric", "Unit", num("Search"), *map(num, heads), n("n each")), rows, label="Optimism gap"),
        Text("" if of.result.tails.settled else OPEN_TAIL),
    ]


def run_command(result: Result) -> str:
    """The call with everything that may have been overridden; only the study's file name, since folders are the reader's own."""
    study = result.study
    call = [
        "amo-opt",
        "run",
        _file(study),
        "--seed",
        str(study.search.seed),
        "--paths",
        str(study.simulation.paths),
        "--trials",
        str(len(result.trials)),
    ]
    return shlex.join(call)


def replay_command(worst: WorstPath, study: Study) -> str:
    """The call that replays one of the deepest paths, beside the study's file and the report's parameters."""
    call = ["amo-opt", "simulate", "parameters.toml", "--study", _file(study), "--seed", str(study.search.seed)]
    call += ["--scenario", worst.scenario, "--stream", "holdout", "--path", path_name(worst.path, worst.component)]
    return shlex.join([*call, *(part for tilt in worst.tilts for part in ("--tilt", str(tilt)))])


def _file(study: Study) -> str:
    return f"{study.name}.toml" if study.path is None else study.path.name


def convergence_of(result: Result) -> Convergence:
    """The curve and the batch from which it stood within one per cent of its end."""
    values = result.hypervolume
    last = values[-1] if values else 0.0
    if last <= 0.0:
        return Convergence((), "The front's hypervolume was not measured, so convergence is not shown.")
    shares = tuple(value / last for value in values)
    settled = next(number for number, share in enumerate(shares, start=1) if share >= SETTLED)
    late = (
        "the search may have had more to find"
        if settled > 0.75 * len(shares)
        else "the last quarter of the search found nearly nothing more"
    )
    return Convergence(
        shares,
        f"The front's hypervolume was within 1% of its end after batch {settled} of {len(shares)}: {late} "
        f"(point values of the search's own paths, n = {count(len(result.trials), 'trial')} of {count(result.paths_search, 'path')}, seed {result.study.search.seed}).",
    )
