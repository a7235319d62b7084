-- Record a feed whose objects are written.
-- Parameters: feed_id, position, next_position, objects (JSON), rows (JSON), days and level_days (arrays)
-- Result: none
INSERT INTO pipeline.feed_batch (feed_id, position, next_position, objects, rows, days, level_days)
OVERRIDING SYSTEM VALUE
VALUES (
    :feed_id,
    :position,
    :next_position,
    CAST(:objects AS jsonb),
    CAST(:rows AS jsonb),
    CAST(:days AS date []),
    CAST(:level_days AS date [])
)
