"""``amo-opt backtest``: a set replayed through a recorded history, beside what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import check_plot, json_option, load, plot_option, print_json, size_options, thread_count
from amo_opt.cli.streams import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.report.stories.backtest import BacktestFacts


def check_call(history_files: tuple[Path, ...], episode: str | None, plot_file: Path | None, *, parts: Sequence[str] = ()) -> None:
    """Raises `click.UsageError` or `AmoOptError` for a call that could not be carried out: told before a simulation."""
    if (not history_files) == (episode is None):
        raise click.UsageError(f"--history and --episode: found {'neither' if not history_files else 'both'}; allowed: one of them")
    if parts and episode is not None:
        raise click.UsageError(f"{parts[0]}: found it with --episode; allowed with --history alone")
    if plot_file is not None and len(history_files) > 1:
        raise click.UsageError(f"--plot: found {len(history_files)} histories; a drawing is of one")
    if plot_file is not None:
        check_plot(plot_file)


def print_facts(facts: BacktestFacts) -> None:
    """The tables, then the notes."""
    from amo_opt.cli.tables import print_table
    from amo_opt.report.stories.backtest import band_holds, column_table, demand_table, summary_table

    run = facts.run
    say(
        f"{run.parameters.name} on {run.study.name} through {run.history.name}: {run.history.hours} h from {run.history.start:%Y-%m-%d %H:%M} UTC, "
        f"{run.paths} paths, seed {run.study.search.seed}"
    )
    for title, table in (
        ("column by column", column_table(facts.fit, facts.run.study.state.unit)),
        ("over the whole", summary_table(facts.fit, facts.run.study.state.unit)),
        ("what must come out right", demand_table(facts.fit)),
    ):
        print_table(title, table)
    say(f"5–95% of paths: {band_holds(facts.fit)}")
    for note in run.notes:
        say(f"note: {note}")


@click.command("backtest")
@click.argument("study_file", type=click.Path(path_type=Path), metavar="STUDY.toml")
@click.option(
    "--history",
    "history_files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE.csv",
    help="A recorded history; give it again for more, each replayed by itself.",
)
@click.option("--from", "since", default=None, metavar="TIME", help="Replay from here on; the pool's rows before tell how much it moves.")
@click.option("--to", "until", default=None, metavar="TIME", help="Replay to here.")
@click.option(
    "--condition",
    type=click.Choice(["flow", "flow,lp"]),
    default=None,
    help="Tell the replay the recorded sales, or these and what providers changed.",
)
@click.option("--episode", default=None, metavar="NAME", help="A shipped one: svb-2023 or ust-contagion-2022.")
@click.option(
    "--params",
    "parameters_file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="PARAMS.toml",
    help="The set to replay (default: the study's current one).",
)
@plot_option("Draw model against record: .html, .svg or .png.")
@size_options
@json_option
def command(
    study_file: Path,
    *,
    history_files: tuple[Path, ...],
    since: str | None,
    until: str | None,
    condition: str | None,
    episode: str | None,
    parameters_file: Path | None,
    plot_file: Path | None,
    seed: int | None,
    paths: int | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Replay a recorded history and print the model beside it: what is recorded drives, the rest is drawn as in calm (64 paths).

    A history is a CSV with the column timestamp (ISO 8601 in UTC, or Unix seconds or milliseconds; any spacing) and any of usdc, dai, usdt,
    share_price, holders_exit, lp_exit (shares a day) and gate (0 or 1), which drive the replay and hold until their next value, and of
    price, supply, pool_stable and pool_base (dollars), which it is compared with; the headers of CoinGecko, CoinMarketCap, DefiLlama and
    Dune are known. Empty cells are allowed, and a price of 0 is one. Of several rows in an hour a price drives with its low, and is
    compared by its mean, its low where the lowest is asked for; a balance counts as it stood last. Pool and supply of the first row replace
    the state's, and every other balance is scaled with them. The base pool is that of the study's scenario calm (base_coins).

    Where the study's behaviour file names a fit of spells each path (256) is a joint draw of it, so bands hold what is not known of holders and providers.
    A column amplification tells the pool's A.

    \b
    Example:
      amo-opt backtest studies/frax-2022.toml --episode svb-2023 --plot svb.html
      amo-opt backtest studies/frax-2022.toml --history recorded.csv --json
      amo-opt backtest studies/pool.toml --history steth.csv --from 2022-06-07 --to 2022-06-23
      amo-opt backtest studies/pool.toml --history a.csv --history b.csv --condition flow
    """
    check_call(
        history_files,
        episode,
        plot_file,
        parts=[name for name, given in (("--from", since), ("--to", until), ("--condition", condition)) if given],
    )
    from amo_opt.cli.tables import print_table
    from amo_opt.config.load import load_parameters
    from amo_opt.report.stories.backtest import document, facts_of, overview_table
    from amo_opt.scoring.forecasts import replay_between
    from amo_opt.simulation.backtest import PATHS, PATHS_OF_DRAWS, backtest
    from amo_opt.stress.history import load_episode

    study = load(study_file, seed=seed)
    parameters = None if parameters_file is None else load_parameters(parameters_file, study.state)
    size = PATHS_OF_DRAWS if paths is None and study.spells is not None else PATHS if paths is None else paths
    threads = thread_count(workers)
    found = []
    if episode is not None:
        recorded = load_episode(episode)
        click.echo(f"replaying {recorded.hours} hours", err=True)
        found.append(facts_of(backtest(study, history=recorded, parameters=parameters, paths=size, workers=threads)))
    for file in history_files:
        run = replay_between(
            study, file, since=since, until=until, condition=condition, parameters=parameters, paths=size, workers=threads,
            told=lambda hours: click.echo(f"replaying {hours} hours", err=True),
        )  # fmt: skip
        found.append(facts_of(run))
    if plot_file is not None:
        from amo_opt.report.figures.backtest import save_backtest

        save_backtest(plot_file, found[0])
        say(f"drawn in {plot_file}", err=True)
    if as_json:
        print_json(document(found[0]) if len(found) == 1 else {"schema": 2, "histories": [document(each) for each in found]})
        return
    for each in found:
        print_facts(each)
    if len(found) > 1:
        print_table("all histories", overview_table(found))
