"""The command line: commands by name, and the one edge where errors become messages and exit statuses."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from amo_opt.cli.streams import STANDARD_OUTPUT, abandon, finish, prepare, say
from amo_opt.errors import LONGEST, AmoOptError, InputError
from amo_opt.one_line import one_line
from amo_opt.version import __version__

OK, NO, WRONG, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: done; the answer is no; the call or an input is wrong; interrupted, state kept."""

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("amo_opt.cli.run", "Search, certify and report a study in one go."),
    "report": ("amo_opt.cli.report", "Write a study's report again from its storage; nothing is simulated."),
    "verify": ("amo_opt.cli.verify", "Run a report's study again and compare: the same results to the last byte?"),
    "index": ("amo_opt.cli.index", "Write a home page of the reports in a folder."),
    "compare": ("amo_opt.cli.compare", "Judge a candidate against a baseline on the same paths, for CI."),
    "review": ("amo_opt.cli.review", "Judge somebody else's proposal: what it changes, the verdict, why."),
    "simulate": ("amo_opt.cli.simulate", "Run one parameter set on a study's paths."),
    "profile": ("amo_opt.cli.profile", "Move each searched parameter by itself: what it does, or that it does nothing."),
    "break": ("amo_opt.cli.break_", "The largest run, depeg and freeze that a parameter set survives."),
    "dry-run": ("amo_opt.cli.dry_run", "Execute a batch on a chain's state, and its revert; nothing is sent."),
    "backtest": ("amo_opt.cli.backtest", "Replay a recorded history: the model beside what happened."),
    "alarms": ("amo_opt.cli.alarms", "Score monitoring triggers on recorded histories: lead, precision, recall."),
    "calibrate": ("amo_opt.cli.calibrate", "Fit flow and run parameters to a history; print the TOML to paste."),
    "validity": ("amo_opt.cli.validity", "Predict recorded pools by what has not seen them, beside two rivals."),
    "scenarios": ("amo_opt.cli.scenarios", "List the stress scenarios, or a study's."),
    "validate": ("amo_opt.cli.validate", "Check files and say everything that is wrong."),
    "state": ("amo_opt.cli.state", "Read a state's figures from a chain at one block."),
    "history": ("amo_opt.cli.history", "Read a history from a chain, block by block: a CSV for backtest and calibrate."),
    "pool": ("amo_opt.cli.pool", "Calculate with a stableswap pool: swaps, depth, worst case."),
    "migrate": ("amo_opt.cli.migrate", "Rewrite files of an earlier schema in today's form."),
    "schema": ("amo_opt.cli.schema", "Print the JSON Schema of a file, for editors."),
    "init": ("amo_opt.cli.init", "Write a commented study to start from."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when called, so that ``--help`` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Command names in the order of a user's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """The command's status. A reader that went away (``| head``) interrupts it; click and rich would exit with 1, which means no here."""
        if os.environ.get("SOURCE_DATE_EPOCH"):  # NumPy and Matplotlib read it too, and fail at what they cannot take
            from amo_opt.report.payloads import check_epoch

            check_epoch()
        else:
            os.environ.pop("SOURCE_DATE_EPOCH", None)  # set to nothing it is not set, but for them it would be
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, SystemExit) as error:
            abandon()  # what is still buffered has nowhere to go
            raise click.exceptions.Exit(INTERRUPTED) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Commands and their one line, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="amo-opt")
def cli() -> None:
    """Find governance parameters for a stablecoin run by algorithmic market operations.

    \b
    Example:
      amo-opt run studies/frax-2022.toml
      amo-opt simulate studies/parameters/frax-current.toml --study studies/frax-2022.toml
    """


def main() -> None:
    """Entry point: runs the command and exits with its status; never a traceback."""
    prepare()
    status = _status()
    try:
        finish()
    except BrokenPipeError:
        abandon()
        status = INTERRUPTED
    except OSError as error:
        abandon()
        status = _wrong(error)
    sys.exit(status)


def _status() -> int:  # noqa: PLR0911 - one for every way to end
    try:
        status = cli(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):  # to click a user who left; nobody is asked anything here, so a file that is cut short
            return _fault(error.__cause__)
        kept = "; what was finished is kept, the same command goes on from there" if {"run", "history", "verify"} & {*sys.argv[1:2]} else ""
        say(f"interrupted{kept}", err=True)
        return INTERRUPTED
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.message = one_line(error.message)  # type: ignore[misc]  # it may repeat an argument
        error.show()
        return WRONG
    except InputError as error:
        click.echo(f"amo-opt: {error}", err=True)  # a line for each problem
        return WRONG
    except AmoOptError as error:
        say(f"amo-opt: {error}", err=True)
        return WRONG
    except OSError as error:
        if error.filename == STANDARD_OUTPUT:
            abandon()
        return _wrong(error)
    except Exception as error:  # noqa: BLE001 - the edge: a fault of ours is told, not thrown
        return _fault(error)
    return status if isinstance(status, int) else OK


def _wrong(error: OSError) -> int:
    place = f"{error.filename}: " if error.filename else ""
    say(f"amo-opt: {place}{error.strerror or error}", err=True)
    return WRONG


def _fault(error: BaseException) -> int:
    if os.environ.get("AMO_OPT_TRACEBACK"):
        raise error
    said = one_line(str(error), most=LONGEST)
    say(f"amo-opt: internal error: {type(error).__name__}: {said} (AMO_OPT_TRACEBACK=1 shows where)", err=True)
    return WRONG
