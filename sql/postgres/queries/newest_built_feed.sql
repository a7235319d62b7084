-- The newest feed that is through to the marts.
-- Parameters: none
-- Result: feed_id, 0 where none is
SELECT coalesce(max(feed_id), 0) AS feed_id
FROM pipeline.feed_batch
WHERE state = 'built'
