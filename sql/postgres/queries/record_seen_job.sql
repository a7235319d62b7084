-- Keep a job that BigQuery tells of; one that is on record gets its fingerprint, and its end where nobody told it.
-- Parameters: job_id, stage, table_name, kind, started_at, ended_at, state, error, bytes_*, slot_ms, cost_usd, fingerprint
-- Result: none
INSERT INTO pipeline.warehouse_job AS j (
    job_id,
    stage,
    table_name,
    target,
    kind,
    started_at,
    ended_at,
    state,
    error,
    bytes_processed,
    bytes_billed,
    slot_ms,
    cost_usd,
    fingerprint
)
VALUES (
    :job_id,
    :stage,
    :table_name,
    '',
    :kind,
    :started_at,
    :ended_at,
    :state,
    :error,
    :bytes_processed,
    :bytes_billed,
    :slot_ms,
    CAST(:cost_usd AS numeric),
    :fingerprint
)
ON CONFLICT (job_id) DO UPDATE SET
    fingerprint = excluded.fingerprint,
    slot_ms = greatest(j.slot_ms, excluded.slot_ms),
    ended_at = coalesce(j.ended_at, greatest(excluded.ended_at, j.started_at)),
    state = CASE WHEN j.state = 'running' THEN excluded.state ELSE j.state END,
    error = CASE WHEN j.state = 'running' THEN excluded.error ELSE j.error END,
    bytes_processed = CASE WHEN j.state = 'running' THEN excluded.bytes_processed ELSE j.bytes_processed END,
    bytes_billed = CASE WHEN j.state = 'running' THEN excluded.bytes_billed ELSE j.bytes_billed END,
    cost_usd = CASE WHEN j.state = 'running' THEN excluded.cost_usd ELSE j.cost_usd END
