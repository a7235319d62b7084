"""An operator's order from the command line: its filters, who gives it, how it is carried out and told."""

from __future__ import annotations

import getpass
import time
import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.cloud import Cloud
from cli.output import console, errors, fail, print_json
from shared.adapters.actions import Result
from shared.adapters.deadletters import DeadLetters
from shared.adapters.operations import Ask, Filters, Office, perform
from shared.adapters.pubsub import CloudPublisher
from shared.errors import OrderRefused

SourceOption = Annotated[str | None, typer.Option(help="Only this source.")]
ReasonOption = Annotated[str | None, typer.Option(help="Only this reason code.")]
FileOption = Annotated[str | None, typer.Option(help="Only files whose name contains this; `stream` is the stream.")]
DayOption = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only this day of landing.")]
ChunkOption = Annotated[str | None, typer.Option(help="Only this chunk.")]
LineOption = Annotated[int | None, typer.Option(help="Only this line of the chunk.", min=1)]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait until it is done.")]
TimeoutOption = Annotated[float, typer.Option(help="Seconds to wait at most.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Also what was tried as often as the guard allows.")]
POLL_SECONDS = 0.2


def day_of(text: str | None) -> date | None:
    """A day as it is written on the command line."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        fail(f"{text}: write a day as YYYY-MM-DD")


def filters(**given: Any) -> Filters:
    """The filters of a command."""
    return Filters(**{name: value for name, value in given.items() if value is not None})


def operator(cloud: Cloud) -> str:
    """Who gives the order, for the record: the account that Google knows, on a local cloud the user of the machine."""
    return cloud.account or f"{getpass.getuser()}@cli"


def give(cloud: Cloud, ask: Ask) -> Result:
    """Carry out an order; one that makes no sense ends the command."""
    project = cloud.settings.project
    office = Office(cloud.session, cloud.store, CloudPublisher(project), DeadLetters(project), cloud.settings)
    try:
        return perform(ask, str(uuid.uuid4()), operator(cloud), office)
    except OrderRefused as exc:
        fail(str(exc))


def tell(result: Result, told: str, as_json: bool) -> None:
    """The result: one JSON document, or one line with the counts."""
    if as_json:
        print_json(result)
        return
    prefix = "would be: " if result.get("dry_run") else ""
    counts = ", ".join(
        f"{name.replace('_', ' ')} {value:,}"
        for name, value in result.items()
        if isinstance(value, int) and not isinstance(value, bool)
    )
    console.print(f"{prefix}{told}: {counts}", markup=False, highlight=False)


def wait_for(done: Callable[[], int], total: int, what: str, timeout: float, quiet: bool) -> None:
    """Show the progress until all is done; a timeout ends the command with 1."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    deadline = time.monotonic() + timeout
    with Progress(*columns, console=errors, disable=quiet) as bar:
        task = bar.add_task(what, total=total)
        while (now := done()) < total:
            bar.update(task, completed=now)
            if time.monotonic() > deadline:
                fail(f"{now:,} of {total:,} {what} after {timeout:.0f} s; look with `sluice status`", 1)
            time.sleep(POLL_SECONDS)
        bar.update(task, completed=now)


def now_utc() -> datetime:
    """The time, for ages."""
    return datetime.now().astimezone()
