-- A page of a run is stored; the wait that the API asked for before it is over.
-- Parameters: run_id, page, pages, total
-- Result: one row, the run (run_id, scheduled_at, since, page_size, round, pages_stored, pages_told, total_told, digest, wait_until, started_at)
UPDATE pipeline.extraction
SET
    pages_stored = :page,
    pages_told = :pages,
    total_told = :total,
    wait_until = NULL
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
