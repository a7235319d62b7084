-- Rows and money of some days of sale by the chunk that the standing content came from.
-- Parameters: days
-- Result: chunk_id (where the ledger has it not, the number of its key), transactions, amount
SELECT
    coalesce(c.chunk_id, 'key ' || t.source_chunk) AS chunk_id,
    count(*) AS transactions,
    sum(t.amount) AS amount
FROM unnest(CAST(:days AS date[])) AS d (day)
INNER JOIN commerce.transactions AS t
    ON t.occurred_at >= d.day::timestamp AT TIME ZONE 'UTC'
    AND t.occurred_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
LEFT JOIN pipeline.chunk AS c ON c.chunk_key = t.source_chunk
GROUP BY c.chunk_id, t.source_chunk
ORDER BY chunk_id
