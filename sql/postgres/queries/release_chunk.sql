-- Takes a chunk off hold, once: the message that comes back is to be sent again to be loaded (compare-and-set).
-- Parameters: :chunk_id.
-- Result: one row, the validated message; none where the chunk is not held (another operator was faster).
UPDATE pipeline.chunk
SET state = 'registered', held = 0, held_at = NULL, decided_at = now()
WHERE chunk_id = :chunk_id AND state = 'held'
RETURNING validated;
