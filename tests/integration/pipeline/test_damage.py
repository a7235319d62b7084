"""The catalogue of damage through the whole pipeline: good rows load, bad stretches are quarantined in their place."""

from __future__ import annotations

from datetime import date

from tests.integration.pipeline.damage import Bad, Damaged, files
from tests.integration.pipeline.harness import Pipeline, row

LOADED = {
    "transactions": "SELECT transaction_id FROM commerce.transactions",
    "users": "SELECT user_id FROM commerce.users",
}


def quarantine(running: Pipeline, identity: str) -> list[Bad]:
    text = """SELECT q.line::int, q.source_offset::bigint, q.source_length::bigint, q.reason
              FROM pipeline.quarantined_row q JOIN pipeline.chunk c USING (chunk_key)
              WHERE c.file_id = $1 ORDER BY q.line, q.source_offset"""
    return [Bad(*found) for found in running.sql(text, identity)]


def test_damaged_files_lose_no_good_row_and_show_every_bad_stretch(running: Pipeline) -> None:
    damaged: list[Damaged] = list(files())
    dropped = [running.put(file.name, file.data) for file in damaged]
    running.run.wait_for(dropped)
    loaded = {source: {found[0] for found in running.sql(text)} for source, text in LOADED.items()}
    for file, identity in zip(damaged, dropped, strict=True):
        assert quarantine(running, identity) == list(file.bad), file.name
        assert set(file.good) <= loaded[file.name.partition("/")[0]], file.name
    assert loaded["transactions"] == {key for file in damaged for key in file.good if file.name.startswith("trans")}


def test_after_the_damage_everything_is_accounted_for(running: Pipeline) -> None:
    running.load("transactions/sound.ndjson", row("sound"))
    running.feed()
    assert running.findings() == []


def test_once_the_format_of_dates_is_declared_one_replay_empties_the_quarantine_of_that_reason(
    running: Pipeline,
) -> None:
    reason = "SELECT count(*)::int FROM pipeline.quarantined_row WHERE reason = 'ambiguous_date'"
    outcomes = """SELECT sum(received)::int, sum(quarantined)::int,
                         sum(inserted + updated + unchanged + superseded)::int FROM pipeline.chunk"""
    waiting, (received, quarantined, settled) = running.one(reason), running.sql(outcomes)[0]
    assert waiting > 0
    running.redeploy(DATE_ORDER="dmy")
    running.sluice("quarantine", "replay", "--reason", "ambiguous_date", "--wait")
    assert running.one(reason) == 0
    assert running.sql(outcomes) == [(received, quarantined - waiting, settled + waiting)]
    days = "SELECT DISTINCT sale_date FROM commerce.transactions WHERE transaction_id = 'b17'"
    assert running.sql(days) == [(date(2026, 2, 1),)]
    running.feed()
    assert running.findings() == []
