-- The newest files and how far they are.
-- Parameters: most
-- Result: object_name, source, state, reason, told, rows_received, settled, landed_at
SELECT
    f.object_name,
    f.source,
    f.state,
    f.reason,
    f.told,
    f.rows_received,
    coalesce((SELECT sum(c.received) FROM pipeline.chunk AS c WHERE c.file_id = f.file_id AND c.state <> 'registered'), 0) AS settled,
    f.landed_at
FROM pipeline.file AS f
ORDER BY f.registered_at DESC
LIMIT CAST(:most AS bigint)
