-- Quarantined rows by source and reason.
-- Parameters: none
-- Result: source, reason, rows
SELECT
    c.source,
    q.reason,
    count(*) AS rows
FROM pipeline.quarantined_row AS q
INNER JOIN pipeline.chunk AS c USING (chunk_key)
GROUP BY c.source, q.reason
ORDER BY c.source, q.reason
