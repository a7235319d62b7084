"""Putting data in: `sluice drop`, `publish`, `trigger` and `generate`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # a namespace package: mypy sees one part
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.cloud import DEFAULT_HOME, Cloud, HomeOption, JsonOption, connected, run_job
from cli.landing import Dropped, drop, follow, source_of
from cli.output import console, errors, fail, print_json, print_mapping, print_table
from local.generate import SHAPES, generate
from shared.domain.sources import SOURCES

MAX_MESSAGE_ROWS = 500
MAX_MESSAGE_BYTES = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("drop", epilog="Examples:  sluice drop transactions.ndjson --wait  |  sluice drop feb.csv --as users")(
        drop_files
    )
    app.command(epilog="Example:  sluice publish events.ndjson --batch 100")(publish)
    app.command(epilog="Examples:  sluice trigger extract_products  |  sluice trigger enrich --json")(trigger)
    app.command("generate", epilog="Example:  sluice generate data --transactions 100000 --dirt 0.2 --seed 7")(
        generate_data
    )


def drop_files(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="Files to drop.")],
    source: Annotated[str | None, typer.Option("--as", help=f"Source: {', '.join(SOURCES)}.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every row is in Postgres.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.")] = 3600,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Drop files into the landing bucket. The source follows from the name (users.csv) unless --as says it."""
    if source is not None and source not in SOURCES:
        fail(f"--as {source}: a source is one of {', '.join(SOURCES)}")
    chosen = [(path, source or source_of(path)) for path in files]
    for path, found in chosen:
        if found is None:
            fail(f"{path}: the name does not tell the source; add --as {'|'.join(SOURCES)}")
    with connected(home) as cloud:
        bucket = cloud.settings.landing_bucket
        dropped = [drop(cloud.settings.project, bucket, path, str(found)) for path, found in chosen]
        if wait:
            _wait(cloud, dropped, timeout, quiet=as_json)
    if as_json:
        print_json([{"name": d.name, "file_id": d.file_id, "bytes": d.bytes} for d in dropped])
    else:
        print_table(f"Dropped into gs://{bucket}", ["object", "bytes"], [(d.name, d.bytes) for d in dropped])


def _wait(cloud: Cloud, dropped: list[Dropped], timeout: float, quiet: bool) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    rejected = 0
    with Progress(*columns, console=errors, disable=quiet) as bar:
        task = bar.add_task("rows settled in Postgres", total=None)
        try:
            for now in follow(cloud.session, [d.file_id for d in dropped], timeout):
                bar.update(task, completed=now.settled, total=now.received or None)
                rejected = now.rejected
        except TimeoutError as exc:
            fail(f"{exc}; look with `sluice status`", 1)
    if rejected:
        fail(f"{rejected} of {len(dropped)} files were rejected; `sluice status` says why", 1)


def publish(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="NDJSON of transactions.")],
    batch: Annotated[int, typer.Option(help="Rows per message.", min=1, max=MAX_MESSAGE_ROWS)] = 1,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Publish transactions to Pub/Sub, as the shop's producers do."""
    rows = messages = 0
    with connected(home) as cloud:
        publisher = pubsub_v1.PublisherClient()
        topic = publisher.topic_path(cloud.settings.project, "transactions")
        futures = []
        for lines in _batches(file, batch):
            futures.append(publisher.publish(topic, b"\n".join(lines)))
            rows, messages = rows + len(lines), messages + 1
        for future in futures:
            future.result(timeout=60)
    if as_json:
        print_json({"rows": rows, "messages": messages})
    else:
        console.print(f"Published {rows:,} rows in {messages:,} messages to topic transactions.")


def _batches(file: Path, batch: int) -> Iterator[list[bytes]]:
    held: list[bytes] = []
    with file.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            held.append(line.rstrip(b"\r\n"))
            if len(held) == batch or sum(map(len, held)) > MAX_MESSAGE_BYTES:
                yield held
                held = []
    if held:
        yield held


def trigger(
    job: Annotated[str, typer.Argument(help="A scheduled function, such as enrich or extract_products.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Run a scheduled job now and wait for its outcome."""
    with connected(home) as cloud:
        answer = run_job(cloud.jobs, job)
    if as_json:
        print_json(answer)
    else:
        print_mapping(job, answer)


def generate_data(
    directory: Annotated[Path, typer.Argument(help="Folder for the files; it must be empty or new.")],
    transactions: Annotated[int, typer.Option(min=0)] = 10_000,
    users: Annotated[int, typer.Option(min=1)] = 1_000,
    products: Annotated[int, typer.Option(min=1)] = 200,
    dirt: Annotated[float, typer.Option(help="Share of dirty rows, spread over every kind.", min=0, max=0.6)] = 0.05,
    kind: Annotated[
        list[str] | None, typer.Option(help="KIND=SHARE, such as transactions.malformed_json=0.1; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    days: Annotated[int, typer.Option(help="Days that the sales spread over.", min=1)] = 30,
    start: Annotated[datetime | None, typer.Option(help="First day; default: so that the last is yesterday.")] = None,
    files: Annotated[int, typer.Option(help="Transaction files.", min=1)] = 1,
    shape: Annotated[list[str] | None, typer.Option(help=f"Shapes in turn: {', '.join(SHAPES)}.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Generate data with known truth: DIR gets the files and truth.json with the outcome counts to expect."""
    shares: dict[str, float] = {}
    for pair in kind or []:
        name, _, share = pair.partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            fail(f"--kind {pair}: write KIND=SHARE, such as transactions.malformed_json=0.1")
    first: date = start.date() if start else (datetime.now(UTC) - timedelta(days=days)).date()
    try:
        truth = generate(
            directory,
            transactions=transactions,
            users=users,
            products=products,
            dirt=shares or dirt,
            seed=seed,
            days=days,
            start=first,
            files=files,
            shapes=tuple(shape or ["ndjson"]),
        )
    except (ValueError, FileExistsError) as exc:
        fail(str(exc))
    if as_json:
        print_json(truth.as_json())
    else:
        console.print(f"Wrote {directory}; truth.json says what to expect of each source.")
