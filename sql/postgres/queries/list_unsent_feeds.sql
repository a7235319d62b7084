-- Feeds that were recorded and not published: the run that recorded them ended in between.
-- Parameters: none
-- Result: feed_id, objects, rows, days, level_days, order_id (null: no refeed), first_day, last_day
SELECT
    b.feed_id,
    b.objects,
    b.rows,
    b.days,
    b.level_days,
    o.order_id,
    o.first_day,
    o.last_day
FROM pipeline.feed_batch AS b
LEFT JOIN pipeline.refeed_order AS o USING (feed_id)
WHERE b.state = 'exported'
ORDER BY b.feed_id
