-- Moves the feed on, in the transaction that records the batch; a full re-feed is ordered by moving it to 0.
-- Parameters: :position, :system_identifier and :timeline, as read_feed_position gave them.
-- Result: none.
INSERT INTO pipeline.feed_position (position, level_position, system_identifier, timeline)
VALUES (:position, :position, :system_identifier, :timeline)
ON CONFLICT (singleton) DO UPDATE
SET
    position = excluded.position,
    level_position = excluded.level_position,
    system_identifier = excluded.system_identifier,
    timeline = excluded.timeline,
    moved_at = now();
