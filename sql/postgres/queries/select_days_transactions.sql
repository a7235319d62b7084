-- Fills feed_transaction with every transaction that is on one of these days of sale, or ever was.
-- Parameters: first_day, last_day
-- Result: none; ANALYZE feed_transaction before it is joined
INSERT INTO pg_temp.feed_transaction (transaction_id)
SELECT transaction_id
FROM commerce.transactions
WHERE
    occurred_at >= CAST(:first_day AS date)::timestamp AT TIME ZONE 'UTC'
    AND occurred_at < (CAST(:last_day AS date) + 1)::timestamp AT TIME ZONE 'UTC'
UNION
SELECT transaction_id
FROM pipeline.moved_day
WHERE day BETWEEN :first_day AND :last_day
