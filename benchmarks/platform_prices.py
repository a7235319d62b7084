"""The price of each kind of resource that Terraform plans, in USD a month, as usage and the price list give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from croniter import croniter

from benchmarks.cost_model import Load, ours

MONTH_DAYS = 30
MONTH_HOURS = 730
GIB = Decimal(2**30)
TIB = Decimal(2**40)
MIB_OF = {"Mi": Decimal(1), "Gi": Decimal(1024), "M": Decimal(1), "G": Decimal(1024)}
KEY_VERSIONS = 5
"""Versions of a key that exist after a year of rotation every 90 days; each is billed as long as it can decrypt."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Usage:
    """What an environment is asked to do a day; see benchmarks/usage.yaml."""

    day: Mapping[str, int]
    functions: Mapping[str, Mapping[str, Any]]
    message_bytes: int
    log_bytes_a_call: int
    schedules: Mapping[str, Sequence[str]]
    prices: Mapping[str, Mapping[str, Any]]

    def price(self, section: str, name: str) -> Decimal:
        """A price of the list, in USD."""
        return Decimal(self.prices[section][name])

    def calls(self, function: str) -> int:
        """Calls of a function in a month."""
        word = self.functions[function].get("calls")
        pushed = self.day[word] * MONTH_DAYS if word else 0
        return pushed + sum(_ticks(cron) for cron in self.schedules.get(function, ()))


