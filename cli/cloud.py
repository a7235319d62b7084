"""Which cloud a command talks to: the local one of its home, or the one that the environment names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer
from google.api_core import exceptions as gax
from google.auth import exceptions as gae

from cli.google_api import LOG_IN, GoogleApi
from cli.jobs import CloudJobs, JobFailed, Jobs, LocalJobs, NoSuchJob
from cli.output import fail
from local.stack import running_cloud
from shared.adapters.postgres import Session, connect
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.errors import DependencyUnavailable, PipelineError
from shared.settings import Settings, load_settings

HomeOption = Annotated[Path, typer.Option("--home", help="Folder of the local cloud.", envvar="SLUICE_HOME")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
DEFAULT_HOME = Path(".sluice")


@dataclass
class Cloud:
    """The clients of the cloud that a command talks to."""

    settings: Settings
    store: CloudStorage
    warehouse: BigQueryWarehouse
    jobs: Jobs | None
    """None: the variables name neither a scheduler nor a region."""
    api: GoogleApi | None
    """None: a local cloud, which has no accounts."""

    @cached_property
    def session(self) -> Session:
        """The database, connected at first use: what does not need it works where it cannot be reached."""
        return connect_as_operator(self.settings, self.api)

    @property
    def account(self) -> str:
        """The account that an order is recorded under; empty where it is not known."""
        return self.api.account if self.api else ""


@contextmanager
def connected(home: Path) -> Iterator[Cloud]:
    """Connect to the cloud of the environment, else to the local cloud that runs in `home`; errors become one line."""
    find_cloud(home)
    with one_line_errors():
        settings = load_settings()
        api = None if is_local() else GoogleApi()
        store, warehouse = CloudStorage(settings.project), BigQueryWarehouse(settings)
        cloud = Cloud(settings, store, warehouse, jobs_of(settings, api), api)
        try:
            yield cloud
        finally:
            if "session" in cloud.__dict__:
                cloud.session.close()


def find_cloud(home: Path) -> None:
    """Take the variables of the local cloud in `home` where the environment names no cloud."""
    if os.environ.get("LANDING_BUCKET"):
        return
    endpoints = running_cloud(home)
    if endpoints is None:
        fail(f"no local cloud runs in {home}; start one with `sluice up`, or name an installation with --env-file")
    os.environ.update(endpoints.environment())


def is_local() -> bool:
    """Whether the environment names a local cloud: its Pub/Sub is an emulator."""
    return bool(os.environ.get("PUBSUB_EMULATOR_HOST"))


def jobs_of(settings: Settings, api: GoogleApi | None, environ: Mapping[str, str] | None = None) -> Jobs | None:
    """The scheduler that the environment names: a local one by its address, Cloud Scheduler by its region."""
    named = os.environ if environ is None else environ
    if url := named.get("SCHEDULER_URL"):
        return LocalJobs(url)
    region = named.get("REGION")
    return CloudJobs(api, settings.project, region) if api and region else None


def connect_as_operator(settings: Settings, api: GoogleApi | None) -> Session:
    """A session of the operator, by the account where CLOUDSQL_USER names nobody.

    Raises DependencyUnavailable that says how a private address is reached.
    """
    if settings.cloudsql_instance and not settings.cloudsql_user and api:
        settings = replace(settings, cloudsql_user=api.account.removesuffix(".gserviceaccount.com"))
    try:
        return connect(settings, application_name="sluice-cli")
    except DependencyUnavailable as exc:
        if not settings.cloudsql_instance:
            raise
        raise DependencyUnavailable(
            f"{exc}. {settings.cloudsql_instance} has a private address only: docs/operating.md#reach-postgres"
        ) from exc


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What the cloud refuses is one line and exit code 1, never a screen of it."""
    try:
        yield
    except PipelineError as exc:
        fail(str(exc), 1)
    except gae.GoogleAuthError as exc:
        fail(f"Google Cloud does not know you ({type(exc).__name__}): {LOG_IN}", 1)
    except (gax.Forbidden, gax.Unauthenticated) as exc:
        fail(f"{exc.message}; docs/operating.md says which role each command needs", 1)


def run_job(jobs: Jobs | str | None, job: str) -> dict[str, Any]:
    """Run a scheduled job now and wait for it; its answer. A job that does not exist or fails ends the command.

    A text is the address of a local scheduler.
    """
    known = LocalJobs(jobs) if isinstance(jobs, str) and jobs else jobs
    if not known or isinstance(known, str):
        fail("neither REGION nor SCHEDULER_URL is set: give the variables of the installation with --env-file")
    try:
        return known.run(job)
    except NoSuchJob as exc:
        fail(str(exc))
    except (JobFailed, PipelineError) as exc:
        fail(str(exc), 1)
