-- Take up the run of a source that is not finished.
-- Parameters: source
-- Result: one row, the run (run_id, scheduled_at, since, page_size, round, pages_stored, pages_told, total_told, digest, wait_until, started_at); none where there is none
UPDATE pipeline.extraction
SET calls = calls + 1
WHERE source = :source AND finished_at IS NULL
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
