-- The days that the selected transactions touch: of sale now, and every day that any of them ever left.
-- Parameters: none; reads feed_transaction.
-- Result: one row a day, in order.
SELECT t.sale_date AS day
FROM pg_temp.feed_transaction AS f
INNER JOIN commerce.transactions AS t USING (transaction_id)
UNION
SELECT m.day
FROM pg_temp.feed_transaction AS f
INNER JOIN pipeline.moved_day AS m USING (transaction_id)
ORDER BY day;
