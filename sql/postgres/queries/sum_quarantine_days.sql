-- Quarantined rows by source, reason and ledger day, discarded ones apart.
-- Parameters: none
-- Result: source, reason, day, rows, discarded, most_attempts
SELECT
    c.source,
    q.reason,
    c.day,
    count(*) FILTER (WHERE q.discarded_at IS NULL) AS rows,
    count(*) FILTER (WHERE q.discarded_at IS NOT NULL) AS discarded,
    max(q.attempt) AS most_attempts
FROM pipeline.quarantined_row AS q
INNER JOIN pipeline.chunk AS c USING (chunk_key)
GROUP BY c.source, q.reason, c.day
ORDER BY c.source, q.reason, c.day
