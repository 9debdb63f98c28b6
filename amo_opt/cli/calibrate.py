"""``amo-opt calibrate``: flow and run parameters fitted to a history, and the TOML to paste."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import check_folder, json_option, print_json
from amo_opt.cli.streams import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.config.evidence import Evidence
    from amo_opt.stress.calibration.spells import Steps

DRAWS = 256
"""Joint draws that a fit is written with."""


def fit_evidence(file: Path, *, out: Path | None, draws: int, as_json: bool) -> None:
    """The joint fit of an evidence file's histories: figures with ranges told, and written with their draws."""
    from amo_opt.config.evidence import load_evidence, load_spells, range_of, spells_text
    from amo_opt.files import write_whole
    from amo_opt.stress.calibration.joint import BEYOND, WINDOW_DAYS, doubts_of, joint
    from amo_opt.stress.fitted_spells import NEW, SCALES, SHARED

    if out is not None:
        _check_out(out)
    found = load_evidence(file)
    say(f"fitting {len(found.histories)} histories jointly", err=True)
    pools, told = _steps_of_all(found, err=as_json)
    result = joint(pools, count=draws, name=found.name, further=True)
    exits = [
        f"beyond the spells: {name}, {BEYOND[name]}: {each.value:.2g} ({each.low:.2g} to {each.high:.2g}), n = {each.n} steps"
        for name, each in result.further.items()
    ]
    names = [*SHARED, *(f"{pool}.{scale}" for pool in (*(each.name for each in pools), NEW) for scale in SCALES)]
    ranges = {name: range_of(result.draws[name], result.best[name]) for name in names}
    doubts = doubts_of(result, pools)
    if out is not None:
        beside = out.with_suffix(".csv")
        text, rows = spells_text(
            out.stem, found.notes, told, result.best, result.draws, pools=[each.name for each in pools], days=WINDOW_DAYS, file=beside.name, further=exits, **result.drift._asdict(),
        )  # fmt: skip
        write_whole(beside, rows)
        write_whole(out, text)
        load_spells(out)
        say(f"written: {out} and {beside}", err=True)
    if as_json:
        figures = [{"name": name, "value": result.best[name], "interval": ranges[name]} for name in names]
        drift = {"days": WINDOW_DAYS, **result.drift._asdict()}
        print_json(
            {
                "schema": 1,
                "fit": "spells",
                "evidence": told,
                "draws": draws,
                "effective": result.effective,
                "figures": figures,
                "drift": drift,
                "beyond": {
                    name: {"value": each.value, "interval": [each.low, each.high], "n": each.n} for name, each in result.further.items()
                },
                "doubts": doubts,
            }
        )
        return
    for line in told:
        click.echo(line)
    for line in doubts:
        say(f"doubtful: {line}")
    click.echo(f"{draws} joint draws, of {result.effective:.0%} of as many proposals' worth; ranges are 95%")
    for name in names:
        low, high = ranges[name]
        click.echo(f"{name}: {result.best[name]:.4g}; {low:.4g} to {high:.4g}")
    for line in exits:
        click.echo(line)
    for place, scale in enumerate(SCALES):
        mean, deviation = result.drift.means[place], result.drift.deviations[place]
        click.echo(
            f"log of {scale} over {WINDOW_DAYS:g} days, less that of all days before: {mean:.2g}, deviation {deviation:.2g}; n = {result.drift.windows} windows"
        )


def _steps_of_all(found: Evidence, *, err: bool) -> tuple[list[Steps], list[str]]:
    """Every history's steps, and what each was in words; rows left out are told as they are met."""
    from amo_opt.stress.calibration.spells import steps_of

    pools, told = [], []
    for each in found.histories:
        steps, gone = steps_of(each.table, amplification=each.amplification)
        pools.append(replace(steps, name=each.name))
        first, last = each.table.times()[0].date(), each.table.times()[-1].date()
        episodes = [episode.name for episode in found.episodes if episode.history == each.name]
        within = f", in sample with it: {', '.join(episodes)}" if episodes else ""
        told.append(f"{each.name}: {each.file}, {int(steps.used.sum())} steps from {first} to {last} ({each.source}){within}")
        for line in gone:
            say(f"left out: {each.name}: {line}", err=err)
    return pools, told


