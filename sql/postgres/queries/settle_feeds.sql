-- Feeds are built when no day of theirs is dirty any more in the marts that follow each load.
-- Parameters: marts
-- Result: feed_id, seconds (since its export)
UPDATE pipeline.feed_batch AS f
SET
    state = 'built',
    built_at = now()
WHERE f.state = 'loaded'
  AND f.marked_at IS NOT NULL
  AND NOT EXISTS (
      SELECT
      FROM pipeline.mart_dirty AS d
      WHERE d.mart = ANY(CAST(:marts AS text[])) AND d.period = ANY(f.days || f.level_days)
  )
RETURNING
    feed_id,
    extract(EPOCH FROM now() - exported_at)::float8 AS seconds
