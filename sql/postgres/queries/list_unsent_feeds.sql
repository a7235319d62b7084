-- Feeds that were recorded and not published: the run that recorded them ended in between.
-- Parameters: none
-- Result: feed_id, objects, rows, days
SELECT
    feed_id,
    objects,
    rows,
    days
FROM pipeline.feed_batch
WHERE state = 'exported'
ORDER BY feed_id
