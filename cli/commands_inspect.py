"""Looking: `sluice status`, `verify`, `sql` and `query`."""

from __future__ import annotations

import os
from collections import Counter
from typing import Annotated, Any

import typer
from google.api_core import exceptions as gax
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from cli.cloud import DEFAULT_HOME, Cloud, HomeOption, JsonOption, connected
from cli.output import console, fail, print_json, print_table
from local.pubsub.control import ControlRefused, PubSubControl
from shared.adapters.deadletters import DeadLetters
from shared.adapters.postgres import error_facts
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import verify
from shared.domain.balance import Finding
from shared.domain.redriving import is_dead_letter_subscription

OUTCOMES = ["received", "inserted", "updated", "unchanged", "superseded", "quarantined", "held", "pending"]
SHOWN = 30


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example:  sluice status --json")(status)
    app.command("verify", epilog="Example:  sluice verify && echo balanced")(verify_all)
    app.command("sql", epilog='Example:  sluice sql "SELECT status, count(*) FROM commerce.transactions GROUP BY 1"')(
        sql
    )
    app.command("query", epilog='Example:  sluice query "SELECT * FROM marts.daily_sales_summary WHERE sale_date = …"')(
        query_warehouse
    )


def status(
    most: Annotated[int, typer.Option(help="Files to show.", min=1)] = 20,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """What came in, what became of it, and what waits."""
    with connected(home) as cloud:
        sources = rows_of(cloud.session, "sum_outcomes")
        files = rows_of(cloud.session, "list_files", most=most)
        feeds = rows_of(cloud.session, "sum_feeds")
    waiting = _subscriptions()
    if as_json:
        print_json(
            {
                "sources": {row[0]: dict(zip(OUTCOMES, map(int, row[1:]), strict=True)) for row in sources},
                "files": [
                    dict(
                        zip(
                            ("object", "source", "state", "reason", "told", "rows", "settled", "landed_at"),
                            row,
                            strict=True,
                        )
                    )
                    for row in files
                ],
                "feeds": dict(feeds),
                "subscriptions": waiting,
            }
        )
        return
    print_table("Rows", ["source", *OUTCOMES], [(row[0], *map(int, row[1:])) for row in sources])
    print_table(
        "Newest files", ["object", "source", "state", "why", "rows", "settled"],
        [(name, source, state, told or why, int(n), int(done)) for name, source, state, why, told, n, done, _ in files],
    )  # fmt: skip
    print_table("Feeds to the warehouse", ["state", "feeds"], feeds)
    if waiting:
        rows = [(name, *stats.values()) for name, stats in waiting.items() if any(stats.values())]
        print_table("Messages under way", ["subscription", "waiting", "dead-lettered"], rows)


def _dead_letters(cloud: Cloud) -> list[Finding]:
    """Rows that lie in dead-letter subscriptions have no outcome yet."""
    if cloud.api:
        lying = Counter(one.subscription.rpartition("/")[2] for one in DeadLetters(cloud.settings.project).peek())
    else:
        lying = Counter({name: each["waiting"] for name, each in _subscriptions().items()})
    return [
        Finding("pending", name, f"{waiting:,} dead letters; see `sluice deadletter list`")
        for name, waiting in sorted(lying.items())
        if is_dead_letter_subscription(name) and waiting
    ]


def _subscriptions() -> dict[str, dict[str, int]]:
    """Waiting messages, where the Pub/Sub is the local one."""
    host = os.environ.get("PUBSUB_EMULATOR_HOST")
    if not host:
        return {}
    try:
        with PubSubControl(host) as control:
            stats = control.stats()
    except ControlRefused:
        return {}
    return {
        name.rpartition("/")[2]: {"waiting": s.undelivered + s.outstanding, "dead_lettered": s.dead_lettered}
        for name, s in sorted(stats.items())
    }


def verify_all(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Check that every row is accounted for and that Postgres, BigQuery and the mart agree, to the cent."""
    with connected(home) as cloud:
        findings = verify(cloud.session, cloud.warehouse) + _dead_letters(cloud)
    if as_json:
        print_json({"balanced": not findings, "findings": [vars(finding) for finding in findings]})
    elif findings:
        print_table("Not balanced", ["kind", "where", "found"], [(f.kind, f.where, f.told) for f in findings[:SHOWN]])
        if len(findings) > SHOWN:
            console.print(f"… and {len(findings) - SHOWN:,} more; --json shows all.")
    else:
        console.print("[green]balanced[/green]: every row is accounted for; Postgres, BigQuery and the mart agree.")
    if findings:
        raise typer.Exit(1)


def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement for Postgres.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Run SQL in Postgres, read-only."""
    with connected(home) as cloud:
        try:
            with cloud.session.transaction("READ ONLY"):
                result = cloud.session.connection.execute_unnamed(statement)
        except DatabaseError as exc:
            fail(error_facts(exc)[1], 1)
    columns = [column["name"] for column in result.columns or ()]
    _print_rows("Postgres", columns, result.rows or [], as_json)


def query_warehouse(
    statement: Annotated[str, typer.Argument(help="One SQL statement for BigQuery.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Run a query in BigQuery."""
    with connected(home) as cloud:
        try:
            rows = cloud.warehouse.run(statement, {})
        except gax.GoogleAPICallError as exc:
            fail(str(exc.errors[0]["message"]) if exc.errors else exc.message or type(exc).__name__, 1)
    columns = list(rows[0]) if rows else []
    _print_rows("BigQuery", columns, [list(row.values()) for row in rows], as_json)


def _print_rows(title: str, columns: list[str], rows: list[list[Any]], as_json: bool) -> None:
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(f"{title}: {len(rows):,} rows", columns, rows)
