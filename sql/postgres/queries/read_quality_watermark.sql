-- Where check_quality stands, and the position that this run will reach; to be asked before anything is measured.
-- Parameters: none
-- Result: one row: position (0 at first, and in a database that is behind it), next_position, ran_on (null at first)
SELECT
    CASE WHEN w.position > here.xmin THEN 0 ELSE coalesce(w.position, 0) END AS position,
    here.xmin AS next_position,
    w.ran_on
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) AS here
LEFT JOIN pipeline.quality_watermark AS w ON w.singleton
