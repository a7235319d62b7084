-- Begin a run of a source, once for each scheduled time.
-- Parameters: source, scheduled_at, since, page_size, started_at
-- Result: one row, the run (run_id, scheduled_at, since, page_size, round, pages_stored, pages_told, total_told, digest, wait_until, started_at); none where it was begun before
INSERT INTO pipeline.extraction (source, scheduled_at, since, page_size, started_at)
VALUES (:source, :scheduled_at, :since, :page_size, :started_at)
ON CONFLICT (source, scheduled_at) DO NOTHING
RETURNING
    run_id,
    scheduled_at,
    since,
    page_size,
    round,
    pages_stored,
    pages_told,
    total_told,
    digest,
    wait_until,
    started_at
