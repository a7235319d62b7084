"""`sluice`: run, feed, watch and check the pipeline, on a local cloud or a deployed one."""

from __future__ import annotations

import signal
import sys

import typer

from cli import commands_cloud, commands_demo, commands_inspect, commands_intake

app = typer.Typer(
    name="sluice",
    help="Run, feed, watch and check the pipeline. Start with `sluice demo`, or `sluice up` and `sluice drop FILE`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for module in (commands_cloud, commands_demo, commands_intake, commands_inspect):
    module.register(app)


def main() -> None:
    """Run a command; a request to end (SIGTERM) unwinds it, so that every server it started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app()
