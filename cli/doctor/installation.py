"""The installation that the doctor looks at: its variables, its wiring, and the clients, each made at first use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from google.cloud import bigquery, pubsub_v1, storage  # type: ignore[attr-defined]  # mypy sees one part

from cli.cloud import connect_as_operator, jobs_of
from cli.doctor.steps import NotHere
from cli.google_api import GoogleApi
from cli.jobs import Jobs
from local.table import Function, Wiring, read_table
from shared.adapters.postgres import Session
from shared.adapters.warehouse import BigQueryWarehouse, bigquery_client
from shared.errors import ConfigError
from shared.settings import Settings, load_settings

TERRAFORM = "terraform apply (docs/deployment.md), then look again"
AGAIN = "stop `sluice up` and start it again: it makes what is missing"


@dataclass
class Installation:
    """One installation. Without an `api` it is a local cloud."""

    environ: Mapping[str, str]
    api: GoogleApi | None
    canary_seconds: float = 600.0

    @cached_property
    def settings(self) -> Settings:
        """The settings of its functions. Raises ConfigError that names every variable that is missing."""
        return load_settings(self.environ)

    @property
    def made_by(self) -> str:
        """What to do where something that is made with the installation is missing."""
        return TERRAFORM if self.api else AGAIN

    @cached_property
    def function_urls(self) -> dict[str, str]:
        """The address of each function that is installed. Raises ConfigError where none are named."""
        if base := self.environ.get("FUNCTIONS_URL"):
            return {function.name: f"{base}/{function.name}/" for function in self._table.functions}
        try:
            told: dict[str, str] = json.loads(self.environ.get("FUNCTION_URLS") or "{}")
        except ValueError as exc:
            raise ConfigError("FUNCTION_URLS is not a JSON map of function to URL") from exc
        if not isinstance(told, dict) or not told:
            raise ConfigError("FUNCTION_URLS is empty: it maps each function to its URL (terraform output)")
        return told

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """The functions of functions.yaml; those for development only where they are installed."""
        known = self._table.functions
        return tuple(one for one in known if not one.development_only or one.name in self.function_urls)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of functions.yaml."""
        return self._table.topics

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each function with each of its topics."""
        return [(function.name, topic) for function in self.functions for topic in function.topics]

    @cached_property
    def _table(self) -> Wiring:
        return read_table()

    @property
    def cloud(self) -> GoogleApi:
        """Google's APIs. Raises NotHere on a local cloud."""
        if self.api is None:
            raise NotHere("the local cloud has none")
        return self.api

    @property
    def region(self) -> str:
        """The region of the functions. Raises ConfigError where it is not named."""
        if not self.environ.get("REGION"):
            raise ConfigError("REGION is not set: the region of functions and jobs (terraform output)")
        return self.environ["REGION"]

    @cached_property
    def session(self) -> Session:
        """A session of Postgres."""
        return connect_as_operator(self.settings, self.api)

    @cached_property
    def storage(self) -> storage.Client:
        """A client of Cloud Storage."""
        return storage.Client(project=self.settings.project)

    @cached_property
    def subscriber(self) -> pubsub_v1.SubscriberClient:
        """A client of Pub/Sub's subscriptions."""
        return pubsub_v1.SubscriberClient()

    @cached_property
    def publisher(self) -> pubsub_v1.PublisherClient:
        """A client of Pub/Sub's topics."""
        return pubsub_v1.PublisherClient()

    @cached_property
    def bigquery(self) -> bigquery.Client:
        """A client of BigQuery."""
        return bigquery_client(self.settings)

    @cached_property
    def warehouse(self) -> BigQueryWarehouse:
        """BigQuery, for queries."""
        return BigQueryWarehouse(self.settings, "doctor")

    @cached_property
    def jobs(self) -> Jobs:
        """The scheduled jobs. Raises ConfigError where no scheduler is named."""
        found = jobs_of(self.settings, self.api)
        if found is None:
            raise ConfigError("neither REGION nor SCHEDULER_URL is set: there is no scheduler to ask")
        return found

    def topic(self, name: str) -> str:
        """The full name of a topic."""
        return f"projects/{self.settings.project}/topics/{name}"

    def subscription(self, name: str) -> str:
        """The full name of a subscription."""
        return f"projects/{self.settings.project}/subscriptions/{name}"

    @cached_property
    def project_number(self) -> str:
        """The number of the project, by which its service agents are named."""
        found = self.cloud.get("cloudresourcemanager", f"v3/projects/{self.settings.project}")
        return str(found["name"]).rpartition("/")[2]

    def close(self) -> None:
        """Close what was opened."""
        if "session" in self.__dict__:
            self.session.close()
        if "subscriber" in self.__dict__:
            self.subscriber.close()
