-- The days of all feeds behind this one: where a row of this feed may stand already, put there by a newer one.
-- Parameters: feed_id
-- Result: one row a day, in order
SELECT DISTINCT unnest(days) AS day
FROM pipeline.feed_batch
WHERE feed_id > :feed_id
ORDER BY day
