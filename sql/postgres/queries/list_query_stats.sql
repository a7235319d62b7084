-- Statements since a day, the first ones by what is asked for.
-- Parameters: first_day, by (slowest, expensive or failing), most
-- Result: store, stage, table_name, fingerprint, runs, failed, mean, max, p95 (seconds), bytes_billed, slot_seconds, cost_usd
SELECT
    store,
    stage,
    table_name,
    fingerprint,
    CAST(sum(runs) AS bigint) AS runs,
    CAST(sum(failed) AS bigint) AS failed,
    round(sum(total_seconds) / sum(runs), 3) AS mean_seconds,
    max(max_seconds) AS max_seconds,
    max(p95_seconds) AS p95_seconds,
    CAST(sum(bytes_billed) AS bigint) AS bytes_billed,
    round(sum(slot_ms) / 1000.0, 1) AS slot_seconds,
    sum(cost_usd) AS cost_usd
FROM pipeline.query_stat
WHERE day >= CAST(:first_day AS date)
GROUP BY store, stage, table_name, fingerprint
HAVING CAST(:by AS text) <> 'failing' OR sum(failed) > 0
ORDER BY
    CASE CAST(:by AS text)
        WHEN 'expensive' THEN sum(cost_usd)
        WHEN 'failing' THEN sum(failed)
        ELSE coalesce(max(max_seconds), sum(total_seconds) / sum(runs))
    END DESC,
    fingerprint
LIMIT :most
