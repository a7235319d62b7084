-- The counts of a chunk.
-- Parameters: :chunk_id.
-- Result: one row; received is the sum of the others unless the chunk is pending.
SELECT received, inserted, updated, unchanged, superseded, quarantined, held
FROM pipeline.chunk
WHERE chunk_id = :chunk_id;
