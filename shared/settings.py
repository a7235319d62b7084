"""Settings of a function, read once per call from the environment; the only reader of os.environ in `shared`.

All bad or missing names are reported at once, so that a deployment is mended in one go. Nothing is read at import.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.alert_kinds import Severity
from shared.errors import ConfigError

# For traces, which are off, the client of Cloud Storage would ask for each bucket at its first use: in a thread that
# outlives the request (a function has no CPU then), and by a permission that no function has.
os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")

DEFAULT_PAYMENT_METHODS = "card,paypal,bank_transfer,wallet,cash_on_delivery,invoice,gift_card,other"
DEFAULT_QUALITY_FIELDS = (
    "transactions.transaction_id:critical,transactions.product_id:critical,transactions.amount:critical,"
    "transactions.currency:critical,transactions.timestamp:critical,transactions.status:critical,"
    "transactions.user_id:warn,transactions.payment_method:warn,"
    "users.user_id:critical,users.email:warn,users.country:warn,"
    "products.product_id:critical,products.price:critical,products.category:warn,"
    "fx_rates.date:critical,fx_rates.currency:critical,fx_rates.rate:critical"
)


@dataclass(frozen=True)
class Settings:
    """What a function needs to know of its surroundings; secrets do not show in repr."""

    project: str
    landing_bucket: str
    lake_bucket: str
    quarantine_bucket: str
    base_currency: str
    payment_methods: frozenset[str]
    date_order: str
    number_format: str
    chunk_rows: int
    chunk_bytes: int
    max_line_bytes: int
    max_expanded_bytes: int
    max_expansion_ratio: int
    cut_seconds: float
    product_api_url: str
    product_api_audience: str
    product_api_data: str
    product_page_size: int
    extract_seconds: float
    runbook_url: str
    replay_guard: int
    redrive_guard: int
    operators: frozenset[str]
    report_readers: frozenset[str]
    report_max_bytes: int
    quality_fields: Mapping[str, Severity]
    reconcile_grace_seconds: int
    max_bytes_per_day: int
    max_bytes_billed: int
    daily_budget_usd: int
    bigquery_location: str
    alert_webhook_url: str = field(repr=False)
    database_url: str = field(repr=False)
    bigquery_emulator: str
    cloudsql_instance: str
    cloudsql_user: str
    cloudsql_database: str


_SEVERITIES: dict[str, Severity] = {"critical": "critical", "warn": "warning"}


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment. Raises ConfigError that names every variable that is missing or not a number."""
    env = os.environ if environ is None else environ
    problems: list[str] = []

    def text(name: str, default: str | None = None) -> str:
        value = env.get(name) or default
        if value is None:
            problems.append(f"{name} is not set")
            return ""
        return value

    def number(name: str, default: int, least: int = 1) -> int:
        raw = env.get(name) or str(default)
        if not re.fullmatch(r"[0-9]{1,18}", raw) or int(raw) < least:
            problems.append(f"{name} must be a whole number of at least {least}")
            return default
        return int(raw)

    def fields(written: str) -> dict[str, Severity]:
        chosen: dict[str, Severity] = {}
        for word in filter(None, (word.strip() for word in written.split(","))):
            path, _, how = word.partition(":")
            if not re.fullmatch(r"[a-z_]+\.[a-z_]+", path) or how not in _SEVERITIES:
                problems.append(f"QUALITY_FIELDS: {word!r} is not dataset.field:critical or dataset.field:warn")
            else:
                chosen[path] = _SEVERITIES[how]
        return chosen

    settings = Settings(
        project=text("GOOGLE_CLOUD_PROJECT"),
        landing_bucket=text("LANDING_BUCKET"),
        lake_bucket=text("LAKE_BUCKET"),
        quarantine_bucket=text("QUARANTINE_BUCKET"),
        base_currency=text("BASE_CURRENCY", "GBP"),
        payment_methods=_words(text("PAYMENT_METHODS", DEFAULT_PAYMENT_METHODS)),
        date_order=text("DATE_ORDER", ""),
        number_format=text("NUMBER_FORMAT", ""),
        chunk_rows=number("CHUNK_ROWS", 10_000),
        chunk_bytes=number("CHUNK_BYTES", 8 * 1024 * 1024, least=1024),
        max_line_bytes=number("MAX_LINE_BYTES", 1024 * 1024, least=64),
        max_expanded_bytes=number("MAX_EXPANDED_BYTES", 64 * 1024**3),
        max_expansion_ratio=number("MAX_EXPANSION_RATIO", 200),
        cut_seconds=float(number("CUT_SECONDS", 400)),
        product_api_url=text("PRODUCT_API_URL", ""),
        product_api_audience=text("PRODUCT_API_AUDIENCE", ""),
        product_api_data=text("PRODUCT_API_DATA", ""),
        product_page_size=number("PRODUCT_PAGE_SIZE", 500),
        extract_seconds=float(number("EXTRACT_SECONDS", 1500)),
        runbook_url=text("RUNBOOK_URL", "docs/runbook.md"),
        replay_guard=number("REPLAY_GUARD", 5, least=2),
        redrive_guard=number("REDRIVE_GUARD", 3),
        operators=_words(text("OPERATORS", "")),
        report_readers=_words(text("REPORT_READERS", "")),
        report_max_bytes=number("REPORT_MAX_BYTES", 1024**3),
        quality_fields=fields(text("QUALITY_FIELDS", DEFAULT_QUALITY_FIELDS)),
        reconcile_grace_seconds=number("RECONCILE_GRACE_SECONDS", 1800, least=0),
        max_bytes_per_day=number("MAX_BYTES_PER_DAY", 1 << 30, least=10_000_000),
        max_bytes_billed=number("MAX_BYTES_BILLED", 100 * 1024**3, least=10 * 1024**2),
        daily_budget_usd=number("DAILY_BUDGET_USD", 10),
        bigquery_location=text("BIGQUERY_LOCATION", "EU"),
        alert_webhook_url=text("ALERT_WEBHOOK_URL", ""),
        database_url=text("DATABASE_URL", ""),
        bigquery_emulator=text("BIGQUERY_EMULATOR_HOST", ""),
        cloudsql_instance=text("CLOUDSQL_INSTANCE", ""),
        cloudsql_user=text("CLOUDSQL_USER", ""),
        cloudsql_database=text("CLOUDSQL_DATABASE", "sluice"),
    )
    if settings.date_order not in ("", "dmy", "mdy"):
        problems.append("DATE_ORDER must be dmy, mdy or empty")
    if settings.number_format not in ("", "decimal_point", "decimal_comma"):
        problems.append("NUMBER_FORMAT must be decimal_point, decimal_comma or empty")
    if problems:
        raise ConfigError("The environment is incomplete: " + "; ".join(problems) + ". See .env.example.")
    return settings


def _words(text: str) -> frozenset[str]:
    """A list with commas, however it is spaced; rows are compared in lower case."""
    return frozenset(word.strip().lower() for word in text.split(",") if word.strip())
