-- What the warehouse's jobs cost, by day, table or stage.
-- Parameters: by (day, table or stage), first_day, last_day (null: no bound)
-- Result: name, jobs, failed, bytes_processed, bytes_billed, slot_seconds, rows (written to the table itself), cost_usd
SELECT
    CASE CAST(:by AS text)
        WHEN 'day' THEN CAST(CAST(started_at AT TIME ZONE 'UTC' AS date) AS text)
        WHEN 'table' THEN table_name
        ELSE stage
    END AS name,
    count(*) AS jobs,
    count(*) FILTER (WHERE state IN ('failed', 'refused')) AS failed,
    CAST(sum(bytes_processed) AS bigint) AS bytes_processed,
    CAST(sum(bytes_billed) AS bigint) AS bytes_billed,
    round(sum(slot_ms) / 1000.0, 1) AS slot_seconds,
    CAST(coalesce(sum(rows) FILTER (WHERE target <> '' AND target = table_name), 0) AS bigint) AS rows,
    sum(cost_usd) AS cost_usd
FROM pipeline.warehouse_job
WHERE (CAST(:first_day AS date) IS NULL OR started_at >= CAST(:first_day AS date))
    AND (CAST(:last_day AS date) IS NULL OR started_at < CAST(:last_day AS date) + 1)
GROUP BY 1
ORDER BY CASE WHEN CAST(:by AS text) = 'day' THEN 0 ELSE sum(cost_usd) END DESC, 1
