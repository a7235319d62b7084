"""The standard reports: the catalogue and the SQL, read once a process, and how one is run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import msgspec
import yaml

from shared.adapters.ports import Warehouse
from shared.adapters.warehouse_sql import FOLDER
from shared.domain.report_text import as_json
from shared.domain.reporting import Catalogue, Report, Value
from shared.errors import ConfigError, OrderRefused, QueryRefused

REPORTS = FOLDER / "reports"


@dataclass(frozen=True)
class Answer:
    """A report that was run: what was asked, defaults filled in, and what came of it."""

    name: str
    report: Report
    parameters: dict[str, Value]
    rows: Sequence[Sequence[Any]]
    has_more: bool
    """Whether the limit left rows out."""
    bytes_processed: int


@cache
def catalogue() -> Catalogue:
    """sql/bigquery/reports/catalogue.yaml. Raises ConfigError where it is not as shared.domain.reporting says."""
    try:
        document = yaml.safe_load((REPORTS / "catalogue.yaml").read_text(encoding="utf-8"))
        return msgspec.convert(document, Catalogue)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as exc:
        raise ConfigError(f"sql/bigquery/reports/catalogue.yaml cannot be used: {exc}") from exc


@cache
def report_sql(name: str) -> str:
    """The SQL of a report of the catalogue."""
    try:
        return (REPORTS / f"{name}.sql").read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise ConfigError(f"there is no {name}.sql in sql/bigquery/reports") from exc


def answer_as_json(answer: Answer) -> bytes:
    """The answer as one document, for HTTP and for `sluice report --json`."""
    return as_json(
        answer.name, answer.report, answer.parameters, answer.rows, has_more=answer.has_more,
        bytes_processed=answer.bytes_processed,
    )  # fmt: skip


def run_report(
    name: str, given: Iterable[tuple[str, str]], today: date, *, warehouse: Warehouse, most_bytes: int,
    found: Sequence[str] = (),
) -> Answer:  # fmt: skip
    """Run one report with parameters as they are written; `found` are problems that are known already.

    Raises OrderRefused where the report or a parameter makes no sense, or where it would read more than `most_bytes`.
    """
    known = catalogue()
    report = known.find(name)
    values = known.read(report, given, today, found)
    limit = int(str(values["limit"]))
    wanted = known.sql_values({**values, "limit": limit + 1})  # one row too many tells that there are more
    try:
        asked = warehouse.ask(report_sql(name), wanted, table=name, most_bytes=most_bytes)
    except QueryRefused as exc:
        instead = "ask for fewer days" if "from" in values else "it has no period, so the setting must be raised"
        told = f"the report would read more than {most_bytes:,} bytes (REPORT_MAX_BYTES); {instead}"
        raise OrderRefused("too_many_bytes", told) from exc
    return Answer(name, report, values, asked.rows[:limit], len(asked.rows) > limit, asked.bytes_processed)
