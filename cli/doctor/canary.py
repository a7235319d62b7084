"""The canary: a file and a message of our own, followed through every stage to the mart.

They are rows like any other and are accounted for like any other. What keeps them from being taken for business is
fixed here and in decision 0027: a product of their own that costs nothing, the amount 0.00, the status cancelled, no
user, and an id of their own for each run, so that a run never changes what an earlier one left.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.pubsub_v1.types import PubsubMessage

from cli.doctor.installation import Installation
from cli.doctor.steps import Fault, Found
from cli.jobs import attempt_of
from cli.landing import progress
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.queries import rows_of
from shared.adapters.warehouse_sql import monitoring_sql
from shared.domain.identity import file_id
from shared.domain.redriving import MESSAGE_ID
from shared.settings import Settings

PRODUCT = "sluice-canary"
"""Its product, its product's category, and what its ids begin with."""
FILE = f"products/{PRODUCT}.ndjson"
CHUNK = "canary-"
"""What the ids of its chunks begin with: the quality rules and the drift of schemas leave these chunks out."""
POLL_SECONDS = 0.5
BOTTLENECKS = "runbook: a-backlog-grows, a-function-keeps-failing"


class NotArrived(Exception):
    """The canary did not get further in time; the message says where it is."""


@dataclass(frozen=True)
class Canary:
    """One run's transaction."""

    transaction_id: str
    chunk_id: str
    at: datetime

    @classmethod
    def hatch(cls, now: datetime) -> Canary:
        """A new one; its chunk's id travels with the message, as that of a message that is sent again does."""
        name = f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
        return cls(f"{PRODUCT}-{name}", f"{CHUNK}{name}", now)

    def row(self, settings: Settings) -> dict[str, Any]:
        """The transaction, in the base currency: no rate is missing, and its amount is nought in any."""
        payment = "card" if "card" in settings.payment_methods else min(settings.payment_methods)
        return {
            "transaction_id": self.transaction_id, "product_id": PRODUCT, "amount": "0.00",
            "currency": settings.base_currency, "timestamp": self.at.isoformat(), "payment_method": payment,
            "status": "cancelled",
        }  # fmt: skip


def product() -> dict[str, Any]:
    """The canary's product, the same at every run: known, so that nothing has to infer it, and free."""
    return {
        "product_id": PRODUCT, "name": "canary of sluice doctor", "category": PRODUCT, "price": "0.00",
        "supplier_id": PRODUCT, "updated_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip


def check_canary(patient: Installation) -> Found:
    """A file through to Postgres, then a message through to BigQuery and the mart."""
    clock = _Clock(patient.canary_seconds)
    canary = Canary.hatch(datetime.now(UTC))
    try:
        _file_arrives(patient, clock)
        _message_arrives(patient, canary, clock)
        _fact_arrives(patient, canary, clock)
    except NotArrived as exc:
        return Found("", [Fault(f"{canary.transaction_id}: {exc}", BOTTLENECKS)])
    return Found(f"{canary.transaction_id} is in the mart after {clock.seconds:.0f} s")


class _Clock:
    """The time that is left."""

    def __init__(self, allowed: float) -> None:
        self._allowed = allowed
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def wait(self, arrived: Callable[[], bool], where: str) -> None:
        """Look until it is there. Raises NotArrived with what it was waited for."""
        while not arrived():
            if self.seconds > self._allowed:
                raise NotArrived(f"{where} in {self._allowed:.0f} s")
            time.sleep(POLL_SECONDS)


def _file_arrives(patient: Installation, clock: _Clock) -> None:
    bucket = patient.settings.landing_bucket
    blob = patient.storage.bucket(bucket).blob(FILE)
    blob.upload_from_string(json.dumps(product()) + "\n")
    identity = file_id(bucket, FILE, int(blob.generation))

    def loaded() -> bool:
        return progress(patient.session, [identity]).finished == 1

    clock.wait(loaded, f"its file gs://{bucket}/{FILE} was not loaded into Postgres")


def _message_arrives(patient: Installation, canary: Canary, clock: _Clock) -> None:
    data = json.dumps(canary.row(patient.settings)).encode()
    message = PubsubMessage(data=data, attributes={MESSAGE_ID: canary.chunk_id})
    CloudPublisher(patient.settings.project).send("transactions", [message])

    def inserted() -> bool:
        found = rows_of(patient.session, "follow_canary", chunk_id=canary.chunk_id)
        if found and found[0] != ("loaded", 1):
            raise NotArrived(f"its message came to Postgres and was not inserted: its chunk is {found[0][0]}")
        return bool(found)

    clock.wait(inserted, "its message was not loaded into Postgres")


def _fact_arrives(patient: Installation, canary: Canary, clock: _Clock) -> None:
    """Where the job cannot be run from here its schedule brings the feed, so a failure to run it is no fault yet."""
    refused = attempt_of(patient.jobs, "enrich")
    looked_at: list[int] = []

    def built() -> bool:
        newest = int(rows_of(patient.session, "newest_built_feed")[0][0])
        if newest in looked_at:
            return False
        looked_at.append(newest)  # BigQuery is asked only when a feed was built meanwhile: each question is billed
        (found,) = patient.warehouse.run(
            monitoring_sql("canary"), {"day": canary.at.date(), "transaction_id": canary.transaction_id}
        )
        return bool(found["arrived"] == 1 and found["facts"] == found["summed"])

    clock.wait(built, "it is in Postgres and was not built into the mart" + (f" ({refused})" if refused else ""))
