-- Sum the jobs of BigQuery by day and statement, from a day on; twice gives the same.
-- Parameters: first_day
-- Result: none
INSERT INTO pipeline.query_stat (
    store,
    day,
    stage,
    table_name,
    fingerprint,
    runs,
    failed,
    total_seconds,
    max_seconds,
    p95_seconds,
    bytes_billed,
    slot_ms,
    cost_usd
)
SELECT
    'bigquery',
    CAST(started_at AT TIME ZONE 'UTC' AS date) AS day,
    stage,
    table_name,
    fingerprint,
    count(*),
    count(*) FILTER (WHERE state IN ('failed', 'refused')),
    sum(extract(EPOCH FROM ended_at - started_at)),
    max(extract(EPOCH FROM ended_at - started_at)),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(EPOCH FROM ended_at - started_at)),
    sum(bytes_billed),
    sum(slot_ms),
    sum(cost_usd)
FROM pipeline.warehouse_job
WHERE started_at >= CAST(:first_day AS date) AND state <> 'running' AND fingerprint <> ''
GROUP BY 2, stage, table_name, fingerprint
ON CONFLICT (day, store, stage, table_name, fingerprint) DO UPDATE SET
    runs = excluded.runs,
    failed = excluded.failed,
    total_seconds = excluded.total_seconds,
    max_seconds = excluded.max_seconds,
    p95_seconds = excluded.p95_seconds,
    bytes_billed = excluded.bytes_billed,
    slot_ms = excluded.slot_ms,
    cost_usd = excluded.cost_usd
