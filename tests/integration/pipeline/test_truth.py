"""The pipeline against data whose truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.pipeline.harness import MART, Pipeline, row, sample

SHAPES = ("ndjson", "array", "gz")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three transaction files in three shapes, with a fifth of every kind of dirt, and their lists."""
    where = tmp_path_factory.mktemp("data") / "dirty"
    sample(where, 6000, 0.2, seed=11, files=3, shapes=SHAPES)
    return where


def outcomes(running: Pipeline) -> dict[str, dict[str, int]]:
    rows = running.sql(
        """SELECT source, sum(received)::int, sum(inserted)::int, sum(updated + superseded)::int, sum(unchanged)::int,
                  sum(quarantined)::int FROM pipeline.chunk GROUP BY source"""
    )
    names = ("received", "inserted", "updated_or_superseded", "unchanged", "quarantined")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def test_outcome_counts_equal_the_written_truth_exactly(running: Pipeline, folder: Path) -> None:
    truth = sample(folder.parent / "again", 6000, 0.2, seed=11, files=3, shapes=SHAPES).as_json()
    running.drop_folder(folder, order=("users", "products", "fx_rates", "transactions"))
    running.feed()

    found = outcomes(running)
    for source in ("transactions", "users", "products", "fx_rates"):
        assert found[source] == {name: truth[source][name] for name in found[source]}, source
    reasons = running.sql(
        """SELECT c.source, q.reason, count(*)::int
           FROM pipeline.quarantined_row q JOIN pipeline.chunk c USING (chunk_key)
           GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    assert [(s, r, n) for s, r, n in reasons] == sorted(
        (s, r, n) for s in found for r, n in truth[s]["quarantine_reasons"].items()
    )
    amounts = running.sql("SELECT currency, round(sum(amount), 2)::text FROM commerce.transactions GROUP BY 1")
    assert dict(amounts) == truth["transactions"]["amount"]
    net = running.warehouse.run(MART, {})
    assert f"{sum(day['net_revenue_base'] for day in net):.2f}" == truth["net_revenue_base"]
    assert running.findings() == []


def test_every_quarantined_row_has_a_reason_a_line_and_its_field_errors(running: Pipeline) -> None:
    bare = running.one(
        """SELECT count(*) FROM pipeline.quarantined_row
           WHERE line < 1 OR (fields IS NULL AND reason <> 'conflicting_duplicate')"""
    )
    assert bare == 0


def test_the_same_files_again_change_nothing_and_feed_nothing(running: Pipeline, folder: Path) -> None:
    audit, feeds = "SELECT count(*) FROM audit.change", "SELECT count(*) FROM pipeline.feed_batch"
    before = running.business(), running.tables(), running.one(audit), running.one(feeds)
    known = set(running.file_ids())

    running.drop_folder(folder, order=("users", "products", "fx_rates", "transactions"))
    running.feed()

    for identity in set(running.file_ids()) - known:
        counts = running.counts(identity)
        assert set(counts) <= {"received", "unchanged", "superseded", "quarantined"}, counts
    after = running.business(), running.tables(), running.one(audit), running.one(feeds)
    assert after == before
    assert running.findings() == []


def test_the_same_name_with_new_content_is_a_new_file(running: Pipeline) -> None:
    first = running.load("transactions/same-name.ndjson", row("renamed-1"))
    second = running.load("transactions/same-name.ndjson", row("renamed-2"))
    assert first != second
    assert running.counts(first) == running.counts(second) == {"received": 1, "inserted": 1}


def test_two_files_at_once_with_the_same_ids_end_like_one_after_the_other(running: Pipeline) -> None:
    lines = [
        row(f"both-{n % 300}", product_id=f"p{n % 7}", amount=n, timestamp=f"2026-03-02T10:0{n // 300}:00Z")
        for n in range(600)
    ]
    one = running.put("transactions/both-1.ndjson", b"\n".join(lines))
    two = running.put("transactions/both-2.ndjson", b"\n".join(reversed(lines)))
    running.run.wait_for([one, two])
    rows = running.sql(
        "SELECT transaction_id, amount::int FROM commerce.transactions WHERE transaction_id LIKE 'both-%'"
    )
    assert dict(rows) == {f"both-{n % 300}": n for n in range(300, 600)}
    running.feed()
    assert running.findings() == []
