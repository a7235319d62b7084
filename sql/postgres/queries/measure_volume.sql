-- Rows received on each of the given ledger days; a day without rows is left out.
-- Parameters: days
-- Result: dataset, day, rows
SELECT
    source AS dataset,
    day,
    sum(received)::bigint AS rows
FROM pipeline.chunk
WHERE day = ANY(CAST(:days AS date[]))
GROUP BY source, day
ORDER BY source, day
