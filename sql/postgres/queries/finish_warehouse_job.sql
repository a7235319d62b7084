-- What a job did and cost; told twice it counts once. Its admission stays the start that the governor counts by.
-- Parameters: job_id, ended_at, state, error, bytes_processed, bytes_billed, slot_ms, rows, cost_usd
-- Result: none
UPDATE pipeline.warehouse_job
SET
    ended_at = greatest(CAST(:ended_at AS timestamptz), started_at),
    state = :state,
    error = :error,
    bytes_processed = :bytes_processed,
    bytes_billed = :bytes_billed,
    slot_ms = :slot_ms,
    rows = :rows,
    cost_usd = CAST(:cost_usd AS numeric)
WHERE job_id = :job_id AND state <> 'done'
