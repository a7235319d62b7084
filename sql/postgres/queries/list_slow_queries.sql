-- Statements of some stages that took longer than so many seconds, from a day on.
-- Parameters: first_day, stages, seconds
-- Result: day, stage, table_name, max_seconds
SELECT
    day,
    stage,
    table_name,
    max(max_seconds) AS max_seconds
FROM pipeline.query_stat
WHERE store = 'bigquery' AND day >= :first_day AND stage = ANY(:stages) AND max_seconds > :seconds
GROUP BY day, stage, table_name
ORDER BY day, stage, table_name
