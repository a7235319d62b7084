-- Chunks that were registered before a moment and are not loaded: pending, or held for an operator.
-- Parameters: :before.
-- Result: one row a chunk, the oldest first.
SELECT
    chunk_id,
    file_id,
    source,
    ordinal,
    state,
    received,
    registered_at,
    held_at
FROM pipeline.chunk
WHERE state <> 'loaded' AND registered_at < :before
ORDER BY registered_at, chunk_key;