@cache
def _ticks(cron: str) -> int:
    """How often a schedule fires in 30 days."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    end, times, count = start + timedelta(days=MONTH_DAYS), croniter(cron, start), 0
    while times.get_next(datetime) <= end:
        count += 1
    return count


def _function(values: Values, usage: Usage) -> Decimal:
    service = values["service_config"][0]
    gib = _mib(service["available_memory"]) / 1024
    name = values["build_config"][0]["entry_point"]
    calls = usage.calls(name)
    # Waiting requests share an instance, so with concurrency above 1 this is the most it can be.
    seconds = calls * Decimal(str(usage.functions[name]["seconds"]))
    cpu = Decimal(service["available_cpu"])
    compute = seconds * (
        cpu * usage.price("functions", "vcpu_second") + gib * usage.price("functions", "gib_second")
    ) + Decimal(calls) / 1_000_000 * usage.price("functions", "per_million_requests")
    logs = calls * usage.log_bytes_a_call / GIB * usage.price("others", "logging_per_gib")
    return compute + logs


def _mib(text: str) -> Decimal:
    unit = text.lstrip("0123456789")
    return Decimal(text.removesuffix(unit)) * MIB_OF[unit]


def _database(values: Values, usage: Usage) -> Decimal:
    settings = values["settings"][0]
    gib = Decimal(max(usage.day["database_gib"], settings.get("disk_size") or 10))
    zones = 2 if settings.get("availability_type") == "REGIONAL" else 1
    disk = gib * usage.price("cloud_sql", "ssd_per_gib_month")
    return zones * (_tier(settings["tier"], usage) + disk) + gib * usage.price("cloud_sql", "backup_per_gib_month")


def _tier(tier: str, usage: Usage) -> Decimal:
    shared = {"db-f1-micro": "f1_micro_hour", "db-g1-small": "g1_small_hour"}
    if tier in shared:
        return MONTH_HOURS * usage.price("cloud_sql", shared[tier])
    cpus, mib = tier.removeprefix("db-custom-").split("-")
    hour = Decimal(cpus) * usage.price("cloud_sql", "vcpu_hour")
    return MONTH_HOURS * (hour + Decimal(mib) / 1024 * usage.price("cloud_sql", "gib_hour"))


def _subscription(values: Values, usage: Usage) -> Decimal:
    """Each subscription is charged for publishing and for delivery; a dead-letter one has nothing to deliver."""
    if values["name"].endswith("-dead"):
        return Decimal(0)
    function, _, topic = values["name"].rpartition("-")
    a_day = usage.day["messages"] if topic in ("transactions", "validated", "raw") else usage.day["feeds"]
    sent = 2 * a_day * MONTH_DAYS * usage.message_bytes
    return sent / TIB * usage.price("pubsub", "per_tib") if function else Decimal(0)


def _bucket(_: Values, usage: Usage) -> Decimal:
    """Every bucket is taken to keep the same; a feed or a file leaves an object or two."""
    kept = Decimal(usage.day["gib_kept"]) * usage.price("storage", "standard_per_gib_month")
    writes = Decimal(2 * usage.day["files"] * MONTH_DAYS + usage.day["feeds"] * MONTH_DAYS)
    return kept + writes / 10_000 * usage.price("storage", "class_a_per_10k")


def _warehouse(values: Values, usage: Usage) -> Decimal:
    """All of BigQuery is in the model of docs/cost.md; it is counted once, with the fact table."""
    if (values["dataset_id"], values["table_id"]) != ("sales", "transactions"):
        return Decimal(0)
    return ours(usage.day["messages"], load=Load(feeds=usage.day["feeds"])).month


def _schedule(_: Values, usage: Usage) -> Decimal:
    return usage.price("others", "scheduler_job_month")


def _secret(_: Values, usage: Usage) -> Decimal:
    return usage.price("others", "secret_version_month")


def _key(_: Values, usage: Usage) -> Decimal:
    return KEY_VERSIONS * usage.price("others", "kms_key_version_month")


def _nat(_: Values, usage: Usage) -> Decimal:
    """Two instances and one address at all hours, a GiB a day: the functions that call the outside are few."""
    hour = 2 * usage.price("network", "nat_instance_hour") + usage.price("network", "external_address_hour")
    return MONTH_HOURS * hour + MONTH_DAYS * usage.price("network", "nat_per_gib")


def _flow_logs(_: Values, usage: Usage) -> Decimal:
    return usage.price("network", "flow_logs_per_gib")


def _alert(values: Values, usage: Usage) -> Decimal:
    return len(values["conditions"]) * usage.price("monitoring", "condition_month")


def _zone(_: Values, usage: Usage) -> Decimal:
    return usage.price("network", "dns_zone_month")


def _job(_: Values, usage: Usage) -> Decimal:
    """A tenth of the time of a build runs in each of the jobs, on one processor with 1 GiB."""
    second = usage.price("functions", "vcpu_second") + usage.price("functions", "gib_second")
    return usage.day["build_minutes"] * 6 * second


def _images(_: Values, usage: Usage) -> Decimal:
    """An image for each function, of about a third of a GiB, and the one before it."""
    return len(usage.functions) * usage.price("build", "image_per_gib_month") * 2 / 3


def _trigger(_: Values, usage: Usage) -> Decimal:
    return usage.day["build_minutes"] * usage.price("build", "default_pool_minute")


PRICED: dict[str, tuple[str, Callable[[Values, Usage], Decimal]]] = {
    "google_cloudfunctions2_function": ("functions and their logs", _function),
    "google_sql_database_instance": ("Postgres", _database),
    "google_pubsub_subscription": ("messages", _subscription),
    "google_storage_bucket": ("objects", _bucket),
    "google_bigquery_table": ("BigQuery", _warehouse),
    "google_cloud_scheduler_job": ("schedules, secrets, keys", _schedule),
    "google_secret_manager_secret": ("schedules, secrets, keys", _secret),
    "google_kms_crypto_key": ("schedules, secrets, keys", _key),
    "google_compute_router_nat": ("network", _nat),
    "google_compute_subnetwork": ("network", _flow_logs),
    "google_monitoring_alert_policy": ("alerts", _alert),
    "google_dns_managed_zone": ("network", _zone),
    "google_cloud_run_v2_job": ("builds", _job),
    "google_artifact_registry_repository": ("builds", _images),
    "google_cloudbuild_trigger": ("builds", _trigger),
}
