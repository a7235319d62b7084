-- Records what an operator decided of a held chunk, once: the first decision stands (compare-and-set).
-- Parameters: chunk_id, decision (released or rejected), operator
-- Result: one row where it was recorded now; none where the chunk is not held or was decided on before
UPDATE pipeline.chunk
SET
    decision = :decision,
    decided_by = :operator,
    decided_at = now()
WHERE chunk_id = :chunk_id AND state = 'held' AND decision IS NULL
RETURNING chunk_id
