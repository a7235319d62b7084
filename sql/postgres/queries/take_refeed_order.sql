-- The order is carried out by this feed; one for the whole replaces every feed before it that is under way.
-- Parameters: order_id, feed_id
-- Result: none
WITH taken AS (
    UPDATE pipeline.refeed_order
    SET
        feed_id = :feed_id,
        taken_at = now()
    WHERE order_id = :order_id
    RETURNING first_day
)

UPDATE pipeline.feed_batch
SET state = 'replaced'
WHERE
    feed_id < :feed_id
    AND state <> 'built'
    AND (SELECT first_day FROM taken) IS NULL
