-- The highest feed_id in the table; 0 where it is empty.
-- Parameters: none
-- Result: feed_id
SELECT COALESCE(MAX(feed_id), 0) AS feed_id
FROM sales.products
