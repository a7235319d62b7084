-- How far an ordered refeed is.
-- Parameters: order_id
-- Result: feed_id (null: not taken yet), state of the feed
SELECT
    o.feed_id,
    b.state
FROM pipeline.refeed_order AS o
LEFT JOIN pipeline.feed_batch AS b USING (feed_id)
WHERE o.order_id = :order_id
