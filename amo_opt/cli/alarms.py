"""``amo-opt alarms``: monitoring triggers scored as classifiers on recorded histories."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import json_option, load, print_json
from amo_opt.cli.streams import say

if TYPE_CHECKING:
    from amo_opt.report.stories.alarms import AlarmFacts
    from amo_opt.scoring.alarms import Trigger

DAY = click.DateTime(["%Y-%m-%d"])
PATH = click.Path(path_type=Path)
HOURS = click.IntRange(0, 8760)
SOME_HOURS = click.IntRange(1, 8760)


def check_options(
    *, report: Path | None, study: Path | None, parameters: Path | None, level: float | None, fall: float | None, over: int | None
) -> None:
    """Raises `click.UsageError` where options exclude each other, or one would do nothing."""
    if (report is None) == (study is None):
        raise click.UsageError(f"--report and --study: found {'neither' if report is None else 'both'}; allowed: one of them")
    if parameters is not None and study is None:
        raise click.UsageError("--params: without --study it would do nothing")
    if level is not None and fall is not None:
        raise click.UsageError("--level and --fall: found both; allowed: one of them")
    if over is not None and fall is None:
        raise click.UsageError("--over: without --fall it would do nothing")


def _triggers(report: Path | None, study_file: Path | None, parameters_file: Path | None) -> tuple[Trigger, ...]:
    """Those of a report's monitor.json, or those that a parameter set answers to itself. Raises `AmoOptError` where there are none."""
    from amo_opt.errors import AmoOptError
    from amo_opt.report.monitor import policy_of, read_monitor, triggers_of

    if report is not None:
        found = triggers_of(read_monitor(report))
        if not found:
            raise AmoOptError(f"{report}: monitor.json holds no trigger")
        return found
    if study_file is None:
        return ()
    from amo_opt.config.load import load_parameters

    study = load(study_file)
    parameters = study.current if parameters_file is None else load_parameters(parameters_file, study.state)
    found = policy_of(study, parameters)
    if not found:
        raise AmoOptError(f"{parameters.name}: nothing is unwound and no AMO has a share of the pool to keep: there is no trigger to score")
    return found


def print_facts(facts: AlarmFacts) -> None:
    """A table a trigger, all of them together, what others published, then the notes."""
    from amo_opt.cli.tables import print_table
    from amo_opt.report.stories.alarms import PUBLISHED_NOTES, count_table, notes_of, published_table, score_table, trigger_text

    for score in facts.scores:
        print_table(trigger_text(score.trigger), count_table(score))
    if facts.scores:
        print_table("over all records (95% intervals)", score_table(facts))
    print_table("beside them", published_table())
    for note in (*notes_of(facts), *PUBLISHED_NOTES):
        say(f"note: {note}")


@click.command("alarms")
@click.option(
    "--history", "history", multiple=True, required=True, type=PATH, metavar="FILE.csv", help="Prices or pool balances; again for more."
)
@click.option("--report", type=PATH, default=None, metavar="DIR", help="Score the triggers of this report's monitor.json.")
@click.option(
    "--study", "study_file", type=PATH, default=None, metavar="STUDY.toml", help="Score those that a study's set answers to itself."
)
@click.option(
    "--params", "parameters_file", type=PATH, default=None, metavar="PARAMS.toml", help="Another set than the study's current one."
)
@click.option("--pool", "pool_file", type=PATH, default=None, metavar="POOL.csv", help="Balances, for histories that have prices alone.")
@click.option(
    "--exit", "exit_file", type=PATH, default=None, metavar="EXIT.csv", help="Price of the exit asset, such as USDC (default: 1)."
)
@click.option("--amplification", type=click.FloatRange(min=1.0), default=None, metavar="A", help="A, for histories of balances alone.")
@click.option(
    "--level", type=click.FloatRange(min=0.0, min_open=True), default=None, help="A depeg is a price below this (default: 0.99) …"
)
@click.option(
    "--fall",
    type=click.FloatRange(0.0, 10_000.0, min_open=True, max_open=True),
    default=None,
    metavar="BP",
    help="… or so far below its highest …",
)
@click.option("--over", type=click.IntRange(1, 720), default=None, metavar="HOURS", help="… of the hours before (default: 24).")
@click.option("--for", "depeg_hours", type=SOME_HOURS, default=1, show_default=True, metavar="HOURS", help="Hours it must stay so.")
@click.option("--within", type=HOURS, default=12, show_default=True, metavar="HOURS", help="An alarm is false if no depeg begins so soon.")
@click.option(
    "--quiet", type=HOURS, default=24, show_default=True, metavar="HOURS", help="Hours after which another alarm or depeg counts."
)
@click.option("--hold", type=SOME_HOURS, default=48, show_default=True, metavar="HOURS", help="Longest time a reading stands for.")
@click.option("--since", type=DAY, default=None, metavar="DATE", help="Leave out what is before this day (UTC) …")
@click.option("--until", type=DAY, default=None, metavar="DATE", help="… and what is from this day on.")
@json_option
def command(
    *,
    history: tuple[Path, ...],
    report: Path | None,
    study_file: Path | None,
    parameters_file: Path | None,
    pool_file: Path | None,
    exit_file: Path | None,
    amplification: float | None,
    level: float | None,
    fall: float | None,
    over: int | None,
    depeg_hours: int,
    within: int,
    quiet: int,
    hold: int,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Score monitoring triggers on recorded histories: hours of lead, precision, recall and F1 with intervals, false alarms a year, beside published scores.

    Each history is a CSV with the column timestamp and either price or pool_stable and pool_base (headers as backtest reads them), of any
    length. What it does not hold comes from --pool and --exit, where they overlap. A price trigger reads an hour's lowest price, a share its
    highest; a reading stands until the next one, for at most --hold hours. Where no depeg occurred there is nothing to score but the false
    alarms. A threshold chosen by these scores is fitted to these histories, and they then say nothing of it.

    \b
    Example:
      amo-opt alarms --history prices.csv --history more.csv --report reports/frax-2022
      amo-opt alarms --history prices.csv --pool pool.csv --exit usdc.csv --study studies/frax-2022.toml --within 72
      amo-opt alarms --history pool.csv --amplification 1500 --study studies/frax-2022.toml --fall 50 --json
    """
    check_options(report=report, study=study_file, parameters=parameters_file, level=level, fall=fall, over=over)
    from amo_opt.report.stories.alarms import alarm_facts, document
    from amo_opt.scoring.alarms import LEVEL, Depeg
    from amo_opt.stress.hourly import record_of
    from amo_opt.stress.table import read_table

    triggers = _triggers(report, study_file, parameters_file)
    depeg = Depeg(level=LEVEL if level is None else level, fall_bp=fall, over=over or 24, hours=depeg_hours)
    pool, exit_asset = (None if file is None else read_table(file) for file in (pool_file, exit_file))
    records = [record_of(read_table(file), pool=pool, exit_asset=exit_asset, amplification=amplification, hold=hold) for file in history]
    if since is not None or until is not None:
        first, end = (None if day is None else day.replace(tzinfo=UTC) for day in (since, until))
        records = [each.between(first, end) for each in records]
    facts = alarm_facts(triggers, depeg, records, within=within, quiet=quiet)
    if as_json:
        print_json(document(facts))
        return
    print_facts(facts)