def _check_out(out: Path) -> None:
    """Raises `click.UsageError` for what would be no name of a fit, or has no folder: told before the work."""
    from amo_opt.config.schema import NAME_FORM

    if out.suffix != ".toml" or out.is_dir() or re.fullmatch(NAME_FORM, out.stem) is None:
        allowed = "a file ending in .toml, before it small letters, digits and hyphens, which name the fit"
        raise click.UsageError(f"--out: found {out}; allowed: {allowed}")
    check_folder("--out", out)


def check_options(
    fit: str,
    external_supply: float | None,
    leave_out: tuple[str, ...],
    *,
    pool: Path | None,
    history: tuple[Path, ...],
    study: Path | None,
    amplification: tuple[float, ...] = (),
    evidence: Path | None = None,
    out: Path | None = None,
    draws: int | None = None,
) -> None:
    """Raises `click.UsageError` where an option is missing or would do nothing for this fit."""
    if evidence is not None:
        others = {
            "--history": history,
            "--pool": pool,
            "--amplification": amplification,
            "--external-supply": external_supply,
            "--study": study,
        }
        _check_alone(fit, {**others, "--leave-out": leave_out})
        return
    if out is not None or draws is not None:
        raise click.UsageError("--out and --draws: they are of --evidence FILE.toml, whose joint draws are written beside the figures")
    if (not history) == (pool is None):
        found, read = ("neither", "") if not history else ("both", ": a fit reads one file")
        raise click.UsageError(f"--history and --pool: found {found}{read}; allowed: one of them")
    if len(history) > 1 and fit != "spells":
        raise click.UsageError(f"--history: found {len(history)}; --fit {fit} reads one file, several are read by --fit spells")
    if amplification and fit != "spells":
        raise click.UsageError(f"--amplification: --fit {fit} does not use it; allowed with --fit spells")
    if fit == "flow" and external_supply is None and study is None:
        raise click.UsageError(
            "--external-supply and --study: found neither; --fit flow needs one to turn pool shares into shares of external supply"
        )
    if fit not in ("flow", "spells") and external_supply is not None:
        raise click.UsageError(f"--external-supply: --fit {fit} does not use it; allowed with --fit flow and spells")
    if fit != "hazard" and leave_out:
        raise click.UsageError(f"--leave-out: --fit {fit} has no points; allowed with --fit hazard")
    if fit == "hazard" and pool is not None:
        raise click.UsageError("--pool: --fit hazard does not use it; allowed with --fit flow, lp-flight and spells")


def _check_alone(fit: str, others: Mapping[str, object]) -> None:
    idle = [name for name, given in others.items() if given] + ([] if fit == "spells" else [f"--fit {fit}"])
    if idle:
        raise click.UsageError(f"--evidence: found {', '.join(idle)} beside it; allowed: --fit spells, --out and --draws alone")


