-- What has not gone all the way: feeds that did not reach the marts, marts that are behind, orders and facts without a feed.
-- Parameters: marts (those that follow each load; the others may be behind until their hour)
-- Result: where, told
SELECT
    'feed ' || feed_id AS "where",
    'is ' || state || ' since ' || to_char(exported_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC, not built' AS told
FROM pipeline.feed_batch
WHERE state NOT IN ('built', 'replaced')
UNION ALL
SELECT
    mart AS "where",
    count(*) || ' periods are out of date since ' || to_char(min(marked_at), 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS told
FROM pipeline.mart_dirty
WHERE mart = ANY(CAST(:marts AS text[]))
GROUP BY mart
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
