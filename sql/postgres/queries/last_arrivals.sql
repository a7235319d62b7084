-- When each source last sent something: a file that was taken, or a message.
-- Parameters: since (a day before which no message is looked for). A canary of `sluice doctor` is no sign of its source.
-- Result: source, arrived_at
SELECT
    source,
    max(arrived_at) AS arrived_at
FROM (
    SELECT
        source,
        landed_at AS arrived_at
    FROM pipeline.file
    WHERE source IS NOT NULL AND state <> 'rejected' AND object_name <> 'products/sluice-canary.ndjson'
    UNION ALL
    SELECT
        source,
        registered_at
    FROM pipeline.chunk
    WHERE file_id IS NULL AND day >= CAST(:since AS date) AND chunk_id NOT LIKE 'canary-%'
) AS arrival
GROUP BY source
ORDER BY source
