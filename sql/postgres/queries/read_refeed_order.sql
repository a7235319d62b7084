-- The order to feed the warehouse anew that is next: one for the whole goes first, because after a restore only it can go.
-- Parameters: none
-- Result: order_id, first_day, last_day (null: the whole), floor; no row where there is none
SELECT
    order_id,
    first_day,
    last_day,
    floor
FROM pipeline.refeed_order
WHERE feed_id IS NULL
ORDER BY first_day IS NULL DESC, order_id
LIMIT 1
