"""The standard reports by HTTP: GET /<name>?from=2026-11-01&to=2026-11-30&format=csv; without a name the catalogue.

Trigger  HTTP GET       Reads   the marts, by sql/bigquery/reports; no result is kept between requests
Writes   nothing        Answers JSON or CSV; 400 with every parameter that is wrong, and what to write instead
Retry    by the caller  Key     none: the same request reads again
"""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import functions_framework
import msgspec
from flask import Request, Response

from shared.adapters.ports import Warehouse
from shared.adapters.reports import answer_as_json, catalogue, run_report
from shared.adapters.warehouse import BigQueryWarehouse
from shared.callers import Refused, caller
from shared.domain.report_text import as_csv, catalogue_as_json
from shared.entrypoint import boundary
from shared.errors import OrderRefused
from shared.settings import Settings, load_settings

FORMATS = ("json", "csv")
HAS_MORE = "Sluice-Has-More"
"""Header: whether the limit left rows out. CSV has no other place to say it."""
_OF_THREAD = threading.local()


@functions_framework.http
@boundary("report")
def report(request: Request) -> Response:
    """Entry point."""
    settings = load_settings()
    try:
        caller(
            dict(request.headers), settings.operators | settings.report_readers,
            otherwise=("not_a_reader", "this identity is in neither of the settings OPERATORS and REPORT_READERS"),
        )  # fmt: skip
        if request.method != "GET":
            raise Refused(405, "method", "ask for a report by GET")
        today = datetime.now(UTC).date()
        return run(request, today, warehouse(settings), settings.report_max_bytes)
    except Refused as exc:
        return _refusal(exc.status, exc.reason, str(exc))
    except OrderRefused as exc:
        return _refusal(404 if exc.reason == "unknown_report" else 400, exc.reason, str(exc))


def run(request: Request, today: date, warehouse: Warehouse, most_bytes: int) -> Response:
    """The catalogue or one report. Raises OrderRefused."""
    name = request.path.strip("/").rpartition("/")[2]
    if not name:
        return Response(catalogue_as_json(catalogue()), mimetype="application/json")
    given = [(key, value) for key, value in request.args.items(multi=True) if key != "format"]
    forms = request.args.getlist("format") or ["json"]
    form = forms[0]
    found = [f"format must be json or csv, it is {one[:20]!r}" for one in forms if one not in FORMATS]
    found += ["format must be given once"] if len(forms) > 1 else []
    answer = run_report(name, given, today, warehouse=warehouse, most_bytes=most_bytes, found=found)
    told = {HAS_MORE: str(answer.has_more).lower()}
    if form == "csv":
        return Response(as_csv(answer.report.columns, answer.rows), headers=told, mimetype="text/csv")
    return Response(answer_as_json(answer), headers=told, mimetype="application/json")


def warehouse(settings: Settings) -> Warehouse:
    """One client for each thread and emulator, made at its first request: sessions of requests are not for sharing."""
    known: dict[str, Warehouse] = _OF_THREAD.__dict__
    place = f"{settings.project} {settings.bigquery_emulator}"
    if place not in known:
        known[place] = BigQueryWarehouse(settings, "report")
    return known[place]


def _refusal(status: int, reason: str, told: str) -> Response:
    return Response(msgspec.json.encode({"error": reason, "told": told}), status, mimetype="application/json")
