"""The command line: commands by name, and the one edge where errors become messages and exit statuses."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from amo_opt import __version__
from amo_opt.errors import AmoOptError

OK, NO, WRONG, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: done; the answer is no; the call or an input is wrong; interrupted, state kept."""

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("amo_opt.cli.run", "Search, certify and report a study in one go."),
    "report": ("amo_opt.cli.report", "Write a study's report again from its record; nothing is simulated."),
    "compare": ("amo_opt.cli.compare", "Judge a candidate against a baseline on the same paths, for CI."),
    "simulate": ("amo_opt.cli.simulate", "Run one parameter set on a study's paths."),
    "profile": ("amo_opt.cli.profile", "Move each searched parameter by itself: what it does, or that it does nothing."),
    "break": ("amo_opt.cli.break_", "The largest run, depeg and freeze that a parameter set survives."),
    "backtest": ("amo_opt.cli.backtest", "Replay a recorded history: the model beside what happened."),
    "calibrate": ("amo_opt.cli.calibrate", "Fit flow and run parameters to a history; print the TOML to paste."),
    "scenarios": ("amo_opt.cli.scenarios", "List the stress scenarios, or a study's."),
    "validate": ("amo_opt.cli.validate", "Check files and say everything that is wrong."),
    "pool": ("amo_opt.cli.pool", "Calculate with a stableswap pool: swaps, depth, worst case."),
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
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, SystemExit) as error:
            with suppress(OSError):  # what is still buffered has nowhere to go
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, sys.stdout.fileno())
                os.dup2(null, sys.stderr.fileno())
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
    try:
        status = cli(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        kept = "; what was finished is kept, the same command goes on from there" if "run" in sys.argv[1:2] else ""
        click.echo(f"interrupted{kept}", err=True)
        sys.exit(INTERRUPTED)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG)
    except AmoOptError as error:
        click.echo(f"amo-opt: {error}", err=True)
        sys.exit(WRONG)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"amo-opt: {place}{error.strerror or error}", err=True)
        sys.exit(WRONG)
    except Exception as error:  # the edge: a fault of ours is told, not thrown
        if os.environ.get("AMO_OPT_TRACEBACK"):
            raise
        click.echo(f"amo-opt: internal error: {type(error).__name__}: {error} (AMO_OPT_TRACEBACK=1 shows where)", err=True)
        sys.exit(WRONG)
    sys.exit(status if isinstance(status, int) else OK)
