-- What has not gone all the way: feeds that did not reach the mart, orders and facts that no feed has taken.
-- Parameters: none
-- Result: where, told
SELECT
    'feed ' || feed_id AS "where",
    'is ' || state || ' since ' || to_char(exported_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC, not built' AS told
FROM pipeline.feed_batch
WHERE state NOT IN ('built', 'replaced')
UNION ALL
SELECT
    'refeed ' || order_id AS "where",
    'was ordered at ' || to_char(ordered_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC, not taken yet' AS told
FROM pipeline.refeed_order
WHERE feed_id IS NULL
UNION ALL
SELECT
    'feed' AS "where",
    count(*) || ' transactions changed since the last feed' AS told
FROM commerce.transactions
WHERE change_seq >= coalesce((SELECT position FROM pipeline.feed_position), 0)
HAVING count(*) > 0