@click.command("calibrate")
@click.option(
    "--history",
    "history",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="History, or run points; spells fits several jointly: give it again for more.",
)
@click.option(
    "--pool", "pool", default=None, type=click.Path(path_type=Path), metavar="POOL.csv", help="Pool balances, in place of --history."
)
@click.option("--fit", required=True, type=click.Choice(["hazard", "flow", "lp-flight", "spells"]), help="What to fit.")
@click.option(
    "--external-supply",
    type=click.FloatRange(min=1.0),
    default=None,
    metavar="TOKENS",
    help="Stablecoins outside the AMOs; flow needs it (default: that of --study).",
)
@click.option(
    "--amplification",
    multiple=True,
    type=click.FloatRange(min=1.0),
    metavar="A",
    help="A of the pool, for spells: once for all histories, or once for each.",
)
@click.option(
    "--study",
    "study_file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="STUDY.toml",
    help="Compare with the study's own figures: its state, its calm.",
)
@click.option(
    "--evidence",
    type=click.Path(path_type=Path),
    default=None,
    metavar="EVIDENCE.toml",
    help="Fit spells to every history of an evidence file, with joint draws.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FIT.toml",
    help="Write the fit of --evidence, and its draws beside it as .csv.",
)
@click.option("--draws", type=click.IntRange(16, 4096), default=None, metavar="N", help="Joint draws of --evidence.  [default: 256]")
@click.option("--leave-out", multiple=True, metavar="ASSET[:DATE]", help="Do not fit these points; give it again for more.")
@json_option
def command(
    *,
    history: tuple[Path, ...],
    pool: Path | None,
    fit: str,
    external_supply: float | None,
    amplification: tuple[float, ...],
    study_file: Path | None,
    leave_out: tuple[str, ...],
    evidence: Path | None,
    out: Path | None,
    draws: int | None,
    as_json: bool,
) -> None:
    """Fit flow and run parameters to a history: figures with 95% intervals, the misfit, and the TOML to paste (none where not identified).

    Nothing is needed to start from: each fit looks at the whole range a figure may take. With --study the study's own figure stands beside
    each fitted one, inside its interval or not, and flow takes the external supply from the study's state.

    \b
    Example:
      amo-opt calibrate --history run_points.csv --fit hazard
      amo-opt calibrate --history pool.csv --fit flow --external-supply 1.33e9
      amo-opt calibrate --pool pool.csv --fit flow --study studies/frax-2022.toml
      amo-opt calibrate --history a.csv --history b.csv --fit spells --amplification 1500 --amplification 50
      amo-opt calibrate --fit spells --evidence studies/evidence/pools-2022.toml --out studies/behaviour/spells-2022.toml
    """
    check_options(
        fit, external_supply, leave_out, pool=pool, history=history, study=study_file, amplification=amplification, evidence=evidence, out=out, draws=draws,
    )  # fmt: skip
    if evidence is not None:
        fit_evidence(evidence, out=out, draws=draws or DRAWS, as_json=as_json)
        return
    own: dict[str, float] = {}
    if study_file is not None:
        from amo_opt.cli.options import load
        from amo_opt.simulation.pack import figures_to_fit

        own = figures_to_fit(load(study_file))
        external_supply = own["external_supply"] if external_supply is None else external_supply
    from amo_opt.stress.calibration import fit_flow, fit_hazard, fit_lp_flight, fit_spells
    from amo_opt.stress.table import read_table

    tables = [read_table(file) for file in (history or (pool,)) if file is not None]
    table = tables[0]
    if fit == "hazard":
        found = fit_hazard(table, leave_out=leave_out)
    elif fit == "spells":
        found = fit_spells(tables, amplifications=amplification, external_supply=external_supply)
    elif fit == "flow" and external_supply is not None:
        found = fit_flow(table, external_supply=external_supply)
    else:
        found = fit_lp_flight(table)
    if as_json:
        figures = [
            {"name": each.name, "unit": each.unit, "value": None if each.not_identified else each.value, "best": each.value,
             "interval": [each.low, each.high], "n": each.n, "not_identified": each.not_identified, "study": own.get(each.name)}
            for each in found.figures
        ]  # fmt: skip
        misfit = {"residual_sd": found.residual_sd, "unit": found.residual_unit}
        print_json(
            {"schema": 1, "fit": found.fit, "file": found.file, "n": found.n, "method": found.method, "figures": figures,
             "misfit": misfit, "left_out": list(found.left_out), "notes": list(found.notes), "doubts": list(found.doubts),
             "toml": found.toml()}
        )  # fmt: skip
        return
    for line in found.left_out:
        say(f"left out: {line}")
    for line in found.notes:
        say(f"note: {line}")
    click.echo(f"{found.method}; n = {found.n}; misfit {found.residual_sd:.4g} ({found.residual_unit})")
    for each in found.figures:
        said = f"not identified: {each.not_identified}" if each.not_identified else f"{each.value:.4g} {each.unit}".rstrip()
        beside = (
            f"; the study has {own[each.name]:.4g}, {'inside' if each.low <= own[each.name] <= each.high else 'OUTSIDE'}" if own else ""
        )
        click.echo(f"{each.name}: {said}; 95% interval {each.low:.4g} to {each.high:.4g}{beside}")
    click.echo(f"\n{found.toml()}")
