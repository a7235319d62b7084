-- Record a feed whose objects are written.
-- Parameters: feed_id, position, next_position, objects (JSON), rows (JSON), days (array)
-- Result: none
INSERT INTO pipeline.feed_batch (feed_id, position, next_position, objects, rows, days)
OVERRIDING SYSTEM VALUE
VALUES (
    :feed_id,
    :position,
    :next_position,
    CAST(:objects AS jsonb),
    CAST(:rows AS jsonb),
    CAST(:days AS date [])
)
