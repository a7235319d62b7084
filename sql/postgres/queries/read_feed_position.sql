-- Where the feed stands and where this snapshot ends; to be asked first in a REPEATABLE READ transaction.
-- Parameters: none.
-- Result: one row: position and level_position (0 at first), next_position, the cluster's identity, and problem: null, or why the feed must stop.
SELECT
    coalesce(p.position, 0) AS position,
    coalesce(p.level_position, 0) AS level_position,
    here.xmin AS next_position,
    here.system_identifier,
    here.timeline,
    CASE
        WHEN (p.system_identifier, p.timeline) <> (here.system_identifier, here.timeline)
            THEN format(
                'the position was taken in cluster %s timeline %s, this is cluster %s timeline %s (a restore, a clone or a promotion)',
                p.system_identifier, p.timeline, here.system_identifier, here.timeline
            )
        WHEN p.position > here.xmin
            THEN format('the position %s is ahead of this database, which is at %s', p.position, here.xmin)
    END AS problem
FROM (
    SELECT
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
        (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
        (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline
) AS here
LEFT JOIN pipeline.feed_position AS p ON p.singleton;
