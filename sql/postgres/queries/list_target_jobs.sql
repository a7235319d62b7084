-- What was admitted to a table within a day, with the time by the database's clock.
-- Parameters: target
-- Result: kind, partitions, started_at, running; the first row is the clock (kind null)
SELECT
    NULL AS kind,
    0 AS partitions,
    clock_timestamp() AS started_at,
    false AS running
UNION ALL
SELECT
    kind,
    partitions,
    started_at,
    state = 'running'
FROM pipeline.warehouse_job
WHERE target = :target AND started_at > clock_timestamp() - interval '1 day'
ORDER BY kind NULLS FIRST
