-- Registers a chunk before it is published, so that its rows are pending from then on; does nothing the second time.
-- Parameters: what the ledger keeps of a chunk (see pipeline.chunk).
-- Result: none.
INSERT INTO pipeline.chunk (
    chunk_id, file_id, source, ordinal, day, received, bucket, object_name, generation, byte_offset, byte_length, first_line
)
VALUES (
    :chunk_id, :file_id, :source, :ordinal, :day, :received, :bucket, :object_name, :generation, :byte_offset,
    :byte_length, :first_line
)
ON CONFLICT (chunk_id) DO NOTHING;
