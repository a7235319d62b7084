"""A report as JSON or CSV text. Pure.

In CSV a cell of text that a spreadsheet would take for a formula gets an apostrophe before it
(https://owasp.org/www-community/attacks/CSV_Injection); numbers keep their sign, and stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.domain.reporting import Catalogue, Column, Report, Value

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> str:
    """Header and rows by RFC 4180; null is empty, a boolean true or false."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return written.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def as_json(
    name: str, report: Report, parameters: Mapping[str, Value], rows: Sequence[Sequence[Any]], *, has_more: bool,
    bytes_processed: int,
) -> bytes:  # fmt: skip
    """One document; decimals as text, days and times by ISO 8601. `has_more`: the limit left rows out."""
    return msgspec.json.encode(
        {
            "report": name,
            "title": report.title,
            "parameters": parameters,
            "columns": report.columns,
            "rows": rows,
            "has_more": has_more,
            "bytes_processed": bytes_processed,
        }
    )


def catalogue_as_json(catalogue: Catalogue) -> bytes:
    """What can be asked: each report with its parameters in full."""
    return msgspec.json.encode({"most_days": catalogue.most_days, "reports": described(catalogue)})


def described(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The reports in the order of the catalogue, each with what it takes and gives."""
    return [
        {
            "report": name,
            "title": report.title,
            "question": report.question,
            "parameters": [_parameter(catalogue, report, given) for given in report.parameters],
            "columns": report.columns,
            "marts": report.marts,
        }
        for name, report in catalogue.reports.items()
    ]


def _parameter(catalogue: Catalogue, report: Report, name: str) -> dict[str, Any]:
    parameter = catalogue.parameters[name]
    told: dict[str, Any] = {"name": name, "type": parameter.type, "description": parameter.description}
    if parameter.type == "integer":
        told |= {"minimum": parameter.least, "maximum": parameter.most}
        told["default"] = report.limit if name == "limit" else parameter.default
    elif parameter.type == "text":
        told |= {"pattern": parameter.pattern}
    else:
        told["default"] = "yesterday" if name == "to" else f"{report.days} days to `to`"
    return told
