-- Rows received on each of the given ledger days; a day without rows is left out.
-- Parameters: days. Canaries of `sluice doctor` are left out.
-- Result: dataset, day, rows
SELECT
    source AS dataset,
    day,
    sum(received)::bigint AS rows
FROM pipeline.chunk
WHERE
    day = ANY(CAST(:days AS date[]))
    AND chunk_id NOT LIKE 'canary-%'
    AND object_name IS DISTINCT FROM 'products/sluice-canary.ndjson'
GROUP BY source, day
ORDER BY source, day
