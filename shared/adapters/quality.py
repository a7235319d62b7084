"""Measuring: set-based SQL counts, shared.domain.quality judges, the ledger keeps the verdicts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.alert_kinds import Severity
from shared.domain.quality import rules as r
from shared.domain.quality.judging import Measure, Result, judge, judge_anomaly, judge_freshness, same_weekdays

CENT = Decimal("0.01")
ONE_ROW = Decimal(1)
MESSAGES_WITHIN = timedelta(days=32)
"""How far back the last message of a source is looked for."""
WINDOW_DAYS = 31
"""Days of sale whose outliers one statement looks for."""
MEASURED_RULES = [rule.name for rule in (*r.ON_ROWS, *r.ON_FACTS, r.VOLUME)]
SALES_RULES = [rule.name for rule in (r.AMOUNT_SUM, r.AMOUNT_MEDIAN, r.OUTLIERS)]


def days_to_measure(session: Session, position: int, ran_on: date | None, today: date) -> tuple[list[date], list[date]]:
    """Ledger days and days of sale to measure: what changed, and every day from the last run's to today."""
    first = ran_on or today
    ended = {first + timedelta(days=number) for number in range((today - first).days + 1)}
    landed = {row[0] for row in rows_of(session, "list_ledger_days", position=position)}
    sold = {row[0] for row in rows_of(session, "list_sale_days", position=position)}
    return sorted(landed | ended), sorted(sold | ended)


def measure_ledger_days(
    session: Session, days: list[date], today: date, fields: Mapping[str, Severity]
) -> list[Result]:
    """Verdicts on every chunk, file and source of these ledger days; kept when it returns."""
    missing = r.completeness_rules(fields)
    on_rows = [*r.ON_ROWS, *missing]
    results = [
        result
        for row in rows_of(session, "measure_rows", days=days, fewest=r.CHUNK_ROWS)
        for result in judge(on_rows, Measure(*row))
    ]
    for day, *counts in rows_of(session, "measure_facts", days=days):
        names = ("facts", "late", "with_user", "inferred_users", "inferred_products")
        measure = Measure("day", "", "transactions", day, dict(zip(names, counts, strict=True)))
        results += judge(r.ON_FACTS, measure)
    results += _volumes(session, days, today)
    keep(session, results, days, MEASURED_RULES + [rule.name for rule in missing])
    return results


def measure_sale_days(session: Session, days: list[date], today: date) -> list[Result]:
    """Verdicts on the amounts of these days of sale, and their outliers. Only days that are over have a usual size."""
    over = [day for day in days if day < today]
    results = [*_amounts(session, over), *_outliers(session, over)]
    keep(session, results, days, SALES_RULES)
    return results


def measure_freshness(session: Session, now: datetime) -> list[Result]:
    """Whether each source that ever sent something still does."""
    arrived = rows_of(session, "last_arrivals", since=(now - MESSAGES_WITHIN).date())
    results = [
        judge_freshness(source, now.date(), max(Decimal(0), Decimal((now - at).total_seconds()) / 3600))
        for source, at in arrived
    ]
    keep(session, results, [now.date()], [r.FRESHNESS.name])
    return results


def keep(session: Session, results: Sequence[Result], days: Sequence[date], rules: Sequence[str]) -> None:
    """Keep verdicts, and forget what these rules said of these days before and no longer say."""
    rows = [
        {
            "scope": one.scope, "subject": one.subject, "dataset": one.dataset, "day": one.day.isoformat(),
            "rule": one.rule, "value": str(one.value), "threshold": str(one.threshold), "severity": one.severity,
            "passed": one.passed, "rows": one.rows,
        }
        for one in results
    ]  # fmt: skip
    rows_of(session, "replace_quality_results", results=json.dumps(rows), days=list(days), rules=list(rules))


def kept(
    session: Session,
    *,
    dataset: str | None = None,
    days: list[date] | None = None,
    first_day: date | None = None,
    last_day: date | None = None,
) -> list[Result]:
    """The verdicts on datasets and days that the ledger holds."""
    rows = rows_of(session, "list_quality_days", dataset=dataset, days=days, first_day=first_day, last_day=last_day)
    return [Result("day", *row[:9]) for row in rows]


def _volumes(session: Session, days: list[date], today: date) -> Iterator[Result]:
    looked_at = sorted({other for day in days for other in (day, *same_weekdays(day))})
    rows: dict[str, dict[date, int]] = defaultdict(dict)
    for dataset, day, count in rows_of(session, "measure_volume", days=looked_at):
        rows[dataset][day] = count
    for dataset in r.VOLUME.datasets:
        found = rows[dataset]
        for day in days:
            measure = Measure("day", "", dataset, day, {"rows": found.get(day, 0)})
            history = [Decimal(found[other]) for other in same_weekdays(day) if other in found]
            observed = Decimal(found.get(day, 0))
            verdict = judge_anomaly(r.VOLUME, measure, observed, history, least=ONE_ROW, over=day < today)
            if verdict is not None:
                yield verdict


def _amounts(session: Session, days: list[date]) -> Iterator[Result]:
    looked_at = sorted({other for day in days for other in (day, *same_weekdays(day))})
    sold: dict[tuple[str, date], tuple[int, Decimal, Decimal]] = {}
    for day, currency, rows, amount, median in rows_of(session, "measure_sales", days=looked_at):
        sold[currency, day] = rows, amount, median
    for currency in sorted({currency for currency, _ in sold}):
        for day in days:
            rows, *observed = sold.get((currency, day), (0, Decimal(0), None))
            earlier = [sold[currency, other] for other in same_weekdays(day) if (currency, other) in sold]
            if not earlier or min(one[0] for one in earlier) < r.USUAL_ROWS:
                continue
            measure = Measure("day", currency, "sales", day, {"rows": rows})
            for index, rule in enumerate((r.AMOUNT_SUM, r.AMOUNT_MEDIAN)):
                value = observed[index]
                if value is None:
                    continue
                history = [one[index + 1] for one in earlier]
                verdict = judge_anomaly(rule, measure, value, [Decimal(h) for h in history], least=CENT, over=True)
                if verdict is not None:
                    yield verdict


def _outliers(session: Session, days: list[date]) -> Iterator[Result]:
    for some in _windows(days):
        with session.transaction():
            rows_of(session, "delete_outliers", days=some)
            found = rows_of(
                session, "insert_outliers", days=some, first_day=some[0], last_day=some[-1], trailing=r.OUTLIER_DAYS,
                fewest=r.OUTLIER_FEWEST, spreads=str(r.OUTLIER_SPREADS), smallest=str(r.OUTLIER_FLOOR),
            )  # fmt: skip
        for day, amounts, outliers in found:
            measure = Measure("day", "", "sales", day, {"amounts": amounts, "outliers": outliers})
            yield from judge((r.OUTLIERS,), measure)


def _windows(days: list[date]) -> Iterator[list[date]]:
    """The days in pieces of at most a month from the first to the last."""
    some: list[date] = []
    for day in sorted(days):
        if some and (day - some[0]).days >= WINDOW_DAYS:
            yield some
            some = []
        some.append(day)
    if some:
        yield some
