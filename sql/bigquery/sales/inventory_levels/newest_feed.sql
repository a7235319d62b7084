-- The highest feed_id in the table; 0 where it is empty.
-- Parameters: first_day, last_day
-- Result: feed_id
SELECT COALESCE(MAX(feed_id), 0) AS feed_id
FROM sales.inventory_levels
WHERE level_date BETWEEN @first_day AND @last_day
