-- What has not gone all the way: feeds that did not reach the mart, and facts that no feed has taken.
-- Parameters: none
-- Result: where, told
SELECT
    'feed ' || feed_id AS "where",
    'is ' || state || ' since ' || to_char(exported_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC, not built' AS told
FROM pipeline.feed_batch
WHERE state <> 'built'
UNION ALL
SELECT
    'feed' AS "where",
    count(*) || ' transactions changed since the last feed' AS told
FROM commerce.transactions
WHERE change_seq >= coalesce((SELECT position FROM pipeline.feed_position), 0)
HAVING count(*) > 0
