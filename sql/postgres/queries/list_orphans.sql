-- Rows of a table that came from a chunk which the ledger does not have.
-- Parameters: source
-- Result: chunk_key, rows
WITH origin AS (
    SELECT
        'transactions' AS source,
        source_chunk
    FROM commerce.transactions
    WHERE :source = 'transactions'
    UNION ALL
    SELECT
        'users',
        source_chunk
    FROM commerce.users
    WHERE :source = 'users' AND NOT inferred
    UNION ALL
    SELECT
        'products',
        source_chunk
    FROM commerce.products
    WHERE :source = 'products' AND NOT inferred
    UNION ALL
    SELECT
        'fx_rates',
        source_chunk
    FROM commerce.fx_rates
    WHERE :source = 'fx_rates'
)
SELECT
    o.source_chunk AS chunk_key,
    count(*) AS rows
FROM origin AS o
WHERE NOT EXISTS (SELECT FROM pipeline.chunk AS c WHERE c.chunk_key = o.source_chunk)
GROUP BY o.source_chunk
ORDER BY o.source_chunk
