"""`sluice`: run, feed, watch and check the pipeline, on a local cloud or a deployed one."""

from __future__ import annotations

import signal
import sys

import typer
from rich.markup import escape

from cli import (
    commands_again,
    commands_close,
    commands_cloud,
    commands_cost,
    commands_demo,
    commands_doctor,
    commands_drift,
    commands_inspect,
    commands_intake,
    commands_marts,
    commands_migrate,
    commands_quality,
    commands_quarantine,
    commands_report,
    commands_simulate,
    commands_waiting,
)
from cli.environment import EnvFileOption, take_environment
from cli.output import errors

app = typer.Typer(
    name="sluice",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
MODULES = (
    commands_cloud,
    commands_demo,
    commands_doctor,
    commands_intake,
    commands_marts,
    commands_inspect,
    commands_quarantine,
    commands_waiting,
    commands_again,
    commands_quality,
    commands_close,
    commands_cost,
    commands_report,
    commands_drift,
    commands_simulate,
    commands_migrate,
)
for module in MODULES:
    module.register(app)


@app.callback()
def choose(env_file: EnvFileOption = None) -> None:
    """Run, feed, watch and check the pipeline. Start with `sluice demo`, or `sluice up` and `sluice drop FILE`."""
    take_environment(env_file)


def main() -> None:
    """Run a command. A mistake in its words is one line and exit code 2, never a screen of it.

    A request to end (SIGTERM) unwinds the command, so that every server it started is stopped.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except typer.Abort:
        sys.exit(130)
    except typer.TyperException as exc:
        told = exc.format_message() if hasattr(exc, "format_message") else str(exc)
        if str(exc):  # without one it is a group without a command, which has shown its help
            errors.print(f"[red]error:[/red] {escape(told)} (--help shows how)", highlight=False, soft_wrap=True)
        sys.exit(2)
