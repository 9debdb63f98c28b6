"""What was searched and how: space, trials, failures, sampler, seeds, sizes, optimism gap; and what reproduces it."""

from __future__ import annotations

import platform
import shlex
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from amo_opt.report.sections.risk import designs_of
from amo_opt.report.wording import Scale, metric_of, paths_of, plain_number, scale_for
from amo_opt.search.stall import GROWTH, stalled_after
from amo_opt.stress.tilts import path_name
from amo_opt.wording import clean, sized_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amo_opt.config.study import Study
    from amo_opt.search.planning import Plan
    from amo_opt.search.result import Result, Trial, WorstPath

PACKAGES = ("amo-opt", "numpy", "numba", "optuna")


@dataclass(frozen=True)
class SpaceRow:
    """One searched parameter and its interval."""

    name: str
    low: str
    high: str
    scale: str


@dataclass(frozen=True)
class GapRow:
    """Optimism: the same metric as the search saw it, on selection paths (where the set was chosen) and on untouched holdout paths."""

    title: str
    unit: str
    search: str
    on_selection: str
    on_holdout: str
    search_to_selection: str
    selection_to_holdout: str
    n: str


@dataclass(frozen=True)
class Disclosure:
    """Sections 11 and 14."""

    space: tuple[SpaceRow, ...]
    sizes: tuple[tuple[str, str], ...]
    failures: tuple[tuple[str, str], ...]
    gap: tuple[GapRow, ...]
    gap_of: str
    versions: tuple[tuple[str, str], ...]
    command: str


def versions() -> dict[str, str | None]:
    """Versions that decide the bytes; ``None`` where a package is not installed as one."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def disclosure_of(result: Result) -> Disclosure:
    """Everything a reader needs to judge the search, and to do it again."""
    study = result.study
    space = tuple(
        SpaceRow(name, plain_number(each.low), plain_number(each.high), "log" if each.log else "linear")
        for name, each in study.search.space.items()
    )
    return Disclosure(
        space=space,
        sizes=_sizes(result),
        failures=_failures(result.trials),
        gap=_gap(result),
        gap_of="the proposed set" if result.verdict == "recommended" else "the current set",
        versions=tuple((name, version or "not installed") for name, version in versions().items()),
        command=_command(result),
    )


def _sizes(result: Result) -> tuple[tuple[str, str], ...]:
    study, trials = result.study, result.trials
    scored = [each for each in trials if each.score is not None]
    feasible = [each for each in scored if each.score is not None and each.score.feasible]
    origins = {origin: sum(each.origin == origin for each in trials) for origin in ("current", "seed", "sampler")}
    hypervolume = f"{result.hypervolume[-1]:.4g}" if result.hypervolume else "not measured"
    return (
        (
            "Trials",
            f"{len(trials)} ({origins['current']} current set, {origins['seed']} domain seeds, {origins['sampler']} from the sampler)",
        ),
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


def _gap(result: Result) -> tuple[GapRow, ...]:
    rows = []
    for name, (search, on_selection, on_holdout) in result.gap.items():
        metric = metric_of(name, result.study.state.unit)
        scale = scale_for(metric.unit, (search, on_selection.value, on_holdout.value))
        rows.append(
            GapRow(
                title=metric.title,
                unit=scale.unit,
                search=scale.number(search),
                on_selection=f"{scale.number(on_selection.value)} ({scale.interval(on_selection)})",
                on_holdout=f"{scale.number(on_holdout.value)} ({scale.interval(on_holdout)})",
                search_to_selection=scale.number(search - on_selection.value, signed=True),
                selection_to_holdout=scale.number(on_selection.value - on_holdout.value, signed=True),
                n=paths_of(on_holdout),
            )
        )
    return tuple(rows)


def _command(result: Result) -> str:
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
