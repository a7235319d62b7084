"""Which cloud a command talks to: the local one of its home, or the one that the environment names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import typer

from cli.output import fail
from local.stack import running_cloud
from shared.adapters.postgres import Session, connect
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.errors import PipelineError
from shared.settings import Settings, load_settings

HomeOption = Annotated[Path, typer.Option("--home", help="Folder of the local cloud.", envvar="SLUICE_HOME")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
DEFAULT_HOME = Path(".sluice")


@dataclass(frozen=True)
class Cloud:
    """The clients of the cloud that a command talks to."""

    settings: Settings
    session: Session
    store: CloudStorage
    warehouse: BigQueryWarehouse
    scheduler_url: str


@contextmanager
def connected(home: Path) -> Iterator[Cloud]:
    """Connect to the cloud of the environment, else to the local cloud that runs in `home`; errors become one line."""
    if not os.environ.get("LANDING_BUCKET"):
        endpoints = running_cloud(home)
        if endpoints is None:
            fail(f"no local cloud runs in {home}; start one with `sluice up`, or set the variables of .env.example")
        os.environ.update(endpoints.environment())
    try:
        settings = load_settings()
        session = connect(settings, application_name="sluice-cli")
        try:
            yield Cloud(
                settings,
                session,
                CloudStorage(settings.project),
                BigQueryWarehouse(settings),
                os.environ.get("SCHEDULER_URL", ""),
            )
        finally:
            session.close()
    except PipelineError as exc:
        fail(str(exc), 1)


def run_job(scheduler_url: str, job: str) -> dict[str, object]:
    """Run a scheduled job now and wait for it; its answer. A job that does not exist or fails ends the command."""
    if not scheduler_url:
        fail("SCHEDULER_URL is not set; in a real project run `gcloud scheduler jobs run`")
    try:
        answer = httpx.post(f"{scheduler_url}/v1/jobs/{job}:run", timeout=1800)
    except httpx.HTTPError as exc:
        fail(f"the scheduler does not answer ({type(exc).__name__})", 1)
    body: dict[str, object] = answer.json()
    if answer.status_code == 404:
        fail(f"{job}: {body['error']['message']}")  # type: ignore[index]
    if answer.status_code != 200:
        fail(f"{job} failed: {body.get('answer')}", 1)
    return body
