-- The id of the feed at hand: it rises, and one that is never recorded leaves a gap and nothing else.
-- Parameters: none
-- Result: feed_id
SELECT nextval(pg_get_serial_sequence('pipeline.feed_batch', 'feed_id')) AS feed_id
