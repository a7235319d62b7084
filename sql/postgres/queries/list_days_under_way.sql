-- Days of sale that are not through to the mart, or came through since a time: what is read of them now may differ.
-- Parameters: started
-- Result: day
WITH waiting AS (
    SELECT
        transaction_id,
        sale_date
    FROM commerce.transactions
    WHERE change_seq >= coalesce((SELECT position FROM pipeline.feed_position), 0)
)
SELECT sale_date AS day
FROM waiting
UNION
SELECT m.day
FROM waiting
INNER JOIN pipeline.moved_day AS m USING (transaction_id)
UNION
SELECT unnest(days) AS day
FROM pipeline.feed_batch
WHERE state NOT IN ('built', 'replaced') OR built_at >= CAST(:started AS timestamptz)
