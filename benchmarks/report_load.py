"""The clients of the bench of the reports: what they ask, how long each answer took."""

from __future__ import annotations

import base64
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from shared.adapters.reports import catalogue
from shared.adapters.warehouse import BigQueryWarehouse

FIRST_DAY = date(2024, 1, 1)
SPANS = (7, 30, 30, 90)
CURRENCIES = ("", "", "GBP", "EUR")
BASE = Path(__file__).resolve().parent / "queries" / "revenue_on_base.sql"
TIMEOUT = 120.0


@dataclass(frozen=True)
class Timed:
    """One request: the report, the millisecond it began and how many it took, and whether it failed."""

    name: str
    began: float
    took: float
    failed: bool


def ask_reports(url: str, clients: int, requests: int, days: int) -> list[Timed]:
    """Spread over all reports in turn, with periods and filters drawn anew for each (seeded).

    The clients share the cores with what they measure, so they are as cheap as can be.
    """
    draw = random.Random(1)  # noqa: S311  # not for secrets
    names = itertools.islice(itertools.cycle(catalogue().reports), requests)
    asked = [(name, _parameters(draw, name, days)) for name in names]
    kept, headers = threading.local(), {"Authorization": _token()}
    host = url.removeprefix("http://")

    def ask(one: tuple[str, dict[str, str]]) -> bool:
        if not hasattr(kept, "connection"):
            kept.connection = HTTPConnection(host, timeout=TIMEOUT)
        kept.connection.request("GET", f"/report/{one[0]}?{urlencode(one[1])}", headers=headers)
        answer = kept.connection.getresponse()
        return bool(answer.read()) and answer.status == 200

    return _timed(asked, ask, lambda one: one[0], clients)


def ask_base(warehouse: BigQueryWarehouse, clients: int, requests: int, days: int) -> list[Timed]:
    """The question of revenue_by_day asked of the base table, by the same client library."""
    draw, sql = random.Random(1), BASE.read_text(encoding="utf-8")  # noqa: S311  # not for secrets
    periods = [_period(draw, days) for _ in range(requests)]

    def ask(period: tuple[date, date]) -> bool:
        params = {"first_day": period[0], "last_day": period[1]}
        return bool(warehouse.ask(sql, params, table="bench", most_bytes=1 << 40).rows)

    return _timed(periods, ask, lambda _: "base table", clients)


def _timed(asked: Sequence[Any], ask: Callable[[Any], bool], name: Callable[[Any], str], clients: int) -> list[Timed]:
    def one(what: Any) -> Timed:
        began = time.perf_counter()
        try:
            failed = not ask(what)
        except Exception:  # whatever it is, it is an error of this request
            failed = True
        return Timed(name(what), began * 1000, (time.perf_counter() - began) * 1000, failed)

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, asked))


def _period(draw: random.Random, days: int) -> tuple[date, date]:
    span = draw.choice(SPANS)
    first = FIRST_DAY + timedelta(days=draw.randrange(max(1, days - span)))
    return first, first + timedelta(days=span - 1)


def _parameters(draw: random.Random, name: str, days: int) -> dict[str, str]:
    takes, given = catalogue().reports[name].parameters, {}
    if "from" in takes:
        given["from"], given["to"] = map(str, _period(draw, days))
    if "currency" in takes and (currency := draw.choice(CURRENCIES)):
        given["currency"] = currency
    return given


def _token() -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"email": "operator@localhost", "email_verified": True}).encode())
    return f"Bearer e30.{claims.decode().rstrip('=')}.x"


def summary(timed: Sequence[Timed]) -> dict[str, float]:
    """Percentiles in milliseconds (nearest rank), errors, and requests a second from the first to the last."""
    took = sorted(one.took for one in timed)
    seconds = (max(one.began + one.took for one in timed) - min(one.began for one in timed)) / 1000
    ranks = {f"p{rank}": round(took[max(0, -(-len(took) * rank // 100) - 1)], 1) for rank in (50, 95, 99)}
    return {
        "requests": len(took), **ranks, "max": round(took[-1], 1), "errors": sum(one.failed for one in timed),
        "per_second": round(len(took) / seconds, 1),
    }  # fmt: skip
