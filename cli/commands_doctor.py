"""`sluice doctor`: an installation checked step by step, with what to do about each fault."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, find_cloud, is_local
from cli.doctor.checkup import CANARY, STEPS
from cli.doctor.installation import Installation
from cli.doctor.steps import Result, run_steps, standing_on
from cli.environment import EnvFileOption, take_environment
from cli.google_api import GoogleApi
from cli.output import console, errors, fail, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples:  sluice doctor  |  sluice doctor --env-file prod.json --no-canary  |  "
        "sluice doctor --only subscriptions --json"
    )(doctor)


def doctor(
    env_file: EnvFileOption = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="STEP", help="Only this step and what it stands on; may be repeated.")
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="STEP", help="Not this step; what stands on it is judged all the same. May be repeated."),
    ] = None,
    no_canary: Annotated[
        bool, typer.Option("--no-canary", help="Change nothing: send no canary through the pipeline.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds that the canary may take.")] = 600,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Check an installation step by step and say what to do. Exit code 0 only where nothing failed."""
    names = [step.name for step in STEPS]
    for option, given in (("--only", only), ("--leave-out", leave_out)):
        if unknown := set(given or ()) - set(names):
            fail(f"{option} {min(unknown)}: a step is one of {', '.join(names)}")
    take_environment(env_file)
    find_cloud(home)
    patient = Installation(dict(os.environ), None if is_local() else GoogleApi(), timeout)
    results: list[Result] = []
    try:
        steps = standing_on(STEPS, only or names)
        with errors.status("looking") as status:
            for result in run_steps(steps, patient, {*(leave_out or ()), *([CANARY] if no_canary else ())}):
                results.append(result)
                status.update(f"looked at {result.step}")
    finally:
        patient.close()
    _show(results, as_json)
    if any(result.verdict == "failed" for result in results):
        raise typer.Exit(1)


def _show(results: list[Result], as_json: bool) -> None:
    failed = [result for result in results if result.verdict == "failed"]
    if as_json:
        print_json({"sound": not failed, "steps": [result.as_fields() for result in results]})
        return
    print_table(
        "Doctor", ["step", "verdict", "found", "what to do"],
        [(one.step, one.verdict, one.found, one.advice) for one in results],
    )  # fmt: skip
    told = f"[red]{len(failed)} of {len(results)} steps failed[/red]" if failed else "[green]nothing failed[/green]"
    console.print(told)
