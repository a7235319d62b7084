-- The state of a feed.
-- Parameters: feed_id
-- Result: state; no row for a feed that this database does not know (it was restored to an earlier time)
SELECT state
FROM pipeline.feed_batch
WHERE feed_id = :feed_id
