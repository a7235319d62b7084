-- When the last chunk of transactions was committed, by the database's clock.
-- Parameters: none
-- Result: loaded_at (null before the first), now
SELECT
    max(loaded_at) AS loaded_at,
    clock_timestamp() AS now
FROM pipeline.chunk
WHERE source = 'transactions'
