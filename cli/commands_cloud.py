"""`sluice up` and `sluice env`: the local cloud of a home folder."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from typing import Annotated

import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption
from cli.output import console, errors, fail, print_json, print_mapping
from local.process import StartFailed
from local.stack import LocalCloud, Options, running_cloud

WATCH_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Examples:  sluice up  |  sluice up --home /tmp/cloud --json")(up)
    app.command(epilog='Examples:  sluice env  |  eval "$(sluice env)"')(env)


def up(
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    workers: Annotated[int, typer.Option(help="Processes of the functions host.", min=2)] = Options.workers,
) -> None:
    """Start the local cloud and keep it running until Ctrl-C; what crashes is started again."""
    from local.resources import create_all

    cloud = LocalCloud(home, Options(workers=workers))
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    try:
        endpoints = cloud.start()
        os.environ.update(endpoints.environment())
        create_all(endpoints)
        known = asdict(endpoints)
        scheduler = known.pop("scheduler")
        if as_json:
            print_json(known)
            sys.stdout.flush()
        else:
            print_mapping(f"Local cloud in {home}", {**known, "scheduler": scheduler})
            console.print("Drop files with `sluice drop FILE`; stop with Ctrl-C.")
        while not done.wait(WATCH_SECONDS):
            for name in cloud.revive():
                errors.print(f"{name} had ended and was started again; see {home}/logs/{name}.log")
    except StartFailed as exc:
        fail(str(exc), 1)
    finally:
        cloud.stop()


def env(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Print the variables by which any client finds the running local cloud."""
    endpoints = running_cloud(home)
    if endpoints is None:
        fail(f"no local cloud runs in {home}; start one with `sluice up`")
    variables = endpoints.environment()
    if as_json:
        print_json(variables)
        return
    for name, value in variables.items():
        sys.stdout.write(f"export {name}={json.dumps(value)}\n")
