-- A feed id above every one of the warehouse; after a restore it leaps far ahead, because jobs and objects have used ids that are not known here.
-- Parameters: floor (the highest in the warehouse), restored (whether this is another cluster than that of the position)
-- Result: feed_id
SELECT setval(
    pg_get_serial_sequence('pipeline.feed_batch', 'feed_id'),
    CASE WHEN CAST(:restored AS bool) OR n.next <= :floor THEN greatest(n.next, :floor) + 1000000 ELSE n.next END
) AS feed_id
FROM (SELECT nextval(pg_get_serial_sequence('pipeline.feed_batch', 'feed_id')) AS next) AS n
