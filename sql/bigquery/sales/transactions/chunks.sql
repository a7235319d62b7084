-- Rows and money of some days by the chunk that the standing content came from, for reconcile.
-- Parameters: days
-- Result: source_chunk, transactions, amount
SELECT
    source_chunk,
    COUNT(*) AS transactions,
    SUM(amount) AS amount
FROM sales.transactions
WHERE sale_date IN UNNEST(@days)
GROUP BY source_chunk
ORDER BY source_chunk
