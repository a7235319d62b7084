"""Watch how statements behave: what is slow, dear, failing, or slower than in the week before.

Trigger  schedule, hourly           Reads   INFORMATION_SCHEMA.JOBS; pg_stat_statements where Postgres has it
Writes   pipeline.warehouse_job (jobs that are not there), pipeline.query_stat, alerts
Retry    by the Scheduler           Key     the job's id; a look that overlaps the last one changes nothing
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import functions_framework
from flask import Request

from shared.adapters import watching
from shared.adapters.alerts import raise_alert, send_alerts
from shared.adapters.feeds import one_at_a_time
from shared.adapters.metering import PostgresMeter
from shared.adapters.ports import Publisher, Warehouse
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.sessions import session
from shared.adapters.warehouse import BigQueryWarehouse
from shared.domain.queries_seen import SLOW_SECONDS
from shared.entrypoint import Outcome, boundary
from shared.settings import Settings, load_settings


@functions_framework.http
@boundary("watch_queries")
def watch_queries(_: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        warehouse = BigQueryWarehouse(settings, "watch_queries", meter=PostgresMeter(lent))
        return run(
            now=datetime.now(UTC), session=lent, warehouse=warehouse,
            publisher=CloudPublisher(settings.project), settings=settings,
        )  # fmt: skip


def run(*, now: datetime, session: Session, warehouse: Warehouse, publisher: Publisher, settings: Settings) -> Outcome:
    """Read what ended since the last look, and judge the days that it belongs to."""
    with one_at_a_time(session, "watch_queries") as free:
        if not free:
            return Outcome("busy")
        jobs, first_day = watching.watch_bigquery(session, warehouse, settings.bigquery_location, now)
        statements = watching.watch_postgres(session, now.date())
        raised = _judge(session, first_day, now.date(), settings)
        send_alerts(session, publisher, settings.runbook_url)
    told = "" if statements is not None else "Postgres has no pg_stat_statements: its statements are not watched"
    return Outcome("watched", jobs + (statements or 0), jobs + (statements or 0), raised, told)


def _judge(session: Session, first_day: date, today: date, settings: Settings) -> int:
    raised = 0
    for day, stage, table, seconds in watching.slow_statements(session, first_day):
        told = f"the longest run took {seconds} s; a report or mart takes at most {SLOW_SECONDS} s"
        raised += raise_alert(session, "slow_query", "warning", f"{stage} {table}".strip(), told, on=day.isoformat())
    for day in (first_day + timedelta(days=n) for n in range((today - first_day).days + 1)):
        for store, stage, table, mark, trend in watching.trends(session, day):
            if trend.regressed:
                told = f"{trend.runs} runs took {trend.mean:.1f} s each, in the week before {trend.mean_before:.1f} s"
                subject = " ".join(part for part in (store, stage, table, mark[:12]) if part)
                raised += raise_alert(session, "slow_query", "warning", subject, told, on=day.isoformat())
    for day, cost in watching.cost_of_days(session, first_day).items():
        if cost > settings.daily_budget_usd:
            told = f"the jobs of the day cost {cost:.2f} USD; the budget is {settings.daily_budget_usd} USD"
            raised += raise_alert(session, "cost_budget", "warning", "warehouse", told, on=day.isoformat())
    return raised
