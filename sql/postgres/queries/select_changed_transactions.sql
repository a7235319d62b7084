-- Fills feed_transaction with what changed since the position, or whose user, product or rate changed so as to alter it.
-- Parameters: :position; 0 takes every transaction.
-- Result: none; ANALYZE feed_transaction before it is joined.
INSERT INTO pg_temp.feed_transaction (transaction_id)
SELECT transaction_id
FROM commerce.transactions
WHERE change_seq >= :position
UNION
SELECT t.transaction_id
FROM commerce.user_version AS v
INNER JOIN commerce.transactions AS t
    ON t.user_key = v.user_key AND t.occurred_at >= v.valid_from AND t.occurred_at < v.valid_to
WHERE v.change_seq >= :position AND :position > 0
UNION
SELECT t.transaction_id
FROM commerce.product_version AS v
INNER JOIN commerce.transactions AS t
    ON t.product_key = v.product_key AND t.occurred_at >= v.valid_from AND t.occurred_at < v.valid_to
WHERE v.change_seq >= :position AND :position > 0
UNION
SELECT t.transaction_id
FROM (
    SELECT
        currency,
        min(rate_date) AS first_date
    FROM commerce.fx_rates
    WHERE change_seq >= :position AND :position > 0
    GROUP BY currency
) AS touched
INNER JOIN commerce.transactions AS t ON t.currency = touched.currency AND t.sale_date >= touched.first_date
-- The rate in force on the day of sale is a changed one: a rate holds until the next known day of its currency.
INNER JOIN LATERAL (
    SELECT r.change_seq
    FROM commerce.fx_rates AS r
    WHERE r.currency = t.currency AND r.rate_date <= t.sale_date
    ORDER BY r.rate_date DESC
    LIMIT 1
) AS in_force ON in_force.change_seq >= :position
WHERE t.occurred_at >= (
    SELECT min(rate_date)::timestamp AT TIME ZONE 'UTC'
    FROM commerce.fx_rates
    WHERE change_seq >= :position AND :position > 0
);
