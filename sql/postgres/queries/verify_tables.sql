-- Whether the ledger's inserted rows are the rows of the tables: every insert is counted once, and nothing came in past it.
-- Parameters: none.
-- Result: one row a source; balanced where both are the same.
WITH counted AS (
    SELECT
        'transactions' AS source,
        count(*) AS rows
    FROM commerce.transactions
    UNION ALL
    SELECT
        'users',
        count(*)
    FROM commerce.users
    WHERE NOT inferred
    UNION ALL
    SELECT
        'products',
        count(*)
    FROM commerce.products
    WHERE NOT inferred
    UNION ALL
    SELECT
        'fx_rates',
        count(*)
    FROM commerce.fx_rates
),

ledger AS (
    SELECT
        source,
        sum(inserted) AS inserted
    FROM pipeline.chunk
    GROUP BY source
)

SELECT
    c.source,
    c.rows,
    coalesce(l.inserted, 0) AS inserted,
    c.rows = coalesce(l.inserted, 0) AS balanced
FROM counted AS c
LEFT JOIN ledger AS l USING (source)
ORDER BY c.source;
