-- Note that the periods of a feed are marked: from now on it is built when none of them is dirty any more.
-- Parameters: feed_id
-- Result: none
UPDATE pipeline.feed_batch
SET marked_at = now()
WHERE feed_id = :feed_id
