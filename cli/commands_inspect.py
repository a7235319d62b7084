"""Looking: `sluice status`, `verify`, `quarantine`, `sql` and `query`."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from google.api_core import exceptions as gax
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from cli.cloud import DEFAULT_HOME, Cloud, HomeOption, JsonOption, connected
from cli.output import console, fail, print_json, print_table
from local.pubsub.control import ControlRefused, PubSubControl
from shared.adapters.postgres import error_facts
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import verify

OUTCOMES = ["received", "inserted", "updated", "unchanged", "superseded", "quarantined", "held", "pending"]
SHOWN = 30
SHOWN_BYTES = 4096


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
    quarantine = typer.Typer(
        help="Rows that could not be loaded: which, why, and their raw text.", no_args_is_help=True
    )
    quarantine.command("list", epilog="Example:  sluice quarantine list --reason malformed_json")(quarantine_list)
    quarantine.command("show", epilog="Example:  sluice quarantine show 3f…-000000 17")(quarantine_show)
    app.add_typer(quarantine, name="quarantine")


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
        findings = verify(cloud.session, cloud.warehouse)
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


def quarantine_list(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason code.")] = None,
    file: Annotated[str | None, typer.Option(help="Only files whose name contains this.")] = None,
    most: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List quarantined rows with their reasons, newest first."""
    with connected(home) as cloud:
        rows = rows_of(cloud.session, "list_quarantine", source=source, reason=reason, file=file, most=most)
    columns = ("chunk_id", "line", "source", "reason", "fields", "file", "quarantined_at")
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(
            "Quarantine", ["chunk", "line", "source", "reason", "what was wrong", "file"],
            [(row[0], row[1], row[2], row[3], _told(row[4]), row[5]) for row in rows],
        )  # fmt: skip


def _told(fields: dict[str, list[str]] | None) -> str:
    return "; ".join(
        f"{name}: {', '.join(texts)}" if name else ", ".join(texts) for name, texts in (fields or {}).items()
    )


def quarantine_show(
    chunk: Annotated[str, typer.Argument(help="Chunk id, from `sluice quarantine list`.")],
    line: Annotated[int, typer.Argument(help="Line number.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show one quarantined row with its raw text (which may hold personal data)."""
    with connected(home) as cloud:
        rows = rows_of(cloud.session, "show_quarantined", chunk_id=chunk, line=line)
        if not rows:
            fail(f"no quarantined row at line {line} of chunk {chunk}; see `sluice quarantine list`")
        source, reason, fields, row_id, attempt, at, file, *place = rows[0]
        raw = _raw(cloud, line, place).decode("utf-8", "replace")
    shown = {
        "chunk": chunk, "line": line, "file": file or "stream", "source": source, "reason": reason,
        "fields": fields, "row_id": row_id, "attempt": attempt, "quarantined_at": at, "raw": raw,
    }  # fmt: skip
    if as_json:
        print_json(shown)
    else:
        for name, value in shown.items():
            console.print(f"[bold]{name:15}[/bold]", end="")
            console.print(_told(value) if name == "fields" else str(value), markup=False, highlight=False)


def _raw(cloud: Cloud, line: int, place: list[Any]) -> bytes:
    """The raw bytes, at most the first 4 KiB, from quarantine or from the chunk's own bytes."""
    raw_object, offset, length, bucket, name, generation, start, size, first_line = place
    if raw_object:
        where, _, object_generation = raw_object.removeprefix("gs://").partition("#")
        home, _, path = where.partition("/")
        version = int(object_generation) if object_generation else None
        most = SHOWN_BYTES if length is None else min(length, SHOWN_BYTES)
        return cloud.store.read(home, path, generation=version, start=offset or 0, length=most)
    if not name:
        return b""
    data = cloud.store.read(bucket, name, generation=generation, start=start, length=size)
    lines = data.split(b"\n")
    return lines[line - first_line][:SHOWN_BYTES] if 0 <= line - first_line < len(lines) else b""


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
