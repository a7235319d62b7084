-- What was decided of a chunk.
-- Parameters: chunk_id
-- Result: state, decision (null: none); no row for a chunk that is not known
SELECT
    state,
    decision
FROM pipeline.chunk
WHERE chunk_id = :chunk_id
