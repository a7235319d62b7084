-- Move a feed forward: exported, published, loaded, built. A late redelivery moves nothing back.
-- Parameters: feed_id, state
-- Result: none
UPDATE pipeline.feed_batch
SET
    state = :state,
    published_at = CASE WHEN :state = 'published' THEN now() ELSE published_at END,
    loaded_at = CASE WHEN :state = 'loaded' THEN now() ELSE loaded_at END,
    built_at = CASE WHEN :state = 'built' THEN now() ELSE built_at END
WHERE
    feed_id = :feed_id
    AND array_position(ARRAY['exported', 'published', 'loaded', 'built'], state)
    < array_position(ARRAY['exported', 'published', 'loaded', 'built'], :state)
