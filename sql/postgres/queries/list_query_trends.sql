-- Each statement of a day beside the days before it.
-- Parameters: day, first_day (of the days before)
-- Result: store, stage, table_name, fingerprint, runs, seconds, runs_before, seconds_before
SELECT
    store,
    stage,
    table_name,
    fingerprint,
    CAST(sum(runs) FILTER (WHERE day = :day) AS bigint) AS runs,
    sum(total_seconds) FILTER (WHERE day = :day) AS seconds,
    CAST(coalesce(sum(runs) FILTER (WHERE day < :day), 0) AS bigint) AS runs_before,
    coalesce(sum(total_seconds) FILTER (WHERE day < :day), 0) AS seconds_before
FROM pipeline.query_stat
WHERE day BETWEEN :first_day AND :day
GROUP BY store, stage, table_name, fingerprint
HAVING sum(runs) FILTER (WHERE day = :day) > 0
ORDER BY store, stage, table_name, fingerprint
