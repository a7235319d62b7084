-- The pages of a run do not fit: they are read afresh in another round.
-- Parameters: run_id, digest
-- Result: one row, the run (run_id, scheduled_at, since, page_size, round, pages_stored, pages_told, total_told, digest, wait_until, started_at)
UPDATE pipeline.extraction
SET
    round = round + 1,
    pages_stored = 0,
    pages_told = NULL,
    total_told = NULL,
    digest = :digest
WHERE run_id = :run_id
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
