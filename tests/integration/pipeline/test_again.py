"""Landed files run through the code of now, and BigQuery fed anew: the same tables, but for what must change."""

from __future__ import annotations

from shared.settings import DEFAULT_PAYMENT_METHODS
from tests.integration.pipeline.harness import Pipeline, row
from tests.integration.pipeline.operating import equation, lines, snapshot


def test_reprocessing_changes_no_table_and_corrects_what_todays_code_reads_otherwise(running: Pipeline) -> None:
    running.load("fx_rates/rates.csv", b"date,currency,rate\n2026-03-01,EUR,0.85\n")
    running.load(
        "products/list.ndjson",
        b'{"product_id":"p1","name":"Spade","price":"5.00","inventory_count":3,"updated_at":"2026-03-01T00:00:00Z"}\n',
    )
    running.load("users/list.csv", b"user_id,email,country\nu1,u1@example.com,GB\nu2,u2@example.com,FR\n")
    running.load("transactions/crypto.ndjson", lines(row("y-1", payment_method="Crypto"), row("y-2")))
    export = [row(f"w-{n}", currency="QQQ" if n % 3 else "GBP") for n in range(120)]
    running.load("transactions/wrong.ndjson", lines(*export))
    running.sluice("held", "release", "--file", "wrong.ndjson", "--wait")
    running.feed()
    (days,) = running.sql("SELECT min(landed_at)::date::text, max(landed_at)::date::text FROM pipeline.file")
    landed = ("--from", days[0], "--to", days[1])
    before, audited = snapshot(running), running.one("SELECT count(*) FROM audit.change")
    files = running.one("SELECT count(*) FROM pipeline.file")
    for source in ("users", "fx_rates", "products", "transactions"):
        words = ("reprocess", "--source", source, *landed)
        assert running.sluice(*words, "--dry-run")["files"] > 0
        running.sluice(*words, "--wait")
    (held,) = running.sluice("held", "list")
    running.sluice("held", "release", "--chunk", held["chunk_id"], "--wait")
    for table, earlier in zip(snapshot(running), before, strict=True):
        assert set(table) ^ set(earlier) == set()
    assert running.one("SELECT count(*) FROM audit.change") == audited
    assert running.one("SELECT count(*) FROM pipeline.file") == 2 * files
    assert (
        running.one(
            "SELECT sum(inserted) + sum(updated) FROM pipeline.chunk JOIN pipeline.file USING (file_id) WHERE pass > 0"
        )
        == 0
    )

    running.redeploy(PAYMENT_METHODS=f"{DEFAULT_PAYMENT_METHODS},crypto")
    running.sluice("reprocess", "--source", "transactions", *landed, "--wait")
    method, extra, version = running.sql(
        "SELECT payment_method, extra, version FROM commerce.transactions WHERE transaction_id = 'y-1'"
    )[0]
    assert (method, extra, version) == ("crypto", None, 2)
    corrected = running.sql(
        "SELECT sum(updated)::int FROM pipeline.chunk JOIN pipeline.file USING (file_id) WHERE pass = 2"
    )
    assert corrected == [(1,)]
    assert running.one("SELECT count(*) FROM audit.change WHERE row_id = 'y-1'") == 1
    (held,) = running.sluice("held", "list")
    running.sluice("held", "reject", "--chunk", held["chunk_id"], "--wait")
    equation(running)
    running.feed()
    assert running.findings() == []


def test_a_refeed_after_a_restore_makes_the_warehouse_what_postgres_is(running: Pipeline) -> None:
    running.load("transactions/kept.ndjson", lines(row("r-1"), row("r-2", timestamp="2026-03-05T10:00:00Z")))
    running.feed()
    backup = running.one("SELECT max(feed_id) FROM pipeline.feed_batch")
    lost = running.load("transactions/lost.ndjson", lines(row("r-3", timestamp="2026-03-06T10:00:00Z")))
    running.feed()
    for text in (
        """DELETE FROM commerce.transactions
           WHERE source_chunk IN (SELECT chunk_key FROM pipeline.chunk WHERE file_id = $1)""",
        "DELETE FROM pipeline.chunk WHERE file_id = $1",
        "DELETE FROM pipeline.file WHERE file_id = $1",
    ):
        running.sql(text, lost)
    running.sql("DELETE FROM pipeline.feed_batch WHERE feed_id > $1", backup)
    running.sql("SELECT setval(pg_get_serial_sequence('pipeline.feed_batch', 'feed_id'), $1)", backup)
    running.sql("UPDATE pipeline.feed_position SET timeline = timeline + 1")
    assert running.sluice("verify", exit_code=1)["balanced"] is False
    running.sluice("trigger", "enrich", exit_code=1)
    running.sluice("refeed")
    running.feed()
    assert running.sluice("verify") == {"balanced": True, "findings": []}
    running.sluice("refeed", "--from", "2026-03-05", "--to", "2026-03-06")
    running.feed()
    assert running.sluice("verify") == {"balanced": True, "findings": []}
    assert running.sluice("refeed", "--from", "2026-03-05", exit_code=2) is None
