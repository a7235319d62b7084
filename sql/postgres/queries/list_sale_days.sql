-- Days of sale of the transactions that changed since the last run, and the days that these ever left.
-- Parameters: position
-- Result: day, in order
WITH changed AS (
    SELECT
        transaction_id,
        sale_date
    FROM commerce.transactions
    WHERE change_seq >= CAST(:position AS bigint)
)
SELECT sale_date AS day
FROM changed
UNION
SELECT m.day
FROM changed
INNER JOIN pipeline.moved_day AS m USING (transaction_id)
ORDER BY day
