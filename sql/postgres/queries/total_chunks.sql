-- Rows and money of some days of sale by the chunk that the standing content came from.
-- Parameters: days
-- Result: chunk_id (where the ledger has it not, the number of its key), transactions, amount
WITH part AS (
    SELECT
        s.source_chunk,
        s.transactions,
        s.amount
    FROM unnest(CAST(:days AS date[])) AS d (day)
    CROSS JOIN LATERAL (
        SELECT
            t.source_chunk,
            count(*) AS transactions,
            sum(t.amount) AS amount
        FROM commerce.transactions AS t
        WHERE
            t.occurred_at >= d.day::timestamp AT TIME ZONE 'UTC'
            AND t.occurred_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
        GROUP BY t.source_chunk
    ) AS s
)
SELECT
    coalesce(c.chunk_id, 'key ' || p.source_chunk) AS chunk_id,
    sum(p.transactions)::bigint AS transactions,
    sum(p.amount) AS amount
FROM part AS p
LEFT JOIN pipeline.chunk AS c ON c.chunk_key = p.source_chunk
GROUP BY c.chunk_id, p.source_chunk
ORDER BY chunk_id
