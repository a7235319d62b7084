-- The days of the selected levels.
-- Parameters: none; reads feed_level.
-- Result: one row a day, in order.
SELECT DISTINCT level_date AS day
FROM pg_temp.feed_level
ORDER BY day;
